//! The lake: one sealed Parquet file per bar series or macro table, and nothing else.
//!
//! ```text
//! <root>/equities/SPY_1D.parquet       <root>/crypto/BTC-USD_4H.parquet
//! <root>/fx/EURUSD_1H.parquet          <root>/macro/yield_curve.parquet
//! ```
//!
//! Bar files have the columns `open_time`, `close_time` (UTC nanoseconds), `open`, `high`, `low`, `close`, `volume`;
//! where prices are adjusted also `raw_open`, `raw_high`, `raw_low`, `raw_close`, `raw_volume` and `adjustment_factor`.
//! Macro files have `published` and one column per series, null where there was no value.
//!
//! What a file holds and where it comes from stands in the file itself, as JSON under the metadata key `sextant`, so that
//! one rename replaces both. Two checksums protect it: the seal over the bytes (see the format in `lake/seal.rs`), which
//! is compared before anything is parsed, and the digest over the logical content, by which runs name their data.

mod atomic;
mod bars;
mod columns;
mod macros;
mod meta;
mod parquet;
mod seal;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sextant_domain::{AssetClass, BarSeries, Instrument, MacroSeries, SeriesError, Timeframe};
use thiserror::Error;

#[cfg(test)]
pub(crate) use atomic::{Step, faults};
pub(crate) use atomic::{remove, replace};
pub use meta::{BarMeta, FileMeta, MacroMeta};

use crate::key::folder;
use crate::resample::{ResampleReport, resample_stored};
use crate::text::listed;
use crate::{BarKey, DataError, commands};

const MACRO_FOLDER: &str = "macro";
const ENDING: &str = "parquet";

/// Why a file of the lake is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileDefect {
    /// No bytes.
    #[error("it is empty")]
    Empty,
    /// Not the beginning and end of a Parquet file.
    #[error(
        "it does not begin and end like a Parquet file: it is cut short, half written, or something else"
    )]
    NotParquet,
    /// A Parquet file without a seal at the place where it should be.
    #[error("it has no valid seal: another program wrote it, or it is damaged")]
    NoSeal,
    /// A seal that does not fit the bytes.
    #[error("it is damaged: its bytes are not the ones that were written (their checksum differs)")]
    BrokenSeal,
    /// The Parquet reader cannot read it.
    #[error("the Parquet reader cannot read it: {0}")]
    Unreadable(String),
    /// Its metadata are not ours.
    #[error("its metadata cannot be used: {0}")]
    Metadata(String),
    /// Another version of the format.
    #[error("it has format version {found}, but this program reads version {known}")]
    Format {
        /// The version found.
        found: u32,
        /// The version this program reads.
        known: u32,
    },
    /// Columns that do not belong there or are missing.
    #[error("its columns are not those of the format: {0}")]
    Columns(String),
    /// Bars that cannot be a series.
    #[error("its bars are no series: {0}")]
    Bars(SeriesError),
    /// Content that is not what the metadata say.
    #[error("its content has the digest {found}, but its metadata say {stored}")]
    Digest {
        /// The digest in the metadata.
        stored: String,
        /// The digest of the content.
        found: String,
    },
    /// A file under another name than its content's.
    #[error("it holds {found}, but its name says {expected}: it was renamed or copied")]
    OtherContent {
        /// What the name says.
        expected: String,
        /// What the metadata say.
        found: String,
    },
    /// A name that is not of the lake.
    #[error("its name is not of the form <symbol>_<timeframe>.parquet")]
    Name,
}

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
    pub published: Vec<sextant_domain::UtcNanos>,
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

/// One file of the lake.
#[derive(Debug)]
pub struct LakeEntry {
    /// The file.
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

    /// The file of a bar series, whether or not it exists.
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

    /// Every file, by folder and name, each checked as thoroughly as for loading. A broken one is an entry with its
    /// error. Hidden files and files with another ending are not the lake's and are passed over.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn list(&self) -> Result<Vec<LakeEntry>, DataError> {
        let mut entries = Vec::new();
        for class in AssetClass::ALL {
            for path in self.files(folder(class))? {
                let content = self.inspect_bars(&path, class).map(FileMeta::Bars);
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
            keys.extend(
                self.files(folder(class))?
                    .iter()
                    .filter_map(|path| BarKey::from_stem(class, &stem(path))),
            );
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
        let key = BarKey::new(class, symbol, timeframe)?;
        let path = self.bars_path(&key);
        if path.is_file() {
            self.load_file(&path, &key)
        } else {
            Err(self.missing_bars(&key)?)
        }
    }

    /// Writes bars, replacing the file there was.
    ///
    /// # Errors
    /// When there are no bars, `raw` does not fit them, or the file cannot be written; the old file then stands.
    pub fn write_bars(
        &self,
        key: &BarKey,
        bars: &BarSeries,
        raw: Option<&RawBars>,
        provenance: &Provenance,
    ) -> Result<BarMeta, DataError> {
        bars::write(&self.bars_path(key), key, (bars, raw), provenance)
    }

    /// Makes the bars of a coarser timeframe from those of `key` and writes them.
    ///
    /// # Errors
    /// When the source cannot be loaded, `to` is not coarser, no window is complete, or the file cannot be written.
    pub fn resample_bars(&self, key: &BarKey, to: Timeframe) -> Result<(BarMeta, ResampleReport), DataError> {
        let stored = self.load_bars(key.class(), key.symbol(), key.timeframe())?;
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

    fn load_file(&self, path: &Path, key: &BarKey) -> Result<StoredBars, DataError> {
        let bytes = fs::read(path).map_err(DataError::io("read", path))?;
        bars::from_bytes(&bytes, key).map_err(|defect| {
            // Where the folder cannot be read either, the import is the only way there is.
            let finer = self.bar_keys().ok().and_then(|keys| finer_than(key, &keys));
            let import = commands::import_bars(key);
            let command = finer.map_or(import.clone(), |finer| {
                let resample = commands::resample_bars(key, finer);
                format!("{import}; or, if it was made from {finer} bars: {resample}")
            });
            DataError::Damaged {
                path: path.to_owned(),
                defect,
                command,
            }
        })
    }

    fn inspect_bars(&self, path: &Path, class: AssetClass) -> Result<BarMeta, DataError> {
        let key = BarKey::from_stem(class, &stem(path)).ok_or_else(|| DataError::Damaged {
            path: path.to_owned(),
            defect: FileDefect::Name,
            command: "give the file the name of its content, or remove it and import again".to_owned(),
        })?;
        self.load_file(path, &key).map(|stored| stored.meta)
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

    /// The files of one folder, by name.
    fn files(&self, folder: &str) -> Result<Vec<PathBuf>, DataError> {
        let folder = self.root.join(folder);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(DataError::io("read the folder", &folder))?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(DataError::io("read the folder", &folder))?.path();
            let hidden = stem(&path).starts_with('.');
            if !hidden && path.extension().is_some_and(|ending| ending == ENDING) && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
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
