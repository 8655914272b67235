//! Windows of the grid of a calendar.

use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use super::error::bad_kind;
use super::{TickError, TimeBars};
use crate::calendar::{BarSlot, Calendar, DayGrid};

/// The latest a closing print comes.
const LONGEST_LATE_NANOS: i64 = Timeframe::H4.nanos();

/// The window of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The bar of the grid.
    pub(super) slot: BarSlot,
    /// From here on no trade of it can come.
    pub(super) over_at: UtcNanos,
}

/// Finds windows; keeps the last one and its day, because trades come in order.
#[derive(Debug, Clone)]
pub(super) struct Windows {
    calendar: Calendar,
    bars: TimeBars,
    day: Option<DayGrid>,
    last: Option<(Span, UtcNanos)>,
}

impl Windows {
    pub(super) fn new(bars: TimeBars) -> Result<Self, TickError> {
        let longest = match bars.class {
            AssetClass::Equity => LONGEST_LATE_NANOS,
            AssetClass::Crypto | AssetClass::Fx => 0,
        };
        if !(0..=longest).contains(&bars.late_nanos) {
            let allowed = "0 to 14400000000000 nanoseconds of late prints for equities, 0 for other classes";
            return Err(bad_kind("time", bars.late_nanos as f64, allowed));
        }
        Ok(Self {
            calendar: Calendar::for_class(bars.class),
            bars,
            day: None,
            last: None,
        })
    }

    /// The window that a trade of this time belongs to; `None` outside every session. Times do not go back.
    #[inline]
    pub(super) fn at(&mut self, time: UtcNanos) -> Option<Span> {
        // The trades of the window go up to `end`, which is before its nominal end where the session is.
        if let Some((span, _)) = self.last.filter(|(_, end)| time < *end) {
            return (time >= span.slot.open_time).then_some(span);
        }
        self.find(time)
    }

    fn find(&mut self, time: UtcNanos) -> Option<Span> {
        let day = match self.day.filter(|day| day.contains(time)) {
            Some(day) => day,
            None => self.calendar.day(self.calendar.date_of(time))?,
        };
        self.day = Some(day);
        let session = day.session();
        let late_end = session.close.saturating_add(self.bars.late_nanos);
        if time < session.open || time >= late_end {
            return None;
        }
        let inside = time.min(session.close.saturating_add(-1));
        let slot = day.slot_at(inside, self.bars.timeframe)?.bar;
        let is_last = slot.close_time >= session.close;
        let (end, over_at) = if is_last {
            (late_end, late_end.max(slot.close_time))
        } else {
            (slot.close_time, slot.close_time)
        };
        let span = Span { slot, over_at };
        self.last = Some((span, end));
        Some(span)
    }
}
