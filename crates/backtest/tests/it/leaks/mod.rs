//! Planted leaks: each is a small piece of a system with a bug that lets the future in, and a twin without the bug. The
//! proof must find every bug and pass every twin.
//!
//! All of them run through the whole chain: what they say becomes intents, weights, orders and fills.

mod chain;
mod columns;
mod merges;
mod orders;
mod regimes;
mod selections;
mod training;

use sextant_domain::MarketData;
use sextant_proof::{
    Testimony, check_look_ahead, cut_points, premature_fills, raise_what_follows, responses, stale_fills,
};
use sextant_testkit::standard_market;

/// A run of a small system over a market.
type Run = Box<dyn Fn(&MarketData) -> Testimony>;

/// A bug and the same without it.
struct Leak {
    name: &'static str,
    planted: Run,
    honest: Run,
}

const CUTS: usize = 20;
const DECISIONS: usize = 10;

fn leaks() -> Vec<Leak> {
    let mut leaks = columns::leaks();
    leaks.extend(merges::leaks());
    leaks.extend(selections::leaks());
    leaks.extend(training::leaks());
    leaks.extend(regimes::leaks());
    leaks.extend(orders::leaks());
    leaks
}

/// What the proof finds.
fn found(market: &MarketData, run: &Run) -> Vec<String> {
    let report = check_look_ahead(market, &cut_points(market, CUTS, 5), |market| run(market).trace);
    assert!(report.compared() > 0);
    let whole = run(market);
    let mut found: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
    found.extend(premature_fills(&whole.orders).iter().map(ToString::to_string));
    let decisions = responses(&whole.orders);
    for t in decisions
        .iter()
        .step_by(decisions.len().div_ceil(DECISIONS).max(1))
    {
        let raised = run(&raise_what_follows(market, *t));
        let (_, stale) = stale_fills(&whole.orders, &raised.orders, *t);
        found.extend(stale.iter().map(ToString::to_string));
    }
    found
}

#[test]
fn every_planted_leak_is_caught() {
    let market = standard_market(120, 11);
    let leaks = leaks();
    assert!(leaks.len() >= 20, "{} leaks", leaks.len());
    let missed: Vec<_> = leaks
        .iter()
        .filter(|leak| found(&market, &leak.planted).is_empty())
        .map(|leak| leak.name)
        .collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[test]
fn every_twin_without_the_bug_passes() {
    let market = standard_market(120, 11);
    for leak in leaks() {
        let whole = (leak.honest)(&market);
        let filled = whole.orders.values().any(|order| order.first_fill.is_some());
        assert!(filled, "{}: a twin that never trades proves nothing", leak.name);
        let found = found(&market, &leak.honest);
        assert!(found.is_empty(), "{}: {}", leak.name, found[0]);
    }
}

/// A bug changes what is done: a leak whose twin does the same would be no leak.
#[test]
fn planted_leaks_differ_from_their_twins() {
    let market = standard_market(120, 11);
    let mut names = std::collections::BTreeSet::new();
    for leak in leaks() {
        assert!(names.insert(leak.name), "{} stands there twice", leak.name);
        let (planted, honest) = ((leak.planted)(&market), (leak.honest)(&market));
        assert_ne!(planted.trace, honest.trace, "{}", leak.name);
    }
}
