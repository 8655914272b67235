//! Total return and compound annual growth.

use crate::series::NavSeries;
use crate::value::{MetricValue, Reason};

const DAYS_PER_YEAR: f64 = 365.25;
/// Shorter spans have a total return but no annual rate.
const MIN_DAYS_FOR_ANNUAL_RATE: f64 = 90.0;

/// End value over initial capital, minus one, external flows linked away. Caveat `ruined` after ruin.
pub fn total_return(nav: &NavSeries) -> MetricValue {
    flag_ruin(MetricValue::defined(wealth_ratio(nav) - 1.0), nav)
}

/// Compound annual growth rate from the first funding instant to the last mark: ratio^(365.25/days) − 1.
///
/// −1 with the caveat `ruined` when the last value is zero or less, otherwise undefined `too_short` below 90 days. Days
/// are elapsed time in units of 24 hours.
pub fn cagr(nav: &NavSeries) -> MetricValue {
    let ratio = wealth_ratio(nav);
    if ratio <= 0.0 {
        return MetricValue::defined(-1.0).with_caveat(Reason::Ruined);
    }
    if nav.calendar_days() < MIN_DAYS_FOR_ANNUAL_RATE {
        return MetricValue::undefined(Reason::TooShort);
    }
    flag_ruin(annualised_growth(ratio, nav.calendar_days()), nav)
}

/// The annual rate that turns 1 into `wealth_ratio` over `calendar_days`, however few those are: the bare formula of
/// [`cagr`]. Undefined `too_short` when the days are not above zero, `ruined` when the ratio is not, `overflow`.
pub fn annualised_growth(wealth_ratio: f64, calendar_days: f64) -> MetricValue {
    growth_rate(wealth_ratio, calendar_days).into()
}

pub(crate) fn growth_rate(wealth_ratio: f64, calendar_days: f64) -> Result<f64, Reason> {
    if calendar_days.is_nan() || calendar_days <= 0.0 {
        Err(Reason::TooShort)
    } else if wealth_ratio.is_nan() || wealth_ratio <= 0.0 {
        Err(Reason::Ruined)
    } else {
        Ok(libm::pow(wealth_ratio, DAYS_PER_YEAR / calendar_days) - 1.0)
    }
}

/// Whether the span is long enough for an annual rate.
pub(crate) fn has_annual_rate(calendar_days: f64) -> bool {
    calendar_days >= MIN_DAYS_FOR_ANNUAL_RATE
}

/// Adds the caveat `ruined` to a figure of a series that was ruined.
pub(crate) fn flag_ruin(value: MetricValue, nav: &NavSeries) -> MetricValue {
    if nav.is_ruined() {
        value.with_caveat(Reason::Ruined)
    } else {
        value
    }
}

fn wealth_ratio(nav: &NavSeries) -> f64 {
    nav.wealth()
        .last()
        .map_or(1.0, |last| last / nav.initial_capital())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::series::{NANOS_PER_DAY, NavMark};

    fn nav(points: &[(i64, f64)]) -> NavSeries {
        let marks = points
            .iter()
            .map(|&(day, nav)| NavMark {
                time_ns: day * NANOS_PER_DAY,
                nav,
            })
            .collect();
        NavSeries::new(0, 100.0, marks).unwrap()
    }

    #[test]
    fn growth_table() {
        let four_years = nav(&[(1461, 146.41)]);
        assert!((cagr(&four_years).value().unwrap() - 0.1).abs() < 1e-14);
        assert!((total_return(&four_years).value().unwrap() - 0.4641).abs() < 1e-14);
        assert_eq!(
            cagr(&nav(&[(89, 110.0)])),
            MetricValue::undefined(Reason::TooShort)
        );
        assert!(cagr(&nav(&[(90, 110.0)])).value().is_some());
        assert_eq!(cagr(&nav(&[(90, 100.0)])).value(), Some(0.0));
    }

    #[test]
    fn ruin_is_minus_one_hundred_percent_and_flagged() {
        for points in [&[(10, 50.0), (20, 0.0)][..], &[(10, 50.0), (400, -30.0)]] {
            let value = cagr(&nav(points));
            assert_eq!(
                (value.value(), value.reason(), value.rank_value()),
                (Some(-1.0), Some(Reason::Ruined), None)
            );
        }
        let back = nav(&[(10, -1.0), (400, 200.0)]);
        assert_eq!(cagr(&back).reason(), Some(Reason::Ruined));
        assert_eq!(total_return(&back).rank_value(), None);
    }

    #[test]
    fn bare_formula_is_guarded() {
        assert_eq!(
            annualised_growth(1.1, 0.0),
            MetricValue::undefined(Reason::TooShort)
        );
        assert_eq!(
            annualised_growth(0.0, 10.0),
            MetricValue::undefined(Reason::Ruined)
        );
        assert_eq!(
            annualised_growth(1e300, 1.0),
            MetricValue::undefined(Reason::Overflow)
        );
        assert_eq!(
            annualised_growth(f64::NAN, 1.0),
            MetricValue::undefined(Reason::Ruined)
        );
    }
}
