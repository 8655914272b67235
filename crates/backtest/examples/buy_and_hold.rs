//! Bought on the first day and held to the end: what every other strategy has to beat.
//!
//! Dividends are not paid in cash here. Feed it adjusted prices, in which a dividend is reinvested in the share at the
//! close before its ex-date, and the result is the total return.
//!
//! `cargo run --package sextant-backtest --example buy_and_hold`
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod support;

use std::error::Error;

use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{InstrumentRef, Intents, MarketData, MarketView, Requirements, Timeframe};
use sextant_testkit::{MarketBuilder, bars};

/// All of the budget in one share, asked for once.
pub(crate) struct BuyAndHold {
    needs: Requirements,
    share: InstrumentRef,
    is_in: bool,
}

impl BuyAndHold {
    pub(crate) fn new(symbol: &str) -> Self {
        let mut needs = Requirements::new();
        let share = needs.trade(symbol);
        Self {
            needs,
            share,
            is_in: false,
        }
    }
}

impl Model for BuyAndHold {
    fn id(&self) -> &str {
        "BuyAndHold"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, _view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        if !std::mem::replace(&mut self.is_in, true) {
            out.target(self.share, 1.0);
        }
        Ok(())
    }
}

pub(crate) fn market(count: usize) -> MarketData {
    let sessions = bars::daily_sessions(bars::instant("2015-01-01"), count);
    MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .random("ACME", Timeframe::D1, &sessions, 7)
        .build()
}

pub(crate) fn table() -> Result<String, Box<dyn Error>> {
    support::table(&market(1_500), Box::new(BuyAndHold::new("ACME")))
}

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", table()?);
    Ok(())
}
