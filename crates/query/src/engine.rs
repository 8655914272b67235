//! DuckDB in memory: its limits, literals of its SQL, and batches out of it.

use std::path::Path;

use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Config, Connection};

use crate::{LakeQueryOptions, QueryError};

/// A DuckDB without tables that keeps within the options and never looks for an extension.
pub(crate) fn connect(options: &LakeQueryOptions) -> Result<Connection, QueryError> {
    options.check()?;
    let config = Config::default().enable_autoload_extension(false);
    let config = config
        .and_then(|config| config.max_memory(&format!("{}MiB", options.memory_limit_mib)))
        .and_then(|config| config.threads(i64::from(options.threads)));
    let connection = config.and_then(Connection::open_in_memory_with_flags);
    let connection = connection.map_err(QueryError::engine("start"))?;
    let folder = match &options.temp_folder {
        Some(folder) => absolute(folder)?,
        None => String::new(),
    };
    // Without the cache of files, which tells an old file from a new one of the same name by its time alone.
    let settings = format!(
        "SET temp_directory = {}; SET enable_external_file_cache = false;",
        text_literal(&folder)
    );
    execute(&connection, &settings, "set its limits")?;
    Ok(connection)
}

/// Runs a statement of ours.
pub(crate) fn execute(connection: &Connection, sql: &str, action: &'static str) -> Result<(), QueryError> {
    connection.execute_batch(sql).map_err(QueryError::engine(action))
}

/// Runs a query and hands over its batches one after the other, as DuckDB makes them.
pub(crate) fn stream(
    connection: &Connection,
    sql: &str,
    mut take: impl FnMut(RecordBatch) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let failed = || QueryError::engine("run the query");
    let mut statement = connection.prepare(sql).map_err(failed())?;
    drop(statement.stream_arrow([]).map_err(failed())?);
    let mut batches = 0_usize;
    // Not through the iterator, which panics where this returns an error.
    while let Some(rows) = statement.step().map_err(failed())? {
        take(RecordBatch::from(&rows))?;
        batches += 1;
    }
    if batches == 0 {
        take(RecordBatch::new_empty(statement.schema()))?;
    }
    Ok(())
}

/// Parquet files as the source of a query. Folder names such as `year=2020` are not to become columns.
pub(crate) fn parquet_source<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<String, QueryError> {
    Ok(format!(
        "read_parquet({}, hive_partitioning = false)",
        path_list(paths)?
    ))
}

/// A list of paths as an SQL literal.
pub(crate) fn path_list<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<String, QueryError> {
    let literals = paths.map(|path| Ok(text_literal(&absolute(path)?)));
    Ok(format!(
        "[{}]",
        literals.collect::<Result<Vec<_>, QueryError>>()?.join(", ")
    ))
}

/// A text as an SQL literal.
pub(crate) fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A path as DuckDB takes it: absolute, because it gives a meaning to `~` and to `name:` in front, and without the
/// characters of its patterns, because only a plain path can be let through a closed access.
fn absolute(path: &Path) -> Result<String, QueryError> {
    let refused = |problem: &'static str| QueryError::Path {
        path: path.to_owned(),
        problem,
    };
    let absolute = std::path::absolute(path).map_err(|_| refused("cannot be made absolute"))?;
    let text = absolute
        .to_str()
        .ok_or_else(|| refused("is not valid UTF-8, which DuckDB needs"))?;
    if text.contains(['*', '?', '[']) {
        return Err(refused(
            "contains `*`, `?` or `[`, which DuckDB takes for a pattern",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_and_texts_are_literals() {
        assert_eq!(text_literal("it's"), "'it''s'");
        let paths = ["/lake/o'neill/a.parquet", "/b.parquet"].map(Path::new);
        assert_eq!(
            path_list(paths.into_iter()).unwrap(),
            "['/lake/o''neill/a.parquet', '/b.parquet']"
        );
        let message = path_list([Path::new("/lake[1]/a.parquet")].into_iter())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("lake[1]") && message.contains("pattern"),
            "{message}"
        );
    }

    #[test]
    fn limits_reach_the_engine() {
        let options = LakeQueryOptions {
            memory_limit_mib: 48,
            threads: 2,
            ..LakeQueryOptions::default()
        };
        let connection = connect(&options).unwrap();
        let setting = |name: &str| -> String {
            let sql = format!("SELECT current_setting('{name}')::VARCHAR");
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(setting("memory_limit"), "48.0 MiB");
        assert_eq!(setting("threads"), "2");
        assert_eq!(setting("temp_directory"), "");
        assert_eq!(setting("enable_external_file_cache"), "false");
    }
}
