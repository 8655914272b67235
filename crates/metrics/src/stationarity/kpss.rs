//! The test of Kwiatkowski, Phillips, Schmidt and Shin.

use super::regression::Triangular;
use super::{StationarityError, require_usable, undefined};
use crate::definition::DefinitionId;
use crate::numeric::{mean, sum_of};
use crate::value::Reason;

/// What the series is taken to keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KpssNull {
    /// A level.
    Level,
    /// A straight line.
    Trend,
}

impl KpssNull {
    /// The name in a definition id: `level` or `trend`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Trend => "trend",
        }
    }

    /// Statistics at the p-values of [`TABLE_P`]. Source: table 1 of the paper.
    const fn table(self) -> [f64; 4] {
        match self {
            Self::Level => [0.347, 0.463, 0.574, 0.739],
            Self::Trend => [0.119, 0.146, 0.176, 0.216],
        }
    }
}

const TABLE_P: [f64; 4] = [0.10, 0.05, 0.025, 0.01];

/// How many autocovariances the long-run variance takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KpssBandwidth {
    /// This many.
    Fixed(usize),
    /// Chosen from the data. Source: Hobijn, Franses & Ooms (1998), *Generalizations of the KPSS-test for Stationarity*.
    Automatic,
}

/// A p-value as far as the published table reaches, from 0.01 to 0.10.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KpssPValue {
    /// The statistic is below the table: more than this.
    Above(f64),
    /// Interpolated in the table.
    Within(f64),
    /// The statistic is beyond the table: less than this.
    Below(f64),
}

/// The result of [`kpss`].
#[derive(Debug, Clone, PartialEq)]
pub struct KpssTest {
    /// The statistic; the higher, the less stationary.
    pub statistic: f64,
    /// Probability of a statistic as high or higher under stationarity.
    pub p_value: KpssPValue,
    /// Autocovariances in the long-run variance.
    pub lags: usize,
    /// `kpss@v1{null=..,lags=..}`.
    pub definition: DefinitionId,
}

/// Tests whether a series is stationary around a level or a line: Σ Sₜ² / (n²·ω²), S the partial sums of the residuals
/// and ω² their long-run variance by Bartlett's weights. A low p-value speaks against stationarity.
///
/// Source: Kwiatkowski, Phillips, Schmidt & Shin (1992), *Testing the null hypothesis of stationarity against the alternative
/// of a unit root*.
///
/// # Errors
/// A value that is not finite; `too_short` when there are not more observations than lags; `no_variance` for a series
/// without residuals; `denominator_not_positive`.
pub fn kpss(series: &[f64], null: KpssNull, bandwidth: KpssBandwidth) -> Result<KpssTest, StationarityError> {
    require_usable("series of the KPSS test", series)?;
    let test = || {
        let residuals = residuals(series, null)?;
        let lags = match bandwidth {
            KpssBandwidth::Fixed(lags) => lags,
            KpssBandwidth::Automatic => automatic_lags(&residuals),
        };
        Ok((lags, statistic(&residuals, lags)?))
    };
    let (lags, statistic) = test().map_err(|reason| undefined(series, reason))?;
    let definition = DefinitionId::custom("kpss@v1").with("null", null.name());
    Ok(KpssTest {
        statistic,
        p_value: p_value(statistic, null.table()),
        lags,
        definition: match bandwidth {
            KpssBandwidth::Fixed(lags) => definition.with("lags", lags),
            KpssBandwidth::Automatic => definition.with("lags", "hobijn"),
        },
    })
}

/// Deviations from the mean, and from it and the line of least squares.
fn residuals(series: &[f64], null: KpssNull) -> Result<Vec<f64>, Reason> {
    let centre = mean(series).ok_or(Reason::TooShort)?;
    let mut deviations: Vec<f64> = series.iter().map(|value| value - centre).collect();
    if null == KpssNull::Level {
        return Ok(deviations);
    }
    let half = (series.len() as f64 - 1.0) / 2.0;
    let times: Vec<f64> = (0..series.len()).map(|time| time as f64 - half).collect();
    let products: Vec<f64> = times.iter().zip(&deviations).map(|(x, y)| x * y).collect();
    let slope = sum_of(&products, |value| *value) / sum_of(&times, |time| time * time);
    // Exactly on the line: what is left is noise of rounding.
    Triangular::new(vec![times.clone()], deviations.clone())?.last_t()?;
    deviations
        .iter_mut()
        .zip(times)
        .for_each(|(value, time)| *value -= slope * time);
    Ok(deviations)
}

fn statistic(residuals: &[f64], lags: usize) -> Result<f64, Reason> {
    let count = residuals.len();
    if lags >= count {
        return Err(Reason::TooShort);
    }
    let mut sum = 0.0;
    let partial: Vec<f64> = residuals
        .iter()
        .map(|value| {
            sum += value;
            sum
        })
        .collect();
    let weight = |lag: usize| 2.0 * (1.0 - lag as f64 / (lags as f64 + 1.0));
    let weighted: Vec<f64> = (1..=lags)
        .map(|lag| weight(lag) * lagged_product(residuals, lag))
        .collect();
    let long_run = lagged_product(residuals, 0) + sum_of(&weighted, |value| *value);
    if long_run <= 0.0 {
        return Err(Reason::DenominatorNotPositive);
    }
    Ok(sum_of(&partial, |value| value * value) / (count as f64 * long_run))
}

/// Σ rₜ·rₜ₋ₗ.
fn lagged_product(residuals: &[f64], lag: usize) -> f64 {
    let pairs: Vec<(f64, f64)> = residuals[lag..]
        .iter()
        .copied()
        .zip(residuals.iter().copied())
        .collect();
    sum_of(&pairs, |(later, earlier)| later * earlier)
}

/// At most one less than there are residuals.
fn automatic_lags(residuals: &[f64]) -> usize {
    let count = residuals.len() as f64;
    let longest = libm::pow(count, 2.0 / 9.0) as usize;
    let (mut level, mut slope) = (lagged_product(residuals, 0) / count, 0.0);
    for lag in 1..=longest {
        let both_sides = 2.0 * lagged_product(residuals, lag) / count;
        level += both_sides;
        slope += lag as f64 * both_sides;
    }
    let ratio = slope / level;
    let lags = 1.1447 * libm::cbrt(ratio * ratio) * libm::cbrt(count);
    (lags as usize).min(residuals.len() - 1)
}

/// Linear between the rows of the table.
fn p_value(statistic: f64, table: [f64; 4]) -> KpssPValue {
    if statistic < table[0] {
        return KpssPValue::Above(TABLE_P[0]);
    }
    let Some(above) = (1..4).find(|row| statistic <= table[*row]) else {
        return KpssPValue::Below(TABLE_P[3]);
    };
    let part = (statistic - table[above - 1]) / (table[above] - table[above - 1]);
    KpssPValue::Within(TABLE_P[above - 1] + part * (TABLE_P[above] - TABLE_P[above - 1]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Residuals 1, -1, 1, -1: partial sums 1, 0, 1, 0; without lags 2 / (4 * 4), with one 2 / (4 * (4 - 3)).
    #[test]
    fn alternating_signs_by_hand() {
        let series = [6.0, 4.0, 6.0, 4.0];
        let statistic = |lags| {
            kpss(&series, KpssNull::Level, KpssBandwidth::Fixed(lags))
                .unwrap()
                .statistic
        };
        assert_eq!((statistic(0), statistic(1)), (0.125, 0.5));
    }

    #[test]
    fn p_values_are_read_from_the_table_and_end_with_it() {
        let table = KpssNull::Level.table();
        assert_eq!(p_value(0.3, table), KpssPValue::Above(0.10));
        assert_eq!(p_value(0.347, table), KpssPValue::Within(0.10));
        assert_eq!(p_value(0.739, table), KpssPValue::Within(0.01));
        assert_eq!(p_value(0.74, table), KpssPValue::Below(0.01));
        let KpssPValue::Within(middle) = p_value(0.405, table) else {
            panic!("inside the table");
        };
        assert!((middle - 0.075).abs() < 1e-15);
    }

    #[test]
    fn series_without_a_test() {
        let test =
            |series: &[f64], null, lags| match kpss(series, null, KpssBandwidth::Fixed(lags)).unwrap_err() {
                StationarityError::Undefined { reason, .. } => reason,
                StationarityError::Input(error) => panic!("{error}"),
            };
        let line: Vec<f64> = (0..50).map(f64::from).collect();
        assert_eq!(test(&line, KpssNull::Trend, 2), Reason::NoVariance);
        assert_eq!(test(&[2.5; 50], KpssNull::Level, 2), Reason::NoVariance);
        assert_eq!(test(&[1.0, 2.0, 1.0], KpssNull::Level, 0), Reason::TooShort);
        assert_eq!(test(&[1.0, 2.0, 1.0, 3.0], KpssNull::Level, 4), Reason::TooShort);
        assert!(
            kpss(
                &[1.0, f64::INFINITY, 2.0, 1.0],
                KpssNull::Level,
                KpssBandwidth::Automatic
            )
            .is_err()
        );
    }
}
