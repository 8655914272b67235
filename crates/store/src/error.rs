//! What can go wrong, said so that a person knows where, what was found and what to do.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::RunId;

/// Why the store could not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}. Make sure that the results folder exists on a disk with space left and that you may write to it, or choose another results folder.", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A path that DuckDB cannot work with.
    #[error("the path {} {problem}; choose another results folder", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What about it.
        problem: &'static str,
    },
    /// A value that a table cannot hold.
    #[error("table {table}, column {column}, row {row}: {problem}")]
    Cell {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row, counted from 1.
        row: usize,
        /// What is wrong with the value and what is allowed.
        problem: String,
    },
    /// A value of a manifest that JSON cannot hold.
    #[error("{field} of the run is {found}; it must be {allowed}")]
    ManifestValue {
        /// The field.
        field: &'static str,
        /// What was found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// DuckDB refused something that has nothing to do with a file of ours.
    #[error("DuckDB could not {action}: {detail}")]
    Engine {
        /// What was tried.
        action: String,
        /// DuckDB's answer.
        detail: String,
    },
    /// The database file cannot be used.
    #[error("cannot {action} the database {}: {detail}. If the file is damaged, `cargo xtask store rebuild` makes it again from the run folders; no result is lost.", path.display())]
    Database {
        /// What was tried.
        action: &'static str,
        /// The database file.
        path: PathBuf,
        /// DuckDB's answer.
        detail: String,
    },
    /// Another process has the database.
    #[error("the database {} is in use: {holder}. Try again when that has ended. The run folders beside it can be read meanwhile (`cargo xtask show <run>`, `cargo xtask report <run>`), and several readers can open the database at once with `duckdb -readonly`.", path.display())]
    DatabaseInUse {
        /// The database file.
        path: PathBuf,
        /// Who holds it, as far as is known.
        holder: String,
    },
    /// There is no database to read.
    #[error("there is no database at {}, but {folders} run folders beside it: `cargo xtask store rebuild` makes it from them, and `cargo xtask backtest` adds a run", path.display())]
    DatabaseMissing {
        /// Where it was looked for.
        path: PathBuf,
        /// How many run folders there are.
        folders: usize,
    },
    /// The database has other tables than this version writes.
    #[error("the database {} was made by another version of Sextant ({difference}): `cargo xtask store rebuild` makes it again from the run folders", path.display())]
    DatabaseOutdated {
        /// The database file.
        path: PathBuf,
        /// The first difference.
        difference: String,
    },
    /// A change was asked of a store that was opened for reading.
    #[error("the database {} was opened read-only; open it for writing to {action}", path.display())]
    ReadOnly {
        /// What was asked.
        action: &'static str,
        /// The database file.
        path: PathBuf,
    },
    /// A file of a run folder is not what was written.
    #[error("run {run}: {} is damaged: {problem}. Nothing of this run is used. Run the same backtest again, which replaces the folder, and then `cargo xtask store rebuild`.", path.display())]
    Damaged {
        /// The run.
        run: RunId,
        /// The file.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// A run folder of another format.
    #[error("{} has format {found}, but this version of Sextant reads format {known}; run the backtest again with this version, or read the folder with the version that wrote it", path.display())]
    Format {
        /// The file that says so.
        path: PathBuf,
        /// The format found.
        found: u64,
        /// The format that this version reads and writes.
        known: u32,
    },
    /// A text that is no run id.
    #[error("`{found}` is no run id: it must be 16 digits from 0 to 9 and a to f")]
    RunIdText {
        /// The text.
        found: String,
    },
    /// No run by that id.
    #[error("unknown run `{asked}` in {}: {known}", folder.display())]
    UnknownRun {
        /// What was asked for.
        asked: String,
        /// The folder of the runs.
        folder: PathBuf,
        /// The nearest ids there are, in words.
        known: String,
    },
    /// More than one run begins like that.
    #[error("run `{asked}` is ambiguous: {matches} begin like that; write more digits")]
    AmbiguousRun {
        /// What was asked for.
        asked: String,
        /// The ids that match, comma-separated.
        matches: String,
    },
    /// The same run gave other rows than before.
    #[error("run {run} was computed before from the same code, config, data and seed, but now {differing} came out different. The earlier result is kept in {}. A result may depend on nothing else: look for a wall clock, an unordered map, the number of threads, or code that the code digest does not cover.", folder.display())]
    NotReproducible {
        /// The run.
        run: RunId,
        /// Its folder.
        folder: PathBuf,
        /// The tables that differ, comma-separated.
        differing: String,
    },
    /// The rows in the database are not those of the run folder.
    #[error(
        "run {run}: table {table} of the database has other rows than the run folder: `cargo xtask store rebuild` makes the database again"
    )]
    IndexDiffers {
        /// The run.
        run: RunId,
        /// The first table that differs.
        table: &'static str,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn engine(action: impl Into<String>) -> impl FnOnce(duckdb::Error) -> Self {
        let action = action.into();
        move |source| Self::Engine {
            action,
            detail: source.to_string(),
        }
    }

    pub(crate) fn database(action: &'static str, path: &Path) -> impl FnOnce(duckdb::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Database {
            action,
            path,
            detail: source.to_string(),
        }
    }
}
