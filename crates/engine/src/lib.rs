//! The decision step and the books of the Sextant trading platform.
//!
//! [`Engine::step`] is the one specification of what happens when bars close: fills are posted, the books are marked,
//! the regime is updated, models decide, targets are built and limited, orders are made, reviewed and sent, and one
//! [`StepRecord`](sextant_domain::StepRecord) says so. Backtest, paper and live trading drive the same step; they
//! differ only in where market events come from and where orders go.
//!
//! # Invariants
//! * No IO, no clock: the step is a function of its state and the event.
//! * The books are exact. After every fill and split each book's cash flow equals its realised profit less the cost of its
//!   open lots, and after these and every payment the models' books add up to the portfolio's; a difference stops the run.
//! * Every amount is exact in the currency of its instrument. Only what other currencies come to in the account's own is
//!   rounded, to eight decimals, and never parts the models' sum from the portfolio's.
//! * Fills are posted before new closes are marked, so no order is sized with a price that came after its fill.
//! * A change of the risk standing acts on the very next step, with or without new targets.
//!
//! # Deliberately absent
//! Formulas of features, models, limits and fills: they come in through ports.

mod book;
mod engine;
mod error;
mod ledger;
mod sizing;
mod statistics;

pub use book::{Book, ClosedTrade, CurrencyTotals, InstrumentBook};
pub use engine::{AccountStart, BoundModel, BoundParts, Engine, EngineParts, MarginCall, MarketEvent};
pub use error::EngineError;
pub use ledger::{Balance, Entry, Ledger, LedgerError, NoFxPath, Scope};
pub use statistics::Trailing;
