//! Limits that are off unless the configuration states them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{LARGEST_EXPOSURE, check};
use crate::{LimitError, RiskLimits};

/// The largest amount of money that can be configured; more is taken for a slip of the pen.
const LARGEST_NOTIONAL: f64 = 1e12;

/// Cap on a group of instruments. An instrument may be in several groups; all their caps hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupCap {
    /// Largest sum of the members' weight magnitudes, as a fraction of portfolio equity.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub cap: f64,
    /// The members, each a symbol of the universe.
    pub symbols: Vec<String>,
}

/// The longest window of trailing days: ten years of sessions.
const LONGEST_WINDOW: u32 = 2_520;

/// Cap on the volatility of the portfolio: the root of `w' C w` with the weights `w` and the annual covariance `C` of
/// trailing daily returns. What has no covariance yet may not be added.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolatilityCap {
    /// Largest annual volatility, as a fraction.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub annual: f64,
    /// Daily returns of the covariance, of whole UTC days before the day of the decision.
    #[schemars(range(min = 2, max = 2_520))]
    pub window_days: u32,
}

/// Limit on the trades in one instrument by its average daily traded value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvLimit {
    /// Largest value on its way at a time, as a fraction of the average daily traded value.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub fraction: f64,
    /// Days of the average: those with bars of the instrument, before the UTC day of the decision.
    #[schemars(range(min = 1, max = 2_520))]
    pub window_days: u32,
    /// What may be traded where the average is not known.
    pub unknown: UnknownVolume,
}

/// What may be added to a position whose average daily traded value is not known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum UnknownVolume {
    /// Nothing.
    Refuse,
    /// A trade of at most this weight.
    CutTo {
        /// Fraction of portfolio equity.
        #[schemars(range(min = 0.0, max = 100.0))]
        weight: f64,
    },
}

/// Limit on what is traded at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnoverLimit {
    /// Largest sum of the magnitudes of all trades of one rebalance, purchases and sales, as a fraction of portfolio
    /// equity. Reductions always pass and count; what adds to positions gets the rest.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub per_rebalance: f64,
}

/// Smallest trade that is worth sending. A trade that only reduces a position always passes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinimumTrade {
    /// Value in account currency.
    #[schemars(range(min = 0.0, max = 1_000_000_000_000.0))]
    pub notional: f64,
}

/// Checks the ranges of what is stated.
///
/// # Errors
/// The first [`LimitError`] found.
pub(crate) fn validate(limits: &RiskLimits) -> Result<(), LimitError> {
    limits
        .group_caps
        .iter()
        .try_for_each(|(name, group)| validate_group(name, group))?;
    if let Some(cap) = limits.volatility_cap {
        check("volatility_cap.annual", cap.annual, LARGEST_EXPOSURE)?;
        check_window("volatility_cap.window_days", cap.window_days, 2)?;
    }
    if let Some(limit) = limits.adv_limit {
        check("adv_limit.fraction", limit.fraction, 1.0)?;
        check_window("adv_limit.window_days", limit.window_days, 1)?;
        if let UnknownVolume::CutTo { weight } = limit.unknown {
            check("adv_limit.unknown.cut_to.weight", weight, LARGEST_EXPOSURE)?;
        }
    }
    if let Some(limit) = limits.turnover_limit {
        check(
            "turnover_limit.per_rebalance",
            limit.per_rebalance,
            LARGEST_EXPOSURE,
        )?;
    }
    if let Some(minimum) = limits.minimum_trade {
        check("minimum_trade.notional", minimum.notional, LARGEST_NOTIONAL)?;
    }
    Ok(())
}

fn check_window(field: &'static str, days: u32, least: u32) -> Result<(), LimitError> {
    if (least..=LONGEST_WINDOW).contains(&days) {
        return Ok(());
    }
    Err(LimitError::Range {
        field,
        value: days.into(),
        min: least.into(),
        max: LONGEST_WINDOW.into(),
    })
}

fn validate_group(name: &str, group: &GroupCap) -> Result<(), LimitError> {
    let problem = if !(0.0..=LARGEST_EXPOSURE).contains(&group.cap) {
        format!(
            "cap is {}, but must be a number from 0 to {LARGEST_EXPOSURE}",
            group.cap
        )
    } else if group.symbols.is_empty() {
        "symbols is empty, but must name at least one instrument".to_owned()
    } else {
        return Ok(());
    };
    Err(LimitError::Group {
        group: name.to_owned(),
        problem,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn with(field: &str, value: Value) -> Result<RiskLimits, String> {
        let mut limits = serde_json::to_value(RiskLimits::mission_defaults()).unwrap();
        limits[field] = value;
        let limits: RiskLimits = serde_json::from_value(limits).map_err(|error| error.to_string())?;
        limits.validate().map_err(|error| error.to_string())?;
        Ok(limits)
    }

    #[test]
    fn what_is_stated_is_read_and_written_alike() {
        for (field, value) in [
            (
                "group_caps",
                json!({ "technology": { "cap": 0.3, "symbols": ["AAPL", "MSFT"] } }),
            ),
            ("volatility_cap", json!({ "annual": 0.15, "window_days": 60 })),
            (
                "adv_limit",
                json!({ "fraction": 0.05, "window_days": 20, "unknown": "refuse" }),
            ),
            (
                "adv_limit",
                json!({ "fraction": 0.05, "window_days": 20, "unknown": { "cut_to": { "weight": 0.01 } } }),
            ),
            ("turnover_limit", json!({ "per_rebalance": 0.5 })),
            ("minimum_trade", json!({ "notional": 100.0 })),
        ] {
            let limits = with(field, value.clone()).unwrap();
            assert_eq!(serde_json::to_value(&limits).unwrap()[field], value);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (field, value, expected) in [
            (
                "group_caps",
                json!({ "x": { "cap": -1.0, "symbols": ["A"] } }),
                "group_caps.x: cap is -1, but must be a number from 0 to 100",
            ),
            (
                "group_caps",
                json!({ "x": { "cap": 1.0, "symbols": [] } }),
                "group_caps.x: symbols is empty",
            ),
            (
                "volatility_cap",
                json!({ "annual": 101.0, "window_days": 60 }),
                "volatility_cap.annual is 101",
            ),
            (
                "adv_limit",
                json!({ "fraction": 1.5, "window_days": 20, "unknown": "refuse" }),
                "adv_limit.fraction is 1.5",
            ),
            (
                "volatility_cap",
                json!({ "annual": 0.1, "window_days": 1 }),
                "volatility_cap.window_days is 1, but must be a number from 2 to 2520",
            ),
            (
                "adv_limit",
                json!({ "fraction": 0.5, "window_days": 0, "unknown": "refuse" }),
                "adv_limit.window_days is 0",
            ),
            (
                "adv_limit",
                json!({ "fraction": 0.5, "window_days": 20 }),
                "missing field `unknown`",
            ),
            (
                "adv_limit",
                json!({ "fraction": 0.5, "window_days": 20, "unknown": { "cut_to": { "weight": -0.5 } } }),
                "adv_limit.unknown.cut_to.weight is -0.5",
            ),
            (
                "turnover_limit",
                json!({ "per_rebalance": -0.1 }),
                "turnover_limit.per_rebalance is -0.1",
            ),
            (
                "minimum_trade",
                json!({ "notional": -5.0 }),
                "minimum_trade.notional is -5",
            ),
            ("minimum_trade", json!({ "units": 5.0 }), "unknown field `units`"),
        ] {
            let message = with(field, value).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
