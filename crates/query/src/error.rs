//! Why a query has no answer.

use std::path::{Path, PathBuf};

use sextant_data::DataError;
use sextant_domain::{SeriesError, UtcNanos};
use thiserror::Error;

/// An error of a query.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The lake has not what was asked for, or a file of it is damaged.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A span that ends before it begins.
    #[error("the span ends at {end}, before it begins at {start}")]
    Span {
        /// Its start.
        start: UtcNanos,
        /// Its end.
        end: UtcNanos,
    },
    /// An option that DuckDB cannot work with.
    #[error("{option}: found {found}; allowed: {allowed}")]
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        found: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// A path that DuckDB would not take as it is.
    #[error("the path {} {problem}; move the lake to another folder", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What about it.
        problem: &'static str,
    },
    /// A result with more rows than are allowed.
    #[error("the result has more than {max_rows} rows; add a LIMIT, aggregate, or raise `max_rows`")]
    TooManyRows {
        /// How many are allowed.
        max_rows: usize,
    },
    /// DuckDB refused the statement or gave up on it.
    #[error("DuckDB could not {action}: {detail}")]
    Engine {
        /// What was tried.
        action: &'static str,
        /// What it said.
        detail: String,
    },
    /// Rows that are no series, although the files are those that were written.
    #[error("the rows that DuckDB read from {} are no series: {source}", path.display())]
    Rows {
        /// The first of the files.
        path: PathBuf,
        /// What is wrong.
        source: SeriesError,
    },
}

impl QueryError {
    pub(crate) fn engine(action: &'static str) -> impl FnOnce(duckdb::Error) -> Self {
        move |error| Self::Engine {
            action,
            detail: error.to_string(),
        }
    }

    pub(crate) fn rows(path: &Path) -> impl FnOnce(SeriesError) -> Self {
        let path = path.to_owned();
        move |source| Self::Rows { path, source }
    }
}
