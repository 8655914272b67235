//! What the venue knows of a working order beside the order itself.

use sextant_domain::{
    Allocation, Bar, MoneyError, OrderDraft, OrderKind, OrderSize, Price, Quantity, Side, Trail, UtcNanos,
};

use super::intrabar::{Trigger, Waiting};

/// The state of a working order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderState {
    /// The first bar of the instrument in which it can trade.
    pub(super) first_bar: usize,
    /// The bar and price at which it became live, where that was inside a bar.
    pub(super) live_inside: Option<(usize, f64)>,
    /// Whether its stop has been reached.
    pub(super) is_triggered: bool,
    /// The best price since it became live, for a trailing stop.
    pub(super) best: f64,
    /// What it has traded so far.
    pub(super) filled: Quantity,
    /// What the entry of its bracket has traded, for an exit.
    pub(super) entry_filled: Quantity,
    /// When its trading day is over; set at its first bar.
    pub(super) day_ends: Option<UtcNanos>,
    /// A price at which it trades at once: the liquidation at the end of a run.
    pub(super) at_once: Option<(UtcNanos, f64)>,
}

impl OrderState {
    pub(super) fn new(draft: &OrderDraft, first_bar: usize) -> Self {
        Self {
            first_bar,
            live_inside: None,
            is_triggered: false,
            best: draft.reference_price,
            filled: Quantity::ZERO,
            entry_filled: Quantity::ZERO,
            day_ends: None,
            at_once: None,
        }
    }

    /// Follows the price with a trailing stop.
    pub(super) fn follow(&mut self, side: Side, high: f64, low: f64) {
        self.best = match side {
            // A stop that sells hangs below the highest price, one that buys above the lowest.
            Side::Sell => self.best.max(high),
            Side::Buy => self.best.min(low),
        };
    }

    /// What the order waits for; `None` for a kind that does not wait, or a market order that its stop has become.
    pub(super) fn trigger(&self, kind: OrderKind, side: Side) -> Option<Trigger> {
        match kind {
            OrderKind::Limit { limit } => Some(Trigger::Limit(limit.to_f64())),
            OrderKind::StopLimit { limit, .. } if self.is_triggered => Some(Trigger::Limit(limit.to_f64())),
            // What is left of a stop that was reached is a market order.
            OrderKind::Stop { .. } | OrderKind::TrailingStop { .. } if self.is_triggered => None,
            OrderKind::Stop { stop } | OrderKind::StopLimit { stop, .. } => {
                Some(Trigger::Stop(stop.to_f64()))
            }
            OrderKind::TrailingStop { trail } => Some(Trigger::Stop(trailing_level(trail, self.best, side))),
            OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose => None,
        }
    }

    /// The order as the rules for the inside of a bar see it.
    pub(super) fn waiting(
        &self,
        index: usize,
        bar: usize,
        draft: &OrderDraft,
        side: Side,
    ) -> Option<Waiting> {
        Some(Waiting {
            index,
            side,
            trigger: self.trigger(draft.terms.kind, side)?,
            is_exit: is_exit(draft),
            live_from: self
                .live_inside
                .filter(|(inside, _)| *inside == bar)
                .map(|(_, price)| price),
        })
    }
}

fn trailing_level(trail: Trail<Price>, best: f64, side: Side) -> f64 {
    let distance = match trail {
        Trail::Distance(distance) => distance.to_f64(),
        Trail::Fraction(fraction) => best * fraction,
    };
    match side {
        Side::Sell => best - distance,
        Side::Buy => best + distance,
    }
}

/// Whether an order only takes from a position.
pub(super) fn is_exit(draft: &OrderDraft) -> bool {
    draft.size == OrderSize::ClosePosition
        || draft.terms.effect == sextant_domain::OrderEffect::ReduceOnly
        || draft.terms.link.entry.is_some()
}

/// What a fill leaves of each part.
pub(super) fn less(wanted: &[Allocation], filled: &[Allocation]) -> Result<Vec<Allocation>, MoneyError> {
    let both = wanted.iter().zip(filled);
    both.map(|(one, done)| {
        let quantity = one.quantity.minus(done.quantity)?;
        Ok(Allocation { quantity, ..*one })
    })
    .collect()
}

/// The sum of the parts.
pub(super) fn total(parts: &[Allocation]) -> Result<Quantity, MoneyError> {
    parts
        .iter()
        .try_fold(Quantity::ZERO, |sum, one| sum.plus(one.quantity))
}

/// Whether a price lies beyond what a trigger waits for.
pub(super) fn is_through(trigger: Trigger, side: Side, price: f64) -> bool {
    match (trigger, side) {
        (Trigger::Limit(level), Side::Buy) | (Trigger::Stop(level), Side::Sell) => price <= level,
        (Trigger::Limit(level), Side::Sell) | (Trigger::Stop(level), Side::Buy) => price >= level,
    }
}

/// The bar at an index of a view.
pub(super) fn bar_at(bars: sextant_domain::BarsView<'_>, index: usize) -> Bar {
    Bar {
        open_time: bars.open_time[index],
        close_time: bars.close_time[index],
        open: bars.open[index],
        high: bars.high[index],
        low: bars.low[index],
        close: bars.close[index],
        volume: bars.volume[index],
    }
}
