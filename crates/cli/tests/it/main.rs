//! Integration tests of the `sextant` command.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod documents;
mod pipeline;
mod workspace;
