//! The figures of a report, group by group.

use super::PerformanceInput;
use super::activity_rows::{activity_rows, benchmark_rows, cost_rows};
use crate::benchmark::BenchmarkComparison;
use crate::bootstrap::{BootstrapIntervals, bootstrap_intervals};
use crate::definition::{DefinitionId, Metric, MetricName};
use crate::drawdown::{MaxDrawdown, calmar, calmar_36m, depth_value, max_drawdown};
use crate::error::MetricsError;
use crate::growth::{cagr, total_return};
use crate::numeric::pairwise_sum;
use crate::overfitting::{deflated_sharpe, min_track_record_length, probabilistic_sharpe};
use crate::ratios::{SharpeMoments, lo_adjusted_sharpe, lo_lag_count, sortino, volatility};
use crate::risk_free::per_period_rate;
use crate::round_trips::ClosedTrade;
use crate::score::{bps_v1, bps_v2};
use crate::series::Returns;
use crate::tail::{TailLevel, conditional_value_at_risk, value_at_risk};
use crate::trades::{TradeStatistics, day_win_rate};
use crate::value::{MetricValue, Reason};

/// All figures in report order.
pub(super) fn all_rows(facts: &Facts<'_>) -> Result<Vec<Metric>, MetricsError> {
    let mut rows = Rows::default();
    growth_rows(facts, &mut rows);
    ratio_rows(facts, &mut rows)?;
    drawdown_rows(facts, &mut rows);
    score_rows(facts, &mut rows);
    distribution_rows(facts, &mut rows);
    confidence_rows(facts, &mut rows)?;
    trade_rows(facts, &mut rows);
    trade_return_rows(facts, &mut rows);
    activity_rows(facts, &mut rows);
    cost_rows(facts, &mut rows);
    benchmark_rows(facts, &mut rows);
    Ok(rows.0)
}

/// What several figures share.
pub(super) struct Facts<'a> {
    pub(super) input: &'a PerformanceInput<'a>,
    excess: Returns,
    moments: Result<SharpeMoments, Reason>,
    sharpe: MetricValue,
    cagr: MetricValue,
    pub(super) drawdown: MaxDrawdown,
    intervals: BootstrapIntervals,
    trades: TradeStatistics,
    pub(super) comparison: Option<BenchmarkComparison>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(input: &'a PerformanceInput<'a>) -> Result<Self, MetricsError> {
        let nav = input.nav;
        let rates = input.risk_free.per_period(nav, input.periods)?;
        let excess = nav.returns().minus(&rates)?;
        let ruined = nav.is_ruined();
        let moments = if ruined {
            Err(Reason::Ruined)
        } else {
            SharpeMoments::of(&excess)
        };
        let intervals = match input.bootstrap.filter(|_| !ruined) {
            Some(settings) => bootstrap_intervals(
                nav.returns(),
                &excess,
                input.periods,
                nav.calendar_days(),
                settings,
            )?,
            None => BootstrapIntervals::default(),
        };
        let net_pnl: Vec<f64> = input.trades.iter().map(|trade| trade.net_pnl).collect();
        let compare = |benchmark| BenchmarkComparison::new(nav, benchmark, &rates, input.periods);
        let comparison = input.benchmark.map(compare).transpose()?;
        Ok(Self {
            input,
            sharpe: moments.map_or_else(MetricValue::undefined, |moments| {
                moments.annualised(input.periods)
            }),
            moments,
            cagr: cagr(nav).with_interval(intervals.cagr),
            drawdown: max_drawdown(nav),
            trades: TradeStatistics::new(&net_pnl, input.minor_unit)?,
            excess,
            intervals,
            comparison,
        })
    }

    /// The figure, or `ruined`: after ruin there are no further returns to measure.
    pub(super) fn unless_ruined(&self, figure: impl FnOnce() -> MetricValue) -> MetricValue {
        if self.input.nav.is_ruined() {
            MetricValue::undefined(Reason::Ruined)
        } else {
            figure()
        }
    }

    /// A figure of the moments of the excess returns.
    fn by_moments(&self, figure: impl FnOnce(&SharpeMoments) -> MetricValue) -> MetricValue {
        self.moments
            .as_ref()
            .map_or_else(|&reason| MetricValue::undefined(reason), figure)
    }

    /// The id with periods per year.
    pub(super) fn annual(&self, name: MetricName) -> DefinitionId {
        DefinitionId::of(name).with("P", self.input.periods)
    }

    /// The id with periods per year and risk-free rate.
    pub(super) fn excess_id(&self, name: MetricName) -> DefinitionId {
        self.annual(name)
            .with("ddof", 1)
            .with("rf", self.input.risk_free.label())
    }

    /// The id, marked when the interval is that of the bootstrap.
    fn with_interval_method(&self, id: DefinitionId) -> DefinitionId {
        if self.input.bootstrap.is_some() {
            id.with("ci", "stationary_bootstrap")
        } else {
            id
        }
    }
}

/// The figures so far.
#[derive(Default)]
pub(super) struct Rows(Vec<Metric>);

impl Rows {
    pub(super) fn add(&mut self, name: MetricName, value: MetricValue, definition: DefinitionId) {
        self.0.push(Metric {
            name,
            value,
            definition,
        });
    }
}

fn growth_rows(facts: &Facts<'_>, rows: &mut Rows) {
    let name = MetricName::TotalReturn;
    rows.add(name, total_return(facts.input.nav), DefinitionId::of(name));
    let id = DefinitionId::of(MetricName::Cagr)
        .with("year", 365.25)
        .with("min_days", 90);
    rows.add(MetricName::Cagr, facts.cagr, facts.with_interval_method(id));
}

fn ratio_rows(facts: &Facts<'_>, rows: &mut Rows) -> Result<(), MetricsError> {
    use MetricName::{Sharpe, SharpeBootstrap, SharpeLoAdjusted, Sortino, Volatility};
    let (periods, returns) = (facts.input.periods, facts.input.nav.returns());
    rows.add(Sharpe, facts.sharpe, facts.excess_id(Sharpe));
    let bootstrapped = match facts.input.bootstrap {
        Some(_) => facts.sharpe.with_interval(facts.intervals.sharpe),
        None => MetricValue::undefined(Reason::NotProvided),
    };
    rows.add(
        SharpeBootstrap,
        bootstrapped,
        facts.with_interval_method(facts.excess_id(SharpeBootstrap)),
    );
    let adjusted = facts.unless_ruined(|| lo_adjusted_sharpe(&facts.excess, periods));
    let lags = lo_lag_count(facts.excess.len(), periods);
    rows.add(
        SharpeLoAdjusted,
        adjusted,
        facts.excess_id(SharpeLoAdjusted).with("lags", lags),
    );
    let minimum = per_period_rate(facts.input.minimum_acceptable_annual, periods);
    let above_minimum = returns.minus(&vec![minimum; returns.len()])?;
    let id = facts
        .annual(Sortino)
        .with("mar", format!("const {}", facts.input.minimum_acceptable_annual));
    rows.add(
        Sortino,
        facts.unless_ruined(|| sortino(&above_minimum, periods)),
        id,
    );
    let id = facts.annual(Volatility).with("ddof", 1);
    rows.add(
        Volatility,
        facts.unless_ruined(|| volatility(returns, periods)),
        id,
    );
    Ok(())
}

fn drawdown_rows(facts: &Facts<'_>, rows: &mut Rows) {
    use MetricName::{Calmar, Calmar36m, MaxDrawdown, MaxDrawdownDuration, MaxDrawdownIntraday};
    let nav = facts.input.nav;
    let depth = depth_value(nav, &facts.drawdown).with_interval(facts.intervals.max_drawdown);
    let id = |name, marks| {
        DefinitionId::of(name)
            .with("marks", marks)
            .with("initial", "included")
    };
    rows.add(
        MaxDrawdown,
        depth,
        facts.with_interval_method(id(MaxDrawdown, "daily")),
    );
    let intraday = facts
        .input
        .intraday_nav
        .map(|intraday| depth_value(intraday, &max_drawdown(intraday)));
    let intraday = intraday.unwrap_or(MetricValue::undefined(Reason::NotProvided));
    rows.add(MaxDrawdownIntraday, intraday, id(MaxDrawdownIntraday, "intraday"));
    let duration = facts
        .drawdown
        .episode
        .map(|episode| episode.duration_days())
        .ok_or(Reason::NoDrawdown);
    rows.add(
        MaxDrawdownDuration,
        duration.into(),
        id(MaxDrawdownDuration, "daily"),
    );
    let id = DefinitionId::of(Calmar).with("window", "full");
    rows.add(
        Calmar,
        calmar(nav).with_interval(facts.intervals.calmar),
        facts.with_interval_method(id),
    );
    rows.add(
        Calmar36m,
        calmar_36m(nav),
        DefinitionId::of(Calmar36m).with("window", "36 months"),
    );
}

fn score_rows(facts: &Facts<'_>, rows: &mut Rows) {
    let (win_rate, depth) = (
        facts.trades.win_rate(),
        depth_value(facts.input.nav, &facts.drawdown),
    );
    for (name, score) in [
        (MetricName::Bps, bps_v1 as fn(_, _, _, _) -> _),
        (MetricName::BpsLower95, bps_v2),
    ] {
        rows.add(
            name,
            score(facts.sharpe, facts.cagr, win_rate, depth),
            facts.excess_id(name),
        );
    }
}

fn distribution_rows(facts: &Facts<'_>, rows: &mut Rows) {
    use MetricName::{Cvar95, Cvar99, DayWinRate, Kurtosis, Skewness, Var95, Var99};
    let returns = facts.input.nav.returns();
    let id = |name| DefinitionId::of(name).with("moments", "population");
    rows.add(
        Skewness,
        facts.by_moments(|moments| MetricValue::defined(moments.skewness)),
        id(Skewness),
    );
    rows.add(
        Kurtosis,
        facts.by_moments(|moments| MetricValue::defined(moments.kurtosis)),
        id(Kurtosis),
    );
    rows.add(
        DayWinRate,
        facts.unless_ruined(|| day_win_rate(returns)),
        DefinitionId::of(DayWinRate),
    );
    type Tail = fn(&Returns, TailLevel) -> MetricValue;
    let tails: [(MetricName, Tail, TailLevel); 4] = [
        (Var95, value_at_risk, TailLevel::Percent95),
        (Var99, value_at_risk, TailLevel::Percent99),
        (Cvar95, conditional_value_at_risk, TailLevel::Percent95),
        (Cvar99, conditional_value_at_risk, TailLevel::Percent99),
    ];
    for (name, tail, level) in tails {
        let id = DefinitionId::of(name)
            .with("level", level.percent())
            .with("interpolation", "lower");
        rows.add(name, facts.unless_ruined(|| tail(returns, level)), id);
    }
}

fn confidence_rows(facts: &Facts<'_>, rows: &mut Rows) -> Result<(), MetricsError> {
    use MetricName::{Dsr, MinTrackRecordLength, Psr};
    let benchmark = facts.input.benchmark_sharpe_annual / facts.input.periods.root();
    let id = |name| {
        facts
            .excess_id(name)
            .with("SR*", facts.input.benchmark_sharpe_annual)
    };
    rows.add(
        Psr,
        facts.by_moments(|moments| probabilistic_sharpe(moments, benchmark)),
        id(Psr),
    );
    let length = facts.by_moments(|moments| min_track_record_length(moments, benchmark));
    rows.add(
        MinTrackRecordLength,
        length,
        id(MinTrackRecordLength).with("confidence", 0.95),
    );
    let id = facts.excess_id(Dsr);
    match (&facts.input.trials, &facts.moments) {
        (None, _) => rows.add(Dsr, MetricValue::undefined(Reason::NotProvided), id),
        (Some(trials), moments) => {
            let value = match moments {
                Ok(moments) => deflated_sharpe(moments, trials)?,
                Err(reason) => MetricValue::undefined(*reason),
            };
            let id = id
                .with("N_raw", trials.raw_count)
                .with("N_eff", trials.effective_count);
            rows.add(Dsr, value, id.with("V", trials.sharpe_variance_per_period));
        }
    }
    Ok(())
}

fn trade_rows(facts: &Facts<'_>, rows: &mut Rows) {
    use MetricName::{
        BreakEvenTrades, Expectancy, LosingTrades, Payoff, ProfitFactor, Trades, WinRate, WinningTrades,
    };
    let trades = &facts.trades;
    let count = |count: usize| MetricValue::defined(count as f64);
    let figures = [
        (Trades, count(trades.count())),
        (WinningTrades, count(trades.wins())),
        (LosingTrades, count(trades.losses())),
        (BreakEvenTrades, count(trades.break_even())),
        (WinRate, trades.win_rate()),
        (ProfitFactor, trades.profit_factor()),
        (Expectancy, trades.expectancy()),
        (Payoff, trades.payoff()),
    ];
    for (name, value) in figures {
        let id = DefinitionId::of(name)
            .with("lots", "fifo")
            .with("minor_unit", facts.input.minor_unit);
        rows.add(name, value, id);
    }
}

fn trade_return_rows(facts: &Facts<'_>, rows: &mut Rows) {
    use MetricName::{BestTradeReturn, MeanHoldingPeriod, MeanTradeReturn, WorstTradeReturn};
    let returns: Vec<f64> = facts
        .input
        .trades
        .iter()
        .map(ClosedTrade::return_on_entry)
        .collect();
    let holding: Vec<f64> = facts.input.trades.iter().map(ClosedTrade::holding_days).collect();
    let mean = |values: &[f64]| pairwise_sum(values) / values.len() as f64;
    let figures = [
        (
            BestTradeReturn,
            returns
                .iter()
                .fold(f64::NEG_INFINITY, |best, &value| best.max(value)),
        ),
        (
            WorstTradeReturn,
            returns
                .iter()
                .fold(f64::INFINITY, |worst, &value| worst.min(value)),
        ),
        (MeanTradeReturn, mean(&returns)),
        (MeanHoldingPeriod, mean(&holding)),
    ];
    for (name, value) in figures {
        let value = if returns.is_empty() {
            MetricValue::undefined(Reason::NoTrades)
        } else {
            MetricValue::defined(value)
        };
        rows.add(name, value, DefinitionId::of(name).with("lots", "fifo"));
    }
}
