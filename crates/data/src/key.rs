//! Which bars: asset class, symbol and timeframe, and the file they lie in.

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

    /// Its place below the lake's root, such as `equities/SPY_1D.parquet`.
    pub fn relative_path(&self) -> PathBuf {
        PathBuf::from(folder(self.class)).join(format!("{}.parquet", self.stem()))
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
            (AssetClass::Fx, "EUR_USD", Timeframe::M1, "fx/EUR_USD_1M.parquet"),
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
}
