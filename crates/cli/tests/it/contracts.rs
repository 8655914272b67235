//! Currencies, multipliers, daily settlement and margin as a configuration states them.

use rust_decimal::Decimal;
use sextant_domain::Cash;

use crate::account::{assert_adds_up, tables};
use crate::account_shares::{CLOSES, RUN, with_one_share};
use crate::lake::import_daily;
use crate::workspace::Place;

const SYSTEM: &str = "one/system.yaml";
const MARGIN: &str =
    ", multiplier: 10, settlement: daily, margin: {basis: of_notional, initial: 0.5, maintenance: 0.4}";

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The share quoted in euros, and the pair beside it where `pair` says so.
fn european(pair: &str) -> Place {
    let place = with_one_share(&CLOSES, &format!(", currency: EUR{pair}"));
    let rates = CLOSES.map(|(date, _)| (date, 1.25));
    import_daily(&place, ("EURUSD", "fx"), &rates);
    place.edit(
        SYSTEM,
        "costs: {",
        "costs: {fx: {fees: {bps: 0.0}, slippage: [{bps: 0.0}]}, ",
    );
    place
}

#[test]
fn a_share_in_euros_is_sized_and_valued_in_dollars() {
    let pair = "}\n  - {symbol: EURUSD, class: fx, timeframes: [1D], execution: 1D, price_tick: 0.00001, lot_size: 1";
    let place = european(pair);
    place.run(&RUN).printed();
    let found = tables(&place);
    // Decided at 97 euros, which are 121.25 dollars: 97,000 / 121.25 = 800 shares.
    assert_eq!(found.fills[0].quantity.decimal(), dec("800"));
    assert_eq!(found.fills[0].currency, "EUR");
    assert_adds_up(&found);
    let text = std::fs::read_to_string(place.run_folder().join("manifest.json")).unwrap();
    assert!(
        text.contains("Trades in EUR leave balances in those currencies"),
        "{text}"
    );
}

#[test]
fn a_currency_without_a_pair_is_named_with_the_pair_to_add() {
    european("").run(&RUN).fails_with(&[
        "universe.0.currency",
        "ACME is quoted in EUR",
        "add bars of EURUSD (or of USDEUR",
    ]);
    let place = with_one_share(&CLOSES, ", currency: euro");
    place.run(&RUN).fails_with(&["universe.0.currency", "euro"]);
}

#[test]
fn a_pair_says_the_currency_of_its_prices() {
    let pair = "}\n  - {symbol: USDJPY, class: fx, timeframes: [1D], execution: 1D, price_tick: 0.001, lot_size: 1000";
    let place = with_one_share(&CLOSES, pair);
    place
        .run(&RUN)
        .fails_with(&["universe.1.currency", "USDJPY is a currency pair", "such as JPY"]);
}

#[test]
fn a_future_is_settled_daily_and_needs_a_rule_for_margin_calls() {
    let place = with_one_share(&CLOSES, MARGIN);
    place.run(&RUN).fails_with(&[
        "account.margin_call",
        "ACME asks for margin",
        "close_all, reduce_to_initial",
    ]);
    place.edit(
        SYSTEM,
        "cash_interest: left_out",
        "cash_interest: left_out, margin_call: close_all",
    );
    place.run(&RUN).printed();
    let found = tables(&place);
    // 97,000 / (97 x 10) = 100 contracts.
    assert_eq!(found.fills[0].quantity.decimal(), dec("100"));
    assert!(!found.cash_events.is_empty());
    assert!(
        found
            .cash_events
            .iter()
            .all(|row| row.kind == "variation_margin" && row.currency == "USD")
    );
    let paid = found
        .cash_events
        .iter()
        .try_fold(Cash::ZERO, |sum, row| sum.plus(row.amount))
        .unwrap();
    let last = found
        .marks
        .iter()
        .rev()
        .find(|row| row.scope == "portfolio")
        .unwrap();
    // It is held to the fall of the 15th and sold at 53; the last day is settled by the sale.
    assert_eq!(found.fills[1].price.decimal(), dec("53"));
    assert_eq!(last.pnl.decimal(), dec("-45000"));
    assert!(paid < Cash::ZERO, "{paid}");
    assert_adds_up(&found);
    let text = std::fs::read_to_string(place.run_folder().join("manifest.json")).unwrap();
    for part in [
        "Futures are settled at the last close",
        "closes every position that needs margin",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn raw_prices_are_not_settled_daily() {
    let place = with_one_share(&CLOSES, &format!("{MARGIN}, prices: raw"));
    place.run(&RUN).fails_with(&[
        "universe.0.settlement",
        "ACME is on raw prices",
        "say in_full, or adjusted",
    ]);
}

#[test]
fn margin_that_makes_no_sense_is_refused() {
    let margin = ", margin: {basis: of_notional, initial: 0.1, maintenance: 0.2}";
    let place = with_one_share(&CLOSES, margin);
    place
        .run(&RUN)
        .fails_with(&["universe.0: ACME", "0.1 initial and 0.2 maintenance"]);
}
