//! Integration tests of the backtest crate.
#![allow(clippy::unwrap_used)]

mod account;
mod account_events;
mod causality;
mod costs;
mod fixture;
mod memory;
mod orders;
mod worked_examples;
