//! A repetition of a run and its few figures.

use std::borrow::Cow;

use sextant_backtest::RunOutcome;
use sextant_domain::ports::{DailyMark, ResultSink};
use sextant_domain::{InstrumentTable, MarketData, StepRecord};
use sextant_features::FeatureColumns;
use sextant_metrics::{
    MetricValue, NavMark, NavSeries, PeriodsPerYear, RiskFree, cagr, lo_adjusted_sharpe, sharpe, total_return,
};
use sextant_risk::KillFlag;

use super::change::Change;
use super::thinned::thinned;
use crate::compose::{account_model, backtest_config, engine_parts};
use crate::config::ResolvedConfig;
use crate::pipeline::LoadedMarket;

const BASIS_POINTS: f64 = 1e4;

/// The run that is repeated.
pub(super) struct Base<'a> {
    pub(super) config: &'a ResolvedConfig,
    pub(super) market: &'a LoadedMarket,
    pub(super) kill: Option<&'static str>,
    /// The columns of the run, computed once for every repetition on the same bars.
    pub(super) features: FeatureColumns,
}

/// What a repetition came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Stressed {
    pub(super) sharpe: Option<f64>,
    pub(super) cagr: Option<f64>,
    pub(super) total_return: Option<f64>,
    /// Commission and slippage over traded value; `None` where nothing was traded.
    pub(super) cost_bps: Option<f64>,
    /// Why a figure is undefined, or the repetition failed.
    pub(super) reason: Option<String>,
}

impl Stressed {
    /// Smaller is worse; without a figure is worst.
    pub(super) fn rank(&self) -> f64 {
        self.sharpe.unwrap_or(f64::NEG_INFINITY)
    }
}

impl Base<'_> {
    /// Computes the columns by running once.
    ///
    /// # Errors
    /// When the run fails.
    pub(super) fn prepare(&mut self) -> anyhow::Result<()> {
        let mut features = FeatureColumns::new();
        self.outcome(&Change::NONE, &self.market.data, &mut features)?;
        self.features = features;
        Ok(())
    }

    /// Repeats the run. A repetition that fails has no figures, and the reason.
    pub(super) fn run(&self, change: &Change) -> Stressed {
        self.try_run(change).unwrap_or_else(|error| Stressed {
            reason: Some(format!("failed: {error:#}")),
            ..Stressed::default()
        })
    }

    fn try_run(&self, change: &Change) -> anyhow::Result<Stressed> {
        let (market, mut features) = match change.thinned {
            Some(draw) => {
                let seed = self.config.system.seed;
                (
                    Cow::Owned(thinned(&self.market.data, seed, draw)?),
                    FeatureColumns::new(),
                )
            }
            None => (Cow::Borrowed(&self.market.data), self.features.clone()),
        };
        let (outcome, traded, periods) = self.outcome(change, &market, &mut features)?;
        self.figures(change, &outcome, traded, periods)
    }

    fn outcome(
        &self,
        change: &Change,
        market: &MarketData,
        features: &mut FeatureColumns,
    ) -> anyhow::Result<(RunOutcome, Traded, PeriodsPerYear)> {
        let config = change.config(self.config);
        let flag = KillFlag::new();
        if let Some(reason) = self.kill {
            flag.engage(reason);
        }
        let account = account_model(&config.system, self.market)?;
        let (run, periods) = backtest_config(&config.system, account)?;
        let run = change.apply(run, market.instruments())?;
        let parts = engine_parts(&config, market.instruments(), flag)?;
        let mut counter = Counter {
            instruments: market.instruments(),
            traded: Traded::default(),
        };
        let outcome = sextant_backtest::run(market, features, parts, &run, &mut counter)?;
        Ok((outcome, counter.traded, periods))
    }

    fn figures(
        &self,
        change: &Change,
        outcome: &RunOutcome,
        traded: Traded,
        periods: PeriodsPerYear,
    ) -> anyhow::Result<Stressed> {
        let marks = outcome.marks.iter().map(|(time, equity)| NavMark {
            time_ns: time.nanos(),
            nav: equity.to_f64(),
        });
        let initial = self.config.system.capital.initial;
        let nav = NavSeries::new(outcome.funded.nanos(), initial, marks.collect())?;
        let free = RiskFree::Constant {
            annual_rate: self.config.system.risk_free_annual,
        };
        let excess = nav.returns().minus(&free.per_period(&nav, periods)?)?;
        let mut ratio = sharpe(&excess, periods);
        if change.serial {
            ratio = smaller(ratio, lo_adjusted_sharpe(&excess, periods));
        }
        let growth = cagr(&nav);
        let reasons = [&ratio, &growth].map(|value| value.reason().map(|reason| reason.code().to_owned()));
        Ok(Stressed {
            sharpe: ratio.value(),
            cagr: growth.value(),
            total_return: total_return(&nav).value(),
            cost_bps: (traded.value > 0.0).then(|| BASIS_POINTS * traded.paid / traded.value),
            reason: reasons.into_iter().flatten().next(),
        })
    }
}

/// The smaller of two figures; one that is undefined is none.
fn smaller(left: MetricValue, right: MetricValue) -> MetricValue {
    match (left.value(), right.value()) {
        (Some(one), Some(other)) if other < one => right,
        _ => left,
    }
}

/// What was traded and what that cost, in the account's currency.
#[derive(Clone, Copy, Default)]
struct Traded {
    /// Notional value at the market's price.
    value: f64,
    /// Commission and slippage.
    paid: f64,
}

/// Adds up fills.
struct Counter<'a> {
    instruments: &'a InstrumentTable,
    traded: Traded,
}

impl ResultSink for Counter<'_> {
    fn record(&mut self, step: &StepRecord) {
        for (fill, factor) in step.fills.iter().zip(&step.fill_factors) {
            let contract = &self.instruments.get(fill.instrument).contract;
            let rate = factor / contract.multiplier.to_f64();
            self.traded.value += fill.quantity.to_f64().abs() * fill.reference_price.to_f64() * factor;
            self.traded.paid += (fill.fee.to_f64() + fill.slippage.to_f64()) * rate;
        }
    }

    fn mark(&mut self, _mark: &DailyMark<'_>) {}
}
