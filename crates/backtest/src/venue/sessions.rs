//! Where trading days begin and end, for orders that name the open, the close or the day.

use sextant_domain::{AssetClass, BarsView, Instrument, Timeframe, UtcNanos};

/// The ends of trading sessions by asset class.
///
/// A class without ends is taken to trade round the clock in days of UTC; a daily bar is always a session of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionEnds {
    by_class: [Vec<UtcNanos>; AssetClass::ALL.len()],
}

impl SessionEnds {
    /// Ends from one increasing list per class.
    pub fn new(of: impl Fn(AssetClass) -> Vec<UtcNanos>) -> Self {
        Self {
            by_class: AssetClass::ALL.map(of),
        }
    }

    /// The end of the session that an instant belongs to: the first one after it.
    fn after(&self, class: AssetClass, time: UtcNanos) -> UtcNanos {
        let ends = &self.by_class[class.index()];
        let next = ends.partition_point(|end| *end <= time);
        ends.get(next).copied().unwrap_or_else(|| {
            let day = Timeframe::D1.nanos();
            UtcNanos::from_nanos((time.day_number() + 1).saturating_mul(day))
        })
    }

    /// When the trading day of an execution bar ends.
    pub(super) fn day_end(&self, instrument: &Instrument, bars: BarsView<'_>, index: usize) -> UtcNanos {
        if instrument.execution == Timeframe::D1 {
            bars.close_time[index]
        } else {
            self.after(instrument.class, bars.open_time[index])
        }
    }

    /// Whether no bar of the session comes after this execution bar.
    pub(super) fn ends_with(&self, instrument: &Instrument, bars: BarsView<'_>, index: usize) -> bool {
        self.day_end(instrument, bars, index) <= bars.close_time[index]
    }

    /// Whether the execution bar is the first of a session.
    pub(super) fn begin_with(&self, instrument: &Instrument, bars: BarsView<'_>, index: usize) -> bool {
        let before = index
            .checked_sub(1)
            .filter(|_| instrument.execution != Timeframe::D1);
        before.is_none_or(|before| self.day_end(instrument, bars, before) <= bars.open_time[index])
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::{Bar, BarSeries, Contract, Currency};

    use super::*;

    #[test]
    fn bars_know_their_place_in_the_session() {
        let hour = Timeframe::H1.nanos();
        let at = |hours: i64| UtcNanos::from_nanos(hours * hour);
        // Two sessions of three hours, and the ends the calendar gives for them.
        let bars: Vec<Bar> = [10, 11, 12, 34, 35, 36]
            .map(|open| Bar {
                open_time: at(open),
                close_time: at(open + 1),
                open: 1.0,
                high: 1.0,
                low: 1.0,
                close: 1.0,
                volume: 1.0,
            })
            .to_vec();
        let series = BarSeries::from_bars(bars).unwrap();
        let view = series.view();
        let ends = SessionEnds::new(|_| vec![at(13), at(37)]);
        let acme = |execution| Instrument {
            symbol: "ACME".to_owned(),
            class: AssetClass::Equity,
            execution,
            price_tick: "0.01".parse().unwrap(),
            lot_size: "1".parse().unwrap(),
            contract: Contract::paid_in(Currency::USD),
        };
        let hourly = acme(Timeframe::H1);
        let place = |ends: &SessionEnds, index| {
            (
                ends.begin_with(&hourly, view, index),
                ends.ends_with(&hourly, view, index),
            )
        };
        let places: Vec<_> = (0..6).map(|index| place(&ends, index)).collect();
        let (first, middle, last) = ((true, false), (false, false), (false, true));
        assert_eq!(places, [first, middle, last, first, middle, last]);
        // Without ends the day of UTC counts: the second session begins at hour 34, on the next day.
        let round_the_clock = SessionEnds::default();
        assert_eq!(place(&round_the_clock, 3), (true, false));
        assert_eq!(place(&round_the_clock, 2), (false, false));
        let daily = acme(Timeframe::D1);
        assert!(ends.begin_with(&daily, view, 1) && ends.ends_with(&daily, view, 1));
        // A daily bar is a day of its own, whether or not ends are known.
        assert_eq!(round_the_clock.day_end(&daily, view, 1), at(12));
        assert_eq!(round_the_clock.day_end(&hourly, view, 1), at(24));
    }
}
