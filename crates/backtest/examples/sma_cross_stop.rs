//! Trend following with a protective stop: in when a fast average crosses above a slow one, out when it crosses back or
//! when the stop below the entry is hit. Written with orders; compare `sma_cross.rs`, which is written with weights.
//!
//! `cargo run --package sextant-backtest --example sma_cross_stop`
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod support;

use std::error::Error;

use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    FeatureRef, InstrumentRef, Intents, MarketData, MarketView, Offset, OrderRef, OrderRequest, OrderSize,
    Requirements, Timeframe,
};
use sextant_testkit::{MarketBuilder, bars};

/// Long between a cross above and a cross below, unless the stop ends it before.
pub(crate) struct SmaCrossStop {
    needs: Requirements,
    stock: InstrumentRef,
    fast: FeatureRef,
    slow: FeatureRef,
    /// The loss at which the stop lies, as a fraction of what was paid.
    stop_loss: f64,
    stop: Option<OrderRef>,
}

impl SmaCrossStop {
    pub(crate) fn new(symbol: &str, [fast, slow]: [usize; 2], stop_loss: f64) -> Self {
        let mut needs = Requirements::new();
        let stock = needs.trade(symbol);
        let daily = needs.series(symbol, Timeframe::D1);
        let fast = needs.feature("sma", &[("period", fast as f64)], daily);
        let slow = needs.feature("sma", &[("period", slow as f64)], daily);
        Self {
            needs,
            stock,
            fast,
            slow,
            stop_loss,
            stop: None,
        }
    }

    /// Buys with nearly all there is. The stop becomes live with the fill and is as large as it.
    fn enter(&mut self, out: &mut Intents) {
        let buy = OrderRequest::market(self.stock, OrderSize::EquityFraction(0.95));
        let loss = Offset::Fraction(self.stop_loss);
        let stop = OrderRequest::stop_loss(self.stock, OrderSize::EntryFill, loss);
        let (_, exits) = out.bracket(buy, &[stop]);
        self.stop = exits.first().copied();
    }

    fn leave(&mut self, out: &mut Intents) {
        if let Some(stop) = self.stop.take() {
            out.cancel(stop);
        }
        out.order(OrderRequest::market(self.stock, OrderSize::ClosePosition));
    }
}

impl Model for SmaCrossStop {
    fn id(&self) -> &str {
        "SmaCrossStop"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let (fast, slow) = (view.feature_history(self.fast), view.feature_history(self.slow));
        let ([.., fast_before, fast], [.., slow_before, slow]) = (fast, slow) else {
            return Ok(());
        };
        let is_in = view.position(self.stock) > 0.0;
        // Averages are NaN while they warm up, and nothing compares with NaN.
        if !is_in && fast_before <= slow_before && fast > slow {
            self.enter(out);
        } else if is_in && fast < slow {
            self.leave(out);
        }
        Ok(())
    }
}

fn market() -> MarketData {
    let sessions = bars::daily_sessions(bars::instant("2015-01-01"), 1_500);
    MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .random("ACME", Timeframe::D1, &sessions, 7)
        .build()
}

pub(crate) fn table() -> Result<String, Box<dyn Error>> {
    support::table(&market(), Box::new(SmaCrossStop::new("ACME", [10, 30], 0.04)))
}

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", table()?);
    Ok(())
}
