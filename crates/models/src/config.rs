//! How a run names its models, and the list of all there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::ports::Model;

use crate::parameters::ParameterErrors;
use crate::schedule::{Rebalance, Scheduled};
use crate::{
    CryptoMomentumModel, CryptoMomentumParameters, EquityTrendModel, EquityTrendParameters,
    IndexMeanReversionModel, IndexMeanReversionParameters,
};

/// The models of a run, by name, each with its parameters. A model that is not named does not run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelsConfig {
    /// Trend following in shares and funds.
    #[serde(
        rename = "EquityTrendModel_v1",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub equity_trend: Option<EquityTrendParameters>,
    /// Mean reversion in indices on 4-hour bars.
    #[serde(
        rename = "IndexMeanReversionModel_v1",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub index_mean_reversion: Option<IndexMeanReversionParameters>,
    /// Momentum in crypto assets.
    #[serde(
        rename = "CryptoMomentumModel_v1",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub crypto_momentum: Option<CryptoMomentumParameters>,
}

impl ModelsConfig {
    /// Makes every model that is named, in the order of the [`catalogue`]. Empty when none is.
    ///
    /// # Errors
    /// Every parameter of every model that is out of its range.
    pub fn build(&self) -> Result<Vec<Box<dyn Model>>, ParameterErrors> {
        let made = [
            self.equity_trend
                .as_ref()
                .map(|parameters| scheduled(EquityTrendModel::new(parameters), parameters.rebalance)),
            self.index_mean_reversion
                .as_ref()
                .map(|parameters| scheduled(IndexMeanReversionModel::new(parameters), parameters.rebalance)),
            self.crypto_momentum
                .as_ref()
                .map(|parameters| scheduled(CryptoMomentumModel::new(parameters), parameters.rebalance)),
        ];
        let (mut models, mut errors) = (Vec::new(), Vec::new());
        for one in made.into_iter().flatten() {
            match one {
                Ok(model) => models.push(model),
                Err(refused) => errors.extend(refused.errors),
            }
        }
        if errors.is_empty() {
            Ok(models)
        } else {
            Err(ParameterErrors { errors })
        }
    }
}

/// A model ready to run, or why it cannot be made.
pub type MadeModel = Result<Box<dyn Model>, ParameterErrors>;

/// A model as it stands in the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct ModelEntry {
    /// The name under which it is configured and recorded.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Makes it with default parameters on a universe.
    pub with_defaults: fn(Vec<String>) -> MadeModel,
}

/// Every model of this crate. Tests that hold for all models, such as the one of causality, find them here.
pub fn catalogue() -> &'static [ModelEntry] {
    &[
        ModelEntry {
            name: EquityTrendModel::NAME,
            summary: "Holds the strongest shares and funds above their slow mean until they fall below their exit mean.",
            with_defaults: |universe| boxed(EquityTrendModel::new(&EquityTrendParameters::new(universe))),
        },
        ModelEntry {
            name: IndexMeanReversionModel::NAME,
            summary: "Buys an index after a fast and deep fall on 4-hour bars and sells the recovery.",
            with_defaults: |universe| {
                boxed(IndexMeanReversionModel::new(&IndexMeanReversionParameters::new(
                    universe,
                )))
            },
        },
        ModelEntry {
            name: CryptoMomentumModel::NAME,
            summary: "Holds crypto assets that have risen over a short and a long time, rebalanced by the calendar.",
            with_defaults: |universe| {
                boxed(CryptoMomentumModel::new(&CryptoMomentumParameters::new(universe)))
            },
        },
    ]
}

/// A model that is asked where its calendar says.
fn scheduled<M: Model + 'static>(made: Result<M, ParameterErrors>, rebalance: Rebalance) -> MadeModel {
    if rebalance.is_each_bar() {
        return boxed(made);
    }
    boxed(made.map(|model| Scheduled::new(model, rebalance)))
}

fn boxed<M: Model + 'static>(made: Result<M, ParameterErrors>) -> MadeModel {
    made.map(|model| Box::new(model) as Box<dyn Model>)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};
    use sextant_domain::Binding;
    use sextant_testkit::FormulaFeatures;

    use super::*;
    use crate::test_market::sessions;

    fn universe() -> Vec<String> {
        vec!["SPY".to_owned()]
    }

    fn read(value: Value) -> Result<ModelsConfig, serde_json::Error> {
        serde_json::from_value(value)
    }

    fn schema() -> Value {
        serde_json::to_value(schemars::schema_for!(ModelsConfig)).unwrap()
    }

    #[test]
    fn a_universe_is_enough_and_defaults_are_those_of_the_mission() {
        let config = read(json!({
            "EquityTrendModel_v1": {"universe": ["SPY"]},
            "IndexMeanReversionModel_v1": {"universe": ["SPY"]},
            "CryptoMomentumModel_v1": {"universe": ["SPY"]},
        }))
        .unwrap();
        let resolved = serde_json::to_value(&config).unwrap();
        let expected = json!({
            "EquityTrendModel_v1": {
                "universe": ["SPY"], "slow_ma_period": 200, "momentum_lookback_days": 60, "exit_ma_period": 50,
                "max_positions": 2,
            },
            "IndexMeanReversionModel_v1": {
                "universe": ["SPY"], "rsi_period": 2, "oversold": 10.0, "overbought": 90.0, "bb_period": 20,
                "bb_width": 2.0,
            },
            "CryptoMomentumModel_v1": {
                "universe": ["SPY"], "short_lookback": 30, "long_lookback": 60, "rebalance_days": 7,
            },
        });
        assert_eq!(resolved, expected);
        assert_eq!(config.equity_trend, Some(EquityTrendParameters::new(universe())));
        assert_eq!(
            config.index_mean_reversion,
            Some(IndexMeanReversionParameters::new(universe()))
        );
        assert_eq!(
            config.crypto_momentum,
            Some(CryptoMomentumParameters::new(universe()))
        );
    }

    #[test]
    fn unknown_names_are_refused_with_those_allowed() {
        let message = read(json!({"EquityTrend": {"universe": ["SPY"]}}))
            .unwrap_err()
            .to_string();
        for entry in catalogue() {
            assert!(message.contains(entry.name), "{message}");
        }
        let message = read(json!({"EquityTrendModel_v1": {"universe": ["SPY"], "slow": 3}})).unwrap_err();
        assert!(message.to_string().contains("slow_ma_period"), "{message}");
        let message = read(json!({"EquityTrendModel_v1": {}})).unwrap_err().to_string();
        assert!(message.contains("universe"), "{message}");
    }

    #[test]
    fn the_catalogue_the_config_and_the_models_agree() {
        let config = ModelsConfig {
            equity_trend: Some(EquityTrendParameters::new(universe())),
            index_mean_reversion: Some(IndexMeanReversionParameters::new(universe())),
            crypto_momentum: Some(CryptoMomentumParameters::new(universe())),
        };
        let built: Vec<_> = config
            .build()
            .unwrap()
            .iter()
            .map(|model| model.id().to_owned())
            .collect();
        let names: Vec<_> = catalogue().iter().map(|entry| entry.name).collect();
        assert_eq!(built, names);
        let made: Vec<_> = catalogue()
            .iter()
            .map(|entry| (entry.with_defaults)(universe()).unwrap().id().to_owned())
            .collect();
        assert_eq!(made, names);
        let schema = schema();
        let keys: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(keys, names);
        assert_eq!(schema["additionalProperties"], json!(false));
    }

    #[test]
    fn an_instrument_that_is_not_there_is_refused_by_name() {
        let market = sessions(&[("SPY", vec![100.0; 3])]);
        for entry in catalogue() {
            let model = (entry.with_defaults)(vec!["SPY".to_owned(), "ZZZ".to_owned()]).unwrap();
            let mut features = FormulaFeatures::reference();
            let refused = Binding::resolve(model.id(), model.requirements(), &market, &mut features);
            let message = refused.unwrap_err().to_string();
            assert!(
                message.contains(entry.name) && message.contains("ZZZ"),
                "{message}"
            );
        }
    }

    #[test]
    fn only_named_models_are_made() {
        assert!(ModelsConfig::default().build().unwrap().is_empty());
        let config = read(json!({"CryptoMomentumModel_v1": {"universe": ["BTC-USD"]}})).unwrap();
        let ids: Vec<_> = config
            .build()
            .unwrap()
            .iter()
            .map(|model| model.id().to_owned())
            .collect();
        assert_eq!(ids, [CryptoMomentumModel::NAME]);
    }

    #[test]
    fn a_calendar_is_read_and_kept() {
        let text = json!({"CryptoMomentumModel_v1": {"universe": ["SPY"], "rebalance": {"weekly": {"on": "friday"}}}});
        let config = read(text).unwrap();
        let rebalance = config.crypto_momentum.as_ref().unwrap().rebalance;
        assert_eq!(
            rebalance,
            Rebalance::Weekly {
                on: crate::Weekday::Friday
            }
        );
        let resolved = serde_json::to_value(&config).unwrap();
        assert_eq!(
            resolved["CryptoMomentumModel_v1"]["rebalance"],
            json!({"weekly": {"on": "friday"}})
        );
        assert_eq!(config.build().unwrap()[0].id(), CryptoMomentumModel::NAME);
        let message = read(json!({"CryptoMomentumModel_v1": {"universe": ["SPY"], "rebalance": "yearly"}}))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("each_bar") && message.contains("monthly"),
            "{message}"
        );
    }

    #[test]
    fn errors_of_all_models_are_reported_together() {
        let config = read(json!({
            "EquityTrendModel_v1": {"universe": [], "max_positions": 0},
            "IndexMeanReversionModel_v1": {"universe": ["SPY"], "oversold": 95.0},
            "CryptoMomentumModel_v1": {"universe": ["SPY"], "short_lookback": 60},
        }))
        .unwrap();
        let message = config.build().err().unwrap().to_string();
        let lines: Vec<_> = message.lines().collect();
        assert_eq!(
            lines,
            [
                "EquityTrendModel_v1: universe is empty, but must be a list of at least one symbol",
                "EquityTrendModel_v1: max_positions is 0, but must be from 1 to 1000",
                "IndexMeanReversionModel_v1: oversold is 95, but must be below overbought, which is 90",
                "CryptoMomentumModel_v1: short_lookback is 60, but must be below long_lookback, which is 60",
            ]
        );
    }

    /// What the schema calls the least and the greatest value, the constructor takes, and what lies beyond it refuses.
    #[test]
    fn the_schema_and_the_constructor_have_the_same_ranges() {
        let schema = schema();
        let mut checked = 0;
        for (reference, definition) in schema["$defs"].as_object().unwrap() {
            // Choices have alternatives instead of properties.
            let Some(properties) = definition["properties"].as_object() else {
                continue;
            };
            let model = model_of(&schema, reference);
            for (field, property) in properties {
                let (Some(low), Some(high)) = (property["minimum"].as_f64(), property["maximum"].as_f64())
                else {
                    let has_no_range = ["universe", "rebalance"].contains(&field.as_str());
                    assert!(has_no_range, "{model}.{field} has no range in the schema");
                    continue;
                };
                for (value, allowed) in [(low, true), (high, true), (low - 1.0, false), (high + 1.0, false)] {
                    assert_eq!(
                        takes(&model, field, value, &property["type"]),
                        allowed,
                        "{model}.{field} = {value}"
                    );
                    checked += 1;
                }
            }
        }
        assert_eq!(checked, 4 * 12);
    }

    fn model_of(schema: &Value, definition: &str) -> String {
        let names = schema["properties"].as_object().unwrap();
        let wanted = format!("#/$defs/{definition}");
        let found = names
            .iter()
            .find(|(_, property)| property.to_string().contains(&wanted));
        found.unwrap().0.clone()
    }

    /// Whether a value of one field is taken. Complaints about its relation to another field do not count.
    fn takes(model: &str, field: &str, value: f64, kind: &Value) -> bool {
        let number = if kind == "integer" {
            json!(value as i64)
        } else {
            json!(value)
        };
        let parameters = Map::from_iter([
            ("universe".to_owned(), json!(["SPY"])),
            (field.to_owned(), number),
        ]);
        let Ok(config) = read(json!({model: parameters})) else {
            return false;
        };
        match config.build() {
            Ok(_) => true,
            Err(refused) => !refused
                .errors
                .iter()
                .any(|error| error.field == field && error.allowed.starts_with("from")),
        }
    }
}
