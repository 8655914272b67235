//! Summation in a fixed order, moments, ranks and the normal distribution.

use std::f64::consts::{PI, SQRT_2};

use crate::value::Reason;

/// The 97.5 % quantile of the standard normal distribution: half the width of a 95 % interval in standard errors.
pub(crate) const Z_975: f64 = 1.959_963_984_540_054;
/// The 95 % quantile of the standard normal distribution.
pub(crate) const Z_95: f64 = 1.644_853_626_951_472_2;
/// A standard deviation below this share of the scale of the values counts as none.
const RELATIVE_VARIANCE_FLOOR: f64 = 1e-12;
/// Slices up to this length are added from left to right.
const LEAF_LENGTH: usize = 32;

/// The sum of `values`, added pairwise in an order that depends on the length alone; 0 for an empty slice.
///
/// The rounding error grows with the logarithm of the length instead of the length (Higham, *Accuracy and Stability of
/// Numerical Algorithms*, 2002, section 4.2).
pub fn pairwise_sum(values: &[f64]) -> f64 {
    sum_of(values, |&value| value)
}

/// The pairwise sum of `term` over `items`.
pub(crate) fn sum_of<T>(items: &[T], term: impl Fn(&T) -> f64 + Copy) -> f64 {
    if items.len() <= LEAF_LENGTH {
        return items.iter().fold(0.0, |sum, item| sum + term(item));
    }
    let (left, right) = items.split_at(items.len() / 2);
    sum_of(left, term) + sum_of(right, term)
}

/// The arithmetic mean; `None` for an empty slice.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| pairwise_sum(values) / values.len() as f64)
}

/// Mean and sums of powers of the deviations from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dispersion {
    count: usize,
    pub(crate) mean: f64,
    sum_squares: f64,
}

impl Dispersion {
    /// `None` for an empty slice.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mean = mean(values)?;
        let sum_squares = sum_of(values, |value| (value - mean) * (value - mean));
        Some(Self {
            count: values.len(),
            mean,
            sum_squares,
        })
    }

    /// Mean and standard deviation with divisor n − 1: `too_short` below two values, `overflow`.
    pub(crate) fn with_sd(values: &[f64]) -> Result<(Self, f64), Reason> {
        let dispersion = Self::of(values)
            .filter(|_| values.len() >= 2)
            .ok_or(Reason::TooShort)?;
        let sd = (dispersion.sum_squares / (values.len() - 1) as f64).sqrt();
        if sd.is_finite() {
            Ok((dispersion, sd))
        } else {
            Err(Reason::Overflow)
        }
    }

    /// As [`Self::with_sd`], and `no_variance` when the standard deviation [`is_negligible`].
    pub(crate) fn of_varying(values: &[f64]) -> Result<(Self, f64), Reason> {
        let (dispersion, sd) = Self::with_sd(values)?;
        if is_negligible(sd, values) {
            Err(Reason::NoVariance)
        } else {
            Ok((dispersion, sd))
        }
    }

    /// Third and fourth standardised population moments (skewness and raw kurtosis, 3 for a normal distribution).
    pub(crate) fn shape(&self, values: &[f64]) -> (f64, f64) {
        let mean = self.mean;
        let n = self.count as f64;
        let variance = self.sum_squares / n;
        let third = sum_of(values, |value| (value - mean) * (value - mean) * (value - mean)) / n;
        let fourth = sum_of(values, |value| {
            let square = (value - mean) * (value - mean);
            square * square
        }) / n;
        (
            third / (variance * variance.sqrt()),
            fourth / (variance * variance),
        )
    }
}

/// Whether a standard deviation is no more than rounding noise: below 1e-12 · max(1, max |value|).
///
/// Returns are ratios of net asset values minus one, so their own rounding noise is about 1e-16 however small they are;
/// that is why the scale is never below one.
pub(crate) fn is_negligible(sd: f64, values: &[f64]) -> bool {
    let scale = values.iter().fold(1.0_f64, |scale, value| scale.max(value.abs()));
    sd < RELATIVE_VARIANCE_FLOOR * scale
}

/// The covariance sum Σ(x − mean x)(y − mean y) of two slices of equal length.
pub(crate) fn co_deviation(left: &[f64], right: &[f64]) -> f64 {
    let (Some(left_mean), Some(right_mean)) = (mean(left), mean(right)) else {
        return 0.0;
    };
    let products: Vec<f64> = left
        .iter()
        .zip(right)
        .map(|(x, y)| (x - left_mean) * (y - right_mean))
        .collect();
    pairwise_sum(&products)
}

/// Ranks from 1, equal values share the average of their ranks.
pub(crate) fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = ranks_below(values, &order, tied[0]);
        let rank = first as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|&index| ranks[index] = rank);
    }
    ranks
}

/// How many values are strictly below the value at `index`, by the sorted `order`.
fn ranks_below(values: &[f64], order: &[usize], index: usize) -> usize {
    order.partition_point(|&other| values[other] < values[index])
}

/// The standard normal distribution function.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// The point that a standard normal variable exceeds with probability `q`, for 0 < q < 1.
///
/// Starts from the rational approximation 26.2.23 of Abramowitz & Stegun, *Handbook of Mathematical Functions* (1964),
/// error below 4.5e-4, and sharpens it by Halley's method on the complementary error function.
pub(crate) fn normal_upper_quantile(q: f64) -> f64 {
    debug_assert!(q > 0.0 && q < 1.0, "probability {q} outside (0, 1)");
    if q > 0.5 {
        return -normal_upper_quantile(1.0 - q);
    }
    let t = (-2.0 * libm::log(q)).sqrt();
    let start = t
        - (2.515_517 + t * (0.802_853 + t * 0.010_328))
            / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
    (0..3).fold(start, |x, _| {
        let excess = 0.5 * libm::erfc(x / SQRT_2) - q;
        let step = excess * (2.0 * PI).sqrt() * libm::exp(0.5 * x * x);
        x + step / (1.0 - 0.5 * step * x)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pairwise_beats_left_to_right() {
        let values = vec![0.1; 1_000_000];
        let pairwise_error = (pairwise_sum(&values) - 100_000.0).abs();
        let naive_error = (values.iter().sum::<f64>() - 100_000.0).abs();
        assert!(pairwise_error < 1e-9, "{pairwise_error}");
        assert!(naive_error > 1e-7, "{naive_error}");
        assert_eq!(pairwise_sum(&[]), 0.0);
    }

    #[test]
    fn ranks_share_ties() {
        assert_eq!(
            average_ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]),
            [4.0, 1.0, 4.0, 2.0, 4.0]
        );
        assert_eq!(average_ranks(&[0.0, -0.0, 1.0]), [1.5, 1.5, 3.0]);
    }

    #[test]
    fn constants_are_the_quantiles() {
        assert!((normal_upper_quantile(0.025) - Z_975).abs() < 1e-15);
        assert!((normal_upper_quantile(0.05) - Z_95).abs() < 1e-15);
        assert!((normal_upper_quantile(0.95) + Z_95).abs() < 1e-14);
        assert!(normal_upper_quantile(0.5).abs() < 1e-15);
    }

    #[test]
    fn quantile_inverts_the_distribution_over_the_whole_range() {
        for exponent in 1..300 {
            let q = libm::exp10(-f64::from(exponent)) * 3.3;
            let back = normal_cdf(-normal_upper_quantile(q));
            assert!((back / q - 1.0).abs() < 1e-12, "q = {q}: {back}");
        }
    }

    #[test]
    fn shape_of_a_two_point_distribution() {
        let values = [1.0, -1.0, 1.0, -1.0];
        let (skewness, kurtosis) = Dispersion::of(&values).unwrap().shape(&values);
        assert_eq!((skewness, kurtosis), (0.0, 1.0));
    }
}
