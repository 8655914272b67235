//! Asking a provider, and taking its rows through the rules.

use sextant_domain::{BarSeries, UtcNanos};

use super::{Difference, Origin, RefusedAnswer, SlotRange, UpdateError};
use crate::calendar::{BarSlot, Calendar};
use crate::import::{
    BadRows, COLUMNS, Counts, Defects, Reading, RowSource, StampConvention, Taker, quarantine_path,
};
use crate::lake::StoredBars;
use crate::{
    BarKey, BarProvider, BarRequest, FetchedBar, FetchedBars, Lake, Offer, Progress, ProviderError,
    RowDefect, Rule, commands,
};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The parts that every operation on bars needs.
pub(super) struct Job<'a> {
    pub(super) lake: &'a Lake,
    pub(super) provider: &'a dyn BarProvider,
    pub(super) key: &'a BarKey,
    pub(super) provider_symbol: Option<&'a str>,
    pub(super) bad_rows: BadRows,
    pub(super) offer: Offer,
    pub(super) calendar: Calendar,
    pub(super) now: UtcNanos,
    pub(super) progress: &'a dyn Progress,
}

/// A run of bars to ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) first: BarSlot,
    pub(super) last: BarSlot,
    /// Whether the bar that is forming may come too.
    pub(super) open_ended: OpenEnded,
}

/// Where a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenEnded {
    /// With its last bar.
    No,
    /// Now.
    Yes,
}

/// What became of the answers to one or more requests, oldest first.
pub(super) struct Answer {
    pub(super) asked: Vec<SlotRange>,
    pub(super) origin: Origin,
    pub(super) bars: BarSeries,
    pub(super) defects: Defects,
    pub(super) counts: Counts,
    /// What the provider no longer reaches back to.
    pub(super) lost: Vec<Lost>,
    rows: Vec<FetchedBar>,
}

/// Bars that were to be asked for and that lie before the history of the provider.
pub(super) struct Lost {
    pub(super) range: SlotRange,
    /// The words of the provider.
    pub(super) problem: String,
}

/// What came of several requests.
#[derive(Default)]
struct Collected {
    asked: Vec<SlotRange>,
    source: Option<String>,
    rows: Vec<FetchedBar>,
    lost: Vec<Lost>,
}

impl Wanted {
    pub(super) fn range(&self) -> SlotRange {
        SlotRange {
            first: self.first.open_time,
            last: self.last.open_time,
        }
    }
}

impl Job<'_> {
    /// Asks for runs of bars, oldest first and not overlapping, and takes the rows. Bad rows are in the answer; see
    /// [`refuse_bad`](Self::refuse_bad).
    pub(super) fn fetch(&self, wanted: &[Wanted]) -> Result<Answer, UpdateError> {
        let mut collected = Collected::default();
        for wanted in wanted {
            let fetched = self.ask(wanted)?;
            self.collect(&mut collected, wanted, fetched)?;
        }
        self.take(collected)
    }

    /// As [`fetch`](Self::fetch), but what lies before the history of the provider is left out; it is in the answer as
    /// lost and not as asked.
    pub(super) fn fetch_reachable(&self, wanted: &[Wanted]) -> Result<Answer, UpdateError> {
        let mut collected = Collected::default();
        for wanted in wanted {
            let mut rest = Some(*wanted);
            while let Some(wanted) = rest {
                rest = match self.ask(&wanted) {
                    Ok(fetched) => {
                        self.collect(&mut collected, &wanted, fetched)?;
                        None
                    }
                    Err(UpdateError::Provider(error @ ProviderError::OutOfReach { earliest, .. })) => {
                        let reached = self.reached(&wanted, earliest);
                        collected.lost.push(lost(&wanted, reached.as_ref(), &error));
                        reached
                    }
                    Err(error) => return Err(error),
                };
            }
        }
        self.take(collected)
    }

    fn ask(&self, wanted: &Wanted) -> Result<FetchedBars, UpdateError> {
        let request = self.request(wanted);
        let fetched = self.provider.fetch(&request, self.progress)?;
        self.check_range(&request, &fetched.rows)?;
        Ok(fetched)
    }

    fn collect(
        &self,
        collected: &mut Collected,
        wanted: &Wanted,
        fetched: FetchedBars,
    ) -> Result<(), UpdateError> {
        if let Some(source) = collected
            .source
            .as_ref()
            .filter(|source| **source != fetched.source)
        {
            let problem = format!("it calls its source `{source}` and then `{}`", fetched.source);
            return Err(self.broken(problem));
        }
        collected.source = Some(fetched.source);
        collected.asked.push(wanted.range());
        collected.rows.extend(fetched.rows);
        Ok(())
    }

    /// The later part of a run, of which the first bar is the first one whose request begins at `earliest` or later.
    fn reached(&self, wanted: &Wanted, earliest: UtcNanos) -> Option<Wanted> {
        let after = wanted.first.open_time.saturating_add(1);
        self.closed_slots(after, wanted.last.close_time)
            .map(|first| Wanted { first, ..*wanted })
            .find(|rest| self.first_stamp(&rest.first) >= earliest)
    }

    /// Takes the rows through the rules.
    fn take(&self, collected: Collected) -> Result<Answer, UpdateError> {
        let Collected {
            asked,
            source,
            rows,
            lost,
        } = collected;
        let now = self.settled();
        let mut taker = Taker::new(self.key, self.offer.stamp, RowSource::Provider { now });
        for (number, row) in (1..).zip(&rows) {
            let reading = Reading {
                stamp: row.stamp,
                values: values(row),
            };
            taker.take(number, Ok(reading), &|column| cell(row, column));
        }
        let taken = taker.finish(self.key)?;
        Ok(Answer {
            asked,
            origin: Origin::new(
                self.provider.name(),
                &source.unwrap_or_default(),
                &self.offer.adjustment,
            ),
            bars: taken.bars,
            defects: taken.defects,
            counts: taken.counts,
            lost,
            rows,
        })
    }

    /// An error when there are bad rows and they are to be refused.
    pub(super) fn refuse_bad(&self, answer: &Answer) -> Result<(), UpdateError> {
        let total = answer.defects.rows.len() as u64;
        if total == 0 || self.bad_rows == BadRows::Quarantine {
            return Ok(());
        }
        let placed = |defect: RowDefect| RowDefect {
            column: format!("{} at {}", defect.column, answer.row(defect.row).stamp),
            ..defect
        };
        Err(UpdateError::Rows(Box::new(RefusedAnswer {
            asked: answer.origin.to_string(),
            total,
            by_rule: answer.defects.by_rule(),
            first: answer.defects.first().into_iter().map(placed).collect(),
            quarantine: quarantine_path(self.lake, self.key),
        })))
    }

    /// An error when the stored bars came from elsewhere than this provider and its adjustment.
    pub(super) fn check_offer(&self, stored: &StoredBars) -> Result<Origin, UpdateError> {
        let wanted = || format!("{} with prices `{}`", self.provider.name(), self.offer.adjustment);
        let origin =
            Origin::parse(&stored.meta.source).filter(|_| stored.raw.is_none() && !stored.meta.synthetic);
        let fits = |origin: &Origin| {
            origin.provider == self.provider.name() && origin.adjustment == self.offer.adjustment
        };
        origin
            .filter(fits)
            .ok_or_else(|| self.other_source(stored, wanted()))
    }

    /// An error when the stored bars came from another source than an answer.
    pub(super) fn check_origin(&self, stored: &StoredBars, answer: &Answer) -> Result<(), UpdateError> {
        if self.check_offer(stored)? == answer.origin {
            Ok(())
        } else {
            Err(self.other_source(stored, format!("`{}`", answer.origin)))
        }
    }

    pub(super) fn differs(&self, count: u64, first: Difference) -> UpdateError {
        UpdateError::Differs {
            what: self.key.to_string(),
            provider: self.provider.name().to_owned(),
            count,
            first: Box::new(first),
            command: self.replace_command(),
        }
    }

    /// Says how to go on where stored bars cannot be loaded again; other errors stay as they are.
    pub(super) fn stored_out_of_reach(&self, error: UpdateError) -> UpdateError {
        match error {
            UpdateError::Provider(error @ ProviderError::OutOfReach { .. }) => {
                self.out_of_reach(error.to_string())
            }
            error => error,
        }
    }

    pub(super) fn out_of_reach(&self, problem: String) -> UpdateError {
        UpdateError::StoredOutOfReach {
            what: self.key.to_string(),
            problem,
            command: self.replace_command(),
        }
    }

    pub(super) fn empty(&self, detail: String) -> UpdateError {
        UpdateError::Empty {
            what: self.key.to_string(),
            provider: self.provider.name().to_owned(),
            detail,
        }
    }

    /// The command that puts this provider's bars in the place of those in the lake.
    pub(super) fn replace_command(&self) -> String {
        format!(
            "{} --replace",
            commands::download_bars(self.key, self.provider.name())
        )
    }

    /// The time by which a bar must have closed to be final now.
    pub(super) fn settled(&self) -> UtcNanos {
        self.now
            .saturating_add(-i64::from(self.offer.settling_seconds) * SECOND)
    }

    /// The bars of the calendar between two instants that have closed and settled by now.
    pub(super) fn closed_slots(&self, from: UtcNanos, to: UtcNanos) -> impl Iterator<Item = BarSlot> + '_ {
        self.calendar
            .slots(self.key.timeframe(), from, to.min(self.settled()))
    }

    /// An error when the calendar does not reach a time.
    pub(super) fn check_calendar(&self, time: UtcNanos) -> Result<(), UpdateError> {
        let asked = self.calendar.date_of(time);
        match self.calendar.span() {
            Some((_, last)) if asked > last => Err(UpdateError::BeyondCalendar {
                what: self.key.to_string(),
                last,
                asked,
            }),
            _ => Ok(()),
        }
    }

    /// The stamps of a run of bars. Whatever a provider means by a stamp of theirs, clock hour or session open, it lies
    /// in the request, and no stamp of another bar does.
    fn request(&self, wanted: &Wanted) -> BarRequest {
        let Wanted { first, last, .. } = wanted;
        let start = self.first_stamp(first);
        let end = match self.offer.stamp {
            StampConvention::SessionDate => self.label(last).saturating_add(DAY),
            StampConvention::BarOpen => last.close_time,
            StampConvention::BarEnd => self.window(last).close_time.saturating_add(SECOND),
        };
        let end = match wanted.open_ended {
            OpenEnded::No => end,
            OpenEnded::Yes => end.max(self.now),
        };
        BarRequest {
            key: self.key.clone(),
            provider_symbol: self.provider_symbol.map(str::to_owned),
            start,
            end,
        }
    }

    /// The first stamp that a provider could have for a bar.
    fn first_stamp(&self, slot: &BarSlot) -> UtcNanos {
        match self.offer.stamp {
            StampConvention::SessionDate => self.label(slot),
            StampConvention::BarOpen => self.window(slot).open_time,
            StampConvention::BarEnd => slot.close_time,
        }
    }

    /// Midnight UTC of the date of a bar's session.
    fn label(&self, slot: &BarSlot) -> UtcNanos {
        UtcNanos::from_date(self.calendar.date_of(slot.open_time)).unwrap_or(slot.open_time)
    }

    /// The whole window of the grid that a bar lies in.
    fn window(&self, slot: &BarSlot) -> BarSlot {
        let day = self.calendar.day(self.calendar.date_of(slot.open_time));
        day.and_then(|day| day.slot_at(slot.open_time, self.key.timeframe()))
            .map_or(*slot, |found| found.window)
    }

    fn check_range(&self, request: &BarRequest, rows: &[FetchedBar]) -> Result<(), UpdateError> {
        let BarRequest { start, end, .. } = request;
        match rows.iter().find(|row| row.stamp < *start || row.stamp >= *end) {
            None => Ok(()),
            Some(row) => Err(self.broken(format!(
                "it was asked for stamps from {start} to before {end} and sent a row of {}",
                row.stamp
            ))),
        }
    }

    fn broken(&self, problem: String) -> UpdateError {
        UpdateError::Answer {
            what: self.key.to_string(),
            provider: self.provider.name().to_owned(),
            problem,
        }
    }

    fn other_source(&self, stored: &StoredBars, wanted: String) -> UpdateError {
        UpdateError::OtherSource {
            path: self.lake.bars_path(self.key),
            there: describe(stored),
            wanted,
            command: self.replace_command(),
        }
    }
}

impl Answer {
    /// The bad rows, with number and rule, as lines of a file.
    pub(super) fn bad_lines(&self) -> impl Iterator<Item = (u64, Rule, String)> + '_ {
        self.defects.rows.iter().map(|(number, rule)| {
            let row = self.row(*number);
            let cells: Vec<String> = (0..COLUMNS.len()).map(|column| cell(row, column)).collect();
            (*number, *rule, cells.join(","))
        })
    }

    /// What became of the rows, for messages.
    pub(super) fn summary(&self) -> String {
        let Counts {
            rows_read,
            outside_session,
            forming,
            ..
        } = self.counts;
        let bad = self.defects.rows.len();
        format!(
            "of {rows_read} rows {bad} break rules, {outside_session} lie outside the session and {forming} have not closed"
        )
    }

    fn row(&self, number: u64) -> &FetchedBar {
        let index = usize::try_from(number - 1).expect("row numbers are counted from 1 over rows in memory");
        &self.rows[index]
    }
}

/// The bars of a run before its part that can be had.
fn lost(wanted: &Wanted, reached: Option<&Wanted>, error: &ProviderError) -> Lost {
    let last = reached.map_or(wanted.last.open_time, |reached| {
        reached.first.open_time.saturating_add(-1)
    });
    Lost {
        range: SlotRange {
            first: wanted.first.open_time,
            last,
        },
        problem: error.to_string(),
    }
}

fn values(row: &FetchedBar) -> [f64; 5] {
    [row.open, row.high, row.low, row.close, row.volume]
}

fn cell(row: &FetchedBar, column: usize) -> String {
    match column {
        0 => row.stamp.to_string(),
        column => values(row)[column - 1].to_string(),
    }
}

/// What a file holds, for an error.
fn describe(stored: &StoredBars) -> String {
    let meta = &stored.meta;
    if meta.synthetic {
        return format!("bars that a generator made ({})", meta.source);
    }
    match (Origin::parse(&meta.source), &stored.raw) {
        (Some(origin), None) => format!("bars downloaded as `{origin}`"),
        (_, Some(raw)) => format!("adjusted bars from `{}` ({})", meta.source, raw.adjustment),
        (None, None) => format!("bars from `{}`", meta.source),
    }
}
