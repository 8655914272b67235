//! Securities, and the tickers they had.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use chrono::NaiveDate;
use sextant_domain::Instrument;

use super::rows::{Cell, Rows, TICKER};
use super::{ActionError, ActionKind, CorporateAction};
use crate::text::{listed, shown};

const MAP_COLUMNS: [&str; 3] = ["last_date", "ticker", "exchange"];
const LISTING_COLUMNS: [&str; 5] = ["security", "ticker", "first_date", "last_date", "delisted"];
const ID: &str =
    "1 to 64 letters, digits, `-`, `.`, `_`, `=` and single blanks, starting with a letter or digit";
const LONGEST_ID: usize = 64;

/// The year that Lean map files write where a security is still listed.
const STILL_LISTED_YEAR: i32 = 2050;

/// The name of a security that stays the same whatever its ticker is, in capitals.
///
/// Lean's convention: the newest ticker, with `.1`, `.2`, ... for an older security that had the same one (`FB.1`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecurityId(String);

/// A ticker and its dates, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TickerSpan {
    /// The ticker, in capitals.
    pub ticker: String,
    /// The first date; `None` where the source does not know it.
    pub first: Option<NaiveDate>,
    /// The last date; `None` while the ticker is in use.
    pub last: Option<NaiveDate>,
    /// The exchange, in the source's code.
    pub exchange: Option<String>,
}

/// A security and its tickers, oldest first, one at a time.
///
/// Only the first span may have no first date, and only the last one no last date. A security whose last span ends was
/// delisted on that date.
#[derive(Debug, Clone, PartialEq)]
pub struct SecurityHistory {
    id: SecurityId,
    spans: Vec<TickerSpan>,
    pub(super) redenominations: Vec<CorporateAction>,
}

impl SecurityId {
    /// Checks a name and puts it in capitals.
    ///
    /// # Errors
    /// When it is empty, longer than 64 characters, or has characters that are not those of a name.
    pub fn new(name: &str) -> Result<Self, ActionError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '=' | ' ');
        let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let harmless = !name.contains("..") && !name.contains("  ") && !name.ends_with(' ');
        if starts && name.len() <= LONGEST_ID && name.chars().all(allowed) && harmless {
            return Ok(Self(name.to_ascii_uppercase()));
        }
        Err(ActionError::Request {
            field: "security",
            found: shown(name.as_bytes()),
            allowed: ID.to_owned(),
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in a cell.
    pub(crate) fn read(cell: Cell<'_>) -> Result<Self, ActionError> {
        let text = cell.text().ok_or_else(|| cell.refuse(ID))?;
        Self::new(text).map_err(|_| cell.refuse(ID))
    }
}

impl fmt::Display for SecurityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TickerSpan {
    /// Whether the ticker was in use on a date.
    pub fn contains(&self, date: NaiveDate) -> bool {
        self.first.is_none_or(|first| first <= date) && self.last.is_none_or(|last| date <= last)
    }
}

impl fmt::Display for TickerSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ticker)?;
        if let Some(first) = self.first {
            write!(f, " from {first}")?;
        }
        match self.last {
            Some(last) => write!(f, " to {last}"),
            None => write!(f, " on"),
        }
    }
}

impl SecurityHistory {
    /// Checks the tickers of a security and puts them in capitals.
    ///
    /// # Errors
    /// When there is none, one cannot be a ticker, a span ends before it begins or before the one before it has ended, or
    /// a date is missing that only the first or the last may lack.
    pub fn new(id: SecurityId, spans: Vec<TickerSpan>) -> Result<Self, ActionError> {
        let mut history = Self {
            id,
            spans,
            redenominations: Vec::new(),
        };
        for span in &mut history.spans {
            span.ticker.make_ascii_uppercase();
        }
        match history.defect() {
            None => Ok(history),
            Some(detail) => Err(ActionError::Conflict {
                what: format!("the tickers of {}", history.id),
                detail,
            }),
        }
    }

    /// Reads a Lean map file, CSV or CSV.gz: rows `last_date,ticker` or `last_date,ticker,exchange` without a header. The
    /// first row has the day of listing, each row the last date of its ticker, and a date in 2050 means that it is
    /// still in use. `id` is the name of the file without its ending, `file` its name for messages.
    ///
    /// # Errors
    /// When the source cannot be read, a cell is not what it must be, dates do not increase, or there are fewer than two
    /// rows; with the row.
    pub fn read_lean_map(id: SecurityId, file: &str, source: impl Read) -> Result<Self, ActionError> {
        let mut rows = Rows::open(file, source)?;
        let mut spans: Vec<TickerSpan> = Vec::new();
        let mut count = 0;
        while let Some(row) = rows.next_row()? {
            let cells = row.cells(&MAP_COLUMNS, 2)?;
            read_map_row(&mut spans, &cells)?;
            count += 1;
        }
        if count < 2 {
            return Err(ActionError::Empty {
                file: file.to_owned(),
                expected: format!(
                    "at least two rows {}, of which it has {count}",
                    MAP_COLUMNS.join(",")
                ),
            });
        }
        for span in &mut spans {
            span.last = span.last.filter(|date| !still_listed(*date));
        }
        Self::new(id, spans)
    }

    /// The name of the security.
    pub fn id(&self) -> &SecurityId {
        &self.id
    }

    /// Its tickers, oldest first.
    pub fn spans(&self) -> &[TickerSpan] {
        &self.spans
    }

    /// Its ticker on a date; `None` when it had none.
    pub fn ticker_on(&self, date: NaiveDate) -> Option<&str> {
        self.span_on(date).map(|span| span.ticker.as_str())
    }

    /// Its first date; `None` where the source does not know it.
    pub fn first(&self) -> Option<NaiveDate> {
        self.spans.first().and_then(|span| span.first)
    }

    /// Its last date; `None` when it is still listed.
    pub fn delisted_after(&self) -> Option<NaiveDate> {
        self.spans.last().and_then(|span| span.last)
    }

    /// Renames at which old units became another number of new ones, as splits. They are in no factor file, so that bars
    /// that were [stitched](super::stitch()) across such a rename have to be adjusted for them.
    pub fn redenominations(&self) -> &[CorporateAction] {
        &self.redenominations
    }

    pub(super) fn span_on(&self, date: NaiveDate) -> Option<&TickerSpan> {
        self.spans.iter().find(|span| span.contains(date))
    }

    pub(super) fn into_parts(self) -> (SecurityId, Vec<TickerSpan>, Vec<CorporateAction>) {
        (self.id, self.spans, self.redenominations)
    }

    /// The tickers and their dates, in words.
    pub(super) fn describe(&self) -> String {
        listed(self.spans.iter().map(TickerSpan::to_string))
    }

    fn defect(&self) -> Option<String> {
        if self.spans.is_empty() {
            return Some("there is none; a security has at least one".to_owned());
        }
        let bad = |span: &&TickerSpan| Instrument::validate_symbol(&span.ticker).is_err();
        if let Some(span) = self.spans.iter().find(bad) {
            return Some(format!(
                "found `{}`; allowed: {TICKER}",
                shown(span.ticker.as_bytes())
            ));
        }
        let backwards = |span: &&TickerSpan| matches!((span.first, span.last), (Some(a), Some(b)) if b < a);
        if let Some(span) = self.spans.iter().find(backwards) {
            return Some(format!("{span}: it ends before it begins"));
        }
        let apart = |earlier: &TickerSpan, later: &TickerSpan| matches!((earlier.last, later.first), (Some(last), Some(first)) if last < first);
        let pair = self.spans.windows(2).find(|pair| !apart(&pair[0], &pair[1]))?;
        let (earlier, later) = (&pair[0], &pair[1]);
        Some(format!(
            "{earlier}, then {later}: the first must end before the second begins"
        ))
    }
}

impl TickerSpan {
    /// The rename that ended a span with units of another worth, as a split.
    pub(super) fn redenomination(ex_date: NaiveDate, new_per_old: f64) -> Option<CorporateAction> {
        let kind = ActionKind::Split { new_per_old };
        (new_per_old != 1.0).then_some(CorporateAction { ex_date, kind })
    }
}

/// Reads the rows of a CSV or CSV.gz file with the header `security,ticker,first_date,last_date,delisted`, in any order of
/// securities; the tickers of one security stand in the order of their dates. `delisted` is `true` or `false`. A first
/// date may be missing in the first row of a security. The last row of a security has a last date when it was delisted,
/// and none when it was not.
///
/// # Errors
/// When the source cannot be read, a cell is not what it must be, or the rows of a security contradict each other; with
/// the row or the security.
pub fn read_listings(file: &str, source: impl Read) -> Result<Vec<SecurityHistory>, ActionError> {
    let mut rows = Rows::open(file, source)?;
    rows.header(&LISTING_COLUMNS, LISTING_COLUMNS.len())?;
    let mut securities: BTreeMap<SecurityId, (Vec<TickerSpan>, bool)> = BTreeMap::new();
    while let Some(row) = rows.next_row()? {
        let [security, ticker, first, last, delisted] = row.cells(&LISTING_COLUMNS, LISTING_COLUMNS.len())?;
        let date = |cell: Cell<'_>| (!cell.is_empty()).then(|| cell.date()).transpose();
        let span = TickerSpan {
            ticker: ticker.ticker()?,
            first: date(first)?,
            last: date(last)?,
            exchange: None,
        };
        let flag = delisted.word(&["false", "true"])? == 1;
        if flag && span.last.is_none() {
            return Err(last.refuse("the last date of a delisted security"));
        }
        let (spans, ended) = securities.entry(SecurityId::read(security)?).or_default();
        if *ended {
            return Err(security.refuse("no row after the one that says the security was delisted"));
        }
        spans.push(span);
        *ended = flag;
    }
    let histories = securities.into_iter().map(|(id, (spans, delisted))| {
        let history = SecurityHistory::new(id, spans)?;
        match history.delisted_after() {
            Some(last) if !delisted => Err(ActionError::Conflict {
                what: format!("{file}: {}", history.id),
                detail: format!(
                    "it ends on {last} and is not delisted; leave the last date out, or write delisted=true"
                ),
            }),
            _ => Ok(history),
        }
    });
    histories.collect()
}

/// Appends a row of a map file: its ticker was in use from the day after the row before up to and including its date.
fn read_map_row(spans: &mut Vec<TickerSpan>, cells: &[Cell<'_>; 3]) -> Result<(), ActionError> {
    let date = cells[0].compact_date()?;
    let ticker = cells[1].ticker()?;
    let exchange = cells[2].text().filter(|code| !code.is_empty()).map(str::to_owned);
    let Some(span) = spans.last_mut() else {
        let (first, last) = (Some(date), Some(date));
        spans.push(TickerSpan {
            ticker,
            first,
            last,
            exchange,
        });
        return Ok(());
    };
    let before = span.last.unwrap_or(date);
    // A security that was listed for one day has that day twice.
    let listing_day = spans.len() == 1 && spans[0].first == Some(before) && spans[0].ticker == ticker;
    if date < before || (date == before && !listing_day) {
        return Err(cells[0].refuse(format!("a date after {before}, that of the row before")));
    }
    match spans.last_mut().filter(|span| span.ticker == ticker) {
        Some(span) => {
            span.last = Some(date);
            span.exchange = exchange;
        }
        None => spans.push(TickerSpan {
            ticker,
            first: before.succ_opt(),
            last: Some(date),
            exchange,
        }),
    }
    Ok(())
}

fn still_listed(date: NaiveDate) -> bool {
    chrono::Datelike::year(&date) >= STILL_LISTED_YEAR
}
