//! Why a run cannot begin or go on.

use sextant_domain::ports::{BrokerError, ModelError};
use sextant_domain::{BindError, MoneyError, UtcNanos};
use thiserror::Error;

use crate::ledger::{LedgerError, NoFxPath};

/// Why a run cannot begin or go on.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Requirements that the data does not meet.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A model that failed, or that the portfolio constructor does not take.
    #[error("model {model} at {time}: {source}")]
    Model {
        /// The model's name.
        model: String,
        /// The instant of the decision.
        time: UtcNanos,
        /// What is wrong.
        source: ModelError,
    },
    /// Two models under one name.
    #[error("the model {0} is added twice; every model may run once")]
    DuplicateModel(String),
    /// A portfolio constructor that does not fit the models.
    #[error("portfolio: {0}")]
    Portfolio(ModelError),
    /// A weight that is not a number.
    #[error(
        "model {model} at {time}: asks for a weight of {weight} in {symbol}; weights must be finite numbers"
    )]
    Weight {
        /// The model's name.
        model: String,
        /// The instant of the decision.
        time: UtcNanos,
        /// The instrument.
        symbol: String,
        /// The weight found.
        weight: f64,
    },
    /// A currency that cannot be converted.
    #[error(transparent)]
    Currency(#[from] NoFxPath),
    /// A broker that failed.
    #[error("broker: {0}")]
    Broker(#[from] BrokerError),
    /// Books that cannot hold a fill.
    #[error("ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// A value with no exact decimal.
    #[error("at {time}: {source}")]
    Money {
        /// When.
        time: UtcNanos,
        /// What is wrong.
        source: MoneyError,
    },
}
