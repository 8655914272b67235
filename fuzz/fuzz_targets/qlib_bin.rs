//! The binary files of Qlib: one column by its first byte, or the six columns that make bars.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sextant_data::qlib::{fuzz_qlib_bars, fuzz_qlib_bin};

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((choice, rest)) if choice % 2 == 0 => fuzz_qlib_bin(rest),
        Some((_, rest)) => fuzz_qlib_bars(rest),
        None => {}
    }
});
