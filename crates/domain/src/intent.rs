//! What a model wants, as a buffer that is reused from decision to decision.

use crate::{FromEntry, InstrumentRef, Offset, OrderEffect, OrderKind, OrderSize, TimeInForce};

/// A wish for a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetIntent {
    /// The instrument, by the model's own reference.
    pub instrument: InstrumentRef,
    /// Target weight as a signed fraction of the model's own budget; 0 is flat, 1 is all of it.
    pub weight: f64,
}

/// A model's name for one of its orders: a number that counts its requests from the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderRef(u32);

impl OrderRef {
    /// The `index`-th request of a model.
    pub const fn from_index(index: u32) -> Self {
        Self(index)
    }

    /// Which request of the model it is, counted from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An order that a model asks for.
///
/// ```
/// use sextant_domain::{OrderRequest, OrderSize, Quantity, Requirements, TimeInForce, Timeframe};
/// let mut requirements = Requirements::new();
/// let spy = requirements.trade("SPY");
/// let ten = OrderSize::Units(Quantity::new(10.into()));
/// let order = OrderRequest::limit(spy, ten, 101.5).time_in_force(TimeInForce::Day);
/// assert_eq!(order.kind.name(), "limit");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderRequest {
    /// The instrument, by the model's own reference.
    pub instrument: InstrumentRef,
    /// How much.
    pub size: OrderSize,
    /// When it trades and at which price. Prices are brought to the instrument's tick so that the order never trades at a
    /// worse price than asked for: limits of buys down, of sells up; stops to the nearest tick.
    pub kind: OrderKind<f64>,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// What it may do to a position.
    pub effect: OrderEffect,
}

impl OrderRequest {
    fn new(instrument: InstrumentRef, size: OrderSize, kind: OrderKind<f64>) -> Self {
        Self {
            instrument,
            size,
            kind,
            time_in_force: TimeInForce::GoodTilCancelled,
            effect: OrderEffect::Any,
        }
    }

    /// An order at the market's price.
    pub fn market(instrument: InstrumentRef, size: OrderSize) -> Self {
        Self::new(instrument, size, OrderKind::Market)
    }

    /// An order at `limit` or better.
    pub fn limit(instrument: InstrumentRef, size: OrderSize, limit: f64) -> Self {
        Self::new(instrument, size, OrderKind::Limit { limit })
    }

    /// A market order once the price has reached `stop`.
    pub fn stop(instrument: InstrumentRef, size: OrderSize, stop: f64) -> Self {
        Self::new(instrument, size, OrderKind::Stop { stop })
    }

    /// An order at `limit` or better once the price has reached `stop`.
    pub fn stop_limit(instrument: InstrumentRef, size: OrderSize, stop: f64, limit: f64) -> Self {
        Self::new(instrument, size, OrderKind::StopLimit { stop, limit })
    }

    /// An order at the open of the next session.
    pub fn market_on_open(instrument: InstrumentRef, size: OrderSize) -> Self {
        Self::new(instrument, size, OrderKind::MarketOnOpen)
    }

    /// An order at the close of the session.
    pub fn market_on_close(instrument: InstrumentRef, size: OrderSize) -> Self {
        Self::new(instrument, size, OrderKind::MarketOnClose)
    }

    /// A stop that follows the best price.
    pub fn trailing_stop(instrument: InstrumentRef, size: OrderSize, trail: Offset<f64>) -> Self {
        let activation = None;
        Self::new(instrument, size, OrderKind::TrailingStop { trail, activation })
    }

    /// A stop that follows the best price from when the market has reached `activation` on; before that it does nothing.
    pub fn trailing_stop_from(
        instrument: InstrumentRef,
        size: OrderSize,
        trail: Offset<f64>,
        activation: f64,
    ) -> Self {
        let activation = Some(activation);
        Self::new(instrument, size, OrderKind::TrailingStop { trail, activation })
    }

    /// For a bracket: a stop at a loss that is measured from what the entry paid.
    ///
    /// ```
    /// use sextant_domain::{Intents, Offset, OrderRequest, OrderSize, Quantity, Requirements};
    /// let spy = Requirements::new().trade("SPY");
    /// let entry = OrderRequest::market(spy, OrderSize::Units(Quantity::new(10.into())));
    /// let exits = [
    ///     OrderRequest::stop_loss(spy, OrderSize::EntryFill, Offset::Fraction(0.02)),
    ///     OrderRequest::take_profit(spy, OrderSize::EntryFill, Offset::Distance(5.0)),
    /// ];
    /// let mut intents = Intents::default();
    /// let (_entry, exits) = intents.bracket(entry, &exits);
    /// assert_eq!(exits.len(), 2);
    /// ```
    pub fn stop_loss(instrument: InstrumentRef, size: OrderSize, loss: Offset<f64>) -> Self {
        let exit = FromEntry::StopLoss { loss };
        Self::new(instrument, size, OrderKind::FromEntry(exit))
    }

    /// For a bracket: a limit at a profit that is measured from what the entry paid.
    pub fn take_profit(instrument: InstrumentRef, size: OrderSize, profit: Offset<f64>) -> Self {
        let exit = FromEntry::TakeProfit { profit };
        Self::new(instrument, size, OrderKind::FromEntry(exit))
    }

    /// For a bracket: a stop that follows the best price from when the market has reached a profit on.
    pub fn trailing_stop_from_profit(
        instrument: InstrumentRef,
        size: OrderSize,
        trail: Offset<f64>,
        profit: Offset<f64>,
    ) -> Self {
        let exit = FromEntry::TrailingStop { trail, profit };
        Self::new(instrument, size, OrderKind::FromEntry(exit))
    }

    /// The same with another time in force; without it an order is good till cancelled.
    pub fn time_in_force(self, time_in_force: TimeInForce) -> Self {
        Self {
            time_in_force,
            ..self
        }
    }

    /// The same, but it may only reduce the model's position.
    pub fn reduce_only(self) -> Self {
        Self {
            effect: OrderEffect::ReduceOnly,
            ..self
        }
    }
}

/// What is to be different about a working order; what is `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OrderChange {
    /// The new size, of the whole order: what it has filled counts towards it.
    pub size: Option<OrderSize>,
    /// The new kind and prices.
    ///
    /// A trailing stop that stays one keeps the best price it has followed when its activation stays the same, or when it is
    /// active and no longer has one: then a smaller distance always tightens it. With another activation, as with another kind,
    /// it begins anew from the last close: it waits when that has not reached the activation, and otherwise follows from there,
    /// which can be looser than before.
    pub kind: Option<OrderKind<f64>>,
}

/// How a requested order hangs together with others of the same decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRole {
    /// By itself.
    Alone,
    /// The entry of a bracket; its exits follow it.
    Entry,
    /// An exit of the bracket with this entry; the exits of an entry cancel each other.
    Exit {
        /// The entry.
        entry: OrderRef,
    },
    /// One of a group that cancel each other.
    OneOf {
        /// The first of the group.
        first: OrderRef,
    },
}

/// What a model asks of the broker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OrderCommand {
    /// A new order.
    Submit {
        /// The model's name for it.
        reference: OrderRef,
        /// What is asked for.
        request: OrderRequest,
        /// The orders it hangs together with.
        role: OrderRole,
    },
    /// An order is to end.
    Cancel(OrderRef),
    /// An order is to be changed in place.
    Modify(OrderRef, OrderChange),
}

/// The output of one decision.
///
/// A target stands until the model replaces it. Emitting a target again, even with the same weight, asks for the
/// position to be brought back to it (subject to the portfolio's no-trade band); while nothing is emitted the position
/// drifts with prices, until a budget, the regime or a risk rule changes what the target is worth.
///
/// Orders live until they fill, end or are cancelled; [`MarketView::notices`](crate::MarketView::notices) tells what became
/// of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intents {
    targets: Vec<TargetIntent>,
    commands: Vec<OrderCommand>,
    next_reference: u32,
}

impl Intents {
    /// Asks for a weight: a signed fraction of the model's own budget. Must be finite; the engine stops the run on NaN.
    pub fn target(&mut self, instrument: InstrumentRef, weight: f64) {
        self.targets.push(TargetIntent { instrument, weight });
    }

    /// Asks for an order.
    pub fn order(&mut self, request: OrderRequest) -> OrderRef {
        self.submit(request, OrderRole::Alone)
    }

    /// Asks for an entry with exits. The exits become live when the entry fills, may only reduce the position, and cancel
    /// each other; each must be on the other side of the entry, and none may be larger. Returns the entry's reference and
    /// those of the exits.
    pub fn bracket(&mut self, entry: OrderRequest, exits: &[OrderRequest]) -> (OrderRef, Vec<OrderRef>) {
        let entry = self.submit(entry, OrderRole::Entry);
        let exits = exits
            .iter()
            .map(|exit| self.submit(exit.reduce_only(), OrderRole::Exit { entry }))
            .collect();
        (entry, exits)
    }

    /// Asks for orders of which a fill of one reduces the others by as much.
    pub fn one_cancels_other(&mut self, requests: &[OrderRequest]) -> Vec<OrderRef> {
        let first = OrderRef(self.next_reference);
        requests
            .iter()
            .map(|request| self.submit(*request, OrderRole::OneOf { first }))
            .collect()
    }

    /// Asks for an order to end. Ending one that has ended already does nothing.
    pub fn cancel(&mut self, order: OrderRef) {
        self.commands.push(OrderCommand::Cancel(order));
    }

    /// Asks for an order to be changed. Risk judges it as a new one; an order that has ended already is not changed.
    pub fn modify(&mut self, order: OrderRef, change: OrderChange) {
        self.commands.push(OrderCommand::Modify(order, change));
    }

    fn submit(&mut self, request: OrderRequest, role: OrderRole) -> OrderRef {
        let reference = OrderRef(self.next_reference);
        self.next_reference += 1;
        self.commands.push(OrderCommand::Submit {
            reference,
            request,
            role,
        });
        reference
    }

    /// The weights asked for, in order.
    pub fn targets(&self) -> &[TargetIntent] {
        &self.targets
    }

    /// What is asked of the broker, in order.
    pub fn commands(&self) -> &[OrderCommand] {
        &self.commands
    }

    /// How many orders the model has asked for since the start of the run, those of this decision included.
    pub fn requests(&self) -> usize {
        self.next_reference as usize
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.commands.is_empty()
    }

    /// Empties the buffer, keeping its memory, for a model that has made `requests` requests so far.
    #[inline]
    pub fn begin(&mut self, requests: usize) {
        self.targets.clear();
        self.commands.clear();
        self.next_reference = u32::try_from(requests).expect("a run has fewer than four billion requests");
    }
}
