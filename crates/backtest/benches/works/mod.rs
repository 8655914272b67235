//! What the benches of both engines have in common: a market, its costs and period, and every risk rule.

pub(crate) mod memory;

use sextant_backtest::{
    AccountModel, BacktestConfig, Costs, EndOfRun, FillConvention, ProportionalCosts, VenueConfig,
};
use sextant_domain::ports::Model;
use sextant_domain::{Cash, MarketData, Timeframe, UtcNanos};
use sextant_engine::EngineParts;
use sextant_portfolio::BudgetedPortfolio;
use sextant_risk::{AfterHalt, ClassCaps, DrawdownLimits, KillFlag, RiskLimits, RiskRules};
use sextant_testkit::{MarketBuilder, bars};

/// One instrument that trades round the clock.
pub(crate) fn one_instrument(timeframe: Timeframe, count: usize) -> MarketData {
    let start = "2015-01-01".parse().expect("a date");
    let spans = bars::round_the_clock(start, timeframe, count);
    // Steps small enough that prices stay plausible over a million minutes.
    let walk = bars::Walk {
        start_price: 100.0,
        step: 0.0005,
        seed: 1,
    };
    MarketBuilder::new()
        .equity("ACME", timeframe)
        .bars("ACME", timeframe, bars::random_walk(&spans, walk))
        .build()
}

/// All bars of the market at 5 bp a side, filled at the next open, marked at each midnight.
pub(crate) fn config(market: &MarketData) -> BacktestConfig {
    let view = market.series()[0].bars.view();
    let (first, last) = (view.close_time[0], view.close_time[view.len() - 1]);
    let midnights = (first.day_number() + 1..=last.day_number()).map(|day| day * 86_400_000_000_000);
    let costs = ProportionalCosts {
        commission_bps: "5".parse().expect("a decimal"),
        slippage_bps: "0".parse().expect("a decimal"),
    };
    BacktestConfig {
        initial_capital: Cash::new("1000000000".parse().expect("a decimal")),
        start: first,
        end: last,
        venue: VenueConfig::simple(
            FillConvention::NextOpen,
            Costs::uniform(costs).expect("5 bp is allowed"),
        ),
        account: AccountModel::trades_only(),
        at_end: EndOfRun::MarkToMarket,
        daily_marks: midnights.map(UtcNanos::from_nanos).collect(),
    }
}

/// A model with the whole account, under every rule.
pub(crate) fn parts(model: Box<dyn Model>) -> EngineParts {
    let portfolio = BudgetedPortfolio::single(model.id(), 1.0, 0.0).expect("a budget of 1");
    EngineParts {
        models: vec![model],
        regime: None,
        portfolio: Box::new(portfolio),
        risk: Box::new(RiskRules::new(all_rules(), KillFlag::new()).expect("valid limits")),
    }
}

/// Every rule is on and looked at in every step; thousands of round trips at 5 bp a side lose nearly everything, so the
/// drawdown rule must not end the work early.
fn all_rules() -> RiskLimits {
    let drawdown = DrawdownLimits {
        trigger: 0.999_999,
        reduced_exposure: 0.99,
        recover_at: 0.5,
        halt: 1.0,
        after_halt: AfterHalt::StayHalted,
    };
    RiskLimits {
        per_asset_cap: 1.0,
        class_caps: ClassCaps {
            equity: Some(1.1),
            ..ClassCaps::default()
        },
        drawdown: Some(drawdown),
        ..RiskLimits::mission_defaults()
    }
}
