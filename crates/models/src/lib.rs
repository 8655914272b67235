//! Trading models that implement the [`Model`](sextant_domain::ports::Model) port.
//!
//! Each model is a file: its parameters, its rule, and the tests of the rule. [`ModelsConfig`] is how a run names and
//! configures the models it wants, and [`catalogue`] is the list of all there are. The crate exists so that a run can
//! put several models side by side; somebody else's model needs nothing from here but the same port.
//!
//! # Invariants
//! * A model decides on the view it is given and on what it kept from earlier views: no clock, no randomness, no IO.
//! * A feature that is missing, still warming up or more than [`MAX_SIGNAL_AGE_DAYS`] days old is no opinion: a rule
//!   that needs it does not fire, and a position it might have closed stays. Nothing is guessed.
//! * The targets of a model that stand at any time are not negative and add up to at most 1, the whole of its budget.
//! * Parameters are checked by the constructor against the same ranges that the configuration schema states.
//!
//! # When a target is given
//! A target stands until it is replaced, and giving it again asks for the position to be brought back to it. Models
//! therefore speak only when their book changes or is due for rebalancing; each says when in its own documentation. A
//! [`Scheduled`] model is not even asked in between; every configured model can have a [`Rebalance`] calendar.
//!
//! # Deliberately absent
//! Indicators (models name the features they want), position sizes in units, costs, budgets and risk limits, and any
//! knowledge of the regime: budgets are cut by regime outside of the models.

mod config;
mod crypto_momentum;
mod equity_trend;
mod index_mean_reversion;
mod parameters;
#[cfg(test)]
mod properties;
mod schedule;
mod signal;
#[cfg(test)]
mod test_market;

pub use config::{MadeModel, ModelEntry, ModelsConfig, catalogue};
pub use crypto_momentum::{CryptoMomentumModel, CryptoMomentumParameters};
pub use equity_trend::{EquityTrendModel, EquityTrendParameters};
pub use index_mean_reversion::{IndexMeanReversionModel, IndexMeanReversionParameters};
pub use parameters::{ParameterError, ParameterErrors};
pub use schedule::{Rebalance, Scheduled, Weekday};
pub use signal::MAX_SIGNAL_AGE_DAYS;
