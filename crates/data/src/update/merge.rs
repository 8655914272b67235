//! Stored and fetched bars together.

use std::fmt;

use sextant_domain::{Bar, BarSeries};

/// How many differences a report keeps.
const LISTED: usize = 10;

/// A bar that the lake and the provider have with other values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The bar in the lake.
    pub stored: Bar,
    /// The bar of the provider.
    pub fetched: Bar,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.stored.open_time;
        write!(
            f,
            "the bar that begins at {time}: the lake has {}, the provider has {}",
            values(&self.stored),
            values(&self.fetched)
        )
    }
}

/// Differences: how many, and the first ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Differences {
    pub(super) count: u64,
    pub(super) first: Vec<Difference>,
}

/// A merge of two series by open time.
pub(super) struct Merged {
    /// In order; where both have a bar, the fetched one.
    pub(super) bars: Vec<Bar>,
    /// Bars that only the provider has.
    pub(super) added: usize,
    /// Bars that only the lake has.
    pub(super) only_stored: usize,
    /// Bars that both have with other values.
    pub(super) differences: Differences,
}

/// Puts two series together.
pub(super) fn merge(stored: &BarSeries, fetched: &BarSeries) -> Merged {
    let mut merged = Merged {
        bars: Vec::with_capacity(stored.len().max(fetched.len())),
        added: 0,
        only_stored: 0,
        differences: Differences::default(),
    };
    let mut stored = stored.iter().peekable();
    for bar in fetched.iter() {
        while let Some(old) = stored.next_if(|old| old.open_time < bar.open_time) {
            merged.only_stored += 1;
            merged.bars.push(old);
        }
        match stored.next_if(|old| old.open_time == bar.open_time) {
            Some(old) if old != bar => merged.differences.add(old, bar),
            Some(_) => {}
            None => merged.added += 1,
        }
        merged.bars.push(bar);
    }
    merged.only_stored += stored.len();
    merged.bars.extend(stored);
    merged
}

impl Differences {
    fn add(&mut self, stored: Bar, fetched: Bar) {
        self.count += 1;
        if self.first.len() < LISTED {
            self.first.push(Difference { stored, fetched });
        }
    }
}

fn values(bar: &Bar) -> String {
    let Bar {
        open,
        high,
        low,
        close,
        volume,
        close_time,
        ..
    } = bar;
    format!("open {open}, high {high}, low {low}, close {close}, volume {volume} until {close_time}")
}
