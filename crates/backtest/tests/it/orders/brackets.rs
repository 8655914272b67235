//! Orders that hang together, and stops that follow.

use sextant_backtest::{ExitActivation, IntrabarRule};
use sextant_domain::{
    EndReason, Offset, OrderChange, OrderKind, OrderRef, OrderRequest, OrderSize, TimeInForce,
};
use sextant_engine::Scope;

use super::{CALM, days, fill, run, units};
use crate::fixture::Setup;

#[test]
fn a_gap_through_a_protective_stop_fills_at_the_open() {
    let market = days(&[CALM, CALM, [80.0, 85.0, 79.0, 84.0], CALM]);
    let run = run(&Setup::plain("100000"), &market, |decision, acme, out| {
        if decision == 0 {
            let stop = OrderRequest::stop(acme, OrderSize::EntryFill, 95.0);
            out.bracket(OrderRequest::market(acme, units(10)), &[stop]);
        }
    });
    assert_eq!(run.fills(&market), [fill(1, "10", "100"), fill(2, "-10", "80")]);
}

#[test]
fn brackets_take_profit_or_stop_by_the_intrabar_rule() {
    // Entry at the open of bar 1 at 100; bar 1 reaches both 95 and 105.
    let market = days(&[CALM, [100.0, 106.0, 94.0, 101.0], CALM]);
    for (rule, price, ended) in [
        (IntrabarRule::Pessimistic, "95", EndReason::PeerFilled),
        (IntrabarRule::Optimistic, "105", EndReason::PeerFilled),
        (IntrabarRule::HighFirst, "105", EndReason::PeerFilled),
        (IntrabarRule::LowFirst, "95", EndReason::PeerFilled),
    ] {
        let setup = Setup {
            intrabar: rule,
            ..Setup::plain("100000")
        };
        let run = run(&setup, &market, |decision, acme, out| {
            if decision == 0 {
                let stop = OrderRequest::stop(acme, OrderSize::EntryFill, 95.0);
                let target = OrderRequest::limit(acme, OrderSize::EntryFill, 105.0);
                out.bracket(OrderRequest::market(acme, units(10)), &[stop, target]);
            }
        });
        assert_eq!(
            run.fills(&market),
            [fill(1, "10", "100"), fill(1, "-10", price)],
            "{}",
            rule.name()
        );
        assert_eq!(run.ends(), [ended], "{}", rule.name());
        assert_eq!(run.outcome.ledger.book(Scope::Portfolio).trades().len(), 1);
    }
}

#[test]
fn exits_of_an_entry_inside_a_bar_are_live_at_once_or_with_the_next_bar() {
    // The stop entry at 103 fills inside bar 1, whose low is below the exit's stop; bar 2 opens below it.
    let market = days(&[CALM, [100.0, 106.0, 94.0, 104.0], [90.0, 92.0, 88.0, 91.0], CALM]);
    for (exits, bar, price) in [
        (ExitActivation::AtOnce, 1, "95"),
        (ExitActivation::NextBar, 2, "90"),
    ] {
        let setup = Setup {
            exits,
            ..Setup::plain("100000")
        };
        let run = run(&setup, &market, |decision, acme, out| {
            if decision == 0 {
                let stop = OrderRequest::stop(acme, OrderSize::EntryFill, 95.0);
                out.bracket(OrderRequest::stop(acme, units(10), 103.0), &[stop]);
            }
        });
        assert_eq!(
            run.fills(&market),
            [fill(1, "10", "103"), fill(bar, "-10", price)]
        );
    }
}

#[test]
fn exits_end_with_an_entry_that_never_fills() {
    let market = days(&[CALM, CALM, CALM, CALM]);
    let run = run(&Setup::plain("100000"), &market, |decision, acme, out| {
        if decision == 0 {
            let entry = OrderRequest::limit(acme, units(10), 90.0).time_in_force(TimeInForce::Day);
            out.bracket(entry, &[OrderRequest::stop(acme, OrderSize::EntryFill, 85.0)]);
        }
    });
    assert!(run.recorder.fills.is_empty());
    assert_eq!(run.ends(), [EndReason::Expired, EndReason::EntryEnded]);
}

#[test]
fn one_cancels_the_other() {
    let market = days(&[CALM, [100.0, 106.0, 99.0, 105.0], [90.0, 92.0, 88.0, 91.0], CALM]);
    let run = run(&Setup::plain("100000"), &market, |decision, acme, out| {
        if decision == 0 {
            out.one_cancels_other(&[
                OrderRequest::stop(acme, units(10), 105.0),
                OrderRequest::limit(acme, units(10), 95.0),
            ]);
        }
    });
    assert_eq!(run.fills(&market), [fill(1, "10", "105")]);
    assert_eq!(run.ends(), [EndReason::PeerFilled]);
}

#[test]
fn trailing_stops_follow_the_best_price() {
    let market = days(&[
        CALM,
        [100.0, 104.0, 99.5, 103.0],
        [108.0, 112.0, 107.5, 111.0],
        // The best price is 112, so the stop hangs at 107.
        [110.0, 111.0, 106.0, 108.0],
        CALM,
    ]);
    for (trail, price) in [(Offset::Distance(5.0), "107"), (Offset::Fraction(0.0625), "105")] {
        let run = run(&Setup::plain("100000"), &market, move |decision, acme, out| {
            if decision == 0 {
                let stop = OrderRequest::trailing_stop(acme, OrderSize::EntryFill, trail);
                out.bracket(OrderRequest::market(acme, units(10)), &[stop]);
            }
        });
        let expected = if price == "107" {
            vec![fill(1, "10", "100"), fill(3, "-10", "107")]
        } else {
            // 6.25 % below 112 is 105, which bar 3 does not reach; bar 4 opens below it.
            vec![fill(1, "10", "100"), fill(4, "-10", "100")]
        };
        assert_eq!(run.fills(&market), expected);
    }
}

#[test]
fn a_trailing_stop_at_another_distance_follows_on() {
    let market = days(&[
        CALM,
        [100.0, 104.0, 99.5, 103.0],
        [108.0, 112.0, 107.5, 111.0],
        // Opens below the activation; the new distance hangs the stop at 112 - 4 = 108.
        [109.0, 109.5, 106.0, 108.0],
        CALM,
    ]);
    for (old, new, price) in [
        (None, None, "108"),
        (Some(110.0), Some(110.0), "108"),
        // What is active stays so without an activation.
        (Some(110.0), None, "108"),
        // What is not begins at the last close of 111, as with another activation: 111 - 4 = 107.
        (Some(120.0), None, "107"),
        (Some(110.0), Some(105.0), "107"),
    ] {
        let trailing = |activation, distance| OrderKind::TrailingStop {
            trail: Offset::Distance(distance),
            activation,
        };
        let run = run(
            &Setup::plain("100000"),
            &market,
            move |decision, acme, out| match decision {
                0 => {
                    let exit = OrderRequest {
                        kind: trailing(old, 5.0),
                        ..OrderRequest::market(acme, OrderSize::EntryFill)
                    };
                    out.bracket(OrderRequest::market(acme, units(10)), &[exit]);
                }
                2 => out.modify(
                    OrderRef::from_index(1),
                    OrderChange {
                        size: None,
                        kind: Some(trailing(new, 4.0)),
                    },
                ),
                _ => {}
            },
        );
        assert_eq!(
            run.fills(&market),
            [fill(1, "10", "100"), fill(3, "-10", price)],
            "{old:?} to {new:?}"
        );
    }
}

#[test]
fn an_activation_that_the_last_close_has_reached_is_not_waited_for() {
    let market = days(&[
        CALM,
        [100.0, 106.0, 99.5, 105.0],
        // Three below 105 are 102.
        [102.5, 102.8, 101.0, 102.5],
        CALM,
    ]);
    for size in [units(-10), OrderSize::ClosePosition] {
        let run = run(
            &Setup::plain("100000"),
            &market,
            move |decision, acme, out| match decision {
                0 => {
                    out.order(OrderRequest::market(acme, units(10)));
                }
                1 => {
                    let trail = Offset::Distance(3.0);
                    out.order(OrderRequest::trailing_stop_from(acme, size, trail, 103.0));
                }
                _ => {}
            },
        );
        assert_eq!(
            run.fills(&market),
            [fill(1, "10", "100"), fill(2, "-10", "102")],
            "{size:?}"
        );
    }
}

#[test]
fn a_trailing_stop_follows_beyond_limits_of_the_other_side() {
    let market = days(&[
        CALM,
        [100.0, 105.0, 99.5, 105.0],
        // The stop hangs at 102 and may come to 107.
        [105.0, 110.0, 104.0, 106.0],
        CALM,
    ]);
    for (intrabar, price) in [
        (IntrabarRule::Pessimistic, "104"),
        (IntrabarRule::Optimistic, "107"),
    ] {
        let setup = Setup {
            intrabar,
            ..Setup::plain("100000")
        };
        let run = run(&setup, &market, |decision, acme, out| match decision {
            0 => {
                out.order(OrderRequest::market(acme, units(10)));
            }
            1 => {
                out.one_cancels_other(&[
                    OrderRequest::trailing_stop(acme, units(-10), Offset::Distance(3.0)),
                    OrderRequest::limit(acme, units(10), 95.0),
                ]);
            }
            _ => {}
        });
        assert_eq!(
            run.fills(&market),
            [fill(1, "10", "100"), fill(2, "-10", price)],
            "{}",
            intrabar.name()
        );
    }
}
