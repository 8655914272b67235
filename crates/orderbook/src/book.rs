//! A book of price levels.

use std::collections::BTreeMap;

use crate::error::BookError;
use crate::level::{BookSide, Level, Lots, Ticks};

/// How much rests at each price, on both sides.
///
/// A side may be empty, and the sides may cross: in the middle of a diff, or where a venue's sources disagree, they do.
/// [`Self::is_crossed`] tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceBook {
    bids: BTreeMap<Ticks, Lots>,
    asks: BTreeMap<Ticks, Lots>,
}

impl PriceBook {
    /// An empty book.
    pub const fn new() -> Self {
        Self {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
        }
    }

    /// Replaces what rests at a price; a size of zero takes the level out.
    pub fn set(&mut self, side: BookSide, level: Level) {
        let levels = self.levels_mut(side);
        if level.size == Lots::new(0) {
            levels.remove(&level.price);
        } else {
            levels.insert(level.price, level.size);
        }
    }

    /// Adds to what rests at a price.
    ///
    /// # Errors
    /// [`BookError::Overflow`]; nothing has changed then.
    pub fn add(&mut self, side: BookSide, level: Level) -> Result<(), BookError> {
        let present = self.size_at(side, level.price);
        let sum = present.get().checked_add(level.size.get());
        let size = sum.map(Lots::new).ok_or(BookError::Overflow {
            side,
            price: level.price,
            added: level.size,
            present,
        })?;
        self.set(side, Level { size, ..level });
        Ok(())
    }

    /// Takes from what rests at a price; a level that is used up goes.
    ///
    /// # Errors
    /// [`BookError::TooMuch`] where less rests there; nothing has changed then.
    pub fn take(&mut self, side: BookSide, level: Level) -> Result<(), BookError> {
        let present = self.size_at(side, level.price);
        let rest = present.get().checked_sub(level.size.get());
        let size = rest.map(Lots::new).ok_or(BookError::TooMuch {
            side,
            price: level.price,
            taken: level.size,
            present,
        })?;
        self.set(side, Level { size, ..level });
        Ok(())
    }

    /// What rests at a price; zero where nothing does.
    pub fn size_at(&self, side: BookSide, price: Ticks) -> Lots {
        self.levels_of(side).get(&price).copied().unwrap_or_default()
    }

    /// The best level; `None` for an empty side.
    pub fn best(&self, side: BookSide) -> Option<Level> {
        self.levels(side).next()
    }

    /// The levels of a side, the best one first.
    pub fn levels(&self, side: BookSide) -> impl Iterator<Item = Level> {
        let (bids, asks) = match side {
            BookSide::Bid => (Some(self.bids.iter().rev()), None),
            BookSide::Ask => (None, Some(self.asks.iter())),
        };
        let levels = bids.into_iter().flatten().chain(asks.into_iter().flatten());
        levels.map(|(&price, &size)| Level { price, size })
    }

    /// The number of levels of a side.
    pub fn depth(&self, side: BookSide) -> usize {
        self.levels_of(side).len()
    }

    /// The best ask less the best bid, in ticks; `None` while a side is empty, and where 64 bits cannot hold it.
    pub fn spread(&self) -> Option<i64> {
        let [bid, ask] = [BookSide::Bid, BookSide::Ask].map(|side| self.best(side));
        ask?.price.get().checked_sub(bid?.price.get())
    }

    /// Whether somebody bids as much as somebody asks, or more: both would have traded.
    pub fn is_crossed(&self) -> bool {
        match (self.best(BookSide::Bid), self.best(BookSide::Ask)) {
            (Some(bid), Some(ask)) => bid.price >= ask.price,
            _ => false,
        }
    }

    fn levels_of(&self, side: BookSide) -> &BTreeMap<Ticks, Lots> {
        match side {
            BookSide::Bid => &self.bids,
            BookSide::Ask => &self.asks,
        }
    }

    fn levels_mut(&mut self, side: BookSide) -> &mut BTreeMap<Ticks, Lots> {
        match side {
            BookSide::Bid => &mut self.bids,
            BookSide::Ask => &mut self.asks,
        }
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

    fn book() -> PriceBook {
        let mut book = PriceBook::new();
        for (side, price, size) in [(Bid, 98, 7), (Bid, 99, 5), (Ask, 102, 3), (Ask, 101, 4)] {
            book.set(side, level(price, size));
        }
        book
    }

    #[test]
    fn the_best_price_comes_first() {
        let book = book();
        assert_eq!(book.levels(Bid).collect::<Vec<_>>(), [level(99, 5), level(98, 7)]);
        assert_eq!(
            book.levels(Ask).collect::<Vec<_>>(),
            [level(101, 4), level(102, 3)]
        );
        assert_eq!((book.spread(), book.depth(Bid)), (Some(2), 2));
    }

    #[test]
    fn sizes_add_up_and_an_empty_level_goes() {
        let mut book = book();
        book.add(Bid, level(99, 6)).unwrap();
        assert_eq!(book.size_at(Bid, Ticks::new(99)), Lots::new(11));
        book.take(Bid, level(99, 11)).unwrap();
        assert_eq!(book.best(Bid), Some(level(98, 7)));
        book.set(Ask, level(101, 0));
        assert_eq!(book.best(Ask), Some(level(102, 3)));
    }

    #[test]
    fn more_than_there_is_cannot_be_taken() {
        let mut book = book();
        let before = book.clone();
        let error = book.take(Ask, level(101, 5)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("5 lots cannot leave the ask level 101, where 4 rest")
        );
        assert!(matches!(
            book.take(Ask, level(100, 1)),
            Err(BookError::TooMuch { .. })
        ));
        assert!(matches!(
            book.add(Ask, level(101, u64::MAX)),
            Err(BookError::Overflow { .. })
        ));
        assert_eq!(book, before);
    }

    #[test]
    fn an_empty_side_has_no_best_and_no_spread() {
        let mut book = PriceBook::new();
        book.set(Bid, level(99, 5));
        assert_eq!(
            (book.best(Ask), book.spread(), book.is_crossed()),
            (None, None, false)
        );
        book.set(Ask, level(99, 1));
        assert!(book.is_crossed());
    }
}
