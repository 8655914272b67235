//! Results of SQL as rows of plain values.

use std::fmt;

use duckdb::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use duckdb::arrow::compute::cast;
use duckdb::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::util::display::{ArrayFormatter, FormatOptions};
use sextant_domain::UtcNanos;

use crate::QueryError;

/// The result of a statement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SqlTable {
    /// The names of the columns, in order; a name may come twice.
    pub columns: Vec<String>,
    /// The rows, each with one cell per column.
    pub rows: Vec<Vec<Cell>>,
}

/// One value of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number, or a decimal without places.
    Int(i128),
    /// A floating-point number; may be NaN or infinite when the statement makes such.
    Float(f64),
    /// An instant, in UTC.
    Time(UtcNanos),
    /// A text; and dates, decimals, lists and whatever else there is, in their usual form.
    Text(String),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.pad(""),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Time(value) => f.pad(&value.to_string()),
            Self::Text(value) => f.pad(value),
        }
    }
}

/// Collects batches up to a number of rows.
pub(crate) struct TableBuilder {
    table: SqlTable,
    max_rows: usize,
}

impl TableBuilder {
    pub(crate) fn new(max_rows: usize) -> Self {
        Self {
            table: SqlTable::default(),
            max_rows,
        }
    }

    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        if self.table.rows.len() + batch.num_rows() > self.max_rows {
            return Err(QueryError::TooManyRows {
                max_rows: self.max_rows,
            });
        }
        let schema = batch.schema();
        self.table.columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let columns = batch.columns().iter().map(cells).collect::<Result<Vec<_>, _>>();
        let mut columns: Vec<_> = columns
            .map_err(unreadable)?
            .into_iter()
            .map(Vec::into_iter)
            .collect();
        for _ in 0..batch.num_rows() {
            self.table
                .rows
                .push(columns.iter_mut().filter_map(Iterator::next).collect());
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> SqlTable {
        self.table
    }
}

fn unreadable(error: ArrowError) -> QueryError {
    QueryError::Engine {
        action: "hand over the result",
        detail: error.to_string(),
    }
}

fn cells(column: &ArrayRef) -> Result<Vec<Cell>, ArrowError> {
    let value = reader(column)?;
    let cell = |row| {
        if column.is_null(row) {
            Ok(Cell::Null)
        } else {
            value(row)
        }
    };
    (0..column.len()).map(cell).collect()
}

type Reader<'a> = Box<dyn Fn(usize) -> Result<Cell, ArrowError> + 'a>;

/// How the values of a column that are there are read.
fn reader(column: &ArrayRef) -> Result<Reader<'_>, ArrowError> {
    Ok(match column.data_type() {
        DataType::Boolean => {
            let values = column.as_boolean();
            Box::new(move |row| Ok(Cell::Bool(values.value(row))))
        }
        DataType::UInt64 => {
            let values = column.as_primitive::<UInt64Type>();
            Box::new(move |row| Ok(Cell::Int(values.value(row).into())))
        }
        kind if kind.is_integer() => {
            let wide = cast(column, &DataType::Int64)?;
            Box::new(move |row| Ok(Cell::Int(wide.as_primitive::<Int64Type>().value(row).into())))
        }
        DataType::Decimal128(_, 0) => {
            let values = column.as_primitive::<Decimal128Type>();
            Box::new(move |row| Ok(Cell::Int(values.value(row))))
        }
        DataType::Float32 => {
            let values = column.as_primitive::<Float32Type>();
            Box::new(move |row| Ok(Cell::Float(values.value(row).into())))
        }
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>();
            Box::new(move |row| Ok(Cell::Float(values.value(row))))
        }
        DataType::Timestamp(unit, _) => times(column, *unit)?,
        _ => {
            let format = ArrayFormatter::try_new(column, &FORMAT)?;
            Box::new(move |row| Ok(Cell::Text(format.value(row).try_to_string()?)))
        }
    })
}

const FORMAT: FormatOptions<'static> = FormatOptions::new();

fn times(column: &ArrayRef, unit: TimeUnit) -> Result<Reader<'_>, ArrowError> {
    let (count, scale): (Box<dyn Fn(usize) -> i64 + '_>, i64) = match unit {
        TimeUnit::Second => {
            let values = column.as_primitive::<TimestampSecondType>();
            (Box::new(move |row| values.value(row)), 1_000_000_000)
        }
        TimeUnit::Millisecond => {
            let values = column.as_primitive::<TimestampMillisecondType>();
            (Box::new(move |row| values.value(row)), 1_000_000)
        }
        TimeUnit::Microsecond => {
            let values = column.as_primitive::<TimestampMicrosecondType>();
            (Box::new(move |row| values.value(row)), 1_000)
        }
        TimeUnit::Nanosecond => {
            let values = column.as_primitive::<TimestampNanosecondType>();
            (Box::new(move |row| values.value(row)), 1)
        }
    };
    let format = ArrayFormatter::try_new(column, &FORMAT)?;
    Ok(Box::new(move |row| match count(row).checked_mul(scale) {
        Some(nanos) => Ok(Cell::Time(UtcNanos::from_nanos(nanos))),
        // Before 1677 or after 2262.
        None => Ok(Cell::Text(format.value(row).try_to_string()?)),
    }))
}
