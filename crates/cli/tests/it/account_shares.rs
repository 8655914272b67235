//! Shares on raw prices, delistings and perpetual futures: what happens to an account without orders, in configured runs.

use rust_decimal::Decimal;

use crate::account::{assert_adds_up, dec, figure, tables};
use crate::lake::import_daily;
use crate::workspace::Place;

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

/// The same share on raw 4-hour bars, with a model that reads adjusted days: the split is no reason to sell.
#[test]
fn models_read_adjusted_days_while_raw_execution_bars_are_traded() {
    let place = with_one_share(&CLOSES, ", prices: raw_execution");
    place
        .run(&RUN)
        .fails_with(&["universe.0.prices", "ACME has execution bars alone"]);
    let halves = CLOSES.iter().map(|(date, close)| {
        let bar = |time: &str| format!("{date}T{time}Z,{close},{close},{close},{close},500\n");
        bar("14:30:00") + &bar("17:00:00")
    });
    let rows: String = halves.collect();
    place.write(
        "halves.csv",
        &format!("timestamp,open,high,low,close,volume\n{rows}"),
    );
    let import = [
        "data",
        "import",
        "--from",
        "halves.csv",
        "--symbol",
        "ACME",
        "--asset-class",
        "equity",
        "--timeframe",
        "4H",
    ];
    place.run(&import).printed();
    place.write("acme.csv", FACTORS);
    for timeframe in ["1D", "4H"] {
        let adjust = [
            "data",
            "adjust",
            "--symbol",
            "ACME",
            "--factors",
            "acme.csv",
            "--timeframe",
            timeframe,
        ];
        place.run(&adjust).printed();
    }
    place.edit(
        "one/system.yaml",
        "timeframes: [1D], execution: 1D",
        "timeframes: [1D, 4H], execution: 4H",
    );
    place.run(&RUN).printed();
    let found = tables(&place);
    // Bought once at a raw price, and held through dividend and split.
    assert_eq!(found.fills.len(), 1, "{:?}", found.fills);
    let bought = found.fills[0].quantity.decimal();
    assert!(found.fills[0].price.decimal() > dec("90"));
    assert_eq!(found.cash_events[0].amount.decimal(), bought * dec("2"));
    let held = found
        .positions
        .iter()
        .rfind(|row| row.scope == "portfolio")
        .unwrap();
    assert_eq!(
        (held.quantity.decimal(), held.price.decimal()),
        (bought * dec("2"), dec("54"))
    );
    assert_adds_up(&found);
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
