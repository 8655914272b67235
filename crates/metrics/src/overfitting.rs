//! Probabilistic and deflated Sharpe ratio, minimum track record length, effective number of trials.

use std::f64::consts::E;

use serde::{Deserialize, Serialize};

use crate::error::{MetricsError, require_positive, require_same_length};
use crate::numeric::{Dispersion, Z_95, normal_cdf, normal_upper_quantile, pairwise_sum, sum_of};
use crate::ratios::{SharpeMoments, sharpe_per_period};
use crate::series::Returns;
use crate::value::{MetricValue, Reason};

const EULER_MASCHERONI: f64 = 0.577_215_664_901_532_9;

/// The probability that the true Sharpe ratio exceeds `benchmark_per_period`:
/// Φ((SR − SR*)·√(n − 1)/√(1 − γ₃·SR + (γ₄ − 1)/4·SR²)).
///
/// Undefined `denominator_not_positive`, and `too_short` below two observations. Source: Bailey & López de Prado (2012),
/// *The Sharpe Ratio Efficient Frontier*.
pub fn probabilistic_sharpe(moments: &SharpeMoments, benchmark_per_period: f64) -> MetricValue {
    let standard_error = moments.standard_error();
    standard_error
        .map(|error| normal_cdf((moments.sharpe_per_period - benchmark_per_period) / error))
        .into()
}

/// Observations needed until the Sharpe ratio exceeds `benchmark_per_period` at 95 % confidence:
/// 1 + (1 − γ₃·SR + (γ₄ − 1)/4·SR²)·(z₀.₉₅/(SR − SR*))².
///
/// Undefined `not_above_benchmark` when SR ≤ SR*. Source: Bailey & López de Prado (2012).
pub fn min_track_record_length(moments: &SharpeMoments, benchmark_per_period: f64) -> MetricValue {
    let length = || {
        let lead = moments.sharpe_per_period - benchmark_per_period;
        if lead.is_nan() || lead <= 0.0 {
            return Err(Reason::NotAboveBenchmark);
        }
        Ok(1.0 + moments.variance_factor()? * (Z_95 / lead) * (Z_95 / lead))
    };
    length().into()
}

/// What is known about the trials a result was chosen from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrialStatistics {
    /// All trials ever evaluated on this data.
    pub raw_count: usize,
    /// How many independent trials they amount to, at least 1, not necessarily whole.
    pub effective_count: f64,
    /// Variance of the per-period Sharpe ratios across the trials (divisor n − 1).
    pub sharpe_variance_per_period: f64,
}

impl TrialStatistics {
    /// The statistics of trials from their excess returns on the same periods, the effective number by
    /// [`effective_trials`]. Trials without variance count as trials but have no Sharpe ratio.
    ///
    /// # Errors
    /// No trial, or trials of different lengths.
    pub fn from_returns(trials: &[Returns]) -> Result<Self, MetricsError> {
        let effective_count = effective_trials(trials)?;
        let sharpes: Vec<f64> = trials
            .iter()
            .filter_map(|trial| sharpe_per_period(trial.as_slice()))
            .collect();
        let variance = Dispersion::with_sd(&sharpes).map_or(0.0, |(_, sd)| sd * sd);
        Ok(Self {
            raw_count: trials.len(),
            effective_count,
            sharpe_variance_per_period: variance,
        })
    }

    fn validate(&self) -> Result<(), MetricsError> {
        let bad = |what, value, allowed| Err(MetricsError::OutOfRange { what, value, allowed });
        require_positive("effective number of trials", self.effective_count)?;
        if self.effective_count < 1.0 || self.effective_count > self.raw_count as f64 {
            return bad(
                "effective number of trials",
                self.effective_count,
                "1 to the raw number of trials",
            );
        }
        let variance = self.sharpe_variance_per_period;
        if !variance.is_finite() || variance < 0.0 {
            return bad(
                "variance of the Sharpe ratios of the trials",
                variance,
                "a finite number of at least 0",
            );
        }
        Ok(())
    }
}

/// The highest per-period Sharpe ratio to be expected from the trials if none has skill:
/// √V·((1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e))), γ the Euler–Mascheroni constant.
///
/// The formula is asymptotic in N and negative for N near 1; the expectation is not, so it is never below 0. Source:
/// Bailey & López de Prado (2014), *The Deflated Sharpe Ratio*.
///
/// # Errors
/// An effective number outside [1, raw number], a variance that is negative or not finite.
pub fn expected_maximum_sharpe(trials: &TrialStatistics) -> Result<f64, MetricsError> {
    trials.validate()?;
    let n = trials.effective_count;
    if n <= 1.0 {
        return Ok(0.0);
    }
    let quantiles = (1.0 - EULER_MASCHERONI) * normal_upper_quantile(1.0 / n)
        + EULER_MASCHERONI * normal_upper_quantile(1.0 / (n * E));
    Ok((trials.sharpe_variance_per_period.sqrt() * quantiles).max(0.0))
}

/// The deflated Sharpe ratio: [`probabilistic_sharpe`] against [`expected_maximum_sharpe`].
///
/// With one effective trial it is the probabilistic one against 0, with the caveat `single_trial`.
///
/// # Errors
/// As [`expected_maximum_sharpe`].
pub fn deflated_sharpe(
    moments: &SharpeMoments,
    trials: &TrialStatistics,
) -> Result<MetricValue, MetricsError> {
    let value = probabilistic_sharpe(moments, expected_maximum_sharpe(trials)?);
    Ok(if trials.effective_count <= 1.0 {
        value.with_caveat(Reason::SingleTrial)
    } else {
        value
    })
}

/// How many independent trials the trials amount to: N·(1 − ρ̄) + ρ̄ with ρ̄ their mean pairwise correlation, not below 0.
///
/// A trial without variance counts as uncorrelated with the others. One trial is 1. Source: Bailey & López de Prado
/// (2014), appendix A.3.
///
/// # Errors
/// No trial, or trials of different lengths.
pub fn effective_trials(trials: &[Returns]) -> Result<f64, MetricsError> {
    let first = trials.first().ok_or(MetricsError::Empty {
        what: "list of trials",
    })?;
    trials
        .iter()
        .try_for_each(|trial| require_same_length("returns of two trials", first.len(), trial.len()))?;
    let n = trials.len() as f64;
    let correlation = if trials.len() < 2 {
        0.0
    } else {
        mean_correlation(trials, first.len()).clamp(0.0, 1.0)
    };
    Ok(n * (1.0 - correlation) + correlation)
}

/// Mean of the correlations of all pairs, from |Σz|² − Σ|z|² over the standardised trials z, so linear in the trials.
fn mean_correlation(trials: &[Returns], length: usize) -> f64 {
    let standardised: Vec<Vec<f64>> = trials
        .iter()
        .filter_map(|trial| standardise(trial.as_slice()))
        .collect();
    let column_sums: Vec<f64> = (0..length)
        .map(|row| sum_of(&standardised, |column| column[row]))
        .collect();
    let pairs = trials.len() as f64 * (trials.len() - 1) as f64;
    (sum_of(&column_sums, |sum| sum * sum) - standardised.len() as f64) / pairs
}

/// Deviations from the mean scaled to length 1; `None` without variance.
fn standardise(values: &[f64]) -> Option<Vec<f64>> {
    sharpe_per_period(values)?;
    let mean = pairwise_sum(values) / values.len() as f64;
    let norm = sum_of(values, |value| (value - mean) * (value - mean)).sqrt();
    Some(values.iter().map(|value| (value - mean) / norm).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn moments(sharpe_per_period: f64) -> SharpeMoments {
        SharpeMoments {
            sharpe_per_period,
            observations: 1000,
            skewness: 0.0,
            kurtosis: 3.0,
        }
    }

    fn trials(raw_count: usize, effective_count: f64) -> TrialStatistics {
        TrialStatistics {
            raw_count,
            effective_count,
            sharpe_variance_per_period: 0.001,
        }
    }

    #[test]
    fn track_record_lengths_of_the_design_table() {
        for (sharpe, years) in [(0.5, 10.8), (1.0, 2.7), (1.5, 1.2), (2.0, 0.7)] {
            let length = min_track_record_length(&moments(sharpe / 252.0_f64.sqrt()), 0.0)
                .value()
                .unwrap();
            assert!(
                (length / 252.0 - years).abs() < 0.05,
                "{sharpe}: {}",
                length / 252.0
            );
        }
        let not_above = min_track_record_length(&moments(0.05), 0.05);
        assert_eq!(not_above, MetricValue::undefined(Reason::NotAboveBenchmark));
    }

    #[test]
    fn impossible_moments_are_undefined() {
        let wild = SharpeMoments {
            sharpe_per_period: 1.0,
            observations: 10,
            skewness: 5.0,
            kurtosis: 3.0,
        };
        assert_eq!(
            probabilistic_sharpe(&wild, 0.0).reason(),
            Some(Reason::DenominatorNotPositive)
        );
        assert_eq!(wild.annualised(crate::PeriodsPerYear::EQUITIES).interval(), None);
    }

    #[test]
    fn one_trial_is_not_deflated_but_noted() {
        let value = deflated_sharpe(&moments(0.05), &trials(1, 1.0)).unwrap();
        assert_eq!(value.value(), probabilistic_sharpe(&moments(0.05), 0.0).value());
        assert_eq!(value.reason(), Some(Reason::SingleTrial));
        let barely_two = expected_maximum_sharpe(&trials(2, 1.01)).unwrap();
        assert_eq!(barely_two, 0.0);
    }

    #[test]
    fn more_trials_deflate_more() {
        let deflated = |n: usize| {
            deflated_sharpe(&moments(0.1), &trials(n, n as f64))
                .unwrap()
                .value()
                .unwrap()
        };
        assert!(deflated(2) > deflated(10) && deflated(10) > deflated(1000));
    }

    #[test]
    fn impossible_trial_statistics_are_refused() {
        for (raw, effective, variance) in [(3, 0.5, 0.1), (3, 4.0, 0.1), (3, f64::NAN, 0.1), (3, 2.0, -0.1)] {
            let trials = TrialStatistics {
                raw_count: raw,
                effective_count: effective,
                sharpe_variance_per_period: variance,
            };
            assert!(deflated_sharpe(&moments(0.1), &trials).is_err(), "{trials:?}");
        }
    }

    #[test]
    fn effective_number_from_copies_opposites_and_constants() {
        let column = |values: [f64; 4]| Returns::new(values.to_vec()).unwrap();
        let a = column([1.0, 1.0, -1.0, -1.0]);
        let b = column([1.0, -1.0, 1.0, -1.0]);
        let minus_a = column([-1.0, -1.0, 1.0, 1.0]);
        let flat = column([0.0; 4]);
        let count = |trials: &[&Returns]| {
            effective_trials(&trials.iter().map(|&trial| trial.clone()).collect::<Vec<_>>()).unwrap()
        };
        assert!((count(&[&a, &a, &a]) - 1.0).abs() < 1e-12);
        assert!((count(&[&a, &b]) - 2.0).abs() < 1e-12);
        assert!((count(&[&a, &a, &b]) - (3.0 * 2.0 / 3.0 + 1.0 / 3.0)).abs() < 1e-12);
        assert_eq!(count(&[&a, &minus_a]), 2.0);
        assert_eq!(count(&[&a, &flat]), 2.0);
        assert_eq!(count(&[&a]), 1.0);
        assert!(effective_trials(&[]).is_err());
    }

    #[test]
    fn statistics_from_returns() {
        let trials = [[0.02, 0.01, -0.01, 0.03], [0.01, -0.02, 0.02, -0.01], [0.0; 4]];
        let trials = trials.map(|values| Returns::new(values.to_vec()).unwrap());
        let statistics = TrialStatistics::from_returns(&trials).unwrap();
        let (a, b) = (
            sharpe_per_period(trials[0].as_slice()).unwrap(),
            sharpe_per_period(trials[1].as_slice()).unwrap(),
        );
        assert_eq!(statistics.raw_count, 3);
        assert!((statistics.sharpe_variance_per_period - (a - b) * (a - b) / 2.0).abs() < 1e-15);
    }
}
