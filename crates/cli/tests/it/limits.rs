//! Every limit that can be configured, seen acting in a configured run.

use sextant_store::{RiskEventRow, RunFolders, RunTables};

use crate::workspace::Place;

/// A backtest with another limit in the risk file.
fn run_with(limit: &str) -> (Place, RunTables) {
    let place = Place::new();
    place.edit(
        "configs/base/risk.yaml",
        "gross_leverage: 1.2",
        &format!("gross_leverage: 1.2\n{limit}"),
    );
    place.backtest(&[]).printed();
    let folders = RunFolders::new(place.path("results"));
    let run = folders.ids().unwrap().remove(0);
    let tables = folders.load_run(&run).unwrap().tables;
    (place, tables)
}

fn acts<'t>(tables: &'t RunTables, rule: &str) -> Vec<&'t RiskEventRow> {
    tables.risk_events.iter().filter(|row| row.rule == rule).collect()
}

#[test]
fn a_group_of_instruments_is_capped() {
    let (_, tables) = run_with("group_caps: {technology: {cap: 0.05, symbols: [QQQ]}}");
    assert!(!acts(&tables, "group_cap").is_empty());
    // What is sent is under the cap; prices move it a little before the fill.
    let weights = tables.targets.iter().filter(|row| row.symbol == "QQQ");
    assert!(weights.clone().any(|row| row.weight > 0.0));
    assert!(weights.clone().all(|row| row.weight <= 0.05 + 1e-9));
}

#[test]
fn volatility_is_capped_by_what_was_measured() {
    let (_, tables) = run_with("volatility_cap: {annual: 0.05, window_days: 60}");
    // Rows about the whole portfolio name no instrument.
    let shrunk: Vec<_> = acts(&tables, "volatility_cap")
        .into_iter()
        .filter(|act| act.symbol.is_none())
        .collect();
    assert!(!shrunk.is_empty());
    for act in shrunk {
        assert_eq!(act.action, "shrink", "{act:?}");
        assert!(act.before > 0.05 && act.after <= 0.05 + 1e-9, "{act:?}");
    }
    assert!(!tables.fills.is_empty());
}

#[test]
fn what_is_not_measured_yet_is_not_added() {
    // Ten years of days are more than there are.
    let (_, tables) = run_with("volatility_cap: {annual: 0.05, window_days: 2500}");
    assert!(
        acts(&tables, "volatility_cap")
            .iter()
            .any(|act| act.action == "refuse")
    );
    assert!(tables.fills.is_empty());
}

#[test]
fn trades_are_cut_by_the_average_daily_value() {
    let (_, tables) = run_with("adv_limit: {fraction: 0.0000001, window_days: 20, unknown: refuse}");
    let cut = acts(&tables, "adv_limit");
    assert!(!cut.is_empty());
    assert!(
        cut.iter()
            .all(|act| act.reason.contains("of the average daily value")),
        "{cut:?}"
    );
}

#[test]
fn turnover_is_limited() {
    let (_, tables) = run_with("turnover_limit: {per_rebalance: 0.01}");
    assert!(!acts(&tables, "turnover_limit").is_empty());
}

#[test]
fn small_trades_are_left_out() {
    let (_, tables) = run_with("minimum_trade: {notional: 20000.0}");
    assert!(!acts(&tables, "minimum_trade").is_empty());
    // No purchase is smaller, but for less than a lot; sales always pass.
    let small = tables.orders.iter().filter(|row| {
        let units = row.quantity.map_or(0.0, |quantity| quantity.to_f64());
        units > 0.0 && units * row.reference_price < 19_000.0
    });
    assert_eq!(small.count(), 0);
}
