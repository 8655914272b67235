//! The clients against servers that behave as the providers' documents say: the rows delivered are the rows there are.
#![allow(clippy::unwrap_used)]

mod alpaca;
mod binance;
mod kraken;
mod macros;
mod support;
mod yahoo;
