//! When markets are open, and where bars begin and end.
//!
//! Three calendars: New York Stock Exchange sessions for equities (holidays and early closes from the checked-in
//! `calendars/xnys_exceptions.csv`), round the clock for crypto, and Sunday 17:00 to Friday 17:00 New York time for
//! currency pairs.
//!
//! Bars lie on a grid. For equities it is the New York clock, cut to the session: 4H bars are 09:30-12:00 and
//! 12:00-16:00, 1H bars begin with 09:30-10:00, a 1D bar is the session, and an early close ends the last of each. For
//! crypto and currency pairs it is the UTC clock (00:00, 04:00, ... for 4H, the UTC day for 1D), and a bar that reaches
//! into the weekend keeps its nominal end.

mod clock;
mod grid;
mod nyse;

use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

pub(crate) use clock::new_york;
pub(crate) use grid::DayGrid;
use nyse::Nyse;

/// One trading period of a calendar day: an exchange session, or the open part of a UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The date that names it: New York's for equities, UTC's otherwise.
    pub date: NaiveDate,
    /// When trading begins.
    pub open: UtcNanos,
    /// When trading ends.
    pub close: UtcNanos,
}

/// The place of one bar on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BarSlot {
    /// Where the bar begins.
    pub open_time: UtcNanos,
    /// Where it ends.
    pub close_time: UtcNanos,
}

/// The opening hours of an asset class.
#[derive(Debug, Clone)]
pub struct Calendar {
    venue: Venue,
}

#[derive(Debug, Clone)]
enum Venue {
    Nyse(Nyse),
    RoundTheClock,
    FxWeek,
}

impl Calendar {
    /// The calendar of an asset class.
    pub fn for_class(class: AssetClass) -> Self {
        let venue = match class {
            AssetClass::Equity => Venue::Nyse(Nyse::embedded()),
            AssetClass::Crypto => Venue::RoundTheClock,
            AssetClass::Fx => Venue::FxWeek,
        };
        Self { venue }
    }

    /// The first and last date it knows, inclusive; `None` when it follows from a rule without end. Outside of it there
    /// are no sessions.
    pub fn span(&self) -> Option<(NaiveDate, NaiveDate)> {
        match &self.venue {
            Venue::Nyse(nyse) => Some(nyse.span()),
            Venue::RoundTheClock | Venue::FxWeek => None,
        }
    }

    /// The date an instant belongs to: New York's for equities, UTC's otherwise.
    pub fn date_of(&self, time: UtcNanos) -> NaiveDate {
        match &self.venue {
            Venue::Nyse(_) => clock::new_york_date(time),
            Venue::RoundTheClock | Venue::FxWeek => time.date(),
        }
    }

    /// The session of a date; `None` on a day without trading or outside the calendar's span.
    pub fn session(&self, date: NaiveDate) -> Option<Session> {
        match &self.venue {
            Venue::Nyse(nyse) => nyse.session(date),
            Venue::RoundTheClock => utc_day(date),
            Venue::FxWeek => fx_session(date),
        }
    }

    /// The sessions from one date to another, both included, oldest first.
    pub fn sessions(&self, from: NaiveDate, to: NaiveDate) -> Vec<Session> {
        self.dates(from, to)
            .filter_map(|date| self.session(date))
            .collect()
    }

    /// Whether there is trading at an instant; a session's close is no longer part of it.
    pub fn is_open(&self, time: UtcNanos) -> bool {
        self.session(self.date_of(time))
            .is_some_and(|session| session.open <= time && time < session.close)
    }

    /// The bars there should be between two instants, oldest first: those that begin at `from` or later and end at `to`
    /// or before. This is what gaps are found against.
    pub fn expected_bars(&self, timeframe: Timeframe, from: UtcNanos, to: UtcNanos) -> Vec<BarSlot> {
        self.slots(timeframe, from, to).collect()
    }

    /// The instants from `from` to `to`, both included, at which a day is over and a portfolio is marked: session closes
    /// for equities, UTC midnights for crypto, and for currency pairs the midnights that end Monday to Thursday and the
    /// close on Friday (the hours of Sunday belong to Monday).
    pub fn daily_marks(&self, from: UtcNanos, to: UtcNanos) -> Vec<UtcNanos> {
        let day_before = self.date_of(from).pred_opt().unwrap_or(NaiveDate::MIN);
        self.dates(day_before, self.date_of(to))
            .filter(|date| !(matches!(self.venue, Venue::FxWeek) && date.weekday() == Weekday::Sun))
            .filter_map(|date| self.session(date))
            .map(|session| session.close)
            .filter(|mark| from <= *mark && *mark <= to)
            .collect()
    }

    /// Daily marks in a year, for annualisation: 252 for equities, 365 for crypto, 260 for currency pairs.
    pub fn periods_per_year(&self) -> f64 {
        match &self.venue {
            Venue::Nyse(_) => 252.0,
            Venue::RoundTheClock => 365.0,
            Venue::FxWeek => 260.0,
        }
    }

    /// The bars there should be, one by one; see [`expected_bars`](Self::expected_bars).
    pub(crate) fn slots(
        &self,
        timeframe: Timeframe,
        from: UtcNanos,
        to: UtcNanos,
    ) -> impl Iterator<Item = BarSlot> + '_ {
        self.dates(self.date_of(from), self.date_of(to))
            .filter_map(|date| self.day(date))
            .flat_map(move |day| day.slots(timeframe))
            .filter(move |slot| from <= slot.open_time && slot.close_time <= to)
    }

    /// The bar grid of a date; `None` where there is no session.
    pub(crate) fn day(&self, date: NaiveDate) -> Option<DayGrid> {
        let session = self.session(date)?;
        match &self.venue {
            Venue::Nyse(_) => Some(DayGrid::clipped(session)),
            Venue::RoundTheClock | Venue::FxWeek => {
                Some(DayGrid::unclipped(session, UtcNanos::from_date(date)?))
            }
        }
    }

    /// When trading would end on a date without its early close; the session's own close otherwise.
    pub(crate) fn regular_close(&self, session: Session) -> UtcNanos {
        match &self.venue {
            Venue::Nyse(_) => nyse::regular_close(session.date).unwrap_or(session.close),
            Venue::RoundTheClock | Venue::FxWeek => session.close,
        }
    }

    fn dates(&self, from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = NaiveDate> + use<> {
        let (first, last) = self
            .span()
            .unwrap_or((UtcNanos::MIN.date(), UtcNanos::MAX.date()));
        let last = last.min(to);
        from.max(first).iter_days().take_while(move |date| *date <= last)
    }
}

fn utc_day(date: NaiveDate) -> Option<Session> {
    let open = UtcNanos::from_date(date)?;
    Some(Session {
        date,
        open,
        close: open.saturating_add(Timeframe::D1.nanos()),
    })
}

fn fx_session(date: NaiveDate) -> Option<Session> {
    let day = utc_day(date)?;
    let week_turn = || new_york(date, NaiveTime::from_hms_opt(17, 0, 0)?);
    match date.weekday() {
        Weekday::Sat => None,
        Weekday::Sun => Some(Session {
            open: week_turn()?,
            ..day
        }),
        Weekday::Fri => Some(Session {
            close: week_turn()?,
            ..day
        }),
        _ => Some(day),
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod properties;
