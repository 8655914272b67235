//! Bars of a coarser timeframe from finer ones.
//!
//! A coarse bar is a window of the calendar's grid (see [`calendar`](crate::calendar)): open of the first source bar,
//! highest high, lowest low, close of the last, sum of volumes. It is available at the end of its window, or later when
//! its last source bar ends later.
//!
//! A window with missing source bars is made from those there are and listed as incomplete; nothing is invented. A window
//! without any is left out. The last window is left out while source bars that belong to it may still come.

use sextant_domain::{AssetClass, Bar, BarSeries, BarsView, Timeframe, UtcNanos};

use crate::calendar::{BarSlot, Calendar, DayGrid};
use crate::{DataError, RawBars, StoredBars};

/// Coarser bars and how they came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    /// The bars.
    pub bars: BarSeries,
    /// The bars as traded, where the source had them.
    pub raw: Option<RawBars>,
    /// How they came about.
    pub report: ResampleReport,
}

/// What a resampling did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResampleReport {
    /// The source timeframe.
    pub from: Timeframe,
    /// The target timeframe.
    pub to: Timeframe,
    /// Number of source bars.
    pub source_bars: usize,
    /// Number of bars made.
    pub bars: usize,
    /// Bars made from fewer source bars than the calendar has, oldest first.
    pub incomplete: Vec<IncompleteWindow>,
    /// The last window, when it was left out because it may not be over.
    pub forming: Option<IncompleteWindow>,
}

/// A window without all of its source bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncompleteWindow {
    /// The window.
    pub slot: BarSlot,
    /// Source bars found in it.
    pub found: usize,
    /// Source bars the calendar has in it.
    pub expected: usize,
}

/// Makes bars of timeframe `to` from bars of timeframe `from`, on the calendar of the asset class. Takes one pass over
/// the columns. No bars give no bars.
///
/// # Errors
/// [`DataError::NotCoarser`], or [`DataError::Misaligned`] when a source bar lies across two windows or outside every
/// session.
pub fn resample(
    bars: &BarSeries,
    class: AssetClass,
    from: Timeframe,
    to: Timeframe,
) -> Result<Resampled, DataError> {
    let plan = Plan::new(bars.view(), class, from, to)?;
    let report = plan.report(from, to, bars.len());
    Ok(Resampled {
        bars: plan.apply(bars.view())?,
        raw: None,
        report,
    })
}

/// Resamples stored bars, and the raw ones beside them through the same windows.
pub(crate) fn resample_stored(
    stored: &StoredBars,
    class: AssetClass,
    to: Timeframe,
) -> Result<Resampled, DataError> {
    let from = stored.meta.timeframe;
    let plan = Plan::new(stored.bars.view(), class, from, to)?;
    let raw = stored.raw.as_ref().map(|raw| {
        let bars = plan.apply(raw.bars.view())?;
        // All bars of a window are of one session and share its factor.
        let adjustment_factor = plan
            .windows
            .iter()
            .map(|window| raw.adjustment_factor[window.end - 1])
            .collect();
        Ok::<_, DataError>(RawBars {
            bars,
            adjustment_factor,
            adjustment: raw.adjustment.clone(),
        })
    });
    let report = plan.report(from, to, stored.bars.len());
    Ok(Resampled {
        bars: plan.apply(stored.bars.view())?,
        raw: raw.transpose()?,
        report,
    })
}

/// The source bars of one target bar.
#[derive(Debug, Clone, Copy)]
struct Window {
    slot: BarSlot,
    begin: usize,
    end: usize,
    expected: usize,
}

/// Which source bars make up which target bar.
struct Plan {
    windows: Vec<Window>,
    forming: Option<IncompleteWindow>,
}

impl Plan {
    fn new(view: BarsView<'_>, class: AssetClass, from: Timeframe, to: Timeframe) -> Result<Self, DataError> {
        if to <= from {
            return Err(DataError::NotCoarser { from, to });
        }
        let mut days = Days {
            calendar: Calendar::for_class(class),
            day: None,
        };
        let mut plan = Self {
            windows: Vec::new(),
            forming: None,
        };
        let mut begin = 0;
        while begin < view.len() {
            let (day, window) = next_window(view, begin, (from, to), &mut days)?;
            let over = window.end < view.len() || view.close_time[window.end - 1] >= day.end_of(window.slot);
            if over {
                plan.windows.push(window);
            } else {
                plan.forming = Some(window.incomplete());
            }
            begin = window.end;
        }
        Ok(plan)
    }

    fn apply(&self, view: BarsView<'_>) -> Result<BarSeries, DataError> {
        let mut series = BarSeries::with_capacity(self.windows.len());
        for window in &self.windows {
            let bar = window.bar(view);
            series.push(bar).map_err(|source| DataError::Series {
                what: "resampled bars".to_owned(),
                source,
            })?;
        }
        Ok(series)
    }

    fn report(&self, from: Timeframe, to: Timeframe, source_bars: usize) -> ResampleReport {
        let short = self
            .windows
            .iter()
            .filter(|window| window.end - window.begin < window.expected);
        ResampleReport {
            from,
            to,
            source_bars,
            bars: self.windows.len(),
            incomplete: short.map(Window::incomplete).collect(),
            forming: self.forming,
        }
    }
}

impl Window {
    fn incomplete(&self) -> IncompleteWindow {
        IncompleteWindow {
            slot: self.slot,
            found: self.end - self.begin,
            expected: self.expected,
        }
    }

    fn bar(&self, view: BarsView<'_>) -> Bar {
        let range = self.begin..self.end;
        let last = self.end - 1;
        Bar {
            open_time: self.slot.open_time,
            close_time: self.slot.close_time.max(view.close_time[last]),
            open: view.open[self.begin],
            high: view.high[range.clone()].iter().copied().fold(f64::MIN, f64::max),
            low: view.low[range.clone()].iter().copied().fold(f64::MAX, f64::min),
            close: view.close[last],
            volume: view.volume[range].iter().sum(),
        }
    }
}

/// The window that begins with the source bar `begin`.
fn next_window(
    view: BarsView<'_>,
    begin: usize,
    (from, to): (Timeframe, Timeframe),
    days: &mut Days,
) -> Result<(DayGrid, Window), DataError> {
    let misaligned = |index: usize| DataError::Misaligned {
        index,
        open_time: view.open_time[index],
        close_time: view.close_time[index],
        to,
    };
    let (day, slot) = days
        .slot(view.open_time[begin], to)
        .ok_or_else(|| misaligned(begin))?;
    let end = begin + within(&view.open_time[begin..], slot.close_time);
    // The last bar of a session may end later than it: late prints are known later.
    let ends_session = day.end_of(slot) == day.session().close;
    if view.close_time[end - 1] > slot.close_time && !ends_session {
        return Err(misaligned(end - 1));
    }
    Ok((
        day,
        Window {
            slot,
            begin,
            end,
            expected: day.count(from, slot),
        },
    ))
}

/// The grid of the day that was last asked for.
struct Days {
    calendar: Calendar,
    day: Option<DayGrid>,
}

impl Days {
    /// The bar of the grid that an instant lies in.
    fn slot(&mut self, time: UtcNanos, to: Timeframe) -> Option<(DayGrid, BarSlot)> {
        let known = self
            .day
            .filter(|day| (day.session().open..day.session().close).contains(&time));
        let day = match known {
            Some(day) => day,
            None => self.calendar.day(self.calendar.date_of(time))?,
        };
        self.day = Some(day);
        let bar = day.slot_at(time, to)?.bar;
        (bar.open_time..bar.close_time)
            .contains(&time)
            .then_some((day, bar))
    }
}

/// How many of the leading times are before `end`; at least the first one is.
fn within(times: &[UtcNanos], end: UtcNanos) -> usize {
    // Doubling steps, then bisection: short windows cost a few comparisons, long ones their logarithm.
    let mut reach = 1;
    while reach < times.len() && times[reach] < end {
        reach *= 2;
    }
    let low = reach / 2;
    low + times[low..reach.min(times.len())].partition_point(|time| *time < end)
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod properties;
