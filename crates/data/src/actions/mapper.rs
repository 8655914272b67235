//! Which security a ticker stood for on a day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sextant_domain::{AssetClass, BarSeries, UtcNanos};

use super::dates::BarDates;
use super::{ActionError, Rename, SecurityHistory, SecurityId, TickerSpan};
use crate::calendar::Calendar;
use crate::text::{listed, shown};

/// The securities of one asset class and their tickers.
///
/// A ticker may stand for several securities, one after the other: they stay what they are. Where sources say that two had
/// it on the same day, [`resolve`](Self::resolve) refuses that day. Upper and lower case make no difference.
#[derive(Debug, Clone, PartialEq)]
pub struct TickerMapper {
    class: AssetClass,
    /// By id.
    securities: Vec<SecurityHistory>,
    /// Places in `securities`, by ticker.
    by_ticker: BTreeMap<String, Vec<usize>>,
}

/// Bars of a ticker that belong to one security, or to none that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The security; `None` for bars on dates on which no security is known to have had the ticker.
    pub security: Option<SecurityId>,
    /// The index of the first bar.
    pub begin: usize,
    /// The index after the last bar.
    pub end: usize,
    /// The date of the first bar.
    pub first_date: NaiveDate,
    /// The date of the last bar.
    pub last_date: NaiveDate,
}

impl TickerMapper {
    /// A mapper over securities in any order.
    ///
    /// # Errors
    /// When two have the same id.
    pub fn new(class: AssetClass, mut securities: Vec<SecurityHistory>) -> Result<Self, ActionError> {
        securities.sort_by(|a, b| a.id().cmp(b.id()));
        if let Some(pair) = securities.windows(2).find(|pair| pair[0].id() == pair[1].id()) {
            return Err(ActionError::Conflict {
                what: format!("the security {} is given twice", pair[0].id()),
                detail: format!("{}; and {}", pair[0].describe(), pair[1].describe()),
            });
        }
        let mut by_ticker: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, security) in securities.iter().enumerate() {
            for span in security.spans() {
                let places = by_ticker.entry(span.ticker.clone()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        Ok(Self {
            class,
            securities,
            by_ticker,
        })
    }

    /// Applies the renames of the mapper's class. A rename that the securities already have changes nothing; one of a
    /// ticker that nobody had makes a security, whose first date is not known and whose id is its newest ticker (with
    /// `.2`, `.3`, ... where that is taken).
    ///
    /// # Errors
    /// When renames decrease in date, or say of a ticker what the securities contradict.
    pub fn with_renames(self, renames: &[Rename]) -> Result<Self, ActionError> {
        super::rename::apply(self, renames)
    }

    /// The asset class.
    pub fn class(&self) -> AssetClass {
        self.class
    }

    /// Every security, by id.
    pub fn securities(&self) -> &[SecurityHistory] {
        &self.securities
    }

    /// Whether any security is known to have had a ticker, on whatever date.
    pub fn knows(&self, ticker: &str) -> bool {
        self.by_ticker.contains_key(&ticker.to_ascii_uppercase())
    }

    /// The security that had a ticker on a date.
    ///
    /// # Errors
    /// [`ActionError::UnknownTicker`] with those that have it on other dates, or [`ActionError::AmbiguousTicker`] with
    /// the candidates.
    pub fn resolve(&self, ticker: &str, date: NaiveDate) -> Result<&SecurityId, ActionError> {
        let ticker = ticker.to_ascii_uppercase();
        let had_it = |security: &&SecurityHistory| security.ticker_on(date) == Some(ticker.as_str());
        let found: Vec<_> = self.users(&ticker).filter(had_it).collect();
        match found.as_slice() {
            [security] => Ok(security.id()),
            [] => Err(ActionError::UnknownTicker {
                candidates: self.candidates(&ticker),
                ticker: shown(ticker.as_bytes()),
                date,
            }),
            several => Err(ActionError::AmbiguousTicker {
                candidates: describe(&ticker, several),
                ticker,
                date,
            }),
        }
    }

    /// The ticker of a security on a date.
    ///
    /// # Errors
    /// When the security is not known, or had no ticker on the date.
    pub fn ticker_on(&self, security: &SecurityId, date: NaiveDate) -> Result<&str, ActionError> {
        let history = self.security(security)?;
        history.ticker_on(date).ok_or_else(|| ActionError::NotListed {
            security: security.to_string(),
            date,
            history: history.describe(),
        })
    }

    /// The tickers of a security with their dates, oldest first.
    ///
    /// # Errors
    /// When the security is not known.
    pub fn history(&self, security: &SecurityId) -> Result<&[TickerSpan], ActionError> {
        self.security(security).map(SecurityHistory::spans)
    }

    /// A security with everything known of it.
    ///
    /// # Errors
    /// When it is not known.
    pub fn security(&self, security: &SecurityId) -> Result<&SecurityHistory, ActionError> {
        let place = self.securities.binary_search_by(|known| known.id().cmp(security));
        place
            .map(|place| &self.securities[place])
            .map_err(|_| ActionError::UnknownSecurity {
                security: security.to_string(),
                known: listed(self.securities.iter().map(|known| known.id().to_string())),
            })
    }

    /// Tells the securities apart whose bars lie under one ticker, oldest first and without a bar left out. More than one
    /// entry means that the ticker was reused, or that nobody is known to have had it on some dates.
    ///
    /// # Errors
    /// [`ActionError::AmbiguousTicker`] when two securities had the ticker on the same date.
    pub fn attribute(
        &self,
        ticker: &str,
        bars: &BarSeries,
        calendar: &Calendar,
    ) -> Result<Vec<Attribution>, ActionError> {
        self.attribute_times(ticker, bars.view().open_time, calendar)
    }

    /// What [`attribute`](Self::attribute) says of bars of which the open times are known; they must not decrease.
    pub(crate) fn attribute_times(
        &self,
        ticker: &str,
        open_time: &[UtcNanos],
        calendar: &Calendar,
    ) -> Result<Vec<Attribution>, ActionError> {
        let ticker = ticker.to_ascii_uppercase();
        let dates = BarDates::of_times(open_time, calendar);
        let mut parts = Vec::new();
        let mut begin = 0;
        for (security, span) in self.uses(&ticker)? {
            let first = span.first.map_or(0, |first| dates.before(first));
            let end = span.last.map_or(dates.len(), |last| dates.until(last));
            parts.push((None, begin, first));
            parts.push((Some(security), first, end));
            begin = end;
        }
        parts.push((None, begin, dates.len()));
        let some = parts.into_iter().filter(|(_, begin, end)| begin < end);
        Ok(some
            .map(|(security, begin, end)| Attribution {
                security: security.cloned(),
                begin,
                end,
                first_date: dates.date(begin),
                last_date: dates.date(end - 1),
            })
            .collect())
    }

    pub(super) fn into_securities(self) -> Vec<SecurityHistory> {
        self.securities
    }

    /// The spans of a ticker, oldest first.
    fn uses(&self, ticker: &str) -> Result<Vec<(&SecurityId, &TickerSpan)>, ActionError> {
        let mut uses: Vec<_> = self
            .users(ticker)
            .flat_map(|security| security.spans().iter().map(move |span| (security.id(), span)))
            .filter(|(_, span)| span.ticker == ticker)
            .collect();
        uses.sort_by_key(|(_, span)| span.first);
        let shared = uses.windows(2).find_map(|pair| {
            let later = pair[1].1.first.unwrap_or(NaiveDate::MIN);
            pair[0].1.contains(later).then_some(later)
        });
        match shared {
            None => Ok(uses),
            Some(date) => Err(ActionError::AmbiguousTicker {
                candidates: describe(ticker, &self.users(ticker).collect::<Vec<_>>()),
                ticker: ticker.to_owned(),
                date,
            }),
        }
    }

    /// The securities that ever had a ticker, by id.
    fn users(&self, ticker: &str) -> impl Iterator<Item = &SecurityHistory> {
        let places = self.by_ticker.get(ticker).into_iter().flatten();
        places.map(|place| &self.securities[*place])
    }

    fn candidates(&self, ticker: &str) -> String {
        let users: Vec<_> = self.users(ticker).collect();
        if users.is_empty() {
            let tickers = self.by_ticker.keys().cloned();
            return format!("the {} tickers known are: {}", self.class, listed(tickers));
        }
        format!("on other dates: {}", describe(ticker, &users))
    }
}

/// Securities with their dates under a ticker.
fn describe(ticker: &str, securities: &[&SecurityHistory]) -> String {
    listed(securities.iter().flat_map(|security| {
        let spans = security.spans().iter().filter(|span| span.ticker == ticker);
        spans.map(|span| format!("{} ({span})", security.id()))
    }))
}
