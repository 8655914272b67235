//! From a configuration to the parts of an engine.

use anyhow::Context;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use sextant_backtest::{
    AccountModel, BacktestConfig, ByClass, CostError, EndOfRun, ExitActivation, FillConvention, IntrabarRule,
    SessionEnds, VenueConfig,
};
use sextant_data::Calendar;
use sextant_domain::{AssetClass, Cash, InstrumentTable, UtcNanos};
use sextant_engine::EngineParts;
use sextant_metrics::PeriodsPerYear;
use sextant_portfolio::BudgetedPortfolio;
use sextant_regime::RuleRegimeDetector;
use sextant_risk::{KillFlag, RiskRules};

use crate::config::{
    ClassCosts, ConventionConfig, CostsConfig, EndConfig, ExitsConfig, FeeConfig, IntrabarConfig,
    ResolvedConfig, SlippageConfig, SystemConfig,
};

/// Models, regime, portfolio and risk of a configuration, for the instruments of its universe.
///
/// # Errors
/// When a part refuses its parameters.
pub(crate) fn engine_parts(
    config: &ResolvedConfig,
    instruments: &InstrumentTable,
    kill: KillFlag,
) -> anyhow::Result<EngineParts> {
    Ok(EngineParts {
        models: config.models.build()?,
        regime: Some(Box::new(RuleRegimeDetector::new(&config.regime)?)),
        portfolio: Box::new(BudgetedPortfolio::new(config.budgets.clone())?),
        risk: Box::new(rules_of(config, instruments, kill)?),
    })
}

/// The limits of a configuration, for the instruments of its universe.
///
/// # Errors
/// When a limit is out of range or names an instrument that is not there.
pub(crate) fn rules_of(
    config: &ResolvedConfig,
    instruments: &InstrumentTable,
    kill: KillFlag,
) -> anyhow::Result<RiskRules> {
    let limits = config.risk.clone();
    Ok(RiskRules::for_instruments(limits, kill, instruments)?)
}

/// Each model's sleeve: its base budget of the initial capital, against which its figures are measured.
///
/// # Errors
/// When an amount has no exact decimal.
pub(crate) fn sleeves(config: &ResolvedConfig) -> anyhow::Result<Vec<(String, Cash)>> {
    let models = config.models.build()?;
    models
        .iter()
        .map(|model| {
            let name = model.id().to_owned();
            let budget = config
                .budgets
                .models
                .get(&name)
                .with_context(|| format!("{name} has no budget"))?
                .budget;
            let capital = Cash::from_f64_rounded(config.system.capital.initial * budget, 8)?;
            Ok((name, capital))
        })
        .collect()
}

/// The calendar of the book: round the clock as soon as anything in it trades so, exchange sessions otherwise.
fn book_class(system: &SystemConfig) -> AssetClass {
    let classes = [AssetClass::Crypto, AssetClass::Fx];
    let found = classes
        .into_iter()
        .find(|class| system.universe.iter().any(|one| one.class == *class));
    found.unwrap_or(AssetClass::Equity)
}

/// How the backtest is run, and the periods per year of its daily marks.
///
/// # Errors
/// When costs or capital have no exact decimal, or a date lies outside the supported range.
pub(crate) fn backtest_config(
    system: &SystemConfig,
    account: AccountModel,
) -> anyhow::Result<(BacktestConfig, PeriodsPerYear)> {
    let start =
        UtcNanos::from_date(system.period.start).context("period.start is outside the supported range")?;
    let after = system.period.end.succ_opt().and_then(UtcNanos::from_date);
    let end = after.context("period.end is outside the supported range")?;
    let calendar = Calendar::for_class(book_class(system));
    let config = BacktestConfig {
        initial_capital: Cash::from_f64_rounded(system.capital.initial, 8)?,
        start,
        end,
        venue: VenueConfig {
            fills: convention(system),
            fees: Box::new(by_class(&system.costs, |costs| costs.fees.model())?),
            slippage: Box::new(by_class(&system.costs, ClassCosts::slippage_model)?),
            intrabar: intrabar(system),
            exits: match system.fills.exits {
                ExitsConfig::AtOnce => ExitActivation::AtOnce,
                ExitsConfig::NextBar => ExitActivation::NextBar,
            },
            participation: system.fills.participation.and_then(Decimal::from_f64),
            latency_bars: system.fills.latency_bars.into(),
            sessions: SessionEnds::new(|class| Calendar::for_class(class).daily_marks(start, end)),
        },
        account,
        at_end: match system.fills.at_end {
            EndConfig::MarkToMarket => EndOfRun::MarkToMarket,
            EndConfig::CloseAtLastClose => EndOfRun::CloseAtLastClose,
            EndConfig::CloseAtLastOpen => EndOfRun::CloseAtLastOpen,
        },
        daily_marks: calendar.daily_marks(start, end),
    };
    Ok((config, PeriodsPerYear::new(calendar.periods_per_year())?))
}

fn convention(system: &SystemConfig) -> FillConvention {
    match system.fills.convention {
        ConventionConfig::NextOpen => FillConvention::NextOpen,
        ConventionConfig::SameClose => FillConvention::SameClose,
        ConventionConfig::NextClose => FillConvention::NextClose,
        ConventionConfig::NextTypical => FillConvention::NextTypical,
    }
}

fn intrabar(system: &SystemConfig) -> IntrabarRule {
    match system.fills.intrabar {
        IntrabarConfig::Pessimistic => IntrabarRule::Pessimistic,
        IntrabarConfig::Optimistic => IntrabarRule::Optimistic,
        IntrabarConfig::HighFirst => IntrabarRule::HighFirst,
        IntrabarConfig::LowFirst => IntrabarRule::LowFirst,
        IntrabarConfig::NearestFirst => IntrabarRule::NearestFirst,
    }
}

/// A model of each class. One that is not traded has no costs in the configuration, and none are ever looked up.
///
/// # Errors
/// When a model refuses its parameters.
fn by_class<M>(
    costs: &CostsConfig,
    model: impl Fn(&ClassCosts) -> Result<M, CostError>,
) -> anyhow::Result<ByClass<M>> {
    let free = ClassCosts {
        fees: FeeConfig::Bps(0.0),
        slippage: vec![SlippageConfig::Bps(0.0)],
    };
    let of =
        |class: AssetClass| model(costs.of(class).unwrap_or(&free)).with_context(|| format!("costs.{class}"));
    let mut models = AssetClass::ALL
        .into_iter()
        .map(of)
        .collect::<anyhow::Result<Vec<_>>>()?;
    models.reverse();
    Ok(ByClass::new(|_| {
        models.pop().expect("there is one model for each class")
    }))
}
