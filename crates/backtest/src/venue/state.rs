//! What the venue knows of a working order beside the order itself.

use rust_decimal::Decimal;
use sextant_domain::{
    Allocation, Bar, FromEntry, MoneyError, Offset, OrderDraft, OrderKind, OrderSize, Price, Quantity, Side,
    UtcNanos,
};

use super::intrabar::{StopRange, Trigger, Waiting};

/// The state of a working order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderState {
    /// Its kind: as the order says, but with prices once an exit knows what its entry paid.
    pub(super) kind: OrderKind,
    /// The first bar of the instrument in which it can trade.
    pub(super) first_bar: usize,
    /// The bar and price at which it became live, where that was inside a bar.
    pub(super) live_inside: Option<(usize, f64)>,
    /// Whether its stop has been reached.
    pub(super) is_triggered: bool,
    /// The best price since it began, for a trailing stop. One that waits for its activation has it, too: the best price since
    /// the activation is the best of all, because those before it were worse.
    best: f64,
    /// Whether a trailing stop has followed prices to its activation.
    is_active: bool,
    /// What it has traded so far.
    pub(super) filled: Quantity,
    /// What the entry of its bracket has traded, and at which price on average, for an exit.
    pub(super) entry_filled: Quantity,
    entry_price: f64,
    /// When its trading day is over; set at its first bar, and for a day order only.
    pub(super) day_ends: Option<UtcNanos>,
    /// A price at which it trades at once: the liquidation at the end of a run.
    pub(super) at_once: Option<(UtcNanos, f64)>,
}

impl OrderState {
    pub(super) fn new(draft: &OrderDraft, first_bar: usize) -> Self {
        Self {
            kind: draft.terms.kind,
            first_bar,
            live_inside: None,
            is_triggered: false,
            best: draft.reference_price,
            is_active: false,
            filled: Quantity::ZERO,
            entry_filled: Quantity::ZERO,
            entry_price: 0.0,
            day_ends: None,
            at_once: None,
        }
    }

    /// Lets a trailing stop begin at a price, which can lie beyond its activation already.
    pub(super) fn begin(&mut self, price: f64) {
        (self.best, self.is_active) = (price, false);
    }

    /// Notes a fill of its entry at a price, the market's price with it; whose prices hang on what the entry paid has them now.
    pub(super) fn note_entry(
        &mut self,
        kind: OrderKind,
        (quantity, price, market): (Quantity, Price, Price),
        tick: Decimal,
    ) -> Result<(), MoneyError> {
        self.entry_filled = self.entry_filled.plus(quantity)?;
        let part = quantity.to_f64() / self.entry_filled.to_f64();
        self.entry_price += (price.to_f64() - self.entry_price) * part;
        // A trailing stop whose profit has been reached keeps its best price; the new average asks no more of it.
        if matches!(kind, OrderKind::FromEntry(_)) && !self.is_active {
            self.kind = self.priced(kind, tick)?;
            self.begin(market.to_f64());
        }
        Ok(())
    }

    /// A kind with the prices that hang on what the entry paid, where that is known.
    fn priced(&self, kind: OrderKind, tick: Decimal) -> Result<OrderKind, MoneyError> {
        // An exit is on the other side of its entry.
        match (kind, Side::of(-self.entry_filled)) {
            (OrderKind::FromEntry(exit), Some(side)) => exit.at(self.entry_price, side, tick),
            _ => Ok(kind),
        }
    }

    /// What a change of its kind makes of it.
    pub(super) fn changed(
        &self,
        old: OrderKind,
        new: OrderKind,
        tick: Decimal,
    ) -> Result<OrderKind, MoneyError> {
        match (old, new, self.kind) {
            // What has begun at a profit need not reach it again, though the average has moved since.
            (
                OrderKind::FromEntry(FromEntry::TrailingStop { profit: before, .. }),
                OrderKind::FromEntry(FromEntry::TrailingStop { trail, profit }),
                OrderKind::TrailingStop { activation, .. },
            ) if self.is_active && before == profit => Ok(OrderKind::TrailingStop { trail, activation }),
            _ => self.priced(new, tick),
        }
    }

    /// Begins anew at a price when the order becomes another one. A trailing stop at another distance follows on, and so does
    /// one that is active and no longer has an activation.
    pub(super) fn change(&mut self, new: OrderKind, price: f64) {
        let old = std::mem::replace(&mut self.kind, new);
        if old == new {
            return;
        }
        self.is_triggered = false;
        let follows_on = match (activation_of(old), activation_of(new)) {
            (Some(old), Some(new)) => old == new || (new.is_none() && self.is_active),
            _ => false,
        };
        if !follows_on {
            self.begin(price);
        }
    }

    /// Follows prices between `high` and `low` with a trailing stop.
    pub(super) fn follow(&mut self, activation: Option<Price>, side: Side, high: f64, low: f64) {
        self.best = better(side, self.best, better(side, high, low));
        self.is_active = self.active(activation, side).is_some();
    }

    /// The best price since the activation; `None` while that is waited for.
    fn active(&self, activation: Option<Price>, side: Side) -> Option<f64> {
        let is_reached = activation.is_none_or(|price| is_better(side, self.best, price.to_f64()));
        is_reached.then_some(self.best)
    }

    /// What the order waits for; `None` for a kind that does not wait, or a market order that its stop has become.
    pub(super) fn trigger(&self, side: Side) -> Option<Trigger> {
        match self.kind {
            OrderKind::Limit { limit } => Some(Trigger::Limit(limit.to_f64())),
            OrderKind::StopLimit { limit, .. } if self.is_triggered => Some(Trigger::Limit(limit.to_f64())),
            // What is left of a stop that was reached is a market order.
            OrderKind::Stop { .. } | OrderKind::TrailingStop { .. } if self.is_triggered => None,
            OrderKind::Stop { stop } | OrderKind::StopLimit { stop, .. } => {
                Some(Trigger::Stop(stop.to_f64()))
            }
            OrderKind::TrailingStop { trail, activation } => {
                let best = self.active(activation, side)?;
                Some(Trigger::Stop(trailing_level(trail, best, side)))
            }
            // It waits for its entry.
            OrderKind::FromEntry(_) => None,
            OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose => None,
        }
    }

    /// The order as the rules for the inside of a bar see it. `capped_at` is the price at which the position is gone because
    /// another order takes it; a trailing stop does not follow beyond that.
    pub(super) fn waiting(
        &self,
        index: usize,
        (bar, values): (usize, &Bar),
        (draft, side): (&OrderDraft, Side),
        capped_at: Option<f64>,
    ) -> Option<Waiting> {
        let trigger = match self.kind {
            OrderKind::TrailingStop { trail, activation } if !self.is_triggered => {
                let best = better(side, values.high, values.low);
                let best = capped_at.map_or(best, |cap| worse(side, best, cap));
                Trigger::Stop(self.range(trail, activation, (side, best))?)
            }
            _ => match self.trigger(side)? {
                Trigger::Limit(limit) => Trigger::Limit(limit),
                Trigger::Stop(stop) => Trigger::Stop(StopRange::fixed(stop)),
            },
        };
        Some(Waiting {
            index,
            side,
            trigger,
            group: draft.terms.link.group,
            is_exit: is_exit(draft),
            live_from: self
                .live_inside
                .filter(|(inside, _)| *inside == bar)
                .map(|(_, price)| price),
        })
    }

    /// Where a trailing stop can be in a bar with a best price; `None` when that does not reach its activation.
    fn range(
        &self,
        trail: Offset<Price>,
        activation: Option<Price>,
        (side, best): (Side, f64),
    ) -> Option<StopRange> {
        let level = |best| trailing_level(trail, best, side);
        let now = self.active(activation, side);
        let first = match now {
            Some(best) => best,
            None => activation
                .map(|price| price.to_f64())
                .filter(|price| is_better(side, best, *price))?,
        };
        Some(StopRange {
            now: now.map(level),
            loosest: level(first),
            tightest: level(better(side, first, best)),
        })
    }
}

/// The activation of a trailing stop, if it has one; `None` for another kind.
fn activation_of(kind: OrderKind) -> Option<Option<Price>> {
    match kind {
        OrderKind::TrailingStop { activation, .. } => Some(activation),
        _ => None,
    }
}

/// Whether a price is as good for a trailing stop as another, or better: a stop that sells hangs below the highest price, one
/// that buys above the lowest.
fn is_better(side: Side, price: f64, than: f64) -> bool {
    match side {
        Side::Sell => price >= than,
        Side::Buy => price <= than,
    }
}

fn better(side: Side, one: f64, other: f64) -> f64 {
    if is_better(side, one, other) { one } else { other }
}

fn worse(side: Side, one: f64, other: f64) -> f64 {
    if is_better(side, one, other) { other } else { one }
}

fn trailing_level(trail: Offset<Price>, best: f64, side: Side) -> f64 {
    match side {
        Side::Sell => best - trail.of(best),
        Side::Buy => best + trail.of(best),
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
