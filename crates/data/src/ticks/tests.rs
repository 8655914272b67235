//! What bars of trades are.
#![allow(clippy::unwrap_used)]

use sextant_domain::{AssetClass, Timeframe};

use super::*;

fn at(text: &str) -> UtcNanos {
    text.parse().unwrap()
}

fn trade(time: impl Into<At>, price: f64, size: f64) -> Trade {
    let At(time) = time.into();
    Trade { time, price, size }
}

struct At(UtcNanos);

impl From<i64> for At {
    fn from(nanos: i64) -> Self {
        Self(UtcNanos::from_nanos(nanos))
    }
}

impl From<&str> for At {
    fn from(text: &str) -> Self {
        Self(at(text))
    }
}

fn bar((open_time, close_time): (i64, i64), [open, high, low, close]: [f64; 4], volume: f64) -> Bar {
    Bar {
        open_time: UtcNanos::from_nanos(open_time),
        close_time: UtcNanos::from_nanos(close_time),
        open,
        high,
        low,
        close,
        volume,
    }
}

#[test]
fn ticks_count_trades() {
    let trades = [
        trade(10, 2.0, 1.0),
        trade(20, 3.0, 1.0),
        trade(30, 1.0, 1.0),
        trade(40, 2.5, 1.0),
    ];
    let made = trade_bars(BarKind::Ticks(3), trades).unwrap();
    let bars: Vec<Bar> = made.bars.iter().collect();
    assert_eq!(bars, [bar((10, 31), [2.0, 3.0, 1.0, 1.0], 3.0)]);
    let forming = made.forming.unwrap();
    assert_eq!((forming.trades, forming.last, forming.over_at), (1, 2.5, None));
    assert_eq!(forming.first_trade, UtcNanos::from_nanos(40));
}

#[test]
fn a_trade_is_not_split() {
    let trades = [
        trade(10, 2.0, 4.0),
        trade(20, 2.0, 30.0),
        trade(30, 2.0, 9.0),
        trade(40, 2.0, 1.0),
    ];
    let made = trade_bars(BarKind::Volume(10.0), trades).unwrap();
    assert_eq!(made.bars.view().volume, [34.0, 10.0]);
    assert_eq!(made.forming, None);
}

#[test]
fn dollars_are_price_times_size() {
    let trades = [trade(10, 2.0, 4.0), trade(20, 4.0, 3.0), trade(30, 19.0, 1.0)];
    let made = trade_bars(BarKind::Dollar(20.0), trades).unwrap();
    assert_eq!(made.bars.view().volume, [7.0]);
    assert_eq!(made.forming.unwrap().value, 19.0);
}

#[test]
fn a_volume_bar_ends_at_its_size_in_decimals() {
    let tenths = (0..30).map(|time| trade(time, 1.0, 0.1));
    let made = trade_bars(BarKind::Volume(1.0), tenths).unwrap();
    assert_eq!(made.bars.view().volume, [1.0; 3]);
    assert_eq!(made.bars.view().open_time[1], UtcNanos::from_nanos(10));
}

#[test]
fn bars_of_one_instant_stand_behind_each_other() {
    let trades = [
        trade(5, 1.0, 1.0),
        trade(10, 2.0, 1.0),
        trade(10, 3.0, 1.0),
        trade(10, 4.0, 1.0),
        trade(10, 5.0, 1.0),
        trade(10, 6.0, 1.0),
        trade(11, 7.0, 1.0),
        trade(11, 8.0, 1.0),
        trade(20, 9.0, 1.0),
        trade(20, 9.5, 1.0),
    ];
    let made = trade_bars(BarKind::Ticks(2), trades).unwrap();
    let times: Vec<_> = made
        .bars
        .iter()
        .map(|bar| (bar.open_time.nanos(), bar.close_time.nanos()))
        .collect();
    // The trades of 11 come one nanosecond after those of 10, which have made bars up to 13.
    assert_eq!(times, [(5, 11), (11, 12), (12, 13), (13, 14), (20, 21)]);
    assert_eq!(made.bars.view().open, [1.0, 3.0, 5.0, 7.0, 9.0]);
}

#[test]
fn time_bars_are_windows_of_the_session() {
    let bars = TimeBars::new(AssetClass::Equity, Timeframe::H4);
    let mut stream = TradeBars::new(BarKind::Time(bars)).unwrap();
    let mut push = |time: &str, price: f64| stream.push(trade(time, price, 1.0)).unwrap();
    assert_eq!(push("2020-01-02T14:29:59.999Z", 9.0), None);
    assert_eq!(push("2020-01-02T14:30:00Z", 2.0), None);
    assert_eq!(push("2020-01-02T16:59:59.999999999Z", 1.0), None);
    let first = push("2020-01-02T17:00:00Z", 5.0).unwrap();
    assert_eq!(
        (first.open_time, first.close_time),
        (at("2020-01-02T14:30:00Z"), at("2020-01-02T17:00:00Z"))
    );
    assert_eq!(
        (first.open, first.high, first.close, first.volume),
        (2.0, 2.0, 1.0, 2.0)
    );
    // The close of the session is no longer part of it, and ends the bar.
    let second = push("2020-01-02T21:00:00Z", 9.0).unwrap();
    assert_eq!(
        (second.close, second.close_time),
        (5.0, at("2020-01-02T21:00:00Z"))
    );
    assert_eq!(push("2020-01-04T16:00:00Z", 9.0), None);
    // An early close, and a window without trades before it.
    assert_eq!(push("2020-11-27T17:59:00Z", 3.0), None);
    let early = push("2020-11-30T14:31:00Z", 4.0).unwrap();
    assert_eq!(
        (early.open_time, early.close_time),
        (at("2020-11-27T17:00:00Z"), at("2020-11-27T18:00:00Z"))
    );
    assert_eq!(stream.left_out(), LeftOut { trades: 3, size: 3.0 });
    assert_eq!(
        stream.forming().unwrap().over_at,
        Some(at("2020-11-30T17:00:00Z"))
    );
}

#[test]
fn time_ends_a_window_without_a_trade() {
    let bars = TimeBars::new(AssetClass::Crypto, Timeframe::H1);
    let mut stream = TradeBars::new(BarKind::Time(bars)).unwrap();
    stream.push(trade("2020-01-01T00:10:00Z", 2.0, 1.0)).unwrap();
    assert_eq!(stream.advance(at("2020-01-01T00:59:59Z")), Ok(None));
    let bar = stream.advance(at("2020-01-01T01:00:00Z")).unwrap().unwrap();
    assert_eq!(bar.close_time, at("2020-01-01T01:00:00Z"));
    assert_eq!(stream.forming(), None);
    assert_eq!(stream.advance(at("2020-01-01T09:00:00Z")), Ok(None));
    for refused in [
        stream.push(trade("2020-01-01T00:59:00Z", 2.0, 1.0)),
        stream.advance(at("2020-01-01T00:59:00Z")),
    ] {
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("earlier than 2020-01-01T09:00:00Z")
        );
    }
    // Other kinds do not end with time.
    let mut ticks = TradeBars::new(BarKind::Ticks(2)).unwrap();
    ticks.push(trade("2020-01-01T00:10:00Z", 2.0, 1.0)).unwrap();
    assert_eq!(ticks.advance(at("2030-01-01T00:00:00Z")), Ok(None));
    assert_eq!(ticks.forming().unwrap().trades, 1);
}

#[test]
fn clocks_change_with_the_session() {
    let bars = TimeBars::new(AssetClass::Equity, Timeframe::D1);
    // Friday before and Monday after the clocks of New York go forward.
    let trades = [
        trade("2021-03-12T14:30:00Z", 1.0, 1.0),
        trade("2021-03-15T13:29:00Z", 2.0, 1.0),
        trade("2021-03-15T13:30:00Z", 3.0, 1.0),
        trade("2021-03-16T13:30:00Z", 4.0, 1.0),
    ];
    let made = trade_bars(BarKind::Time(bars), trades).unwrap();
    let closes: Vec<_> = made.bars.iter().map(|bar| bar.close_time.to_string()).collect();
    assert_eq!(closes, ["2021-03-12T21:00:00Z", "2021-03-15T20:00:00Z"]);
    assert_eq!((made.bars.view().open[1], made.left_out.trades), (3.0, 1));
}

#[test]
fn currencies_keep_their_nominal_end() {
    let bars = TimeBars::new(AssetClass::Fx, Timeframe::H4);
    let trades = [
        trade("2021-07-16T20:30:00Z", 1.0, 1.0),
        trade("2021-07-16T21:30:00Z", 2.0, 1.0),
        trade("2021-07-18T21:00:00Z", 3.0, 1.0),
    ];
    let made = trade_bars(BarKind::Time(bars), trades).unwrap();
    let only = made.bars.bar(0);
    assert_eq!((only.close, only.close_time), (1.0, at("2021-07-17T00:00:00Z")));
    assert_eq!(made.left_out.trades, 1);
    assert_eq!(made.forming.unwrap().open, 3.0);
}

#[test]
fn late_prints_belong_to_the_last_bar() {
    let minutes = 60_000_000_000;
    let bars = TimeBars::new(AssetClass::Equity, Timeframe::H1).with_late_prints(5 * minutes);
    let mut stream = TradeBars::new(BarKind::Time(bars)).unwrap();
    let mut push = |time: &str, price: f64| stream.push(trade(time, price, 1.0)).unwrap();
    assert_eq!(push("2020-01-02T19:59:00Z", 1.0), None);
    // A bar that is not the last of its session ends as ever.
    assert_eq!(
        push("2020-01-02T20:00:00Z", 2.0).unwrap().close_time,
        at("2020-01-02T20:00:00Z")
    );
    assert_eq!(push("2020-01-02T21:04:59Z", 3.0), None);
    let last = push("2020-01-02T21:05:00Z", 9.0).unwrap();
    assert_eq!((last.close, last.volume), (3.0, 2.0));
    assert_eq!(
        (last.open_time, last.close_time),
        (at("2020-01-02T20:00:00Z"), at("2020-01-02T21:05:00Z"))
    );
    // Without a late trade the bar has the end of its session, but is over only when none can come.
    assert_eq!(push("2020-01-03T20:30:00Z", 4.0), None);
    assert_eq!(stream.advance(at("2020-01-03T21:04:59Z")), Ok(None));
    let last = stream.advance(at("2020-01-03T21:05:00Z")).unwrap().unwrap();
    assert_eq!(last.close_time, at("2020-01-03T21:00:00Z"));
    // Only late trades: the bar is there, and known late.
    stream.push(trade("2020-01-06T21:01:00Z", 5.0, 1.0)).unwrap();
    let last = stream.advance(at("2020-01-06T22:00:00Z")).unwrap().unwrap();
    assert_eq!(
        (last.open_time, last.close_time),
        (at("2020-01-06T20:00:00Z"), at("2020-01-06T21:05:00Z"))
    );
}

#[test]
fn a_refused_trade_changes_nothing() {
    let clean = [trade(100, 2.0, 1.0), trade(100, 3.0, 1.0), trade(200, 4.0, 1.0)];
    let day = Timeframe::D1.nanos();
    let bad = [
        (trade(99, 2.0, 1.0), "earlier"),
        (trade(150, 0.0, 1.0), "price is 0"),
        (trade(150, -1.0, 1.0), "price is -1"),
        (trade(150, f64::NAN, 1.0), "price is NaN"),
        (trade(150, f64::INFINITY, 1.0), "price is inf"),
        (trade(150, 1.0, 0.0), "size is 0"),
        (trade(150, 1.0, -1.0), "size is -1"),
        (trade(150, 1.0, f64::NAN), "size is NaN"),
        (trade(150, 1e200, 1e200), "no finite number"),
        (trade(i64::MAX, 1.0, 1.0), "ends of time"),
        (trade(i64::MAX - day, 1.0, 1.0), "ends of time"),
        (trade(i64::MIN + day - 1, 1.0, 1.0), "earlier"),
    ];
    let time = BarKind::Time(TimeBars::new(AssetClass::Crypto, Timeframe::M1));
    for kind in [
        time,
        BarKind::Ticks(3),
        BarKind::Volume(3.0),
        BarKind::Dollar(9.0),
    ] {
        let mut stream = TradeBars::new(kind).unwrap();
        let mut bars = Vec::new();
        for good in &clean[..2] {
            bars.extend(stream.push(*good).unwrap());
        }
        let before = stream.forming();
        for (refused, says) in &bad {
            let message = stream.push(*refused).unwrap_err().to_string();
            assert!(message.contains(says), "{message}");
            assert_eq!(stream.forming(), before);
        }
        bars.extend(stream.push(clean[2]).unwrap());
        let expected = trade_bars(kind, clean).unwrap();
        assert_eq!(bars, expected.bars.iter().collect::<Vec<_>>());
        assert_eq!(stream.forming(), expected.forming);
    }
    let mut stream = TradeBars::new(BarKind::Ticks(3)).unwrap();
    let early = stream.push(trade(i64::MIN + day - 1, 1.0, 1.0)).unwrap_err();
    assert!(early.to_string().contains("trade 0") && early.to_string().contains("ends of time"));
}

#[test]
fn sums_that_overflow_are_refused() {
    let huge = 1e308;
    let mut stream = TradeBars::new(BarKind::Ticks(3)).unwrap();
    stream.push(trade(1, 1.0, huge)).unwrap();
    let refused = stream.push(trade(2, 1.0, huge)).unwrap_err();
    assert!(matches!(
        refused,
        TickError::Trade {
            index: 1,
            defect: TradeDefect::TooLarge,
            ..
        }
    ));
    assert_eq!(stream.forming().unwrap().trades, 1);
    let equity = TimeBars::new(AssetClass::Equity, Timeframe::D1);
    let mut stream = TradeBars::new(BarKind::Time(equity)).unwrap();
    stream.push(trade("2020-01-04T00:00:00Z", 1.0, huge)).unwrap();
    assert!(stream.push(trade("2020-01-04T00:00:00Z", 1.0, huge)).is_err());
    assert_eq!(stream.left_out().trades, 1);
}

#[test]
fn the_ends_of_time_are_defined() {
    let day = Timeframe::D1.nanos();
    for class in AssetClass::ALL {
        for timeframe in Timeframe::ALL {
            let kind = BarKind::Time(TimeBars::new(class, timeframe));
            let ends = [i64::MIN + day, i64::MAX - day - 1].map(|time| trade(time, 1.0, 1.0));
            let made = trade_bars(kind, ends).unwrap();
            let inside = made.bars.len() as u64 + u64::from(made.forming.is_some());
            assert_eq!(inside + made.left_out.trades, 2, "{class} {timeframe}");
        }
    }
    let made = trade_bars(BarKind::Ticks(1), [trade(i64::MAX - day - 1, 1.0, 1.0)]).unwrap();
    assert_eq!(made.bars.len(), 1);
}

#[test]
fn kinds_that_cannot_be_are_refused() {
    let late = |class, nanos| BarKind::Time(TimeBars::new(class, Timeframe::H1).with_late_prints(nanos));
    for (kind, says) in [
        (BarKind::Ticks(0), "ticks bars: found 0"),
        (BarKind::Volume(0.0), "volume bars: found 0"),
        (BarKind::Volume(f64::NAN), "volume bars: found NaN"),
        (BarKind::Dollar(-1.0), "dollar bars: found -1"),
        (BarKind::Dollar(f64::INFINITY), "dollar bars: found inf"),
        (late(AssetClass::Equity, -1), "late prints"),
        (late(AssetClass::Equity, i64::MAX), "late prints"),
        (late(AssetClass::Crypto, 1), "late prints"),
    ] {
        let message = TradeBars::new(kind).unwrap_err().to_string();
        assert!(message.contains(says), "{message}");
    }
    let made = trade_bars(BarKind::Ticks(1), []).unwrap();
    assert_eq!(
        (made.bars.len(), made.forming, made.left_out),
        (0, None, LeftOut::default())
    );
}
