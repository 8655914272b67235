//! Queries over lakes that are written for the purpose.
#![allow(clippy::unwrap_used)]

mod bars;
mod limits;
mod sql;
mod support;
