//! The config of all dimensions, and what is wrong with it if anything.

use std::fmt::Display;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::{Instrument, RegimeDimension};
use thiserror::Error;

use crate::{CryptoRegimeConfig, EquityRegimeConfig, MacroRegimeConfig, VolatilityRegimeConfig};

/// Allowed periods and lookbacks, in bars.
pub(crate) const PERIOD: RangeInclusive<u32> = 2..=5_000;
/// Allowed ages of an input, in days.
pub(crate) const AGE_DAYS: RangeInclusive<u32> = 1..=3_660;
/// Allowed fractions.
pub(crate) const FRACTION: RangeInclusive<f64> = 0.0..=1.0;

/// How the regime is decided, dimension by dimension. A dimension that is not given is always `unknown`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegimeConfig {
    /// Equity trend: bull, neutral or bear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equity: Option<EquityRegimeConfig>,
    /// Level of volatility: low, normal or high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volatility: Option<VolatilityRegimeConfig>,
    /// Crypto trend: bull, neutral or bear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crypto: Option<CryptoRegimeConfig>,
    /// State of the economy: expansion, slowdown or contraction.
    #[serde(default, rename = "macro", skip_serializing_if = "Option::is_none")]
    pub macro_economy: Option<MacroRegimeConfig>,
}

impl RegimeConfig {
    /// Every dimension with its default thresholds: the equity index also gives the realised volatility, and the VIX,
    /// the yield curve and the PMI are read where the run has them.
    pub fn with_defaults(equity_index: &str, crypto_index: &str) -> Self {
        Self {
            equity: Some(EquityRegimeConfig::new(equity_index)),
            volatility: Some(VolatilityRegimeConfig::new(equity_index)),
            crypto: Some(CryptoRegimeConfig::new(crypto_index)),
            macro_economy: Some(MacroRegimeConfig::default()),
        }
    }

    pub(crate) fn check(&self) -> Result<(), RegimeConfigErrors> {
        let mut checks = Checks {
            dimension: RegimeDimension::Equity,
            errors: Vec::new(),
        };
        if let Some(equity) = &self.equity {
            equity.settings().check(checks.of(RegimeDimension::Equity));
        }
        if let Some(volatility) = &self.volatility {
            volatility.check(checks.of(RegimeDimension::Volatility));
        }
        if let Some(crypto) = &self.crypto {
            crypto.settings().check(checks.of(RegimeDimension::Crypto));
        }
        if let Some(macro_economy) = &self.macro_economy {
            macro_economy.check(checks.of(RegimeDimension::Macro));
        }
        if checks.errors.is_empty() {
            Ok(())
        } else {
            Err(RegimeConfigErrors {
                errors: checks.errors,
            })
        }
    }
}

/// A setting that a rule cannot work with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("regime {dimension}.{field} is {value}, but must be {allowed}")]
pub struct RegimeConfigError {
    /// The dimension's name.
    pub dimension: &'static str,
    /// The field, as a path within the dimension.
    pub field: &'static str,
    /// The value found.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

/// Every setting that is wrong, so that all can be put right at once. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct RegimeConfigErrors {
    /// The errors, in the order of the config.
    pub errors: Vec<RegimeConfigError>,
}

/// Collects what is wrong.
pub(crate) struct Checks {
    dimension: RegimeDimension,
    errors: Vec<RegimeConfigError>,
}

impl Checks {
    fn of(&mut self, dimension: RegimeDimension) -> &mut Self {
        self.dimension = dimension;
        self
    }

    /// A number must lie within a range, ends included. A NaN lies within none.
    pub(crate) fn range<T: PartialOrd + Display>(
        &mut self,
        field: &'static str,
        value: T,
        allowed: RangeInclusive<T>,
    ) {
        if !allowed.contains(&value) {
            self.refuse(
                field,
                value,
                format!("from {} to {}", allowed.start(), allowed.end()),
            );
        }
    }

    /// The field must be below another one.
    pub(crate) fn below<T: PartialOrd + Display>(
        &mut self,
        field: (&'static str, T),
        other: (&'static str, T),
    ) {
        let ((field, value), (other, limit)) = (field, other);
        if value >= limit {
            self.refuse(field, value, format!("below {other}, which is {limit}"));
        }
    }

    /// The field must not be above another one.
    pub(crate) fn at_most<T: PartialOrd + Display>(
        &mut self,
        field: (&'static str, T),
        other: (&'static str, T),
    ) {
        let ((field, value), (other, limit)) = (field, other);
        if value > limit {
            self.refuse(field, value, format!("at most {other}, which is {limit}"));
        }
    }

    /// The field must be a symbol.
    pub(crate) fn symbol(&mut self, field: &'static str, symbol: &str) {
        if let Err(error) = Instrument::validate_symbol(symbol) {
            self.refuse(field, format!("`{symbol}`"), format!("a symbol: {error}"));
        }
    }

    /// The field must name a macro series.
    pub(crate) fn series(&mut self, field: &'static str, name: &str) {
        if name.is_empty() {
            self.refuse(field, "empty", "the name of a macro series");
        }
    }

    /// Records a refusal.
    pub(crate) fn refuse(&mut self, field: &'static str, value: impl Display, allowed: impl Into<String>) {
        let (value, allowed) = (value.to_string(), allowed.into());
        self.errors.push(RegimeConfigError {
            dimension: self.dimension.name(),
            field,
            value,
            allowed,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<RegimeConfig, serde_json::Error> {
        serde_json::from_value(value)
    }

    fn refused(value: Value) -> Vec<String> {
        read(value)
            .unwrap()
            .check()
            .unwrap_err()
            .to_string()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        let short = read(json!({
            "equity": {"symbol": "SPY"},
            "volatility": {"realised": {"symbol": "SPY"}, "vix": {}},
            "crypto": {"symbol": "BTC-USD"},
            "macro": {"yield_curve": {}, "pmi": {}},
        }))
        .unwrap();
        assert_eq!(short, RegimeConfig::with_defaults("SPY", "BTC-USD"));
        assert_eq!(short.check(), Ok(()));
        let expected = json!({
            "equity": {
                "symbol": "SPY", "fast_ma_period": 50, "slow_ma_period": 200, "drawdown_lookback_days": 252,
                "bull_max_drawdown": 0.10, "bear_min_drawdown": 0.20, "max_age_days": 10,
            },
            "volatility": {
                "vix": {
                    "series": "vix", "measure": {"kind": "level", "low_below": 15.0, "high_above": 25.0},
                    "max_age_days": 10,
                },
                "realised": {
                    "symbol": "SPY", "period_days": 20, "lookback_days": 252, "low_below": 0.25, "high_above": 0.75,
                    "max_age_days": 10,
                },
            },
            "crypto": {
                "symbol": "BTC-USD", "fast_ma_period": 50, "slow_ma_period": 200, "drawdown_lookback_days": 365,
                "bull_max_drawdown": 0.25, "bear_min_drawdown": 0.40, "max_age_days": 3,
            },
            "macro": {
                "yield_curve": {
                    "series": "yield_curve_10y_3m", "inverted_below": 0.0, "max_age_days": 10, "required": true,
                },
                "pmi": {
                    "series": "pmi", "expansion_from": 50.0, "contraction_below": 45.0, "max_age_days": 45,
                    "required": true,
                },
            },
        });
        assert_eq!(serde_json::to_value(&short).unwrap(), expected);
    }

    #[test]
    fn no_dimension_is_a_config_too() {
        assert_eq!(read(json!({})).unwrap(), RegimeConfig::default());
        assert_eq!(RegimeConfig::default().check(), Ok(()));
    }

    #[test]
    fn unknown_keys_are_refused_with_those_allowed() {
        let rows = [
            (json!({"equities": {}}), "equity"),
            (json!({"equity": {"symbol": "SPY", "slow": 3}}), "slow_ma_period"),
            (json!({"equity": {}}), "symbol"),
            (
                json!({"volatility": {"vix": {"measure": {"kind": "rank"}}}}),
                "percentile",
            ),
            (
                json!({"volatility": {"vix": {"measure": {"kind": "level", "lookback": 3}}}}),
                "low_below",
            ),
            (json!({"macro": {"pmi": {"limit": 50}}}), "contraction_below"),
        ];
        for (value, word) in rows {
            let message = read(value).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }

    #[test]
    fn every_wrong_setting_is_named_with_what_is_allowed() {
        let found = refused(json!({
            "equity": {"symbol": "../x", "fast_ma_period": 1, "bull_max_drawdown": 0.3, "bear_min_drawdown": 0.2},
            "volatility": {"vix": {"series": "", "measure": {"kind": "level", "low_below": 30.0, "high_above": 25.0}}},
            "crypto": {"symbol": "BTC-USD", "fast_ma_period": 200, "max_age_days": 0},
            "macro": {"pmi": {"expansion_from": 44.0}},
        }));
        assert_eq!(found.len(), 8, "{found:#?}");
        assert!(
            found[0].starts_with("regime equity.symbol is `../x`, but must be a symbol: "),
            "{found:#?}"
        );
        assert_eq!(
            found[1..],
            [
                "regime equity.fast_ma_period is 1, but must be from 2 to 5000",
                "regime equity.bull_max_drawdown is 0.3, but must be at most bear_min_drawdown, which is 0.2",
                "regime volatility.vix.series is empty, but must be the name of a macro series",
                "regime volatility.vix.measure.low_below is 30, but must be below high_above, which is 25",
                "regime crypto.fast_ma_period is 200, but must be below slow_ma_period, which is 200",
                "regime crypto.max_age_days is 0, but must be from 1 to 3660",
                "regime macro.pmi.contraction_below is 45, but must be at most expansion_from, which is 44",
            ]
        );
    }

    #[test]
    fn a_dimension_without_inputs_is_refused() {
        let found = refused(json!({"volatility": {}, "macro": {}}));
        assert_eq!(found.len(), 2);
        assert!(
            found[0].contains("vix") && found[0].contains("realised"),
            "{found:?}"
        );
        assert!(
            found[1].contains("yield_curve") && found[1].contains("pmi"),
            "{found:?}"
        );
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        let mut config = RegimeConfig::with_defaults("SPY", "BTC-USD");
        if let Some(equity) = &mut config.equity {
            equity.bear_min_drawdown = f64::NAN;
        }
        let message = config.check().unwrap_err().to_string();
        assert!(
            message.contains("equity.bear_min_drawdown is NaN, but must be from 0 to 1"),
            "{message}"
        );
    }

    /// The schema states the ranges that the constructor checks: each field of each dimension has both ends.
    #[test]
    fn the_schema_states_every_range() {
        let schema = serde_json::to_value(schemars::schema_for!(RegimeConfig)).unwrap();
        let mut ranges = Vec::new();
        collect_ranges(&schema["$defs"], &mut ranges);
        ranges.sort();
        ranges.dedup();
        let expected = [
            "bear_min_drawdown 0..1",
            "bull_max_drawdown 0..1",
            "contraction_below 0..100",
            "drawdown_lookback_days 2..5000",
            "expansion_from 0..100",
            "fast_ma_period 2..5000",
            "high_above 0..1",
            "high_above 0..1000",
            "inverted_below -20..20",
            "lookback_days 2..5000",
            "lookback_values 2..5000",
            "low_below 0..1",
            "low_below 0..1000",
            "max_age_days 1..3660",
            "period_days 2..5000",
            "slow_ma_period 2..5000",
        ];
        assert_eq!(ranges, expected);
    }

    fn collect_ranges(schema: &Value, out: &mut Vec<String>) {
        let Some(object) = schema.as_object() else { return };
        for (name, inner) in object {
            if let (Some(low), Some(high)) = (inner["minimum"].as_f64(), inner["maximum"].as_f64()) {
                out.push(format!("{name} {low}..{high}"));
            }
            collect_ranges(inner, out);
            inner
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|one| collect_ranges(one, out));
        }
    }
}
