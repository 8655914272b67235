//! Properties that hold for every model on any market.

use proptest::prelude::*;
use sextant_domain::MarketData;
use sextant_domain::ports::Model;
use sextant_testkit::{
    Decision, FormulaFeatures, Observed, Replay, assert_causal, cut_points, standard_market,
};

use crate::{
    CryptoMomentumParameters, EquityTrendParameters, IndexMeanReversionParameters, ModelsConfig, catalogue,
};

const UNIVERSE: [&str; 4] = ["SPY", "QQQ", "BTC-USD", "ETH-USD"];

fn universe() -> Vec<String> {
    UNIVERSE.map(str::to_owned).to_vec()
}

/// Every model with short periods, so that a short market is long enough.
fn quick_models() -> Vec<Box<dyn Model>> {
    let config = ModelsConfig {
        equity_trend: Some(EquityTrendParameters {
            slow_ma_period: 12,
            momentum_lookback_days: 5,
            exit_ma_period: 6,
            ..EquityTrendParameters::new(universe())
        }),
        index_mean_reversion: Some(IndexMeanReversionParameters {
            oversold: 30.0,
            bb_width: 1.0,
            ..IndexMeanReversionParameters::new(universe())
        }),
        crypto_momentum: Some(CryptoMomentumParameters {
            short_lookback: 3,
            long_lookback: 6,
            ..CryptoMomentumParameters::new(universe())
        }),
    };
    config.build().unwrap()
}

fn decisions(model: &mut dyn Model, market: &MarketData) -> Vec<Decision> {
    Replay::new(market, &mut FormulaFeatures::reference()).decisions(model)
}

#[test]
fn no_model_looks_ahead() {
    let market = standard_market(90, 11);
    let points = cut_points(&market, 50, 12);
    for (position, entry) in catalogue().iter().enumerate() {
        let told = decisions(&mut *quick_models()[position], &market);
        assert!(
            told.len() > 5,
            "{} says too little ({}) to prove anything",
            entry.name,
            told.len()
        );
        assert_causal(&market, &points, |market| {
            let told = decisions(&mut *quick_models()[position], market);
            told.into_iter()
                .map(|one| (one.time, Observed::debug(&one.targets)))
                .collect::<Vec<_>>()
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Standing targets are finite, never negative, and never use more than the budget.
    #[test]
    fn standing_targets_fit_the_budget(seed: u64) {
        let market = standard_market(60, seed);
        for mut model in quick_models() {
            let mut book = [0.0; UNIVERSE.len()];
            for decision in decisions(&mut *model, &market) {
                for (symbol, weight) in decision.targets {
                    prop_assert!((0.0..=1.0).contains(&weight), "{}: {symbol} {weight}", model.id());
                    book[UNIVERSE.iter().position(|one| *one == symbol).unwrap()] = weight;
                }
                prop_assert!(book.iter().sum::<f64>() <= 1.0 + 1e-12, "{}: {book:?}", model.id());
            }
        }
    }

    /// The trend model never has more positions than places, and never gives the same book twice in a row.
    #[test]
    fn the_trend_model_keeps_its_places(seed: u64) {
        let market = standard_market(60, seed);
        let mut model = quick_models().remove(0);
        let mut books = Vec::new();
        let mut book = [0.0; UNIVERSE.len()];
        for decision in decisions(&mut *model, &market) {
            for (symbol, weight) in decision.targets {
                book[UNIVERSE.iter().position(|one| *one == symbol).unwrap()] = weight;
            }
            prop_assert!(book.iter().filter(|weight| **weight > 0.0).count() <= 2, "{book:?}");
            prop_assert!(books.last() != Some(&book), "{book:?} twice");
            books.push(book);
        }
    }

    /// A model is a function of the market: the same market gives the same decisions.
    #[test]
    fn decisions_repeat(seed: u64) {
        let market = standard_market(40, seed);
        for (mut one, mut other) in quick_models().into_iter().zip(quick_models()) {
            prop_assert_eq!(decisions(&mut *one, &market), decisions(&mut *other, &market));
        }
    }
}
