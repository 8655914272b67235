//! The steps of a run as rows, and which bar of each instrument is the newest at each row.

use std::borrow::Cow;
use std::ops::Range;

use sextant_domain::{BarSeries, InstrumentId, MarketData, SeriesId, UtcNanos};

use crate::timeline::instants;
use crate::venue::first_from;

/// The rows of a run: one per step of trading. Steps before the start, in which features warm up, have none.
#[derive(Debug)]
pub(super) struct Axis<'m> {
    instants: Cow<'m, [UtcNanos]>,
    /// How many instants lie before the start of trading.
    warm_up: usize,
    execution: Vec<Execution<'m>>,
    /// Per series: whether one of its bars closes at each instant.
    aligned: Vec<bool>,
    /// How many bars have closed by each row, one table per calendar of bars that is not the axis itself.
    tables: Vec<Vec<u32>>,
}

/// The bars on which an instrument's orders fill.
#[derive(Debug, Clone, Copy)]
struct Execution<'m> {
    bars: &'m BarSeries,
    closed: Closed,
}

#[derive(Debug, Clone, Copy)]
enum Closed {
    /// One bar closes at each instant.
    WithEachInstant,
    /// As the table with this number says.
    Table(usize),
}

impl<'m> Axis<'m> {
    /// The instants up to `end` at which a bar of any series closes; those after `start` are rows.
    pub(super) fn new(market: &'m MarketData, start: UtcNanos, end: UtcNanos) -> Self {
        let instants = instants(market, end);
        let warm_up = instants.partition_point(|time| *time <= start);
        let mut axis = Self {
            aligned: aligned(market, &instants),
            instants,
            warm_up,
            execution: Vec::new(),
            tables: Vec::new(),
        };
        let mut known: Vec<(SeriesId, usize)> = Vec::new();
        for (id, _) in market.instruments().iter() {
            let series = market.execution_series(id);
            let closed = if axis.is_calendar_of(series) {
                Closed::WithEachInstant
            } else {
                axis.closed_by_row(market, series, &mut known)
            };
            let bars = &market.get(series).bars;
            axis.execution.push(Execution { bars, closed });
        }
        axis
    }

    /// Finds or makes the table of the calendar of a series.
    fn closed_by_row(
        &mut self,
        market: &MarketData,
        series: SeriesId,
        known: &mut Vec<(SeriesId, usize)>,
    ) -> Closed {
        let calendar = market.calendar_of(series);
        if let Some((_, table)) = known.iter().find(|(other, _)| *other == calendar) {
            return Closed::Table(*table);
        }
        let close_times = market.close_times(series);
        let mut count = 0;
        let rows = self.times().iter().map(|now| {
            while close_times.get(count).is_some_and(|close| close <= now) {
                count += 1;
            }
            u32::try_from(count).expect("a series has fewer than four billion bars")
        });
        let table = rows.collect();
        known.push((calendar, self.tables.len()));
        self.tables.push(table);
        Closed::Table(self.tables.len() - 1)
    }

    /// Whether one bar of a series closes at each instant.
    pub(super) fn is_calendar_of(&self, series: SeriesId) -> bool {
        self.aligned[series.index()]
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.instants.len() - self.warm_up
    }

    /// How many instants lie before the first row.
    pub(super) fn warm_up(&self) -> usize {
        self.warm_up
    }

    /// The instant of each row.
    pub(super) fn times(&self) -> &[UtcNanos] {
        &self.instants[self.warm_up..]
    }

    /// The first row after an instant, looked for from a row on; the number of rows when there is none.
    pub(super) fn first_after(&self, time: UtcNanos, from: usize) -> usize {
        first_from(self.times(), from, time.saturating_add(1))
    }

    /// Reads what a decision in an instrument at a row will need: its time, and the open of the next bar. Several waits for
    /// memory then pass at once instead of one after another, and while the rows before are worked.
    #[inline]
    pub(super) fn read_ahead(&self, instrument: InstrumentId, row: usize) {
        let next = self.closed(instrument, row);
        let bars = self.bars(instrument);
        let times = (
            self.times().get(row).copied(),
            bars.open_times().get(next).copied(),
        );
        std::hint::black_box((times, bars.view().open.get(next).copied()));
    }

    /// The execution bars of an instrument.
    pub(super) fn bars(&self, instrument: InstrumentId) -> &'m BarSeries {
        self.execution[instrument.index()].bars
    }

    /// How many execution bars of an instrument have closed by a row.
    #[inline]
    pub(super) fn closed(&self, instrument: InstrumentId, row: usize) -> usize {
        match self.execution[instrument.index()].closed {
            Closed::WithEachInstant => self.warm_up + row + 1,
            Closed::Table(table) => self.tables[table][row] as usize,
        }
    }

    /// The newest close of an instrument at a row; NaN before its first bar.
    #[inline]
    pub(super) fn price(&self, instrument: InstrumentId, row: usize) -> f64 {
        let closed = self.closed(instrument, row);
        let closes = self.execution[instrument.index()].bars.closes();
        closed.checked_sub(1).map_or(f64::NAN, |newest| closes[newest])
    }

    /// Adds `units x price` of an instrument at each of `rows` to `sums`.
    pub(super) fn add_values(
        &self,
        (instrument, units): (InstrumentId, f64),
        rows: Range<usize>,
        sums: &mut [f64],
    ) {
        match self.execution[instrument.index()].closed {
            Closed::WithEachInstant => {
                let bars = self.warm_up + rows.start..self.warm_up + rows.end;
                let closes = &self.execution[instrument.index()].bars.closes()[bars];
                for (sum, close) in sums.iter_mut().zip(closes) {
                    *sum += units * close;
                }
            }
            Closed::Table(_) => {
                for (sum, row) in sums.iter_mut().zip(rows) {
                    *sum += units * self.price(instrument, row);
                }
            }
        }
    }
}

/// Per series: whether one of its bars closes at each instant.
fn aligned(market: &MarketData, instants: &[UtcNanos]) -> Vec<bool> {
    let mut aligned: Vec<bool> = Vec::with_capacity(market.series().len());
    for id in (0..market.series().len()).map(SeriesId::from_index) {
        let known = aligned.get(market.calendar_of(id).index()).copied();
        let is_aligned = || {
            let times = market.close_times(id).get(..instants.len());
            // Where all series share one calendar the instants are borrowed from it, and need not be compared.
            times.is_some_and(|times| std::ptr::eq(times, instants) || times == instants)
        };
        aligned.push(known.unwrap_or_else(is_aligned));
    }
    aligned
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sextant_domain::Timeframe;
    use sextant_testkit::{MarketBuilder, bars};

    use super::*;

    #[test]
    fn the_newest_bar_of_each_instrument_is_found_at_each_row() {
        let start = bars::instant("2020-01-06");
        let days = bars::round_the_clock(start, Timeframe::D1, 4);
        let quarters = bars::round_the_clock(start, Timeframe::H4, 24);
        let fine: Vec<f64> = (1..=24).map(f64::from).collect();
        let market = MarketBuilder::new()
            .crypto("A", Timeframe::H4)
            .closes("A", Timeframe::H4, &quarters, &fine)
            .crypto("B", Timeframe::D1)
            .closes("B", Timeframe::D1, &days, &[100.0, 200.0, 300.0, 400.0])
            .build();
        let start = quarters[2].close_time;
        let axis = Axis::new(&market, start, UtcNanos::MAX);
        let id = InstrumentId::from_index;
        assert_eq!((axis.len(), axis.warm_up()), (21, 3));
        let prices = |row| (axis.price(id(0), row), axis.price(id(1), row));
        assert_eq!(prices(0).0, 4.0);
        assert!(prices(1).1.is_nan());
        assert_eq!(prices(2), (6.0, 100.0));
        assert_eq!(prices(20), (24.0, 400.0));
        let mut sums = [1.0; 3];
        axis.add_values((id(0), 2.0), 2..5, &mut sums);
        axis.add_values((id(1), -1.0), 2..5, &mut sums);
        assert_eq!(sums, [-87.0, -85.0, -83.0]);
        assert_eq!(axis.first_after(axis.times()[5], 0), 6);
        assert_eq!(axis.first_after(UtcNanos::MAX, 0), 21);
    }
}
