//! Rule-based market regime detectors.
//!
//! A regime names the state of the market in four dimensions: equity trend, volatility, crypto trend and economy.
//! Budgets of models are cut by it. [`RuleRegimeDetector`] decides each label by a few comparisons, whose inputs and thresholds
//! all stand in [`RegimeConfig`]; somebody who reads the config can recompute every label by hand.
//!
//! # Invariants
//! * Filtered, never smoothed: a label uses nothing later than the view, and is never revised.
//! * A dimension that is not configured, and one with an input that is missing, still warming up or too old, is
//!   `unknown`. Nothing is guessed; the one case in which another input takes over (realised volatility for the VIX) is
//!   part of the config and visible in the recorded inputs.
//! * Every number that a label was decided on is recorded, missing ones as missing.
//! * The detector keeps no state: the label of an instant does not depend on where the run began.
//! * The config is checked by the constructor against the same ranges that its schema states.
//!
//! # Deliberately absent
//! Hysteresis: a label has no memory, so that it may flip from bar to bar while an input stays close to its threshold.
//! Where that costs too much, the portfolio's no-trade band is the place against it. Also absent is everything that
//! has to be fitted, such as hidden Markov models.

mod config;
mod detector;
mod economy;
mod inputs;
#[cfg(test)]
mod properties;
mod trend;
mod volatility;
mod volatility_config;

pub use config::{RegimeConfig, RegimeConfigError, RegimeConfigErrors};
pub use detector::{DetectorEntry, MadeDetector, RuleRegimeDetector, catalogue};
pub use economy::{MacroRegimeConfig, PmiInput, YieldCurveInput};
pub use trend::{CryptoRegimeConfig, EquityRegimeConfig};
pub use volatility_config::{RealisedVolatilityInput, VixInput, VixMeasure, VolatilityRegimeConfig};
