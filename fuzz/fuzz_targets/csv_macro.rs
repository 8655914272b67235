//! A CSV file of macro series.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| sextant_data::import::fuzz_csv_macro(data));
