//! Integration tests of the `sextant` command.
#![allow(clippy::unwrap_used)]

mod account;
mod account_shares;
mod bad_input;
mod contracts;
mod data;
mod data_actions;
mod data_fetch;
mod data_qlib;
mod documents;
mod goldens;
mod lake;
mod limits;
mod pipeline;
mod proof;
mod rebalance;
mod rename_scales;
mod renames;
mod robust;
mod verify;
mod workspace;
