//! A run of the size of ten years of four-hour bars is written in a moment.

use std::time::{Duration, Instant};

use sextant_store::*;

use crate::sample::{info, manifest, tables};

/// The target is 0.3 s on an idle machine; the limit here leaves room for a busy one.
const LIMIT: Duration = Duration::from_secs(3);

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "the time that a test takes is no input of a result"
)]
fn a_large_run_is_written_and_indexed_in_a_moment() {
    let mut rows = tables(2_000);
    rows.equity = rows.equity.iter().cycle().take(88_000).cloned().collect();
    let results = tempfile::tempdir().unwrap();
    let folders = RunFolders::new(results.path());
    let start = Instant::now();
    let written = folders.write(&manifest(1), &info(), &rows).unwrap();
    let writing = start.elapsed();
    let mut store = Store::open(results.path()).unwrap();
    let opening = start.elapsed() - writing;
    store.index_run(&written.folder).unwrap();
    let indexing = start.elapsed() - opening - writing;
    let loading = Instant::now();
    assert_eq!(
        folders
            .load_run(manifest(1).run_id())
            .unwrap()
            .tables
            .equity
            .len(),
        88_000
    );
    let loading = loading.elapsed();
    println!("writing {writing:?}, opening {opening:?}, indexing {indexing:?}, loading {loading:?}");
    assert!(
        writing < LIMIT && indexing < LIMIT && loading < LIMIT,
        "{writing:?} {indexing:?} {loading:?}"
    );
}
