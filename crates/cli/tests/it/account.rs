//! Costs, the account and raw prices as a configuration states them, and what a run makes of them.

use rust_decimal::Decimal;
use sextant_domain::Cash;
use sextant_store::{MetricRow, RunFolders, RunTables};

use crate::lake::import_daily;
use crate::workspace::Place;

const SYSTEM: &str = "configs/base/system.yaml";
const EQUITY: &str = "  equity: {fees: {bps: 1.0}, slippage: [{bps: 2.0}]}";
const ACCOUNT: &str =
    "account: {borrow: left_out, funding: no_perpetuals, margin_interest: left_out, cash_interest: left_out}";

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn tables(place: &Place) -> RunTables {
    let folders = RunFolders::new(place.path("results"));
    let run = folders.ids().unwrap().remove(0);
    folders.load_run(&run).unwrap().tables
}

fn figure<'t>(tables: &'t RunTables, name: &str) -> &'t MetricRow {
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

/// Sessions of January 2020. The share pays 2 before the open of the 10th and is split 1 to 2 before that of the 15th.
pub(crate) const CLOSES: [(&str, f64); 12] = [
    ("2020-01-02", 95.0),
    ("2020-01-03", 96.0),
    ("2020-01-06", 97.0),
    ("2020-01-07", 98.0),
    ("2020-01-08", 99.0),
    ("2020-01-09", 100.0),
    ("2020-01-10", 101.0),
    ("2020-01-13", 102.0),
    ("2020-01-14", 103.0),
    ("2020-01-15", 52.0),
    ("2020-01-16", 53.0),
    ("2020-01-17", 54.0),
];
const FACTORS: &str = "20200109,0.98,0.5,100\n20200114,1,0.5,103\n20501231,1,1,0\n";

/// One share on raw daily bars, held by a model that follows the trend of two days.
pub(crate) fn with_one_share(closes: &[(&str, f64)], more: &str) -> Place {
    let place = Place::new();
    import_daily(&place, ("ACME", "equity"), closes);
    std::fs::create_dir_all(place.path("one")).unwrap();
    place.write(
        "one/system.yaml",
        &format!(
            "name: one\npaths: {{data: data, results: results, logs: logs}}\nseed: 1\n\
             capital: {{initial: 100000, currency: USD}}\nperiod: {{start: 2020-01-06, end: 2020-01-31}}\n\
             risk_free_annual: 0.0\nuniverse:\n  - {{symbol: ACME, class: equity, timeframes: [1D], execution: 1D, \
             price_tick: 0.01, lot_size: 1{more}}}\nmacro_series: []\n\
             fills: {{convention: next_open, intrabar: pessimistic, exits: at_once, participation: null, latency_bars: 0, \
             at_end: mark_to_market}}\n\
             costs: {{equity: {{fees: {{bps: 0.0}}, slippage: [{{bps: 0.0}}]}}}}\n\
             account: {{borrow: {{rates: {{otherwise: stop}}}}, funding: no_perpetuals, margin_interest: left_out, \
             cash_interest: left_out}}\n\
             include: {{models: models.yaml, budgets: budgets.yaml, regime: regime.yaml, risk: risk.yaml}}\n\
             synthetic: {{seed: 1, from: 2019-01-01, to: 2020-12-31}}\n"
        ),
    );
    place.write(
        "one/models.yaml",
        "EquityTrendModel_v1: {universe: [ACME], slow_ma_period: 2, momentum_lookback_days: 1, exit_ma_period: 2, \
         max_positions: 1}\n",
    );
    place.write(
        "one/budgets.yaml",
        "models: {EquityTrendModel_v1: {budget: 0.97}}\nno_trade_band: 0.0\n",
    );
    place.write("one/regime.yaml", "{}\n");
    place.write(
        "one/risk.yaml",
        "per_asset_cap: 1.0\nclass_caps: {}\ngross_leverage: 1.0\ndrawdown: null\n\
         kill_switch: {engaged: false, file: null}\n",
    );
    place
}

pub(crate) const RUN: [&str; 3] = ["backtest", "--config", "one/system.yaml"];

#[test]
fn raw_prices_pay_dividends_in_cash_and_multiply_shares_at_splits() {
    let place = with_one_share(&CLOSES, ", prices: raw");
    // Nobody has said yet what happened to the share.
    place.run(&RUN).fails_with(&["ACME", "raw", "factor"]);
    place.write("acme.csv", FACTORS);
    let adjust = ["data", "adjust", "--symbol", "ACME", "--factors", "acme.csv"];
    place.run(&adjust).printed();
    place.run(&RUN).printed();
    let found = tables(&place);
    // Decided at 97 on the 6th: 97,000 / 97 = 1,000 shares, bought at 98 on the 7th.
    assert_eq!(found.fills[0].quantity.decimal(), dec("1000"));
    assert_eq!(found.fills[0].price.decimal(), dec("98"));
    let [dividend] = found.cash_events.as_slice() else {
        panic!("{:?}", found.cash_events);
    };
    assert_eq!(
        (dividend.kind.as_str(), dividend.symbol.as_deref(), dividend.time),
        ("dividend", Some("ACME"), "2020-01-10T14:30:00Z".parse().unwrap())
    );
    assert_eq!(dividend.amount.decimal(), dec("2000"));
    let [split] = found.splits.as_slice() else {
        panic!("{:?}", found.splits);
    };
    assert_eq!((split.new_shares, split.old_shares), (2, 1));
    assert_eq!(split.quantity.decimal(), dec("2000"));
    // Bought at 98, split, and sold at 53 after the jump of the raw price: 2,000 x 53 - 98,000 + 2,000.
    assert_eq!(found.fills[1].quantity.decimal(), dec("-2000"));
    assert_eq!(found.attribution[0].income.decimal(), dec("2000"));
    assert_eq!(found.attribution[0].net_pnl.decimal(), dec("10000"));
    assert_adds_up(&found);
    let text = std::fs::read_to_string(place.run_folder().join("manifest.json")).unwrap();
    assert!(
        text.contains("ACME on raw prices: dividends are paid in cash"),
        "{text}"
    );
    assert!(text.contains("run on the raw prices beside it"), "{text}");
}

#[test]
fn splits_alone_do_not_say_what_was_paid() {
    let place = with_one_share(&CLOSES, ", prices: raw");
    place.write("acme.csv", FACTORS);
    place
        .run(&[
            "data",
            "adjust",
            "--symbol",
            "ACME",
            "--factors",
            "acme.csv",
            "--splits-only",
        ])
        .printed();
    place
        .run(&RUN)
        .fails_with(&["ACME", "adjusted for splits alone", "dividends"]);
}

/// Bars that end on the 15th, and a later share, so that the run goes on.
#[test]
fn a_delisted_share_is_closed_at_its_final_price() {
    let place = with_one_share(&CLOSES[..9], ", delisted: {part_of_last_close: 0.5}");
    import_daily(&place, ("OTHER", "equity"), &CLOSES);
    place.edit(
        "one/system.yaml",
        "macro_series:",
        "  - {symbol: OTHER, class: equity, timeframes: [1D], execution: 1D, price_tick: 0.01, lot_size: 1}\nmacro_series:",
    );
    place.run(&RUN).printed();
    let found = tables(&place);
    let last = found.fills.last().unwrap();
    // Half of 103, after the last bar, without costs.
    assert_eq!(
        (last.symbol.as_str(), last.price.decimal()),
        ("ACME", dec("51.5"))
    );
    assert_eq!(last.quantity.decimal(), dec("-1000"));
    assert_eq!(last.time, "2020-01-14T21:00:00Z".parse().unwrap());
    assert!(
        found
            .positions
            .iter()
            .all(|row| row.time <= last.time || row.symbol != "ACME")
    );
}

/// A coin that rises round the clock, held by a model, with funding at the instants of a file.
#[test]
fn perpetual_futures_pay_funding_and_a_missing_rate_stops_the_run() {
    let place = with_one_share(&CLOSES, "");
    let closes: Vec<(String, f64)> = (1..=20)
        .map(|day| (format!("2020-01-{day:02}"), 100.0 + f64::from(day)))
        .collect();
    let closes: Vec<(&str, f64)> = closes
        .iter()
        .map(|(date, close)| (date.as_str(), *close))
        .collect();
    import_daily(&place, ("PERP", "crypto"), &closes);
    place.write(
        "funding.csv",
        "timestamp,rate\n2020-01-12T00:00:00Z,0.001\n2020-01-13T00:00:00Z,-0.002\n",
    );
    place.write(
        "funding.yaml",
        "macro_series: [{file: funding.csv, name: perp, series: {perp_funding: rate}, stamps: instants}]\n",
    );
    place
        .run(&["data", "import", "--from", ".", "--manifest", "funding.yaml"])
        .printed();
    place.write(
        "one/models.yaml",
        "CryptoMomentumModel_v1: {universe: [PERP], short_lookback: 1, long_lookback: 2, rebalance_days: 366}\n",
    );
    place.write(
        "one/budgets.yaml",
        "models: {CryptoMomentumModel_v1: {budget: 0.5}}\nno_trade_band: 0.0\n",
    );
    place.edit(
        "one/system.yaml",
        "costs: {equity:",
        "costs: {crypto: {fees: {bps: 0.0}, slippage: [{bps: 0.0}]}, equity:",
    );
    place.edit(
        "one/system.yaml",
        "macro_series:",
        "  - {symbol: PERP, class: crypto, timeframes: [1D], execution: 1D, price_tick: 0.01, lot_size: 1}\nmacro_series:",
    );
    place.edit("one/system.yaml", "end: 2020-01-31", "end: 2020-01-15");
    place.edit(
        "one/system.yaml",
        "margin_interest: left_out",
        "margin_interest: {annual: 0.05}",
    );
    place.edit(
        "one/system.yaml",
        "funding: no_perpetuals",
        "funding: {rates: {by_symbol: {PERP: perp_funding}, interval_hours: 24, missing: {pays: 0.01}}}",
    );
    place.run(&RUN).printed();
    let found = tables(&place);
    let held = found.fills[0].quantity.decimal();
    let paid: Vec<_> = found
        .cash_events
        .iter()
        .filter(|row| row.kind == "funding")
        .collect();
    let at = |time: &str| {
        let time: sextant_domain::UtcNanos = time.parse().unwrap();
        let row = paid.iter().find(|row| row.time == time).unwrap();
        row.amount.decimal()
    };
    // Long pays a positive rate and receives a negative one, on the close at the instant: 111 at midnight of the 12th.
    assert_eq!(at("2020-01-12T00:00:00Z"), -held * dec("111") * dec("0.001"));
    assert_eq!(at("2020-01-13T00:00:00Z"), held * dec("112") * dec("0.002"));
    // The rate of the 14th is not there: the stated estimate.
    assert_eq!(at("2020-01-14T00:00:00Z"), -held * dec("113") * dec("0.01"));
    let total = paid.iter().map(|row| row.amount.decimal()).sum::<Decimal>();
    let figure = figure(&found, "cost_total");
    assert!(
        (figure.value.unwrap() + f64::try_from(total).unwrap()).abs() < 1e-6,
        "{figure:?} {total}"
    );
    place.edit("one/system.yaml", "missing: {pays: 0.01}", "missing: stop");
    place
        .run(&RUN)
        .fails_with(&["PERP", "owes funding", "there is no rate"]);
}

/// Budgets that add up to less than 1 leave the rest in cash, and orders are whole lots.
#[test]
fn a_part_of_equity_is_held_in_whole_lots_and_the_rest_in_cash() {
    let place = with_one_share(&CLOSES[..9], "");
    place.edit("one/budgets.yaml", "0.97", "0.6");
    place.edit("one/system.yaml", "lot_size: 1", "lot_size: 7");
    place.run(&RUN).printed();
    let found = tables(&place);
    let fill = &found.fills[0];
    // 60,000 / 97 = 618.5: 88 lots of 7.
    assert_eq!(fill.quantity.decimal(), dec("616"));
    let bought = found
        .equity
        .iter()
        .find(|row| row.cash.is_some_and(|cash| cash < 100_000.0))
        .unwrap();
    assert!(
        (bought.cash.unwrap() - (100_000.0 - 616.0 * 98.0)).abs() < 1e-6,
        "{bought:?}"
    );
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
