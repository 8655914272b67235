//! Rolling highs and lows.

use sextant_domain::Bar;

use crate::Operator;
use crate::window::MaxWindow;

macro_rules! extreme {
    ($(#[$doc:meta])* $name:ident, $input:ty, |$value:ident| $enter:expr, |$extreme:ident| $leave:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(MaxWindow);

        impl $name {
            /// An extreme over `period` bars.
            ///
            /// # Panics
            /// When `period` is zero.
            pub fn new(period: usize) -> Self {
                Self(MaxWindow::new(period))
            }
        }

        impl Operator for $name {
            type Input = $input;

            #[inline]
            fn update(&mut self, $value: $input) -> Option<f64> {
                self.0.push($enter).map(|$extreme| $leave)
            }
        }
    };
}

// The minimum is the negated maximum of negated values; negation is exact.
extreme!(
    /// The highest of the last `period` closes. First value with close `period`.
    RollingMax, f64, |close| close, |max| max
);
extreme!(
    /// The lowest of the last `period` closes. First value with close `period`.
    RollingMin, f64, |close| -close, |max| -max
);
extreme!(
    /// The highest high of the last `period` bars. First value with bar `period`.
    RollingHigh, Bar, |bar| bar.high, |max| max
);
extreme!(
    /// The lowest low of the last `period` bars. First value with bar `period`.
    RollingLow, Bar, |bar| -bar.low, |max| -max
);
extreme!(
    /// The close against the highest of the last `period` closes, as a fraction: 0 at the high, negative below it.
    /// First value with close `period`.
    Drawdown, f64, |close| close, |max| (close - max) / max
);

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mut operator: impl Operator<Input = f64>, inputs: &[f64]) -> Vec<Option<f64>> {
        inputs.iter().map(|x| operator.update(*x)).collect()
    }

    #[test]
    fn extremes_by_hand() {
        let closes = [4.0, 2.0, 3.0, 1.0];
        assert_eq!(
            run(RollingMax::new(2), &closes),
            [None, Some(4.0), Some(3.0), Some(3.0)]
        );
        assert_eq!(
            run(RollingMin::new(2), &closes),
            [None, Some(2.0), Some(2.0), Some(1.0)]
        );
        assert_eq!(
            run(Drawdown::new(3), &closes),
            [None, None, Some(-0.25), Some(-2.0 / 3.0)]
        );
    }

    #[test]
    fn a_period_of_one_is_the_close_itself() {
        let closes = [4.0, 2.0, 3.0];
        assert_eq!(run(RollingMax::new(1), &closes), closes.map(Some));
        assert_eq!(run(RollingMin::new(1), &closes), closes.map(Some));
        assert_eq!(run(Drawdown::new(1), &closes), [Some(0.0); 3]);
    }
}
