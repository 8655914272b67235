//! Speed of import, loading, resampling and validation: `cargo xtask bench`.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::Compression;
use flate2::write::GzEncoder;
use sextant_data::{BarKey, ImportRequest, Lake, Provenance, Silent, import_csv, resample, validate_bars};
use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};

const MINUTES: i64 = 1_000_000;
const SYMBOLS: usize = 500;
const DAYS: i64 = 2_520;
const CLASS: AssetClass = AssetClass::Crypto;

/// A million minutes of a random walk as CSV.gz.
fn write_minutes(path: &Path) -> std::io::Result<()> {
    let mut encoder = GzEncoder::new(std::fs::File::create(path)?, Compression::default());
    writeln!(encoder, "timestamp,open,high,low,close,volume")?;
    let first: UtcNanos = "2018-01-01".parse().expect("a date");
    let (mut state, mut price) = (7_u64, 10_000.0);
    for n in 0..MINUTES {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let step = (state >> 40) as f64 / f64::from(1 << 24) - 0.5;
        let (open, close): (f64, f64) = (price, (price + 8.0 * step).max(100.0));
        let time = first.saturating_add(n * Timeframe::M1.nanos());
        let (high, low) = (open.max(close) + 1.25, open.min(close) - 1.25);
        writeln!(
            encoder,
            "{time},{open:.2},{high:.2},{low:.2},{close:.2},{:.8}",
            3.0 + step
        )?;
        price = (close * 100.0).round() / 100.0;
    }
    encoder.finish().map(drop)
}

fn key(symbol: &str, timeframe: Timeframe) -> BarKey {
    BarKey::new(CLASS, symbol, timeframe).expect("a symbol")
}

fn minutes(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("x.csv.gz");
    write_minutes(&file).expect("a temporary file");
    let lake = Lake::new(folder.path().join("lake"));
    let request = ImportRequest::new(file, &key("X", Timeframe::M1));
    let mut group = criterion.benchmark_group("million_minutes");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(MINUTES as u64));
    group.bench_function("import_csv_gz", |bencher| {
        bencher.iter(|| import_csv(&lake, &request, &Silent).expect("valid rows"));
    });
    // Whichever of the benchmarks is asked for.
    import_csv(&lake, &request, &Silent).expect("valid rows");
    let load = || {
        lake.load_bars(CLASS, "X", Timeframe::M1)
            .expect("it was imported")
    };
    group.bench_function("load", |bencher| bencher.iter(load));
    let stored = load();
    group.bench_function("resample_to_4h", |bencher| {
        bencher.iter(|| {
            resample(black_box(&stored.bars), CLASS, Timeframe::M1, Timeframe::H4).expect("coarser")
        });
    });
    group.bench_function("validate", |bencher| {
        bencher.iter(|| validate_bars(black_box(stored.bars.view()), CLASS, Timeframe::M1));
    });
    group.finish();
}

fn daily_universe(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lake = Lake::new(folder.path());
    let day = |n: i64| Bar {
        open_time: UtcNanos::from_nanos(n * Timeframe::D1.nanos()),
        close_time: UtcNanos::from_nanos((n + 1) * Timeframe::D1.nanos()),
        open: 100.0 + (n % 7) as f64 / 7.0,
        high: 102.0,
        low: 98.0,
        close: 100.0 + (n % 11) as f64 / 11.0,
        volume: n as f64,
    };
    let bars = BarSeries::from_bars((0..DAYS).map(day)).expect("valid bars");
    let provenance = Provenance {
        source: "a walk".to_owned(),
        synthetic: true,
    };
    let symbols: Vec<String> = (0..SYMBOLS).map(|n| format!("X{n}")).collect();
    for symbol in &symbols {
        lake.write_bars(&key(symbol, Timeframe::D1), &bars, None, &provenance)
            .expect("a temporary folder");
    }
    let mut group = criterion.benchmark_group("daily_universe");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(SYMBOLS as u64));
    group.bench_function("load_500_symbols", |bencher| {
        bencher.iter(|| {
            let load = |symbol: &String| {
                lake.load_bars(CLASS, symbol, Timeframe::D1)
                    .map(|stored| stored.bars.len())
            };
            symbols
                .iter()
                .map(load)
                .sum::<Result<usize, _>>()
                .expect("all are there")
        });
    });
    group.finish();
}

criterion_group!(benches, minutes, daily_universe);
criterion_main!(benches);
