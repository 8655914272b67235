//! A Lean factor file, or a list of events.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| sextant_data::actions::fuzz_factor_file(data));
