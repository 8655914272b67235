//! A Lean map file, a list of listings, or a list of renames.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| sextant_data::actions::fuzz_ticker_map(data));
