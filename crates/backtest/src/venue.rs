//! The simulated venue: fills market orders from bars.

use sextant_domain::ports::{AccountSource, Broker, BrokerError};
use sextant_domain::{
    Allocation, Approved, Fill, Instrument, MarketData, MoneyError, Order, OrderOrigin, OrderSize, Price,
    Quantity, UtcNanos,
};

use crate::costs::CostSchedule;
use crate::driver::EndOfRun;

/// At which price a market order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillConvention {
    /// At the open of the first execution bar that begins at or after the decision. Assumes that the open is tradable
    /// for the whole quantity.
    NextOpen,
    /// At the close on which it was decided (the first execution bar that closes at or after the decision). Assumes that
    /// one can decide on a close and still trade at it: optimistic, and named so in reports.
    SameClose,
}

impl FillConvention {
    /// `next_open` or `same_close`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NextOpen => "next_open",
            Self::SameClose => "same_close",
        }
    }
}

/// Fills market orders in full, at one price, with the costs of a [`CostSchedule`].
///
/// Assumes that orders do not move the market and that any quantity trades. An order in an instrument that has no later
/// bar is dropped: it never fills.
pub struct SimulatedVenue<'m> {
    market: &'m MarketData,
    costs: &'m dyn CostSchedule,
    convention: FillConvention,
    at_end: EndOfRun,
    working: Vec<Approved<Order>>,
    /// For each working order: when and at which bar price it fills.
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    time: UtcNanos,
    price: f64,
    /// Earliest step that may learn of the fill.
    known_after: UtcNanos,
}

impl<'m> SimulatedVenue<'m> {
    /// A venue without orders.
    pub fn new(
        market: &'m MarketData,
        costs: &'m dyn CostSchedule,
        convention: FillConvention,
        at_end: EndOfRun,
    ) -> Self {
        Self {
            market,
            costs,
            convention,
            at_end,
            working: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Where the order will fill. The bar is looked up once, but its price is used only when its time has come.
    fn place(&self, order: &Order) -> Option<Place> {
        let series = self
            .market
            .get(self.market.execution_series(order.draft.instrument));
        let bars = series.bars.view();
        let decided = order.draft.decided_at;
        if order.draft.origin == OrderOrigin::EndOfRun {
            let last = bars
                .close_time
                .partition_point(|time| *time <= decided)
                .checked_sub(1)?;
            let price = if self.at_end == EndOfRun::CloseAtLastOpen {
                bars.open[last]
            } else {
                bars.close[last]
            };
            return Some(Place {
                time: decided,
                price,
                known_after: UtcNanos::MIN,
            });
        }
        match self.convention {
            FillConvention::NextOpen => {
                let next = bars.open_time.partition_point(|time| *time < decided);
                let time = *bars.open_time.get(next)?;
                // A bar can open at the very instant of the decision; the fill is still news of a later step.
                Some(Place {
                    time,
                    price: bars.open[next],
                    known_after: decided,
                })
            }
            FillConvention::SameClose => {
                let next = bars.close_time.partition_point(|time| *time < decided);
                let time = *bars.close_time.get(next)?;
                Some(Place {
                    time,
                    price: bars.close[next],
                    known_after: UtcNanos::MIN,
                })
            }
        }
    }

    /// The earliest order that has filled by `now`; the older one of two at the same time.
    fn due(&self, now: UtcNanos) -> Option<(usize, Place)> {
        let filled = self.places.iter().copied().enumerate();
        filled
            .filter(|(_, place)| place.time <= now && place.known_after < now)
            .min_by_key(|(index, place)| (place.time, *index))
    }

    fn fill(
        &self,
        order: &Order,
        place: Place,
        account: &dyn AccountSource,
    ) -> Result<Option<Fill>, MoneyError> {
        let instrument = self.market.instruments().get(order.draft.instrument);
        let market = Price::from_f64_on_tick(place.price, instrument.price_tick)?;
        let sized = self.size(order, instrument, market, account)?;
        let Some(allocations) = sized else { return Ok(None) };
        let quantity = allocations
            .iter()
            .try_fold(Quantity::ZERO, |sum, one| sum.plus(one.quantity))?;
        let price = self.costs.price(instrument.class, quantity, market)?;
        Ok(Some(Fill {
            order: order.id,
            instrument: order.draft.instrument,
            time: place.time,
            quantity,
            price,
            reference_price: market,
            fee: self.costs.fee(instrument.class, quantity, price)?,
            slippage: price.minus(market)?.times(quantity)?,
            allocations,
        }))
    }

    /// What trades, by model; `None` when the size comes to nothing.
    fn size(
        &self,
        order: &Order,
        instrument: &Instrument,
        market: Price,
        account: &dyn AccountSource,
    ) -> Result<Option<Vec<Allocation>>, MoneyError> {
        let draft = &order.draft;
        let allocations: Vec<Allocation> = match draft.size {
            OrderSize::Units(_) => draft.allocations.clone(),
            OrderSize::ClosePosition => draft
                .allocations
                .iter()
                .map(|one| Allocation {
                    quantity: -account.model_position(one.model, draft.instrument),
                    ..*one
                })
                .collect(),
            // A ruined book has no fraction to trade.
            OrderSize::EquityFraction(_) if account.equity() <= 0.0 => return Ok(None),
            OrderSize::EquityFraction(fraction) => {
                let side = Quantity::from_f64_towards_zero(fraction.signum(), rust_decimal::Decimal::ONE)?;
                let paid = self.costs.price(instrument.class, side, market)?.to_f64();
                let units = fraction * draft.budget * account.equity() / paid;
                let quantity = Quantity::from_f64_towards_zero(units, instrument.lot_size)?;
                draft
                    .allocations
                    .iter()
                    .map(|one| Allocation { quantity, ..*one })
                    .collect()
            }
        };
        Ok(allocations
            .iter()
            .any(|one| !one.quantity.is_zero())
            .then_some(allocations))
    }
}

impl Broker for SimulatedVenue<'_> {
    fn submit(&mut self, order: Approved<Order>) -> Result<(), BrokerError> {
        // An instrument without a later bar has left the market; an order in it would count as on its way for ever.
        if let Some(place) = self.place(&order) {
            self.places.push(place);
            self.working.push(order);
        }
        Ok(())
    }

    fn next_fill(&mut self, now: UtcNanos, account: &dyn AccountSource) -> Result<Option<Fill>, BrokerError> {
        while let Some((index, place)) = self.due(now) {
            let order = self.working.remove(index);
            self.places.remove(index);
            let filled = self
                .fill(&order, place, account)
                .map_err(|source| BrokerError::Money {
                    instrument: self
                        .market
                        .instruments()
                        .get(order.draft.instrument)
                        .symbol
                        .clone(),
                    time: place.time,
                    source,
                })?;
            if filled.is_some() {
                return Ok(filled);
            }
        }
        Ok(None)
    }

    fn working(&self) -> &[Approved<Order>] {
        &self.working
    }
}
