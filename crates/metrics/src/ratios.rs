//! Sharpe, Lo-adjusted Sharpe and Sortino ratios, and volatility.

use crate::numeric::{Dispersion, Z_975, is_negligible, pairwise_sum, sum_of};
use crate::series::{PeriodsPerYear, Returns};
use crate::value::{MetricValue, Reason};

/// Below this many observations a ratio is shown with the caveat `too_short` and is not ranked.
pub(crate) const MIN_RANKED_OBSERVATIONS: usize = 20;

/// The per-period Sharpe ratio of excess returns with what its sampling distribution depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharpeMoments {
    /// Mean over sample standard deviation (n − 1), per period, not annualised.
    pub sharpe_per_period: f64,
    /// Number of returns.
    pub observations: usize,
    /// Third standardised population moment.
    pub skewness: f64,
    /// Fourth standardised population moment, raw: 3 for a normal distribution.
    pub kurtosis: f64,
}

impl SharpeMoments {
    /// The moments of excess returns.
    ///
    /// # Errors
    /// [`Reason::TooShort`] below two returns, [`Reason::NoVariance`] when the standard deviation is below
    /// 1e-12 · max(1, max |r|).
    pub fn of(excess: &Returns) -> Result<Self, Reason> {
        let (dispersion, sd) = Dispersion::of_varying(excess.as_slice())?;
        let (skewness, kurtosis) = dispersion.shape(excess.as_slice());
        Ok(Self {
            sharpe_per_period: dispersion.mean / sd,
            observations: excess.len(),
            skewness,
            kurtosis,
        })
    }

    /// The annual Sharpe ratio with its 95 % interval of ±1.96 standard errors.
    pub fn annualised(&self, periods: PeriodsPerYear) -> MetricValue {
        let value = MetricValue::defined(self.sharpe_per_period * periods.root());
        let value = match self.standard_error() {
            Ok(standard_error) => value.with_margin(Z_975 * standard_error * periods.root()),
            Err(_) => value,
        };
        flag_short(value, self.observations)
    }

    /// Standard error of the per-period Sharpe ratio: √((1 − γ₃·SR + (γ₄ − 1)/4·SR²)/(n − 1)).
    ///
    /// # Errors
    /// [`Reason::DenominatorNotPositive`] when the expression under the root is not positive, which moments given by
    /// hand can be, [`Reason::TooShort`] below two observations.
    pub fn standard_error(&self) -> Result<f64, Reason> {
        if self.observations < 2 {
            return Err(Reason::TooShort);
        }
        Ok((self.variance_factor()? / (self.observations - 1) as f64).sqrt())
    }

    /// 1 − γ₃·SR + (γ₄ − 1)/4·SR².
    pub(crate) fn variance_factor(&self) -> Result<f64, Reason> {
        let sharpe = self.sharpe_per_period;
        let factor = 1.0 - self.skewness * sharpe + (self.kurtosis - 1.0) / 4.0 * sharpe * sharpe;
        if factor > 0.0 {
            Ok(factor)
        } else {
            Err(Reason::DenominatorNotPositive)
        }
    }
}

/// The annual Sharpe ratio of excess returns: mean/sd₁·√P with the interval of [`SharpeMoments::annualised`].
///
/// Undefined `too_short` below two returns and `no_variance`; with the caveat `too_short` below 20. Source: Sharpe
/// (1994), *The Sharpe Ratio*.
pub fn sharpe(excess: &Returns, periods: PeriodsPerYear) -> MetricValue {
    SharpeMoments::of(excess).map_or_else(MetricValue::undefined, |moments| moments.annualised(periods))
}

/// The per-period Sharpe ratio of a slice, without its moments; `None` where it is undefined.
pub(crate) fn sharpe_per_period(excess: &[f64]) -> Option<f64> {
    Dispersion::of_varying(excess)
        .ok()
        .map(|(dispersion, sd)| dispersion.mean / sd)
}

/// The number of autocorrelations that [`lo_adjusted_sharpe`] uses: ⌊4·(n/100)^(2/9)⌋, the rule of Newey & West (1994),
/// at most n − 1 and below P.
pub fn lo_lag_count(observations: usize, periods: PeriodsPerYear) -> usize {
    let rule = (4.0 * libm::pow(observations as f64 / 100.0, 2.0 / 9.0)).floor() as usize;
    let below_period = (periods.get().ceil() as usize).saturating_sub(1);
    rule.min(below_period).min(observations.saturating_sub(1))
}

/// The Sharpe ratio annualised with the serial correlation of the excess returns.
///
/// SR·q/√(q + 2·Σₖ(q − k)·ρₖ) with q = P and k = 1..[`lo_lag_count`]; equal to the plain one when every ρₖ is 0.
/// Undefined as [`sharpe`], and `denominator_not_positive`. Source: Lo (2002), *The Statistics of Sharpe Ratios*, eq. 20.
pub fn lo_adjusted_sharpe(excess: &Returns, periods: PeriodsPerYear) -> MetricValue {
    let adjusted = || {
        let (dispersion, sd) = Dispersion::of_varying(excess.as_slice())?;
        let q = periods.get();
        let lags = 1..=lo_lag_count(excess.len(), periods);
        let weighted: f64 = lags
            .map(|lag| (q - lag as f64) * autocorrelation(excess.as_slice(), lag))
            .sum();
        let variance_ratio = q + 2.0 * weighted;
        if variance_ratio <= 0.0 {
            return Err(Reason::DenominatorNotPositive);
        }
        Ok(dispersion.mean / sd * q / variance_ratio.sqrt())
    };
    flag_short(adjusted().into(), excess.len())
}

/// The Sortino ratio: mean(r − MAR)/√mean(min(r − MAR, 0)²)·√P over all observations.
///
/// `above_minimum` is the return minus the minimum acceptable return per period. Undefined `too_short` below two
/// returns, `no_downside` when the root mean square shortfall is below 1e-12 · max(1, max |r|); caveat `too_short` below
/// 20. Source: Sortino & van der Meer (1991), *Downside Risk*.
pub fn sortino(above_minimum: &Returns, periods: PeriodsPerYear) -> MetricValue {
    let values = above_minimum.as_slice();
    let ratio = || {
        let (dispersion, _) = Dispersion::with_sd(values)?;
        let squares = sum_of(values, |value| value.min(0.0) * value.min(0.0));
        let downside = (squares / values.len() as f64).sqrt();
        if downside.is_infinite() {
            return Err(Reason::Overflow);
        }
        if is_negligible(downside, values) {
            return Err(Reason::NoDownside);
        }
        Ok(dispersion.mean / downside * periods.root())
    };
    flag_short(ratio().into(), values.len())
}

/// Annual volatility: sd₁·√P. Undefined `too_short` below two returns; 0 for constant returns.
pub fn volatility(returns: &Returns, periods: PeriodsPerYear) -> MetricValue {
    Dispersion::with_sd(returns.as_slice())
        .map(|(_, sd)| sd * periods.root())
        .into()
}

/// Adds the caveat `too_short` below twenty observations.
fn flag_short(value: MetricValue, observations: usize) -> MetricValue {
    if observations < MIN_RANKED_OBSERVATIONS {
        value.with_caveat(Reason::TooShort)
    } else {
        value
    }
}

/// Σ(x_t − m)(x_{t−k} − m)/Σ(x − m)²; the caller has checked that the values vary.
fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    let mean = pairwise_sum(values) / values.len() as f64;
    let squares = sum_of(values, |value| (value - mean) * (value - mean));
    let pairs: Vec<f64> = values[lag..]
        .iter()
        .zip(values)
        .map(|(x, y)| (x - mean) * (y - mean))
        .collect();
    pairwise_sum(&pairs) / squares
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const P: PeriodsPerYear = PeriodsPerYear::EQUITIES;

    fn returns(values: &[f64]) -> Returns {
        Returns::new(values.to_vec()).unwrap()
    }

    #[test]
    fn undefined_ratios_say_why() {
        assert_eq!(sharpe(&returns(&[]), P).reason(), Some(Reason::TooShort));
        assert_eq!(sharpe(&returns(&[0.01]), P).value(), None);
        for constant in [0.0, 0.001, -0.3] {
            assert_eq!(
                sharpe(&returns(&[constant; 50]), P),
                MetricValue::undefined(Reason::NoVariance)
            );
            assert!(volatility(&returns(&[constant; 50]), P).value().unwrap() < 1e-13);
        }
        assert_eq!(
            sortino(&returns(&[0.0, 0.1, 0.2]), P),
            MetricValue::undefined(Reason::NoDownside)
        );
        assert_eq!(
            volatility(&returns(&[0.1]), P),
            MetricValue::undefined(Reason::TooShort)
        );
    }

    #[test]
    fn overflow_is_not_zero() {
        let huge = returns(&[1e200, -1e200, 3e200]);
        for value in [
            sharpe(&huge, P),
            sortino(&huge, P),
            volatility(&huge, P),
            lo_adjusted_sharpe(&huge, P),
        ] {
            assert_eq!(value, MetricValue::undefined(Reason::Overflow));
        }
    }

    #[test]
    fn constant_growth_has_no_sharpe_despite_rounding_noise() {
        let noisy: Vec<f64> = (0..100).map(|i| 1e-6 + f64::from(i % 2) * 1e-16).collect();
        assert_eq!(
            sharpe(&returns(&noisy), P),
            MetricValue::undefined(Reason::NoVariance)
        );
    }

    #[test]
    fn nineteen_days_are_shown_but_not_ranked() {
        let values: Vec<f64> = (0..20).map(|i| 0.01 * f64::from(i % 3) - 0.005).collect();
        let short = sharpe(&returns(&values[..19]), P);
        assert!(short.value().is_some() && short.rank_value().is_none());
        let enough = sharpe(&returns(&values), P);
        assert!(enough.rank_value().is_some() && enough.reason().is_none());
    }

    #[test]
    fn lo_equals_the_plain_ratio_without_lags_and_falls_with_positive_correlation() {
        let one = PeriodsPerYear::new(1.0).unwrap();
        let trending: Vec<f64> = (0..200)
            .map(|i| if i % 20 < 10 { 0.012 } else { -0.008 })
            .collect();
        let trending = returns(&trending);
        assert_eq!(lo_lag_count(200, one), 0);
        assert_eq!(lo_lag_count(100, P), 4);
        let plain = sharpe(&trending, one).value().unwrap();
        assert!((lo_adjusted_sharpe(&trending, one).value().unwrap() / plain - 1.0).abs() < 1e-14);
        assert!(
            lo_adjusted_sharpe(&trending, P).value().unwrap() < 0.6 * sharpe(&trending, P).value().unwrap()
        );
    }

    #[test]
    fn lo_by_hand_for_two_periods_a_year() {
        let values: Vec<f64> = [0.03, 0.01, -0.02, 0.02].repeat(5);
        let two = PeriodsPerYear::new(2.0).unwrap();
        let m = 0.01;
        let squares: f64 = values.iter().map(|x| (x - m) * (x - m)).sum();
        let rho: f64 = values.windows(2).map(|w| (w[0] - m) * (w[1] - m)).sum::<f64>() / squares;
        let per_period = m / (squares / 19.0).sqrt();
        let wanted = per_period * 2.0 / (2.0 + 2.0 * rho).sqrt();
        assert!((lo_adjusted_sharpe(&returns(&values), two).value().unwrap() / wanted - 1.0).abs() < 1e-12);
    }
}
