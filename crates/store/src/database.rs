//! The database file: who may open it, which tables it must have, and how rows get in and out.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use duckdb::arrow::array::{Array, AsArray};
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{AccessMode, Connection};

use crate::codec::decode;
use crate::index_rows::index_tables;
use crate::lock::{self, FolderLock, LockAnswer};
use crate::parquet::{no_extensions, query};
use crate::replace::put_whole;
use crate::row::Row;
use crate::run_tables::run_tables;
use crate::schema::{Column, Table, text_literal};
use crate::{RunId, StoreError};

const DATABASE_FILE: &str = "sextant.db";

/// How often, and how long in between, a database that is in use is asked for again: writing a run takes a moment.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// An open database file.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    path: PathBuf,
    access: Access,
    _lock: Option<FolderLock>,
}

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadOnly,
}

/// Something that was to be opened.
enum Attempt<T> {
    Opened(T),
    /// In words by whom.
    InUse(String),
}

/// Where the database of a results folder is.
pub(crate) fn database_path(results_dir: &Path) -> PathBuf {
    results_dir.join(DATABASE_FILE)
}

/// Every table of the database.
pub(crate) fn all_tables() -> impl Iterator<Item = &'static Table> {
    index_tables().iter().chain(run_tables())
}

impl Database {
    /// Opens the database of a results folder, waiting up to two seconds for others to finish. A file that is opened
    /// for writing and has none of our tables gets them.
    pub(crate) fn open(results_dir: &Path, access: Access) -> Result<Self, StoreError> {
        let lock = lock_database(results_dir, access)?;
        let path = database_path(results_dir);
        if access == Access::ReadWrite && !path.exists() {
            put_whole(&path, |new| Self::create(new)?.close())?;
        }
        let connection = patiently(&path, || match connect(&path, access) {
            Ok(connection) => Ok(Attempt::Opened(connection)),
            Err(source) => match lock_holder(&source.to_string()) {
                Some(holder) => Ok(Attempt::InUse(holder)),
                None => Err(StoreError::database("open", &path)(source)),
            },
        })?;
        let database = Self {
            connection,
            path,
            access,
            _lock: lock,
        };
        if access == Access::ReadWrite && database.columns()?.is_empty() {
            database.create_tables()?;
        }
        database.check_tables()?;
        Ok(database)
    }

    /// A new database under a name that nobody else opens.
    pub(crate) fn create(path: PathBuf) -> Result<Self, StoreError> {
        let access = Access::ReadWrite;
        let connection = connect(&path, access).map_err(StoreError::database("create", &path))?;
        let database = Self {
            connection,
            path,
            access,
            _lock: None,
        };
        database.create_tables()?;
        Ok(database)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// The batches of a query, in order.
    pub(crate) fn query(&self, sql: &str) -> Result<Vec<RecordBatch>, StoreError> {
        query(&self.connection, sql).map_err(StoreError::database("read", &self.path))
    }

    /// The rows of a table, each with its run. `rest` is the end of the query: `WHERE` and `ORDER BY`.
    pub(crate) fn select<R: Row>(&self, rest: &str) -> Result<Vec<(RunId, R)>, StoreError> {
        let table = R::TABLE;
        let sql = format!(
            "SELECT {}, run_id FROM \"{}\" {rest}",
            table.column_list(),
            table.name
        );
        let batches = self.query(&sql)?;
        Ok(run_ids(&batches)?.into_iter().zip(decode(&batches)?).collect())
    }

    pub(crate) fn row_count(&self, table: &Table) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM \"{}\"", table.name);
        let rows = self.connection.query_row(&sql, [], |row| row.get(0));
        rows.map_err(StoreError::database("read", &self.path))
    }

    /// Writes everything into the one file and closes it.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        if self.access == Access::ReadWrite {
            let written = self.connection.execute_batch("CHECKPOINT");
            written.map_err(StoreError::database("write", &self.path))?;
        }
        self.connection
            .close()
            .map_err(|(_, source)| StoreError::database("close", &self.path)(source))
    }

    fn create_tables(&self) -> Result<(), StoreError> {
        let tables: String = all_tables().map(Table::create_indexed_sql).collect();
        let created = self
            .connection
            .execute_batch(&format!("BEGIN; {tables} COMMIT; CHECKPOINT;"));
        created.map_err(StoreError::database("create the tables of", &self.path))
    }

    fn check_tables(&self) -> Result<(), StoreError> {
        match difference(&self.columns()?, &expected_columns()) {
            None => Ok(()),
            Some(difference) => Err(StoreError::DatabaseOutdated {
                path: self.path.clone(),
                difference,
            }),
        }
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
                Ok(column_line(&table, &column, &kind, nullability(row.get(3)?)))
            })?;
            rows.collect()
        });
        columns.map_err(StoreError::database("read", &self.path))
    }
}

/// Takes the lock beside the database of a results folder, waiting up to two seconds; `None` where locks do not work.
pub(crate) fn lock_database(results_dir: &Path, access: Access) -> Result<Option<FolderLock>, StoreError> {
    let path = database_path(results_dir);
    check_path(&path)?;
    let lock = results_dir.join(format!("{DATABASE_FILE}.lock"));
    patiently(&path, || {
        let answer = match access {
            Access::ReadWrite => lock::try_exclusive(&lock)?,
            Access::ReadOnly => lock::try_shared(&lock)?,
        };
        Ok(match answer {
            LockAnswer::Held(lock) => Attempt::Opened(Some(lock)),
            LockAnswer::Taken(holder) => Attempt::InUse(holder),
            LockAnswer::Unavailable => Attempt::Opened(None),
        })
    })
}

fn patiently<T>(
    path: &Path,
    mut attempt: impl FnMut() -> Result<Attempt<T>, StoreError>,
) -> Result<T, StoreError> {
    let mut holder = String::new();
    for number in 0..ATTEMPTS {
        if number > 0 {
            thread::sleep(PAUSE);
        }
        match attempt()? {
            Attempt::Opened(opened) => return Ok(opened),
            Attempt::InUse(by) => holder = by,
        }
    }
    Err(StoreError::DatabaseInUse {
        path: path.to_owned(),
        holder,
    })
}

/// DuckDB reads what follows a `?` as settings, but only in some places, and would put its log elsewhere.
fn check_path(path: &Path) -> Result<(), StoreError> {
    let absolute = std::path::absolute(path).map_err(StoreError::io("find the place of", path))?;
    if absolute.to_string_lossy().contains('?') {
        let problem = "contains a question mark, which DuckDB does not allow for a database";
        return Err(StoreError::Path {
            path: path.to_owned(),
            problem,
        });
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
    // One thread: what is done here is small, and waiting for other threads costs more than they save.
    let config = no_extensions()?.threads(1)?.access_mode(mode)?;
    Connection::open_with_flags(absolute, config)
}

/// Who has the file, if that is what DuckDB complains of. Its message ends in an address that explains locking.
fn lock_holder(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Conflicting lock is ")?;
    let holder = rest.split_once(". See").map_or(rest, |(holder, _)| holder);
    Some(format!("it is {}", holder.trim()))
}

fn expected_columns() -> Vec<String> {
    let mut tables: Vec<_> = all_tables().collect();
    tables.sort_by_key(|table| table.name);
    let lines = |table: &'static Table| {
        let line = |column: &Column| {
            column_line(
                table.name,
                column.name,
                &column.kind.sql(),
                nullability(column.nullable),
            )
        };
        table.indexed_columns().map(line).collect::<Vec<_>>()
    };
    tables.into_iter().flat_map(lines).collect()
}

fn nullability(nullable: bool) -> &'static str {
    if nullable { "" } else { " NOT NULL" }
}

fn column_line(table: &str, column: &str, kind: &str, nullability: &str) -> String {
    format!("{table}.{column} {kind}{nullability}")
}

/// The first difference between the columns of a file and those that are expected, in words.
fn difference(found: &[String], expected: &[String]) -> Option<String> {
    if found == expected {
        return None;
    }
    if let Some(missing) = expected.iter().find(|line| !found.contains(line)) {
        return Some(format!("`{missing}` is not in it"));
    }
    let unknown = found.iter().find(|line| !expected.contains(line));
    Some(unknown.map_or_else(
        || "its columns are in another order".to_owned(),
        |line| format!("it has `{line}`, which is not expected"),
    ))
}

/// The ids in the last column of each batch.
fn run_ids(batches: &[RecordBatch]) -> Result<Vec<RunId>, StoreError> {
    let columns = batches.iter().filter_map(|batch| batch.columns().last());
    let texts = columns
        .filter_map(|column| column.as_string_opt::<i32>())
        .flat_map(|column| (0..column.len()).map(|row| column.value(row)));
    texts.map(str::parse).collect()
}
