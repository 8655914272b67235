//! What single orders do to the levels of a book.

use crate::book::PriceBook;
use crate::error::BookError;
use crate::level::{BookSide, Level};

/// What happened, in the terms of LOBSTER, whose messages come from NASDAQ's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A limit order came.
    Add,
    /// A part of an order was cancelled.
    Reduce,
    /// An order was cancelled.
    Delete,
    /// A visible order traded.
    Execute,
    /// A hidden order traded; nothing visible changes.
    ExecuteHidden,
    /// An auction traded; nothing visible changes.
    Cross,
    /// Trading stopped or began again; nothing visible changes.
    Halt,
}

impl MessageKind {
    /// The kind of a code, 1 to 7.
    ///
    /// # Errors
    /// [`BookError::MessageKind`] for any other.
    ///
    /// Source: LOBSTER, *Output structure*, event types.
    pub const fn from_lobster(code: u8) -> Result<Self, BookError> {
        Ok(match code {
            1 => Self::Add,
            2 => Self::Reduce,
            3 => Self::Delete,
            4 => Self::Execute,
            5 => Self::ExecuteHidden,
            6 => Self::Cross,
            7 => Self::Halt,
            found => return Err(BookError::MessageKind { found }),
        })
    }
}

/// A message about one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderMessage {
    /// What happened.
    pub kind: MessageKind,
    /// The side of the order that rests.
    pub side: BookSide,
    /// The price of the order, and the size that came, went or traded.
    pub level: Level,
}

impl OrderMessage {
    /// Changes the level of the order.
    ///
    /// # Errors
    /// More leaves the level than rests there, or a sum beyond 64 bits; the book has not changed then.
    pub fn apply(&self, book: &mut PriceBook) -> Result<(), BookError> {
        match self.kind {
            MessageKind::Add => book.add(self.side, self.level),
            MessageKind::Reduce | MessageKind::Delete | MessageKind::Execute => {
                book.take(self.side, self.level)
            }
            MessageKind::ExecuteHidden | MessageKind::Cross | MessageKind::Halt => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::level::{Lots, Ticks};

    #[test]
    fn messages_move_the_level_of_their_order() {
        let mut book = PriceBook::new();
        // Kind, size, and what then rests at the price.
        for (code, size, rests) in [
            (1, 10, 10),
            (1, 5, 15),
            (2, 3, 12),
            (4, 2, 10),
            (5, 9, 10),
            (3, 10, 0),
        ] {
            let message = OrderMessage {
                kind: MessageKind::from_lobster(code).unwrap(),
                side: BookSide::Ask,
                level: Level {
                    price: Ticks::new(100),
                    size: Lots::new(size),
                },
            };
            message.apply(&mut book).unwrap();
            assert_eq!(book.size_at(BookSide::Ask, Ticks::new(100)), Lots::new(rests));
        }
        assert_eq!(book, PriceBook::new());
    }

    #[test]
    fn other_codes_are_refused() {
        for code in [0, 8, 255] {
            assert_eq!(
                MessageKind::from_lobster(code),
                Err(BookError::MessageKind { found: code })
            );
        }
    }
}
