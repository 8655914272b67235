//! Integration tests of the backtest crate.

mod account;
mod causality;
mod fixture;
mod worked_examples;
