//! The figures of a report that describe trading activity, costs and the benchmark.

use super::rows::{Facts, Rows};
use crate::activity::{
    ExposureMark, gross_exposure, net_exposure, per_nav, time_in_market, total_notional,
    traded_notional_ratio, turnover,
};
use crate::benchmark::BenchmarkComparison;
use crate::costs::{CostComponent, CostTotals, scaled};
use crate::definition::{DefinitionId, MetricName};
use crate::value::{MetricValue, Reason};

/// Turnover and exposure.
pub(super) fn activity_rows(facts: &Facts<'_>, rows: &mut Rows) {
    use MetricName::{GrossExposure, NetExposure, TimeInMarket, TradedNotionalRatio, Turnover};
    let (input, nav) = (facts.input, facts.input.nav);
    let (count, periods) = (nav.marks().len(), input.periods);
    let missing = MetricValue::undefined(Reason::NotProvided);
    let turned = input
        .rebalances
        .map_or(missing, |rebalances| turnover(rebalances, count, periods));
    rows.add(Turnover, turned, facts.annual(Turnover).with("sides", "one"));
    let traded = input.rebalances.map_or(missing, |rebalances| {
        traded_notional_ratio(rebalances, nav.average_nav(), count, periods)
    });
    rows.add(TradedNotionalRatio, traded, facts.annual(TradedNotionalRatio));
    type Exposure = fn(&[ExposureMark]) -> MetricValue;
    let exposures: [(MetricName, Exposure); 3] = [
        (GrossExposure, gross_exposure),
        (NetExposure, net_exposure),
        (TimeInMarket, time_in_market),
    ];
    for (name, exposure) in exposures {
        rows.add(
            name,
            input.exposures.map_or(missing, exposure),
            DefinitionId::of(name).with("average", "sessions"),
        );
    }
}

/// Costs over net asset value and over traded notional.
pub(super) fn cost_rows(facts: &Facts<'_>, rows: &mut Rows) {
    let costs = &facts.input.costs;
    rows.add(
        MetricName::CostTotal,
        costs.total(),
        DefinitionId::of(MetricName::CostTotal),
    );
    let of_nav = facts.annual(MetricName::CostNav);
    cost_block(costs, nav_factor(facts), &NAV_COSTS, &of_nav, rows);
    let of_traded = DefinitionId::of(MetricName::CostTraded);
    cost_block(costs, traded_factor(facts), &TRADED_COSTS, &of_traded, rows);
}

/// The total and its components, times a factor.
fn cost_block(
    costs: &CostTotals,
    factor: Result<f64, Reason>,
    names: &[MetricName; 6],
    id: &DefinitionId,
    rows: &mut Rows,
) {
    let [total, components @ ..] = names;
    rows.add(
        *total,
        scaled(costs.total(), factor),
        id.clone().with("component", "total"),
    );
    for (name, component) in components.iter().zip(CostComponent::ALL) {
        let id = id.clone().with("component", component.code());
        rows.add(*name, scaled(costs.component_value(component), factor), id);
    }
}

/// From base currency over the run to basis points of average net asset value per year.
fn nav_factor(facts: &Facts<'_>) -> Result<f64, Reason> {
    let nav = facts.input.nav;
    let years = nav.marks().len() as f64 / facts.input.periods.get();
    per_nav(nav.average_nav()).map(|factor| BASIS_POINTS * factor / years)
}

/// From base currency over the run to basis points of traded notional.
fn traded_factor(facts: &Facts<'_>) -> Result<f64, Reason> {
    let rebalances = facts.input.rebalances.ok_or(Reason::NotProvided)?;
    let notional = total_notional(rebalances);
    if notional > 0.0 {
        Ok(BASIS_POINTS / notional)
    } else {
        Err(Reason::NoTrades)
    }
}

const BASIS_POINTS: f64 = 10_000.0;

const NAV_COSTS: [MetricName; 6] = [
    MetricName::CostNav,
    MetricName::CostNavCommission,
    MetricName::CostNavSlippage,
    MetricName::CostNavImpact,
    MetricName::CostNavFunding,
    MetricName::CostNavBorrow,
];

const TRADED_COSTS: [MetricName; 6] = [
    MetricName::CostTraded,
    MetricName::CostTradedCommission,
    MetricName::CostTradedSlippage,
    MetricName::CostTradedImpact,
    MetricName::CostTradedFunding,
    MetricName::CostTradedBorrow,
];

/// Figures against the benchmark.
pub(super) fn benchmark_rows(facts: &Facts<'_>, rows: &mut Rows) {
    use MetricName::{Alpha, Beta, InformationRatio, TrackingError};
    type Figure = fn(&BenchmarkComparison) -> MetricValue;
    let figures: [(MetricName, Figure); 4] = [
        (InformationRatio, BenchmarkComparison::information_ratio),
        (TrackingError, BenchmarkComparison::tracking_error),
        (Beta, BenchmarkComparison::beta),
        (Alpha, BenchmarkComparison::alpha),
    ];
    for (name, figure) in figures {
        let value = match &facts.comparison {
            Some(comparison) => facts.unless_ruined(|| figure(comparison)),
            None => MetricValue::undefined(Reason::NotProvided),
        };
        rows.add(name, value, benchmark_id(facts, name));
    }
}

fn benchmark_id(facts: &Facts<'_>, name: MetricName) -> DefinitionId {
    let id = facts.excess_id(name);
    match (facts.input.benchmark, &facts.comparison) {
        (Some(benchmark), Some(comparison)) => {
            let counts = comparison.counts();
            let dropped = counts.dropped_book + counts.dropped_benchmark;
            id.with("benchmark", benchmark.name())
                .with("common", counts.common)
                .with("dropped", dropped)
        }
        _ => id,
    }
}
