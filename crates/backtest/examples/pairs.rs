//! Pairs trading: two shares that move together are bought and sold against each other when their ratio is far from its
//! mean, and closed when it is back.
//!
//! `cargo run --package sextant-backtest --example pairs`
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod support;

use std::error::Error;

use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{InstrumentRef, Intents, MarketData, MarketView, Requirements, SeriesRef, Timeframe};
use sextant_testkit::{MarketBuilder, SplitMix64, bars};

/// Half the account in each leg beyond two standard deviations, nothing within half a one.
pub(crate) struct Pairs {
    needs: Requirements,
    legs: [InstrumentRef; 2],
    daily: [SeriesRef; 2],
    lookback: usize,
    side: f64,
}

impl Pairs {
    pub(crate) fn new(symbols: [&str; 2], lookback: usize) -> Self {
        let mut needs = Requirements::new();
        let legs = symbols.map(|symbol| needs.trade(symbol));
        let daily = symbols.map(|symbol| needs.series(symbol, Timeframe::D1));
        Self {
            needs,
            legs,
            daily,
            lookback,
            side: 0.0,
        }
    }

    /// By how many standard deviations the logarithm of the ratio lies above its mean; `None` while there are too few
    /// bars.
    fn score(&self, view: &MarketView<'_>) -> Option<f64> {
        let [left, right] = self.daily.map(|series| view.bars(series).close);
        let from = left.len().min(right.len()).checked_sub(self.lookback)?;
        let ratio = |(left, right): (&f64, &f64)| (left / right).ln();
        let ratios: Vec<f64> = left[from..].iter().zip(&right[from..]).map(ratio).collect();
        let count = ratios.len() as f64;
        let mean = ratios.iter().sum::<f64>() / count;
        let variance = ratios.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let last = ratios.last()?;
        (variance > 0.0).then(|| (last - mean) / variance.sqrt())
    }
}

impl Model for Pairs {
    fn id(&self) -> &str {
        "Pairs"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let Some(score) = self.score(view) else {
            return Ok(());
        };
        let side = match score {
            _ if score > 2.0 => -1.0,
            _ if score < -2.0 => 1.0,
            _ if score.abs() < 0.5 => 0.0,
            _ => self.side,
        };
        if side != self.side {
            self.side = side;
            out.target(self.legs[0], 0.5 * side);
            out.target(self.legs[1], -0.5 * side);
        }
        Ok(())
    }
}

/// Two shares that follow one invented index, with a distance between them that comes back to zero.
pub(crate) fn market(count: usize) -> MarketData {
    let sessions = bars::daily_sessions(bars::instant("2015-01-01"), count);
    let mut random = SplitMix64::new(11);
    let (mut index, mut apart) = (100.0, 0.0);
    let mut prices = || {
        index *= 1.0 + 0.008 * random.bell();
        apart = 0.9 * apart + 0.01 * random.bell();
        [index * (1.0 + apart), 0.5 * index * (1.0 - apart)]
    };
    let pairs: Vec<[f64; 2]> = sessions.iter().map(|_| prices()).collect();
    let [left, right] = [0, 1].map(|leg: usize| pairs.iter().map(|pair| pair[leg]).collect::<Vec<_>>());
    MarketBuilder::new()
        .equity("COLA", Timeframe::D1)
        .closes("COLA", Timeframe::D1, &sessions, &left)
        .equity("FIZZ", Timeframe::D1)
        .closes("FIZZ", Timeframe::D1, &sessions, &right)
        .build()
}

pub(crate) fn table() -> Result<String, Box<dyn Error>> {
    support::table(&market(1_500), Box::new(Pairs::new(["COLA", "FIZZ"], 40)))
}

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", table()?);
    Ok(())
}
