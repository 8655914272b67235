//! Integration tests of the `sextant` command.
#![allow(clippy::unwrap_used)]

mod account;
mod bad_input;
mod data;
mod data_actions;
mod data_fetch;
mod data_qlib;
mod documents;
mod lake;
mod limits;
mod pipeline;
mod proof;
mod rebalance;
mod robust;
mod workspace;
