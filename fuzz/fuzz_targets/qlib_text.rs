//! The text files of Qlib: a calendar or a list of instruments, by the first byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sextant_data::qlib::{fuzz_qlib_calendar, fuzz_qlib_instruments};

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((choice, rest)) if choice % 2 == 0 => fuzz_qlib_calendar(rest),
        Some((_, rest)) => fuzz_qlib_instruments(rest),
        None => {}
    }
});
