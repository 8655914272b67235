//! Validated inputs: net asset values, returns and periods per year.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{
    MetricsError, require_all_finite, require_finite, require_increasing, require_positive,
    require_same_length,
};
use crate::numeric::sum_of;

pub(crate) const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// How many return periods a year has. It comes from the calendar of the book and is never guessed from the data.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct PeriodsPerYear(f64);

impl PeriodsPerYear {
    /// Sessions of exchange-traded instruments: 252.
    pub const EQUITIES: Self = Self(252.0);
    /// Days of books that hold any instrument traded round the clock: 365.
    pub const CRYPTO: Self = Self(365.0);

    /// Another number of periods.
    ///
    /// # Errors
    /// [`MetricsError::OutOfRange`] unless the number is finite and above zero.
    pub fn new(periods: f64) -> Result<Self, MetricsError> {
        require_positive("periods per year", periods)?;
        Ok(Self(periods))
    }

    /// The number of periods.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// √P, the factor from per-period to annual volatility.
    pub(crate) fn root(self) -> f64 {
        self.0.sqrt()
    }
}

impl fmt::Display for PeriodsPerYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl TryFrom<f64> for PeriodsPerYear {
    type Error = MetricsError;

    fn try_from(periods: f64) -> Result<Self, Self::Error> {
        Self::new(periods)
    }
}

impl From<PeriodsPerYear> for f64 {
    fn from(periods: PeriodsPerYear) -> Self {
        periods.0
    }
}

/// Simple returns per period, all finite, oldest first; may be empty. A flat period is 0, never left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Returns(Vec<f64>);

impl Returns {
    /// Returns from values.
    ///
    /// # Errors
    /// [`MetricsError::NotFinite`] with the index and value of the first NaN or infinity.
    pub fn new(values: Vec<f64>) -> Result<Self, MetricsError> {
        require_all_finite("return", &values)?;
        Ok(Self(values))
    }

    /// The values, oldest first.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// How many periods.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no period.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The returns minus one rate per period.
    ///
    /// # Errors
    /// [`MetricsError::LengthMismatch`] unless there is one rate per return, [`MetricsError::NotFinite`] for a bad rate.
    pub fn minus(&self, rates: &[f64]) -> Result<Self, MetricsError> {
        require_same_length("returns and rates", self.len(), rates.len())?;
        require_all_finite("rate", rates)?;
        Self::new(
            self.0
                .iter()
                .zip(rates)
                .map(|(value, rate)| value - rate)
                .collect(),
        )
    }
}

/// A net asset value at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NavMark {
    /// UTC nanoseconds; the mark closes the period that ends here.
    pub time_ns: i64,
    /// Net asset value in base currency, all costs deducted. Zero or less means ruin.
    pub nav: f64,
}

/// Money that came from or went to the owner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExternalFlow {
    /// UTC nanoseconds.
    pub time_ns: i64,
    /// Base currency, positive for a deposit, negative for a withdrawal.
    pub amount: f64,
}

/// The net asset values of a book: its initial capital at the first funding instant, then one mark per session.
///
/// Times strictly increase, values are finite, there is at least one mark. Marks decide what a "day" is: a UTC day cut
/// for books that trade round the clock, the session close for exchange-traded ones; [`NavSeries::sampled_at`] turns
/// finer marks into such days. Risk figures belong on daily marks.
///
/// Returns end with the mark at which the value first reaches zero or less: nothing can be earned on nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct NavSeries {
    start_ns: i64,
    initial_capital: f64,
    marks: Vec<NavMark>,
    wealth: Vec<f64>,
    returns: Returns,
}

impl NavSeries {
    /// A series without external cash flows after the initial capital.
    ///
    /// # Errors
    /// No mark, a value that is not finite (index and value named), times that do not strictly increase from
    /// `start_ns` on, or an initial capital that is not above zero.
    pub fn new(start_ns: i64, initial_capital: f64, marks: Vec<NavMark>) -> Result<Self, MetricsError> {
        Self::with_external_flows(start_ns, initial_capital, marks, &[])
    }

    /// A series with deposits and withdrawals, which are removed by time-weighted linking.
    ///
    /// A flow belongs to the first mark at or after it and counts as arriving just before that mark, so the return of
    /// the period is (value − flow) / previous value − 1. Mark at every flow to make that exact.
    ///
    /// # Errors
    /// As [`NavSeries::new`]; also a flow that is not finite, not in time order, or outside (start, last mark].
    pub fn with_external_flows(
        start_ns: i64,
        initial_capital: f64,
        marks: Vec<NavMark>,
        flows: &[ExternalFlow],
    ) -> Result<Self, MetricsError> {
        require_positive("initial capital", initial_capital)?;
        validate_marks(start_ns, &marks)?;
        let flow_per_mark = assign_flows(start_ns, &marks, flows)?;
        let returns = Returns::new(linked_returns(initial_capital, &marks, &flow_per_mark))?;
        let wealth = if flows.is_empty() {
            marks.iter().map(|mark| mark.nav).collect()
        } else {
            compounded(initial_capital, &returns, marks.len())
        };
        Ok(Self {
            start_ns,
            initial_capital,
            marks,
            wealth,
            returns,
        })
    }

    /// The first funding instant, UTC nanoseconds.
    pub const fn start_ns(&self) -> i64 {
        self.start_ns
    }

    /// The capital at the start, base currency.
    pub const fn initial_capital(&self) -> f64 {
        self.initial_capital
    }

    /// The marks, oldest first, never empty.
    pub fn marks(&self) -> &[NavMark] {
        &self.marks
    }

    /// What the initial capital would have become without later flows, one value per mark. Equals the marks where there
    /// were no flows.
    pub fn wealth(&self) -> &[f64] {
        &self.wealth
    }

    /// Simple returns per mark, the first against the initial capital; shorter than the marks only after ruin.
    pub const fn returns(&self) -> &Returns {
        &self.returns
    }

    /// The time of the last mark, UTC nanoseconds.
    pub fn end_ns(&self) -> i64 {
        self.marks.last().map_or(self.start_ns, |mark| mark.time_ns)
    }

    /// Days of 24 hours from the first funding instant to the last mark.
    pub fn calendar_days(&self) -> f64 {
        elapsed_days(self.start_ns, self.end_ns())
    }

    /// Whether the net asset value was ever zero or less.
    pub fn is_ruined(&self) -> bool {
        self.marks.iter().any(|mark| mark.nav <= 0.0)
    }

    /// Mean of the marks, base currency, flows included and the initial capital left out.
    pub fn average_nav(&self) -> f64 {
        sum_of(&self.marks, |mark| mark.nav) / self.marks.len() as f64
    }

    /// The series at the given instants, each with the last mark at or before it: an unchanged value is carried on, so a
    /// session without change is a return of 0.
    ///
    /// # Errors
    /// [`MetricsError::NotIncreasing`] when the cuts do not strictly increase from the start on,
    /// [`MetricsError::Empty`] when there is none.
    pub fn sampled_at(&self, cuts_ns: &[i64]) -> Result<Self, MetricsError> {
        let mut next = 0;
        let mut wealth = self.initial_capital;
        let mut marks = Vec::with_capacity(cuts_ns.len());
        for &time_ns in cuts_ns {
            while next < self.marks.len() && self.marks[next].time_ns <= time_ns {
                wealth = self.wealth[next];
                next += 1;
            }
            marks.push(NavMark { time_ns, nav: wealth });
        }
        Self::new(self.start_ns, self.initial_capital, marks)
    }

    /// The part after the last mark (or the start) at or before `time_ns`; `None` when the series starts later, when
    /// nothing follows, or when the value there is zero or less.
    pub(crate) fn since(&self, time_ns: i64) -> Option<Self> {
        if self.start_ns > time_ns {
            return None;
        }
        let first = self.marks.partition_point(|mark| mark.time_ns <= time_ns);
        let (start_ns, capital) = match first.checked_sub(1) {
            Some(last) => (self.marks[last].time_ns, self.wealth[last]),
            None => (self.start_ns, self.initial_capital),
        };
        let marks = self.marks[first..].iter().zip(&self.wealth[first..]);
        let marks = marks
            .map(|(mark, &nav)| NavMark {
                time_ns: mark.time_ns,
                nav,
            })
            .collect();
        Self::new(start_ns, capital, marks).ok()
    }

    /// The time at which each return's period begins.
    pub(crate) fn period_starts(&self) -> impl Iterator<Item = i64> + '_ {
        let earlier = self.marks.iter().map(|mark| mark.time_ns);
        std::iter::once(self.start_ns)
            .chain(earlier)
            .take(self.returns.len())
    }
}

/// Days of 24 hours between two instants.
pub(crate) fn elapsed_days(from_ns: i64, to_ns: i64) -> f64 {
    (i128::from(to_ns) - i128::from(from_ns)) as f64 / NANOS_PER_DAY as f64
}

fn validate_marks(start_ns: i64, marks: &[NavMark]) -> Result<(), MetricsError> {
    let first = marks.first().ok_or(MetricsError::Empty {
        what: "net asset value series",
    })?;
    if first.time_ns <= start_ns {
        let what = "net asset value (the first mark comes after the first funding instant)";
        return Err(MetricsError::NotIncreasing {
            what,
            index: 0,
            time_ns: first.time_ns,
            previous_ns: start_ns,
        });
    }
    require_increasing("net asset value", marks.iter().map(|mark| mark.time_ns))?;
    marks
        .iter()
        .enumerate()
        .try_for_each(|(index, mark)| require_finite("net asset value", index, mark.nav))
}

/// The sum of flows per mark.
fn assign_flows(start_ns: i64, marks: &[NavMark], flows: &[ExternalFlow]) -> Result<Vec<f64>, MetricsError> {
    let mut totals = vec![0.0; marks.len()];
    let mut previous_ns = start_ns;
    for (index, flow) in flows.iter().enumerate() {
        require_finite("external flow", index, flow.amount)?;
        let mark = marks.partition_point(|mark| mark.time_ns < flow.time_ns);
        if flow.time_ns <= start_ns || flow.time_ns < previous_ns || mark == marks.len() {
            let what = "external flow (flows are in time order, after the start and not after the last mark)";
            return Err(MetricsError::NotIncreasing {
                what,
                index,
                time_ns: flow.time_ns,
                previous_ns,
            });
        }
        totals[mark] += flow.amount;
        previous_ns = flow.time_ns;
    }
    Ok(totals)
}

fn linked_returns(initial_capital: f64, marks: &[NavMark], flows: &[f64]) -> Vec<f64> {
    let mut previous = initial_capital;
    let mut returns = Vec::with_capacity(marks.len());
    for (mark, flow) in marks.iter().zip(flows) {
        if previous <= 0.0 {
            break;
        }
        returns.push((mark.nav - flow) / previous - 1.0);
        previous = mark.nav;
    }
    returns
}

/// The initial capital compounded by the returns, the last value carried on to `length`.
fn compounded(initial_capital: f64, returns: &Returns, length: usize) -> Vec<f64> {
    let mut wealth = initial_capital;
    let mut path: Vec<f64> = Vec::with_capacity(length);
    for value in returns.as_slice() {
        wealth *= 1.0 + value;
        path.push(wealth);
    }
    path.resize(length, wealth);
    path
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn marks(navs: &[f64]) -> Vec<NavMark> {
        navs.iter()
            .zip(1..)
            .map(|(&nav, day)| NavMark {
                time_ns: day * NANOS_PER_DAY,
                nav,
            })
            .collect()
    }

    #[test]
    fn the_first_return_is_against_the_initial_capital() {
        let nav = NavSeries::new(0, 100.0, marks(&[110.0, 99.0])).unwrap();
        let returns = nav.returns().as_slice();
        assert!((returns[0] - 0.1).abs() < 1e-15 && (returns[1] + 0.1).abs() < 1e-15);
        assert_eq!(nav.calendar_days(), 2.0);
        assert_eq!(nav.average_nav(), 104.5);
    }

    #[test]
    fn bad_input_is_named() {
        let error = NavSeries::new(0, 100.0, marks(&[1.0, f64::NAN]))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("net asset value at index 1 is NaN"), "{error}");
        let error = NavSeries::new(0, 100.0, vec![]).unwrap_err();
        assert_eq!(
            error,
            MetricsError::Empty {
                what: "net asset value series"
            }
        );
        let mut twice = marks(&[1.0, 2.0, 3.0]);
        twice[2].time_ns = twice[1].time_ns;
        assert!(matches!(
            NavSeries::new(0, 1.0, twice),
            Err(MetricsError::NotIncreasing { index: 2, .. })
        ));
        assert!(NavSeries::new(NANOS_PER_DAY, 1.0, marks(&[1.0])).is_err());
        for capital in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(NavSeries::new(0, capital, marks(&[1.0])).is_err());
        }
        let error = Returns::new(vec![0.0, f64::INFINITY]).unwrap_err().to_string();
        assert!(error.contains("index 1 is inf"), "{error}");
    }

    #[test]
    fn flows_are_linked_away() {
        let flow = ExternalFlow {
            time_ns: 2 * NANOS_PER_DAY,
            amount: 50.0,
        };
        let nav = NavSeries::with_external_flows(0, 100.0, marks(&[110.0, 171.0, 153.9]), &[flow]).unwrap();
        for (found, wanted) in nav.returns().as_slice().iter().zip([0.1, 0.1, -0.1]) {
            assert!((found - wanted).abs() < 1e-15);
        }
        assert!((nav.wealth()[2] - 108.9).abs() < 1e-12);
        assert_eq!(nav.marks()[2].nav, 153.9);
    }

    #[test]
    fn flows_outside_the_marks_are_refused() {
        for time_ns in [0, 4 * NANOS_PER_DAY] {
            let flow = ExternalFlow { time_ns, amount: 1.0 };
            assert!(NavSeries::with_external_flows(0, 100.0, marks(&[1.0, 2.0, 3.0]), &[flow]).is_err());
        }
    }

    #[test]
    fn returns_stop_at_ruin() {
        let nav = NavSeries::new(0, 100.0, marks(&[50.0, -10.0, 20.0, 30.0])).unwrap();
        assert_eq!(nav.returns().len(), 2);
        assert!(nav.is_ruined());
    }

    #[test]
    fn sampling_carries_the_last_value_on() {
        let nav = NavSeries::new(0, 100.0, marks(&[110.0, 120.0])).unwrap();
        let half = NANOS_PER_DAY / 2;
        let cuts = [half, NANOS_PER_DAY, NANOS_PER_DAY + half, 3 * NANOS_PER_DAY];
        let navs: Vec<f64> = nav
            .sampled_at(&cuts)
            .unwrap()
            .marks()
            .iter()
            .map(|mark| mark.nav)
            .collect();
        assert_eq!(navs, [100.0, 110.0, 110.0, 120.0]);
    }

    #[test]
    fn periods_per_year_are_positive() {
        assert!(PeriodsPerYear::new(0.0).is_err() && PeriodsPerYear::new(f64::NAN).is_err());
        assert_eq!(PeriodsPerYear::EQUITIES.to_string(), "252");
        assert_eq!(PeriodsPerYear::new(52.5).unwrap().to_string(), "52.5");
    }
}
