//! Budgets at work: from the models' targets to portfolio weights.

use std::collections::BTreeMap;

use sextant_domain::ports::{ModelError, PortfolioConstructor, PortfolioContext};
use sextant_domain::{
    CryptoRegime, EquityRegime, InstrumentId, MacroRegime, ModelId, RegimeEstimate, TargetWeights,
    VolatilityRegime,
};

use crate::{BudgetError, ModelBudget, RegimeBudgets, RegimeMultipliers};

/// Adds up the models' targets, each times the model's budget in the present regime.
///
/// Assumptions: targets are fractions of the model's own budget; a model that has given no target for an instrument
/// does not govern it; a budget that a regime has taken to zero keeps governing, so that the positions are closed.
#[derive(Debug, Clone)]
pub struct BudgetedPortfolio {
    config: RegimeBudgets,
    /// One row per model id; empty until the models are known.
    rows: Vec<BudgetRow>,
}

impl BudgetedPortfolio {
    /// Checks the budgets.
    ///
    /// # Errors
    /// [`BudgetError`] when a number is out of range or the base budgets add up to more than 1.
    pub fn new(config: RegimeBudgets) -> Result<Self, BudgetError> {
        config.validate()?;
        Ok(Self {
            config,
            rows: Vec::new(),
        })
    }

    /// One model with the same `budget` (fraction of portfolio equity) in every regime.
    ///
    /// # Errors
    /// [`BudgetError::Range`] when `budget` or `no_trade_band` is not from 0 to 1.
    pub fn single(model: &str, budget: f64, no_trade_band: f64) -> Result<Self, BudgetError> {
        Self::constant(&[model], budget, no_trade_band)
    }

    /// All equity in equal parts, the same in every regime.
    ///
    /// # Errors
    /// [`BudgetError::NoModels`] or [`BudgetError::Duplicate`] when `models` is empty or names one twice;
    /// [`BudgetError::Range`] when `no_trade_band` is not from 0 to 1.
    pub fn equal(models: &[&str], no_trade_band: f64) -> Result<Self, BudgetError> {
        if models.is_empty() {
            return Err(BudgetError::NoModels);
        }
        Self::constant(models, 1.0 / models.len() as f64, no_trade_band)
    }

    fn constant(models: &[&str], budget: f64, no_trade_band: f64) -> Result<Self, BudgetError> {
        let mut table = BTreeMap::new();
        for model in models {
            let entry = ModelBudget {
                budget,
                multipliers: RegimeMultipliers::default(),
            };
            if table.insert((*model).to_owned(), entry).is_some() {
                return Err(BudgetError::Duplicate {
                    model: (*model).to_owned(),
                });
            }
        }
        Self::new(RegimeBudgets {
            models: table,
            no_trade_band,
        })
    }

    /// The budgets as configured.
    pub fn config(&self) -> &RegimeBudgets {
        &self.config
    }
}

impl PortfolioConstructor for BudgetedPortfolio {
    fn bind(&mut self, models: &[&str]) -> Result<(), ModelError> {
        check_names(models, &self.config.models).map_err(|message| ModelError { message })?;
        self.rows = models
            .iter()
            .map(|model| BudgetRow::new(&self.config.models[*model]))
            .collect();
        Ok(())
    }

    /// # Panics
    /// When the model is not one of those bound.
    #[inline]
    fn budget(&self, model: ModelId, regime: &RegimeEstimate) -> f64 {
        self.rows[model.index()].in_regime(regime)
    }

    /// # Panics
    /// When the targets are not one row of `instruments` values per bound model.
    fn targets(&self, context: &PortfolioContext<'_>, out: &mut TargetWeights) {
        let expected = self.rows.len() * context.instruments;
        assert_eq!(
            context.model_targets.len(),
            expected,
            "one target per bound model and instrument"
        );
        if expected == 0 {
            return;
        }
        let targets = context.model_targets.chunks_exact(context.instruments);
        for (index, (row, targets)) in self.rows.iter().zip(targets).enumerate() {
            let model = ModelId::from_index(index);
            let budget = row.in_regime(&context.regime);
            for (instrument, target) in targets.iter().enumerate() {
                if !target.is_nan() {
                    out.add_target(model, InstrumentId::from_index(instrument), budget * target);
                }
            }
        }
    }

    fn no_trade_band(&self) -> f64 {
        self.config.no_trade_band
    }
}

/// A model's budget with its factors in arrays, indexed by label.
#[derive(Debug, Clone)]
struct BudgetRow {
    budget: f64,
    equity: [f64; EquityRegime::ALL.len()],
    volatility: [f64; VolatilityRegime::ALL.len()],
    crypto: [f64; CryptoRegime::ALL.len()],
    macro_economy: [f64; MacroRegime::ALL.len()],
}

impl BudgetRow {
    fn new(model: &ModelBudget) -> Self {
        let by = &model.multipliers;
        Self {
            budget: model.budget,
            equity: table(|index| by.equity.map(|factors| factors.equity(EquityRegime::ALL[index]))),
            volatility: table(|index| {
                by.volatility
                    .map(|factors| factors.factor(VolatilityRegime::ALL[index]))
            }),
            crypto: table(|index| by.crypto.map(|factors| factors.crypto(CryptoRegime::ALL[index]))),
            macro_economy: table(|index| {
                by.macro_economy
                    .map(|factors| factors.factor(MacroRegime::ALL[index]))
            }),
        }
    }

    /// A factor of at most 1 never rounds a product up, so the result is at most the base budget to the last bit.
    #[inline]
    fn in_regime(&self, regime: &RegimeEstimate) -> f64 {
        self.budget
            * self.equity[regime.equity as usize]
            * self.volatility[regime.volatility as usize]
            * self.crypto[regime.crypto as usize]
            * self.macro_economy[regime.macro_economy as usize]
    }
}

/// `ALL` lists the labels in the order of their declaration, so a label's number is its index there.
fn table<const N: usize>(factor: impl Fn(usize) -> Option<f64>) -> [f64; N] {
    std::array::from_fn(|index| factor(index).unwrap_or(1.0))
}

fn check_names(models: &[&str], budgets: &BTreeMap<String, ModelBudget>) -> Result<(), String> {
    if let Some(index) = (1..models.len()).find(|&index| models[..index].contains(&models[index])) {
        return Err(format!(
            "the model {} is in the run twice; every model may run once",
            models[index]
        ));
    }
    let unfunded: Vec<_> = models
        .iter()
        .copied()
        .filter(|model| !budgets.contains_key(*model))
        .collect();
    let unused: Vec<_> = budgets
        .keys()
        .map(String::as_str)
        .filter(|name| !models.contains(name))
        .collect();
    if unfunded.is_empty() && unused.is_empty() {
        return Ok(());
    }
    let mut problems = Vec::new();
    if !unfunded.is_empty() {
        problems.push(format!("no budget for the model(s) {}", unfunded.join(", ")));
    }
    if !unused.is_empty() {
        problems.push(format!("no model for the budget(s) {}", unused.join(", ")));
    }
    let funded: Vec<_> = budgets.keys().map(String::as_str).collect();
    Err(format!(
        "budgets do not fit the run: {}; the run has the models {}, and budgets are given for {}; \
         give each model of the run one budget and remove the others",
        problems.join("; "),
        list(models),
        list(&funded),
    ))
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        "(none)".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sextant_domain::UtcNanos;

    use super::*;
    use crate::{MacroFactors, TrendFactors, VolatilityFactors};

    fn two_models() -> BudgetedPortfolio {
        let multipliers = RegimeMultipliers {
            equity: Some(TrendFactors {
                bull: 1.0,
                neutral: 0.75,
                bear: 0.25,
                unknown: 0.5,
            }),
            volatility: Some(VolatilityFactors {
                low: 0.875,
                normal: 1.0,
                high: 0.5,
                unknown: 0.25,
            }),
            crypto: Some(TrendFactors {
                bull: 0.875,
                neutral: 0.625,
                bear: 0.375,
                unknown: 0.125,
            }),
            macro_economy: Some(MacroFactors {
                expansion: 1.0,
                slowdown: 0.75,
                contraction: 0.0,
                unknown: 0.5,
            }),
        };
        let models = BTreeMap::from([
            (
                "A".to_owned(),
                ModelBudget {
                    budget: 0.5,
                    multipliers,
                },
            ),
            (
                "B".to_owned(),
                ModelBudget {
                    budget: 0.25,
                    multipliers: RegimeMultipliers::default(),
                },
            ),
        ]);
        BudgetedPortfolio::new(RegimeBudgets {
            models,
            no_trade_band: 0.02,
        })
        .unwrap()
    }

    fn context(model_targets: &[f64], instruments: usize, regime: RegimeEstimate) -> PortfolioContext<'_> {
        PortfolioContext {
            as_of: UtcNanos::from_nanos(0),
            regime,
            model_targets,
            instruments,
        }
    }

    #[test]
    fn every_label_finds_its_factor() {
        let mut portfolio = two_models();
        portfolio.bind(&["A", "B"]).unwrap();
        let budget = |regime: RegimeEstimate| portfolio.budget(ModelId::from_index(0), &regime);
        let base = RegimeEstimate {
            equity: EquityRegime::Bull,
            volatility: VolatilityRegime::Normal,
            crypto: CryptoRegime::Bull,
            macro_economy: MacroRegime::Expansion,
        };
        for (label, factor) in EquityRegime::ALL.iter().zip([1.0, 0.75, 0.25, 0.5]) {
            assert_eq!(
                budget(RegimeEstimate {
                    equity: *label,
                    ..base
                }),
                0.5 * 0.875 * factor,
                "{label}"
            );
        }
        for (label, factor) in VolatilityRegime::ALL.iter().zip([0.875, 1.0, 0.5, 0.25]) {
            assert_eq!(
                budget(RegimeEstimate {
                    volatility: *label,
                    ..base
                }),
                0.5 * 0.875 * factor,
                "{label}"
            );
        }
        for (label, factor) in CryptoRegime::ALL.iter().zip([0.875, 0.625, 0.375, 0.125]) {
            assert_eq!(
                budget(RegimeEstimate {
                    crypto: *label,
                    ..base
                }),
                0.5 * factor,
                "{label}"
            );
        }
        for (label, factor) in MacroRegime::ALL.iter().zip([1.0, 0.75, 0.0, 0.5]) {
            assert_eq!(
                budget(RegimeEstimate {
                    macro_economy: *label,
                    ..base
                }),
                0.5 * 0.875 * factor,
                "{label}"
            );
        }
        assert_eq!(
            portfolio.budget(ModelId::from_index(1), &RegimeEstimate::default()),
            0.25
        );
        assert_eq!(portfolio.no_trade_band(), 0.02);
    }

    #[test]
    fn targets_are_budget_times_wish_and_nan_is_no_wish() {
        let mut portfolio = two_models();
        portfolio.bind(&["B", "A"]).unwrap();
        let regime = RegimeEstimate {
            equity: EquityRegime::Bear,
            volatility: VolatilityRegime::Normal,
            crypto: CryptoRegime::Bull,
            macro_economy: MacroRegime::Expansion,
        };
        let wishes = [1.0, -0.5, f64::NAN, 0.0, 1.0, f64::NAN, f64::NAN, 0.0];
        let mut out = TargetWeights::new(2, 4);
        portfolio.targets(&context(&wishes, 4, regime), &mut out);
        let budget_a = 0.5 * 0.25 * 0.875;
        assert_eq!(out.net(), [0.25 + budget_a, -0.125, 0.0, 0.0]);
        let id = InstrumentId::from_index;
        assert_eq!(
            (0..4).map(|index| out.is_managed(id(index))).collect::<Vec<_>>(),
            [true, true, false, true]
        );
        assert_eq!(out.contribution(ModelId::from_index(1), id(0)), budget_a);
        assert_eq!(out.contribution(ModelId::from_index(1), id(1)), 0.0);
    }

    #[test]
    fn a_budget_taken_to_zero_closes_instead_of_letting_go() {
        let mut portfolio = two_models();
        portfolio.bind(&["A", "B"]).unwrap();
        let regime = RegimeEstimate {
            macro_economy: MacroRegime::Contraction,
            ..RegimeEstimate::default()
        };
        let mut out = TargetWeights::new(2, 1);
        portfolio.targets(&context(&[1.0, f64::NAN], 1, regime), &mut out);
        assert_eq!(out.net(), [0.0]);
        assert!(out.is_managed(InstrumentId::from_index(0)));
    }

    #[test]
    fn names_must_match_both_ways() {
        let message = |models: &[&str]| two_models().bind(models).unwrap_err().message;
        let missing = message(&["A", "B", "C"]);
        assert!(missing.contains("no budget for the model(s) C;"), "{missing}");
        assert!(
            missing.contains("the run has the models A, B, C, and budgets are given for A, B;"),
            "{missing}"
        );
        let surplus = message(&["B"]);
        assert!(surplus.contains("no model for the budget(s) A;"), "{surplus}");
        let both = message(&["A", "C"]);
        assert!(
            both.contains("model(s) C; no model for the budget(s) B;"),
            "{both}"
        );
        assert!(message(&[]).contains("the run has the models (none)"));
        assert!(message(&["A", "B", "A"]).contains("the model A is in the run twice"));
    }

    #[test]
    fn helpers_make_constant_budgets() {
        let mut single = BudgetedPortfolio::single("A", 1.0, 0.0).unwrap();
        single.bind(&["A"]).unwrap();
        assert_eq!(
            single.budget(ModelId::from_index(0), &RegimeEstimate::default()),
            1.0
        );
        let mut equal = BudgetedPortfolio::equal(&["A", "B", "C"], 0.01).unwrap();
        equal.bind(&["C", "A", "B"]).unwrap();
        assert_eq!(
            equal.budget(ModelId::from_index(2), &RegimeEstimate::default()),
            1.0 / 3.0
        );
        let error = |made: Result<BudgetedPortfolio, BudgetError>| made.unwrap_err();
        assert_eq!(error(BudgetedPortfolio::equal(&[], 0.0)), BudgetError::NoModels);
        let twice = error(BudgetedPortfolio::equal(&["A", "A"], 0.0));
        assert_eq!(twice, BudgetError::Duplicate { model: "A".into() });
        let over = error(BudgetedPortfolio::single("A", 1.01, 0.0)).to_string();
        assert!(over.contains("models.A.budget is 1.01"), "{over}");
    }

    #[test]
    fn nothing_to_do_is_fine() {
        let mut portfolio = BudgetedPortfolio::single("A", 1.0, 0.0).unwrap();
        portfolio.bind(&["A"]).unwrap();
        let mut out = TargetWeights::new(1, 0);
        portfolio.targets(&context(&[], 0, RegimeEstimate::default()), &mut out);
        assert_eq!(out.net(), [0.0; 0]);
    }

    #[test]
    #[should_panic(expected = "one target per bound model and instrument")]
    fn targets_of_another_shape_are_a_programmer_error() {
        let portfolio = BudgetedPortfolio::single("A", 1.0, 0.0).unwrap();
        portfolio.targets(
            &context(&[1.0], 1, RegimeEstimate::default()),
            &mut TargetWeights::new(1, 1),
        );
    }
}
