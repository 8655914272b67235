//! The indicators.
//!
//! Constructors take periods in bars and panic on periods that have no meaning; [`resolve`](crate::resolve) checks
//! parameters that come from outside.

mod average;
mod dispersion;
mod extremes;
mod momentum;
mod pair;
mod range;

pub use average::{Ema, Sma};
pub use dispersion::{BollingerBand, RealisedVolatility, VolatilityPercentile, ZScore};
pub use extremes::{Drawdown, RollingHigh, RollingLow, RollingMax, RollingMin};
pub use momentum::{Momentum, RateOfChange, Rsi};
pub use pair::{Beta, Correlation};
pub use range::{Atr, TrueRange};
