//! SQL over the lake: what it shows, and what it refuses.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sextant_data::{MacroTable, RawBars};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};
use sextant_query::{Cell, LakeQuery, LakeQueryOptions, SqlTable};

use crate::support::{TestLake, bars, key, provenance, time};

fn lake() -> TestLake {
    let lake = TestLake::new();
    let span = ["2020-01-29", "2020-02-04"];
    let minutes = bars(AssetClass::Equity, Timeframe::M30, span);
    let raw = RawBars {
        bars: minutes.clone(),
        adjustment_factor: vec![1.0; minutes.len()],
        adjustment: "by one".to_owned(),
    };
    lake.write_raw(
        &key(AssetClass::Equity, "SPY", Timeframe::M30),
        &minutes,
        Some(&raw),
    );
    for symbol in ["BTC-USD", "con"] {
        let key = key(AssetClass::Crypto, symbol, Timeframe::H4);
        lake.write(&key, &bars(AssetClass::Crypto, Timeframe::H4, span));
    }
    let table = MacroTable {
        published: [1, 2, 3]
            .map(|day| UtcNanos::from_nanos(day * 86_400_000_000_000))
            .to_vec(),
        series: vec![("10y".to_owned(), vec![1.5, f64::NAN, 1.25])],
        publication: "at once".to_owned(),
    };
    lake.lake
        .write_macro("yield_curve", &table, &provenance())
        .unwrap();
    lake
}

fn texts(table: &SqlTable) -> Vec<String> {
    let row = |row: &Vec<Cell>| row.iter().map(Cell::to_string).collect::<Vec<_>>().join("|");
    table.rows.iter().map(row).collect()
}

#[test]
fn the_views_show_everything() {
    let lake = lake();
    let session = lake.query().session().unwrap();
    let run = |sql: &str| session.run(sql).unwrap();
    let counts = run("SELECT class, symbol, timeframe, count(*) FROM bars GROUP BY ALL ORDER BY ALL");
    let count = |class, symbol, timeframe| lake.load(&key(class, symbol, timeframe)).len();
    let expected = [
        format!(
            "crypto|BTC-USD|4H|{}",
            count(AssetClass::Crypto, "BTC-USD", Timeframe::H4)
        ),
        format!(
            "crypto|con|4H|{}",
            count(AssetClass::Crypto, "con", Timeframe::H4)
        ),
        format!(
            "equity|SPY|30M|{}",
            count(AssetClass::Equity, "SPY", Timeframe::M30)
        ),
    ];
    assert_eq!(texts(&counts), expected);

    let rows = run("FROM bars WHERE symbol = 'SPY' ORDER BY open_time");
    assert_eq!(
        rows.columns,
        [
            "class",
            "symbol",
            "timeframe",
            "open_time",
            "close_time",
            "open",
            "high",
            "low",
            "close",
            "volume"
        ]
    );
    let stored = lake.load(&key(AssetClass::Equity, "SPY", Timeframe::M30));
    assert_eq!(rows.rows.len(), stored.len());
    for (row, bar) in rows.rows.iter().zip(stored.iter()) {
        let found = (&row[3], &row[4], &row[5], &row[8], &row[9]);
        let expected = (
            &Cell::Time(bar.open_time),
            &Cell::Time(bar.close_time),
            &Cell::Float(bar.open),
            &Cell::Float(bar.close),
            &Cell::Float(bar.volume),
        );
        assert_eq!(found, expected);
    }
    let day = "SELECT count(*) FROM bars WHERE symbol = 'con' AND open_time >= '2020-01-30' AND open_time < '2020-01-31'";
    let bars = lake.load(&key(AssetClass::Crypto, "con", Timeframe::H4));
    let (from, to) = (time("2020-01-30"), time("2020-01-31"));
    let of_day = bars
        .iter()
        .filter(|bar| (from..to).contains(&bar.open_time))
        .count();
    assert_eq!(run(day).rows, [vec![Cell::Int(of_day as i128)]]);

    let macros = run("SELECT * FROM macro.yield_curve ORDER BY published");
    assert_eq!(macros.columns, ["published", "10y"]);
    assert_eq!(
        texts(&macros),
        [
            "1970-01-02T00:00:00Z|1.5",
            "1970-01-03T00:00:00Z|",
            "1970-01-04T00:00:00Z|1.25"
        ]
    );
}

#[test]
fn values_of_every_kind_are_rows() {
    let lake = TestLake::new();
    let table = lake.query().sql(
        "SELECT NULL AS a, true AS b, 7::UTINYINT AS c, -7::BIGINT AS d, 18446744073709551615::UBIGINT AS e, \
         (SELECT sum(range) FROM range(5)) AS f, 1.50::DECIMAL(9,2) AS g, 0.5::FLOAT AS h, 'x' AS i, \
         DATE '2020-02-29' AS j, TIMESTAMP_NS '2020-01-01 00:00:00.000000001' AS k, [1, 2] AS l, \
         TIMESTAMP '3000-01-01' AS m",
    );
    let table = table.unwrap();
    assert_eq!(table.columns.len(), 13);
    let first = &table.rows[0];
    assert_eq!(
        first[..6],
        [
            Cell::Null,
            Cell::Bool(true),
            Cell::Int(7),
            Cell::Int(-7),
            Cell::Int(18_446_744_073_709_551_615),
            Cell::Int(10),
        ]
    );
    assert_eq!(first[7], Cell::Float(0.5));
    let shown: Vec<_> = first[6..].iter().map(Cell::to_string).collect();
    assert_eq!(
        shown,
        [
            "1.50",
            "0.5",
            "x",
            "2020-02-29",
            "2020-01-01T00:00:00.000000001Z",
            "[1, 2]",
            "3000-01-01T00:00:00"
        ]
    );
}

#[test]
fn an_empty_lake_has_views_without_rows() {
    let lake = TestLake::new();
    let table = lake.query().sql("SELECT * FROM bars").unwrap();
    assert_eq!((table.columns.len(), table.rows.len()), (10, 0));
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn nothing_can_be_written_and_nothing_else_be_read() {
    let lake = lake();
    let outside = lake.folder.path().join("outside.csv");
    std::fs::write(&outside, "secret\n1\n").unwrap();
    let inside = lake
        .files(&key(AssetClass::Crypto, "con", Timeframe::H4))
        .remove(0);
    let before = files(lake.folder.path());
    let (outside, inside) = (
        outside.display().to_string().replace('\'', "''"),
        inside.display().to_string().replace('\'', "''"),
    );
    let temp_folder = lake.folder.path().join("temp");
    let options = LakeQueryOptions {
        temp_folder: Some(temp_folder.clone()),
        ..LakeQueryOptions::default()
    };
    let session = LakeQuery::new(lake.lake.clone(), options)
        .unwrap()
        .session()
        .unwrap();
    let temp = temp_folder.display().to_string().replace('\'', "''");
    for statement in [
        format!("COPY (SELECT 1) TO '{inside}' (FORMAT csv, USE_TMP_FILE false)"),
        format!("COPY bars TO '{temp}/x.csv'"),
        format!("SELECT 1; COPY (SELECT 1) TO '{inside}'"),
        format!("SELECT 1) UNION (COPY (SELECT 1) TO '{inside}'"),
        format!("SELECT * FROM read_csv('{outside}')"),
        format!("SELECT * FROM '{outside}'"),
        format!("SELECT * FROM read_text('{outside}')"),
        format!("SELECT * FROM query('COPY (SELECT 1) TO ''{temp}/x.csv''')"),
        format!("ATTACH '{temp}/x.db'"),
        format!("EXPORT DATABASE '{temp}'"),
        "SELECT * FROM glob('/*')".to_owned(),
        "SELECT * FROM read_csv('https://example.invalid/x.csv')".to_owned(),
        "INSTALL httpfs".to_owned(),
        "LOAD httpfs".to_owned(),
        "CREATE TABLE x AS SELECT 1".to_owned(),
        "DROP VIEW bars".to_owned(),
        "SET lock_configuration = false".to_owned(),
        "SET enable_external_access = true".to_owned(),
        "SET memory_limit = '1TB'".to_owned(),
        "RESET allowed_paths".to_owned(),
        "PRAGMA enable_external_access".to_owned(),
        String::new(),
        "-- nothing".to_owned(),
    ] {
        let refused = session.run(&statement);
        assert!(refused.is_err(), "{statement}: {refused:?}");
    }
    for statement in [
        "SELECT 1;",
        "WITH x AS (SELECT 1 AS a) SELECT a FROM x",
        "VALUES (1)",
        "DESCRIBE bars",
    ] {
        assert!(session.run(statement).is_ok(), "{statement}");
    }
    drop(session);
    let after: BTreeMap<_, _> = files(lake.folder.path())
        .into_iter()
        .filter(|(path, _)| !path.starts_with(&temp_folder))
        .collect();
    assert_eq!(after, before);
    if temp_folder.exists() {
        assert!(files(&temp_folder).is_empty());
    }
}

#[test]
fn what_is_wrong_with_a_statement_is_told() {
    let lake = lake();
    let options = LakeQueryOptions {
        max_rows: 10,
        ..LakeQueryOptions::default()
    };
    let session = LakeQuery::new(lake.lake.clone(), options)
        .unwrap()
        .session()
        .unwrap();
    let message = |sql: &str| session.run(sql).unwrap_err().to_string();
    assert!(message("SELECT nothing FROM bars").contains("nothing"));
    assert!(message("UPDATE bars SET close = 1").contains("SELECT"));
    let many = message("FROM range(11)");
    assert!(
        many.contains("more than 10 rows") && many.contains("LIMIT"),
        "{many}"
    );
    assert_eq!(session.run("FROM range(10)").unwrap().rows.len(), 10);
    assert!(message("SELECT error('stop')").contains("stop"));

    let bad = LakeQueryOptions {
        threads: 0,
        ..LakeQueryOptions::default()
    };
    assert!(LakeQuery::new(lake.lake.clone(), bad).is_err());
}

#[test]
fn a_damaged_macro_table_is_named() {
    let lake = lake();
    let path = lake.lake.macro_path("yield_curve").unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let message = lake.query().sql("SELECT 1").unwrap_err().to_string();
    assert!(message.contains("yield_curve.parquet"), "{message}");
}
