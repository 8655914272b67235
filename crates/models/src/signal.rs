//! When a bar still says something about the present.

use sextant_domain::{MarketView, SeriesRef, Timeframe};

/// How many days the newest bar of a signal may be old. Older, and it is no opinion about the present: the series has
/// a hole or has ended.
///
/// The longest closure of the New York exchange since 1990 was the one of September 2001, seven days from close to
/// close, so that no ordinary closure is taken for a hole.
pub const MAX_SIGNAL_AGE_DAYS: i64 = 10;

/// The newest close of a series; `None` when there is no bar or the newest is too old.
pub(crate) fn fresh_close(view: &MarketView<'_>, series: SeriesRef) -> Option<f64> {
    let bars = view.bars(series);
    let age_nanos = view
        .as_of()
        .nanos()
        .saturating_sub(bars.close_time.last()?.nanos());
    (age_nanos <= MAX_SIGNAL_AGE_DAYS * Timeframe::D1.nanos()).then(|| bars.last_close())?
}
