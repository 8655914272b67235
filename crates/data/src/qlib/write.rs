//! Writing a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::folder::{CALENDARS, FEATURES, INSTRUMENTS, bad_line};
use super::names::{check_market, check_symbol, folder_name};
use super::text::{BadLine, is_writable, written, written_in_full};
use super::{
    ALL_MARKET, QlibColumn, QlibError, QlibFrequency, QlibInstrument, QlibSeries, SeriesDefect, TextDefect,
    encode_bin, parse_calendar, parse_instruments,
};

/// The times of one frequency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QlibCalendar {
    /// The frequency.
    pub frequency: QlibFrequency,
    /// Wall-clock times without a zone, strictly increasing; midnights for [`QlibFrequency::Day`].
    pub times: Vec<NaiveDateTime>,
}

/// A list of instruments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QlibMarket {
    /// Its name, such as `all`.
    pub name: String,
    /// Its lines.
    pub instruments: Vec<QlibInstrument>,
}

/// Everything in a folder.
#[derive(Debug, Clone)]
pub struct QlibContents {
    /// One calendar per frequency.
    pub calendars: Vec<QlibCalendar>,
    /// The lists of instruments, `all` among them.
    pub markets: Vec<QlibMarket>,
    /// The fields of each symbol and frequency.
    pub series: Vec<QlibSeries>,
}

impl QlibContents {
    /// A folder for series alone: calendars of the times they have, and a list of all instruments, each from the date of
    /// its first row to that of its last.
    pub fn from_series(series: Vec<QlibSeries>) -> Self {
        let mut times: BTreeMap<QlibFrequency, BTreeSet<NaiveDateTime>> = BTreeMap::new();
        let mut spans: BTreeMap<&str, (NaiveDate, NaiveDate)> = BTreeMap::new();
        for one in &series {
            times.entry(one.frequency()).or_default().extend(one.times());
            if let (Some(first), Some(last)) = (one.times().first(), one.times().last()) {
                let span = spans.entry(one.symbol()).or_insert((first.date(), last.date()));
                *span = (span.0.min(first.date()), span.1.max(last.date()));
            }
        }
        let instruments = spans.into_iter().map(|(symbol, (first, last))| QlibInstrument {
            symbol: symbol.to_owned(),
            start: first.into(),
            end: last.into(),
        });
        let all = QlibMarket {
            name: ALL_MARKET.to_owned(),
            instruments: instruments.collect(),
        };
        let calendars = times.into_iter().map(|(frequency, times)| QlibCalendar {
            frequency,
            times: times.into_iter().collect(),
        });
        Self {
            calendars: calendars.collect(),
            markets: vec![all],
            series,
        }
    }
}

/// Writes a folder with everything in it. See [`QlibWriter`].
///
/// # Errors
/// As for the functions of [`QlibWriter`].
pub fn write(path: impl Into<PathBuf>, contents: &QlibContents) -> Result<(), QlibError> {
    let mut writer = QlibWriter::create(path)?;
    for calendar in &contents.calendars {
        writer.calendar(calendar)?;
    }
    for market in &contents.markets {
        writer.market(market)?;
    }
    for series in &contents.series {
        writer.series(series)?;
    }
    writer.finish()
}

/// Writes a folder piece by piece: calendars first, then series and lists in any order.
///
/// Everything goes to a hidden folder beside the place, which gets its name with the last step, so that nobody sees half a
/// folder; it is removed when the writer is dropped before. A folder that is there is never written into.
#[derive(Debug)]
pub struct QlibWriter {
    path: PathBuf,
    hidden: PathBuf,
    calendars: BTreeMap<QlibFrequency, Vec<NaiveDateTime>>,
    done: BTreeSet<String>,
}

impl QlibWriter {
    /// Begins a folder.
    ///
    /// # Errors
    /// [`QlibError::Taken`] when something else than an empty folder is in its place, or [`QlibError::Io`].
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, QlibError> {
        let path = path.into();
        let is_free = fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none());
        let Some(name) = path.file_name().filter(|_| is_free || !path.exists()) else {
            return Err(QlibError::Taken { path });
        };
        let hidden = create_hidden(&path, &name.to_string_lossy())?;
        let writer = Self {
            path,
            hidden,
            calendars: BTreeMap::new(),
            done: BTreeSet::new(),
        };
        for folder in [CALENDARS, INSTRUMENTS, FEATURES] {
            let folder = writer.hidden.join(folder);
            fs::create_dir(&folder).map_err(QlibError::io("create the folder", &folder))?;
        }
        Ok(writer)
    }

    /// Writes a calendar.
    ///
    /// # Errors
    /// [`QlibError::Line`] when the times do not make a calendar, with the line they would have; [`QlibError::Twice`], or
    /// [`QlibError::Io`].
    pub fn calendar(&mut self, calendar: &QlibCalendar) -> Result<(), QlibError> {
        let frequency = calendar.frequency;
        let lines = |time: &NaiveDateTime| match frequency {
            QlibFrequency::Day => written(*time),
            QlibFrequency::FiveMinutes | QlibFrequency::Minute => written_in_full(*time),
        };
        let path = self.hidden.join(CALENDARS).join(format!("{frequency}.txt"));
        let text = text(calendar.times.iter().map(lines));
        let checked = check_times(calendar.times.iter())
            .and_then(|()| parse_calendar(text.as_bytes(), frequency))
            .map_err(|bad| bad_line(&path, bad))?;
        self.once(format!("the calendar {frequency}"))?;
        put(&path, text.as_bytes())?;
        self.calendars.insert(frequency, checked);
        Ok(())
    }

    /// Writes a list of instruments.
    ///
    /// # Errors
    /// [`QlibError::Name`], [`QlibError::Line`] when the lines do not make a list, [`QlibError::Twice`], or
    /// [`QlibError::Io`].
    pub fn market(&mut self, market: &QlibMarket) -> Result<(), QlibError> {
        check_market(&market.name)?;
        let path = self.hidden.join(INSTRUMENTS).join(format!("{}.txt", market.name));
        // As Qlib does: a list has dates only, or times of day in every line.
        let mut times = market.instruments.iter().flat_map(|one| [one.start, one.end]);
        let written = if times.all(|time| time.time() == NaiveTime::MIN) {
            written
        } else {
            written_in_full
        };
        let text = text(market.instruments.iter().map(|instrument| {
            let QlibInstrument { symbol, start, end } = instrument;
            format!("{symbol}\t{}\t{}", written(*start), written(*end))
        }));
        let ends = market.instruments.iter().map(|instrument| &instrument.end);
        check_times(market.instruments.iter().map(|instrument| &instrument.start))
            .and_then(|()| check_times(ends))
            .and_then(|()| parse_instruments(text.as_bytes()))
            .map_err(|bad| bad_line(&path, bad))?;
        self.once(format!("the market {}", market.name))?;
        put(&path, text.as_bytes())
    }

    /// Writes the fields of a symbol. Calendar times between two rows of the series get NaN.
    ///
    /// # Errors
    /// [`QlibError::NoFrequency`] when the calendar was not written before, [`QlibError::Series`] when it does not have a
    /// time of the series, [`QlibError::Twice`], or [`QlibError::Io`].
    pub fn series(&mut self, series: &QlibSeries) -> Result<(), QlibError> {
        check_symbol(series.symbol())?;
        let frequency = series.frequency();
        let calendar = self
            .calendars
            .get(&frequency)
            .ok_or_else(|| QlibError::NoFrequency {
                path: self.path.join(CALENDARS),
                wanted: frequency.to_string(),
                there: crate::text::listed(self.calendars.keys().map(QlibFrequency::to_string)),
            })?;
        let steps = steps(series, calendar)?;
        let name = folder_name(series.symbol());
        self.once(format!("the {frequency} series of {name}"))?;
        let folder = self.hidden.join(FEATURES).join(name);
        fs::create_dir_all(&folder).map_err(QlibError::io("create the folder", &folder))?;
        for column in series.columns() {
            let path = folder.join(format!("{}.{frequency}.bin", column.field));
            let (start, values) = spread(column, &steps);
            let bytes = encode_bin(start, &values).map_err(|defect| QlibError::Bin {
                path: path.clone(),
                defect,
            })?;
            put(&path, &bytes)?;
        }
        Ok(())
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// [`QlibError::Missing`] when no list of all instruments was written, [`QlibError::Taken`] when something has been
    /// put in its place meanwhile, or [`QlibError::Io`].
    pub fn finish(self) -> Result<(), QlibError> {
        let all = self.hidden.join(INSTRUMENTS).join(format!("{ALL_MARKET}.txt"));
        if !all.exists() {
            return Err(QlibError::Missing {
                path: all,
                what: "the list of all instruments, which must be written before the folder is finished"
                    .to_owned(),
                there: crate::text::listed(self.done.iter().cloned()),
            });
        }
        sync_all(&self.hidden)?;
        if self.path.exists() {
            // Only an empty folder can be removed so, and only one can be there.
            fs::remove_dir(&self.path).map_err(|_| QlibError::Taken {
                path: self.path.clone(),
            })?;
        }
        fs::rename(&self.hidden, &self.path).map_err(QlibError::io("rename a folder to", &self.path))?;
        sync(&folder_of(&self.path))
    }

    fn once(&mut self, what: String) -> Result<(), QlibError> {
        if self.done.insert(what.clone()) {
            return Ok(());
        }
        Err(QlibError::Twice { what })
    }
}

impl Drop for QlibWriter {
    fn drop(&mut self) {
        // After a finished write it has another name; after a failed one, a leftover is hidden and harmless.
        let _ = fs::remove_dir_all(&self.hidden);
    }
}

/// A new hidden folder in the folder of `path`, which is made if need be.
fn create_hidden(path: &Path, name: &str) -> Result<PathBuf, QlibError> {
    let beside = folder_of(path);
    fs::create_dir_all(&beside).map_err(QlibError::io("create the folder", &beside))?;
    let mut attempt = 0_u32;
    loop {
        let hidden = beside.join(format!(".{name}.{}.{attempt}.tmp", std::process::id()));
        match fs::create_dir(&hidden) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < 1_000 => attempt += 1,
            created => {
                created.map_err(QlibError::io("create the folder", &hidden))?;
                return Ok(hidden);
            }
        }
    }
}

fn folder_of(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

fn text(lines: impl Iterator<Item = String>) -> String {
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), QlibError> {
    let mut file = File::create_new(path).map_err(QlibError::io("create", path))?;
    file.write_all(bytes).map_err(QlibError::io("write", path))
}

/// Brings everything below a folder to the disk. After all has been written, because one after another is many times
/// slower than all at once.
fn sync_all(path: &Path) -> Result<(), QlibError> {
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(QlibError::io("read the folder", path))? {
            sync_all(&entry.map_err(QlibError::io("read the folder", path))?.path())?;
        }
    }
    sync(path)
}

#[cfg(unix)]
fn sync(path: &Path) -> Result<(), QlibError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(QlibError::io("bring to the disk", path))
}

/// Other systems sync neither folders nor files that are open for reading only; they write back by themselves.
#[cfg(not(unix))]
fn sync(_path: &Path) -> Result<(), QlibError> {
    Ok(())
}

/// Times that have no text, such as fractions of a second, are not written as something else.
fn check_times<'t>(times: impl Iterator<Item = &'t NaiveDateTime>) -> Result<(), BadLine> {
    for (line, time) in (1..).zip(times) {
        if !is_writable(*time) {
            let found = time.to_string();
            return Err((line, TextDefect::NotATime { found }));
        }
    }
    Ok(())
}

/// The calendar index of each row.
fn steps(series: &QlibSeries, calendar: &[NaiveDateTime]) -> Result<Vec<usize>, QlibError> {
    let mut next = 0;
    let mut steps = Vec::with_capacity(series.len());
    for time in series.times() {
        // Nearly always the next line; a search is for the first row and after holes.
        if calendar.get(next) != Some(time) {
            next = calendar
                .binary_search(time)
                .map_err(|_| series.error(SeriesDefect::NotInCalendar { time: *time }))?;
        }
        steps.push(next);
        next += 1;
    }
    Ok(steps)
}

/// A column on the calendar, with NaN where rows are not consecutive lines of it.
fn spread(column: &QlibColumn, steps: &[usize]) -> (usize, Vec<f32>) {
    let rows = &steps[column.start..column.end()];
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return (0, Vec::new());
    };
    let mut values = vec![f32::NAN; last - first + 1];
    for (step, value) in rows.iter().zip(&column.values) {
        values[step - first] = *value;
    }
    (*first, values)
}
