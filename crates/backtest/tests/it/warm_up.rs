//! The warm-up that follows from the features is enough: with it a run is that with all of history.

use std::collections::BTreeMap;

use sextant_backtest::{
    AccountModel, BacktestConfig, Costs, EndOfRun, FillConvention, ProportionalCosts, VenueConfig, run,
};
use sextant_domain::{BarSeries, Cash, MarketData, Requirements, Series, SeriesKey, UtcNanos};
use sextant_features::{FeatureColumns, History, history_needed};
use sextant_proof::{Tolerance, Trace, Witness, departures};
use sextant_testkit::standard_market;

use crate::shipped::parts;

/// What every model and the regime need.
fn needed() -> BTreeMap<SeriesKey, History> {
    let parts = parts();
    let mut asked: Vec<Requirements> = parts
        .models
        .iter()
        .map(|one| one.requirements().clone())
        .collect();
    asked.extend(parts.regime.map(|detector| detector.requirements().clone()));
    let mut all: BTreeMap<SeriesKey, History> = BTreeMap::new();
    for one in asked.iter().flat_map(|one| history_needed(one).unwrap()) {
        let longest = all.entry(one.series.clone()).or_insert_with(|| one.clone());
        longest.settled = longest.settled.max(one.settled);
    }
    all
}

/// The market with only so many bars before `start`: `keep` of what is needed, and one where nothing is asked for.
fn late(market: &MarketData, start: UtcNanos, keep: impl Fn(&History) -> usize) -> MarketData {
    let needed = needed();
    let series = market.series().iter().map(|one| {
        let key = SeriesKey {
            symbol: market.instruments().get(one.instrument).symbol.clone(),
            timeframe: one.timeframe,
        };
        let before = one.bars.close_times().partition_point(|time| *time <= start);
        let kept = needed.get(&key).map_or(1, &keep);
        Series {
            bars: BarSeries::from_bars(one.bars.iter().skip(before.saturating_sub(kept))).unwrap(),
            ..*one
        }
    });
    MarketData::new(
        market.instruments().clone(),
        series.collect(),
        market.macros().to_vec(),
    )
    .unwrap()
}

fn said(market: &MarketData, start: UtcNanos) -> Trace {
    let costs = ProportionalCosts {
        commission_bps: "2".parse().unwrap(),
        slippage_bps: "3".parse().unwrap(),
    };
    let config = BacktestConfig {
        initial_capital: Cash::new("100000".parse().unwrap()),
        start,
        end: UtcNanos::MAX,
        venue: VenueConfig::simple(FillConvention::NextOpen, Costs::uniform(costs).unwrap()),
        account: AccountModel::trades_only(),
        at_end: EndOfRun::MarkToMarket,
        daily_marks: Vec::new(),
    };
    let parts = parts();
    let models: Vec<_> = parts.models.iter().map(|model| model.id().to_owned()).collect();
    let mut witness = Witness::new(market.instruments(), &models, &[]);
    run(market, &mut FeatureColumns::new(), parts, &config, &mut witness).unwrap();
    witness.finish().trace
}

#[test]
fn a_run_with_the_warm_up_equals_one_with_all_of_history() {
    let market = standard_market(900, 11);
    for day in ["2019-06-03", "2019-09-12", "2020-01-15"] {
        let start: UtcNanos = day.parse().unwrap();
        let whole = said(&market, start);
        let late = late(&market, start, |one| one.settled);
        let pairs = market.series().iter().zip(late.series());
        assert!(
            pairs
                .map(|(all, kept)| (all.bars.len(), kept.bars.len()))
                .all(|(all, kept)| kept < all),
            "something must be left out of every series"
        );
        let (compared, found) = departures(&whole, &said(&late, start), Tolerance(0.0));
        assert!(compared > 1_000, "{compared} values");
        assert_eq!(found.first(), None, "from {day}");
    }
}

/// With a third of it the run is another one: the test above would see a warm-up that is too short.
#[test]
fn a_run_with_less_is_another_one() {
    let market = standard_market(900, 11);
    let start: UtcNanos = "2019-09-12".parse().unwrap();
    let short = late(&market, start, |one| one.settled / 3);
    let (_, found) = departures(&said(&market, start), &said(&short, start), Tolerance(0.0));
    assert!(!found.is_empty());
}
