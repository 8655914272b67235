//! Order books of price levels, rebuilt from what venues publish: snapshots, diffs and order messages.
//!
//! * [`PriceBook`]: how much rests at each price of both sides, by exact integers.
//! * [`DiffFeed`]: a book kept up to date by numbered diffs after a snapshot. A lost diff is an error, not a wrong book.
//! * [`OrderMessage`]: what one order did (came, shrank, went, traded), applied to the levels of a book.
//! * [`Grid`]: the bridge from a venue's decimals to ticks and lots, exact or an error.
//!
//! ```
//! use sextant_orderbook::{BookSide, Diff, DiffFeed, Level, Link, Lots, Snapshot, Ticks, UpdateId};
//!
//! let level = |price, size| Level { price: Ticks::new(price), size: Lots::new(size) };
//! let snapshot = Snapshot { last_update: UpdateId::new(7), bids: vec![level(99, 5)], asks: vec![level(101, 4)] };
//! let mut feed = DiffFeed::new(&snapshot)?;
//! let diff = Diff {
//!     last_update: UpdateId::new(9),
//!     link: Link::First(UpdateId::new(8)),
//!     bids: vec![level(100, 2)],
//!     asks: vec![level(101, 0)],
//! };
//! feed.apply(&diff)?;
//! assert_eq!(feed.book().best(BookSide::Bid), Some(level(100, 2)));
//! assert_eq!(feed.book().best(BookSide::Ask), None);
//! # Ok::<(), sextant_orderbook::BookError>(())
//! ```
//!
//! # Invariants
//! * A level that is there has a size above zero; each price has at most one level on a side.
//! * A refused snapshot, diff or message changes no book.
//! * After a gap a feed takes no more diffs until it gets a new snapshot.
//! * Everything is a function of its inputs: no clock, no IO, no floating point.
//!
//! # Deliberately absent
//! Single orders with their place in the queue, and a matching engine: they will keep their own orders per level beside
//! the sums here. Reading files and connections of venues belongs to the rim, which hands over the types of this crate.

mod book;
mod error;
mod feed;
mod grid;
mod level;
mod message;
#[cfg(test)]
mod properties;

pub use book::PriceBook;
pub use error::BookError;
pub use feed::{Applied, Diff, DiffFeed, Link, Snapshot, UpdateId};
pub use grid::Grid;
pub use level::{BookSide, Level, Lots, Ticks};
pub use message::{MessageKind, OrderMessage};
