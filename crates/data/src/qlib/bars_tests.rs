//! Rows as bars, and bars as rows.
#![allow(clippy::unwrap_used)]

use chrono::{NaiveDateTime, NaiveTime};
use sextant_domain::{AssetClass, Bar, BarSeries};

use super::support::{small, time};
use super::*;
use crate::{BadRows, Calendar, Rule};

const FIELDS: [&str; 6] = ["open", "high", "low", "close", "volume", "factor"];

/// A series whose rows are open, high, low, close, volume and factor.
fn series(frequency: QlibFrequency, rows: &[(&str, [f32; 6])]) -> QlibSeries {
    let times: Vec<NaiveDateTime> = rows.iter().map(|(at, _)| time(at)).collect();
    let columns = FIELDS.iter().enumerate().map(|(index, field)| QlibColumn {
        field: (*field).to_owned(),
        start: 0,
        values: rows.iter().map(|(_, row)| row[index]).collect(),
    });
    QlibSeries::new("X", frequency, times, columns.collect()).unwrap()
}

fn quarantining(class: AssetClass) -> QlibConventions {
    QlibConventions {
        bad_rows: BadRows::Quarantine,
        ..QlibConventions::new(class)
    }
}

fn spans(bars: &BarSeries) -> Vec<String> {
    bars.iter()
        .map(|bar| format!("{} {}", bar.open_time, bar.close_time))
        .collect()
}

const NAN: f32 = f32::NAN;
const GOOD: [f32; 6] = [2.0, 3.0, 1.0, 2.5, 10.0, 0.5];

#[test]
fn days_become_sessions_and_raw_bars() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let qlib = QlibFolder::open(folder.path()).unwrap();
    let read = qlib.read_series("AAPL", QlibFrequency::Day, &FIELDS).unwrap();
    let made = to_bars(&read, &QlibConventions::new(AssetClass::Equity)).unwrap();
    assert_eq!((made.suspended, made.outside_session), (1, 0));
    assert!(made.quarantined.is_empty() && made.unused_fields.is_empty());
    assert_eq!(
        spans(&made.bars),
        [
            "2020-01-03T14:30:00Z 2020-01-03T21:00:00Z",
            "2020-01-07T14:30:00Z 2020-01-07T21:00:00Z",
            "2020-01-08T14:30:00Z 2020-01-08T21:00:00Z"
        ]
    );
    assert_eq!(made.bars.view().close, [1.25, 1.25, 1.5]);
    let raw = made.raw.unwrap();
    assert_eq!(raw.adjustment_factor, [0.25, 0.5, 0.5]);
    assert_eq!(raw.bars.view().close, [5.0, 2.5, 3.0]);
    assert_eq!(raw.bars.view().volume, [25.0, 100.0, 0.0]);
    assert_eq!(raw.bars.view().open_time, made.bars.view().open_time);
    assert!(raw.adjustment.contains("factor"));
}

#[test]
fn each_broken_rule_is_named() {
    let with = |index: usize, value: f32| {
        let mut row = GOOD;
        row[index] = value;
        row
    };
    let only_volume = [NAN, NAN, NAN, NAN, 10.0, 0.5];
    for (row, rule, field) in [
        (with(0, NAN), Rule::Nan, "open"),
        (with(3, NAN), Rule::Nan, "close"),
        ([NAN, NAN, NAN, 2.0, 10.0, 0.5], Rule::Nan, "open"),
        (only_volume, Rule::Nan, "open"),
        (with(1, f32::INFINITY), Rule::Nan, "high"),
        (with(4, NAN), Rule::Nan, "volume"),
        (with(5, NAN), Rule::Nan, "factor"),
        (with(2, 0.0), Rule::NonPositive, "low"),
        (with(0, -2.0), Rule::NonPositive, "open"),
        (with(5, 0.0), Rule::NonPositive, "factor"),
        (with(4, -1.0), Rule::NegativeVolume, "volume"),
        (with(1, 2.25), Rule::OhlcConsistency, "high"),
        (with(2, 2.25), Rule::OhlcConsistency, "low"),
    ] {
        let rows = [("2020-01-02", GOOD), ("2020-01-03", row), ("2020-01-06", GOOD)];
        let series = series(QlibFrequency::Day, &rows);
        let made = to_bars(&series, &quarantining(AssetClass::Equity)).unwrap();
        assert_eq!((made.bars.len(), made.quarantined.len()), (2, 1), "{row:?}");
        let defect = &made.quarantined[0];
        assert_eq!(
            (defect.rule, defect.field, defect.step),
            (rule, field, 1),
            "{row:?}"
        );

        let refused = to_bars(&series, &QlibConventions::new(AssetClass::Equity)).unwrap_err();
        let QlibError::Rows(rows) = &refused else {
            panic!("{refused}")
        };
        assert_eq!((rows.total, &rows.by_rule[..]), (1, &[(rule, 1)][..]));
        let message = refused.to_string();
        let place = format!(
            "2020-01-03 00:00:00 (calendar line 2), {field}: found {}",
            defect.value
        );
        assert!(
            message.contains(&place) && message.contains(rule.name()),
            "{message}"
        );
    }
}

#[test]
fn times_must_be_those_of_the_calendar() {
    let rows = [
        ("1700-01-04", GOOD),
        ("2020-01-01", GOOD),
        ("2020-01-02", GOOD),
        ("2020-01-04", [NAN; 6]),
    ];
    let made = to_bars(
        &series(QlibFrequency::Day, &rows),
        &quarantining(AssetClass::Equity),
    )
    .unwrap();
    let rules: Vec<Rule> = made.quarantined.iter().map(|defect| defect.rule).collect();
    assert_eq!(rules, [Rule::CalendarRange, Rule::NotASession]);
    assert_eq!((made.bars.len(), made.suspended), (1, 1));

    let rows = [
        ("2020-01-01 10:00:00", GOOD),
        ("2020-01-02 09:29:00", GOOD),
        ("2020-01-02 09:30:00", GOOD),
        ("2020-01-02 09:31:30", GOOD),
        ("2020-01-02 15:59:00", GOOD),
        ("2020-01-02 16:00:00", GOOD),
        ("2020-07-02 09:30:00", GOOD),
        ("2020-11-27 12:59:00", GOOD),
        ("2020-11-27 13:00:00", GOOD),
    ];
    let made = to_bars(
        &series(QlibFrequency::Minute, &rows),
        &quarantining(AssetClass::Equity),
    )
    .unwrap();
    let rules: Vec<Rule> = made.quarantined.iter().map(|defect| defect.rule).collect();
    assert_eq!(rules, [Rule::NotASession, Rule::StampGrid]);
    assert_eq!(made.outside_session, 3);
    assert_eq!(
        spans(&made.bars),
        [
            "2020-01-02T14:30:00Z 2020-01-02T14:31:00Z",
            "2020-01-02T20:59:00Z 2020-01-02T21:00:00Z",
            "2020-07-02T13:30:00Z 2020-07-02T13:31:00Z",
            "2020-11-27T17:59:00Z 2020-11-27T18:00:00Z"
        ]
    );
}

#[test]
fn minutes_can_be_stamped_at_their_end() {
    let rows = [("2020-01-02 09:35:00", GOOD), ("2020-01-02 16:00:00", GOOD)];
    let conventions = QlibConventions {
        stamp: QlibStamp::BarEnd,
        ..QlibConventions::new(AssetClass::Equity)
    };
    let made = to_bars(&series(QlibFrequency::FiveMinutes, &rows), &conventions).unwrap();
    assert_eq!(
        spans(&made.bars),
        [
            "2020-01-02T14:30:00Z 2020-01-02T14:35:00Z",
            "2020-01-02T20:55:00Z 2020-01-02T21:00:00Z"
        ]
    );
}

#[test]
fn crypto_and_currencies_are_on_utc() {
    let rows = [("2021-07-16", GOOD), ("2021-07-17", GOOD), ("2021-07-18", GOOD)];
    let daily = series(QlibFrequency::Day, &rows);
    let crypto = to_bars(&daily, &QlibConventions::new(AssetClass::Crypto)).unwrap();
    assert_eq!(
        spans(&crypto.bars)[1],
        "2021-07-17T00:00:00Z 2021-07-18T00:00:00Z"
    );
    let fx = to_bars(&daily, &quarantining(AssetClass::Fx)).unwrap();
    assert_eq!((fx.bars.len(), fx.quarantined[0].rule), (2, Rule::NotASession));
    let minute = series(
        QlibFrequency::Minute,
        &[("2021-07-16 20:59:00", GOOD), ("2021-07-16 21:00:00", GOOD)],
    );
    let fx = to_bars(&minute, &QlibConventions::new(AssetClass::Fx)).unwrap();
    assert_eq!((fx.bars.len(), fx.outside_session), (1, 1));
}

fn china(stamp: QlibStamp) -> QlibConventions {
    QlibConventions {
        sessions: QlibSessions::FixedHours {
            utc_offset_minutes: 480,
            open: NaiveTime::from_hms_opt(9, 30, 0).unwrap(),
            close: NaiveTime::from_hms_opt(15, 0, 0).unwrap(),
        },
        stamp,
        bad_rows: BadRows::Quarantine,
    }
}

#[test]
fn other_exchanges_have_fixed_hours() {
    let daily = series(QlibFrequency::Day, &[("2020-01-02", GOOD), ("2020-01-03", GOOD)]);
    let made = to_bars(&daily, &china(QlibStamp::BarOpen)).unwrap();
    assert_eq!(spans(&made.bars)[0], "2020-01-02T01:30:00Z 2020-01-02T07:00:00Z");
    let rows = [
        ("2020-01-02 09:29:00", GOOD),
        ("2020-01-02 09:30:00", GOOD),
        ("2020-01-02 13:00:30", GOOD),
        ("2020-01-02 14:59:00", GOOD),
        ("2020-01-02 15:00:00", GOOD),
    ];
    let minutes = series(QlibFrequency::Minute, &rows);
    for (stamp, expected) in [
        (
            QlibStamp::BarOpen,
            [
                "2020-01-02T01:30:00Z 2020-01-02T01:31:00Z",
                "2020-01-02T06:59:00Z 2020-01-02T07:00:00Z",
            ],
        ),
        (
            QlibStamp::BarEnd,
            [
                "2020-01-02T06:58:00Z 2020-01-02T06:59:00Z",
                "2020-01-02T06:59:00Z 2020-01-02T07:00:00Z",
            ],
        ),
    ] {
        let made = to_bars(&minutes, &china(stamp)).unwrap();
        assert_eq!(spans(&made.bars), expected);
        assert_eq!(
            (made.outside_session, made.quarantined[0].rule),
            (2, Rule::StampGrid)
        );
    }
}

#[test]
fn conventions_that_contradict_themselves_are_refused() {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap();
    for (utc_offset_minutes, close, says) in [
        (0, noon, "before the close"),
        (1_441, NaiveTime::MIN, "-1440 to 1440"),
    ] {
        let conventions = QlibConventions {
            sessions: QlibSessions::FixedHours {
                utc_offset_minutes,
                open: noon,
                close,
            },
            ..QlibConventions::new(AssetClass::Equity)
        };
        let refused = to_bars(&series(QlibFrequency::Day, &[("2020-01-02", GOOD)]), &conventions);
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn one_maker_serves_many_series() {
    let day = |rows| series(QlibFrequency::Day, rows);
    // Days whose numbers differ by the length of what the maker keeps.
    let all = [
        day(&[("1997-07-30", GOOD), ("1997-07-31", GOOD)]),
        day(&[("2020-01-02", GOOD), ("2020-01-03", GOOD), ("2020-01-04", GOOD)]),
        day(&[("1997-07-30", GOOD), ("2020-01-03", GOOD)]),
    ];
    let distance = time("2020-01-03") - time("1997-07-30");
    assert_eq!(distance.num_days(), 8_192);
    let conventions = quarantining(AssetClass::Equity);
    let mut maker = QlibBarMaker::new(QlibFrequency::Day, &conventions).unwrap();
    for _ in 0..2 {
        for series in &all {
            let alone = to_bars(series, &conventions).unwrap();
            let made = maker.bars(series).unwrap();
            assert_eq!((made.bars, made.raw), (alone.bars, alone.raw));
            assert_eq!(made.quarantined.len(), alone.quarantined.len());
        }
    }
    let minute = series(QlibFrequency::Minute, &[("2020-01-02 09:30:00", GOOD)]);
    let message = maker.bars(&minute).unwrap_err().to_string();
    assert!(message.contains("a 1min series"), "{message}");
}

#[test]
fn columns_may_be_missing_or_unknown() {
    let column = |field: &str, value: f32| QlibColumn {
        field: field.to_owned(),
        start: 0,
        values: vec![value],
    };
    let days = || vec![time("2020-01-02")];
    let prices = ["open", "high", "low", "close"].map(|field| column(field, 2.0));
    let mut columns = prices.to_vec();
    columns.push(column("vwap", 2.0));
    let index = QlibSeries::new("^GSPC", QlibFrequency::Day, days(), columns).unwrap();
    let made = to_bars(&index, &QlibConventions::new(AssetClass::Equity)).unwrap();
    assert_eq!((made.bars.view().volume, made.raw), ([0.0].as_slice(), None));
    assert_eq!(made.unused_fields, ["vwap"]);

    let without = QlibSeries::new("A", QlibFrequency::Day, days(), prices[..3].to_vec()).unwrap();
    let message = to_bars(&without, &QlibConventions::new(AssetClass::Equity))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("close is needed") && message.contains("open, high, low"),
        "{message}"
    );
}

#[test]
fn bars_come_back_as_they_were() {
    for (class, frequency, conventions) in [
        (
            AssetClass::Equity,
            QlibFrequency::Day,
            QlibConventions::new(AssetClass::Equity),
        ),
        (
            AssetClass::Equity,
            QlibFrequency::FiveMinutes,
            QlibConventions::new(AssetClass::Equity),
        ),
        (
            AssetClass::Crypto,
            QlibFrequency::Minute,
            QlibConventions::new(AssetClass::Crypto),
        ),
        (
            AssetClass::Fx,
            QlibFrequency::Day,
            QlibConventions::new(AssetClass::Fx),
        ),
        (
            AssetClass::Equity,
            QlibFrequency::Minute,
            QlibConventions {
                stamp: QlibStamp::BarEnd,
                ..QlibConventions::new(AssetClass::Equity)
            },
        ),
    ] {
        let (from, to) = (
            "2021-03-11T00:00:00Z".parse().unwrap(),
            "2021-03-17T00:00:00Z".parse().unwrap(),
        );
        let slots = Calendar::for_class(class).expected_bars(frequency.timeframe(), from, to);
        assert!(slots.len() > 3);
        let bar = |(index, slot): (usize, &crate::BarSlot)| Bar {
            open_time: slot.open_time,
            close_time: slot.close_time,
            open: 1.5,
            high: 2.0 + index as f64,
            low: 1.0,
            close: 1.25,
            volume: index as f64,
        };
        let bars = BarSeries::from_bars(slots.iter().enumerate().map(bar)).unwrap();
        let factors = vec![0.5; bars.len()];
        let series = from_bars("X", frequency, (&bars, Some(&factors)), &conventions).unwrap();
        let made = to_bars(&series, &conventions).unwrap();
        assert_eq!(made.bars, bars);
        assert_eq!(made.raw.unwrap().adjustment_factor, factors);
    }
}

#[test]
fn china_comes_back_as_it_was() {
    for stamp in [QlibStamp::BarOpen, QlibStamp::BarEnd] {
        let rows = [("2020-01-02 09:31:00", GOOD), ("2020-01-02 14:59:00", GOOD)];
        let series = series(QlibFrequency::Minute, &rows);
        let made = to_bars(&series, &china(stamp)).unwrap();
        let factors = made.raw.unwrap().adjustment_factor;
        let again = from_bars(
            "X",
            QlibFrequency::Minute,
            (&made.bars, Some(&factors)),
            &china(stamp),
        )
        .unwrap();
        assert_eq!(super::support::bits(&again), super::support::bits(&series));
    }
}

#[test]
fn bars_without_a_row_are_refused() {
    let conventions = QlibConventions::new(AssetClass::Crypto);
    let bar = |open_time: &str, close: f64, volume: f64| {
        let open_time: sextant_domain::UtcNanos = open_time.parse().unwrap();
        BarSeries::from_bars([Bar {
            open_time,
            close_time: open_time.saturating_add(1),
            open: close,
            high: close,
            low: close,
            close,
            volume,
        }])
        .unwrap()
    };
    let day = "2020-01-01T00:00:00Z";
    for (bars, factors, says) in [
        (
            bar("2020-01-01T01:00:00Z", 1.0, 1.0),
            None,
            "does not begin where",
        ),
        (bar(day, 1e-50, 1.0), None, "the open of the bar"),
        (bar(day, 1e39, 1.0), None, "32 bits"),
        (bar(day, 1.0, 1e39), None, "the volume of the bar"),
        (bar(day, 1.0, 1.0), Some(vec![0.0]), "the factor of the bar"),
        (bar(day, 1.0, 1.0), Some(vec![1.0, 1.0]), "2 factors for 1 bars"),
        (BarSeries::default(), None, "no bars"),
    ] {
        let refused = from_bars("X", QlibFrequency::Day, (&bars, factors.as_deref()), &conventions);
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(says), "{message}");
    }
}
