//! Files of the lake with cut and flipped bytes: never loaded, never a panic.

use std::path::Path;

use sextant_data::{DataError, FileDefect, MacroTable, Provenance};
use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};

use crate::support::{TestLake, key};

const POSITIONS: usize = 200;

/// A lake with one bar file and one macro file.
fn lake() -> TestLake {
    let lake = TestLake::new();
    let hour = Timeframe::H1.nanos();
    let bars = (0..2_000).map(|n| {
        let close = 100.0 + (n as f64 * 0.37).sin();
        Bar {
            open_time: UtcNanos::from_nanos(n * hour),
            close_time: UtcNanos::from_nanos((n + 1) * hour),
            open: close,
            high: close + 0.5,
            low: close - 0.5,
            close,
            volume: n as f64,
        }
    });
    let bars = BarSeries::from_bars(bars).unwrap();
    let provenance = Provenance {
        source: "a test".to_owned(),
        synthetic: true,
    };
    lake.lake
        .write_bars(
            &key(AssetClass::Crypto, "BTC-USD", Timeframe::H1),
            &bars,
            None,
            &provenance,
        )
        .unwrap();
    let table = MacroTable {
        published: (0..500).map(UtcNanos::from_nanos).collect(),
        series: vec![("vix".to_owned(), (0..500).map(f64::from).collect())],
        publication: "at once".to_owned(),
    };
    lake.lake.write_macro("vix", &table, &provenance).unwrap();
    lake
}

/// Every damaged version of a file must be refused by name with the command that repairs it.
fn check(lake: &TestLake, path: &Path, load: &dyn Fn(&TestLake) -> Result<(), DataError>) {
    let good = std::fs::read(path).unwrap();
    load(lake).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(path, bytes).unwrap();
        let error = load(lake).expect_err(what);
        let message = error.to_string();
        assert!(matches!(error, DataError::Damaged { .. }), "{what}: {message}");
        assert!(message.contains(&path.display().to_string()), "{what}: {message}");
        assert!(message.contains("cargo xtask data import"), "{what}: {message}");
        assert!(
            lake.lake
                .list()
                .unwrap()
                .iter()
                .any(|entry| entry.path == path && entry.content.is_err()),
            "{what}"
        );
    };
    for step in 0..POSITIONS {
        let position = step * good.len() / POSITIONS;
        refused(&good[..position], &format!("cut to {position}"));
        let mut flipped = good.clone();
        flipped[position] ^= 1 << (step % 8);
        refused(&flipped, &format!("bit {} of byte {position}", step % 8));
    }
    // The last bytes are the footer, its length and the magic: each of them.
    for position in good.len() - 64..good.len() {
        refused(&good[..position], &format!("cut to {position}"));
        let mut flipped = good.clone();
        flipped[position] ^= 0x80;
        refused(&flipped, &format!("byte {position}"));
    }
    refused(&[good.as_slice(), &[0]].concat(), "one byte more");
    refused(&[good.as_slice(), &good].concat(), "twice");
    refused(&vec![0; good.len()], "zeros");
    refused(b"timestamp,open\n", "a text");
    std::fs::write(path, &good).unwrap();
    load(lake).unwrap();
}

#[test]
fn damaged_bars_are_refused() {
    let lake = lake();
    let path = lake
        .lake
        .bars_path(&key(AssetClass::Crypto, "BTC-USD", Timeframe::H1));
    check(&lake, &path, &|lake| {
        lake.lake
            .load_bars(AssetClass::Crypto, "BTC-USD", Timeframe::H1)
            .map(|stored| assert_eq!(stored.bars.len(), 2_000))
    });
}

#[test]
fn damaged_macro_series_are_refused() {
    let lake = lake();
    let path = lake.lake.macro_path("vix").unwrap();
    check(&lake, &path, &|lake| {
        lake.lake
            .load_macro("vix")
            .map(|stored| assert_eq!(stored.series.values().len(), 500))
    });
}

#[test]
fn the_kind_of_damage_is_told() {
    let lake = lake();
    let path = lake
        .lake
        .bars_path(&key(AssetClass::Crypto, "BTC-USD", Timeframe::H1));
    let good = std::fs::read(&path).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 3] ^= 4;
    for (bytes, expected) in [
        (&[] as &[u8], FileDefect::Empty),
        (&good[..good.len() / 2], FileDefect::NotParquet),
        (&flipped, FileDefect::BrokenSeal),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = lake
            .lake
            .load_bars(AssetClass::Crypto, "BTC-USD", Timeframe::H1)
            .unwrap_err();
        assert!(
            matches!(&error, DataError::Damaged { defect, .. } if *defect == expected),
            "{error}"
        );
    }
}
