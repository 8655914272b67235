//! Writing a run folder: under a temporary name, flushed, then renamed.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use duckdb::arrow::record_batch::RecordBatch;

use crate::checksums::Checksums;
use crate::difference::digests_of;
use crate::files::{create_folder, file_digest, flush_file, flush_folder, write_flushed};
use crate::folder::{CHECKSUMS_FILE, INFO_FILE, MANIFEST_FILE, content_files, read_checksums};
use crate::lock::{self, FolderLock, LockAnswer};
use crate::parquet::Staging;
use crate::run_tables::run_tables;
use crate::{Manifest, RowsDigest, RunFolder, RunFolders, RunId, RunInfo, RunTables, StoreError};
use crate::{WriteOutcome, WrittenRun};

/// What the name of every unfinished folder begins with.
const TEMPORARY_PREFIX: &str = ".tmp-";

/// Held shared while folders are written and alone while left-overs are removed.
const LOCK_FILE: &str = ".lock";

/// A run that is ready to be written.
struct Pending<'a> {
    folders: &'a RunFolders,
    manifest: &'a Manifest,
    info: &'a RunInfo,
    batches: Vec<RecordBatch>,
    digests: BTreeMap<String, RowsDigest>,
}

pub(crate) fn write(
    folders: &RunFolders,
    manifest: &Manifest,
    info: &RunInfo,
    tables: &RunTables,
) -> Result<WrittenRun, StoreError> {
    let batches = tables.encode()?;
    let digests = digests_of(&batches)?;
    let pending = Pending {
        folders,
        manifest,
        info,
        batches,
        digests,
    };
    create_folder(&folders.runs_dir())?;
    let _lock = lock_against_cleaning(&folders.runs_dir())?;
    match pending.compare_with_existing()? {
        Existing::Same(folder) => Ok(WrittenRun {
            outcome: WriteOutcome::AlreadyThere,
            folder: *folder,
        }),
        Existing::None => pending.write_new(WriteOutcome::New),
        Existing::Damaged(problem) => {
            pending.set_aside_damaged()?;
            pending.write_new(WriteOutcome::ReplacedDamaged(problem))
        }
    }
}

/// What is in the place of the run.
enum Existing {
    None,
    Same(Box<RunFolder>),
    Damaged(String),
}

impl Pending<'_> {
    fn run_id(&self) -> &RunId {
        self.manifest.run_id()
    }

    fn final_path(&self) -> PathBuf {
        self.folders.run_dir(self.run_id())
    }

    /// Looks at what is in the place of the run. Even of a damaged folder the digests of the rows are compared, as
    /// long as the checksums themselves are whole: damage must not hide that a run is not reproducible.
    fn compare_with_existing(&self) -> Result<Existing, StoreError> {
        if !self.final_path().exists() {
            return Ok(Existing::None);
        }
        match self.folders.open(self.run_id()) {
            Ok(folder) => {
                self.require_same_rows(folder.checksums())?;
                self.require_same_manifest(&folder)?;
                Ok(Existing::Same(Box::new(folder)))
            }
            Err(damaged @ StoreError::Damaged { .. }) => {
                if let Ok(checksums) = read_checksums(self.run_id(), &self.final_path()) {
                    self.require_same_rows(&checksums)?;
                }
                Ok(Existing::Damaged(damaged.to_string()))
            }
            Err(other) => Err(other),
        }
    }

    fn require_same_rows(&self, earlier: &Checksums) -> Result<(), StoreError> {
        let tables = run_tables().iter().map(|table| table.name);
        let differing: Vec<_> = tables
            .filter(|name| earlier.tables.get(*name) != self.digests.get(*name))
            .collect();
        if differing.is_empty() {
            Ok(())
        } else {
            Err(self.not_reproducible(differing.join(", ")))
        }
    }

    /// The inputs are equal, or the id would differ; what can differ is what was assumed.
    fn require_same_manifest(&self, earlier: &RunFolder) -> Result<(), StoreError> {
        if earlier.manifest() == self.manifest {
            Ok(())
        } else {
            Err(self.not_reproducible("the assumptions in manifest.json".to_owned()))
        }
    }

    fn not_reproducible(&self, differing: String) -> StoreError {
        StoreError::NotReproducible {
            run: self.run_id().clone(),
            folder: self.final_path(),
            differing,
        }
    }

    /// Moves the damaged folder into one with a temporary name, which the next cleaning removes.
    fn set_aside_damaged(&self) -> Result<(), StoreError> {
        let damaged = self.final_path();
        let aside = self
            .create_temporary_folder("damaged")?
            .join(self.run_id().as_str());
        fs::rename(&damaged, aside).map_err(StoreError::io("set aside the damaged folder", &damaged))
    }

    fn write_new(&self, outcome: WriteOutcome) -> Result<WrittenRun, StoreError> {
        let temporary = self.create_temporary_folder("new")?;
        match self
            .fill(&temporary)
            .and_then(|checksums| self.finish(&temporary, checksums))
        {
            Ok(folder) => Ok(WrittenRun { outcome, folder }),
            Err(failed) => {
                // The first error is the one to tell; what is left is removed by the next cleaning.
                let _ = fs::remove_dir_all(&temporary);
                self.finished_by_another(failed)
            }
        }
    }

    fn finish(&self, temporary: &Path, checksums: Checksums) -> Result<RunFolder, StoreError> {
        let final_path = self.final_path();
        fs::rename(temporary, &final_path)
            .map_err(StoreError::io("move the finished run to", &final_path))?;
        flush_folder(&self.folders.runs_dir())?;
        Ok(RunFolder::new(final_path, self.manifest, self.info, checksums))
    }

    /// The rename fails when another process has finished the same run in between; then its rows must be the same.
    fn finished_by_another(&self, failed: StoreError) -> Result<WrittenRun, StoreError> {
        match self.compare_with_existing()? {
            Existing::Same(folder) => Ok(WrittenRun {
                outcome: WriteOutcome::AlreadyThere,
                folder: *folder,
            }),
            Existing::None | Existing::Damaged(_) => Err(failed),
        }
    }

    /// Creates a folder that nobody else has, not even another thread of this process.
    fn create_temporary_folder(&self, kind: &str) -> Result<PathBuf, StoreError> {
        let runs = self.folders.runs_dir();
        let name = format!(
            "{TEMPORARY_PREFIX}{kind}-{}-{}",
            self.run_id(),
            std::process::id()
        );
        for number in 0_u32.. {
            let path = runs.join(format!("{name}-{number}"));
            match fs::create_dir(&path) {
                Err(taken) if taken.kind() == ErrorKind::AlreadyExists => {}
                created => {
                    return created
                        .map(|()| path.clone())
                        .map_err(StoreError::io("create the folder", &path));
                }
            }
        }
        unreachable!("fewer than 2^32 folders fit a disk");
    }

    /// Writes all files into a folder and flushes them, the checksums last.
    fn fill(&self, folder: &Path) -> Result<Checksums, StoreError> {
        write_flushed(&folder.join(MANIFEST_FILE), self.manifest.text().as_bytes())?;
        write_flushed(&folder.join(INFO_FILE), self.info.text()?.as_bytes())?;
        self.write_tables(folder)?;
        let checksums = Checksums::new(content_digests(folder)?, self.digests.clone());
        write_flushed(&folder.join(CHECKSUMS_FILE), checksums.text().as_bytes())?;
        flush_folder(folder)?;
        Ok(checksums)
    }

    fn write_tables(&self, folder: &Path) -> Result<(), StoreError> {
        let staging = Staging::new()?;
        for (table, batch) in run_tables().iter().zip(&self.batches) {
            let path = folder.join(table.file_name());
            // A batch shares its columns: cloning copies no rows.
            staging.write(table, batch.clone(), &path)?;
            flush_file(&path)?;
        }
        Ok(())
    }
}

fn content_digests(folder: &Path) -> Result<BTreeMap<String, String>, StoreError> {
    let files = content_files().into_iter();
    files
        .map(|file| file_digest(&folder.join(&file)).map(|digest| (file, digest)))
        .collect()
}

/// Removes what killed processes left behind, if nobody is writing, and then keeps others from removing what is
/// about to be written.
fn lock_against_cleaning(runs: &Path) -> Result<Option<FolderLock>, StoreError> {
    let path = runs.join(LOCK_FILE);
    if let LockAnswer::Held(alone) = lock::try_exclusive(&path)? {
        remove_leftovers(runs)?;
        drop(alone);
    }
    lock::wait_shared(&path)
}

fn remove_leftovers(runs: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(runs).map_err(StoreError::io("list the folder", runs))? {
        let entry = entry.map_err(StoreError::io("list the folder", runs))?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            let path = entry.path();
            fs::remove_dir_all(&path).map_err(StoreError::io("remove the left-over folder", &path))?;
        }
    }
    Ok(())
}
