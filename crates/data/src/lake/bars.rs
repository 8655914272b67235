//! Bar files.

use std::path::Path;

use sextant_domain::{Bar, BarSeries, BarsView, UtcNanos};

use super::columns::Columns;
use super::meta::FORMAT;
use super::{BarMeta, FileDefect, FileMeta, Provenance, RawBars, StoredBars, atomic, parquet};
use crate::{BarKey, DataError};

const UNADJUSTED: &str = "none: prices are those of the source";
pub(super) const TIMES: [&str; 2] = ["open_time", "close_time"];
const VALUES: [&str; 5] = ["open", "high", "low", "close", "volume"];
const RAW_VALUES: [&str; 5] = ["raw_open", "raw_high", "raw_low", "raw_close", "raw_volume"];
const FACTOR: &str = "adjustment_factor";

/// Bars that can be written, whatever the layout.
pub(super) struct Prepared {
    pub(super) meta: BarMeta,
    pub(super) columns: Columns,
}

/// Checks bars and says what they are; `path` is where they shall lie.
pub(super) fn prepare(
    path: &Path,
    key: &BarKey,
    (bars, raw): (&BarSeries, Option<&RawBars>),
    provenance: &Provenance,
) -> Result<Prepared, DataError> {
    let view = bars.view();
    let (Some(first), Some(last)) = (view.open_time.first(), view.close_time.last()) else {
        return Err(encode_error(path, "there are no bars"));
    };
    if raw.is_some_and(|raw| !fits(bars, raw)) {
        return Err(encode_error(
            path,
            "the raw bars have other times than the adjusted ones",
        ));
    }
    let columns = to_columns(bars, raw);
    let mut meta = BarMeta {
        format: FORMAT,
        symbol: key.symbol().to_owned(),
        asset_class: key.class(),
        timeframe: key.timeframe(),
        rows: bars.len(),
        first: *first,
        last: *last,
        source: provenance.source.clone(),
        synthetic: provenance.synthetic,
        adjustment: raw.map_or_else(|| UNADJUSTED.to_owned(), |raw| raw.adjustment.clone()),
        digest: String::new(),
    };
    meta.digest = columns.digest(&identity(&meta));
    Ok(Prepared { meta, columns })
}

/// Writes bars to a file.
pub(super) fn write(path: &Path, prepared: Prepared) -> Result<BarMeta, DataError> {
    let Prepared { meta, columns } = prepared;
    let json = FileMeta::Bars(meta.clone()).to_json();
    let bytes = parquet::encode(&columns, json).map_err(|message| encode_error(path, &message))?;
    atomic::replace(path, &bytes)?;
    Ok(meta)
}

/// Reads and checks the bytes of a file.
pub(super) fn from_bytes(bytes: &[u8], key: &BarKey) -> Result<StoredBars, FileDefect> {
    let (json, columns) = parquet::decode(bytes)?;
    let meta = own_meta(FileMeta::from_json(&json)?, key)?;
    check_digest(&columns, &meta, &meta.digest)?;
    to_stored(columns, meta)
}

/// What the file of `key` says about itself; the bars are not decoded.
pub(super) fn meta_from_bytes(bytes: &[u8], key: &BarKey) -> Result<BarMeta, FileDefect> {
    own_meta(FileMeta::from_json(&parquet::decode_metadata(bytes)?)?, key)
}

/// Compares the digest of columns of the series with the one there should be.
pub(super) fn check_digest(columns: &Columns, series: &BarMeta, stored: &str) -> Result<(), FileDefect> {
    let found = columns.digest(&identity(series));
    if found == stored {
        return Ok(());
    }
    Err(FileDefect::Digest {
        stored: stored.to_owned(),
        found,
    })
}

/// The bars of columns that have the digest they should have.
pub(super) fn to_stored(mut columns: Columns, meta: BarMeta) -> Result<StoredBars, FileDefect> {
    let (bars, raw) = from_columns(&mut columns, &meta.adjustment)?;
    Ok(StoredBars { bars, raw, meta })
}

/// The bars that open in `[from, to)`.
pub(super) fn cut(stored: &StoredBars, from: UtcNanos, to: UtcNanos) -> StoredBars {
    let open_time = stored.bars.view().open_time;
    let begin = open_time.partition_point(|time| *time < from);
    let end = open_time.partition_point(|time| *time < to).max(begin);
    let part = |bars: &BarSeries| {
        BarSeries::from_bars((begin..end).map(|index| bars.bar(index)))
            .expect("a part of a series is a series")
    };
    let raw = stored.raw.as_ref().map(|raw| RawBars {
        bars: part(&raw.bars),
        adjustment_factor: raw.adjustment_factor[begin..end].to_vec(),
        adjustment: raw.adjustment.clone(),
    });
    StoredBars {
        bars: part(&stored.bars),
        raw,
        meta: stored.meta.clone(),
    }
}

/// Columns of the format without a row, with room for `capacity`.
pub(super) fn empty_columns(meta: &BarMeta, capacity: usize) -> Columns {
    let adjusted = meta.adjustment != UNADJUSTED;
    let values = expected_values(adjusted)
        .map(|name| (name.to_owned(), Vec::with_capacity(capacity)))
        .collect();
    let times = TIMES.map(|name| (name.to_owned(), Vec::with_capacity(capacity)));
    Columns {
        times: times.into(),
        values,
    }
}

/// The number columns of the format, in order.
fn expected_values(adjusted: bool) -> impl Iterator<Item = &'static str> {
    let more = if adjusted { &RAW_VALUES[..] } else { &[] };
    VALUES
        .iter()
        .chain(more)
        .copied()
        .chain(adjusted.then_some(FACTOR))
}

fn own_meta(meta: FileMeta, key: &BarKey) -> Result<BarMeta, FileDefect> {
    let found = meta.title();
    match meta {
        FileMeta::Bars(meta) if found == key.to_string() => Ok(meta),
        _ => Err(FileDefect::OtherContent {
            expected: key.to_string(),
            found,
        }),
    }
}

/// What the bars are, beside their values.
pub(super) fn identity(meta: &BarMeta) -> String {
    let BarMeta {
        format,
        symbol,
        asset_class,
        timeframe,
        synthetic,
        adjustment,
        ..
    } = meta;
    format!("bars\n{format}\n{asset_class}\n{symbol}\n{timeframe}\nsynthetic {synthetic}\n{adjustment}")
}

fn fits(bars: &BarSeries, raw: &RawBars) -> bool {
    let (adjusted, traded) = (bars.view(), raw.bars.view());
    adjusted.open_time == traded.open_time
        && adjusted.close_time == traded.close_time
        && raw.adjustment_factor.len() == bars.len()
        && raw
            .adjustment_factor
            .iter()
            .all(|factor| factor.is_finite() && *factor > 0.0)
}

pub(super) fn encode_error(path: &Path, message: &str) -> DataError {
    DataError::Encode {
        path: path.to_owned(),
        message: message.to_owned(),
    }
}

pub(super) fn to_columns(bars: &BarSeries, raw: Option<&RawBars>) -> Columns {
    let view = bars.view();
    let nanos = |times: &[UtcNanos]| times.iter().map(|time| time.nanos()).collect();
    let times = vec![
        (TIMES[0].to_owned(), nanos(view.open_time)),
        (TIMES[1].to_owned(), nanos(view.close_time)),
    ];
    let mut values: Vec<_> = value_columns(&VALUES, view).collect();
    if let Some(raw) = raw {
        values.extend(value_columns(&RAW_VALUES, raw.bars.view()));
        values.push((FACTOR.to_owned(), raw.adjustment_factor.clone()));
    }
    Columns { times, values }
}

fn value_columns<'a>(
    names: &'a [&str; 5],
    view: BarsView<'a>,
) -> impl Iterator<Item = (String, Vec<f64>)> + 'a {
    let columns = [view.open, view.high, view.low, view.close, view.volume];
    names
        .iter()
        .zip(columns)
        .map(|(name, column)| ((*name).to_owned(), column.to_vec()))
}

fn from_columns(columns: &mut Columns, adjustment: &str) -> Result<(BarSeries, Option<RawBars>), FileDefect> {
    let adjusted = columns.values.iter().any(|(name, _)| name == FACTOR);
    check_names(columns, adjusted)?;
    let open_time = columns.take_times(TIMES[0]).unwrap_or_default();
    let close_time = columns.take_times(TIMES[1]).unwrap_or_default();
    let mut series = |names: &[&str; 5]| {
        let values = names.map(|name| columns.take_values(name).unwrap_or_default());
        to_series(&open_time, &close_time, &values).map_err(FileDefect::Bars)
    };
    let bars = series(&VALUES)?;
    let traded = adjusted.then(|| series(&RAW_VALUES)).transpose()?;
    let raw = traded.map(|bars| RawBars {
        bars,
        adjustment_factor: columns.take_values(FACTOR).unwrap_or_default(),
        adjustment: adjustment.to_owned(),
    });
    Ok((bars, raw))
}

/// The columns must be exactly those of the format, in its order.
fn check_names(columns: &Columns, adjusted: bool) -> Result<(), FileDefect> {
    let expected: Vec<&str> = TIMES.into_iter().chain(expected_values(adjusted)).collect();
    let times = columns.times.iter().map(|(name, _)| name.as_str());
    let found: Vec<&str> = times
        .chain(columns.values.iter().map(|(name, _)| name.as_str()))
        .collect();
    if found == expected {
        Ok(())
    } else {
        Err(FileDefect::Columns(found.join(", ")))
    }
}

fn to_series(
    open_time: &[UtcNanos],
    close_time: &[UtcNanos],
    [open, high, low, close, volume]: &[Vec<f64>; 5],
) -> Result<BarSeries, sextant_domain::SeriesError> {
    let bar = |index: usize| Bar {
        open_time: open_time[index],
        close_time: close_time[index],
        open: open[index],
        high: high[index],
        low: low[index],
        close: close[index],
        volume: volume[index],
    };
    BarSeries::from_bars((0..open_time.len()).map(bar))
}
