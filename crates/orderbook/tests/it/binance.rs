//! Binance: five minutes of 8 August 2024, spot and futures, with the best prices that the venue published beside them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use sextant_orderbook::{
    Applied, BookSide, Diff, DiffFeed, Grid, Level, Link, PriceBook, Snapshot, UpdateId,
};

use crate::rows;

/// Best bid and ask.
type Top = [Option<Level>; 2];

/// Rows of one message.
struct Message {
    kind: String,
    last_update: UpdateId,
    first_update: Option<UpdateId>,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// Columns: local time, time of the venue, kind, side, price, quantity, update id, first update id. Rows of one message
/// stand together. Trades are left out.
fn messages(file: &str) -> Option<Vec<Message>> {
    // Fine enough for spot and futures.
    let grid = Grid::new(Decimal::new(1, 2), Decimal::new(1, 8)).unwrap();
    let mut messages: Vec<Message> = Vec::new();
    let mut key = csv::StringRecord::new();
    for row in rows(file)?.filter(|row| &row[2] != "trade") {
        let row_key = csv::StringRecord::from(vec![&row[0], &row[2], &row[6]]);
        if row_key != key {
            key = row_key;
            messages.push(Message {
                kind: row[2].to_owned(),
                last_update: UpdateId::new(row[6].parse().unwrap()),
                first_update: row[7].parse().ok().map(UpdateId::new),
                bids: Vec::new(),
                asks: Vec::new(),
            });
        }
        let level = grid
            .level(row[4].parse().unwrap(), row[5].parse().unwrap())
            .unwrap();
        let message = messages.last_mut().unwrap();
        match &row[3] {
            "b" => message.bids.push(level),
            "a" => message.asks.push(level),
            other => panic!("side {other}"),
        }
    }
    Some(messages)
}

fn top(book: &PriceBook) -> Top {
    [BookSide::Bid, BookSide::Ask].map(|side| book.best(side))
}

/// The feed of the only snapshot.
fn begin(messages: &[Message]) -> DiffFeed {
    let mut snapshots = messages.iter().filter(|message| message.kind == "snapshot");
    let snapshot = snapshots.next().unwrap();
    assert!(snapshots.next().is_none());
    DiffFeed::new(&Snapshot {
        last_update: snapshot.last_update,
        bids: snapshot.bids.clone(),
        asks: snapshot.asks.clone(),
    })
    .unwrap()
}

/// How diffs of a recording are numbered.
#[derive(Clone, Copy, PartialEq)]
enum Numbering {
    WithoutHoles,
    /// Of futures; the recording has lost the column that names the diff before.
    Rising,
}

/// How many books stood at the update of a published best bid and ask; all have to be equal.
fn compared(file: &str, numbering: Numbering) -> Option<usize> {
    let messages = messages(file)?;
    let mut published: BTreeMap<UpdateId, Top> = BTreeMap::new();
    for message in messages.iter().filter(|message| message.kind == "bbo") {
        let best = [message.bids.first().copied(), message.asks.first().copied()];
        published.entry(message.last_update).or_insert(best);
    }
    let mut feed = begin(&messages);
    let mut compared = 0;
    for message in messages.iter().filter(|message| message.kind == "depth") {
        let diff = Diff {
            last_update: message.last_update,
            link: match (numbering, message.first_update) {
                (Numbering::WithoutHoles, Some(first)) => Link::First(first),
                (Numbering::WithoutHoles, None) => panic!("a diff without its first update"),
                (Numbering::Rising, _) => Link::None,
            },
            bids: message.bids.clone(),
            asks: message.asks.clone(),
        };
        let is_new = feed.apply(&diff).unwrap() == Applied::Changed;
        if let Some(best) = published.get(&diff.last_update).filter(|_| is_new) {
            assert_eq!(top(feed.book()), *best, "{file}, update {}", diff.last_update);
            compared += 1;
        }
    }
    assert!(!feed.book().is_crossed());
    Some(compared)
}

/// Worked example O02: the top of the book is the best bid and ask that the venue published for the same update.
#[test]
fn o02_the_top_of_the_book_is_what_the_venue_published() {
    for (file, numbering, expected) in [
        (
            "binance_spot_btcusdt_20240808_l2.csv.gz",
            Numbering::WithoutHoles,
            564,
        ),
        (
            "binance_spot_ethusdt_20240808_l2.csv.gz",
            Numbering::WithoutHoles,
            577,
        ),
        ("binance_usdm_btcusdt_20240808_l2.csv.gz", Numbering::Rising, 629),
    ] {
        let Some(compared) = compared(file, numbering) else {
            return;
        };
        assert_eq!(compared, expected, "{file}");
    }
}

/// The same recording without one of its diffs.
#[test]
fn a_diff_that_is_lost_on_the_way_is_a_gap() {
    let Some(messages) = messages("binance_spot_btcusdt_20240808_l2.csv.gz") else {
        return;
    };
    let mut feed = begin(&messages);
    let diffs = messages.iter().filter(|message| message.kind == "depth");
    let found: Vec<_> = diffs
        .enumerate()
        .filter(|(index, _)| *index != 100)
        .map(|(_, message)| {
            feed.apply(&Diff {
                last_update: message.last_update,
                link: Link::First(message.first_update.unwrap()),
                bids: Vec::new(),
                asks: Vec::new(),
            })
        })
        .collect();
    assert!(found[..100].iter().all(Result::is_ok));
    assert!(found[100..].iter().all(Result::is_err));
}
