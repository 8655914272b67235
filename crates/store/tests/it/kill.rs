//! A process that is killed while it writes and indexes runs.

use std::thread;
use std::time::Duration;

use sextant_store::*;

use crate::locks::{own_role, start_child};
use crate::sample::{Random, info, manifest, tables};

const KILLS: u64 = 100;
const RUNS: u64 = 40;

fn rows(seed: u64) -> RunTables {
    tables(20 + seed as usize)
}

/// The process to be killed: writes run after run and indexes each.
#[test]
fn other_process() {
    let Some((results, _)) = own_role() else { return };
    println!("ready");
    for seed in 0..RUNS {
        let written = RunFolders::new(&results)
            .write(&manifest(seed), &info(), &rows(seed))
            .unwrap();
        let mut store = Store::open(&results).unwrap();
        store.index_run(&written.folder).unwrap();
    }
}

/// Everything that can be seen after a kill is complete, and going on gives what an uninterrupted process gives.
#[test]
fn after_a_kill_everything_that_can_be_seen_is_complete() {
    let mut random = Random::new(3);
    let mut interrupted = 0;
    for _ in 0..KILLS {
        let results = tempfile::tempdir().unwrap();
        let child = start_child("kill::other_process", "", results.path());
        thread::sleep(Duration::from_micros(random.next() % 250_000));
        child.kill();
        let folders = RunFolders::new(results.path());
        let seen = folders.ids().unwrap();
        let mut store = Store::open(results.path()).unwrap();
        let gap = store.gap().unwrap();
        assert!(
            gap.unindexed.len() <= 1 && gap.without_folder.is_empty(),
            "{gap:?}"
        );
        interrupted += usize::from(seen.len() < RUNS as usize);
        // One run more than there are: the one that was being written.
        for seed in 0..=seen.len().min(RUNS as usize - 1) as u64 {
            let written = folders.write(&manifest(seed), &info(), &rows(seed)).unwrap();
            let expected = if seed < seen.len() as u64 {
                WriteOutcome::AlreadyThere
            } else {
                WriteOutcome::New
            };
            assert_eq!(written.outcome, expected);
            store.index_run(&written.folder).unwrap();
            store.verify_run(&written.folder).unwrap();
        }
        assert_eq!(store.gap().unwrap(), IndexGap::default());
    }
    assert!(
        interrupted > KILLS as usize / 2,
        "only {interrupted} kills interrupted anything"
    );
}
