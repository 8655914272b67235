//! Where dates lie in a series of bars.

use chrono::{Days, NaiveDate};
use sextant_domain::{BarSeries, UtcNanos};

use crate::calendar::Calendar;

/// No market that is not closed for good is closed for longer.
const LONGEST_CLOSURE: Days = Days::new(14);

/// Bars by the date of the session they begin in.
#[derive(Clone, Copy)]
pub(super) struct BarDates<'a> {
    open_time: &'a [UtcNanos],
    calendar: &'a Calendar,
}

impl<'a> BarDates<'a> {
    pub(super) fn new(bars: &'a BarSeries, calendar: &'a Calendar) -> Self {
        Self::of_times(bars.view().open_time, calendar)
    }

    /// Bars by their open times, which must not decrease.
    pub(super) fn of_times(open_time: &'a [UtcNanos], calendar: &'a Calendar) -> Self {
        Self { open_time, calendar }
    }

    /// The number of bars.
    pub(super) fn len(&self) -> usize {
        self.open_time.len()
    }

    /// The number of bars before a date.
    pub(super) fn before(&self, date: NaiveDate) -> usize {
        self.open_time
            .partition_point(|time| self.calendar.date_of(*time) < date)
    }

    /// The number of bars before a date and on it.
    pub(super) fn until(&self, date: NaiveDate) -> usize {
        self.open_time
            .partition_point(|time| self.calendar.date_of(*time) <= date)
    }

    /// The date of the bar at an index.
    ///
    /// # Panics
    /// When the index is out of range.
    pub(super) fn date(&self, index: usize) -> NaiveDate {
        self.calendar.date_of(self.open_time[index])
    }
}

/// The first session after a date; `None` where the calendar knows of none.
pub(super) fn next_session(calendar: &Calendar, date: NaiveDate) -> Option<NaiveDate> {
    let last = date.checked_add_days(LONGEST_CLOSURE)?;
    let sessions = calendar.sessions(date.succ_opt()?, last);
    sessions.first().map(|session| session.date)
}

/// The last session before a date; `None` where the calendar knows of none.
pub(super) fn session_before(calendar: &Calendar, date: NaiveDate) -> Option<NaiveDate> {
    let first = date.checked_sub_days(LONGEST_CLOSURE)?;
    let sessions = calendar.sessions(first, date.pred_opt()?);
    sessions.last().map(|session| session.date)
}
