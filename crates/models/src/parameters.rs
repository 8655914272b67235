//! Checks that model parameters have in common.

use std::fmt::Display;
use std::ops::RangeInclusive;

use sextant_domain::Instrument;
use thiserror::Error;

use crate::schedule::Rebalance;

/// The shortest and the longest period, in bars, that a model may ask for.
pub(crate) const PERIOD_BARS: RangeInclusive<u32> = 2..=5_000;
/// The shortest and the longest distance, in bars, between two prices that a model compares.
pub(crate) const LOOKBACK_BARS: RangeInclusive<u32> = 1..=5_000;

/// A parameter that a model cannot work with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{model}: {field} is {value}, but must be {allowed}")]
pub struct ParameterError {
    /// The model.
    pub model: &'static str,
    /// The parameter.
    pub field: &'static str,
    /// The value found.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

/// Every parameter that is wrong, so that all can be put right at once. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ParameterErrors {
    /// The errors, in the order of the fields.
    pub errors: Vec<ParameterError>,
}

/// Collects what is wrong with the parameters of one model.
pub(crate) struct Checks {
    model: &'static str,
    errors: Vec<ParameterError>,
}

impl Checks {
    pub(crate) fn of(model: &'static str) -> Self {
        Self {
            model,
            errors: Vec::new(),
        }
    }

    /// A number must lie within a range, ends included. A NaN lies within none.
    pub(crate) fn range<T: PartialOrd + Display>(
        &mut self,
        field: &'static str,
        value: T,
        allowed: RangeInclusive<T>,
    ) {
        if !allowed.contains(&value) {
            self.refuse(
                field,
                value,
                format!("from {} to {}", allowed.start(), allowed.end()),
            );
        }
    }

    /// A month begins on a day that every month has.
    pub(crate) fn rebalance(&mut self, rebalance: Rebalance) {
        if let Rebalance::Monthly { from_day } = rebalance {
            self.range("rebalance.monthly.from_day", from_day, 1..=28);
        }
    }

    /// A universe must name at least one symbol, each once, and each a symbol.
    pub(crate) fn universe(&mut self, universe: &[String]) {
        if universe.is_empty() {
            self.refuse("universe", "empty", "a list of at least one symbol");
        }
        for (index, symbol) in universe.iter().enumerate() {
            if let Err(error) = Instrument::validate_symbol(symbol) {
                self.refuse(
                    "universe",
                    format!("`{symbol}`"),
                    format!("a list of symbols: {error}"),
                );
            }
            if universe[..index].contains(symbol) {
                self.refuse(
                    "universe",
                    format!("a list with {symbol} twice"),
                    "a list that names each symbol once",
                );
            }
        }
    }

    /// Records a refusal.
    pub(crate) fn refuse(&mut self, field: &'static str, value: impl Display, allowed: impl Into<String>) {
        let error = ParameterError {
            model: self.model,
            field,
            value: value.to_string(),
            allowed: allowed.into(),
        };
        self.errors.push(error);
    }

    pub(crate) fn finish(self) -> Result<(), ParameterErrors> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ParameterErrors { errors: self.errors })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_reported() {
        let mut checks = Checks::of("M_v1");
        checks.universe(&["SPY".into(), "../x".into(), "SPY".into()]);
        checks.range("period", 1, PERIOD_BARS);
        checks.range("width", f64::NAN, 0.1..=10.0);
        checks.range("fine", 2, PERIOD_BARS);
        let errors = checks.finish().unwrap_err();
        assert_eq!(errors.errors.len(), 4, "{errors}");
        let text = errors.to_string();
        assert!(
            text.contains("M_v1: period is 1, but must be from 2 to 5000"),
            "{text}"
        );
        assert!(
            text.contains("M_v1: width is NaN, but must be from 0.1 to 10"),
            "{text}"
        );
        assert!(text.contains("`../x`"), "{text}");
        assert!(text.contains("SPY twice"), "{text}");
    }

    #[test]
    fn a_month_begins_on_a_day_that_every_month_has() {
        for (from_day, is_fine) in [(0, false), (1, true), (28, true), (29, false)] {
            let mut checks = Checks::of("M_v1");
            checks.rebalance(Rebalance::Monthly { from_day });
            let text = checks.finish().err().map(|errors| errors.to_string());
            let refused = format!("M_v1: rebalance.monthly.from_day is {from_day}, but must be from 1 to 28");
            assert_eq!(text, (!is_fine).then_some(refused));
        }
    }

    #[test]
    fn a_universe_needs_a_symbol() {
        let mut checks = Checks::of("M_v1");
        checks.universe(&[]);
        assert!(
            checks
                .finish()
                .unwrap_err()
                .to_string()
                .contains("at least one symbol")
        );
    }
}
