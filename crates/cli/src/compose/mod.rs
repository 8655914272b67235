//! Composition: from a configuration to market data and the parts of an engine.

mod account;
mod actions;
mod market;
mod parts;
mod renames;

pub(crate) use account::account_model;
pub use market::{LoadedMarket, Source, ensure_synthetic, load_market, synthetic_root};
pub(crate) use parts::{backtest_config, engine_parts, rules_of, sleeves};
pub(crate) use renames::renames_in_words;
