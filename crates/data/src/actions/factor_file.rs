//! Lean factor files.

use std::io::Read;

use chrono::NaiveDate;

use super::dates::next_session;
use super::event::Event;
use super::rows::{Cell, Rows};
use super::{ActionError, ActionKind, CorporateAction};
use crate::calendar::Calendar;

const COLUMNS: [&str; 4] = ["date", "price_factor", "split_factor", "reference_close"];

/// The factors that hold up to and including a date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactorRow {
    /// The last session of the factors.
    pub date: NaiveDate,
    /// What dividends after that session make of a price.
    pub price_factor: f64,
    /// What splits after that session make of a price.
    pub split_factor: f64,
    /// The raw close of that session; without meaning in the first and the last row.
    pub reference_close: f64,
}

/// A factor file: the factors of a session are those of the first row whose date is not before it.
///
/// Dates increase from row to row, factors are finite and above zero, no price factor is above the one of the row after
/// it (no dividend is negative), and those of the last row are 1, because everything is relative to the newest share.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorFile {
    pub(super) file: String,
    pub(super) rows: Vec<(u64, FactorRow)>,
}

impl FactorFile {
    /// Reads a CSV or CSV.gz file of rows `date,price_factor,split_factor,reference_close` without a header, oldest
    /// first; `file` names it in messages.
    ///
    /// # Errors
    /// When the source cannot be read, or the first row that is not as the type says; with row, column, and value.
    pub fn read(file: &str, source: impl Read) -> Result<Self, ActionError> {
        let mut rows = Rows::open(file, source)?;
        let mut read: Vec<(u64, FactorRow)> = Vec::new();
        while let Some(row) = rows.next_row()? {
            let cells = row.cells(&COLUMNS, COLUMNS.len())?;
            let factors = read_row(&cells)?;
            if let Some((_, last)) = read.last() {
                check_after(last, &factors, &cells)?;
            }
            read.push((row.number(), factors));
        }
        check_last(file, &read)?;
        let factors = Self {
            file: file.to_owned(),
            rows: read,
        };
        factors.check_references()?;
        Ok(factors)
    }

    /// The rows, oldest first.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = FactorRow> + '_ {
        self.rows.iter().map(|(_, row)| *row)
    }

    /// The factors of a session; `None` after the last row.
    pub fn on(&self, date: NaiveDate) -> Option<FactorRow> {
        let index = self.rows.partition_point(|(_, row)| row.date < date);
        self.rows.get(index).map(|(_, row)| *row)
    }

    /// The events that the factors were made from: where a factor changes from row `i` to the next, dividend =
    /// reference close x (1 - price factor of `i` / the next) and new shares per old = split factor of the next / that of
    /// `i`. The ex-date is the session after the date of row `i`.
    ///
    /// Factors are written with seven decimals, so that an amount is right to about 1e-7 x reference close / price
    /// factor, and a ratio to the digits of the split factor: 6.99999 can stand for 7.
    ///
    /// # Errors
    /// When the calendar has no session after a row.
    pub fn events(&self, calendar: &Calendar) -> Result<Vec<CorporateAction>, ActionError> {
        let events = self.numbered_events(calendar)?;
        Ok(events.into_iter().map(|event| event.action).collect())
    }

    /// The ex-date of the event after a row.
    pub(super) fn ex_date(&self, index: usize, calendar: &Calendar) -> Result<NaiveDate, ActionError> {
        let (number, row) = self.rows[index];
        next_session(calendar, row.date).ok_or_else(|| {
            let span = calendar
                .span()
                .map(|(first, last)| format!(" of {first} to {last}"));
            let allowed = format!("a date of the calendar{}", span.unwrap_or_default());
            ActionError::cell((&self.file, number, "date"), row.date, allowed)
        })
    }

    pub(super) fn numbered_events(&self, calendar: &Calendar) -> Result<Vec<Event>, ActionError> {
        let mut events = Vec::new();
        for (index, pair) in self.rows.windows(2).enumerate() {
            let ((number, row), (_, next)) = (pair[0], pair[1]);
            let kinds = [dividend(&row, &next), split(&row, &next)];
            for kind in kinds.into_iter().flatten() {
                let ex_date = self.ex_date(index, calendar)?;
                events.push(Event {
                    row: number,
                    action: CorporateAction { ex_date, kind },
                });
            }
        }
        Ok(events)
    }

    fn check_references(&self) -> Result<(), ActionError> {
        for pair in self.rows.windows(2) {
            let ((number, row), (_, next)) = (pair[0], pair[1]);
            if row.price_factor != next.price_factor && row.reference_close == 0.0 {
                let place = (self.file.as_str(), number, COLUMNS[3]);
                return Err(ActionError::cell(
                    place,
                    0,
                    "a close above zero where a dividend follows",
                ));
            }
        }
        Ok(())
    }
}

fn read_row([date, price, split, close]: &[Cell<'_>; 4]) -> Result<FactorRow, ActionError> {
    Ok(FactorRow {
        date: date.compact_date()?,
        price_factor: price.positive()?,
        split_factor: split.positive()?,
        reference_close: close.not_negative()?,
    })
}

fn check_after(last: &FactorRow, row: &FactorRow, cells: &[Cell<'_>; 4]) -> Result<(), ActionError> {
    if row.date <= last.date {
        return Err(cells[0].refuse(format!("a date after {}, that of the row before", last.date)));
    }
    if row.price_factor < last.price_factor {
        let factor = last.price_factor;
        return Err(cells[1].refuse(format!(
            "at least {factor}, that of the row before: no dividend is negative"
        )));
    }
    Ok(())
}

fn check_last(file: &str, rows: &[(u64, FactorRow)]) -> Result<(), ActionError> {
    let missing = ActionError::Empty {
        file: file.to_owned(),
        expected: format!("rows {}", COLUMNS.join(",")),
    };
    let (number, last) = rows.last().ok_or(missing)?;
    for (column, factor) in [(COLUMNS[1], last.price_factor), (COLUMNS[2], last.split_factor)] {
        if factor != 1.0 {
            let allowed = "1 in the last row; is the file cut short?";
            return Err(ActionError::cell((file, *number, column), factor, allowed));
        }
    }
    Ok(())
}

fn dividend(row: &FactorRow, next: &FactorRow) -> Option<ActionKind> {
    (row.price_factor != next.price_factor).then(|| ActionKind::CashDividend {
        amount: row.reference_close * (1.0 - row.price_factor / next.price_factor),
        reference_close: Some(row.reference_close),
    })
}

fn split(row: &FactorRow, next: &FactorRow) -> Option<ActionKind> {
    (row.split_factor != next.split_factor).then(|| ActionKind::Split {
        new_per_old: next.split_factor / row.split_factor,
    })
}
