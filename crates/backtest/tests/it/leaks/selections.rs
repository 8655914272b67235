//! Leaks in what is traded, and how much of it.

use sextant_domain::{MarketData, Timeframe};

use super::Leak;
use super::chain::{SYMBOLS, Script, at_closes, bar_return, bars, deviation, mean, scripted, spy, trailing};

pub(super) fn leaks() -> Vec<Leak> {
    vec![
        scripted(
            "today's universe",
            |market| the_better(market, |volume, _, _| Some(volume.iter().sum())),
            |market| {
                the_better(market, |volume, _, index| {
                    Some(mean(trailing(volume, index, 20)?))
                })
            },
        ),
        scripted(
            "survivors at the end of the sample",
            |market| the_better(market, |_, close, _| Some(close[close.len() - 1] / close[0])),
            |market| the_better(market, |_, close, index| Some(close[index] / close[0])),
        ),
        scripted(
            "sorted by the next return",
            |market| {
                the_better(market, |_, close, index| {
                    bar_return(close, (index + 1).min(close.len() - 1))
                })
            },
            |market| the_better(market, |_, close, index| bar_return(close, index)),
        ),
        scripted(
            "sized by the volatility of the whole sample",
            sized_by_all,
            sized_by_past,
        ),
        scripted("lookback chosen on the whole sample", best_on_all, best_so_far),
    ]
}

/// Sixty percent in whichever share scores higher, of volumes, closes and the present bar.
fn the_better(market: &MarketData, score: impl Fn(&[f64], &[f64], usize) -> Option<f64>) -> Script {
    let views = SYMBOLS.map(|symbol| bars(market, symbol, Timeframe::H4));
    let mut script = Script::new();
    // A market whose future is cut may have one bar more of one share than of the other.
    let count = views[0].len().min(views[1].len());
    for index in 0..count {
        let scores = views.map(|view| score(view.volume, view.close, index));
        let [Some(one), Some(other)] = scores else {
            continue;
        };
        let first = if one >= other { 0.6 } else { 0.0 };
        let time = views[0].close_time[index];
        script.push((time, SYMBOLS[0], first));
        script.push((time, SYMBOLS[1], 0.6 - first));
    }
    script
}

fn returns(close: &[f64]) -> Vec<f64> {
    (1..close.len())
        .map(|index| close[index] / close[index - 1] - 1.0)
        .collect()
}

fn sized_by_all(market: &MarketData) -> Script {
    let close = spy(market).close;
    let all = deviation(&returns(close));
    at_closes(market, |_| Some(0.005 / all - 0.5))
}

fn sized_by_past(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| {
        let past = deviation(&returns(trailing(close, index, 20)?));
        Some(0.005 / past - 0.5)
    })
}

/// What following the sign of the move over `lookback` bars earned up to `end`.
fn earned(close: &[f64], lookback: usize, end: usize) -> f64 {
    let bars = lookback..end;
    bars.map(|index| {
        (close[index] / close[index - lookback] - 1.0).signum() * (close[index + 1] / close[index] - 1.0)
    })
    .sum()
}

fn best_lookback(close: &[f64], end: usize) -> usize {
    let candidates = [2, 3, 5, 8, 13];
    candidates
        .into_iter()
        .max_by(|one, other| earned(close, *one, end).total_cmp(&earned(close, *other, end)))
        .unwrap()
}

fn follow(close: &[f64], lookback: usize, index: usize) -> Option<f64> {
    Some(50.0 * (close[index] / close[index.checked_sub(lookback)?] - 1.0))
}

fn best_on_all(market: &MarketData) -> Script {
    let close = spy(market).close;
    let lookback = best_lookback(close, close.len() - 1);
    at_closes(market, |index| follow(close, lookback, index))
}

fn best_so_far(market: &MarketData) -> Script {
    let close = spy(market).close;
    at_closes(market, |index| follow(close, best_lookback(close, index), index))
}
