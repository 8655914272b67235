//! What an update asks for: a pure function of what is in the lake, the calendar and the time.

use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use crate::calendar::{BarSlot, Calendar};

/// How many bars before the seam are asked again, to be compared.
const SEAM_BARS: usize = 3;

/// Gaps with at most this many bars between them are asked for together: a page of a provider is longer.
const JOINED_BARS: u64 = 200;

/// A run of bars of the calendar, by the open times of its first and last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotRange {
    /// Open time of the first bar.
    pub first: UtcNanos,
    /// Open time of the last bar.
    pub last: UtcNanos,
}

impl SlotRange {
    /// Whether a bar with this open time is in it.
    pub fn contains(&self, open_time: UtcNanos) -> bool {
        self.first <= open_time && open_time <= self.last
    }
}

/// One request to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedRequest {
    /// The first bar asked for.
    pub first: BarSlot,
    /// The last bar asked for.
    pub last: BarSlot,
    /// How many of the bars are missing; the others are at the seam or between gaps.
    pub missing: u64,
}

impl PlannedRequest {
    /// The bars of the request.
    pub fn range(&self) -> SlotRange {
        SlotRange {
            first: self.first.open_time,
            last: self.last.open_time,
        }
    }
}

/// What an update asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The requests, oldest first; they do not overlap.
    pub requests: Vec<PlannedRequest>,
    /// Bars that are missing and will be asked for.
    pub missing: u64,
    /// Bars that are missing and known not to exist.
    pub remembered: u64,
}

/// Plans an update: every bar of the calendar from the first stored one on that has closed at `now`, is not stored and
/// not among the remembered holes; when one is missing, wherever it is, the last stored bars too, so that a provider that
/// revised its history is seen before anything is merged. `stored` holds the open times of the bars in the lake,
/// increasing; `holes` is increasing and without overlaps. With nothing stored there is nothing to update and the plan
/// is empty.
pub fn plan(
    class: AssetClass,
    timeframe: Timeframe,
    stored: &[UtcNanos],
    holes: &[SlotRange],
    now: UtcNanos,
) -> Plan {
    let Some(first) = stored.first() else {
        return Plan::default();
    };
    let calendar = Calendar::for_class(class);
    let remembered = |slot: &BarSlot| is_hole(holes, slot.open_time);
    let seam = stored[stored.len().saturating_sub(SEAM_BARS)];
    let mut plan = Plan::default();
    let mut stored = stored.iter().peekable();
    let mut since = 0;
    for slot in calendar.slots(timeframe, *first, now) {
        while stored.next_if(|open_time| **open_time < slot.open_time).is_some() {}
        let is_stored = stored.peek() == Some(&&slot.open_time);
        let is_seam = is_stored && seam <= slot.open_time;
        let is_missing = !is_stored && !remembered(&slot);
        plan.remembered += u64::from(!is_stored && !is_missing);
        if is_missing || is_seam {
            plan.ask(slot, since <= JOINED_BARS, u64::from(is_missing));
            since = 0;
        } else {
            since += 1;
        }
    }
    if plan.missing == 0 {
        plan.requests.clear();
    }
    plan
}

impl Plan {
    /// Adds a bar to the last request or to a new one.
    fn ask(&mut self, slot: BarSlot, near: bool, missing: u64) {
        self.missing += missing;
        match self.requests.last_mut().filter(|_| near) {
            Some(request) => {
                request.last = slot;
                request.missing += missing;
            }
            None => self.requests.push(PlannedRequest {
                first: slot,
                last: slot,
                missing,
            }),
        }
    }
}

/// Whether a bar lies in one of the holes, which are increasing and do not overlap.
pub(super) fn is_hole(holes: &[SlotRange], open_time: UtcNanos) -> bool {
    let after = holes.partition_point(|hole| hole.last < open_time);
    holes.get(after).is_some_and(|hole| hole.contains(open_time))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn time(text: &str) -> UtcNanos {
        text.parse().unwrap()
    }

    /// Hours of 2024-01-01 and after, by number.
    fn hour(number: i64) -> UtcNanos {
        time("2024-01-01").saturating_add(number * Timeframe::H1.nanos())
    }

    fn hours(plan: &Plan) -> Vec<(i64, i64, u64)> {
        let number = |time: UtcNanos| (time.nanos() - hour(0).nanos()) / Timeframe::H1.nanos();
        plan.requests
            .iter()
            .map(|request| {
                let SlotRange { first, last } = request.range();
                (number(first), number(last), request.missing)
            })
            .collect()
    }

    fn crypto(stored: impl IntoIterator<Item = i64>, holes: &[(i64, i64)], now: UtcNanos) -> Plan {
        let stored: Vec<UtcNanos> = stored.into_iter().map(hour).collect();
        let holes: Vec<SlotRange> = holes
            .iter()
            .map(|(first, last)| SlotRange {
                first: hour(*first),
                last: hour(*last),
            })
            .collect();
        plan(AssetClass::Crypto, Timeframe::H1, &stored, &holes, now)
    }

    #[test]
    fn nothing_is_asked_before_the_next_bar_has_closed() {
        assert_eq!(crypto(0..10, &[], hour(10)), Plan::default());
        assert_eq!(crypto(0..10, &[], hour(11).saturating_add(-1)), Plan::default());
        assert_eq!(hours(&crypto(0..10, &[], hour(11))), [(7, 10, 1)]);
        assert_eq!(hours(&crypto(0..10, &[], hour(5))), []);
        assert_eq!(hours(&crypto([], &[], hour(5))), []);
    }

    #[test]
    fn the_seam_is_asked_again_when_the_series_grows() {
        assert_eq!(hours(&crypto(0..10, &[], hour(30))), [(7, 29, 20)]);
        assert_eq!(hours(&crypto(0..2, &[], hour(4))), [(0, 3, 2)]);
        assert_eq!(hours(&crypto(0..1, &[], hour(2))), [(0, 1, 1)]);
    }

    #[test]
    fn the_seam_is_asked_again_when_only_gaps_are_filled() {
        let plan = crypto((0..10).chain(15..400), &[], hour(400));
        assert_eq!(hours(&plan), [(10, 14, 5), (397, 399, 0)]);
        assert_eq!((plan.missing, plan.remembered), (5, 0));
        let plan = crypto((0..10).chain(15..40), &[], hour(40));
        assert_eq!(hours(&plan), [(10, 39, 5)]);
        assert_eq!((plan.missing, plan.remembered), (5, 0));
    }

    #[test]
    fn near_gaps_are_joined_and_far_ones_are_not() {
        let near = (0..10).chain(15..215).chain(216..230);
        assert_eq!(hours(&crypto(near, &[], hour(230))), [(10, 229, 6)]);
        let far = (0..10).chain(15..216).chain(217..230);
        assert_eq!(hours(&crypto(far, &[], hour(230))), [(10, 14, 5), (216, 229, 1)]);
        let far_seam = (0..10).chain(15..300);
        assert_eq!(
            hours(&crypto(far_seam, &[], hour(301))),
            [(10, 14, 5), (297, 300, 1)]
        );
    }

    #[test]
    fn remembered_holes_are_not_asked_for() {
        let stored = || (0..10).chain(15..40);
        let plan = crypto(stored(), &[(10, 14)], hour(40));
        assert_eq!((hours(&plan), plan.remembered), (vec![], 5));
        let plan = crypto(stored(), &[(10, 10), (13, 14)], hour(40));
        assert_eq!(
            (hours(&plan), plan.missing, plan.remembered),
            (vec![(11, 39, 2)], 2, 3)
        );
        // A symbol that is gone: its end is remembered, and only the newest days are asked for, beside the seam.
        let plan = crypto(0..40, &[(40, 999)], hour(1_000));
        assert_eq!(hours(&plan), []);
        let plan = crypto(0..40, &[(40, 999)], hour(1_002));
        assert_eq!(hours(&plan), [(37, 39, 0), (1_000, 1_001, 2)]);
    }

    #[test]
    fn the_calendar_tells_missing_from_closed() {
        // 2024-01-01 is a holiday, the 6th and 7th are a weekend.
        let day = |date: &str| {
            Calendar::for_class(AssetClass::Equity)
                .session(date.parse().unwrap())
                .unwrap()
                .open
        };
        let stored: Vec<UtcNanos> = ["2023-12-29", "2024-01-02", "2024-01-03", "2024-01-05"]
            .map(day)
            .to_vec();
        let at = |now: &str| plan(AssetClass::Equity, Timeframe::D1, &stored, &[], time(now));
        let range = |plan: &Plan| {
            plan.requests
                .iter()
                .map(PlannedRequest::range)
                .collect::<Vec<_>>()
        };
        let gap_and_seam = SlotRange {
            first: day("2024-01-02"),
            last: day("2024-01-05"),
        };
        let gap = at("2024-01-08T20:59:59Z");
        assert_eq!((range(&gap), gap.missing), (vec![gap_and_seam], 1));
        let grown = at("2024-01-08T21:00:00Z");
        assert_eq!(grown.missing, 2);
        let whole = SlotRange {
            first: day("2024-01-02"),
            last: day("2024-01-08"),
        };
        assert_eq!(range(&grown), [whole]);
    }
}
