//! What splits and delistings do to working orders.

use sextant_domain::ports::BrokerError;
use sextant_domain::{EndReason, InstrumentId, MoneyError, OrderId, Quantity, SplitRatio, UtcNanos};

use super::SimulatedVenue;

impl SimulatedVenue<'_> {
    /// Brings the working orders of an instrument through a split.
    ///
    /// Orders without a price that stand alone go on with their units in new shares, rounded towards zero to the lot.
    /// Orders with a price end, because their levels are in old shares, and with them the orders they hang together with:
    /// an entry without its stop is another order than the one that was asked for.
    ///
    /// Bars that began before the split are in old shares, and no longer tell costs how the instrument trades.
    pub(crate) fn split_orders(
        &mut self,
        instrument: InstrumentId,
        ratio: SplitRatio,
        time: UtcNanos,
    ) -> Result<(), BrokerError> {
        let bars = self.bars(instrument);
        self.slots[instrument.index()].in_new_shares = bars.open_time.partition_point(|open| *open < time);
        for order in self.orders_of(instrument) {
            let Some(index) = self.place_of(order) else {
                continue;
            };
            let goes_on = self.stands_alone(index)
                && self
                    .split_order(index, ratio)
                    .map_err(|source| self.money_error(instrument, time, source))?;
            if !goes_on {
                self.end(index, time, EndReason::Split);
            }
        }
        Ok(())
    }

    /// Ends every working order of an instrument.
    pub(crate) fn end_orders(&mut self, instrument: InstrumentId, time: UtcNanos, reason: EndReason) {
        for order in self.orders_of(instrument) {
            self.end_order(order, time, reason);
        }
    }

    /// Ends an order, if it has not ended already.
    pub(crate) fn end_order(&mut self, order: OrderId, time: UtcNanos, reason: EndReason) {
        if let Some(index) = self.place_of(order) {
            self.end(index, time, reason);
        }
    }

    fn orders_of(&self, instrument: InstrumentId) -> Vec<OrderId> {
        let orders = self.keys.iter().filter(|key| key.instrument == instrument);
        orders.map(|key| key.order).collect()
    }

    /// Whether an order has neither a price nor orders that hang together with it.
    fn stands_alone(&self, index: usize) -> bool {
        let order = &self.working[index].order;
        let link = order.draft.terms.link;
        let has_exits = || {
            let mut links = self.working.iter().map(|one| one.order.draft.terms.link);
            links.any(|other| other.entry == Some(order.id))
        };
        !order.draft.terms.kind.is_resting() && link.entry.is_none() && link.group.is_none() && !has_exits()
    }

    /// Converts what is left of an order; false when that is less than a lot.
    fn split_order(&mut self, index: usize, ratio: SplitRatio) -> Result<bool, MoneyError> {
        let (working, state) = (&mut self.working[index], &mut self.states[index]);
        let instrument = working.order.draft.instrument;
        let lot = self.market.instruments().get(instrument).lot_size;
        let mut is_less_than_a_lot = false;
        for one in &mut working.remaining {
            let units = ratio.position(one.quantity, lot)?;
            is_less_than_a_lot |= units.is_zero() && !one.quantity.is_zero();
            one.quantity = units;
        }
        state.filled = ratio.position(state.filled, lot)?;
        let is_nothing = working.remaining.iter().all(|one| one.quantity == Quantity::ZERO);
        Ok(!(is_nothing && is_less_than_a_lot))
    }
}
