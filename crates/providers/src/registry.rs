//! The providers by name, for command lines and documents.

use sextant_data::{BarProvider, MacroProvider, ProviderError};
use sextant_domain::{AssetClass, UtcNanos};

use crate::{Alpaca, AlpacaFeed, Binance, CboeVix, FredSurvey, HttpConfig, Kraken, Treasury, Yahoo};
use crate::{alpaca, binance, cboe, fred, kraken, treasury, yahoo};

/// What a client needs to know besides the bars that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSettings {
    /// How requests are made.
    pub http: HttpConfig,
    /// Scheme and host to ask in place of the provider's own, such as `http://127.0.0.1:8080`.
    pub base_url: Option<String>,
    /// What time it is: what ended more than a day before is final, and histories of limited length end here.
    pub now: UtcNanos,
    /// Alpaca's feed.
    pub feed: AlpacaFeed,
}

impl ProviderSettings {
    /// The usual settings: the provider's own address, and Alpaca's free feed.
    pub fn new(http: HttpConfig, now: UtcNanos) -> Self {
        Self {
            http,
            base_url: None,
            now,
            feed: AlpacaFeed::default(),
        }
    }
}

/// A provider of bars in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarProviderInfo {
    /// Its name.
    pub name: &'static str,
    /// The class it has bars of.
    pub class: AssetClass,
    /// What it is, in one line.
    pub about: &'static str,
}

/// A provider of a macro table in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacroProviderInfo {
    /// Its name.
    pub name: &'static str,
    /// The table it fills.
    pub table: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
}

/// The providers of bars; the first of a class is the one that is asked when none is named.
pub const BAR_PROVIDERS: [BarProviderInfo; 4] = [
    BarProviderInfo {
        name: yahoo::NAME,
        class: AssetClass::Equity,
        about: "US shares and funds, split-adjusted; no key; 1D for decades, 1M to 30M for 30 to 60 days",
    },
    BarProviderInfo {
        name: alpaca::NAME,
        class: AssetClass::Equity,
        about: "US shares and funds as traded; keys in APCA_API_KEY_ID and APCA_API_SECRET_KEY; 1M to 1H and 1D",
    },
    BarProviderInfo {
        name: binance::NAME,
        class: AssetClass::Crypto,
        about: "crypto pairs, mostly with stablecoins; no key; all timeframes, whole history",
    },
    BarProviderInfo {
        name: kraken::NAME,
        class: AssetClass::Crypto,
        about: "crypto pairs with US dollars and euros; no key; all timeframes, the newest 720 bars",
    },
];

/// The providers of macro tables.
pub const MACRO_PROVIDERS: [MacroProviderInfo; 3] = [
    MacroProviderInfo {
        name: treasury::NAME,
        table: treasury::TABLE,
        about: "US Treasury par yield curve: slope 10 years less 3 months, and three rates; daily from 1990 on",
    },
    MacroProviderInfo {
        name: cboe::NAME,
        table: cboe::TABLE,
        about: "volatility index VIX of Cboe, its close; daily from 1990 on",
    },
    MacroProviderInfo {
        name: fred::NAME,
        table: fred::TABLE,
        about: "manufacturing survey of the Philadelphia Fed as a PMI, a stand-in for the ISM's; monthly from 1968 on",
    },
];

/// The client of a name.
///
/// # Errors
/// [`ProviderError::Unknown`] for another name, [`ProviderError::MissingKey`] when the environment has no keys for it.
pub fn bar_provider(name: &str, settings: &ProviderSettings) -> Result<Box<dyn BarProvider>, ProviderError> {
    match name {
        yahoo::NAME => Ok(Box::new(Yahoo::new(settings))),
        alpaca::NAME => Ok(Box::new(Alpaca::from_env(settings)?)),
        binance::NAME => Ok(Box::new(Binance::new(settings))),
        kraken::NAME => Ok(Box::new(Kraken::new(settings))),
        _ => Err(unknown("bars", name, &BAR_PROVIDERS.map(|info| info.name))),
    }
}

/// The client of a name.
///
/// # Errors
/// [`ProviderError::Unknown`] for another name.
pub fn macro_provider(
    name: &str,
    settings: &ProviderSettings,
) -> Result<Box<dyn MacroProvider>, ProviderError> {
    match name {
        treasury::NAME => Ok(Box::new(Treasury::new(settings))),
        cboe::NAME => Ok(Box::new(CboeVix::new(settings))),
        fred::NAME => Ok(Box::new(FredSurvey::new(settings))),
        _ => Err(unknown(
            "macro tables",
            name,
            &MACRO_PROVIDERS.map(|info| info.name),
        )),
    }
}

/// The provider that is asked for bars of a class when none is named: `yahoo` for equities, because it needs no key, and
/// `binance` for crypto, because it has the whole history.
///
/// # Errors
/// [`ProviderError::Unknown`] for currency pairs, which nobody here has.
pub fn default_bar_provider(class: AssetClass) -> Result<&'static str, ProviderError> {
    let first = BAR_PROVIDERS.iter().find(|info| info.class == class);
    first.map(|info| info.name).ok_or_else(|| ProviderError::Unknown {
        wanted: format!("of {class} bars"),
        allowed: "none for this class yet; import files with `data import`".to_owned(),
    })
}

fn unknown(of: &str, name: &str, known: &[&str]) -> ProviderError {
    ProviderError::Unknown {
        wanted: format!("of {of} with the name `{name}`"),
        allowed: known.join(", "),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::support::settings;

    #[test]
    fn the_lists_name_the_clients() {
        for info in BAR_PROVIDERS {
            let provider = match bar_provider(info.name, &settings()) {
                Err(ProviderError::MissingKey { provider, .. }) => {
                    assert_eq!((provider, info.name), ("alpaca", "alpaca"));
                    continue;
                }
                other => other.unwrap(),
            };
            assert_eq!(provider.name(), info.name);
            for class in AssetClass::ALL {
                let offered = provider.offer(class, sextant_domain::Timeframe::D1).is_ok();
                assert_eq!(offered, class == info.class, "{}", info.name);
            }
        }
        for info in MACRO_PROVIDERS {
            let provider = macro_provider(info.name, &settings()).unwrap();
            assert_eq!((provider.name(), provider.table()), (info.name, info.table));
        }
    }

    #[test]
    fn unknown_names_and_classes_say_what_there_is() {
        let error = bar_provider("bloomberg", &settings()).unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no provider of bars with the name `bloomberg`; there is yahoo, alpaca, binance, kraken"
        );
        let error = macro_provider("yahoo", &settings()).unwrap_err().to_string();
        assert!(
            error.contains("of macro tables with the name `yahoo`; there is treasury, cboe, fred"),
            "{error}"
        );
        assert_eq!(default_bar_provider(AssetClass::Equity).unwrap(), "yahoo");
        assert_eq!(default_bar_provider(AssetClass::Crypto).unwrap(), "binance");
        let error = default_bar_provider(AssetClass::Fx).unwrap_err().to_string();
        assert!(error.contains("import files with `data import`"), "{error}");
    }
}
