//! A CSV file of bars.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| sextant_data::import::fuzz_csv_bars(data));
