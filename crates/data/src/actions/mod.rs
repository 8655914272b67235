//! Corporate actions: splits, dividends, renames.
//!
//! What was traded is one thing, and what a share was worth in today's shares another. [`AdjustmentEngine`] makes the
//! second from the first, from a list of events ([`EventList`]) or from a Lean factor file ([`FactorFile`]), as it was
//! known on a day. [`TickerMapper`] knows which security a ticker stood for on a day, from Lean map files, lists of
//! listings and lists of renames ([`Rename`]); [`stitch()`] joins the bars that one security left under several tickers.
//!
//! # Conventions
//! * Dates are those of the calendar's sessions: New York's for equities, UTC's otherwise.
//! * The *ex-date* is the first session at which the share trades without the dividend, or in new shares. Bars before it
//!   are adjusted, bars on it are not.
//! * A price is adjusted as raw x price factor x split factor, multiplied in this order; a volume as raw / split factor.
//! * Dividends are per share held at the close before the ex-date, so before a split of the same date.
//! * The spans of a ticker include both of their dates.
//!
//! # Deliberately absent
//! Spin-offs, rights, mergers with a share ratio and returns of capital as events of their own: a factor file contains
//! them as splits or dividends of the same worth. Currencies: an amount is in the currency of the prices.

mod adjust;
mod dates;
mod description;
mod error;
mod event;
mod factor_file;
mod fuzz;
mod history;
mod mapper;
mod recorded;
mod rename;
pub(crate) mod rows;
mod stitch;

pub use adjust::{Adjusted, AdjustmentEngine, AdjustmentMode, CashDividend, ReferenceDoubt};
pub use description::{is_for_splits_alone, is_same_adjustment};
pub use error::ActionError;
pub use event::{ActionKind, CorporateAction, EventList};
pub use factor_file::{FactorFile, FactorRow};
pub use fuzz::{fuzz_factor_file, fuzz_ticker_map};
pub use history::{SecurityHistory, SecurityId, TickerSpan, read_listings};
pub use mapper::{Attribution, TickerMapper};
pub use recorded::{RecordedAction, ratio_of, recorded_actions};
pub use rename::{Rename, known_renames, read_renames};
pub use stitch::{Gap, OutsideBars, Overlap, Piece, Stitched, stitch};

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
mod properties;
