//! What can go wrong with data, with the file, the place, what was found and what to do.

use std::fmt;
use std::path::{Path, PathBuf};

use sextant_domain::{InstrumentError, SeriesError, Timeframe, UtcNanos};
use thiserror::Error;

use crate::lake::FileDefect;
use crate::{ActionError, BarKey, Rule};

/// An error of the data crate.
#[derive(Debug, Error)]
pub enum DataError {
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
    /// A symbol that cannot be a file name.
    #[error(transparent)]
    Symbol(#[from] InstrumentError),
    /// A request that contradicts itself or asks for what cannot be.
    #[error("{field}: found `{found}`; allowed: {allowed}")]
    Request {
        /// The field of the request.
        field: &'static str,
        /// Its value.
        found: String,
        /// What may stand there.
        allowed: String,
    },
    /// Data that the lake does not have.
    #[error("{wanted} is not in the lake {}; there is: {there}. To get it: {command}", root.display())]
    Missing {
        /// What was asked for.
        wanted: String,
        /// The lake's folder.
        root: PathBuf,
        /// What it has.
        there: String,
        /// The command that would bring it.
        command: String,
    },
    /// A file of the lake that must not be used.
    #[error("{} is not loaded: {defect}. To write it again: {command}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        defect: FileDefect,
        /// The command that repairs it.
        command: String,
    },
    /// A text file that cannot be read on at a row.
    #[error("{}: row {row}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The row, counted from 1 with the header.
        row: u64,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// A CSV file whose first row is not the header it must have.
    #[error("{}: row 1: the header is `{found}`; it must begin with `{expected}`, comma-separated, in this order", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// The row found.
        found: String,
        /// The columns that must stand there.
        expected: String,
    },
    /// Rows that break rules; nothing was imported.
    #[error(transparent)]
    Rows(Box<RefusedRows>),
    /// One value that is not allowed, in a file that is refused at the first of them.
    #[error("{}: {defect}", path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// The row, the column and the value.
        defect: Box<RowDefect>,
    },
    /// A file without a usable row.
    #[error("{}: there is nothing to import: {detail}", path.display())]
    NothingToImport {
        /// The file.
        path: PathBuf,
        /// What became of its rows.
        detail: String,
    },
    /// A factor file or another list of corporate actions that cannot be used.
    #[error(transparent)]
    Actions(Box<ActionError>),
    /// Bars that do not make a series.
    #[error("{what}: {source}")]
    Series {
        /// Whose bars.
        what: String,
        /// What is wrong.
        source: SeriesError,
    },
    /// Columns that do not make a macro series or table.
    #[error("macro table {name}: {problem}")]
    MacroTable {
        /// The table.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A resampling that is not from finer to coarser.
    #[error("{from} bars cannot be resampled to {to}: the target must be coarser than the source")]
    NotCoarser {
        /// The source timeframe.
        from: Timeframe,
        /// The target timeframe.
        to: Timeframe,
    },
    /// A source bar that does not lie within one target bar.
    #[error("the bar {index} ({open_time} to {close_time}) does not lie within one {to} bar of the calendar")]
    Misaligned {
        /// The index of the bar.
        index: usize,
        /// Its open time.
        open_time: UtcNanos,
        /// Its close time.
        close_time: UtcNanos,
        /// The target timeframe.
        to: Timeframe,
    },
    /// The Parquet writer refused.
    #[error("{} cannot be written as Parquet: {message}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        message: String,
    },
}

impl From<ActionError> for DataError {
    fn from(error: ActionError) -> Self {
        Self::Actions(Box::new(error))
    }
}

impl DataError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }

    /// Whether a file that an index lists is not there: damage, or the series was replaced while it was read. Reading
    /// again from the beginning tells the two apart.
    pub fn is_vanished(&self) -> bool {
        matches!(
            self,
            Self::Damaged {
                defect: FileDefect::Vanished,
                ..
            }
        )
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }

    pub(crate) fn series(key: &BarKey) -> impl FnOnce(SeriesError) -> Self {
        let what = key.to_string();
        move |source| Self::Series { what, source }
    }
}

/// A row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDefect {
    /// The row, counted from 1 with the header.
    pub row: u64,
    /// The rule.
    pub rule: Rule,
    /// The column.
    pub column: String,
    /// The value found, cut and escaped where needed.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

impl fmt::Display for RowDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            row,
            rule,
            column,
            value,
            allowed,
        } = self;
        write!(
            f,
            "row {row}, {column}: found `{value}`; allowed: {allowed} ({rule})"
        )
    }
}

/// The rows for which an import was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct RefusedRows {
    /// The CSV file.
    pub path: PathBuf,
    /// Number of bad rows.
    pub total: u64,
    /// Number of bad rows by rule.
    pub by_rule: Vec<(Rule, u64)>,
    /// The first bad rows.
    pub first: Vec<RowDefect>,
    /// Where an import that sets bad rows aside would put them.
    pub quarantine: PathBuf,
}

impl fmt::Display for RefusedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<_> = self
            .by_rule
            .iter()
            .map(|(rule, count)| format!("{rule} {count}"))
            .collect();
        let path = self.path.display();
        writeln!(
            f,
            "{path}: nothing was imported, because {} rows break rules ({}):",
            self.total,
            rules.join(", ")
        )?;
        for defect in &self.first {
            writeln!(f, "  {defect}")?;
        }
        if self.total > self.first.len() as u64 {
            writeln!(f, "  ... and {} more", self.total - self.first.len() as u64)?;
        }
        let quarantine = self.quarantine.display();
        write!(
            f,
            "Correct the file, or import it with the bad rows moved to {quarantine}: --quarantine"
        )
    }
}
