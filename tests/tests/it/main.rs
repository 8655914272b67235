//! The house rules that a machine can check: who may depend on whom, what every source file carries, that the docs
//! name what exists, and which words may not stand in the repository.
//!
//! They are tests and not conventions, because a rule that nothing checks is broken within a month. Each failure names
//! the file and says what to do. They read the checkout alone, compile nothing of the product and need no network.

mod dependencies;
mod docs;
mod files;
mod layering;
mod packages;
mod source;
mod words;
