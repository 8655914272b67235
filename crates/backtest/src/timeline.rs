//! The instants at which bars close, in order.

use std::borrow::Cow;

use sextant_domain::{MarketData, SeriesId, UtcNanos};

/// Walks market data from close to close, keeping how many bars of each series are available.
#[derive(Debug)]
pub struct Timeline<'m> {
    instants: Cow<'m, [UtcNanos]>,
    next: usize,
    /// Series that share their close times (a universe of shares) go on together.
    groups: Vec<Group<'m>>,
    available: Vec<usize>,
    closed: Vec<SeriesId>,
}

/// Series with the same close times.
#[derive(Debug)]
struct Group<'m> {
    times: &'m [UtcNanos],
    /// How many of the times have passed.
    passed: usize,
    members: Vec<SeriesId>,
}

impl<'m> Timeline<'m> {
    /// Every instant up to and including `end` at which a bar of any series closes.
    pub fn new(market: &'m MarketData, end: UtcNanos) -> Self {
        let groups = groups(market, end);
        let mut closed = Vec::with_capacity(market.series().len());
        if let [all] = groups.as_slice() {
            closed.extend_from_slice(&all.members);
        }
        Self {
            instants: union(&groups),
            next: 0,
            groups,
            available: vec![0; market.series().len()],
            closed,
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
        if self.groups.len() == 1 {
            // The instants are the times of all series: every one of them goes on, as at every instant.
            self.available.fill(self.next);
        } else {
            self.advance_groups(now);
        }
        Some(now)
    }

    fn advance_groups(&mut self, now: UtcNanos) {
        self.closed.clear();
        let mut closing = 0;
        for group in &mut self.groups {
            if group.times.get(group.passed) == Some(&now) {
                group.passed += 1;
                closing += 1;
                for series in &group.members {
                    self.available[series.index()] = group.passed;
                    self.closed.push(*series);
                }
            }
        }
        if closing > 1 {
            self.closed.sort_unstable();
        }
    }

    /// How many bars of each series have closed by now.
    pub fn available(&self) -> &[usize] {
        &self.available
    }

    /// The series of which a bar closed at this instant, in order of id.
    pub fn closed(&self) -> &[SeriesId] {
        &self.closed
    }
}

/// The union of all close times up to `end`.
pub(crate) fn instants(market: &MarketData, end: UtcNanos) -> Cow<'_, [UtcNanos]> {
    union(&groups(market, end))
}

/// The series, divided by their close times up to `end`.
fn groups(market: &MarketData, end: UtcNanos) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut group_of = Vec::with_capacity(market.series().len());
    for id in (0..market.series().len()).map(SeriesId::from_index) {
        // Series of one calendar have the same times up to any end.
        let known = group_of.get(market.calendar_of(id).index()).copied();
        let group = known.unwrap_or_else(|| {
            let times = market.close_times(id);
            let times = &times[..times.partition_point(|time| *time <= end)];
            let alike = groups.iter().position(|group| group.times == times);
            alike.unwrap_or_else(|| {
                groups.push(Group {
                    times,
                    passed: 0,
                    members: Vec::new(),
                });
                groups.len() - 1
            })
        });
        groups[group].members.push(id);
        group_of.push(group);
    }
    groups
}

/// The union of all close times.
fn union<'m>(groups: &[Group<'m>]) -> Cow<'m, [UtcNanos]> {
    match groups {
        [] => Cow::Borrowed(&[]),
        [only] => Cow::Borrowed(only.times),
        several => {
            let mut all: Vec<UtcNanos> = several.iter().flat_map(|group| group.times).copied().collect();
            all.sort_unstable();
            all.dedup();
            Cow::Owned(all)
        }
    }
}
