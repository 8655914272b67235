//! The data crate through its public interface: hostile files, damaged files, and the real market data.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod bad_csv;
mod corpus;
mod damaged;
mod fuzz_seeds;
mod killed;
mod manifest;
mod real_bars;
mod real_calendar;
mod real_macro;
mod reused_tickers;
mod support;
