//! Turnover and exposure.

use serde::{Deserialize, Serialize};

use crate::error::{MetricsError, require_all_finite, require_finite, require_same_length};
use crate::numeric::{pairwise_sum, sum_of};
use crate::series::PeriodsPerYear;
use crate::value::{MetricValue, Reason};

/// A gross exposure of at most this is none.
const FLAT_EXPOSURE: f64 = 1e-12;

/// What one rebalance traded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RebalanceRecord {
    /// UTC nanoseconds.
    pub time_ns: i64,
    /// ½·Σ|Δw|, the changes of weight by trading; price drift and deposits are not trading.
    pub one_sided_turnover: f64,
    /// Σ|quantity · price| of the fills, base currency.
    pub traded_notional: f64,
}

impl RebalanceRecord {
    /// A record from the weights just before (after price drift) and just after trading, fractions of net asset value.
    ///
    /// # Errors
    /// Weights of different number, numbers that are not finite, a negative notional.
    pub fn from_weights(
        time_ns: i64,
        before: &[f64],
        after: &[f64],
        traded_notional: f64,
    ) -> Result<Self, MetricsError> {
        require_same_length("weights before and after a rebalance", before.len(), after.len())?;
        require_all_finite("weight before a rebalance", before)?;
        require_all_finite("weight after a rebalance", after)?;
        let changes: Vec<f64> = before
            .iter()
            .zip(after)
            .map(|(old, new)| (new - old).abs())
            .collect();
        let record = Self {
            time_ns,
            one_sided_turnover: pairwise_sum(&changes) / 2.0,
            traded_notional,
        };
        record.validate(0)?;
        Ok(record)
    }

    /// `Ok` when both amounts are finite and not negative.
    pub(crate) fn validate(&self, index: usize) -> Result<(), MetricsError> {
        for (what, value) in [
            ("turnover", self.one_sided_turnover),
            ("traded notional", self.traded_notional),
        ] {
            require_finite(what, index, value)?;
            if value < 0.0 {
                return Err(MetricsError::OutOfRange {
                    what,
                    value,
                    allowed: "0 or more",
                });
            }
        }
        Ok(())
    }
}

/// Position values of one session over its net asset value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExposureMark {
    /// UTC nanoseconds.
    pub time_ns: i64,
    /// Σ|position value| / net asset value.
    pub gross: f64,
    /// Σ position value / net asset value.
    pub net: f64,
}

/// One-sided turnover per year: Σ ½Σ|Δw| · P / number of return periods. Undefined `no_rebalances`, and `too_short`
/// without a period.
pub fn turnover(rebalances: &[RebalanceRecord], period_count: usize, periods: PeriodsPerYear) -> MetricValue {
    let total = sum_of(rebalances, |record| record.one_sided_turnover);
    per_year(rebalances, total, period_count, periods)
}

/// Traded notional over average net asset value, per year. Undefined as [`turnover`], and `ruined` when the average is
/// not above zero.
pub fn traded_notional_ratio(
    rebalances: &[RebalanceRecord],
    average_nav: f64,
    period_count: usize,
    periods: PeriodsPerYear,
) -> MetricValue {
    match per_nav(average_nav) {
        Ok(factor) => per_year(
            rebalances,
            total_notional(rebalances) * factor,
            period_count,
            periods,
        ),
        Err(reason) => MetricValue::undefined(reason),
    }
}

/// One over the average net asset value: `ruined` when that is not above zero, `overflow` when it is not finite.
pub(crate) fn per_nav(average_nav: f64) -> Result<f64, Reason> {
    if !average_nav.is_finite() {
        Err(Reason::Overflow)
    } else if average_nav <= 0.0 {
        Err(Reason::Ruined)
    } else {
        Ok(1.0 / average_nav)
    }
}

/// Σ traded notional, base currency.
pub(crate) fn total_notional(rebalances: &[RebalanceRecord]) -> f64 {
    sum_of(rebalances, |record| record.traded_notional)
}

/// Mean over sessions of gross exposure, a fraction of net asset value. Undefined `too_short` without a session.
pub fn gross_exposure(marks: &[ExposureMark]) -> MetricValue {
    session_mean(marks, |mark| mark.gross)
}

/// Mean over sessions of net exposure, a fraction of net asset value. Undefined `too_short` without a session.
pub fn net_exposure(marks: &[ExposureMark]) -> MetricValue {
    session_mean(marks, |mark| mark.net)
}

/// Share of sessions with any position. Undefined `too_short` without a session.
pub fn time_in_market(marks: &[ExposureMark]) -> MetricValue {
    session_mean(marks, |mark| if mark.gross > FLAT_EXPOSURE { 1.0 } else { 0.0 })
}

/// `Ok` when all exposures are finite and gross is not below |net|, rounding aside.
pub(crate) fn validate_exposures(marks: &[ExposureMark]) -> Result<(), MetricsError> {
    for (index, mark) in marks.iter().enumerate() {
        require_finite("gross exposure", index, mark.gross)?;
        require_finite("net exposure", index, mark.net)?;
        if mark.gross < mark.net.abs() * (1.0 - 1e-9) - FLAT_EXPOSURE {
            let allowed = "at least the absolute net exposure of the same session";
            return Err(MetricsError::OutOfRange {
                what: "gross exposure",
                value: mark.gross,
                allowed,
            });
        }
    }
    Ok(())
}

fn per_year(
    rebalances: &[RebalanceRecord],
    total: f64,
    period_count: usize,
    periods: PeriodsPerYear,
) -> MetricValue {
    if rebalances.is_empty() {
        MetricValue::undefined(Reason::NoRebalances)
    } else if period_count == 0 {
        MetricValue::undefined(Reason::TooShort)
    } else {
        MetricValue::defined(total * periods.get() / period_count as f64)
    }
}

fn session_mean(marks: &[ExposureMark], term: impl Fn(&ExposureMark) -> f64 + Copy) -> MetricValue {
    if marks.is_empty() {
        return MetricValue::undefined(Reason::TooShort);
    }
    MetricValue::defined(sum_of(marks, term) / marks.len() as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_monthly_full_switch_turns_over_twelve_times_a_year() {
        let switch = RebalanceRecord::from_weights(0, &[1.0, 0.0], &[0.0, 1.0], 2000.0).unwrap();
        assert_eq!(switch.one_sided_turnover, 1.0);
        let year = [switch; 12];
        assert_eq!(turnover(&year, 252, PeriodsPerYear::EQUITIES).value(), Some(12.0));
        assert_eq!(turnover(&year, 504, PeriodsPerYear::EQUITIES).value(), Some(6.0));
        assert_eq!(
            traded_notional_ratio(&year, 1000.0, 252, PeriodsPerYear::EQUITIES).value(),
            Some(24.0)
        );
    }

    #[test]
    fn undefined_and_bad() {
        assert_eq!(
            turnover(&[], 252, PeriodsPerYear::EQUITIES).reason(),
            Some(Reason::NoRebalances)
        );
        let record = RebalanceRecord {
            time_ns: 0,
            one_sided_turnover: 0.1,
            traded_notional: 1.0,
        };
        assert_eq!(
            turnover(&[record], 0, PeriodsPerYear::EQUITIES).reason(),
            Some(Reason::TooShort)
        );
        let ratio = traded_notional_ratio(&[record], 0.0, 10, PeriodsPerYear::EQUITIES);
        assert_eq!(ratio.reason(), Some(Reason::Ruined));
        let ratio = traded_notional_ratio(&[record], f64::INFINITY, 10, PeriodsPerYear::EQUITIES);
        assert_eq!(ratio.reason(), Some(Reason::Overflow));
        assert!(RebalanceRecord::from_weights(0, &[1.0], &[], 0.0).is_err());
        assert!(RebalanceRecord::from_weights(0, &[1.0], &[f64::NAN], 0.0).is_err());
        assert!(RebalanceRecord::from_weights(0, &[1.0], &[1.0], -1.0).is_err());
    }

    #[test]
    fn exposure_averages_over_sessions() {
        let mark = |gross, net| ExposureMark {
            time_ns: 0,
            gross,
            net,
        };
        let marks = [mark(0.0, 0.0), mark(1.0, -1.0), mark(1.5, 0.5), mark(0.5, 0.5)];
        assert_eq!(gross_exposure(&marks).value(), Some(0.75));
        assert_eq!(net_exposure(&marks).value(), Some(0.0));
        assert_eq!(time_in_market(&marks).value(), Some(0.75));
        assert_eq!(gross_exposure(&[]).reason(), Some(Reason::TooShort));
        assert!(validate_exposures(&marks).is_ok());
        assert!(validate_exposures(&[mark(0.4, -0.5)]).is_err());
    }
}
