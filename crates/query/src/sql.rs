//! SQL over everything in the lake, closed against all else.

use std::fmt;
use std::path::{Path, PathBuf};

use duckdb::Connection;
use sextant_data::{BarKey, Lake};

use crate::engine::{self, execute, parquet_source, path_list, text_literal};
use crate::table::TableBuilder;
use crate::{LakeQueryOptions, QueryError, SqlTable};

const PREPARE: &str = "open the lake for SQL";

/// The lake as it was when the session was opened, for SELECT statements.
///
/// * `bars`: every series, with the columns `class`, `symbol`, `timeframe`, `open_time`, `close_time`, `open`, `high`,
///   `low`, `close`, `volume`; prices are adjusted where the lake's are. Conditions on the first three choose the files.
/// * `macro.<table>`: every macro table, with `published` and one column per series, such as `macro.yield_curve`.
///
/// Times are `TIMESTAMP` in UTC, cut to microseconds. Rows have no order unless the statement gives one. A series that is
/// written while the session is open may make its statements fail; a new session sees the new one.
pub struct SqlSession {
    connection: Connection,
    max_rows: usize,
}

impl fmt::Debug for SqlSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlSession")
            .field("max_rows", &self.max_rows)
            .finish_non_exhaustive()
    }
}

/// A verified series.
struct Source {
    key: BarKey,
    paths: Vec<PathBuf>,
}

impl SqlSession {
    pub(crate) fn open(lake: &Lake, options: &LakeQueryOptions) -> Result<Self, QueryError> {
        // Whatever was replaced while it was verified is there as a whole the second time.
        let sources = match verified(lake) {
            Err(QueryError::Data(error)) if error.is_vanished() => verified(lake)?,
            sources => sources?,
        };
        let macros: Vec<_> = lake
            .macro_files()?
            .into_iter()
            .map(|(path, meta)| (meta.name, path))
            .collect();
        let connection = engine::connect(options)?;
        execute(&connection, &bars_view(&sources)?, PREPARE)?;
        execute(&connection, &macro_views(&macros)?, PREPARE)?;
        let paths = sources.iter().flat_map(|source| &source.paths);
        lock_down(&connection, paths.chain(macros.iter().map(|(_, path)| path)))?;
        Ok(Self {
            connection,
            max_rows: options.max_rows,
        })
    }

    /// Runs one statement that reads: SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW or SUMMARIZE.
    ///
    /// # Errors
    /// Any other statement, more than one, an error in it, more memory than allowed, or more rows than allowed.
    pub fn run(&self, select: &str) -> Result<SqlTable, QueryError> {
        // DuckDB's own parser lets exactly one reading statement into this function.
        let sql = format!("SELECT * FROM query({})", text_literal(select));
        let mut table = TableBuilder::new(self.max_rows);
        engine::stream(&self.connection, &sql, |batch| table.add(&batch))?;
        Ok(table.finish())
    }
}

/// Every series of the lake, each file compared with its seal.
fn verified(lake: &Lake) -> Result<Vec<Source>, QueryError> {
    let mut sources = Vec::new();
    for key in lake.bar_keys()? {
        let series = lake.series_files(&key)?;
        for file in &series.files {
            lake.verify_file(&series, file)?;
        }
        let paths = series.files.into_iter().map(|file| file.path).collect();
        sources.push(Source { key, paths });
    }
    Ok(sources)
}

fn bars_view(sources: &[Source]) -> Result<String, QueryError> {
    let none = "SELECT ''::VARCHAR AS class, ''::VARCHAR AS symbol, ''::VARCHAR AS timeframe, \
                NULL::TIMESTAMP AS open_time, NULL::TIMESTAMP AS close_time, 0::DOUBLE AS open, 0::DOUBLE AS high, \
                0::DOUBLE AS low, 0::DOUBLE AS close, 0::DOUBLE AS volume WHERE false";
    let mut parts = vec![none.to_owned()];
    for Source { key, paths } in sources {
        let names = [
            key.class().to_string(),
            key.symbol().to_owned(),
            key.timeframe().to_string(),
        ];
        let [class, symbol, timeframe] = names.map(|name| text_literal(&name));
        let source = parquet_source(paths.iter().map(PathBuf::as_path))?;
        parts.push(format!(
            "SELECT {class}, {symbol}, {timeframe}, {}, {}, open, high, low, close, volume FROM {source}",
            in_utc("open_time"),
            in_utc("close_time")
        ));
    }
    Ok(format!("CREATE VIEW bars AS {}", parts.join(" UNION ALL ")))
}

fn macro_views(macros: &[(String, PathBuf)]) -> Result<String, QueryError> {
    let mut sql = "CREATE SCHEMA macro;".to_owned();
    for (name, path) in macros {
        let source = parquet_source([path.as_path()].into_iter())?;
        let published = in_utc("published");
        // Names are those of symbols, which hold no quotes.
        sql += &format!(
            "CREATE VIEW macro.\"{name}\" AS SELECT * REPLACE ({published} AS published) FROM {source};"
        );
    }
    Ok(sql)
}

/// A time of a file without its zone, whatever zone DuckDB thinks it is in.
fn in_utc(column: &str) -> String {
    format!("make_timestamp(epoch_us({column}))")
}

/// From here on the connection reads these files and no other, and nothing of that can be changed.
fn lock_down<'a>(
    connection: &Connection,
    paths: impl Iterator<Item = &'a PathBuf>,
) -> Result<(), QueryError> {
    let allowed = path_list(paths.map(|path| -> &Path { path }))?;
    let sql = format!(
        "SET allowed_paths = {allowed}; SET enable_external_access = false; SET lock_configuration = true;"
    );
    execute(connection, &sql, "close the access to other files")
}
