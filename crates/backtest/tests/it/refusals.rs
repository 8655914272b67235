//! Requests that make no sense: each is refused, a row with its code says why, and the run goes on.

use sextant_domain::{
    InstrumentId, InstrumentRef, Intents, InterventionAction, OrderRequest, OrderSize, Quantity, Requirements,
};

use crate::fixture::Setup;
use crate::orders::{Run, days, run};

type Exit = fn(InstrumentRef, OrderSize, f64) -> OrderRequest;

const CALM: [f64; 4] = [100.0, 101.0, 99.0, 100.0];

fn units(count: i64) -> OrderSize {
    OrderSize::Units(Quantity::new(count.into()))
}

/// An instrument that the model did not ask for.
fn stranger() -> InstrumentRef {
    let mut needs = Requirements::new();
    needs.trade("ACME");
    needs.trade("STRANGER")
}

/// A request on the first day, and a good one on the second.
fn after(make: impl Fn(InstrumentRef, &mut Intents) + Send + 'static) -> Run {
    run(
        &Setup::plain("100000"),
        &days(&[CALM; 4]),
        move |decision, acme, out| match decision {
            0 => make(acme, out),
            1 => drop(out.order(OrderRequest::market(acme, units(1)))),
            _ => {}
        },
    )
}

/// The rows of a run, and that the good order has filled after them.
fn rows(run: &Run) -> Vec<(&'static str, Option<usize>, &str)> {
    assert_eq!(run.recorder.fills.len(), 1, "the run goes on");
    assert_eq!(run.recorder.orders.len(), 1, "nothing else was sent");
    let first = run.recorder.equity[0].0;
    let rows = run.recorder.interventions.iter().map(|(time, row)| {
        assert_eq!((*time, row.action), (first, InterventionAction::Refuse));
        (
            row.rule,
            row.instrument.map(InstrumentId::index),
            row.reason.as_str(),
        )
    });
    rows.collect()
}

#[test]
fn an_unknown_instrument() {
    let run = after(|_, out| {
        out.order(OrderRequest::market(stranger(), units(1)));
    });
    let [(code, instrument, reason)] = rows(&run)[..] else {
        panic!("{:?}", run.recorder.interventions);
    };
    assert_eq!((code, instrument), ("unknown_instrument", None));
    assert!(reason.starts_with("request 0: "), "{reason}");
}

#[test]
fn sizes_of_zero_of_nothing_and_of_less_than_a_lot() {
    let run = after(|acme, out| {
        out.order(OrderRequest::market(acme, units(0)));
        out.order(OrderRequest::market(acme, OrderSize::EquityFraction(f64::NAN)));
        out.order(OrderRequest::market(acme, OrderSize::EquityFraction(0.0)));
        let half = OrderSize::Units(Quantity::new("0.5".parse().unwrap()));
        out.order(OrderRequest::market(acme, half));
    });
    assert_eq!(
        rows(&run),
        [
            ("zero_size", Some(0), "request 0: the size is zero"),
            ("not_a_number", Some(0), "request 1: the size is NaN of equity"),
            ("zero_size", Some(0), "request 2: the size is zero"),
            ("lot_size", Some(0), "request 3: 0.5 is less than one lot of 1"),
        ]
    );
}

#[test]
fn a_limit_on_the_wrong_side_of_its_stop() {
    let run = after(|acme, out| {
        out.order(OrderRequest::stop_limit(acme, units(1), 100.0, 99.0));
        out.order(OrderRequest::stop_limit(acme, units(-1), 100.0, 101.0));
    });
    assert_eq!(
        rows(&run),
        [
            (
                "limit_beyond_stop",
                Some(0),
                "request 0: the limit of a buy is 99; it must be at or above the stop of 100"
            ),
            (
                "limit_beyond_stop",
                Some(0),
                "request 1: the limit of a sell is 101; it must be at or below the stop of 100"
            ),
        ]
    );
}

#[test]
fn a_bracket_whose_exits_do_not_match_is_refused_whole() {
    // An exit on the side of the entry, and one on the wrong side of its price.
    for (exit, words) in [
        (
            OrderRequest::stop as Exit,
            "an exit of a buy entry must be on the other side",
        ),
        (
            |acme, _, price| OrderRequest::limit(acme, units(-5), price),
            "the limit at 90 of a buy entry lies on the wrong side of the entry at 100",
        ),
    ] {
        let run = after(move |acme, out| {
            out.bracket(
                OrderRequest::limit(acme, units(5), 100.0),
                &[exit(acme, units(5), 90.0)],
            );
        });
        let expected = [0, 1].map(|index| format!("request {index}: {words}"));
        let expected: Vec<_> = expected
            .iter()
            .map(|words| ("exits_do_not_match", Some(0), words.as_str()))
            .collect();
        assert_eq!(rows(&run), expected);
    }
}

#[test]
fn a_child_larger_than_its_parent_is_refused_with_it() {
    let run = after(|acme, out| {
        out.bracket(
            OrderRequest::market(acme, units(10)),
            &[OrderRequest::limit(acme, units(-11), 110.0)],
        );
    });
    let words = "the exit trades -11, but its entry only 10";
    assert_eq!(
        rows(&run),
        [
            (
                "exit_larger_than_entry",
                Some(0),
                format!("request 0: {words}").as_str()
            ),
            (
                "exit_larger_than_entry",
                Some(0),
                format!("request 1: {words}").as_str()
            ),
        ]
    );
}
