//! Bars as Arrow record batches.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, RecordBatchOptions, TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, TimeUnit, TimestampNanosecondType};
use arrow::error::ArrowError;
use sextant_domain::BarSeries;

use super::{EXPECTED_TIME, EXPECTED_VALUE, InteropError, TIMES, VALUES, columns, to_series};

const UTC: &str = "UTC";

/// Other ways to write the same zone.
const ALSO_UTC: [&str; 2] = ["+00:00", "Etc/UTC"];

/// Bars as a record batch: one row per bar, times as `Timestamp(Nanosecond, "UTC")`, no column nullable. No bars give a
/// batch without rows.
///
/// # Errors
/// [`InteropError::Library`] when Arrow refuses the columns.
pub fn to_arrow(bars: &BarSeries) -> Result<RecordBatch, InteropError> {
    let (times, values) = columns(bars.view());
    let times = times.map(|column| {
        let nanos = column.iter().map(|time| time.nanos());
        Arc::new(TimestampNanosecondArray::from_iter_values(nanos).with_timezone(UTC)) as ArrayRef
    });
    let values = values.map(|column| Arc::new(Float64Array::from(column.to_vec())) as ArrayRef);
    let arrays: Vec<_> = times.into_iter().chain(values).collect();
    let names = TIMES.into_iter().chain(VALUES);
    let fields: Vec<_> = names
        .zip(&arrays)
        .map(|(name, array)| Field::new(name, array.data_type().clone(), false))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(bars.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(refused)
}

/// The bars of a record batch, by the names of its columns. A batch without rows gives no bars.
///
/// # Errors
/// A missing column, one of another type, a missing value, or rows that are no series of bars.
pub fn from_arrow(batch: &RecordBatch) -> Result<BarSeries, InteropError> {
    let [open_time, close_time] = TIMES.map(|name| times(batch, name));
    let (open_time, close_time) = (open_time?, close_time?);
    let values: Vec<_> = VALUES
        .into_iter()
        .map(|name| numbers(batch, name))
        .collect::<Result<_, _>>()?;
    to_series(
        [open_time, close_time],
        [0, 1, 2, 3, 4].map(|column| values[column]),
    )
}

fn times<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a [i64], InteropError> {
    let column = present(batch, name)?;
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, Some(zone))
            if zone.as_ref() == UTC || ALSO_UTC.contains(&zone.as_ref()) =>
        {
            Ok(column.as_primitive::<TimestampNanosecondType>().values())
        }
        other => Err(other_type(name, other, EXPECTED_TIME)),
    }
}

fn numbers<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a [f64], InteropError> {
    let column = present(batch, name)?;
    match column.data_type() {
        DataType::Float64 => Ok(column.as_primitive::<Float64Type>().values()),
        other => Err(other_type(name, other, EXPECTED_VALUE)),
    }
}

/// The column of a name, without missing values.
fn present<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a ArrayRef, InteropError> {
    let column = batch.column_by_name(name).ok_or_else(|| {
        let names: Vec<_> = batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        InteropError::MissingColumn {
            column: name,
            found: names.join(", "),
        }
    })?;
    let row = (0..column.len()).find(|row| column.is_null(*row));
    row.map_or(Ok(column), |row| Err(InteropError::Null { column: name, row }))
}

fn other_type(name: &'static str, found: &DataType, expected: &'static str) -> InteropError {
    InteropError::ColumnType {
        column: name,
        found: found.to_string(),
        expected,
    }
}

fn refused(error: ArrowError) -> InteropError {
    InteropError::Library {
        library: "Arrow",
        message: error.to_string(),
    }
}
