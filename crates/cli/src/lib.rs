//! The `sextant` command: the composition root of the platform.
//!
//! Everything that touches the outside world meets here: configuration files, the lake, the result store, progress bars,
//! tables, logs and reports. Engine crates never see each other; this crate wires them.
//!
//! # Invariants
//! * A run is a function of code, configuration, data and seed. The wall clock goes only into logs and the run's info.
//! * Bad input ends with a message that says where, what was found, what is allowed and what to do, and a non-zero code.
//!
//! # Deliberately absent
//! Anything that decides: models, limits, fills and figures live in the crates below.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this crate is the terminal"
)]

mod account_rows;
pub mod args;
mod assumptions;
mod bill;
mod bundle;
mod clock;
mod commands;
mod compose;
pub mod config;
mod figures;
mod lineage;
mod logs;
mod order_rows;
mod out;
pub mod pipeline;
mod progress;
mod recorder;
mod replay;
pub mod report;
mod sleeve;
mod table;

pub use commands::run;
