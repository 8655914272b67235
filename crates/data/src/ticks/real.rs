//! Bars of real trades.
#![allow(clippy::unwrap_used)]

use std::io::Read;

use sextant_domain::{AssetClass, Timeframe};

use super::*;
use crate::{BarSlot, Calendar};

/// The trades of a file; `None` where the real data are missing.
fn read(file: &str, columns: [usize; 3]) -> Option<Vec<Trade>> {
    let path = sextant_testkit::real_data_dir()?.join("orderbook").join(file);
    let mut text = String::new();
    let bytes = std::fs::read(path).unwrap();
    flate2::read::MultiGzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .unwrap();
    let trade = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let [time, price, size] = columns.map(|column| fields[column]);
        Trade {
            time: time.parse().unwrap(),
            price: price.parse().unwrap(),
            size: size.parse().unwrap(),
        }
    };
    Some(text.lines().skip(1).map(trade).collect())
}

fn ibm() -> Option<Vec<Trade>> {
    read("ibm_ticks_trade_20131007_lean.csv.gz", [0, 1, 2])
}

fn bitcoin_day() -> Option<Vec<Trade>> {
    read("bitstamp_btcusd_trades_20150501.csv.gz", [0, 2, 3])
}

/// Without the one trade of no size that the file has.
fn bitcoin_months() -> Option<Vec<Trade>> {
    let all = read("bitstamp_btcusd_trades_2011_2012_pyalgotrade.csv.gz", [0, 1, 2])?;
    let refused = trade_bars(BarKind::Ticks(10), all.clone()).unwrap_err();
    let TickError::Trade { index, defect, .. } = refused else {
        panic!("{refused}")
    };
    assert_eq!(defect, TradeDefect::BadSize { found: 0.0 });
    let mut trades = all;
    let zero = trades.remove(usize::try_from(index).unwrap());
    assert_eq!(zero.time.to_string(), "2012-05-21T10:28:01Z");
    Some(trades)
}

fn check_parts(made: &BarsOfTrades, trades: &[Trade]) {
    let mut rest = trades;
    for bar in made.bars.iter() {
        let mut volume = 0.0;
        let count = 1 + rest
            .iter()
            .position(|trade| {
                volume += trade.size;
                volume >= bar.volume - 1e-6
            })
            .unwrap();
        let part = &rest[..count];
        rest = &rest[count..];
        assert_eq!((bar.open, bar.close), (part[0].price, part[count - 1].price));
        let prices = || part.iter().map(|trade| trade.price);
        assert_eq!(bar.high, prices().fold(f64::MIN, f64::max));
        assert_eq!(bar.low, prices().fold(f64::MAX, f64::min));
        assert!(bar.open_time >= part[0].time && bar.close_time > part[count - 1].time);
        let delay = bar.close_time.nanos() - part[count - 1].time.nanos();
        assert!(delay <= 100, "{delay} ns late");
    }
    assert_eq!(
        rest.len() as u64,
        made.forming.map_or(0, |forming| forming.trades)
    );
}

fn total(trades: &[Trade]) -> f64 {
    trades.iter().map(|trade| trade.size).sum()
}

fn volume(made: &BarsOfTrades) -> f64 {
    let open = made.forming.map_or(0.0, |forming| forming.size);
    made.bars.view().volume.iter().sum::<f64>() + open + made.left_out.size
}

fn check_all_kinds(trades: &[Trade], size: f64, value: f64) {
    for kind in [
        BarKind::Ticks(1),
        BarKind::Ticks(50),
        BarKind::Volume(size),
        BarKind::Dollar(value),
    ] {
        let made = trade_bars(kind, trades.iter().copied()).unwrap();
        assert!(made.bars.len() > 10, "{kind:?}: {}", made.bars.len());
        assert!(
            (volume(&made) - total(trades)).abs() < 1e-9 * total(trades),
            "{kind:?}"
        );
        check_parts(&made, trades);
        match kind {
            BarKind::Volume(size) => assert!(made.bars.view().volume.iter().all(|volume| *volume >= size)),
            BarKind::Ticks(1) => assert_eq!(made.bars.len(), trades.len()),
            _ => {}
        }
    }
}

#[test]
fn every_kind_keeps_every_trade() {
    if let Some(trades) = ibm() {
        assert_eq!((trades.len(), total(&trades)), (24_293, 3_960_352.0));
        check_all_kinds(&trades, 20_000.0, 3_000_000.0);
    }
    if let Some(trades) = bitcoin_day() {
        check_all_kinds(&trades, 10.0, 2_000.0);
    }
    if let Some(trades) = bitcoin_months() {
        check_all_kinds(&trades, 100.0, 500.0);
    }
}

/// Bars by looking at all trades for each window there is.
fn recomputed(trades: &[Trade], class: AssetClass, timeframe: Timeframe) -> Vec<Bar> {
    let calendar = Calendar::for_class(class);
    let day = Timeframe::D1.nanos();
    let (first, last) = (trades[0].time, trades[trades.len() - 1].time);
    let slots = calendar.expected_bars(timeframe, first.saturating_add(-day), last.saturating_add(day));
    let bar = |slot: &BarSlot| {
        let begin = trades.partition_point(|trade| trade.time < slot.open_time);
        let end = trades.partition_point(|trade| trade.time < slot.close_time);
        let part: Vec<Trade> = trades[begin..end]
            .iter()
            .copied()
            .filter(|trade| calendar.is_open(trade.time))
            .collect();
        let prices = || part.iter().map(|trade| trade.price);
        Some(Bar {
            open_time: slot.open_time,
            close_time: slot.close_time,
            open: part.first()?.price,
            high: prices().fold(f64::MIN, f64::max),
            low: prices().fold(f64::MAX, f64::min),
            close: part.last()?.price,
            volume: total(&part),
        })
    };
    slots.iter().filter_map(bar).collect()
}

fn check_time_bars(trades: &[Trade], class: AssetClass) {
    for timeframe in Timeframe::ALL {
        let kind = BarKind::Time(TimeBars::new(class, timeframe));
        let mut stream = TradeBars::new(kind).unwrap();
        let mut bars: Vec<Bar> = Vec::new();
        for trade in trades {
            bars.extend(stream.push(*trade).unwrap());
        }
        let much_later = trades[trades.len() - 1]
            .time
            .saturating_add(2 * Timeframe::D1.nanos());
        bars.extend(stream.advance(much_later).unwrap());
        let expected = recomputed(trades, class, timeframe);
        assert_eq!(bars.len(), expected.len(), "{timeframe}");
        let mut sum = stream.left_out().size;
        for (bar, expected) in bars.iter().zip(&expected) {
            sum += bar.volume;
            assert!(
                (bar.volume - expected.volume).abs() <= 1e-9 * expected.volume,
                "{bar:?}"
            );
            let volume = expected.volume;
            assert_eq!(Bar { volume, ..*bar }, *expected, "{timeframe}");
        }
        assert!((sum - total(trades)).abs() < 1e-9 * total(trades), "{timeframe}");
        assert_eq!(stream.forming(), None);
    }
}

#[test]
fn time_bars_equal_a_recomputation() {
    if let Some(trades) = ibm() {
        check_time_bars(&trades, AssetClass::Equity);
        check_time_bars(&trades, AssetClass::Crypto);
    }
    if let Some(trades) = bitcoin_day() {
        check_time_bars(&trades, AssetClass::Crypto);
    }
    if let Some(trades) = bitcoin_months() {
        check_time_bars(&trades, AssetClass::Crypto);
        check_time_bars(&trades, AssetClass::Fx);
    }
}

#[test]
fn the_session_of_ibm_is_known() {
    let Some(trades) = ibm() else { return };
    let daily = TimeBars::new(AssetClass::Equity, Timeframe::D1);
    let made = |bars| {
        let mut stream = TradeBars::new(BarKind::Time(bars)).unwrap();
        let mut over = Vec::new();
        for trade in &trades {
            over.extend(stream.push(*trade).unwrap());
        }
        (over, stream.left_out())
    };
    // Counted from the file: 24,106 trades from 13:30 to 20:00 UTC.
    let (bars, left_out) = made(daily);
    assert_eq!((bars.len(), bars[0].volume), (1, 3_753_440.0));
    assert_eq!(
        (bars[0].open, bars[0].high, bars[0].low, bars[0].close),
        (181.9, 183.31, 181.85, 182.0)
    );
    assert_eq!(
        (left_out.trades, left_out.size),
        (24_293 - 24_106, 3_960_352.0 - 3_753_440.0)
    );
    // With the closing auction, printed at 20:01:04, the close is that of the daily file: 182.01.
    let (bars, _) = made(daily.with_late_prints(120_000_000_000));
    assert!(bars[0].volume >= 3_753_440.0 + 151_665.0);
    assert_eq!(bars[0].close_time.to_string(), "2013-10-07T20:02:00Z");
    assert_eq!(bars[0].close, 182.01);
}
