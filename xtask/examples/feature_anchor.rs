//! Nothing runs this: it makes cargo resolve the same features for building `sextant` as for building the tests.
//!
//! Cargo leaves the features that dev-dependencies ask for out of a build that selects binaries alone, and takes them
//! in as soon as a build selects an example or a test. Without this example `cargo xtask backtest` and
//! `cargo xtask test` would differ in two small features and compile polars and arrow twice. `cargo xtask` therefore
//! always selects it beside the binary; it costs one link of an empty program.

fn main() {}
