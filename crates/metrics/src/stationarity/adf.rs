//! The augmented Dickey-Fuller test.

use super::regression::Triangular;
use super::{StationarityError, require_usable, schwert_lags, undefined};
use crate::definition::DefinitionId;
use crate::numeric::normal_cdf;
use crate::value::Reason;

/// What the series is taken to do besides its own past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdfTerms {
    /// It returns to zero, if at all.
    None,
    /// It returns to a level.
    Constant,
    /// It returns to a straight line.
    Trend,
}

impl AdfTerms {
    /// The name in a definition id: `none`, `constant` or `trend`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Constant => "constant",
            Self::Trend => "trend",
        }
    }

    const fn count(self) -> usize {
        match self {
            Self::None => 0,
            Self::Constant => 1,
            Self::Trend => 2,
        }
    }

    const fn table(self) -> &'static Table {
        match self {
            Self::None => &NONE,
            Self::Constant => &CONSTANT,
            Self::Trend => &TREND,
        }
    }

    /// The columns of the terms over `rows` rows: ones, and 1, 2, 3, ...
    fn columns(self, rows: usize) -> Vec<Vec<f64>> {
        let ones = || vec![1.0; rows];
        match self {
            Self::None => Vec::new(),
            Self::Constant => vec![ones()],
            Self::Trend => vec![ones(), (1..=rows).map(|row| row as f64).collect()],
        }
    }
}

/// How many past changes the regression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdfLags {
    /// This many.
    Fixed(usize),
    /// The number from 0 to the longest lag with the lowest Akaike criterion, all of them judged on the same rows. The
    /// longest lag is ⌈12·(n/100)^¼⌉, but at most n/2 less the number of terms and one.
    Aic,
}

/// The statistic at which the test rejects at 1, 5 and 10 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticalValues {
    /// At 1 %.
    pub one_percent: f64,
    /// At 5 %.
    pub five_percent: f64,
    /// At 10 %.
    pub ten_percent: f64,
}

/// The result of [`adf`].
#[derive(Debug, Clone, PartialEq)]
pub struct AdfTest {
    /// The t-statistic of the level; the lower, the less like a unit root.
    pub statistic: f64,
    /// Probability of a statistic as low or lower under a unit root. The response surface ends: far to the left it is
    /// exactly 0, far to the right exactly 1.
    pub p_value: f64,
    /// Past changes in the regression.
    pub lags: usize,
    /// Rows of the regression.
    pub observations: usize,
    /// Where the test rejects, for this number of rows.
    pub critical_values: CriticalValues,
    /// `adf@v1{terms=..,lags=..}`.
    pub definition: DefinitionId,
}

/// Tests whether a series has a unit root: the t-statistic of γ in
/// Δy_t = terms + γ·y_{t−1} + Σ δᵢ·Δy_{t−i} + e_t. A low p-value speaks against a unit root.
///
/// Sources: Said & Dickey (1984); p-values by MacKinnon (1994), *Approximate Asymptotic Distribution Functions for Unit-Root
/// and Cointegration Tests*; critical values by MacKinnon (2010), *Critical Values for Cointegration Tests*.
///
/// # Errors
/// A value that is not finite; `too_short` when there are not more rows than coefficients; `no_variance` for a constant
/// series or one that its own past and the terms explain exactly.
pub fn adf(series: &[f64], terms: AdfTerms, lags: AdfLags) -> Result<AdfTest, StationarityError> {
    require_usable("series of the ADF test", series)?;
    let test = || {
        let used = match lags {
            AdfLags::Fixed(count) => count,
            AdfLags::Aic => best_lags(series, terms)?,
        };
        let fit = fit_with_level_last(series, terms, used)?;
        Ok((used, fit.last_t()?, fit.rows()))
    };
    let (used, statistic, observations) = test().map_err(|reason| undefined(series, reason))?;
    let definition = DefinitionId::custom("adf@v1").with("terms", terms.name());
    Ok(AdfTest {
        statistic,
        p_value: terms.table().p_value(statistic),
        lags: used,
        observations,
        critical_values: terms.table().critical_values(observations),
        definition: match lags {
            AdfLags::Fixed(count) => definition.with("lags", count),
            AdfLags::Aic => definition.with("lags", "aic"),
        },
    })
}

/// Rows of a regression with a number of past changes.
struct Rows<'a> {
    series: &'a [f64],
    changes: Vec<f64>,
    /// Changes before the first row.
    skipped: usize,
}

impl<'a> Rows<'a> {
    fn new(series: &'a [f64], skipped: usize) -> Result<Self, Reason> {
        let changes: Vec<f64> = series.windows(2).map(|pair| pair[1] - pair[0]).collect();
        if skipped >= changes.len() {
            return Err(Reason::TooShort);
        }
        Ok(Self {
            series,
            changes,
            skipped,
        })
    }

    fn count(&self) -> usize {
        self.changes.len() - self.skipped
    }

    /// The value before each change.
    fn level(&self) -> Vec<f64> {
        self.series[self.skipped..self.changes.len()].to_vec()
    }

    /// The changes `lag` before; 0 are those that are explained.
    fn change(&self, lag: usize) -> Vec<f64> {
        self.changes[self.skipped - lag..self.changes.len() - lag].to_vec()
    }
}

/// The level last, so that the last t-statistic is the test's.
fn fit_with_level_last(series: &[f64], terms: AdfTerms, lags: usize) -> Result<Triangular, Reason> {
    let rows = Rows::new(series, lags)?;
    let mut columns = terms.columns(rows.count());
    columns.extend((1..=lags).map(|lag| rows.change(lag)));
    columns.push(rows.level());
    Triangular::new(columns, rows.change(0))
}

/// The number of lags with the lowest Akaike criterion, of equal ones the smallest. With the lags last, one triangle has
/// the residuals of every number of them.
fn best_lags(series: &[f64], terms: AdfTerms) -> Result<usize, Reason> {
    let room = (series.len() / 2)
        .checked_sub(terms.count() + 1)
        .ok_or(Reason::TooShort)?;
    let longest = schwert_lags(series.len()).min(room);
    let rows = Rows::new(series, longest)?;
    let mut columns = terms.columns(rows.count());
    columns.push(rows.level());
    columns.extend((1..=longest).map(|lag| rows.change(lag)));
    let fit = Triangular::new(columns, rows.change(0))?;
    let criterion = |lags: usize| {
        let coefficients = terms.count() + 1 + lags;
        let variance = fit.squared_residuals(coefficients) / fit.rows() as f64;
        fit.rows() as f64 * libm::log(variance) + 2.0 * coefficients as f64
    };
    let criteria: Vec<f64> = (0..=longest).map(criterion).collect();
    let lowest = (0..=longest).min_by(|&left, &right| criteria[left].total_cmp(&criteria[right]));
    lowest.ok_or(Reason::TooShort)
}

/// Response surfaces of one kind of terms.
struct Table {
    /// Below it the p-value is 0, above the second 1.
    ends: [f64; 2],
    /// Up to here the left tail's polynomial holds.
    tail: f64,
    /// Coefficients of rising powers for the left tail.
    left: [f64; 3],
    /// And for the rest.
    right: [f64; 4],
    /// Coefficients of rising powers of 1/n for 1, 5 and 10 %.
    critical: [[f64; 4]; 3],
}

impl Table {
    /// Φ of a polynomial in the statistic.
    fn p_value(&self, statistic: f64) -> f64 {
        if statistic < self.ends[0] {
            0.0
        } else if statistic > self.ends[1] {
            1.0
        } else if statistic <= self.tail {
            normal_cdf(polynomial(&self.left, statistic))
        } else {
            normal_cdf(polynomial(&self.right, statistic))
        }
    }

    fn critical_values(&self, observations: usize) -> CriticalValues {
        let [one_percent, five_percent, ten_percent] = self
            .critical
            .map(|row| polynomial(&row, 1.0 / observations as f64));
        CriticalValues {
            one_percent,
            five_percent,
            ten_percent,
        }
    }
}

/// The coefficients are those of rising powers.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// MacKinnon 1994, tables 3 and 4, and 2010, table 2: no terms.
const NONE: Table = Table {
    ends: [-19.04, f64::INFINITY],
    tail: -1.04,
    left: [0.6344, 1.2378, 0.032_496],
    right: [0.4797, 0.935_57, -0.069_99, 0.033_066],
    critical: [
        [-2.565_74, -2.2358, -3.627, 0.0],
        [-1.941_00, -0.2686, -3.365, 31.223],
        [-1.616_82, 0.2656, -2.714, 25.364],
    ],
};

/// The same sources: a constant.
const CONSTANT: Table = Table {
    ends: [-18.83, 2.74],
    tail: -1.61,
    left: [2.1659, 1.4412, 0.038_269],
    right: [1.7339, 0.932_02, -0.127_45, -0.010_368],
    critical: [
        [-3.430_35, -6.5393, -16.786, -79.433],
        [-2.861_54, -2.8903, -4.234, -40.040],
        [-2.566_77, -1.5384, -2.809, 0.0],
    ],
};

/// The same sources: a constant and a trend.
const TREND: Table = Table {
    ends: [-16.18, 0.7],
    tail: -2.89,
    left: [3.2512, 1.6047, 0.049_588],
    right: [2.5261, 0.616_54, -0.379_56, -0.060_285],
    critical: [
        [-3.958_77, -9.0531, -28.428, -134.155],
        [-3.410_49, -4.3904, -9.036, -45.374],
        [-3.127_05, -2.5856, -3.925, -22.380],
    ],
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::bootstrap::SplitMix64;

    /// Rejects at five percent, on a hundred series of a process y_t = carry * y_{t-1} + uniform noise.
    fn rejections(carry: f64) -> usize {
        let mut random = SplitMix64::new(7);
        let mut uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        let series = (0..100).map(|_| {
            let mut value = 0.0;
            let values = (0..250).map(|_| {
                value = carry * value + uniform();
                value
            });
            values.collect::<Vec<f64>>()
        });
        let tests = series.map(|values| adf(&values, AdfTerms::Constant, AdfLags::Aic).unwrap());
        tests.filter(|test| test.p_value < 0.05).count()
    }

    #[test]
    fn walks_are_rarely_rejected_and_what_returns_nearly_always() {
        let (walks, returning) = (rejections(1.0), rejections(0.8));
        assert!(walks <= 12, "{walks} of 100 random walks rejected at 5 %");
        assert!(returning >= 95, "{returning} of 100 returning series rejected");
    }

    #[test]
    fn the_two_branches_of_a_p_value_meet() {
        for table in [&NONE, &CONSTANT, &TREND] {
            let (left, right) = (table.p_value(table.tail), table.p_value(table.tail + 1e-9));
            // The two surfaces are fits of their own, and meet to half a percent.
            assert!((left - right).abs() < 0.005, "{left} {right}");
            assert_eq!(table.p_value(-30.0), 0.0);
            let critical = table.critical_values(1_000_000);
            assert!((table.p_value(critical.five_percent) - 0.05).abs() < 0.001);
            assert!((table.p_value(critical.one_percent) - 0.01).abs() < 0.001);
        }
        assert_eq!(CONSTANT.p_value(3.0), 1.0);
    }

    #[test]
    fn series_without_a_test() {
        let test = |series: &[f64], lags| adf(series, AdfTerms::Constant, lags).unwrap_err();
        let reason = |error| match error {
            StationarityError::Undefined { reason, .. } => reason,
            StationarityError::Input(error) => panic!("{error}"),
        };
        assert_eq!(reason(test(&[1.0; 50], AdfLags::Aic)), Reason::NoVariance);
        assert_eq!(reason(test(&[1.0, 2.0, 4.0], AdfLags::Aic)), Reason::TooShort);
        assert_eq!(
            reason(test(&[1.0, 2.0, 4.0, 3.0, 5.0], AdfLags::Fixed(3))),
            Reason::TooShort
        );
        assert_eq!(
            reason(test(&[1.0, 2.0, 4.0, 3.0, 5.0], AdfLags::Fixed(9))),
            Reason::TooShort
        );
        let line: Vec<f64> = (0..50).map(f64::from).collect();
        assert_eq!(reason(test(&line, AdfLags::Fixed(0))), Reason::NoVariance);
        let with_hole = test(&[1.0, f64::NAN, 2.0, 3.0], AdfLags::Aic);
        assert!(with_hole.to_string().contains("at index 1 is NaN"), "{with_hole}");
    }
}
