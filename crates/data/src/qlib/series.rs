//! The columns of one symbol.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;

use super::names::{check_symbol, field_name};
use super::{QlibError, QlibFrequency, SeriesDefect};

/// One field of a series.
#[derive(Debug, Clone)]
pub struct QlibColumn {
    /// The field, as in file names: `close`.
    pub field: String,
    /// The row of the first value.
    pub start: usize,
    /// One value per row from there on; NaN for none. At least one.
    pub values: Vec<f32>,
}

impl QlibColumn {
    /// The value of a row; NaN where the column has none.
    #[inline]
    pub fn at(&self, row: usize) -> f32 {
        row.checked_sub(self.start)
            .and_then(|index| self.values.get(index))
            .copied()
            .unwrap_or(f32::NAN)
    }

    /// The row after the last value.
    pub(super) fn end(&self) -> usize {
        self.start.saturating_add(self.values.len())
    }
}

/// Some fields of one symbol in one frequency: rows of consecutive calendar times, oldest first.
///
/// Columns may begin late and end early, as their files do: a row before the first or after the last value of a column has
/// NaN in it. So that nothing is lost by reading and writing, columns are kept as they are and not filled up.
#[derive(Debug, Clone)]
pub struct QlibSeries {
    symbol: String,
    frequency: QlibFrequency,
    first_step: usize,
    times: Vec<NaiveDateTime>,
    columns: Vec<QlibColumn>,
}

impl QlibSeries {
    /// Puts a series together. `times` are wall-clock times without a zone.
    ///
    /// # Errors
    /// [`QlibError::Name`], or [`QlibError::Series`] when times do not increase, a field is there twice, or a column is
    /// empty or ends after the last time.
    pub fn new(
        symbol: &str,
        frequency: QlibFrequency,
        times: Vec<NaiveDateTime>,
        columns: Vec<QlibColumn>,
    ) -> Result<Self, QlibError> {
        check_symbol(symbol)?;
        let columns = columns
            .into_iter()
            .map(|column| {
                let field = field_name(&column.field)?;
                Ok(QlibColumn { field, ..column })
            })
            .collect::<Result<Vec<_>, QlibError>>()?;
        let series = Self {
            symbol: symbol.to_owned(),
            frequency,
            first_step: 0,
            times,
            columns,
        };
        match series.defect() {
            Some(defect) => Err(series.error(defect)),
            None => Ok(series),
        }
    }

    /// The same series with the calendar index of its first row.
    pub(super) fn at_step(self, first_step: usize) -> Self {
        Self { first_step, ..self }
    }

    /// The symbol.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// The frequency.
    pub fn frequency(&self) -> QlibFrequency {
        self.frequency
    }

    /// The calendar index of the first row; 0 for a series that does not come from a folder.
    pub fn first_step(&self) -> usize {
        self.first_step
    }

    /// The time of each row.
    pub fn times(&self) -> &[NaiveDateTime] {
        &self.times
    }

    /// The columns, in the order in which they were asked for.
    pub fn columns(&self) -> &[QlibColumn] {
        &self.columns
    }

    /// A column by its field, with or without `$`.
    pub fn column(&self, field: &str) -> Option<&QlibColumn> {
        let name = field_name(field).ok()?;
        self.columns.iter().find(|column| column.field == name)
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    pub(super) fn error(&self, defect: SeriesDefect) -> QlibError {
        QlibError::Series {
            symbol: self.symbol.clone(),
            frequency: self.frequency,
            defect,
        }
    }

    fn defect(&self) -> Option<SeriesDefect> {
        if self.columns.is_empty() {
            return Some(SeriesDefect::NoFields);
        }
        let unsorted = self.times.windows(2).position(|pair| pair[0] >= pair[1]);
        if let Some(index) = unsorted {
            return Some(SeriesDefect::Unsorted { index: index + 1 });
        }
        let mut fields = BTreeSet::new();
        let twice = self.columns.iter().find(|column| !fields.insert(&column.field));
        if let Some(column) = twice {
            let field = column.field.clone();
            return Some(SeriesDefect::FieldTwice { field });
        }
        let rows = self.times.len();
        let misfit = self
            .columns
            .iter()
            .find(|column| column.values.is_empty() || column.end() > rows)?;
        Some(SeriesDefect::Span {
            field: misfit.field.clone(),
            start: misfit.start,
            values: misfit.values.len(),
            rows,
        })
    }
}
