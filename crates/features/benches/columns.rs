//! How long columns of a million bars take: `cargo xtask bench`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sextant_domain::ports::FeatureSource;
use sextant_domain::{FeatureSpec, MarketData, SeriesId, Timeframe};
use sextant_features::{FeatureColumns, registry};
use sextant_testkit::{MarketBuilder, bars};

const BARS: usize = 1_000_000;

/// An asset and a benchmark.
fn market() -> MarketData {
    let spans = bars::round_the_clock("2015-01-01".parse().expect("a date"), Timeframe::M1, BARS);
    let builder = MarketBuilder::new()
        .crypto("AAA", Timeframe::M1)
        .crypto("BBB", Timeframe::M1);
    builder
        .random("AAA", Timeframe::M1, &spans, 1)
        .random("BBB", Timeframe::M1, &spans, 2)
        .build()
}

fn columns(criterion: &mut Criterion) {
    let market = market();
    let mut group = criterion.benchmark_group("feature_column");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(BARS as u64));
    for entry in registry() {
        let inputs: Vec<SeriesId> = (0..entry.inputs.count()).map(SeriesId::from_index).collect();
        let spec = FeatureSpec::new(entry.name, &[]);
        group.bench_function(BenchmarkId::from_parameter(entry.name), |bencher| {
            bencher.iter(|| {
                FeatureColumns::new()
                    .prepare(&spec, &inputs, &market)
                    .expect("a registered feature")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, columns);
criterion_main!(benches);
