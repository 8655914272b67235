//! True range and its average.

use sextant_domain::Bar;

use super::average::WilderAverage;
use crate::Operator;

/// True range: the largest of high - low, |high - last close| and |low - last close|, in price units. First value
/// with the second bar.
///
/// Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib `TRANGE`.
#[derive(Debug, Clone, Default)]
pub struct TrueRange {
    last_close: Option<f64>,
}

impl TrueRange {
    /// A range that has seen no bar.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Operator for TrueRange {
    type Input = Bar;

    #[inline]
    fn update(&mut self, bar: Bar) -> Option<f64> {
        let last_close = self.last_close.replace(bar.close)?;
        let gap = (bar.high - last_close).abs().max((bar.low - last_close).abs());
        Some((bar.high - bar.low).max(gap))
    }
}

/// Average true range: Wilder's average of the [`TrueRange`], in price units. First value with bar `period + 1`; a
/// period of 1 is the true range.
///
/// Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib `ATR`.
#[derive(Debug, Clone)]
pub struct Atr {
    range: TrueRange,
    average: WilderAverage,
}

impl Atr {
    /// An average over `period` ranges.
    ///
    /// # Panics
    /// When `period` is zero.
    pub fn new(period: usize) -> Self {
        Self {
            range: TrueRange::new(),
            average: WilderAverage::new(period),
        }
    }
}

impl Operator for Atr {
    type Input = Bar;

    #[inline]
    fn update(&mut self, bar: Bar) -> Option<f64> {
        self.average.update(self.range.update(bar)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_domain::UtcNanos;

    fn bar(high: f64, low: f64, close: f64) -> Bar {
        let (open_time, close_time) = (UtcNanos::from_nanos(0), UtcNanos::from_nanos(1));
        Bar {
            open_time,
            close_time,
            open: close,
            high,
            low,
            close,
            volume: 0.0,
        }
    }

    #[test]
    fn ranges_by_hand() {
        // Inside the bar, a gap up, a gap down.
        let bars = [
            bar(11.0, 9.0, 10.0),
            bar(12.0, 9.0, 11.0),
            bar(15.0, 14.0, 14.5),
            bar(9.5, 9.0, 9.0),
        ];
        let mut range = TrueRange::new();
        assert_eq!(
            bars.map(|bar| range.update(bar)),
            [None, Some(3.0), Some(4.0), Some(5.5)]
        );
        let mut single = Atr::new(1);
        assert_eq!(
            bars.map(|bar| single.update(bar)),
            [None, Some(3.0), Some(4.0), Some(5.5)]
        );
        let mut atr = Atr::new(2);
        assert_eq!(
            bars.map(|bar| atr.update(bar)),
            [None, None, Some(3.5), Some(4.5)]
        );
    }

    #[test]
    fn bars_without_range_have_none() {
        let mut atr = Atr::new(3);
        let values = [bar(5.0, 5.0, 5.0); 6].map(|bar| atr.update(bar));
        assert_eq!(values, [None, None, None, Some(0.0), Some(0.0), Some(0.0)]);
    }
}
