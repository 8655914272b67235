//! The shipped models, regime and limits, with short periods.

use sextant_engine::EngineParts;
use sextant_models::{
    CryptoMomentumModel, CryptoMomentumParameters, EquityTrendModel, EquityTrendParameters,
    IndexMeanReversionModel, IndexMeanReversionParameters,
};
use sextant_portfolio::BudgetedPortfolio;
use sextant_regime::{RegimeConfig, RuleRegimeDetector};
use sextant_risk::{KillFlag, RiskLimits, RiskRules};

/// The shipped models with short periods, so that a short market makes them trade.
pub(crate) fn parts() -> EngineParts {
    let names = |symbols: &[&str]| {
        symbols
            .iter()
            .map(|symbol| (*symbol).to_owned())
            .collect::<Vec<_>>()
    };
    let trend = EquityTrendParameters {
        slow_ma_period: 20,
        momentum_lookback_days: 8,
        exit_ma_period: 8,
        ..EquityTrendParameters::new(names(&["SPY", "QQQ"]))
    };
    let reversion = IndexMeanReversionParameters {
        oversold: 30.0,
        overbought: 70.0,
        bb_width: 0.5,
        ..IndexMeanReversionParameters::new(names(&["SPY", "QQQ"]))
    };
    let crypto = CryptoMomentumParameters {
        short_lookback: 5,
        long_lookback: 10,
        rebalance_days: 3,
        ..CryptoMomentumParameters::new(names(&["BTC-USD", "ETH-USD"]))
    };
    let models: Vec<Box<dyn sextant_domain::ports::Model>> = vec![
        Box::new(EquityTrendModel::new(&trend).unwrap()),
        Box::new(IndexMeanReversionModel::new(&reversion).unwrap()),
        Box::new(CryptoMomentumModel::new(&crypto).unwrap()),
    ];
    let ids: Vec<String> = models.iter().map(|model| model.id().to_owned()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut regime = RegimeConfig::with_defaults("SPY", "BTC-USD");
    if let Some(equity) = &mut regime.equity {
        (
            equity.fast_ma_period,
            equity.slow_ma_period,
            equity.drawdown_lookback_days,
        ) = (5, 20, 20);
    }
    EngineParts {
        models,
        regime: Some(Box::new(RuleRegimeDetector::new(&regime).unwrap())),
        portfolio: Box::new(BudgetedPortfolio::equal(&ids, 0.01).unwrap()),
        risk: Box::new(RiskRules::new(RiskLimits::mission_defaults(), KillFlag::new()).unwrap()),
    }
}
