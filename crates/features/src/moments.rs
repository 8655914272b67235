//! Means, variances and covariances of sliding windows, from exact sums.
//!
//! With the mean `m` rounded to `f64` and the residual `d = sum - n * m`, the sum of products of deviations is
//! `sum(x * y) - n * mx * my - mx * dy - my * dx - dx * dy / n`. Its terms cancel almost completely when the spread is
//! small against the level, so each is kept with its rounding error until they are added. The result is good to a few
//! units in the last place at any level, and exactly zero for a constant window.

use crate::exact::{Divisor, ExactSum, ProductSum, remainder, two_product, two_sum};
use crate::operator::PricePair;
use crate::window::Ring;

/// A mean and what it is short of: the exact sum is `count * mean + residual`.
#[derive(Debug, Clone, Copy)]
struct Centre {
    mean: f64,
    residual: f64,
}

impl Centre {
    #[inline]
    fn of(sum: &ExactSum, by: Divisor) -> Self {
        let mean = sum.mean(by);
        let (sum, rest) = sum.parts();
        Self {
            mean,
            residual: remainder(sum, mean, by.value) + rest,
        }
    }
}

/// The sum of products of deviations from the means.
#[inline]
fn deviation_products(products: &ProductSum, x: Centre, y: Centre, count: f64) -> f64 {
    let (rounded, rounded_rest) = products.rounded.parts();
    let (errors, errors_rest) = products.errors.parts();
    let (square, square_rest) = two_product(x.mean, y.mean);
    let (level, level_rest) = two_product(count, square);
    let (detail, detail_rest) = two_product(count, square_rest);
    let (left, left_rest) = two_product(x.mean, y.residual);
    let (right, right_rest) = two_product(y.mean, x.residual);
    // In pairs that cancel, the largest first: what remains stays small, and so do its rounding errors.
    compensated_sum([
        rounded,
        -level,
        rounded_rest,
        -level_rest,
        errors,
        -detail,
        errors_rest,
        -detail_rest,
        -left,
        -right,
        -left_rest - right_rest - x.residual * y.residual / count,
    ])
}

/// The sum with the rounding errors of its additions added at the end.
#[inline]
fn compensated_sum<const COUNT: usize>(terms: [f64; COUNT]) -> f64 {
    let (mut sum, mut errors) = (0.0, 0.0);
    for term in terms {
        let (next, error) = two_sum(sum, term);
        sum = next;
        errors += error;
    }
    sum + errors
}

/// Level and spread of a full window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// The mean.
    pub(crate) mean: f64,
    /// The sum of squared deviations from the mean; never negative, zero for a constant window.
    pub(crate) squared_deviations: f64,
    count: f64,
}

impl Spread {
    /// The standard deviation with divisor `n`.
    #[inline]
    pub(crate) fn population_std(&self) -> f64 {
        (self.squared_deviations / self.count).sqrt()
    }

    /// The standard deviation with divisor `n - 1`; the window must have two values.
    #[inline]
    pub(crate) fn sample_std(&self) -> f64 {
        (self.squared_deviations / (self.count - 1.0)).sqrt()
    }
}

/// Sum and sum of squares of the last values.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    ring: Ring,
    sum: ExactSum,
    squares: ProductSum,
    count: Divisor,
}

impl Moments {
    /// An empty window.
    ///
    /// # Panics
    /// When `period` is below 2: one value has no spread.
    pub(crate) fn new(period: usize) -> Self {
        let ring = Ring::new(period, 2);
        Self {
            ring,
            sum: ExactSum::default(),
            squares: ProductSum::default(),
            count: Divisor::new(period as f64),
        }
    }

    /// Puts a value in and hands back the one that leaves.
    #[inline]
    pub(crate) fn push(&mut self, x: f64) -> Option<f64> {
        self.sum.add(x);
        self.squares.add(x, x);
        let oldest = self.ring.push(x)?;
        self.sum.add(-oldest);
        self.squares.remove(oldest, oldest);
        Some(oldest)
    }

    /// Level and spread, once the window is full.
    #[inline]
    pub(crate) fn spread(&self) -> Option<Spread> {
        if !self.ring.is_full() {
            return None;
        }
        let centre = self.centre();
        let deviations = deviation_products(&self.squares, centre, centre, self.count.value);
        // Also turns a negative zero into zero.
        let squared_deviations = if deviations > 0.0 { deviations } else { 0.0 };
        Some(Spread {
            mean: centre.mean,
            squared_deviations,
            count: self.count.value,
        })
    }

    #[inline]
    fn centre(&self) -> Centre {
        Centre::of(&self.sum, self.count)
    }
}

/// How two series spread together in a full window, as sums of products of deviations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoSpread {
    /// Asset with itself.
    pub(crate) asset: f64,
    /// Benchmark with itself.
    pub(crate) benchmark: f64,
    /// Asset with benchmark.
    pub(crate) both: f64,
}

/// Joint moments of the simple returns of two price series.
#[derive(Debug, Clone)]
pub(crate) struct ReturnMoments {
    last: Option<PricePair>,
    asset: Moments,
    benchmark: Moments,
    products: ProductSum,
}

impl ReturnMoments {
    /// An empty window over `period` returns.
    ///
    /// # Panics
    /// When `period` is below 2.
    pub(crate) fn new(period: usize) -> Self {
        let (asset, benchmark) = (Moments::new(period), Moments::new(period));
        Self {
            last: None,
            asset,
            benchmark,
            products: ProductSum::default(),
        }
    }

    /// Takes the next pair of prices; the joint spread once `period` returns are in.
    #[inline]
    pub(crate) fn update(&mut self, prices: PricePair) -> Option<CoSpread> {
        let last = self.last.replace(prices)?;
        let asset = (prices.asset - last.asset) / last.asset;
        let benchmark = (prices.benchmark - last.benchmark) / last.benchmark;
        self.products.add(asset, benchmark);
        if let (Some(old_asset), Some(old_benchmark)) =
            (self.asset.push(asset), self.benchmark.push(benchmark))
        {
            self.products.remove(old_asset, old_benchmark);
        }
        let (own, other) = (self.asset.spread()?, self.benchmark.spread()?);
        let (x, y) = (self.asset.centre(), self.benchmark.centre());
        let both = deviation_products(&self.products, x, y, self.asset.count.value);
        Some(CoSpread {
            asset: own.squared_deviations,
            benchmark: other.squared_deviations,
            both,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn spread_of(values: &[f64]) -> Spread {
        let mut moments = Moments::new(values.len());
        values.iter().for_each(|x| assert_eq!(moments.push(*x), None));
        moments.spread().unwrap()
    }

    #[test]
    fn a_constant_window_has_no_spread_at_any_level() {
        for value in [0.1, 97.31, 1.0 / 3.0, 99_999.99, 1e-9, 7e12] {
            for period in 2..300 {
                let spread = spread_of(&vec![value; period]);
                assert_eq!(
                    (spread.mean, spread.squared_deviations),
                    (value, 0.0),
                    "{period} times {value}"
                );
                assert!(spread.population_std().is_sign_positive());
            }
        }
    }

    #[test]
    fn one_unit_in_the_last_place_is_seen() {
        let level = 99_999.99_f64;
        let step = level.next_up() - level;
        for period in [2, 3, 20, 251] {
            let mut values = vec![level; period];
            values[period / 2] = level.next_up();
            let n = period as f64;
            let expected = step * step * (n - 1.0) / n;
            let found = spread_of(&values).squared_deviations;
            assert!(
                (found - expected).abs() <= 4.0 * f64::EPSILON * expected,
                "{period}: {found} {expected}"
            );
        }
    }

    #[test]
    fn divisors_differ() {
        let spread = spread_of(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(spread.mean, 2.5);
        assert_eq!(spread.population_std(), 1.25_f64.sqrt());
        assert_eq!(spread.sample_std(), (5.0_f64 / 3.0).sqrt());
    }
}
