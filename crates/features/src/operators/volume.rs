//! Indicators of volume.

use sextant_domain::Bar;

use crate::Operator;
use crate::exact::ExactSum;
use crate::window::Ring;

/// A part of a price that only rounding explains.
const NOISE: f64 = 1e-12;

/// The sum of the last values.
#[derive(Debug, Clone)]
struct WindowSum {
    ring: Ring,
    sum: ExactSum,
}

impl WindowSum {
    fn new(period: usize) -> Self {
        Self {
            ring: Ring::new(period, 1),
            sum: ExactSum::default(),
        }
    }

    #[inline]
    fn update(&mut self, x: f64) -> Option<f64> {
        self.sum.add(x);
        if let Some(oldest) = self.ring.push(x) {
            self.sum.add(-oldest);
        }
        self.ring.is_full().then(|| self.sum.parts().0)
    }
}

/// On-balance volume over a window: the volume of the last `period` bars, that of a bar with a higher close than the one
/// before counted as positive, with a lower close as negative, with an equal one not at all. First value with bar
/// `period + 1`.
///
/// The sum since the first bar, as it is often drawn, depends on where history starts; only its differences mean something,
/// and they are what a window has.
///
/// Source: J. Granville, New Key to Stock Market Profits (1963); differences of TA-Lib `OBV`.
#[derive(Debug, Clone)]
pub struct Obv {
    last_close: Option<f64>,
    sum: WindowSum,
}

impl Obv {
    /// The balance over `period` changes of the close.
    ///
    /// # Panics
    /// When `period` is zero.
    pub fn new(period: usize) -> Self {
        Self {
            last_close: None,
            sum: WindowSum::new(period),
        }
    }
}

impl Operator for Obv {
    type Input = Bar;

    #[inline]
    fn update(&mut self, bar: Bar) -> Option<f64> {
        let last = self.last_close.replace(bar.close)?;
        self.sum.update(signed(bar.volume, bar.close, last))
    }
}

/// Money flow index: the money that flowed on bars with a rising typical price, in percent of that on all bars whose
/// typical price moved, over the last `period` bars; the typical price is the mean of high, low and close, the flow its
/// product with the volume. From 0 to 100. First value with bar `period + 1`; undefined (`None`) where nothing flowed.
///
/// Two means of different prices that are equal in decimals can differ in the last bit, and the whole flow of a bar would
/// hang on it: a change below 1e-12 of the price is none.
///
/// Source: G. Quong and A. Soudack, Technical Analysis of Stocks & Commodities (1989); TA-Lib `MFI`, which takes such noise
/// for a move and says 0 where less than 1 flowed.
#[derive(Debug, Clone)]
pub struct Mfi {
    last_price: Option<f64>,
    up: WindowSum,
    down: WindowSum,
}

impl Mfi {
    /// An index over `period` changes of the typical price.
    ///
    /// # Panics
    /// When `period` is zero.
    pub fn new(period: usize) -> Self {
        Self {
            last_price: None,
            up: WindowSum::new(period),
            down: WindowSum::new(period),
        }
    }
}

impl Operator for Mfi {
    type Input = Bar;

    #[inline]
    fn update(&mut self, bar: Bar) -> Option<f64> {
        let price = (bar.high + bar.low + bar.close) / 3.0;
        let last = self.last_price.replace(price)?;
        let is_noise = (price - last).abs() <= NOISE * price;
        let flow = signed(price * bar.volume, price, if is_noise { price } else { last });
        let (up, down) = (self.up.update(flow.max(0.0)), self.down.update((-flow).max(0.0)));
        let (up, total) = (up?, up? + down?);
        (total > 0.0).then(|| 100.0 * (up / total))
    }
}

/// The amount with the sign of a price's change; 0 where it did not change.
#[inline]
fn signed(amount: f64, price: f64, last: f64) -> f64 {
    if price > last {
        amount
    } else if price < last {
        -amount
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sextant_domain::UtcNanos;

    fn bar((close, volume): (f64, f64)) -> Bar {
        let (open_time, close_time) = (UtcNanos::from_nanos(0), UtcNanos::from_nanos(1));
        Bar {
            open_time,
            close_time,
            open: close,
            high: close,
            low: close,
            close,
            volume,
        }
    }

    fn run(mut operator: impl Operator<Input = Bar>, bars: &[(f64, f64)]) -> Vec<Option<f64>> {
        bars.iter().map(|row| operator.update(bar(*row))).collect()
    }

    #[test]
    fn balances_by_hand() {
        let bars = [(3.0, 9.0), (6.0, 10.0), (3.0, 4.0), (3.0, 7.0), (6.0, 1.0)];
        let obv = run(Obv::new(2), &bars);
        assert_eq!(obv, [None, None, Some(6.0), Some(-4.0), Some(1.0)]);
        // Flows: +60, -12, none, +6.
        let mfi = run(Mfi::new(2), &bars);
        assert_eq!(
            mfi,
            [None, None, Some(100.0 * (60.0 / 72.0)), Some(0.0), Some(100.0)]
        );
    }

    /// SPY on 2013-02-05 and 2013-02-06: (151.48 + 150.29 + 151.08) / 3 is (151.26 + 150.41 + 151.18) / 3, but not in binary.
    #[test]
    fn rounding_is_no_move_of_the_typical_price() {
        let day = |[high, low, close]: [f64; 3]| Bar {
            high,
            low,
            ..bar((close, 1e8))
        };
        let mut mfi = Mfi::new(1);
        assert_eq!(mfi.update(day([151.48, 150.29, 151.08])), None);
        assert_eq!(mfi.update(day([151.26, 150.41, 151.18])), None, "nothing flowed");
        assert_eq!(mfi.update(day([151.26, 150.41, 151.17])), Some(0.0));
    }

    #[test]
    fn without_volume_or_movement_nothing_flows() {
        let silent = [(3.0, 0.0), (6.0, 0.0), (3.0, 0.0)];
        assert_eq!(run(Mfi::new(1), &silent), [None; 3]);
        assert_eq!(run(Mfi::new(1), &[(3.0, 5.0); 3]), [None; 3]);
        assert_eq!(run(Obv::new(1), &[(3.0, 5.0); 3]), [None, Some(0.0), Some(0.0)]);
    }
}
