//! From a range of time to the pages of a party and back to rows.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::Datelike;
use sextant_data::{FetchedBar, Progress, ProviderError};
use sextant_domain::{Timeframe, UtcNanos};

use crate::ProviderSettings;
use crate::fault::Fault;
use crate::http::{Answer, Fetcher, Finality, Judgement, PageRequest};

const DAY: i64 = Timeframe::D1.nanos();

/// One outside party: where it is, and the way to it.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) name: &'static str,
    /// Scheme and host, without a slash at the end.
    pub(crate) base: String,
    pub(crate) fetcher: Fetcher,
    /// What time it is.
    pub(crate) now: UtcNanos,
}

impl Party {
    /// A party that allows one request each `pace`, at its usual address where the settings have no other one.
    pub(crate) fn new(name: &'static str, base: &str, pace: Duration, settings: &ProviderSettings) -> Self {
        let base = settings.base_url.as_deref().unwrap_or(base);
        Self {
            name,
            base: base.trim_end_matches('/').to_owned(),
            fetcher: Fetcher::new(name, pace, settings.http.clone()),
            now: settings.now,
        }
    }

    /// Asks for one page.
    pub(crate) fn ask<T>(
        &self,
        request: &PageRequest,
        read: impl Fn(&Answer) -> Result<T, Fault>,
    ) -> Result<T, ProviderError> {
        self.fetcher.get(request, |answer| match read(answer) {
            Ok(found) => Judgement::Good(found),
            Err(fault) => fault.judgement(self.name, &request.url),
        })
    }
}

/// A part of the range, whose pages are all kept or all asked for anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: UtcNanos,
    pub(crate) end: UtcNanos,
    pub(crate) finality: Finality,
}

/// The rows of one answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    pub(crate) rows: Vec<FetchedBar>,
    /// What to ask for the page after it with; `None` for the last one.
    pub(crate) next: Option<String>,
}

/// How a party pages the bars of one symbol and timeframe.
pub(crate) trait BarPages {
    /// The request for the first page of a window, or for the one a cursor leads to.
    fn request(&self, window: &Window, cursor: Option<&str>) -> PageRequest;

    /// The rows of an answer. Rows outside of the window may be among them.
    fn read(&self, window: &Window, answer: &Answer) -> Result<Page, Fault>;
}

/// Whether a range has ended more than a day ago.
pub(crate) fn finality(end: UtcNanos, now: UtcNanos) -> Finality {
    if end.saturating_add(DAY) < now {
        Finality::Final
    } else {
        Finality::Changing
    }
}

/// The range as one window or two, cut at the last begin of a month in it that is final. The cut stays where it is from
/// day to day and whatever the end of the range, so that pages kept yesterday are found today.
pub(crate) fn settled_windows(start: UtcNanos, end: UtcNanos, now: UtcNanos) -> Vec<Window> {
    let settled = now.saturating_add(-DAY - 1).min(end).date();
    let month = settled
        .with_day(1)
        .and_then(UtcNanos::from_date)
        .unwrap_or(UtcNanos::MIN);
    let mut cuts = vec![start, month, end];
    cuts.retain(|cut| start <= *cut && *cut <= end);
    cuts.dedup();
    let window = |pair: &[UtcNanos]| Window {
        start: pair[0],
        end: pair[1],
        finality: finality(pair[1], now),
    };
    cuts.windows(2).map(window).collect()
}

/// The range in windows of at most a length, none of which is kept.
pub(crate) fn passing_windows(start: UtcNanos, end: UtcNanos, longest_nanos: i64) -> Vec<Window> {
    let next = |begin: &UtcNanos| Some(begin.saturating_add(longest_nanos)).filter(|begin| *begin < end);
    std::iter::successors(Some(start).filter(|start| *start < end), next)
        .map(|start| Window {
            start,
            end: start.saturating_add(longest_nanos).min(end),
            finality: Finality::Changing,
        })
        .collect()
}

/// All rows of the windows, which follow one another.
///
/// # Errors
/// When a page cannot be had, or times do not increase from row to row and page to page.
pub(crate) fn collect(
    party: &Party,
    pages: &impl BarPages,
    windows: &[Window],
    progress: &dyn Progress,
) -> Result<Vec<FetchedBar>, ProviderError> {
    let mut rows: Vec<FetchedBar> = Vec::new();
    let mut days = Days::start(windows, party.name, progress);
    for window in windows {
        let mut cursors = BTreeSet::new();
        let mut cursor: Option<String> = None;
        loop {
            let request = pages.request(window, cursor.as_deref());
            let last = rows.last().map(|row| row.stamp);
            let page = party.ask(&request, |answer| {
                let page = pages.read(window, answer)?;
                check_cursor(&page, &cursors)?;
                in_window(page, window, last)
            })?;
            rows.extend(page.rows);
            let Some(next) = page.next else { break };
            days.reach(rows.last().map_or(window.start, |row| row.stamp));
            cursors.insert(next.clone());
            cursor = Some(next);
        }
        days.reach(window.end);
    }
    Ok(rows)
}

fn check_cursor(page: &Page, seen: &BTreeSet<String>) -> Result<(), Fault> {
    match page.next.as_ref().filter(|next| seen.contains(*next)) {
        Some(next) => Err(Fault::Shape(format!(
            "the page leads to the next page `{next}`, which was read already; expected a new one"
        ))),
        None => Ok(()),
    }
}

/// Leaves out the rows outside of a window, after a look at the order of all of them.
fn in_window(mut page: Page, window: &Window, last: Option<UtcNanos>) -> Result<Page, Fault> {
    let disorder = |index: usize, found: UtcNanos, before: UtcNanos| {
        Fault::Shape(format!(
            "row {index} has the time {found} and comes after {before}; expected increasing times"
        ))
    };
    let unordered = page
        .rows
        .windows(2)
        .position(|pair| pair[1].stamp <= pair[0].stamp);
    if let Some(index) = unordered {
        let (found, before) = (page.rows[index + 1].stamp, page.rows[index].stamp);
        return Err(disorder(index + 1, found, before));
    }
    page.rows
        .retain(|row| window.start <= row.stamp && row.stamp < window.end);
    match (page.rows.first(), last) {
        (Some(first), Some(last)) if first.stamp <= last => Err(disorder(0, first.stamp, last)),
        _ => Ok(page),
    }
}

/// Progress in days of the range.
struct Days<'a> {
    start: i64,
    done: i64,
    progress: &'a dyn Progress,
}

impl<'a> Days<'a> {
    fn start(windows: &[Window], name: &str, progress: &'a dyn Progress) -> Self {
        let start = windows.first().map_or(0, |window| window.start.day_number());
        let end = windows.last().map_or(start, |window| window.end.day_number());
        let days = u64::try_from(end - start).unwrap_or(0);
        progress.start(days, &format!("days from {name}"));
        Self {
            start,
            done: 0,
            progress,
        }
    }

    fn reach(&mut self, stamp: UtcNanos) {
        let reached = (stamp.day_number() - self.start).max(self.done);
        self.progress
            .advance(u64::try_from(reached - self.done).unwrap_or(0));
        self.done = reached;
    }
}

/// A text as it can stand in a path or a query, by RFC 3986: all but unreserved characters as `%` and two digits.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Whole seconds since the epoch, rounded towards the past.
pub(crate) fn seconds_floor(time: UtcNanos) -> i64 {
    time.nanos().div_euclid(1_000_000_000)
}

/// The first midnight UTC at an instant or after it.
pub(crate) fn midnight_ceil(time: UtcNanos) -> UtcNanos {
    let past = time.nanos().rem_euclid(DAY);
    if past == 0 {
        time
    } else {
        time.saturating_add(DAY - past)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::support::{bar, time};

    fn page(stamps: &[&str]) -> Page {
        Page {
            rows: stamps.iter().map(|stamp| bar(time(stamp), 1.0)).collect(),
            next: None,
        }
    }

    #[test]
    fn a_range_is_cut_at_the_last_final_month() {
        let now = time("2025-06-15T12:00:00Z");
        let cut = |start: &str, end: &str| -> Vec<(String, String, Finality)> {
            settled_windows(time(start), time(end), now)
                .iter()
                .map(|window| {
                    (
                        window.start.date().to_string(),
                        window.end.date().to_string(),
                        window.finality,
                    )
                })
                .collect()
        };
        let row = |start: &str, end: &str, finality| (start.to_owned(), end.to_owned(), finality);
        let (old, new) = (Finality::Final, Finality::Changing);
        assert_eq!(
            cut("2020-01-01", "2025-06-14"),
            [
                row("2020-01-01", "2025-06-01", old),
                row("2025-06-01", "2025-06-14", old)
            ]
        );
        assert_eq!(
            cut("2020-01-01", "2025-06-01"),
            [row("2020-01-01", "2025-06-01", old)]
        );
        assert_eq!(
            cut("2020-01-01", "2025-06-15"),
            [
                row("2020-01-01", "2025-06-01", old),
                row("2025-06-01", "2025-06-15", new)
            ]
        );
        assert_eq!(
            cut("2025-06-03", "2025-06-20"),
            [row("2025-06-03", "2025-06-20", new)]
        );
        assert_eq!(cut("2025-06-03", "2025-06-03"), []);
        assert_eq!(cut("2025-06-04", "2025-06-03"), []);
    }

    #[test]
    fn on_the_first_of_a_month_the_month_before_is_not_yet_final() {
        for now in [
            "2025-06-01T00:00:00Z",
            "2025-06-01T23:59:59Z",
            "2025-06-02T00:00:00Z",
        ] {
            let windows = settled_windows(time("2020-01-01"), time("2025-07-01"), time(now));
            let ends: Vec<_> = windows
                .iter()
                .map(|window| (window.end, window.finality))
                .collect();
            assert_eq!(
                ends,
                [
                    (time("2025-05-01"), Finality::Final),
                    (time("2025-07-01"), Finality::Changing)
                ],
                "{now}"
            );
        }
    }

    #[test]
    fn passing_windows_cover_the_range_once() {
        let windows = passing_windows(time("2025-01-01"), time("2025-01-16T06:00:00Z"), 7 * DAY);
        let ends: Vec<String> = windows.iter().map(|window| window.end.to_string()).collect();
        assert_eq!(
            ends,
            [
                "2025-01-08T00:00:00Z",
                "2025-01-15T00:00:00Z",
                "2025-01-16T06:00:00Z"
            ]
        );
        assert!(windows.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(windows.iter().all(|window| window.finality == Finality::Changing));
        assert!(passing_windows(time("2025-01-01"), time("2025-01-01"), DAY).is_empty());
    }

    #[test]
    fn disorder_is_refused_and_rows_outside_are_left_out() {
        let window = Window {
            start: time("2025-01-02"),
            end: time("2025-01-04"),
            finality: Finality::Final,
        };
        let kept = in_window(
            page(&["2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04"]),
            &window,
            None,
        )
        .unwrap();
        assert_eq!(kept, page(&["2025-01-02", "2025-01-03"]));
        for (stamps, last) in [
            (["2025-01-02", "2025-01-02"], None),
            (["2025-01-03", "2025-01-02"], None),
            (["2025-01-09", "2025-01-08"], None),
            (["2025-01-02", "2025-01-03"], Some("2025-01-02")),
        ] {
            let result = in_window(page(&stamps), &window, last.map(time));
            assert!(
                matches!(result, Err(Fault::Shape(words)) if words.contains("increasing")),
                "{stamps:?}"
            );
        }
    }

    #[test]
    fn texts_are_encoded_for_addresses() {
        assert_eq!(encoded("SPY"), "SPY");
        assert_eq!(encoded("^VIX=X/../&é"), "%5EVIX%3DX%2F..%2F%26%C3%A9");
    }

    #[test]
    fn times_are_rounded() {
        assert_eq!(seconds_floor(UtcNanos::from_nanos(-1)), -1);
        assert_eq!(seconds_floor(UtcNanos::from_nanos(1_999_999_999)), 1);
        assert_eq!(midnight_ceil(time("2025-01-01")), time("2025-01-01"));
        assert_eq!(midnight_ceil(time("2025-01-01T00:00:01Z")), time("2025-01-02"));
    }
}
