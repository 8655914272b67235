//! Costs and the account as a configuration states them, and what a run makes of them.

use rust_decimal::Decimal;
use sextant_domain::Cash;
use sextant_store::{MetricRow, RunFolders, RunTables};

use crate::workspace::Place;

const SYSTEM: &str = "configs/base/system.yaml";
const EQUITY: &str = "  equity: {fees: {bps: 1.0}, slippage: [{bps: 2.0}]}";
const ACCOUNT: &str =
    "account: {borrow: left_out, funding: no_perpetuals, margin_interest: left_out, cash_interest: left_out}";

pub(crate) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn tables(place: &Place) -> RunTables {
    let folders = RunFolders::new(place.path("results"));
    let run = folders.ids().unwrap().remove(0);
    folders.load_run(&run).unwrap().tables
}

pub(crate) fn figure<'t>(tables: &'t RunTables, name: &str) -> &'t MetricRow {
    let found = tables
        .metrics
        .iter()
        .find(|row| row.scope == "portfolio" && row.name == name);
    found.unwrap()
}

fn reason<'t>(tables: &'t RunTables, name: &str) -> Option<&'t str> {
    figure(tables, name).reason.as_deref()
}

#[test]
fn costs_that_are_left_out_are_missing_and_those_that_are_stated_are_not() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let bare = tables(&place);
    assert_eq!(reason(&bare, "cost_total"), Some("missing_component"));
    for name in ["cost_nav_impact", "cost_nav_funding", "cost_nav_borrow"] {
        assert_eq!(reason(&bare, name), Some("not_provided"), "{name}");
    }
    let place = Place::new();
    let impact = "{square_root_impact: {coefficient: 1.0, window_bars: 20, without_history_bps: 25}}";
    place.edit(
        SYSTEM,
        EQUITY,
        &format!(
            "  equity: {{fees: {{per_share: {{per_share: 0.005, minimum: 1.0, maximum_fraction_of_value: 0.01}}}}, \
             slippage: [{{spread: {{half_spread_bps: 1.0, by_symbol: {{QQQ: 2.0}}}}}}, {impact}]}}"
        ),
    );
    place.edit(
        SYSTEM,
        "{fees: {bps: 10.0}, slippage: [{bps: 5.0}]}",
        &format!(
            "{{fees: {{maker_taker: {{tiers: [{{from_value_30d: 0, maker_bps: 5, taker_bps: 10}}, {{from_value_30d: 1000000, \
             maker_bps: 0, taker_bps: 5}}]}}}}, slippage: [{{bps: 5.0}}, {impact}]}}"
        ),
    );
    place.edit(
        SYSTEM,
        ACCOUNT,
        "account: {borrow: {rates: {by_class: {equity: {annual: 0.01}}, otherwise: stop}}, funding: no_perpetuals, \
         margin_interest: {annual: 0.06}, cash_interest: {annual: 0.02}}",
    );
    place.backtest(&[]).printed();
    let full = tables(&place);
    assert_eq!(reason(&full, "cost_total"), None);
    let impact = figure(&full, "cost_nav_impact").value.unwrap();
    assert!(impact > 0.0, "{impact}");
    assert_eq!(figure(&full, "cost_nav_borrow").value, Some(0.0));
    // Every share fee is the price list's: at least 1, 0.005 a share, at most a hundredth of the value.
    let shares: Vec<_> = full.fills.iter().filter(|fill| fill.symbol == "SPY").collect();
    assert!(!shares.is_empty());
    for fill in shares {
        let (units, price) = (fill.quantity.decimal().abs(), fill.price.decimal());
        let expected = (units * dec("0.005"))
            .max(Decimal::ONE)
            .min(units * price * dec("0.01"));
        assert_eq!(fill.fee.decimal().round_dp(6), expected.round_dp(6), "{fill:?}");
        assert!(
            fill.impact.decimal() > Decimal::ZERO && fill.impact < fill.slippage,
            "{fill:?}"
        );
    }
    // What is left of slippage is half the spread, which is another one for QQQ; crypto pays the taker's rate.
    for fill in &full.fills {
        let value = (fill.quantity.decimal() * fill.reference_price.decimal()).abs();
        let spread = fill.slippage.minus(fill.impact).unwrap().decimal();
        let rate = match fill.symbol.as_str() {
            "SPY" => dec("0.0001"),
            "QQQ" => dec("0.0002"),
            _ => {
                let paid = (fill.quantity.decimal() * fill.price.decimal()).abs() * dec("0.001");
                assert_eq!(fill.fee.decimal().round_dp(6), paid.round_dp(6), "{fill:?}");
                dec("0.0005")
            }
        };
        // Each part is rounded up per unit at the eighth decimal.
        let units = fill.quantity.decimal().abs();
        assert!(
            (spread - value * rate).abs() <= units * dec("0.00000002"),
            "{fill:?}"
        );
    }
    // Idle cash earned interest, and the attribution has it.
    assert!(
        full.cash_events
            .iter()
            .any(|row| row.kind == "cash_interest" && row.symbol.is_none())
    );
    assert!(
        full.attribution
            .iter()
            .any(|row| row.symbol == "(cash)" && row.income > Cash::ZERO)
    );
    assert_adds_up(&full);
    let text = std::fs::read_to_string(place.run_folder().join("manifest.json")).unwrap();
    for part in [
        "at least 1 and at most 0.01 of the value",
        "half a spread of 1 bp",
        "impact of 1 x volatility",
        "in 2 tiers",
        "anything else stops the run",
        "Cash earns 0.02 a year",
        "Not simulated: taxes.",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

/// The attribution of every model and instrument, interest included, is the portfolio's profit and loss.
pub(crate) fn assert_adds_up(tables: &RunTables) {
    let total = tables
        .attribution
        .iter()
        .try_fold(Cash::ZERO, |sum, row| sum.plus(row.net_pnl))
        .unwrap();
    let last = tables
        .marks
        .iter()
        .rev()
        .find(|row| row.scope == "portfolio")
        .unwrap();
    assert_eq!(total, last.pnl);
    for row in &tables.attribution {
        let costs = row.fees.plus(row.slippage).unwrap();
        let net = row.gross_pnl.minus(costs).unwrap().plus(row.income).unwrap();
        assert_eq!(net, row.net_pnl, "{row:?}");
    }
}

#[test]
fn what_is_wrong_with_costs_and_account_is_said_at_once() {
    let place = Place::new();
    place.edit(
        SYSTEM,
        EQUITY,
        "  equity: {fees: {per_shar: {per_share: 0.005}}, slippage: [{bps: 2000.0}]}",
    );
    place.edit(SYSTEM, "borrow: left_out", "borrow: forgotten");
    place.edit(
        SYSTEM,
        "margin_interest: left_out",
        "margin_interest: {annual: -0.5}",
    );
    place.run(&["config", "check"]).fails_with(&[
        "4 problems",
        "costs.equity.fees: found {\"per_shar\":{\"per_share\":0.005}}, but allowed are bps, per_share, maker_taker",
        "costs.equity.slippage.0.bps: found 2000.0, but the largest value allowed is 1000",
        "account.borrow: found \"forgotten\"",
        "account.margin_interest.annual: found -0.5",
    ]);
    let place = Place::new();
    place.edit(
        SYSTEM,
        EQUITY,
        "  equity: {fees: {per_share: {per_share: 0.005, minimum: 1.0}}, slippage: []}",
    );
    place.edit(SYSTEM, ", cash_interest: left_out", "");
    place.run(&["config", "check"]).fails_with(&[
        "3 problems",
        "costs.equity.fees.per_share: the key \"maximum_fraction_of_value\" is missing",
        "costs.equity.slippage: found []",
        "the key \"cash_interest\" is missing",
    ]);
}

/// `--set` reaches into lists by number; a place that is not there is named.
#[test]
fn parts_of_slippage_are_set_by_number() {
    let place = Place::new();
    let check = |set: &str| place.run(&["config", "check", "--set", set]);
    check("costs.equity.slippage.0.bps=3.5").printed();
    check("universe.0.lot_size=10").printed();
    check("costs.equity.slippage.0={spread: {half_spread_bps: 1.0}}").printed();
    check("costs.equity.slippage.0.bps=-1").fails_with(&["costs.equity.slippage.0.bps: found -1"]);
    for set in ["costs.equity.slippage.1=3", "costs.equity.slippage.x.bps=3"] {
        check(set).fails_with(&["there is no such place", "costs.equity.slippage."]);
    }
}

#[test]
fn contradictions_in_costs_and_account_are_said_at_once() {
    let place = Place::new();
    place.edit(
        SYSTEM,
        EQUITY,
        "  equity: {fees: {maker_taker: {tiers: [{from_value_30d: 5, maker_bps: 1, taker_bps: 1}]}}, slippage: [{spread: \
         {half_spread_bps: 1.0, by_symbol: {AAPL: 1.0}}}]}",
    );
    place.edit(
        SYSTEM,
        "borrow: left_out",
        "borrow: {rates: {by_symbol: {TSLA: not_lent}, otherwise: {annual: 0.05}}}",
    );
    place.edit(SYSTEM, "lot_size: 0.001}", "lot_size: 0.001, prices: raw}");
    place.run(&["config", "check"]).fails_with(&[
        "4 problems",
        "costs.equity.fees: maker and taker fee, tier 1: from_value_30d is 5, but must be 0 in the first tier",
        "costs.equity.slippage.0.spread.by_symbol: there is no instrument AAPL",
        "account.borrow.rates.by_symbol: there is no instrument TSLA",
        "universe.3.prices: ETH-USD is of class crypto",
    ]);
}
