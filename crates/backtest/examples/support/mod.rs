//! What the examples share: one way of running a model, and a short table of how it went.

use std::error::Error;
use std::fmt::Write;

use sextant_backtest::{
    AccountModel, BacktestConfig, Costs, EndOfRun, FillConvention, ProportionalCosts, Recorder, RunOutcome,
    VenueConfig, run,
};
use sextant_domain::ports::Model;
use sextant_domain::{Cash, MarketData};
use sextant_engine::{EngineParts, Scope};
use sextant_features::FeatureColumns;
use sextant_portfolio::BudgetedPortfolio;
use sextant_risk::{KillFlag, RiskLimits, RiskRules};

/// Runs a model that has the whole account of 100,000: fills at the next open, five basis points of commission and
/// five of slippage a side, and exposure of at most one and a half times equity.
pub(crate) fn table(market: &MarketData, model: Box<dyn Model>) -> Result<String, Box<dyn Error>> {
    let (outcome, recorder) = run_alone(market, model)?;
    lines(&outcome, &recorder)
}

/// The run behind the table.
pub(crate) fn run_alone(
    market: &MarketData,
    model: Box<dyn Model>,
) -> Result<(RunOutcome, Recorder), Box<dyn Error>> {
    let closes = market.series()[0].bars.close_times();
    let costs = ProportionalCosts {
        commission_bps: "5".parse()?,
        slippage_bps: "5".parse()?,
    };
    let config = BacktestConfig {
        initial_capital: Cash::new("100000".parse()?),
        start: closes[0],
        end: closes[closes.len() - 1],
        venue: VenueConfig::simple(FillConvention::NextOpen, Costs::uniform(costs)?),
        account: AccountModel::trades_only(),
        at_end: EndOfRun::MarkToMarket,
        daily_marks: closes.to_vec(),
    };
    let parts = EngineParts {
        portfolio: Box::new(BudgetedPortfolio::single(model.id(), 1.0, 0.0)?),
        models: vec![model],
        regime: None,
        risk: Box::new(RiskRules::new(RiskLimits::permissive(1.5), KillFlag::new())?),
    };
    let mut recorder = Recorder::default();
    let outcome = run(market, &mut FeatureColumns::new(), parts, &config, &mut recorder)?;
    Ok((outcome, recorder))
}

pub(crate) fn lines(outcome: &RunOutcome, recorder: &Recorder) -> Result<String, Box<dyn Error>> {
    let book = outcome.ledger.book(Scope::Portfolio);
    let mut highest = 0.0_f64;
    let falls = recorder.equity.iter().map(|(_, point)| {
        highest = highest.max(point.equity);
        1.0 - point.equity / highest
    });
    let largest_fall = falls.fold(0.0, f64::max);
    let mut text = String::new();
    writeln!(text, "bars          {:>12}", outcome.steps)?;
    writeln!(text, "orders        {:>12}", recorder.orders.len())?;
    writeln!(text, "fills         {:>12}", recorder.fills.len())?;
    writeln!(text, "closed trades {:>12}", book.trades().len())?;
    writeln!(text, "largest fall  {:>10.1} %", 100.0 * largest_fall)?;
    let equity = outcome.ledger.exact_equity()?.to_f64();
    writeln!(text, "final equity  {equity:>12.2}  (invented bars)")?;
    Ok(text)
}
