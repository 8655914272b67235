//! Damage: every flipped bit and every cut of a run folder is found before use and named.

use std::fs;
use std::path::{Path, PathBuf};

use sextant_store::*;

use crate::sample::{Random, info, manifest, tables};

fn files(folder: &RunFolder) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), run_tables().len() + 3);
    files
}

fn assert_refused(folders: &RunFolders, file: &Path, what: &str) {
    let id = manifest(1).run_id().clone();
    let message = folders.load_run(&id).expect_err(what).to_string();
    assert!(message.contains(file.to_str().unwrap()), "{what}: {message}");
    assert!(
        message.contains(id.as_str()) && message.contains("cargo xtask store rebuild"),
        "{message}"
    );
}

#[test]
fn flips_and_cuts_are_found_and_the_file_is_named() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let folder = folders.write(&manifest(1), &info(), &tables(100)).unwrap().folder;
    let files = files(&folder);
    let mut random = Random::new(7);
    for round in 0..1_000 {
        let file = &files[random.below(files.len())];
        let whole = fs::read(file).unwrap();
        let position = random.below(whole.len());
        let mut damaged = whole.clone();
        if round % 5 == 0 {
            damaged.truncate(position);
        } else {
            damaged[position] ^= 1 << random.below(8);
        }
        fs::write(file, damaged).unwrap();
        assert_refused(
            &folders,
            file,
            &format!("round {round}, byte {position} of {}", file.display()),
        );
        fs::write(file, whole).unwrap();
    }
    assert_eq!(
        folders.load_run(manifest(1).run_id()).unwrap().tables,
        tables(100)
    );
}

#[test]
fn a_missing_file_is_named() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let folder = folders.write(&manifest(1), &info(), &tables(3)).unwrap().folder;
    for file in files(&folder) {
        let whole = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert_refused(&folders, &file, "missing");
        fs::write(&file, whole).unwrap();
    }
}

#[test]
fn files_of_others_in_the_folder_do_no_harm() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let folder = folders.write(&manifest(1), &info(), &tables(3)).unwrap().folder;
    fs::write(folder.path().join("report.html"), "<html>").unwrap();
    assert_eq!(folders.load_run(manifest(1).run_id()).unwrap().tables, tables(3));
}

#[test]
fn a_folder_under_another_name_is_refused() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let folder = folders.write(&manifest(1), &info(), &tables(3)).unwrap().folder;
    let other = manifest(2).run_id().clone();
    fs::rename(folder.path(), folders.run_dir(&other)).unwrap();
    let message = folders.open(&other).unwrap_err().to_string();
    assert!(
        message.contains("manifest.json") && message.contains(manifest(1).run_id().as_str()),
        "{message}"
    );
}

#[test]
fn running_again_replaces_a_damaged_folder() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let folder = folders.write(&manifest(1), &info(), &tables(30)).unwrap().folder;
    for file in files(&folder) {
        fs::write(&file, "rubbish").unwrap();
        let written = folders.write(&manifest(1), &info(), &tables(30)).unwrap();
        let WriteOutcome::ReplacedDamaged(why) = written.outcome else {
            panic!("{:?}", written.outcome)
        };
        assert!(why.contains(file.to_str().unwrap()), "{why}");
        assert_eq!(folders.load_run(manifest(1).run_id()).unwrap().tables, tables(30));
    }
    folders.write(&manifest(2), &info(), &tables(1)).unwrap();
    let names: Vec<_> = fs::read_dir(folders.runs_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 3, "two runs and the lock: {names:?}");
}

#[test]
fn damage_does_not_hide_that_a_run_is_not_reproducible() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let folder = folders.write(&manifest(1), &info(), &tables(30)).unwrap().folder;
    fs::write(folder.path().join("equity.parquet"), "rubbish").unwrap();
    let mut changed = tables(30);
    changed.trades.pop();
    let message = folders
        .write(&manifest(1), &info(), &changed)
        .unwrap_err()
        .to_string();
    assert!(message.contains("now trades came out different"), "{message}");
}

/// A flip in the database is either refused, or has hit nothing that is read: wrong rows never come out.
#[test]
fn a_damaged_database_never_gives_other_rows() {
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let written = folders.write(&manifest(1), &info(), &tables(300)).unwrap().folder;
    let mut store = Store::open(results.path()).unwrap();
    store.index_run(&written).unwrap();
    let runs = store.runs().unwrap();
    store.close().unwrap();
    let path = Store::database_path(results.path());
    let whole = fs::read(&path).unwrap();
    let mut random = Random::new(11);
    let mut refused = 0;
    for round in 0..200 {
        let mut damaged = whole.clone();
        if round % 10 == 0 {
            damaged.truncate(random.below(whole.len()));
        } else {
            damaged[random.below(whole.len())] ^= 1 << random.below(8);
        }
        fs::write(&path, damaged).unwrap();
        let read = Store::open_read_only(results.path()).and_then(|store| {
            store.verify_run(&written)?;
            store.runs()
        });
        match read {
            Ok(read) => assert_eq!(read, runs),
            Err(refusal) => {
                refused += 1;
                let message = refusal.to_string();
                assert!(
                    message.contains("sextant.db") && message.contains("cargo xtask store rebuild"),
                    "{message}"
                );
            }
        }
    }
    assert!(refused > 50, "only {refused} of 200 were refused");
    let report = rebuild(results.path(), &mut |_| ()).unwrap();
    assert_eq!(report.indexed, [manifest(1).run_id().clone()]);
    assert_eq!(
        Store::open_read_only(results.path()).unwrap().runs().unwrap(),
        runs
    );
}
