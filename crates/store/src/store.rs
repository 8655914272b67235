//! The database over all runs: `<results>/sextant.db`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use duckdb::arrow::array::{ArrayRef, StringArray};
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{AccessMode, Connection};

use crate::cell::{Cell, CellValue};
use crate::codec::{batch, decode, encode, rows_digest};
use crate::files::create_folder;
use crate::index_rows::index_tables;
use crate::lock::{self, FolderLock, LockAnswer};
use crate::parquet::{append, no_extensions, parquet_source, query};
use crate::row::Row;
use crate::rows::{MetricRow, PORTFOLIO_SCOPE, run_tables};
use crate::schema::{Column, Table, text_literal};
use crate::{Assumption, DataInput, RunFolder, RunFolders, RunId, RunRow, StoreError};

const DATABASE_FILE: &str = "sextant.db";

/// How often, and how long in between, a database that is in use is asked for again: writing a run takes a moment.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// The open database.
///
/// It takes part in a lock beside the file, so that a second process (or a second [`Store`] in this one) is told who
/// has the database instead of failing somewhere in the middle. Opening waits up to two seconds for others to finish.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    folders: RunFolders,
    access: Access,
    _lock: Option<FolderLock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    ReadWrite,
    ReadOnly,
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
        results_dir.join(DATABASE_FILE)
    }

    /// Opens the database for writing; makes it, and the results folder, where they are not there.
    ///
    /// # Errors
    /// [`StoreError::DatabaseInUse`] naming who has it, [`StoreError::Database`] when it is damaged,
    /// [`StoreError::DatabaseOutdated`] when it has other tables, [`StoreError::Io`] when the folder cannot be written.
    pub fn open(results_dir: &Path) -> Result<Self, StoreError> {
        create_folder(results_dir)?;
        let store = Self::open_patiently(results_dir, Access::ReadWrite)?;
        if store.columns()?.is_empty() {
            store.create_tables()?;
        }
        store.check_tables()?;
        Ok(store)
    }

    /// Opens the database for reading. Any number of readers can have it open at once.
    ///
    /// # Errors
    /// [`StoreError::DatabaseMissing`] when there is none, else as [`open`](Self::open).
    pub fn open_read_only(results_dir: &Path) -> Result<Self, StoreError> {
        let path = Self::database_path(results_dir);
        if !path.exists() {
            let folders = RunFolders::new(results_dir).ids()?.len();
            return Err(StoreError::DatabaseMissing { path, folders });
        }
        let store = Self::open_patiently(results_dir, Access::ReadOnly)?;
        store.check_tables()?;
        Ok(store)
    }

    /// The run folders beside the database.
    pub fn folders(&self) -> &RunFolders {
        &self.folders
    }

    /// Puts all rows of a run into the database, in one transaction. A run that is there with other rows is replaced.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], or [`StoreError::Database`] when DuckDB refuses; then nothing has changed.
    pub fn index_run(&mut self, run: &RunFolder) -> Result<IndexOutcome, StoreError> {
        if self.access == Access::ReadOnly {
            return Err(StoreError::ReadOnly { action: "add a run", path: self.path.clone() });
        }
        let outcome = match self.indexed_digest(run.run_id())? {
            Some(digest) if digest == run.rows_digest() => return Ok(IndexOutcome::AlreadyThere),
            Some(_) => IndexOutcome::Replaced,
            None => IndexOutcome::Indexed,
        };
        let own_rows = own_rows(run)?;
        let copies = copy_statements(run)?;
        let path = self.path.clone();
        self.insert(run.run_id(), own_rows, &copies).map_err(StoreError::database("add a run to", &path))?;
        Ok(outcome)
    }

    /// All runs, the newest first, with the portfolio's metrics.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the database cannot be read.
    pub fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        let runs: Vec<(RunId, RunRow)> = self.select("ORDER BY created_at DESC, run_id")?;
        let portfolio = format!("WHERE scope = {} ORDER BY rowid", text_literal(PORTFOLIO_SCOPE));
        let mut figures: BTreeMap<RunId, Vec<MetricRow>> = BTreeMap::new();
        for (run_id, metric) in self.select(&portfolio)? {
            figures.entry(run_id).or_default().push(metric);
        }
        let summary = |(run_id, run)| RunSummary { figures: figures.remove(&run_id).unwrap_or_default(), run_id, run };
        Ok(runs.into_iter().map(summary).collect())
    }

    /// How many rows each table of the database has, by name.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the database cannot be read.
    pub fn row_counts(&self) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        let count = |table: &'static Table| {
            let sql = format!("SELECT count(*) FROM \"{}\"", table.name);
            let rows = self.connection.query_row(&sql, [], |row| row.get::<_, u64>(0));
            rows.map(|rows| (table.name, rows)).map_err(StoreError::database("read", &self.path))
        };
        all_tables().map(count).collect()
    }

    /// Which runs have a folder but no rows, and which have rows but no folder. Both are cured by
    /// [`rebuild`](crate::rebuild); the first alone by [`index_run`](Self::index_run).
    ///
    /// # Errors
    /// [`StoreError::Database`] or [`StoreError::Io`] when one of them cannot be read.
    pub fn gap(&self) -> Result<IndexGap, StoreError> {
        let indexed: BTreeSet<_> = self.select::<RunRow>("")?.into_iter().map(|(run_id, _)| run_id).collect();
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
            let sql = format!(
                "SELECT {} FROM \"{}\" WHERE run_id = '{}' ORDER BY rowid",
                table.column_list(),
                table.name,
                run.run_id()
            );
            let batches = query(&self.connection, &sql).map_err(StoreError::database("read", &self.path))?;
            if run.table_digests().get(table.name) != Some(&rows_digest(table, &batches)?) {
                return Err(StoreError::IndexDiffers { run: run.run_id().clone(), table: table.name });
            }
        }
        Ok(())
    }

    /// Writes everything into the one file and closes it. Dropping does the same but cannot report a failure.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file cannot be written.
    pub fn close(self) -> Result<(), StoreError> {
        if self.access == Access::ReadWrite {
            self.connection.execute_batch("CHECKPOINT").map_err(StoreError::database("write", &self.path))?;
        }
        self.connection.close().map_err(|(_, source)| StoreError::database("close", &self.path)(source))
    }

    /// A new database under a name that nobody else opens.
    pub(crate) fn create_at(path: PathBuf, folders: RunFolders) -> Result<Self, StoreError> {
        let connection = connect(&path, Access::ReadWrite).map_err(StoreError::database("create", &path))?;
        let store = Self { connection, path, folders, access: Access::ReadWrite, _lock: None };
        store.create_tables()?;
        Ok(store)
    }

    fn open_patiently(results_dir: &Path, access: Access) -> Result<Self, StoreError> {
        let path = Self::database_path(results_dir);
        check_path(&path)?;
        let mut holder = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                thread::sleep(PAUSE);
            }
            match Self::try_open(results_dir, access)? {
                Attempt::Opened(store) => return Ok(*store),
                Attempt::InUse(by) => holder = by,
            }
        }
        Err(StoreError::DatabaseInUse { path, holder })
    }

    fn try_open(results_dir: &Path, access: Access) -> Result<Attempt, StoreError> {
        let path = Self::database_path(results_dir);
        let lock = match database_lock(results_dir, access)? {
            LockAnswer::Taken(holder) => return Ok(Attempt::InUse(holder)),
            LockAnswer::Held(lock) => Some(lock),
            LockAnswer::Unavailable => None,
        };
        match connect(&path, access) {
            Ok(connection) => {
                let folders = RunFolders::new(results_dir);
                Ok(Attempt::Opened(Box::new(Self { connection, path, folders, access, _lock: lock })))
            }
            Err(source) => match lock_holder(&source.to_string()) {
                Some(holder) => Ok(Attempt::InUse(holder)),
                None => Err(StoreError::database("open", &path)(source)),
            },
        }
    }

    fn create_tables(&self) -> Result<(), StoreError> {
        let tables: String = all_tables().map(Table::create_indexed_sql).collect();
        let sql = format!("BEGIN; {tables} COMMIT; CHECKPOINT;");
        self.connection.execute_batch(&sql).map_err(StoreError::database("create the tables of", &self.path))
    }

    /// The columns of our tables as they are in the file; tables that a user has added are not looked at.
    fn columns(&self) -> Result<Vec<String>, StoreError> {
        let names: Vec<_> = all_tables().map(|table| text_literal(table.name)).collect();
        let sql = format!(
            "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() \
             WHERE database_name = current_database() AND schema_name = 'main' AND table_name IN ({}) \
             ORDER BY table_name, column_index",
            names.join(", ")
        );
        let columns = self.connection.prepare(&sql).and_then(|mut statement| {
            let rows = statement.query_map([], |row| {
                let (table, column, kind): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(column_line(&table, &column, &kind, row.get(3)?))
            })?;
            rows.collect::<duckdb::Result<Vec<_>>>()
        });
        columns.map_err(StoreError::database("read", &self.path))
    }

    fn check_tables(&self) -> Result<(), StoreError> {
        let found = self.columns()?;
        let expected = expected_columns();
        let difference = match expected.iter().find(|line| !found.contains(line)) {
            Some(missing) => format!("`{missing}` is not in it"),
            None if found == expected => return Ok(()),
            None => match found.iter().find(|line| !expected.contains(line)) {
                Some(unknown) => format!("it has `{unknown}`"),
                None => "its columns are in another order".to_owned(),
            },
        };
        Err(StoreError::DatabaseOutdated { path: self.path.clone(), difference })
    }

    fn indexed_digest(&self, run: &RunId) -> Result<Option<String>, StoreError> {
        let rows: Vec<(RunId, RunRow)> = self.select(&format!("WHERE run_id = '{run}'"))?;
        Ok(rows.into_iter().next().map(|(_, row)| row.rows_digest))
    }

    fn insert(&mut self, run: &RunId, own_rows: Vec<(&str, RecordBatch)>, copies: &str) -> duckdb::Result<()> {
        let t=std::time::Instant::now();let transaction = self.connection.transaction()?;
        for table in all_tables() {
            transaction.execute_batch(&format!("DELETE FROM \"{}\" WHERE run_id = '{run}'", table.name))?;
        }
        eprintln!("del {:?}",t.elapsed());
        for (table, rows) in own_rows {
            append(&transaction, table, rows)?;
        }
        eprintln!("own {:?}",t.elapsed());
        for c in copies.lines() {transaction.execute_batch(c)?;
        eprintln!("copies {:?} {c:.30}",t.elapsed());}
        transaction.commit()?;
        eprintln!("commit {:?}",t.elapsed());
        let r=self.connection.execute_batch("CHECKPOINT");
        eprintln!("ckp {:?}",t.elapsed());r
        
    }

    /// The rows of a table, each with its run. `rest` is the end of the query: `WHERE` and `ORDER BY`.
    fn select<R: Row>(&self, rest: &str) -> Result<Vec<(RunId, R)>, StoreError> {
        let table = R::TABLE;
        let sql = format!("SELECT {}, run_id FROM \"{}\" {rest}", table.column_list(), table.name);
        let batches = query(&self.connection, &sql).map_err(StoreError::database("read", &self.path))?;
        let runs = run_ids(&batches)?;
        Ok(runs.into_iter().zip(decode(&batches)?).collect())
    }
}

enum Attempt {
    Opened(Box<Store>),
    InUse(String),
}

fn all_tables() -> impl Iterator<Item = &'static Table> {
    index_tables().iter().chain(run_tables())
}

/// Takes the lock beside the database as long as it is held.
pub(crate) fn database_lock_exclusive(results_dir: &Path) -> Result<LockAnswer, StoreError> {
    database_lock(results_dir, Access::ReadWrite)
}

fn database_lock(results_dir: &Path, access: Access) -> Result<LockAnswer, StoreError> {
    let path = results_dir.join(format!("{DATABASE_FILE}.lock"));
    match access {
        Access::ReadWrite => lock::try_exclusive(&path),
        Access::ReadOnly => lock::try_shared(&path),
    }
}

/// DuckDB reads what follows a `?` as settings, but only in some places, and would put its log elsewhere.
pub(crate) fn check_path(path: &Path) -> Result<(), StoreError> {
    let absolute = std::path::absolute(path).map_err(StoreError::io("find the place of", path))?;
    if absolute.to_string_lossy().contains('?') {
        let problem = "contains a question mark, which DuckDB does not allow for a database";
        return Err(StoreError::Path { path: path.to_owned(), problem });
    }
    Ok(())
}

fn connect(path: &Path, access: Access) -> duckdb::Result<Connection> {
    let mode = match access {
        Access::ReadWrite => AccessMode::ReadWrite,
        Access::ReadOnly => AccessMode::ReadOnly,
    };
    // The absolute path, because DuckDB gives a meaning to `name:` in front.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Connection::open_with_flags(absolute, no_extensions()?.access_mode(mode)?)
}

/// Who has the file, if that is what DuckDB complains of. Its message ends in an address that explains locking.
fn lock_holder(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Conflicting lock is ")?;
    let holder = rest.split_once(". See").map_or(rest, |(holder, _)| holder);
    Some(format!("it is {}", holder.trim()))
}

fn column_line(table: &str, column: &str, kind: &str, nullable: bool) -> String {
    format!("{table}.{column} {kind}{}", if nullable { "" } else { " NOT NULL" })
}

fn expected_columns() -> Vec<String> {
    let mut tables: Vec<_> = all_tables().collect();
    tables.sort_by_key(|table| table.name);
    let lines = |table: &'static Table| {
        let line = |column: &Column| column_line(table.name, column.name, &column.kind.sql(), column.nullable);
        table.indexed_columns().map(line).collect::<Vec<_>>()
    };
    tables.into_iter().flat_map(lines).collect()
}

/// The rows that come from the manifest, with the run's id in front.
fn own_rows(run: &RunFolder) -> Result<Vec<(&'static str, RecordBatch)>, StoreError> {
    let manifest = run.manifest();
    Ok(vec![
        with_run_id(run.run_id(), &[run_row(run)])?,
        with_run_id::<DataInput>(run.run_id(), &manifest.inputs().data)?,
        with_run_id::<Assumption>(run.run_id(), manifest.assumptions())?,
    ])
}

fn run_row(run: &RunFolder) -> RunRow {
    let inputs = run.manifest().inputs();
    RunRow {
        created_at: run.info().created_at,
        duration_seconds: run.info().duration_seconds,
        start_time: inputs.start,
        end_time: inputs.end,
        seed: inputs.seed,
        synthetic: run.manifest().is_synthetic(),
        universe: inputs.universe.join(","),
        code_version: inputs.code.version.clone(),
        code_digest: inputs.code.digest.clone(),
        config: crate::json::compact(&inputs.config),
        rows_digest: run.rows_digest().to_owned(),
        folder: format!("runs/{}", run.run_id()),
    }
}

fn with_run_id<R: Row>(run: &RunId, rows: &[R]) -> Result<(&'static str, RecordBatch), StoreError> {
    let encoded = encode(rows)?;
    let ids: ArrayRef = std::sync::Arc::new(StringArray::from(vec![run.as_str(); rows.len()]));
    let arrays = std::iter::once(ids).chain(encoded.columns().iter().cloned()).collect();
    Ok((R::TABLE.name, batch(R::TABLE.indexed_columns(), arrays)?))
}

/// The statements that copy the Parquet files of a run into the database.
fn copy_statements(run: &RunFolder) -> Result<String, StoreError> {
    let statements = run_tables().iter().map(|table| {
        let source = parquet_source(&run.table_path(table))?;
        let columns = table.column_list();
        Ok(format!("INSERT INTO \"{}\" SELECT '{}', {columns} FROM {source};\n", table.name, run.run_id()))
    });
    statements.collect()
}

/// The ids in the last column of each batch.
fn run_ids(batches: &[RecordBatch]) -> Result<Vec<RunId>, StoreError> {
    let mut ids = Vec::new();
    for batch in batches {
        let column = batch.columns().last().and_then(|column| column.as_any().downcast_ref::<StringArray>());
        for text in column.into_iter().flatten() {
            let text = text.map_or(CellValue::Null, CellValue::Text);
            let text = String::from_value(text).unwrap_or_default();
            ids.push(text.parse()?);
        }
    }
    Ok(ids)
}
