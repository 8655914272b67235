//! Streaming indicators and the feature registry.
//!
//! A feature is a number per bar that models and regime detectors ask for by name: a moving average, an oscillator, a
//! volatility, a beta. Here is what computes them. An [`Operator`] takes one bar at a time and gives the newest value;
//! [`registry`] lists every operator by name with its formula, inputs, parameters, warm-up and source (the readable
//! copy is `configs/features.yaml`); [`FeatureColumns`] folds an operator over all bars of a backtest, and
//! [`LiveFeature`] feeds the same operator bar by bar.
//!
//! ```
//! use sextant_features::{Operator, Sma};
//!
//! let mut sma = Sma::new(2);
//! assert_eq!(sma.update(1.0), None);
//! assert_eq!(sma.update(3.0), Some(2.0));
//! assert_eq!(sma.update(4.0), Some(3.5));
//! ```
//!
//! # Invariants
//! * One implementation: a column is the fold of the streaming operator, so batch and stream agree bit for bit.
//! * The value at a bar uses that bar and earlier ones, nothing else. A second input contributes only bars that had
//!   closed by then.
//! * Constant time per bar (amortised for rolling extremes; `volatility_percentile` moves at most its window), and no
//!   allocation after construction.
//! * Windowed features do not depend on where history starts: their sums are exact (see the `exact` module), so the
//!   bits are the same once warm. Recursive features forget their start at a stated rate
//!   ([`Memory::settling_bars`]).
//! * After a hole of more than thirty days between two bars a feature begins afresh, with a new warm-up.
//! * A value is absent (`None`, NaN in a column) while warming up and where the formula is undefined; it is never
//!   replaced by a stand-in. The one convention kept from TA-Lib is an RSI of 0 where no price has moved.
//!
//! # Deliberately absent
//! Several outputs per operator (each Bollinger band is a feature of its own), operators on volume, cross-sectional
//! transforms, and any choice of which features a model uses.

mod columns;
mod exact;
mod kernel;
mod live;
mod moments;
mod operator;
mod operators;
mod registry;
mod resolve;
mod window;
mod window_means;

#[cfg(test)]
mod properties;

pub use columns::FeatureColumns;
pub use live::{FeedError, LiveFeature};
pub use operator::{Operator, PricePair};
pub use operators::{
    Atr, Beta, BollingerBand, Correlation, Drawdown, Ema, Momentum, RateOfChange, RealisedVolatility,
    RollingHigh, RollingLow, RollingMax, RollingMin, Rsi, Sma, TrueRange, VolatilityPercentile, ZScore,
};
pub use registry::{FeatureEntry, Inputs, Memory, Parameter, ParameterKind, WarmUp, registry};
pub use resolve::{ResolvedFeature, resolve};
