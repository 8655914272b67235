//! Tests of the public surface: every registry entry keeps the contract, the catalogue equals the registry, and values
//! equal those of independent implementations on real bars.

#![allow(clippy::unwrap_used)]

mod catalogue;
mod columns;
mod contract;
mod oracle;
mod support;
