//! What can go wrong with corporate actions, with the file, the place, what was found and what is allowed.

use chrono::NaiveDate;
use sextant_domain::SeriesError;
use thiserror::Error;

/// An error of corporate actions, tickers or their files.
#[derive(Debug, Error)]
pub enum ActionError {
    /// The source cannot be read at all.
    #[error("cannot read {file}: {source}")]
    Io {
        /// The name of the file.
        file: String,
        /// The answer of the operating system.
        source: std::io::Error,
    },
    /// A file that cannot be read on at a row.
    #[error("{file}: row {row}: {problem}")]
    Row {
        /// The name of the file.
        file: String,
        /// The row, counted from 1.
        row: u64,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// One value that is not allowed.
    #[error("{file}: row {row}, {column}: found `{found}`; allowed: {allowed}")]
    Cell {
        /// The name of the file, or of the list.
        file: String,
        /// The row, counted from 1; in a list without a file, the place in the list.
        row: u64,
        /// The column.
        column: &'static str,
        /// The value found, cut and escaped where needed.
        found: String,
        /// What is allowed.
        allowed: String,
    },
    /// A file without a row.
    #[error("{file}: it is empty; it must have {expected}")]
    Empty {
        /// The name of the file.
        file: String,
        /// What must stand there.
        expected: String,
    },
    /// A bar later than the last row of a factor file.
    #[error(
        "{file}: no row covers the session {date}; the last row is {last}, and the factors of a bar are those of the first row whose date is not before it"
    )]
    NoFactor {
        /// The name of the factor file.
        file: String,
        /// The session without a factor.
        date: NaiveDate,
        /// The last date of the file.
        last: NaiveDate,
    },
    /// Bars that do not make a series.
    #[error("{what}: {source}")]
    Series {
        /// Which bars.
        what: String,
        /// What is wrong.
        source: SeriesError,
    },
    /// A ticker that no security uses on a date.
    #[error("no security has the ticker {ticker} on {date}; {candidates}")]
    UnknownTicker {
        /// The ticker.
        ticker: String,
        /// The date.
        date: NaiveDate,
        /// Who uses it on other dates, or which tickers there are.
        candidates: String,
    },
    /// A ticker that several securities use on a date.
    #[error("the ticker {ticker} on {date} is ambiguous; candidates: {candidates}")]
    AmbiguousTicker {
        /// The ticker.
        ticker: String,
        /// The date.
        date: NaiveDate,
        /// Who uses it, and when.
        candidates: String,
    },
    /// A security that is not known.
    #[error("there is no security {security}; there is: {known}")]
    UnknownSecurity {
        /// The id.
        security: String,
        /// Those that are known.
        known: String,
    },
    /// A security that had no ticker on a date.
    #[error("{security} has no ticker on {date}; its tickers: {history}")]
    NotListed {
        /// The security.
        security: String,
        /// The date.
        date: NaiveDate,
        /// Its tickers and their dates.
        history: String,
    },
    /// Statements about securities and tickers that contradict each other.
    #[error("{what}: {detail}")]
    Conflict {
        /// What was said.
        what: String,
        /// What it contradicts, and what to do.
        detail: String,
    },
    /// An argument that makes no sense.
    #[error("{field}: found `{found}`; allowed: {allowed}")]
    Request {
        /// The argument.
        field: &'static str,
        /// Its value.
        found: String,
        /// What may stand there.
        allowed: String,
    },
}

impl ActionError {
    /// A value in a row.
    pub(crate) fn cell(
        place: (&str, u64, &'static str),
        found: impl ToString,
        allowed: impl Into<String>,
    ) -> Self {
        let (file, row, column) = place;
        Self::Cell {
            file: file.to_owned(),
            row,
            column,
            found: found.to_string(),
            allowed: allowed.into(),
        }
    }
}
