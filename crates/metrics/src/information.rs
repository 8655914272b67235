//! Information coefficient: rank correlation of scores with what came after.

use crate::definition::{DefinitionId, Metric, MetricName};
use crate::error::{MetricsError, require_all_finite, require_same_length};
use crate::numeric::{average_ranks, co_deviation, mean, pairwise_sum};
use crate::value::{MetricValue, Reason};

/// A date with fewer names than this is skipped.
const MIN_NAMES: usize = 10;

/// The scores of one date and the returns that followed, in the same order of names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossSection<'a> {
    /// The date of the scores, UTC nanoseconds.
    pub time_ns: i64,
    /// One score per name.
    pub scores: &'a [f64],
    /// The return of each name over the horizon that begins after the scores.
    pub outcomes: &'a [f64],
}

/// The result of [`information_coefficient`].
#[derive(Debug, Clone, PartialEq)]
pub struct InformationCoefficient {
    /// Mean rank correlation over the dates used.
    pub mean: Metric,
    /// Mean over its Newey–West standard error.
    pub t_statistic: Metric,
    /// Date and rank correlation of every date used.
    pub by_date: Vec<(i64, f64)>,
    /// Dates skipped for fewer than ten names, or for scores or outcomes that are all equal.
    pub dates_skipped: usize,
}

/// The rank correlation of two samples: the correlation of their average ranks (Spearman 1904).
///
/// Undefined `too_short` below two pairs, `no_variance` when all values of a side are equal.
///
/// # Errors
/// Samples of different length, a value that is not finite.
pub fn rank_correlation(left: &[f64], right: &[f64]) -> Result<MetricValue, MetricsError> {
    require_same_length("samples of a rank correlation", left.len(), right.len())?;
    require_all_finite("left sample", left)?;
    require_all_finite("right sample", right)?;
    if left.len() < 2 {
        return Ok(MetricValue::undefined(Reason::TooShort));
    }
    let (left, right) = (average_ranks(left), average_ranks(right));
    let norm = (co_deviation(&left, &left) * co_deviation(&right, &right)).sqrt();
    if norm == 0.0 {
        return Ok(MetricValue::undefined(Reason::NoVariance));
    }
    Ok(MetricValue::defined(
        (co_deviation(&left, &right) / norm).clamp(-1.0, 1.0),
    ))
}

/// Mean rank correlation over dates, and its t-statistic with the Newey & West (1987) variance of `horizon` lags, because
/// outcomes over `horizon` dates overlap.
///
/// The mean is undefined `too_short` without a usable date; the t-statistic also with no more dates than lags + 1,
/// `no_variance` when all dates agree, `denominator_not_positive`.
///
/// # Errors
/// A date whose scores and outcomes differ in number or are not finite.
pub fn information_coefficient(
    sections: &[CrossSection<'_>],
    horizon: usize,
) -> Result<InformationCoefficient, MetricsError> {
    let mut by_date = Vec::with_capacity(sections.len());
    for section in sections {
        let correlation = rank_correlation(section.scores, section.outcomes)?.value();
        by_date.extend(
            correlation
                .filter(|_| section.scores.len() >= MIN_NAMES)
                .map(|value| (section.time_ns, value)),
        );
    }
    let values: Vec<f64> = by_date.iter().map(|(_, value)| *value).collect();
    let metric = |name, value: Result<f64, Reason>| Metric {
        name,
        value: value.into(),
        definition: DefinitionId::of(name).with("lags", horizon),
    };
    Ok(InformationCoefficient {
        mean: metric(
            MetricName::InformationCoefficient,
            mean(&values).ok_or(Reason::TooShort),
        ),
        t_statistic: metric(
            MetricName::InformationCoefficientT,
            newey_west_t(&values, horizon),
        ),
        dates_skipped: sections.len() - by_date.len(),
        by_date,
    })
}

/// Mean over √((γ₀ + 2Σ(1 − k/(L + 1))γₖ)/n), the autocovariances with divisor n.
fn newey_west_t(values: &[f64], lags: usize) -> Result<f64, Reason> {
    if values.len() <= lags + 1 {
        return Err(Reason::TooShort);
    }
    let n = values.len() as f64;
    let mean = mean(values).ok_or(Reason::TooShort)?;
    let autocovariance = |lag: usize| {
        let pairs: Vec<f64> = values[lag..]
            .iter()
            .zip(values)
            .map(|(x, y)| (x - mean) * (y - mean))
            .collect();
        pairwise_sum(&pairs) / n
    };
    let own = autocovariance(0);
    if own < 1e-24 {
        return Err(Reason::NoVariance);
    }
    let weight = |lag: usize| 1.0 - lag as f64 / (lags as f64 + 1.0);
    let long_run = own
        + 2.0
            * (1..=lags)
                .map(|lag| weight(lag) * autocovariance(lag))
                .sum::<f64>();
    if long_run <= 0.0 {
        return Err(Reason::DenominatorNotPositive);
    }
    Ok(mean / (long_run / n).sqrt())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rank_correlation_table() {
        let found = |left: &[f64], right: &[f64]| rank_correlation(left, right).unwrap();
        assert_eq!(found(&[1.0, 2.0, 3.0], &[10.0, 100.0, 1000.0]).value(), Some(1.0));
        assert_eq!(found(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).value(), Some(-1.0));
        assert!(
            (found(&[1.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 2.0, 4.0])
                .value()
                .unwrap()
                - 0.9_f64.sqrt())
            .abs()
                < 1e-15
        );
        assert_eq!(found(&[1.0, 1.0], &[1.0, 2.0]).reason(), Some(Reason::NoVariance));
        assert_eq!(found(&[1.0], &[1.0]).reason(), Some(Reason::TooShort));
        assert!(rank_correlation(&[1.0], &[]).is_err());
        assert!(rank_correlation(&[f64::NAN, 1.0], &[1.0, 2.0]).is_err());
    }

    #[test]
    fn small_and_flat_dates_are_skipped_and_counted() {
        let rising: Vec<f64> = (0..10).map(f64::from).collect();
        let flat = [1.0; 10];
        let section = |time_ns, scores, outcomes| CrossSection {
            time_ns,
            scores,
            outcomes,
        };
        let sections = [
            section(1, &rising[..], &rising[..]),
            section(2, &rising[..9], &rising[..9]),
            section(3, &flat, &rising),
        ];
        let found = information_coefficient(&sections, 1).unwrap();
        assert_eq!((found.mean.value.value(), found.dates_skipped), (Some(1.0), 2));
        assert_eq!(found.t_statistic.value.reason(), Some(Reason::TooShort));
        assert_eq!(
            found.mean.definition.as_str(),
            "information_coefficient@v1{lags=1}"
        );
        let none = information_coefficient(&[], 1).unwrap();
        assert_eq!(none.mean.value, MetricValue::undefined(Reason::TooShort));
    }

    #[test]
    fn newey_west_by_hand() {
        let values = [0.1, 0.3, 0.2, 0.4, 0.0];
        let without_lags = 0.2 / (0.02_f64 / 5.0).sqrt();
        assert!((newey_west_t(&values, 0).unwrap() - without_lags).abs() < 1e-12);
        // Deviations −.1, .1, 0, .2, −.2: γ₁ = (−.01 + 0 + 0 − .04)/5 = −.01, weight ½.
        let one_lag = 0.2 / ((0.02_f64 - 0.01) / 5.0).sqrt();
        assert!((newey_west_t(&values, 1).unwrap() - one_lag).abs() < 1e-12);
        assert_eq!(newey_west_t(&[0.2; 8], 1), Err(Reason::NoVariance));
    }
}
