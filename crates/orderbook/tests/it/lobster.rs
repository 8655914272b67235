//! LOBSTER: Apple on NASDAQ, 21 June 2012, messages and ten levels.

use sextant_orderbook::{BookSide, Level, Lots, MessageKind, OrderMessage, PriceBook, Ticks};

use crate::rows;

const PUBLISHED_LEVELS: usize = 10;
/// Levels that come into view from below were never messaged, and can lie above the last of those that were published
/// before. Nothing changes by more than one level a message.
const COMPARED_LEVELS: usize = 5;

fn number<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

/// Columns: seconds, type, order, size, price, direction.
fn messages() -> Option<Vec<OrderMessage>> {
    let rows = rows("lobster_aapl_20120621_message10.csv.gz")?;
    let messages = rows.map(|row| OrderMessage {
        kind: MessageKind::from_lobster(number(&row[1])).unwrap(),
        side: if number::<i8>(&row[5]) == 1 {
            BookSide::Bid
        } else {
            BookSide::Ask
        },
        level: Level {
            price: Ticks::new(number(&row[4])),
            size: Lots::new(number(&row[3])),
        },
    });
    Some(messages.collect())
}

/// Columns: price and size of the ask and of the bid, level by level.
fn books() -> Option<Vec<PriceBook>> {
    let rows = rows("lobster_aapl_20120621_orderbook10.csv.gz")?;
    let books = rows.map(|row| {
        let mut book = PriceBook::new();
        for level in 0..PUBLISHED_LEVELS {
            for (side, column) in [(BookSide::Ask, 4 * level), (BookSide::Bid, 4 * level + 2)] {
                let price = Ticks::new(number(&row[column]));
                let size = Lots::new(number(&row[column + 1]));
                book.set(side, Level { price, size });
            }
        }
        book
    });
    Some(books.collect())
}

fn top(book: &PriceBook) -> [Vec<Level>; 2] {
    [BookSide::Bid, BookSide::Ask].map(|side| book.levels(side).take(COMPARED_LEVELS).collect())
}

/// Worked example O01: each message makes the book of its row from the book of the row before.
#[test]
fn o01_each_message_makes_the_next_published_book() {
    let (Some(messages), Some(books)) = (messages(), books()) else {
        return;
    };
    assert_eq!((messages.len(), books.len()), (999, 999));
    let mut equal = 0;
    for (index, message) in messages.iter().enumerate().skip(1) {
        let mut book = books[index - 1].clone();
        message.apply(&mut book).unwrap();
        assert_eq!(top(&book), top(&books[index]), "message {index}: {message:?}");
        equal += 1;
    }
    assert_eq!(equal, 998);
}
