//! Scans over more data than DuckDB may hold.

use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};
use sextant_query::{Cell, LakeQuery, LakeQueryOptions};

use crate::support::{TestLake, key};

const MEMORY_LIMIT_MIB: u32 = 24;

/// Minutes: seven columns of eight bytes each.
const ROWS: i64 = 2_000_000;
const ROW_BYTES: i64 = 56;

/// A walk whose numbers hardly compress.
fn minutes() -> BarSeries {
    let first: UtcNanos = "2016-01-01".parse().unwrap();
    let mut state = 7_u64;
    let bars = (0..ROWS).map(|n| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let close = 100.0 + (state >> 11) as f64 / (1_u64 << 53) as f64;
        Bar {
            open_time: first.saturating_add(n * Timeframe::M1.nanos()),
            close_time: first.saturating_add((n + 1) * Timeframe::M1.nanos()),
            open: close,
            high: close + 1.0,
            low: close - 1.0,
            close,
            volume: 1.0,
        }
    });
    BarSeries::from_bars(bars).unwrap()
}

#[test]
fn a_scan_of_four_times_the_memory_limit_completes() {
    assert!(ROWS * ROW_BYTES > 4 * i64::from(MEMORY_LIMIT_MIB) * 1024 * 1024);
    let lake = TestLake::new();
    let key = key(AssetClass::Crypto, "X", Timeframe::M1);
    lake.write(&key, &minutes());
    let options = LakeQueryOptions {
        memory_limit_mib: MEMORY_LIMIT_MIB,
        ..LakeQueryOptions::default()
    };
    let query = LakeQuery::new(lake.lake.clone(), options).unwrap();
    let session = query.session().unwrap();
    let scan = "SELECT count(*), sum(volume), min(open_time), max(close_time), count(open), \
                count_if(high > close), count_if(low < close) FROM bars";
    let table = session.run(scan).unwrap();
    let whole = Cell::Int(ROWS.into());
    assert_eq!(table.rows.len(), 1);
    let row = &table.rows[0];
    assert_eq!((&row[0], &row[1]), (&whole, &Cell::Float(ROWS as f64)));
    assert_eq!([&row[4], &row[5], &row[6]], [&whole; 3]);

    // The limit is a limit: what has to hold everything at once is an error that says so.
    let everything =
        "SELECT sum(n) FROM (SELECT row_number() OVER (ORDER BY close, open, high, low) AS n FROM bars)";
    let message = session.run(everything).unwrap_err().to_string();
    assert!(message.contains("memory"), "{message}");

    let (from, to) = ("2019-05-01".parse().unwrap(), "2019-06-01".parse().unwrap());
    assert_eq!(query.query(&key, from, to).unwrap().len(), 31 * 24 * 60);
}
