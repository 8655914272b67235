//! The market data of a run: instruments, bar series and macro series.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{BarSeries, InstrumentId, InstrumentTable, SeriesId, Timeframe, UtcNanos};

/// One bar series of the run.
#[derive(Debug, Clone)]
pub struct Series {
    /// The instrument.
    pub instrument: InstrumentId,
    /// The timeframe.
    pub timeframe: Timeframe,
    /// The bars.
    pub bars: BarSeries,
}

/// A value series outside the bars (yield-curve slope, PMI, VIX), ordered by the time each value was published.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MacroSeries {
    name: String,
    published: Vec<UtcNanos>,
    values: Vec<f64>,
}

/// What is wrong with a macro series.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum MacroError {
    /// Two columns of different length.
    #[error("macro series {name}: {published} publication times, but {values} values")]
    Length {
        /// The series.
        name: String,
        /// Number of times.
        published: usize,
        /// Number of values.
        values: usize,
    },
    /// Times that do not increase.
    #[error("macro series {name}: publication time {time} at row {row} is not after the one before it")]
    Order {
        /// The series.
        name: String,
        /// The row.
        row: usize,
        /// The time found.
        time: UtcNanos,
    },
    /// A value that is not finite.
    #[error("macro series {name}: the value at row {row} is {value}, but must be a finite number")]
    Value {
        /// The series.
        name: String,
        /// The row.
        row: usize,
        /// The value found.
        value: f64,
    },
}

impl MacroSeries {
    /// Checks the columns and makes the series.
    ///
    /// # Errors
    /// When the columns differ in length, times do not strictly increase, or a value is not finite.
    pub fn new(
        name: impl Into<String>,
        published: Vec<UtcNanos>,
        values: Vec<f64>,
    ) -> Result<Self, MacroError> {
        let name = name.into();
        if published.len() != values.len() {
            return Err(MacroError::Length {
                name,
                published: published.len(),
                values: values.len(),
            });
        }
        if let Some(row) = (1..published.len()).find(|&row| published[row] <= published[row - 1]) {
            return Err(MacroError::Order {
                name,
                row,
                time: published[row],
            });
        }
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            return Err(MacroError::Value {
                name,
                row,
                value: values[row],
            });
        }
        Ok(Self {
            name,
            published,
            values,
        })
    }

    /// The name by which models and regimes ask for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Publication times, strictly increasing.
    pub fn published(&self) -> &[UtcNanos] {
        &self.published
    }

    /// The values, one per publication time.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The number of values published at or before `as_of`.
    pub fn available(&self, as_of: UtcNanos) -> usize {
        self.published.partition_point(|time| *time <= as_of)
    }
}

/// Why market data could not be put together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MarketError {
    /// The same instrument and timeframe twice.
    #[error("the series {symbol} {timeframe} is given twice")]
    DuplicateSeries {
        /// The instrument.
        symbol: String,
        /// The timeframe.
        timeframe: Timeframe,
    },
    /// An instrument without bars in the timeframe that fills its orders.
    #[error("{symbol} has no {timeframe} bars, but its orders are to be filled on them")]
    NoExecutionSeries {
        /// The instrument.
        symbol: String,
        /// Its execution timeframe.
        timeframe: Timeframe,
    },
    /// The same macro series twice.
    #[error("the macro series {name} is given twice")]
    DuplicateMacro {
        /// The series.
        name: String,
    },
}

/// All data of a run. Immutable once made; shared by reference.
#[derive(Debug, Clone, Default)]
pub struct MarketData {
    instruments: InstrumentTable,
    series: Vec<Series>,
    macros: Vec<MacroSeries>,
    execution: Vec<SeriesId>,
    /// Per series: the first one with the same open and close times.
    calendars: Vec<SeriesId>,
}

impl MarketData {
    /// Puts instruments and series together and finds each instrument's execution series.
    ///
    /// # Errors
    /// When a series is given twice or an instrument has no bars in its execution timeframe.
    pub fn new(
        instruments: InstrumentTable,
        series: Vec<Series>,
        macros: Vec<MacroSeries>,
    ) -> Result<Self, MarketError> {
        for (index, one) in series.iter().enumerate() {
            let same =
                |other: &Series| (other.instrument, other.timeframe) == (one.instrument, one.timeframe);
            if series[..index].iter().any(same) {
                let symbol = instruments.get(one.instrument).symbol.clone();
                return Err(MarketError::DuplicateSeries {
                    symbol,
                    timeframe: one.timeframe,
                });
            }
        }
        for (index, one) in macros.iter().enumerate() {
            if macros[..index].iter().any(|other| other.name == one.name) {
                return Err(MarketError::DuplicateMacro {
                    name: one.name.clone(),
                });
            }
        }
        let execution = instruments
            .iter()
            .map(|(id, instrument)| {
                find_series(&series, id, instrument.execution).ok_or_else(|| MarketError::NoExecutionSeries {
                    symbol: instrument.symbol.clone(),
                    timeframe: instrument.execution,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            instruments,
            calendars: calendars(&series),
            series,
            macros,
            execution,
        })
    }

    /// The instruments.
    pub fn instruments(&self) -> &InstrumentTable {
        &self.instruments
    }

    /// Every series, by [`SeriesId`].
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// One series.
    ///
    /// # Panics
    /// When the id is not of this market.
    #[inline]
    pub fn get(&self, id: SeriesId) -> &Series {
        &self.series[id.index()]
    }

    /// The series of an instrument and timeframe, where there is one.
    pub fn series_id(&self, instrument: InstrumentId, timeframe: Timeframe) -> Option<SeriesId> {
        find_series(&self.series, instrument, timeframe)
    }

    /// The series whose bars fill an instrument's orders.
    #[inline]
    pub fn execution_series(&self, instrument: InstrumentId) -> SeriesId {
        self.execution[instrument.index()]
    }

    /// The first series whose bars open and close at the very same instants as those of this one: itself, where there is none
    /// before.
    #[inline]
    pub fn calendar_of(&self, id: SeriesId) -> SeriesId {
        self.calendars[id.index()]
    }

    /// When the bars of a series open, read from the first series of its calendar: what many series share stays at hand.
    #[inline]
    pub fn open_times(&self, id: SeriesId) -> &[UtcNanos] {
        self.get(self.calendar_of(id)).bars.open_times()
    }

    /// When the bars of a series close, as [`open_times`](Self::open_times).
    #[inline]
    pub fn close_times(&self, id: SeriesId) -> &[UtcNanos] {
        self.get(self.calendar_of(id)).bars.close_times()
    }

    /// Every macro series.
    pub fn macros(&self) -> &[MacroSeries] {
        &self.macros
    }
}

/// Per series: the first one with the same open and close times.
fn calendars(series: &[Series]) -> Vec<SeriesId> {
    let mut known: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    let calendar = |(index, one): (usize, &Series)| {
        let (opens, closes) = (one.bars.open_times(), one.bars.close_times());
        let ends = (closes.first().copied(), closes.last().copied());
        let alike = known.entry((closes.len(), ends)).or_default();
        let same = alike.iter().find(|other| {
            let bars = &series[**other].bars;
            bars.close_times() == closes && bars.open_times() == opens
        });
        let first = same.copied().unwrap_or_else(|| {
            alike.push(index);
            index
        });
        SeriesId::from_index(first)
    };
    series.iter().enumerate().map(calendar).collect()
}

fn find_series(series: &[Series], instrument: InstrumentId, timeframe: Timeframe) -> Option<SeriesId> {
    series
        .iter()
        .position(|one| one.instrument == instrument && one.timeframe == timeframe)
        .map(SeriesId::from_index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bar;

    #[test]
    fn series_with_the_same_times_share_a_calendar() {
        let bars = |closes: &[i64], length: i64| {
            let bar = |close: &i64| Bar {
                open_time: UtcNanos::from_nanos(close - length),
                close_time: UtcNanos::from_nanos(*close),
                open: 1.0,
                high: 1.0,
                low: 1.0,
                close: 1.0,
                volume: 0.0,
            };
            BarSeries::from_bars(closes.iter().map(bar)).unwrap()
        };
        let columns = [
            (&[2, 4, 9][..], 1),
            (&[2, 5, 9], 1),
            (&[2, 4, 9], 1),
            (&[2, 4], 1),
            (&[2, 4, 9], 2),
            (&[2, 5, 9], 1),
            (&[], 1),
            (&[], 2),
        ];
        let series = columns.map(|(closes, length)| Series {
            instrument: InstrumentId::from_index(0),
            timeframe: Timeframe::D1,
            bars: bars(closes, length),
        });
        let found = calendars(&series).into_iter().map(SeriesId::index);
        assert_eq!(found.collect::<Vec<_>>(), [0, 1, 0, 3, 4, 1, 6, 6]);
    }

    #[test]
    fn macro_values_wait_for_publication() {
        let times = [10, 20].map(UtcNanos::from_nanos).to_vec();
        let series = MacroSeries::new("pmi", times.clone(), vec![50.0, 51.0]).unwrap();
        let counts = [9, 10, 19, 20, 99].map(|at| series.available(UtcNanos::from_nanos(at)));
        assert_eq!(counts, [0, 1, 1, 2, 2]);
        assert!(MacroSeries::new("pmi", times.clone(), vec![50.0]).is_err());
        assert!(MacroSeries::new("pmi", times.clone(), vec![50.0, f64::NAN]).is_err());
        assert!(MacroSeries::new("pmi", vec![times[1], times[0]], vec![50.0, 51.0]).is_err());
    }
}
