//! Performance measures with exact definitions and definition ids.
//!
//! Two libraries rarely agree on a Sharpe ratio: they differ in the divisor, the annualisation, the first return and in
//! what they do when a figure does not exist. Here each figure is computed in one place, carries the id of its
//! definition with every parameter (`sharpe@v1{P=252,ddof=1,rf=const 0}`), a 95 % interval where one is known, and a
//! reason where it is undefined. [`PerformanceReport::compute`] is the one call behind the stored metrics, the table and
//! the report page; the single measures are public functions for everybody else.
//!
//! ```
//! use sextant_metrics::{MetricName, NavMark, NavSeries, PerformanceInput, PerformanceReport, PeriodsPerYear};
//!
//! let day_ns = 86_400_000_000_000;
//! let values = [101_000.0, 100_500.0, 102_300.0];
//! let marks = values.into_iter().zip(1..).map(|(nav, day)| NavMark { time_ns: day * day_ns, nav }).collect();
//! let nav = NavSeries::new(0, 100_000.0, marks)?;
//! let report = PerformanceReport::compute(&PerformanceInput::new(&nav, PeriodsPerYear::CRYPTO))?;
//! assert_eq!(report.text(MetricName::TotalReturn), "2.30 %");
//! assert_eq!(report.text(MetricName::Cagr), "n/a (too_short)");
//! # Ok::<(), sextant_metrics::MetricsError>(())
//! ```
//!
//! # Invariants
//! * Everything is a pure function of slices, UTC nanoseconds and small structs: no IO, clock, threads or hidden seed.
//! * NaN or infinity in an input is a [`MetricsError`] that names the series, the index and the value.
//! * An undefined figure is a [`Reason`], never 0, NaN, infinity or a sentinel, and ranks last ([`rank_cmp`]).
//! * Sums are pairwise in a fixed order ([`pairwise_sum`]); exp, ln, pow and erfc come from `libm`, so that equal inputs
//!   give equal bits on every platform.
//! * Periods per year and risk-free rate are stated by the caller, never guessed from the data.
//!
//! # Deliberately absent
//! Parametric value at risk, drawdowns of unlinked accounts with cash flows (flows are linked first, see
//! [`NavSeries::with_external_flows`]), calendars (the caller marks each session once), clustering of trials (the caller
//! may pass an effective number of trials; [`effective_trials`] is the closed-form fallback), tables and plots.

mod activity;
mod benchmark;
mod bootstrap;
mod calendar;
mod costs;
mod definition;
mod drawdown;
mod error;
mod growth;
mod information;
mod numeric;
mod overfitting;
mod pbo;
#[cfg(test)]
mod properties;
mod ratios;
mod report;
mod risk_free;
mod round_trips;
mod score;
mod series;
pub mod stationarity;
mod tail;
mod trades;
mod value;

pub use activity::{ExposureMark, RebalanceRecord, gross_exposure, net_exposure, time_in_market};
pub use activity::{traded_notional_ratio, turnover};
pub use benchmark::{Benchmark, BenchmarkComparison, JoinCounts};
pub use bootstrap::{
    BootstrapIntervals, BootstrapSettings, SplitMix64, bootstrap_intervals, mean_block_length,
};
pub use calendar::{AnnualReturn, MonthlyReturn, annual_returns, monthly_returns};
pub use costs::{CostComponent, CostTotals};
pub use definition::{Definition, DefinitionId, Metric, MetricName, Unit, definitions};
pub use drawdown::{
    DrawdownEpisode, DrawdownPoint, MaxDrawdown, calmar, calmar_36m, drawdown_series, max_drawdown,
};
pub use error::MetricsError;
pub use growth::{annualised_growth, cagr, total_return};
pub use information::{CrossSection, InformationCoefficient, information_coefficient, rank_correlation};
pub use numeric::pairwise_sum;
pub use overfitting::{
    TrialStatistics, deflated_sharpe, effective_trials, expected_maximum_sharpe, min_track_record_length,
    probabilistic_sharpe,
};
pub use pbo::{Cscv, CscvSplit, HistogramBin, TrialMatrix, cscv, default_block_count};
pub use ratios::{SharpeMoments, lo_adjusted_sharpe, lo_lag_count, sharpe, sortino, volatility};
pub use report::{PerformanceInput, PerformanceReport};
pub use risk_free::{RatePoint, RiskFree};
pub use round_trips::{ClosedTrade, RoundTrips, TradeFill, TradeSide};
pub use score::{bps_v1, bps_v2};
pub use series::{ExternalFlow, NavMark, NavSeries, PeriodsPerYear, Returns};
pub use tail::{TailLevel, conditional_value_at_risk, value_at_risk};
pub use trades::{TradeStatistics, day_win_rate};
pub use value::{Direction, Interval95, MetricValue, Reason, rank_cmp, ranked_indices};
