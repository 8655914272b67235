//! Speed of the event engine: `cargo xtask bench`. `benches/peers` runs the same works in other engines.

mod works;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use rust_decimal::Decimal;
use sextant_backtest::{BacktestConfig, run, vectorised};
use sextant_domain::ports::{DailyMark, FeatureSource, Model, ModelError, ResultSink};
use sextant_domain::{
    AssetClass, Contract, Currency, FeatureRef, Instrument, InstrumentRef, Intents, MarketData, MarketView,
    Requirements, SeriesRef, StepRecord, Timeframe,
};
use sextant_engine::EngineParts;
use sextant_features::FeatureColumns;
use sextant_testkit::{MarketBuilder, bars};

use works::memory::{Work, does_work, tell};
use works::{config, one_instrument, parts};

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

/// On every fifth day from day 60 on (counted from 0) the tenth of the universe with the highest 60-day return, equally
/// weighted.
struct TopDecile {
    needs: Requirements,
    traded: Vec<(InstrumentRef, SeriesRef)>,
    is_held: Vec<bool>,
    returns: Vec<(f64, usize)>,
}

const LOOKBACK: usize = 60;
const EVERY: usize = 5;

impl TopDecile {
    fn new(symbols: &[String]) -> Self {
        let mut needs = Requirements::new();
        let traded: Vec<_> = symbols
            .iter()
            .map(|symbol| (needs.trade(symbol), needs.series(symbol, Timeframe::D1)))
            .collect();
        Self {
            needs,
            is_held: vec![false; traded.len()],
            traded,
            returns: Vec::new(),
        }
    }

    /// Whether something is decided at the close of a day.
    fn is_due(day: usize) -> bool {
        day >= LOOKBACK && (day - LOOKBACK).is_multiple_of(EVERY)
    }

    /// Whether each instrument is among the best tenth, from the returns in `returns`.
    fn choose(returns: &mut [(f64, usize)], chosen: &mut [bool]) {
        let held = returns.len() / 10;
        returns.select_nth_unstable_by(held - 1, |left, right| right.0.total_cmp(&left.0));
        chosen.fill(false);
        for (_, index) in &returns[..held] {
            chosen[*index] = true;
        }
    }
}

impl Model for TopDecile {
    fn id(&self) -> &str {
        "TopDecile"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let day = view.bars(self.traded[0].1).len() - 1;
        if !Self::is_due(day) {
            return Ok(());
        }
        self.returns.clear();
        for (index, (_, series)) in self.traded.iter().enumerate() {
            let closes = view.closes(*series);
            self.returns.push((closes[day] / closes[day - LOOKBACK], index));
        }
        let before = self.is_held.clone();
        Self::choose(&mut self.returns, &mut self.is_held);
        let weight = 1.0 / (self.traded.len() / 10) as f64;
        for (index, (instrument, _)) in self.traded.iter().enumerate() {
            if self.is_held[index] {
                out.target(*instrument, weight);
            } else if before[index] {
                out.target(*instrument, 0.0);
            }
        }
        Ok(())
    }
}

/// Orders of the plain loop over the same work: one for each instrument that is held or was.
fn orders_of_plain_loop(market: &MarketData) -> usize {
    let series = market.series();
    let days = series[0].bars.len();
    let (mut orders, mut held) = (0, vec![false; series.len()]);
    for day in (0..days - 1).filter(|day| TopDecile::is_due(*day)) {
        let closes = series.iter().map(|one| one.bars.closes());
        let mut returns: Vec<_> = closes
            .enumerate()
            .map(|(index, closes)| (closes[day] / closes[day - LOOKBACK], index))
            .collect();
        let before = held.clone();
        TopDecile::choose(&mut returns, &mut held);
        orders += held
            .iter()
            .zip(&before)
            .filter(|(now, before)| **now || **before)
            .count();
    }
    orders
}

fn daily_market(symbols: &[String], days: usize) -> MarketData {
    let spans = bars::daily_sessions("2015-01-01".parse().expect("a date"), days);
    let mut market = MarketBuilder::new();
    for (symbol, seed) in symbols.iter().zip(1..) {
        let walk = bars::Walk {
            start_price: 100.0,
            step: 0.02,
            seed,
        };
        let walk = bars::random_walk(&spans, walk);
        // Fractional shares, as in the plain loop: a rebalancing of less than one whole share is an order, too.
        let share = Instrument {
            symbol: symbol.clone(),
            class: AssetClass::Equity,
            execution: Timeframe::D1,
            price_tick: Decimal::new(1, 2),
            lot_size: Decimal::new(1, 3),
            contract: Contract::paid_in(Currency::USD),
        };
        market = market.instrument(share).bars(symbol, Timeframe::D1, walk);
    }
    market.build()
}

fn symbols(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("S{index:03}")).collect()
}

/// Counts orders and keeps nothing.
#[derive(Default)]
struct OrderCount(usize);

impl ResultSink for OrderCount {
    fn record(&mut self, step: &StepRecord) {
        self.0 += step.orders.len();
    }

    fn mark(&mut self, _mark: &DailyMark<'_>) {}
}

/// One of the two engines.
type Run = fn(&MarketData, &mut dyn FeatureSource, EngineParts, &BacktestConfig, &mut dyn ResultSink);

fn by_events(
    market: &MarketData,
    features: &mut dyn FeatureSource,
    parts: EngineParts,
    config: &BacktestConfig,
    sink: &mut dyn ResultSink,
) {
    run(market, features, parts, config, sink).expect("the run completes");
}

fn by_columns(
    market: &MarketData,
    features: &mut dyn FeatureSource,
    parts: EngineParts,
    config: &BacktestConfig,
    sink: &mut dyn ResultSink,
) {
    vectorised::run(market, features, parts, config, sink).expect("the run completes");
}

/// A run over the whole market with `config`. Returns the number of orders.
fn backtest(engine: Run, market: &MarketData, model: Box<dyn Model>, config: &BacktestConfig) -> usize {
    let mut orders = OrderCount::default();
    engine(
        market,
        &mut FeatureColumns::new(),
        parts(model),
        config,
        &mut orders,
    );
    orders.0
}

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(20);

    let bars = 1_000_000;
    let market = one_instrument(Timeframe::M1, bars);
    let of_minutes = config(&market);
    group.throughput(Throughput::Elements(bars as u64));
    group.bench_function(BenchmarkId::new("sma_cross_5bp_all_rules", bars), |bencher| {
        bencher.iter(|| {
            black_box(backtest(
                by_events,
                &market,
                Box::new(SmaCross::new(Timeframe::M1)),
                &of_minutes,
            ))
        });
    });
    group.bench_function(BenchmarkId::new("idle_model", bars), |bencher| {
        bencher.iter(|| {
            black_box(backtest(
                by_events,
                &market,
                Box::new(SmaCross::idle()),
                &of_minutes,
            ))
        });
    });

    let (names, days) = (500, 2_520);
    let symbols = symbols(names);
    let market = daily_market(&symbols, days);
    let of_days = config(&market);
    let expected = orders_of_plain_loop(&market);
    group.throughput(Throughput::Elements((names * days) as u64));
    let engines: [(&str, Run); 2] = [
        ("momentum_top_decile_5bp", by_events),
        ("momentum_top_decile_5bp_vectorised", by_columns),
    ];
    for (name, engine) in engines {
        let id = BenchmarkId::new(name, format!("{names}x{days}"));
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                let orders = backtest(engine, &market, Box::new(TopDecile::new(&symbols)), &of_days);
                assert_eq!(orders, expected, "as many orders as the plain loop sends");
            });
        });
    }
    group.finish();
}

/// The works whose memory is told.
const WORKS: [(&str, Work); 2] = [
    ("engine/sma_cross_5bp_all_rules/1000000", |ready| {
        let market = one_instrument(Timeframe::M1, 1_000_000);
        let of_minutes = config(&market);
        ready();
        let model = Box::new(SmaCross::new(Timeframe::M1));
        black_box(backtest(by_events, &market, model, &of_minutes));
    }),
    ("engine/momentum_top_decile_5bp/500x2520", |ready| {
        let symbols = symbols(500);
        let market = daily_market(&symbols, 2_520);
        let of_days = config(&market);
        ready();
        let model = Box::new(TopDecile::new(&symbols));
        black_box(backtest(by_events, &market, model, &of_days));
    }),
];

criterion_group!(benches, engine);

fn main() {
    if !does_work(&WORKS) {
        tell(&WORKS);
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}
