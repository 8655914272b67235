//! Why a synthetic market could not be generated.

use chrono::NaiveDate;
use sextant_domain::{MacroError, SeriesError, Timeframe, UtcNanos};
use thiserror::Error;

/// Why a synthetic market could not be generated.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SyntheticError {
    /// A span that ends before it begins, or leaves the range of times.
    #[error(
        "synthetic market: the span {from} to {to} is not usable: it must begin no later than it ends and lie between 1677-09-22 and 2262-04-10"
    )]
    Span {
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// A span without any session.
    #[error(
        "synthetic market: no exchange session is dated between {from} and {to}: choose a longer span or a calendar that covers it"
    )]
    NoSession {
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// A session that does not close after it opens.
    #[error(
        "synthetic market: the session of {date} opens at {open} and closes at {close}: it must close after it opens"
    )]
    EmptySession {
        /// The session.
        date: NaiveDate,
        /// Its open.
        open: UtcNanos,
        /// Its close.
        close: UtcNanos,
    },
    /// A session that begins before the one before it has ended, or repeats its date.
    #[error(
        "synthetic market: the session of {date} opens at {open}, but the one of {before} closes at {close}: sessions must follow each other, one per date"
    )]
    SessionOrder {
        /// The session.
        date: NaiveDate,
        /// Its open.
        open: UtcNanos,
        /// The session before.
        before: NaiveDate,
        /// The close of the session before.
        close: UtcNanos,
    },
    /// A time between the steps of the simulation.
    #[error(
        "synthetic market: the session of {date} has the time {time}: times must be whole quarters of an hour"
    )]
    OffGrid {
        /// The session.
        date: NaiveDate,
        /// The time.
        time: UtcNanos,
    },
    /// A session whose times are not on the days of the span.
    #[error(
        "synthetic market: the session of {date} runs from {open} to {close}: it must lie within the UTC days {from} to {to}"
    )]
    OutsideSpan {
        /// The session.
        date: NaiveDate,
        /// Its open.
        open: UtcNanos,
        /// Its close.
        close: UtcNanos,
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// A bar that is not valid, such as a price that has grown beyond all numbers in a span of many centuries.
    #[error("synthetic market: {symbol} {timeframe}: {source}")]
    Bars {
        /// The instrument.
        symbol: &'static str,
        /// The timeframe.
        timeframe: Timeframe,
        /// What is wrong.
        source: SeriesError,
    },
    /// A macro series that is not valid.
    #[error("synthetic market: {0}")]
    Macro(#[from] MacroError),
}
