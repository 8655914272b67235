//! Tables of known sessions and bars.
#![allow(clippy::unwrap_used)]

use super::*;

fn time(text: &str) -> UtcNanos {
    text.parse().unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn session(class: AssetClass, day: &str) -> Option<(String, String)> {
    Calendar::for_class(class)
        .session(date(day))
        .map(|found| (found.open.to_string(), found.close.to_string()))
}

fn bars(class: AssetClass, timeframe: Timeframe, day: &str) -> Vec<String> {
    let calendar = Calendar::for_class(class);
    let grid = calendar.day(date(day)).unwrap();
    let clock = |time: UtcNanos| time.datetime().format("%H:%M").to_string();
    grid.slots(timeframe)
        .map(|slot| format!("{}-{}", clock(slot.open_time), clock(slot.close_time)))
        .collect()
}

#[test]
fn known_sessions() {
    let pair = |open: &str, close: &str| Some((open.to_owned(), close.to_owned()));
    for (class, day, expected) in [
        (
            AssetClass::Equity,
            "2020-01-02",
            pair("2020-01-02T14:30:00Z", "2020-01-02T21:00:00Z"),
        ),
        (
            AssetClass::Equity,
            "2020-07-02",
            pair("2020-07-02T13:30:00Z", "2020-07-02T20:00:00Z"),
        ),
        // The Friday after Thanksgiving.
        (
            AssetClass::Equity,
            "2020-11-27",
            pair("2020-11-27T14:30:00Z", "2020-11-27T18:00:00Z"),
        ),
        // The Fridays before and the Mondays after both clock changes.
        (
            AssetClass::Equity,
            "2021-03-12",
            pair("2021-03-12T14:30:00Z", "2021-03-12T21:00:00Z"),
        ),
        (
            AssetClass::Equity,
            "2021-03-15",
            pair("2021-03-15T13:30:00Z", "2021-03-15T20:00:00Z"),
        ),
        (
            AssetClass::Equity,
            "2021-11-08",
            pair("2021-11-08T14:30:00Z", "2021-11-08T21:00:00Z"),
        ),
        (AssetClass::Equity, "2020-12-25", None),
        (AssetClass::Equity, "2001-09-11", None),
        (AssetClass::Equity, "2018-12-05", None),
        (AssetClass::Equity, "2020-07-04", None),
        (AssetClass::Equity, "1969-12-31", None),
        (AssetClass::Equity, "2099-01-05", None),
        (
            AssetClass::Crypto,
            "2020-12-25",
            pair("2020-12-25T00:00:00Z", "2020-12-26T00:00:00Z"),
        ),
        (
            AssetClass::Fx,
            "2021-07-11",
            pair("2021-07-11T21:00:00Z", "2021-07-12T00:00:00Z"),
        ),
        (
            AssetClass::Fx,
            "2021-01-10",
            pair("2021-01-10T22:00:00Z", "2021-01-11T00:00:00Z"),
        ),
        (
            AssetClass::Fx,
            "2021-07-16",
            pair("2021-07-16T00:00:00Z", "2021-07-16T21:00:00Z"),
        ),
        (
            AssetClass::Fx,
            "2021-07-14",
            pair("2021-07-14T00:00:00Z", "2021-07-15T00:00:00Z"),
        ),
        (AssetClass::Fx, "2021-07-17", None),
    ] {
        assert_eq!(session(class, day), expected, "{class} {day}");
    }
}

#[test]
fn bars_of_a_new_york_day() {
    let equity = AssetClass::Equity;
    assert_eq!(bars(equity, Timeframe::D1, "2020-01-02"), ["14:30-21:00"]);
    assert_eq!(
        bars(equity, Timeframe::H4, "2020-01-02"),
        ["14:30-17:00", "17:00-21:00"]
    );
    assert_eq!(
        bars(equity, Timeframe::H4, "2020-07-02"),
        ["13:30-16:00", "16:00-20:00"]
    );
    assert_eq!(
        bars(equity, Timeframe::H4, "2020-11-27"),
        ["14:30-17:00", "17:00-18:00"]
    );
    assert_eq!(
        bars(equity, Timeframe::H1, "2020-11-27"),
        ["14:30-15:00", "15:00-16:00", "16:00-17:00", "17:00-18:00"]
    );
    assert_eq!(bars(equity, Timeframe::H1, "2020-01-02").len(), 7);
    assert_eq!(bars(equity, Timeframe::M30, "2020-01-02").len(), 13);
    assert_eq!(bars(equity, Timeframe::M1, "2020-01-02").len(), 390);
    assert_eq!(bars(equity, Timeframe::M1, "2020-11-27").len(), 210);
}

#[test]
fn bars_of_a_utc_day() {
    let crypto = bars(AssetClass::Crypto, Timeframe::H4, "2021-03-14");
    assert_eq!(
        crypto,
        [
            "00:00-04:00",
            "04:00-08:00",
            "08:00-12:00",
            "12:00-16:00",
            "16:00-20:00",
            "20:00-00:00"
        ]
    );
    assert_eq!(
        bars(AssetClass::Fx, Timeframe::H1, "2021-01-10"),
        ["22:00-23:00", "23:00-00:00"]
    );
    assert_eq!(bars(AssetClass::Fx, Timeframe::H4, "2021-01-10"), ["20:00-00:00"]);
    assert_eq!(bars(AssetClass::Fx, Timeframe::D1, "2021-01-10"), ["00:00-00:00"]);
    assert_eq!(bars(AssetClass::Fx, Timeframe::H1, "2021-07-16").len(), 21);
    assert_eq!(bars(AssetClass::Fx, Timeframe::H4, "2021-07-16").len(), 6);
}

#[test]
fn an_instant_finds_its_bar() {
    let calendar = Calendar::for_class(AssetClass::Equity);
    let day = calendar.day(date("2020-01-02")).unwrap();
    let bar = |at: &str, timeframe| {
        day.slot_at(time(at), timeframe)
            .map(|slot| slot.bar.open_time.to_string())
    };
    assert_eq!(
        bar("2020-01-02T14:00:00Z", Timeframe::H1).as_deref(),
        Some("2020-01-02T14:30:00Z")
    );
    assert_eq!(
        bar("2020-01-02T14:30:00Z", Timeframe::H4).as_deref(),
        Some("2020-01-02T14:30:00Z")
    );
    assert_eq!(
        bar("2020-01-02T20:59:59Z", Timeframe::H4).as_deref(),
        Some("2020-01-02T17:00:00Z")
    );
    assert_eq!(bar("2020-01-02T21:00:00Z", Timeframe::H4), None);
    assert_eq!(bar("2020-01-02T13:59:59Z", Timeframe::H1), None);
}

#[test]
fn finer_bars_are_counted() {
    let count = |class, day: &str, from, to| -> Vec<usize> {
        let grid = Calendar::for_class(class).day(date(day)).unwrap();
        grid.slots(to).map(|slot| grid.count(from, slot)).collect()
    };
    assert_eq!(
        count(AssetClass::Equity, "2020-01-02", Timeframe::H1, Timeframe::H4),
        [3, 4]
    );
    assert_eq!(
        count(AssetClass::Equity, "2020-11-27", Timeframe::H1, Timeframe::H4),
        [3, 1]
    );
    assert_eq!(
        count(AssetClass::Equity, "2020-01-02", Timeframe::M1, Timeframe::D1),
        [390]
    );
    assert_eq!(
        count(AssetClass::Crypto, "2020-01-02", Timeframe::M5, Timeframe::H4),
        [48; 6]
    );
    assert_eq!(
        count(AssetClass::Fx, "2021-07-11", Timeframe::H1, Timeframe::H4),
        [3]
    );
    assert_eq!(
        count(AssetClass::Fx, "2021-07-16", Timeframe::H1, Timeframe::D1),
        [21]
    );
    assert_eq!(
        count(AssetClass::Fx, "2021-07-16", Timeframe::H4, Timeframe::D1),
        [6]
    );
}

#[test]
fn opening_hours() {
    let open = |class, at: &str| Calendar::for_class(class).is_open(time(at));
    assert!(open(AssetClass::Equity, "2020-01-02T14:30:00Z"));
    assert!(!open(AssetClass::Equity, "2020-01-02T14:29:59Z"));
    assert!(!open(AssetClass::Equity, "2020-01-02T21:00:00Z"));
    assert!(!open(AssetClass::Equity, "2020-11-27T18:00:00Z"));
    assert!(open(AssetClass::Crypto, "2020-12-25T03:00:00Z"));
    assert!(open(AssetClass::Fx, "2021-07-11T21:00:00Z"));
    assert!(!open(AssetClass::Fx, "2021-07-16T21:00:00Z"));
}

#[test]
fn marks_end_the_days() {
    let marks = |class, from: &str, to: &str| -> Vec<String> {
        let calendar = Calendar::for_class(class);
        calendar
            .daily_marks(time(from), time(to))
            .iter()
            .map(UtcNanos::to_string)
            .collect()
    };
    assert_eq!(
        marks(AssetClass::Equity, "2020-11-25T21:00:00Z", "2020-11-27T18:00:00Z"),
        ["2020-11-25T21:00:00Z", "2020-11-27T18:00:00Z"]
    );
    assert_eq!(
        marks(AssetClass::Crypto, "2021-01-01", "2021-01-02"),
        ["2021-01-01T00:00:00Z", "2021-01-02T00:00:00Z"]
    );
    let week = marks(AssetClass::Fx, "2021-07-10", "2021-07-17");
    assert_eq!(week.len(), 5);
    assert_eq!(
        (week[0].as_str(), week[4].as_str()),
        ("2021-07-13T00:00:00Z", "2021-07-16T21:00:00Z")
    );
    assert!(marks(AssetClass::Equity, "2021-01-02", "2020-01-02").is_empty());
}

#[test]
fn marks_of_a_year_are_what_annualisation_takes() {
    for (class, expected) in [
        (AssetClass::Equity, 252),
        (AssetClass::Crypto, 365),
        (AssetClass::Fx, 261),
    ] {
        let calendar = Calendar::for_class(class);
        let count = calendar
            .daily_marks(time("2021-01-01T00:00:01Z"), time("2022-01-01T00:00:00Z"))
            .len();
        assert_eq!(count, expected, "{class}");
        assert!((calendar.periods_per_year() - expected as f64).abs() <= 1.0);
    }
}

#[test]
fn expected_bars_lie_between_the_instants() {
    let calendar = Calendar::for_class(AssetClass::Crypto);
    let slots = calendar.expected_bars(
        Timeframe::H4,
        time("2020-01-01T01:00:00Z"),
        time("2020-01-01T12:00:00Z"),
    );
    assert_eq!(slots.len(), 2);
    assert_eq!(slots[0].open_time, time("2020-01-01T04:00:00Z"));
    assert!(
        calendar
            .expected_bars(Timeframe::H4, time("2020-01-02"), time("2020-01-01"))
            .is_empty()
    );
}

#[test]
fn the_ends_of_time_are_defined() {
    for class in AssetClass::ALL {
        let calendar = Calendar::for_class(class);
        for end in [UtcNanos::MIN, UtcNanos::MAX] {
            let _ = calendar.is_open(end);
            let _ = calendar.daily_marks(end, end);
            let _ = calendar.expected_bars(Timeframe::D1, end, end);
            if let Some(day) = calendar.day(calendar.date_of(end)) {
                let _ = day.slot_at(end, Timeframe::H4);
                assert!(
                    day.slots(Timeframe::H4)
                        .all(|slot| slot.open_time < slot.close_time)
                );
            }
        }
        assert!(calendar.session(NaiveDate::MIN).is_none() && calendar.session(NaiveDate::MAX).is_none());
    }
}
