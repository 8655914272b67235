//! The seeds of the fuzz targets, and with them everything that a fuzzer ever found, run in every test.

use std::path::PathBuf;

use sextant_data::{actions, import, qlib};

type Entry = fn(&[u8]);

const TARGETS: [(&str, Entry); 6] = [
    ("csv_bars", import::fuzz_csv_bars),
    ("csv_macro", import::fuzz_csv_macro),
    ("factor_file", actions::fuzz_factor_file),
    ("qlib_bin", qlib_bin),
    ("qlib_text", qlib_text),
    ("ticker_map", actions::fuzz_ticker_map),
];

/// As `fuzz/fuzz_targets/qlib_bin.rs` has it.
fn qlib_bin(data: &[u8]) {
    match data.split_first() {
        Some((choice, rest)) if choice % 2 == 0 => qlib::fuzz_qlib_bin(rest),
        Some((_, rest)) => qlib::fuzz_qlib_bars(rest),
        None => {}
    }
}

/// As `fuzz/fuzz_targets/qlib_text.rs` has it.
fn qlib_text(data: &[u8]) {
    match data.split_first() {
        Some((choice, rest)) if choice % 2 == 0 => qlib::fuzz_qlib_calendar(rest),
        Some((_, rest)) => qlib::fuzz_qlib_instruments(rest),
        None => {}
    }
}

fn seeds() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds")
}

#[test]
fn every_seed_holds() {
    for (target, entry) in TARGETS {
        let mut count = 0;
        for file in std::fs::read_dir(seeds().join(target)).unwrap() {
            let path = file.unwrap().path();
            let data = std::fs::read(&path).unwrap();
            // Cut at every byte, because a file that is cut short is what a reader meets most.
            for end in 0..=data.len() {
                let run = std::panic::catch_unwind(|| entry(&data[..end]));
                assert!(
                    run.is_ok(),
                    "{target}: the first {end} bytes of {}",
                    path.display()
                );
            }
            count += 1;
        }
        assert!(count >= 2, "{target} has {count} seeds");
    }
}

#[test]
fn every_folder_of_seeds_has_its_target() {
    let mut folders: Vec<String> = std::fs::read_dir(seeds())
        .unwrap()
        .map(|folder| folder.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    assert_eq!(folders, TARGETS.map(|(target, _)| target));
}
