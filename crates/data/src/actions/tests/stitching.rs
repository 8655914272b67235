//! Bars joined across renames, by hand.
#![allow(clippy::unwrap_used)]

use super::{bars, crypto, date, equity, span};
use crate::actions::{Gap, OutsideBars, Overlap, Piece, stitch};

#[test]
fn each_part_counts_within_its_dates() {
    // A has bars of all ten days, B of the last seven; the rename is on the sixth.
    let a = bars(&crypto(), "2020-01-01", &[1.0; 10]);
    let b = bars(&crypto(), "2020-01-04", &[2.0; 7]);
    let history = [
        span("A", "2020-01-01", "2020-01-05"),
        span("B", "2020-01-06", "*"),
    ];
    let joined = stitch(&[("b", &b), ("a", &a)], &history, &crypto()).unwrap();
    assert_eq!(
        joined.bars.view().close,
        [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    );
    let piece = |ticker: &str, first, last| Piece {
        ticker: ticker.to_owned(),
        first: date(first),
        last: date(last),
        bars: 5,
    };
    assert_eq!(
        joined.pieces,
        [
            piece("A", "2020-01-01", "2020-01-05"),
            piece("B", "2020-01-06", "2020-01-10")
        ]
    );
    let outside = |ticker: &str, first, last, bars| OutsideBars {
        ticker: ticker.to_owned(),
        first: date(first),
        last: date(last),
        bars,
    };
    assert_eq!(
        joined.outside,
        [
            outside("B", "2020-01-04", "2020-01-05", 2),
            outside("A", "2020-01-06", "2020-01-10", 5)
        ]
    );
    let overlap = |used: &str, left_out: &str, first, last, bars| Overlap {
        used: used.to_owned(),
        left_out: left_out.to_owned(),
        first: date(first),
        last: date(last),
        bars,
    };
    assert_eq!(
        joined.overlaps,
        [
            overlap("A", "B", "2020-01-04", "2020-01-05", 2),
            overlap("B", "A", "2020-01-06", "2020-01-10", 5)
        ]
    );
    assert_eq!((joined.gaps.len(), joined.missing.len()), (0, 0));
}

#[test]
fn what_is_missing_is_told() {
    // 2020-01-06 is a Monday; A ends on Tuesday, B begins on Friday, C never comes.
    let a = bars(&equity(), "2020-01-06", &[1.0; 2]);
    let b = bars(&equity(), "2020-01-10", &[2.0; 2]);
    let history = [
        span("A", "2020-01-02", "2020-01-08"),
        span("B", "2020-01-09", "2020-01-14"),
        span("C", "2020-01-15", "2020-01-16"),
    ];
    let joined = stitch(&[("A", &a), ("B", &b)], &history, &equity()).unwrap();
    let gap = |ticker: &str, first, last, sessions| Gap {
        ticker: ticker.to_owned(),
        first: date(first),
        last: date(last),
        sessions,
    };
    assert_eq!(
        joined.gaps,
        [
            gap("A", "2020-01-02", "2020-01-03", 2),
            gap("A", "2020-01-08", "2020-01-08", 1),
            gap("B", "2020-01-09", "2020-01-09", 1),
            gap("B", "2020-01-14", "2020-01-14", 1),
            gap("C", "2020-01-15", "2020-01-16", 2),
        ]
    );
    assert_eq!(joined.missing, ["C"]);
    assert_eq!(joined.bars.len(), 4);
}

#[test]
fn a_ticker_can_come_back() {
    let x = bars(&crypto(), "2020-01-01", &[1.0; 9]);
    let y = bars(&crypto(), "2020-01-01", &[2.0; 9]);
    let history = [
        span("X", "*", "2020-01-03"),
        span("Y", "2020-01-04", "2020-01-06"),
        span("X", "2020-01-07", "*"),
    ];
    let joined = stitch(&[("X", &x), ("Y", &y)], &history, &crypto()).unwrap();
    assert_eq!(
        joined.bars.view().close,
        [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0]
    );
    assert_eq!(joined.pieces.len(), 3);
    let alone = stitch(&[("X", &x)], &history, &crypto()).unwrap();
    assert_eq!(alone.missing, ["Y"]);
    assert_eq!(
        (
            alone.gaps.len(),
            alone.gaps[0].ticker.as_str(),
            alone.gaps[0].sessions
        ),
        (1, "Y", 3)
    );
}

#[test]
fn parts_that_do_not_belong_are_refused() {
    let a = bars(&crypto(), "2020-01-01", &[1.0; 3]);
    let history = [
        span("A", "2020-01-01", "2020-01-05"),
        span("B", "2020-01-06", "*"),
    ];
    let backwards = [history[1].clone(), history[0].clone()];
    for (message, expected) in [
        (
            stitch(&[("C", &a)], &history, &crypto()),
            "parts: found `C`; allowed: bars of the security's tickers: A, B",
        ),
        (
            stitch(&[("A", &a), ("a", &a)], &history, &crypto()),
            "parts: found `a`; allowed: each ticker once",
        ),
        (
            stitch(&[("B", &a)], &history, &crypto()),
            "no bar of B within the dates of its ticker",
        ),
        (stitch(&[], &history, &crypto()), "no bar of nothing within"),
        (
            stitch(&[("A", &a)], &backwards, &crypto()),
            "history: found `B from 2020-01-06 on, A from",
        ),
        (stitch(&[("A", &a)], &[], &crypto()), "history: found `nothing`"),
    ] {
        let message = message.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}
