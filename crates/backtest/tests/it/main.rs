//! Integration tests of the backtest crate.

mod account;
mod fixture;
mod worked_examples;
