//! Properties of the aggregation over random budgets, regimes and targets.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sextant_domain::ports::{PortfolioConstructor, PortfolioContext};
use sextant_domain::{
    CryptoRegime, EquityRegime, InstrumentId, MacroRegime, ModelId, RegimeEstimate, TargetWeights, UtcNanos,
    VolatilityRegime,
};

use crate::{
    BudgetedPortfolio, MacroFactors, ModelBudget, RegimeBudgets, RegimeMultipliers, TrendFactors,
    VolatilityFactors,
};

#[derive(Debug, Clone)]
struct Case {
    names: Vec<String>,
    config: RegimeBudgets,
    instruments: usize,
    /// One row per model.
    targets: Vec<Vec<f64>>,
    regime: RegimeEstimate,
}

impl Case {
    /// The weights with the models in the given order.
    fn weights(&self, order: &[usize]) -> TargetWeights {
        let portfolio = self.bound(order);
        let targets: Vec<_> = order
            .iter()
            .flat_map(|&model| self.targets[model].clone())
            .collect();
        let context = PortfolioContext {
            as_of: UtcNanos::from_nanos(0),
            regime: self.regime,
            model_targets: &targets,
            instruments: self.instruments,
        };
        let mut out = TargetWeights::new(order.len(), self.instruments);
        portfolio.targets(&context, &mut out);
        out
    }

    fn bound(&self, order: &[usize]) -> BudgetedPortfolio {
        let mut portfolio = BudgetedPortfolio::new(self.config.clone()).unwrap();
        let names: Vec<_> = order.iter().map(|&model| self.names[model].as_str()).collect();
        portfolio.bind(&names).unwrap();
        portfolio
    }

    fn in_order(&self) -> Vec<usize> {
        (0..self.names.len()).collect()
    }
}

fn factor() -> impl Strategy<Value = f64> {
    prop_oneof![1 => Just(0.0), 2 => Just(1.0), 4 => 0.0..=1.0]
}

fn trend() -> impl Strategy<Value = Option<TrendFactors>> {
    proptest::option::of((factor(), factor(), factor(), factor()).prop_map(
        |(bull, neutral, bear, unknown)| TrendFactors {
            bull,
            neutral,
            bear,
            unknown,
        },
    ))
}

fn volatility() -> impl Strategy<Value = Option<VolatilityFactors>> {
    proptest::option::of(
        (factor(), factor(), factor(), factor()).prop_map(|(low, normal, high, unknown)| VolatilityFactors {
            low,
            normal,
            high,
            unknown,
        }),
    )
}

fn economy() -> impl Strategy<Value = Option<MacroFactors>> {
    let factors = (factor(), factor(), factor(), factor());
    proptest::option::of(
        factors.prop_map(|(expansion, slowdown, contraction, unknown)| MacroFactors {
            expansion,
            slowdown,
            contraction,
            unknown,
        }),
    )
}

fn multipliers() -> impl Strategy<Value = RegimeMultipliers> {
    (trend(), volatility(), trend(), economy()).prop_map(|(equity, volatility, crypto, macro_economy)| {
        RegimeMultipliers {
            equity,
            volatility,
            crypto,
            macro_economy,
        }
    })
}

fn regime() -> impl Strategy<Value = RegimeEstimate> {
    use proptest::sample::select;
    let labels = (
        select(EquityRegime::ALL),
        select(VolatilityRegime::ALL),
        select(CryptoRegime::ALL),
        select(MacroRegime::ALL),
    );
    labels.prop_map(|(equity, volatility, crypto, macro_economy)| RegimeEstimate {
        equity,
        volatility,
        crypto,
        macro_economy,
    })
}

/// A model's targets, whose magnitudes add up to at most 1.
fn targets(instruments: usize) -> impl Strategy<Value = Vec<f64>> {
    let wish = prop_oneof![1 => Just(f64::NAN), 1 => Just(0.0), 3 => -1.0..=1.0];
    proptest::collection::vec(wish, instruments).prop_map(|mut row| {
        let gross: f64 = row
            .iter()
            .filter(|wish| !wish.is_nan())
            .map(|wish| f64::abs(*wish))
            .sum();
        row.iter_mut().for_each(|wish| *wish /= gross.max(1.0));
        row
    })
}

fn case() -> impl Strategy<Value = Case> {
    (1usize..5, 1usize..6).prop_flat_map(|(models, instruments)| {
        let shares = proptest::collection::vec((0.0..=1.0f64, multipliers(), targets(instruments)), models);
        (shares, 0.0..=1.0f64, regime()).prop_map(move |(rows, invested, regime)| {
            let total: f64 = rows.iter().map(|row| row.0).sum::<f64>().max(1e-9);
            let names: Vec<_> = (0..rows.len()).map(|index| format!("Model{index}")).collect();
            let budgets = names.iter().zip(&rows).map(|(name, (share, multipliers, _))| {
                let budget = (share / total * invested).min(1.0);
                (
                    name.clone(),
                    ModelBudget {
                        budget,
                        multipliers: *multipliers,
                    },
                )
            });
            let config = RegimeBudgets {
                models: budgets.collect(),
                no_trade_band: 0.02,
            };
            Case {
                config,
                instruments,
                targets: rows.into_iter().map(|row| row.2).collect(),
                regime,
                names,
            }
        })
    })
}

fn ids(count: usize) -> impl Iterator<Item = (usize, InstrumentId)> {
    (0..count).map(|index| (index, InstrumentId::from_index(index)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn net_is_the_sum_of_the_contributions(case in case()) {
        let weights = case.weights(&case.in_order());
        for (index, id) in ids(case.instruments) {
            let parts = (0..case.names.len()).map(|model| weights.contribution(ModelId::from_index(model), id));
            prop_assert_eq!(weights.net()[index], parts.sum::<f64>());
        }
    }

    #[test]
    fn gross_exposure_stays_within_the_budgets(case in case()) {
        let weights = case.weights(&case.in_order());
        let gross: f64 = weights.net().iter().map(|weight| weight.abs()).sum();
        let budgets: f64 = case.config.models.values().map(|model| model.budget).sum();
        prop_assert!(gross <= budgets + 1e-9, "{gross} over {budgets}");
    }

    #[test]
    fn a_model_never_gets_more_than_its_budget_in_the_regime(case in case()) {
        let portfolio = case.bound(&case.in_order());
        let weights = case.weights(&case.in_order());
        for model in case.in_order() {
            let budget = portfolio.budget(ModelId::from_index(model), &case.regime);
            let gross: f64 =
                ids(case.instruments).map(|(_, id)| weights.contribution(ModelId::from_index(model), id).abs()).sum();
            prop_assert!(gross <= budget * (1.0 + 1e-12), "{gross} over {budget}");
        }
    }

    #[test]
    fn regimes_only_reduce(case in case()) {
        let portfolio = case.bound(&case.in_order());
        for (index, name) in case.names.iter().enumerate() {
            let budget = portfolio.budget(ModelId::from_index(index), &case.regime);
            prop_assert!((0.0..=case.config.models[name].budget).contains(&budget));
        }
    }

    #[test]
    fn permuting_models_permutes_contributions(
        (case, order) in case().prop_flat_map(|case| {
            let order = Just(case.in_order()).prop_shuffle();
            (Just(case), order)
        })
    ) {
        let straight = case.weights(&case.in_order());
        let permuted = case.weights(&order);
        for (index, id) in ids(case.instruments) {
            prop_assert_eq!(straight.is_managed(id), permuted.is_managed(id));
            prop_assert!((straight.net()[index] - permuted.net()[index]).abs() <= 1e-15);
            for (place, &model) in order.iter().enumerate() {
                prop_assert_eq!(
                    permuted.contribution(ModelId::from_index(place), id),
                    straight.contribution(ModelId::from_index(model), id)
                );
            }
        }
    }
}
