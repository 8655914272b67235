//! A figure that is defined, defined with a caveat, or undefined for a stated reason.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a figure is undefined, or what has to be known before a defined one is used.
///
/// The serialised form is the stable code of [`Reason::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The values do not vary (standard deviation below 1e-12 of their scale).
    NoVariance,
    /// There is no closed trade, or nothing was traded.
    NoTrades,
    /// Every closed trade broke even.
    NoDecidedTrades,
    /// No return lies below the minimum acceptable return.
    NoDownside,
    /// No trade lost.
    NoLosses,
    /// No trade won.
    NoWins,
    /// The net asset value reached zero or less.
    Ruined,
    /// Too few observations or too short a span for this figure.
    TooShort,
    /// The net asset value never fell below an earlier peak.
    NoDrawdown,
    /// Nothing was rebalanced.
    NoRebalances,
    /// Every daily return is exactly zero.
    NoActiveDays,
    /// The input this figure is computed from was not given.
    NotProvided,
    /// The total lacks a component that was not recorded.
    MissingComponent,
    /// The variance estimate in the denominator is not positive.
    DenominatorNotPositive,
    /// The Sharpe ratio does not exceed the one it is compared with.
    NotAboveBenchmark,
    /// Only one independent trial: nothing to deflate by.
    SingleTrial,
    /// Fewer trials than the method needs.
    TooFewTrials,
    /// The result is too large for a 64-bit float.
    Overflow,
}

impl Reason {
    /// The stable code, as stored and serialised.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoVariance => "no_variance",
            Self::NoTrades => "no_trades",
            Self::NoDecidedTrades => "no_decided_trades",
            Self::NoDownside => "no_downside",
            Self::NoLosses => "no_losses",
            Self::NoWins => "no_wins",
            Self::Ruined => "ruined",
            Self::TooShort => "too_short",
            Self::NoDrawdown => "no_drawdown",
            Self::NoRebalances => "no_rebalances",
            Self::NoActiveDays => "no_active_days",
            Self::NotProvided => "not_provided",
            Self::MissingComponent => "missing_component",
            Self::DenominatorNotPositive => "denominator_not_positive",
            Self::NotAboveBenchmark => "not_above_benchmark",
            Self::SingleTrial => "single_trial",
            Self::TooFewTrials => "too_few_trials",
            Self::Overflow => "overflow",
        }
    }

    /// Whether a defined value with this caveat is kept out of rankings.
    const fn bars_from_ranking(self) -> bool {
        matches!(self, Self::TooShort | Self::Ruined)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A 95 % interval with finite ends, `lower <= upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval95 {
    lower: f64,
    upper: f64,
}

impl Interval95 {
    /// An interval; `None` when an end is not finite or the ends are in the wrong order.
    pub fn new(lower: f64, upper: f64) -> Option<Self> {
        (lower.is_finite() && upper.is_finite() && lower <= upper).then_some(Self { lower, upper })
    }

    /// The interval `value ± margin`; `None` when that is not finite.
    pub fn around(value: f64, margin: f64) -> Option<Self> {
        Self::new(value - margin, value + margin)
    }

    /// The lower end.
    pub const fn lower(self) -> f64 {
        self.lower
    }

    /// The upper end.
    pub const fn upper(self) -> f64 {
        self.upper
    }
}

/// A figure: a finite value with an optional 95 % interval and an optional caveat, or the reason why there is none.
///
/// Serialised as `{"value", "lower95", "upper95", "reason"}`. A defined value with a reason carries a caveat, for
/// instance −1 with `ruined`, or a Sharpe ratio of ten days with `too_short`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawValue", into = "RawValue")]
pub struct MetricValue(State);

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Defined {
        value: f64,
        interval: Option<Interval95>,
        caveat: Option<Reason>,
    },
    Undefined(Reason),
}

impl MetricValue {
    /// A defined value; one that is not finite becomes undefined with [`Reason::Overflow`], −0 becomes 0.
    pub fn defined(value: f64) -> Self {
        if value.is_finite() {
            Self(State::Defined {
                value: value + 0.0,
                interval: None,
                caveat: None,
            })
        } else {
            Self(State::Undefined(Reason::Overflow))
        }
    }

    /// An undefined figure.
    pub const fn undefined(reason: Reason) -> Self {
        Self(State::Undefined(reason))
    }

    /// The same figure with an interval; an undefined figure stays as it is.
    pub fn with_interval(self, interval: Option<Interval95>) -> Self {
        match self.0 {
            State::Defined { value, caveat, .. } => Self(State::Defined {
                value,
                interval,
                caveat,
            }),
            State::Undefined(_) => self,
        }
    }

    /// The same figure with the interval `value ± margin`; a margin that is not finite leaves it without one.
    pub fn with_margin(self, margin: f64) -> Self {
        let interval = self.value().and_then(|value| Interval95::around(value, margin));
        self.with_interval(interval)
    }

    /// The same figure with a caveat; the first caveat stays, an undefined figure stays as it is.
    pub fn with_caveat(self, reason: Reason) -> Self {
        match self.0 {
            State::Defined {
                value,
                interval,
                caveat,
            } => Self(State::Defined {
                value,
                interval,
                caveat: caveat.or(Some(reason)),
            }),
            State::Undefined(_) => self,
        }
    }

    /// The value, if defined. Always finite.
    pub const fn value(self) -> Option<f64> {
        match self.0 {
            State::Defined { value, .. } => Some(value),
            State::Undefined(_) => None,
        }
    }

    /// The 95 % interval, if there is one.
    pub const fn interval(self) -> Option<Interval95> {
        match self.0 {
            State::Defined { interval, .. } => interval,
            State::Undefined(_) => None,
        }
    }

    /// Why the figure is undefined, or the caveat of a defined one.
    pub const fn reason(self) -> Option<Reason> {
        match self.0 {
            State::Defined { caveat, .. } => caveat,
            State::Undefined(reason) => Some(reason),
        }
    }

    /// The value as far as it may be ranked: `None` when undefined, or when the caveat is `too_short` or `ruined`.
    pub fn rank_value(self) -> Option<f64> {
        match self.0 {
            State::Defined {
                caveat: Some(reason), ..
            } if reason.bars_from_ranking() => None,
            State::Defined { value, .. } => Some(value),
            State::Undefined(_) => None,
        }
    }

    /// The value, or the reason why there is none; a caveat is not a reason here.
    pub(crate) const fn known(self) -> Result<f64, Reason> {
        match self.0 {
            State::Defined { value, .. } => Ok(value),
            State::Undefined(reason) => Err(reason),
        }
    }

    /// The same figure with the caveat of `other`, where `other` is defined with one.
    pub(crate) fn inheriting_caveat(self, other: Self) -> Self {
        match other.0 {
            State::Defined {
                caveat: Some(reason), ..
            } => self.with_caveat(reason),
            _ => self,
        }
    }
}

impl From<Result<f64, Reason>> for MetricValue {
    fn from(result: Result<f64, Reason>) -> Self {
        result.map_or_else(Self::undefined, Self::defined)
    }
}

/// Which end of a scale is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Larger values come first.
    HigherFirst,
    /// Smaller values come first.
    LowerFirst,
}

/// Total order for rankings, best first: undefined, too short and ruined figures come last in both directions.
pub fn rank_cmp(left: &MetricValue, right: &MetricValue, direction: Direction) -> Ordering {
    match (left.rank_value(), right.rank_value()) {
        (Some(a), Some(b)) if direction == Direction::HigherFirst => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// The positions of `values` in ranking order, best first; equal values keep their order.
pub fn ranked_indices(values: &[MetricValue], direction: Direction) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..values.len()).collect();
    indices.sort_by(|&a, &b| rank_cmp(&values[a], &values[b], direction));
    indices
}

#[derive(Serialize, Deserialize)]
struct RawValue {
    value: Option<f64>,
    lower95: Option<f64>,
    upper95: Option<f64>,
    reason: Option<Reason>,
}

impl From<MetricValue> for RawValue {
    fn from(metric: MetricValue) -> Self {
        let interval = metric.interval();
        Self {
            value: metric.value(),
            lower95: interval.map(Interval95::lower),
            upper95: interval.map(Interval95::upper),
            reason: metric.reason(),
        }
    }
}

impl TryFrom<RawValue> for MetricValue {
    type Error = &'static str;

    fn try_from(raw: RawValue) -> Result<Self, Self::Error> {
        let interval = match (raw.lower95, raw.upper95) {
            (None, None) => None,
            (Some(lower), Some(upper)) => Some(
                Interval95::new(lower, upper).ok_or("`lower95` and `upper95` must be finite and in order")?,
            ),
            _ => return Err("`lower95` and `upper95` must be given together"),
        };
        match (raw.value, raw.reason) {
            (Some(value), _) if !value.is_finite() => Err("`value` must be finite"),
            (Some(value), caveat) => Ok(Self(State::Defined {
                value,
                interval,
                caveat,
            })),
            (None, Some(reason)) if interval.is_none() => Ok(Self(State::Undefined(reason))),
            (None, Some(_)) => Err("an undefined figure has no interval"),
            (None, None) => Err("a figure without `value` needs a `reason`"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn not_finite_is_undefined_and_minus_zero_is_zero() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(
                MetricValue::defined(bad),
                MetricValue::undefined(Reason::Overflow)
            );
        }
        assert!(MetricValue::defined(-0.0).value().unwrap().is_sign_positive());
        assert_eq!(MetricValue::defined(1.0).with_margin(f64::NAN).interval(), None);
    }

    #[test]
    fn ranking_puts_undefined_short_and_ruined_last_in_both_directions() {
        let values = [
            MetricValue::undefined(Reason::NoTrades),
            MetricValue::defined(1.0),
            MetricValue::defined(9.0).with_caveat(Reason::TooShort),
            MetricValue::defined(3.0).with_caveat(Reason::MissingComponent),
            MetricValue::defined(-2.0),
            MetricValue::defined(-1.0).with_caveat(Reason::Ruined),
        ];
        assert_eq!(
            ranked_indices(&values, Direction::HigherFirst),
            [3, 1, 4, 0, 2, 5]
        );
        assert_eq!(ranked_indices(&values, Direction::LowerFirst), [4, 1, 3, 0, 2, 5]);
    }

    #[test]
    fn json_form_and_way_back() {
        let value = MetricValue::defined(1.5).with_margin(0.5);
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(text, r#"{"value":1.5,"lower95":1.0,"upper95":2.0,"reason":null}"#);
        assert_eq!(serde_json::from_str::<MetricValue>(&text).unwrap(), value);
        let null = MetricValue::undefined(Reason::NoVariance);
        let text = serde_json::to_string(&null).unwrap();
        assert_eq!(
            text,
            r#"{"value":null,"lower95":null,"upper95":null,"reason":"no_variance"}"#
        );
        assert_eq!(serde_json::from_str::<MetricValue>(&text).unwrap(), null);
    }

    #[test]
    fn contradictory_json_is_refused() {
        for text in [
            r#"{"value":null,"lower95":null,"upper95":null,"reason":null}"#,
            r#"{"value":1.0,"lower95":0.0,"upper95":null,"reason":null}"#,
            r#"{"value":1.0,"lower95":2.0,"upper95":1.0,"reason":null}"#,
            r#"{"value":null,"lower95":1.0,"upper95":2.0,"reason":"no_trades"}"#,
            r#"{"value":null,"lower95":null,"upper95":null,"reason":"whatever"}"#,
        ] {
            assert!(serde_json::from_str::<MetricValue>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_serialised_reason_is_its_code() {
        for reason in [
            Reason::NoVariance,
            Reason::NoTrades,
            Reason::NoDecidedTrades,
            Reason::NoDownside,
            Reason::NoLosses,
            Reason::NoWins,
            Reason::Ruined,
            Reason::TooShort,
            Reason::NoDrawdown,
            Reason::NoRebalances,
            Reason::NoActiveDays,
            Reason::NotProvided,
            Reason::MissingComponent,
            Reason::DenominatorNotPositive,
            Reason::NotAboveBenchmark,
            Reason::SingleTrial,
            Reason::TooFewTrials,
            Reason::Overflow,
        ] {
            assert_eq!(
                serde_json::to_string(&reason).unwrap(),
                format!("\"{}\"", reason.code())
            );
        }
    }
}
