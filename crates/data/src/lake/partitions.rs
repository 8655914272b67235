//! Partitioned series: one sealed Parquet file per month of UTC, named by its content, and an index that lists them.
//!
//! A write puts the partitions that are new beside those of the old series and then replaces the index by one rename.
//! Until then the old index lists files that are all still there; afterwards the files that nobody lists any more are
//! removed. A partition is never written over, so one whose bars did not change keeps its file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use super::bars::{self, Prepared};
use super::columns::Columns;
use super::index::{Entry, Index, name_prefix};
use super::month::{Month, months};
use super::{BarMeta, FileDefect, Lake, StoredBars, atomic, meta, parquet};
use crate::{BarKey, DataError};

const KIND: &str = "bars_partition";

/// Held in the folder of a symbol while one of its series is written.
const LOCK: &str = ".lock";

/// What a partition says about itself. It follows from the index, and names no source, so that the same bars give the
/// same file wherever they came from.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartitionMeta {
    kind: String,
    format: u32,
    symbol: String,
    asset_class: AssetClass,
    timeframe: Timeframe,
    month: Month,
    rows: usize,
    first: UtcNanos,
    last: UtcNanos,
    synthetic: bool,
    adjustment: String,
    digest: String,
}

impl PartitionMeta {
    fn of(series: &BarMeta, entry: &Entry) -> Self {
        Self {
            kind: KIND.to_owned(),
            format: meta::FORMAT,
            symbol: series.symbol.clone(),
            asset_class: series.asset_class,
            timeframe: series.timeframe,
            month: entry.month,
            rows: entry.rows,
            first: entry.first,
            last: entry.last,
            synthetic: series.synthetic,
            adjustment: series.adjustment.clone(),
            digest: entry.digest.clone(),
        }
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and flags have a JSON form")
    }

    fn title(&self) -> String {
        let Self {
            symbol,
            timeframe,
            asset_class,
            month,
            digest,
            ..
        } = self;
        format!("{symbol} {timeframe} ({asset_class}) of {month} with the digest {digest}")
    }
}

impl Lake {
    /// Writes the partitions that are not there yet, then the index, then removes what is no longer listed.
    pub(super) fn write_partitioned(&self, key: &BarKey, prepared: Prepared) -> Result<BarMeta, DataError> {
        let folder = self.root.join(key.symbol_folder());
        fs::create_dir_all(&folder).map_err(DataError::io("create the folder", &folder))?;
        let _lock = lock(&folder)?;
        let Prepared { meta, columns } = prepared;
        let times: Vec<_> = columns.times[0]
            .1
            .iter()
            .copied()
            .map(UtcNanos::from_nanos)
            .collect();
        let mut index = Index {
            bars: meta,
            partitions: Vec::new(),
        };
        for (month, rows) in months(&times) {
            let part = columns.slice(&rows);
            let entry = entry(month, &part, &index.bars);
            write_partition(
                &folder.join(entry.relative_path(key)),
                (&index.bars, &entry),
                &part,
            )?;
            index.partitions.push(entry);
        }
        atomic::replace(&self.bars_path(key), &index.to_bytes())?;
        self.remove_unlisted(key, &folder, &index);
        Ok(index.bars)
    }

    /// Every bar of a partitioned series.
    pub(super) fn load_partitioned(&self, key: &BarKey) -> Result<StoredBars, DataError> {
        self.with_index(key, |index| {
            let mut columns = bars::empty_columns(&index.bars, index.bars.rows);
            for entry in &index.partitions {
                self.append_partition(key, (&index.bars, entry), &mut columns)?;
            }
            // The digest of the whole covers the parts.
            bars::check_digest(&columns, &index.bars, &index.bars.digest)
                .and_then(|()| bars::to_stored(columns, index.bars.clone()))
                .map_err(|defect| self.damaged(key, &self.bars_path(key), defect))
        })
    }

    /// The bars that open in `[from, to)`, from the partitions that may have some.
    pub(super) fn load_partitions_between(
        &self,
        key: &BarKey,
        from: UtcNanos,
        to: UtcNanos,
    ) -> Result<StoredBars, DataError> {
        self.with_index(key, |index| {
            let mut columns = bars::empty_columns(&index.bars, 0);
            for entry in index.overlapping(from, to) {
                let before = columns.rows();
                let path = self.append_partition(key, (&index.bars, entry), &mut columns)?;
                let part = columns.slice(&(before..columns.rows()));
                bars::check_digest(&part, &index.bars, &entry.digest)
                    .map_err(|defect| self.damaged(key, &path, defect))?;
            }
            let stored = bars::to_stored(columns, index.bars.clone())
                .map_err(|defect| self.damaged(key, &self.bars_path(key), defect))?;
            Ok(bars::cut(&stored, from, to))
        })
    }

    /// Works with the index of a series, and once more with a newer one when a file it lists has vanished meanwhile:
    /// then somebody has replaced the series.
    pub(super) fn with_index<T>(
        &self,
        key: &BarKey,
        work: impl Fn(&Index) -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let index = self.read_index(key)?;
        match work(&index) {
            Err(error) if error.is_vanished() => {
                let newer = self.read_index(key)?;
                if newer == index { Err(error) } else { work(&newer) }
            }
            outcome => outcome,
        }
    }

    /// The bytes of a partition, once they are known to be those that the index lists.
    pub(super) fn read_listed(&self, key: &BarKey, path: &Path) -> Result<Vec<u8>, DataError> {
        fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.damaged(key, path, FileDefect::Vanished),
            _ => DataError::io("read", path)(error),
        })
    }

    fn read_index(&self, key: &BarKey) -> Result<Index, DataError> {
        let path = self.bars_path(key);
        let bytes = fs::read(&path).map_err(DataError::io("read", &path))?;
        Index::from_bytes(&bytes, key).map_err(|defect| self.damaged(key, &path, defect))
    }

    fn append_partition(
        &self,
        key: &BarKey,
        (series, entry): (&BarMeta, &Entry),
        columns: &mut Columns,
    ) -> Result<PathBuf, DataError> {
        let path = self.root.join(key.symbol_folder()).join(entry.relative_path(key));
        let bytes = self.read_listed(key, &path)?;
        let appended =
            decode(&bytes, series, entry).and_then(|part| columns.append(&part).map_err(FileDefect::Columns));
        appended.map_err(|defect| self.damaged(key, &path, defect))?;
        Ok(path)
    }

    /// Removes the partitions of `key` that the new index does not list, what killed processes left of them, and the
    /// single file of an older version. The new series stands already: what cannot be removed now is in nobody's way
    /// and goes with the next write.
    fn remove_unlisted(&self, key: &BarKey, folder: &Path, index: &Index) {
        let listed: Vec<_> = index
            .partitions
            .iter()
            .map(|entry| folder.join(entry.relative_path(key)))
            .collect();
        for month in numbered_folders(folder)
            .iter()
            .flat_map(|year| numbered_folders(year))
        {
            for path in paths(&month) {
                if is_partition_of(key, &path) && !listed.contains(&path) {
                    let _ = fs::remove_file(&path);
                }
            }
            // Succeeds only where nothing is left in it.
            let _ = fs::remove_dir(&month).and_then(|()| month.parent().map_or(Ok(()), fs::remove_dir));
        }
        let _ = fs::remove_file(self.root.join(key.single_file()));
    }
}

/// Checks the metadata of a sealed partition against the index.
pub(super) fn check_listed(json: &str, series: &BarMeta, entry: &Entry) -> Result<(), FileDefect> {
    meta::check_format(json)?;
    let found: PartitionMeta =
        serde_json::from_str(json).map_err(|error| FileDefect::Metadata(error.to_string()))?;
    let expected = PartitionMeta::of(series, entry);
    if found == expected {
        return Ok(());
    }
    Err(FileDefect::OtherContent {
        expected: expected.title(),
        found: found.title(),
    })
}

fn decode(bytes: &[u8], series: &BarMeta, entry: &Entry) -> Result<Columns, FileDefect> {
    let (json, columns) = parquet::decode(bytes)?;
    check_listed(&json, series, entry)?;
    Ok(columns)
}

fn entry(month: Month, part: &Columns, series: &BarMeta) -> Entry {
    let ends = part.times[0].1.first().zip(part.times[1].1.last());
    let (first, last) = ends.expect("a month is listed because it has bars");
    Entry {
        month,
        rows: part.rows(),
        first: UtcNanos::from_nanos(*first),
        last: UtcNanos::from_nanos(*last),
        digest: part.digest(&bars::identity(series)),
    }
}

/// Writes a partition unless the same one is there, whole.
fn write_partition(
    path: &Path,
    (series, entry): (&BarMeta, &Entry),
    part: &Columns,
) -> Result<(), DataError> {
    let known = fs::read(path)
        .ok()
        .and_then(|bytes| decode(&bytes, series, entry).ok());
    if known.is_some_and(|known| known.digest(&bars::identity(series)) == entry.digest) {
        return Ok(());
    }
    let json = PartitionMeta::of(series, entry).to_json();
    let bytes = parquet::encode(part, json).map_err(|message| bars::encode_error(path, &message))?;
    atomic::replace(path, &bytes)
}

/// Two writers of one symbol would remove each other's partitions; the second waits. Where locks do not work, nobody
/// does.
fn lock(folder: &Path) -> Result<Option<File>, DataError> {
    let path = folder.join(LOCK);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.map_err(DataError::io("create", &path))?;
    match file.lock() {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(DataError::io("lock", &path)(error)),
    }
}

/// Whether a file is a partition of the series, or half of one under its temporary name.
fn is_partition_of(key: &BarKey, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let visible = name.strip_prefix('.').unwrap_or(&name);
    visible.starts_with(&name_prefix(key)) && (name.ends_with(".parquet") || name.ends_with(".tmp"))
}

fn numbered_folders(folder: &Path) -> Vec<PathBuf> {
    let numbered = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.bytes().all(|byte| byte.is_ascii_digit()) && path.is_dir()
    };
    paths(folder).into_iter().filter(numbered).collect()
}

/// What lies in a folder, by name; nothing when it cannot be read.
fn paths(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
