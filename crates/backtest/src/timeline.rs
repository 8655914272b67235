//! The instants at which bars close, in order.

use std::borrow::Cow;

use sextant_domain::{MarketData, SeriesId, UtcNanos};

/// Walks market data from close to close, keeping how many bars of each series are available.
#[derive(Debug)]
pub struct Timeline<'m> {
    market: &'m MarketData,
    instants: Cow<'m, [UtcNanos]>,
    next: usize,
    available: Vec<usize>,
    closed: Vec<SeriesId>,
}

impl<'m> Timeline<'m> {
    /// Every instant up to and including `end` at which a bar of any series closes.
    pub fn new(market: &'m MarketData, end: UtcNanos) -> Self {
        Self {
            market,
            instants: instants(market, end),
            next: 0,
            available: vec![0; market.series().len()],
            closed: Vec::with_capacity(market.series().len()),
        }
    }

    /// The number of instants in all.
    pub fn len(&self) -> usize {
        self.instants.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.instants.is_empty()
    }

    /// Whether the instant reached is the last one.
    pub fn is_at_end(&self) -> bool {
        self.next == self.instants.len()
    }

    /// Goes on to the next instant and returns it; `None` at the end.
    pub fn advance(&mut self) -> Option<UtcNanos> {
        let now = *self.instants.get(self.next)?;
        self.next += 1;
        self.closed.clear();
        for (index, series) in self.market.series().iter().enumerate() {
            let times = series.bars.close_times();
            let count = &mut self.available[index];
            if times.get(*count) == Some(&now) {
                *count += 1;
                self.closed.push(SeriesId::from_index(index));
            }
        }
        Some(now)
    }

    /// How many bars of each series have closed by now.
    pub fn available(&self) -> &[usize] {
        &self.available
    }

    /// The series of which a bar closed at this instant.
    pub fn closed(&self) -> &[SeriesId] {
        &self.closed
    }
}

/// The union of all close times up to `end`. Series that share their times (a universe of shares) are merged once.
pub(crate) fn instants(market: &MarketData, end: UtcNanos) -> Cow<'_, [UtcNanos]> {
    let mut distinct: Vec<&[UtcNanos]> = Vec::new();
    for series in market.series() {
        let times = series.bars.view().close_time;
        let times = &times[..times.partition_point(|time| *time <= end)];
        if !distinct.contains(&times) {
            distinct.push(times);
        }
    }
    match distinct.as_slice() {
        [] => Cow::Borrowed(&[]),
        [only] => Cow::Borrowed(only),
        several => {
            let mut all = several.concat();
            all.sort_unstable();
            all.dedup();
            Cow::Owned(all)
        }
    }
}
