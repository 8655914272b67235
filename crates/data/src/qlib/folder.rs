//! Reading a folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use super::bars::{FACTOR, PRICES, VOLUME};
use super::bin::check_length;
use super::names::{check_market, check_symbol, field_name, folder_name};
use super::text::BadLine;
use super::{
    ALL_MARKET, BinColumn, MAX_CALENDAR_STEPS, QlibCalendar, QlibColumn, QlibContents, QlibError,
    QlibFrequency, QlibInstrument, QlibMarket, QlibSeries, SeriesDefect, parse_bin, parse_calendar,
    parse_instruments,
};
use crate::text::listed;

pub(super) const CALENDARS: &str = "calendars";
pub(super) const INSTRUMENTS: &str = "instruments";
pub(super) const FEATURES: &str = "features";
/// A line of a calendar has at most 19 characters and two for its end.
const LARGEST_TEXT_BYTES: u64 = 21 * MAX_CALENDAR_STEPS as u64;

/// A folder of Qlib whose calendars have been read. Everything else is read when it is asked for; a folder can be read
/// from several threads at once.
#[derive(Debug, Clone)]
pub struct QlibFolder {
    root: PathBuf,
    calendars: Vec<QlibCalendar>,
    unread: Vec<String>,
}

impl QlibFolder {
    /// Reads the calendars of a folder.
    ///
    /// # Errors
    /// When the folder, its calendars, its features or its list of all instruments are missing, there is no calendar of a
    /// frequency in [`QlibFrequency::ALL`], or a calendar has a bad line.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, QlibError> {
        let root = path.into();
        let (mut calendars, mut unread) = (Vec::new(), Vec::new());
        let folder = root.join(CALENDARS);
        for name in names(&folder, "the folder with a calendar for each frequency")? {
            match name.strip_suffix(".txt").map(QlibFrequency::from_name) {
                Some(Some(frequency)) => calendars.push(read_calendar(&folder.join(&name), frequency)?),
                _ => unread.push(name),
            }
        }
        if calendars.is_empty() {
            return Err(QlibError::NoFrequency {
                path: folder,
                wanted: QlibFrequency::ALL.map(QlibFrequency::name).join(", "),
                there: listed(unread),
            });
        }
        calendars.sort_by_key(|calendar| calendar.frequency);
        names(&root.join(FEATURES), "the folder with a folder for each symbol")?;
        let all = root.join(INSTRUMENTS).join(format!("{ALL_MARKET}.txt"));
        if !all.exists() {
            return Err(missing(&all, "the list of all instruments"));
        }
        Ok(Self {
            root,
            calendars,
            unread,
        })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The frequencies it has a calendar for, coarsest first.
    pub fn frequencies(&self) -> Vec<QlibFrequency> {
        self.calendars.iter().map(|calendar| calendar.frequency).collect()
    }

    /// The files among its calendars that were not read: other frequencies, and planned days.
    pub fn unread_calendars(&self) -> &[String] {
        &self.unread
    }

    /// The times of a frequency, strictly increasing wall-clock times without a zone.
    ///
    /// # Errors
    /// [`QlibError::NoFrequency`].
    pub fn calendar(&self, frequency: QlibFrequency) -> Result<&[NaiveDateTime], QlibError> {
        let known = self
            .calendars
            .iter()
            .find(|calendar| calendar.frequency == frequency);
        let calendar = known.ok_or_else(|| QlibError::NoFrequency {
            path: self.root.join(CALENDARS),
            wanted: frequency.to_string(),
            there: listed(self.frequencies().iter().map(QlibFrequency::to_string)),
        })?;
        Ok(&calendar.times)
    }

    /// The names of its lists of instruments, `all` among them, in alphabetical order.
    ///
    /// # Errors
    /// When the folder of the lists cannot be read.
    pub fn markets(&self) -> Result<Vec<String>, QlibError> {
        let names = names(
            &self.root.join(INSTRUMENTS),
            "the folder with the lists of instruments",
        )?;
        Ok(names
            .iter()
            .filter_map(|name| name.strip_suffix(".txt"))
            .map(str::to_owned)
            .collect())
    }

    /// The lines of a list of instruments.
    ///
    /// # Errors
    /// When the name cannot be one, there is no such list, or it has a bad line.
    pub fn market(&self, name: &str) -> Result<Vec<QlibInstrument>, QlibError> {
        check_market(name)?;
        let path = self.root.join(INSTRUMENTS).join(format!("{name}.txt"));
        let bytes = read_text(&path, "a list of instruments")?;
        parse_instruments(&bytes).map_err(|bad| bad_line(&path, bad))
    }

    /// The lines of the list of all instruments whose symbol has at least one field of the frequency.
    ///
    /// # Errors
    /// [`QlibError::NoFrequency`], or as for [`market`](Self::market).
    pub fn instruments(&self, frequency: QlibFrequency) -> Result<Vec<QlibInstrument>, QlibError> {
        self.calendar(frequency)?;
        let mut with_fields = Vec::new();
        for instrument in self.market(ALL_MARKET)? {
            let has_folder = self.find_folder(&instrument.symbol)?.is_some();
            if has_folder && !self.fields(&instrument.symbol, frequency)?.is_empty() {
                with_fields.push(instrument);
            }
        }
        Ok(with_fields)
    }

    /// The symbols of these lines, each once, in alphabetical order.
    ///
    /// # Errors
    /// As for [`instruments`](Self::instruments).
    pub fn symbols(&self, frequency: QlibFrequency) -> Result<Vec<String>, QlibError> {
        let instruments = self.instruments(frequency)?.into_iter();
        let symbols: BTreeSet<String> = instruments.map(|instrument| instrument.symbol).collect();
        Ok(symbols.into_iter().collect())
    }

    /// The fields of a symbol in a frequency, in alphabetical order; none when it has none of this frequency.
    ///
    /// # Errors
    /// When the symbol cannot be one or has no folder.
    pub fn fields(&self, symbol: &str, frequency: QlibFrequency) -> Result<Vec<String>, QlibError> {
        let ending = format!(".{frequency}.bin");
        let names = names(&self.symbol_folder(symbol)?, "the folder of the symbol")?;
        Ok(names
            .iter()
            .filter_map(|name| name.strip_suffix(&ending))
            .map(str::to_owned)
            .collect())
    }

    /// Reads fields of a symbol, named with or without `$`. The rows are the calendar times from the first value of any
    /// field to the last; the values have the bits of the files.
    ///
    /// # Errors
    /// When no field or one twice is named, a name cannot be one, the symbol or a field is not there, or a file is not as
    /// it must be ([`QlibError::Bin`]).
    pub fn read_series(
        &self,
        symbol: &str,
        frequency: QlibFrequency,
        fields: &[&str],
    ) -> Result<QlibSeries, QlibError> {
        let calendar = self.calendar(frequency)?;
        let folder = self.symbol_folder(symbol)?;
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            let field = field_name(field)?;
            let path = folder.join(format!("{field}.{frequency}.bin"));
            columns.push((field, read_bin(&path, calendar.len())?));
        }
        let first = columns.iter().map(|(_, column)| column.start).min();
        let end = columns
            .iter()
            .map(|(_, column)| column.start + column.values.len())
            .max();
        let (Some(first), Some(end)) = (first, end) else {
            return Err(QlibError::Series {
                symbol: symbol.to_owned(),
                frequency,
                defect: SeriesDefect::NoFields,
            });
        };
        let columns = columns.into_iter().map(|(field, column)| QlibColumn {
            field,
            start: column.start - first,
            values: column.values,
        });
        let times = calendar[first..end].to_vec();
        Ok(QlibSeries::new(symbol, frequency, times, columns.collect())?.at_step(first))
    }

    /// Reads the fields that bars are made of: `open`, `high`, `low`, `close`, and `volume` and `factor` where they are.
    ///
    /// # Errors
    /// As for [`read_series`](Self::read_series).
    pub fn read_bar_fields(&self, symbol: &str, frequency: QlibFrequency) -> Result<QlibSeries, QlibError> {
        let there = self.fields(symbol, frequency)?;
        let optional = [VOLUME, FACTOR]
            .into_iter()
            .filter(|field| there.iter().any(|one| one == field));
        let fields: Vec<&str> = PRICES.into_iter().chain(optional).collect();
        self.read_series(symbol, frequency, &fields)
    }

    /// Reads everything: calendars, lists, and every field of every symbol of the list of all instruments. Takes as much
    /// memory as the folder has on disk; to go through a large folder, read one series after another.
    ///
    /// # Errors
    /// The first thing that is not as it must be.
    pub fn contents(&self) -> Result<QlibContents, QlibError> {
        let mut markets = Vec::new();
        for name in self.markets()? {
            let instruments = self.market(&name)?;
            markets.push(QlibMarket { name, instruments });
        }
        let mut series = Vec::new();
        for frequency in self.frequencies() {
            for symbol in self.symbols(frequency)? {
                let fields = self.fields(&symbol, frequency)?;
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                series.push(self.read_series(&symbol, frequency, &fields)?);
            }
        }
        Ok(QlibContents {
            calendars: self.calendars.clone(),
            markets,
            series,
        })
    }

    fn symbol_folder(&self, symbol: &str) -> Result<PathBuf, QlibError> {
        self.find_folder(symbol)?.ok_or_else(|| {
            let path = self.root.join(FEATURES).join(folder_name(symbol));
            missing(&path, &format!("the folder of the symbol {symbol}"))
        })
    }

    /// The folder of a symbol: in lower case, or as the symbol is written.
    fn find_folder(&self, symbol: &str) -> Result<Option<PathBuf>, QlibError> {
        check_symbol(symbol)?;
        let features = self.root.join(FEATURES);
        let (lower, written) = (features.join(folder_name(symbol)), features.join(symbol));
        let is_there = [&lower, &written].map(|folder| folder.is_dir());
        // Where case makes no difference to the system, both are the same folder.
        let same = || fs::canonicalize(&lower).ok() == fs::canonicalize(&written).ok();
        match is_there {
            [true, true] if lower != written && !same() => Err(QlibError::Ambiguous {
                symbol: symbol.to_owned(),
                first: lower,
                second: written,
            }),
            [true, _] => Ok(Some(lower)),
            [false, true] => Ok(Some(written)),
            [false, false] => Ok(None),
        }
    }
}

fn read_calendar(path: &Path, frequency: QlibFrequency) -> Result<QlibCalendar, QlibError> {
    let bytes = read_text(path, "a calendar")?;
    let times = parse_calendar(&bytes, frequency).map_err(|bad| bad_line(path, bad))?;
    Ok(QlibCalendar { frequency, times })
}

pub(super) fn bad_line(path: &Path, (line, defect): BadLine) -> QlibError {
    QlibError::Line {
        path: path.to_owned(),
        line,
        defect: Box::new(defect),
    }
}

fn read_text(path: &Path, what: &str) -> Result<Vec<u8>, QlibError> {
    let found_bytes = size(path, what)?;
    if found_bytes > LARGEST_TEXT_BYTES {
        return Err(QlibError::TooLarge {
            path: path.to_owned(),
            found_bytes,
            allowed_bytes: LARGEST_TEXT_BYTES,
        });
    }
    read(path, found_bytes)
}

fn read_bin(path: &Path, steps: usize) -> Result<BinColumn, QlibError> {
    let bad = |defect| QlibError::Bin {
        path: path.to_owned(),
        defect,
    };
    let bytes = size(path, "a field")?;
    check_length(bytes, steps).map_err(bad)?;
    parse_bin(&read(path, bytes)?, steps).map_err(bad)
}

/// The size of a regular file; nothing else is ever opened, because some things of other kinds never end.
fn size(path: &Path, what: &str) -> Result<u64, QlibError> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing(path, what)),
        other => other.map_err(QlibError::io("look at", path))?,
    };
    if !metadata.is_file() {
        return Err(QlibError::NotAFile {
            path: path.to_owned(),
        });
    }
    Ok(metadata.len())
}

/// A file of at most this many bytes; what it has grown by meanwhile is not read.
fn read(path: &Path, bytes: u64) -> Result<Vec<u8>, QlibError> {
    let file = File::open(path).map_err(QlibError::io("open", path))?;
    let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
    file.take(bytes)
        .read_to_end(&mut content)
        .map_err(QlibError::io("read", path))?;
    Ok(content)
}

/// What a folder has in it, in alphabetical order, without what is hidden.
fn names(folder: &Path, what: &str) -> Result<Vec<String>, QlibError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing(folder, what)),
        other => other.map_err(QlibError::io("read the folder", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(QlibError::io("read the folder", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn missing(path: &Path, what: &str) -> QlibError {
    let beside = path.parent().and_then(|folder| fs::read_dir(folder).ok());
    let mut there: Vec<String> = beside
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    there.sort();
    QlibError::Missing {
        path: path.to_owned(),
        what: what.to_owned(),
        there: listed(there),
    }
}
