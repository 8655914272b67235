//! Why a download or an update did not happen.

use std::fmt;
use std::path::PathBuf;

use chrono::NaiveDate;
use sextant_domain::UtcNanos;
use thiserror::Error;

use super::Difference;
use crate::{DataError, ProviderError, RowDefect, Rule};

/// An error of a download or an update. Unless it says otherwise, the lake is as it was.
#[derive(Debug, Error)]
pub enum UpdateError {
    /// The lake cannot be read or written, or the request contradicts itself.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The provider did not deliver.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// There is nothing that could be updated.
    #[error("{wanted} is not in the lake {}, so there is nothing to update. To get it: {command}", root.display())]
    NotThere {
        /// The bars.
        wanted: String,
        /// The lake's folder.
        root: PathBuf,
        /// The command that would bring them.
        command: String,
    },
    /// The file came from elsewhere.
    #[error(
        "{} holds {there}; {wanted} is not mixed with it, and nothing was changed. To put it in its place: {command}",
        path.display()
    )]
    OtherSource {
        /// The file.
        path: PathBuf,
        /// What it holds.
        there: String,
        /// What was to be added.
        wanted: String,
        /// The command that replaces it.
        command: String,
    },
    /// A provider that does not revise its history delivers another bar than before.
    #[error(
        "{what} differ between the lake and {provider}, which says that it does not change what it delivered, at {count} bars; {first}. Nothing was changed. To trust the provider and load everything anew: {command}"
    )]
    Differs {
        /// The bars.
        what: String,
        /// The provider.
        provider: String,
        /// Number of bars that differ among those compared.
        count: u64,
        /// The first of them.
        first: Box<Difference>,
        /// The command that replaces the bars.
        command: String,
    },
    /// A provider that revised its history no longer reaches back to the first stored bar.
    #[error(
        "{provider} revised {what} and now has it only from {earliest} on, but the lake has {count} bars before that, which do not fit the revised ones. Nothing was changed. To go on without them: {command}"
    )]
    LostHistory {
        /// The bars.
        what: String,
        /// The provider.
        provider: String,
        /// The first bar it has now.
        earliest: UtcNanos,
        /// Number of earlier bars in the lake.
        count: usize,
        /// The command that replaces the bars.
        command: String,
    },
    /// Stored bars would have to be loaded again, and the provider no longer reaches back to them.
    #[error(
        "{problem}. What the lake has of {what} cannot be compared with it, and nothing was changed. To put what can be had in its place: {command}"
    )]
    StoredOutOfReach {
        /// The bars.
        what: String,
        /// The words of the provider: what was asked for, from when on it has bars.
        problem: String,
        /// The command that replaces the bars.
        command: String,
    },
    /// Rows that break rules.
    #[error(transparent)]
    Rows(Box<RefusedAnswer>),
    /// No bar came.
    #[error("{provider} has no bars of {what}: {detail}. Nothing was changed")]
    Empty {
        /// The bars.
        what: String,
        /// The provider.
        provider: String,
        /// What was asked for, and what became of the rows.
        detail: String,
    },
    /// An answer that breaks the promises of a provider.
    #[error("{provider} broke its promises about {what}: {problem}. Nothing was changed")]
    Answer {
        /// The bars or the table.
        what: String,
        /// The provider.
        provider: String,
        /// Where, what was found, what is allowed.
        problem: String,
    },
    /// A time that the calendar does not know.
    #[error("the calendar of {what} ends on {last}; found {asked}, allowed are times up to then")]
    BeyondCalendar {
        /// The bars.
        what: String,
        /// The last date it knows.
        last: NaiveDate,
        /// The date asked for.
        asked: NaiveDate,
    },
    /// The memory of holes cannot be used.
    #[error(
        "{} cannot be used: {problem}. Remove the file; the next update then asks for every gap again",
        path.display()
    )]
    Memory {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// The rows for which an answer was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct RefusedAnswer {
    /// The provider and what it was asked.
    pub asked: String,
    /// Number of bad rows.
    pub total: u64,
    /// Number of bad rows by rule.
    pub by_rule: Vec<(Rule, u64)>,
    /// The first bad rows; numbers count the rows of the answers from 1.
    pub first: Vec<RowDefect>,
    /// Where bad rows would be set aside.
    pub quarantine: PathBuf,
}

impl fmt::Display for RefusedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<_> = self
            .by_rule
            .iter()
            .map(|(rule, count)| format!("{rule} {count}"))
            .collect();
        let (asked, total) = (&self.asked, self.total);
        writeln!(
            f,
            "{asked}: nothing was stored, because {total} rows break rules ({}):",
            rules.join(", ")
        )?;
        for defect in &self.first {
            writeln!(f, "  {defect}")?;
        }
        if total > self.first.len() as u64 {
            writeln!(f, "  ... and {} more", total - self.first.len() as u64)?;
        }
        let quarantine = self.quarantine.display();
        write!(f, "To go on without them, moved to {quarantine}: --quarantine")
    }
}
