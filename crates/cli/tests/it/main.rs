//! Integration tests of the `sextant` command.

mod bad_input;
mod documents;
mod pipeline;
mod workspace;
