//! Indicators of an asset against a benchmark.

use crate::moments::ReturnMoments;
use crate::{Operator, PricePair};

/// Rolling beta: the covariance of asset and benchmark returns divided by the variance of benchmark returns, over the
/// last `period` simple returns between asset closes. Undefined (`None`) where the benchmark's returns are all equal.
/// First value with pair `period + 1`.
#[derive(Debug, Clone)]
pub struct Beta {
    moments: ReturnMoments,
}

impl Beta {
    /// A beta over `period` returns.
    ///
    /// # Panics
    /// When `period` is below 2.
    pub fn new(period: usize) -> Self {
        Self {
            moments: ReturnMoments::new(period),
        }
    }
}

impl Operator for Beta {
    type Input = PricePair;

    #[inline]
    fn update(&mut self, prices: PricePair) -> Option<f64> {
        let spread = self.moments.update(prices)?;
        (spread.benchmark > 0.0).then(|| spread.both / spread.benchmark)
    }
}

/// Rolling correlation (Pearson) of the simple returns of asset and benchmark between asset closes, from -1 to 1, over
/// the last `period` of them. Undefined (`None`) where either has returns that are all equal. First value with pair
/// `period + 1`.
#[derive(Debug, Clone)]
pub struct Correlation {
    moments: ReturnMoments,
}

impl Correlation {
    /// A correlation over `period` returns.
    ///
    /// # Panics
    /// When `period` is below 2.
    pub fn new(period: usize) -> Self {
        Self {
            moments: ReturnMoments::new(period),
        }
    }
}

impl Operator for Correlation {
    type Input = PricePair;

    #[inline]
    fn update(&mut self, prices: PricePair) -> Option<f64> {
        let spread = self.moments.update(prices)?;
        let scale = spread.asset.sqrt() * spread.benchmark.sqrt();
        (scale > 0.0).then(|| (spread.both / scale).clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn run(mut operator: impl Operator<Input = PricePair>, prices: &[(f64, f64)]) -> Vec<Option<f64>> {
        prices
            .iter()
            .map(|(asset, benchmark)| {
                operator.update(PricePair {
                    asset: *asset,
                    benchmark: *benchmark,
                })
            })
            .collect()
    }

    #[test]
    fn beta_by_hand() {
        // Benchmark returns +0.5 and -0.5, asset returns +1 and -0.25: covariance 0.3125, variance 0.25 (times 2).
        let prices = [(4.0, 4.0), (8.0, 6.0), (6.0, 3.0)];
        assert_eq!(run(Beta::new(2), &prices), [None, None, Some(1.25)]);
        assert!((run(Correlation::new(2), &prices)[2].unwrap() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_benchmark_that_does_not_move_gives_nothing() {
        let prices = [(4.0, 4.0), (8.0, 4.0), (6.0, 4.0), (7.0, 4.0)];
        assert_eq!(run(Beta::new(2), &prices), [None; 4]);
        assert_eq!(run(Correlation::new(2), &prices), [None; 4]);
    }

    #[test]
    fn an_asset_that_does_not_move_has_a_beta_of_zero() {
        let prices = [(4.0, 4.0), (4.0, 5.0), (4.0, 4.5), (4.0, 7.0)];
        assert_eq!(run(Beta::new(2), &prices), [None, None, Some(0.0), Some(0.0)]);
        assert_eq!(run(Correlation::new(2), &prices), [None; 4]);
    }
}
