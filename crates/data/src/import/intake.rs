//! A CSV file of bars, row by row: what becomes a bar, and what breaks which rule.

use std::collections::BTreeMap;
use std::path::Path;

use sextant_domain::{Bar, BarSeries, UtcNanos};

use super::fields::{number, split, split_first, time};
use super::lines::Lines;
use super::place::{Place, Placer};
use super::{ImportRequest, LISTED_ROWS};
use crate::text::shown;
use crate::validate::broken_by;
use crate::{BarKey, DataError, Progress, RowDefect, Rule};

const HEADER: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];

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

/// Row counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rows with content, without the header.
    pub(crate) rows_read: u64,
    /// Rows that stood in the file before, value for value.
    pub(crate) identical_duplicates: u64,
    /// Rows outside the session, left out.
    pub(crate) outside_session: u64,
    /// Rows after an early close, added to the last bar of the session.
    pub(crate) late_rows: u64,
}

/// The rows that break rules: all of them by number, the first of each rule with their values.
#[derive(Debug, Default)]
pub(crate) struct Defects {
    pub(crate) rows: Vec<(u64, Rule)>,
    listed: Vec<RowDefect>,
    counts: BTreeMap<Rule, u64>,
}

impl Defects {
    fn add(&mut self, defect: RowDefect) {
        self.rows.push((defect.row, defect.rule));
        let count = self.counts.entry(defect.rule).or_default();
        *count += 1;
        if *count <= LISTED_ROWS as u64 {
            self.listed.push(defect);
        }
    }

    /// Number of bad rows by rule.
    pub(crate) fn by_rule(&self) -> Vec<(Rule, u64)> {
        self.counts.iter().map(|(rule, count)| (*rule, *count)).collect()
    }

    /// The first bad rows.
    pub(crate) fn first(&self) -> Vec<RowDefect> {
        self.listed.iter().take(LISTED_ROWS).cloned().collect()
    }

    /// The first rows that break one rule.
    pub(crate) fn first_of(&self, rule: Rule) -> impl Iterator<Item = RowDefect> + '_ {
        self.listed
            .iter()
            .filter(move |defect| defect.rule == rule)
            .cloned()
    }
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
    let mut taker = Taker {
        width: HEADER.len() + extra_columns.len(),
        placer: Placer::new(request),
        rows: Vec::new(),
        bars_end: UtcNanos::MIN,
        defects: Defects::default(),
        counts: Counts::default(),
    };
    while let Some((row, line)) = lines.next()? {
        taker.take(row, line);
    }
    let (bars, counts) = to_bars(&taker.rows, taker.counts, key)?;
    Ok(Intake {
        bars,
        defects: taker.defects,
        counts,
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
        names.len() >= HEADER.len() && names.iter().zip(HEADER).all(|(name, expected)| name == expected);
    if !fits {
        return Err(DataError::Header {
            path: path.to_owned(),
            found: shown(line),
            expected: HEADER.join(","),
        });
    }
    Ok(names[HEADER.len()..].to_vec())
}

/// A row that is a bar or belongs to one.
struct Row {
    stamp: UtcNanos,
    values: [f64; 5],
    place: Place,
}

struct Taker {
    width: usize,
    placer: Placer,
    /// Well-formed rows; their stamps increase.
    rows: Vec<Row>,
    /// Where the last bar ends.
    bars_end: UtcNanos,
    defects: Defects,
    counts: Counts,
}

/// Why a row is not taken.
struct Problem {
    rule: Rule,
    column: &'static str,
    value: String,
    allowed: String,
}

impl Taker {
    fn take(&mut self, row: u64, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        self.counts.rows_read += 1;
        match self.read(line) {
            Ok(Some(read)) => {
                if let Place::Bar(slot) = read.place {
                    self.bars_end = slot.close_time;
                }
                self.rows.push(read);
            }
            Ok(None) => self.counts.identical_duplicates += 1,
            Err(Problem {
                rule,
                column,
                value,
                allowed,
            }) => {
                self.defects.add(RowDefect {
                    row,
                    rule,
                    column: column.to_owned(),
                    value,
                    allowed,
                });
            }
        }
    }

    /// The row, or nothing when it stands in the file already.
    fn read(&mut self, line: &[u8]) -> Result<Option<Row>, Problem> {
        let (fields, count) = split_first::<6>(line);
        if count != self.width {
            let allowed = format!(
                "{} fields as in the header, numbers with a decimal point",
                self.width
            );
            return Err(Problem {
                rule: Rule::Syntax,
                column: "row",
                value: shown(line),
                allowed,
            });
        }
        let stamp = read_time(fields[0])?;
        let values = read_values(&fields)?;
        check_values(&values, &fields)?;
        if self.is_repeated(stamp, &values, fields[0])? {
            return Ok(None);
        }
        let place = self.placer.place(stamp).map_err(|rule| Problem {
            rule,
            column: HEADER[0],
            value: shown(fields[0]),
            allowed: self.placer.allowed(rule),
        })?;
        if let Place::Bar(slot) = place {
            self.check_overlap(slot.open_time, fields[0])?;
        }
        Ok(Some(Row { stamp, values, place }))
    }

    /// Whether an earlier row is the same; an error when this one goes back in time with something new.
    fn is_repeated(&self, stamp: UtcNanos, values: &[f64; 5], field: &[u8]) -> Result<bool, Problem> {
        let Some(last) = self.rows.last().filter(|last| stamp <= last.stamp) else {
            return Ok(false);
        };
        let problem = |rule, allowed| Problem {
            rule,
            column: HEADER[0],
            value: shown(field),
            allowed,
        };
        match self.rows.binary_search_by_key(&stamp, |row| row.stamp) {
            Ok(index) if self.rows[index].values == *values => Ok(true),
            Ok(_) => {
                let allowed = "one row for each time; an earlier row has other values for it".to_owned();
                Err(problem(Rule::Duplicates, allowed))
            }
            Err(_) => Err(problem(
                Rule::Monotonic,
                format!("a time after {}, which an earlier row has", last.stamp),
            )),
        }
    }

    fn check_overlap(&self, open_time: UtcNanos, field: &[u8]) -> Result<(), Problem> {
        if open_time >= self.bars_end {
            return Ok(());
        }
        let allowed = format!("the stamp of a bar that begins at {} or later", self.bars_end);
        Err(Problem {
            rule: Rule::Overlap,
            column: HEADER[0],
            value: shown(field),
            allowed,
        })
    }
}

fn read_time(field: &[u8]) -> Result<UtcNanos, Problem> {
    time(field).ok_or_else(|| Problem {
        rule: Rule::Syntax,
        column: HEADER[0],
        value: shown(field),
        allowed: "a UTC time such as 2020-12-31T16:00:00Z, or a date such as 2020-12-31".to_owned(),
    })
}

fn read_values(fields: &[&[u8]; 6]) -> Result<[f64; 5], Problem> {
    let mut values = [0.0; 5];
    for (index, value) in values.iter_mut().enumerate() {
        *value = number(fields[index + 1]).ok_or_else(|| Problem {
            rule: Rule::Syntax,
            column: HEADER[index + 1],
            value: shown(fields[index + 1]),
            allowed: "a number with a decimal point, such as 101.25".to_owned(),
        })?;
    }
    Ok(values)
}

fn check_values(values: &[f64; 5], fields: &[&[u8]; 6]) -> Result<(), Problem> {
    let Some(rule) = broken_by(*values) else {
        return Ok(());
    };
    let (index, allowed) = culprit(rule, values);
    Err(Problem {
        rule,
        column: HEADER[index + 1],
        value: shown(fields[index + 1]),
        allowed,
    })
}

/// The value that breaks a rule, and what it may be.
fn culprit(rule: Rule, values: &[f64; 5]) -> (usize, String) {
    let [open, high, _, close, _] = *values;
    let first = |bad: fn(f64) -> bool| values.iter().position(|value| bad(*value)).unwrap_or(0);
    match rule {
        Rule::Nan => (first(|value| !value.is_finite()), "a finite number".to_owned()),
        Rule::NonPositive => (first(|value| value <= 0.0), "a number above zero".to_owned()),
        Rule::NegativeVolume => (4, "zero or a number above zero".to_owned()),
        _ if high < open.max(close) => (1, format!("at least open and close, {}", open.max(close))),
        _ => (2, format!("at most open and close, {}", open.min(close))),
    }
}

/// Puts the rows together to bars.
///
/// A file with rows before the open or after the usual close has extended hours; what comes after an early close is
/// extended hours too then, and is left out. In any other file such rows are late prints of the session, which the daily
/// bars of the same vendors contain: they are added to the session's last bar, which becomes available when they were
/// known.
fn to_bars(rows: &[Row], mut counts: Counts, key: &BarKey) -> Result<(BarSeries, Counts), DataError> {
    let extended_hours = rows.iter().any(|row| row.place == Place::Outside);
    let mut bars: Vec<Bar> = Vec::with_capacity(rows.len());
    for row in rows {
        match (row.place, bars.last_mut()) {
            (Place::Bar(slot), _) => {
                let [open, high, low, close, volume] = row.values;
                let (open_time, close_time) = (slot.open_time, slot.close_time);
                bars.push(Bar {
                    open_time,
                    close_time,
                    open,
                    high,
                    low,
                    close,
                    volume,
                });
            }
            (
                Place::Late {
                    session_open,
                    close_time,
                },
                Some(last),
            ) if !extended_hours && last.open_time >= session_open => {
                add_late(last, row.values, close_time);
                counts.late_rows += 1;
            }
            _ => counts.outside_session += 1,
        }
    }
    let series = BarSeries::from_bars(bars).map_err(DataError::series(key))?;
    Ok((series, counts))
}

fn add_late(bar: &mut Bar, [_, high, low, close, volume]: [f64; 5], close_time: UtcNanos) {
    bar.high = bar.high.max(high);
    bar.low = bar.low.min(low);
    bar.close = close;
    bar.volume += volume;
    bar.close_time = close_time;
}
