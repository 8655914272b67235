//! Orders on their way, each with the bar in which it trades and the row at which that is known.

use sextant_domain::{InstrumentId, Quantity, UtcNanos};

use super::axis::Axis;
use crate::venue::{FillConvention, Moment, SILENCE_NANOS, first_from};

/// An order that has not traded yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// Its place among the orders of the run.
    pub(super) order: usize,
    pub(super) instrument: InstrumentId,
    /// Where it trades; `None` when it ends without a market, or the instrument has no such bar.
    pub(super) bar: Option<usize>,
    /// When it trades.
    pub(super) time: UtcNanos,
    /// The row at which its fill or its end is known; the number of rows or more when the run ends before.
    pub(super) row: usize,
}

/// Orders on their way, in the order in which they were sent.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Vec<Waiting>,
    /// By instrument: the bar that orders traded in last and how much, for costs that depend on it.
    traded: Vec<(usize, Quantity)>,
    /// By instrument: where the next bar is looked for from.
    near: Vec<usize>,
}

impl Queue {
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            waiting: Vec::new(),
            traded: vec![(usize::MAX, Quantity::ZERO); instruments],
            near: vec![0; instruments],
        }
    }

    pub(super) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// The earliest row at which a fill or an end is known.
    pub(super) fn next_row(&self) -> Option<usize> {
        self.waiting.iter().map(|one| one.row).min()
    }

    /// Adds an order decided at a row.
    ///
    /// It trades in the first execution bar that begins at or after the decision, or with `same_close` in the first that
    /// closes at or after it, by `latency` bars later. A fill at an open is known at the first row after it, one at a close at
    /// that close. An order ends instead where bars stop before that, as the venue counts it.
    pub(super) fn add(
        &mut self,
        (order, instrument): (usize, InstrumentId),
        decided_row: usize,
        (fills, latency): (FillConvention, usize),
        axis: &Axis<'_>,
    ) {
        let (bars, decided) = (axis.bars(instrument), axis.times()[decided_row]);
        let (opens, closes) = (bars.open_times(), bars.close_times());
        let near = &mut self.near[instrument.index()];
        let first = if fills.takes_the_bar_seen() {
            first_from(closes, *near, decided)
        } else {
            first_from(opens, *near, decided)
        };
        *near = first;
        let bar = Some(first + latency).filter(|bar| *bar < bars.len());
        let (time, row) = match (bar, fills.moment()) {
            (Some(bar), Moment::Open) => (opens[bar], axis.first_after(opens[bar], decided_row + 1)),
            (Some(bar), Moment::Close) if closes[bar] == decided => (decided, decided_row),
            (Some(bar), Moment::Close) => (
                closes[bar],
                axis.first_after(closes[bar].saturating_add(-1), decided_row),
            ),
            (None, _) => (UtcNanos::MAX, axis.len()),
        };
        let waiting = Waiting {
            order,
            instrument,
            bar,
            time,
            row,
        };
        self.waiting.push(match silent_row(&waiting, decided_row, axis) {
            Some(silent) if silent <= row => Waiting {
                bar: None,
                row: silent,
                ..waiting
            },
            _ => waiting,
        });
    }

    /// Takes out the orders of which a row knows more: first those that end, then those that trade, by time, instrument and
    /// order.
    pub(super) fn take_due(&mut self, row: usize) -> Vec<Waiting> {
        let mut due: Vec<Waiting> = self.waiting.extract_if(.., |one| one.row <= row).collect();
        due.sort_by_key(|one| (one.bar.is_some(), one.bar.map(|_| (one.time, one.instrument))));
        due
    }

    /// Takes out the orders that trade at the very close of the row in which they were decided.
    pub(super) fn take_at_once(&mut self, row: usize) -> Vec<Waiting> {
        self.waiting.extract_if(.., |one| one.row == row).collect()
    }

    /// What was traded of a bar before.
    pub(super) fn traded_in(&self, instrument: InstrumentId, bar: usize) -> Quantity {
        let (last, quantity) = self.traded[instrument.index()];
        if last == bar { quantity } else { Quantity::ZERO }
    }

    /// Notes what was traded of a bar in all.
    pub(super) fn note_traded(&mut self, instrument: InstrumentId, bar: usize, quantity: Quantity) {
        self.traded[instrument.index()] = (bar, quantity);
    }
}

/// The first row at which no bar of an order's instrument has closed for [`SILENCE_NANOS`] while the order waited; `None`
/// when there is no such row before the order's bar has closed.
fn silent_row(waiting: &Waiting, decided_row: usize, axis: &Axis<'_>) -> Option<usize> {
    let closes = axis.bars(waiting.instrument).close_times();
    let decided = axis.times()[decided_row];
    let mut known = axis.closed(waiting.instrument, decided_row);
    while waiting.bar.is_none_or(|bar| known <= bar) {
        let newest = known.checked_sub(1).map_or(decided, |newest| closes[newest]);
        let last_quiet = newest.max(decided).saturating_add(SILENCE_NANOS);
        let next = closes.get(known);
        if next.is_none_or(|next| *next > last_quiet) {
            let row = axis.first_after(last_quiet, decided_row);
            if axis
                .times()
                .get(row)
                .is_some_and(|time| next.is_none_or(|next| time < next))
            {
                return Some(row);
            }
        }
        next?;
        known += 1;
    }
    None
}
