//! The database over all runs: `<results>/sextant.db`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::codec::rows_digest;
use crate::database::{Access, Database, all_tables, database_path};
use crate::files::create_folder;
use crate::index;
use crate::run_tables::run_tables;
use crate::schema::text_literal;
use crate::{MetricRow, PORTFOLIO_SCOPE, RunFolder, RunFolders, RunId, RunRow, StoreError};

/// The open database.
///
/// It takes part in a lock beside the file, so that a second process (or a second [`Store`] in this one) is told who
/// has the database instead of failing somewhere in the middle. Opening waits up to two seconds for others to finish.
#[derive(Debug)]
pub struct Store {
    database: Database,
    folders: RunFolders,
}

/// What indexing a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexOutcome {
    /// Its rows are in the database now.
    Indexed,
    /// Its rows took the place of others under the same id.
    Replaced,
    /// They were there already.
    AlreadyThere,
}

/// A run as the database lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// The run.
    pub run_id: RunId,
    /// What the `runs` table says of it.
    pub run: RunRow,
    /// The metrics of the whole portfolio, in their order.
    pub figures: Vec<MetricRow>,
}

impl RunSummary {
    /// The portfolio's metric of that name, if the run has it.
    pub fn figure(&self, name: &str) -> Option<&MetricRow> {
        self.figures.iter().find(|metric| metric.name == name)
    }
}

/// Where database and run folders do not agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexGap {
    /// Runs that have a folder and are not in the database.
    pub unindexed: Vec<RunId>,
    /// Runs that are in the database and have no folder any more.
    pub without_folder: Vec<RunId>,
}

impl Store {
    /// Where the database of a results folder is.
    pub fn database_path(results_dir: &Path) -> PathBuf {
        database_path(results_dir)
    }

    /// Opens the database for writing; makes it, and the results folder, where they are not there.
    ///
    /// # Errors
    /// [`StoreError::DatabaseInUse`] naming who has it, [`StoreError::Database`] when it is damaged,
    /// [`StoreError::DatabaseOutdated`] when it has other tables, [`StoreError::Io`] when the folder cannot be written.
    pub fn open(results_dir: &Path) -> Result<Self, StoreError> {
        create_folder(results_dir)?;
        let database = Database::open(results_dir, Access::ReadWrite)?;
        Ok(Self {
            database,
            folders: RunFolders::new(results_dir),
        })
    }

    /// Opens the database for reading. Any number of readers can have it open at once.
    ///
    /// # Errors
    /// [`StoreError::DatabaseMissing`] when there is none, else as [`open`](Self::open).
    pub fn open_read_only(results_dir: &Path) -> Result<Self, StoreError> {
        let path = database_path(results_dir);
        let folders = RunFolders::new(results_dir);
        if !path.exists() {
            return Err(StoreError::DatabaseMissing {
                path,
                folders: folders.ids()?.len(),
            });
        }
        Ok(Self {
            database: Database::open(results_dir, Access::ReadOnly)?,
            folders,
        })
    }

    /// The run folders beside the database.
    pub fn folders(&self) -> &RunFolders {
        &self.folders
    }

    /// Puts all rows of a run into the database, in one transaction. A run that is there with other rows, or was made
    /// at another time, is replaced.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], or [`StoreError::Database`] when DuckDB refuses; then nothing has changed.
    pub fn index_run(&mut self, run: &RunFolder) -> Result<IndexOutcome, StoreError> {
        if self.database.access() == Access::ReadOnly {
            let path = self.database.path().to_owned();
            return Err(StoreError::ReadOnly {
                action: "add a run",
                path,
            });
        }
        let present: Vec<(RunId, RunRow)> = self
            .database
            .select(&format!("WHERE run_id = '{}'", run.run_id()))?;
        match present.as_slice() {
            [(_, row)] if *row == index::run_row(run) => return Ok(IndexOutcome::AlreadyThere),
            _ => index::insert(&mut self.database, run)?,
        }
        Ok(if present.is_empty() {
            IndexOutcome::Indexed
        } else {
            IndexOutcome::Replaced
        })
    }

    /// All runs, the newest first, with the portfolio's metrics.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the database cannot be read.
    pub fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        let runs: Vec<(RunId, RunRow)> = self.database.select("ORDER BY created_at DESC, run_id")?;
        let portfolio = format!("WHERE scope = {} ORDER BY rowid", text_literal(PORTFOLIO_SCOPE));
        let mut figures: BTreeMap<RunId, Vec<MetricRow>> = BTreeMap::new();
        for (run_id, metric) in self.database.select(&portfolio)? {
            figures.entry(run_id).or_default().push(metric);
        }
        let summary = |(run_id, run)| {
            let figures = figures.remove(&run_id).unwrap_or_default();
            RunSummary { run_id, run, figures }
        };
        Ok(runs.into_iter().map(summary).collect())
    }

    /// How many rows each table of the database has, by name.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the database cannot be read.
    pub fn row_counts(&self) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        all_tables()
            .map(|table| Ok((table.name, self.database.row_count(table)?)))
            .collect()
    }

    /// Which runs have a folder but no rows, and which have rows but no folder. Both are cured by
    /// [`rebuild`](crate::rebuild); the first alone by [`index_run`](Self::index_run).
    ///
    /// # Errors
    /// [`StoreError::Database`] or [`StoreError::Io`] when one of them cannot be read.
    pub fn gap(&self) -> Result<IndexGap, StoreError> {
        let runs: Vec<(RunId, RunRow)> = self.database.select("")?;
        let indexed: BTreeSet<_> = runs.into_iter().map(|(run_id, _)| run_id).collect();
        let folders: BTreeSet<_> = self.folders.ids()?.into_iter().collect();
        Ok(IndexGap {
            unindexed: folders.difference(&indexed).cloned().collect(),
            without_folder: indexed.difference(&folders).cloned().collect(),
        })
    }

    /// Compares the rows in the database with those of the run folder, by digest, table by table.
    ///
    /// # Errors
    /// [`StoreError::IndexDiffers`] naming the first table that differs.
    pub fn verify_run(&self, run: &RunFolder) -> Result<(), StoreError> {
        for table in run_tables() {
            let (name, columns, run_id) = (table.name, table.column_list(), run.run_id());
            let sql = format!("SELECT {columns} FROM \"{name}\" WHERE run_id = '{run_id}' ORDER BY rowid");
            if run.table_digests().get(name) != Some(&rows_digest(table, &self.database.query(&sql)?)?) {
                return Err(StoreError::IndexDiffers {
                    run: run_id.clone(),
                    table: name,
                });
            }
        }
        Ok(())
    }

    /// Writes everything into the one file and closes it. Dropping does the same but cannot report a failure.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file cannot be written.
    pub fn close(self) -> Result<(), StoreError> {
        self.database.close()
    }

    /// A new database under a name that nobody else opens.
    pub(crate) fn create_at(path: PathBuf, folders: RunFolders) -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::create(path)?,
            folders,
        })
    }
}
