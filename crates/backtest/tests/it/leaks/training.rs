//! Leaks in fitting: what a model was trained on reaches past the moment at which it is used.

use sextant_domain::MarketData;

use super::Leak;
use super::chain::{Script, at_closes, bar_return, deviation, mean, scripted, spy};

/// A model is fitted again after so many bars, and predicts over so many.
const REFIT: usize = 10;
const HORIZON: usize = 5;
const FIRST_FIT: usize = 30;

pub(super) fn leaks() -> Vec<Leak> {
    vec![
        scripted(
            "scaler fitted on all data",
            |market| scaled(market, Training::All),
            |market| scaled(market, Training::Past),
        ),
        scripted(
            "labels overlap the present",
            |market| fitted(market, 0),
            |market| fitted(market, HORIZON),
        ),
        scripted(
            "test folds among the training data",
            |market| scaled(market, Training::AllButPresent),
            |market| scaled(market, Training::Past),
        ),
    ]
}

#[derive(Clone, Copy)]
enum Training {
    /// Every bar.
    All,
    /// Every bar but the present one, as in a cross-validation that forgets what time is.
    AllButPresent,
    /// The bars up to the present one.
    Past,
}

fn momentum(close: &[f64], index: usize) -> Option<f64> {
    Some(close[index] / close[index.checked_sub(3)?] - 1.0)
}

/// Momentum, standardised by a scaler that was fitted on some of the bars.
fn scaled(market: &MarketData, training: Training) -> Script {
    let close = spy(market).close;
    let values: Vec<f64> = (0..close.len())
        .map(|index| momentum(close, index).unwrap_or(0.0))
        .collect();
    at_closes(market, |index| {
        let rows: Vec<f64> = match training {
            Training::All => values.clone(),
            Training::AllButPresent => [&values[..index], &values[index + 1..]].concat(),
            Training::Past => values[..=index].to_vec(),
        };
        (index >= FIRST_FIT).then(|| (values[index] - mean(&rows)) / deviation(&rows))
    })
}

/// A slope from momentum to the return of the next `HORIZON` bars, fitted again every `REFIT` bars on the rows that end
/// `purge` bars before the fit. Without a purge the newest labels reach past it.
fn fitted(market: &MarketData, purge: usize) -> Script {
    let close = spy(market).close;
    let label = |row: usize| close.get(row + HORIZON).map(|later| later / close[row] - 1.0);
    let slope = |fit: usize| {
        let rows = (3..fit - purge).filter_map(|row| Some((momentum(close, row)?, label(row)?)));
        let (products, squares) = rows.fold((0.0, 0.0), |(products, squares), (x, y)| {
            (products + x * y, squares + x * x)
        });
        products / squares
    };
    at_closes(market, |index| {
        let fit = (index / REFIT) * REFIT;
        let inputs = momentum(close, index)? + bar_return(close, index)?;
        (fit >= FIRST_FIT).then(|| 1_000.0 * slope(fit) * inputs)
    })
}
