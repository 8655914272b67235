//! Leaks in bringing together data of different times: days and hours, publications, corporate actions.

use sextant_domain::{BarsView, MarketData, Timeframe, UtcNanos};

use super::Leak;
use super::chain::{Script, at_closes, bars, scripted, spy};

const DAY_NANOS: i64 = 86_400_000_000_000;

pub(super) fn leaks() -> Vec<Leak> {
    vec![
        scripted(
            "daily merge off by one",
            |market| daily(market, |days, now| closed(days, now) + 1),
            |market| daily(market, closed),
        ),
        scripted(
            "daily merge on the date",
            |market| daily(market, opened),
            |market| daily(market, closed),
        ),
        scripted(
            "forming bar",
            |market| other_asset(market, opened),
            |market| other_asset(market, closed),
        ),
        scripted(
            "resampled with the label of the window's start",
            |market| resampled(market, Label::Start),
            |market| resampled(market, Label::End),
        ),
        scripted(
            "macro value before its publication",
            |market| published(market, DAY_NANOS),
            |market| published(market, 0),
        ),
        scripted(
            "adjusted for a split to come",
            adjusted_backwards,
            adjusted_forwards,
        ),
    ]
}

/// How many bars have closed.
fn closed(bars: BarsView<'_>, now: UtcNanos) -> usize {
    bars.close_time.partition_point(|time| *time <= now)
}

/// How many bars have opened: one too many wherever one is open.
fn opened(bars: BarsView<'_>, now: UtcNanos) -> usize {
    bars.open_time.partition_point(|time| *time < now)
}

/// The distance of SPY from the last of `count` closes of other bars.
fn distance(
    market: &MarketData,
    others: BarsView<'_>,
    count: impl Fn(BarsView<'_>, UtcNanos) -> usize,
) -> Script {
    let bars = spy(market);
    at_closes(market, |index| {
        let known = count(others, bars.close_time[index]).min(others.len());
        let last = others.close[..known].last()?;
        Some(100.0 * (bars.close[index] / last - 1.0) + last / 100.0)
    })
}

fn daily(market: &MarketData, count: impl Fn(BarsView<'_>, UtcNanos) -> usize) -> Script {
    distance(market, bars(market, "SPY", Timeframe::D1), count)
}

fn other_asset(market: &MarketData, count: impl Fn(BarsView<'_>, UtcNanos) -> usize) -> Script {
    distance(market, bars(market, "BTC-USD", Timeframe::H4), count)
}

#[derive(Clone, Copy)]
enum Label {
    Start,
    End,
}

/// Windows of four bars: the range of the newest one that is there by its label.
fn resampled(market: &MarketData, label: Label) -> Script {
    let bars = spy(market);
    at_closes(market, |index| {
        let now = bars.close_time[index];
        let windows = (0..bars.len() / 4).map(|window| 4 * window..4 * window + 4);
        let mut there = windows.filter(|window| match label {
            Label::Start => bars.open_time[window.start] <= now,
            Label::End => bars.close_time[window.end - 1] <= now,
        });
        let window = there.next_back()?;
        Some(100.0 * (bars.close[window.end - 1] / bars.open[window.start] - 1.0))
    })
}

/// A macro value, taken `early` nanoseconds before it is out.
fn published(market: &MarketData, early: i64) -> Script {
    let bars = spy(market);
    let series = &market.macros()[0];
    at_closes(market, |index| {
        let known = series.available(bars.close_time[index].saturating_add(early));
        series.values()[..known].last().copied()
    })
}

/// Where the next price is below three quarters or above four thirds of the one before: taken for a split. On bars of a
/// walk there is none, so the larger moves are taken.
fn ratio(close: &[f64], index: usize) -> f64 {
    let move_of = close[index] / close[index - 1];
    if (0.985..1.015).contains(&move_of) {
        1.0
    } else {
        move_of
    }
}

/// Every price divided by all splits that come after it: right for returns, but its level knows them.
fn adjusted_backwards(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| {
        let later: f64 = (index + 1..close.len())
            .map(|after| ratio(close, after))
            .product();
        Some(close[index] * later / 100.0 - 2.7)
    })
}

/// Every price multiplied by the splits up to it.
fn adjusted_forwards(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| {
        let so_far: f64 = (1..=index).map(|before| ratio(close, before)).product();
        Some(close[index] / so_far / 100.0 - 2.7)
    })
}
