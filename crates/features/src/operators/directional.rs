//! Wilder's directional movement.

use sextant_domain::Bar;

use super::average::WilderAverage;
use super::range::TrueRange;
use crate::Operator;

/// Wilder's running sum: each step takes a part of `1 / period` out and puts the new value in. It begins with the plain
/// sum of the first `period - 1` values and gives its first value with the next one, as TA-Lib does.
#[derive(Debug, Clone)]
struct WilderSum {
    period: f64,
    missing: usize,
    sum: f64,
}

impl WilderSum {
    /// # Panics
    /// When `period` is below 2.
    fn new(period: usize) -> Self {
        assert!(
            period >= 2,
            "a directional index of {period} bars is too short; it needs 2 or more"
        );
        Self {
            period: period as f64,
            missing: period - 1,
            sum: 0.0,
        }
    }

    #[inline]
    fn update(&mut self, x: f64) -> Option<f64> {
        if self.missing > 0 {
            self.missing -= 1;
            self.sum += x;
            return None;
        }
        self.sum = self.sum - self.sum / self.period + x;
        Some(self.sum)
    }
}

/// Smoothed directional movement up and down, and the smoothed range that it is measured by.
#[derive(Debug, Clone, Copy)]
struct Movement {
    up: f64,
    down: f64,
    range: f64,
}

#[derive(Debug, Clone)]
struct MovementSums {
    last: Option<Bar>,
    true_range: TrueRange,
    up: WilderSum,
    down: WilderSum,
    range: WilderSum,
}

impl MovementSums {
    fn new(period: usize) -> Self {
        Self {
            last: None,
            true_range: TrueRange::new(),
            up: WilderSum::new(period),
            down: WilderSum::new(period),
            range: WilderSum::new(period),
        }
    }

    /// First value with bar `period + 1`.
    #[inline]
    fn update(&mut self, bar: Bar) -> Option<Movement> {
        let range = self.true_range.update(bar);
        let last = self.last.replace(bar)?;
        let (rise, fall) = (bar.high - last.high, last.low - bar.low);
        // The larger of the two counts, and neither where they are equal.
        let up = if rise > fall && rise > 0.0 { rise } else { 0.0 };
        let down = if fall > rise && fall > 0.0 { fall } else { 0.0 };
        let (up, down) = (self.up.update(up), self.down.update(down));
        let range = self.range.update(range?);
        Some(Movement {
            up: up?,
            down: down?,
            range: range?,
        })
    }
}

macro_rules! directional_indicator {
    ($(#[$doc:meta])* $name:ident, $part:ident) => {
        $(#[$doc])*
        ///
        /// Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978).
        #[derive(Debug, Clone)]
        pub struct $name(MovementSums);

        impl $name {
            /// An indicator over `period` bars.
            ///
            /// # Panics
            /// When `period` is below 2.
            pub fn new(period: usize) -> Self {
                Self(MovementSums::new(period))
            }
        }

        impl Operator for $name {
            type Input = Bar;

            #[inline]
            fn update(&mut self, bar: Bar) -> Option<f64> {
                let movement = self.0.update(bar)?;
                (movement.range > 0.0).then(|| 100.0 * (movement.$part / movement.range))
            }
        }
    };
}

directional_indicator!(
    /// Plus directional indicator (+DI): smoothed movement of the high upwards in percent of the smoothed true range, from
    /// 0 to 100. First value with bar `period + 1`; undefined (`None`) where no bar has ever had a range.
    PlusDi,
    up
);
directional_indicator!(
    /// Minus directional indicator (-DI): smoothed movement of the low downwards in percent of the smoothed true range,
    /// from 0 to 100. First value with bar `period + 1`; undefined (`None`) where no bar has ever had a range.
    MinusDi,
    down
);

/// Average directional index: Wilder's average of 100 x |up - down| / (up + down) over the smoothed movements, from 0 (no
/// direction) to 100. A bar before which nothing has moved counts as 0. First value with bar `2 x period`.
///
/// Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib `ADX`.
#[derive(Debug, Clone)]
pub struct Adx {
    sums: MovementSums,
    average: WilderAverage,
}

impl Adx {
    /// An index over `period` bars.
    ///
    /// # Panics
    /// When `period` is below 2.
    pub fn new(period: usize) -> Self {
        Self {
            sums: MovementSums::new(period),
            average: WilderAverage::new(period),
        }
    }
}

impl Operator for Adx {
    type Input = Bar;

    #[inline]
    fn update(&mut self, bar: Bar) -> Option<f64> {
        let Movement { up, down, .. } = self.sums.update(bar)?;
        let both = up + down;
        let index = if both > 0.0 {
            100.0 * ((up - down).abs() / both)
        } else {
            0.0
        };
        self.average.update(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_domain::UtcNanos;

    fn bar(high: f64, low: f64) -> Bar {
        let (open_time, close_time) = (UtcNanos::from_nanos(0), UtcNanos::from_nanos(1));
        Bar {
            open_time,
            close_time,
            open: low,
            high,
            low,
            close: high,
            volume: 0.0,
        }
    }

    /// Movements: up 2, down 1, up 4 (which beats down 1), none (equal). True ranges 3, 4, 9, 13.
    fn bars() -> [Bar; 5] {
        [
            bar(10.0, 8.0),
            bar(12.0, 9.0),
            bar(12.0, 9.0 - 1.0),
            bar(16.0, 7.0),
            bar(18.0, 5.0),
        ]
    }

    #[test]
    fn indicators_by_hand() {
        let (mut plus, mut minus) = (PlusDi::new(2), MinusDi::new(2));
        // Sums of a period of 2: the first value, then half of it and the next. Ranges: 3, 4, 9, 13.
        let up = bars().map(|bar| plus.update(bar));
        let expected = [
            None,
            None,
            Some(100.0 * (1.0 / 5.5)),
            Some(100.0 * (4.5 / 11.75)),
            Some(100.0 * (2.25 / 18.875)),
        ];
        assert_eq!(up, expected);
        let down = bars().map(|bar| minus.update(bar));
        assert_eq!(down[2], Some(100.0 * (1.0 / 5.5)));
        assert_eq!(down[3], Some(100.0 * (0.5 / 11.75)));
    }

    #[test]
    fn the_index_is_the_average_of_what_the_indicators_differ_by() {
        let mut adx = Adx::new(2);
        let found = bars().map(|bar| adx.update(bar));
        // 0 / 2, then 4 / 5, then the same: nothing new has moved, and both sides were halved.
        let second = (0.0 + 100.0 * 0.8) / 2.0;
        assert_eq!(
            found,
            [None, None, None, Some(second), Some((second + 100.0 * 0.8) / 2.0)]
        );
    }

    #[test]
    fn bars_that_never_move_have_no_direction() {
        let (mut plus, mut adx) = (PlusDi::new(2), Adx::new(2));
        for count in 1..=6 {
            let flat = bar(5.0, 5.0);
            assert_eq!(plus.update(flat), None);
            assert_eq!(adx.update(flat), (count >= 4).then_some(0.0));
        }
    }

    #[test]
    #[should_panic(expected = "2 or more")]
    fn a_period_of_one_is_refused() {
        let _ = Adx::new(1);
    }
}
