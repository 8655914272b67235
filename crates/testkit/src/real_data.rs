//! Where the real market data lies.

use std::env;
use std::ffi::OsString;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};

const FOLDER_VARIABLE: &str = "SEXTANT_MARKET_DATA";
const REQUIRE_VARIABLE: &str = "SEXTANT_REQUIRE_MARKET_DATA";
const DEFAULT_FOLDER: &str = "../../../shared/market-data";
/// The file by which the folder is recognised.
const MANIFEST: &str = "MANIFEST.md";

/// The folder of real market data; `None` where it is missing, and the test that asked may return.
///
/// It is the folder named by `SEXTANT_MARKET_DATA`, by default `../shared/market-data` beside the workspace. Where it is
/// missing, the reason is printed to standard error, past the capture of the test harness, so that a skipped test can
/// be seen.
///
/// # Panics
/// When the folder is missing and `SEXTANT_REQUIRE_MARKET_DATA` is set to anything but `0` or nothing.
pub fn real_data_dir() -> Option<PathBuf> {
    match locate(env::var_os(FOLDER_VARIABLE)) {
        Ok(folder) => Some(folder),
        Err(reason) if is_on(env::var_os(REQUIRE_VARIABLE)) => {
            panic!("{reason}; {REQUIRE_VARIABLE} is set, so that it must be there")
        }
        Err(reason) => {
            // A closed standard error is no reason to fail.
            let _ = writeln!(stderr(), "skipped: {reason}");
            None
        }
    }
}

fn locate(setting: Option<OsString>) -> Result<PathBuf, String> {
    let folder = match setting.filter(|text| !text.is_empty()) {
        Some(text) => PathBuf::from(text),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join(DEFAULT_FOLDER),
    };
    if folder.join(MANIFEST).is_file() {
        return Ok(folder);
    }
    Err(format!(
        "no real market data: {} has no {MANIFEST}; set {FOLDER_VARIABLE} to the folder that has it",
        folder.display()
    ))
}

fn is_on(setting: Option<OsString>) -> bool {
    setting.is_some_and(|text| !text.is_empty() && text != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_manifest_is_named() {
        let elsewhere = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let reason = locate(Some(elsewhere.clone().into())).unwrap_err();
        assert!(
            reason.contains(&elsewhere.display().to_string()) && reason.contains(FOLDER_VARIABLE),
            "{reason}"
        );
    }

    #[test]
    fn an_empty_setting_means_the_default() {
        assert_eq!(locate(Some(OsString::new())), locate(None));
    }

    #[test]
    fn zero_and_nothing_mean_off() {
        for (setting, on) in [
            (None, false),
            (Some(""), false),
            (Some("0"), false),
            (Some("1"), true),
        ] {
            assert_eq!(is_on(setting.map(OsString::from)), on, "{setting:?}");
        }
    }
}
