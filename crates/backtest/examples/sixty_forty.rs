//! Sixty per cent shares, forty per cent bonds, brought back to these weights every week.
//!
//! `cargo run --package sextant-backtest --example sixty_forty`
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod support;

use std::error::Error;

use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{InstrumentRef, Intents, MarketData, MarketView, Requirements, Timeframe};
use sextant_models::{Rebalance, Scheduled, Weekday};
use sextant_testkit::MarketBuilder;
use sextant_testkit::bars::{self, Walk};

/// Fixed weights whenever it is asked. Between those decisions they drift with prices.
pub(crate) struct SixtyForty {
    needs: Requirements,
    weights: [(InstrumentRef, f64); 2],
}

impl SixtyForty {
    pub(crate) fn new(shares: &str, bonds: &str) -> Self {
        let mut needs = Requirements::new();
        let weights = [(needs.trade(shares), 0.6), (needs.trade(bonds), 0.4)];
        Self { needs, weights }
    }

    /// Asked at the close of the first session of each week.
    pub(crate) fn weekly(shares: &str, bonds: &str) -> Scheduled<Self> {
        let monday = Rebalance::Weekly { on: Weekday::Monday };
        Scheduled::new(Self::new(shares, bonds), monday)
    }
}

impl Model for SixtyForty {
    fn id(&self) -> &str {
        "SixtyForty"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, _view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        for (instrument, weight) in self.weights {
            out.target(instrument, weight);
        }
        Ok(())
    }
}

pub(crate) fn market(count: usize) -> MarketData {
    let sessions = bars::daily_sessions(bars::instant("2015-01-01"), count);
    let shares = Walk {
        start_price: 200.0,
        step: 0.01,
        seed: 3,
    };
    let bonds = Walk {
        start_price: 90.0,
        step: 0.003,
        seed: 4,
    };
    MarketBuilder::new()
        .equity("SHARES", Timeframe::D1)
        .bars("SHARES", Timeframe::D1, bars::random_walk(&sessions, shares))
        .equity("BONDS", Timeframe::D1)
        .bars("BONDS", Timeframe::D1, bars::random_walk(&sessions, bonds))
        .build()
}

pub(crate) fn table() -> Result<String, Box<dyn Error>> {
    support::table(&market(1_500), Box::new(SixtyForty::weekly("SHARES", "BONDS")))
}

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", table()?);
    Ok(())
}
