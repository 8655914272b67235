//! Columns to the bytes of a sealed Parquet file and back.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{
    Column, DataFrame, DataType, Float64Chunked, Int64Chunked, IntoColumn, KeyValueMetadata, NewChunkedArray,
    ParallelStrategy, ParquetCompression, ParquetReader, ParquetWriter, PolarsError, PolarsResult, SerReader,
    StatisticsOptions, TimeUnit, TimeZone,
};

use super::columns::Columns;
use super::{FileDefect, seal};

/// The key of the file's metadata under which ours stands, as JSON.
const METADATA_KEY: &str = "sextant";

/// Above this many rows columns are decoded in parallel; below, starting threads costs more than it saves.
const PARALLEL_ROWS: usize = 100_000;

/// The sealed Parquet file of some columns.
pub(super) fn encode(columns: &Columns, metadata: String) -> Result<Vec<u8>, String> {
    let mut frame = to_frame(columns).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Lz4Raw)
        .with_statistics(StatisticsOptions::default())
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(vec![(
            METADATA_KEY.to_owned(),
            metadata,
        )])))
        .finish(&mut frame)
        .map_err(|error| error.to_string())?;
    seal::seal(bytes).ok_or_else(|| "the writer did not produce a Parquet file".to_owned())
}

/// The metadata and columns of a sealed Parquet file.
pub(super) fn decode(bytes: &[u8]) -> Result<(String, Columns), FileDefect> {
    seal::check(bytes)?;
    guarded(|| {
        let (metadata, rows) = read_metadata(bytes)?;
        let frame = read_frame(bytes, rows).map_err(unreadable)?;
        Ok((metadata, from_frame(&frame)?))
    })
}

/// The metadata alone; the seal is compared all the same, the columns are not decoded.
pub(super) fn decode_metadata(bytes: &[u8]) -> Result<String, FileDefect> {
    seal::check(bytes)?;
    guarded(|| read_metadata(bytes).map(|(metadata, _)| metadata))
}

/// The metadata and the columns of these names alone, which must be instants.
pub(super) fn decode_times(bytes: &[u8], names: &[&str]) -> Result<(String, Columns), FileDefect> {
    seal::check(bytes)?;
    guarded(|| {
        let (metadata, _) = read_metadata(bytes)?;
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let reader = ParquetReader::new(Cursor::new(bytes)).with_columns(Some(names));
        let frame = reader.set_rechunk(true).finish().map_err(unreadable)?;
        Ok((metadata, from_frame(&frame)?))
    })
}

/// A sealed file does not make the reader panic, but a file with a forged seal might.
fn guarded<T>(read: impl FnOnce() -> Result<T, FileDefect>) -> Result<T, FileDefect> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(FileDefect::Unreadable(
            "the Parquet reader gave up on it".to_owned(),
        ))
    })
}

fn unreadable(error: PolarsError) -> FileDefect {
    FileDefect::Unreadable(error.to_string())
}

fn read_metadata(bytes: &[u8]) -> Result<(String, usize), FileDefect> {
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let file = reader.get_metadata().map_err(unreadable)?;
    let pairs = file.key_value_metadata().iter().flatten();
    let ours = pairs
        .into_iter()
        .find(|pair| pair.key == METADATA_KEY)
        .and_then(|pair| pair.value.clone());
    let ours = ours.ok_or_else(|| FileDefect::Metadata(format!("the key `{METADATA_KEY}` is missing")))?;
    Ok((ours, file.num_rows))
}

fn read_frame(bytes: &[u8], rows: usize) -> PolarsResult<DataFrame> {
    let parallel = if rows > PARALLEL_ROWS {
        ParallelStrategy::Auto
    } else {
        ParallelStrategy::None
    };
    ParquetReader::new(Cursor::new(bytes))
        .read_parallel(parallel)
        .set_rechunk(true)
        .finish()
}

pub(super) fn to_frame(columns: &Columns) -> PolarsResult<DataFrame> {
    let times = columns.times.iter().map(|(name, column)| {
        let chunked = Int64Chunked::from_slice(name.as_str().into(), column);
        chunked
            .into_datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC))
            .into_column()
    });
    let values = columns.values.iter().map(|(name, column)| {
        if column.iter().any(|value| value.is_nan()) {
            let present = column.iter().map(|value| (!value.is_nan()).then_some(*value));
            return Float64Chunked::from_iter_options(name.as_str().into(), present).into_column();
        }
        Float64Chunked::from_slice(name.as_str().into(), column).into_column()
    });
    DataFrame::new(columns.rows(), times.chain(values).collect())
}

fn from_frame(frame: &DataFrame) -> Result<Columns, FileDefect> {
    let mut columns = Columns {
        times: Vec::new(),
        values: Vec::new(),
    };
    for column in frame.columns() {
        let name = column.name().to_string();
        match column.dtype() {
            DataType::Datetime(TimeUnit::Nanoseconds, Some(_)) => {
                columns.times.push((name, time_column(column)?))
            }
            DataType::Float64 => columns.values.push((name, value_column(column)?)),
            _ => {
                return Err(FileDefect::Columns(format!(
                    "`{name}` is neither UTC nanoseconds nor a 64-bit number"
                )));
            }
        }
    }
    Ok(columns)
}

fn time_column(column: &Column) -> Result<Vec<i64>, FileDefect> {
    let times = column.datetime().map_err(unreadable)?.physical();
    let times = times.cont_slice().map_err(unreadable)?;
    Ok(times.to_vec())
}

fn value_column(column: &Column) -> Result<Vec<f64>, FileDefect> {
    let values = column.f64().map_err(unreadable)?;
    match values.cont_slice() {
        Ok(slice) => Ok(slice.to_vec()),
        Err(_) => Ok(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect()),
    }
}
