//! What a run traded on the days before: the value that exchanges grade their fees by.

use std::collections::VecDeque;

use sextant_domain::{AssetClass, UtcNanos};

/// How many UTC days before the current one count.
const DAYS: i64 = 30;

/// The traded value of each asset class by UTC day.
///
/// In `f64` and per day, so that keeping it costs next to nothing and the sum never drifts: it is taken anew from the days
/// whenever a day begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct TradedValue {
    by_class: [Days; AssetClass::ALL.len()],
}

#[derive(Debug, Clone, Default)]
struct Days {
    day: i64,
    today: f64,
    /// Days before the current one on which something traded, oldest first.
    earlier: VecDeque<(i64, f64)>,
    sum: f64,
}

impl TradedValue {
    /// Begins the day of an instant, unless a later one has begun.
    pub(crate) fn begin_day(&mut self, class: AssetClass, time: UtcNanos) {
        let days = &mut self.by_class[class.index()];
        let day = time.day_number();
        let is_first = days.earlier.is_empty() && days.today == 0.0;
        if day > days.day || is_first {
            days.begin(day);
        }
    }

    /// Adds a trade to the day that has begun.
    pub(crate) fn add(&mut self, class: AssetClass, value: f64) {
        self.by_class[class.index()].today += value;
    }

    /// The value traded on the days before the one that has begun.
    pub(crate) fn before_today(&self, class: AssetClass) -> f64 {
        self.by_class[class.index()].sum
    }
}

impl Days {
    fn begin(&mut self, day: i64) {
        if self.today > 0.0 {
            self.earlier.push_back((self.day, self.today));
        }
        (self.day, self.today) = (day, 0.0);
        while self.earlier.front().is_some_and(|(old, _)| *old < day - DAYS) {
            self.earlier.pop_front();
        }
        self.sum = self.earlier.iter().map(|(_, value)| value).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_days_before_today_count_by_class() {
        let mut value = TradedValue::default();
        let mut at = |class, day: i64, traded: f64| {
            let noon = UtcNanos::from_nanos(day * 86_400_000_000_000 + 43_200_000_000_000);
            value.begin_day(class, noon);
            let before = value.before_today(class);
            value.add(class, traded);
            before
        };
        let (shares, coins) = (AssetClass::Equity, AssetClass::Crypto);
        // Days before 1970 are days like others.
        for (class, day, traded, before) in [
            (shares, -10, 100.0, 0.0),
            (shares, -10, 20.0, 0.0),
            (shares, -9, 3.0, 120.0),
            (coins, -9, 1000.0, 0.0),
            (shares, 20, 0.5, 123.0),
            // Day -10 is the thirty-first before day 21.
            (shares, 21, 0.0, 3.5),
            (shares, 22, 0.0, 0.5),
            (shares, 50, 0.0, 0.5),
            (shares, 51, 0.0, 0.0),
            (coins, 0, 0.0, 1000.0),
            // A fill that is told late belongs to the day that has begun.
            (coins, -1, 0.0, 1000.0),
        ] {
            assert_eq!(at(class, day, traded), before, "{class} on day {day}");
        }
    }
}
