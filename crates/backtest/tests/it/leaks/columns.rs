//! Leaks in columns of numbers: what a line of a notebook does to a whole column at once.

use sextant_domain::MarketData;
use sextant_testkit::SplitMix64;

use super::Leak;
use super::chain::{Script, at_closes, bar_return, deviation, mean, scripted, spy, trailing};

pub(super) fn leaks() -> Vec<Leak> {
    vec![
        scripted("shift by minus one", shift_minus_one, shift_one),
        scripted("z-score of the whole sample", whole_zscore, trailing_zscore),
        scripted(
            "centred window",
            |market| window(market, 2),
            |market| window(market, 0),
        ),
        scripted("filled backwards", fill_backwards, fill_forwards),
        scripted(
            "minimum and maximum of the whole sample",
            whole_range,
            range_so_far,
        ),
        scripted("filtered forwards and backwards", two_sided, one_sided),
        scripted("rank within the whole sample", whole_rank, trailing_rank),
        scripted("trend of the whole sample removed", whole_trend, trend_so_far),
        scripted(
            "random numbers drawn for the whole sample",
            drawn_from_length,
            drawn_from_bar,
        ),
        scripted("the end of the sample is known", knows_the_end, |market| {
            at_closes(market, |index| Some(f64::from(u8::from(index % 7 == 0))))
        }),
        scripted(
            "cache with a key without time",
            cached_by_symbol,
            cached_by_symbol_and_bar,
        ),
    ]
}

fn percent(value: f64) -> f64 {
    100.0 * value
}

fn shift_minus_one(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| {
        let next = (index + 1).min(close.len() - 1);
        bar_return(close, next).map(percent)
    })
}

fn shift_one(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| bar_return(close, index).map(percent))
}

fn whole_zscore(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| {
        Some((close[index] - mean(close)) / deviation(close))
    })
}

fn trailing_zscore(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| {
        let window = trailing(close, index, 20)?;
        Some((close[index] - mean(window)) / deviation(window))
    })
}

/// The price over a mean of five bars, `after` of which come after the present one.
fn window(market: &MarketData, after: usize) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| {
        let last = (index + after).min(close.len() - 1);
        Some(percent(close[index] / mean(trailing(close, last, 5)?) - 1.0))
    })
}

/// A number that comes with every fifth bar.
fn sparse(market: &MarketData, index: usize) -> Option<f64> {
    let close = spy(market).close;
    bar_return(close, index)
        .filter(|_| index.is_multiple_of(5))
        .map(percent)
}

fn fill_backwards(market: &MarketData) -> Script {
    let count = spy(market).len();
    at_closes(market, |index| {
        (index..count).find_map(|next| sparse(market, next))
    })
}

fn fill_forwards(market: &MarketData) -> Script {
    at_closes(market, |index| {
        (0..=index).rev().find_map(|earlier| sparse(market, earlier))
    })
}

fn position_in(range: &[f64], value: f64) -> f64 {
    let low = range.iter().copied().fold(f64::INFINITY, f64::min);
    let high = range.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if high > low {
        (value - low) / (high - low)
    } else {
        0.5
    }
}

fn whole_range(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| Some(position_in(close, close[index])))
}

fn range_so_far(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| Some(position_in(&close[..=index], close[index])))
}

/// Exponential smoothing from the first value to the last.
fn smoothed(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut state = None;
    let steps = values.map(|value| {
        let next = state.map_or(value, |state: f64| state + 0.2 * (value - state));
        state = Some(next);
        next
    });
    steps.collect()
}

fn two_sided(market: &MarketData) -> Script {
    let close = spy(market).close;
    let mut back = smoothed(smoothed(close.iter().copied()).into_iter().rev());
    back.reverse();
    at_closes(market, |index| Some(percent(close[index] / back[index] - 1.0)))
}

fn one_sided(market: &MarketData) -> Script {
    let close = spy(market).close;
    let line = smoothed(close.iter().copied());
    at_closes(market, |index| Some(percent(close[index] / line[index] - 1.0)))
}

fn rank_in(values: &[f64], value: f64) -> f64 {
    values.iter().filter(|other| **other < value).count() as f64 / values.len() as f64
}

fn whole_rank(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| Some(rank_in(close, close[index])))
}

fn trailing_rank(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| {
        Some(rank_in(trailing(close, index, 30)?, close[index]))
    })
}

/// How far the last value lies above the straight line through the first and the last of `all`, at its own place.
fn above_trend(all: &[f64], index: usize) -> f64 {
    let slope = (all[all.len() - 1] - all[0]) / all.len() as f64;
    percent(all[index] / (all[0] + slope * index as f64) - 1.0)
}

fn whole_trend(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| Some(above_trend(close, index)))
}

fn trend_so_far(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| Some(above_trend(&close[..=index], index)))
}

fn drawn_from_length(market: &MarketData) -> Script {
    let mut random = SplitMix64::new(9);
    // The generator has been through the whole sample before the first decision takes from it.
    let draws: Vec<f64> = spy(market).close.iter().map(|_| random.bell()).collect();
    let shift = random.bell() + draws[draws.len() - 1];
    at_closes(market, |index| Some(draws[index] + shift))
}

fn drawn_from_bar(market: &MarketData) -> Script {
    at_closes(market, |index| Some(SplitMix64::new(9 + index as u64).bell()))
}

fn knows_the_end(market: &MarketData) -> Script {
    let count = spy(market).len();
    at_closes(market, |index| Some(if index + 3 >= count { -9.0 } else { 1.0 }))
}

fn cached_by_symbol(market: &MarketData) -> Script {
    let close = spy(market).close;
    let mut cache = std::collections::BTreeMap::new();
    for index in 0..close.len() {
        cache.insert("SPY", bar_return(close, index));
    }
    at_closes(market, |index| {
        Some(percent(cache["SPY"]? - bar_return(close, index)?))
    })
}

fn cached_by_symbol_and_bar(market: &MarketData) -> Script {
    let close = spy(market).close;
    let mut cache = std::collections::BTreeMap::new();
    for index in 0..close.len() {
        cache.insert(("SPY", index), bar_return(close, index));
    }
    at_closes(market, |index| cache[&("SPY", index)].map(percent))
}
