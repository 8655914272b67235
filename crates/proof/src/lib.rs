//! Proof that a run looks at nothing later than its present, and that it changes as it must when its market is changed.
//!
//! Whoever can run something over a [`MarketData`](sextant_domain::MarketData) and write down what came out, when, as a
//! [`Trace`], can prove it: the command `verify` does so with a configured system, tests do so with features, regimes,
//! models and whole chains.
//!
//! * [`check_look_ahead`], [`Probe`], [`cut_points`]: cut the future off or replace it, and compare what was said before.
//! * [`Witness`], [`WatchedFeatures`], [`watch_regime`]: the trace of a whole chain, from features to the account.
//! * [`premature_fills`], [`stale_fills`]: fills at prices that were known when their orders were decided.
//! * [`Relation`]: what must hold when prices are scaled, symbols renamed, the calendar shifted, and the like.
//!
//! # Invariants
//! * Values are compared by their bits, decimals by their value, and everything else by its text.
//! * A changed market is as valid as the market it was made from: it goes through the same checks as any data.
//! * A check that compared nothing proves nothing, and says so.
//!
//! # Deliberately absent
//! Any engine: what runs is given as a function. Tests with ready-made markets are in `sextant-testkit`.

mod fills;
mod future;
mod lookahead;
mod random;
mod relation;
mod trace;
mod watch;
mod witness;

pub use fills::{FillFault, OrderStory, premature_fills, responses, stale_fills};
pub use future::{Replacement, cut, raise_what_follows, replace_future};
pub use lookahead::{
    Change, LookAheadReport, Probe, Violation, check_look_ahead, cut_points, cut_points_between, probes,
};
pub use random::SplitMix64;
pub use relation::{Departure, Relation, Tolerance, departures};
pub use trace::{Observed, Output, Stage, Trace, Track, TrackName, Unit};
pub use watch::{RegimeLog, WatchedFeatures, watch_regime};
pub use witness::{Testimony, Witness};
