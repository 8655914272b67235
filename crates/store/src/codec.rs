//! Rows to Arrow columns and back, and the digest of rows.

use std::sync::Arc;

use duckdb::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, Decimal128Array, Decimal128Builder, Float64Array,
    Float64Builder, Int64Array, Int64Builder, StringArray, StringBuilder, TimestampNanosecondArray,
    TimestampNanosecondBuilder, UInt64Array, UInt64Builder,
};
use duckdb::arrow::datatypes::{
    Decimal128Type, Field, Float64Type, Int64Type, Schema, TimestampNanosecondType, UInt64Type,
};
use duckdb::arrow::record_batch::RecordBatch;

use crate::StoreError;
use crate::cell::{CellProblem, CellValue};
use crate::checksums::RowsDigest;
use crate::row::Row;
use crate::schema::{Column, ColumnKind, Table};

/// The rows as one Arrow batch.
///
/// # Errors
/// [`StoreError::Cell`] for the first value that its column cannot hold.
pub(crate) fn encode<R: Row>(rows: &[R]) -> Result<RecordBatch, StoreError> {
    let mut columns: Vec<_> = R::TABLE
        .columns
        .iter()
        .map(|column| ColumnBuilder::new(column.kind, rows.len()))
        .collect();
    for (index, row) in rows.iter().enumerate() {
        row.append(&mut columns)
            .map_err(|(column, problem)| cell_error(&R::TABLE, column, index, &problem))?;
    }
    let arrays = columns.iter_mut().map(ColumnBuilder::finish).collect();
    batch(R::TABLE.columns.iter(), arrays)
}

/// A batch of columns as described.
pub(crate) fn batch<'a>(
    columns: impl Iterator<Item = &'a Column>,
    arrays: Vec<ArrayRef>,
) -> Result<RecordBatch, StoreError> {
    let fields: Vec<_> = columns
        .map(|column| Field::new(column.name, column.kind.arrow(), column.nullable))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|source| StoreError::Engine {
        action: "form columns".to_owned(),
        detail: source.to_string(),
    })
}

/// The rows of Arrow batches, in order.
///
/// # Errors
/// [`StoreError::Cell`] for the first value that is not what the table holds.
pub(crate) fn decode<R: Row>(batches: &[RecordBatch]) -> Result<Vec<R>, StoreError> {
    let mut rows = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in batches {
        let columns = readers(&R::TABLE, batch)?;
        for row in 0..batch.num_rows() {
            let first = rows.len();
            let read = R::read(&columns, row);
            rows.push(read.map_err(|(column, problem)| cell_error(&R::TABLE, column, first, &problem))?);
        }
    }
    Ok(rows)
}

/// The digest of the rows, in order. It depends on names, types, values and order, not on how a file lays them out.
pub(crate) fn rows_digest(table: &Table, batches: &[RecordBatch]) -> Result<RowsDigest, StoreError> {
    let rows: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    let mut hasher = blake3::Hasher::new();
    hasher.update(digest_header(table, rows).as_bytes());
    let readers = batches
        .iter()
        .map(|batch| readers(table, batch))
        .collect::<Result<Vec<_>, _>>()?;
    let mut bytes = Vec::new();
    for index in 0..table.columns.len() {
        for (columns, batch) in readers.iter().zip(batches) {
            bytes.clear();
            (0..batch.num_rows()).for_each(|row| put(columns[index].get(row), &mut bytes));
            hasher.update(&bytes);
        }
    }
    Ok(RowsDigest {
        rows,
        digest: hasher.finalize().to_hex().to_string(),
    })
}

fn digest_header(table: &Table, rows: u64) -> String {
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|column| format!("{} {}", column.name, column.kind.sql()))
        .collect();
    format!(
        "sextant rows v1\n{}\n{rows}\n{}\n",
        table.name,
        columns.join(", ")
    )
}

/// The unambiguous bytes of a value: 0 for null, else 1, the length of a text, and the value in little endian.
fn put(value: CellValue<'_>, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(value != CellValue::Null));
    match value {
        CellValue::Null => {}
        CellValue::Text(text) => {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        CellValue::Time(number) | CellValue::Integer(number) => bytes.extend(number.to_le_bytes()),
        CellValue::Float(number) => bytes.extend(number.to_bits().to_le_bytes()),
        CellValue::Unsigned(number) => bytes.extend(number.to_le_bytes()),
        CellValue::Boolean(boolean) => bytes.push(u8::from(boolean)),
        CellValue::Decimal(number) => bytes.extend(number.to_le_bytes()),
    }
}

pub(crate) fn readers<'a>(
    table: &Table,
    batch: &'a RecordBatch,
) -> Result<Vec<ColumnReader<'a>>, StoreError> {
    let wanted = table.columns.iter().enumerate();
    let columns = wanted.map(|(index, column)| {
        let array = batch
            .columns()
            .get(index)
            .and_then(|array| ColumnReader::new(array, column.kind));
        array.ok_or_else(|| cell_error(table, index, 0, &CellProblem::OtherType))
    });
    columns.collect()
}

fn cell_error(table: &Table, column: usize, row: usize, problem: &CellProblem) -> StoreError {
    let column = table
        .columns
        .get(column)
        .map_or("(beyond the last)", |column| column.name);
    StoreError::Cell {
        table: table.name,
        column,
        row: row + 1,
        problem: problem.to_string(),
    }
}

/// A column that is being filled.
pub(crate) enum ColumnBuilder {
    Text(StringBuilder),
    Time(TimestampNanosecondBuilder),
    Float(Float64Builder),
    Integer(Int64Builder),
    Unsigned(UInt64Builder),
    Boolean(BooleanBuilder),
    Decimal(Decimal128Builder),
}

impl ColumnBuilder {
    fn new(kind: ColumnKind, rows: usize) -> Self {
        match kind {
            ColumnKind::Text => Self::Text(StringBuilder::with_capacity(rows, rows * 8)),
            ColumnKind::Time => Self::Time(TimestampNanosecondBuilder::with_capacity(rows)),
            ColumnKind::Float => Self::Float(Float64Builder::with_capacity(rows)),
            ColumnKind::Integer => Self::Integer(Int64Builder::with_capacity(rows)),
            ColumnKind::Unsigned => Self::Unsigned(UInt64Builder::with_capacity(rows)),
            ColumnKind::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            ColumnKind::Decimal { .. } => {
                Self::Decimal(Decimal128Builder::with_capacity(rows).with_data_type(kind.arrow()))
            }
        }
    }

    /// Adds one value.
    pub(crate) fn push(&mut self, value: CellValue<'_>) -> Result<(), CellProblem> {
        match (self, value) {
            (Self::Text(column), CellValue::Text(text)) => column.append_value(text),
            (Self::Time(column), CellValue::Time(nanos)) => column.append_value(nanos),
            (Self::Float(column), CellValue::Float(number)) => column.append_value(number),
            (Self::Integer(column), CellValue::Integer(number)) => column.append_value(number),
            (Self::Unsigned(column), CellValue::Unsigned(number)) => column.append_value(number),
            (Self::Boolean(column), CellValue::Boolean(boolean)) => column.append_value(boolean),
            (Self::Decimal(column), CellValue::Decimal(digits)) => column.append_value(digits),
            (column, CellValue::Null) => column.push_null(),
            _ => return Err(CellProblem::OtherType),
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match self {
            Self::Text(column) => column.append_null(),
            Self::Time(column) => column.append_null(),
            Self::Float(column) => column.append_null(),
            Self::Integer(column) => column.append_null(),
            Self::Unsigned(column) => column.append_null(),
            Self::Boolean(column) => column.append_null(),
            Self::Decimal(column) => column.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Time(column) => Arc::new(column.finish()),
            Self::Float(column) => Arc::new(column.finish()),
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Unsigned(column) => Arc::new(column.finish()),
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Decimal(column) => Arc::new(column.finish()),
        }
    }
}

/// A column that is being read.
pub(crate) enum ColumnReader<'a> {
    Text(&'a StringArray),
    Time(&'a TimestampNanosecondArray),
    Float(&'a Float64Array),
    Integer(&'a Int64Array),
    Unsigned(&'a UInt64Array),
    Boolean(&'a BooleanArray),
    Decimal(&'a Decimal128Array),
}

impl<'a> ColumnReader<'a> {
    /// The column, if it has the type that is expected.
    fn new(array: &'a ArrayRef, kind: ColumnKind) -> Option<Self> {
        if *array.data_type() != kind.arrow() {
            return None;
        }
        match kind {
            ColumnKind::Text => array.as_string_opt().map(Self::Text),
            ColumnKind::Time => array
                .as_primitive_opt::<TimestampNanosecondType>()
                .map(Self::Time),
            ColumnKind::Float => array.as_primitive_opt::<Float64Type>().map(Self::Float),
            ColumnKind::Integer => array.as_primitive_opt::<Int64Type>().map(Self::Integer),
            ColumnKind::Unsigned => array.as_primitive_opt::<UInt64Type>().map(Self::Unsigned),
            ColumnKind::Boolean => array.as_boolean_opt().map(Self::Boolean),
            ColumnKind::Decimal { .. } => array.as_primitive_opt::<Decimal128Type>().map(Self::Decimal),
        }
    }

    /// The value of a row.
    pub(crate) fn get(&self, row: usize) -> CellValue<'a> {
        match self {
            Self::Text(array) if array.is_valid(row) => CellValue::Text(array.value(row)),
            Self::Time(array) if array.is_valid(row) => CellValue::Time(array.value(row)),
            Self::Float(array) if array.is_valid(row) => CellValue::Float(array.value(row)),
            Self::Integer(array) if array.is_valid(row) => CellValue::Integer(array.value(row)),
            Self::Unsigned(array) if array.is_valid(row) => CellValue::Unsigned(array.value(row)),
            Self::Boolean(array) if array.is_valid(row) => CellValue::Boolean(array.value(row)),
            Self::Decimal(array) if array.is_valid(row) => CellValue::Decimal(array.value(row)),
            _ => CellValue::Null,
        }
    }
}
