//! When a profit is enough: levels for limit orders that close a position, for `OrderRequest::limit`.
//!
//! ```
//! use sextant_risk::stops::Position;
//! use sextant_risk::targets::{ProfitStep, ProfitTable};
//!
//! // Four percent at once, one after half an hour, none after forty minutes.
//! let step = |after_minutes, fraction| ProfitStep { after_minutes, fraction };
//! let table = ProfitTable::new(vec![step(0, 0.04), step(30, 0.01), step(40, 0.0)], 0.0)?;
//! assert_eq!(table.level(Position::Long, 100.0, 5), Some(104.0));
//! assert_eq!(table.level(Position::Long, 100.0, 35), Some(101.0));
//! assert_eq!(table.level(Position::Short, 100.0, 600), Some(100.0));
//! # Ok::<(), sextant_risk::targets::ProfitTableError>(())
//! ```

use thiserror::Error;

use crate::stops::Position;

/// From a time after the entry on, a profit that is enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProfitStep {
    /// Minutes since the entry.
    pub after_minutes: u32,
    /// The profit net of fees, as a fraction of what the position cost with its fee. Negative ones accept a loss.
    pub fraction: f64,
}

/// A profit table that cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ProfitTableError {
    /// No step.
    #[error("a profit table needs at least one step")]
    Empty,
    /// Times that do not grow.
    #[error(
        "step {index} of the profit table begins after {found} minutes, the one before after {before}; list them in order, each time once"
    )]
    Order {
        /// Its place, from 0.
        index: usize,
        /// Its time.
        found: u32,
        /// The time before.
        before: u32,
    },
    /// A fraction that is no number above -1.
    #[error("step {index} of the profit table has the fraction {found}; allowed: a number above -1")]
    Fraction {
        /// Its place, from 0.
        index: usize,
        /// What was found.
        found: f64,
    },
    /// A fee that is no fraction.
    #[error("the fee of a side is {found}; allowed: a fraction from 0 to below 1")]
    Fee {
        /// What was found.
        found: f64,
    },
}

/// A take-profit that asks for less the longer a position is held, and pays the fees of both sides first.
///
/// For a long position the level is `entry x (1 + fraction) x (1 + fee) / (1 - fee)`, for a short one
/// `entry x (1 - fraction) x (1 - fee) / (1 + fee)`: what is left after both fees is the fraction of the entry's value after
/// (short) or with (long) its fee. Before the first step there is no level.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfitTable {
    steps: Vec<ProfitStep>,
    fee_per_side: f64,
}

impl ProfitTable {
    /// A table of steps in order of time. `fee_per_side` is a fraction of the traded value; 0.0025 is a quarter percent.
    ///
    /// # Errors
    /// No step, times that do not grow, a fraction that is not above -1, a fee outside 0 to 1.
    pub fn new(steps: Vec<ProfitStep>, fee_per_side: f64) -> Result<Self, ProfitTableError> {
        if steps.is_empty() {
            return Err(ProfitTableError::Empty);
        }
        for (index, step) in steps.iter().enumerate() {
            let is_usable = step.fraction.is_finite() && step.fraction > -1.0;
            if !is_usable {
                let found = step.fraction;
                return Err(ProfitTableError::Fraction { index, found });
            }
            let before = index.checked_sub(1).map(|before| steps[before].after_minutes);
            if let Some(before) = before.filter(|before| *before >= step.after_minutes) {
                let found = step.after_minutes;
                return Err(ProfitTableError::Order { index, found, before });
            }
        }
        if !(0.0..1.0).contains(&fee_per_side) {
            return Err(ProfitTableError::Fee { found: fee_per_side });
        }
        Ok(Self { steps, fee_per_side })
    }

    /// The price at which a position entered at `entry` has earned enough after `held_minutes`.
    ///
    /// `None` before the first step, when the entry is not a positive number, or a short position would have to fall to zero.
    pub fn level(&self, position: Position, entry: f64, held_minutes: u32) -> Option<f64> {
        let reached = self
            .steps
            .iter()
            .rev()
            .find(|step| step.after_minutes <= held_minutes);
        let fraction = reached?.fraction;
        let fees = (1.0 + self.fee_per_side) / (1.0 - self.fee_per_side);
        let level = match position {
            Position::Long => entry * (1.0 + fraction) * fees,
            Position::Short => entry * (1.0 - fraction) / fees,
        };
        (entry > 0.0 && level > 0.0 && level.is_finite()).then_some(level)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn table(steps: &[(u32, f64)], fee: f64) -> Result<ProfitTable, ProfitTableError> {
        let steps = steps.iter().map(|&(after_minutes, fraction)| ProfitStep {
            after_minutes,
            fraction,
        });
        ProfitTable::new(steps.collect(), fee)
    }

    #[test]
    fn a_step_holds_from_its_minute_until_the_next_one() {
        let table = table(&[(10, 0.5), (20, 0.25), (40, -0.5)], 0.0).unwrap();
        let levels = [9, 10, 19, 20, 39, 40, 9_999].map(|held| table.level(Position::Long, 64.0, held));
        let expected = [
            None,
            Some(96.0),
            Some(96.0),
            Some(80.0),
            Some(80.0),
            Some(32.0),
            Some(32.0),
        ];
        assert_eq!(levels, expected);
        assert_eq!(table.level(Position::Short, 64.0, 20), Some(48.0));
        assert_eq!(table.level(Position::Short, 64.0, 40), Some(96.0));
    }

    /// What is left of a trade after both fees is the fraction asked for.
    #[test]
    fn the_fees_of_both_sides_are_earned_first() {
        let (entry, fee, fraction) = (80.0, 0.0025, 0.01);
        let table = table(&[(0, fraction)], fee).unwrap();
        let exit = table.level(Position::Long, entry, 0).unwrap();
        let (paid, got) = (entry * (1.0 + fee), exit * (1.0 - fee));
        assert!((got / paid - 1.0 - fraction).abs() < 1e-15, "{exit}");
        let exit = table.level(Position::Short, entry, 0).unwrap();
        let (got, paid) = (entry * (1.0 - fee), exit * (1.0 + fee));
        assert!((1.0 - paid / got - fraction).abs() < 1e-15, "{exit}");
    }

    #[test]
    fn there_is_no_level_without_a_price() {
        let table = table(&[(0, 1.5)], 0.0).unwrap();
        for entry in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(table.level(Position::Long, entry, 0), None, "{entry}");
        }
        assert_eq!(
            table.level(Position::Short, 50.0, 0),
            None,
            "it cannot fall below zero"
        );
    }

    #[test]
    fn wrong_tables_are_refused_with_their_place() {
        assert_eq!(table(&[], 0.0), Err(ProfitTableError::Empty));
        let error = table(&[(0, 0.1), (30, 0.05), (30, 0.0)], 0.0).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("step 2 of the profit table begins after 30 minutes"),
            "{error}"
        );
        assert!(matches!(
            table(&[(0, -1.0)], 0.0),
            Err(ProfitTableError::Fraction { index: 0, .. })
        ));
        assert!(matches!(
            table(&[(0, f64::NAN)], 0.0),
            Err(ProfitTableError::Fraction { .. })
        ));
        assert!(matches!(
            table(&[(0, 0.1)], 1.0),
            Err(ProfitTableError::Fee { .. })
        ));
        assert!(matches!(
            table(&[(0, 0.1)], f64::NAN),
            Err(ProfitTableError::Fee { .. })
        ));
    }
}
