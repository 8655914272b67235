//! Two sets of rows, held against each other.

use std::collections::BTreeMap;

use duckdb::arrow::record_batch::RecordBatch;
use rust_decimal::Decimal;
use sextant_domain::UtcNanos;

use crate::cell::CellValue;
use crate::checksums::combined;
use crate::codec::{ColumnReader, readers, rows_digest};
use crate::run_tables::run_tables;
use crate::schema::{Column, ColumnKind, Table};
use crate::{RowsDigest, RunTables, StoreError};

/// The digests of a run's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDigests {
    /// By the name of the table.
    pub tables: BTreeMap<String, RowsDigest>,
    /// The digest over those: that of a run folder with the same rows.
    pub rows_digest: String,
}

/// A table whose rows are not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDifference {
    /// The table.
    pub table: &'static str,
    /// Number of rows on the left and on the right.
    pub rows: (usize, usize),
    /// How many of the rows that both sides have differ, position by position.
    pub differing: usize,
    /// The first value that differs; `None` where one side has only more rows.
    pub first: Option<ValueDifference>,
}

/// One value that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueDifference {
    /// The row, counted from 1.
    pub row: usize,
    /// The column.
    pub column: &'static str,
    /// The value on the left; a null is the word `null`.
    pub left: String,
    /// The value on the right.
    pub right: String,
}

impl RunTables {
    /// The digests that a run folder with these rows has.
    ///
    /// # Errors
    /// [`StoreError::Cell`] for a value that its table cannot hold.
    pub fn digests(&self) -> Result<TableDigests, StoreError> {
        let tables = digests_of(&self.encode()?)?;
        let rows_digest = combined(&tables);
        Ok(TableDigests { tables, rows_digest })
    }

    /// Every table whose rows differ, in the order of [`run_tables`]; none where all rows are equal. Values are compared
    /// as they are stored, so that negative zero equals zero.
    ///
    /// # Errors
    /// [`StoreError::Cell`] for a value that its table cannot hold.
    pub fn differences(&self, other: &Self) -> Result<Vec<TableDifference>, StoreError> {
        let (left, right) = (self.encode()?, other.encode()?);
        let mut found = Vec::new();
        for ((table, left), right) in run_tables().iter().zip(&left).zip(&right) {
            found.extend(difference(table, left, right)?);
        }
        Ok(found)
    }
}

/// The digest of each table's rows.
pub(crate) fn digests_of(batches: &[RecordBatch]) -> Result<BTreeMap<String, RowsDigest>, StoreError> {
    let tables = run_tables().iter().zip(batches);
    tables
        .map(|(table, batch)| {
            Ok((
                table.name.to_owned(),
                rows_digest(table, std::slice::from_ref(batch))?,
            ))
        })
        .collect()
}

fn difference(
    table: &'static Table,
    left: &RecordBatch,
    right: &RecordBatch,
) -> Result<Option<TableDifference>, StoreError> {
    let rows = (left.num_rows(), right.num_rows());
    let columns = (readers(table, left)?, readers(table, right)?);
    let (mut differing, mut first) = (0, None);
    for row in 0..rows.0.min(rows.1) {
        if let Some(value) = value_difference(table, &columns, row) {
            differing += 1;
            first = first.or(Some(value));
        }
    }
    let is_same = differing == 0 && rows.0 == rows.1;
    Ok((!is_same).then_some(TableDifference {
        table: table.name,
        rows,
        differing,
        first,
    }))
}

/// The first column in which a row differs.
fn value_difference(
    table: &'static Table,
    (left, right): &(Vec<ColumnReader<'_>>, Vec<ColumnReader<'_>>),
    row: usize,
) -> Option<ValueDifference> {
    let mut pairs = table.columns.iter().zip(left.iter().zip(right));
    pairs.find_map(|(column, (left, right))| {
        let (left, right) = (left.get(row), right.get(row));
        (left != right).then(|| ValueDifference {
            row: row + 1,
            column: column.name,
            left: text(left, column),
            right: text(right, column),
        })
    })
}

/// A value in words: a time as ISO 8601, a decimal with its point, a double with all its digits.
fn text(value: CellValue<'_>, column: &Column) -> String {
    match value {
        CellValue::Null => "null".to_owned(),
        CellValue::Text(text) => text.to_owned(),
        CellValue::Time(nanos) => UtcNanos::from_nanos(nanos).to_string(),
        CellValue::Float(number) => number.to_string(),
        CellValue::Integer(number) => number.to_string(),
        CellValue::Unsigned(number) => number.to_string(),
        CellValue::Boolean(boolean) => boolean.to_string(),
        CellValue::Decimal(digits) => decimal_text(digits, column.kind),
    }
}

fn decimal_text(digits: i128, kind: ColumnKind) -> String {
    let ColumnKind::Decimal { decimals, .. } = kind else {
        return digits.to_string();
    };
    let decimal = Decimal::try_from_i128_with_scale(digits, decimals.into());
    decimal.map_or_else(
        |_| format!("{digits}e-{decimals}"),
        |decimal| decimal.normalize().to_string(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{MarkRow, MetricRow};

    fn metric(name: &str, value: Option<f64>) -> MetricRow {
        MetricRow {
            scope: "portfolio".to_owned(),
            name: name.to_owned(),
            definition: format!("{name}@v1"),
            value,
            lower95: None,
            upper95: None,
            reason: None,
        }
    }

    fn mark(equity: &str) -> MarkRow {
        MarkRow {
            time: "2020-01-02".parse().unwrap(),
            scope: "portfolio".to_owned(),
            equity: sextant_domain::Cash::new(equity.parse().unwrap()),
            pnl: sextant_domain::Cash::ZERO,
        }
    }

    #[test]
    fn equal_rows_have_no_difference_and_one_digest() {
        let tables = RunTables {
            metrics: vec![metric("sharpe", Some(0.0))],
            ..RunTables::default()
        };
        let mut other = tables.clone();
        other.metrics[0].value = Some(-0.0);
        assert_eq!(tables.differences(&other).unwrap(), []);
        assert_eq!(tables.digests().unwrap(), other.digests().unwrap());
    }

    #[test]
    fn the_first_value_that_differs_is_named() {
        let tables = |values: [Option<f64>; 3], equity| RunTables {
            metrics: values.map(|value| metric("sharpe", value)).to_vec(),
            marks: vec![mark(equity)],
            ..RunTables::default()
        };
        let left = tables([Some(1.0), Some(2.0), None], "100000.25");
        let right = tables([Some(1.0), Some(2.5), Some(3.0)], "100000.250001");
        let found = left.differences(&right).unwrap();
        let values = |one: &TableDifference| {
            let first = one.first.clone().unwrap();
            (
                one.table,
                one.differing,
                first.row,
                first.column,
                first.left,
                first.right,
            )
        };
        let expected = [
            ("metrics", 2, 2, "value", "2".to_owned(), "2.5".to_owned()),
            (
                "marks",
                1,
                1,
                "equity",
                "100000.25".to_owned(),
                "100000.250001".to_owned(),
            ),
        ];
        assert_eq!(found.iter().map(values).collect::<Vec<_>>(), expected);
        assert_ne!(
            left.digests().unwrap().rows_digest,
            right.digests().unwrap().rows_digest
        );
    }

    #[test]
    fn a_row_more_is_a_difference_without_a_value() {
        let left = RunTables {
            metrics: vec![metric("sharpe", None), metric("cagr", None)],
            ..RunTables::default()
        };
        let right = RunTables {
            metrics: vec![metric("sharpe", None)],
            ..RunTables::default()
        };
        let [found] = &left.differences(&right).unwrap()[..] else {
            panic!("one table differs")
        };
        assert_eq!((found.rows, found.differing, &found.first), ((2, 1), 0, &None));
    }
}
