//! The whole chain looks at nothing later than its present: features, regimes, models, portfolio, risk and orders.

use sextant_backtest::{
    AccountModel, BacktestConfig, Costs, EndOfRun, FillConvention, ProportionalCosts, VenueConfig, run,
};
use sextant_domain::ports::{DailyMark, FeatureSource, ResultSink};
use sextant_domain::{
    Cash, FeatureError, FeatureId, FeatureSpec, MarketData, SeriesId, StepRecord, UtcNanos,
};
use sextant_engine::EngineParts;
use sextant_features::FeatureColumns;
use sextant_models::{
    CryptoMomentumModel, CryptoMomentumParameters, EquityTrendModel, EquityTrendParameters,
    IndexMeanReversionModel, IndexMeanReversionParameters,
};
use sextant_portfolio::BudgetedPortfolio;
use sextant_regime::{RegimeConfig, RuleRegimeDetector};
use sextant_risk::{KillFlag, RiskLimits, RiskRules};
use sextant_testkit::{Observed, assert_causal, check_causality, cut_points, standard_market};

/// Everything decided in each step, and the state it was decided in.
#[derive(Default)]
struct Witness(Vec<(UtcNanos, Observed)>);

impl ResultSink for Witness {
    fn record(&mut self, step: &StepRecord) {
        let decided = (&step.regime, &step.regime_inputs, &step.intents, &step.targets);
        let limited = (&step.interventions, &step.orders, &step.refused, step.status);
        self.0.push((step.time, Observed::debug(&decided)));
        self.0.push((step.time, Observed::debug(&limited)));
        self.0.push((
            step.time,
            Observed::debug(&(&step.fills, step.equity, &step.model_pnl)),
        ));
    }

    fn mark(&mut self, mark: &DailyMark<'_>) {
        self.0.push((mark.time, Observed::debug(mark)));
    }
}

/// The shipped models with short periods, so that a short market makes them trade.
fn parts() -> EngineParts {
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

fn witness(market: &MarketData, features: &mut dyn FeatureSource) -> Vec<(UtcNanos, Observed)> {
    let costs = ProportionalCosts {
        commission_bps: "2".parse().unwrap(),
        slippage_bps: "3".parse().unwrap(),
    };
    let start: UtcNanos = "2018-01-20".parse().unwrap();
    let days = (1..400).map(|day| start.saturating_add(day * 86_400_000_000_000));
    let config = BacktestConfig {
        initial_capital: Cash::new("100000".parse().unwrap()),
        start,
        end: UtcNanos::MAX,
        venue: VenueConfig::simple(FillConvention::NextOpen, Costs::uniform(costs).unwrap()),
        account: AccountModel::trades_only(),
        at_end: EndOfRun::MarkToMarket,
        daily_marks: days.collect(),
    };
    let mut seen = Witness::default();
    run(market, features, parts(), &config, &mut seen).unwrap();
    seen.0
}

/// The end of the data is the end of the run, whose last mark is no decision; it is left out of the comparison.
fn without_end(mut outputs: Vec<(UtcNanos, Observed)>) -> Vec<(UtcNanos, Observed)> {
    outputs.pop();
    outputs
}

#[test]
fn nothing_in_the_chain_looks_ahead() {
    let market = standard_market(120, 11);
    let whole = witness(&market, &mut FeatureColumns::new());
    let text = whole.iter().map(|(_, seen)| seen.to_string()).collect::<String>();
    assert!(
        text.contains("OrderId(30)"),
        "the chain must trade for the proof to mean anything"
    );
    assert_causal(&market, &cut_points(&market, 50, 5), |market| {
        without_end(witness(market, &mut FeatureColumns::new()))
    });
}

/// A feature source that shows every value one bar early.
#[derive(Default)]
struct OneBarEarly {
    inner: FeatureColumns,
    shifted: Vec<(FeatureId, Vec<f64>)>,
}

impl FeatureSource for OneBarEarly {
    fn prepare(
        &mut self,
        spec: &FeatureSpec,
        inputs: &[SeriesId],
        market: &MarketData,
    ) -> Result<FeatureId, FeatureError> {
        let id = self.inner.prepare(spec, inputs, market)?;
        let mut column = self.inner.column(id).to_vec();
        column.rotate_left(1);
        self.shifted.push((id, column));
        Ok(id)
    }

    fn column(&self, id: FeatureId) -> &[f64] {
        &self.shifted.iter().find(|(known, _)| *known == id).unwrap().1
    }
}

#[test]
fn a_leaking_feature_is_caught() {
    let market = standard_market(120, 11);
    let report = check_causality(&market, &cut_points(&market, 10, 5), |market| {
        without_end(witness(market, &mut OneBarEarly::default()))
    });
    assert!(!report.violations.is_empty());
}
