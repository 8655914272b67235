//! Rows of a file or a provider, one after the other: what becomes a bar, and what breaks which rule.

use std::collections::BTreeMap;

use sextant_domain::{Bar, BarSeries, UtcNanos};

use super::place::{Place, Placer};
use super::{LISTED_ROWS, StampConvention};
use crate::validate::broken_by;
use crate::{BarKey, DataError, RowDefect, Rule};

/// The columns of a row, in files and in messages.
pub(crate) const COLUMNS: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];

/// Who hands over the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowSource {
    /// A whole file; its bars have closed.
    File,
    /// A provider, which was asked at an instant. Bars that are not final then are left out.
    Provider {
        /// Bars that close later are not final.
        now: UtcNanos,
    },
}

/// A row that could be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Its time.
    pub(crate) stamp: UtcNanos,
    /// Open, high, low, close and volume.
    pub(crate) values: [f64; 5],
}

/// Why a row is not taken.
pub(crate) struct Problem {
    pub(crate) rule: Rule,
    pub(crate) column: &'static str,
    pub(crate) value: String,
    pub(crate) allowed: String,
}

/// What became of all rows.
pub(crate) struct Taken {
    /// The bars.
    pub(crate) bars: BarSeries,
    /// The rows that break rules.
    pub(crate) defects: Defects,
    /// What became of the other rows.
    pub(crate) counts: Counts,
}

/// Row counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rows with content, without the header.
    pub(crate) rows_read: u64,
    /// Rows that stood there before, value for value.
    pub(crate) identical_duplicates: u64,
    /// Rows outside the session, left out.
    pub(crate) outside_session: u64,
    /// Rows after an early close, added to the last bar of the session.
    pub(crate) late_rows: u64,
    /// Rows of bars that had not closed yet, left out.
    pub(crate) forming: u64,
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

/// Takes rows in their order.
pub(crate) struct Taker {
    placer: Placer,
    source: RowSource,
    /// Well-formed rows; their stamps increase.
    rows: Vec<Row>,
    /// Where the last bar ends.
    bars_end: UtcNanos,
    defects: Defects,
    counts: Counts,
}

/// A row that is a bar or belongs to one.
struct Row {
    stamp: UtcNanos,
    values: [f64; 5],
    place: Place,
}

impl Taker {
    /// For the rows of one series.
    pub(crate) fn new(key: &BarKey, convention: StampConvention, source: RowSource) -> Self {
        Self {
            placer: Placer::new(key, convention),
            source,
            rows: Vec::new(),
            bars_end: UtcNanos::MIN,
            defects: Defects::default(),
            counts: Counts::default(),
        }
    }

    /// Takes the row of a number. `shown` gives the text of a column, for messages.
    pub(crate) fn take(
        &mut self,
        row: u64,
        reading: Result<Reading, Problem>,
        shown: &dyn Fn(usize) -> String,
    ) {
        self.counts.rows_read += 1;
        match reading.and_then(|reading| self.check(reading, shown)) {
            Ok(Some(taken)) => {
                if let Place::Bar(slot) = taken.place {
                    self.bars_end = slot.close_time;
                }
                self.rows.push(taken);
            }
            Ok(None) => {}
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

    /// The bars of all rows.
    pub(crate) fn finish(self, key: &BarKey) -> Result<Taken, DataError> {
        let (bars, counts) = to_bars(&self.rows, self.source, self.counts, key)?;
        Ok(Taken {
            bars,
            defects: self.defects,
            counts,
        })
    }

    /// The row, or nothing when it is left out for a reason that is counted.
    fn check(
        &mut self,
        Reading { stamp, values }: Reading,
        shown: &dyn Fn(usize) -> String,
    ) -> Result<Option<Row>, Problem> {
        // A bar that is still forming may hold anything.
        if self.is_forming(stamp) {
            self.counts.forming += 1;
            return Ok(None);
        }
        check_values(&values, shown)?;
        if self.is_repeated(stamp, &values, shown)? {
            self.counts.identical_duplicates += 1;
            return Ok(None);
        }
        let place = self.placer.place(stamp).map_err(|rule| Problem {
            rule,
            column: COLUMNS[0],
            value: shown(0),
            allowed: self.placer.allowed(rule),
        })?;
        if let Place::Bar(slot) = place {
            self.check_overlap(slot.open_time, shown)?;
        }
        Ok(Some(Row { stamp, values, place }))
    }

    fn is_forming(&mut self, stamp: UtcNanos) -> bool {
        let RowSource::Provider { now } = self.source else {
            return false;
        };
        matches!(self.placer.place(stamp), Ok(Place::Bar(slot)) if slot.close_time > now)
    }

    /// Whether an earlier row is the same; an error when this one goes back in time with something new.
    fn is_repeated(
        &self,
        stamp: UtcNanos,
        values: &[f64; 5],
        shown: &dyn Fn(usize) -> String,
    ) -> Result<bool, Problem> {
        let Some(last) = self.rows.last().filter(|last| stamp <= last.stamp) else {
            return Ok(false);
        };
        let problem = |rule, allowed| Problem {
            rule,
            column: COLUMNS[0],
            value: shown(0),
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

    fn check_overlap(&self, open_time: UtcNanos, shown: &dyn Fn(usize) -> String) -> Result<(), Problem> {
        if open_time >= self.bars_end {
            return Ok(());
        }
        Err(Problem {
            rule: Rule::Overlap,
            column: COLUMNS[0],
            value: shown(0),
            allowed: format!("the stamp of a bar that begins at {} or later", self.bars_end),
        })
    }
}

fn check_values(values: &[f64; 5], shown: &dyn Fn(usize) -> String) -> Result<(), Problem> {
    let Some(rule) = broken_by(*values) else {
        return Ok(());
    };
    let (index, allowed) = culprit(rule, values);
    Err(Problem {
        rule,
        column: COLUMNS[index + 1],
        value: shown(index + 1),
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
///
/// The answer of a provider may be any part of a history, so that what it says about extended hours is chance: from it
/// late rows are always left out, and the bars are the same however the history was asked for.
fn to_bars(
    rows: &[Row],
    source: RowSource,
    mut counts: Counts,
    key: &BarKey,
) -> Result<(BarSeries, Counts), DataError> {
    let extended_hours = source != RowSource::File || rows.iter().any(|row| row.place == Place::Outside);
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
