//! Macro series from CSV files with one row per date.

use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};
use sextant_domain::UtcNanos;

use super::fields::{number, split, time};
use super::lines::Lines;
use crate::calendar::new_york;
use crate::text::{listed, shown};
use crate::{DataError, Lake, MacroTable, Progress, Provenance, RowDefect, Rule};

const TIMESTAMP: &str = "timestamp";

/// One series of a macro file, and the columns it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MacroColumn {
    /// The name of the series, by which models and regimes ask for it.
    pub series: String,
    /// The CSV column.
    pub column: String,
    /// A CSV column to subtract from it; a slope of a yield curve is the long rate minus the short one.
    #[serde(default)]
    pub minus: Option<String>,
}

/// When the value of a date is known: at a time of day in New York, on the date itself or days later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PublicationRule {
    /// Calendar days after the date of the row.
    pub delay_days: u16,
    /// Hour of the day in New York, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
}

impl Default for PublicationRule {
    /// 18:00 on the date itself: after the close of markets and after the Treasury has published its rates.
    fn default() -> Self {
        Self {
            delay_days: 0,
            hour: 18,
            minute: 0,
        }
    }
}

/// What the first column of a macro file says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MacroStamps {
    /// The date of the value; the publication rule says when it was known.
    #[default]
    Dates,
    /// The instant at which the value was known, in UTC: funding rates, for instance. There is no publication rule then.
    Instants,
}

impl MacroStamps {
    /// How publication times are found, for the metadata.
    fn words(self, rule: PublicationRule) -> String {
        match self {
            Self::Dates => rule.words(),
            Self::Instants => "at the time of the row".to_owned(),
        }
    }
}

/// One macro file to import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MacroImportRequest {
    /// The CSV or CSV.gz file; its first column is `timestamp`, a date.
    pub path: PathBuf,
    /// The name of the file in the lake.
    pub name: String,
    /// The series to make.
    pub series: Vec<MacroColumn>,
    /// What the first column says.
    #[serde(default)]
    pub stamps: MacroStamps,
    /// When values of dates are known.
    #[serde(default)]
    pub publication: PublicationRule,
    /// Where the values come from, in words; by default the name of the file.
    #[serde(default)]
    pub source: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacroImportReport {
    /// The name of the file in the lake.
    pub name: String,
    /// The Parquet file.
    pub path: PathBuf,
    /// Rows with content in the CSV file, without the header.
    pub rows_read: u64,
    /// Rows written.
    pub rows: usize,
    /// Rows without a value for any series, left out.
    pub empty_rows: u64,
    /// The series and their number of values.
    pub series: Vec<(String, usize)>,
    /// Columns that were not read.
    pub ignored_columns: Vec<String>,
    /// First publication time.
    pub first: UtcNanos,
    /// Last publication time.
    pub last: UtcNanos,
    /// How publication times were found.
    pub publication: String,
    /// The digest of the content.
    pub digest: String,
}

impl MacroImportRequest {
    /// A Treasury curve with the columns `3month` and `10year` as `yield_curve`, with the series `yield_curve_10y_3m`: the
    /// 10-year rate minus the 3-month rate, in the unit of the file.
    pub fn yield_curve(path: impl Into<PathBuf>) -> Self {
        let slope = MacroColumn {
            series: "yield_curve_10y_3m".to_owned(),
            column: "10year".to_owned(),
            minus: Some("3month".to_owned()),
        };
        Self::one(path.into(), "yield_curve", slope)
    }

    /// A VIX bar file as `vix`, with the series `vix`: its close.
    pub fn vix(path: impl Into<PathBuf>) -> Self {
        let close = MacroColumn {
            series: "vix".to_owned(),
            column: "close".to_owned(),
            minus: None,
        };
        Self::one(path.into(), "vix", close)
    }

    fn one(path: PathBuf, name: &str, column: MacroColumn) -> Self {
        let publication = PublicationRule::default();
        Self {
            path,
            name: name.to_owned(),
            series: vec![column],
            stamps: MacroStamps::Dates,
            publication,
            source: None,
        }
    }
}

impl PublicationRule {
    /// When the value of a date is known; `None` outside the range of instants.
    ///
    /// # Errors
    /// When hour and minute are no time of day.
    pub(crate) fn published(self, date: NaiveDate) -> Result<Option<UtcNanos>, DataError> {
        let time_of_day = self.time_of_day()?;
        let day = date.checked_add_signed(TimeDelta::days(i64::from(self.delay_days)));
        Ok(day.and_then(|day| new_york(day, time_of_day)))
    }

    fn time_of_day(self) -> Result<NaiveTime, DataError> {
        let time = NaiveTime::from_hms_opt(u32::from(self.hour), u32::from(self.minute), 0);
        time.ok_or_else(|| DataError::Request {
            field: "publication",
            found: format!("hour {}, minute {}", self.hour, self.minute),
            allowed: "an hour from 0 to 23 and a minute from 0 to 59".to_owned(),
        })
    }

    /// The rule in words, for the metadata.
    pub(crate) fn words(self) -> String {
        let Self {
            delay_days,
            hour,
            minute,
        } = self;
        format!("{hour:02}:{minute:02} New York time, {delay_days} days after the date of the row")
    }

    /// The rule that [`words`](Self::words) says; `None` for any other text.
    pub(crate) fn from_words(text: &str) -> Option<Self> {
        let (clock, rest) = text.split_once(" New York time, ")?;
        let (hour, minute) = clock.split_once(':')?;
        let rule = Self {
            delay_days: rest.split_once(' ')?.0.parse().ok()?,
            hour: hour.parse().ok()?,
            minute: minute.parse().ok()?,
        };
        (rule.words() == text).then_some(rule)
    }
}

/// Imports one macro file into the lake, replacing the one there was. A row without a value for a series has none there;
/// any value that is not a number refuses the file.
///
/// # Errors
/// When the file cannot be read, a column is missing, a row is wrong, or the lake cannot be written. The lake is then as
/// it was.
pub fn import_macro_csv(
    lake: &Lake,
    request: &MacroImportRequest,
    progress: &dyn Progress,
) -> Result<MacroImportReport, DataError> {
    let path = lake.macro_path(&request.name)?;
    let (table, counts) = read_table(request, Lines::open(&request.path, progress)?)?;
    let name = request.path.file_name().unwrap_or_default().to_string_lossy();
    let source = request
        .source
        .clone()
        .unwrap_or_else(|| format!("CSV file {name}"));
    let meta = lake.write_macro(
        &request.name,
        &table,
        &Provenance {
            source,
            synthetic: false,
        },
    )?;
    let present = |values: &[f64]| values.iter().filter(|value| !value.is_nan()).count();
    Ok(MacroImportReport {
        name: meta.name,
        path,
        rows_read: counts.rows_read,
        rows: meta.rows,
        empty_rows: counts.empty_rows,
        series: table
            .series
            .iter()
            .map(|(series, values)| (series.clone(), present(values)))
            .collect(),
        ignored_columns: counts.ignored_columns,
        first: meta.first,
        last: meta.last,
        publication: meta.publication,
        digest: meta.digest,
    })
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) rows_read: u64,
    pub(super) empty_rows: u64,
    ignored_columns: Vec<String>,
}

pub(super) fn read_table(
    request: &MacroImportRequest,
    mut lines: Lines<'_>,
) -> Result<(MacroTable, Counts), DataError> {
    let layout = Layout::read(&mut lines, request)?;
    let mut counts = Counts {
        ignored_columns: layout.ignored(),
        ..Counts::default()
    };
    let mut table = MacroTable {
        published: Vec::new(),
        series: request
            .series
            .iter()
            .map(|column| (column.series.clone(), Vec::new()))
            .collect(),
        publication: request.stamps.words(request.publication),
    };
    while let Some((row, line)) = lines.next()? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        counts.rows_read += 1;
        let cell = |defect| DataError::Cell {
            path: request.path.clone(),
            defect: Box::new(defect),
        };
        let (published, values) = layout
            .read_row(row, line, table.published.last().copied())
            .map_err(cell)?;
        if values.iter().all(|value| value.is_nan()) {
            counts.empty_rows += 1;
            continue;
        }
        table.published.push(published);
        for ((_, column), value) in table.series.iter_mut().zip(values) {
            column.push(value);
        }
    }
    if table.published.is_empty() {
        let detail = format!("{} rows, none with a value", counts.rows_read);
        return Err(DataError::NothingToImport {
            path: request.path.clone(),
            detail,
        });
    }
    Ok((table, counts))
}

/// Where the values stand in a row.
struct Layout {
    names: Vec<String>,
    /// Column and subtracted column of each series.
    wanted: Vec<(usize, Option<usize>)>,
    stamps: MacroStamps,
    rule: PublicationRule,
}

impl Layout {
    fn read(lines: &mut Lines<'_>, request: &MacroImportRequest) -> Result<Self, DataError> {
        let path = &request.path;
        let empty = || DataError::NothingToImport {
            path: path.clone(),
            detail: "the file is empty".to_owned(),
        };
        let (_, line) = lines.next()?.ok_or_else(empty)?;
        let names: Vec<String> = split(line).map(shown).collect();
        if names.first().map(String::as_str) != Some(TIMESTAMP) {
            let (found, expected) = (shown(line), TIMESTAMP.to_owned());
            return Err(DataError::Header {
                path: path.clone(),
                found,
                expected,
            });
        }
        let place = |column: &str| find_column(path, &names, column);
        let wanted = request
            .series
            .iter()
            .map(|series| {
                Ok((
                    place(&series.column)?,
                    series.minus.as_deref().map(place).transpose()?,
                ))
            })
            .collect::<Result<_, DataError>>()?;
        request.publication.time_of_day()?;
        Ok(Self {
            wanted,
            stamps: request.stamps,
            rule: request.publication,
            names,
        })
    }

    fn ignored(&self) -> Vec<String> {
        let used = |index: &usize| {
            self.wanted
                .iter()
                .any(|(a, b)| a == index || b.as_ref() == Some(index))
        };
        (1..self.names.len())
            .filter(|index| !used(index))
            .map(|index| self.names[index].clone())
            .collect()
    }

    /// The publication time and the value of each series; NaN where a column it needs is empty.
    fn read_row(
        &self,
        row: u64,
        line: &[u8],
        before: Option<UtcNanos>,
    ) -> Result<(UtcNanos, Vec<f64>), RowDefect> {
        let fields: Vec<&[u8]> = split(line).collect();
        let defect = |rule, column: &str, value: &[u8], allowed: &str| {
            let (column, value, allowed) = (column.to_owned(), shown(value), allowed.to_owned());
            RowDefect {
                row,
                rule,
                column,
                value,
                allowed,
            }
        };
        if fields.len() != self.names.len() {
            let allowed = format!(
                "{} fields as in the header, numbers with a decimal point",
                self.names.len()
            );
            return Err(defect(Rule::Syntax, "row", line, &allowed));
        }
        let (published, allowed) = match self.stamps {
            MacroStamps::Dates => (
                date_of(fields[0]).and_then(|date| self.rule.published(date).ok().flatten()),
                "a date such as 2020-12-31, without a time",
            ),
            MacroStamps::Instants => (time(fields[0]), "an instant in UTC such as 2020-12-31T16:00:00Z"),
        };
        let published = published.ok_or_else(|| defect(Rule::Syntax, TIMESTAMP, fields[0], allowed))?;
        if before.is_some_and(|before| published <= before) {
            return Err(defect(
                Rule::Monotonic,
                TIMESTAMP,
                fields[0],
                "a time after the one of the row before",
            ));
        }
        let value = |index: usize| {
            cell(fields[index]).ok_or_else(|| {
                defect(
                    Rule::Syntax,
                    &self.names[index],
                    fields[index],
                    "a finite number, or nothing",
                )
            })
        };
        let values = self.wanted.iter().map(|(column, minus)| {
            let difference = value(*column)? - minus.map_or(Ok(0.0), value)?;
            if difference.is_infinite() {
                let allowed = "a number whose difference to the other column is finite";
                return Err(defect(
                    Rule::Syntax,
                    &self.names[*column],
                    fields[*column],
                    allowed,
                ));
            }
            Ok(difference)
        });
        Ok((published, values.collect::<Result<_, RowDefect>>()?))
    }
}

fn find_column(path: &Path, names: &[String], column: &str) -> Result<usize, DataError> {
    names
        .iter()
        .position(|name| name == column)
        .ok_or_else(|| DataError::Header {
            path: path.to_owned(),
            found: listed(names.iter().cloned()),
            expected: format!("{TIMESTAMP}` and have the column `{column}"),
        })
}

/// A date label: midnight UTC or no time at all.
fn date_of(field: &[u8]) -> Option<NaiveDate> {
    let stamp = time(field)?;
    (UtcNanos::from_date(stamp.date()) == Some(stamp)).then(|| stamp.date())
}

/// A value; NaN for an empty cell.
fn cell(field: &[u8]) -> Option<f64> {
    if field.is_empty() {
        return Some(f64::NAN);
    }
    number(field).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publication_rules_are_read_from_their_words() {
        for (delay_days, hour, minute) in [(0, 18, 0), (45, 8, 5), (u16::MAX, 0, 59)] {
            let rule = PublicationRule {
                delay_days,
                hour,
                minute,
            };
            assert_eq!(PublicationRule::from_words(&rule.words()), Some(rule));
        }
        for text in [
            "",
            "at once",
            "18:00 New York time, 0 days later",
            "8:00 New York time, 1 days after the date of the row",
        ] {
            assert_eq!(PublicationRule::from_words(text), None, "{text}");
        }
    }
}
