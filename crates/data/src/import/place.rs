//! From the stamp of a row to the times of a bar.

use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use super::StampConvention;
use crate::calendar::{BarSlot, Calendar, DayGrid, Session};
use crate::{BarKey, Rule};

/// What the stamp of a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A bar of the grid.
    Bar(BarSlot),
    /// Trades after an early close and before the hour at which the session usually ends.
    Late {
        /// The session whose close it missed.
        session_open: UtcNanos,
        /// When the last of the trades was known.
        close_time: UtcNanos,
    },
    /// A time on a trading day, outside of its session.
    Outside,
}

/// Finds places; keeps the day of the row before, because rows come in order.
pub(super) struct Placer {
    calendar: Calendar,
    timeframe: Timeframe,
    convention: StampConvention,
    late_rows: bool,
    day: Option<DayGrid>,
}

impl Placer {
    pub(super) fn new(key: &BarKey, convention: StampConvention) -> Self {
        Self {
            calendar: Calendar::for_class(key.class()),
            timeframe: key.timeframe(),
            convention,
            late_rows: key.class() == AssetClass::Equity,
            day: None,
        }
    }

    /// The place of a stamp, or the rule it breaks.
    pub(super) fn place(&mut self, stamp: UtcNanos) -> Result<Place, Rule> {
        match self.convention {
            StampConvention::SessionDate => self.session_of_label(stamp),
            StampConvention::BarOpen => self.place_instant(stamp, stamp),
            StampConvention::BarEnd => self.place_instant(stamp, stamp.saturating_add(-1)),
        }
    }

    /// What a stamp may be, for messages.
    pub(super) fn allowed(&self, rule: Rule) -> String {
        let span = self
            .calendar
            .span()
            .map(|(first, last)| format!("{first} to {last}"));
        match (rule, self.convention) {
            (Rule::CalendarRange, _) => format!("a date the calendar knows, {}", span.unwrap_or_default()),
            (Rule::NotASession, _) => "a trading day of the calendar".to_owned(),
            (_, StampConvention::SessionDate) => {
                "the date of a session, at 00:00 UTC or without a time".to_owned()
            }
            (_, StampConvention::BarOpen) => format!("the begin of a {} bar of the grid", self.timeframe),
            (_, StampConvention::BarEnd) => format!("the end of a {} bar of the grid", self.timeframe),
        }
    }

    fn session_of_label(&self, stamp: UtcNanos) -> Result<Place, Rule> {
        let date = stamp.date();
        if UtcNanos::from_date(date) != Some(stamp) {
            return Err(Rule::StampGrid);
        }
        let session = self.calendar.session(date).ok_or_else(|| self.no_session(date))?;
        Ok(Place::Bar(BarSlot {
            open_time: session.open,
            close_time: session.close,
        }))
    }

    fn no_session(&self, date: chrono::NaiveDate) -> Rule {
        let known = self
            .calendar
            .span()
            .is_none_or(|(first, last)| (first..=last).contains(&date));
        if known {
            Rule::NotASession
        } else {
            Rule::CalendarRange
        }
    }

    /// `inside` is an instant within the bar.
    fn place_instant(&mut self, stamp: UtcNanos, inside: UtcNanos) -> Result<Place, Rule> {
        let day = self.day_of(inside)?;
        let Some(slot) = day.slot_at(inside, self.timeframe) else {
            return Ok(self.outside(stamp, inside, day.session()));
        };
        let marks = match self.convention {
            StampConvention::BarEnd => [slot.window.close_time, slot.bar.close_time],
            _ => [slot.window.open_time, slot.bar.open_time],
        };
        if marks.contains(&stamp) {
            Ok(Place::Bar(slot.bar))
        } else {
            Err(Rule::StampGrid)
        }
    }

    fn outside(&self, stamp: UtcNanos, inside: UtcNanos, session: Session) -> Place {
        let usual_close = self.calendar.regular_close(session);
        if !self.late_rows || inside < session.close || inside >= usual_close {
            return Place::Outside;
        }
        let end = match self.convention {
            StampConvention::BarEnd => stamp,
            _ => stamp.saturating_add(self.timeframe.nanos()),
        };
        Place::Late {
            session_open: session.open,
            close_time: end.min(usual_close),
        }
    }

    fn day_of(&mut self, instant: UtcNanos) -> Result<DayGrid, Rule> {
        if let Some(day) = self.day.filter(|day| day.contains(instant)) {
            return Ok(day);
        }
        let date = self.calendar.date_of(instant);
        let day = self.calendar.day(date).ok_or_else(|| self.no_session(date))?;
        self.day = Some(day);
        Ok(day)
    }
}
