//! The indicators.
//!
//! Constructors take periods in bars and panic on periods that have no meaning; [`resolve`](crate::resolve) checks
//! parameters that come from outside.

mod average;
mod convergence;
mod directional;
mod dispersion;
mod extremes;
mod momentum;
mod pair;
mod range;
mod stochastic;
mod volume;

pub use average::{Ema, Sma};
pub use convergence::{Macd, MacdSignal};
pub use directional::{Adx, MinusDi, PlusDi};
pub use dispersion::{BollingerBand, RealisedVolatility, VolatilityPercentile, ZScore};
pub use extremes::{Drawdown, RollingHigh, RollingLow, RollingMax, RollingMin};
pub use momentum::{Momentum, RateOfChange, Rsi};
pub use pair::{Beta, Correlation};
pub use range::{Atr, TrueRange};
pub use stochastic::{StochasticD, StochasticK, WilliamsR};
pub use volume::{Mfi, Obv};
