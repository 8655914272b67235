//! Bars from trades: by time, by number of trades, by traded quantity, by traded value.
//!
//! [`TradeBars`] takes trades one after another, each in constant time and memory, and gives a bar when one is over;
//! [`trade_bars`] folds the same over all trades of a source. The kinds other than time follow M. López de Prado, "Advances
//! in Financial Machine Learning" (2018), section 2.3.1 (tick, volume and dollar bars).
//!
//! # When a bar is over
//! * *Time bars* ([`BarKind::Time`]) are windows of the grid of a [calendar](crate::calendar), cut to the session where the
//!   calendar does that. A bar is over when its window ends, which the next trade shows, or a caller who knows the time
//!   ([`TradeBars::advance`]). A window without a trade gives no bar. Trades outside the session are left out and counted;
//!   the closing auction, which is printed after the close, can be let in ([`TimeBars::with_late_prints`]).
//! * *Tick, volume and dollar bars* are over with the trade that completes them. They know no sessions: a bar may begin on
//!   one day and end on the next.
//!
//! # A trade is never split
//! The trade that brings a volume or dollar bar to its size belongs to it as a whole. The bar is larger than its size by
//! what the trade had too much, the next bar begins with nothing, and a trade of three times the size makes one bar. So
//! every trade lies in one bar, and the volumes of the bars add up to the size of the trades.
//!
//! # The times of tick, volume and dollar bars
//! A bar is the half-open interval `[open_time, close_time)`, known from `close_time` on. It begins with its first trade and
//! ends one nanosecond after its last, so that the last trade lies in it and the interval is never empty.
//!
//! Trades often share a time, and a bar can then be over in the middle of them. The next bar would begin at their time too,
//! one nanosecond before the first one ends. It is therefore moved behind: it begins where the bar before it ends, and ends
//! one nanosecond after its last trade or after its own begin, whichever is later. Three bars out of the trades of one
//! instant `t` are `[.., t + 1)`, `[t + 1, t + 2)`, `[t + 2, t + 3)`, in nanoseconds. So bars never overlap, their order is
//! that of the trades, and a bar is never known before its last trade. What this costs: a bar is known later than it could
//! be, by one nanosecond for each bar that was over at the same instant before it.
//!
//! # A bar that is not over
//! It is a [`FormingBar`], which is another type than a bar, has other fields, and cannot become one:
//!
//! ```compile_fail,E0308
//! fn only_whole_bars(bar: sextant_domain::Bar) {}
//! fn give(forming: sextant_data::ticks::FormingBar) {
//!     only_whole_bars(forming);
//! }
//! ```

mod error;
mod forming;
mod sum;
mod window;

use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};

pub use error::{TickError, TradeDefect};
pub use forming::FormingBar;

use error::check;
use forming::Collected;
use window::{Span, Windows};

/// One trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    /// When it happened, or when it was known where the source has only that.
    pub time: UtcNanos,
    /// Its price, finite and above zero.
    pub price: f64,
    /// Its quantity, finite and above zero.
    pub size: f64,
}

/// What ends a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BarKind {
    /// The end of a window of time.
    Time(TimeBars),
    /// This many trades.
    Ticks(u64),
    /// This quantity or more.
    Volume(f64),
    /// This value, the sum of price times size, or more.
    Dollar(f64),
}

/// Bars on the grid of a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeBars {
    class: AssetClass,
    timeframe: Timeframe,
    late_nanos: i64,
}

impl TimeBars {
    /// Bars of a timeframe on the calendar of an asset class; trades outside of its sessions are left out.
    pub fn new(class: AssetClass, timeframe: Timeframe) -> Self {
        Self {
            class,
            timeframe,
            late_nanos: 0,
        }
    }

    /// The same, but trades within `late_nanos` after the close of a session belong to its last bar. Exchanges print their
    /// closing auction, whose price is the official close, some time after the close; four hours at the most make sense.
    ///
    /// The last bar of each session is then over only so much later. If a late trade has come, that is also its
    /// `close_time`, because a bar must not be known before it is sure that no other trade will come.
    pub fn with_late_prints(self, late_nanos: i64) -> Self {
        Self { late_nanos, ..self }
    }
}

/// Trades that no bar has, because they lie outside of every session.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LeftOut {
    /// Their number.
    pub trades: u64,
    /// The sum of their sizes.
    pub size: f64,
}

/// Makes bars of a stream of trades, in constant time and memory per trade.
#[derive(Debug, Clone)]
pub struct TradeBars {
    ending: Ending,
    collected: Option<Collected>,
    /// The time of the last trade, or a later one to which time has been advanced.
    now: UtcNanos,
    /// The end of the last bar.
    bars_end: UtcNanos,
    trades: u64,
    left_out: LeftOut,
}

#[derive(Debug, Clone)]
enum Ending {
    Time(Box<Windows>),
    Ticks(u64),
    Volume(f64),
    Dollar(f64),
}

impl TradeBars {
    /// Begins without a trade.
    ///
    /// # Errors
    /// [`TickError::Kind`] when a number of trades is zero, a quantity or value is not a finite number above zero, or late
    /// prints are asked for with a calendar that has no closing hour, or more than four hours of them.
    pub fn new(kind: BarKind) -> Result<Self, TickError> {
        let ending = match kind {
            BarKind::Time(bars) => Ending::Time(Box::new(Windows::new(bars)?)),
            BarKind::Ticks(0) => return Err(error::bad_kind("ticks", 0.0, "1 or more")),
            BarKind::Ticks(count) => Ending::Ticks(count),
            BarKind::Volume(size) => Ending::Volume(error::positive("volume", size)?),
            BarKind::Dollar(value) => Ending::Dollar(error::positive("dollar", value)?),
        };
        Ok(Self {
            ending,
            collected: None,
            now: UtcNanos::MIN,
            bars_end: UtcNanos::MIN,
            trades: 0,
            left_out: LeftOut::default(),
        })
    }

    /// Takes the next trade, and gives the bar that is over with it: the one it completes, or, for time bars, the one
    /// before it. Times may repeat, but not go back.
    ///
    /// # Errors
    /// [`TickError::Trade`] when the trade is earlier than the one before (or than the time advanced to), its price or size
    /// is not a finite number above zero, its time is within a day of the ends of time, or a sum is no longer finite.
    /// The trade then is as if it had not been: the caller may go on with the next one.
    pub fn push(&mut self, trade: Trade) -> Result<Option<Bar>, TickError> {
        let pushed = check(trade, self.now).and_then(|()| match &mut self.ending {
            Ending::Time(windows) => {
                let span = windows.at(trade.time);
                self.push_in_time(trade, span)
            }
            Ending::Ticks(_) | Ending::Volume(_) | Ending::Dollar(_) => self.push_in_sequence(trade),
        });
        let over = pushed.map_err(|defect| self.refused(trade.time, defect))?;
        self.trades += 1;
        self.move_to(trade.time, over);
        Ok(over)
    }

    /// Says that it is now `time` and no earlier trade will come; gives the time bar whose window is over by then. Bars of
    /// other kinds do not end so.
    ///
    /// # Errors
    /// [`TickError::Trade`] when the last trade is later.
    pub fn advance(&mut self, time: UtcNanos) -> Result<Option<Bar>, TickError> {
        if time < self.now {
            return Err(self.refused(time, TradeDefect::OutOfOrder { last: self.now }));
        }
        let over = self.over_at(time);
        if over.is_some() {
            self.collected = None;
        }
        self.move_to(time, over);
        Ok(over)
    }

    /// The bar that is not over; `None` when no trade has come since the last one.
    pub fn forming(&self) -> Option<FormingBar> {
        self.collected.as_ref().map(Collected::forming)
    }

    /// The trades that no bar has.
    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }

    fn push_in_time(&mut self, trade: Trade, span: Option<Span>) -> Result<Option<Bar>, TradeDefect> {
        let over = self.over_at(trade.time);
        let open = self.collected.filter(|_| over.is_none());
        if let Some(span) = span {
            self.collected = Some(Collected::with(open, trade, Some(span))?);
        } else {
            self.left_out = self.left_out.with(trade)?;
            self.collected = open;
        }
        Ok(over)
    }

    fn push_in_sequence(&mut self, trade: Trade) -> Result<Option<Bar>, TradeDefect> {
        let all = Collected::with(self.collected, trade, None)?;
        let is_over = match self.ending {
            Ending::Time(_) => false,
            Ending::Ticks(count) => all.trades() >= count,
            Ending::Volume(size) => all.size() >= size,
            Ending::Dollar(value) => all.value() >= value,
        };
        self.collected = (!is_over).then_some(all);
        Ok(is_over.then(|| all.bar_after(self.bars_end)))
    }

    /// The time bar that is over at an instant.
    fn over_at(&self, time: UtcNanos) -> Option<Bar> {
        self.collected
            .as_ref()
            .and_then(|collected| collected.bar_at(time))
    }

    fn move_to(&mut self, time: UtcNanos, over: Option<Bar>) {
        self.now = time;
        self.bars_end = over.map_or(self.bars_end, |bar| bar.close_time);
    }

    fn refused(&self, time: UtcNanos, defect: TradeDefect) -> TickError {
        TickError::Trade {
            index: self.trades,
            time,
            defect,
        }
    }
}

impl LeftOut {
    fn with(self, trade: Trade) -> Result<Self, TradeDefect> {
        let size = self.size + trade.size;
        if !size.is_finite() {
            return Err(TradeDefect::TooLarge);
        }
        Ok(Self {
            trades: self.trades + 1,
            size,
        })
    }
}

/// What all trades of a source give.
#[derive(Debug, Clone, PartialEq)]
pub struct BarsOfTrades {
    /// The bars that are over.
    pub bars: BarSeries,
    /// The last trades, where they do not make a bar.
    pub forming: Option<FormingBar>,
    /// The trades that no bar has.
    pub left_out: LeftOut,
}

/// Makes bars of all trades of a source, oldest first. No trades give no bars.
///
/// ```
/// use sextant_data::ticks::{BarKind, Trade, trade_bars};
/// use sextant_domain::UtcNanos;
///
/// let trade = |at, price, size| Trade { time: UtcNanos::from_nanos(at), price, size };
/// let trades = [trade(10, 2.0, 3.0), trade(20, 2.5, 4.0), trade(20, 2.25, 1.0)];
/// let made = trade_bars(BarKind::Volume(5.0), trades)?;
/// let bar = made.bars.bar(0);
/// assert_eq!((bar.close, bar.volume, bar.close_time), (2.5, 7.0, UtcNanos::from_nanos(21)));
/// assert_eq!(made.forming.map(|forming| forming.size), Some(1.0));
/// # Ok::<(), sextant_data::ticks::TickError>(())
/// ```
///
/// # Errors
/// As for [`TradeBars::new`] and [`TradeBars::push`]; the index of the error is that of the trade.
pub fn trade_bars(kind: BarKind, trades: impl IntoIterator<Item = Trade>) -> Result<BarsOfTrades, TickError> {
    let mut stream = TradeBars::new(kind)?;
    let mut bars = BarSeries::default();
    for trade in trades {
        if let Some(bar) = stream.push(trade)? {
            bars.push(bar).expect("bars of trades are whole and in order");
        }
    }
    Ok(BarsOfTrades {
        bars,
        forming: stream.forming(),
        left_out: stream.left_out(),
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod real;

#[cfg(test)]
mod properties;
