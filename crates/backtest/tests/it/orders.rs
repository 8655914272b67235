//! Orders that wait for a price, a moment or an entry: small runs whose every fill is known by hand.

use std::sync::{Arc, Mutex};

use sextant_backtest::{FillConvention, Recorder, RunOutcome};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    EndReason, InstrumentRef, Intents, MarketData, MarketView, NoticeKind, OrderChange, OrderKind, OrderRef,
    OrderRequest, OrderSize, Quantity, Requirements, TimeInForce, Timeframe,
};
use sextant_testkit::{MarketBuilder, bars};

use crate::fixture::{Rule, Setup};

mod brackets;

type Act = dyn FnMut(usize, InstrumentRef, &mut Intents) + Send;

/// Does what a test says at each decision, counted from zero, and writes down what it is told.
struct Scripted {
    needs: Requirements,
    instrument: InstrumentRef,
    decision: usize,
    act: Box<Act>,
    told: Arc<Mutex<Vec<(usize, OrderRef, NoticeKind)>>>,
}

impl Model for Scripted {
    fn id(&self) -> &str {
        "Scripted"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let notices = view
            .notices()
            .iter()
            .map(|one| (self.decision, one.order, one.kind));
        self.told.lock().unwrap().extend(notices);
        (self.act)(self.decision, self.instrument, out);
        self.decision += 1;
        Ok(())
    }
}

pub(crate) struct Run {
    pub(crate) outcome: RunOutcome,
    pub(crate) recorder: Recorder,
    told: Vec<(usize, OrderRef, NoticeKind)>,
}

impl Run {
    /// Index of the bar, signed quantity and price of every fill.
    pub(crate) fn fills(&self, market: &MarketData) -> Vec<(usize, String, String)> {
        let bars = market.series()[0].bars.view();
        let fills = self.recorder.fills.iter().map(|fill| {
            let bar = bars.close_time.partition_point(|close| *close < fill.time);
            (bar, fill.quantity.to_string(), fill.price.to_string())
        });
        fills.collect()
    }

    pub(crate) fn ends(&self) -> Vec<EndReason> {
        let ends = self.told.iter().filter_map(|(_, _, kind)| match kind {
            NoticeKind::Ended(reason) => Some(*reason),
            _ => None,
        });
        ends.collect()
    }

    fn refusals(&self) -> Vec<&'static str> {
        let refusals = self.told.iter().filter_map(|(_, _, kind)| match kind {
            NoticeKind::Refused(code) => Some(*code),
            _ => None,
        });
        refusals.collect()
    }
}

pub(crate) fn run(
    setup: &Setup,
    market: &MarketData,
    act: impl FnMut(usize, InstrumentRef, &mut Intents) + Send + 'static,
) -> Run {
    let mut needs = Requirements::new();
    let instrument = needs.trade("ACME");
    let told = Arc::new(Mutex::new(Vec::new()));
    let model = Scripted {
        needs,
        instrument,
        decision: 0,
        act: Box::new(act),
        told: Arc::clone(&told),
    };
    let (outcome, recorder) = setup.run(market, vec![Box::new(model)]).unwrap();
    let told = told.lock().unwrap().clone();
    Run {
        outcome,
        recorder,
        told,
    }
}

/// Daily bars from open, high, low, close.
pub(crate) fn days(prices: &[[f64; 4]]) -> MarketData {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), prices.len());
    MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .bars(
            "ACME",
            Timeframe::D1,
            bars::from_fn(&spans, |index| prices[index]),
        )
        .build()
}

fn units(count: i64) -> OrderSize {
    OrderSize::Units(Quantity::new(count.into()))
}

fn fill(bar: usize, quantity: &str, price: &str) -> (usize, String, String) {
    (bar, quantity.to_owned(), price.to_owned())
}

const CALM: [f64; 4] = [100.0, 101.0, 99.0, 100.0];

#[test]
fn each_kind_of_order_fills_at_its_price() {
    let falls = days(&[CALM, [98.0, 99.0, 90.0, 91.0], CALM]);
    let gaps_down = days(&[CALM, [92.0, 93.0, 90.0, 91.0], CALM]);
    let rises = days(&[CALM, [102.0, 110.0, 101.0, 109.0], CALM]);
    let gaps_up = days(&[CALM, [108.0, 110.0, 107.0, 109.0], CALM]);
    for (name, market, request, expected) in [
        (
            "limit buy inside",
            &falls,
            OrderKind::Limit { limit: 95.0 },
            Some((1, "10", "95")),
        ),
        (
            "limit buy through at the open",
            &gaps_down,
            OrderKind::Limit { limit: 95.0 },
            Some((1, "10", "92")),
        ),
        (
            "limit buy not reached",
            &falls,
            OrderKind::Limit { limit: 89.0 },
            None,
        ),
        (
            "limit buy touched only",
            &falls,
            OrderKind::Limit { limit: 90.0 },
            None,
        ),
        (
            "stop buy inside",
            &rises,
            OrderKind::Stop { stop: 105.0 },
            Some((1, "10", "105")),
        ),
        (
            "stop buy through at the open",
            &gaps_up,
            OrderKind::Stop { stop: 105.0 },
            Some((1, "10", "108")),
        ),
        (
            "stop limit inside",
            &rises,
            OrderKind::StopLimit {
                stop: 105.0,
                limit: 106.0,
            },
            Some((1, "10", "105")),
        ),
        (
            // The stop is through at the open, the limit below it; the bar comes back to 107 only.
            "stop limit with a gap beyond the limit",
            &gaps_up,
            OrderKind::StopLimit {
                stop: 105.0,
                limit: 106.0,
            },
            Some((2, "10", "100")),
        ),
        (
            "on the open",
            &rises,
            OrderKind::MarketOnOpen,
            Some((1, "10", "102")),
        ),
        (
            "on the close",
            &rises,
            OrderKind::MarketOnClose,
            Some((1, "10", "109")),
        ),
        ("market", &rises, OrderKind::Market, Some((1, "10", "102"))),
    ] {
        let run = run(&Setup::plain("100000"), market, move |decision, acme, out| {
            if decision == 0 {
                out.order(OrderRequest {
                    kind: request,
                    ..OrderRequest::market(acme, units(10))
                });
            }
        });
        let expected: Vec<_> = expected
            .iter()
            .map(|(bar, quantity, price)| fill(*bar, quantity, price))
            .collect();
        assert_eq!(run.fills(market), expected, "{name}");
    }
}

#[test]
fn time_in_force_ends_orders() {
    let market = days(&[CALM, CALM, [94.0, 96.0, 93.0, 95.0], CALM]);
    for (time_in_force, expected, ends) in [
        (TimeInForce::GoodTilCancelled, vec![fill(2, "10", "94")], vec![]),
        (TimeInForce::Day, vec![], vec![EndReason::Expired]),
        (TimeInForce::ImmediateOrCancel, vec![], vec![EndReason::NotFilled]),
        (TimeInForce::FillOrKill, vec![], vec![EndReason::NotFilled]),
    ] {
        let run = run(&Setup::plain("100000"), &market, move |decision, acme, out| {
            if decision == 0 {
                out.order(OrderRequest::limit(acme, units(10), 95.0).time_in_force(time_in_force));
            }
        });
        assert_eq!(run.fills(&market), expected, "{time_in_force:?}");
        assert_eq!(run.ends(), ends, "{time_in_force:?}");
    }
}

#[test]
fn the_end_of_a_day_order_is_told_on_its_day() {
    let market = days(&[CALM; 4]);
    let run = run(&Setup::plain("100000"), &market, |decision, acme, out| {
        if decision == 0 {
            out.order(OrderRequest::limit(acme, units(10), 90.0).time_in_force(TimeInForce::Day));
        }
    });
    // Decided on bar 0, in the market on bar 1.
    let told: Vec<_> = run
        .told
        .iter()
        .map(|(decision, _, kind)| (*decision, *kind))
        .collect();
    assert_eq!(told, [(1, NoticeKind::Ended(EndReason::Expired))]);
}

#[test]
fn the_fee_of_a_limit_order_is_of_the_price_it_pays() {
    let market = days(&[CALM, [95.0, 96.0, 94.0, 95.0], CALM]);
    let setup = Setup {
        commission_bps: "100",
        slippage_bps: "100",
        ..Setup::plain("100000")
    };
    let run = run(&setup, &market, |decision, acme, out| {
        if decision == 0 {
            out.order(OrderRequest::limit(acme, units(10), 95.5));
        }
    });
    // 95 and one per cent of slippage would be 95.95; the limit stops it, and the fee is one per cent of 10 x 95.5.
    assert_eq!(run.fills(&market), [fill(1, "10", "95.5")]);
    assert_eq!(run.recorder.fills[0].fee.to_string(), "9.55");
}

#[test]
fn a_participation_cap_spreads_an_order_over_bars() {
    // Every bar of the builder has a volume of 1,000 shares.
    let market = days(&[CALM; 6]);
    let volume = market.series()[0].bars.view().volume[1];
    let cap = 0.01;
    let per_bar = (volume * cap).floor() as i64;
    let size = per_bar * 2 + per_bar / 2;
    for (time_in_force, expected) in [
        (TimeInForce::GoodTilCancelled, vec![per_bar, per_bar, per_bar / 2]),
        (TimeInForce::ImmediateOrCancel, vec![per_bar]),
        (TimeInForce::FillOrKill, vec![]),
    ] {
        let setup = Setup {
            participation: Some("0.01"),
            ..Setup::plain("100000000")
        };
        let run = run(&setup, &market, move |decision, acme, out| {
            if decision == 0 {
                out.order(OrderRequest::market(acme, units(size)).time_in_force(time_in_force));
            }
        });
        let quantities: Vec<_> = run
            .recorder
            .fills
            .iter()
            .map(|one| one.quantity.to_f64() as i64)
            .collect();
        assert_eq!(quantities, expected, "{time_in_force:?}");
    }
}

#[test]
fn latency_moves_orders_to_later_bars() {
    let market = days(&[CALM, CALM, [103.0, 104.0, 102.0, 103.0], CALM]);
    let setup = Setup {
        latency_bars: 1,
        ..Setup::plain("100000")
    };
    let run = run(&setup, &market, |decision, acme, out| {
        if decision == 0 {
            out.order(OrderRequest::market(acme, units(10)));
        }
    });
    assert_eq!(run.fills(&market), [fill(2, "10", "103")]);
}

#[test]
fn conventions_name_the_price_of_market_orders() {
    let market = days(&[CALM, [102.0, 110.0, 101.0, 109.0], CALM]);
    for (fills, expected) in [
        (FillConvention::NextOpen, fill(1, "10", "102")),
        (FillConvention::SameClose, fill(0, "10", "100")),
        (FillConvention::NextClose, fill(1, "10", "109")),
        // (110 + 101 + 109) / 3 on the tick.
        (FillConvention::NextTypical, fill(1, "10", "106.67")),
    ] {
        let setup = Setup {
            fills,
            ..Setup::plain("100000")
        };
        let run = run(&setup, &market, |decision, acme, out| {
            if decision == 0 {
                out.order(OrderRequest::market(acme, units(10)));
            }
        });
        assert_eq!(run.fills(&market), [expected], "{}", fills.name());
    }
}

#[test]
fn orders_are_cancelled_and_changed() {
    let market = days(&[CALM, CALM, CALM, [94.0, 96.0, 93.0, 95.0], CALM]);
    let cancelled = run(
        &Setup::plain("100000"),
        &market,
        |decision, acme, out| match decision {
            0 => drop(out.order(OrderRequest::limit(acme, units(10), 95.0))),
            1 => out.cancel(OrderRef::from_index(0)),
            _ => {}
        },
    );
    assert!(cancelled.recorder.fills.is_empty());
    assert_eq!(cancelled.ends(), [EndReason::Cancelled]);

    let changed = run(
        &Setup::plain("100000"),
        &market,
        |decision, acme, out| match decision {
            0 => drop(out.order(OrderRequest::limit(acme, units(10), 95.0))),
            1 => out.modify(
                OrderRef::from_index(0),
                OrderChange {
                    size: Some(units(4)),
                    kind: Some(OrderKind::Limit { limit: 99.5 }),
                },
            ),
            _ => {}
        },
    );
    assert_eq!(changed.fills(&market), [fill(2, "4", "99.5")]);
}

#[test]
fn an_order_that_is_changed_every_day_ends_with_its_market() {
    let start = bars::instant("2020-01-06");
    let market = MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .equity("OTHER", Timeframe::D1)
        .random("ACME", Timeframe::D1, &bars::daily_sessions(start, 5), 1)
        .random("OTHER", Timeframe::D1, &bars::daily_sessions(start, 60), 2)
        .build();
    let mut needs = Requirements::new();
    let acme = needs.trade("ACME");
    let other = needs.series("OTHER", Timeframe::D1);
    needs.decide_on(other);
    let ends = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&ends);
    let mut cents = 100;
    let decide = move |view: &MarketView<'_>, out: &mut Intents| {
        let limit = f64::from(cents) / 100.0;
        match cents {
            100 => drop(out.order(OrderRequest::limit(acme, units(1), limit))),
            _ => out.modify(
                OrderRef::from_index(0),
                OrderChange {
                    size: None,
                    kind: Some(OrderKind::Limit { limit }),
                },
            ),
        }
        cents += 1;
        told.lock()
            .unwrap()
            .extend(view.notices().iter().map(|one| one.kind));
    };
    let name = "Daily";
    let model = Rule { name, needs, decide };
    Setup::plain("1000").run(&market, vec![Box::new(model)]).unwrap();
    assert_eq!(*ends.lock().unwrap(), [NoticeKind::Ended(EndReason::NoMarket)]);
}

#[test]
fn reduce_only_orders_never_open_a_position() {
    let market = days(&[CALM; 5]);
    let run = run(
        &Setup::plain("100000"),
        &market,
        |decision, acme, out| match decision {
            0 => drop(out.order(OrderRequest::market(acme, units(-5)).reduce_only())),
            1 => drop(out.order(OrderRequest::market(acme, units(3)))),
            2 => drop(out.order(OrderRequest::market(acme, units(-5)).reduce_only())),
            _ => {}
        },
    );
    assert_eq!(run.fills(&market), [fill(2, "3", "100"), fill(3, "-3", "100")]);
    assert_eq!(run.ends(), [EndReason::NothingToTrade]);
}

#[test]
fn malformed_requests_are_refused_by_code_and_the_run_goes_on() {
    let market = days(&[CALM; 4]);
    let run = run(&Setup::plain("100000"), &market, |decision, acme, out| {
        let sell = OrderRequest::limit(acme, units(-11), 110.0);
        match decision {
            0 => {
                out.order(OrderRequest::market(acme, units(0)));
                out.order(OrderRequest::market(acme, OrderSize::EquityFraction(f64::NAN)));
                out.order(OrderRequest::limit(acme, units(1), f64::NAN));
                out.order(OrderRequest::stop_limit(acme, units(1), 100.0, 99.0));
                out.bracket(OrderRequest::market(acme, units(10)), &[sell]);
                out.bracket(
                    OrderRequest::market(acme, units(10)),
                    &[OrderRequest::stop(acme, units(5), 90.0)],
                );
                out.cancel(OrderRef::from_index(99));
            }
            1 => drop(out.order(OrderRequest::market(acme, units(1)))),
            _ => {}
        }
    });
    assert_eq!(
        run.refusals(),
        [
            "zero_size",
            "not_a_number",
            "not_a_number",
            "limit_beyond_stop",
            "exit_larger_than_entry",
            "exit_larger_than_entry",
            "exits_do_not_match",
            "exits_do_not_match",
            "unknown_order",
        ]
    );
    assert_eq!(run.fills(&market), [fill(2, "1", "100")]);
}
