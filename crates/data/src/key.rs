//! Which bars: asset class, symbol and timeframe, and the files they lie in.
//!
//! Bars of an hour and coarser lie in one file of the class folder, `equities/SPY_1D.parquet`. Finer ones are partitioned
//! by month in a folder of the symbol, `equities/SPY`, with one index per timeframe, `equities/SPY/1M.json`. A symbol
//! whose name could be mistaken for a file of the class folder, or that some systems reserve, has its folder between
//! tildes (`~con~`), which no symbol contains.

use std::fmt;
use std::path::PathBuf;

use sextant_domain::{AssetClass, Instrument, InstrumentError, Timeframe};

/// The identity of one bar series in the lake. The symbol has been checked, so that it is safe as a file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BarKey {
    class: AssetClass,
    symbol: String,
    timeframe: Timeframe,
}

impl BarKey {
    /// Checks the symbol and makes the key.
    ///
    /// # Errors
    /// When the symbol is empty, too long, or has characters that could leave the lake's folder (`../x`).
    pub fn new(class: AssetClass, symbol: &str, timeframe: Timeframe) -> Result<Self, InstrumentError> {
        Instrument::validate_symbol(symbol)?;
        Ok(Self {
            class,
            symbol: symbol.to_owned(),
            timeframe,
        })
    }

    /// The asset class.
    pub fn class(&self) -> AssetClass {
        self.class
    }

    /// The symbol.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// The timeframe.
    pub fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// The same instrument in another timeframe.
    pub fn with_timeframe(&self, timeframe: Timeframe) -> Self {
        Self {
            timeframe,
            ..self.clone()
        }
    }

    /// Whether its bars are partitioned by month: those of timeframes finer than an hour are.
    pub fn is_partitioned(&self) -> bool {
        self.timeframe < Timeframe::H1
    }

    /// Its place below the lake's root: a Parquet file such as `equities/SPY_1D.parquet`, or the index of a partitioned
    /// series such as `equities/SPY/1M.json`.
    pub fn relative_path(&self) -> PathBuf {
        if self.is_partitioned() {
            self.symbol_folder()
                .join(format!("{}.{INDEX_ENDING}", self.timeframe))
        } else {
            self.single_file()
        }
    }

    /// The place of a single file with these bars, whether or not they are partitioned: older versions wrote one.
    pub(crate) fn single_file(&self) -> PathBuf {
        PathBuf::from(folder(self.class)).join(format!("{}.parquet", self.stem()))
    }

    /// The folder of the partitions and indexes of this symbol.
    pub(crate) fn symbol_folder(&self) -> PathBuf {
        PathBuf::from(folder(self.class)).join(symbol_folder(&self.symbol))
    }

    /// The name of its file without the ending, such as `SPY_1D`.
    pub(crate) fn stem(&self) -> String {
        format!("{}_{}", self.symbol, self.timeframe)
    }

    /// The key a file of a class folder stands for; `None` when the name has another form.
    pub(crate) fn from_stem(class: AssetClass, stem: &str) -> Option<Self> {
        let (symbol, code) = stem.rsplit_once('_')?;
        let timeframe = Timeframe::ALL
            .into_iter()
            .find(|timeframe| timeframe.code() == code)?;
        Self::new(class, symbol, timeframe).ok()
    }

    /// The keys that may have an index in a folder of the class folder, finest first; none when it is no symbol's.
    pub(crate) fn of_folder(class: AssetClass, name: &str) -> Vec<Self> {
        let inner = name
            .strip_prefix(ESCAPE)
            .and_then(|name| name.strip_suffix(ESCAPE));
        let symbol = inner.unwrap_or(name);
        if symbol_folder(symbol) != name {
            return Vec::new();
        }
        let keys = Timeframe::ALL
            .into_iter()
            .map(|timeframe| Self::new(class, symbol, timeframe));
        keys.flatten().filter(Self::is_partitioned).collect()
    }
}

const INDEX_ENDING: &str = "json";

/// What no symbol contains.
const ESCAPE: char = '~';

/// Endings of files that may lie beside the folders of symbols.
const FILE_ENDINGS: [&str; 5] = ["parquet", "csv", "json", "tmp", "lock"];

/// Names that Windows keeps for devices, with any ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The name of a symbol's folder. Only names that could be a file's, or that some system does not take, are changed.
fn symbol_folder(symbol: &str) -> String {
    let lower = symbol.to_ascii_lowercase();
    let file_like = lower
        .rsplit_once('.')
        .is_some_and(|(_, ending)| FILE_ENDINGS.contains(&ending));
    let base = lower.split('.').next().unwrap_or_default();
    let numbered = ["com", "lpt"].iter().any(|port| {
        let number = base.strip_prefix(port);
        number.is_some_and(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit())
    });
    if file_like || numbered || DEVICES.contains(&base) || symbol.ends_with('.') {
        format!("{ESCAPE}{symbol}{ESCAPE}")
    } else {
        symbol.to_owned()
    }
}

impl fmt::Display for BarKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.symbol, self.timeframe, self.class)
    }
}

/// The folder of a class below the lake's root.
pub(crate) fn folder(class: AssetClass) -> &'static str {
    match class {
        AssetClass::Equity => "equities",
        AssetClass::Crypto => "crypto",
        AssetClass::Fx => "fx",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_and_files_name_each_other() {
        for (class, symbol, timeframe, path) in [
            (
                AssetClass::Equity,
                "SPY",
                Timeframe::D1,
                "equities/SPY_1D.parquet",
            ),
            (
                AssetClass::Crypto,
                "BTC-USD",
                Timeframe::H4,
                "crypto/BTC-USD_4H.parquet",
            ),
            (AssetClass::Fx, "EUR_USD", Timeframe::H1, "fx/EUR_USD_1H.parquet"),
            (AssetClass::Fx, "EUR_USD", Timeframe::M1, "fx/EUR_USD/1M.json"),
            (AssetClass::Equity, "SPY", Timeframe::M30, "equities/SPY/30M.json"),
        ] {
            let key = BarKey::new(class, symbol, timeframe).unwrap();
            assert_eq!(key.relative_path(), PathBuf::from(path));
            assert_eq!(BarKey::from_stem(class, &key.stem()), Some(key));
        }
        assert!(BarKey::new(AssetClass::Equity, "../SPY", Timeframe::D1).is_err());
        for stem in ["SPY", "SPY_2D", "_1D", "SPY_1d"] {
            assert_eq!(BarKey::from_stem(AssetClass::Equity, stem), None, "{stem}");
        }
    }

    #[test]
    fn folders_of_symbols_are_nobody_elses() {
        for (symbol, name) in [
            ("SPY", "SPY"),
            ("BRK.B", "BRK.B"),
            ("EUR_USD", "EUR_USD"),
            ("600000_SH", "600000_SH"),
            ("con", "~con~"),
            ("COM1.X", "~COM1.X~"),
            ("community", "community"),
            ("SPY_1D.parquet", "~SPY_1D.parquet~"),
            ("SPY_1D.quarantine.CSV", "~SPY_1D.quarantine.CSV~"),
            ("BRK.", "~BRK.~"),
        ] {
            let key = BarKey::new(AssetClass::Equity, symbol, Timeframe::M5).unwrap();
            assert_eq!(key.symbol_folder(), PathBuf::from("equities").join(name));
            let keys = BarKey::of_folder(AssetClass::Equity, name);
            assert_eq!(keys.len(), 4, "{symbol}");
            assert_eq!(keys[1], key);
        }
        for name in ["~SPY~", "con", "~~", "~", "..", "a b", ".hidden", "X_1D.parquet"] {
            assert!(BarKey::of_folder(AssetClass::Equity, name).is_empty(), "{name}");
        }
    }
}
