//! Symbols that differ only in upper and lower case.
//!
//! `spy` and `SPY` are one file on some systems and two on others, and nearly always one instrument. A lake has one of them.

use crate::{BarKey, DataError, Lake};

/// Refuses a symbol that the lake has in another case, in any timeframe of the class. To be asked before new bars are
/// written.
///
/// # Errors
/// [`DataError::Request`] with the symbol that is there, or when a folder of the lake cannot be read.
pub(crate) fn refuse_case_twin(lake: &Lake, key: &BarKey) -> Result<(), DataError> {
    let keys = lake.bar_keys()?;
    let is_twin = |other: &&BarKey| {
        other.class() == key.class()
            && other.symbol() != key.symbol()
            && other.symbol().eq_ignore_ascii_case(key.symbol())
    };
    match keys.iter().find(is_twin) {
        None => Ok(()),
        Some(there) => Err(DataError::Request {
            field: "symbol",
            found: key.symbol().to_owned(),
            allowed: format!(
                "{}, of which the lake has bars ({there}), or a name that differs in more than upper and lower case",
                there.symbol()
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};

    use super::*;
    use crate::Provenance;

    fn key(class: AssetClass, symbol: &str, timeframe: Timeframe) -> BarKey {
        BarKey::new(class, symbol, timeframe).unwrap()
    }

    #[test]
    fn only_another_case_of_the_same_class_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::new(folder.path());
        let bar = Bar {
            open_time: UtcNanos::from_nanos(0),
            close_time: UtcNanos::from_nanos(Timeframe::D1.nanos()),
            open: 2.0,
            high: 2.0,
            low: 2.0,
            close: 2.0,
            volume: 1.0,
        };
        let there = key(AssetClass::Crypto, "Btc-USD", Timeframe::D1);
        refuse_case_twin(&lake, &there).unwrap();
        let provenance = Provenance {
            source: "a test".to_owned(),
            synthetic: false,
        };
        let bars = BarSeries::from_bars([bar]).unwrap();
        lake.write_bars(&there, &bars, None, &provenance).unwrap();
        for (class, symbol, timeframe, refused) in [
            (AssetClass::Crypto, "Btc-USD", Timeframe::D1, false),
            (AssetClass::Crypto, "Btc-USD", Timeframe::H1, false),
            (AssetClass::Crypto, "BTC-USD", Timeframe::D1, true),
            (AssetClass::Crypto, "btc-usd", Timeframe::H4, true),
            (AssetClass::Crypto, "btcusd", Timeframe::D1, false),
            (AssetClass::Equity, "BTC-USD", Timeframe::D1, false),
        ] {
            let found = refuse_case_twin(&lake, &key(class, symbol, timeframe));
            assert_eq!(found.is_err(), refused, "{symbol} {timeframe} {class}");
            if let Err(error) = found {
                let message = error.to_string();
                assert!(
                    message.contains(&format!("found `{symbol}`; allowed: Btc-USD")),
                    "{message}"
                );
            }
        }
    }
}
