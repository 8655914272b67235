//! Cross-sectional momentum: every four weeks the shares that have risen most are held in equal parts, the others not.
//!
//! `cargo run --package sextant-backtest --example momentum`
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod support;

use std::error::Error;

use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{InstrumentRef, Intents, MarketData, MarketView, Requirements, SeriesRef, Timeframe};
use sextant_testkit::{MarketBuilder, bars};

pub(crate) const SYMBOLS: [&str; 6] = ["ANT", "BEE", "CAT", "DOG", "EEL", "FOX"];

/// Equal weights in the shares with the largest return over a lookback.
pub(crate) struct Momentum {
    needs: Requirements,
    shares: Vec<(InstrumentRef, SeriesRef)>,
    /// Bars over which returns are measured.
    lookback: usize,
    /// Bars from one ranking to the next.
    pace: usize,
    /// How many shares are held.
    held: usize,
    decisions: usize,
}

impl Momentum {
    pub(crate) fn new(symbols: &[&str], lookback: usize, pace: usize) -> Self {
        let mut needs = Requirements::new();
        let shares = symbols
            .iter()
            .map(|symbol| (needs.trade(symbol), needs.series(symbol, Timeframe::D1)));
        let shares = shares.collect();
        Self {
            needs,
            shares,
            lookback,
            pace,
            held: 2,
            decisions: 0,
        }
    }

    /// The return over the lookback; `None` for a share that has not been there so long.
    fn score(&self, view: &MarketView<'_>, series: SeriesRef) -> Option<f64> {
        let closes = view.bars(series).close;
        let then = closes.len().checked_sub(self.lookback + 1)?;
        Some(closes.last()? / closes[then] - 1.0)
    }
}

impl Model for Momentum {
    fn id(&self) -> &str {
        "Momentum"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        self.decisions += 1;
        if !self.decisions.is_multiple_of(self.pace) {
            return Ok(());
        }
        let scores = self
            .shares
            .iter()
            .filter_map(|(share, series)| Some((self.score(view, *series)?, *share)));
        let mut ranked: Vec<(f64, InstrumentRef)> = scores.collect();
        ranked.sort_by(|left, right| right.0.total_cmp(&left.0));
        for (rank, (_, share)) in ranked.iter().enumerate() {
            let weight = if rank < self.held {
                1.0 / self.held as f64
            } else {
                0.0
            };
            out.target(*share, weight);
        }
        Ok(())
    }
}

pub(crate) fn market(count: usize) -> MarketData {
    let sessions = bars::daily_sessions(bars::instant("2015-01-01"), count);
    let shares = SYMBOLS.iter().zip(20..);
    let market = shares.fold(MarketBuilder::new(), |market, (symbol, seed)| {
        market
            .equity(symbol, Timeframe::D1)
            .random(symbol, Timeframe::D1, &sessions, seed)
    });
    market.build()
}

pub(crate) fn table() -> Result<String, Box<dyn Error>> {
    support::table(&market(1_500), Box::new(Momentum::new(&SYMBOLS, 120, 20)))
}

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", table()?);
    Ok(())
}
