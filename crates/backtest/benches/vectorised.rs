//! Speed of the vectorised engine beside the event engine, on the same works: `cargo xtask bench`.

mod works;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use sextant_backtest::{BacktestConfig, run, vectorised};
use sextant_domain::ports::{DailyMark, Model, ModelError, ResultSink, SignalColumns};
use sextant_domain::{
    ColumnTargets, ColumnView, FeatureRef, InstrumentRef, Intents, MarketData, MarketView, Requirements,
    StepRecord, Timeframe,
};
use sextant_features::FeatureColumns;

use works::memory::{Work, does_work, tell};
use works::{config, one_instrument, parts};

/// Long while the fast mean is above the slow one, flat otherwise.
struct SmaCross {
    needs: Requirements,
    instrument: InstrumentRef,
    fast: FeatureRef,
    slow: FeatureRef,
    invested: bool,
    offers_columns: bool,
}

impl SmaCross {
    fn new(timeframe: Timeframe, (fast, slow): (u32, u32)) -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade("ACME");
        let series = needs.series("ACME", timeframe);
        Self {
            fast: needs.feature("sma", &[("period", f64::from(fast))], series),
            slow: needs.feature("sma", &[("period", f64::from(slow))], series),
            needs,
            instrument,
            invested: false,
            offers_columns: true,
        }
    }

    /// The same without its rule by columns: asked bar by bar.
    fn bar_by_bar(self) -> Self {
        Self {
            offers_columns: false,
            ..self
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
        let (Some(fast), Some(slow)) = (view.feature(self.fast), view.feature(self.slow)) else {
            return Ok(());
        };
        if (fast > slow) != self.invested {
            self.invested = fast > slow;
            out.target(self.instrument, if self.invested { 1.0 } else { 0.0 });
        }
        Ok(())
    }

    fn by_columns(&self) -> Option<&dyn SignalColumns> {
        self.offers_columns.then_some(self as &dyn SignalColumns)
    }
}

impl SignalColumns for SmaCross {
    fn signals(&self, columns: &ColumnView<'_>, out: &mut ColumnTargets) {
        let (fast, slow) = (columns.feature(self.fast), columns.feature(self.slow));
        let mut invested = false;
        for bar in columns.decisions() {
            let (fast, slow) = (fast[bar], slow[bar]);
            if (fast > slow) != invested && !fast.is_nan() && !slow.is_nan() {
                invested = fast > slow;
                out.target(bar, self.instrument, if invested { 1.0 } else { 0.0 });
            }
        }
    }
}

/// Counts orders and keeps the equity of each step, as the columns do.
#[derive(Default)]
struct Kept {
    orders: usize,
    equity: Vec<f64>,
}

impl ResultSink for Kept {
    fn record(&mut self, step: &StepRecord) {
        self.orders += step.orders.len();
        self.equity.push(step.equity.equity);
    }

    fn mark(&mut self, _mark: &DailyMark<'_>) {}
}

/// Orders and last equity of the event engine.
fn by_events(
    market: &MarketData,
    features: &mut FeatureColumns,
    model: SmaCross,
    config: &BacktestConfig,
) -> (usize, f64) {
    let mut kept = Kept::default();
    run(market, features, parts(Box::new(model)), config, &mut kept).expect("the run completes");
    (kept.orders, kept.equity[kept.equity.len() - 1])
}

/// The same of the vectorised engine.
fn by_columns(
    market: &MarketData,
    features: &mut FeatureColumns,
    model: SmaCross,
    config: &BacktestConfig,
) -> (usize, f64) {
    let run =
        vectorised::evaluate(market, features, parts(Box::new(model)), config).expect("the run completes");
    (run.orders().len(), run.equity()[run.equity().len() - 1])
}

/// A thousand pairs of a fast and a slower period.
fn pairs() -> Vec<(u32, u32)> {
    let fast = (2..=26).flat_map(|fast| (1..=40).map(move |more| (fast, fast + 5 * more)));
    fast.collect()
}

fn one_run(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("vectorised");
    group.sample_size(20);
    let bars = 1_000_000;
    let market = one_instrument(Timeframe::M1, bars);
    let config = config(&market);
    let model = || SmaCross::new(Timeframe::M1, (20, 60));
    assert_eq!(
        by_events(&market, &mut FeatureColumns::new(), model(), &config),
        by_columns(&market, &mut FeatureColumns::new(), model(), &config),
        "both engines give the same orders and equity"
    );
    group.throughput(Throughput::Elements(bars as u64));
    let id = |engine: &str| BenchmarkId::new(format!("sma_cross_5bp_all_rules/{engine}"), bars);
    group.bench_function(id("event"), |bencher| {
        bencher.iter(|| black_box(by_events(&market, &mut FeatureColumns::new(), model(), &config)));
    });
    group.bench_function(id("vectorised"), |bencher| {
        bencher.iter(|| black_box(by_columns(&market, &mut FeatureColumns::new(), model(), &config)));
    });
    group.bench_function(id("vectorised_asked_bar_by_bar"), |bencher| {
        bencher.iter(|| {
            let model = model().bar_by_bar();
            black_box(by_columns(&market, &mut FeatureColumns::new(), model, &config))
        });
    });
    group.finish();
}

fn sweep(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("vectorised");
    group.sample_size(10);
    let (bars, pairs) = (5_000, pairs().len());
    let market = one_instrument(Timeframe::H1, bars);
    let config = config(&market);
    group.throughput(Throughput::Elements((bars * pairs) as u64));
    let id = |engine: &str| BenchmarkId::new(format!("sweep_{pairs}_pairs/{engine}"), bars);
    for (name, engine) in [("event", by_events as Run), ("vectorised", by_columns)] {
        group.bench_function(id(name), |bencher| {
            bencher.iter(|| black_box(all_pairs(engine, &market, &config)));
        });
    }
    group.finish();
}

/// One of the two engines.
type Run = fn(&MarketData, &mut FeatureColumns, SmaCross, &BacktestConfig) -> (usize, f64);

/// A run for each pair; trials share the means that they have in common. Returns the number of orders.
fn all_pairs(engine: Run, market: &MarketData, config: &BacktestConfig) -> usize {
    let mut features = FeatureColumns::new();
    let pairs = pairs();
    let orders = pairs
        .iter()
        .map(|pair| engine(market, &mut features, SmaCross::new(Timeframe::H1, *pair), config).0);
    orders.sum()
}

/// The works whose memory is told.
const WORKS: [(&str, Work); 2] = [
    ("vectorised/sma_cross_5bp_all_rules/vectorised/1000000", |ready| {
        let market = one_instrument(Timeframe::M1, 1_000_000);
        let config = config(&market);
        ready();
        let model = SmaCross::new(Timeframe::M1, (20, 60));
        black_box(by_columns(&market, &mut FeatureColumns::new(), model, &config));
    }),
    ("vectorised/sweep_1000_pairs/vectorised/5000", |ready| {
        let market = one_instrument(Timeframe::H1, 5_000);
        let config = config(&market);
        ready();
        black_box(all_pairs(by_columns, &market, &config));
    }),
];

criterion_group!(benches, one_run, sweep);

fn main() {
    if !does_work(&WORKS) {
        tell(&WORKS);
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}
