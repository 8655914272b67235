//! Why a run cannot be computed by columns.

use std::fmt;

use sextant_domain::UtcNanos;
use sextant_engine::{EngineError, LedgerError};
use thiserror::Error;

use crate::driver::BacktestError;

/// Something of a run that the vectorised engine has no columns for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What it is: a model or an option, with its value.
    pub what: String,
    /// Why columns cannot say it.
    pub why: &'static str,
    /// What to do.
    pub advice: &'static str,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.what, self.why, self.advice)
    }
}

/// Why the vectorised engine gave no result.
#[derive(Debug, Error)]
pub enum VectorisedError {
    /// Parts of the run that it does not express. All that were found; nothing is left out silently.
    #[error("the vectorised engine cannot express this run:{}", list(.0))]
    NotExpressible(Vec<Obstacle>),
    /// What would have failed in the event engine as well.
    #[error(transparent)]
    Backtest(#[from] BacktestError),
    /// Columns and books that say different things: a defect of the platform, never of the data.
    #[error(
        "the columns say an equity of {columns} at {time}, the books made of the fills say {books}; this is a defect, please report the run, and use the event engine"
    )]
    Disagreement {
        /// When.
        time: UtcNanos,
        /// What the columns say.
        columns: f64,
        /// What the books say.
        books: f64,
    },
}

impl From<EngineError> for VectorisedError {
    fn from(error: EngineError) -> Self {
        Self::Backtest(BacktestError::Engine(error))
    }
}

impl From<LedgerError> for VectorisedError {
    fn from(error: LedgerError) -> Self {
        EngineError::from(error).into()
    }
}

fn list(obstacles: &[Obstacle]) -> String {
    obstacles.iter().map(|one| format!("\n  {one}")).collect()
}
