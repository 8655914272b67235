//! The one call behind the stored metrics, the table and the report page.

mod activity_rows;
mod rows;

use serde::{Deserialize, Serialize};

use crate::activity::{ExposureMark, RebalanceRecord, validate_exposures};
use crate::benchmark::{Benchmark, BenchmarkComparison, JoinCounts};
use crate::bootstrap::BootstrapSettings;
use crate::costs::CostTotals;
use crate::definition::{DefinitionId, Metric, MetricName};
use crate::drawdown::MaxDrawdown;
use crate::error::{MetricsError, require_finite, require_positive};
use crate::overfitting::TrialStatistics;
use crate::risk_free::{RiskFree, check_rate};
use crate::round_trips::ClosedTrade;
use crate::series::{NavSeries, PeriodsPerYear};
use crate::value::{MetricValue, Reason};
use rows::{Facts, all_rows};

/// Everything a report is computed from. What is `None` gives figures that are undefined `not_provided`.
#[derive(Debug, Clone)]
pub struct PerformanceInput<'a> {
    /// One mark per session, all costs deducted.
    pub nav: &'a NavSeries,
    /// The same book on finer marks, for the intraday drawdown.
    pub intraday_nav: Option<&'a NavSeries>,
    /// Sessions per year, by the calendar of the book.
    pub periods: PeriodsPerYear,
    /// Risk-free rate of the excess returns.
    pub risk_free: RiskFree,
    /// Minimum acceptable return of the Sortino ratio, a fraction per year.
    pub minimum_acceptable_annual: f64,
    /// Closed round trips of all instruments, net of costs.
    pub trades: &'a [ClosedTrade],
    /// Minor unit of the base currency; smaller results broke even.
    pub minor_unit: f64,
    /// All rebalances; an empty slice is a book that never traded.
    pub rebalances: Option<&'a [RebalanceRecord]>,
    /// One exposure per session.
    pub exposures: Option<&'a [ExposureMark]>,
    /// Costs by component over the run.
    pub costs: CostTotals,
    /// Total returns of a benchmark on the same sessions.
    pub benchmark: Option<&'a Benchmark>,
    /// The trials this result was chosen from.
    pub trials: Option<TrialStatistics>,
    /// Sharpe ratio per year that PSR and the track record length compare with.
    pub benchmark_sharpe_annual: f64,
    /// Bootstrap intervals of Sharpe ratio, CAGR, drawdown and Calmar ratio.
    pub bootstrap: Option<BootstrapSettings>,
}

impl<'a> PerformanceInput<'a> {
    /// An input with no trades, nothing optional, a risk-free rate, minimum return and benchmark Sharpe ratio of 0, a
    /// minor unit of 0.01 and [`BootstrapSettings::STANDARD`]. Each of these stands in the definition ids it matters for.
    pub fn new(nav: &'a NavSeries, periods: PeriodsPerYear) -> Self {
        Self {
            nav,
            intraday_nav: None,
            periods,
            risk_free: RiskFree::ZERO,
            minimum_acceptable_annual: 0.0,
            trades: &[],
            minor_unit: 0.01,
            rebalances: None,
            exposures: None,
            costs: CostTotals::default(),
            benchmark: None,
            trials: None,
            benchmark_sharpe_annual: 0.0,
            bootstrap: Some(BootstrapSettings::STANDARD),
        }
    }

    fn validate(&self) -> Result<(), MetricsError> {
        check_rate(0, self.minimum_acceptable_annual)?;
        require_finite("benchmark Sharpe ratio", 0, self.benchmark_sharpe_annual)?;
        self.costs.validate()?;
        validate_exposures(self.exposures.unwrap_or_default())?;
        let rebalances = self.rebalances.unwrap_or_default();
        rebalances
            .iter()
            .enumerate()
            .try_for_each(|(index, record)| record.validate(index))?;
        self.trades
            .iter()
            .try_for_each(|trade| require_positive("entry notional of a trade", trade.entry_notional))
    }
}

/// All figures of a book, in the order of [`MetricName::ALL`] as far as they are part of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerformanceReport {
    /// The first funding instant, UTC nanoseconds.
    pub start_ns: i64,
    /// The last mark, UTC nanoseconds.
    pub end_ns: i64,
    /// Number of returns.
    pub observations: usize,
    /// The figures.
    pub metrics: Vec<Metric>,
    /// The deepest drawdown with its dates.
    pub drawdown: MaxDrawdown,
    /// How the join with the benchmark went.
    pub benchmark_join: Option<JoinCounts>,
    /// How the intervals of CAGR, drawdown, Calmar ratio and `sharpe_bootstrap` were made.
    pub interval_method: Option<DefinitionId>,
}

impl PerformanceReport {
    /// Computes every figure. Equal inputs give equal bits.
    ///
    /// # Errors
    /// An input that is not finite, out of its domain, or does not cover the series; see [`MetricsError`]. A figure that
    /// does not exist is not an error but an undefined [`MetricValue`].
    pub fn compute(input: &PerformanceInput<'_>) -> Result<Self, MetricsError> {
        input.validate()?;
        let facts = Facts::new(input)?;
        let metrics = all_rows(&facts)?;
        Ok(Self {
            start_ns: input.nav.start_ns(),
            end_ns: input.nav.end_ns(),
            observations: input.nav.returns().len(),
            metrics,
            drawdown: facts.drawdown,
            benchmark_join: facts.comparison.as_ref().map(BenchmarkComparison::counts),
            interval_method: input
                .bootstrap
                .map(|settings| settings.definition(input.nav.returns().len())),
        })
    }

    /// A figure by name; `None` for those that are not part of a report.
    pub fn get(&self, name: MetricName) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// The value of a figure by name; `None` when it is undefined or not part of a report.
    pub fn value(&self, name: MetricName) -> Option<f64> {
        self.get(name).and_then(|metric| metric.value.value())
    }

    /// A figure as text for a table, as [`Metric::text`], but a profit factor without losses as `∞ (7 wins)`.
    pub fn text(&self, name: MetricName) -> String {
        let Some(metric) = self.get(name) else {
            return "n/a".to_owned();
        };
        if name == MetricName::ProfitFactor && metric.value == MetricValue::undefined(Reason::NoLosses) {
            return format!(
                "∞ ({} wins)",
                self.value(MetricName::WinningTrades).unwrap_or_default()
            );
        }
        metric.text()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::series::{NANOS_PER_DAY, NavMark};
    use crate::{RoundTrips, TradeFill};

    fn nav(values: impl IntoIterator<Item = f64>) -> NavSeries {
        let marks = values.into_iter().zip(1..).map(|(nav, day)| NavMark {
            time_ns: day * NANOS_PER_DAY,
            nav,
        });
        NavSeries::new(0, 1000.0, marks.collect()).unwrap()
    }

    fn wavy(days: usize) -> NavSeries {
        nav((1..=days).map(|day| 1000.0 + day as f64 + ((day * 37) % 23) as f64))
    }

    fn trades() -> Vec<ClosedTrade> {
        let mut trips = RoundTrips::new(1.0).unwrap();
        for (day, quantity, price) in [(1, 10.0, 10.0), (3, -10.0, 12.0), (4, -5.0, 12.0), (9, 5.0, 13.0)] {
            trips
                .apply(&TradeFill {
                    time_ns: day * NANOS_PER_DAY,
                    quantity,
                    price,
                    fee: 1.0,
                })
                .unwrap();
        }
        trips.into_closed()
    }

    #[test]
    fn the_rows_are_complete_and_in_order() {
        let nav = wavy(400);
        let report =
            PerformanceReport::compute(&PerformanceInput::new(&nav, PeriodsPerYear::CRYPTO)).unwrap();
        let names: Vec<MetricName> = report.metrics.iter().map(|metric| metric.name).collect();
        let wanted: Vec<MetricName> = MetricName::ALL
            .iter()
            .copied()
            .filter(|name| name.is_in_report())
            .collect();
        assert_eq!(names, wanted);
        for metric in &report.metrics {
            assert_eq!(
                metric.definition.base(),
                metric.name.definition().id,
                "{}",
                metric.name
            );
        }
    }

    #[test]
    fn parameters_stand_in_the_ids() {
        let nav = wavy(400);
        let mut input = PerformanceInput::new(&nav, PeriodsPerYear::EQUITIES);
        let id = |input: &PerformanceInput<'_>, name| {
            PerformanceReport::compute(input)
                .unwrap()
                .get(name)
                .unwrap()
                .definition
                .to_string()
        };
        assert_eq!(
            id(&input, MetricName::Sharpe),
            "sharpe@v1{P=252,ddof=1,rf=const 0}"
        );
        assert_eq!(
            id(&input, MetricName::BpsLower95),
            "bps@v2{P=252,ddof=1,rf=const 0}"
        );
        input.risk_free = RiskFree::Constant { annual_rate: 0.02 };
        input.benchmark_sharpe_annual = 0.5;
        assert_eq!(
            id(&input, MetricName::Psr),
            "psr@v1{P=252,ddof=1,rf=const 0.02,SR*=0.5}"
        );
        input.trials = Some(TrialStatistics {
            raw_count: 36,
            effective_count: 12.5,
            sharpe_variance_per_period: 0.002,
        });
        assert_eq!(
            id(&input, MetricName::Dsr),
            "dsr@v1{P=252,ddof=1,rf=const 0.02,N_raw=36,N_eff=12.5,V=0.002}"
        );
        let method = PerformanceReport::compute(&input)
            .unwrap()
            .interval_method
            .unwrap();
        assert_eq!(
            method.as_str(),
            "stationary_bootstrap@v1{B=1000,mean_block=7.37,seed=20140714}"
        );
    }

    #[test]
    fn trades_activity_and_costs_reach_their_rows() {
        let nav = wavy(252);
        let trades = trades();
        let rebalances = [RebalanceRecord {
            time_ns: 1,
            one_sided_turnover: 0.5,
            traded_notional: 1000.0,
        }];
        let exposures = [ExposureMark {
            time_ns: 1,
            gross: 0.5,
            net: -0.5,
        }];
        let input = PerformanceInput {
            trades: &trades,
            rebalances: Some(&rebalances),
            exposures: Some(&exposures),
            costs: CostTotals {
                commission: Some(4.0),
                ..CostTotals::default()
            },
            intraday_nav: Some(&nav),
            ..PerformanceInput::new(&nav, PeriodsPerYear::EQUITIES)
        };
        let report = PerformanceReport::compute(&input).unwrap();
        let value = |name| report.value(name).unwrap();
        assert_eq!(
            (value(MetricName::Trades), value(MetricName::WinRate)),
            (2.0, 0.5)
        );
        assert_eq!(
            (
                value(MetricName::BestTradeReturn),
                value(MetricName::MeanHoldingPeriod)
            ),
            (0.18, 3.5)
        );
        assert_eq!(
            (value(MetricName::Turnover), value(MetricName::NetExposure)),
            (0.5, -0.5)
        );
        assert_eq!(value(MetricName::CostTradedCommission), 40.0);
        assert!((value(MetricName::CostNav) - 4.0 / nav.average_nav() * 10_000.0).abs() < 1e-9);
        let reason = |name| report.get(name).unwrap().value.reason();
        assert_eq!(reason(MetricName::CostTraded), Some(Reason::MissingComponent));
        assert_eq!(reason(MetricName::CostNavBorrow), Some(Reason::NotProvided));
        assert_eq!(
            value(MetricName::MaxDrawdownIntraday),
            value(MetricName::MaxDrawdown)
        );
        assert!(value(MetricName::Bps) > 0.0 && value(MetricName::BpsLower95) < value(MetricName::Bps));
    }

    #[test]
    fn profit_factor_without_losses_shows_the_wins() {
        let nav = wavy(100);
        let trades = &trades()[..1];
        let input = PerformanceInput {
            trades,
            ..PerformanceInput::new(&nav, PeriodsPerYear::EQUITIES)
        };
        let report = PerformanceReport::compute(&input).unwrap();
        assert_eq!(report.text(MetricName::ProfitFactor), "∞ (1 wins)");
        assert_eq!(report.text(MetricName::Beta), "n/a (not_provided)");
    }

    #[test]
    fn one_mark_constant_and_ruined_books_have_defined_results() {
        let books = [
            nav([1010.0]),
            nav([1000.0; 300]),
            nav([500.0, -20.0, 10.0]),
            nav((0..200).map(f64::from)),
        ];
        for book in books {
            let report =
                PerformanceReport::compute(&PerformanceInput::new(&book, PeriodsPerYear::EQUITIES)).unwrap();
            for metric in &report.metrics {
                assert!(metric.value.value().is_none_or(f64::is_finite));
                assert!(metric.value.value().is_some() || metric.value.reason().is_some());
            }
            assert!(report.value(MetricName::Sharpe).is_none());
            assert!(report.value(MetricName::Bps).is_none());
        }
    }

    #[test]
    fn the_ends_of_time_and_of_the_number_range_do_not_overflow() {
        let whole = [(i64::MIN + 1, 999.0), (0, 1001.0), (i64::MAX, 1002.0)];
        let marks = whole.map(|(time_ns, nav)| NavMark { time_ns, nav }).to_vec();
        let book = NavSeries::new(i64::MIN, 1000.0, marks).unwrap();
        let report =
            PerformanceReport::compute(&PerformanceInput::new(&book, PeriodsPerYear::EQUITIES)).unwrap();
        assert!(report.value(MetricName::Cagr).unwrap() > 0.0);
        assert!(!crate::monthly_returns(&book).is_empty());
        let huge = nav([f64::MAX, f64::MAX / 2.0, f64::MAX]);
        let costs = CostTotals {
            commission: Some(1.0),
            ..CostTotals::default()
        };
        let input = PerformanceInput {
            costs,
            ..PerformanceInput::new(&huge, PeriodsPerYear::EQUITIES)
        };
        let report = PerformanceReport::compute(&input).unwrap();
        assert_eq!(
            report.get(MetricName::CostNav).unwrap().value.reason(),
            Some(Reason::Overflow)
        );
        assert_eq!(
            report.get(MetricName::Sharpe).unwrap().value.reason(),
            Some(Reason::Overflow)
        );
    }

    #[test]
    fn ruin_is_told_by_every_figure_it_touches() {
        let book = nav([500.0, 0.0]);
        let report =
            PerformanceReport::compute(&PerformanceInput::new(&book, PeriodsPerYear::EQUITIES)).unwrap();
        let metric = |name| report.get(name).unwrap().value;
        assert_eq!(
            (
                metric(MetricName::Cagr).value(),
                metric(MetricName::MaxDrawdown).value()
            ),
            (Some(-1.0), Some(-1.0))
        );
        for name in [
            MetricName::Cagr,
            MetricName::Sharpe,
            MetricName::Bps,
            MetricName::Calmar,
            MetricName::Var95,
        ] {
            assert_eq!(metric(name).reason(), Some(Reason::Ruined), "{name}");
            assert_eq!(metric(name).rank_value(), None);
        }
    }

    #[test]
    fn bad_input_is_refused() {
        let nav = wavy(100);
        let base = PerformanceInput::new(&nav, PeriodsPerYear::EQUITIES);
        let refused = |input: PerformanceInput<'_>| PerformanceReport::compute(&input).is_err();
        assert!(refused(PerformanceInput {
            minimum_acceptable_annual: f64::NAN,
            ..base.clone()
        }));
        assert!(refused(PerformanceInput {
            benchmark_sharpe_annual: f64::INFINITY,
            ..base.clone()
        }));
        assert!(refused(PerformanceInput {
            minor_unit: 0.0,
            ..base.clone()
        }));
        let mut broken = trades();
        broken[0].net_pnl = f64::NAN;
        assert!(refused(PerformanceInput {
            trades: &broken,
            ..base.clone()
        }));
        let exposures = [ExposureMark {
            time_ns: 0,
            gross: f64::NAN,
            net: 0.0,
        }];
        assert!(refused(PerformanceInput {
            exposures: Some(&exposures),
            ..base.clone()
        }));
        let late = RiskFree::Dated {
            name: "late".to_owned(),
            points: vec![],
        };
        assert!(refused(PerformanceInput {
            risk_free: late,
            ..base
        }));
    }

    #[test]
    fn a_report_survives_json() {
        let nav = wavy(300);
        let report =
            PerformanceReport::compute(&PerformanceInput::new(&nav, PeriodsPerYear::EQUITIES)).unwrap();
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<PerformanceReport>(&text).unwrap(), report);
    }
}
