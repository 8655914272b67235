//! Two processes in one results folder.

use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use sextant_store::*;

use crate::index::stock_client;
use crate::sample::{info, manifest, tables};

const FOLDER: &str = "SEXTANT_STORE_TEST_FOLDER";
const ROLE: &str = "SEXTANT_STORE_TEST_ROLE";

/// Another process, whose output stays open so that it can write to it.
pub(crate) struct OtherProcess {
    child: Child,
    _output: Lines<BufReader<ChildStdout>>,
}

impl OtherProcess {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it end.
    fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }

    /// Ends it, wherever it is.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs one of the tests of this binary as another process and waits until it says that it is ready.
pub(crate) fn start_child(test: &str, role: &str, results: &Path) -> OtherProcess {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, results)
        .env(ROLE, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        output.any(|line| line.unwrap().contains("ready")),
        "the other process ended before it was ready"
    );
    OtherProcess {
        child,
        _output: output,
    }
}

/// The folder and the role, in a process that was started by [`start_child`].
pub(crate) fn own_role() -> Option<(std::path::PathBuf, String)> {
    Some((std::env::var_os(FOLDER)?.into(), std::env::var(ROLE).ok()?))
}

/// The other process: holds the database until its input ends.
#[test]
fn other_process() {
    let Some((results, role)) = own_role() else { return };
    let (store, client) = match role.as_str() {
        "writer" => (Some(Store::open(&results).unwrap()), None),
        "reader" => (Some(Store::open_read_only(&results).unwrap()), None),
        "stock writer" => (
            None,
            Some(duckdb::Connection::open(Store::database_path(&results)).unwrap()),
        ),
        "stock reader" => (None, Some(stock_client(&results))),
        other => panic!("unknown role {other}"),
    };
    println!("ready");
    let _ = std::io::stdin().read(&mut [0]);
    drop((store, client));
}

fn results_with_a_run() -> tempfile::TempDir {
    let results = tempfile::tempdir().unwrap();
    let folder = RunFolders::new(results.path())
        .write(&manifest(1), &info(), &tables(5))
        .unwrap()
        .folder;
    let mut store = Store::open(results.path()).unwrap();
    store.index_run(&folder).unwrap();
    store.close().unwrap();
    results
}

fn assert_in_use<T>(opened: Result<T, StoreError>, holder: &str) {
    let message = opened.map(|_| ()).unwrap_err().to_string();
    assert!(
        message.contains("sextant.db is in use") && message.contains(holder),
        "{message}"
    );
    assert!(
        message.contains("run folders beside it can be read meanwhile"),
        "{message}"
    );
}

#[test]
fn beside_a_writer_nobody_has_the_database_but_the_folders_can_be_read() {
    let results = results_with_a_run();
    let writer = start_child("locks::other_process", "writer", results.path());
    let process = format!("process {}", writer.id());
    assert_in_use(Store::open(results.path()), &process);
    assert_in_use(Store::open_read_only(results.path()), &process);
    assert_in_use(rebuild(results.path(), &mut |_| ()), &process);
    let folders = RunFolders::new(results.path());
    let id = folders.resolve(&manifest(1).run_id().as_str()[..4]).unwrap();
    assert_eq!(folders.load_run(&id).unwrap().tables, tables(5));
    folders.write(&manifest(2), &info(), &tables(5)).unwrap();
    writer.end();
    Store::open(results.path()).unwrap().close().unwrap();
}

#[test]
fn readers_do_not_disturb_each_other_but_keep_writers_out() {
    let results = results_with_a_run();
    let reader = start_child("locks::other_process", "reader", results.path());
    let here = Store::open_read_only(results.path()).unwrap();
    assert_eq!(here.runs().unwrap().len(), 1);
    let second = Store::open_read_only(results.path()).unwrap();
    drop((here, second));
    assert_in_use(Store::open(results.path()), "another process is reading it");
    reader.end();
    Store::open(results.path()).unwrap();
}

#[test]
fn a_second_store_of_the_same_process_is_refused() {
    let results = results_with_a_run();
    let first = Store::open(results.path()).unwrap();
    assert_in_use(
        Store::open(results.path()),
        &format!("process {}", std::process::id()),
    );
    drop(first);
    Store::open(results.path()).unwrap();
}

#[test]
fn a_stock_client_that_has_the_database_is_named() {
    let results = results_with_a_run();
    let client = start_child("locks::other_process", "stock writer", results.path());
    let process = format!("PID {}", client.id());
    assert_in_use(Store::open(results.path()), &process);
    assert_in_use(Store::open_read_only(results.path()), &process);
    client.end();
    let client = start_child("locks::other_process", "stock reader", results.path());
    assert_in_use(Store::open(results.path()), &format!("PID {}", client.id()));
    assert_eq!(
        Store::open_read_only(results.path())
            .unwrap()
            .runs()
            .unwrap()
            .len(),
        1
    );
    client.end();
}

#[test]
fn a_killed_writer_leaves_no_lock() {
    let results = results_with_a_run();
    start_child("locks::other_process", "writer", results.path()).kill();
    Store::open(results.path()).unwrap().close().unwrap();
    let reader = start_child("locks::other_process", "reader", results.path());
    assert_in_use(Store::open(results.path()), "another process is reading it");
    reader.end();
}
