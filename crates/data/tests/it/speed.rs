//! Measured speeds, by `cargo test -p sextant-data --test it -- --ignored --nocapture speed`.
#![allow(clippy::disallowed_methods)] // Measuring is the purpose; no result depends on the clock.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use sextant_data::{ImportRequest, Provenance, resample, validate_bars};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use crate::support::{TestLake, key};

const MINUTES: i64 = 1_000_000;
const SYMBOLS: usize = 500;
const DAYS: usize = 2_520;
const ROUNDS: usize = 5;

/// A million minutes of a random walk as CSV.gz.
fn minutes() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    writeln!(encoder, "timestamp,open,high,low,close,volume").unwrap();
    let first: UtcNanos = "2018-01-01".parse().unwrap();
    let (mut state, mut price) = (7_u64, 10_000.0);
    for n in 0..MINUTES {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let step = (state >> 40) as f64 / f64::from(1 << 24) - 0.5;
        let (open, close): (f64, f64) = (price, (price + 8.0 * step).max(100.0));
        let time = first.saturating_add(n * Timeframe::M1.nanos());
        let (high, low) = (open.max(close) + 1.25, open.min(close) - 1.25);
        writeln!(encoder, "{time},{open:.2},{high:.2},{low:.2},{close:.2},{:.8}", 3.0 + step).unwrap();
        price = (close * 100.0).round() / 100.0;
    }
    encoder.finish().unwrap()
}

/// The best of several rounds.
fn best<T>(what: &str, mut work: impl FnMut() -> T) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        std::hint::black_box(work());
        start.elapsed()
    });
    let best = rounds.min().unwrap();
    eprintln!("{what}: {:.1} ms", best.as_secs_f64() * 1e3);
    best
}

#[test]
#[ignore = "measures; needs a quiet machine"]
fn speed_of_a_million_minutes() {
    let lake = TestLake::new();
    let path = lake.folder.path().join("x.csv.gz");
    std::fs::write(&path, minutes()).unwrap();
    let key = key(AssetClass::Crypto, "X", Timeframe::M1);
    let request = ImportRequest::new(path, &key);
    let import = best("import 1,000,000 minute bars from CSV.gz", || lake.import(&request).unwrap());
    let load = best("load 1,000,000 minute bars", || lake.load(&key));
    let stored = lake.load(&key);
    eprintln!("file size: {:.1} MB", std::fs::metadata(lake.lake.bars_path(&key)).unwrap().len() as f64 / 1e6);
    let to_four_hours = || resample(&stored.bars, AssetClass::Crypto, Timeframe::M1, Timeframe::H4).unwrap();
    let resampled = best("resample 1,000,000 minute bars to 4H", to_four_hours);
    best("validate 1,000,000 minute bars", || validate_bars(stored.bars.view(), AssetClass::Crypto, Timeframe::M1));
    assert!(import < Duration::from_secs(2), "import took {import:?}");
    assert!(load < Duration::from_millis(500), "load took {load:?}");
    assert!(resampled < Duration::from_millis(20), "resample took {resampled:?}");
}

#[test]
#[ignore = "measures; needs a quiet machine"]
fn speed_of_many_daily_files() {
    let lake = TestLake::new();
    let day = |n: usize| sextant_domain::Bar {
        open_time: UtcNanos::from_nanos(n as i64 * Timeframe::D1.nanos()),
        close_time: UtcNanos::from_nanos((n as i64 + 1) * Timeframe::D1.nanos()),
        open: 100.0 + (n as f64).sin(),
        high: 102.0,
        low: 98.0,
        close: 100.0 + (n as f64).cos(),
        volume: n as f64,
    };
    let bars = sextant_domain::BarSeries::from_bars((0..DAYS).map(day)).unwrap();
    let provenance = Provenance { source: "a walk".to_owned(), synthetic: true };
    let keys: Vec<_> = (0..SYMBOLS).map(|n| key(AssetClass::Crypto, &format!("X{n}"), Timeframe::D1)).collect();
    for key in &keys {
        lake.lake.write_bars(key, &bars, None, &provenance).unwrap();
    }
    let load = best("load 500 files of 2,520 daily bars, one after the other", || {
        keys.iter().map(|key| lake.load(key).bars.len()).sum::<usize>()
    });
    best("list 500 files with a full check", || lake.lake.list().unwrap().len());
    assert!(load < Duration::from_secs(1), "loading took {load:?}");
}
