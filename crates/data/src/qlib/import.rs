//! A Qlib folder into the lake, and bars of the lake into a Qlib folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use sextant_domain::{AssetClass, Bar, BarSeries};
use thiserror::Error;

use super::{
    QlibBarMaker, QlibBars, QlibContents, QlibConventions, QlibDefect, QlibError, QlibFolder, QlibFrequency,
    QlibSeries, from_bars, write,
};
use crate::lake::{remove, replace};
use crate::{BarKey, DataError, Lake, Progress, Provenance, Rule, StoredBars};

/// A Qlib folder to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QlibImportRequest {
    /// The folder.
    pub path: PathBuf,
    /// The asset class under which the bars go into the lake.
    pub asset_class: AssetClass,
    /// How rows become bars.
    pub conventions: QlibConventions,
    /// The frequencies to import; none for all that the folder has.
    pub frequencies: Vec<QlibFrequency>,
    /// The symbols to import; none for all of its list of all instruments that have the frequency.
    pub symbols: Vec<String>,
    /// Where the bars come from, in words; by default the name of the folder.
    pub source: Option<String>,
}

/// What an import did, symbol by symbol.
#[derive(Debug)]
pub struct QlibImportReport {
    /// One outcome per frequency and symbol, in this order.
    pub outcomes: Vec<QlibOutcome>,
    /// The files among the calendars that were not read: other frequencies, and planned days.
    pub unread_calendars: Vec<String>,
}

/// What became of one symbol.
#[derive(Debug)]
pub struct QlibOutcome {
    /// The symbol, as in the folder.
    pub symbol: String,
    /// The frequency.
    pub frequency: QlibFrequency,
    /// What was imported; or why nothing was, and the bars in the lake are as they were.
    pub result: Result<QlibImported, QlibImportError>,
}

/// What was imported of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QlibImported {
    /// What the bars are.
    pub key: BarKey,
    /// The file they lie in.
    pub path: PathBuf,
    /// Bars written.
    pub bars: usize,
    /// Calendar lines without a price and without a volume.
    pub suspended: usize,
    /// Rows outside the session, left out.
    pub outside_session: usize,
    /// Bad rows moved aside, by rule.
    pub quarantined: Vec<(Rule, u64)>,
    /// The file with the bad rows, where there are any.
    pub quarantine: Option<PathBuf>,
    /// The digest of the content.
    pub digest: String,
}

/// Why bars did not go from a folder to the lake, or from the lake to a folder.
#[derive(Debug, Error)]
pub enum QlibImportError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] QlibError),
    /// The lake, or the request.
    #[error(transparent)]
    Lake(#[from] DataError),
}

impl QlibImportRequest {
    /// A request for everything in a folder, with the calendar of the class, and bad rows refused.
    pub fn new(path: impl Into<PathBuf>, asset_class: AssetClass) -> Self {
        Self {
            path: path.into(),
            asset_class,
            conventions: QlibConventions::new(asset_class),
            frequencies: Vec::new(),
            symbols: Vec::new(),
            source: None,
        }
    }

    fn provenance(&self) -> Provenance {
        let name = || {
            let name = self.path.file_name().unwrap_or_default();
            format!("Qlib folder {}", name.to_string_lossy())
        };
        Provenance {
            source: self.source.clone().unwrap_or_else(name),
            synthetic: false,
        }
    }
}

/// Imports the bars of a folder into the lake, replacing those there were. Prices stay adjusted as they are in the folder;
/// where it has factors, what was traded stands beside them. A symbol that cannot be imported stops no other one.
///
/// # Errors
/// When the folder cannot be opened, or its list of all instruments or a frequency asked for is not there. What is wrong
/// with one symbol is in its outcome.
pub fn import_qlib(
    lake: &Lake,
    request: &QlibImportRequest,
    progress: &dyn Progress,
) -> Result<QlibImportReport, QlibError> {
    let folder = QlibFolder::open(&request.path)?;
    let frequencies = if request.frequencies.is_empty() {
        folder.frequencies()
    } else {
        request.frequencies.clone()
    };
    let mut outcomes = Vec::new();
    for frequency in frequencies {
        folder.calendar(frequency)?;
        let mut maker = QlibBarMaker::new(frequency, &request.conventions)?;
        let symbols = if request.symbols.is_empty() {
            folder.symbols(frequency)?
        } else {
            request.symbols.clone()
        };
        progress.start(symbols.len() as u64, &format!("importing {frequency} bars"));
        for symbol in symbols {
            let result = import_symbol(lake, request, (&folder, &mut maker), (&symbol, frequency));
            outcomes.push(QlibOutcome {
                symbol,
                frequency,
                result,
            });
            progress.advance(1);
        }
    }
    Ok(QlibImportReport {
        outcomes,
        unread_calendars: folder.unread_calendars().to_vec(),
    })
}

/// Writes bars of the lake as a new Qlib folder, each on the calendar of its class. Adjusted bars get the field `factor`,
/// and volumes that give the traded ones when they are multiplied with it, as Qlib has them. Numbers are rounded to 32 bits.
///
/// # Errors
/// When bars are not in the lake or their timeframe is none of Qlib's, something is in the place of the folder, or it
/// cannot be written. There is no folder then.
pub fn export_qlib(lake: &Lake, keys: &[BarKey], path: impl Into<PathBuf>) -> Result<(), QlibImportError> {
    let mut series = Vec::with_capacity(keys.len());
    for key in keys {
        let frequency = QlibFrequency::from_timeframe(key.timeframe()).ok_or_else(|| DataError::Request {
            field: "timeframe",
            found: key.to_string(),
            allowed: QlibFrequency::ALL
                .map(|frequency| frequency.timeframe().code())
                .join(", "),
        })?;
        let stored = lake.load_bars(key.class(), key.symbol(), key.timeframe())?;
        series.push(to_series(key, frequency, &stored)?);
    }
    Ok(write(path, &QlibContents::from_series(series))?)
}

fn import_symbol(
    lake: &Lake,
    request: &QlibImportRequest,
    (folder, maker): (&QlibFolder, &mut QlibBarMaker),
    (symbol, frequency): (&str, QlibFrequency),
) -> Result<QlibImported, QlibImportError> {
    let key = BarKey::new(request.asset_class, symbol, frequency.timeframe()).map_err(DataError::from)?;
    let made = maker.bars(&folder.read_bar_fields(symbol, frequency)?)?;
    if made.bars.is_empty() {
        let detail = format!(
            "of the rows of {symbol} ({frequency}), {} are without trading, {} lie outside the session and {} break rules",
            made.suspended,
            made.outside_session,
            made.quarantined.len()
        );
        let path = request.path.clone();
        return Err(DataError::NothingToImport { path, detail }.into());
    }
    Ok(store(lake, &key, made, &request.provenance())?)
}

fn store(
    lake: &Lake,
    key: &BarKey,
    made: QlibBars,
    provenance: &Provenance,
) -> Result<QlibImported, DataError> {
    let path = lake.bars_path(key);
    let quarantine = path.with_file_name(format!("{}.quarantine.csv", key.stem()));
    let any_bad = !made.quarantined.is_empty();
    // Bad rows are safe before the bars without them appear; those of an earlier import go after they were replaced.
    if any_bad {
        replace(&quarantine, bad_rows(&made.quarantined).as_bytes())?;
    }
    let meta = lake.write_bars(key, &made.bars, made.raw.as_ref(), provenance)?;
    if !any_bad {
        remove(&quarantine)?;
    }
    Ok(QlibImported {
        key: key.clone(),
        path,
        bars: meta.rows,
        suspended: made.suspended,
        outside_session: made.outside_session,
        quarantined: by_rule(&made.quarantined),
        quarantine: any_bad.then_some(quarantine),
        digest: meta.digest,
    })
}

fn bad_rows(defects: &[QlibDefect]) -> String {
    let mut text = "line,rule,time,field,value\n".to_owned();
    for QlibDefect {
        time,
        step,
        field,
        rule,
        value,
        ..
    } in defects
    {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{},{rule},{time},{field},{value}", step + 1);
    }
    text
}

fn by_rule(defects: &[QlibDefect]) -> Vec<(Rule, u64)> {
    let mut counts: BTreeMap<Rule, u64> = BTreeMap::new();
    for defect in defects {
        *counts.entry(defect.rule).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn to_series(
    key: &BarKey,
    frequency: QlibFrequency,
    stored: &StoredBars,
) -> Result<QlibSeries, QlibImportError> {
    let conventions = QlibConventions::new(key.class());
    let Some(raw) = &stored.raw else {
        return Ok(from_bars(
            key.symbol(),
            frequency,
            (&stored.bars, None),
            &conventions,
        )?);
    };
    // Volumes of the lake are adjusted for splits alone, those of Qlib with the factor of the prices.
    let traded = raw.bars.view().volume.iter().zip(&raw.adjustment_factor);
    let bars = stored.bars.iter().zip(traded).map(|(bar, (volume, factor))| Bar {
        volume: volume / factor,
        ..bar
    });
    let bars = BarSeries::from_bars(bars).map_err(DataError::series(key))?;
    let with_factors = (&bars, Some(raw.adjustment_factor.as_slice()));
    Ok(from_bars(key.symbol(), frequency, with_factors, &conventions)?)
}
