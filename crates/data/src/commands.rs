//! The commands that errors tell a user to run; one place, so that they follow the command line.

use sextant_domain::Timeframe;

use crate::BarKey;

/// Writes a bar file again, or for the first time.
pub(crate) fn import_bars(key: &BarKey) -> String {
    format!(
        "cargo xtask data import --from <CSV file> --symbol {} --asset-class {} --timeframe {}",
        key.symbol(),
        key.class(),
        key.timeframe()
    )
}

/// Downloads bars.
pub(crate) fn download_bars(key: &BarKey, provider: &str) -> String {
    format!(
        "cargo xtask data download --symbols {} --asset-class {} --timeframes {} --start <date> --provider {provider}",
        key.symbol(),
        key.class(),
        key.timeframe()
    )
}

/// Downloads a macro table.
pub(crate) fn download_macro(name: &str, provider: &str) -> String {
    format!("cargo xtask data download --macro {name} --start <date> --provider {provider}")
}

/// Makes a bar file from a finer one.
pub(crate) fn resample_bars(key: &BarKey, finer: Timeframe) -> String {
    format!(
        "cargo xtask data resample --symbol {} --asset-class {} --from {finer} --to {}",
        key.symbol(),
        key.class(),
        key.timeframe()
    )
}

/// Writes a macro file again.
pub(crate) fn import_macro(name: &str) -> String {
    format!("cargo xtask data import --from <CSV file> --macro {name} --series <series>=<column>")
}

/// Brings a macro series that no file has, as a file of its own.
pub(crate) fn import_macro_series(series: &str) -> String {
    format!("cargo xtask data import --from <CSV file> --macro {series} --series {series}=<column>")
}
