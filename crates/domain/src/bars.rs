//! Bars in columns, and read-only views that end at a point in time.

use thiserror::Error;

use crate::UtcNanos;

/// One bar: the price path of `[open_time, close_time)`, known from `close_time` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Start of the interval.
    pub open_time: UtcNanos,
    /// End of the interval, and the instant from which the bar is available.
    pub close_time: UtcNanos,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded quantity; zero where the source has none.
    pub volume: f64,
}

/// Why one bar cannot enter a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BarDefect {
    /// `close_time` is not after `open_time`.
    #[error("its close time is not after its open time")]
    EmptyInterval,
    /// The bar begins before the one before it has ended.
    #[error("it begins before the bar before it has ended")]
    Overlap,
    /// A price is not a finite positive number.
    #[error("a price is not a finite number above zero")]
    BadPrice,
    /// `high` is below, or `low` above, another price of the bar.
    #[error("high and low do not enclose open and close")]
    OutsideRange,
    /// The volume is negative or not finite.
    #[error("the volume is negative or not a finite number")]
    BadVolume,
}

/// A bar that was refused, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("bar {index} (open time {open_time}) is refused: {defect}")]
pub struct SeriesError {
    /// Index of the bar within the series.
    pub index: usize,
    /// Its open time.
    pub open_time: UtcNanos,
    /// What is wrong.
    pub defect: BarDefect,
}

impl Bar {
    /// What is wrong with the bar taken alone, if anything.
    pub fn defect(&self) -> Option<BarDefect> {
        if self.close_time <= self.open_time {
            return Some(BarDefect::EmptyInterval);
        }
        let prices = [self.open, self.high, self.low, self.close];
        if prices.iter().any(|price| !price.is_finite() || *price <= 0.0) {
            return Some(BarDefect::BadPrice);
        }
        if self.high < self.open.max(self.close) || self.low > self.open.min(self.close) {
            return Some(BarDefect::OutsideRange);
        }
        (!self.volume.is_finite() || self.volume < 0.0).then_some(BarDefect::BadVolume)
    }
}

/// The bars of one instrument and timeframe, oldest first, one contiguous column per field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BarSeries {
    open_time: Vec<UtcNanos>,
    close_time: Vec<UtcNanos>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
}

impl BarSeries {
    /// An empty series with room for `capacity` bars.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            open_time: Vec::with_capacity(capacity),
            close_time: Vec::with_capacity(capacity),
            open: Vec::with_capacity(capacity),
            high: Vec::with_capacity(capacity),
            low: Vec::with_capacity(capacity),
            close: Vec::with_capacity(capacity),
            volume: Vec::with_capacity(capacity),
        }
    }

    /// Collects bars, checking each.
    ///
    /// # Errors
    /// The first bar that is defective or overlaps the one before it.
    pub fn from_bars(bars: impl IntoIterator<Item = Bar>) -> Result<Self, SeriesError> {
        let bars = bars.into_iter();
        let mut series = Self::with_capacity(bars.size_hint().0);
        for bar in bars {
            series.push(bar)?;
        }
        Ok(series)
    }

    /// Appends one bar.
    ///
    /// # Errors
    /// When the bar is defective or begins before the last one has ended; the series is then unchanged.
    pub fn push(&mut self, bar: Bar) -> Result<(), SeriesError> {
        let overlap = self.close_time.last().is_some_and(|last| bar.open_time < *last);
        if let Some(defect) = bar.defect().or(overlap.then_some(BarDefect::Overlap)) {
            return Err(SeriesError {
                index: self.len(),
                open_time: bar.open_time,
                defect,
            });
        }
        self.open_time.push(bar.open_time);
        self.close_time.push(bar.close_time);
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
        self.volume.push(bar.volume);
        Ok(())
    }

    /// The number of bars.
    #[inline]
    pub fn len(&self) -> usize {
        self.close_time.len()
    }

    /// Whether there is no bar.
    pub fn is_empty(&self) -> bool {
        self.close_time.is_empty()
    }

    /// The bar at an index.
    ///
    /// # Panics
    /// When the index is out of range.
    pub fn bar(&self, index: usize) -> Bar {
        self.view().bar(index)
    }

    /// Every bar, oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Bar> + '_ {
        (0..self.len()).map(|index| self.bar(index))
    }

    /// All closes.
    #[inline]
    pub fn closes(&self) -> &[f64] {
        &self.close
    }

    /// All open times.
    #[inline]
    pub fn open_times(&self) -> &[UtcNanos] {
        &self.open_time
    }

    /// All close times.
    #[inline]
    pub fn close_times(&self) -> &[UtcNanos] {
        &self.close_time
    }

    /// All bars as a view.
    #[inline]
    pub fn view(&self) -> BarsView<'_> {
        BarsView {
            open_time: &self.open_time,
            close_time: &self.close_time,
            open: &self.open,
            high: &self.high,
            low: &self.low,
            close: &self.close,
            volume: &self.volume,
        }
    }

    /// The first `count` bars as a view.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline]
    pub fn first(&self, count: usize) -> BarsView<'_> {
        self.view().first(count)
    }
}

/// Bars as slices, oldest first; all slices have the same length.
#[derive(Debug, Clone, Copy)]
pub struct BarsView<'a> {
    /// Start of each bar.
    pub open_time: &'a [UtcNanos],
    /// End of each bar: from here on it is available.
    pub close_time: &'a [UtcNanos],
    /// First prices.
    pub open: &'a [f64],
    /// Highest prices.
    pub high: &'a [f64],
    /// Lowest prices.
    pub low: &'a [f64],
    /// Last prices.
    pub close: &'a [f64],
    /// Traded quantities.
    pub volume: &'a [f64],
}

impl BarsView<'_> {
    /// The bars before an index.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline]
    pub fn first(self, count: usize) -> Self {
        Self {
            open_time: &self.open_time[..count],
            close_time: &self.close_time[..count],
            open: &self.open[..count],
            high: &self.high[..count],
            low: &self.low[..count],
            close: &self.close[..count],
            volume: &self.volume[..count],
        }
    }

    /// The bar at an index.
    ///
    /// # Panics
    /// When there is none.
    #[inline]
    pub fn bar(&self, index: usize) -> Bar {
        Bar {
            open_time: self.open_time[index],
            close_time: self.close_time[index],
            open: self.open[index],
            high: self.high[index],
            low: self.low[index],
            close: self.close[index],
            volume: self.volume[index],
        }
    }

    /// The same without the first `start` bars; empty when there are no others.
    ///
    /// # Panics
    /// When there are fewer than `start`.
    pub fn from(self, start: usize) -> Self {
        Self {
            open_time: &self.open_time[start..],
            close_time: &self.close_time[start..],
            open: &self.open[start..],
            high: &self.high[start..],
            low: &self.low[start..],
            close: &self.close[start..],
            volume: &self.volume[start..],
        }
    }

    /// The number of bars.
    pub fn len(&self) -> usize {
        self.close.len()
    }

    /// Whether there is no bar.
    pub fn is_empty(&self) -> bool {
        self.close.is_empty()
    }

    /// The newest close; `None` when there is no bar.
    pub fn last_close(&self) -> Option<f64> {
        self.close.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(open_time: i64, prices: [f64; 4]) -> Bar {
        let [open, high, low, close] = prices;
        Bar {
            open_time: UtcNanos::from_nanos(open_time),
            close_time: UtcNanos::from_nanos(open_time + 10),
            open,
            high,
            low,
            close,
            volume: 1.0,
        }
    }

    #[test]
    fn each_defect_is_named() {
        let good = bar(0, [2.0, 3.0, 1.0, 2.5]);
        let cases = [
            (
                Bar {
                    close_time: good.open_time,
                    ..good
                },
                BarDefect::EmptyInterval,
            ),
            (
                Bar {
                    low: f64::NAN,
                    ..good
                },
                BarDefect::BadPrice,
            ),
            (Bar { open: 0.0, ..good }, BarDefect::BadPrice),
            (
                Bar {
                    high: f64::INFINITY,
                    ..good
                },
                BarDefect::BadPrice,
            ),
            (Bar { high: 2.4, ..good }, BarDefect::OutsideRange),
            (Bar { low: 2.1, ..good }, BarDefect::OutsideRange),
            (Bar { volume: -1.0, ..good }, BarDefect::BadVolume),
            (
                Bar {
                    volume: f64::NAN,
                    ..good
                },
                BarDefect::BadVolume,
            ),
        ];
        assert_eq!(good.defect(), None);
        for (bar, defect) in cases {
            assert_eq!(bar.defect(), Some(defect), "{bar:?}");
        }
    }

    #[test]
    fn bars_may_touch_but_not_overlap() {
        let mut series = BarSeries::default();
        series.push(bar(0, [1.0; 4])).unwrap();
        series.push(bar(10, [1.0; 4])).unwrap();
        let refused = series.push(bar(15, [1.0; 4])).unwrap_err();
        assert_eq!((refused.index, refused.defect), (2, BarDefect::Overlap));
        assert_eq!(series.len(), 2);
        assert_eq!(series.first(1).len(), 1);
    }
}
