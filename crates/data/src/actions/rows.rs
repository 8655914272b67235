//! The rows and cells of small reference files, plain or gzip, whatever is in them.

use std::io::Read;

use chrono::NaiveDate;
use sextant_domain::Instrument;

use super::ActionError;
use crate::lines::{BadLine, Lines};
use crate::text::shown;

/// Reads row after row and passes over blank ones.
pub(crate) struct Rows<'s> {
    file: String,
    lines: Lines<'s>,
}

/// One row of a file.
#[derive(Clone, Copy)]
pub(crate) struct Row<'r> {
    file: &'r str,
    number: u64,
    line: &'r [u8],
}

/// One cell of a row.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'r> {
    row: Row<'r>,
    column: &'static str,
    text: &'r [u8],
}

impl<'s> Rows<'s> {
    /// Begins to read; `file` names the source in messages. It counts as gzip when it begins like gzip.
    pub(crate) fn open(file: &str, source: impl Read + 's) -> Result<Self, ActionError> {
        let lines = Lines::new(source).map_err(|source| ActionError::Io {
            file: file.to_owned(),
            source,
        })?;
        Ok(Self {
            file: file.to_owned(),
            lines,
        })
    }

    /// Reads the first row, which must be these columns; those from `required` on may be missing, the last ones first.
    pub(crate) fn header(&mut self, columns: &[&'static str], required: usize) -> Result<(), ActionError> {
        let expected = columns.join(",");
        let missing = ActionError::Empty {
            file: self.file.clone(),
            expected: format!("the header {expected}"),
        };
        let row = self.next_row()?.ok_or(missing)?;
        let found: Vec<&[u8]> = row.fields().collect();
        let fits = (required..=columns.len()).contains(&found.len())
            && found
                .iter()
                .zip(columns)
                .all(|(found, column)| *found == column.as_bytes());
        if fits {
            return Ok(());
        }
        let optional = if required < columns.len() {
            format!(
                ", where the columns after {} may be missing",
                columns[required - 1]
            )
        } else {
            String::new()
        };
        Err(ActionError::cell(
            (row.file, row.number, "header"),
            shown(row.line),
            format!("{expected}{optional}"),
        ))
    }

    /// The next row that is not blank.
    ///
    /// # Errors
    /// When the source cannot be read on, such as a gzip file that is cut short, or the row is longer than any real one.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'_>>, ActionError> {
        let file = self.file.as_str();
        let next = self.lines.next_filled();
        let line = next.map_err(|BadLine { row, problem }| ActionError::Row {
            file: file.to_owned(),
            row,
            problem,
        })?;
        Ok(line.map(|(number, line)| Row { file, number, line }))
    }
}

impl<'r> Row<'r> {
    /// Its number, counted from 1 with the header.
    pub(crate) fn number(self) -> u64 {
        self.number
    }

    /// Its cells, one for each column; those from `required` on may be missing and are then empty.
    ///
    /// # Errors
    /// When there are too few or too many.
    pub(crate) fn cells<const N: usize>(
        self,
        columns: &[&'static str; N],
        required: usize,
    ) -> Result<[Cell<'r>; N], ActionError> {
        let mut fields = self.fields();
        let cells = columns.map(|column| (column, fields.next()));
        let enough = cells.iter().take(required).all(|(_, text)| text.is_some());
        if !enough || fields.next().is_some() {
            let count = if required == N {
                format!("{N}")
            } else {
                format!("{required} to {N}")
            };
            let allowed = format!("{count} fields, {}", columns.join(","));
            return Err(ActionError::cell(
                (self.file, self.number, "row"),
                shown(self.line),
                allowed,
            ));
        }
        Ok(cells.map(|(column, text)| Cell {
            row: self,
            column,
            text: text.unwrap_or_default(),
        }))
    }

    fn fields(self) -> impl Iterator<Item = &'r [u8]> {
        self.line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
    }
}

impl<'r> Cell<'r> {
    /// The error that this cell is.
    pub(crate) fn refuse(self, allowed: impl Into<String>) -> ActionError {
        ActionError::cell(
            (self.row.file, self.row.number, self.column),
            shown(self.text),
            allowed,
        )
    }

    pub(crate) fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// One of the given words; its place among them.
    pub(crate) fn word(self, words: &[&str]) -> Result<usize, ActionError> {
        let place = words.iter().position(|word| word.as_bytes() == self.text);
        place.ok_or_else(|| self.refuse(words.join(" or ")))
    }

    /// A date such as `2020-12-31`.
    pub(crate) fn date(self) -> Result<NaiveDate, ActionError> {
        self.dated(10, "%Y-%m-%d")
            .ok_or_else(|| self.refuse("a date such as 2020-12-31"))
    }

    /// A date such as `20201231`.
    pub(crate) fn compact_date(self) -> Result<NaiveDate, ActionError> {
        self.dated(8, "%Y%m%d")
            .ok_or_else(|| self.refuse("a date such as 20201231"))
    }

    /// A finite number above zero, written with a decimal point.
    pub(crate) fn positive(self) -> Result<f64, ActionError> {
        self.number()
            .filter(|value| *value > 0.0)
            .ok_or_else(|| self.refuse("a finite number above zero"))
    }

    /// A finite number that is not below zero, written with a decimal point.
    pub(crate) fn not_negative(self) -> Result<f64, ActionError> {
        self.number()
            .filter(|value| *value >= 0.0)
            .ok_or_else(|| self.refuse("a finite number, zero or above"))
    }

    /// A ticker, in capitals.
    pub(crate) fn ticker(self) -> Result<String, ActionError> {
        let text = std::str::from_utf8(self.text).map(str::to_ascii_uppercase).ok();
        text.filter(|ticker| Instrument::validate_symbol(ticker).is_ok())
            .ok_or_else(|| self.refuse(TICKER))
    }

    /// The text, where it is UTF-8.
    pub(crate) fn text(self) -> Option<&'r str> {
        std::str::from_utf8(self.text).ok()
    }

    fn number(self) -> Option<f64> {
        self.text()?.parse().ok().filter(|value: &f64| value.is_finite())
    }

    fn dated(self, length: usize, format: &str) -> Option<NaiveDate> {
        let text = self.text().filter(|text| text.len() == length)?;
        NaiveDate::parse_from_str(text, format).ok()
    }
}

/// What a ticker may be.
pub(super) const TICKER: &str =
    "1 to 32 letters, digits, `-`, `.`, `_`, `=`, starting with a letter or digit";
