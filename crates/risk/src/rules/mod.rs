//! The rules, one per file.

mod adv_limit;
mod class_cap;
mod drawdown;
mod gross_leverage;
mod group_cap;
mod initial_margin;
mod invalid_equity;
mod kill_switch;
mod minimum_trade;
mod missing_price;
mod per_asset_cap;
mod turnover_limit;
mod volatility_cap;

use sextant_domain::InstrumentTable;

use crate::kill_signal::KillSignal;
use crate::rule::RiskRule;
use crate::{LimitError, RiskLimits};

/// Every rule in the order in which they are asked: what is not known, what closes everything, the caps on
/// what is held, then the limits on what is traded. `instruments` are needed where a group is capped.
///
/// # Errors
/// [`LimitError`] when a limit is out of range.
pub(crate) fn all(
    limits: &RiskLimits,
    signal: impl KillSignal + 'static,
    instruments: Option<&InstrumentTable>,
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
    if !limits.group_caps.is_empty() {
        rules.push(Box::new(group_cap::GroupCaps::new(
            &limits.group_caps,
            instruments,
        )?));
    }
    rules.push(Box::new(gross_leverage::GrossLeverage::new(
        limits.gross_leverage,
    )));
    rules.push(Box::new(initial_margin::InitialMargin));
    add_optional(limits, &mut rules);
    Ok(rules)
}

/// The rules that only a configuration which states them has. What limits trades comes after what limits positions, and the
/// smallest trade last, on what all others have left.
fn add_optional(limits: &RiskLimits, rules: &mut Vec<Box<dyn RiskRule>>) {
    if let Some(cap) = limits.volatility_cap {
        rules.push(Box::new(volatility_cap::PortfolioVolatility::new(cap)));
    }
    if let Some(limit) = limits.adv_limit {
        rules.push(Box::new(adv_limit::AverageDailyValue::new(limit)));
    }
    if let Some(limit) = limits.turnover_limit {
        rules.push(Box::new(turnover_limit::Turnover::new(limit)));
    }
    if let Some(minimum) = limits.minimum_trade {
        rules.push(Box::new(minimum_trade::SmallestTrade::new(minimum)));
    }
}
