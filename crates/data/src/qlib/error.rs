//! What can be wrong with a Qlib folder, with the file and the byte or line.

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;
use sextant_domain::{SeriesError, UtcNanos};
use thiserror::Error;

use super::{MAX_CALENDAR_STEPS, QlibFrequency};
use crate::Rule;

/// An error of a Qlib folder.
#[derive(Debug, Error)]
pub enum QlibError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was to be done with it.
        action: &'static str,
        /// The answer of the operating system.
        source: std::io::Error,
    },
    /// A file or folder that is not there.
    #[error("{} is missing: {what}. There is: {there}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// What it is.
        what: String,
        /// What there is instead.
        there: String,
    },
    /// Something else than a file in the place of one.
    #[error("{} is not a regular file; a folder of Qlib has one here", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A file that is too large to be what its name says.
    #[error("{} has {found_bytes} bytes; allowed: {allowed_bytes} at the most", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        found_bytes: u64,
        /// The largest size.
        allowed_bytes: u64,
    },
    /// A frequency for which the folder has no calendar.
    #[error("{} has no calendar of the frequency {wanted}; there is: {there}", path.display())]
    NoFrequency {
        /// The folder of the calendars.
        path: PathBuf,
        /// The frequency, or the ones that can be read.
        wanted: String,
        /// The calendars there are.
        there: String,
    },
    /// A symbol, field or market that cannot be part of a file name.
    #[error("the {what} `{found}` is not allowed: {allowed}")]
    Name {
        /// `symbol`, `field` or `market`.
        what: &'static str,
        /// The text found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Two folders for one symbol.
    #[error("the symbol {symbol} has two folders, {} and {}: remove one of them", first.display(), second.display())]
    Ambiguous {
        /// The symbol.
        symbol: String,
        /// One folder.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A line of a calendar or a list of instruments.
    #[error("{}: line {line}: {defect}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        defect: Box<TextDefect>,
    },
    /// A `.bin` file.
    #[error("{}: byte {}: {defect}", path.display(), defect.offset())]
    Bin {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        defect: BinDefect,
    },
    /// Times and columns that are not a series, or not one of the calendar they are written with.
    #[error("the {frequency} series of {symbol}: {defect}")]
    Series {
        /// The symbol.
        symbol: String,
        /// The frequency.
        frequency: QlibFrequency,
        /// What is wrong.
        defect: SeriesDefect,
    },
    /// Rows that break rules; no bars were made.
    #[error(transparent)]
    Rows(Box<QlibRefused>),
    /// Bars that do not make a series.
    #[error("the bars of {symbol}: {source}")]
    Bars {
        /// The symbol.
        symbol: String,
        /// What is wrong.
        source: SeriesError,
    },
    /// Conventions that contradict themselves.
    #[error("{field}: found `{found}`; allowed: {allowed}")]
    Conventions {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// A place to write to that is taken.
    #[error("{} is there already and not an empty folder: name another folder, or remove it first", path.display())]
    Taken {
        /// The path.
        path: PathBuf,
    },
    /// Calendars or series that were given twice to a writer.
    #[error("{what} was written already; each may be written once")]
    Twice {
        /// What was written.
        what: String,
    },
}

impl QlibError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }
}

/// What is wrong with the bytes of a `.bin` file.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum BinDefect {
    /// No bytes.
    #[error("the file is empty; it must begin with the index of a calendar line")]
    Empty,
    /// Bytes that are not whole numbers of four.
    #[error(
        "the file has {bytes} bytes; it must have four for each number, so that it is cut short or damaged"
    )]
    Length {
        /// The size of the file.
        bytes: u64,
    },
    /// More values than the calendar has lines.
    #[error("the file has {values} values, but its calendar has {steps} lines")]
    LongerThanCalendar {
        /// The number of values.
        values: u64,
        /// The number of lines.
        steps: usize,
    },
    /// A start index that is NaN or infinite.
    #[error("the start index is {found}; it must be the index of a calendar line, counted from 0")]
    StartNotFinite {
        /// The number found.
        found: f32,
    },
    /// A start index below zero.
    #[error("the start index is {found}; it must not be negative")]
    StartNegative {
        /// The number found.
        found: f32,
    },
    /// A start index that is no whole number.
    #[error("the start index is {found}; it must be a whole number")]
    StartFractional {
        /// The number found.
        found: f32,
    },
    /// A start index after the last line.
    #[error("the start index is {found}, but its calendar has {steps} lines, counted from 0")]
    StartBeyondCalendar {
        /// The number found.
        found: f32,
        /// The number of lines.
        steps: usize,
    },
    /// A start index and nothing else.
    #[error("the file has a start index, but no value")]
    NoValues,
    /// Values after the last line.
    #[error(
        "the file begins at the line {start} of its calendar and has {values} values, but there are {steps} lines"
    )]
    TooManyValues {
        /// The start index.
        start: usize,
        /// The number of values.
        values: usize,
        /// The number of lines.
        steps: usize,
    },
}

impl BinDefect {
    /// The byte of the file at which it shows, counted from 0.
    pub fn offset(&self) -> u64 {
        match *self {
            Self::Length { bytes } => bytes - bytes % 4,
            Self::LongerThanCalendar { steps, .. } => 4 + 4 * steps as u64,
            Self::NoValues => 4,
            Self::TooManyValues { start, steps, .. } => 4 + 4 * (steps - start) as u64,
            _ => 0,
        }
    }
}

/// What is wrong with a line of text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextDefect {
    /// A line that is longer than any real one.
    #[error("it has {bytes} bytes; no line of such a file has more than {allowed}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        allowed: usize,
    },
    /// No time.
    #[error("found `{found}`; allowed: a date such as 2020-01-02, or a time such as 2020-01-02 09:30:00")]
    NotATime {
        /// The text found.
        found: String,
    },
    /// A time of day in a calendar of dates.
    #[error("found `{found}`; a daily calendar has dates only")]
    NotADate {
        /// The text found.
        found: String,
    },
    /// The time of an earlier line.
    #[error("found {found}, which the line before has too; each time stands in a calendar once")]
    Repeated {
        /// The time.
        found: NaiveDateTime,
    },
    /// A time before that of the line above.
    #[error("found {found} after {before}; the times of a calendar increase")]
    Unsorted {
        /// The time.
        found: NaiveDateTime,
        /// The time of the line before.
        before: NaiveDateTime,
    },
    /// No line with a time.
    #[error("the calendar has no time")]
    NoTimes,
    /// A calendar that is longer than an `f32` can count.
    #[error("there are more than {MAX_CALENDAR_STEPS} times, to which a start index cannot count")]
    TooManyTimes,
    /// Another number of fields.
    #[error("found `{found}` with {count} fields; allowed: SYMBOL, START and END with tabs between them")]
    Fields {
        /// The line found.
        found: String,
        /// The number of its fields.
        count: usize,
    },
    /// A symbol that cannot be a folder.
    #[error("found the symbol `{found}`; allowed: {allowed}")]
    Symbol {
        /// The text found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Two spellings of a symbol that have one folder.
    #[error("found the symbol {found}, whose folder is also that of {earlier}")]
    OtherCase {
        /// The symbol.
        found: String,
        /// The earlier spelling.
        earlier: String,
    },
    /// A span that ends before it begins.
    #[error("the span ends at {end}, before it begins at {start}")]
    EndsBeforeStart {
        /// Its begin.
        start: NaiveDateTime,
        /// Its end.
        end: NaiveDateTime,
    },
    /// A span that begins in an earlier one of the symbol.
    #[error("the span of {symbol} begins at {start}, but an earlier line of it ends at {earlier_end}")]
    Overlap {
        /// The symbol.
        symbol: String,
        /// Its begin.
        start: NaiveDateTime,
        /// The end of the earlier span.
        earlier_end: NaiveDateTime,
    },
}

/// What is wrong with the times and columns of a series.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SeriesDefect {
    /// No column.
    #[error("no field was named; name one or more")]
    NoFields,
    /// A column twice.
    #[error("the field {field} is there twice")]
    FieldTwice {
        /// The field.
        field: String,
    },
    /// A column that a use of the series needs.
    #[error("the field {field} is needed; there is: {there}")]
    FieldMissing {
        /// The field.
        field: String,
        /// The fields there are.
        there: String,
    },
    /// Times that do not increase.
    #[error("the time {index} of it is not after the one before")]
    Unsorted {
        /// The index of the time.
        index: usize,
    },
    /// A column that does not fit the times.
    #[error(
        "the field {field} has {values} values from row {start} on, but there are {rows} rows; it must have one at least and end with them"
    )]
    Span {
        /// The field.
        field: String,
        /// Its first row.
        start: usize,
        /// The number of its values.
        values: usize,
        /// The number of times.
        rows: usize,
    },
    /// A time that the calendar does not have.
    #[error("the time {time} is not in the calendar that is written beside it")]
    NotInCalendar {
        /// The time.
        time: NaiveDateTime,
    },
    /// A bar that has no time under the conventions.
    #[error(
        "the bar that begins at {open_time} does not begin where these conventions have a {frequency} bar"
    )]
    NotOnGrid {
        /// Its begin.
        open_time: UtcNanos,
        /// The frequency.
        frequency: QlibFrequency,
    },
    /// A number that an `f32` does not hold, not even rounded.
    #[error(
        "the {field} of the bar that begins at {open_time} is {value}, which is no positive number in 32 bits (zero only as a volume)"
    )]
    NotASingle {
        /// Its begin.
        open_time: UtcNanos,
        /// The field.
        field: &'static str,
        /// The number.
        value: f64,
    },
    /// No bar to make a row of.
    #[error("there are no bars")]
    NoBars,
    /// Factors that are not one per bar.
    #[error("there are {factors} factors for {bars} bars")]
    Factors {
        /// The number of factors.
        factors: usize,
        /// The number of bars.
        bars: usize,
    },
}

/// A row of a series that breaks a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct QlibDefect {
    /// Its time, as in the calendar.
    pub time: NaiveDateTime,
    /// The index of its calendar line, counted from 0.
    pub step: usize,
    /// The field.
    pub field: &'static str,
    /// The rule.
    pub rule: Rule,
    /// The value found; NaN where the row as a whole is meant.
    pub value: f32,
    /// What is allowed.
    pub allowed: &'static str,
}

impl fmt::Display for QlibDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            time,
            step,
            field,
            rule,
            value,
            allowed,
        } = self;
        write!(f, "{time} (calendar line {}), {field}: ", step + 1)?;
        if *field != super::bars::TIME {
            write!(f, "found {value}; ")?;
        }
        write!(f, "allowed: {allowed} ({rule})")
    }
}

/// The rows for which a series was refused.
#[derive(Debug, Clone, PartialEq, Error)]
pub struct QlibRefused {
    /// The symbol.
    pub symbol: String,
    /// The frequency.
    pub frequency: QlibFrequency,
    /// Number of bad rows.
    pub total: usize,
    /// Number of bad rows by rule.
    pub by_rule: Vec<(Rule, u64)>,
    /// The first bad rows.
    pub first: Vec<QlibDefect>,
}

impl fmt::Display for QlibRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            symbol,
            frequency,
            total,
            by_rule,
            first,
        } = self;
        let rules: Vec<_> = by_rule
            .iter()
            .map(|(rule, count)| format!("{rule} {count}"))
            .collect();
        writeln!(
            f,
            "{symbol} ({frequency}): no bars were made, because {total} rows break rules ({}):",
            rules.join(", ")
        )?;
        for defect in first {
            writeln!(f, "  {defect}")?;
        }
        if *total > first.len() {
            writeln!(f, "  ... and {} more", total - first.len())?;
        }
        write!(f, "Correct the source, or leave the bad rows out: --quarantine")
    }
}
