//! Folders into a lake and back.
#![allow(clippy::unwrap_used)]

use std::fs;

use sextant_domain::{AssetClass, Timeframe};

use super::support::{bin, put, small, time};
use super::*;
use crate::{BadRows, BarKey, Lake, Silent};

fn key(symbol: &str) -> BarKey {
    BarKey::new(AssetClass::Equity, symbol, Timeframe::D1).unwrap()
}

#[test]
fn a_folder_goes_into_the_lake_symbol_by_symbol() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (
        folder.path().join("us_data"),
        Lake::new(folder.path().join("data")),
    );
    small(&source);
    put(&source, "features/never/open.day.bin", bin(0.0, &[f32::NAN]));
    for field in ["high", "low", "close"] {
        put(
            &source,
            &format!("features/never/{field}.day.bin"),
            bin(0.0, &[f32::NAN]),
        );
    }
    let list = "AAPL\t2020-01-03\t2020-01-06\nAAPL\t2020-01-07\t2020-01-08\n^GSPC\t2020-01-02\t2020-01-08\nNEVER\t2020-01-02\t2020-01-02\n";
    put(&source, "instruments/all.txt", list);
    let request = QlibImportRequest::new(&source, AssetClass::Equity);
    let report = import_qlib(&lake, &request, &Silent).unwrap();
    assert_eq!(report.unread_calendars, ["day_future.txt"]);
    let symbols: Vec<&str> = report.outcomes.iter().map(|one| one.symbol.as_str()).collect();
    assert_eq!(symbols, ["AAPL", "NEVER", "^GSPC"]);
    let [apple, never, index] = &report.outcomes[..] else {
        panic!("{report:?}")
    };
    let apple = apple.result.as_ref().unwrap();
    assert_eq!((apple.bars, apple.suspended, &apple.quarantine), (3, 1, &None));
    assert!(
        never
            .result
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("1 are without trading")
    );
    assert!(
        index
            .result
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("symbol `^GSPC`")
    );

    let stored = lake.load_bars(AssetClass::Equity, "AAPL", Timeframe::D1).unwrap();
    assert_eq!(stored.bars.view().close, [1.25, 1.25, 1.5]);
    assert_eq!(stored.raw.unwrap().bars.view().close, [5.0, 2.5, 3.0]);
    assert_eq!(stored.meta.source, "Qlib folder us_data");
    assert_eq!(stored.meta.digest, apple.digest);
}

#[test]
fn bad_rows_stop_a_symbol_or_are_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (
        folder.path().join("us_data"),
        Lake::new(folder.path().join("data")),
    );
    small(&source);
    put(
        &source,
        "features/aapl/close.day.bin",
        bin(1.0, &[9.0, f32::NAN, 1.25, 1.5]),
    );
    let mut request = QlibImportRequest {
        symbols: vec!["AAPL".to_owned()],
        frequencies: vec![QlibFrequency::Day],
        ..QlibImportRequest::new(&source, AssetClass::Equity)
    };
    let refused = import_qlib(&lake, &request, &Silent).unwrap();
    let message = refused.outcomes[0].result.as_ref().unwrap_err().to_string();
    assert!(
        message.contains("ohlc_consistency 1") && message.contains("2020-01-03"),
        "{message}"
    );
    let path = lake.bars_path(&key("AAPL"));
    assert!(!path.exists());

    request.conventions.bad_rows = BadRows::Quarantine;
    let report = import_qlib(&lake, &request, &Silent).unwrap();
    let imported = report.outcomes[0].result.as_ref().unwrap();
    let quarantine = imported.quarantine.as_ref().unwrap();
    assert_eq!(
        fs::read_to_string(quarantine).unwrap(),
        "line,rule,time,field,value\n2,ohlc_consistency,2020-01-03 00:00:00,high,1.5\n"
    );
    assert_eq!((imported.bars, &imported.path), (2, &path));

    // A good import later takes the bad rows away.
    put(
        &source,
        "features/aapl/close.day.bin",
        bin(1.0, &[1.25, f32::NAN, 1.25, 1.5]),
    );
    let report = import_qlib(&lake, &request, &Silent).unwrap();
    assert_eq!(report.outcomes[0].result.as_ref().unwrap().bars, 3);
    assert!(!quarantine.exists());

    request.frequencies = vec![QlibFrequency::Minute];
    assert!(import_qlib(&lake, &request, &Silent).is_err());
    request.path = folder.path().join("nowhere");
    assert!(import_qlib(&lake, &request, &Silent).is_err());
}

#[test]
fn the_lake_goes_into_a_folder_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (source, lake) = (
        folder.path().join("us_data"),
        Lake::new(folder.path().join("data")),
    );
    small(&source);
    put(&source, "instruments/all.txt", "AAPL\t2020-01-03\t2020-01-08\n");
    import_qlib(
        &lake,
        &QlibImportRequest::new(&source, AssetClass::Equity),
        &Silent,
    )
    .unwrap();
    let exported = folder.path().join("exported");
    export_qlib(&lake, &[key("AAPL")], &exported).unwrap();
    let read = |path| {
        let qlib = QlibFolder::open(path).unwrap();
        let series = qlib.read_bar_fields("AAPL", QlibFrequency::Day).unwrap();
        to_bars(&series, &QlibConventions::new(AssetClass::Equity)).unwrap()
    };
    let (before, after) = (read(&source), read(&exported));
    assert_eq!((before.bars, before.raw), (after.bars, after.raw));
    let calendar = QlibFolder::open(&exported).unwrap();
    // The day without a bar is in no calendar: there is no other symbol that has it.
    assert_eq!(
        calendar.calendar(QlibFrequency::Day).unwrap(),
        ["2020-01-03", "2020-01-07", "2020-01-08"].map(time)
    );

    for (key, says) in [
        (key("AAPL").with_timeframe(Timeframe::H4), "1D, 5M, 1M"),
        (key("NONE"), "not in the lake"),
    ] {
        let message = export_qlib(&lake, &[key], folder.path().join("other"))
            .unwrap_err()
            .to_string();
        assert!(message.contains(says), "{message}");
    }
    assert!(!folder.path().join("other").exists());
}
