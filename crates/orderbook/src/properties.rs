//! What holds for every book and every feed.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::{
    Applied, BookError, BookSide, Diff, DiffFeed, Level, Link, Lots, PriceBook, Snapshot, Ticks, UpdateId,
};

fn level() -> impl Strategy<Value = Level> {
    (-20_i64..20, 0_u64..6).prop_map(|(price, size)| Level {
        price: Ticks::new(price),
        size: Lots::new(size),
    })
}

fn side() -> impl Strategy<Value = BookSide> {
    prop_oneof![Just(BookSide::Bid), Just(BookSide::Ask)]
}

fn changes() -> impl Strategy<Value = Vec<(BookSide, Level)>> {
    prop::collection::vec((side(), level()), 3..80)
}

fn empty_feed() -> DiffFeed {
    let snapshot = Snapshot {
        last_update: UpdateId::new(0),
        bids: Vec::new(),
        asks: Vec::new(),
    };
    DiffFeed::new(&snapshot).unwrap()
}

/// One diff of changes, the updates after `before` up to `last`.
fn diff(changes: &[(BookSide, Level)], before: u64, last: u64) -> Diff {
    let of = |wanted: BookSide| {
        let those = changes.iter().filter(move |(side, _)| *side == wanted);
        those.map(|(_, level)| *level).collect()
    };
    Diff {
        last_update: UpdateId::new(last),
        link: Link::First(UpdateId::new(before + 1)),
        bids: of(BookSide::Bid),
        asks: of(BookSide::Ask),
    }
}

proptest! {
    #[test]
    fn a_book_is_what_was_set_last(changes in changes()) {
        let mut book = PriceBook::new();
        let mut last = BTreeMap::new();
        for (side, level) in changes {
            book.set(side, level);
            last.insert((side.name(), level.price), level.size);
        }
        for side in [BookSide::Bid, BookSide::Ask] {
            let levels: Vec<_> = book.levels(side).collect();
            let is_ordered = levels.windows(2).all(|pair| match side {
                BookSide::Bid => pair[0].price > pair[1].price,
                BookSide::Ask => pair[0].price < pair[1].price,
            });
            prop_assert!(is_ordered, "{levels:?}");
            prop_assert!(levels.iter().all(|level| last[&(side.name(), level.price)] == level.size));
            let there = last.iter().filter(|((name, _), size)| *name == side.name() && size.get() > 0);
            prop_assert_eq!(levels.len(), there.count());
        }
    }

    #[test]
    fn what_was_added_can_be_taken_and_leaves_nothing(changes in changes()) {
        let mut book = PriceBook::new();
        for (side, level) in &changes {
            book.add(*side, *level).unwrap();
        }
        for (side, level) in changes.iter().rev() {
            book.take(*side, *level).unwrap();
        }
        prop_assert_eq!(book, PriceBook::new());
    }

    #[test]
    fn how_updates_are_cut_into_diffs_does_not_matter(changes in changes(), cut in 0_usize..80) {
        let cut = 1 + cut % (changes.len() - 1);
        let (first, count) = (cut as u64, changes.len() as u64);
        let mut whole = empty_feed();
        whole.apply(&diff(&changes, 0, count)).unwrap();
        let mut parts = empty_feed();
        parts.apply(&diff(&changes[..cut], 0, first)).unwrap();
        parts.apply(&diff(&changes[cut..], first, count)).unwrap();
        prop_assert_eq!(whole.book(), parts.book());
    }

    #[test]
    fn any_lost_diff_is_noticed(changes in changes(), lost in 0_usize..80) {
        let lost = lost % (changes.len() - 1);
        let mut feed = empty_feed();
        for (index, change) in changes.iter().enumerate().filter(|(index, _)| *index != lost) {
            let number = index as u64;
            let found = feed.apply(&diff(&[*change], number, number + 1));
            if index < lost {
                prop_assert_eq!(found, Ok(Applied::Changed));
            } else {
                let is_refused = matches!(found, Err(BookError::Gap { .. } | BookError::Broken { .. }));
                prop_assert!(is_refused, "{:?}", found);
            }
        }
    }
}
