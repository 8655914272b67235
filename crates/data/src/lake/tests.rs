//! Files that come back as they were, and files that do not come back.
#![allow(clippy::unwrap_used)]

use sextant_domain::{Bar, UtcNanos};

use super::*;

fn key() -> BarKey {
    BarKey::new(AssetClass::Equity, "SPY", Timeframe::H1).unwrap()
}

fn bars(count: i64, scale: f64) -> BarSeries {
    let hour = Timeframe::H1.nanos();
    let bar = |n: i64| {
        let close = scale * (100.0 + (n % 7) as f64);
        Bar {
            open_time: UtcNanos::from_nanos(n * hour),
            close_time: UtcNanos::from_nanos((n + 1) * hour),
            open: close * 0.999,
            high: close * 1.01,
            low: close * 0.99,
            close,
            volume: (n % 13) as f64,
        }
    };
    BarSeries::from_bars((0..count).map(bar)).unwrap()
}

fn raw(count: i64) -> RawBars {
    let adjustment_factor = vec![0.5; usize::try_from(count).unwrap()];
    RawBars {
        bars: bars(count, 1.0),
        adjustment_factor,
        adjustment: "by half".to_owned(),
    }
}

fn provenance() -> Provenance {
    Provenance {
        source: "a test".to_owned(),
        synthetic: false,
    }
}

fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::new(folder.path().join("data"));
    (folder, lake)
}

fn load(lake: &Lake) -> Result<StoredBars, DataError> {
    lake.load_bars(AssetClass::Equity, "SPY", Timeframe::H1)
}

#[test]
fn bars_come_back_bit_for_bit() {
    let (_folder, lake) = lake();
    for count in [1, 2, 1_000, 300_000] {
        let meta = lake
            .write_bars(&key(), &bars(count, 0.5), Some(&raw(count)), &provenance())
            .unwrap();
        let stored = load(&lake).unwrap();
        assert_eq!(stored.bars, bars(count, 0.5));
        assert_eq!(stored.raw, Some(raw(count)));
        assert_eq!(stored.meta, meta);
        assert_eq!(
            (meta.rows, meta.adjustment.as_str()),
            (usize::try_from(count).unwrap(), "by half")
        );
    }
    let meta = lake
        .write_bars(&key(), &bars(3, 1.0), None, &provenance())
        .unwrap();
    let stored = load(&lake).unwrap();
    assert_eq!((stored.bars, stored.raw), (bars(3, 1.0), None));
    assert!(meta.adjustment.starts_with("none"), "{}", meta.adjustment);
}

#[test]
fn the_digest_names_the_content_and_not_the_source() {
    let (_folder, lake) = lake();
    let first = lake
        .write_bars(&key(), &bars(9, 1.0), None, &provenance())
        .unwrap();
    let other = Provenance {
        source: "elsewhere".to_owned(),
        synthetic: false,
    };
    assert_eq!(
        lake.write_bars(&key(), &bars(9, 1.0), None, &other)
            .unwrap()
            .digest,
        first.digest
    );
    let synthetic = Provenance {
        synthetic: true,
        ..provenance()
    };
    assert_ne!(
        lake.write_bars(&key(), &bars(9, 1.0), None, &synthetic)
            .unwrap()
            .digest,
        first.digest
    );
    assert_ne!(
        lake.write_bars(&key(), &bars(9, 1.1), None, &provenance())
            .unwrap()
            .digest,
        first.digest
    );
}

#[test]
fn what_cannot_be_a_file_is_not_written() {
    let (_folder, lake) = lake();
    assert!(
        lake.write_bars(&key(), &BarSeries::default(), None, &provenance())
            .is_err()
    );
    assert!(
        lake.write_bars(&key(), &bars(9, 1.0), Some(&raw(8)), &provenance())
            .is_err()
    );
    let mut short = raw(9);
    short.adjustment_factor.pop();
    assert!(
        lake.write_bars(&key(), &bars(9, 1.0), Some(&short), &provenance())
            .is_err()
    );
    assert!(
        lake.load_bars(AssetClass::Equity, "../SPY", Timeframe::D1)
            .is_err()
    );
    assert!(lake.macro_path("../vix").is_err());
    assert!(!lake.root().exists());
}

#[test]
fn a_missing_series_names_what_there_is_and_the_command() {
    let (_folder, lake) = lake();
    let message = load(&lake).unwrap_err().to_string();
    assert!(
        message.contains("nothing") && message.contains("data import --from"),
        "{message}"
    );
    lake.write_bars(&key(), &bars(9, 1.0), None, &provenance())
        .unwrap();
    let message = lake
        .load_bars(AssetClass::Equity, "SPY", Timeframe::H4)
        .unwrap_err()
        .to_string();
    assert!(message.contains("SPY 1H (equity)"), "{message}");
    assert!(
        message.contains("data resample --symbol SPY --asset-class equity --from 1H --to 4H"),
        "{message}"
    );
}

#[test]
fn a_damaged_file_names_every_way_to_make_it_again() {
    let (_folder, lake) = lake();
    lake.write_bars(&key(), &bars(9, 1.0), None, &provenance())
        .unwrap();
    fs::write(lake.bars_path(&key().with_timeframe(Timeframe::H4)), b"PAR1").unwrap();
    let message = lake
        .load_bars(AssetClass::Equity, "SPY", Timeframe::H4)
        .unwrap_err()
        .to_string();
    assert!(message.contains("SPY_4H.parquet is not loaded"), "{message}");
    assert!(
        message.contains("data import --from <CSV file> --symbol SPY --asset-class equity --timeframe 4H"),
        "{message}"
    );
    assert!(
        message.contains("where it was downloaded: cargo xtask data download --symbols SPY")
            && message.contains("--provider <provider> --replace"),
        "{message}"
    );
    assert!(
        message.contains("made from 1H bars: cargo xtask data resample --symbol SPY"),
        "{message}"
    );
}

#[test]
fn a_file_under_another_name_is_refused() {
    let (_folder, lake) = lake();
    lake.write_bars(&key(), &bars(9, 1.0), None, &provenance())
        .unwrap();
    let other = BarKey::new(AssetClass::Equity, "QQQ", Timeframe::H1).unwrap();
    fs::copy(lake.bars_path(&key()), lake.bars_path(&other)).unwrap();
    let message = lake
        .load_bars(AssetClass::Equity, "QQQ", Timeframe::H1)
        .unwrap_err()
        .to_string();
    assert!(message.contains("it holds SPY 1H (equity)"), "{message}");
}

fn macro_table() -> MacroTable {
    MacroTable {
        published: [1, 2, 3].map(UtcNanos::from_nanos).to_vec(),
        series: vec![
            ("slope".to_owned(), vec![0.1, f64::NAN, -0.3]),
            ("pmi".to_owned(), vec![f64::NAN, 50.0, f64::NAN]),
        ],
        publication: "at once".to_owned(),
    }
}

#[test]
fn macro_series_come_back_without_their_holes() {
    let (_folder, lake) = lake();
    let meta = lake
        .write_macro("numbers", &macro_table(), &provenance())
        .unwrap();
    let slope = lake.load_macro("slope").unwrap();
    assert_eq!(slope.series.values(), [0.1, -0.3]);
    assert_eq!(slope.series.published(), [1, 3].map(UtcNanos::from_nanos));
    assert_eq!(slope.meta, meta);
    assert_eq!(lake.load_macro("pmi").unwrap().series.values(), [50.0]);
    let message = lake.load_macro("vix").unwrap_err().to_string();
    assert!(message.contains("slope, pmi"), "{message}");
    assert!(message.contains("--macro vix --series vix=<column>"), "{message}");
}

#[test]
fn bad_macro_tables_are_not_written() {
    let (_folder, lake) = lake();
    let changed = |change: fn(&mut MacroTable)| {
        let mut table = macro_table();
        change(&mut table);
        lake.write_macro("numbers", &table, &provenance())
            .unwrap_err()
            .to_string()
    };
    let messages = [
        changed(|table| table.series.clear()),
        changed(|table| table.series[1].0 = "slope".to_owned()),
        changed(|table| table.series[1].0 = "published".to_owned()),
        changed(|table| table.series[1].0 = "a/b".to_owned()),
        changed(|table| table.series[0].1[0] = f64::INFINITY),
        changed(|table| table.published[2] = table.published[1]),
        changed(|table| table.series[0].1.truncate(2)),
        changed(|table| {
            *table = MacroTable {
                published: Vec::new(),
                series: vec![("a".into(), vec![])],
                ..table.clone()
            }
        }),
    ];
    assert!(messages.iter().all(|message| !message.is_empty()), "{messages:?}");
    assert!(!lake.root().exists());
}

#[test]
fn a_list_names_broken_files_and_goes_on() {
    let (_folder, lake) = lake();
    assert!(lake.list().unwrap().is_empty());
    lake.write_bars(&key(), &bars(9, 1.0), None, &provenance())
        .unwrap();
    lake.write_macro("numbers", &macro_table(), &provenance())
        .unwrap();
    let equities = lake.root().join("equities");
    fs::write(equities.join("QQQ_1D.parquet"), b"PAR1").unwrap();
    fs::write(equities.join("ZZZ.parquet"), b"").unwrap();
    fs::write(equities.join(".SPY_1H.parquet.7.0.tmp"), b"half").unwrap();
    fs::write(equities.join("SPY_1H.quarantine.csv"), b"row").unwrap();
    let entries = lake.list().unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let name = entry.path.file_name().unwrap().to_string_lossy().into_owned();
            (
                name,
                entry
                    .content
                    .as_ref()
                    .map_err(DataError::to_string)
                    .map(FileMeta::title),
            )
        })
        .collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(
        told[0].0 == "QQQ_1D.parquet" && told[0].1.as_ref().unwrap_err().contains("cut short"),
        "{told:?}"
    );
    assert_eq!(
        told[1],
        ("SPY_1H.parquet".to_owned(), Ok("SPY 1H (equity)".to_owned()))
    );
    assert!(
        told[2].1.as_ref().unwrap_err().contains("<symbol>_<timeframe>"),
        "{told:?}"
    );
    assert_eq!(told[3].1, Ok("the macro table numbers".to_owned()));
    assert_eq!(lake.bar_keys().unwrap().len(), 2);
}

/// A sealed file with any metadata and columns.
fn forge(lake: &Lake, json: &str, columns: &columns::Columns) -> String {
    let bytes = parquet::encode(columns, json.to_owned()).unwrap();
    replace(&lake.bars_path(&key()), &bytes).unwrap();
    load(lake).unwrap_err().to_string()
}

#[test]
fn a_sealed_file_with_another_content_is_refused() {
    let (_folder, lake) = lake();
    lake.write_bars(&key(), &bars(9, 1.0), None, &provenance())
        .unwrap();
    let bytes = fs::read(lake.bars_path(&key())).unwrap();
    let (json, columns) = parquet::decode(&bytes).unwrap();

    let mut other = columns.clone();
    other.values[0].1[3] *= 1.000_000_1;
    assert!(forge(&lake, &json, &other).contains("digest"));
    assert!(forge(&lake, "{}", &columns).contains("format version is missing"));
    assert!(forge(&lake, "not JSON", &columns).contains("metadata"));
    assert!(forge(&lake, &json.replace("\"format\":1", "\"format\":2"), &columns).contains("version 2"));
    assert!(forge(&lake, &json.replace("\"rows\"", "\"lines\""), &columns).contains("lines"));
    assert!(forge(&lake, &json.replace("SPY", "QQQ"), &columns).contains("it holds QQQ"));

    let mut fewer = columns.clone();
    fewer.values.pop();
    let rehashed = |columns: &columns::Columns| {
        let FileMeta::Bars(meta) = FileMeta::from_json(&json).unwrap() else {
            panic!("a bar file")
        };
        let identity = "bars\n1\nequity\nSPY\n1H\nsynthetic false\nnone: prices are those of the source";
        let digest = columns.digest(identity);
        FileMeta::Bars(BarMeta { digest, ..meta }).to_json()
    };
    assert!(forge(&lake, &rehashed(&fewer), &fewer).contains("columns"));
    let mut crossed = columns.clone();
    crossed.values[1].1[0] = 1.0;
    assert!(forge(&lake, &rehashed(&crossed), &crossed).contains("no series"));
}

#[test]
fn parquet_of_another_program_is_refused_by_name() {
    use polars::prelude::{Column, DataFrame, ParquetWriter};
    let (_folder, lake) = lake();
    let mut frame = DataFrame::new_infer_height(vec![Column::new("close".into(), [1.0, 2.0])]).unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    replace(&lake.bars_path(&key()), &bytes).unwrap();
    let message = load(&lake).unwrap_err().to_string();
    assert!(
        message.contains("SPY_1H.parquet") && message.contains("another program"),
        "{message}"
    );
    assert!(
        message.contains("data import --from <CSV file> --symbol SPY"),
        "{message}"
    );
}

#[test]
fn resampled_bars_keep_their_raw_side() {
    let (_folder, lake) = lake();
    let crypto = BarKey::new(AssetClass::Crypto, "BTC-USD", Timeframe::H1).unwrap();
    lake.write_bars(&crypto, &bars(10, 0.5), Some(&raw(10)), &provenance())
        .unwrap();
    let (meta, report) = lake.resample_bars(&crypto, Timeframe::H4).unwrap();
    assert_eq!(
        (meta.rows, report.forming.map(|window| window.found)),
        (2, Some(2))
    );
    let stored = lake
        .load_bars(AssetClass::Crypto, "BTC-USD", Timeframe::H4)
        .unwrap();
    let traded = stored.raw.unwrap();
    assert_eq!(stored.bars.bar(0).close, traded.bars.bar(0).close * 0.5);
    assert_eq!(traded.adjustment_factor, [0.5, 0.5]);
    assert!(meta.source.contains("resampled from 1H"), "{}", meta.source);
    assert!(lake.resample_bars(&crypto, Timeframe::M1).is_err());
}
