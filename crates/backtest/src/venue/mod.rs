//! The simulated venue: fills orders from bars.
//!
//! Each execution bar of an instrument with working orders passes through three stages: its open (market orders, gaps
//! through stops and limits), its inside (what an [`IntrabarRule`] lets high and low reach) and its close (orders for the
//! close, ends of orders whose time is over). A stage is worked only when a step comes that may know of it: the open at the
//! first step after it, the rest when the bar has closed.

mod config;
mod intrabar;
mod matching;
mod sessions;
mod split;
mod state;
mod trade;
pub(crate) mod traded_value;

use std::collections::VecDeque;

use rust_decimal::Decimal;
use sextant_domain::ports::{AccountSource, Broker, BrokerError};
use sextant_domain::{
    Approved, BarsView, BrokerEvent, EndReason, Instrument, InstrumentId, MarketData, MoneyError, Order,
    OrderDraft, OrderEnd, OrderId, OrderKind, OrderOrigin, OrderSize, Quantity, Side, UtcNanos, WorkingOrder,
};

pub(crate) use config::Moment;
pub use config::{ExitActivation, FillConvention, VenueConfig};
pub use intrabar::IntrabarRule;
pub(crate) use matching::SILENCE_NANOS;
pub use sessions::SessionEnds;

use crate::driver::EndOfRun;
use intrabar::Walk;
use state::{OrderState, total};
use traded_value::TradedValue;

/// Fills orders from bars, with the assumptions of a [`VenueConfig`].
///
/// Assumes that orders do not move the market beyond what the slippage model says. What trades inside a bar is stamped with
/// its close, because nobody knows when it happened. An exit that has ended is not revived when its entry fills further.
pub struct SimulatedVenue<'m> {
    market: &'m MarketData,
    config: &'m VenueConfig,
    at_end: EndOfRun,
    working: Vec<WorkingOrder>,
    /// What else there is to know of each working order.
    states: Vec<OrderState>,
    /// What working orders are looked for by: small, because all are gone through for each event.
    keys: Vec<OrderKey>,
    slots: Vec<Slot>,
    /// When the stage of each slot takes place.
    dues: Vec<Due>,
    events: VecDeque<BrokerEvent>,
    /// How many orders trade at once, at a price that is known already.
    at_once: usize,
    /// What the run traded, for fees that depend on it.
    traded_value: TradedValue,
}

/// What a working order is looked for by.
#[derive(Debug, Clone, Copy)]
struct OrderKey {
    order: OrderId,
    instrument: InstrumentId,
    /// The entry of its bracket, for an exit.
    entry: Option<OrderId>,
    /// When it was first decided.
    decided_at: UtcNanos,
}

/// When a stage takes place.
#[derive(Debug, Clone, Copy)]
struct Due {
    /// The end of time when the instrument has no such bar.
    time: UtcNanos,
    is_open: bool,
}

impl Due {
    /// Without a bar to come.
    const NEVER: Self = Self {
        time: UtcNanos::MAX,
        is_open: true,
    };

    /// Whether a step at `now` may know of it. An order can be decided at the very instant at which a bar opens: its fill is
    /// news of a later step.
    fn is_known(self, now: UtcNanos) -> bool {
        self.time < now || (self.time == now && !self.is_open)
    }
}

/// How far the bars of one instrument have been worked.
#[derive(Debug, Clone)]
struct Slot {
    /// Working orders in the instrument; without any the slot rests.
    orders: usize,
    bar: usize,
    stage: Stage,
    /// What all orders together have traded in the bar.
    taken: Quantity,
    /// The largest part of a bar's volume that may trade; `None` without a limit.
    participation: Option<Decimal>,
    /// The first bar in the shares of the last split.
    in_new_shares: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Open,
    Inside(Walk),
    Close,
}

impl<'m> SimulatedVenue<'m> {
    /// A venue without orders.
    pub fn new(market: &'m MarketData, config: &'m VenueConfig, at_end: EndOfRun) -> Self {
        let resting = |instrument: &Instrument| Slot {
            orders: 0,
            bar: 0,
            stage: Stage::Open,
            taken: Quantity::ZERO,
            participation: config.participation_in(instrument),
            in_new_shares: 0,
        };
        Self {
            market,
            config,
            at_end,
            working: Vec::new(),
            states: Vec::new(),
            keys: Vec::new(),
            dues: vec![Due::NEVER; market.instruments().len()],
            slots: market.instruments().iter().map(|(_, one)| resting(one)).collect(),
            events: VecDeque::new(),
            at_once: 0,
            traded_value: TradedValue::default(),
        }
    }

    fn bars(&self, instrument: InstrumentId) -> BarsView<'m> {
        let market: &'m MarketData = self.market;
        market.get(market.execution_series(instrument)).bars.view()
    }

    /// The state of a new order; wakes its slot.
    fn admit(&mut self, draft: &OrderDraft) -> OrderState {
        let series = self.market.execution_series(draft.instrument);
        let (opens, closes) = (self.market.open_times(series), self.market.close_times(series));
        let decided = draft.decided_at;
        let slot = &self.slots[draft.instrument.index()];
        // Close times are what the run goes by, so that they are at hand; the first bar that has not closed by now has
        // begun before the decision or is the one asked for.
        let open = first_from(closes, slot.bar, decided.saturating_add(1));
        let next = first_from(opens, open, decided);
        if slot.orders == 0 {
            self.slots[draft.instrument.index()].taken = Quantity::ZERO;
            self.put_slot(draft.instrument, next, Stage::Open);
        }
        self.slots[draft.instrument.index()].orders += 1;
        let mut state = OrderState::new(draft, next + self.config.latency_bars);
        if draft.origin == OrderOrigin::EndOfRun {
            let bars = self.bars(draft.instrument);
            let last = closes.partition_point(|time| *time <= decided).checked_sub(1);
            state.at_once = last.map(|last| match self.at_end {
                EndOfRun::CloseAtLastOpen => (decided, bars.open[last]),
                _ => (decided, bars.close[last]),
            });
        } else if draft.terms.kind == OrderKind::Market && self.config.fills.takes_the_bar_seen() {
            let seen = closes.partition_point(|time| *time < decided) + self.config.latency_bars;
            match closes.get(seen) {
                Some(close) if *close == decided => {
                    state.at_once = Some((decided, self.bars(draft.instrument).close[seen]));
                }
                // The bar has begun before the decision: only its close is still to come.
                Some(_) if seen < self.slots[draft.instrument.index()].bar => {
                    self.put_slot(draft.instrument, seen, Stage::Close);
                    state.first_bar = seen;
                }
                _ => state.first_bar = seen,
            }
        }
        state
    }

    /// Brings an instrument to a stage of a bar.
    fn put_slot(&mut self, instrument: InstrumentId, bar: usize, stage: Stage) {
        let series = self.market.execution_series(instrument);
        let times = match stage {
            Stage::Open => self.market.open_times(series),
            Stage::Inside(_) | Stage::Close => self.market.close_times(series),
        };
        let slot = &mut self.slots[instrument.index()];
        (slot.bar, slot.stage) = (bar, stage);
        let is_open = stage == Stage::Open;
        self.dues[instrument.index()] = times
            .get(bar)
            .map_or(Due::NEVER, |time| Due { time: *time, is_open });
    }

    fn place_of(&self, order: OrderId) -> Option<usize> {
        self.keys.iter().position(|key| key.order == order)
    }

    /// Takes an order out of the market.
    fn end(&mut self, index: usize, time: UtcNanos, reason: EndReason) {
        let ended = self.remove(index);
        self.events.push_back(BrokerEvent::End(OrderEnd {
            order: ended.order.id,
            time,
            reason,
        }));
        let is_waiting = |venue: &Self, index: &usize| {
            venue.keys[*index].entry == Some(ended.order.id) && venue.working[*index].is_dormant
        };
        while let Some(exit) = (0..self.keys.len()).find(|index| is_waiting(self, index)) {
            let exit = self.remove(exit);
            self.events.push_back(BrokerEvent::End(OrderEnd {
                order: exit.order.id,
                time,
                reason: EndReason::EntryEnded,
            }));
        }
    }

    fn remove(&mut self, index: usize) -> WorkingOrder {
        self.keys.remove(index);
        let state = self.states.remove(index);
        self.at_once -= usize::from(state.at_once.is_some());
        let working = self.working.remove(index);
        self.slots[working.order.draft.instrument.index()].orders -= 1;
        working
    }

    fn money_error(&self, instrument: InstrumentId, time: UtcNanos, source: MoneyError) -> BrokerError {
        BrokerError::Money {
            instrument: self.market.instruments().get(instrument).symbol.clone(),
            time,
            source,
        }
    }
}

impl Broker for SimulatedVenue<'_> {
    fn submit(&mut self, order: Approved<Order>) -> Result<(), BrokerError> {
        let state = self.admit(&order.draft);
        self.at_once += usize::from(state.at_once.is_some());
        self.states.push(state);
        self.keys.push(OrderKey {
            order: order.id,
            instrument: order.draft.instrument,
            entry: order.draft.terms.link.entry,
            decided_at: order.draft.decided_at,
        });
        self.working.push(WorkingOrder {
            remaining: order.draft.allocations.clone(),
            is_dormant: order.draft.terms.link.entry.is_some(),
            order,
        });
        Ok(())
    }

    fn cancel(&mut self, order: OrderId, now: UtcNanos) -> Result<(), BrokerError> {
        if let Some(index) = self.place_of(order) {
            self.end(index, now, EndReason::Cancelled);
        }
        Ok(())
    }

    /// A changed order reaches the market with the next bar.
    fn replace(&mut self, order: Approved<Order>) -> Result<(), BrokerError> {
        let Some(index) = self.place_of(order.id) else {
            return Ok(());
        };
        let (instrument, now) = (order.draft.instrument, order.draft.decided_at);
        let (old, new) = (self.working[index].order.draft.terms.kind, order.draft.terms.kind);
        if old != new {
            let tick = self.market.instruments().get(instrument).price_tick;
            let kind = self.states[index].changed(old, new, tick);
            let kind = kind.map_err(|source| self.money_error(instrument, now, source))?;
            self.states[index].change(kind, order.draft.reference_price);
        }
        let (working, state) = (&self.working[index], &self.states[index]);
        let left = match (order.draft.size, working.order.draft.size) {
            (new, old) if new == old => Ok(None),
            (OrderSize::Units(units), _) => units.minus(state.filled).map(Some),
            _ => Ok(Some(Quantity::ZERO)),
        };
        let left = left.map_err(|source| self.money_error(instrument, now, source))?;
        let working = &mut self.working[index];
        let is_spent = match (left, order.draft.size) {
            (Some(left), OrderSize::Units(units)) => Side::of(left) != Side::of(units),
            _ => false,
        };
        if let (Some(left), Some(first)) = (left, working.remaining.first_mut()) {
            first.quantity = left;
        }
        working.order = order;
        if is_spent {
            self.end(index, now, EndReason::NothingToTrade);
        }
        Ok(())
    }

    fn next_event(
        &mut self,
        now: UtcNanos,
        account: &dyn AccountSource,
    ) -> Result<Option<BrokerEvent>, BrokerError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if self.working.is_empty() || !self.advance(now, account)? {
                return Ok(None);
            }
        }
    }

    fn working(&self) -> &[WorkingOrder] {
        &self.working
    }

    fn is_idle(&self) -> bool {
        self.working.is_empty() && self.events.is_empty()
    }
}

/// The index of the first time at or after `time`, looked for from `near` on in growing strides: the next order is decided
/// soon after the last one, and a bisection of a long history is slow.
pub(crate) fn first_from(times: &[UtcNanos], near: usize, time: UtcNanos) -> usize {
    let is_before = |index: usize| times.get(index).is_some_and(|other| *other < time);
    if near > 0 && !is_before(near - 1) {
        return times.partition_point(|other| *other < time);
    }
    let (mut from, mut stride) = (near, 1);
    while is_before(from + stride - 1) {
        from += stride;
        stride *= 2;
    }
    let end = times.len().min(from + stride);
    let from = from.min(end);
    from + times[from..end].partition_point(|other| *other < time)
}

/// The side on which an order trades; for a size that depends on the position, the one that closes it. `None` when there
/// is nothing to trade.
fn side_of(working: &WorkingOrder, account: &dyn AccountSource) -> Option<Side> {
    let draft = &working.order.draft;
    let left = total(&working.remaining).unwrap_or(Quantity::ZERO);
    match draft.size {
        _ if !left.is_zero() => Side::of(left),
        OrderSize::EquityFraction(fraction) if fraction > 0.0 => Some(Side::Buy),
        OrderSize::EquityFraction(_) => Some(Side::Sell),
        OrderSize::ClosePosition => {
            let held = draft.allocations.iter().try_fold(Quantity::ZERO, |sum, one| {
                sum.plus(account.model_position(one.model, draft.instrument))
            });
            Side::of(-held.unwrap_or(Quantity::ZERO))
        }
        // Models can cross within one order: it trades nothing at the venue, but moves positions between them.
        OrderSize::Units(_) | OrderSize::EntryFill => Some(Side::Buy),
    }
}
