//! Why a book cannot be made or changed.

use rust_decimal::Decimal;
use thiserror::Error;

use crate::feed::UpdateId;
use crate::level::{BookSide, Lots, Ticks};

/// An error of an order book.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BookError {
    /// A price or size between two steps of the grid, or too large to be counted.
    #[error(
        "{what} {found} is no whole number of {step} that fits 64 bits; check the {step_name} of the instrument"
    )]
    OffGrid {
        /// `price` or `size`.
        what: &'static str,
        /// What was found.
        found: Decimal,
        /// The step.
        step: Decimal,
        /// `tick` or `lot`.
        step_name: &'static str,
    },
    /// A step that is zero or negative.
    #[error("{step_name} is {found}; allowed: a number above 0")]
    Step {
        /// `tick` or `lot`.
        step_name: &'static str,
        /// What was found.
        found: Decimal,
    },
    /// More is taken from a level than rests there.
    #[error(
        "{taken} lots cannot leave the {side} level {price}, where {present} rest; a message before this one is missing"
    )]
    TooMuch {
        /// The side.
        side: BookSide,
        /// The price.
        price: Ticks,
        /// What was to be taken.
        taken: Lots,
        /// What rests there; zero where the level is not there.
        present: Lots,
    },
    /// A level beyond 64 bits.
    #[error("{added} lots do not fit onto the {present} of the {side} level {price}")]
    Overflow {
        /// The side.
        side: BookSide,
        /// The price.
        price: Ticks,
        /// What was to be added.
        added: Lots,
        /// What rests there.
        present: Lots,
    },
    /// A snapshot with a price twice on a side, or with an empty level.
    #[error("the snapshot {snapshot} has the {side} level {price} {problem}; ask for it anew")]
    Snapshot {
        /// Its update id.
        snapshot: UpdateId,
        /// The side.
        side: BookSide,
        /// The price.
        price: Ticks,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A diff whose first update comes after its last one.
    #[error("the diff up to update {last} begins after that, with {first}")]
    Backwards {
        /// Its first update.
        first: UpdateId,
        /// Its last update.
        last: UpdateId,
    },
    /// Updates are missing.
    #[error("updates are missing between {known} and the diff up to {next}; start again from a snapshot")]
    Gap {
        /// The last update that the book has.
        known: UpdateId,
        /// The last update of the diff that does not follow.
        next: UpdateId,
    },
    /// A diff for a feed that has met a gap before.
    #[error("updates have been missing since {known}; start again from a snapshot")]
    Broken {
        /// The last update that the book has.
        known: UpdateId,
    },
    /// A message kind that there is not.
    #[error("message kind {found}; allowed: 1 to 7")]
    MessageKind {
        /// What was found.
        found: u8,
    },
}
