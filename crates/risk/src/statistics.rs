//! The trailing statistics that `adv_limit` and `volatility_cap` judge by: their exact definitions.
//!
//! They are functions of bars that are already available; whoever fills `TrailingStatistics` of the portfolio state cuts
//! the windows. A figure that cannot be computed is `NaN`, which the rules take for unknown.

/// Average daily traded value: the mean of close times volume over the days of a window, in the currency of the closes.
///
/// `closes` and `volumes` are the same days; bars of a shorter timeframe are to be added up to days first. `NaN` for an
/// empty window, slices of different lengths, or a close or volume that is negative or not a number.
pub fn average_traded_value(closes: &[f64], volumes: &[f64]) -> f64 {
    let is_usable = |value: &f64| *value >= 0.0 && value.is_finite();
    let is_complete = closes.len() == volumes.len() && closes.iter().chain(volumes).all(is_usable);
    if closes.is_empty() || !is_complete {
        return f64::NAN;
    }
    let value: f64 = closes
        .iter()
        .zip(volumes)
        .map(|(close, volume)| close * volume)
        .sum();
    value / closes.len() as f64
}

/// Annual covariance of simple returns: the sample covariance (divisor `n - 1`) of the window times `periods_per_year`,
/// without shrinkage or weights (H. Markowitz, *Portfolio Selection*, 1952, estimates from history alike).
///
/// `returns` has one slice per instrument, all over the same periods; the answer is square, row after row. A pair is `NaN`
/// where either window has fewer than two returns or one that is not finite, or their lengths differ. With fewer periods
/// than instruments the matrix is singular: some portfolios then seem to have no risk.
pub fn annual_covariance(returns: &[&[f64]], periods_per_year: f64) -> Vec<f64> {
    let means: Vec<f64> = returns.iter().map(|window| mean(window)).collect();
    let mut covariance = Vec::with_capacity(returns.len() * returns.len());
    for (left, left_mean) in returns.iter().zip(&means) {
        for (right, right_mean) in returns.iter().zip(&means) {
            let pair = sample_covariance((left, *left_mean), (right, *right_mean));
            covariance.push(pair * periods_per_year);
        }
    }
    covariance
}

/// `NaN` for fewer than two values and for any that is not finite.
fn mean(window: &[f64]) -> f64 {
    let sum: f64 = window.iter().sum();
    if window.len() < 2 || !sum.is_finite() {
        return f64::NAN;
    }
    sum / window.len() as f64
}

fn sample_covariance((left, left_mean): (&[f64], f64), (right, right_mean): (&[f64], f64)) -> f64 {
    if left.len() != right.len() {
        return f64::NAN;
    }
    let products = left
        .iter()
        .zip(right)
        .map(|(left, right)| (left - left_mean) * (right - right_mean));
    products.sum::<f64>() / (left.len() as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traded_value_by_hand() {
        // (10 x 100 + 20 x 25 + 5 x 0) / 3 = 500.
        assert_eq!(
            average_traded_value(&[10.0, 20.0, 5.0], &[100.0, 25.0, 0.0]),
            500.0
        );
        for (closes, volumes) in [
            (&[][..], &[][..]),
            (&[10.0, f64::NAN], &[1.0, 1.0]),
            (&[10.0, 10.0], &[1.0, -1.0]),
            (&[10.0, 10.0], &[1.0]),
        ] {
            assert!(
                average_traded_value(closes, volumes).is_nan(),
                "{closes:?} {volumes:?}"
            );
        }
    }

    #[test]
    fn covariance_by_hand() {
        // Means 0.01 and 0. Deviations 0, -0.02, 0.02 and 0.02, 0, -0.02: variances 0.0004, covariance -0.0002.
        let found = annual_covariance(&[&[0.01, -0.01, 0.03], &[0.02, 0.0, -0.02]], 252.0);
        for (found, expected) in found.iter().zip([0.1008, -0.0504, -0.0504, 0.1008]) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }

    #[test]
    fn what_cannot_be_computed_is_not_a_number() {
        let known = |returns: &[&[f64]]| -> Vec<bool> {
            annual_covariance(returns, 1.0)
                .iter()
                .map(|value| value.is_finite())
                .collect()
        };
        assert_eq!(
            known(&[&[0.1, 0.2], &[0.1, f64::NAN]]),
            [true, false, false, false]
        );
        assert_eq!(
            known(&[&[0.1, 0.2], &[0.1, 0.2, 0.3]]),
            [true, false, false, true]
        );
        assert_eq!(known(&[&[0.1]]), [false]);
        assert_eq!(known(&[]), [false; 0]);
    }
}
