//! What is wrong with an input.

use thiserror::Error;

/// An input that no figure may be computed from. Undefined figures are not errors, see [`crate::Reason`].
#[derive(Debug, Clone, PartialEq, Error)]
pub enum MetricsError {
    /// A series without any element where at least one is needed.
    #[error("{what} is empty: at least one value is needed")]
    Empty {
        /// Which input.
        what: &'static str,
    },
    /// NaN or infinity.
    #[error(
        "{what} at index {index} is {value}: every value must be finite; repair the source (a gap is an error here, not a zero)"
    )]
    NotFinite {
        /// Which input.
        what: &'static str,
        /// Position of the first bad value, from 0.
        index: usize,
        /// The value found.
        value: f64,
    },
    /// Timestamps that do not grow.
    #[error(
        "time of {what} at index {index} is {time_ns} ns, not after {previous_ns} ns: times must strictly increase; sort and drop duplicates first"
    )]
    NotIncreasing {
        /// Which input.
        what: &'static str,
        /// Position of the first bad time, from 0.
        index: usize,
        /// The time found, UTC nanoseconds.
        time_ns: i64,
        /// The time it must come after, UTC nanoseconds.
        previous_ns: i64,
    },
    /// A number outside its domain.
    #[error("{what} is {value}: allowed is {allowed}")]
    OutOfRange {
        /// Which input.
        what: &'static str,
        /// The value found.
        value: f64,
        /// The allowed domain in words.
        allowed: &'static str,
    },
    /// Two inputs that belong together differ in length.
    #[error("{what}: lengths {left} and {right} differ, they must be equal")]
    LengthMismatch {
        /// Which inputs.
        what: &'static str,
        /// Length of the first.
        left: usize,
        /// Length of the second.
        right: usize,
    },
    /// A dated series that starts too late.
    #[error(
        "{what} begins at {first_ns} ns but is needed at {needed_ns} ns: extend the series back or shorten the period"
    )]
    NotCovered {
        /// Which input.
        what: &'static str,
        /// First time of the series, UTC nanoseconds.
        first_ns: i64,
        /// Time at which a value is needed, UTC nanoseconds.
        needed_ns: i64,
    },
}

/// `Ok` when `value` is finite.
pub(crate) fn require_finite(what: &'static str, index: usize, value: f64) -> Result<(), MetricsError> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(MetricsError::NotFinite { what, index, value })
    }
}

/// `Ok` when all values are finite; the error names the first that is not.
pub(crate) fn require_all_finite(what: &'static str, values: &[f64]) -> Result<(), MetricsError> {
    values
        .iter()
        .enumerate()
        .try_for_each(|(index, &value)| require_finite(what, index, value))
}

/// `Ok` when the times strictly increase; the error names the first that does not.
pub(crate) fn require_increasing(
    what: &'static str,
    times_ns: impl IntoIterator<Item = i64>,
) -> Result<(), MetricsError> {
    let mut previous: Option<i64> = None;
    for (index, time_ns) in times_ns.into_iter().enumerate() {
        if let Some(previous_ns) = previous.filter(|&previous_ns| time_ns <= previous_ns) {
            return Err(MetricsError::NotIncreasing {
                what,
                index,
                time_ns,
                previous_ns,
            });
        }
        previous = Some(time_ns);
    }
    Ok(())
}

/// `Ok` when `value` is finite and above zero.
pub(crate) fn require_positive(what: &'static str, value: f64) -> Result<(), MetricsError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(MetricsError::OutOfRange {
            what,
            value,
            allowed: "a finite number above 0",
        })
    }
}

/// `Ok` when both lengths are equal.
pub(crate) fn require_same_length(what: &'static str, left: usize, right: usize) -> Result<(), MetricsError> {
    if left == right {
        Ok(())
    } else {
        Err(MetricsError::LengthMismatch { what, left, right })
    }
}
