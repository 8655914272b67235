//! The budgets as they are configured, and what is wrong with them if anything.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::{CryptoRegime, EquityRegime, MacroRegime, VolatilityRegime};
use thiserror::Error;

/// How far the base budgets may add up to more than 1, for the sake of decimals like 0.1 that have no exact binary.
const SUM_TOLERANCE: f64 = 1e-12;

/// Budgets of all models of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegimeBudgets {
    /// Budget per model, by the model's name. Every model of the run has one, and no other name stands here. The base
    /// budgets add up to at most 1.
    pub models: BTreeMap<String, ModelBudget>,
    /// The smallest change of an instrument's net weight, as a fraction of portfolio equity, that is worth a trade when
    /// nothing else asks for one.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub no_trade_band: f64,
}

/// Budget of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelBudget {
    /// Fraction of portfolio equity that the model may use when no regime takes anything away.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub budget: f64,
    /// Factors by regime. Without any, the budget is the same in every regime.
    #[serde(default)]
    pub multipliers: RegimeMultipliers,
}

/// What the label of each regime dimension leaves of a budget. A dimension that is not given leaves all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegimeMultipliers {
    /// Factor by equity trend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equity: Option<TrendFactors>,
    /// Factor by volatility level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volatility: Option<VolatilityFactors>,
    /// Factor by crypto trend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crypto: Option<TrendFactors>,
    /// Factor by state of the economy.
    #[serde(default, rename = "macro", skip_serializing_if = "Option::is_none")]
    pub macro_economy: Option<MacroFactors>,
}

/// Factors on a budget by the trend of a market (equity or crypto).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrendFactors {
    /// While the market rises.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub bull: f64,
    /// While it does neither.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub neutral: f64,
    /// While it falls.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub bear: f64,
    /// While an input of the regime is missing or not warm yet.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub unknown: f64,
}

/// Factors on a budget by the level of volatility.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolatilityFactors {
    /// While the market is calm.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub low: f64,
    /// While it is as usual.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub normal: f64,
    /// While it is stressed.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub high: f64,
    /// While an input of the regime is missing or not warm yet.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub unknown: f64,
}

/// Factors on a budget by the state of the economy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MacroFactors {
    /// While the economy grows.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub expansion: f64,
    /// While it loses pace.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub slowdown: f64,
    /// While it shrinks.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub contraction: f64,
    /// While an input of the regime is missing or not warm yet.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub unknown: f64,
}

/// What is wrong with budgets.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum BudgetError {
    /// A number outside its range.
    #[error("{field} is {value}, but must be a number from 0 to 1")]
    Range {
        /// The field, as a path from the root of the budgets.
        field: String,
        /// The value found.
        value: f64,
    },
    /// Budgets that promise more than there is.
    #[error("the budgets {budgets} add up to {sum}, but may add up to 1 at most; make one of them smaller")]
    Sum {
        /// Each model with its budget, comma-separated.
        budgets: String,
        /// Their sum.
        sum: f64,
    },
    /// The same model twice.
    #[error("the model {model} is named twice; every model has one budget")]
    Duplicate {
        /// The model.
        model: String,
    },
    /// Equal parts of nothing.
    #[error("there is no model to give a budget to; name at least one")]
    NoModels,
}

impl RegimeBudgets {
    /// Checks every range, then the sum of the base budgets.
    ///
    /// # Errors
    /// [`BudgetError::Range`] for the first number outside its range, [`BudgetError::Sum`] when the base budgets add up
    /// to more than 1.
    pub fn validate(&self) -> Result<(), BudgetError> {
        check("no_trade_band", self.no_trade_band)?;
        for (name, model) in &self.models {
            check(&format!("models.{name}.budget"), model.budget)?;
            for (label, factor) in model.multipliers.labelled() {
                check(&format!("models.{name}.multipliers.{label}"), factor)?;
            }
        }
        self.check_sum()
    }

    fn check_sum(&self) -> Result<(), BudgetError> {
        let sum: f64 = self.models.values().map(|model| model.budget).sum();
        if sum <= 1.0 + SUM_TOLERANCE {
            return Ok(());
        }
        let budgets: Vec<_> = self
            .models
            .iter()
            .map(|(name, model)| format!("{name} {}", model.budget))
            .collect();
        Err(BudgetError::Sum {
            budgets: budgets.join(", "),
            sum,
        })
    }
}

fn check(field: &str, value: f64) -> Result<(), BudgetError> {
    // A NaN is in no range.
    let in_range = (0.0..=1.0).contains(&value);
    if in_range {
        Ok(())
    } else {
        Err(BudgetError::Range {
            field: field.to_owned(),
            value,
        })
    }
}

impl RegimeMultipliers {
    /// Every factor given, with its path below `multipliers`.
    fn labelled(&self) -> Vec<(String, f64)> {
        let equity = self
            .equity
            .map(|table| rows("equity", EquityRegime::ALL, |label| table.equity(label)));
        let volatility = self
            .volatility
            .map(|table| rows("volatility", VolatilityRegime::ALL, |label| table.factor(label)));
        let crypto = self
            .crypto
            .map(|table| rows("crypto", CryptoRegime::ALL, |label| table.crypto(label)));
        let macro_economy = self
            .macro_economy
            .map(|table| rows("macro", MacroRegime::ALL, |label| table.factor(label)));
        [equity, volatility, crypto, macro_economy]
            .into_iter()
            .flatten()
            .flatten()
            .collect()
    }
}

fn rows<L: Copy + std::fmt::Display>(
    dimension: &str,
    labels: &[L],
    factor: impl Fn(L) -> f64,
) -> Vec<(String, f64)> {
    labels
        .iter()
        .map(|&label| (format!("{dimension}.{label}"), factor(label)))
        .collect()
}

impl TrendFactors {
    /// The factor of an equity trend.
    pub const fn equity(&self, label: EquityRegime) -> f64 {
        match label {
            EquityRegime::Bull => self.bull,
            EquityRegime::Neutral => self.neutral,
            EquityRegime::Bear => self.bear,
            EquityRegime::Unknown => self.unknown,
        }
    }

    /// The factor of a crypto trend.
    pub const fn crypto(&self, label: CryptoRegime) -> f64 {
        match label {
            CryptoRegime::Bull => self.bull,
            CryptoRegime::Neutral => self.neutral,
            CryptoRegime::Bear => self.bear,
            CryptoRegime::Unknown => self.unknown,
        }
    }
}

impl VolatilityFactors {
    /// The factor of a level of volatility.
    pub const fn factor(&self, label: VolatilityRegime) -> f64 {
        match label {
            VolatilityRegime::Low => self.low,
            VolatilityRegime::Normal => self.normal,
            VolatilityRegime::High => self.high,
            VolatilityRegime::Unknown => self.unknown,
        }
    }
}

impl MacroFactors {
    /// The factor of a state of the economy.
    pub const fn factor(&self, label: MacroRegime) -> f64 {
        match label {
            MacroRegime::Expansion => self.expansion,
            MacroRegime::Slowdown => self.slowdown,
            MacroRegime::Contraction => self.contraction,
            MacroRegime::Unknown => self.unknown,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    type Change<T> = fn(&mut T);

    fn config() -> Value {
        json!({
            "models": {
                "A": {
                    "budget": 0.6,
                    "multipliers": {
                        "equity": { "bull": 1.0, "neutral": 0.7, "bear": 0.2, "unknown": 0.5 },
                        "macro": { "expansion": 1.0, "slowdown": 0.8, "contraction": 0.4, "unknown": 0.8 },
                    },
                },
                "B": { "budget": 0.4 },
            },
            "no_trade_band": 0.02,
        })
    }

    fn read(value: &Value) -> Result<RegimeBudgets, String> {
        serde_json::from_value(value.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_config_is_read_and_written_back() {
        let budgets = read(&config()).unwrap();
        assert_eq!(budgets.validate(), Ok(()));
        assert_eq!(
            budgets.models["A"].multipliers.macro_economy.unwrap().contraction,
            0.4
        );
        assert_eq!(budgets.models["B"].multipliers, RegimeMultipliers::default());
        assert_eq!(read(&serde_json::to_value(&budgets).unwrap()).unwrap(), budgets);
    }

    #[test]
    fn unknown_and_missing_keys_are_named() {
        let cases: [(&str, Change<Value>); 5] = [
            ("unknown field `band`", |root| root["band"] = json!(0.1)),
            ("unknown field `weight`", |root| {
                root["models"]["B"]["weight"] = json!(0.1)
            }),
            ("unknown field `rates`", |root| {
                root["models"]["A"]["multipliers"]["rates"] = json!({})
            }),
            ("missing field `no_trade_band`", |root| {
                root.as_object_mut().unwrap().remove("no_trade_band");
            }),
            ("missing field `unknown`", |root| {
                let table = &mut root["models"]["A"]["multipliers"]["equity"];
                table.as_object_mut().unwrap().remove("unknown");
            }),
        ];
        for (expected, change) in cases {
            let mut value = config();
            change(&mut value);
            let message = read(&value).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn each_range_is_checked_by_path() {
        let cases: [(&str, Change<RegimeBudgets>); 5] = [
            ("no_trade_band is -0.1", |budgets| budgets.no_trade_band = -0.1),
            ("models.B.budget is 1.5", |budgets| {
                budgets.models.get_mut("B").unwrap().budget = 1.5
            }),
            ("models.B.budget is NaN", |budgets| {
                budgets.models.get_mut("B").unwrap().budget = f64::NAN
            }),
            ("models.A.multipliers.equity.bear is 1.2", |budgets| {
                budgets
                    .models
                    .get_mut("A")
                    .unwrap()
                    .multipliers
                    .equity
                    .as_mut()
                    .unwrap()
                    .bear = 1.2;
            }),
            ("models.A.multipliers.macro.unknown is -1", |budgets| {
                budgets
                    .models
                    .get_mut("A")
                    .unwrap()
                    .multipliers
                    .macro_economy
                    .as_mut()
                    .unwrap()
                    .unknown = -1.0;
            }),
        ];
        for (expected, change) in cases {
            let mut budgets = read(&config()).unwrap();
            change(&mut budgets);
            let message = budgets.validate().unwrap_err().to_string();
            assert!(
                message.contains(expected) && message.contains("from 0 to 1"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_sum_over_one_lists_every_budget() {
        let mut budgets = read(&config()).unwrap();
        budgets.models.get_mut("B").unwrap().budget = 0.5;
        let message = budgets.validate().unwrap_err().to_string();
        assert!(message.contains("A 0.6, B 0.5 add up to 1.1,"), "{message}");
    }

    #[test]
    fn decimals_that_add_up_to_one_are_enough() {
        let parts = [0.56, 0.34, 0.1];
        assert!(parts.iter().sum::<f64>() > 1.0, "binary fractions overshoot here");
        let models = parts.iter().enumerate().map(|(index, &budget)| {
            let multipliers = RegimeMultipliers::default();
            (format!("M{index}"), ModelBudget { budget, multipliers })
        });
        let budgets = RegimeBudgets {
            models: models.collect(),
            no_trade_band: 0.0,
        };
        assert_eq!(budgets.validate(), Ok(()));
    }

    #[test]
    fn the_schema_has_ranges_and_closed_objects() {
        let schema = serde_json::to_value(schemars::schema_for!(RegimeBudgets)).unwrap();
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["required"], json!(["models", "no_trade_band"]));
        assert_eq!(schema["properties"]["no_trade_band"]["maximum"], json!(1.0));
        assert_eq!(
            schema["$defs"]["TrendFactors"]["required"],
            json!(["bull", "neutral", "bear", "unknown"])
        );
        assert!(schema["$defs"]["RegimeMultipliers"]["properties"]["macro"].is_object());
    }
}
