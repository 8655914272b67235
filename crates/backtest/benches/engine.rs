//! Speed of the event engine: `cargo xtask bench`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sextant_backtest::{
    AccountModel, BacktestConfig, Costs, EndOfRun, FillConvention, NullSink, ProportionalCosts, VenueConfig,
    run,
};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    Cash, FeatureRef, InstrumentRef, Intents, MarketData, MarketView, Requirements, Timeframe,
};
use sextant_engine::EngineParts;
use sextant_features::FeatureColumns;
use sextant_portfolio::BudgetedPortfolio;
use sextant_risk::{AfterHalt, ClassCaps, DrawdownLimits, KillFlag, RiskLimits, RiskRules};
use sextant_testkit::{MarketBuilder, bars};

/// Long while SMA(20) is above SMA(60), flat otherwise.
struct SmaCross {
    needs: Requirements,
    instrument: InstrumentRef,
    averages: Option<(FeatureRef, FeatureRef)>,
    invested: bool,
}

impl SmaCross {
    fn new(timeframe: Timeframe) -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade("ACME");
        let series = needs.series("ACME", timeframe);
        let fast = needs.feature("sma", &[("period", 20.0)], series);
        let slow = needs.feature("sma", &[("period", 60.0)], series);
        Self {
            needs,
            instrument,
            averages: Some((fast, slow)),
            invested: false,
        }
    }

    /// The same without an opinion.
    fn idle() -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade("ACME");
        Self {
            needs,
            instrument,
            averages: None,
            invested: false,
        }
    }
}

impl Model for SmaCross {
    fn id(&self) -> &str {
        "SmaCross"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let Some((fast, slow)) = self.averages else {
            return Ok(());
        };
        let (Some(fast), Some(slow)) = (view.feature(fast), view.feature(slow)) else {
            return Ok(());
        };
        if (fast > slow) != self.invested {
            self.invested = fast > slow;
            out.target(self.instrument, if self.invested { 1.0 } else { 0.0 });
        }
        Ok(())
    }
}

fn minute_market(count: usize) -> MarketData {
    let start = "2015-01-01".parse().expect("a date");
    let spans = bars::round_the_clock(start, Timeframe::M1, count);
    // Steps small enough that prices stay plausible over a million minutes.
    let walk = bars::random_walk(
        &spans,
        bars::Walk {
            start_price: 100.0,
            step: 0.0005,
            seed: 1,
        },
    );
    MarketBuilder::new()
        .equity("ACME", Timeframe::M1)
        .bars("ACME", Timeframe::M1, walk)
        .build()
}

fn backtest(market: &MarketData, model: SmaCross) -> usize {
    let view = market.series()[0].bars.view();
    let (first, last) = (view.close_time[0], view.close_time[view.len() - 1]);
    let midnights = (first.day_number() + 1..=last.day_number()).map(|day| day * 86_400_000_000_000);
    let costs = ProportionalCosts {
        commission_bps: "5".parse().expect("a decimal"),
        slippage_bps: "0".parse().expect("a decimal"),
    };
    let config = BacktestConfig {
        initial_capital: Cash::new("1000000000".parse().expect("a decimal")),
        start: first,
        end: last,
        venue: VenueConfig::simple(
            FillConvention::NextOpen,
            Costs::uniform(costs).expect("5 bp is allowed"),
        ),
        account: AccountModel::trades_only(),
        at_end: EndOfRun::MarkToMarket,
        daily_marks: midnights.map(sextant_domain::UtcNanos::from_nanos).collect(),
    };
    // Every rule is on and looked at in every step; thousands of round trips at 5 bp a side lose nearly everything, so the
    // drawdown rule must not end the work early.
    let drawdown = DrawdownLimits {
        trigger: 0.999_999,
        reduced_exposure: 0.99,
        recover_at: 0.5,
        halt: 1.0,
        after_halt: AfterHalt::StayHalted,
    };
    let limits = RiskLimits {
        per_asset_cap: 1.0,
        class_caps: ClassCaps {
            equity: Some(1.1),
            ..ClassCaps::default()
        },
        drawdown: Some(drawdown),
        ..RiskLimits::mission_defaults()
    };
    let parts = EngineParts {
        models: vec![Box::new(model)],
        regime: None,
        portfolio: Box::new(BudgetedPortfolio::single("SmaCross", 1.0, 0.0).expect("a budget of 1")),
        risk: Box::new(RiskRules::new(limits, KillFlag::new()).expect("valid limits")),
    };
    let outcome = run(market, &mut FeatureColumns::new(), parts, &config, &mut NullSink);
    outcome
        .expect("the run completes")
        .ledger
        .book(sextant_engine::Scope::Portfolio)
        .trades()
        .len()
}

fn engine(criterion: &mut Criterion) {
    let bars = 1_000_000;
    let market = minute_market(bars);
    let mut group = criterion.benchmark_group("engine");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(bars as u64));
    group.bench_function(BenchmarkId::new("sma_cross_5bp_all_rules", bars), |bencher| {
        bencher.iter(|| black_box(backtest(&market, SmaCross::new(Timeframe::M1))));
    });
    group.bench_function(BenchmarkId::new("idle_model", bars), |bencher| {
        bencher.iter(|| black_box(backtest(&market, SmaCross::idle())));
    });
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
