//! Shares in other currencies: accounts whose every balance is known by hand.

use sextant_backtest::{AccountModel, InterestModel, Recorder, RunOutcome};
use sextant_domain::ports::Model;
use sextant_domain::{
    CashKind, Contract, Currency, InstrumentId, Intents, MarketData, MarketView, OrderSize, Quantity,
    Requirements, Timeframe,
};
use sextant_engine::Scope;
use sextant_testkit::{MarketBuilder, bars};

use crate::account::{Script, Wish};
use crate::fixture::{Rule, Setup};

pub(crate) fn units(count: i64) -> OrderSize {
    OrderSize::Units(Quantity::new(count.into()))
}

/// Exact equity at the daily marks.
pub(crate) fn marks(outcome: &RunOutcome) -> Vec<String> {
    let marks = outcome
        .marks
        .iter()
        .map(|(_, equity)| equity.decimal().normalize());
    marks.map(|equity| equity.to_string()).collect()
}

fn cash(outcome: &RunOutcome, currency: Currency) -> String {
    let cash = outcome.ledger.cash(currency).unwrap();
    cash.decimal().normalize().to_string()
}

/// A share in euros over four days, and what a euro costs.
fn european(first_rate: usize) -> MarketData {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 4);
    let share = [
        [100.0, 101.0, 99.0, 100.0],
        [102.0, 104.0, 101.0, 103.0],
        [104.0, 106.0, 103.0, 105.0],
        [106.0, 107.0, 105.0, 106.0],
    ];
    let rates = [1.10, 1.12, 1.08, 1.10];
    MarketBuilder::new()
        .equity("SAP", Timeframe::D1)
        .contract(Contract::paid_in(Currency::EUR))
        .bars("SAP", Timeframe::D1, bars::from_fn(&spans, |day| share[day]))
        .fx("EURUSD", Timeframe::D1)
        .closes(
            "EURUSD",
            Timeframe::D1,
            &spans[first_rate..],
            &rates[first_rate..],
        )
        .build()
}

fn run(setup: &Setup, market: &MarketData, wishes: &[(usize, Wish)]) -> (RunOutcome, Recorder) {
    let script = Script::new("script", "SAP", wishes);
    setup.run(market, vec![Box::new(script)]).unwrap()
}

#[test]
fn a_purchase_in_euros_leaves_a_debt_in_euros() {
    let setup = Setup {
        commission_bps: "10",
        ..Setup::plain("10000")
    };
    let wishes = [
        (0, Wish::Order(units(10))),
        (2, Wish::Order(OrderSize::ClosePosition)),
    ];
    let (outcome, recorder) = run(&setup, &european(0), &wishes);
    // Bought at 102 with a fee of 1.02 euros: 1,021.02 euros are owed. The share and the debt are worth, in dollars,
    // (1,030 - 1,021.02) x 1.12 = 10.0576, then (1,050 - 1,021.02) x 1.08 = 31.2984. Sold at 106 with a fee of 1.06 euros,
    // 37.92 euros are left, which are 41.712 dollars.
    assert_eq!(
        marks(&outcome),
        ["10000", "10010.0576", "10031.2984", "10041.712"]
    );
    assert_eq!(cash(&outcome, Currency::USD), "10000");
    assert_eq!(cash(&outcome, Currency::EUR), "37.92");
    let point = recorder.equity[2].1;
    // 10,000 - 1,021.02 x 1.08, and 1,050 x 1.08.
    assert!(
        (point.cash - 8_897.298_4).abs() < 1e-9 && (point.net - 1_134.0).abs() < 1e-9,
        "{point:?}"
    );
    let balances = outcome.ledger.balances().unwrap();
    let values = balances
        .iter()
        .map(|one| (one.currency, one.value.decimal().normalize().to_string()));
    let expected = [
        (Currency::USD, "10000".to_owned()),
        (Currency::EUR, "41.712".to_owned()),
    ];
    assert_eq!(values.collect::<Vec<_>>(), expected);
    // The rate has changed by 0.02, -0.04 and 0.02 while 8.98, 28.98 and 37.92 euros were there.
    let gains = balances
        .iter()
        .map(|one| one.rate_gain.decimal().normalize().to_string());
    assert_eq!(gains.collect::<Vec<_>>(), ["0", "-0.2212"]);
}

#[test]
fn weights_and_fractions_count_in_the_currency_of_the_account() {
    let held = |wish| {
        let (outcome, recorder) = run(&Setup::plain("10000"), &european(0), &[(0, wish)]);
        let book = outcome
            .ledger
            .book(Scope::Portfolio)
            .instrument(InstrumentId::from_index(0));
        (book.quantity().to_string(), recorder.equity[0].1.equity)
    };
    // 5,000 dollars at 110 a share; at the fill 102 x 1.10, the newest rate then.
    assert_eq!(held(Wish::Target(0.5)), ("45".to_owned(), 10_000.0));
    assert_eq!(
        held(Wish::Order(OrderSize::EquityFraction(0.5))),
        ("44".to_owned(), 10_000.0)
    );
}

#[test]
fn models_see_what_a_unit_is_worth() {
    let mut needs = Requirements::new();
    let sap = needs.trade("SAP");
    needs.series("SAP", Timeframe::D1);
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = std::sync::Arc::clone(&seen);
    let decide =
        move |view: &MarketView<'_>, _: &mut Intents| told.lock().unwrap().push(view.unit_value(sap));
    let model = Rule {
        name: "watcher",
        needs,
        decide,
    };
    Setup::plain("1000")
        .run(&european(1), vec![Box::new(model)])
        .unwrap();
    let seen = seen.lock().unwrap().clone();
    assert!(
        seen[0].is_nan() && seen[1..] == [103.0 * 1.12, 105.0 * 1.08, 106.0 * 1.10],
        "{seen:?}"
    );
}

#[test]
fn without_a_rate_orders_are_refused_and_targets_wait() {
    let market = european(1);
    let (outcome, recorder) = run(&Setup::plain("10000"), &market, &[(0, Wish::Order(units(10)))]);
    let rules: Vec<_> = recorder.interventions.iter().map(|(_, act)| act.rule).collect();
    assert_eq!((rules, recorder.orders.len()), (vec!["missing_rate"], 0));
    assert_eq!(marks(&outcome).last().map(String::as_str), Some("10000"));
    // A target given again is sized with the first rate: 5,000 / (103 x 1.12) = 43.3.
    let wishes = [(0, Wish::Target(0.5)), (1, Wish::Target(0.5))];
    let (outcome, recorder) = run(&Setup::plain("10000"), &market, &wishes);
    let acts: Vec<_> = recorder
        .interventions
        .iter()
        .map(|(_, act)| (act.rule, act.reason.as_str()))
        .collect();
    assert_eq!(
        acts,
        [(
            "missing_rate",
            "its currency has no rate yet; the target waits for the first one"
        )]
    );
    let book = outcome
        .ledger
        .book(Scope::Portfolio)
        .instrument(InstrumentId::from_index(0));
    assert_eq!(book.quantity().to_string(), "43");
}

#[test]
fn a_currency_without_a_pair_is_an_error_that_names_the_pair() {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 2);
    let market = MarketBuilder::new()
        .equity("SAP", Timeframe::D1)
        .contract(Contract::paid_in(Currency::EUR))
        .closes("SAP", Timeframe::D1, &spans, &[100.0, 101.0])
        .build();
    let script = Script::new("script", "SAP", &[]);
    let error = Setup::plain("1000")
        .run(&market, vec![Box::new(script)])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "SAP is quoted in EUR, but no currency pair of the run leads from there to the account's USD; add bars of EURUSD \
         (or of USDEUR, or of two pairs over a third currency)"
    );
}

/// Two days of a share in pounds and one in yen, with what a pound and a dollar cost in yen.
fn pounds_and_yen() -> MarketData {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 3);
    let yen = Contract::paid_in(Currency::JPY);
    MarketBuilder::new()
        .equity("VOD", Timeframe::D1)
        .contract(Contract::paid_in(Currency::GBP))
        .closes("VOD", Timeframe::D1, &spans, &[2.0, 2.1, 2.2])
        .equity("TOYOTA", Timeframe::D1)
        .contract(yen)
        .closes("TOYOTA", Timeframe::D1, &spans, &[1_500.0, 1_530.0, 1_515.0])
        .fx("GBPJPY", Timeframe::D1)
        .contract(yen)
        .closes("GBPJPY", Timeframe::D1, &spans, &[150.0, 156.0, 156.0])
        .fx("USDJPY", Timeframe::D1)
        .contract(yen)
        .closes("USDJPY", Timeframe::D1, &spans, &[120.0, 120.0, 125.0])
        .build()
}

#[test]
fn pounds_are_converted_over_yen() {
    let models: Vec<Box<dyn Model>> = vec![
        Box::new(Script::new("british", "VOD", &[(0, Wish::Order(units(100)))])),
        Box::new(Script::new("japanese", "TOYOTA", &[(0, Wish::Order(units(10)))])),
    ];
    let (outcome, _) = Setup::plain("1000").run(&pounds_and_yen(), models).unwrap();
    // A pound is 156 / 120 = 1.30 dollars, then 156 / 125 = 1.248. Bought at 2.00 and 1,500: 100 x 0.10 pounds and
    // 10 x 30 yen are 13 and 2.50 dollars; 20 pounds and 150 yen are 24.96 and 1.20.
    assert_eq!(marks(&outcome), ["1000", "1015.5", "1026.16"]);
    assert_eq!(cash(&outcome, Currency::GBP), "-200");
    assert_eq!(cash(&outcome, Currency::JPY), "-15000");
    let models = (0..2).map(|model| {
        outcome
            .ledger
            .pnl(Scope::Model(sextant_domain::ModelId::from_index(model)))
    });
    let models: Vec<String> = models
        .map(|pnl| pnl.unwrap().decimal().normalize().to_string())
        .collect();
    assert_eq!(models, ["24.96", "1.2"]);
}

#[test]
fn each_currency_pays_its_own_interest() {
    let account = AccountModel {
        margin_interest: InterestModel::Annual("0.072".parse().unwrap()),
        cash_interest: InterestModel::Annual("0.036".parse().unwrap()),
        ..AccountModel::trades_only()
    };
    let setup = Setup {
        account,
        ..Setup::plain("10000")
    };
    let (_, recorder) = run(&setup, &european(0), &[(0, Wish::Order(units(10)))]);
    let rows = recorder.cash_events.iter().map(|event| {
        let amount = event.total().unwrap().decimal().normalize().to_string();
        (event.kind, event.currency, amount)
    });
    // 6.5 hours on 10,000 dollars, then a day on 10,000 dollars and on a debt of 1,020 euros.
    let expected = [
        (CashKind::CashInterest, Currency::USD, "0.27083333".to_owned()),
        (CashKind::CashInterest, Currency::USD, "1.00002708".to_owned()),
        (CashKind::MarginInterest, Currency::EUR, "-0.204".to_owned()),
    ];
    assert_eq!(rows.take(3).collect::<Vec<_>>(), expected);
}
