//! Changed markets, and what must follow from them.

use rust_decimal::Decimal;
use sextant_domain::UtcNanos;
use sextant_proof::{Observed, Relation, Stage, Tolerance, Trace, TrackName, Unit, departures};
use sextant_testkit::standard_market;

fn relations() -> Vec<Relation> {
    let symbol = "SPY".to_owned();
    vec![
        Relation::ScaledPrices { doublings: 2 },
        Relation::Renamed,
        Relation::ShiftedCalendar { weeks: 5 },
        Relation::Split {
            symbol: symbol.clone(),
        },
        Relation::Bystander,
        Relation::Substituted { symbol },
    ]
}

fn name(unit: Unit, quantity: &str) -> TrackName {
    TrackName::new(Stage::Fill, quantity, unit).of("SPY")
}

/// A trace of one fill.
fn trace() -> Trace {
    let at = UtcNanos::from_nanos(1_000);
    let mut trace = Trace::new();
    trace.record(name(Unit::Units, "units"), at, Decimal::from(7));
    trace.record(name(Unit::Price, "price"), at, Decimal::new(3002, 2));
    trace.record(name(Unit::Money, "fee"), at, Decimal::new(21, 2));
    trace.record(name(Unit::Plain, "time"), at, at);
    trace.record(name(Unit::Words, "reason"), at, "SPY at 30.02");
    trace
}

fn said(trace: &Trace, symbol: &str, quantity: &str) -> Option<(UtcNanos, Observed)> {
    let same = |name: &TrackName| name.instrument.as_deref() == Some(symbol) && name.quantity == quantity;
    let track = trace.tracks().iter().find(|track| same(&track.name))?;
    track.samples.first().cloned()
}

#[test]
fn every_relation_changes_the_market_and_keeps_it_valid() {
    let market = standard_market(20, 1);
    for relation in relations() {
        let changed = relation.market(&market).unwrap();
        let same = market.instruments() == changed.instruments()
            && market
                .series()
                .iter()
                .zip(changed.series())
                .all(|(one, other)| one.bars == other.bars);
        assert!(!same, "{}", relation.name());
    }
}

#[test]
fn a_run_follows_by_unit() {
    let table = standard_market(20, 1).instruments().clone();
    let follow = |relation: &Relation, symbol: &str| {
        let expected = relation.expected(&trace(), &table);
        assert!(
            said(&expected, symbol, "reason").is_none(),
            "words are not compared"
        );
        ["units", "price", "fee", "time"].map(|quantity| said(&expected, symbol, quantity).unwrap())
    };
    let exact = |value: Decimal| Observed::Exact(value);
    let at = UtcNanos::from_nanos(1_000);
    let [units, price, fee, _] = follow(&Relation::ScaledPrices { doublings: 2 }, "SPY");
    assert_eq!(units.1, exact(7.into()));
    assert_eq!(price.1, exact(Decimal::new(12_008, 2)));
    assert_eq!(fee.1, exact(Decimal::new(84, 2)));
    let split = Relation::Split {
        symbol: "SPY".to_owned(),
    };
    let [units, price, fee, _] = follow(&split, "SPY");
    assert_eq!(units.1, exact(14.into()));
    assert_eq!(price.1, exact(Decimal::new(1501, 2)));
    assert_eq!(fee.1, exact(Decimal::new(21, 2)));
    let [units, _, _, time] = follow(&Relation::ShiftedCalendar { weeks: 1 }, "SPY");
    let later = at.saturating_add(7 * 86_400_000_000_000);
    assert_eq!((units.0, time), (later, (later, Observed::Instant(later))));
    // SPY is the first of four instruments: by the new names it is the last.
    let [units, ..] = follow(&Relation::Renamed, "N0004");
    assert_eq!(units, (at, exact(7.into())));
}

#[test]
fn names_and_ids_of_a_renamed_market_are_reversed_and_its_bars_are_not() {
    let market = standard_market(20, 1);
    let changed = Relation::Renamed.market(&market).unwrap();
    let names = Relation::Renamed.names(market.instruments());
    for (id, instrument) in market.instruments().iter() {
        let other = changed.instruments().id(&names[&instrument.symbol]).unwrap();
        assert_eq!(other.index(), market.instruments().len() - 1 - id.index());
        let (one, other) = (market.execution_series(id), changed.execution_series(other));
        assert_eq!(market.get(one).bars, changed.get(other).bars);
    }
}

#[test]
fn a_departure_is_found_with_its_place() {
    let at = UtcNanos::from_nanos(1_000);
    let mut other = Trace::new();
    other.record(name(Unit::Units, "units"), at, Decimal::from(8));
    other.record(name(Unit::Price, "price"), at, Decimal::new(3002, 2));
    other.record(name(Unit::Money, "fee"), at, Decimal::new(21, 2));
    other.record(name(Unit::Plain, "extra"), at, 1.0);
    let (compared, found) = departures(&trace(), &other, Tolerance(1e-9));
    assert_eq!(compared, 5);
    let quantities: Vec<_> = found.iter().map(|one| one.name.quantity.as_str()).collect();
    assert_eq!(quantities, ["extra", "reason", "time", "units"]);
    assert_eq!((found[0].expected.clone(), found[0].time), (None, at));
    assert_eq!(found[3].expected, Some(Observed::Exact(7.into())));
    assert_eq!(departures(&trace(), &trace(), Tolerance(0.0)).1, []);
}

#[test]
fn only_floating_numbers_have_a_tolerance() {
    let at = UtcNanos::from_nanos(1_000);
    let with = |number: f64, decimal: Decimal| {
        let mut trace = Trace::new();
        trace.record(name(Unit::Money, "equity"), at, number);
        trace.record(name(Unit::Money, "fee"), at, decimal);
        trace
    };
    let given = with(1_000.0, Decimal::ONE);
    let count = |other: &Trace, tolerance| departures(&given, other, Tolerance(tolerance)).1.len();
    let near = with(1_000.0 + 1e-10, Decimal::ONE);
    assert_eq!((count(&near, 1e-12), count(&near, 0.0)), (0, 1));
    assert_eq!(count(&with(1_000.1, Decimal::ONE), 1e-12), 1);
    assert_eq!(count(&with(1_000.0, Decimal::new(10_000_000_001, 10)), 1e-9), 1);
}
