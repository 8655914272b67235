//! The rules, one per file.

mod class_cap;
mod drawdown;
mod gross_leverage;
mod invalid_equity;
mod kill_switch;
mod missing_price;
mod per_asset_cap;

use crate::kill_signal::KillSignal;
use crate::rule::RiskRule;
use crate::{LimitError, RiskLimits};

/// Every rule in the order in which they are asked: what is not known, what closes everything, then the caps.
///
/// # Errors
/// [`LimitError`] when a limit is out of range.
pub(crate) fn all(
    limits: &RiskLimits,
    signal: Box<dyn KillSignal>,
) -> Result<Vec<Box<dyn RiskRule>>, LimitError> {
    limits.validate()?;
    let mut rules: Vec<Box<dyn RiskRule>> = vec![
        Box::new(missing_price::MissingPrice),
        Box::new(kill_switch::KillSwitch::new(&limits.kill_switch, signal)),
        Box::new(invalid_equity::InvalidEquity::new()),
    ];
    if let Some(drawdown) = limits.drawdown {
        rules.push(Box::new(drawdown::Drawdown::new(drawdown)));
    }
    rules.push(Box::new(per_asset_cap::PerAssetCap::new(limits.per_asset_cap)));
    rules.push(Box::new(class_cap::ClassCap::new(limits.class_caps)));
    rules.push(Box::new(gross_leverage::GrossLeverage::new(
        limits.gross_leverage,
    )));
    Ok(rules)
}
