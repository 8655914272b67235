//! What happens to an account without orders: small runs whose every number is known by hand, and real shares.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use sextant_backtest::{
    AccountAction, AccountModel, BorrowModel, BorrowRate, BorrowRates, CorporateActionDue, CorporateActions,
    FillConvention, FinalPrice, FundingModel, FundingRate, InterestModel, MissingFunding, SquareRootImpact,
};
use sextant_domain::{
    AssetClass, CashKind, Currency, CurrencyId, EndReason, InstrumentId, MarketData, ModelId, OrderId,
    OrderRequest, OrderSize, Price, Quantity, SplitRatio, UtcNanos,
};
use sextant_engine::Scope;
use sextant_testkit::real_data_dir;

use crate::account::{Script, Wish};
use crate::fixture::Setup;
use crate::orders::{Run, days, run};
use crate::worked_examples::{daily, market, rows};

mod borrow;

use borrow::with_borrow;

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn units(count: i64) -> OrderSize {
    OrderSize::Units(Quantity::new(count.into()))
}

/// Days whose prices do not move within them.
fn flat(closes: &[f64]) -> MarketData {
    days(&closes.iter().map(|close| [*close; 4]).collect::<Vec<_>>())
}

/// The open of a bar.
fn open_of(market: &MarketData, bar: usize) -> UtcNanos {
    market.series()[0].bars.view().open_time[bar]
}

fn listed(actions: &[(UtcNanos, AccountAction)]) -> AccountModel {
    let due = actions.iter().map(|(time, action)| CorporateActionDue {
        symbol: "ACME".to_owned(),
        time: *time,
        action: *action,
    });
    AccountModel {
        corporate_actions: CorporateActions::Listed {
            covered: BTreeSet::from(["ACME".to_owned()]),
            due: due.collect(),
        },
        ..AccountModel::trades_only()
    }
}

fn dividend(per_share: &str) -> AccountAction {
    AccountAction::Dividend {
        per_share: Price::new(dec(per_share)),
    }
}

fn split(new: u32, old: u32) -> AccountAction {
    AccountAction::Split(SplitRatio::new(new, old).unwrap())
}

fn setup(cash: &'static str, account: AccountModel) -> Setup {
    Setup {
        account,
        ..Setup::plain(cash)
    }
}

/// Trades units at market at chosen decisions.
fn trading(setup: &Setup, market: &MarketData, trades: &'static [(usize, i64)]) -> Run {
    run(setup, market, move |decision, acme, out| {
        for (_, count) in trades.iter().filter(|(at, _)| *at == decision) {
            out.order(OrderRequest::market(acme, units(*count)));
        }
    })
}

/// Kind and amount of every cash event.
fn cash(run: &Run) -> Vec<(CashKind, String)> {
    let events = run.recorder.cash_events.iter();
    events
        .map(|event| (event.kind, event.total().unwrap().normalized()))
        .collect()
}

trait Normalized {
    fn normalized(self) -> String;
}

impl Normalized for sextant_domain::Cash {
    fn normalized(self) -> String {
        self.decimal().normalize().to_string()
    }
}

fn equities(run: &Run) -> Vec<f64> {
    run.recorder
        .equity
        .iter()
        .map(|(_, point)| point.equity)
        .collect()
}

#[test]
fn a_dividend_goes_to_who_held_at_the_close_before() {
    let market = flat(&[100.0, 100.0, 98.0, 98.0]);
    let model = listed(&[(open_of(&market, 2), dividend("2"))]);
    // Five held over the night, five more bought at the open of the ex-date.
    let long = trading(&setup("1000", model.clone()), &market, &[(0, 5), (1, 5)]);
    assert_eq!(cash(&long), [(CashKind::Dividend, "10".to_owned())]);
    assert_eq!(equities(&long), [1000.0; 4]);
    let event = &long.recorder.cash_events[0];
    assert_eq!(
        (event.time, event.instrument),
        (open_of(&market, 2), Some(InstrumentId::from_index(0)))
    );
    // Sold at the open of the ex-date: still paid.
    let sold = trading(&setup("1000", model.clone()), &market, &[(0, 5), (1, -5)]);
    assert_eq!(cash(&sold), [(CashKind::Dividend, "10".to_owned())]);
    let short = trading(&setup("1000", model), &market, &[(0, -3)]);
    assert_eq!(cash(&short), [(CashKind::Dividend, "-6".to_owned())]);
    assert_eq!(short.outcome.ledger.exact_equity().unwrap().normalized(), "1000");
    let book = short.outcome.ledger.book(Scope::Model(ModelId::from_index(0)));
    assert_eq!(
        book.totals(CurrencyId::OWN)
            .income_of(CashKind::Dividend)
            .normalized(),
        "-6"
    );
}

#[test]
fn a_split_changes_units_and_nothing_else() {
    let market = flat(&[100.0, 100.0, 25.0, 30.0]);
    let model = listed(&[(open_of(&market, 2), split(4, 1))]);
    // The second order is on its way when the split comes: its five become twenty.
    let run = trading(&setup("1000", model), &market, &[(0, 5), (1, 5), (2, -4)]);
    let expected = [(1, "5", "100"), (2, "20", "25"), (3, "-4", "30")];
    assert_eq!(
        run.fills(&market),
        expected.map(|(bar, units, price)| (bar, units.into(), price.into()))
    );
    assert_eq!(equities(&run), [1000.0, 1000.0, 1000.0, 1200.0]);
    let trade = run.outcome.ledger.book(Scope::Portfolio).trades()[0];
    let numbers = [
        trade.entry_price.to_string(),
        trade.exit_price.to_string(),
        trade.gross.normalized(),
    ];
    assert_eq!(numbers, ["25", "30", "20"]);
    assert_eq!(run.recorder.splits.len(), 1);
}

#[test]
fn a_reverse_split_pays_fractions_at_the_last_close() {
    let market = flat(&[10.0, 10.0, 81.0, 81.0]);
    let model = listed(&[(open_of(&market, 2), split(1, 8))]);
    let run = trading(&setup("1000", model), &market, &[(0, 50)]);
    let ledger = &run.outcome.ledger;
    let held = ledger
        .book(Scope::Portfolio)
        .instrument(InstrumentId::from_index(0))
        .quantity();
    // Six shares, and a quarter of one for 20; at 81 they gain 6.
    assert_eq!(
        (held.to_string(), ledger.cash(Currency::USD).unwrap().normalized()),
        ("6".to_owned(), "520".to_owned())
    );
    assert_eq!(equities(&run), [1000.0, 1000.0, 1006.0, 1006.0]);
}

#[test]
fn orders_with_a_price_end_with_the_split_and_take_their_entry_along() {
    let market = flat(&[100.0, 100.0, 25.0, 25.0]);
    let setup = setup("1000", listed(&[(open_of(&market, 2), split(4, 1))]));
    let resting = run(&setup, &market, |decision, acme, out| {
        if decision == 0 {
            out.order(OrderRequest::limit(acme, units(5), 50.0));
        }
    });
    assert_eq!(
        (resting.ends(), resting.recorder.fills.len()),
        (vec![EndReason::Split], 0)
    );
    let bracket = run(&setup, &market, |decision, acme, out| {
        if decision == 1 {
            let entry = OrderRequest::market(acme, units(5));
            out.bracket(entry, &[OrderRequest::stop(acme, OrderSize::EntryFill, 90.0)]);
        }
    });
    assert_eq!(bracket.ends(), [EndReason::Split, EndReason::EntryEnded]);
    assert_eq!(bracket.recorder.fills.len(), 0);
}

#[test]
fn impact_is_not_measured_over_a_split() {
    let market = flat(&[100.0, 102.0, 100.0, 102.0, 51.0, 50.0, 51.0, 50.0]);
    let setup = setup("100000", listed(&[(open_of(&market, 4), split(2, 1))]));
    let wishes = [(4, 10), (6, 10)].map(|(at, count)| (at, Wish::Order(units(count))));
    let script = Script::new("script", "ACME", &wishes);
    let impact = SquareRootImpact::new(1.0, 3, dec("50")).unwrap();
    let run = setup.run_adjusted(&market, vec![Box::new(script)], |config| {
        config.venue.slippage = Box::new(impact);
    });
    let fills = run.unwrap().1.fills;
    // One bar in new shares before the first fill: 50 bp of 50.
    assert_eq!(fills[0].price.to_string(), "50.25");
    // 51, 50 and 51 before the second: returns of 50/51 - 1 and 0.02, whose standard deviation is their distance over
    // sqrt(2), 0.0280069744...; x sqrt(10 / 1,000) x 50 = 0.1400348723...
    assert_eq!(fills[1].price.to_string(), "50.14003488");
}

#[test]
fn a_delisting_closes_at_its_final_price() {
    let part = FinalPrice::PartOfLastClose(dec("0.7"));
    for (price, equity) in [
        (FinalPrice::LastClose, "1000"),
        (part, "850"),
        (FinalPrice::Stated(Price::ZERO), "500"),
    ] {
        let market = flat(&[100.0, 100.0, 100.0, 100.0]);
        let model = listed(&[(open_of(&market, 2), AccountAction::Delisting(price))]);
        let run = run(
            &setup("1000", model),
            &market,
            |decision, acme, out| match decision {
                0 => drop(out.order(OrderRequest::market(acme, units(5)))),
                1 => drop(out.order(OrderRequest::stop(acme, units(-5), 50.0))),
                _ => {}
            },
        );
        assert_eq!(run.outcome.ledger.exact_equity().unwrap().normalized(), equity);
        assert_eq!(run.recorder.fills[1].order, OrderId::NONE);
        assert_eq!(run.ends(), [EndReason::Delisted]);
    }
}

#[test]
fn perpetuals_pay_funding_or_the_estimate() {
    let market = flat(&[100.0, 100.0, 120.0, 120.0]);
    let closes = market.series()[0].bars.view().close_time;
    let rate = |bar: usize, rate: &str| FundingRate {
        time: closes[bar],
        rate: dec(rate),
    };
    let model = |missing| AccountModel {
        funding: FundingModel::Rates {
            by_symbol: BTreeMap::from([("ACME".to_owned(), vec![rate(1, "0.001"), rate(2, "-0.002")])]),
            interval_nanos: 24 * 3_600_000_000_000,
            missing,
        },
        ..AccountModel::trades_only()
    };
    let stop = setup("1000", model(MissingFunding::Stop));
    let paid = |text: &str| (CashKind::Funding, text.to_owned());
    // A rate is missing at the last close only if the run goes on for another half day: here it does not.
    let long = trading(&stop, &market, &[(0, 5)]);
    assert_eq!(cash(&long), [paid("-0.5"), paid("1.2")]);
    let short = trading(&stop, &market, &[(0, -5)]);
    assert_eq!(cash(&short), [paid("0.5"), paid("-1.2")]);

    let longer = flat(&[100.0, 100.0, 120.0, 120.0, 120.0]);
    let script = Script::new("script", "ACME", &[(0, Wish::Order(units(5)))]);
    let error = stop.run(&longer, vec![Box::new(script)]).unwrap_err().to_string();
    assert!(error.contains("ACME") && error.contains("funding"), "{error}");
    let estimate = setup("1000", model(MissingFunding::Pessimistic(dec("0.01"))));
    assert_eq!(
        cash(&trading(&estimate, &longer, &[(0, 5)])),
        [paid("-0.5"), paid("1.2"), paid("-6")]
    );
    assert_eq!(
        cash(&trading(&estimate, &longer, &[(0, -5)])),
        [paid("0.5"), paid("-1.2"), paid("-6")]
    );
}

#[test]
fn cash_earns_and_debt_pays_interest() {
    let market = flat(&[100.0; 4]);
    let model = AccountModel {
        margin_interest: InterestModel::Annual(dec("0.072")),
        cash_interest: InterestModel::Annual(dec("0.036")),
        ..AccountModel::trades_only()
    };
    let setup = setup("1000", model);
    // 6.5 hours of the first session on 1,000, then days on a debt of 500.
    let run = trading(&setup, &market, &[(0, 15)]);
    assert_eq!(
        cash(&run),
        [
            (CashKind::CashInterest, "0.02708333".to_owned()),
            (CashKind::MarginInterest, "-0.09999458".to_owned()),
            (CashKind::MarginInterest, "-0.10001458".to_owned()),
            (CashKind::MarginInterest, "-0.10003459".to_owned()),
        ]
    );
    // Proceeds of a short sale earn nothing: the balance stays 1,000.
    let short = trading(&setup, &market, &[(0, -5)]);
    let (kind, amount) = &cash(&short)[1];
    assert_eq!((*kind, amount.as_str()), (CashKind::CashInterest, "0.10000271"));
}

#[test]
fn assumptions_that_do_not_fit_are_refused() {
    let market = flat(&[100.0; 3]);
    let uncovered = AccountModel {
        corporate_actions: CorporateActions::Listed {
            covered: BTreeSet::new(),
            due: Vec::new(),
        },
        ..AccountModel::trades_only()
    };
    let negative = with_borrow(BorrowModel::Pessimistic {
        rates: BorrowRates {
            by_symbol: BTreeMap::new(),
            by_class: BTreeMap::from([(AssetClass::Equity, BorrowRate::Annual(dec("-0.1")))]),
        },
        annual: dec("0.1"),
    });
    for (model, said) in [
        (uncovered, "ACME"),
        (negative, "the borrow rate of equity is -0.1"),
    ] {
        let script = Script::new("script", "ACME", &[]);
        let error = setup("1000", model)
            .run(&market, vec![Box::new(script)])
            .unwrap_err()
            .to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// Corporate actions and the last adjusted close relative to the first, from a factor file.
fn factor_events(file: &str, bars: &sextant_domain::BarSeries) -> (Vec<(UtcNanos, AccountAction)>, f64) {
    let Some(folder) = real_data_dir() else {
        return (Vec::new(), f64::NAN);
    };
    let path = folder.join("corporate_actions/lean_factor_files").join(file);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_path(path)
        .unwrap();
    let rows: Vec<(UtcNanos, [f64; 3])> = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let date = format!("{}-{}-{}", &record[0][..4], &record[0][4..6], &record[0][6..]);
            let numbers = [1, 2, 3].map(|column| record[column].parse().unwrap());
            // The last instant of the day.
            (
                date.parse::<UtcNanos>()
                    .unwrap()
                    .saturating_add(86_399_999_999_999),
                numbers,
            )
        })
        .collect();
    let view = bars.view();
    let mut events = Vec::new();
    for pair in rows.windows(2) {
        let (date, [price, split_factor, reference]) = pair[0];
        let [next_price, next_split, _] = pair[1].1;
        let ex = view.open_time.partition_point(|open| *open <= date);
        if ex == 0 || ex == view.len() {
            continue;
        }
        let amount = reference * (1.0 - price / next_price);
        if amount > 1e-4 {
            let per_share = Decimal::from_f64_retain(amount).unwrap().round_dp(6);
            events.push((
                view.open_time[ex],
                AccountAction::Dividend {
                    per_share: Price::new(per_share),
                },
            ));
        }
        let ratio = next_split / split_factor;
        if (ratio - 1.0).abs() > 1e-3 {
            events.push((view.open_time[ex], split(ratio.round() as u32, 1)));
        }
    }
    let adjusted = |index: usize| {
        let row = rows
            .iter()
            .find(|(date, _)| *date >= view.open_time[index])
            .unwrap();
        view.close[index] * row.1[0] * row.1[1]
    };
    (events, adjusted(view.len() - 1) / adjusted(0))
}

#[test]
fn raw_prices_with_actions_earn_what_adjusted_prices_do() {
    for (symbol, file, splits) in [("SPY", "spy", 0), ("AAPL", "aapl", 4)] {
        let Some(rows) = rows(&format!("equities/us_daily_raw_lean/{file}_1d.csv.gz")) else {
            return;
        };
        let bars = daily(&rows);
        let (actions, adjusted) = factor_events(&format!("{file}.csv"), &bars);
        let market = market(
            &[(symbol, sextant_domain::Timeframe::D1, bars)],
            Decimal::new(1, 2),
        );
        let mut account = listed(&actions);
        if let CorporateActions::Listed { covered, due } = &mut account.corporate_actions {
            *covered = BTreeSet::from([symbol.to_owned()]);
            due.iter_mut().for_each(|one| one.symbol = symbol.to_owned());
        }
        // All in at the first close, and dividends back in at the close of the ex-date.
        let always: Vec<_> = (0..market.series()[0].bars.len())
            .map(|step| (step, Wish::Target(1.0)))
            .collect();
        let setup = Setup {
            fills: FillConvention::SameClose,
            ..setup("100000000", account)
        };
        let (outcome, recorder) = setup
            .run(&market, vec![Box::new(Script::new("holder", symbol, &always))])
            .unwrap();
        let grown = outcome.ledger.exact_equity().unwrap().to_f64() / 1e8;
        // Reinvested at the close of the ex-date instead of the one before: the difference is about the mean of the
        // returns of ex-dates times the dividend yield.
        assert!(
            (grown / adjusted - 1.0).abs() < 2e-3,
            "{symbol}: {grown} against {adjusted}"
        );
        assert_eq!(recorder.splits.len(), splits);
        assert!(recorder.cash_events.len() > 10);
    }
}
