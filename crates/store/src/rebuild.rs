//! Making the database again from the run folders.

use std::path::Path;

use crate::database::{Access, lock_database};
use crate::files::create_folder;
use crate::replace::put_whole;
use crate::{RunFolders, RunId, Store, StoreError};

/// One step of a rebuild, told before it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildStep<'a> {
    /// Run folders already done.
    pub done: usize,
    /// Run folders there are.
    pub total: usize,
    /// The run that comes now.
    pub run: &'a RunId,
}

/// What a rebuild came to.
#[derive(Debug, Default)]
pub struct RebuildReport {
    /// The runs that are in the database now.
    pub indexed: Vec<RunId>,
    /// The runs that were left out because their folder is damaged or of another format, and why.
    pub left_out: Vec<(RunId, StoreError)>,
}

/// Makes the database of a results folder again from its run folders. The new file is written under a temporary name
/// and takes the place of the old one only when it is complete; a damaged run folder is left out and reported.
///
/// # Errors
/// [`StoreError::DatabaseInUse`] when another process has the database, [`StoreError::Io`] or
/// [`StoreError::Database`] when the new one cannot be written; then the old one is as it was.
pub fn rebuild(
    results_dir: &Path,
    progress: &mut dyn FnMut(RebuildStep<'_>),
) -> Result<RebuildReport, StoreError> {
    create_folder(results_dir)?;
    let path = Store::database_path(results_dir);
    let _lock = lock_database(results_dir, Access::ReadWrite)?;
    put_whole(&path, |new| {
        let mut store = Store::create_at(new, RunFolders::new(results_dir))?;
        let report = index_all(&mut store, progress)?;
        store.close()?;
        Ok(report)
    })
}

fn index_all(
    store: &mut Store,
    progress: &mut dyn FnMut(RebuildStep<'_>),
) -> Result<RebuildReport, StoreError> {
    let mut report = RebuildReport::default();
    let ids = store.folders().ids()?;
    for (done, run) in ids.iter().enumerate() {
        progress(RebuildStep {
            done,
            total: ids.len(),
            run,
        });
        match store.folders().open(run) {
            Ok(folder) => {
                store.index_run(&folder)?;
                report.indexed.push(run.clone());
            }
            Err(reason) => report.left_out.push((run.clone(), reason)),
        }
    }
    Ok(report)
}
