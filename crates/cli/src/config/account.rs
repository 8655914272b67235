//! The types behind `account` of `system.yaml`: what happens without orders. Doc comments become the configuration
//! reference.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::{AssetClass, Timeframe};

use super::contract::MarginCallConfig;

/// What happens to the account without orders. Nothing has a default: what is left out is left out by name, and the report
/// says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// What short positions cost: `left_out`, or `rates`.
    pub borrow: BorrowConfig,
    /// What perpetual futures pay: `no_perpetuals` where the universe holds none, `left_out`, or `rates`.
    pub funding: FundingConfig,
    /// What borrowed cash costs: `left_out`, or `annual`.
    pub margin_interest: InterestConfig,
    /// What idle cash earns: `left_out`, or `annual`.
    pub cash_interest: InterestConfig,
    /// What happens when equity is below maintenance margin: `close_all` or `reduce_to_initial`; to be stated where an
    /// instrument asks for margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin_call: Option<MarginCallConfig>,
}

/// What it costs to be short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BorrowConfig {
    /// Short positions cost nothing: the report names it.
    LeftOut,
    /// Market value x annual rate x time / 365 days, charged at the daily marks.
    Rates {
        /// Rates by asset class, for symbols that are not listed.
        #[serde(default)]
        by_class: BorrowByClass,
        /// Rates by symbol.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        by_symbol: BTreeMap<String, BorrowRateConfig>,
        /// What holds for every other instrument: `stop`, or `annual` as a pessimistic estimate.
        otherwise: MissingBorrowConfig,
    },
}

/// Borrow rates by asset class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BorrowByClass {
    /// Shares and funds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equity: Option<BorrowRateConfig>,
    /// Crypto assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crypto: Option<BorrowRateConfig>,
    /// Currency pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fx: Option<BorrowRateConfig>,
}

impl BorrowByClass {
    /// The rate of a class, where it is stated.
    pub const fn of(&self, class: AssetClass) -> Option<BorrowRateConfig> {
        match class {
            AssetClass::Equity => self.equity,
            AssetClass::Crypto => self.crypto,
            AssetClass::Fx => self.fx,
        }
    }
}

/// What the lender asks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BorrowRateConfig {
    /// Nobody lends it: an order that could open a short position ends with `not_shortable`.
    NotLent,
    /// A fraction of market value a year.
    Annual(#[schemars(range(min = 0.0, max = 10.0))] f64),
}

/// What a short position without a rate costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MissingBorrowConfig {
    /// The run stops and names the instrument.
    Stop,
    /// This fraction of market value a year: a stated estimate, meant to be pessimistic.
    Annual(#[schemars(range(min = 0.0, max = 10.0))] f64),
}

/// The funding of perpetual futures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FundingConfig {
    /// The universe holds no perpetual futures.
    NoPerpetuals,
    /// Perpetual futures pay no funding: the report names it.
    LeftOut,
    /// At each instant a position pays quantity x last close x rate: with a positive rate, long pays short.
    Rates {
        /// The series of rates of each perpetual future, by symbol: a series of the lake's macro tables, whose publication
        /// times are the instants of funding; null where none was recorded.
        by_symbol: BTreeMap<String, Option<String>>,
        /// Hours between two instants. Where the next rate is more than one and a half intervals away, one is missing.
        #[schemars(range(min = 1, max = 720))]
        interval_hours: u32,
        /// What a position pays where a rate is missing: `stop`, or `pays`.
        missing: MissingFundingConfig,
    },
}

/// What a position pays where a funding rate is missing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MissingFundingConfig {
    /// The run stops and names the instrument and the instant.
    Stop,
    /// This fraction of the position's value, long or short: a stated estimate, meant to be pessimistic.
    Pays(#[schemars(range(min = 0.0, max = 1.0))] f64),
}

/// Interest on cash, actual/360, charged at the daily marks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InterestConfig {
    /// None: the report names it.
    LeftOut,
    /// A constant annual rate, as a fraction.
    Annual(#[schemars(range(min = 0.0, max = 10.0))] f64),
}

/// Which prices of the lake an instrument is run on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PricesConfig {
    /// Adjusted ones, where the lake has them: dividends are reinvested in the adjustment.
    #[default]
    Adjusted,
    /// What was traded: the account is paid dividends in cash and its shares are multiplied at splits, as the factors beside
    /// the stored bars say. Models read these prices too, jumps at splits included.
    Raw,
    /// What was traded on the execution bars alone, with the same dividends and splits; all other timeframes, which models can
    /// read, are adjusted, so that a split is no jump to them.
    RawExecution,
}

impl PricesConfig {
    /// Whether bars that are the execution bars, or not, are those that were traded.
    pub fn is_raw(self, timeframe: Timeframe, execution: Timeframe) -> bool {
        match self {
            Self::Adjusted => false,
            Self::Raw => true,
            Self::RawExecution => timeframe == execution,
        }
    }
}

/// What a position is worth after the last bar of its instrument.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DelistingConfig {
    /// Its last close: right after most mergers, optimistic after a bankruptcy.
    LastClose,
    /// A part of the last close; the mean delisting return of shares dropped for bad performance is about -30 % (Shumway 1997).
    PartOfLastClose(#[schemars(range(min = 0.0, max = 1.0))] f64),
    /// A stated price.
    Price(#[schemars(range(min = 0.0, max = 1_000_000_000.0))] f64),
}
