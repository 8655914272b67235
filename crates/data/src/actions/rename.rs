//! Renames by date.

use std::io::Read;

use chrono::NaiveDate;
use sextant_domain::AssetClass;

use super::rows::Rows;
use super::{ActionError, CorporateAction, SecurityHistory, SecurityId, TickerMapper, TickerSpan};
use crate::text::listed;

const COLUMNS: [&str; 5] = ["date", "asset_class", "old", "new", "new_per_old"];

/// The list in the repository; where its rows come from stands at [`known_renames`].
const KNOWN: &str = include_str!("renames.csv");

/// A security that got another ticker.
#[derive(Debug, Clone, PartialEq)]
pub struct Rename {
    /// The first date of the new ticker.
    pub date: NaiveDate,
    /// The class of the security.
    pub class: AssetClass,
    /// The ticker up to the day before.
    pub old: String,
    /// The ticker from then on.
    pub new: String,
    /// New units per old unit: 1 for a rename alone, 0.01 when a hundred old units became one new.
    pub new_per_old: f64,
}

/// The renames that are checked in.
///
/// Equities: the dates are those of Lean's map files (Apache-2.0), which follow the notices of the exchanges. LEND became
/// AAVE at 100 to 1 by the migration that Aave's governance enabled in the evening of 2020-10-02 UTC, so that the first
/// whole day of AAVE is 2020-10-03. MATIC became POL at 1 to 1 on 2024-09-04 by the announcement of Polygon. Venues moved
/// their markets on days of their own, in October 2020 up to two weeks later: for bars of one venue read a list with its
/// dates by [`read_renames`].
pub fn known_renames() -> Vec<Rename> {
    read_renames("renames.csv", KNOWN.as_bytes()).expect("the list in the repository is read by the tests")
}

/// Reads the rows of a CSV or CSV.gz file with the header `date,asset_class,old,new,new_per_old`, oldest first; the last
/// column may be missing or empty, and is then 1.
///
/// # Errors
/// When the source cannot be read, a cell is not what it must be, or dates decrease; with the row.
pub fn read_renames(file: &str, source: impl Read) -> Result<Vec<Rename>, ActionError> {
    let mut rows = Rows::open(file, source)?;
    rows.header(&COLUMNS, 4)?;
    let mut renames: Vec<Rename> = Vec::new();
    while let Some(row) = rows.next_row()? {
        let [date, class, old, new, ratio] = row.cells(&COLUMNS, 4)?;
        let rename = Rename {
            date: date.date()?,
            class: AssetClass::ALL[class.word(&AssetClass::ALL.map(AssetClass::name))?],
            old: old.ticker()?,
            new: new.ticker()?,
            new_per_old: if ratio.is_empty() { 1.0 } else { ratio.positive()? },
        };
        if rename.old == rename.new {
            return Err(new.refuse("another ticker than the old one"));
        }
        if let Some(last) = renames.last().filter(|last| rename.date < last.date) {
            return Err(date.refuse(format!("{}, the date of the row before, or later", last.date)));
        }
        renames.push(rename);
    }
    Ok(renames)
}

/// What [`TickerMapper::with_renames`] says.
pub(super) fn apply(mapper: TickerMapper, renames: &[Rename]) -> Result<TickerMapper, ActionError> {
    if let Some(pair) = renames.windows(2).find(|pair| pair[1].date < pair[0].date) {
        return Err(pair[1].conflict(format!(
            "it comes after one of {}; renames stand oldest first",
            pair[0].date
        )));
    }
    let class = mapper.class();
    let entries = mapper.into_securities().into_iter().map(Entry::from).collect();
    let mut register = Register { entries };
    let mine: Vec<&Rename> = renames.iter().filter(|rename| rename.class == class).collect();
    for day in mine.chunk_by(|a, b| a.date == b.date) {
        register.apply_day(day)?;
    }
    TickerMapper::new(class, register.histories()?)
}

/// A security on the way through the renames; its id is not known before the last one when a rename made it.
struct Entry {
    id: Option<SecurityId>,
    spans: Vec<TickerSpan>,
    redenominations: Vec<CorporateAction>,
}

struct Register {
    entries: Vec<Entry>,
}

impl Rename {
    fn conflict(&self, detail: String) -> ActionError {
        let Self {
            date,
            class,
            old,
            new,
            ..
        } = self;
        ActionError::Conflict {
            what: format!("the rename of {class} {old} to {new} on {date}"),
            detail,
        }
    }

    fn day_before(&self) -> Result<NaiveDate, ActionError> {
        let detail = || self.conflict("there is no day before that date".to_owned());
        self.date.pred_opt().ok_or_else(detail)
    }
}

impl From<SecurityHistory> for Entry {
    fn from(history: SecurityHistory) -> Self {
        let (id, spans, redenominations) = history.into_parts();
        Self {
            id: Some(id),
            spans,
            redenominations,
        }
    }
}

impl Entry {
    fn describe(&self) -> String {
        let spans = listed(self.spans.iter().map(TickerSpan::to_string));
        match &self.id {
            Some(id) => format!("{id} ({spans})"),
            None => spans,
        }
    }

    /// Ends the span at `place` before the rename and begins one with the new ticker.
    fn rename(&mut self, place: usize, rename: &Rename, day_before: NaiveDate) -> Result<(), ActionError> {
        if self.spans[place].last == Some(day_before) {
            let next = self.spans.get(place + 1);
            let there = next.is_some_and(|next| next.ticker == rename.new && next.first == Some(rename.date));
            return match there {
                true => Ok(()),
                false => Err(rename.conflict(format!("the old ticker ended otherwise: {}", self.describe()))),
            };
        }
        let renamed = TickerSpan {
            ticker: rename.new.clone(),
            first: Some(rename.date),
            ..self.spans[place].clone()
        };
        self.spans[place].last = Some(day_before);
        self.spans.insert(place + 1, renamed);
        Ok(())
    }
}

impl Register {
    /// Renames of one day happen at once, so that two securities can exchange tickers.
    fn apply_day(&mut self, day: &[&Rename]) -> Result<(), ActionError> {
        let mut renamed = Vec::with_capacity(day.len());
        for rename in day {
            renamed.push(self.apply(rename)?);
        }
        for (rename, entry) in day.iter().zip(renamed) {
            self.check_free(rename, entry)?;
            let split = TickerSpan::redenomination(rename.date, rename.new_per_old);
            let known = &mut self.entries[entry].redenominations;
            known.extend(split.filter(|split| !known.contains(split)));
        }
        Ok(())
    }

    /// Applies one rename; the place of its security.
    fn apply(&mut self, rename: &Rename) -> Result<usize, ActionError> {
        let day_before = rename.day_before()?;
        let mut holders = Vec::new();
        for (entry, held) in self.entries.iter().enumerate() {
            let on_day = |span: &TickerSpan| span.ticker == rename.old && span.contains(day_before);
            holders.extend(held.spans.iter().position(on_day).map(|place| (entry, place)));
        }
        match holders.as_slice() {
            [(entry, place)] => {
                self.entries[*entry].rename(*place, rename, day_before)?;
                Ok(*entry)
            }
            [] => Ok(self.begin(rename, day_before)),
            several => {
                let who = listed(several.iter().map(|(entry, _)| self.entries[*entry].describe()));
                Err(rename.conflict(format!("more than one security had the old ticker: {who}")))
            }
        }
    }

    /// A security whose old ticker nobody is known to have had: one that begins with the new ticker on that day, or a new
    /// one.
    fn begin(&mut self, rename: &Rename, day_before: NaiveDate) -> usize {
        let others = self.entries.iter().flat_map(|entry| &entry.spans);
        let earlier = others
            .filter(|span| span.ticker == rename.old)
            .filter_map(|span| span.last);
        let free_from = earlier
            .filter(|last| *last < day_before)
            .max()
            .and_then(|last| last.succ_opt());
        let old = TickerSpan {
            ticker: rename.old.clone(),
            first: free_from,
            last: Some(day_before),
            exchange: None,
        };
        let begins = |entry: &Entry| {
            let span = &entry.spans[0];
            span.ticker == rename.new && span.first == Some(rename.date)
        };
        if let Some(place) = self.entries.iter().position(begins) {
            self.entries[place].spans.insert(0, old);
            return place;
        }
        let new = TickerSpan {
            ticker: rename.new.clone(),
            first: Some(rename.date),
            last: None,
            exchange: None,
        };
        self.entries.push(Entry {
            id: None,
            spans: vec![old, new],
            redenominations: Vec::new(),
        });
        self.entries.len() - 1
    }

    fn check_free(&self, rename: &Rename, renamed: usize) -> Result<(), ActionError> {
        let uses = |entry: &Entry| {
            let mut spans = entry.spans.iter();
            spans.any(|span| span.ticker == rename.new && span.contains(rename.date))
        };
        let mut others = self
            .entries
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != renamed);
        match others.find(|(_, entry)| uses(entry)) {
            None => Ok(()),
            Some((_, entry)) => {
                Err(rename.conflict(format!("the new ticker is in use: {}", entry.describe())))
            }
        }
    }

    fn histories(self) -> Result<Vec<SecurityHistory>, ActionError> {
        let mut taken: Vec<SecurityId> = self.entries.iter().filter_map(|entry| entry.id.clone()).collect();
        let mut histories = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            let id = match entry.id {
                Some(id) => id,
                None => free_id(&entry.spans, &taken)?,
            };
            taken.push(id.clone());
            let mut history = SecurityHistory::new(id, entry.spans)?;
            history.redenominations = entry.redenominations;
            histories.push(history);
        }
        Ok(histories)
    }
}

/// The newest ticker, with a number where it is taken.
fn free_id(spans: &[TickerSpan], taken: &[SecurityId]) -> Result<SecurityId, ActionError> {
    let newest = spans.last().map_or("", |span| span.ticker.as_str());
    let mut id = SecurityId::new(newest)?;
    let mut number = 2;
    while taken.contains(&id) {
        id = SecurityId::new(&format!("{newest}.{number}"))?;
        number += 1;
    }
    Ok(id)
}
