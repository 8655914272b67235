//! Tests of stationarity: whether a series returns to a level or wanders off.
//!
//! The two tests ask opposite questions and are read together. [`adf`] takes a unit root for granted until the data speak
//! against it; [`kpss`] takes stationarity for granted. A spread of two prices that is to be traded back to its mean
//! should be rejected by the first and not by the second. On prices picked from many candidates the p-values are too
//! small, as any p-value after a search is.
//!
//! The conventions (samples, default lags, tables) are those of statsmodels, so that the numbers can be compared.

mod adf;
mod kpss;
mod regression;

use thiserror::Error;

use crate::error::{MetricsError, require_all_finite};
use crate::numeric::is_negligible;
use crate::value::Reason;

pub use adf::{AdfLags, AdfTerms, AdfTest, CriticalValues, adf};
pub use kpss::{KpssBandwidth, KpssNull, KpssPValue, KpssTest, kpss};

/// Why a series has no test.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum StationarityError {
    /// The input cannot be used.
    #[error(transparent)]
    Input(#[from] MetricsError),
    /// The test has no value on this series: `too_short`, or `no_variance` for one that is constant or follows its own
    /// past and the terms exactly.
    #[error(
        "the test has no value on {observations} observations: {reason}; it needs a longer or less regular series"
    )]
    Undefined {
        /// How many there are.
        observations: usize,
        /// Why.
        reason: Reason,
    },
}

/// Finite values that differ.
fn require_usable(what: &'static str, values: &[f64]) -> Result<(), StationarityError> {
    require_all_finite(what, values)?;
    let spread = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    let reason = if values.len() < 4 {
        Reason::TooShort
    } else if is_negligible(spread.1 - spread.0, values) {
        Reason::NoVariance
    } else {
        return Ok(());
    };
    Err(undefined(values, reason))
}

fn undefined(values: &[f64], reason: Reason) -> StationarityError {
    StationarityError::Undefined {
        observations: values.len(),
        reason,
    }
}

/// ⌈12·(n/100)^¼⌉, the usual longest lag. Source: Schwert (1989), *Tests for Unit Roots: A Monte Carlo Investigation*.
fn schwert_lags(count: usize) -> usize {
    (12.0 * (count as f64 / 100.0).sqrt().sqrt()).ceil() as usize
}
