//! Integration tests of the proofs.
#![allow(clippy::unwrap_used)]

mod future;
mod relation;
