//! How the source of a downloaded file is written, and recognised again.

use std::fmt;

const PRICES: &str = " [prices: ";

/// Where downloaded bars come from. In [`BarMeta::source`](crate::BarMeta) it stands as
/// `<provider>: <what was asked> [prices: <adjustment>]`, such as `kraken: XBTUSD [prices: none: as traded]`; a source of
/// any other form is not a download's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The name of the provider.
    pub provider: String,
    /// What was asked: the provider's name for the symbol, the feed.
    pub asked: String,
    /// How its prices are adjusted.
    pub adjustment: String,
}

impl Origin {
    /// From a provider's words about an answer; its own name in front of them is not said twice.
    pub(super) fn new(provider: &str, asked: &str, adjustment: &str) -> Self {
        let bare = asked
            .strip_prefix(provider)
            .and_then(|rest| rest.strip_prefix(':'))
            .unwrap_or(asked);
        Self {
            provider: provider.to_owned(),
            asked: bare.trim().to_owned(),
            adjustment: adjustment.to_owned(),
        }
    }

    /// Reads the source of a file; `None` where it was not downloaded.
    pub fn parse(source: &str) -> Option<Self> {
        let (provider, rest) = source.split_once(": ")?;
        let (asked, adjustment) = rest.strip_suffix(']')?.rsplit_once(PRICES)?;
        let letter =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        let name = !provider.is_empty() && provider.bytes().all(letter);
        name.then(|| Self::new(provider, asked, adjustment))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider,
            asked,
            adjustment,
        } = self;
        write!(f, "{provider}: {asked}{PRICES}{adjustment}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_recognised_and_other_sources_are_not() {
        for (asked, adjustment) in [
            ("SPY", "none: as traded"),
            ("BTC/USD, feed x: y", "splits"),
            ("", ""),
            ("A [prices: odd]", "splits [all]"),
        ] {
            let origin = Origin::new("yahoo", asked, adjustment);
            assert_eq!(Origin::parse(&origin.to_string()), Some(origin));
        }
        assert_eq!(
            Origin::new("alpaca", "alpaca: SPY, feed iex", "none").to_string(),
            "alpaca: SPY, feed iex [prices: none]"
        );
        for source in [
            "CSV file spy.csv",
            "resampled from 1H of digest 12; yahoo: SPY [prices: none]",
            "yahoo: SPY",
            "Yahoo: SPY [prices: none]",
            ": SPY [prices: none]",
            "",
        ] {
            assert_eq!(Origin::parse(source), None, "{source}");
        }
    }
}
