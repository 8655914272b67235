//! What could be traded on a day.
//!
//! A backtest that trades today's list of names through the past leaves out those that failed. [`UniverseBuilder`] gives
//! the names of a day as they were: from the listings that a [`TickerMapper`] knows (map files, or a list read by
//! [`read_listings`](crate::actions::read_listings)), or from daily snapshots of a market ([`CoarseUniverse`]) with
//! filters on price and dollar volume.
//!
//! # Invariants
//! * Only what is dated at the day or before decides: a snapshot of a later day, and whether or when a name was delisted
//!   later, change nothing.
//! * A snapshot of a day holds the close and volume of that day, so it is known when its session has closed: who trades at
//!   the open of a day asks for the day before.
//! * Members come in the order of ticker and id.
//!
//! # Deliberately absent
//! The price and split factors of coarse files: they contain splits and dividends that came later. The sessions of a
//! market: a listed name is a member on a holiday too.

mod coarse;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sextant_domain::AssetClass;
use thiserror::Error;

use coarse::CoarseRow;
pub use coarse::{Ambiguity, CoarseUniverse};

use crate::actions::{SecurityHistory, SecurityId, TickerMapper};
use crate::text::listed;

/// A name that could be traded.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The security, by the id of the source.
    pub security: SecurityId,
    /// Its ticker on that day.
    pub ticker: String,
    /// The day of the information: that of the snapshot, or the day asked for where it comes from listings.
    pub known_on: NaiveDate,
    /// What was traded on that day; `None` where it comes from listings.
    pub liquidity: Option<Liquidity>,
}

/// What was traded of a name on one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Liquidity {
    /// The raw close.
    pub close: f64,
    /// Traded shares.
    pub volume: f64,
    /// Their worth, in the currency of the close.
    pub dollar_volume: f64,
}

/// Which members are wanted; the default is all of them. Prices and volumes are those of the snapshot, and the best by
/// dollar volume are taken of those that are left after the other conditions (of equal ones those first in order).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UniverseFilter {
    /// The lowest raw close.
    pub min_price: Option<f64>,
    /// The lowest dollar volume of the day.
    pub min_dollar_volume: Option<f64>,
    /// How many at the most, those with the highest dollar volume.
    pub top_by_dollar_volume: Option<usize>,
}

/// A name that left the market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delisting {
    /// The security.
    pub security: SecurityId,
    /// Its last ticker.
    pub ticker: String,
    /// Its last date.
    pub last: NaiveDate,
}

/// An error of a universe.
#[derive(Debug, Error, PartialEq)]
pub enum UniverseError {
    /// A class without a source.
    #[error("there is no universe for {class}; there are: {there}")]
    NoSource {
        /// The class.
        class: AssetClass,
        /// The classes that have one.
        there: String,
    },
    /// A class that has a source already.
    #[error("there is a universe for {class} already; give one source for each class")]
    SecondSource {
        /// The class.
        class: AssetClass,
    },
    /// A day before everything that is known.
    #[error("nothing is known about {class} on {date}; the first snapshot is of {first}")]
    NotYetKnown {
        /// The class.
        class: AssetClass,
        /// The day.
        date: NaiveDate,
        /// The day of the first snapshot.
        first: NaiveDate,
    },
    /// A day for which the newest snapshot is too old.
    #[error(
        "the newest snapshot of {class} on {date} is of {newest}, {age_days} days before; allowed: at most {max_age_days}"
    )]
    Stale {
        /// The class.
        class: AssetClass,
        /// The day.
        date: NaiveDate,
        /// The day of the snapshot.
        newest: NaiveDate,
        /// Its age.
        age_days: i64,
        /// The age allowed.
        max_age_days: u32,
    },
    /// A filter that makes no sense, or cannot be applied.
    #[error("{field}: found `{found}`; allowed: {allowed}")]
    Filter {
        /// The field of the filter.
        field: &'static str,
        /// Its value.
        found: String,
        /// What may stand there.
        allowed: &'static str,
    },
}

/// The universes of asset classes, one source for each.
#[derive(Debug, Clone, Default)]
pub struct UniverseBuilder {
    sources: BTreeMap<AssetClass, Source>,
}

#[derive(Debug, Clone)]
enum Source {
    /// By id.
    Listings(Vec<SecurityHistory>),
    Coarse {
        snapshots: CoarseUniverse,
        max_age_days: u32,
    },
}

impl UniverseBuilder {
    /// A builder without a source.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the members of the mapper's class from its securities: a name is a member from its first to its last date,
    /// under the ticker of the day, whatever became of it later.
    ///
    /// # Errors
    /// When the class has a source already.
    pub fn with_listings(self, listings: &TickerMapper) -> Result<Self, UniverseError> {
        self.with_source(listings.class(), Source::Listings(listings.securities().to_vec()))
    }

    /// Takes the members of a class from daily snapshots: those of the newest one at the day or before. A snapshot that is
    /// more than `max_age_days` older than the day is an error, because names come and go.
    ///
    /// # Errors
    /// When the class has a source already.
    pub fn with_coarse(
        self,
        class: AssetClass,
        snapshots: CoarseUniverse,
        max_age_days: u32,
    ) -> Result<Self, UniverseError> {
        self.with_source(
            class,
            Source::Coarse {
                snapshots,
                max_age_days,
            },
        )
    }

    /// Every name of a class that could be traded on a day, by ticker and id; none is an empty list.
    ///
    /// # Errors
    /// When the class has no source, or no snapshot that is new enough.
    pub fn universe(&self, date: NaiveDate, class: AssetClass) -> Result<Vec<Member>, UniverseError> {
        self.filtered(date, class, &UniverseFilter::default())
    }

    /// The names of a class that could be traded on a day and pass a filter, by ticker and id.
    ///
    /// # Errors
    /// As for [`universe`](Self::universe); and when a value of the filter makes no sense, or the class comes from
    /// listings, which know neither prices nor volumes.
    pub fn filtered(
        &self,
        date: NaiveDate,
        class: AssetClass,
        filter: &UniverseFilter,
    ) -> Result<Vec<Member>, UniverseError> {
        filter.check()?;
        match self.source(class)? {
            Source::Listings(securities) => {
                filter.refuse_any()?;
                Ok(listed_on(securities, date))
            }
            Source::Coarse {
                snapshots,
                max_age_days,
            } => {
                let (known_on, rows) = newest(snapshots, (date, class), *max_age_days)?;
                let wanted = filter.apply(rows.iter().collect());
                Ok(wanted.into_iter().map(|row| row.member(known_on)).collect())
            }
        }
    }

    /// The names of a class that left the market from one day to another, both included, by date and id. This is what a
    /// venue needs to close positions; a model that reads it ahead of time looks into the future. Snapshots do not say
    /// who left.
    ///
    /// # Errors
    /// When the class has no source with listings.
    pub fn delistings(
        &self,
        class: AssetClass,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<Delisting>, UniverseError> {
        let Source::Listings(securities) = self.source(class)? else {
            return Err(self.no_source(class, |source| matches!(source, Source::Listings(_))));
        };
        let mut delistings: Vec<Delisting> = securities
            .iter()
            .filter_map(|security| {
                let span = security.spans().last()?;
                let last = span.last.filter(|last| from <= *last && *last <= to)?;
                Some(Delisting {
                    security: security.id().clone(),
                    ticker: span.ticker.clone(),
                    last,
                })
            })
            .collect();
        delistings.sort_by(|a, b| (a.last, &a.security).cmp(&(b.last, &b.security)));
        Ok(delistings)
    }

    fn with_source(mut self, class: AssetClass, source: Source) -> Result<Self, UniverseError> {
        match self.sources.insert(class, source) {
            None => Ok(self),
            Some(_) => Err(UniverseError::SecondSource { class }),
        }
    }

    fn source(&self, class: AssetClass) -> Result<&Source, UniverseError> {
        self.sources
            .get(&class)
            .ok_or_else(|| self.no_source(class, |_| true))
    }

    fn no_source(&self, class: AssetClass, wanted: impl Fn(&Source) -> bool) -> UniverseError {
        let there = self.sources.iter().filter(|(_, source)| wanted(source));
        UniverseError::NoSource {
            class,
            there: listed(there.map(|(class, _)| class.to_string())),
        }
    }
}

impl UniverseFilter {
    fn check(&self) -> Result<(), UniverseError> {
        let limits = [
            ("min_price", self.min_price),
            ("min_dollar_volume", self.min_dollar_volume),
        ];
        for (field, limit) in limits {
            if let Some(limit) = limit.filter(|limit| !limit.is_finite() || *limit < 0.0) {
                let found = limit.to_string();
                let allowed = "a finite number, zero or above";
                return Err(UniverseError::Filter {
                    field,
                    found,
                    allowed,
                });
            }
        }
        match self.top_by_dollar_volume {
            Some(0) => Err(UniverseError::Filter {
                field: "top_by_dollar_volume",
                found: "0".to_owned(),
                allowed: "1 or more",
            }),
            _ => Ok(()),
        }
    }

    fn refuse_any(&self) -> Result<(), UniverseError> {
        if *self == Self::default() {
            return Ok(());
        }
        Err(UniverseError::Filter {
            field: "filter",
            found: format!("{self:?}"),
            allowed: "none for a class whose members come from listings, which know neither prices nor volumes",
        })
    }

    fn apply<'r>(&self, mut rows: Vec<&'r CoarseRow>) -> Vec<&'r CoarseRow> {
        let reaches = |value: f64, limit: Option<f64>| limit.is_none_or(|limit| value >= limit);
        rows.retain(|row| {
            reaches(row.liquidity.close, self.min_price)
                && reaches(row.liquidity.dollar_volume, self.min_dollar_volume)
        });
        if let Some(count) = self.top_by_dollar_volume {
            // Stable, so that equal ones keep their order.
            rows.sort_by(|a, b| b.liquidity.dollar_volume.total_cmp(&a.liquidity.dollar_volume));
            rows.truncate(count);
            rows.sort_by(|a, b| a.key().cmp(&b.key()));
        }
        rows
    }
}

fn listed_on(securities: &[SecurityHistory], date: NaiveDate) -> Vec<Member> {
    let listed = securities.iter().filter_map(|security| {
        Some(Member {
            security: security.id().clone(),
            ticker: security.ticker_on(date)?.to_owned(),
            known_on: date,
            liquidity: None,
        })
    });
    let mut members: Vec<Member> = listed.collect();
    members.sort_by(|a, b| (&a.ticker, &a.security).cmp(&(&b.ticker, &b.security)));
    members
}

fn newest(
    snapshots: &CoarseUniverse,
    (date, class): (NaiveDate, AssetClass),
    max_age_days: u32,
) -> Result<(NaiveDate, &[CoarseRow]), UniverseError> {
    let (newest, rows) = snapshots.newest(date).ok_or(UniverseError::NotYetKnown {
        class,
        date,
        first: snapshots.first(),
    })?;
    let age_days = (date - newest).num_days();
    if age_days > i64::from(max_age_days) {
        return Err(UniverseError::Stale {
            class,
            date,
            newest,
            age_days,
            max_age_days,
        });
    }
    Ok((newest, rows))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod properties;
