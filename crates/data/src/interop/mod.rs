//! Bars as tables of other libraries, and back: polars data frames, Arrow record batches, and with the cargo feature
//! `arrow2-interop` arrays of arrow2.
//!
//! The tables have the columns of the lake's files, in their order: `open_time` and `close_time` as nanoseconds in UTC,
//! then `open`, `high`, `low`, `close` and `volume` as 64-bit numbers, none with a missing value. Back, columns are found
//! by name; their order does not matter and further columns are passed over. Nothing is converted on the way: a column of
//! another type is an error that says so. Values are copied.

mod arrow;
#[cfg(feature = "arrow2-interop")]
mod arrow2;
mod polars;

use sextant_domain::{Bar, BarSeries, BarsView, SeriesError, UtcNanos};
use thiserror::Error;

pub use self::arrow::{from_arrow, to_arrow};
#[cfg(feature = "arrow2-interop")]
pub use self::arrow2::{from_arrow2, to_arrow2};
pub use self::polars::{from_polars, to_polars};

const TIMES: [&str; 2] = ["open_time", "close_time"];
const VALUES: [&str; 5] = ["open", "high", "low", "close", "volume"];

/// Why a table is no bar series, or a bar series could not become a table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InteropError {
    /// A column that must be there.
    #[error("the column `{column}` is missing; there are: {found}")]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// The columns there are, comma-separated.
        found: String,
    },
    /// A column of another type.
    #[error("the column `{column}` has the type {found}; it must be {expected}, cast it first")]
    ColumnType {
        /// The column.
        column: &'static str,
        /// Its type.
        found: String,
        /// The type it must have.
        expected: &'static str,
    },
    /// A missing value.
    #[error("the column `{column}` has no value in row {row}; a bar needs all of them")]
    Null {
        /// The column.
        column: &'static str,
        /// The first such row, counted from 0.
        row: usize,
    },
    /// Rows that are no bars.
    #[error("the rows are no series: {0}")]
    Bars(#[from] SeriesError),
    /// The other library refused.
    #[error("{library} refused the table: {message}")]
    Library {
        /// Which one.
        library: &'static str,
        /// What it said.
        message: String,
    },
}

const EXPECTED_TIME: &str = "nanoseconds in UTC";
const EXPECTED_VALUE: &str = "a 64-bit floating-point number";

/// The columns of bars, in order.
fn columns<'a>(view: BarsView<'a>) -> ([&'a [UtcNanos]; 2], [&'a [f64]; 5]) {
    let times = [view.open_time, view.close_time];
    (times, [view.open, view.high, view.low, view.close, view.volume])
}

/// The bars of columns of one length.
fn to_series([open_time, close_time]: [&[i64]; 2], values: [&[f64]; 5]) -> Result<BarSeries, InteropError> {
    let [open, high, low, close, volume] = values;
    let bar = |row: usize| Bar {
        open_time: UtcNanos::from_nanos(open_time[row]),
        close_time: UtcNanos::from_nanos(close_time[row]),
        open: open[row],
        high: high[row],
        low: low[row],
        close: close[row],
        volume: volume[row],
    };
    Ok(BarSeries::from_bars((0..open_time.len()).map(bar))?)
}

#[cfg(test)]
mod tests;
