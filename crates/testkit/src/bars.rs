//! Times and bars for test markets.
//!
//! Sessions are Monday to Friday, 14:30 to 21:00 UTC (New York hours in winter), without holidays and without daylight
//! saving: enough to have nights, weekends and two unequal 4-hour bars a day.

use sextant_domain::{Bar, BarSeries, Timeframe, UtcNanos};

use crate::SplitMix64;

const MINUTE_NANOS: i64 = 60_000_000_000;
const DAY_NANOS: i64 = Timeframe::D1.nanos();
const SESSION_OPEN_NANOS: i64 = (14 * 60 + 30) * MINUTE_NANOS;
const SESSION_NOON_NANOS: i64 = 17 * 60 * MINUTE_NANOS;
const SESSION_CLOSE_NANOS: i64 = 21 * 60 * MINUTE_NANOS;

/// The time a bar covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Start of the bar.
    pub open_time: UtcNanos,
    /// End of the bar.
    pub close_time: UtcNanos,
}

/// An instant from its text, such as `2020-01-31` or `2020-01-31T16:00:00Z`.
///
/// # Panics
/// When the text is no instant.
pub fn instant(text: &str) -> UtcNanos {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// `count` bars that follow each other without a gap, round the clock, from `start` on.
pub fn round_the_clock(start: UtcNanos, timeframe: Timeframe, count: usize) -> Vec<Span> {
    let at = |index: usize| start.saturating_add(index as i64 * timeframe.nanos());
    (0..count)
        .map(|index| Span {
            open_time: at(index),
            close_time: at(index + 1),
        })
        .collect()
}

/// `count` daily session bars: one per weekday from the day of `start` on.
pub fn daily_sessions(start: UtcNanos, count: usize) -> Vec<Span> {
    weekdays(start, count)
        .map(|midnight| span(midnight, SESSION_OPEN_NANOS, SESSION_CLOSE_NANOS))
        .collect()
}

/// The 4-hour bars of `count` sessions: two a day, the first two and a half hours long, the second four.
pub fn half_sessions(start: UtcNanos, count: usize) -> Vec<Span> {
    weekdays(start, count)
        .flat_map(|midnight| {
            [
                span(midnight, SESSION_OPEN_NANOS, SESSION_NOON_NANOS),
                span(midnight, SESSION_NOON_NANOS, SESSION_CLOSE_NANOS),
            ]
        })
        .collect()
}

fn span(midnight: UtcNanos, from_nanos: i64, to_nanos: i64) -> Span {
    Span {
        open_time: midnight.saturating_add(from_nanos),
        close_time: midnight.saturating_add(to_nanos),
    }
}

/// Midnights of `count` weekdays. Day 0 of the epoch was a Thursday.
fn weekdays(start: UtcNanos, count: usize) -> impl Iterator<Item = UtcNanos> {
    (start.day_number()..)
        .filter(|day| (day + 3).rem_euclid(7) < 5)
        .map(|day| UtcNanos::from_nanos(day * DAY_NANOS))
        .take(count)
}

/// Bars with the given closes; each opens at the close before it, and high and low are the ends of its body. The first
/// one opens at its own close. Volume is 1,000.
///
/// # Panics
/// When there are not as many closes as spans, or a close is not a positive number.
pub fn from_closes(spans: &[Span], closes: &[f64]) -> BarSeries {
    assert_eq!(spans.len(), closes.len(), "as many closes as bars");
    let mut open = closes.first().copied().unwrap_or(1.0);
    let bars = spans.iter().zip(closes).map(|(span, &close)| {
        let bar = priced(*span, [open, open.max(close), open.min(close), close], 1_000.0);
        open = close;
        bar
    });
    valid(bars)
}

/// Bars from a function of their index that returns open, high, low and close. Volume is 1,000.
///
/// # Panics
/// When a bar is not valid.
pub fn from_fn(spans: &[Span], mut prices: impl FnMut(usize) -> [f64; 4]) -> BarSeries {
    valid(
        spans
            .iter()
            .enumerate()
            .map(|(index, span)| priced(*span, prices(index), 1_000.0)),
    )
}

/// Where a random walk starts and how far it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Walk {
    /// The first open.
    pub start_price: f64,
    /// Standard deviation of the return of one bar, as a fraction; at most 0.2 so that prices stay positive.
    pub step: f64,
    /// Seed of the walk.
    pub seed: u64,
}

/// A random walk: small gaps between bars, wicks beyond the bodies, changing volume.
///
/// # Panics
/// When the step is larger than 0.2 or the start price is not positive.
pub fn random_walk(spans: &[Span], walk: Walk) -> BarSeries {
    assert!(
        (0.0..=0.2).contains(&walk.step),
        "a step of {} may lead below zero",
        walk.step
    );
    let mut random = SplitMix64::new(walk.seed);
    let mut last = walk.start_price;
    let bars = spans.iter().map(|span| {
        let open = last * (1.0 + 0.2 * walk.step * random.bell());
        let close = open * (1.0 + walk.step * random.bell());
        let high = open.max(close) * (1.0 + walk.step * random.uniform());
        let low = open.min(close) * (1.0 - walk.step * random.uniform());
        last = close;
        priced(*span, [open, high, low, close], random.between(1_000.0, 10_000.0))
    });
    valid(bars)
}

/// Coarser bars made of finer ones: each span takes every fine bar that lies inside it. Spans without any are left out.
pub fn aggregate(fine: &BarSeries, spans: &[Span]) -> BarSeries {
    valid(spans.iter().filter_map(|span| {
        let inside = fine
            .iter()
            .filter(|bar| bar.open_time >= span.open_time && bar.close_time <= span.close_time);
        let merged = inside.reduce(|whole, bar| Bar {
            high: whole.high.max(bar.high),
            low: whole.low.min(bar.low),
            close: bar.close,
            volume: whole.volume + bar.volume,
            ..whole
        })?;
        Some(Bar {
            open_time: span.open_time,
            close_time: span.close_time,
            ..merged
        })
    }))
}

fn priced(span: Span, [open, high, low, close]: [f64; 4], volume: f64) -> Bar {
    Bar {
        open_time: span.open_time,
        close_time: span.close_time,
        open,
        high,
        low,
        close,
        volume,
    }
}

pub(crate) fn valid(bars: impl Iterator<Item = Bar>) -> BarSeries {
    BarSeries::from_bars(bars).unwrap_or_else(|error| panic!("test bars must be valid: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_skip_the_weekend() {
        let friday = instant("2020-01-03");
        let days = daily_sessions(friday, 3);
        let closes: Vec<_> = days.iter().map(|span| span.close_time.to_string()).collect();
        assert_eq!(
            closes,
            [
                "2020-01-03T21:00:00Z",
                "2020-01-06T21:00:00Z",
                "2020-01-07T21:00:00Z"
            ]
        );
        let halves = half_sessions(friday, 3);
        assert_eq!(halves.len(), 6);
        assert_eq!(halves[0].close_time, halves[1].open_time);
        assert_eq!(halves[3].close_time, days[1].close_time);
        assert_eq!(halves[2].open_time.to_string(), "2020-01-06T14:30:00Z");
    }

    #[test]
    fn a_walk_repeats_with_its_seed() {
        let spans = round_the_clock(instant("2020-01-01"), Timeframe::H4, 500);
        let walk = Walk {
            start_price: 100.0,
            step: 0.02,
            seed: 5,
        };
        let bars = random_walk(&spans, walk);
        assert_eq!(bars, random_walk(&spans, walk));
        assert_ne!(bars, random_walk(&spans, Walk { seed: 6, ..walk }));
        assert_eq!(bars.len(), 500);
    }

    /// `benches/peers/common.py` makes the same walk, and checks it against the same numbers.
    #[test]
    fn walks_are_those_of_the_peer_benches() {
        let spans = round_the_clock(instant("2015-01-01"), Timeframe::M1, 1_000);
        let walk = Walk {
            start_price: 100.0,
            step: 0.0005,
            seed: 1,
        };
        let last = random_walk(&spans, walk).bar(999);
        assert_eq!(
            [last.open, last.high, last.low, last.close, last.volume],
            [
                96.4904965246344,
                96.52690193494615,
                96.46843685008085,
                96.50150581798836,
                3619.878243947177
            ]
        );
    }

    #[test]
    fn coarse_bars_enclose_their_fine_ones() {
        let start = instant("2020-01-01");
        let fine = from_fn(&round_the_clock(start, Timeframe::H4, 12), |index| {
            let base = 10.0 + index as f64;
            [base, base + 2.0, base - 2.0, base + 1.0]
        });
        let days = aggregate(&fine, &round_the_clock(start, Timeframe::D1, 3));
        assert_eq!(days.len(), 2, "a day without bars is left out");
        let second = days.bar(1);
        assert_eq!(
            [second.open, second.high, second.low, second.close],
            [16.0, 23.0, 14.0, 22.0]
        );
        assert_eq!(second.volume, 6_000.0);
        assert_eq!(second.close_time, instant("2020-01-03"));
    }
}
