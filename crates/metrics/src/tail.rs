//! Historical value at risk and conditional value at risk.

use crate::numeric::pairwise_sum;
use crate::series::Returns;
use crate::value::{MetricValue, Reason};

/// The confidence level of a tail figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailLevel {
    /// 95 %, needs 20 observations.
    Percent95,
    /// 99 %, needs 100 observations.
    Percent99,
}

impl TailLevel {
    /// The level in percent.
    pub const fn percent(self) -> usize {
        match self {
            Self::Percent95 => 95,
            Self::Percent99 => 99,
        }
    }

    /// How many observations make the tail hold at least one.
    const fn min_observations(self) -> usize {
        100 / (100 - self.percent())
    }
}

/// The loss of one period that is exceeded with the remaining probability: minus the return at sorted position
/// ⌊(n − 1)·tail⌋ (`lower` interpolation). A negative number is a gain. Undefined `too_short`.
pub fn value_at_risk(returns: &Returns, level: TailLevel) -> MetricValue {
    sorted_tail(returns, level)
        .map(|tail| -tail[tail.len() - 1])
        .into()
}

/// Minus the mean of the returns up to and including the one of [`value_at_risk`]. Undefined `too_short`.
///
/// Source: Rockafellar & Uryasev (2000), *Optimization of Conditional Value-at-Risk*, on the historical distribution.
pub fn conditional_value_at_risk(returns: &Returns, level: TailLevel) -> MetricValue {
    sorted_tail(returns, level)
        .map(|tail| -pairwise_sum(&tail) / tail.len() as f64)
        .into()
}

/// The lowest returns up to the quantile, ascending, never empty.
fn sorted_tail(returns: &Returns, level: TailLevel) -> Result<Vec<f64>, Reason> {
    if returns.len() < level.min_observations() {
        return Err(Reason::TooShort);
    }
    let mut sorted = returns.as_slice().to_vec();
    sorted.sort_by(f64::total_cmp);
    // In whole percent, because (n − 1) · 0.05 as a float can fall just below a whole number.
    let position = (sorted.len() - 1) * (100 - level.percent()) / 100;
    sorted.truncate(position + 1);
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn descending_losses(count: usize) -> Returns {
        Returns::new((1..=count).map(|i| -(i as f64) / 1000.0).collect()).unwrap()
    }

    #[test]
    fn tail_table() {
        let returns = descending_losses(101);
        assert_eq!(value_at_risk(&returns, TailLevel::Percent95).value(), Some(0.096));
        assert_eq!(value_at_risk(&returns, TailLevel::Percent99).value(), Some(0.100));
        let mean_of_worst_six = (96..=101).sum::<i32>() as f64 / 6000.0;
        let cvar = conditional_value_at_risk(&returns, TailLevel::Percent95)
            .value()
            .unwrap();
        assert!((cvar - mean_of_worst_six).abs() < 1e-15);
        let cvar = conditional_value_at_risk(&returns, TailLevel::Percent99)
            .value()
            .unwrap();
        assert!((cvar - 0.1005).abs() < 1e-15);
    }

    #[test]
    fn short_samples_have_no_tail() {
        assert_eq!(
            value_at_risk(&descending_losses(99), TailLevel::Percent99).reason(),
            Some(Reason::TooShort)
        );
        assert!(
            value_at_risk(&descending_losses(100), TailLevel::Percent99)
                .value()
                .is_some()
        );
        assert_eq!(
            value_at_risk(&descending_losses(19), TailLevel::Percent95).reason(),
            Some(Reason::TooShort)
        );
        assert!(
            value_at_risk(&descending_losses(20), TailLevel::Percent95)
                .value()
                .is_some()
        );
    }
}
