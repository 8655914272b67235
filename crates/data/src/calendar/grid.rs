//! The bars of one day.

use sextant_domain::{Timeframe, UtcNanos};

use super::{BarSlot, Session};

/// From local midnight to 09:30, the open of every New York session.
pub(super) const OPEN_AFTER_MIDNIGHT_NANOS: i64 = (9 * 60 + 30) * 60 * 1_000_000_000;

/// The grid of one day: windows of a timeframe counted from midnight, and the session that decides which of them exist.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DayGrid {
    midnight: UtcNanos,
    session: Session,
    clipped: bool,
}

/// A window of the grid and the bar in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GridSlot {
    /// The whole window.
    pub(crate) window: BarSlot,
    /// The bar: the window, cut to the session where the calendar does that.
    pub(crate) bar: BarSlot,
}

impl DayGrid {
    /// A grid on the clock of a New York session, whose bars are cut to the session.
    pub(super) fn clipped(session: Session) -> Self {
        let midnight = session.open.saturating_add(-OPEN_AFTER_MIDNIGHT_NANOS);
        Self {
            midnight,
            session,
            clipped: true,
        }
    }

    /// A grid from UTC midnight, whose bars keep their nominal length.
    pub(super) fn unclipped(session: Session, midnight: UtcNanos) -> Self {
        Self {
            midnight,
            session,
            clipped: false,
        }
    }

    /// The session of the day.
    pub(crate) fn session(&self) -> Session {
        self.session
    }

    /// Whether an instant is of this day. Days with a session have 24 hours: clocks change on Sundays, on which New York
    /// has none.
    pub(crate) fn contains(&self, time: UtcNanos) -> bool {
        let since_midnight = time.nanos().saturating_sub(self.midnight.nanos());
        (0..Timeframe::D1.nanos()).contains(&since_midnight)
    }

    /// Every bar of the day.
    pub(crate) fn slots(self, timeframe: Timeframe) -> impl Iterator<Item = BarSlot> {
        let (first, end) = self.window_numbers(timeframe, self.session.open, self.session.close);
        (first..end)
            .filter_map(move |number| self.slot(timeframe, number))
            .map(|slot| slot.bar)
    }

    /// The window that an instant lies in; `None` when the window has no part of the session.
    pub(crate) fn slot_at(&self, time: UtcNanos, timeframe: Timeframe) -> Option<GridSlot> {
        let since_midnight = time.nanos().saturating_sub(self.midnight.nanos());
        self.slot(timeframe, since_midnight.div_euclid(timeframe.nanos()))
    }

    /// The number of bars of a timeframe that make up `slot`.
    pub(crate) fn count(&self, timeframe: Timeframe, slot: BarSlot) -> usize {
        let from = slot.open_time.max(self.session.open);
        let to = self.end_of(slot);
        let (first, end) = self.window_numbers(timeframe, from, to);
        usize::try_from(end - first).unwrap_or(0)
    }

    /// When the last trade of `slot` can have happened: its close, or the session's if that is earlier.
    pub(crate) fn end_of(&self, slot: BarSlot) -> UtcNanos {
        slot.close_time.min(self.session.close)
    }

    fn window_numbers(&self, timeframe: Timeframe, from: UtcNanos, to: UtcNanos) -> (i64, i64) {
        let since_midnight = |time: UtcNanos| time.nanos().saturating_sub(self.midnight.nanos());
        let length = timeframe.nanos();
        let first = since_midnight(from).div_euclid(length);
        let end = since_midnight(to).saturating_sub(1).div_euclid(length) + 1;
        (first, end.max(first))
    }

    fn slot(&self, timeframe: Timeframe, number: i64) -> Option<GridSlot> {
        let at = |number: i64| {
            self.midnight
                .saturating_add(number.saturating_mul(timeframe.nanos()))
        };
        let window = BarSlot {
            open_time: at(number),
            close_time: at(number.saturating_add(1)),
        };
        let traded = BarSlot {
            open_time: window.open_time.max(self.session.open),
            close_time: window.close_time.min(self.session.close),
        };
        let exists = traded.open_time < traded.close_time;
        exists.then_some(GridSlot {
            window,
            bar: if self.clipped { traded } else { window },
        })
    }
}
