//! Sixty per cent shares, forty per cent bonds, brought back to these weights every week.
//!
//! `cargo run --package sextant-backtest --example sixty_forty`
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod support;

use std::error::Error;

use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{InstrumentRef, Intents, MarketData, MarketView, Requirements, Timeframe};
use sextant_testkit::MarketBuilder;
use sextant_testkit::bars::{self, Walk};

/// Fixed weights at the close of the first session of each week. Between those closes they drift with prices.
pub(crate) struct SixtyForty {
    needs: Requirements,
    weights: [(InstrumentRef, f64); 2],
    week: Option<i64>,
}

impl SixtyForty {
    pub(crate) fn new(shares: &str, bonds: &str) -> Self {
        let mut needs = Requirements::new();
        let weights = [(needs.trade(shares), 0.6), (needs.trade(bonds), 0.4)];
        Self {
            needs,
            weights,
            week: None,
        }
    }
}

impl Model for SixtyForty {
    fn id(&self) -> &str {
        "SixtyForty"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        // Day 0 was a Thursday; weeks begin on Mondays.
        let week = (view.as_of().day_number() + 3).div_euclid(7);
        if self.week.replace(week) != Some(week) {
            for (instrument, weight) in self.weights {
                out.target(instrument, weight);
            }
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
    support::table(&market(1_500), Box::new(SixtyForty::new("SHARES", "BONDS")))
}

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", table()?);
    Ok(())
}
