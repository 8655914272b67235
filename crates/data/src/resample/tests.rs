//! Tables of windows, on both clock changes, early closes and holes.
#![allow(clippy::unwrap_used)]

use super::*;

fn time(text: &str) -> UtcNanos {
    text.parse().unwrap()
}

/// The bars a calendar has from one instant to another; the n-th has close `100 + n` and volume `n + 1`.
fn series(class: AssetClass, timeframe: Timeframe, from: &str, to: &str) -> BarSeries {
    let slots = Calendar::for_class(class).expected_bars(timeframe, time(from), time(to));
    let bars = slots.iter().enumerate().map(|(n, slot)| {
        let close = 100.0 + n as f64;
        Bar {
            open_time: slot.open_time,
            close_time: slot.close_time,
            open: close - 0.5,
            high: close + 1.0,
            low: close - 1.0,
            close,
            volume: n as f64 + 1.0,
        }
    });
    BarSeries::from_bars(bars).unwrap()
}

fn without(bars: &BarSeries, dropped: &[usize]) -> BarSeries {
    let kept = bars
        .iter()
        .enumerate()
        .filter(|(index, _)| !dropped.contains(index))
        .map(|(_, bar)| bar);
    BarSeries::from_bars(kept).unwrap()
}

fn spans(made: &Resampled) -> Vec<String> {
    let clock = |time: UtcNanos| time.datetime().format("%d %H:%M").to_string();
    made.bars
        .iter()
        .map(|bar| format!("{}-{}", clock(bar.open_time), clock(bar.close_time)))
        .collect()
}

#[test]
fn a_window_is_made_of_its_bars() {
    let hours = series(AssetClass::Equity, Timeframe::H1, "2020-01-02", "2020-01-03");
    let made = resample(&hours, AssetClass::Equity, Timeframe::H1, Timeframe::H4).unwrap();
    assert_eq!(spans(&made), ["02 14:30-02 17:00", "02 17:00-02 21:00"]);
    let bar = made.bars.bar(1);
    assert_eq!(
        (bar.open, bar.high, bar.low, bar.close, bar.volume),
        (102.5, 107.0, 102.0, 106.0, 22.0)
    );
    assert!(made.report.incomplete.is_empty() && made.report.forming.is_none());
    let day = resample(&hours, AssetClass::Equity, Timeframe::H1, Timeframe::D1).unwrap();
    assert_eq!(spans(&day), ["02 14:30-02 21:00"]);
    assert_eq!(day.bars.bar(0).volume, 28.0);
}

#[test]
fn an_early_close_ends_the_second_window() {
    let hours = series(AssetClass::Equity, Timeframe::H1, "2020-11-27", "2020-11-28");
    let made = resample(&hours, AssetClass::Equity, Timeframe::H1, Timeframe::H4).unwrap();
    assert_eq!(spans(&made), ["27 14:30-27 17:00", "27 17:00-27 18:00"]);
    assert!(made.report.incomplete.is_empty() && made.report.forming.is_none());
}

#[test]
fn windows_follow_the_clock_of_new_york() {
    let hours = series(AssetClass::Equity, Timeframe::H1, "2021-03-12", "2021-03-16");
    let made = resample(&hours, AssetClass::Equity, Timeframe::H1, Timeframe::H4).unwrap();
    assert_eq!(
        spans(&made),
        [
            "12 14:30-12 17:00",
            "12 17:00-12 21:00",
            "15 13:30-15 16:00",
            "15 16:00-15 20:00"
        ]
    );
}

#[test]
fn round_the_clock_is_on_the_utc_grid() {
    let minutes = series(
        AssetClass::Crypto,
        Timeframe::M15,
        "2021-03-13T22:00:00Z",
        "2021-03-14T10:00:00Z",
    );
    let made = resample(&minutes, AssetClass::Crypto, Timeframe::M15, Timeframe::H4).unwrap();
    assert_eq!(
        spans(&made),
        ["13 20:00-14 00:00", "14 00:00-14 04:00", "14 04:00-14 08:00"]
    );
    let first = made.report.incomplete[0];
    assert_eq!(
        (made.report.incomplete.len(), first.found, first.expected),
        (1, 8, 16)
    );
    let forming = made.report.forming.unwrap();
    assert_eq!((forming.found, forming.expected), (8, 16));
}

#[test]
fn the_week_of_currency_pairs_begins_and_ends_short() {
    let hours = series(AssetClass::Fx, Timeframe::H1, "2021-07-11", "2021-07-18");
    assert_eq!(hours.len(), 120);
    let made = resample(&hours, AssetClass::Fx, Timeframe::H1, Timeframe::H4).unwrap();
    assert!(
        made.report.incomplete.is_empty() && made.report.forming.is_none(),
        "{:?}",
        made.report
    );
    assert_eq!(made.bars.len(), 31);
    assert_eq!(
        (spans(&made)[0].as_str(), spans(&made)[30].as_str()),
        ("11 20:00-12 00:00", "16 20:00-17 00:00")
    );
    let days = resample(&hours, AssetClass::Fx, Timeframe::H1, Timeframe::D1).unwrap();
    assert_eq!(days.bars.len(), 6);
}

#[test]
fn holes_are_reported_and_not_filled() {
    let hours = series(AssetClass::Equity, Timeframe::H1, "2020-01-02", "2020-01-08");
    // The second bar of the first day, and the whole morning of the second.
    let holed = without(&hours, &[1, 7, 8, 9]);
    let made = resample(&holed, AssetClass::Equity, Timeframe::H1, Timeframe::H4).unwrap();
    assert_eq!(made.bars.len(), 7);
    let short: Vec<_> = made
        .report
        .incomplete
        .iter()
        .map(|window| (window.found, window.expected))
        .collect();
    assert_eq!(short, [(2, 3)]);
    // Without its last bar, the last window may not be over.
    let cut = without(&hours, &[hours.len() - 1]);
    let made = resample(&cut, AssetClass::Equity, Timeframe::H1, Timeframe::D1).unwrap();
    assert_eq!((made.bars.len(), made.report.forming.unwrap().found), (3, 6));
}

#[test]
fn late_prints_make_a_bar_available_late() {
    let hours = series(AssetClass::Equity, Timeframe::H1, "2020-11-27", "2020-11-28");
    let late = hours.iter().enumerate().map(|(index, bar)| {
        let close_time = if index == 3 {
            time("2020-11-27T20:00:00Z")
        } else {
            bar.close_time
        };
        Bar { close_time, ..bar }
    });
    let late = BarSeries::from_bars(late).unwrap();
    let made = resample(&late, AssetClass::Equity, Timeframe::H1, Timeframe::D1).unwrap();
    assert_eq!(spans(&made), ["27 14:30-27 20:00"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let hours = series(AssetClass::Crypto, Timeframe::H1, "2020-01-02", "2020-01-03");
    for to in [Timeframe::H1, Timeframe::M1] {
        assert!(matches!(
            resample(&hours, AssetClass::Crypto, Timeframe::H1, to),
            Err(DataError::NotCoarser { .. })
        ));
    }
    // Hours round the clock are not within New York sessions.
    let error = resample(&hours, AssetClass::Equity, Timeframe::H1, Timeframe::D1).unwrap_err();
    assert!(matches!(error, DataError::Misaligned { index: 0, .. }), "{error}");
    // A bar across two windows.
    let across = Bar {
        open_time: time("2020-01-02T03:30:00Z"),
        close_time: time("2020-01-02T04:30:00Z"),
        ..hours.bar(0)
    };
    let across = BarSeries::from_bars([across]).unwrap();
    assert!(resample(&across, AssetClass::Crypto, Timeframe::H1, Timeframe::H4).is_err());
    let none = resample(
        &BarSeries::default(),
        AssetClass::Fx,
        Timeframe::H1,
        Timeframe::H4,
    )
    .unwrap();
    assert!(none.bars.is_empty() && none.report.forming.is_none());
}
