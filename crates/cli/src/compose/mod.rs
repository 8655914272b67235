//! Composition: from a configuration to market data and the parts of an engine.

mod market;
mod parts;

pub use market::{LoadedMarket, Source, ensure_synthetic, load_market, synthetic_root};
pub(crate) use parts::{backtest_config, engine_parts, sleeves};
