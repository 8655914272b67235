//! Bars as polars data frames.

use polars::prelude::{
    Column, DataFrame, DataType, Float64Chunked, Int64Chunked, IntoColumn, NewChunkedArray, PolarsError,
    TimeUnit, TimeZone,
};
use sextant_domain::BarSeries;

use super::{EXPECTED_TIME, EXPECTED_VALUE, InteropError, TIMES, VALUES, columns, to_series};

/// Bars as a data frame: one row per bar, times as `datetime[ns, UTC]`. No bars give a frame without rows.
///
/// # Errors
/// [`InteropError::Library`] when polars refuses the columns.
pub fn to_polars(bars: &BarSeries) -> Result<DataFrame, InteropError> {
    let (times, values) = columns(bars.view());
    let times = TIMES.iter().zip(times).map(|(name, column)| {
        let nanos = column.iter().map(|time| time.nanos());
        Int64Chunked::from_iter_values((*name).into(), nanos)
            .into_datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC))
            .into_column()
    });
    let values = VALUES
        .iter()
        .zip(values)
        .map(|(name, column)| Float64Chunked::from_slice((*name).into(), column).into_column());
    DataFrame::new(bars.len(), times.chain(values).collect()).map_err(refused)
}

/// The bars of a data frame, by the names of its columns. A frame without rows gives no bars.
///
/// # Errors
/// A missing column, one of another type, a missing value, or rows that are no series of bars.
pub fn from_polars(frame: &DataFrame) -> Result<BarSeries, InteropError> {
    let [open_time, close_time] = TIMES.map(|name| times(frame, name));
    let (open_time, close_time) = (open_time?, close_time?);
    let values: Vec<_> = VALUES
        .into_iter()
        .map(|name| numbers(frame, name))
        .collect::<Result<_, _>>()?;
    to_series(
        [&open_time, &close_time],
        [0, 1, 2, 3, 4].map(|column| values[column].as_slice()),
    )
}

fn times(frame: &DataFrame, name: &'static str) -> Result<Vec<i64>, InteropError> {
    let column = present(frame, name)?;
    let DataType::Datetime(TimeUnit::Nanoseconds, Some(zone)) = column.dtype() else {
        return Err(other_type(name, column, EXPECTED_TIME));
    };
    if *zone != TimeZone::UTC {
        return Err(other_type(name, column, EXPECTED_TIME));
    }
    let physical = column.datetime().map_err(refused)?.physical();
    Ok(physical.into_no_null_iter().collect())
}

fn numbers(frame: &DataFrame, name: &'static str) -> Result<Vec<f64>, InteropError> {
    let column = present(frame, name)?;
    if *column.dtype() != DataType::Float64 {
        return Err(other_type(name, column, EXPECTED_VALUE));
    }
    Ok(column.f64().map_err(refused)?.into_no_null_iter().collect())
}

/// The column of a name, without missing values.
fn present<'a>(frame: &'a DataFrame, name: &'static str) -> Result<&'a Column, InteropError> {
    let column = frame
        .columns()
        .iter()
        .find(|column| column.name().as_str() == name);
    let column = column.ok_or_else(|| {
        let names: Vec<_> = frame
            .columns()
            .iter()
            .map(|column| column.name().as_str())
            .collect();
        InteropError::MissingColumn {
            column: name,
            found: names.join(", "),
        }
    })?;
    let missing = column.is_null();
    let row = missing.iter().position(|missing| missing == Some(true));
    row.map_or(Ok(column), |row| Err(InteropError::Null { column: name, row }))
}

fn other_type(name: &'static str, column: &Column, expected: &'static str) -> InteropError {
    InteropError::ColumnType {
        column: name,
        found: column.dtype().to_string(),
        expected,
    }
}

fn refused(error: PolarsError) -> InteropError {
    InteropError::Library {
        library: "polars",
        message: error.to_string(),
    }
}
