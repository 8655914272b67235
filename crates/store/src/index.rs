//! Putting the rows of a run folder into the database.

use std::sync::Arc;

use duckdb::arrow::array::{ArrayRef, StringArray};
use duckdb::arrow::record_batch::RecordBatch;

use crate::codec::{batch, encode};
use crate::database::{Database, all_tables};
use crate::parquet::{append, parquet_source};
use crate::row::Row;
use crate::run_tables::run_tables;
use crate::{Assumption, DataInput, RunFolder, RunId, RunRow, StoreError, json};

/// Replaces the rows of a run by those of its folder, in one transaction.
pub(crate) fn insert(database: &mut Database, run: &RunFolder) -> Result<(), StoreError> {
    let manifest = run.manifest();
    let rows = [
        with_run_id(run.run_id(), &[run_row(run)])?,
        with_run_id::<DataInput>(run.run_id(), &manifest.inputs().data)?,
        with_run_id::<Assumption>(run.run_id(), manifest.assumptions())?,
    ];
    let copies = copy_statements(run)?;
    let path = database.path().to_owned();
    insert_all(database, run.run_id(), rows, &copies).map_err(StoreError::database("add a run to", &path))
}

/// The row of the `runs` table.
pub(crate) fn run_row(run: &RunFolder) -> RunRow {
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
        config: json::compact(&inputs.config),
        rows_digest: run.rows_digest().to_owned(),
        folder: format!("runs/{}", run.run_id()),
    }
}

fn insert_all<const N: usize>(
    database: &mut Database,
    run: &RunId,
    rows: [(&str, RecordBatch); N],
    copies: &str,
) -> duckdb::Result<()> {
    let transaction = database.connection.transaction()?;
    for table in all_tables() {
        transaction.execute_batch(&format!("DELETE FROM \"{}\" WHERE run_id = '{run}'", table.name))?;
    }
    for (table, batch) in rows {
        append(&transaction, table, batch)?;
    }
    transaction.execute_batch(copies)?;
    transaction.commit()?;
    // So that the one file is complete at once, whatever happens to this process.
    database.connection.execute_batch("CHECKPOINT")
}

fn with_run_id<R: Row>(run: &RunId, rows: &[R]) -> Result<(&'static str, RecordBatch), StoreError> {
    let encoded = encode(rows)?;
    let ids: ArrayRef = Arc::new(StringArray::from(vec![run.as_str(); rows.len()]));
    let arrays = std::iter::once(ids)
        .chain(encoded.columns().iter().cloned())
        .collect();
    Ok((R::TABLE.name, batch(R::TABLE.indexed_columns(), arrays)?))
}

/// The statements that copy the Parquet files of a run.
fn copy_statements(run: &RunFolder) -> Result<String, StoreError> {
    let statements = run_tables().iter().map(|table| {
        let source = parquet_source(&run.table_path(table))?;
        let columns = table.column_list();
        Ok(format!(
            "INSERT INTO \"{}\" SELECT '{}', {columns} FROM {source};\n",
            table.name,
            run.run_id()
        ))
    });
    statements.collect()
}
