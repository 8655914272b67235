//! The lake: sealed Parquet files of bar series and macro tables.
//!
//! ```text
//! <root>/equities/SPY_1D.parquet       <root>/crypto/BTC-USD_4H.parquet
//! <root>/fx/EURUSD_1H.parquet          <root>/macro/yield_curve.parquet
//! <root>/equities/SPY/1M.json          <root>/equities/SPY/2020/01/1M-0f3c5a7b9d1e2f40.parquet
//! ```
//!
//! Bars of an hour and coarser are one file per series. Finer ones are partitioned by month of UTC: one file per month,
//! named by its content, and an index that lists them and says what a single file says about itself (see
//! `lake/index.rs`). The digest of a series is that of its bars and does not depend on the layout.
//!
//! Bar files have the columns `open_time`, `close_time` (UTC nanoseconds), `open`, `high`, `low`, `close`, `volume`;
//! where prices are adjusted also `raw_open`, `raw_high`, `raw_low`, `raw_close`, `raw_volume` and `adjustment_factor`.
//! Macro files have `published` and one column per series, null where there was no value.
//!
//! What a file holds and where it comes from stands in the file itself, as JSON under the metadata key `sextant`, so that
//! one rename replaces both; a partitioned series is replaced by the rename of its index. Two checksums protect a file: the
//! seal over the bytes (see the format in `lake/seal.rs`), which is compared before anything is parsed, and the digest over
//! the logical content, by which runs name their data.

mod atomic;
mod bars;
mod columns;
mod defect;
mod files;
mod index;
mod macros;
mod meta;
mod month;
mod parquet;
mod partitions;
mod seal;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sextant_domain::{AssetClass, BarSeries, Instrument, MacroSeries, Timeframe, UtcNanos};

#[cfg(test)]
pub(crate) use atomic::{Step, faults};
pub(crate) use atomic::{remove, replace};
pub use defect::FileDefect;
pub use files::{SeriesFile, SeriesFiles, TimeGrain};
pub use meta::{BarMeta, FileMeta, MacroMeta};

use crate::key::folder;
use crate::resample::{ResampleReport, resample_stored};
use crate::text::listed;
use crate::twins::refuse_case_twin;
use crate::{BarKey, DataError, commands};

const MACRO_FOLDER: &str = "macro";
const ENDING: &str = "parquet";

/// Where data come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The source, in words, such as the name of the file that was imported.
    pub source: String,
    /// Whether the data are made by a generator and never were a market's.
    pub synthetic: bool,
}

/// Bars as traded, beside adjusted ones.
#[derive(Debug, Clone, PartialEq)]
pub struct RawBars {
    /// The raw bars; same times as the adjusted ones.
    pub bars: BarSeries,
    /// Adjusted price / raw price, one per bar.
    pub adjustment_factor: Vec<f64>,
    /// What was adjusted and by what.
    pub adjustment: String,
}

/// The bars of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredBars {
    /// The bars, adjusted where `raw` is there.
    pub bars: BarSeries,
    /// The bars as traded, where `bars` are adjusted.
    pub raw: Option<RawBars>,
    /// What they are and where they come from.
    pub meta: BarMeta,
}

/// The columns of a macro file.
#[derive(Debug, Clone, PartialEq)]
pub struct MacroTable {
    /// When each row was published, strictly increasing.
    pub published: Vec<UtcNanos>,
    /// Series by name, one value per row; NaN where a row has none.
    pub series: Vec<(String, Vec<f64>)>,
    /// How the publication times were found.
    pub publication: String,
}

/// A macro series of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMacro {
    /// The series, without the rows in which it has no value.
    pub series: MacroSeries,
    /// What the file is and where it comes from.
    pub meta: MacroMeta,
}

/// One series or macro table of the lake.
#[derive(Debug)]
pub struct LakeEntry {
    /// Its file, or the index of a partitioned series.
    pub path: PathBuf,
    /// What it holds, after a check of the whole content; or why it is not used.
    pub content: Result<FileMeta, DataError>,
}

/// A folder of bars and macro tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lake {
    root: PathBuf,
}

impl Lake {
    /// The lake of a folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of a bar series, or the index of a partitioned one, whether or not it exists.
    pub fn bars_path(&self, key: &BarKey) -> PathBuf {
        self.root.join(key.relative_path())
    }

    /// The file of a macro table, whether or not it exists.
    ///
    /// # Errors
    /// When the name cannot be a file name.
    pub fn macro_path(&self, name: &str) -> Result<PathBuf, DataError> {
        Instrument::validate_symbol(name)?;
        Ok(self.root.join(MACRO_FOLDER).join(format!("{name}.{ENDING}")))
    }

    /// Every series and macro table, by folder and name, each checked as thoroughly as for loading. A broken one is an
    /// entry with its error. A partitioned series is one entry, that of its index. Hidden files and files with another
    /// ending are not the lake's and are passed over.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn list(&self) -> Result<Vec<LakeEntry>, DataError> {
        let mut entries = Vec::new();
        for class in AssetClass::ALL {
            for (path, key) in self.series(class)? {
                let content = self.inspect_bars(&path, key).map(FileMeta::Bars);
                entries.push(LakeEntry { path, content });
            }
        }
        for path in self.files(MACRO_FOLDER)? {
            let content = macros::load(&path, &stem(&path)).map(|(_, meta)| FileMeta::Macro(meta));
            entries.push(LakeEntry { path, content });
        }
        Ok(entries)
    }

    /// The bar series there are, by the names of the files alone; quick, and says nothing about their content.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn bar_keys(&self) -> Result<Vec<BarKey>, DataError> {
        let mut keys = Vec::new();
        for class in AssetClass::ALL {
            keys.extend(self.series(class)?.into_iter().filter_map(|(_, key)| key));
        }
        Ok(keys)
    }

    /// Loads and checks bars.
    ///
    /// # Errors
    /// [`DataError::Missing`] with what there is, or [`DataError::Damaged`] when the file must not be used.
    pub fn load_bars(
        &self,
        class: AssetClass,
        symbol: &str,
        timeframe: Timeframe,
    ) -> Result<StoredBars, DataError> {
        self.load(&BarKey::new(class, symbol, timeframe)?)
    }

    /// Loads and checks the bars that open in `[from, to)`; there may be none. Of a partitioned series only the partitions
    /// that may have some are read. The metadata are those of the whole series.
    ///
    /// # Errors
    /// As [`load_bars`](Self::load_bars), for the files that are read.
    pub fn load_bars_between(
        &self,
        key: &BarKey,
        from: UtcNanos,
        to: UtcNanos,
    ) -> Result<StoredBars, DataError> {
        match self.place(key) {
            Some(Place::Index) => self.load_partitions_between(key, from, to),
            _ => Ok(bars::cut(&self.load(key)?, from, to)),
        }
    }

    /// Writes bars, replacing those there were. Partitions whose bars did not change are left as they are.
    ///
    /// # Errors
    /// When there are no bars, `raw` does not fit them, the lake has the symbol in another case, or a file cannot be
    /// written; the old bars then stand.
    pub fn write_bars(
        &self,
        key: &BarKey,
        bars: &BarSeries,
        raw: Option<&RawBars>,
        provenance: &Provenance,
    ) -> Result<BarMeta, DataError> {
        refuse_case_twin(self, key)?;
        let path = self.bars_path(key);
        let prepared = bars::prepare(&path, key, (bars, raw), provenance)?;
        if key.is_partitioned() {
            self.write_partitioned(key, prepared)
        } else {
            bars::write(&path, prepared)
        }
    }

    /// Makes the bars of a coarser timeframe from those of `key` and writes them.
    ///
    /// # Errors
    /// When the source cannot be loaded, `to` is not coarser, no window is complete, or the file cannot be written.
    pub fn resample_bars(&self, key: &BarKey, to: Timeframe) -> Result<(BarMeta, ResampleReport), DataError> {
        let stored = self.load(key)?;
        let made = resample_stored(&stored, key.class(), to)?;
        let source = format!(
            "resampled from {} of digest {}; {}",
            key.timeframe(),
            stored.meta.digest,
            stored.meta.source
        );
        let provenance = Provenance {
            source,
            synthetic: stored.meta.synthetic,
        };
        let target = key.with_timeframe(to);
        let meta = self.write_bars(&target, &made.bars, made.raw.as_ref(), &provenance)?;
        Ok((meta, made.report))
    }

    /// Loads and checks a macro series by the name models ask for (`vix`, `yield_curve_10y_3m`, `pmi`), whatever the
    /// file it lies in is called.
    ///
    /// # Errors
    /// [`DataError::Missing`] with what there is, or [`DataError::Damaged`] when the file that holds it, or could hold
    /// it because nobody can tell, must not be used.
    pub fn load_macro(&self, series: &str) -> Result<StoredMacro, DataError> {
        let mut there = Vec::new();
        let mut damaged = None;
        for path in self.files(MACRO_FOLDER)? {
            match macros::series_names(&path, &stem(&path)) {
                Ok(names) if names.iter().any(|name| name == series) => {
                    let (table, meta) = macros::load(&path, &stem(&path))?;
                    return Ok(StoredMacro {
                        series: macros::series(&table, series)?,
                        meta,
                    });
                }
                Ok(names) => there.extend(names),
                Err(error) => damaged = damaged.or(Some(error)),
            }
        }
        Err(damaged.unwrap_or_else(|| DataError::Missing {
            wanted: format!("the macro series {series}"),
            root: self.root.clone(),
            there: listed(there),
            command: commands::import_macro_series(series),
        }))
    }

    /// Writes a macro table, replacing the file there was.
    ///
    /// # Errors
    /// When the table is empty or contradicts itself, or the file cannot be written; the old file then stands.
    pub fn write_macro(
        &self,
        name: &str,
        table: &MacroTable,
        provenance: &Provenance,
    ) -> Result<MacroMeta, DataError> {
        macros::write(&self.macro_path(name)?, name, table, provenance)
    }

    /// Every macro table with its file, each checked as thoroughly as for loading, by name.
    ///
    /// # Errors
    /// When a folder cannot be read, or [`DataError::Damaged`] for the first table that must not be used.
    pub fn macro_files(&self) -> Result<Vec<(PathBuf, MacroMeta)>, DataError> {
        let checked = |path: PathBuf| macros::load(&path, &stem(&path)).map(|(_, meta)| (path, meta));
        self.files(MACRO_FOLDER)?.into_iter().map(checked).collect()
    }

    fn load(&self, key: &BarKey) -> Result<StoredBars, DataError> {
        match self.place(key) {
            Some(Place::Index) => self.load_partitioned(key),
            Some(Place::File(path)) => match self.load_file(&path, key) {
                // A partitioned write has removed the single file meanwhile.
                Err(error) if error.is_not_found() && key.is_partitioned() => self.load_partitioned(key),
                loaded => loaded,
            },
            None => Err(self.missing_bars(key)?),
        }
    }

    /// Where the bars of a key lie; a single file of a partitioned key was written by an older version.
    fn place(&self, key: &BarKey) -> Option<Place> {
        if key.is_partitioned() && self.bars_path(key).is_file() {
            return Some(Place::Index);
        }
        let file = self.root.join(key.single_file());
        file.is_file().then_some(Place::File(file))
    }

    fn load_file(&self, path: &Path, key: &BarKey) -> Result<StoredBars, DataError> {
        let bytes = fs::read(path).map_err(DataError::io("read", path))?;
        bars::from_bytes(&bytes, key).map_err(|defect| self.damaged(key, path, defect))
    }

    fn damaged(&self, key: &BarKey, path: &Path, defect: FileDefect) -> DataError {
        // Where the folder cannot be read either, the import is the only way there is.
        let finer = self.bar_keys().ok().and_then(|keys| finer_than(key, &keys));
        let import = format!(
            "{}; or, where it was downloaded: {} --replace",
            commands::import_bars(key),
            commands::download_bars(key, "<provider>")
        );
        let command = finer.map_or(import.clone(), |finer| {
            let resample = commands::resample_bars(key, finer);
            format!("{import}; or, if it was made from {finer} bars: {resample}")
        });
        DataError::Damaged {
            path: path.to_owned(),
            defect,
            command,
        }
    }

    fn inspect_bars(&self, path: &Path, key: Option<BarKey>) -> Result<BarMeta, DataError> {
        let key = key.ok_or_else(|| DataError::Damaged {
            path: path.to_owned(),
            defect: FileDefect::Name,
            command: "give the file the name of its content, or remove it and import again".to_owned(),
        })?;
        self.load(&key).map(|stored| stored.meta)
    }

    /// The files and indexes of a class by name, each with the key that the name stands for. A single file beside an
    /// index of the same key is left out: nothing reads it.
    fn series(&self, class: AssetClass) -> Result<Vec<(PathBuf, Option<BarKey>)>, DataError> {
        let mut series = self.indexes(class)?;
        let files = self.files(folder(class))?.into_iter().map(|path| {
            let key = BarKey::from_stem(class, &stem(&path));
            (path, key)
        });
        let read = |(_, key): &(PathBuf, Option<BarKey>)| {
            key.as_ref()
                .is_none_or(|key| !matches!(self.place(key), Some(Place::Index)))
        };
        series.extend(files.filter(read));
        series.sort();
        Ok(series)
    }

    fn indexes(&self, class: AssetClass) -> Result<Vec<(PathBuf, Option<BarKey>)>, DataError> {
        let folders = self
            .entries(folder(class))?
            .into_iter()
            .filter(|path| path.is_dir());
        let names = folders.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let keys = names.flat_map(|name| BarKey::of_folder(class, &name));
        Ok(keys
            .map(|key| (self.bars_path(&key), Some(key)))
            .filter(|(path, _)| path.is_file())
            .collect())
    }

    fn missing_bars(&self, key: &BarKey) -> Result<DataError, DataError> {
        let keys = self.bar_keys()?;
        let command = finer_than(key, &keys).map_or_else(
            || commands::import_bars(key),
            |finer| commands::resample_bars(key, finer),
        );
        Ok(DataError::Missing {
            wanted: key.to_string(),
            root: self.root.clone(),
            there: listed(keys.iter().map(BarKey::to_string)),
            command,
        })
    }

    /// The Parquet files of one folder, by name.
    fn files(&self, folder: &str) -> Result<Vec<PathBuf>, DataError> {
        let is_ours = |path: &PathBuf| {
            let hidden = stem(path).starts_with('.');
            !hidden && path.extension().is_some_and(|ending| ending == ENDING) && path.is_file()
        };
        let mut files: Vec<_> = self.entries(folder)?.into_iter().filter(is_ours).collect();
        files.sort();
        Ok(files)
    }

    /// What lies in one folder, in no order; nothing when there is no folder.
    fn entries(&self, folder: &str) -> Result<Vec<PathBuf>, DataError> {
        let folder = self.root.join(folder);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(DataError::io("read the folder", &folder))?,
        };
        let path = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.path());
        entries
            .map(path)
            .collect::<io::Result<_>>()
            .map_err(DataError::io("read the folder", &folder))
    }
}

/// The layout in which the bars of a key lie.
enum Place {
    /// An index and its partitions.
    Index,
    /// A single file.
    File(PathBuf),
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The coarsest of the timeframes from which the bars of `key` could be made.
fn finer_than(key: &BarKey, keys: &[BarKey]) -> Option<Timeframe> {
    let same = keys
        .iter()
        .filter(|known| known.class() == key.class() && known.symbol() == key.symbol());
    same.map(BarKey::timeframe)
        .filter(|known| *known < key.timeframe())
        .max()
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod partition_tests;

#[cfg(test)]
mod properties;
