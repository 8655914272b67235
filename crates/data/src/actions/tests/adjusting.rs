//! Adjusted series and cash, by hand.
#![allow(clippy::unwrap_used)]

use sextant_domain::BarSeries;

use super::{bars, crypto, date, equity};
use crate::actions::{
    ActionKind, Adjusted, AdjustmentEngine, AdjustmentMode, CashDividend, CorporateAction, EventList,
    FactorFile, ReferenceDoubt, is_same_adjustment,
};

const BOTH: AdjustmentMode = AdjustmentMode::SplitsAndDividends;
const SPLITS: AdjustmentMode = AdjustmentMode::Splits;

fn split(ex_date: &str, new_per_old: f64) -> CorporateAction {
    let kind = ActionKind::Split { new_per_old };
    CorporateAction {
        ex_date: date(ex_date),
        kind,
    }
}

fn dividend(ex_date: &str, amount: f64) -> CorporateAction {
    let kind = ActionKind::CashDividend {
        amount,
        reference_close: None,
    };
    CorporateAction {
        ex_date: date(ex_date),
        kind,
    }
}

/// Every day is a session.
fn engine(actions: &[CorporateAction]) -> AdjustmentEngine {
    let list = EventList::new("events", actions.iter().copied()).unwrap();
    AdjustmentEngine::from_events(list, crypto())
}

fn closes(adjusted: &Adjusted) -> &[f64] {
    adjusted.bars.view().close
}

/// 2020-01-01 to 2020-01-05: a dividend of 2 on the third, and on the fourth one of 4 and a split of one into two.
fn example() -> AdjustmentEngine {
    engine(&[
        dividend("2020-01-03", 2.0),
        dividend("2020-01-04", 4.0),
        split("2020-01-04", 2.0),
    ])
}

const RAW: [f64; 5] = [20.0, 8.0, 16.0, 6.0, 7.0];

#[test]
fn splits_and_dividends_reach_the_bars_before_their_ex_date() {
    let raw = bars(&crypto(), "2020-01-01", &RAW);
    let adjusted = example().adjusted(&raw, BOTH, date("2020-01-05")).unwrap();
    // 1 - 2 / 8 = 0.75 and 1 - 4 / 16 = 0.75; the split halves.
    assert_eq!(adjusted.adjustment_factor, [0.28125, 0.28125, 0.375, 1.0, 1.0]);
    assert_eq!(closes(&adjusted), [5.625, 2.25, 6.0, 6.0, 7.0]);
    let view = adjusted.bars.view();
    assert_eq!(view.volume, [200.0, 200.0, 200.0, 100.0, 100.0]);
    assert_eq!(
        (view.high[0], view.low[0], view.open[0]),
        (5.625 * 1.25, 5.625 * 0.75, 5.625)
    );
    assert_eq!(
        (view.open_time, view.close_time),
        (raw.view().open_time, raw.view().close_time)
    );
    assert_eq!(
        (adjusted.not_yet_known, adjusted.doubts.as_slice()),
        (0, [].as_slice())
    );
    assert_eq!(
        adjusted.adjustment,
        "splits and dividends by events, as known on 2020-01-05: raw x price factor x split factor"
    );
}

#[test]
fn splits_alone_leave_dividends_in_the_price() {
    let raw = bars(&crypto(), "2020-01-01", &RAW);
    let adjusted = example().adjusted(&raw, SPLITS, date("2020-01-05")).unwrap();
    assert_eq!(adjusted.adjustment_factor, [0.5, 0.5, 0.5, 1.0, 1.0]);
    assert_eq!(adjusted.bars.view().volume, [200.0, 200.0, 200.0, 100.0, 100.0]);
    assert!(
        adjusted
            .adjustment
            .starts_with("splits by events, as known on 2020-01-05: raw x split factor; factors ")
    );
}

#[test]
fn the_same_factors_are_told_by_their_digest() {
    let raw = bars(&crypto(), "2020-01-01", &RAW);
    let later = bars(&crypto(), "2020-01-04", &RAW[3..]);
    let sentence = |events: &[CorporateAction], bars: &BarSeries, mode| {
        let known = engine(events).adjusted(bars, mode, date("2020-01-05"));
        known.unwrap().adjustment
    };
    let halves = [split("2020-01-04", 2.0)];
    let thirds = [split("2020-01-04", 3.0)];
    let more = [halves[0], split("2020-01-06", 5.0)];
    let of_halves = sentence(&halves, &raw, BOTH);
    for (events, expected) in [(&halves[..], true), (&thirds, false), (&more, true)] {
        let found = sentence(events, &later, BOTH);
        assert_eq!(is_same_adjustment(&of_halves, &found), expected, "{found}");
    }
    // A dividend is of a part of a close, and each series has closes of its own.
    let paid = [dividend("2020-01-04", 1.0)];
    let (one, other) = (sentence(&paid, &raw, BOTH), sentence(&paid, &later, BOTH));
    assert!(one == other && !is_same_adjustment(&one, &other), "{one}");
    let splits = sentence(&paid, &raw, SPLITS);
    assert!(is_same_adjustment(&splits, &splits), "{splits}");
}

#[test]
fn a_day_knows_nothing_of_later_days() {
    let raw = bars(&crypto(), "2020-01-01", &RAW);
    for (as_of, factors) in [
        ("2019-12-31", vec![]),
        ("2020-01-02", vec![1.0, 1.0]),
        ("2020-01-03", vec![0.75, 0.75, 1.0]),
        ("2020-01-04", vec![0.28125, 0.28125, 0.375, 1.0]),
        ("2030-01-01", vec![0.28125, 0.28125, 0.375, 1.0, 1.0]),
    ] {
        let adjusted = example().adjusted(&raw, BOTH, date(as_of)).unwrap();
        assert_eq!(adjusted.adjustment_factor, factors, "{as_of}");
        assert_eq!(adjusted.bars.len(), factors.len(), "{as_of}");
        assert_eq!(
            (adjusted.not_yet_known, adjusted.as_of),
            (5 - factors.len(), date(as_of))
        );
    }
}

#[test]
fn an_ex_date_in_a_hole_or_on_a_weekend_counts_from_the_next_bar() {
    let raw = bars(&equity(), "2020-01-02", &[10.0, 10.0, 10.0]);
    let list = EventList::new("events", [split("2020-01-04", 2.0)]).unwrap();
    let weekend = AdjustmentEngine::from_events(list, equity());
    let factors = |as_of| {
        weekend
            .adjusted(&raw, BOTH, date(as_of))
            .unwrap()
            .adjustment_factor
    };
    assert_eq!(factors("2020-01-03"), [1.0, 1.0]);
    assert_eq!(factors("2020-01-04"), [0.5, 0.5]);
    assert_eq!(factors("2020-01-06"), [0.5, 0.5, 1.0]);
}

#[test]
fn factor_files_are_relative_to_the_share_of_the_day() {
    let text = "20200101,0.5,0.25,8\n20200103,0.8,0.5,4\n20501231,1,1,0";
    let factors = FactorFile::read("x.csv", text.as_bytes()).unwrap();
    let engine = AdjustmentEngine::from_factors(&factors, crypto()).unwrap();
    let raw = bars(&crypto(), "2020-01-01", &[8.0; 5]);
    for (mode, as_of, expected) in [
        (BOTH, "2020-01-05", vec![0.125, 0.4, 0.4, 1.0, 1.0]),
        (SPLITS, "2020-01-05", vec![0.25, 0.5, 0.5, 1.0, 1.0]),
        (BOTH, "2020-01-03", vec![0.5 / 0.8 * 0.5, 1.0, 1.0]),
        (SPLITS, "2020-01-03", vec![0.5, 1.0, 1.0]),
        (BOTH, "2020-01-01", vec![1.0]),
        (BOTH, "2019-01-01", vec![]),
    ] {
        let adjusted = engine.adjusted(&raw, mode, date(as_of)).unwrap();
        assert_eq!(adjusted.adjustment_factor, expected, "{mode:?} {as_of}");
    }
    // The close of the third is 8, but the file says 4 (that of the first fits).
    let doubt = ReferenceDoubt::OtherClose {
        ex_date: date("2020-01-04"),
        reference_close: 4.0,
        raw_close: 8.0,
    };
    assert_eq!(
        engine.adjusted(&raw, BOTH, date("2020-01-05")).unwrap().doubts,
        [doubt]
    );
    assert_eq!(
        engine.adjusted(&raw, BOTH, date("2020-01-03")).unwrap().doubts,
        []
    );
}

#[test]
fn bars_after_the_last_row_of_a_factor_file_are_refused() {
    let factors = FactorFile::read("x.csv", "20200102,1,1,0".as_bytes()).unwrap();
    let engine = AdjustmentEngine::from_factors(&factors, crypto()).unwrap();
    let raw = bars(&crypto(), "2020-01-01", &[8.0; 5]);
    assert_eq!(
        engine
            .adjusted(&raw, BOTH, date("2020-01-02"))
            .unwrap()
            .adjustment_factor,
        [1.0, 1.0]
    );
    let message = engine
        .adjusted(&raw, BOTH, date("2020-01-03"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("x.csv: no row covers the session 2020-01-03; the last row is 2020-01-02"),
        "{message}"
    );
}

#[test]
fn a_dividend_that_leaves_nothing_of_the_share_is_refused() {
    let raw = bars(&crypto(), "2020-01-01", &[8.0; 5]);
    let too_much = engine(&[dividend("2020-01-02", 5.0), dividend("2020-01-02", 3.0)]);
    let expected =
        "events: row 2, value: found `8`; allowed: less than 8, the close before the ex-date 2020-01-02";
    let last = date("2020-01-05");
    assert_eq!(
        too_much.adjusted(&raw, BOTH, last).unwrap_err().to_string(),
        expected
    );
    assert_eq!(
        too_much
            .cash_dividends(&raw, date("2020-01-01"), last)
            .unwrap_err()
            .to_string(),
        expected
    );
    assert!(too_much.adjusted(&raw, SPLITS, last).is_ok());
    assert!(too_much.adjusted(&raw, BOTH, date("2020-01-01")).is_ok());
}

#[test]
fn factors_beyond_all_measure_are_refused() {
    let raw = bars(&crypto(), "2020-01-01", &[8.0; 3]);
    let engine = engine(&[split("2020-01-02", 1e300), split("2020-01-03", 1e300)]);
    let message = engine
        .adjusted(&raw, BOTH, date("2020-01-05"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("bars adjusted by events: bar 0"), "{message}");
}

#[test]
fn nothing_to_adjust_is_nothing_adjusted() {
    let none = engine(&[]);
    let raw = bars(&crypto(), "2020-01-01", &[8.0; 3]);
    let adjusted = none.adjusted(&raw, BOTH, date("2020-01-05")).unwrap();
    assert_eq!(
        (adjusted.bars, adjusted.adjustment_factor),
        (raw.clone(), vec![1.0; 3])
    );
    let empty = bars(&crypto(), "2020-01-01", &[]);
    let adjusted = example().adjusted(&empty, BOTH, date("2020-01-05")).unwrap();
    assert!(adjusted.bars.is_empty() && adjusted.adjustment_factor.is_empty());
    // The end of time is everything there is.
    let all = example().adjusted(&raw, BOTH, chrono::NaiveDate::MAX).unwrap();
    assert_eq!((all.bars.len(), all.not_yet_known), (3, 0));
    assert_eq!(
        all.adjustment,
        "splits and dividends by events: raw x price factor x split factor"
    );
    // Events before the first bar reach nothing.
    let early = engine(&[dividend("2020-01-01", 100.0), split("2020-01-01", 2.0)]);
    let adjusted = early.adjusted(&raw, BOTH, date("2020-01-05")).unwrap();
    assert_eq!(adjusted.adjustment_factor, [1.0; 3]);
}

#[test]
fn cash_is_paid_once_for_each_ex_date() {
    let raw = bars(&crypto(), "2020-01-01", &RAW);
    let paid = |from, to| {
        let engine = engine(&[
            dividend("2020-01-01", 1.0),
            dividend("2020-01-03", 2.0),
            dividend("2020-01-03", 0.5),
            split("2020-01-03", 2.0),
            dividend("2020-01-04", 4.0),
        ]);
        engine.cash_dividends(&raw, date(from), date(to)).unwrap()
    };
    let cash = |ex_date: &str, amount, raw_close| CashDividend {
        ex_date: date(ex_date),
        amount,
        reference_close: None,
        raw_close,
    };
    let all = [
        cash("2020-01-01", 1.0, None),
        cash("2020-01-03", 2.5, Some(8.0)),
        cash("2020-01-04", 4.0, Some(16.0)),
    ];
    assert_eq!(paid("2019-01-01", "2021-01-01"), all);
    assert_eq!(paid("2020-01-03", "2020-01-03"), all[1..2]);
    assert_eq!(paid("2020-01-05", "2021-01-01"), []);
    let message = example()
        .cash_dividends(&raw, date("2020-01-02"), date("2020-01-01"))
        .unwrap_err();
    assert_eq!(
        message.to_string(),
        "from: found `2020-01-02`; allowed: a date not after 2020-01-01"
    );
}

#[test]
fn the_close_that_comes_with_a_dividend_counts() {
    let raw = bars(&crypto(), "2020-01-01", &[8.0; 3]);
    let kind = ActionKind::CashDividend {
        amount: 1.0,
        reference_close: Some(10.0),
    };
    let ex_date = date("2020-01-03");
    let adjusted = engine(&[CorporateAction { ex_date, kind }])
        .adjusted(&raw, BOTH, ex_date)
        .unwrap();
    assert_eq!(adjusted.adjustment_factor, [0.9, 0.9, 1.0]);
    let doubt = ReferenceDoubt::OtherClose {
        ex_date,
        reference_close: 10.0,
        raw_close: 8.0,
    };
    assert_eq!(adjusted.doubts, [doubt]);
}

#[test]
fn a_close_from_before_a_hole_is_doubted() {
    let raw = bars(&crypto(), "2020-01-01", &[8.0; 2]);
    let late = engine(&[dividend("2020-01-03", 1.0), dividend("2020-01-05", 1.0)]);
    let adjusted = late.adjusted(&raw, BOTH, date("2020-01-05")).unwrap();
    let doubt = ReferenceDoubt::OldClose {
        ex_date: date("2020-01-05"),
        bar_date: date("2020-01-02"),
    };
    assert_eq!(adjusted.doubts, [doubt]);
}
