//! Price changes and the oscillator made of them.

use super::average::WilderAverage;
use crate::Operator;
use crate::window::Ring;

/// The change of the close over `period` bars as a fraction: `close / close[period bars ago] - 1`. First value with
/// close `period + 1`.
#[derive(Debug, Clone)]
pub struct Momentum {
    ring: Ring,
}

impl Momentum {
    /// A change over `period` bars.
    ///
    /// # Panics
    /// When `period` is zero.
    pub fn new(period: usize) -> Self {
        Self {
            ring: Ring::new(period, 1),
        }
    }
}

impl Operator for Momentum {
    type Input = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let base = self.ring.push(close)?;
        // The difference of near prices is exact, so small changes keep all their digits.
        Some((close - base) / base)
    }
}

/// [`Momentum`] in percent, TA-Lib's `ROC`. First value with close `period + 1`.
#[derive(Debug, Clone)]
pub struct RateOfChange {
    momentum: Momentum,
}

impl RateOfChange {
    /// A change over `period` bars.
    ///
    /// # Panics
    /// When `period` is zero.
    pub fn new(period: usize) -> Self {
        Self {
            momentum: Momentum::new(period),
        }
    }
}

impl Operator for RateOfChange {
    type Input = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        Some(self.momentum.update(close)? * 100.0)
    }
}

/// Relative strength index: `100 * g / (g + l)` with Wilder averages `g` of the rises and `l` of the falls of the
/// close, from 0 to 100. First value with close `period + 1`.
///
/// Where no close has ever differed from the one before it, the value is 0 as in TA-Lib.
///
/// Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib `RSI`.
#[derive(Debug, Clone)]
pub struct Rsi {
    rises: WilderAverage,
    falls: WilderAverage,
    last: Option<f64>,
}

impl Rsi {
    /// An index over `period` changes.
    ///
    /// # Panics
    /// When `period` is below 2.
    pub fn new(period: usize) -> Self {
        assert!(
            period >= 2,
            "an RSI of {period} bars is too short; it needs 2 or more"
        );
        Self {
            rises: WilderAverage::new(period),
            falls: WilderAverage::new(period),
            last: None,
        }
    }
}

impl Operator for Rsi {
    type Input = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let change = close - self.last.replace(close)?;
        let rise = self.rises.update(if change > 0.0 { change } else { 0.0 });
        let fall = self.falls.update(if change < 0.0 { -change } else { 0.0 });
        let (rise, total) = (rise?, rise? + fall?);
        // TA-Lib takes totals below 1e-14 for zero; an exact test does not depend on the scale of prices.
        Some(if total > 0.0 { 100.0 * (rise / total) } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mut operator: impl Operator<Input = f64>, inputs: &[f64]) -> Vec<Option<f64>> {
        inputs.iter().map(|x| operator.update(*x)).collect()
    }

    #[test]
    fn changes_by_hand() {
        let closes = [4.0, 5.0, 3.0];
        assert_eq!(run(Momentum::new(1), &closes), [None, Some(0.25), Some(-0.4)]);
        assert_eq!(run(Momentum::new(2), &closes), [None, None, Some(-0.25)]);
        assert_eq!(run(RateOfChange::new(2), &closes), [None, None, Some(-25.0)]);
    }

    #[test]
    fn rsi_by_hand() {
        // Changes +1, -1, +3: averages 0.5 and 0.5, then (0.5 + 3) / 2 and 0.5 / 2.
        let out = run(Rsi::new(2), &[4.0, 5.0, 4.0, 7.0]);
        assert_eq!(out, [None, None, Some(50.0), Some(87.5)]);
    }

    #[test]
    fn rsi_at_its_ends() {
        assert_eq!(run(Rsi::new(2), &[1.0, 2.0, 3.0])[2], Some(100.0));
        assert_eq!(run(Rsi::new(2), &[3.0, 2.0, 1.0])[2], Some(0.0));
        assert_eq!(
            run(Rsi::new(2), &[3.0; 3])[2],
            Some(0.0),
            "TA-Lib's convention for prices that never move"
        );
    }

    #[test]
    #[should_panic(expected = "2 or more")]
    fn rsi_of_one_bar_is_refused() {
        let _ = Rsi::new(1);
    }
}
