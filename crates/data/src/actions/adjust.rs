//! Adjusted series, as known on a day, and the cash that raw series leave out.

use chrono::NaiveDate;
use sextant_domain::{Bar, BarSeries};

use super::dates::{BarDates, session_before};
use super::description::describe;
use super::event::{Event, below_close};
use super::{ActionError, ActionKind, CorporateAction, EventList, FactorFile};
use crate::calendar::Calendar;

/// Closes that differ by more than this part of the price are not of the same share.
const REFERENCE_TOLERANCE: f64 = 1e-3;

/// What a price is adjusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustmentMode {
    /// Splits: prices are in today's shares, and cash was paid beside them.
    Splits,
    /// Splits and dividends: prices change as the wealth of a holder who reinvests dividends at the close before the
    /// ex-date.
    SplitsAndDividends,
}

/// Adjusts the bars of one security.
///
/// With a factor file as basis, the factors of the file are used digit for digit, so that everything known gives raw x
/// price factor x split factor of the file. With events, a dividend has the price factor 1 - amount / close before the
/// ex-date, and a split the split factor 1 / new shares per old.
#[derive(Debug, Clone)]
pub struct AdjustmentEngine {
    file: String,
    calendar: Calendar,
    events: Vec<Event>,
    factors: Option<FactorTable>,
}

/// An adjusted series.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjusted {
    /// The bars up to `as_of`, adjusted.
    pub bars: BarSeries,
    /// Adjusted price / raw price, one per bar.
    pub adjustment_factor: Vec<f64>,
    /// The day whose knowledge was used.
    pub as_of: NaiveDate,
    /// Raw bars after `as_of`, left out because they were not known.
    pub not_yet_known: usize,
    /// Where the bars do not fit the events.
    pub doubts: Vec<ReferenceDoubt>,
    /// What was adjusted, by what, and as known when.
    pub adjustment: String,
}

/// A close before an ex-date that is not what it should be. Nothing else has to be wrong, but it is what a reused ticker
/// or a hole in the bars looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ReferenceDoubt {
    /// The bar before the ex-date has another close than the one the event was made with.
    OtherClose {
        /// The ex-date.
        ex_date: NaiveDate,
        /// The close of the source of the event.
        reference_close: f64,
        /// The close of the bars.
        raw_close: f64,
    },
    /// The close that had to be used is older than the session before the ex-date.
    OldClose {
        /// The ex-date.
        ex_date: NaiveDate,
        /// The date of the bar whose close was used.
        bar_date: NaiveDate,
    },
}

/// Cash for the holder of one share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CashDividend {
    /// The ex-date.
    pub ex_date: NaiveDate,
    /// Amount per share held at the close before the ex-date, before a split of the same date.
    pub amount: f64,
    /// The close before the ex-date that the source of the event gives.
    pub reference_close: Option<f64>,
    /// The close of the last raw bar before the ex-date.
    pub raw_close: Option<f64>,
}

/// The factors of bars before an ex-date and not before the one of the level before.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Level {
    ex_date: NaiveDate,
    price: f64,
    split: f64,
}

/// The levels of a factor file, relative to the newest share.
#[derive(Debug, Clone)]
struct FactorTable {
    levels: Vec<Level>,
    last: NaiveDate,
}

/// The close before an ex-date in the raw bars.
#[derive(Debug, Clone, Copy)]
struct CloseBefore {
    date: NaiveDate,
    close: f64,
}

impl AdjustmentEngine {
    /// An engine over a list of events. The calendar tells the date of a bar.
    pub fn from_events(events: EventList, calendar: Calendar) -> Self {
        let EventList { file, events } = events;
        Self {
            file,
            calendar,
            events,
            factors: None,
        }
    }

    /// An engine over a factor file. The calendar tells the date of a bar and the session after a row.
    ///
    /// # Errors
    /// When the calendar has no session after a row.
    pub fn from_factors(factors: &FactorFile, calendar: Calendar) -> Result<Self, ActionError> {
        let events = factors.numbered_events(&calendar)?;
        let last = factors.rows.len() - 1;
        let mut levels = Vec::with_capacity(last);
        for (index, (_, row)) in factors.rows[..last].iter().enumerate() {
            levels.push(Level {
                ex_date: factors.ex_date(index, &calendar)?,
                price: row.price_factor,
                split: row.split_factor,
            });
        }
        let last = factors.rows[last].1.date;
        Ok(Self {
            file: factors.file.clone(),
            calendar,
            events,
            factors: Some(FactorTable { levels, last }),
        })
    }

    /// Every event, oldest first.
    pub fn events(&self) -> impl ExactSizeIterator<Item = CorporateAction> + '_ {
        self.events.iter().map(|event| event.action)
    }

    /// The bars as they were known at the end of a day: without bars after it, and without adjustments for an ex-date
    /// after it; [`NaiveDate::MAX`] stands for everything there is. An empty series stays empty.
    ///
    /// With everything known, prices are raw x price factor x split factor, multiplied in this order, and volumes raw /
    /// split factor; on an earlier day both factors are divided by those of that day.
    ///
    /// # Errors
    /// A bar after the last row of the factor file, a dividend that is not below the close before its ex-date, or factors
    /// so extreme that a bar is no bar any more.
    pub fn adjusted(
        &self,
        raw: &BarSeries,
        mode: AdjustmentMode,
        as_of: NaiveDate,
    ) -> Result<Adjusted, ActionError> {
        let dates = BarDates::new(raw, &self.calendar);
        let known = dates.until(as_of);
        let levels = match &self.factors {
            Some(factors) => {
                self.check_covered(factors, known.checked_sub(1).map(|index| dates.date(index)))?;
                factors.known_on(as_of)
            }
            None => self.compounded(raw, mode, as_of)?,
        };
        let levels = levels.into_iter().map(|level| level.for_mode(mode));
        let (bars, adjustment_factor) = self.apply(raw, known, levels.collect())?;
        Ok(Adjusted {
            bars,
            adjustment_factor,
            as_of,
            not_yet_known: raw.len() - known,
            doubts: self.doubts(raw, as_of),
            adjustment: describe(&self.file, (mode, as_of), self.digest(mode, as_of)),
        })
    }

    /// The dividends with an ex-date from one day to another, both included, oldest first and one for each ex-date: what
    /// an account that holds raw shares is paid. With a factor file the amounts are those the factors imply, right to
    /// about 1e-7 x reference close / price factor; see [`FactorFile::events`].
    ///
    /// # Errors
    /// When `from` is after `to`, or an amount is not below the close of the last raw bar before its ex-date.
    pub fn cash_dividends(
        &self,
        raw: &BarSeries,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<CashDividend>, ActionError> {
        if from > to {
            return Err(ActionError::Request {
                field: "from",
                found: from.to_string(),
                allowed: format!("a date not after {to}"),
            });
        }
        let mut dividends: Vec<CashDividend> = Vec::new();
        for event in self
            .events
            .iter()
            .filter(|event| (from..=to).contains(&event.action.ex_date))
        {
            let ActionKind::CashDividend {
                amount,
                reference_close,
            } = event.action.kind
            else {
                continue;
            };
            let ex_date = event.action.ex_date;
            let raw_close = self.close_before(raw, ex_date).map(|before| before.close);
            let same_date = dividends.last_mut().filter(|last| last.ex_date == ex_date);
            let total = amount + same_date.as_ref().map_or(0.0, |last| last.amount);
            if let Some(close) = raw_close {
                below_close((&self.file, event.row), total, (close, ex_date))?;
            }
            match same_date {
                Some(last) => last.amount = total,
                None => dividends.push(CashDividend {
                    ex_date,
                    amount,
                    reference_close,
                    raw_close,
                }),
            }
        }
        Ok(dividends)
    }

    fn check_covered(&self, factors: &FactorTable, newest: Option<NaiveDate>) -> Result<(), ActionError> {
        match newest {
            Some(date) if date > factors.last => Err(ActionError::NoFactor {
                file: self.file.clone(),
                date,
                last: factors.last,
            }),
            _ => Ok(()),
        }
    }

    /// The levels that the events up to a day amount to, from the newest to the oldest and then turned round.
    fn compounded(
        &self,
        raw: &BarSeries,
        mode: AdjustmentMode,
        as_of: NaiveDate,
    ) -> Result<Vec<Level>, ActionError> {
        let known = self.events.partition_point(|event| event.action.ex_date <= as_of);
        let same_date = |a: &Event, b: &Event| a.action.ex_date == b.action.ex_date;
        let mut levels = Vec::new();
        let (mut price, mut split) = (1.0, 1.0);
        for events in self.events[..known].chunk_by(same_date).rev() {
            let ex_date = events[0].action.ex_date;
            let Some(before) = self.close_before(raw, ex_date) else {
                break;
            };
            if mode == AdjustmentMode::SplitsAndDividends {
                price *= self.dividend_factor(events, before)?;
            }
            split /= split_ratio(events);
            levels.push(Level {
                ex_date,
                price,
                split,
            });
        }
        levels.reverse();
        Ok(levels)
    }

    /// What the dividends of one ex-date make of a price.
    fn dividend_factor(&self, events: &[Event], before: CloseBefore) -> Result<f64, ActionError> {
        let mut total = 0.0;
        let mut close = before.close;
        for event in events {
            let ActionKind::CashDividend {
                amount,
                reference_close,
            } = event.action.kind
            else {
                continue;
            };
            total += amount;
            close = reference_close.unwrap_or(close);
            below_close((&self.file, event.row), total, (close, event.action.ex_date))?;
        }
        Ok(1.0 - total / close)
    }

    fn apply(
        &self,
        raw: &BarSeries,
        known: usize,
        levels: Vec<Level>,
    ) -> Result<(BarSeries, Vec<f64>), ActionError> {
        let dates = BarDates::new(raw, &self.calendar);
        let mut bars = BarSeries::with_capacity(known);
        let mut factors = Vec::with_capacity(known);
        let ends = levels.iter().map(|level| dates.before(level.ex_date).min(known));
        let ends: Vec<usize> = ends.chain([known]).collect();
        let unadjusted = Level {
            ex_date: NaiveDate::MAX,
            price: 1.0,
            split: 1.0,
        };
        for (level, end) in levels.into_iter().chain([unadjusted]).zip(ends) {
            for index in bars.len()..end {
                bars.push(level.adjust(raw.bar(index)))
                    .map_err(|source| ActionError::Series {
                        what: format!("bars adjusted by {}", self.file),
                        source,
                    })?;
                factors.push(level.price * level.split);
            }
        }
        Ok((bars, factors))
    }

    fn doubts(&self, raw: &BarSeries, as_of: NaiveDate) -> Vec<ReferenceDoubt> {
        let known = self.events.iter().filter(|event| event.action.ex_date <= as_of);
        known.filter_map(|event| self.doubt(raw, &event.action)).collect()
    }

    fn doubt(&self, raw: &BarSeries, action: &CorporateAction) -> Option<ReferenceDoubt> {
        let ActionKind::CashDividend { reference_close, .. } = action.kind else {
            return None;
        };
        let ex_date = action.ex_date;
        let before = self.close_before(raw, ex_date)?;
        let fresh = session_before(&self.calendar, ex_date) == Some(before.date);
        match reference_close {
            Some(reference_close) if fresh => {
                let differs = (before.close - reference_close).abs() > REFERENCE_TOLERANCE * reference_close;
                let raw_close = before.close;
                differs.then_some(ReferenceDoubt::OtherClose {
                    ex_date,
                    reference_close,
                    raw_close,
                })
            }
            None if !fresh => Some(ReferenceDoubt::OldClose {
                ex_date,
                bar_date: before.date,
            }),
            _ => None,
        }
    }

    /// The close of the last bar before an ex-date.
    fn close_before(&self, raw: &BarSeries, ex_date: NaiveDate) -> Option<CloseBefore> {
        let dates = BarDates::new(raw, &self.calendar);
        let index = dates.before(ex_date).checked_sub(1)?;
        Some(CloseBefore {
            date: dates.date(index),
            close: raw.view().close[index],
        })
    }

    /// A digest of the factors by date, as known on a day: what came after it makes no difference. `None` where factors
    /// depend on the closes of the bars as well, because a dividend of the list has none beside it.
    fn digest(&self, mode: AdjustmentMode, as_of: NaiveDate) -> Option<String> {
        let mut hasher = blake3::Hasher::new();
        let levels = self.factors.iter().flat_map(|factors| factors.known_on(as_of));
        for level in levels.map(|level| level.for_mode(mode)) {
            hasher.update(format!("{} {} {}\n", level.ex_date, level.price, level.split).as_bytes());
        }
        let events = self.events.iter().map(|event| event.action);
        let known = events.filter(|action| self.factors.is_none() && action.ex_date <= as_of);
        for action in known {
            let words = match action.kind {
                ActionKind::Split { new_per_old } => format!("split {new_per_old}"),
                ActionKind::CashDividend { .. } if mode == AdjustmentMode::Splits => continue,
                ActionKind::CashDividend {
                    amount,
                    reference_close,
                } => format!("dividend {amount} {}", reference_close?),
            };
            hasher.update(format!("{} {words}\n", action.ex_date).as_bytes());
        }
        Some(hasher.finalize().to_hex().to_string())
    }
}

impl FactorTable {
    /// The levels whose ex-date has come, relative to the share of that day.
    fn known_on(&self, as_of: NaiveDate) -> Vec<Level> {
        let known = self.levels.partition_point(|level| level.ex_date <= as_of);
        let (price, split) = self
            .levels
            .get(known)
            .map_or((1.0, 1.0), |base| (base.price, base.split));
        let levels = self.levels[..known].iter();
        levels
            .map(|level| Level {
                price: level.price / price,
                split: level.split / split,
                ..*level
            })
            .collect()
    }
}

impl Level {
    fn for_mode(self, mode: AdjustmentMode) -> Self {
        match mode {
            AdjustmentMode::Splits => Self { price: 1.0, ..self },
            AdjustmentMode::SplitsAndDividends => self,
        }
    }

    fn adjust(&self, bar: Bar) -> Bar {
        let price = |raw: f64| raw * self.price * self.split;
        Bar {
            open: price(bar.open),
            high: price(bar.high),
            low: price(bar.low),
            close: price(bar.close),
            volume: bar.volume / self.split,
            ..bar
        }
    }
}

fn split_ratio(events: &[Event]) -> f64 {
    let ratios = events.iter().map(|event| match event.action.kind {
        ActionKind::Split { new_per_old } => new_per_old,
        ActionKind::CashDividend { .. } => 1.0,
    });
    ratios.product()
}
