//! The trades of a bar that is not over.

use sextant_domain::{Bar, UtcNanos};

use super::sum::Sum;
use super::window::Span;
use super::{Trade, TradeDefect};

/// A bar that is not over: what its trades say up to now. It will change, and is no [`Bar`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FormingBar {
    /// The time of its first trade.
    pub first_trade: UtcNanos,
    /// The time of its last trade up to now.
    pub last_trade: UtcNanos,
    /// When a time bar will be over; `None` for the other kinds, whose end no one knows.
    pub over_at: Option<UtcNanos>,
    /// The price of its first trade.
    pub open: f64,
    /// The highest price up to now.
    pub high_so_far: f64,
    /// The lowest price up to now.
    pub low_so_far: f64,
    /// The price of the last trade up to now.
    pub last: f64,
    /// The sum of the sizes up to now.
    pub size: f64,
    /// The sum of price times size up to now.
    pub value: f64,
    /// The number of trades up to now, at least one.
    pub trades: u64,
}

/// What is kept of the trades of a bar: always at least one trade.
#[derive(Debug, Clone, Copy)]
pub(super) struct Collected {
    first_trade: UtcNanos,
    last_trade: UtcNanos,
    span: Option<Span>,
    open: f64,
    high: f64,
    low: f64,
    last: f64,
    size: Sum,
    value: Sum,
    trades: u64,
}

impl Collected {
    /// The trades of a bar and one more, or the first of a bar.
    #[inline]
    pub(super) fn with(open: Option<Self>, trade: Trade, span: Option<Span>) -> Result<Self, TradeDefect> {
        let Trade { time, price, size } = trade;
        let before = open.unwrap_or(Self {
            first_trade: time,
            last_trade: time,
            span,
            open: price,
            high: price,
            low: price,
            last: price,
            size: Sum::default(),
            value: Sum::default(),
            trades: 0,
        });
        let all = Self {
            last_trade: time,
            high: before.high.max(price),
            low: before.low.min(price),
            last: price,
            size: before.size.plus(size),
            value: before.value.plus(price * size),
            trades: before.trades + 1,
            ..before
        };
        let finite = all.size().is_finite() && all.value().is_finite();
        finite.then_some(all).ok_or(TradeDefect::TooLarge)
    }

    pub(super) fn trades(&self) -> u64 {
        self.trades
    }

    #[inline]
    pub(super) fn size(&self) -> f64 {
        self.size.total()
    }

    #[inline]
    pub(super) fn value(&self) -> f64 {
        self.value.total()
    }

    /// The time bar, when its window is over at an instant.
    pub(super) fn bar_at(&self, time: UtcNanos) -> Option<Bar> {
        let span = self.span.filter(|span| span.over_at <= time)?;
        let has_late_prints = self.last_trade >= span.slot.close_time;
        let close_time = if has_late_prints {
            span.over_at
        } else {
            span.slot.close_time
        };
        Some(self.bar(span.slot.open_time, close_time))
    }

    /// The bar that these trades complete, behind one that ends at `bars_end`.
    pub(super) fn bar_after(&self, bars_end: UtcNanos) -> Bar {
        let open_time = self.first_trade.max(bars_end);
        let close_time = self.last_trade.max(open_time).saturating_add(1);
        self.bar(open_time, close_time)
    }

    pub(super) fn forming(&self) -> FormingBar {
        FormingBar {
            first_trade: self.first_trade,
            last_trade: self.last_trade,
            over_at: self.span.map(|span| span.over_at),
            open: self.open,
            high_so_far: self.high,
            low_so_far: self.low,
            last: self.last,
            size: self.size(),
            value: self.value(),
            trades: self.trades,
        }
    }

    fn bar(&self, open_time: UtcNanos, close_time: UtcNanos) -> Bar {
        Bar {
            open_time,
            close_time,
            open: self.open,
            high: self.high,
            low: self.low,
            close: self.last,
            volume: self.size(),
        }
    }
}
