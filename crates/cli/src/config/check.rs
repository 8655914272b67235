//! Consistency across files: what no schema of a single file can see.

use std::path::Path;

use chrono::Datelike;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use sextant_domain::ports::RegimeDetector;
use sextant_domain::{AssetClass, Instrument, Requirements};
use sextant_regime::RuleRegimeDetector;

use super::account::{BorrowConfig, FundingConfig, PricesConfig};
use super::contract::{self, SettlementConfig};
use super::costs::SlippageConfig;
use super::load::ResolvedConfig;
use super::renames;
use super::system::{InstrumentConfig, SystemConfig};

/// Adds every inconsistency of a configuration.
pub(super) fn consistency(file: &Path, config: &ResolvedConfig, found: &mut Vec<String>) {
    let mut note = |text: String| found.push(format!("{}: {text}", file.display()));
    period(&config.system, &mut note);
    costs(&config.system, &mut note);
    account(&config.system, &mut note);
    contract::check(&config.system, &mut note);
    renames::check(&config.system, &mut note);
    config
        .system
        .universe
        .iter()
        .enumerate()
        .for_each(|(index, one)| instrument(config, index, one, &mut note));
    let include = &config.system.include;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut of =
        |name: &Path, problem: String| found.push(format!("{}: {problem}", folder.join(name).display()));
    let built = match config.models.build() {
        Ok(models) => models,
        Err(error) => return of(&include.models, error.to_string()),
    };
    for model in &built {
        requirements(config, model.id(), model.requirements(), &mut |problem| {
            of(&include.models, problem)
        });
    }
    let models: Vec<String> = built.iter().map(|model| model.id().to_owned()).collect();
    if let Err(error) = config.budgets.validate() {
        of(&include.budgets, error.to_string());
    }
    match RuleRegimeDetector::new(&config.regime) {
        Ok(detector) => requirements(
            config,
            "the regime detector",
            detector.requirements(),
            &mut |problem| {
                of(&include.regime, problem);
            },
        ),
        Err(error) => of(&include.regime, error.to_string()),
    }
    for (name, budget) in config
        .budgets
        .models
        .iter()
        .filter(|(_, budget)| budget.budget <= 0.0)
    {
        let found = budget.budget;
        of(
            &include.budgets,
            format!("models.{name}.budget: found {found}, but it must be above 0; remove the model instead"),
        );
    }
    risk(config, &mut |problem| of(&include.risk, problem));
    for name in config.budgets.models.keys().filter(|name| !models.contains(name)) {
        of(
            &include.budgets,
            format!("models: there is a budget for {name}, but no such model; there are {models:?}"),
        );
    }
    for name in models
        .iter()
        .filter(|name| !config.budgets.models.contains_key(*name))
    {
        of(
            &include.budgets,
            format!("models: the model {name} has no budget; add one, or remove the model"),
        );
    }
}

/// Ranges, and members of groups that are not in the universe.
fn risk(config: &ResolvedConfig, note: &mut dyn FnMut(String)) {
    let risk = &config.risk;
    if let Err(error) = risk.validate() {
        note(error.to_string());
    }
    let universe = &config.system.universe;
    for (group, symbol) in risk
        .group_caps
        .iter()
        .flat_map(|(name, group)| group.symbols.iter().map(move |symbol| (name, symbol)))
    {
        if !universe.iter().any(|one| one.symbol == *symbol) {
            note(format!(
                "group_caps.{group}: there is no instrument {symbol}; correct the symbol, take it out, or add it to the \
                 universe"
            ));
        }
    }
}

fn period(system: &SystemConfig, note: &mut impl FnMut(String)) {
    let period = system.period;
    if period.start > period.end {
        note(format!(
            "period: the start {} is not before the end {}; give --start and --end as 2005-01-01, the earlier first",
            period.start, period.end
        ));
    }
    for (key, date) in [("start", period.start), ("end", period.end)] {
        if !(1700..=2261).contains(&date.year()) {
            note(format!(
                "period.{key}: found {date}, but years from 1700 to 2261 are supported"
            ));
        }
    }
    let synthetic = system.synthetic;
    if synthetic.from >= synthetic.to {
        note(format!(
            "synthetic: from {} is not before to {}",
            synthetic.from, synthetic.to
        ));
    }
}

/// What the schema of costs cannot see: price lists out of order, half spreads by symbol.
fn costs(system: &SystemConfig, note: &mut impl FnMut(String)) {
    for class in AssetClass::ALL {
        let Some(costs) = system.costs.of(class) else {
            continue;
        };
        if let Err(error) = costs.fees.model() {
            note(format!("costs.{class}.fees: {error}"));
        }
        for (index, part) in costs.slippage.iter().enumerate() {
            if let Err(error) = part.model() {
                note(format!("costs.{class}.slippage.{index}: {error}"));
            }
            if let SlippageConfig::Spread { by_symbol, .. } = part {
                let place = format!("costs.{class}.slippage.{index}.spread.by_symbol");
                known_symbols(system, &place, by_symbol.keys(), note);
            }
        }
    }
}

/// Rates of symbols that are there, and raw prices of shares alone, and of what is paid in full.
fn account(system: &SystemConfig, note: &mut impl FnMut(String)) {
    if let BorrowConfig::Rates { by_symbol, .. } = &system.account.borrow {
        known_symbols(system, "account.borrow.rates.by_symbol", by_symbol.keys(), note);
    }
    if let FundingConfig::Rates { by_symbol, .. } = &system.account.funding {
        known_symbols(system, "account.funding.rates.by_symbol", by_symbol.keys(), note);
    }
    for (index, one) in system.universe.iter().enumerate() {
        if one.prices == PricesConfig::RawExecution && one.timeframes.len() == 1 {
            note(format!(
                "universe.{index}.prices: {} has execution bars alone, which raw_execution does not adjust; load other \
                 timeframes for models to read, or say raw",
                one.symbol
            ));
        }
        if one.prices != PricesConfig::Adjusted && one.settlement == SettlementConfig::Daily {
            note(format!(
                "universe.{index}.settlement: {} is on raw prices, which have dividends and splits; say in_full, or adjusted",
                one.symbol
            ));
        }
        if one.prices != PricesConfig::Adjusted && one.class != AssetClass::Equity {
            note(format!(
                "universe.{index}.prices: {} is of class {}; only shares and funds have raw prices beside adjusted ones",
                one.symbol, one.class
            ));
        }
    }
}

fn known_symbols<'s>(
    system: &SystemConfig,
    place: &str,
    symbols: impl Iterator<Item = &'s String>,
    note: &mut impl FnMut(String),
) {
    for symbol in symbols.filter(|symbol| !system.universe.iter().any(|one| one.symbol == **symbol)) {
        note(format!(
            "{place}: there is no instrument {symbol}; correct the symbol, take it out, or add it to the universe"
        ));
    }
}

/// Everything a model or detector looks at must be in the universe, in the timeframe it asks for.
fn requirements(config: &ResolvedConfig, owner: &str, needs: &Requirements, note: &mut dyn FnMut(String)) {
    let universe = &config.system.universe;
    let find = |symbol: &str| universe.iter().find(|one| one.symbol == symbol);
    let symbols = || {
        universe
            .iter()
            .map(|one| one.symbol.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let traded = needs.instruments().iter().map(|symbol| (symbol, None));
    let read = needs
        .series_keys()
        .iter()
        .map(|key| (&key.symbol, Some(key.timeframe)));
    for (symbol, timeframe) in traded.chain(read) {
        match (find(symbol), timeframe) {
            (None, None) => note(format!(
                "{owner}: trades {symbol}, which is not in the universe; there are {}",
                symbols()
            )),
            (Some(one), Some(wanted)) if !one.timeframes.contains(&wanted) => note(format!(
                "{owner}: needs {wanted} bars of {symbol}, but its timeframes in the universe are {}",
                one.timeframes
                    .iter()
                    .map(|timeframe| timeframe.code())
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
            (None, Some(_)) if !needs.instruments().contains(symbol) => {
                note(format!(
                    "{owner}: reads {symbol}, which is not in the universe; there are {}",
                    symbols()
                ));
            }
            _ => {}
        }
    }
}

fn instrument(config: &ResolvedConfig, index: usize, one: &InstrumentConfig, note: &mut impl FnMut(String)) {
    let universe = &config.system.universe;
    let symbol = &one.symbol;
    if let Err(error) = Instrument::validate_symbol(symbol) {
        note(format!("universe.{index}.symbol: {error}"));
    }
    let repeated = one
        .timeframes
        .iter()
        .enumerate()
        .find(|(at, timeframe)| one.timeframes[..*at].contains(timeframe));
    if let Some((_, timeframe)) = repeated {
        note(format!(
            "universe.{index}.timeframes: {symbol} lists {timeframe} twice"
        ));
    }
    if universe[..index].iter().any(|earlier| earlier.symbol == *symbol) {
        note(format!("universe.{index}: {symbol} is listed twice"));
    }
    if !one.timeframes.contains(&one.execution) {
        let codes: Vec<_> = one.timeframes.iter().map(|timeframe| timeframe.code()).collect();
        note(format!(
            "universe.{index}.execution: {symbol} executes on {} bars, but loads only {}",
            one.execution,
            codes.join(", ")
        ));
    }
    if config.system.costs.of(one.class).is_none() {
        note(format!(
            "costs: {symbol} is of class {}, which has no costs; there is no default for costs",
            one.class
        ));
    }
    for (key, value) in [("price_tick", one.price_tick), ("lot_size", one.lot_size)] {
        let decimal = Decimal::from_f64(value).filter(|decimal| decimal.normalize().scale() <= 8);
        if decimal.is_none() {
            note(format!(
                "universe.{index}.{key}: found {value}, but at most 8 decimals are allowed"
            ));
        }
    }
}
