//! CSV files of other parties into the lake.
//!
//! Bars: CSV or CSV.gz with the header `timestamp,open,high,low,close,volume` first; columns after these are not read and
//! named in the report. Stamps are the begin of a bar in UTC, but for daily equity bars, where they are the date of the
//! session; both can be told otherwise. Rows that break a rule are refused with their row numbers, or moved to a file
//! beside the result on request. Nothing is lost without being counted.

mod fields;
mod fuzz;
mod intake;
mod lines;
mod macros;
mod place;
mod quarantine;
mod taker;

use std::fs::File;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sextant_domain::{AssetClass, BarSeries, Timeframe, UtcNanos};

pub use fuzz::{fuzz_csv_bars, fuzz_csv_macro};
pub(crate) use intake::{Intake, take_in};
pub use macros::{
    MacroColumn, MacroImportReport, MacroImportRequest, MacroStamps, PublicationRule, import_macro_csv,
};
pub(crate) use quarantine::{add_to, path_for as quarantine_path, text_of};
pub(crate) use taker::{COLUMNS, Counts, Defects, Reading, RowSource, Taker};

use crate::actions::{AdjustmentEngine, AdjustmentMode, FactorFile};
use crate::calendar::Calendar;
use crate::lake::remove;
use crate::text::listed;
use crate::twins::refuse_case_twin;
use crate::{BarKey, DataError, Lake, Progress, Provenance, RawBars, RefusedRows, Rule, update};

/// How many bad rows an error lists.
const LISTED_ROWS: usize = 10;

/// What the time of a row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StampConvention {
    /// The date of the session, written as a date or as midnight UTC: a label, not an instant. Daily equity bars only.
    SessionDate,
    /// The begin of the bar. For equities either the session's open or the clock hour that holds it.
    BarOpen,
    /// The end of the bar.
    BarEnd,
}

/// What happens with a file that has bad rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadRows {
    /// Nothing is imported; the error lists the first bad rows.
    #[default]
    Refuse,
    /// The other rows are imported; the bad ones are moved to `<symbol>_<timeframe>.quarantine.csv` beside the Parquet
    /// file, each with its row number and rule. Of rows with the same time and different values the first counts.
    Quarantine,
}

/// One bar file to import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// The CSV or CSV.gz file.
    pub path: PathBuf,
    /// The symbol under which the bars go into the lake.
    pub symbol: String,
    /// The asset class, which decides the calendar.
    pub asset_class: AssetClass,
    /// The timeframe of the bars.
    pub timeframe: Timeframe,
    /// What the stamps mean; by default the session's date for daily equity bars, the begin of the bar otherwise.
    #[serde(default)]
    pub stamp: Option<StampConvention>,
    /// A Lean factor file (`date,price_factor,split_factor,reference_close`, no header) to adjust equity prices with.
    /// Without one prices stay as they are, and the metadata say so.
    #[serde(default)]
    pub factors: Option<PathBuf>,
    /// What happens with bad rows.
    #[serde(default)]
    pub bad_rows: BadRows,
    /// Where the bars come from, in words; by default the name of the file.
    #[serde(default)]
    pub source: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// What was imported.
    pub key: BarKey,
    /// The Parquet file.
    pub path: PathBuf,
    /// Rows with content in the CSV file, without the header.
    pub rows_read: u64,
    /// Bars written.
    pub bars: usize,
    /// Open time of the first bar.
    pub first: UtcNanos,
    /// Close time of the last bar.
    pub last: UtcNanos,
    /// Rows that stood in the file before, value for value, and were dropped.
    pub identical_duplicates: u64,
    /// Rows outside the session, left out.
    pub outside_session: u64,
    /// Rows after an early close, added to the last bar of their session.
    pub late_rows: u64,
    /// Bad rows moved aside, by rule.
    pub quarantined: Vec<(Rule, u64)>,
    /// The file with the bad rows, where there are any.
    pub quarantine: Option<PathBuf>,
    /// Columns that were not read.
    pub ignored_columns: Vec<String>,
    /// How prices were adjusted.
    pub adjustment: String,
    /// The digest of the content.
    pub digest: String,
}

impl ImportRequest {
    /// A request with the default conventions.
    pub fn new(path: impl Into<PathBuf>, key: &BarKey) -> Self {
        Self {
            path: path.into(),
            symbol: key.symbol().to_owned(),
            asset_class: key.class(),
            timeframe: key.timeframe(),
            stamp: None,
            factors: None,
            bad_rows: BadRows::Refuse,
            source: None,
        }
    }

    /// What the stamps mean.
    pub fn convention(&self) -> StampConvention {
        let daily_equity = (self.asset_class, self.timeframe) == (AssetClass::Equity, Timeframe::D1);
        let usual = if daily_equity {
            StampConvention::SessionDate
        } else {
            StampConvention::BarOpen
        };
        self.stamp.unwrap_or(usual)
    }

    /// The key of the bars, when the request makes sense.
    fn check(&self) -> Result<BarKey, DataError> {
        let key = BarKey::new(self.asset_class, &self.symbol, self.timeframe)?;
        let equity = self.asset_class == AssetClass::Equity;
        if self.stamp == Some(StampConvention::SessionDate) && !(equity && self.timeframe == Timeframe::D1) {
            return Err(DataError::Request {
                field: "stamp",
                found: format!("session_date for {key}"),
                allowed: "session_date for daily equity bars, otherwise bar_open or bar_end".to_owned(),
            });
        }
        if let Some(factors) = self.factors.as_ref().filter(|_| !equity) {
            return Err(DataError::Request {
                field: "factors",
                found: format!("{} for {key}", factors.display()),
                allowed: "a factor file for equities only".to_owned(),
            });
        }
        Ok(key)
    }

    fn provenance(&self) -> Provenance {
        let name = || {
            format!(
                "CSV file {}",
                self.path.file_name().unwrap_or_default().to_string_lossy()
            )
        };
        Provenance {
            source: self.source.clone().unwrap_or_else(name),
            synthetic: false,
        }
    }
}

/// Imports one bar file into the lake, replacing the bars there were.
///
/// # Errors
/// When the request contradicts itself, the lake has the symbol in another case, the file or the factor file cannot be
/// read, rows break rules and are to be refused ([`DataError::Rows`]), no row is left, or the lake cannot be written. The
/// bars are then as they were.
pub fn import_csv(
    lake: &Lake,
    request: &ImportRequest,
    progress: &dyn Progress,
) -> Result<ImportReport, DataError> {
    let key = request.check()?;
    // The lake refuses it too, but only after a large file was read and bad rows were set aside.
    refuse_case_twin(lake, &key)?;
    let factors = request.factors.as_deref().map(read_factors).transpose()?;
    let intake = take_in(request, progress)?;
    let path = lake.bars_path(&key);
    let quarantine = quarantine_path(lake, &key);
    refuse_bad(request, &intake, &quarantine)?;
    let (bars, raw) = match factors {
        Some(factors) => {
            let (bars, raw) = adjusted(intake.bars, &factors)?;
            (bars, Some(raw))
        }
        None => (intake.bars, None),
    };
    let any_bad = !intake.defects.rows.is_empty();
    // Bad rows are safe before the bars without them appear; those of an earlier import go after they were replaced.
    if any_bad {
        quarantine::write(&request.path, &intake.defects.rows, &quarantine)?;
    }
    let meta = lake.write_bars(&key, &bars, raw.as_ref(), &request.provenance())?;
    if !any_bad {
        remove(&quarantine)?;
    }
    update::forget_holes(lake, &key)?;
    Ok(ImportReport {
        key,
        path,
        rows_read: intake.counts.rows_read,
        bars: meta.rows,
        first: meta.first,
        last: meta.last,
        identical_duplicates: intake.counts.identical_duplicates,
        outside_session: intake.counts.outside_session,
        late_rows: intake.counts.late_rows,
        quarantined: intake.defects.by_rule(),
        quarantine: any_bad.then_some(quarantine),
        ignored_columns: intake.extra_columns,
        adjustment: meta.adjustment,
        digest: meta.digest,
    })
}

/// The engine over a Lean factor file of an equity.
fn read_factors(path: &Path) -> Result<AdjustmentEngine, DataError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let source = File::open(path).map_err(DataError::io("read", path))?;
    let factors = FactorFile::read(&name, source)?;
    let calendar = Calendar::for_class(AssetClass::Equity);
    Ok(AdjustmentEngine::from_factors(&factors, calendar)?)
}

/// Adjusts for everything the factor file knows, and keeps the raw bars beside.
fn adjusted(raw: BarSeries, factors: &AdjustmentEngine) -> Result<(BarSeries, RawBars), DataError> {
    let adjusted = factors.adjusted(&raw, AdjustmentMode::SplitsAndDividends, NaiveDate::MAX)?;
    let raw = RawBars {
        bars: raw,
        adjustment_factor: adjusted.adjustment_factor,
        adjustment: adjusted.adjustment,
    };
    Ok((adjusted.bars, raw))
}

fn refuse_bad(request: &ImportRequest, intake: &Intake, quarantine: &Path) -> Result<(), DataError> {
    let total = intake.defects.rows.len() as u64;
    if total > 0 && request.bad_rows == BadRows::Refuse {
        return Err(DataError::Rows(Box::new(RefusedRows {
            path: request.path.clone(),
            total,
            by_rule: intake.defects.by_rule(),
            first: intake.defects.first(),
            quarantine: quarantine.to_owned(),
        })));
    }
    if intake.bars.is_empty() {
        let (read, outside) = (intake.counts.rows_read, intake.counts.outside_session);
        let detail = format!("of {read} rows, {total} break rules and {outside} lie outside the session");
        return Err(DataError::NothingToImport {
            path: request.path.clone(),
            detail,
        });
    }
    Ok(())
}

/// Finds the file of a symbol and timeframe in a folder: `spy_1d.csv`, `spy_1d.csv.gz` or, when there is just one,
/// `spy_1d_<anything>.csv[.gz]`. Upper and lower case and punctuation within the symbol make no difference.
///
/// # Errors
/// When the folder cannot be read, or there is no such file, or several; the error lists what there is.
pub fn locate_csv(folder: &Path, symbol: &str, timeframe: Timeframe) -> Result<PathBuf, DataError> {
    let letters = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect()
    };
    let wanted = [letters(symbol), letters(timeframe.code())];
    let mut exact = Vec::new();
    let mut similar = Vec::new();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(DataError::io("read the folder", folder))? {
        let path = entry.map_err(DataError::io("read the folder", folder))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some(stem) = name.strip_suffix(".gz").unwrap_or(&name).strip_suffix(".csv") else {
            continue;
        };
        let parts: Vec<String> = stem.splitn(3, '_').map(letters).collect();
        if parts.starts_with(&wanted) {
            if parts.len() == 2 {
                exact.push(path)
            } else {
                similar.push(path)
            }
        }
        names.push(name);
    }
    let mut found = if exact.is_empty() { similar } else { exact };
    if let ([_], Some(path)) = (found.as_slice(), found.first()) {
        return Ok(path.clone());
    }
    names.sort();
    found.sort();
    let several = found.iter().map(|path| path.display().to_string());
    Err(DataError::Request {
        field: "from",
        found: if found.is_empty() {
            format!("the folder {}", folder.display())
        } else {
            listed(several)
        },
        allowed: format!(
            "one file {0}_{1}.csv, {0}_{1}.csv.gz or {0}_{1}_<anything>.csv[.gz]; the folder has {2}",
            wanted[0],
            wanted[1],
            listed(names)
        ),
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod properties;
