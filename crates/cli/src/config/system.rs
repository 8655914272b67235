//! The types behind `system.yaml`. Doc comments become the configuration reference.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::{AssetClass, Currency, Timeframe};

use super::account::{AccountConfig, DelistingConfig, PricesConfig};
use super::contract::{MarginConfig, SettlementConfig};
use super::costs::{CostsConfig, SlippageConfig};
use super::renames::FormerTicker;

/// A whole run: universe, period, capital, costs, and the files with models, budgets, regimes and limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SystemConfig {
    /// A name for tables and reports.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// Where data are read and results are written.
    pub paths: Paths,
    /// Seed of everything random (the bootstrap of the confidence intervals).
    pub seed: u64,
    /// Cash at the start.
    pub capital: Capital,
    /// The period traded; `--start` and `--end` override it.
    pub period: Period,
    /// Which engine computes the run; `--engine` overrides it.
    #[serde(default)]
    pub engine: EngineConfig,
    /// Annual risk-free rate subtracted in Sharpe ratios, as a fraction.
    #[schemars(range(min = -0.1, max = 1.0))]
    pub risk_free_annual: f64,
    /// What is traded; in which order does not matter.
    #[schemars(length(min = 1))]
    pub universe: Vec<InstrumentConfig>,
    /// Macro series to load where they are there; a missing one makes the regimes that need it `unknown`.
    pub macro_series: Vec<String>,
    /// When and at which price orders trade.
    pub fills: FillsConfig,
    /// What trading costs, by asset class; every class of the universe needs an entry.
    pub costs: CostsConfig,
    /// What happens to the account without orders.
    pub account: AccountConfig,
    /// Whether the run is repeated with each assumption made pessimistic and at several multiples of its costs.
    #[serde(default)]
    pub assumption_bill: BillConfig,
    /// Files with the rest of the configuration, relative to this one.
    pub include: Includes,
    /// The embedded synthetic market, created when there are no imported bars.
    pub synthetic: SyntheticConfig,
}

impl SystemConfig {
    /// Whether anything happens to shares beside their prices: dividends and splits on raw prices, or a delisting.
    pub fn has_corporate_actions(&self) -> bool {
        let has = |one: &InstrumentConfig| one.prices != PricesConfig::Adjusted || one.delisted.is_some();
        self.universe.iter().any(has)
    }

    /// Whether slippage grows with the run's own volume in every class of the universe.
    pub fn has_impact(&self) -> bool {
        let of_class = |class| {
            self.costs
                .of(class)
                .is_some_and(|costs| costs.slippage.iter().any(SlippageConfig::is_impact))
        };
        self.universe.iter().all(|one| of_class(one.class))
    }
}

/// Which engine computes a run. Both give the same orders, fills, equity and figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum EngineConfig {
    /// Step by step. Runs everything.
    #[default]
    Event,
    /// By columns, for models that give targets without looking at their account. Refuses by name what it cannot express.
    Vectorised,
}

/// Folders, relative to the folder the command is started in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    /// The Parquet lake.
    pub data: PathBuf,
    /// Run folders and the result database.
    pub results: PathBuf,
    /// JSON logs.
    pub logs: PathBuf,
}

/// The account at the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capital {
    /// Cash at the start, in `currency`.
    #[schemars(range(min = 1.0, max = 1e12))]
    pub initial: f64,
    /// The account's currency, as three to five capital letters; instruments are quoted in it unless they say otherwise.
    #[schemars(with = "String", regex(pattern = "^[A-Z]{3,5}$"))]
    pub currency: Currency,
}

/// Both ends belong to the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First day (UTC), as `2012-01-01`.
    #[schemars(with = "String", extend("format" = "date"))]
    pub start: NaiveDate,
    /// Last day (UTC), as `2020-12-31`.
    #[schemars(with = "String", extend("format" = "date"))]
    pub end: NaiveDate,
}

/// One instrument of the universe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstrumentConfig {
    /// Its symbol, such as `SPY` or `BTC-USD`.
    #[schemars(length(min = 1, max = 32))]
    pub symbol: String,
    /// The tickers that the security had before, oldest first. Their bars come before those of `symbol`, and positions and
    /// orders go on across a rename.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<FormerTicker>,
    /// Its asset class.
    #[schemars(with = "AssetClassName")]
    pub class: AssetClass,
    /// The bars to load.
    #[schemars(with = "Vec<TimeframeName>", length(min = 1))]
    pub timeframes: Vec<Timeframe>,
    /// The bars that fill its orders and trigger decisions on it; must be one of `timeframes`.
    #[schemars(with = "TimeframeName")]
    pub execution: Timeframe,
    /// Smallest price step of the ledger, at most 8 decimals. Adjusted prices lie between exchange ticks, so this is
    /// finer than the exchange's.
    #[schemars(range(min = 0.00000001, max = 1000.0))]
    pub price_tick: f64,
    /// Smallest quantity step, at most 8 decimals.
    #[schemars(range(min = 0.00000001, max = 1000000.0))]
    pub lot_size: f64,
    /// The currency of its prices, fees and payments, as three to five capital letters; left out, it is the account's. Another
    /// one needs a currency pair in the universe, such as `EURUSD`, or two over a third currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", regex(pattern = "^[A-Z]{3,5}$"))]
    pub currency: Option<Currency>,
    /// How many times its price one unit is worth, at most 8 decimals; left out, 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.00000001, max = 1e9))]
    pub multiplier: Option<f64>,
    /// `in_full` with the trade, or `daily` for a future: gains and losses are paid in cash at each daily mark.
    #[serde(default)]
    pub settlement: SettlementConfig,
    /// What equity has to secure a position with; left out, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<MarginConfig>,
    /// `adjusted`; or for shares what was traded, with dividends in cash and splits of the position: `raw` in all timeframes, or
    /// `raw_execution` in that of the execution bars alone.
    #[serde(default)]
    pub prices: PricesConfig,
    /// What a position is worth after the last bar, where the share was delisted then: `last_close`, `part_of_last_close` or
    /// `price`. Left out, it stays marked at the last close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delisted: Option<DelistingConfig>,
}

/// Names of asset classes.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum AssetClassName {
    Equity,
    Crypto,
    Fx,
}

/// Names of timeframes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum TimeframeName {
    #[schemars(rename = "1M")]
    M1,
    #[schemars(rename = "5M")]
    M5,
    #[schemars(rename = "15M")]
    M15,
    #[schemars(rename = "30M")]
    M30,
    #[schemars(rename = "1H")]
    H1,
    #[schemars(rename = "4H")]
    H4,
    #[schemars(rename = "1D")]
    D1,
}

/// How orders fill.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FillsConfig {
    /// `next_open`: at the open of the next execution bar. `same_close`: at the close decided on (optimistic). `next_close`:
    /// at the close of the next bar. `next_typical`: at the mean of its high, low and close.
    pub convention: ConventionConfig,
    /// What happens inside bars to stops and limits: `pessimistic`, `optimistic`, `high_first`, `low_first` or
    /// `nearest_first`.
    pub intrabar: IntrabarConfig,
    /// When exits become live whose entry fills inside a bar: `at_once` or `next_bar`.
    pub exits: ExitsConfig,
    /// The largest part of a bar's volume that all orders of an instrument together may trade, as a fraction; null trades any
    /// quantity. What does not fit waits for the next bar.
    #[schemars(range(min = 0.0001, max = 1.0))]
    pub participation: Option<f64>,
    /// By how many execution bars each order reaches the market later than it could.
    #[schemars(range(min = 0, max = 1000))]
    pub latency_bars: u16,
    /// What happens to open positions at the end.
    pub at_end: EndConfig,
}

/// At which price a market order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConventionConfig {
    /// At the open of the next execution bar.
    NextOpen,
    /// At the close on which it was decided.
    SameClose,
    /// At the close of the next execution bar.
    NextClose,
    /// At the mean of high, low and close of the next execution bar.
    NextTypical,
}

/// What happens inside bars, where high and low are known but not which came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntrabarConfig {
    /// Of a stop and a limit within a bar the stop counts; a limit fills only when the market trades through it.
    Pessimistic,
    /// Of a stop and a limit within a bar the limit counts; a touched limit fills.
    Optimistic,
    /// Open, high, low, close.
    HighFirst,
    /// Open, low, high, close.
    LowFirst,
    /// The extreme nearer to the open comes first.
    NearestFirst,
}

/// When the exits of an entry that fills inside a bar become live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExitsConfig {
    /// At once.
    AtOnce,
    /// With the next bar.
    NextBar,
}

/// What happens to open positions at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndConfig {
    /// They are marked at the last close.
    MarkToMarket,
    /// They are closed at the last bar's close, with costs.
    CloseAtLastClose,
    /// They are closed at the last bar's open, with costs; for comparison with engines that do so.
    CloseAtLastOpen,
}

/// How much of the assumption bill is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BillConfig {
    /// All of it: about twenty repetitions of the run, without its figures.
    #[default]
    Full,
    /// None; the report says so.
    None,
}

/// The files that complete the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Includes {
    /// Models and their parameters.
    pub models: PathBuf,
    /// Budgets and their factors by regime.
    pub budgets: PathBuf,
    /// Regime rules.
    pub regime: PathBuf,
    /// Risk limits.
    pub risk: PathBuf,
}

/// The embedded synthetic market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyntheticConfig {
    /// Seed of the generator.
    pub seed: u64,
    /// First day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub from: NaiveDate,
    /// Last day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub to: NaiveDate,
}

/// Many imports at once: `cargo xtask data import --from <folder> --manifest <file>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportManifest {
    /// Bar files.
    #[serde(default)]
    pub bars: Vec<ImportEntry>,
    /// Resamplings to do after the imports.
    #[serde(default)]
    pub resample: Vec<ResampleEntry>,
    /// Macro files.
    #[serde(default)]
    pub macro_series: Vec<MacroEntry>,
}

/// One bar file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportEntry {
    /// The file, relative to `--from`.
    pub file: PathBuf,
    /// The symbol to store it under.
    pub symbol: String,
    /// Its asset class.
    #[schemars(with = "AssetClassName")]
    pub asset_class: AssetClass,
    /// Its timeframe.
    #[schemars(with = "TimeframeName")]
    pub timeframe: Timeframe,
    /// A file of adjustment factors (`date,price_factor,split_factor,reference_close`), relative to `--from`.
    pub factors: Option<PathBuf>,
}

/// One resampling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResampleEntry {
    /// The symbol.
    pub symbol: String,
    /// Its asset class.
    #[schemars(with = "AssetClassName")]
    pub asset_class: AssetClass,
    /// The finer timeframe, already imported.
    #[schemars(with = "TimeframeName")]
    pub from: Timeframe,
    /// The coarser timeframe to make.
    #[schemars(with = "TimeframeName")]
    pub to: Timeframe,
}

/// What the first column of a macro file says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StampsConfig {
    /// Dates; values count from 18:00 in New York on, `delay_days` later.
    #[default]
    Dates,
    /// Instants in UTC, from which on values count.
    Instants,
}

impl From<StampsConfig> for sextant_data::MacroStamps {
    fn from(config: StampsConfig) -> Self {
        match config {
            StampsConfig::Dates => Self::Dates,
            StampsConfig::Instants => Self::Instants,
        }
    }
}

/// One macro file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MacroEntry {
    /// The file, relative to `--from`.
    pub file: PathBuf,
    /// The name of the stored file, such as `yield_curve`.
    pub name: String,
    /// Series to make: name to column, or `column - column` for a difference.
    pub series: BTreeMap<String, String>,
    /// What the column `timestamp` says: `dates`, or `instants` at which values were known, as of funding rates.
    #[serde(default)]
    pub stamps: StampsConfig,
    /// How many calendar days after the date of its row a value was published, at 18:00 in New York. A survey of a month
    /// that is dated its first day needs 31 or more; with too few, runs see values before anybody could.
    #[serde(default)]
    #[schemars(range(min = 0, max = 3660))]
    pub delay_days: u16,
}
