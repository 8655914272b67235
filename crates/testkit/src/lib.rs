//! Builders, fixtures and the causality harness for tests.
//!
//! A dev-dependency only. Every crate of the workspace can build a small market with it, give a model hand-made
//! features, replay bars through a model or a regime detector, and prove that outputs do not depend on the future.
//!
//! * [`MarketBuilder`], [`bars`], [`standard_market`]: markets from arrays, from a seeded random walk, or ready-made.
//! * [`FixedFeatures`], [`FormulaFeatures`]: feature sources without a feature crate.
//! * [`Replay`]: runs a model or a regime detector over a market, bar close by bar close.
//! * [`assert_model_is_causal`]: the look-ahead proof of a model, in one call; [`assert_causal`] proves anything else. What
//!   they are made of is `sextant-proof`.
//! * [`assert_columns_decide`]: the proof that a model's rule by columns is its rule.
//! * [`http::TestServer`]: a scripted server on the loopback interface, for whoever asks outside parties for data.
//! * [`assert_golden`]: texts kept as files, written anew only by an explicit command.
//! * [`real_data_dir`]: where the real market data lies, and when a test may go without it.
//!
//! # Invariants
//! * Everything is a function of its arguments; random numbers come from a [`SplitMix64`] with a seed in the call.
//! * A modified market is as valid as the market it was made from: [`cut`] and [`replace_future`] go through the same
//!   checks as any data.
//! * A wrong use of a double (an unknown symbol, a column of the wrong length) panics: it is the test that is wrong.
//!
//! # Deliberately absent
//! Fast or streaming indicators ([`formulas`] recomputes every window from its definition), exchange calendars with
//! holidays or daylight saving, and any engine: the crate depends on the vocabulary and the proofs
//! alone.

pub mod bars;
mod causality;
mod columns;
mod features;
pub mod formulas;
mod golden;
pub mod http;
mod market_builder;
mod real_data;
mod replay;

pub use causality::{assert_causal, assert_model_is_causal};
pub use columns::assert_columns_decide;
pub use features::{FixedFeatures, FormulaFeatures};
pub use golden::assert_golden;
pub use market_builder::{MarketBuilder, standard_market};
pub use real_data::real_data_dir;
pub use replay::{Decision, RegimeStep, Replay};
pub use sextant_proof::{
    Change, LookAheadReport, Observed, Output, Probe, Replacement, SplitMix64, Trace, Violation,
    check_look_ahead, cut, cut_points, replace_future,
};
