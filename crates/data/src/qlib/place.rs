//! From the times of a Qlib calendar to the times of bars, and back.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::America::New_York;
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use super::{QlibError, QlibFrequency};
use crate::calendar::{BarSlot, Calendar, DayGrid, new_york};
use crate::{BadRows, Rule};

/// When the market of a folder is open, and by which clock its times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QlibSessions {
    /// The calendar of an asset class. The clock is New York's for equities and UTC otherwise.
    Calendar(AssetClass),
    /// The same hours on every day of the folder's calendar, on a clock without summer time. The days are taken as they
    /// are: there is no other calendar to check them against. China's A shares have 09:30 to 15:00, 480 minutes ahead of
    /// UTC.
    FixedHours {
        /// Local time minus UTC, within a day.
        utc_offset_minutes: i32,
        /// When trading begins, local time.
        open: NaiveTime,
        /// When it ends, on the same day.
        close: NaiveTime,
    },
}

/// What the times of minute bars are. Times of daily bars are dates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum QlibStamp {
    /// The begin of the bar, as in Qlib's own minute data.
    #[default]
    BarOpen,
    /// The end of the bar.
    BarEnd,
}

/// How the rows of a series become bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QlibConventions {
    /// When the market is open.
    pub sessions: QlibSessions,
    /// What the times of minute bars are.
    pub stamp: QlibStamp,
    /// What happens with rows that break a rule.
    pub bad_rows: BadRows,
}

impl QlibConventions {
    /// The calendar of an asset class, times at the begin of a bar, bad rows refused.
    pub fn new(class: AssetClass) -> Self {
        Self {
            sessions: QlibSessions::Calendar(class),
            stamp: QlibStamp::BarOpen,
            bad_rows: BadRows::Refuse,
        }
    }
}

/// Finds places. Keeps what it has found, because the next series has the same days.
#[derive(Debug, Clone)]
pub(super) struct Places {
    market: Market,
    frequency: QlibFrequency,
    stamp: QlibStamp,
    /// The day of the last minute, and the sessions of days by their number modulo the length.
    day: Option<DayGrid>,
    known: Vec<Option<(NaiveDate, Result<BarSlot, Rule>)>>,
}

/// A power of two, and twenty years of days.
const KNOWN_DAYS: usize = 8_192;

#[derive(Debug, Clone)]
enum Market {
    Class {
        calendar: Calendar,
        class: AssetClass,
    },
    Fixed {
        offset: TimeDelta,
        open: NaiveTime,
        close: NaiveTime,
    },
}

impl Places {
    pub(super) fn new(conventions: &QlibConventions, frequency: QlibFrequency) -> Result<Self, QlibError> {
        Ok(Self {
            market: market(conventions.sessions)?,
            frequency,
            stamp: conventions.stamp,
            day: None,
            known: Vec::new(),
        })
    }

    /// The frequency of the series it finds places for.
    pub(super) fn frequency(&self) -> QlibFrequency {
        self.frequency
    }

    /// The bar of a time. [`Rule::OutsideSession`] stands for a time on a trading day that is not in its session.
    pub(super) fn slot(&mut self, time: NaiveDateTime) -> Result<BarSlot, Rule> {
        let (frequency, stamp) = (self.frequency, self.stamp);
        match (&self.market, frequency) {
            (Market::Class { .. }, QlibFrequency::Day) => self.session_of(time.date()),
            (Market::Class { calendar, class }, _) => {
                let instant = instant(*class, time)?;
                minute_slot((calendar, &mut self.day), instant, (frequency.timeframe(), stamp))
            }
            (Market::Fixed { offset, open, close }, QlibFrequency::Day) => {
                let at = |local: NaiveTime| utc(time.date().and_time(local), *offset);
                Ok(BarSlot {
                    open_time: at(*open)?,
                    close_time: at(*close)?,
                })
            }
            (Market::Fixed { offset, open, close }, _) => {
                let (begin, end) = fixed_slot(time, (*open, *close), (frequency.timeframe(), stamp))?;
                Ok(BarSlot {
                    open_time: utc(begin, *offset)?,
                    close_time: utc(end, *offset)?,
                })
            }
        }
    }

    fn session_of(&mut self, date: NaiveDate) -> Result<BarSlot, Rule> {
        let Market::Class { calendar, .. } = &self.market else {
            return Err(Rule::NotASession);
        };
        if self.known.is_empty() {
            self.known = vec![None; KNOWN_DAYS];
        }
        let place = date.num_days_from_ce().rem_euclid(KNOWN_DAYS as i32) as usize;
        match self.known[place] {
            Some((known, slot)) if known == date => slot,
            _ => {
                let slot = session_slot(calendar, date);
                self.known[place] = Some((date, slot));
                slot
            }
        }
    }

    /// The time that stands for a bar which begins at `open_time`; nothing when no bar of the frequency does.
    pub(super) fn time(&mut self, open_time: UtcNanos) -> Option<NaiveDateTime> {
        let local = match &self.market {
            Market::Class { class, .. } => local(*class, open_time),
            Market::Fixed { offset, .. } => open_time.datetime().naive_utc().checked_add_signed(*offset)?,
        };
        let last = match &self.market {
            Market::Class { .. } => NaiveDateTime::MAX,
            Market::Fixed { close, .. } => local.date().and_time(*close),
        };
        let time = match (self.frequency, self.stamp) {
            (QlibFrequency::Day, _) => local.date().and_time(NaiveTime::MIN),
            (_, QlibStamp::BarOpen) => local,
            (frequency, QlibStamp::BarEnd) => {
                let length = TimeDelta::nanoseconds(frequency.timeframe().nanos());
                local.checked_add_signed(length)?.min(last)
            }
        };
        let slot = self.slot(time).ok()?;
        (slot.open_time == open_time).then_some(time)
    }
}

/// What a time may be, for messages.
pub(super) fn allowed(rule: Rule) -> &'static str {
    match rule {
        Rule::NotASession => "a trading day of the calendar",
        Rule::CalendarRange => "a time within the years that the calendar knows",
        _ => "the begin (or, if the conventions say so, the end) of a bar of the grid",
    }
}

fn market(sessions: QlibSessions) -> Result<Market, QlibError> {
    let (offset, open, close) = match sessions {
        QlibSessions::Calendar(class) => {
            return Ok(Market::Class {
                calendar: Calendar::for_class(class),
                class,
            });
        }
        QlibSessions::FixedHours {
            utc_offset_minutes,
            open,
            close,
        } => (utc_offset_minutes, open, close),
    };
    let bad = |field, found, allowed| QlibError::Conventions {
        field,
        found,
        allowed,
    };
    if !(-1_440..=1_440).contains(&offset) {
        return Err(bad("utc_offset_minutes", offset.to_string(), "-1440 to 1440"));
    }
    if open >= close {
        let found = format!("{open} to {close}");
        return Err(bad(
            "open",
            found,
            "a time of day before the close of the same day",
        ));
    }
    let offset = TimeDelta::minutes(i64::from(offset));
    Ok(Market::Fixed { offset, open, close })
}

fn session_slot(calendar: &Calendar, date: NaiveDate) -> Result<BarSlot, Rule> {
    let day = calendar.day(date).ok_or_else(|| no_session(calendar, date))?;
    day.slots(Timeframe::D1)
        .next()
        .ok_or_else(|| no_session(calendar, date))
}

fn no_session(calendar: &Calendar, date: NaiveDate) -> Rule {
    let instants = (UtcNanos::MIN.date(), UtcNanos::MAX.date());
    let (first, last) = calendar.span().unwrap_or(instants);
    if first < date && date < last {
        Rule::NotASession
    } else {
        Rule::CalendarRange
    }
}

fn minute_slot(
    (calendar, day): (&Calendar, &mut Option<DayGrid>),
    stamp: UtcNanos,
    (timeframe, convention): (Timeframe, QlibStamp),
) -> Result<BarSlot, Rule> {
    let inside = match convention {
        QlibStamp::BarOpen => stamp,
        QlibStamp::BarEnd => stamp.saturating_add(-1),
    };
    let grid = match day.filter(|day| day.contains(inside)) {
        Some(grid) => grid,
        None => {
            let date = calendar.date_of(inside);
            calendar.day(date).ok_or_else(|| no_session(calendar, date))?
        }
    };
    *day = Some(grid);
    let slot = grid.slot_at(inside, timeframe).ok_or(Rule::OutsideSession)?;
    let marks = match convention {
        QlibStamp::BarOpen => [slot.window.open_time, slot.bar.open_time],
        QlibStamp::BarEnd => [slot.window.close_time, slot.bar.close_time],
    };
    marks.contains(&stamp).then_some(slot.bar).ok_or(Rule::StampGrid)
}

/// A bar of fixed hours, counted from their begin, in local time.
fn fixed_slot(
    time: NaiveDateTime,
    (open, close): (NaiveTime, NaiveTime),
    (timeframe, convention): (Timeframe, QlibStamp),
) -> Result<(NaiveDateTime, NaiveDateTime), Rule> {
    let length = TimeDelta::nanoseconds(timeframe.nanos());
    let (open, close) = (time.date().and_time(open), time.date().and_time(close));
    let begin = match convention {
        QlibStamp::BarOpen => time,
        // The last bar can be shorter than the others.
        QlibStamp::BarEnd if time == close => {
            let last = (close - open - TimeDelta::nanoseconds(1)).num_seconds() / length.num_seconds();
            open + length * i32::try_from(last).unwrap_or(0)
        }
        QlibStamp::BarEnd => time - length,
    };
    let is_late = convention == QlibStamp::BarEnd && time > close;
    if begin < open || begin >= close || is_late {
        return Err(Rule::OutsideSession);
    }
    let since_open = begin - open;
    if since_open.num_seconds() % length.num_seconds() != 0 || since_open.subsec_nanos() != 0 {
        return Err(Rule::StampGrid);
    }
    Ok((begin, close.min(begin + length)))
}

fn instant(class: AssetClass, time: NaiveDateTime) -> Result<UtcNanos, Rule> {
    match class {
        AssetClass::Equity => new_york(time.date(), time.time()).ok_or(Rule::StampGrid),
        AssetClass::Crypto | AssetClass::Fx => utc(time, TimeDelta::zero()),
    }
}

fn local(class: AssetClass, instant: UtcNanos) -> NaiveDateTime {
    match class {
        AssetClass::Equity => instant.datetime().with_timezone(&New_York).naive_local(),
        AssetClass::Crypto | AssetClass::Fx => instant.datetime().naive_utc(),
    }
}

fn utc(local: NaiveDateTime, offset: TimeDelta) -> Result<UtcNanos, Rule> {
    local
        .checked_sub_signed(offset)
        .and_then(|time| UtcNanos::from_datetime(time.and_utc()))
        .ok_or(Rule::CalendarRange)
}
