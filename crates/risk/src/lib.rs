//! Risk rules, the drawdown state machine and the kill switch.
//!
//! [`RiskRules`] is a list of rules, one per file, behind the `RiskEngine` port. It answers with data (keep, shrink,
//! refuse, and why); the risk gate of `sextant-domain` applies the answer. Limits hold on what the portfolio *would*
//! hold: present weights, plus orders sent and not filled, plus the order under review.
//!
//! | code | on targets | on an order |
//! |---|---|---|
//! | `missing_price` | an instrument whose weight is not a number goes to zero | refused |
//! | `kill_switch` | everything goes to zero, for the rest of the run | only what reduces |
//! | `invalid_equity` | the same, once equity was zero, negative or not a number | only what reduces |
//! | `drawdown` | reduced: targets times a factor; halted: everything goes to zero | reduced: explicit requests times the factor; halted: only what reduces |
//! | `per_asset_cap` | magnitude of one instrument's net weight | the same |
//! | `class_cap` | sum of magnitudes over one asset class | the same |
//! | `group_cap` | sum of magnitudes over one named group of instruments, such as a sector | the same |
//! | `gross_leverage` | sum of magnitudes over all instruments | the same |
//! | `initial_margin` | initial margin of all positions within equity, where instruments ask for margin | the same |
//! | `volatility_cap` | volatility of the portfolio, from a trailing covariance | the same |
//! | `adv_limit` | what is added to one position, by its average daily traded value | the same |
//! | `turnover_limit` | what is added to positions, by all that is traded at a time | the same |
//! | `minimum_trade` | a trade that adds and is too small | the same |
//!
//! `group_cap`, `volatility_cap`, `adv_limit`, `turnover_limit` and `minimum_trade` are there only where the limits state
//! them. `volatility_cap` and `adv_limit` judge by the trailing statistics that come with the portfolio state; what is not
//! measured there may not be added; over which windows it is to be measured, the rules say to the engine. The other public
//! parts are libraries that models call: [`sizing`] (how much), [`stops`] (where to get out) and [`targets`] (when a profit
//! is enough).
//!
//! # Invariants
//! * A rule can only make things smaller, never larger and never to the other side.
//! * An order that brings a position towards zero is always let through, in any standing; one that crosses zero is
//!   judged on the part beyond zero. Closing a model's own position counts as reducing, even where other models hold
//!   the opposite.
//! * No approved order takes an exposure over its limit. An exposure that prices have carried over its limit is not
//!   forced back (targets do that at their next decision), but nothing may be added to it.
//! * What is not known is refused: an order without a price, an exposure that is not a number.
//! * The kill switch latches: once seen, it stays on for the run.
//!
//! # Deliberately absent
//! IO. A kill file is watched by the composition root, which engages a [`KillFlag`]. Sending stop orders belongs to models
//! and execution, and measuring trailing statistics to the engine that fills the portfolio state. There is no way around the rules:
//! no bypass, and no rule that can be left out of the list unless the limits say so.
//!
//! # Order of review
//! Each order is judged with those before it counted as pending. Whoever sends several at once should send them in the
//! order of how much each adds to the magnitude of its instrument's position, the largest reduction first; otherwise an
//! increase is refused for want of room that a later order would have made.
//!
//! ```
//! use sextant_domain::ports::RiskEngine;
//! use sextant_domain::{AssetClass, InstrumentId, ModelId, PortfolioState, Proposal, TargetWeights, UtcNanos};
//! use sextant_risk::{KillFlag, RiskLimits, RiskRules};
//!
//! let engine = RiskRules::new(RiskLimits::mission_defaults(), KillFlag::new())?;
//! let state = PortfolioState {
//!     as_of: UtcNanos::from_nanos(0),
//!     equity: 100_000.0,
//!     weights: &[0.0],
//!     pending: &[0.0],
//!     classes: &[AssetClass::Equity],
//!     margin: Default::default(),
//!     statistics: Default::default(),
//! };
//! let mut targets = TargetWeights::new(1, 1);
//! targets.add_target(ModelId::from_index(0), InstrumentId::from_index(0), 0.8);
//! let verdict = engine.review(&state, &Proposal::Targets(&targets));
//! assert_eq!(verdict.reasons[0].reason, "target 0.8000 is over the cap 0.4000");
//! # Ok::<(), sextant_risk::LimitError>(())
//! ```

mod config;
mod engine;
mod kill_signal;
mod optional_limits;
#[cfg(test)]
mod optional_properties;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod quiet_properties;
#[cfg(test)]
mod random_paths;
mod rule;
mod rules;
pub mod sizing;
pub mod stops;
pub mod targets;
#[cfg(test)]
mod test_support;

pub use config::{AfterHalt, ClassCaps, DrawdownLimits, KillSwitchConfig, LimitError, RiskLimits};
pub use engine::{RiskRules, RuleStep};
pub use kill_signal::{KillFlag, KillSignal};
pub use optional_limits::{AdvLimit, GroupCap, MinimumTrade, TurnoverLimit, UnknownVolume, VolatilityCap};
