//! What short positions pay for the shares that they borrow.

use std::collections::BTreeMap;

use sextant_backtest::{AccountModel, BorrowModel, BorrowRate, BorrowRates};
use sextant_domain::{CashKind, EndReason};

use super::{Normalized, cash, dec, flat, setup, trading, units};
use crate::account::{Script, Wish};

fn borrow(by_symbol: &[(&str, BorrowRate)]) -> BorrowRates {
    let by_symbol = by_symbol
        .iter()
        .map(|(symbol, rate)| ((*symbol).to_owned(), *rate));
    BorrowRates {
        by_symbol: by_symbol.collect(),
        by_class: BTreeMap::new(),
    }
}

pub(super) fn with_borrow(borrow: BorrowModel) -> AccountModel {
    AccountModel {
        borrow,
        ..AccountModel::trades_only()
    }
}

#[test]
fn shorts_pay_for_the_time_between_marks() {
    // From Monday 6 January 2020: the fifth bar is Friday, the sixth Monday.
    let market = flat(&[100.0, 100.0, 100.0, 100.0, 100.0, 110.0]);
    let rates = borrow(&[("ACME", BorrowRate::Annual(dec("0.0365")))]);
    let run = trading(
        &setup("1000", with_borrow(BorrowModel::Required(rates))),
        &market,
        &[(3, -5)],
    );
    // 500 x 0.0365 / 365 = 0.05 for a day; 550 over the weekend costs 0.165.
    let fee = |text: &str| (CashKind::BorrowFee, text.to_owned());
    assert_eq!(cash(&run), [fee("-0.05"), fee("-0.165")]);
    assert_eq!(run.outcome.ledger.exact_equity().unwrap().normalized(), "949.785");
    let estimate = BorrowModel::Pessimistic {
        rates: borrow(&[]),
        annual: dec("0.365"),
    };
    let run = trading(&setup("1000", with_borrow(estimate)), &market, &[(3, -5)]);
    assert_eq!(cash(&run), [fee("-0.5"), fee("-1.65")]);
}

#[test]
fn a_short_without_a_rate_stops_the_run_by_name() {
    let market = flat(&[100.0; 4]);
    let other = borrow(&[("OTHER", BorrowRate::Annual(dec("0.01")))]);
    let setup = setup("1000", with_borrow(BorrowModel::Required(other)));
    let script = |count| {
        let wish = Wish::Order(units(count));
        Box::new(Script::new("script", "ACME", &[(0, wish)]))
    };
    assert!(setup.run(&market, vec![script(5)]).is_ok());
    let error = setup.run(&market, vec![script(-5)]).unwrap_err().to_string();
    for part in ["ACME", "2020-01-07", "borrow fee"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn what_nobody_lends_cannot_be_sold_short() {
    let market = flat(&[100.0; 6]);
    let rates = borrow(&[("ACME", BorrowRate::NotLent)]);
    let setup = setup("1000", with_borrow(BorrowModel::Required(rates)));
    let run = trading(&setup, &market, &[(0, -1), (1, 5), (2, -5), (3, -1)]);
    assert_eq!(run.ends(), [EndReason::NotShortable; 2]);
    let traded: Vec<String> = run
        .recorder
        .fills
        .iter()
        .map(|fill| fill.quantity.to_string())
        .collect();
    assert_eq!(traded, ["5", "-5"]);
}

#[test]
fn models_that_cross_borrow_nothing() {
    let market = flat(&[100.0; 4]);
    let rates = borrow(&[("ACME", BorrowRate::Annual(dec("0.365")))]);
    let setup = setup("10000", with_borrow(BorrowModel::Required(rates)));
    let script = |name, count| Script::new(name, "ACME", &[(0, Wish::Order(units(count)))]);
    let (_, crossed) = setup
        .run(
            &market,
            vec![Box::new(script("one", 5)), Box::new(script("two", -5))],
        )
        .unwrap();
    assert_eq!(crossed.cash_events, []);
    let models: [Script; 3] = [script("one", 5), script("two", -5), script("three", -10)];
    let models = models
        .into_iter()
        .map(|one| Box::new(one) as Box<dyn sextant_domain::ports::Model>);
    let (_, net) = setup.run(&market, models.collect()).unwrap();
    // The account is short ten: 1 a day, by five and ten of fifteen.
    let amounts = &net.cash_events[0].amounts;
    let shares: Vec<_> = amounts
        .iter()
        .map(|(model, amount)| (model.index(), amount.normalized()))
        .collect();
    assert_eq!(
        shares,
        [(1, "-0.33333333".to_owned()), (2, "-0.66666667".to_owned())]
    );
}
