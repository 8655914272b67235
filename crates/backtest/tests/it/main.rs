//! Integration tests of the backtest crate.
#![allow(clippy::unwrap_used)]
#![allow(
    clippy::duplicate_mod,
    reason = "each example brings its own copy of what they share"
)]

mod account;
mod account_events;
mod causality;
mod costs;
mod cross_asset;
mod currencies;
mod examples;
mod exits;
mod fixture;
mod futures;
mod golden;
mod leaks;
mod lineage;
mod memory;
mod orders;
mod properties;
mod refusals;
mod shipped;
mod vectorised;
mod warm_up;
mod worked_examples;
