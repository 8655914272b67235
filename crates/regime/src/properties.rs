//! Properties that hold for every detector on any market.

use proptest::prelude::*;
use sextant_domain::MarketData;
use sextant_domain::ports::RegimeDetector;
use sextant_testkit::{
    FormulaFeatures, Observed, RegimeStep, Replay, assert_causal, cut_points, standard_market,
};

use crate::{
    CryptoRegimeConfig, EquityRegimeConfig, RealisedVolatilityInput, RegimeConfig, RuleRegimeDetector,
    VixInput, VixMeasure, VolatilityRegimeConfig, catalogue,
};

/// Short periods, so that a short market is long enough, and the rank of the VIX, so that its history is read.
fn quick() -> RegimeConfig {
    let measure = VixMeasure::Percentile {
        lookback_values: 10,
        low_below: 0.3,
        high_above: 0.7,
    };
    RegimeConfig {
        equity: Some(EquityRegimeConfig {
            fast_ma_period: 3,
            slow_ma_period: 8,
            drawdown_lookback_days: 10,
            bull_max_drawdown: 0.02,
            bear_min_drawdown: 0.03,
            ..EquityRegimeConfig::new("SPY")
        }),
        crypto: Some(CryptoRegimeConfig {
            fast_ma_period: 3,
            slow_ma_period: 8,
            drawdown_lookback_days: 10,
            ..CryptoRegimeConfig::new("BTC-USD")
        }),
        volatility: Some(VolatilityRegimeConfig {
            vix: Some(VixInput {
                measure,
                ..VixInput::default()
            }),
            realised: Some(RealisedVolatilityInput {
                period_days: 3,
                lookback_days: 8,
                ..RealisedVolatilityInput::new("SPY")
            }),
        }),
        ..RegimeConfig::with_defaults("SPY", "BTC-USD")
    }
}

fn steps(detector: &mut dyn RegimeDetector, market: &MarketData) -> Vec<RegimeStep> {
    Replay::new(market, &mut FormulaFeatures::reference()).regimes(detector)
}

fn assert_no_look_ahead(market: &MarketData, make: impl Fn() -> Box<dyn RegimeDetector>) {
    assert_causal(market, &cut_points(market, 50, 2), |market| {
        let told = steps(&mut *make(), market);
        told.into_iter()
            .map(|step| (step.time, Observed::debug(&(step.estimate, step.inputs))))
            .collect::<Vec<_>>()
    });
}

#[test]
fn no_detector_looks_ahead() {
    let market = standard_market(420, 9);
    for entry in catalogue() {
        assert_no_look_ahead(&market, || (entry.with_defaults)("SPY", "BTC-USD").unwrap());
    }
}

#[test]
fn the_rules_see_every_label_and_do_not_look_ahead() {
    let market = standard_market(120, 9);
    let make = || Box::new(RuleRegimeDetector::new(&quick()).unwrap()) as Box<dyn RegimeDetector>;
    assert_no_look_ahead(&market, make);
    let told = steps(&mut *make(), &market);
    let mut seen: Vec<_> = told.iter().map(|step| step.estimate.equity.name()).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, ["bear", "bull", "neutral", "unknown"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// A label does not depend on where the run began.
    #[test]
    fn a_label_has_no_memory(seed: u64, part in 0.0..1.0_f64) {
        let market = standard_market(60, seed);
        let whole = steps(&mut RuleRegimeDetector::new(&quick()).unwrap(), &market);
        let start = (part * whole.len() as f64) as usize;
        let mut features = FormulaFeatures::reference();
        let mut late = Replay::new(&market, &mut features).starting(whole[start].time);
        let told = late.regimes(&mut RuleRegimeDetector::new(&quick()).unwrap());
        prop_assert_eq!(&told[..], &whole[start..]);
    }
}
