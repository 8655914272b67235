//! Where the close lies in the range of the last bars.

use sextant_domain::Bar;

use crate::Operator;
use crate::exact::{Divisor, ExactSum};
use crate::window::{MaxWindow, Ring};

/// Highest high and lowest low of the last bars.
#[derive(Debug, Clone)]
struct RangeWindow {
    high: MaxWindow,
    /// Of negated lows; negation is exact.
    low: MaxWindow,
}

impl RangeWindow {
    fn new(period: usize) -> Self {
        Self {
            high: MaxWindow::new(period),
            low: MaxWindow::new(period),
        }
    }

    /// `[highest, lowest]` once the window is full.
    #[inline]
    fn update(&mut self, bar: Bar) -> Option<[f64; 2]> {
        let (high, low) = (self.high.push(bar.high), self.low.push(-bar.low));
        Some([high?, -low?])
    }
}

/// The mean of the last values, of which some may be undefined. It is undefined as long as one of those is.
#[derive(Debug, Clone)]
struct PartialMean {
    /// NaN for an undefined value.
    ring: Ring,
    sum: ExactSum,
    count: Divisor,
    undefined: usize,
}

impl PartialMean {
    fn new(period: usize) -> Self {
        Self {
            ring: Ring::new(period, 1),
            sum: ExactSum::default(),
            count: Divisor::new(period as f64),
            undefined: 0,
        }
    }

    #[inline]
    fn update(&mut self, x: Option<f64>) -> Option<f64> {
        match x {
            Some(x) => self.sum.add(x),
            None => self.undefined += 1,
        }
        match self.ring.push(x.unwrap_or(f64::NAN)) {
            Some(oldest) if oldest.is_nan() => self.undefined -= 1,
            Some(oldest) => self.sum.add(-oldest),
            None => {}
        }
        let is_whole = self.ring.is_full() && self.undefined == 0;
        is_whole.then(|| self.sum.mean(self.count))
    }
}

/// Stochastic %K: where the close lies between the lowest low (0) and the highest high (100) of the last `period` bars,
/// averaged over `smooth` bars; 1 gives the fast %K, 3 the slow one. First value with bar `period + smooth - 1`; undefined
/// (`None`) where a window has no range.
///
/// Source: G. Lane; TA-Lib `STOCHF` and `STOCH` with simple averages, which say 0 where there is no range.
#[derive(Debug, Clone)]
pub struct StochasticK {
    window: RangeWindow,
    mean: PartialMean,
}

impl StochasticK {
    /// An oscillator over `period` bars.
    ///
    /// # Panics
    /// When a period is zero.
    pub fn new(period: usize, smooth: usize) -> Self {
        Self {
            window: RangeWindow::new(period),
            mean: PartialMean::new(smooth),
        }
    }

    /// The outer option is there once the windows are full, the inner one where the value is defined.
    #[inline]
    fn step(&mut self, bar: Bar) -> Option<Option<f64>> {
        let [high, low] = self.window.update(bar)?;
        let range = high - low;
        let place = (range > 0.0).then(|| 100.0 * ((bar.close - low) / range));
        let mean = self.mean.update(place);
        self.mean.ring.is_full().then_some(mean)
    }
}

impl Operator for StochasticK {
    type Input = Bar;

    #[inline]
    fn update(&mut self, bar: Bar) -> Option<f64> {
        self.step(bar)?
    }
}

/// Stochastic %D: the mean of the last `signal` values of [`StochasticK`]. First value with bar
/// `period + smooth + signal - 2`; undefined (`None`) where one of them is.
///
/// Source: G. Lane; TA-Lib `STOCHF` and `STOCH` with simple averages.
#[derive(Debug, Clone)]
pub struct StochasticD {
    k: StochasticK,
    mean: PartialMean,
}

impl StochasticD {
    /// The signal line of an oscillator over `period` bars.
    ///
    /// # Panics
    /// When a period is zero.
    pub fn new(period: usize, smooth: usize, signal: usize) -> Self {
        Self {
            k: StochasticK::new(period, smooth),
            mean: PartialMean::new(signal),
        }
    }
}

impl Operator for StochasticD {
    type Input = Bar;

    #[inline]
    fn update(&mut self, bar: Bar) -> Option<f64> {
        let k = self.k.step(bar)?;
        self.mean.update(k)
    }
}

/// Williams %R: how far the close lies below the highest high of the last `period` bars, in percent of their range: 0 at
/// the high, -100 at the low. First value with bar `period`; undefined (`None`) where they have no range.
///
/// Source: L. Williams, How I Made One Million Dollars Last Year Trading Commodities (1973); TA-Lib `WILLR`.
#[derive(Debug, Clone)]
pub struct WilliamsR(RangeWindow);

impl WilliamsR {
    /// An oscillator over `period` bars.
    ///
    /// # Panics
    /// When `period` is zero.
    pub fn new(period: usize) -> Self {
        Self(RangeWindow::new(period))
    }
}

impl Operator for WilliamsR {
    type Input = Bar;

    #[inline]
    fn update(&mut self, bar: Bar) -> Option<f64> {
        let [high, low] = self.0.update(bar)?;
        let range = high - low;
        (range > 0.0).then(|| -100.0 * ((high - bar.close) / range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_domain::UtcNanos;

    fn bar([high, low, close]: [f64; 3]) -> Bar {
        let (open_time, close_time) = (UtcNanos::from_nanos(0), UtcNanos::from_nanos(1));
        Bar {
            open_time,
            close_time,
            open: low,
            high,
            low,
            close,
            volume: 0.0,
        }
    }

    fn run(mut operator: impl Operator<Input = Bar>, bars: &[[f64; 3]]) -> Vec<Option<f64>> {
        bars.iter().map(|row| operator.update(bar(*row))).collect()
    }

    const BARS: [[f64; 3]; 4] = [[4.0, 2.0, 3.0], [6.0, 3.0, 5.0], [5.0, 4.0, 4.5], [8.0, 4.0, 8.0]];

    #[test]
    fn oscillators_by_hand() {
        // Ranges of two bars: 2 to 6, 3 to 6, 4 to 8.
        let fast = [None, Some(75.0), Some(50.0), Some(100.0)];
        assert_eq!(run(StochasticK::new(2, 1), &BARS), fast);
        assert_eq!(
            run(StochasticK::new(2, 2), &BARS),
            [None, None, Some(62.5), Some(75.0)]
        );
        assert_eq!(
            run(StochasticD::new(2, 1, 2), &BARS),
            [None, None, Some(62.5), Some(75.0)]
        );
        assert_eq!(
            run(StochasticD::new(2, 2, 2), &BARS),
            [None, None, None, Some(68.75)]
        );
        assert_eq!(
            run(WilliamsR::new(2), &BARS),
            [None, Some(-25.0), Some(-50.0), Some(-0.0)]
        );
    }

    #[test]
    fn a_window_without_range_is_undefined_until_it_has_left() {
        let flat = [5.0, 5.0, 5.0];
        let bars = [
            [6.0, 4.0, 5.0],
            flat,
            flat,
            [6.0, 5.0, 6.0],
            [6.0, 4.0, 5.0],
            [6.0, 4.0, 5.0],
        ];
        let expected = [None, Some(50.0), None, Some(100.0), Some(50.0), Some(50.0)];
        assert_eq!(run(StochasticK::new(2, 1), &bars), expected);
        let expected = [None, None, None, None, Some(75.0), Some(50.0)];
        assert_eq!(run(StochasticK::new(2, 2), &bars), expected);
        assert_eq!(run(StochasticD::new(2, 1, 2), &bars), expected);
        assert_eq!(run(WilliamsR::new(2), &bars)[2], None);
    }
}
