//! The Parquet files of a series, for readers of their own such as a query engine.

use std::fs;
use std::path::PathBuf;

use sextant_domain::UtcNanos;

use super::index::Entry;
use super::partitions::check_listed;
use super::{BarMeta, FileDefect, Lake, Place, bars, parquet};
use crate::{BarKey, DataError};

const NANOS_PER_MICROSECOND: i64 = 1_000;

/// What a series is and the files that hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesFiles {
    /// Which series.
    pub key: BarKey,
    /// The whole series.
    pub meta: BarMeta,
    /// Its files, oldest first; at least one.
    pub files: Vec<SeriesFile>,
}

/// One Parquet file with bars of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesFile {
    /// The file.
    pub path: PathBuf,
    /// Number of bars.
    pub rows: usize,
    /// Open time of its first bar.
    pub first: UtcNanos,
    /// Close time of its last bar.
    pub last: UtcNanos,
    /// As the index lists it; `None` for a single file.
    listed: Option<Entry>,
}

/// How fine the times of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeGrain {
    /// Every time is a whole number of microseconds.
    Microseconds,
    /// Some time is not.
    Nanoseconds,
}

impl SeriesFile {
    /// Whether it may have bars that open in `[from, to)`.
    pub fn overlaps(&self, from: UtcNanos, to: UtcNanos) -> bool {
        self.first < to && self.last > from
    }
}

impl Lake {
    /// The files of a series, by its index alone, or by the metadata of its single file. Read them only after
    /// [`verify_file`](Self::verify_file).
    ///
    /// # Errors
    /// As [`load_bars`](Self::load_bars), for the index or the single file.
    pub fn series_files(&self, key: &BarKey) -> Result<SeriesFiles, DataError> {
        match self.place(key) {
            Some(Place::Index) => self.with_index(key, |index| {
                let folder = self.root.join(key.symbol_folder());
                let file = |entry: &Entry| SeriesFile {
                    path: folder.join(entry.relative_path(key)),
                    rows: entry.rows,
                    first: entry.first,
                    last: entry.last,
                    listed: Some(entry.clone()),
                };
                Ok(SeriesFiles {
                    key: key.clone(),
                    meta: index.bars.clone(),
                    files: index.partitions.iter().map(file).collect(),
                })
            }),
            Some(Place::File(path)) => {
                let bytes = fs::read(&path).map_err(DataError::io("read", &path))?;
                let meta =
                    bars::meta_from_bytes(&bytes, key).map_err(|defect| self.damaged(key, &path, defect))?;
                let file = SeriesFile {
                    path,
                    rows: meta.rows,
                    first: meta.first,
                    last: meta.last,
                    listed: None,
                };
                Ok(SeriesFiles {
                    key: key.clone(),
                    meta,
                    files: vec![file],
                })
            }
            None => Err(self.missing_bars(key)?),
        }
    }

    /// Compares the seal of a file with its bytes and its metadata with what `series` says of it, and looks how fine its
    /// times are. Prices are not decoded. The file is held in memory meanwhile.
    ///
    /// # Errors
    /// [`DataError::Damaged`] with the file and the command that repairs it; see [`DataError::is_vanished`] for a series
    /// that was replaced meanwhile.
    pub fn verify_file(&self, series: &SeriesFiles, file: &SeriesFile) -> Result<TimeGrain, DataError> {
        let bytes = self.read_listed(&series.key, &file.path)?;
        let grain = parquet::decode_times(&bytes, &bars::TIMES).and_then(|(json, columns)| {
            match &file.listed {
                Some(entry) => check_listed(&json, &series.meta, entry)?,
                None => check_single(&bytes, series)?,
            }
            let mut times = columns.times.iter().flat_map(|(_, times)| times);
            Ok(if times.any(|time| time % NANOS_PER_MICROSECOND != 0) {
                TimeGrain::Nanoseconds
            } else {
                TimeGrain::Microseconds
            })
        });
        grain.map_err(|defect| self.damaged(&series.key, &file.path, defect))
    }
}

fn check_single(bytes: &[u8], series: &SeriesFiles) -> Result<(), FileDefect> {
    let found = bars::meta_from_bytes(bytes, &series.key)?;
    if found.digest == series.meta.digest {
        return Ok(());
    }
    // Another process has replaced the file since its metadata were read: to the reader the old one has vanished.
    Err(FileDefect::Vanished)
}
