//! What holds for all trades and all kinds of bars.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sextant_domain::{AssetClass, Timeframe};

use super::*;

/// Trades around the New York session of a week with a change of clocks; many share a time.
fn trades() -> impl Strategy<Value = Vec<Trade>> {
    let start: UtcNanos = "2021-03-11T12:00:00Z".parse().unwrap();
    let step = prop_oneof![
        4 => Just(0_i64),
        1 => 1..3_i64,
        3 => 1..600_000_000_000_i64,
        1 => 1..200_000_000_000_000_i64,
    ];
    let one = (step, 1..100_000_u32, 1..5_000_u32);
    proptest::collection::vec(one, 0..120).prop_map(move |steps| {
        let mut time = start;
        let trade = |(step, price, size): (i64, u32, u32)| {
            time = time.saturating_add(step);
            Trade {
                time,
                price: f64::from(price) / 100.0,
                size: f64::from(size) / 10.0,
            }
        };
        steps.into_iter().map(trade).collect()
    })
}

fn kind() -> impl Strategy<Value = BarKind> {
    let classes = proptest::sample::select(AssetClass::ALL.to_vec());
    let timeframes = proptest::sample::select(Timeframe::ALL.to_vec());
    let time = (classes, timeframes, 0..14_400_i64).prop_map(|(class, timeframe, late)| {
        let bars = TimeBars::new(class, timeframe);
        let late = if class == AssetClass::Equity { late } else { 0 };
        BarKind::Time(bars.with_late_prints(late * 1_000_000_000))
    });
    prop_oneof![
        time,
        (1..6_u64).prop_map(BarKind::Ticks),
        (1..2_000_u32).prop_map(|size| BarKind::Volume(f64::from(size))),
        (1..400_000_u32).prop_map(|value| BarKind::Dollar(f64::from(value))),
    ]
}

/// The trades of each bar, found from the bars alone: bars take trades in order, and none is split.
fn trades_by_bar<'t>(made: &BarsOfTrades, inside: &'t [Trade], kind: BarKind) -> Vec<&'t [Trade]> {
    let mut rest = inside;
    let mut parts = Vec::new();
    for bar in made.bars.iter() {
        let count = match kind {
            BarKind::Ticks(count) => usize::try_from(count).unwrap(),
            BarKind::Time(_) => rest.partition_point(|trade| trade.time < bar.close_time),
            BarKind::Volume(limit) => {
                1 + rest
                    .iter()
                    .scan(0.0, |sum, trade| {
                        *sum += trade.size;
                        Some(*sum)
                    })
                    .position(|sum| sum >= limit - 1e-6)
                    .unwrap()
            }
            BarKind::Dollar(limit) => {
                1 + rest
                    .iter()
                    .scan(0.0, |sum, trade| {
                        *sum += trade.size * trade.price;
                        Some(*sum)
                    })
                    .position(|sum| sum >= limit - 1e-6)
                    .unwrap()
            }
        };
        let (part, behind) = rest.split_at(count);
        parts.push(part);
        rest = behind;
    }
    let open = made.forming.map_or(0, |forming| forming.trades);
    assert_eq!(rest.len() as u64, open, "trades are lost");
    parts
}

/// Trades that some bar has.
fn inside(trades: &[Trade], kind: BarKind) -> Vec<Trade> {
    let BarKind::Time(bars) = kind else {
        return trades.to_vec();
    };
    let calendar = crate::Calendar::for_class(bars.class);
    let is_open = |time: UtcNanos| {
        let session = calendar.session(calendar.date_of(time));
        session.is_some_and(|session| {
            session.open <= time && time < session.close.saturating_add(bars.late_nanos)
        })
    };
    trades
        .iter()
        .copied()
        .filter(|trade| is_open(trade.time))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn bars_are_those_of_their_trades(trades in trades(), kind in kind()) {
        let made = trade_bars(kind, trades.clone()).unwrap();
        let inside = inside(&trades, kind);
        prop_assert_eq!((trades.len() - inside.len()) as u64, made.left_out.trades);
        let parts = trades_by_bar(&made, &inside, kind);
        for (bar, part) in made.bars.iter().zip(&parts) {
            let prices = || part.iter().map(|trade| trade.price);
            prop_assert_eq!(bar.open, part[0].price);
            prop_assert_eq!(bar.close, part[part.len() - 1].price);
            prop_assert_eq!(bar.high, prices().fold(f64::MIN, f64::max));
            prop_assert_eq!(bar.low, prices().fold(f64::MAX, f64::min));
            let volume: f64 = part.iter().map(|trade| trade.size).sum();
            prop_assert!((bar.volume - volume).abs() < 1e-9 * volume);
            // Not known before its last trade, and never begun before its first, but for windows of time.
            prop_assert!(bar.close_time > part[part.len() - 1].time);
            let has_window = matches!(kind, BarKind::Time(_));
            prop_assert!(has_window || bar.open_time >= part[0].time);
            // Later than it must be only by a nanosecond for each bar.
            let delay = bar.close_time.nanos() - part[part.len() - 1].time.nanos();
            prop_assert!(has_window || delay <= made.bars.len() as i64);
        }
    }

    #[test]
    fn volume_is_conserved_and_bars_are_in_order(trades in trades(), kind in kind()) {
        let made = trade_bars(kind, trades.clone()).unwrap();
        // In tenths, because sums of whole numbers are exact.
        let tenths = |size: f64| (size * 10.0).round() as i64;
        let whole: i64 = trades.iter().map(|trade| tenths(trade.size)).sum();
        let bars: i64 = made.bars.iter().map(|bar| tenths(bar.volume)).sum();
        let open = made.forming.map_or(0, |forming| tenths(forming.size));
        prop_assert_eq!(bars + open + tenths(made.left_out.size), whole);
        let view = made.bars.view();
        for index in 1..made.bars.len() {
            prop_assert!(view.close_time[index - 1] <= view.open_time[index]);
        }
        prop_assert!(made.bars.iter().all(|bar| bar.defect().is_none()));
    }

    #[test]
    fn a_stream_gives_what_the_batch_gives(trades in trades(), kind in kind(), cut in 0..120_usize) {
        let mut stream = TradeBars::new(kind).unwrap();
        let mut bars = Vec::new();
        let mut half = None;
        for (index, trade) in trades.iter().enumerate() {
            if index == cut {
                // Up to here it knows nothing of what comes: a copy that stops here has the same bars.
                half = Some((bars.len(), stream.forming()));
            }
            let over = stream.push(*trade).unwrap();
            if let (BarKind::Time(_), Some(over)) = (kind, over) {
                prop_assert!(over.close_time <= trade.time);
            }
            bars.extend(over);
        }
        let made = trade_bars(kind, trades.clone()).unwrap();
        prop_assert_eq!(&bars, &made.bars.iter().collect::<Vec<_>>());
        prop_assert_eq!(stream.forming(), made.forming);
        if let Some((count, forming)) = half {
            let first = trade_bars(kind, trades[..cut].to_vec()).unwrap();
            prop_assert_eq!(first.bars.iter().collect::<Vec<_>>(), &bars[..count]);
            prop_assert_eq!(first.forming, forming);
        }
    }

    #[test]
    fn telling_the_time_changes_no_bar(trades in trades(), kind in kind()) {
        let mut stream = TradeBars::new(kind).unwrap();
        let mut bars = Vec::new();
        for trade in &trades {
            bars.extend(stream.advance(trade.time).unwrap());
            bars.extend(stream.push(*trade).unwrap());
        }
        let made = trade_bars(kind, trades.clone()).unwrap();
        prop_assert_eq!(bars, made.bars.iter().collect::<Vec<_>>());
    }
}
