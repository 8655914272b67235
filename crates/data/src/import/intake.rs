//! A CSV file of bars, row by row: what becomes a bar, and what breaks which rule.

use std::path::Path;

use sextant_domain::{BarSeries, UtcNanos};

use super::ImportRequest;
use super::fields::{number, split, split_first, time};
use super::lines::Lines;
use super::taker::{COLUMNS, Counts, Defects, Problem, Reading, RowSource, Taker};
use crate::text::shown;
use crate::{BarKey, DataError, Progress, Rule};

/// What a file holds.
pub(crate) struct Intake {
    /// The bars, as in the file.
    pub(crate) bars: BarSeries,
    /// The rows that break rules.
    pub(crate) defects: Defects,
    /// What became of the other rows.
    pub(crate) counts: Counts,
    /// Columns that are not read.
    pub(crate) extra_columns: Vec<String>,
}

/// Reads a file. Bad rows are in the result; the error is for what cannot be read as rows at all.
pub(crate) fn take_in(request: &ImportRequest, progress: &dyn Progress) -> Result<Intake, DataError> {
    let key = request.check()?;
    take_lines(request, &key, Lines::open(&request.path, progress)?)
}

/// The same for lines that are open already.
pub(super) fn take_lines(
    request: &ImportRequest,
    key: &BarKey,
    mut lines: Lines<'_>,
) -> Result<Intake, DataError> {
    let extra_columns = read_header(&mut lines, &request.path)?;
    let width = COLUMNS.len() + extra_columns.len();
    let mut taker = Taker::new(key, request.convention(), RowSource::File);
    while let Some((row, line)) = lines.next()? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let (fields, count) = split_first::<6>(line);
        let reading = if count == width {
            read(&fields)
        } else {
            Err(wrong_width(line, width))
        };
        taker.take(row, reading, &|column| shown(fields[column]));
    }
    let taken = taker.finish(key)?;
    Ok(Intake {
        bars: taken.bars,
        defects: taken.defects,
        counts: taken.counts,
        extra_columns,
    })
}

/// Checks the header and returns the names of the columns after the required ones.
fn read_header(lines: &mut Lines<'_>, path: &Path) -> Result<Vec<String>, DataError> {
    let empty = || DataError::NothingToImport {
        path: path.to_owned(),
        detail: "the file is empty".to_owned(),
    };
    let (_, line) = lines.next()?.ok_or_else(empty)?;
    let names: Vec<String> = split(line).map(shown).collect();
    let fits =
        names.len() >= COLUMNS.len() && names.iter().zip(COLUMNS).all(|(name, expected)| name == expected);
    if !fits {
        return Err(DataError::Header {
            path: path.to_owned(),
            found: shown(line),
            expected: COLUMNS.join(","),
        });
    }
    Ok(names[COLUMNS.len()..].to_vec())
}

fn wrong_width(line: &[u8], width: usize) -> Problem {
    Problem {
        rule: Rule::Syntax,
        column: "row",
        value: shown(line),
        allowed: format!("{width} fields as in the header, numbers with a decimal point"),
    }
}

fn read(fields: &[&[u8]; 6]) -> Result<Reading, Problem> {
    Ok(Reading {
        stamp: read_time(fields[0])?,
        values: read_values(fields)?,
    })
}

fn read_time(field: &[u8]) -> Result<UtcNanos, Problem> {
    time(field).ok_or_else(|| Problem {
        rule: Rule::Syntax,
        column: COLUMNS[0],
        value: shown(field),
        allowed: "a UTC time such as 2020-12-31T16:00:00Z, or a date such as 2020-12-31".to_owned(),
    })
}

fn read_values(fields: &[&[u8]; 6]) -> Result<[f64; 5], Problem> {
    let mut values = [0.0; 5];
    for (index, value) in values.iter_mut().enumerate() {
        *value = number(fields[index + 1]).ok_or_else(|| Problem {
            rule: Rule::Syntax,
            column: COLUMNS[index + 1],
            value: shown(fields[index + 1]),
            allowed: "a number with a decimal point, such as 101.25".to_owned(),
        })?;
    }
    Ok(values)
}
