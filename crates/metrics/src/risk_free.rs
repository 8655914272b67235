//! The risk-free rate: a constant or a dated series, stated as an annual rate.

use crate::error::{MetricsError, require_finite, require_increasing};
use crate::series::{NavSeries, PeriodsPerYear};

/// An annual rate that holds from an instant on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatePoint {
    /// From when the rate was known and held, UTC nanoseconds.
    pub effective_ns: i64,
    /// The rate as a fraction per year, 0.04 for 4 %.
    pub annual_rate: f64,
}

/// The risk-free rate that excess returns are measured against. Per period it is (1 + annual)^(1/P) − 1.
#[derive(Debug, Clone, PartialEq)]
pub enum RiskFree {
    /// The same rate all the time, as a fraction per year.
    Constant {
        /// 0.04 for 4 % per year.
        annual_rate: f64,
    },
    /// A rate that changes. Each period uses the last rate at or before its beginning.
    Dated {
        /// What the series is called, for the definition id.
        name: String,
        /// The rates, in time order.
        points: Vec<RatePoint>,
    },
}

impl RiskFree {
    /// No risk-free return.
    pub const ZERO: Self = Self::Constant { annual_rate: 0.0 };

    /// One rate per return of `nav`.
    ///
    /// # Errors
    /// A rate that is not finite or at or below −100 %, a dated series that is empty, out of order, or begins after the
    /// first funding instant.
    pub fn per_period(&self, nav: &NavSeries, periods: PeriodsPerYear) -> Result<Vec<f64>, MetricsError> {
        match self {
            Self::Constant { annual_rate } => {
                check_rate(0, *annual_rate)?;
                Ok(vec![per_period_rate(*annual_rate, periods); nav.returns().len()])
            }
            Self::Dated { points, .. } => dated_rates(points, nav, periods),
        }
    }

    /// The form used in definition ids: `const 0`, `series DGS3MO`.
    pub fn label(&self) -> String {
        match self {
            Self::Constant { annual_rate } => format!("const {annual_rate}"),
            Self::Dated { name, .. } => format!("series {name}"),
        }
    }
}

/// The rate per period that compounds to `annual_rate` over a year.
pub(crate) fn per_period_rate(annual_rate: f64, periods: PeriodsPerYear) -> f64 {
    if annual_rate == 0.0 {
        0.0
    } else {
        libm::expm1(libm::log1p(annual_rate) / periods.get())
    }
}

/// `Ok` for an annual rate that can be compounded.
pub(crate) fn check_rate(index: usize, annual_rate: f64) -> Result<(), MetricsError> {
    require_finite("annual rate", index, annual_rate)?;
    if annual_rate <= -1.0 {
        let allowed = "a fraction per year above -1";
        return Err(MetricsError::OutOfRange {
            what: "annual rate",
            value: annual_rate,
            allowed,
        });
    }
    Ok(())
}

fn dated_rates(
    points: &[RatePoint],
    nav: &NavSeries,
    periods: PeriodsPerYear,
) -> Result<Vec<f64>, MetricsError> {
    let first = points.first().ok_or(MetricsError::Empty {
        what: "risk-free series",
    })?;
    require_increasing("risk-free series", points.iter().map(|point| point.effective_ns))?;
    points
        .iter()
        .enumerate()
        .try_for_each(|(index, point)| check_rate(index, point.annual_rate))?;
    let rate_at = |time_ns: i64| {
        let count = points.partition_point(|point| point.effective_ns <= time_ns);
        let latest = count.checked_sub(1).ok_or(MetricsError::NotCovered {
            what: "risk-free series",
            first_ns: first.effective_ns,
            needed_ns: time_ns,
        })?;
        Ok(per_period_rate(points[latest].annual_rate, periods))
    };
    nav.period_starts().map(rate_at).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::series::NavMark;

    fn nav() -> NavSeries {
        let marks = (1..=3)
            .map(|day| NavMark {
                time_ns: day * 100,
                nav: 1.0,
            })
            .collect();
        NavSeries::new(0, 1.0, marks).unwrap()
    }

    #[test]
    fn constant_rate_compounds_to_the_year() {
        let rates = RiskFree::Constant { annual_rate: 0.04 }
            .per_period(&nav(), PeriodsPerYear::EQUITIES)
            .unwrap();
        assert_eq!(rates.len(), 3);
        let year = (0..252).fold(1.0, |value, _| value * (1.0 + rates[0]));
        assert!((year - 1.04_f64).abs() < 1e-12);
        assert_eq!(RiskFree::ZERO.label(), "const 0");
    }

    #[test]
    fn dated_rates_are_those_known_when_the_period_begins() {
        let points = [(0, 0.0), (100, 0.01), (150, 0.02), (201, 0.03)];
        let points = points
            .map(|(effective_ns, annual_rate)| RatePoint {
                effective_ns,
                annual_rate,
            })
            .to_vec();
        let series = RiskFree::Dated {
            name: "bills".to_owned(),
            points,
        };
        let rates = series
            .per_period(&nav(), PeriodsPerYear::new(1.0).unwrap())
            .unwrap();
        for (found, wanted) in rates.iter().zip([0.0, 0.01, 0.02]) {
            assert!((found - wanted).abs() < 1e-15);
        }
        assert_eq!(series.label(), "series bills");
    }

    #[test]
    fn a_late_empty_or_impossible_series_is_refused() {
        let dated = |points: Vec<RatePoint>| {
            RiskFree::Dated {
                name: "x".to_owned(),
                points,
            }
            .per_period(&nav(), PeriodsPerYear::EQUITIES)
        };
        assert!(matches!(dated(vec![]), Err(MetricsError::Empty { .. })));
        let late = RatePoint {
            effective_ns: 50,
            annual_rate: 0.0,
        };
        assert!(matches!(
            dated(vec![late]),
            Err(MetricsError::NotCovered {
                first_ns: 50,
                needed_ns: 0,
                ..
            })
        ));
        let impossible = RiskFree::Constant { annual_rate: -1.0 };
        assert!(impossible.per_period(&nav(), PeriodsPerYear::EQUITIES).is_err());
    }
}
