//! Orders on their way, each with the bar in which it trades and the row at which that is known.

use sextant_domain::{InstrumentId, Quantity, UtcNanos};

use super::axis::Axis;
use crate::venue::{FillConvention, Moment, first_from};

/// An order that has not traded yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// Its place among the orders of the run.
    pub(super) order: usize,
    pub(super) instrument: InstrumentId,
    /// Where it trades; `None` when the instrument has no such bar.
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

    /// Adds an order decided at `row`.
    ///
    /// It trades in the first execution bar that begins at or after the decision, or with `same_close` in the first that
    /// closes at or after it, by `latency` bars later. A fill at an open is known at the first row after it, one at a close at
    /// that close; an order without a bar ends at the first row after the last bar.
    pub(super) fn add(
        &mut self,
        (order, instrument): (usize, InstrumentId),
        row: usize,
        (fills, latency): (FillConvention, usize),
        axis: &Axis<'_>,
    ) {
        let (bars, decided) = (axis.bars(instrument), axis.times()[row]);
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
            (Some(bar), Moment::Open) => (opens[bar], axis.first_after(opens[bar], row + 1)),
            (Some(bar), Moment::Close) if closes[bar] == decided => (decided, row),
            (Some(bar), Moment::Close) => {
                (closes[bar], axis.first_after(closes[bar].saturating_add(-1), row))
            }
            (None, _) => {
                let last = closes.last().copied().unwrap_or(UtcNanos::MIN);
                (UtcNanos::MAX, axis.first_after(last, row).max(row + 1))
            }
        };
        self.waiting.push(Waiting {
            order,
            instrument,
            bar,
            time,
            row,
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
