//! Arrow batches to Parquet files and back, through a DuckDB in memory.

use std::path::Path;

use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Config, Connection};

use crate::StoreError;
use crate::files::{path_literal, pattern_literal};
use crate::schema::Table;

/// A DuckDB in memory that turns columns into Parquet files and back.
pub(crate) struct Staging {
    connection: Connection,
}

impl Staging {
    /// # Errors
    /// [`StoreError::Engine`] when DuckDB does not start.
    pub(crate) fn new() -> Result<Self, StoreError> {
        // One thread: the files are small, and the layout of a file must not depend on the machine.
        let config = no_extensions().and_then(|config| config.threads(1));
        let connection = config.and_then(Connection::open_in_memory_with_flags);
        Ok(Self {
            connection: connection.map_err(StoreError::engine("start"))?,
        })
    }

    /// Writes the rows of one table, in order.
    pub(crate) fn write(&self, table: &Table, batch: RecordBatch, path: &Path) -> Result<(), StoreError> {
        let name = table.name;
        let copy = format!(
            "COPY \"{name}\" TO {} (FORMAT parquet); DROP TABLE \"{name}\";",
            path_literal(path)?
        );
        let written = self.connection.execute_batch(&table.create_sql()).and_then(|()| {
            append(&self.connection, name, batch)?;
            self.connection.execute_batch(&copy)
        });
        written.map_err(StoreError::engine(format!("write {}", path.display())))
    }

    /// Reads the rows of one table, in order.
    pub(crate) fn read(&self, table: &Table, path: &Path) -> Result<Vec<RecordBatch>, StoreError> {
        let sql = format!("SELECT {} FROM {}", table.column_list(), parquet_source(path)?);
        query(&self.connection, &sql).map_err(StoreError::engine(format!("read {}", path.display())))
    }
}

/// Settings under which DuckDB never looks for an extension, on the disk or in the network.
pub(crate) fn no_extensions() -> duckdb::Result<Config> {
    Config::default().enable_autoload_extension(false)
}

/// Adds a batch to a table.
pub(crate) fn append(connection: &Connection, table: &str, batch: RecordBatch) -> duckdb::Result<()> {
    let mut appender = connection.appender(table)?;
    appender.append_record_batch(batch)?;
    // Dropping an appender would swallow the error of the last rows.
    appender.flush()
}

/// A Parquet file as the source of a query. Folder names such as `run=1` are not to become columns.
pub(crate) fn parquet_source(path: &Path) -> Result<String, StoreError> {
    Ok(format!(
        "read_parquet({}, hive_partitioning = false)",
        pattern_literal(path)?
    ))
}

/// All batches of a query, in order.
pub(crate) fn query(connection: &Connection, sql: &str) -> duckdb::Result<Vec<RecordBatch>> {
    let mut statement = connection.prepare(sql)?;
    drop(statement.query_arrow([])?);
    let mut batches = Vec::new();
    // Not through the iterator, which panics where this returns an error.
    while let Some(rows) = statement.step()? {
        batches.push(RecordBatch::from(&rows));
    }
    Ok(batches)
}
