//! The commands that ask providers.

use std::str::FromStr;

use chrono::NaiveDate;
use clap::Args;
use sextant_domain::{AssetClass, Timeframe};
use sextant_providers::AlpacaFeed;

use super::DataRootArgs;

/// A symbol of the lake, and the provider's name for it where that is not the usual translation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolPair {
    /// The lake's.
    pub symbol: String,
    /// The provider's.
    pub provider_symbol: Option<String>,
}

impl FromStr for SymbolPair {
    type Err = String;

    /// Reads `SPY`, or `BTC-USD=BTCUSDT` with the lake's symbol first.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (symbol, provider_symbol) = match text.split_once('=') {
            None => (text, None),
            Some((symbol, own)) => (symbol, Some(own)),
        };
        if symbol.is_empty() || provider_symbol.is_some_and(str::is_empty) {
            return Err(format!(
                "`{text}` is not understood: write SPY, or BTC-USD=BTCUSDT for the lake's symbol and the provider's"
            ));
        }
        Ok(Self {
            symbol: symbol.to_owned(),
            provider_symbol: provider_symbol.map(str::to_owned),
        })
    }
}

/// Whom to ask, and how.
#[derive(Debug, Clone, Args)]
pub struct ProviderArgs {
    /// yahoo (equity, the default), alpaca (equity), binance (crypto, the default), kraken (crypto); treasury, cboe, fred (macro)
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Ask this address instead of the provider's own
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Whose trades the bars of alpaca are made of: iex, those of one exchange, which is free, or sip, those of all exchanges, which a paid plan has; iex when left out, and for an update what the bars come from
    #[arg(long, value_name = "FEED")]
    pub feed: Option<AlpacaFeed>,
    /// Put bad rows into a quarantine file beside the bars instead of refusing the answer
    #[arg(long)]
    pub quarantine: bool,
}

/// Arguments of `data download`.
#[derive(Debug, Args)]
pub struct DownloadArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// Symbols, by the lake's name, or LAKE=PROVIDER such as BTC-USD=BTCUSDT
    #[arg(long, num_args = 1.., value_name = "SYMBOL", required_unless_present = "macros", requires = "asset_class")]
    pub symbols: Vec<SymbolPair>,
    /// Their class: equity or crypto
    #[arg(long)]
    pub asset_class: Option<AssetClass>,
    /// Timeframes; one that the provider does not have is made from the next finer one
    #[arg(long, num_args = 1.., value_name = "TIMEFRAME", default_value = "1D")]
    pub timeframes: Vec<Timeframe>,
    /// Macro tables instead of bars: yield_curve, vix, pmi; all when none is named
    #[arg(long = "macro", num_args = 0.., value_name = "TABLE", conflicts_with_all = ["symbols", "asset_class", "timeframes", "end"])]
    pub macros: Option<Vec<String>>,
    /// The first day
    #[arg(long, value_name = "DATE")]
    pub start: NaiveDate,
    /// The last day; up to now when left out
    #[arg(long, value_name = "DATE")]
    pub end: Option<NaiveDate>,
    #[command(flatten)]
    /// The provider.
    pub provider: ProviderArgs,
    /// Put the download in the place of what is there, whatever its source is
    #[arg(long)]
    pub replace: bool,
}

/// Arguments of `data update`.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// Only these symbols
    #[arg(long, num_args = 1.., value_name = "SYMBOL")]
    pub symbols: Vec<String>,
    /// Only this class: equity or crypto
    #[arg(long)]
    pub asset_class: Option<AssetClass>,
    /// Only these timeframes
    #[arg(long, num_args = 1.., value_name = "TIMEFRAME")]
    pub timeframes: Vec<Timeframe>,
    /// Only macro tables: yield_curve, vix, pmi; all that were downloaded when none is named
    #[arg(long = "macro", num_args = 0.., value_name = "TABLE", conflicts_with_all = ["symbols", "asset_class", "timeframes"])]
    pub macros: Option<Vec<String>>,
    #[command(flatten)]
    /// The provider.
    pub provider: ProviderArgs,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn symbols_come_alone_or_with_the_name_of_the_provider() {
        let pair: SymbolPair = "BTC-USD=BTCUSDT".parse().unwrap();
        assert_eq!(pair.symbol, "BTC-USD");
        assert_eq!(pair.provider_symbol.as_deref(), Some("BTCUSDT"));
        assert_eq!("SPY".parse::<SymbolPair>().unwrap().provider_symbol, None);
        for text in ["", "=X", "SPY="] {
            assert!(
                text.parse::<SymbolPair>()
                    .unwrap_err()
                    .contains("BTC-USD=BTCUSDT"),
                "{text}"
            );
        }
    }
}
