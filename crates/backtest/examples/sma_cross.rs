//! A first model of one's own: two moving averages, written against `sextant-domain` alone, run over invented bars.
//!
//! `cargo run --package sextant-backtest --example sma_cross`
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use sextant_backtest::{
    AccountModel, BacktestConfig, Costs, EndOfRun, FillConvention, ProportionalCosts, Recorder, VenueConfig,
    run,
};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{Cash, FeatureRef, InstrumentRef, Intents, MarketView, Requirements, Timeframe};
use sextant_engine::EngineParts;
use sextant_features::FeatureColumns;
use sextant_portfolio::BudgetedPortfolio;
use sextant_risk::{KillFlag, RiskLimits, RiskRules};
use sextant_testkit::{MarketBuilder, bars};

/// Fully invested while the fast average is above the slow one, flat otherwise.
struct SmaCross {
    needs: Requirements,
    instrument: InstrumentRef,
    fast: FeatureRef,
    slow: FeatureRef,
    invested: bool,
}

impl SmaCross {
    fn new(symbol: &str) -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade(symbol);
        let daily = needs.series(symbol, Timeframe::D1);
        let fast = needs.feature("sma", &[("period", 20.0)], daily);
        let slow = needs.feature("sma", &[("period", 60.0)], daily);
        Self {
            needs,
            instrument,
            fast,
            slow,
            invested: false,
        }
    }
}

impl Model for SmaCross {
    fn id(&self) -> &str {
        "SmaCross"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let (Some(fast), Some(slow)) = (view.feature(self.fast), view.feature(self.slow)) else {
            return Ok(());
        };
        if (fast > slow) != self.invested {
            self.invested = fast > slow;
            out.target(self.instrument, if self.invested { 1.0 } else { 0.0 });
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = bars::daily_sessions("2015-01-01".parse()?, 1_500);
    let market = MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .random("ACME", Timeframe::D1, &sessions, 7)
        .build();
    let closes = market.series()[0].bars.view().close_time;
    let five_bps = ProportionalCosts {
        commission_bps: "5".parse()?,
        slippage_bps: "0".parse()?,
    };
    let config = BacktestConfig {
        initial_capital: Cash::new("100000".parse()?),
        start: closes[0],
        end: closes[closes.len() - 1],
        venue: VenueConfig::simple(FillConvention::NextOpen, Costs::uniform(five_bps)?),
        account: AccountModel::trades_only(),
        at_end: EndOfRun::MarkToMarket,
        daily_marks: closes.to_vec(),
    };
    let parts = EngineParts {
        models: vec![Box::new(SmaCross::new("ACME"))],
        regime: None,
        portfolio: Box::new(BudgetedPortfolio::single("SmaCross", 1.0, 0.0)?),
        risk: Box::new(RiskRules::new(RiskLimits::permissive(1.0), KillFlag::new())?),
    };
    let mut recorder = Recorder::default();
    let outcome = run(&market, &mut FeatureColumns::new(), parts, &config, &mut recorder)?;
    println!(
        "{} orders, {} fills over {} bars",
        recorder.orders.len(),
        recorder.fills.len(),
        outcome.steps
    );
    println!("final equity {} (invented bars)", outcome.ledger.exact_equity()?);
    Ok(())
}
