//! Bars of a span.

use std::cmp::Reverse;
use std::fmt;

use duckdb::Connection;
use duckdb::arrow::array::{AsArray, RecordBatch};
use duckdb::arrow::datatypes::{Float64Type, Int64Type};
use sextant_data::{BarKey, Lake, SeriesFile, SeriesFiles, TimeGrain, resample};
use sextant_domain::{Bar, BarSeries, Timeframe, UtcNanos};

use crate::engine::{self, parquet_source};
use crate::{LakeQueryOptions, QueryError, SqlSession, SqlTable};

const NANOS_PER_MICROSECOND: i64 = 1_000;

/// Longer than any bar: what belongs to a bar that opens before the end of a span has opened within this time after it.
const LONGEST_BAR_NANOS: i64 = 2 * Timeframe::D1.nanos();

/// Queries over one lake. Each call sees the lake as it is at that time.
pub struct LakeQuery {
    lake: Lake,
    options: LakeQueryOptions,
    connection: Connection,
}

impl fmt::Debug for LakeQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeQuery")
            .field("lake", &self.lake)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl LakeQuery {
    /// Queries over a lake, whose folder need not exist yet.
    ///
    /// # Errors
    /// When an option is not allowed or DuckDB does not start.
    pub fn new(lake: Lake, options: LakeQueryOptions) -> Result<Self, QueryError> {
        let connection = engine::connect(&options)?;
        Ok(Self {
            lake,
            options,
            connection,
        })
    }

    /// The bars of `key` that open in `[start, end)`, adjusted where the lake's are; there may be none.
    ///
    /// Of a stored series only the files that may have such bars are read: they equal
    /// [`load_bars`](Lake::load_bars) cut to the span, bit for bit. A timeframe that is not stored is resampled on the
    /// calendar of the asset class, from the finer stored series that covers most of the span, of several the coarsest;
    /// the bars equal those of the whole series resampled and cut to the span.
    ///
    /// # Errors
    /// A span that ends before it begins; no bars of this or a finer timeframe; a damaged file among those that are read.
    pub fn query(&self, key: &BarKey, start: UtcNanos, end: UtcNanos) -> Result<BarSeries, QueryError> {
        if end < start {
            return Err(QueryError::Span { start, end });
        }
        let keys = self.lake.bar_keys()?;
        let source = if keys.contains(key) {
            None
        } else {
            self.source_of(key, &keys, (start, end))?
        };
        match source {
            Some(source) => self.unless_replaced(&source, |series| self.resampled(series, key, (start, end))),
            // Where there is no source either, this says what there is and how to get the bars.
            None => self.unless_replaced(key, |series| self.stored(series, start, end)),
        }
    }

    /// Runs one SELECT over everything in the lake; see [`SqlSession`] for the views. A session of its own is made for
    /// it, which verifies every file: for many statements use [`session`](Self::session).
    ///
    /// # Errors
    /// A damaged file, a statement that is no SELECT, an error in it, or more rows than the options allow.
    pub fn sql(&self, select: &str) -> Result<SqlTable, QueryError> {
        self.session()?.run(select)
    }

    /// Verifies every file of the lake and opens them for SQL, as they are now.
    ///
    /// # Errors
    /// A damaged file, or DuckDB does not start.
    pub fn session(&self) -> Result<SqlSession, QueryError> {
        SqlSession::open(&self.lake, &self.options)
    }

    /// Works with the files of a series, and once more with newer ones if it was replaced meanwhile.
    fn unless_replaced<T>(
        &self,
        key: &BarKey,
        work: impl Fn(&SeriesFiles) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let series = self.lake.series_files(key)?;
        work(&series).or_else(|error| {
            let newer = self.lake.series_files(key)?;
            if newer == series { Err(error) } else { work(&newer) }
        })
    }

    /// The stored series to resample from.
    fn source_of(
        &self,
        key: &BarKey,
        keys: &[BarKey],
        (start, end): (UtcNanos, UtcNanos),
    ) -> Result<Option<BarKey>, QueryError> {
        let is_finer = |known: &&BarKey| {
            let same = (known.class(), known.symbol()) == (key.class(), key.symbol());
            same && known.timeframe() < key.timeframe()
        };
        let mut finer: Vec<_> = keys.iter().filter(is_finer).collect();
        finer.sort_by_key(|known| Reverse(known.timeframe()));
        let mut best = None;
        for known in finer {
            let meta = self.lake.series_files(known)?.meta;
            let covered = i128::from(meta.last.min(end).nanos()) - i128::from(meta.first.max(start).nanos());
            if best.as_ref().is_none_or(|(most, _)| covered > *most) {
                best = Some((covered, known.clone()));
            }
        }
        Ok(best.map(|(_, known)| known))
    }

    fn resampled(
        &self,
        series: &SeriesFiles,
        key: &BarKey,
        (start, end): (UtcNanos, UtcNanos),
    ) -> Result<BarSeries, QueryError> {
        let beyond = end.saturating_add(LONGEST_BAR_NANOS);
        let mut bars = self.stored(series, start, beyond)?;
        let (class, from, to) = (key.class(), series.key.timeframe(), key.timeframe());
        let mut made = resample(&bars, class, from, to)?;
        // The last window is left out while bars of it may still come; a later bar says that none will.
        if made
            .report
            .forming
            .is_some_and(|window| window.slot.open_time < end)
            && let Some(next) = self.first_bar_from(series, beyond)?
        {
            bars.push(next).map_err(QueryError::rows(&series.files[0].path))?;
            made = resample(&bars, class, from, to)?;
        }
        let of_span = made
            .bars
            .iter()
            .filter(|bar| (start..end).contains(&bar.open_time));
        BarSeries::from_bars(of_span).map_err(QueryError::rows(&series.files[0].path))
    }

    /// The bars of a stored series that open in `[from, to)`.
    fn stored(&self, series: &SeriesFiles, from: UtcNanos, to: UtcNanos) -> Result<BarSeries, QueryError> {
        let files: Vec<_> = series
            .files
            .iter()
            .filter(|file| file.overlaps(from, to))
            .collect();
        let condition = format!("open_time >= {} AND open_time < {}", instant(from), instant(to));
        self.read(series, &files, (&condition, from..to))
    }

    /// The first bar that opens at `from` or later.
    fn first_bar_from(&self, series: &SeriesFiles, from: UtcNanos) -> Result<Option<Bar>, QueryError> {
        for file in series
            .files
            .iter()
            .filter(|file| file.overlaps(from, UtcNanos::MAX))
        {
            let condition = format!("open_time >= {}", instant(from));
            let bars = self.read(series, &[file], (&condition, from..UtcNanos::MAX))?;
            if let Some(first) = bars.iter().next() {
                return Ok(Some(first));
            }
        }
        Ok(None)
    }

    fn read(
        &self,
        series: &SeriesFiles,
        files: &[&SeriesFile],
        (condition, span): (&str, std::ops::Range<UtcNanos>),
    ) -> Result<BarSeries, QueryError> {
        let mut bars = BarSeries::default();
        let Some(first) = files.first() else {
            return Ok(bars);
        };
        let mut grain = TimeGrain::Microseconds;
        for file in files {
            grain = grain.max(self.lake.verify_file(series, file)?);
        }
        if grain == TimeGrain::Nanoseconds {
            // DuckDB's time in UTC has microseconds; such a series is read without it.
            let stored = self.lake.load_bars_between(&series.key, span.start, span.end)?;
            return Ok(stored.bars);
        }
        let source = parquet_source(files.iter().map(|file| file.path.as_path()))?;
        let sql = format!(
            "SELECT epoch_us(open_time), epoch_us(close_time), open, high, low, close, volume \
             FROM {source} WHERE {condition} ORDER BY open_time"
        );
        engine::stream(&self.connection, &sql, |batch| {
            push_all(&mut bars, &batch).map_err(QueryError::rows(&first.path))
        })?;
        Ok(bars)
    }
}

/// An instant as an SQL literal, rounded up to a microsecond: no time between the two is in the file.
fn instant(time: UtcNanos) -> String {
    let nanos = time.nanos();
    let is_between = nanos.rem_euclid(NANOS_PER_MICROSECOND) != 0;
    let micros = nanos.div_euclid(NANOS_PER_MICROSECOND) + i64::from(is_between);
    let rounded = UtcNanos::from_nanos(micros.saturating_mul(NANOS_PER_MICROSECOND));
    format!(
        "TIMESTAMPTZ '{}+00'",
        rounded.datetime().format("%Y-%m-%d %H:%M:%S%.6f")
    )
}

fn push_all(bars: &mut BarSeries, batch: &RecordBatch) -> Result<(), sextant_domain::SeriesError> {
    let [open_time, close_time] = [0, 1].map(|index| batch.column(index).as_primitive::<Int64Type>());
    let [open, high, low, close, volume] =
        [2, 3, 4, 5, 6].map(|index| batch.column(index).as_primitive::<Float64Type>());
    let nanos = |micros: i64| UtcNanos::from_nanos(micros.saturating_mul(NANOS_PER_MICROSECOND));
    for row in 0..batch.num_rows() {
        bars.push(Bar {
            open_time: nanos(open_time.value(row)),
            close_time: nanos(close_time.value(row)),
            open: open.value(row),
            high: high.value(row),
            low: low.value(row),
            close: close.value(row),
            volume: volume.value(row),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rounded_up() {
        for (nanos, text) in [
            (0, "1970-01-01 00:00:00.000000"),
            (1, "1970-01-01 00:00:00.000001"),
            (-1, "1970-01-01 00:00:00.000000"),
            (-1_000, "1969-12-31 23:59:59.999999"),
            (1_577_836_800_000_001_000, "2020-01-01 00:00:00.000001"),
        ] {
            assert_eq!(
                instant(UtcNanos::from_nanos(nanos)),
                format!("TIMESTAMPTZ '{text}+00'")
            );
        }
        assert!(instant(UtcNanos::MAX).contains("2262-04-11"));
        assert!(instant(UtcNanos::MIN).contains("1677-09-21"));
    }
}
