//! Futures: variation margin, initial margin and margin calls, with every number known by hand.

use sextant_backtest::{
    AccountAction, AccountModel, BorrowModel, BorrowRate, BorrowRates, CorporateActionDue, CorporateActions,
    FundingModel, FundingRate, MarginCall, MissingFunding, Recorder, RunOutcome,
};
use sextant_domain::{
    AssetClass, Cash, CashKind, Contract, Currency, InstrumentId, Intents, Margin, MarketData, MarketView,
    Multiplier, OrderOrigin, OrderRequest, OrderSize, Price, Requirements, Timeframe,
};
use sextant_engine::Scope;
use sextant_risk::RiskLimits;
use sextant_testkit::{MarketBuilder, bars};

use crate::account::{Script, Wish};
use crate::currencies::{marks, units};
use crate::fixture::{Rule, Setup};

fn times(factor: i64) -> Multiplier {
    Multiplier::new(factor.into()).unwrap()
}

/// A future in dollars from open, high, low, close.
fn future(multiplier: i64, margin: Margin, prices: &[[f64; 4]]) -> MarketData {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), prices.len());
    MarketBuilder::new()
        .equity("ES", Timeframe::D1)
        .contract(Contract::future(Currency::USD, times(multiplier), margin))
        .bars("ES", Timeframe::D1, bars::from_fn(&spans, |day| prices[day]))
        .build()
}

fn setup(cash: &'static str) -> Setup {
    Setup {
        limits: RiskLimits::permissive(50.0),
        ..Setup::plain(cash)
    }
}

fn run(setup: &Setup, market: &MarketData, wishes: &[(usize, Wish)]) -> (RunOutcome, Recorder) {
    setup
        .run(market, vec![Box::new(Script::new("script", "ES", wishes))])
        .unwrap()
}

/// Kind and amount of what was paid without an order.
fn paid(recorder: &Recorder) -> Vec<(CashKind, String)> {
    let events = recorder.cash_events.iter();
    let events = events.map(|event| {
        (
            event.kind,
            event.total().unwrap().decimal().normalize().to_string(),
        )
    });
    events.collect()
}

#[test]
fn variation_margin_is_paid_at_each_mark() {
    let market = future(
        50,
        Margin::None,
        &[
            [3_990.0, 4_005.0, 3_985.0, 4_000.0],
            [4_010.0, 4_030.0, 4_000.0, 4_020.0],
            [4_025.0, 4_040.0, 4_005.0, 4_015.0],
            [4_020.0, 4_030.0, 3_990.0, 3_995.0],
            [4_000.0, 4_010.0, 3_990.0, 4_005.0],
        ],
    );
    let wishes = [
        (0, Wish::Order(units(2))),
        (3, Wish::Order(OrderSize::ClosePosition)),
    ];
    let (outcome, recorder) = run(&setup("100000"), &market, &wishes);
    // Two contracts are worth 100 a point. Bought at 4,010, settled at 4,020, 4,015 and 3,995, and sold at 4,000: the last
    // five points come with the sale.
    let margin = |amount: &str| (CashKind::VariationMargin, amount.to_owned());
    assert_eq!(paid(&recorder), [margin("1000"), margin("-500"), margin("-2000")]);
    assert_eq!(marks(&outcome), ["100000", "101000", "100500", "98500", "99000"]);
    // The position itself is worth nothing, and its notional value counts as exposure.
    let points: Vec<_> = recorder
        .equity
        .iter()
        .map(|(_, point)| (point.cash, point.equity, point.gross))
        .collect();
    assert_eq!(points[1], (101_000.0, 101_000.0, 402_000.0));
    assert_eq!(points[3], (98_500.0, 98_500.0, 399_500.0));
    assert_eq!(points[4], (99_000.0, 99_000.0, 0.0));
    let trade = outcome.ledger.book(Scope::Portfolio).trades()[0];
    assert_eq!(trade.gross.to_string(), "-1000");
}

#[test]
fn models_that_hold_a_future_against_each_other_are_settled_too() {
    let market = future(
        10,
        Margin::None,
        &[[100.0; 4], [100.0; 4], [100.0, 110.0, 100.0, 110.0], [110.0; 4]],
    );
    let models: Vec<Box<dyn sextant_domain::ports::Model>> = vec![
        Box::new(Script::new("bull", "ES", &[(0, Wish::Target(1.0))])),
        Box::new(Script::new("bear", "ES", &[(0, Wish::Target(-1.0))])),
    ];
    let (outcome, recorder) = setup("10000").run(&market, models).unwrap();
    // Half of 10,000 each at 1,000 a contract: five against five, 50 a point.
    let amounts = recorder.cash_events.iter().flat_map(|event| &event.amounts);
    let amounts: Vec<f64> = amounts.map(|(_, amount)| amount.to_f64()).collect();
    assert_eq!(amounts, [500.0, -500.0]);
    assert_eq!(outcome.ledger.exact_equity().unwrap().to_string(), "10000");
}

#[test]
fn an_order_is_cut_to_the_contracts_that_equity_secures() {
    let flat = [[100.0; 4]; 3];
    let cases = [
        // A tenth of 1,000 a contract: 100 contracts.
        (
            Margin::OfNotional {
                initial: "0.1".parse().unwrap(),
                maintenance: "0.08".parse().unwrap(),
            },
            150,
            "100",
        ),
        // 2,000 a contract: five.
        (per_unit(2_000, 1_500), 7, "5"),
        (per_unit(2_000, 1_500), -7, "-5"),
        (per_unit(2_000, 1_500), 3, "3"),
    ];
    for (margin, asked, held) in cases {
        let (outcome, recorder) = run(
            &setup("10000"),
            &future(10, margin, &flat),
            &[(0, Wish::Order(units(asked)))],
        );
        let book = outcome
            .ledger
            .book(Scope::Portfolio)
            .instrument(InstrumentId::from_index(0));
        assert_eq!(book.quantity().to_string(), held);
        let is_cut = asked.to_string() != held;
        let rules: Vec<_> = recorder.interventions.iter().map(|(_, act)| act.rule).collect();
        assert_eq!(rules, if is_cut { vec!["initial_margin"] } else { vec![] });
    }
    let none = run(
        &setup("1000"),
        &future(10, per_unit(2_000, 1_500), &flat),
        &[(0, Wish::Order(units(1)))],
    )
    .1;
    let rules: Vec<_> = none.interventions.iter().map(|(_, act)| act.rule).collect();
    assert_eq!((rules, none.orders.len()), (vec!["initial_margin"], 0));
}

fn per_unit(initial: i64, maintenance: i64) -> Margin {
    Margin::PerUnit {
        initial: Cash::new(initial.into()),
        maintenance: Cash::new(maintenance.into()),
    }
}

#[test]
fn equity_below_maintenance_closes_positions_by_the_stated_rule() {
    let margin = Margin::OfNotional {
        initial: "0.1".parse().unwrap(),
        maintenance: "0.08".parse().unwrap(),
    };
    let market = future(
        10,
        margin,
        &[[100.0; 4], [100.0; 4], [98.0; 4], [97.0; 4], [96.0; 4], [96.0; 4]],
    );
    // A hundred contracts are worth 1,000 a point. At 98 equity of 8,000 covers 7,840; at 97 7,000 do not cover 7,760.
    for (rule, sold, left) in [
        // At 97 initial margin is 9,700: 7,000 secure 72 contracts.
        (MarginCall::ReduceToInitial, "-28", "72"),
        (MarginCall::CloseAll, "-100", "0"),
    ] {
        let setup = Setup {
            account: AccountModel {
                margin_call: rule,
                ..AccountModel::trades_only()
            },
            ..setup("10000")
        };
        let (outcome, recorder) = run(&setup, &market, &[(0, Wish::Order(units(100)))]);
        let calls = recorder
            .orders
            .iter()
            .filter(|order| order.draft.origin == OrderOrigin::MarginCall);
        let calls: Vec<_> = calls.map(|order| order.id).collect();
        let fills = recorder.fills.iter().filter(|fill| calls.contains(&fill.order));
        let fills: Vec<_> = fills
            .map(|fill| (fill.quantity.to_string(), fill.price.to_string()))
            .collect();
        assert_eq!(fills, [(sold.to_owned(), "96".to_owned())], "{rule:?}");
        let book = outcome
            .ledger
            .book(Scope::Portfolio)
            .instrument(InstrumentId::from_index(0));
        assert_eq!(book.quantity().to_string(), left);
        let acts = recorder
            .interventions
            .iter()
            .filter(|(_, act)| act.rule == "maintenance_margin");
        let words: Vec<_> = acts.map(|(_, act)| act.reason.as_str()).collect();
        assert_eq!(words.len(), 1);
        let beginning = format!(
            "equity 7000.00 is below the maintenance margin 7760.00: {}",
            rule.name()
        );
        assert!(words[0].starts_with(&beginning), "{words:?}");
    }
}

/// Ninety contracts that get a call at 96, beside ten shares that fall to 40 two bars later.
fn future_beside_a_share() -> MarketData {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 7);
    let margin = Margin::OfNotional {
        initial: "0.1".parse().unwrap(),
        maintenance: "0.08".parse().unwrap(),
    };
    let share = |day: usize| [100.0, 100.0, if day == 6 { 40.0 } else { 100.0 }, 100.0];
    MarketBuilder::new()
        .equity("ES", Timeframe::D1)
        .contract(Contract::future(Currency::USD, times(10), margin))
        .closes(
            "ES",
            Timeframe::D1,
            &spans,
            &[100.0, 100.0, 98.0, 97.0, 96.0, 96.0, 96.0],
        )
        .equity("ACME", Timeframe::D1)
        .bars("ACME", Timeframe::D1, bars::from_fn(&spans, share))
        .build()
}

#[test]
fn a_margin_call_leaves_the_stop_of_a_paid_share_alone() {
    for margin_call in [MarginCall::ReduceToInitial, MarginCall::CloseAll] {
        let mut needs = Requirements::new();
        let (future, share) = (needs.trade("ES"), needs.trade("ACME"));
        let mut decision = 0;
        let decide = move |_: &MarketView<'_>, out: &mut Intents| {
            if decision == 0 {
                out.order(OrderRequest::market(future, units(90)));
                out.order(OrderRequest::market(share, units(10)));
            } else if decision == 1 {
                out.order(OrderRequest::stop(share, units(-10), 50.0).reduce_only());
            }
            decision += 1;
        };
        let model = Rule {
            name: "holder",
            needs,
            decide,
        };
        let setup = Setup {
            account: AccountModel {
                margin_call,
                ..AccountModel::trades_only()
            },
            ..setup("10000")
        };
        let (_, recorder) = setup
            .run(&future_beside_a_share(), vec![Box::new(model)])
            .unwrap();
        let calls = recorder.orders.iter().map(|order| order.draft.origin);
        let calls = calls.filter(|origin| *origin == OrderOrigin::MarginCall);
        assert_eq!(calls.count(), 1, "{margin_call:?}");
        let last = recorder.fills.last().unwrap();
        assert_eq!(
            (
                last.instrument.index(),
                last.quantity.to_string(),
                last.price.to_string()
            ),
            (1, "-10".to_owned(), "50".to_owned()),
            "{margin_call:?}"
        );
    }
}

#[test]
fn a_future_is_not_borrowed() {
    let market = future(10, Margin::None, &[[100.0; 4]; 3]);
    let not_lent = BorrowRates {
        by_class: [(AssetClass::Equity, BorrowRate::NotLent)].into(),
        ..BorrowRates::default()
    };
    let setup = Setup {
        account: AccountModel {
            borrow: BorrowModel::Required(not_lent),
            ..AccountModel::trades_only()
        },
        ..setup("10000")
    };
    let (outcome, recorder) = run(&setup, &market, &[(0, Wish::Order(units(-2)))]);
    let book = outcome
        .ledger
        .book(Scope::Portfolio)
        .instrument(InstrumentId::from_index(0));
    assert_eq!(
        (book.quantity().to_string(), paid(&recorder)),
        ("-2".to_owned(), vec![])
    );
}

#[test]
fn dividends_borrow_fees_and_funding_count_the_multiplier() {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 4);
    let tenfold = Contract {
        multiplier: times(10),
        ..Contract::paid_in(Currency::USD)
    };
    let market = MarketBuilder::new()
        .equity("ES", Timeframe::D1)
        .contract(tenfold)
        .closes("ES", Timeframe::D1, &spans, &[100.0; 4])
        .build();
    let dividend = CorporateActionDue {
        symbol: "ES".to_owned(),
        time: spans[2].open_time,
        action: AccountAction::Dividend {
            per_share: Price::new(1.into()),
        },
    };
    let rate = FundingRate {
        time: spans[3].close_time,
        rate: "0.001".parse().unwrap(),
    };
    let setup = Setup {
        account: AccountModel {
            corporate_actions: CorporateActions::Listed {
                covered: ["ES".to_owned()].into(),
                due: vec![dividend],
            },
            borrow: BorrowModel::Pessimistic {
                rates: BorrowRates::default(),
                annual: "0.365".parse().unwrap(),
            },
            funding: FundingModel::Rates {
                by_symbol: [("ES".to_owned(), vec![rate])].into(),
                interval_nanos: 30 * Timeframe::D1.nanos(),
                missing: MissingFunding::Stop,
            },
            ..AccountModel::trades_only()
        },
        ..setup("10000")
    };
    let (_, recorder) = run(&setup, &market, &[(0, Wish::Order(units(-2)))]);
    // Two units short at 100 are 2,000: a thousandth of it a day, 1 x 10 x 2 of dividend, and funding of a thousandth.
    let fee = || (CashKind::BorrowFee, "-2".to_owned());
    let expected = [
        fee(),
        (CashKind::Dividend, "-20".to_owned()),
        fee(),
        (CashKind::Funding, "2".to_owned()),
        fee(),
    ];
    assert_eq!(paid(&recorder), expected);
}

#[test]
fn a_future_has_no_dividends() {
    let market = future(10, Margin::None, &[[100.0; 4]; 2]);
    let due = CorporateActionDue {
        symbol: "ES".to_owned(),
        time: bars::instant("2020-01-07"),
        action: AccountAction::Dividend {
            per_share: Price::new(1.into()),
        },
    };
    let setup = Setup {
        account: AccountModel {
            corporate_actions: CorporateActions::Listed {
                covered: [].into(),
                due: vec![due],
            },
            ..AccountModel::trades_only()
        },
        ..setup("10000")
    };
    let script = Script::new("script", "ES", &[]);
    let error = setup
        .run(&market, vec![Box::new(script)])
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("ES is settled daily and has no dividends or splits"),
        "{error}"
    );
}
