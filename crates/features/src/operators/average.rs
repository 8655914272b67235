//! Moving averages.

use crate::Operator;
use crate::exact::{Divisor, ExactSum};
use crate::window::Ring;
use crate::window_means::append_means;

/// Simple moving average: the mean of the last `period` inputs. First value with input `period`.
#[derive(Debug, Clone)]
pub struct Sma {
    ring: Ring,
    sum: ExactSum,
    count: Divisor,
}

impl Sma {
    /// An average over `period` inputs.
    ///
    /// # Panics
    /// When `period` is zero.
    pub fn new(period: usize) -> Self {
        let ring = Ring::new(period, 1);
        Self {
            count: Divisor::new(ring.capacity() as f64),
            ring,
            sum: ExactSum::default(),
        }
    }
}

impl Operator for Sma {
    type Input = f64;

    #[inline]
    fn update(&mut self, x: f64) -> Option<f64> {
        self.sum.add(x);
        if let Some(oldest) = self.ring.push(x) {
            self.sum.add(-oldest);
        }
        self.ring.is_full().then(|| self.sum.mean(self.count))
    }

    fn update_all(&mut self, inputs: &[f64], out: &mut Vec<f64>) {
        let period = self.ring.capacity();
        let mut one_by_one = inputs;
        if self.ring.is_empty() && append_means(inputs, period, out) {
            // The state is that of the last window.
            one_by_one = &[];
            for x in &inputs[inputs.len() - period..] {
                let _ = self.update(*x);
            }
        }
        out.extend(one_by_one.iter().map(|x| self.update(*x).unwrap_or(f64::NAN)));
    }
}

/// Exponential moving average with factor `2 / (period + 1)`, seeded by the mean of the first `period` inputs, as
/// TA-Lib defines it. First value with input `period`.
#[derive(Debug, Clone)]
pub struct Ema {
    seed: Seed,
    factor: f64,
    value: Option<f64>,
}

impl Ema {
    /// An average with the decay that belongs to `period`.
    ///
    /// # Panics
    /// When `period` is zero.
    pub fn new(period: usize) -> Self {
        Self {
            seed: Seed::new(period),
            factor: 2.0 / (period as f64 + 1.0),
            value: None,
        }
    }
}

impl Operator for Ema {
    type Input = f64;

    #[inline]
    fn update(&mut self, x: f64) -> Option<f64> {
        self.value = match self.value {
            Some(value) => Some((x - value) * self.factor + value),
            None => self.seed.update(x),
        };
        self.value
    }
}

/// Wilder's average: factor `1 / period`, seeded by the mean of the first `period` inputs.
///
/// Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978).
#[derive(Debug, Clone)]
pub(super) struct WilderAverage {
    seed: Seed,
    period: f64,
    value: Option<f64>,
}

impl WilderAverage {
    /// An average with the decay that belongs to `period`.
    ///
    /// # Panics
    /// When `period` is zero.
    pub(super) fn new(period: usize) -> Self {
        Self {
            seed: Seed::new(period),
            period: period as f64,
            value: None,
        }
    }

    /// Takes the next input; the average once `period` inputs are in.
    #[inline]
    pub(super) fn update(&mut self, x: f64) -> Option<f64> {
        self.value = match self.value {
            Some(value) => Some((value * (self.period - 1.0) + x) / self.period),
            None => self.seed.update(x),
        };
        self.value
    }
}

/// The mean of the first inputs, which starts a recursive average.
#[derive(Debug, Clone)]
struct Seed {
    sum: ExactSum,
    missing: usize,
    count: Divisor,
}

impl Seed {
    fn new(period: usize) -> Self {
        assert!(period >= 1, "an average needs a period of 1 or more bars");
        Self {
            sum: ExactSum::default(),
            missing: period,
            count: Divisor::new(period as f64),
        }
    }

    fn update(&mut self, x: f64) -> Option<f64> {
        self.sum.add(x);
        self.missing -= 1;
        (self.missing == 0).then(|| self.sum.mean(self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mut operator: impl Operator<Input = f64>, inputs: &[f64]) -> Vec<Option<f64>> {
        inputs.iter().map(|x| operator.update(*x)).collect()
    }

    #[test]
    fn averages_by_hand() {
        let inputs = [1.0, 2.0, 6.0, 4.0];
        assert_eq!(run(Sma::new(3), &inputs), [None, None, Some(3.0), Some(4.0)]);
        assert_eq!(run(Ema::new(3), &inputs), [None, None, Some(3.0), Some(3.5)]);
        let mut wilder = WilderAverage::new(2);
        assert_eq!(
            inputs.map(|x| wilder.update(x)),
            [None, Some(1.5), Some(3.75), Some(3.875)]
        );
    }

    #[test]
    fn a_period_of_one_is_the_input() {
        let inputs = [0.1, 97.31, 1e5];
        assert_eq!(run(Sma::new(1), &inputs), inputs.map(Some));
        let ema = run(Ema::new(1), &inputs);
        assert!(
            ema.iter()
                .zip(inputs)
                .all(|(value, x)| value.is_some_and(|value| (value / x - 1.0).abs() < 1e-15))
        );
    }

    #[test]
    fn constant_inputs_give_the_constant() {
        for period in 1..60 {
            for mut operator in [
                run(Sma::new(period), &[97.31; 99]),
                run(Ema::new(period), &[97.31; 99]),
            ] {
                assert!(
                    operator.drain(period - 1..).all(|value| value == Some(97.31)),
                    "{period}"
                );
            }
        }
    }

    #[test]
    #[should_panic(expected = "1 or more")]
    fn a_period_of_zero_is_refused() {
        let _ = Ema::new(0);
    }
}
