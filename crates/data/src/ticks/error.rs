//! What can be wrong with trades, and with what is asked of them.

use sextant_domain::{Timeframe, UtcNanos};
use thiserror::Error;

use super::Trade;

/// An error of trades or of a kind of bars.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum TickError {
    /// A kind of bars that there cannot be.
    #[error("{field} bars: found {found}; allowed: {allowed}")]
    Kind {
        /// The kind, or the part of it.
        field: &'static str,
        /// Its number.
        found: f64,
        /// What may stand there.
        allowed: &'static str,
    },
    /// A trade that was not taken.
    #[error("the trade {index} (at {time}) is refused: {defect}")]
    Trade {
        /// Its index, counted from 0: the number of trades that were taken before.
        index: u64,
        /// Its time.
        time: UtcNanos,
        /// What is wrong with it.
        defect: TradeDefect,
    },
}

/// What is wrong with a trade.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum TradeDefect {
    /// A time before that of the trade before.
    #[error("it is earlier than {last}, up to which trades were taken; sort them by time")]
    OutOfOrder {
        /// The time of the last trade.
        last: UtcNanos,
    },
    /// A time for which bars cannot be made.
    #[error("its time is within a day of the ends of time, 1677-09-21 and 2262-04-11")]
    TimeRange,
    /// A price that is none.
    #[error("its price is {found}; it must be a finite number above zero")]
    BadPrice {
        /// The price.
        found: f64,
    },
    /// A size that is none.
    #[error("its size is {found}; it must be a finite number above zero")]
    BadSize {
        /// The size.
        found: f64,
    },
    /// Sums beyond the largest number.
    #[error("with it the size or value of the bar is no finite number")]
    TooLarge,
}

/// Checks a trade alone and against the time of the one before.
pub(super) fn check(trade: Trade, now: UtcNanos) -> Result<(), TradeDefect> {
    let Trade { time, price, size } = trade;
    let day = Timeframe::D1.nanos();
    if time < now {
        return Err(TradeDefect::OutOfOrder { last: now });
    }
    // So that every bar, and every day around it, has an end.
    if !(UtcNanos::MIN.saturating_add(day)..UtcNanos::MAX.saturating_add(-day)).contains(&time) {
        return Err(TradeDefect::TimeRange);
    }
    if !is_positive(price) {
        return Err(TradeDefect::BadPrice { found: price });
    }
    if !is_positive(size) {
        return Err(TradeDefect::BadSize { found: size });
    }
    Ok(())
}

pub(super) fn positive(field: &'static str, found: f64) -> Result<f64, TickError> {
    if is_positive(found) {
        return Ok(found);
    }
    Err(bad_kind(field, found, "a finite number above zero"))
}

pub(super) fn bad_kind(field: &'static str, found: f64, allowed: &'static str) -> TickError {
    TickError::Kind {
        field,
        found,
        allowed,
    }
}

fn is_positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
}
