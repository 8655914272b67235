//! What a model wants, as a buffer that is reused from decision to decision.

use crate::{InstrumentRef, OrderRequest, OrderSize};

/// A wish for a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetIntent {
    /// The instrument, by the model's own reference.
    pub instrument: InstrumentRef,
    /// Target weight as a signed fraction of the model's own budget; 0 is flat, 1 is all of it.
    pub weight: f64,
}

/// The output of one decision.
///
/// A target stands until the model replaces it. Emitting a target again, even with the same weight, asks for the
/// position to be brought back to it (subject to the portfolio's no-trade band); while nothing is emitted the position
/// drifts with prices, until a budget, the regime or a risk rule changes what the target is worth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intents {
    targets: Vec<TargetIntent>,
    orders: Vec<OrderRequest>,
}

impl Intents {
    /// Asks for a weight: a signed fraction of the model's own budget. Must be finite; the engine stops the run on NaN.
    pub fn target(&mut self, instrument: InstrumentRef, weight: f64) {
        self.targets.push(TargetIntent { instrument, weight });
    }

    /// Asks for an explicit market order.
    pub fn order(&mut self, instrument: InstrumentRef, size: OrderSize) {
        self.orders.push(OrderRequest { instrument, size });
    }

    /// The weights asked for, in order.
    pub fn targets(&self) -> &[TargetIntent] {
        &self.targets
    }

    /// The orders asked for, in order.
    pub fn orders(&self) -> &[OrderRequest] {
        &self.orders
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.orders.is_empty()
    }

    /// Empties the buffer, keeping its memory.
    pub fn clear(&mut self) {
        self.targets.clear();
        self.orders.clear();
    }
}
