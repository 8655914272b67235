//! Lean factor files: how raw equity prices become adjusted ones.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use sextant_domain::{Bar, BarSeries};

use super::fields::{number, split_first};
use super::lines::Lines;
use crate::calendar::Calendar;
use crate::text::shown;
use crate::{DataError, RawBars, RowDefect, Rule, Silent};

const COLUMNS: [&str; 4] = ["date", "price_factor", "split_factor", "reference_close"];

/// The factors that hold up to and including a date.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    date: NaiveDate,
    price: f64,
    split: f64,
}

/// A factor file. The factors of a session are those of the first row whose date is not before it.
#[derive(Debug)]
pub(super) struct Factors {
    path: PathBuf,
    rows: Vec<Row>,
}

impl Factors {
    /// Reads a file of rows `date,price_factor,split_factor,reference_close` without a header, oldest first.
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
        let mut lines = Lines::open(path, &Silent)?;
        let mut rows: Vec<Row> = Vec::new();
        while let Some((row, line)) = lines.next()? {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let cell = |defect| DataError::Cell {
                path: path.to_owned(),
                defect: Box::new(defect),
            };
            let read = read_row(row, line).map_err(cell)?;
            if rows.last().is_some_and(|last| read.date <= last.date) {
                let rule = Rule::Monotonic;
                let found = (0, line.split(|byte| *byte == b',').next().unwrap_or_default());
                return Err(cell(defect(
                    row,
                    rule,
                    found,
                    "a date after the one of the row before",
                )));
            }
            rows.push(read);
        }
        if rows.is_empty() {
            let detail = "the factor file is empty".to_owned();
            return Err(DataError::NothingToImport {
                path: path.to_owned(),
                detail,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            rows,
        })
    }

    /// Adjusts raw bars: price x price factor x split factor, multiplied in this order, and volume / split factor.
    pub(super) fn adjust(
        &self,
        raw: BarSeries,
        calendar: &Calendar,
    ) -> Result<(BarSeries, RawBars), DataError> {
        let mut adjusted = BarSeries::with_capacity(raw.len());
        let mut adjustment_factor = Vec::with_capacity(raw.len());
        let mut row = 0;
        for bar in raw.iter() {
            let date = calendar.date_of(bar.open_time);
            while self.rows.get(row).is_some_and(|known| known.date < date) {
                row += 1;
            }
            let factors = self.rows.get(row).ok_or_else(|| self.missing(date))?;
            let series = |source| DataError::Series {
                what: "adjusted bars".to_owned(),
                source,
            };
            adjusted.push(factors.adjust(bar)).map_err(series)?;
            adjustment_factor.push(factors.price * factors.split);
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let adjustment =
            format!("splits and dividends by the factor file {name}: raw x price factor x split factor");
        Ok((
            adjusted,
            RawBars {
                bars: raw,
                adjustment_factor,
                adjustment,
            },
        ))
    }

    fn missing(&self, date: NaiveDate) -> DataError {
        let last = self.rows.last().map_or(date, |row| row.date);
        DataError::NoFactor {
            path: self.path.clone(),
            date,
            last,
        }
    }
}

impl Row {
    fn adjust(&self, bar: Bar) -> Bar {
        let price = |raw: f64| raw * self.price * self.split;
        Bar {
            open: price(bar.open),
            high: price(bar.high),
            low: price(bar.low),
            close: price(bar.close),
            volume: bar.volume / self.split,
            ..bar
        }
    }
}

fn read_row(row: u64, line: &[u8]) -> Result<Row, RowDefect> {
    let (fields, count) = split_first::<4>(line);
    if count != COLUMNS.len() {
        let allowed = "four fields, date,price_factor,split_factor,reference_close";
        return Err(RowDefect {
            column: "row".to_owned(),
            ..defect(row, Rule::Syntax, (0, line), allowed)
        });
    }
    let date = std::str::from_utf8(fields[0])
        .ok()
        .and_then(|text| NaiveDate::parse_from_str(text, "%Y%m%d").ok());
    let date = date.ok_or_else(|| defect(row, Rule::Syntax, (0, fields[0]), "a date such as 20201231"))?;
    let factor = |column: usize| {
        let value = number(fields[column]).filter(|value| value.is_finite() && *value > 0.0);
        value.ok_or_else(|| {
            defect(
                row,
                Rule::NonPositive,
                (column, fields[column]),
                "a finite number above zero",
            )
        })
    };
    Ok(Row {
        date,
        price: factor(1)?,
        split: factor(2)?,
    })
}

fn defect(row: u64, rule: Rule, (column, value): (usize, &[u8]), allowed: &str) -> RowDefect {
    let column = COLUMNS[column].to_owned();
    RowDefect {
        row,
        rule,
        column,
        value: shown(value),
        allowed: allowed.to_owned(),
    }
}
