//! Daily snapshots of a market.

use std::collections::BTreeMap;
use std::io::Read;

use chrono::NaiveDate;

use super::{Liquidity, Member};
use crate::actions::rows::{Cell, Rows};
use crate::actions::{ActionError, SecurityId};

const COLUMNS: [&str; 9] = [
    "date",
    "security_id",
    "symbol",
    "close",
    "volume",
    "dollar_volume",
    "has_fundamental",
    "price_factor",
    "split_factor",
];
/// The columns after these are not read.
const REQUIRED: usize = 6;

/// Snapshots of a market by day: every name that traded, with close and volume.
#[derive(Debug, Clone, PartialEq)]
pub struct CoarseUniverse {
    /// Rows by ticker and id.
    days: BTreeMap<NaiveDate, Vec<CoarseRow>>,
    identical_duplicates: u64,
    ambiguities: Vec<Ambiguity>,
}

/// Rows of one day that cannot all be right. They are kept, because nothing says which one is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ambiguity {
    /// One security with two tickers.
    TwoTickers {
        /// The day.
        date: NaiveDate,
        /// The security.
        security: SecurityId,
        /// Its tickers, in order.
        tickers: Vec<String>,
    },
    /// One ticker with two securities.
    TwoSecurities {
        /// The day.
        date: NaiveDate,
        /// The ticker.
        ticker: String,
        /// The securities, by id.
        securities: Vec<SecurityId>,
    },
}

/// A name on a day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CoarseRow {
    pub(super) ticker: String,
    pub(super) security: SecurityId,
    pub(super) liquidity: Liquidity,
}

impl CoarseUniverse {
    /// Reads a CSV or CSV.gz file with the header
    /// `date,security_id,symbol,close,volume,dollar_volume,has_fundamental,price_factor,split_factor`, of which the last
    /// three may be missing and are not read. Rows may come in any order; one that stands there twice counts once.
    ///
    /// # Errors
    /// When the source cannot be read, a cell is not what it must be, there is no row, or two rows give one security under
    /// one ticker different values on one day; with the row.
    pub fn read(file: &str, source: impl Read) -> Result<Self, ActionError> {
        let mut rows = Rows::open(file, source)?;
        rows.header(&COLUMNS, REQUIRED)?;
        let mut days: BTreeMap<NaiveDate, BTreeMap<(String, SecurityId), Liquidity>> = BTreeMap::new();
        let mut identical_duplicates = 0;
        while let Some(row) = rows.next_row()? {
            let cells = row.cells(&COLUMNS, REQUIRED)?;
            let (date, read) = read_row(&cells)?;
            let day = days.entry(date).or_default();
            match day.insert((read.ticker, read.security), read.liquidity) {
                None => {}
                Some(earlier) if earlier == read.liquidity => identical_duplicates += 1,
                Some(_) => {
                    return Err(cells[1].refuse("one row, or equal ones, for a security, ticker and date"));
                }
            }
        }
        if days.is_empty() {
            return Err(ActionError::Empty {
                file: file.to_owned(),
                expected: "rows after the header".to_owned(),
            });
        }
        let days: BTreeMap<_, _> = days
            .into_iter()
            .map(|(date, day)| (date, in_order(day)))
            .collect();
        let ambiguities = days
            .iter()
            .flat_map(|(date, rows)| ambiguities(*date, rows))
            .collect();
        Ok(Self {
            days,
            identical_duplicates,
            ambiguities,
        })
    }

    /// The days, oldest first, with the number of names.
    pub fn days(&self) -> impl ExactSizeIterator<Item = (NaiveDate, usize)> + '_ {
        self.days.iter().map(|(date, rows)| (*date, rows.len()))
    }

    /// How many rows stood in the file before, value for value, and were dropped.
    pub fn identical_duplicates(&self) -> u64 {
        self.identical_duplicates
    }

    /// Rows that cannot all be right, by day.
    pub fn ambiguities(&self) -> &[Ambiguity] {
        &self.ambiguities
    }

    /// The first day.
    pub(super) fn first(&self) -> NaiveDate {
        self.days.keys().next().copied().unwrap_or_default()
    }

    /// The newest day at `date` or before, with its rows by ticker and id.
    pub(super) fn newest(&self, date: NaiveDate) -> Option<(NaiveDate, &[CoarseRow])> {
        let (day, rows) = self.days.range(..=date).next_back()?;
        Some((*day, rows))
    }
}

impl CoarseRow {
    pub(super) fn key(&self) -> (&str, &SecurityId) {
        (&self.ticker, &self.security)
    }

    pub(super) fn member(&self, known_on: NaiveDate) -> Member {
        Member {
            security: self.security.clone(),
            ticker: self.ticker.clone(),
            known_on,
            liquidity: Some(self.liquidity),
        }
    }
}

fn read_row(cells: &[Cell<'_>; 9]) -> Result<(NaiveDate, CoarseRow), ActionError> {
    let [date, security, symbol, close, volume, dollar_volume, ..] = cells;
    let row = CoarseRow {
        ticker: symbol.ticker()?,
        security: SecurityId::read(*security)?,
        liquidity: Liquidity {
            close: close.positive()?,
            volume: volume.not_negative()?,
            dollar_volume: dollar_volume.not_negative()?,
        },
    };
    Ok((date.date()?, row))
}

fn in_order(day: BTreeMap<(String, SecurityId), Liquidity>) -> Vec<CoarseRow> {
    let rows = day.into_iter().map(|((ticker, security), liquidity)| CoarseRow {
        ticker,
        security,
        liquidity,
    });
    rows.collect()
}

/// Tickers first, then securities.
fn ambiguities(date: NaiveDate, rows: &[CoarseRow]) -> Vec<Ambiguity> {
    let by_ticker = rows
        .chunk_by(|a, b| a.ticker == b.ticker)
        .filter(|same| same.len() > 1);
    let mut found: Vec<Ambiguity> = by_ticker
        .map(|same| Ambiguity::TwoSecurities {
            date,
            ticker: same[0].ticker.clone(),
            securities: same.iter().map(|row| row.security.clone()).collect(),
        })
        .collect();
    let mut by_security: Vec<&CoarseRow> = rows.iter().collect();
    by_security.sort_by(|a, b| (&a.security, &a.ticker).cmp(&(&b.security, &b.ticker)));
    let by_security = by_security
        .chunk_by(|a, b| a.security == b.security)
        .filter(|same| same.len() > 1);
    found.extend(by_security.map(|same| Ambiguity::TwoTickers {
        date,
        security: same[0].security.clone(),
        tickers: same.iter().map(|row| row.ticker.clone()).collect(),
    }));
    found
}
