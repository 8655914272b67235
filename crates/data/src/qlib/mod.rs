//! Folders in the file format of Microsoft Qlib, read and written.
//!
//! # The format
//! Described in Qlib's public documentation (the component "Data Layer") and in section 4.2, "File storage design", of
//! Yang et al., "Qlib: An AI-oriented Quantitative Investment Platform", arXiv:2009.11189.
//!
//! ```text
//! <root>/calendars/day.txt              one time per line: 2020-01-02
//! <root>/calendars/1min.txt             one time per line: 2020-01-02 09:30:00
//! <root>/instruments/all.txt            one line per span: SYMBOL <tab> START <tab> END
//! <root>/instruments/<market>.txt       the same for the members of an index
//! <root>/features/<symbol>/<field>.day.bin
//! ```
//!
//! * A *calendar* has the times of one frequency, strictly increasing. They are wall-clock times without a zone: dates for
//!   `day`, dates with a time of day for `1min` and `5min`. Files whose name ends in `_future` are planned days; they are
//!   not read.
//! * The *folder of a symbol* has its name in lower case, with `_qlib_` before names that some systems reserve (`CON`,
//!   `PRN`, `AUX`, `NUL`, `COM0`..`COM9`, `LPT0`..`LPT9`). A folder with the name as it is written in the list is read
//!   too.
//! * A *`.bin` file* is a row of little-endian `f32`. The first is the index of a calendar line, counted from 0; then comes
//!   one value for that line and for each line after it. NaN stands for "no value". Fields are called `$close` in
//!   expressions and `close` in file names; both are understood.
//! * *Prices are adjusted*: `factor` is adjusted price / traded price, so that traded price = price / factor and traded
//!   volume = volume x factor. All values of a suspended day are NaN.
//!
//! # From here to bars and back
//! [`QlibFolder`] reads a folder, [`to_bars`] puts a series on the grid of a calendar ([`QlibConventions`]), [`from_bars`]
//! is the way back, and [`QlibWriter`] (or [`write()`] for all at once) writes a folder. [`import_qlib`] and [`export_qlib`]
//! do the same between a folder and the lake. Reading and writing again gives the
//! same bits, and the same bytes in every `.bin` file.
//!
//! # What is refused
//! Everything that is not as described above, with the file and the byte or line ([`QlibError`]). Nothing is read before its
//! size was compared with what the calendar allows, so that memory stays in proportion to the files of the folder.

mod bars;
mod bin;
mod calendar;
mod error;
mod folder;
mod fuzz;
mod import;
mod instruments;
mod names;
mod place;
mod series;
mod text;
mod write;

use std::fmt;

use sextant_domain::Timeframe;

pub use bars::{QlibBarMaker, QlibBars, from_bars, to_bars};
pub use bin::{BinColumn, encode_bin, parse_bin};
pub use calendar::parse_calendar;
pub use error::{BinDefect, QlibDefect, QlibError, QlibRefused, SeriesDefect, TextDefect};
pub use folder::QlibFolder;
pub use fuzz::{fuzz_qlib_bars, fuzz_qlib_bin, fuzz_qlib_calendar, fuzz_qlib_instruments};
pub use import::{
    QlibImportError, QlibImportReport, QlibImportRequest, QlibImported, QlibOutcome, export_qlib, import_qlib,
};
pub use instruments::{QlibInstrument, parse_instruments};
pub use place::{QlibConventions, QlibSessions, QlibStamp};
pub use series::{QlibColumn, QlibSeries};
pub use write::{QlibCalendar, QlibContents, QlibMarket, QlibWriter, write};

/// The longest calendar: an `f32` counts to here without a gap, so that every start index can be told from the next.
pub const MAX_CALENDAR_STEPS: usize = 1 << 24;

/// The market of every instrument of a folder.
pub const ALL_MARKET: &str = "all";

/// The frequencies of Qlib that have a timeframe here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QlibFrequency {
    /// `day`.
    Day,
    /// `5min`.
    FiveMinutes,
    /// `1min`.
    Minute,
}

impl QlibFrequency {
    /// Every frequency, coarsest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::FiveMinutes, Self::Minute];

    /// The name in file names: `day`, `5min`, `1min`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::FiveMinutes => "5min",
            Self::Minute => "1min",
        }
    }

    /// The frequency of a name, if it is one of these.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|frequency| frequency.name() == name)
    }

    /// The timeframe of its bars.
    pub const fn timeframe(self) -> Timeframe {
        match self {
            Self::Day => Timeframe::D1,
            Self::FiveMinutes => Timeframe::M5,
            Self::Minute => Timeframe::M1,
        }
    }

    /// The frequency of a timeframe, if Qlib's folders have it.
    pub fn from_timeframe(timeframe: Timeframe) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|frequency| frequency.timeframe() == timeframe)
    }
}

impl fmt::Display for QlibFrequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod support;

#[cfg(test)]
mod tests;

#[cfg(test)]
mod bars_tests;

#[cfg(test)]
mod import_tests;

#[cfg(test)]
mod malformed;

#[cfg(test)]
mod properties;

#[cfg(test)]
mod real;
