//! Integration tests of the backtest crate.
#![allow(clippy::unwrap_used)]

mod account;
mod causality;
mod fixture;
mod memory;
mod orders;
mod worked_examples;
