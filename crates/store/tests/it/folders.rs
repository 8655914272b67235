//! Run folders: round trip, equal and unequal repetition, unknown ids, left-overs.

use std::fs;

use sextant_domain::UtcNanos;
use sextant_store::*;

use crate::sample::{info, manifest, tables};

#[test]
fn every_row_comes_back_exactly() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    // More rows than one DuckDB vector (2,048) holds, with nulls on both sides of the border.
    let rows = tables(5_000);
    let written = folders.write(&manifest(1), &info(), &rows).unwrap();
    assert_eq!(written.outcome, WriteOutcome::New);
    let loaded = folders.load_run(manifest(1).run_id()).unwrap();
    assert_eq!(loaded.tables, rows);
    assert_eq!(loaded.manifest, manifest(1));
    assert_eq!(loaded.info, info());
    for table in run_tables() {
        assert_eq!(
            written.folder.table_digests()[table.name].rows,
            5_000,
            "{}",
            table.name
        );
    }
}

#[test]
fn a_run_without_rows_is_a_run() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path().join("not").join("there yet"));
    assert_eq!(folders.ids().unwrap(), []);
    folders
        .write(&manifest(1), &info(), &RunTables::default())
        .unwrap();
    assert_eq!(
        folders.load_run(manifest(1).run_id()).unwrap().tables,
        RunTables::default()
    );
}

#[test]
fn odd_folder_names_are_only_names() {
    let results = tempfile::tempdir().unwrap();
    let odd = results.path().join("run=7, it's [a*b] ~ 100 %");
    let folders = RunFolders::new(&odd);
    let written = folders.write(&manifest(1), &info(), &tables(10)).unwrap();
    assert_eq!(folders.load_run(manifest(1).run_id()).unwrap().tables, tables(10));
    let mut store = Store::open(&odd).unwrap();
    assert_eq!(store.index_run(&written.folder).unwrap(), IndexOutcome::Indexed);
    store.verify_run(&written.folder).unwrap();
}

#[test]
fn a_question_mark_in_the_path_is_fine_for_folders_and_refused_for_the_database() {
    let results = tempfile::tempdir().unwrap();
    let odd = results.path().join("what?");
    let folders = RunFolders::new(&odd);
    folders.write(&manifest(1), &info(), &tables(10)).unwrap();
    assert_eq!(folders.load_run(manifest(1).run_id()).unwrap().tables, tables(10));
    for refusal in [
        Store::open(&odd).map(|_| ()),
        rebuild(&odd, &mut |_| ()).map(|_| ()),
    ] {
        let message = refusal.unwrap_err().to_string();
        assert!(
            message.contains("what?") && message.contains("question mark"),
            "{message}"
        );
    }
}

#[test]
fn the_same_run_again_is_already_there() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let first = folders.write(&manifest(1), &info(), &tables(50)).unwrap();
    let later = RunInfo {
        created_at: UtcNanos::from_nanos(5),
        duration_seconds: 9.0,
    };
    let second = folders.write(&manifest(1), &later, &tables(50)).unwrap();
    assert_eq!(second.outcome, WriteOutcome::AlreadyThere);
    assert_eq!(second.folder.rows_digest(), first.folder.rows_digest());
    assert_eq!(second.folder.info(), &info(), "the first writing stays");
    let other = folders.write(&manifest(2), &later, &tables(50)).unwrap();
    assert_eq!(other.outcome, WriteOutcome::New);
    assert_eq!(
        other.folder.rows_digest(),
        first.folder.rows_digest(),
        "the digest is of the rows alone"
    );
}

#[test]
fn other_rows_under_the_same_id_are_refused_by_table() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    folders.write(&manifest(1), &info(), &tables(50)).unwrap();
    let mut changed = tables(50);
    changed.orders[7].origin.push('!');
    // The order of rows is part of a result.
    changed.fills.swap(0, 1);
    let message = folders
        .write(&manifest(1), &info(), &changed)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("now orders, fills came out different"),
        "{message}"
    );
    assert!(message.contains(manifest(1).run_id().as_str()), "{message}");
    assert_eq!(
        folders.load_run(manifest(1).run_id()).unwrap().tables,
        tables(50),
        "the first result stays"
    );
}

#[test]
fn other_assumptions_under_the_same_id_are_refused() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    folders.write(&manifest(1), &info(), &tables(5)).unwrap();
    let other = Manifest::new(manifest(1).inputs().clone(), Vec::new());
    let message = folders
        .write(&other, &info(), &tables(5))
        .unwrap_err()
        .to_string();
    assert!(message.contains("assumptions"), "{message}");
}

#[test]
fn what_is_not_finite_is_refused_by_table_column_and_row() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut rows = tables(5);
        rows.equity[3].drawdown = bad;
        let message = folders
            .write(&manifest(1), &info(), &rows)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("table equity, column drawdown, row 4"),
            "{message}"
        );
        let mut rows = tables(5);
        rows.metrics[4].value = Some(bad);
        let message = folders
            .write(&manifest(1), &info(), &rows)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("table metrics, column value, row 5"),
            "{message}"
        );
    }
    assert_eq!(folders.ids().unwrap(), []);
}

#[test]
fn left_overs_of_a_killed_process_are_ignored_and_removed() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let left_over = folders
        .runs_dir()
        .join(format!(".tmp-new-{}-12345-0", manifest(1).run_id()));
    fs::create_dir_all(&left_over).unwrap();
    fs::write(left_over.join("equity.parquet"), "half a fi").unwrap();
    assert_eq!(folders.ids().unwrap(), []);
    assert!(matches!(
        folders.open(manifest(1).run_id()),
        Err(StoreError::UnknownRun { .. })
    ));
    folders.write(&manifest(1), &info(), &tables(5)).unwrap();
    assert!(!left_over.exists());
    assert_eq!(folders.ids().unwrap(), [manifest(1).run_id().clone()]);
}

#[test]
fn an_unknown_id_is_answered_with_the_nearest() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let message = folders.resolve("abc").unwrap_err().to_string();
    assert!(
        message.contains("no runs yet") && message.contains("cargo xtask backtest"),
        "{message}"
    );
    for seed in 0..9 {
        folders
            .write(&manifest(seed), &info(), &RunTables::default())
            .unwrap();
    }
    let ids = folders.ids().unwrap();
    assert_eq!(ids.len(), 9);
    let wanted = ids[4].as_str();
    assert_eq!(folders.resolve(wanted).unwrap(), ids[4]);
    assert_eq!(folders.resolve(&wanted[..12].to_uppercase()).unwrap(), ids[4]);
    let mistyped = format!("{}z{}", &wanted[..9], &wanted[10..]);
    let message = folders.resolve(&mistyped).unwrap_err().to_string();
    assert!(
        message.contains(&format!("the nearest are {wanted}")),
        "{message}"
    );
    assert!(message.contains("4 more"), "{message}");
    for nothing in ["", "../../etc", "%"] {
        assert!(
            matches!(folders.resolve(nothing), Err(StoreError::UnknownRun { .. })),
            "{nothing}"
        );
    }
}

#[test]
fn an_ambiguous_prefix_is_answered_with_all_that_match() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    // Among 17 ids two begin with the same digit.
    for seed in 0..17 {
        folders
            .write(&manifest(seed), &info(), &RunTables::default())
            .unwrap();
    }
    let ids = folders.ids().unwrap();
    let pair = ids
        .windows(2)
        .find(|pair| pair[0].as_str()[..1] == pair[1].as_str()[..1])
        .unwrap();
    let message = folders.resolve(&pair[0].as_str()[..1]).unwrap_err().to_string();
    assert!(
        message.contains(pair[0].as_str()) && message.contains(pair[1].as_str()),
        "{message}"
    );
}

#[test]
fn a_results_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let results = file.join("results");
    let failures = [
        RunFolders::new(&results)
            .write(&manifest(1), &info(), &tables(1))
            .map(|_| ())
            .unwrap_err(),
        Store::open(&results).map(|_| ()).unwrap_err(),
        rebuild(&results, &mut |_| ()).map(|_| ()).unwrap_err(),
    ];
    for failure in failures {
        let message = failure.to_string();
        assert!(message.contains("cannot create the folder"), "{message}");
        assert!(message.contains(results.to_str().unwrap()), "{message}");
        assert!(message.contains("choose another results folder"), "{message}");
    }
}
