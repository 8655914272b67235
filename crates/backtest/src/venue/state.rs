//! What the venue knows of a working order beside the order itself.

use sextant_domain::{
    Allocation, Bar, InstrumentId, MoneyError, OrderDraft, OrderKind, OrderSize, Price, Quantity, Side,
    Trail, UtcNanos,
};

use super::intrabar::{Trailing, Trigger, Waiting};

/// The state of a working order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderState {
    /// What it trades, and when it was decided: as the order says, but at hand when all orders are gone through.
    pub(super) instrument: InstrumentId,
    pub(super) decided_at: UtcNanos,
    /// The first bar of the instrument in which it can trade.
    pub(super) first_bar: usize,
    /// The bar and price at which it became live, where that was inside a bar.
    pub(super) live_inside: Option<(usize, f64)>,
    /// Whether its stop has been reached.
    pub(super) is_triggered: bool,
    /// The best price since it began to follow, for a trailing stop; `None` while that waits for its activation.
    best: Option<f64>,
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
            instrument: draft.instrument,
            decided_at: draft.decided_at,
            first_bar,
            live_inside: None,
            is_triggered: false,
            best: start(draft.terms.kind, draft.reference_price),
            filled: Quantity::ZERO,
            entry_filled: Quantity::ZERO,
            day_ends: None,
            at_once: None,
        }
    }

    /// Lets a trailing stop begin at a price, or wait for its activation.
    pub(super) fn begin(&mut self, kind: OrderKind, price: f64) {
        self.best = start(kind, price);
    }

    /// Follows prices between `high` and `low` with a trailing stop.
    pub(super) fn follow(&mut self, kind: OrderKind, side: Side, high: f64, low: f64) {
        let OrderKind::TrailingStop { activation, .. } = kind else {
            return;
        };
        let reached = better(side, high, low);
        self.best = match (self.best, activation) {
            (Some(best), _) => Some(better(side, best, reached)),
            (None, Some(level)) => is_better(side, reached, level.to_f64()).then_some(reached),
            (None, None) => None,
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
            OrderKind::TrailingStop { trail, .. } => {
                Some(Trigger::Stop(trailing_level(trail, self.best?, side)))
            }
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
        let trigger = match draft.terms.kind {
            OrderKind::TrailingStop { trail, activation } if !self.is_triggered => {
                let best = better(side, values.high, values.low);
                let best = capped_at.map_or(best, |cap| worse(side, best, cap));
                Trigger::Trail(self.trailing(trail, activation, (side, best))?)
            }
            kind => self.trigger(kind, side)?,
        };
        Some(Waiting {
            index,
            side,
            trigger,
            is_exit: is_exit(draft),
            live_from: self
                .live_inside
                .filter(|(inside, _)| *inside == bar)
                .map(|(_, price)| price),
        })
    }

    /// Where a trailing stop can be in a bar with a best price; `None` when that does not reach its activation.
    fn trailing(
        &self,
        trail: Trail<Price>,
        activation: Option<Price>,
        (side, best): (Side, f64),
    ) -> Option<Trailing> {
        let level = |best| trailing_level(trail, best, side);
        let first = match self.best {
            Some(best) => best,
            None => activation
                .map(|price| price.to_f64())
                .filter(|price| is_better(side, best, *price))?,
        };
        Some(Trailing {
            now: self.best.map(level),
            loosest: level(first),
            tightest: level(better(side, first, best)),
        })
    }
}

/// The first best price of an order that becomes live at `price`.
fn start(kind: OrderKind, price: f64) -> Option<f64> {
    let waits = matches!(
        kind,
        OrderKind::TrailingStop {
            activation: Some(_),
            ..
        }
    );
    (!waits).then_some(price)
}

/// Whether a changed order is the same trailing stop at another distance: the best price is still that since it began.
pub(super) fn follows_on(old: OrderKind, new: OrderKind) -> bool {
    let start_of = |kind| match kind {
        OrderKind::TrailingStop { activation, .. } => Some(activation),
        _ => None,
    };
    start_of(new).is_some() && start_of(old) == start_of(new)
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
        (Trigger::Trail(trail), _) => trail
            .now
            .is_some_and(|level| is_through(Trigger::Stop(level), side, price)),
    }
}
