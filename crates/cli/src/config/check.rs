//! Consistency across files: what no schema of a single file can see.

use std::path::Path;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use sextant_regime::RuleRegimeDetector;

use super::load::ResolvedConfig;
use super::system::{InstrumentConfig, SystemConfig};

/// Adds every inconsistency of a configuration.
pub(super) fn consistency(file: &Path, config: &ResolvedConfig, found: &mut Vec<String>) {
    let mut note = |text: String| found.push(format!("{}: {text}", file.display()));
    period(&config.system, &mut note);
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
    let models: Vec<String> = match config.models.build() {
        Ok(models) => models.iter().map(|model| model.id().to_owned()).collect(),
        Err(error) => return of(&include.models, error.to_string()),
    };
    if let Err(error) = config.budgets.validate() {
        of(&include.budgets, error.to_string());
    }
    if let Err(error) = RuleRegimeDetector::new(&config.regime) {
        of(&include.regime, error.to_string());
    }
    if let Err(error) = config.risk.validate() {
        of(&include.risk, error.to_string());
    }
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

fn period(system: &SystemConfig, note: &mut impl FnMut(String)) {
    let period = system.period;
    if period.start >= period.end {
        note(format!(
            "period: the start {} is not before the end {}; give --start and --end as 2005-01-01, the earlier first",
            period.start, period.end
        ));
    }
    let synthetic = system.synthetic;
    if synthetic.from >= synthetic.to {
        note(format!(
            "synthetic: from {} is not before to {}",
            synthetic.from, synthetic.to
        ));
    }
}

fn instrument(config: &ResolvedConfig, index: usize, one: &InstrumentConfig, note: &mut impl FnMut(String)) {
    let universe = &config.system.universe;
    let symbol = &one.symbol;
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
