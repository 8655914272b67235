//! The one error of every constructor of a cost model.

use std::fmt::Display;
use std::ops::RangeInclusive;

use thiserror::Error;

/// A parameter of a cost model that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{subject}: {field} is {found}, but must be {allowed}")]
pub struct CostError {
    /// The model, or what within it: an asset class, an instrument, a tier.
    pub subject: String,
    /// The name of the parameter.
    pub field: &'static str,
    /// The value found.
    pub found: String,
    /// What is allowed.
    pub allowed: String,
}

impl CostError {
    pub(super) fn new(subject: &str, field: &'static str, found: impl Display, allowed: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            field,
            found: found.to_string(),
            allowed: allowed.to_owned(),
        }
    }
}

/// Checks a parameter against a range with the unit of its ends; a number that is none lies in no range.
pub(super) fn check<T: PartialOrd + Display>(
    subject: &str,
    (field, found): (&'static str, T),
    allowed: RangeInclusive<T>,
    unit: &str,
) -> Result<(), CostError> {
    if allowed.contains(&found) {
        return Ok(());
    }
    let allowed = format!("from {} to {}{unit}", allowed.start(), allowed.end());
    Err(CostError::new(subject, field, found, &allowed))
}

/// The unit of rates, for messages.
pub(super) const BASIS_POINTS: &str = " basis points";
