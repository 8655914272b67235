//! A book from a snapshot and numbered diffs.

use std::collections::BTreeSet;

use crate::book::PriceBook;
use crate::error::BookError;
use crate::level::{BookSide, Level, Lots, Ticks};

/// The number that a venue gave to a change of its book. Later ones are larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpdateId(u64);

impl UpdateId {
    /// The id of a number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for UpdateId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A whole book as of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last update that is in it.
    pub last_update: UpdateId,
    /// The bids, in any order.
    pub bids: Vec<Level>,
    /// The asks, in any order.
    pub asks: Vec<Level>,
}

/// How a diff says which one it follows. Venues differ in what they publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Updates are numbered without holes, and this is the diff's first one (Binance spot, `U`).
    First(UpdateId),
    /// The last update of the diff before this one (Binance futures, `pu`).
    After(UpdateId),
    /// Nothing but rising numbers. Diffs out of order are found; one that was lost is not.
    None,
}

/// Changes of a book: each level replaces the one at its price, and a size of zero takes it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The last update that is in it.
    pub last_update: UpdateId,
    /// What it follows.
    pub link: Link,
    /// Changed bids. Of several at one price the last one counts.
    pub bids: Vec<Level>,
    /// Changed asks. Of several at one price the last one counts.
    pub asks: Vec<Level>,
}

/// What became of a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It changed the book.
    Changed,
    /// All that is in it was in the book already.
    Stale,
}

/// A book that a snapshot began and diffs keep up to date.
///
/// The first diff after a snapshot may begin before it and must reach beyond it; each later one must follow the one
/// before. That is the procedure that Binance documents under *How to manage a local order book correctly*.
#[derive(Debug, Clone)]
pub struct DiffFeed {
    book: PriceBook,
    last_update: UpdateId,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No diff has reached beyond the snapshot yet.
    Fresh,
    Following,
    Broken,
}

impl DiffFeed {
    /// Begins with a snapshot.
    ///
    /// # Errors
    /// A price that is twice on a side, or a level without size.
    pub fn new(snapshot: &Snapshot) -> Result<Self, BookError> {
        let mut book = PriceBook::new();
        for (side, levels) in [(BookSide::Bid, &snapshot.bids), (BookSide::Ask, &snapshot.asks)] {
            check_levels(snapshot.last_update, side, levels)?;
            levels.iter().for_each(|level| book.set(side, *level));
        }
        Ok(Self {
            book,
            last_update: snapshot.last_update,
            state: State::Fresh,
        })
    }

    /// Takes the next diff.
    ///
    /// # Errors
    /// * [`BookError::Gap`]: updates between the book and the diff are missing. The book stays as it was, and the feed
    ///   takes no more diffs.
    /// * [`BookError::Broken`]: there was a gap before.
    /// * [`BookError::Backwards`]: the diff's first update is after its last.
    pub fn apply(&mut self, diff: &Diff) -> Result<Applied, BookError> {
        let known = self.last_update;
        if self.state == State::Broken {
            return Err(BookError::Broken { known });
        }
        check_direction(diff)?;
        if diff.last_update <= known {
            return Ok(Applied::Stale);
        }
        if !self.follows(diff) {
            self.state = State::Broken;
            return Err(BookError::Gap {
                known,
                next: diff.last_update,
            });
        }
        for (side, levels) in [(BookSide::Bid, &diff.bids), (BookSide::Ask, &diff.asks)] {
            levels.iter().for_each(|level| self.book.set(side, *level));
        }
        self.last_update = diff.last_update;
        self.state = State::Following;
        Ok(Applied::Changed)
    }

    /// The book as of [`Self::last_update`].
    pub const fn book(&self) -> &PriceBook {
        &self.book
    }

    /// The last update that is in the book.
    pub const fn last_update(&self) -> UpdateId {
        self.last_update
    }

    /// Whether nothing between the book and a diff that reaches beyond it is missing.
    fn follows(&self, diff: &Diff) -> bool {
        let known = self.last_update.get();
        let is_first = self.state == State::Fresh;
        match diff.link {
            Link::First(first) if is_first => first.get().saturating_sub(1) <= known,
            Link::First(first) => first.get().checked_sub(1) == Some(known),
            Link::After(before) if is_first => before.get() <= known,
            Link::After(before) => before.get() == known,
            Link::None => true,
        }
    }
}

fn check_levels(snapshot: UpdateId, side: BookSide, levels: &[Level]) -> Result<(), BookError> {
    let mut seen: BTreeSet<Ticks> = BTreeSet::new();
    for level in levels {
        let problem = if level.size == Lots::new(0) {
            "without size"
        } else if seen.insert(level.price) {
            continue;
        } else {
            "twice"
        };
        return Err(BookError::Snapshot {
            snapshot,
            side,
            price: level.price,
            problem,
        });
    }
    Ok(())
}

fn check_direction(diff: &Diff) -> Result<(), BookError> {
    let last = diff.last_update;
    match diff.link {
        Link::First(first) if first > last => Err(BookError::Backwards { first, last }),
        Link::After(before) if before >= last => Err(BookError::Backwards { first: before, last }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use BookSide::{Ask, Bid};

    fn level(price: i64, size: u64) -> Level {
        Level {
            price: Ticks::new(price),
            size: Lots::new(size),
        }
    }

    fn snapshot() -> Snapshot {
        Snapshot {
            last_update: UpdateId::new(100),
            bids: vec![level(99, 5), level(98, 7)],
            asks: vec![level(101, 4)],
        }
    }

    fn diff(link: Link, last: u64, bids: &[(i64, u64)]) -> Diff {
        Diff {
            last_update: UpdateId::new(last),
            link,
            bids: bids.iter().map(|(price, size)| level(*price, *size)).collect(),
            asks: Vec::new(),
        }
    }

    fn first(number: u64) -> Link {
        Link::First(UpdateId::new(number))
    }

    #[test]
    fn diffs_replace_levels_and_zero_takes_them_out() {
        let mut feed = DiffFeed::new(&snapshot()).unwrap();
        let found = feed.apply(&diff(first(101), 103, &[(99, 0), (98, 9), (97, 1)]));
        assert_eq!(found, Ok(Applied::Changed));
        let bids: Vec<_> = feed.book().levels(Bid).collect();
        assert_eq!(bids, [level(98, 9), level(97, 1)]);
        assert_eq!(feed.book().best(Ask), Some(level(101, 4)));
        assert_eq!(feed.last_update(), UpdateId::new(103));
    }

    #[test]
    fn the_first_diff_may_overlap_the_snapshot_and_later_ones_may_not() {
        let mut feed = DiffFeed::new(&snapshot()).unwrap();
        assert_eq!(feed.apply(&diff(first(90), 100, &[(1, 1)])), Ok(Applied::Stale));
        assert_eq!(
            feed.apply(&diff(first(95), 105, &[(99, 6)])),
            Ok(Applied::Changed)
        );
        let error = feed.apply(&diff(first(105), 107, &[(99, 1)])).unwrap_err();
        assert!(matches!(error, BookError::Gap { .. }), "{error}");
    }

    #[test]
    fn a_lost_diff_is_a_gap_and_breaks_the_feed() {
        for (good, late) in [
            (
                diff(first(101), 102, &[(99, 6)]),
                diff(first(104), 105, &[(99, 1)]),
            ),
            (
                diff(Link::After(UpdateId::new(97)), 102, &[(99, 6)]),
                diff(Link::After(UpdateId::new(103)), 105, &[(99, 1)]),
            ),
        ] {
            let mut feed = DiffFeed::new(&snapshot()).unwrap();
            feed.apply(&good).unwrap();
            let before = feed.book().clone();
            let (known, next) = (UpdateId::new(102), UpdateId::new(105));
            assert_eq!(feed.apply(&late), Err(BookError::Gap { known, next }));
            let next = diff(first(103), 106, &[(99, 1)]);
            assert_eq!(feed.apply(&next), Err(BookError::Broken { known }));
            assert_eq!(*feed.book(), before);
        }
    }

    #[test]
    fn a_first_diff_that_begins_after_the_snapshot_is_a_gap() {
        for link in [first(102), Link::After(UpdateId::new(101))] {
            let mut feed = DiffFeed::new(&snapshot()).unwrap();
            let found = feed.apply(&diff(link, 105, &[]));
            assert!(matches!(found, Err(BookError::Gap { .. })), "{link:?}");
        }
    }

    #[test]
    fn without_links_only_the_order_counts() {
        let mut feed = DiffFeed::new(&snapshot()).unwrap();
        assert_eq!(
            feed.apply(&diff(Link::None, 500, &[(99, 6)])),
            Ok(Applied::Changed)
        );
        assert_eq!(feed.apply(&diff(Link::None, 400, &[(99, 1)])), Ok(Applied::Stale));
        assert_eq!(feed.book().size_at(Bid, Ticks::new(99)), Lots::new(6));
    }

    #[test]
    fn a_diff_that_ends_before_it_begins_is_refused() {
        let mut feed = DiffFeed::new(&snapshot()).unwrap();
        let (first_id, last) = (UpdateId::new(104), UpdateId::new(103));
        let found = feed.apply(&diff(first(104), 103, &[]));
        assert_eq!(
            found,
            Err(BookError::Backwards {
                first: first_id,
                last
            })
        );
        assert!(
            feed.apply(&diff(first(101), 103, &[])).is_ok(),
            "the feed goes on"
        );
    }

    #[test]
    fn a_damaged_snapshot_is_refused() {
        for (price, size, problem) in [(99, 1, "twice"), (97, 0, "without size")] {
            let mut damaged = snapshot();
            damaged.bids.push(level(price, size));
            let error = DiffFeed::new(&damaged).unwrap_err().to_string();
            assert!(
                error.contains(&format!("the bid level {price} {problem}")),
                "{error}"
            );
        }
    }
}
