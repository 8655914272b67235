//! The shipped models with regime, budgets by regime and the platform's own limits.

use sextant_backtest::{
    AccountModel, BacktestConfig, Costs, EndOfRun, FillConvention, ProportionalCosts, VenueConfig,
};
use sextant_domain::{AssetClass, Cash, MarketData, UtcNanos};
use sextant_engine::EngineParts;
use sextant_models::{
    CryptoMomentumParameters, EquityTrendParameters, IndexMeanReversionParameters, ModelsConfig,
};
use sextant_portfolio::{BudgetedPortfolio, ModelBudget, RegimeBudgets, RegimeMultipliers, TrendFactors};
use sextant_regime::{RegimeConfig, RuleRegimeDetector};
use sextant_risk::{AfterHalt, DrawdownLimits, KillFlag, RiskLimits, RiskRules};
use sextant_testkit::standard_market;

use super::{Seen, compare};

fn names(symbols: &[&str]) -> Vec<String> {
    symbols.iter().map(|symbol| (*symbol).to_owned()).collect()
}

/// Every shipped model, with short periods so that a short market makes them trade.
fn models() -> ModelsConfig {
    ModelsConfig {
        equity_trend: Some(EquityTrendParameters {
            slow_ma_period: 20,
            momentum_lookback_days: 8,
            exit_ma_period: 8,
            ..EquityTrendParameters::new(names(&["SPY", "QQQ"]))
        }),
        index_mean_reversion: Some(IndexMeanReversionParameters {
            oversold: 30.0,
            overbought: 70.0,
            bb_width: 0.5,
            ..IndexMeanReversionParameters::new(names(&["SPY", "QQQ", "BTC-USD"]))
        }),
        crypto_momentum: Some(CryptoMomentumParameters {
            short_lookback: 5,
            long_lookback: 10,
            rebalance_days: 3,
            ..CryptoMomentumParameters::new(names(&["BTC-USD", "ETH-USD"]))
        }),
    }
}

fn regime() -> RuleRegimeDetector {
    let mut config = RegimeConfig::with_defaults("SPY", "BTC-USD");
    if let Some(equity) = &mut config.equity {
        equity.fast_ma_period = 5;
        equity.slow_ma_period = 20;
        equity.drawdown_lookback_days = 20;
    }
    RuleRegimeDetector::new(&config).unwrap()
}

/// Budgets that regimes cut.
fn budgets() -> BudgetedPortfolio {
    let trend = TrendFactors {
        bull: 1.0,
        neutral: 0.7,
        bear: 0.3,
        unknown: 0.5,
    };
    let budget = |budget| ModelBudget {
        budget,
        multipliers: RegimeMultipliers {
            equity: Some(trend),
            ..RegimeMultipliers::default()
        },
    };
    let all = models().build().unwrap();
    let shares = all.iter().zip([0.5, 0.3, 0.2]);
    BudgetedPortfolio::new(RegimeBudgets {
        models: shares
            .map(|(model, share)| (model.id().to_owned(), budget(share)))
            .collect(),
        no_trade_band: 0.02,
    })
    .unwrap()
}

/// Stages close enough that a short market reaches them, and a way back.
fn tight_limits() -> RiskLimits {
    RiskLimits {
        per_asset_cap: 0.25,
        gross_leverage: 0.8,
        drawdown: Some(DrawdownLimits {
            trigger: 0.01,
            reduced_exposure: 0.5,
            recover_at: 0.005,
            halt: 0.03,
            after_halt: AfterHalt::ResumeAfterDays { days: 5 },
        }),
        ..RiskLimits::mission_defaults()
    }
}

fn parts(limits: RiskLimits) -> EngineParts {
    EngineParts {
        models: models().build().unwrap(),
        regime: Some(Box::new(regime())),
        portfolio: Box::new(budgets()),
        risk: Box::new(RiskRules::new(limits, KillFlag::new()).unwrap()),
    }
}

fn config(fills: FillConvention, at_end: EndOfRun, latency_bars: usize) -> BacktestConfig {
    let start: UtcNanos = "2018-01-20".parse().unwrap();
    let days = (1..500).map(|day| start.saturating_add(day * 86_400_000_000_000));
    let costs = Costs::new(|class| ProportionalCosts {
        commission_bps: if class == AssetClass::Crypto { "10" } else { "1" }
            .parse()
            .unwrap(),
        slippage_bps: "3".parse().unwrap(),
    });
    BacktestConfig {
        initial_capital: Cash::new("100000".parse().unwrap()),
        start,
        end: UtcNanos::MAX,
        venue: VenueConfig {
            latency_bars,
            ..VenueConfig::simple(fills, costs.unwrap())
        },
        account: AccountModel::trades_only(),
        at_end,
        daily_marks: days.collect(),
    }
}

fn check(market: &MarketData, limits: &RiskLimits, config: &BacktestConfig) -> Seen {
    compare(market, || parts(limits.clone()), config).unwrap_or_else(|difference| panic!("{difference}"))
}

#[test]
fn shipped_models_give_the_same_run_in_both_engines() {
    for seed in [1, 2, 3] {
        let market = standard_market(300, seed);
        for fills in FillConvention::ALL {
            let config = config(fills, EndOfRun::MarkToMarket, 0);
            let seen = check(&market, &RiskLimits::mission_defaults(), &config);
            assert!(seen.orders > 100, "{seen:?} says too little");
            let seen = check(&market, &tight_limits(), &config);
            assert!(seen.statuses > 3 && seen.interventions > 50, "{seen:?}");
        }
    }
}

#[test]
fn ends_and_latency_are_the_same_in_both_engines() {
    let market = standard_market(200, 4);
    for fills in FillConvention::ALL {
        for (at_end, latency) in [
            (EndOfRun::CloseAtLastClose, 0),
            (EndOfRun::CloseAtLastOpen, 0),
            (EndOfRun::MarkToMarket, 2),
            (EndOfRun::CloseAtLastClose, 1),
        ] {
            let seen = check(&market, &tight_limits(), &config(fills, at_end, latency));
            assert!(seen.orders > 50, "{seen:?} says too little");
        }
    }
}

#[test]
fn a_kill_switch_that_is_on_closes_the_books_of_both_engines() {
    let market = standard_market(60, 5);
    let mut limits = RiskLimits::mission_defaults();
    limits.kill_switch.engaged = true;
    let seen = check(
        &market,
        &limits,
        &config(FillConvention::NextOpen, EndOfRun::MarkToMarket, 0),
    );
    assert!(seen.interventions > 0 && seen.orders == 0, "{seen:?}");
}
