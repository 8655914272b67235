//! Bar files.

use std::path::Path;

use sextant_domain::{Bar, BarSeries, BarsView, UtcNanos};

use super::columns::Columns;
use super::meta::FORMAT;
use super::{BarMeta, FileDefect, FileMeta, Provenance, RawBars, StoredBars, atomic, parquet};
use crate::{BarKey, DataError};

const UNADJUSTED: &str = "none: prices are those of the source";
const TIMES: [&str; 2] = ["open_time", "close_time"];
const VALUES: [&str; 5] = ["open", "high", "low", "close", "volume"];
const RAW_VALUES: [&str; 5] = ["raw_open", "raw_high", "raw_low", "raw_close", "raw_volume"];
const FACTOR: &str = "adjustment_factor";

/// Writes bars to a file.
pub(super) fn write(
    path: &Path,
    key: &BarKey,
    (bars, raw): (&BarSeries, Option<&RawBars>),
    provenance: &Provenance,
) -> Result<BarMeta, DataError> {
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
    let json = FileMeta::Bars(meta.clone()).to_json();
    let bytes = parquet::encode(&columns, json).map_err(|message| encode_error(path, &message))?;
    atomic::replace(path, &bytes)?;
    Ok(meta)
}

/// Reads and checks the bytes of a file.
pub(super) fn from_bytes(bytes: &[u8], key: &BarKey) -> Result<StoredBars, FileDefect> {
    let (json, mut columns) = parquet::decode(bytes)?;
    let meta = own_meta(FileMeta::from_json(&json)?, key)?;
    let found = columns.digest(&identity(&meta));
    if found != meta.digest {
        return Err(FileDefect::Digest {
            stored: meta.digest,
            found,
        });
    }
    let (bars, raw) = from_columns(&mut columns, &meta.adjustment)?;
    Ok(StoredBars { bars, raw, meta })
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
fn identity(meta: &BarMeta) -> String {
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

fn encode_error(path: &Path, message: &str) -> DataError {
    DataError::Encode {
        path: path.to_owned(),
        message: message.to_owned(),
    }
}

fn to_columns(bars: &BarSeries, raw: Option<&RawBars>) -> Columns {
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
    let mut expected: Vec<&str> = TIMES.iter().chain(&VALUES).copied().collect();
    if adjusted {
        expected.extend(RAW_VALUES);
        expected.push(FACTOR);
    }
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
