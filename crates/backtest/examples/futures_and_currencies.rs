//! Shares of another country and a future: three fifths of the account in a European share, hedged with an index future
//! while the index is below its average.
//!
//! The account is in dollars. The share is quoted in euros: buying it leaves a debt in euros, so that the rate moves only
//! what the share has gained. The future stands for five dollars a point and is settled daily: it costs its fee, needs margin,
//! and pays gains and losses in cash at each mark. Rates come from the bars of the currency pair.
//!
//! `cargo run --package sextant-backtest --example futures_and_currencies`
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

#[allow(dead_code, reason = "this example prints more than the table")]
mod support;

use std::error::Error;
use std::fmt::Write;

use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    Contract, Currency, FeatureRef, InstrumentRef, Intents, Margin, MarketData, MarketView, Multiplier,
    Requirements, SeriesRef, Timeframe,
};
use sextant_testkit::{MarketBuilder, bars};

/// A share that is held, and a future against it in bad times.
pub(crate) struct HedgedShare {
    needs: Requirements,
    share: InstrumentRef,
    future: InstrumentRef,
    daily: SeriesRef,
    average: FeatureRef,
    /// The weight of the hedge asked for last.
    hedge: Option<f64>,
}

impl HedgedShare {
    pub(crate) fn new(share: &str, future: &str, period: usize) -> Self {
        let mut needs = Requirements::new();
        let (share, instrument) = (needs.trade(share), needs.trade(future));
        let daily = needs.series(future, Timeframe::D1);
        let average = needs.feature("sma", &[("period", period as f64)], daily);
        Self {
            needs,
            share,
            future: instrument,
            daily,
            average,
            hedge: None,
        }
    }
}

impl Model for HedgedShare {
    fn id(&self) -> &str {
        "HedgedShare"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    /// Weights are fractions of equity in the account's currency: multiplier and rate are the platform's business.
    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let (Some(close), Some(average)) = (view.bars(self.daily).last_close(), view.feature(self.average))
        else {
            return Ok(());
        };
        if self.hedge.is_none() {
            out.target(self.share, 0.6);
        }
        let hedge = if close < average { -0.6 } else { 0.0 };
        if self.hedge.replace(hedge) != Some(hedge) {
            out.target(self.future, hedge);
        }
        Ok(())
    }
}

/// An invented share in euros, an index future in dollars, and what a euro costs.
pub(crate) fn market(count: usize) -> MarketData {
    let sessions = bars::daily_sessions(bars::instant("2015-01-01"), count);
    let walk = |start_price, step, seed| {
        let walk = bars::Walk {
            start_price,
            step,
            seed,
        };
        bars::random_walk(&sessions, walk)
    };
    let five = Multiplier::new(5.into()).expect("five is a multiplier");
    // 6 % of the notional value to open a position, 5 % to hold it.
    let margin = Margin::OfNotional {
        initial: "0.06".parse().expect("a decimal"),
        maintenance: "0.05".parse().expect("a decimal"),
    };
    MarketBuilder::new()
        .equity("SHARE", Timeframe::D1)
        .contract(Contract::paid_in(Currency::EUR))
        .bars("SHARE", Timeframe::D1, walk(100.0, 0.01, 7))
        .equity("INDEX", Timeframe::D1)
        .contract(Contract::future(Currency::USD, five, margin))
        .bars("INDEX", Timeframe::D1, walk(4_000.0, 0.008, 8))
        .fx("EURUSD", Timeframe::D1)
        .bars("EURUSD", Timeframe::D1, walk(1.10, 0.004, 9))
        .build()
}

pub(crate) fn table() -> Result<String, Box<dyn Error>> {
    let model = HedgedShare::new("SHARE", "INDEX", 50);
    let (outcome, recorder) = support::run_alone(&market(1_500), Box::new(model))?;
    let mut text = support::lines(&outcome, &recorder)?;
    for balance in outcome.ledger.balances()? {
        let (cash, positions) = (balance.cash.to_f64(), balance.positions.to_f64());
        let currency = balance.currency;
        writeln!(
            text,
            "{currency}           {cash:>12.2} cash {positions:>12.2} in positions"
        )?;
    }
    Ok(text)
}

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", table()?);
    Ok(())
}
