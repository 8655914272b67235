//! Moving average convergence and divergence.

use super::average::Ema;
use crate::Operator;

/// MACD: the faster exponential average of the close less the slower one, in price units. First value with close
/// `max(fast, slow)`.
///
/// Each average is an [`Ema`] of its own, begun with the mean of its first closes. TA-Lib begins the fast one later, so
/// that both have their first value with the same close; the two definitions agree once they have forgotten their start.
///
/// Source: G. Appel, Technical Analysis: Power Tools for Active Investors (2005).
#[derive(Debug, Clone)]
pub struct Macd {
    fast: Ema,
    slow: Ema,
}

impl Macd {
    /// The line of two periods. The other way round it has the other sign.
    ///
    /// # Panics
    /// When a period is zero.
    pub fn new(fast: usize, slow: usize) -> Self {
        Self {
            fast: Ema::new(fast),
            slow: Ema::new(slow),
        }
    }
}

impl Operator for Macd {
    type Input = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let (fast, slow) = (self.fast.update(close), self.slow.update(close));
        Some(fast? - slow?)
    }
}

/// The signal line of the [`Macd`]: its exponential average over `signal` values, in price units. First value with close
/// `max(fast, slow) + signal - 1`.
///
/// Source: G. Appel, Technical Analysis: Power Tools for Active Investors (2005).
#[derive(Debug, Clone)]
pub struct MacdSignal {
    line: Macd,
    average: Ema,
}

impl MacdSignal {
    /// The signal line of two periods and its own one.
    ///
    /// # Panics
    /// When a period is zero.
    pub fn new(fast: usize, slow: usize, signal: usize) -> Self {
        Self {
            line: Macd::new(fast, slow),
            average: Ema::new(signal),
        }
    }
}

impl Operator for MacdSignal {
    type Input = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        self.average.update(self.line.update(close)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fast average of 1 is the close; the slow one of 3 begins with 4 and moves by half of the difference.
    #[test]
    fn lines_by_hand() {
        let closes = [2.0, 4.0, 6.0, 8.0, 4.0];
        let mut line = Macd::new(1, 3);
        let found = closes.map(|close| line.update(close));
        assert_eq!(found, [None, None, Some(2.0), Some(2.0), Some(-1.0)]);
        let mut signal = MacdSignal::new(1, 3, 2);
        let found = closes.map(|close| signal.update(close));
        assert_eq!(found, [None, None, None, Some(2.0), Some(0.0)]);
    }
}
