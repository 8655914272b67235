//! The database: indexing, listing, rebuilding, and what a user with a stock client sees.

use std::fs;

use duckdb::{AccessMode, Config, Connection};
use sextant_domain::UtcNanos;
use sextant_store::*;

use crate::sample::{info, manifest, tables};

/// A connection as a stock client makes it.
pub(crate) fn stock_client(results: &std::path::Path) -> Connection {
    let config = Config::default().access_mode(AccessMode::ReadOnly).unwrap();
    Connection::open_with_flags(Store::database_path(results), config).unwrap()
}

fn count(connection: &Connection, sql: &str) -> u64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn indexed_rows_are_those_of_the_folder() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let mut store = Store::open(results.path()).unwrap();
    for (seed, rows) in [(1, 3_000), (2, 0), (3, 10)] {
        let folder = folders
            .write(&manifest(seed), &info(), &tables(rows))
            .unwrap()
            .folder;
        assert_eq!(store.index_run(&folder).unwrap(), IndexOutcome::Indexed);
        assert_eq!(store.index_run(&folder).unwrap(), IndexOutcome::AlreadyThere);
    }
    for seed in [1, 2, 3] {
        store
            .verify_run(&folders.open(manifest(seed).run_id()).unwrap())
            .unwrap();
    }
    let counts = store.row_counts().unwrap();
    for table in run_tables() {
        assert_eq!(counts[table.name], 3_010, "{}", table.name);
    }
    assert_eq!(
        (counts["runs"], counts["run_data"], counts["assumptions"]),
        (3, 6, 3)
    );
}

#[test]
fn changed_rows_in_the_database_are_found_and_replaced() {
    let results = tempfile::tempdir().unwrap();
    let folder = RunFolders::new(results.path())
        .write(&manifest(1), &info(), &tables(20))
        .unwrap()
        .folder;
    let mut store = Store::open(results.path()).unwrap();
    store.index_run(&folder).unwrap();
    store.close().unwrap();
    let connection = Connection::open(Store::database_path(results.path())).unwrap();
    connection
        .execute_batch("DELETE FROM trades WHERE quantity > 0; UPDATE runs SET rows_digest = 'old'")
        .unwrap();
    drop(connection);
    let mut store = Store::open(results.path()).unwrap();
    let message = store.verify_run(&folder).unwrap_err().to_string();
    assert!(message.contains("table trades"), "{message}");
    assert_eq!(store.index_run(&folder).unwrap(), IndexOutcome::Replaced);
    store.verify_run(&folder).unwrap();
    assert_eq!(store.row_counts().unwrap()["trades"], 20);
}

#[test]
fn a_folder_that_was_made_again_is_indexed_again() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let mut store = Store::open(results.path()).unwrap();
    store
        .index_run(&folders.write(&manifest(1), &info(), &tables(5)).unwrap().folder)
        .unwrap();
    fs::write(folders.run_dir(manifest(1).run_id()).join("equity.parquet"), "").unwrap();
    let later = RunInfo {
        created_at: UtcNanos::from_nanos(5),
        duration_seconds: 0.5,
    };
    let again = folders.write(&manifest(1), &later, &tables(5)).unwrap();
    assert!(matches!(again.outcome, WriteOutcome::ReplacedDamaged(_)));
    assert_eq!(store.index_run(&again.folder).unwrap(), IndexOutcome::Replaced);
    assert_eq!(store.runs().unwrap()[0].run.created_at, later.created_at);
    assert_eq!(store.row_counts().unwrap()["equity"], 5);
}

#[test]
fn runs_are_listed_newest_first_with_the_portfolios_figures() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let mut store = Store::open(results.path()).unwrap();
    for (seed, day) in [(1, 5), (2, 9), (3, 7)] {
        let info = RunInfo {
            created_at: UtcNanos::from_nanos(day),
            duration_seconds: 0.5,
        };
        store
            .index_run(&folders.write(&manifest(seed), &info, &tables(4)).unwrap().folder)
            .unwrap();
    }
    let runs = store.runs().unwrap();
    let ids: Vec<_> = runs.iter().map(|run| run.run_id.clone()).collect();
    assert_eq!(ids, [2, 3, 1].map(|seed| manifest(seed).run_id().clone()));
    assert_eq!(
        (
            runs[0].run.seed,
            runs[0].run.synthetic,
            runs[0].run.universe.as_str()
        ),
        (2, true, "SPY,QQQ")
    );
    assert_eq!(runs[0].run.folder, format!("runs/{}", ids[0]));
    assert_eq!(
        runs[0].figures,
        [tables(4).metrics[0].clone(), tables(4).metrics[2].clone()]
    );
    assert_eq!(runs[0].figure("figure2"), Some(&tables(4).metrics[2]));
    assert_eq!(runs[0].figure("figure1"), None, "that is a model's");
}

#[test]
fn a_rebuild_equals_the_database_it_replaces() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let mut store = Store::open(results.path()).unwrap();
    for seed in 0..4 {
        let rows = tables(seed as usize * 700);
        store
            .index_run(&folders.write(&manifest(seed), &info(), &rows).unwrap().folder)
            .unwrap();
    }
    let before = (store.row_counts().unwrap(), store.runs().unwrap());
    store.close().unwrap();
    let path = Store::database_path(results.path());
    // Deleted, damaged, and as it is; a log of the old file must not get into the new one.
    for damage in [None, Some("rubbish"), Some("")] {
        fs::remove_file(&path).unwrap();
        if let Some(content) = damage {
            fs::write(&path, content).unwrap();
            fs::write(results.path().join("sextant.db.wal"), "an old log").unwrap();
        }
        let mut steps = Vec::new();
        let report = rebuild(results.path(), &mut |step| {
            steps.push((step.done, step.total, step.run.clone()))
        })
        .unwrap();
        assert!(report.left_out.is_empty());
        assert_eq!(report.indexed, folders.ids().unwrap());
        assert_eq!(
            steps.iter().map(|step| (step.0, step.1)).collect::<Vec<_>>(),
            [(0, 4), (1, 4), (2, 4), (3, 4)]
        );
        let store = Store::open_read_only(results.path()).unwrap();
        assert_eq!((store.row_counts().unwrap(), store.runs().unwrap()), before);
        for id in folders.ids().unwrap() {
            store.verify_run(&folders.open(&id).unwrap()).unwrap();
        }
        assert_eq!(store.gap().unwrap(), IndexGap::default());
    }
}

#[test]
fn a_rebuild_leaves_out_damaged_runs_and_says_so() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    for seed in 0..3 {
        folders.write(&manifest(seed), &info(), &tables(5)).unwrap();
    }
    let bad = manifest(1).run_id().clone();
    fs::write(folders.run_dir(&bad).join("fills.parquet"), "PAR1").unwrap();
    let report = rebuild(results.path(), &mut |_| ()).unwrap();
    assert_eq!(report.indexed.len(), 2);
    let [(run, reason)] = report.left_out.as_slice() else {
        panic!("{:?}", report.left_out)
    };
    assert_eq!(*run, bad);
    assert!(reason.to_string().contains("fills.parquet"), "{reason}");
    let gap = Store::open_read_only(results.path()).unwrap().gap().unwrap();
    assert_eq!(
        gap,
        IndexGap {
            unindexed: vec![bad],
            without_folder: Vec::new()
        }
    );
}

#[test]
fn the_gap_tells_deleted_folders_and_missing_rows() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let mut store = Store::open(results.path()).unwrap();
    let gone = folders.write(&manifest(1), &info(), &tables(5)).unwrap().folder;
    store.index_run(&gone).unwrap();
    fs::remove_dir_all(gone.path()).unwrap();
    let new = folders.write(&manifest(2), &info(), &tables(5)).unwrap().folder;
    let gap = store.gap().unwrap();
    assert_eq!(gap.unindexed, [new.run_id().clone()]);
    assert_eq!(gap.without_folder, [gone.run_id().clone()]);
}

#[test]
fn a_missing_or_foreign_database_is_told() {
    let results = tempfile::tempdir().unwrap();
    let message = Store::open_read_only(results.path()).unwrap_err().to_string();
    assert!(
        message.contains("sextant.db") && message.contains("0 run folders"),
        "{message}"
    );
    assert!(
        !Store::database_path(results.path()).exists(),
        "reading makes nothing"
    );
    let path = Store::database_path(results.path());
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE runs (run_id VARCHAR NOT NULL, profit DOUBLE)")
        .unwrap();
    drop(other);
    for refusal in [
        Store::open(results.path()).unwrap_err(),
        Store::open_read_only(results.path()).unwrap_err(),
    ] {
        let message = refusal.to_string();
        assert!(
            message.contains("another version") && message.contains("store rebuild"),
            "{message}"
        );
    }
    rebuild(results.path(), &mut |_| ()).unwrap();
    Store::open(results.path()).unwrap();
}

#[test]
fn a_reader_cannot_add_runs() {
    let results = tempfile::tempdir().unwrap();
    let folder = RunFolders::new(results.path())
        .write(&manifest(1), &info(), &tables(5))
        .unwrap()
        .folder;
    Store::open(results.path()).unwrap().close().unwrap();
    let mut reader = Store::open_read_only(results.path()).unwrap();
    assert!(matches!(
        reader.index_run(&folder),
        Err(StoreError::ReadOnly { .. })
    ));
    reader.close().unwrap();
}

#[test]
fn a_user_can_add_tables_and_views_of_their_own() {
    let results = tempfile::tempdir().unwrap();
    Store::open(results.path()).unwrap().close().unwrap();
    let own = Connection::open(Store::database_path(results.path())).unwrap();
    own.execute_batch("CREATE VIEW best AS SELECT * FROM metrics; CREATE TABLE notes (text VARCHAR)")
        .unwrap();
    drop(own);
    Store::open(results.path()).unwrap().close().unwrap();
}

#[test]
fn a_stock_client_reads_one_file_and_sees_the_docs() {
    let results = tempfile::tempdir().unwrap();
    let folder = RunFolders::new(results.path())
        .write(&manifest(1), &info(), &tables(5))
        .unwrap()
        .folder;
    let mut store = Store::open(results.path()).unwrap();
    store.index_run(&folder).unwrap();
    assert!(
        !results.path().join("sextant.db.wal").exists(),
        "everything is in the one file already"
    );
    store.close().unwrap();
    let client = stock_client(results.path());
    for table in run_tables().iter().chain(index_tables()) {
        // Names need no quotes.
        let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        let sql = format!(
            "SELECT count(*) FROM (SELECT run_id, {} FROM {})",
            names.join(", "),
            table.name
        );
        assert!(count(&client, &sql) > 0, "{}", table.name);
        for column in table.columns {
            assert!(
                column.doc().ends_with('.'),
                "{}.{}: {}",
                table.name,
                column.name,
                column.doc()
            );
            let sql = "SELECT count(*) FROM duckdb_columns() WHERE table_name = ? AND column_name = ? AND comment = ?";
            let found: u64 = client
                .query_row(sql, [table.name, column.name, column.doc()], |row| row.get(0))
                .unwrap();
            assert_eq!(found, 1, "{}.{}", table.name, column.name);
        }
        let sql = format!(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = '{}' AND comment IS NOT NULL",
            table.name
        );
        assert_eq!(count(&client, &sql), 1);
    }
    let exact: String = client
        .query_row("SELECT CAST(min(slippage) AS VARCHAR) FROM fills", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(exact, "-7922816251426433759354.3950335000000000");
    let mut statement = client
        .prepare("SELECT CAST(time AS VARCHAR) FROM equity ORDER BY rowid")
        .unwrap();
    let printed = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .map(|text| text.unwrap());
    let expected = [
        "1677-09-22 00:00:00",
        "1969-12-31 23:59:59.999999999",
        "1970-01-01 00:00:00",
        "2020-03-08 07:00:00.123456789",
        "2262-04-11 23:47:16.854775806",
    ];
    assert_eq!(printed.collect::<Vec<_>>(), expected);
}
