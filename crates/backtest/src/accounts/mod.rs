//! What happens to a simulated account without orders: dividends, splits, delistings, borrow fees, funding and interest.
//!
//! [`AccountVenue`] stands around a [`SimulatedVenue`] and puts these events between its fills in the order of time:
//! * What is charged at an instant (fees, funding, interest) comes after the fills up to it, and counts positions and the
//!   last closes at that instant.
//! * A corporate action comes after everything up to its instant and before what opens at it, so that a dividend goes to who
//!   held at the close before the ex-date. It is posted with the first step *after* its instant, because bars that close at
//!   the instant are still marked in old shares.

mod amounts;
mod dues;
mod model;

use std::collections::VecDeque;

use sextant_domain::ports::{AccountSource, Broker, BrokerError};
use sextant_domain::{
    Allocation, Approved, BrokerEvent, Cash, CashEvent, CashKind, Currency, EndReason, Fill, Instrument,
    InstrumentId, MarketData, ModelId, MoneyError, Multiplier, Order, OrderEffect, OrderId, OrderSize, Price,
    Quantity, Settlement, SplitEvent, SplitPart, SplitRatio, UtcNanos, WorkingOrder,
};

pub use model::{
    AccountAction, AccountModel, AccountModelError, BorrowModel, BorrowRate, BorrowRates, CorporateActionDue,
    CorporateActions, FinalPrice, FundingModel, FundingRate, InterestModel, MissingFunding,
};

use crate::venue::SimulatedVenue;
use dues::{Due, Span, What};

/// A simulated venue whose account pays dividends, fees and interest.
pub struct AccountVenue<'m> {
    orders: SimulatedVenue<'m>,
    market: &'m MarketData,
    model: &'m AccountModel,
    dues: Vec<Due>,
    /// The first of them that has not been worked.
    next: usize,
    /// The instant until which fees and interest have been charged.
    charged: UtcNanos,
    /// Splits so far: prices from before them are in old shares.
    splits: Vec<(InstrumentId, UtcNanos, SplitRatio)>,
    /// Orders in instruments that nobody lends and that have not been looked at.
    unchecked: Vec<OrderId>,
    events: VecDeque<BrokerEvent>,
}

impl<'m> AccountVenue<'m> {
    /// The account of a run from `funded` to `end`, with fees and interest charged at `marks`.
    ///
    /// # Errors
    /// [`AccountModelError`] when the model does not fit the instruments of the market.
    pub fn new(
        orders: SimulatedVenue<'m>,
        market: &'m MarketData,
        model: &'m AccountModel,
        marks: &[UtcNanos],
        (funded, end): (UtcNanos, UtcNanos),
    ) -> Result<Self, AccountModelError> {
        let instruments = market.instruments();
        model.validate(instruments.iter().map(|(_, instrument)| instrument))?;
        let settles_daily = |(_, one): (_, &Instrument)| one.contract.settlement == Settlement::Daily;
        let by_day = model.charges_by_day() || instruments.iter().any(settles_daily);
        if by_day && marks.is_empty() {
            return Err(AccountModelError::NoMarks);
        }
        let closes = market
            .series()
            .iter()
            .map(|series| series.bars.close_times().last());
        let last = closes.flatten().max().copied().unwrap_or(end);
        let span = Span {
            from: funded,
            until: end.min(last),
        };
        Ok(Self {
            orders,
            market,
            model,
            dues: dues::calendar(model, instruments, marks, span),
            next: 0,
            charged: funded,
            splits: Vec::new(),
            unchecked: Vec::new(),
            events: VecDeque::new(),
        })
    }

    fn work(&mut self, due: Due, account: &dyn AccountSource) -> Result<(), BrokerError> {
        let time = due.time;
        match due.what {
            What::Charge => {
                let since = std::mem::replace(&mut self.charged, time);
                self.charge((since, time), account)
            }
            What::Settlement(instrument) => self
                .settle((instrument, time), account)
                .map_err(|source| self.money_error(instrument, time, source)),
            What::Funding(instrument, rate) => self.pay_funding(time, (instrument, rate), account),
            What::Dividend(instrument, per_share) => {
                let held = held_by(instrument, account);
                let multiplier = self.multiplier(instrument);
                let amounts =
                    held.map(|(model, quantity)| Ok((model, multiplier.value(per_share, quantity)?)));
                let amounts = amounts
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|source| self.money_error(instrument, time, source))?;
                self.pay_of(instrument, time, CashKind::Dividend, amounts);
                Ok(())
            }
            What::Split(instrument, ratio) => {
                self.split((instrument, time), ratio, account)
                    .map_err(|source| self.money_error(instrument, time, source))?;
                self.orders.split_orders(instrument, ratio, time)
            }
            What::Delisting(instrument, price) => {
                self.delist((instrument, time), price, account)
                    .map_err(|source| self.money_error(instrument, time, source))?;
                self.orders.end_orders(instrument, time, EndReason::Delisted);
                Ok(())
            }
        }
    }

    /// What the positions have gained since they were settled last is paid at the last close.
    fn settle(
        &mut self,
        (instrument, time): (InstrumentId, UtcNanos),
        account: &dyn AccountSource,
    ) -> Result<(), MoneyError> {
        let Some(price) = self.price(instrument, time)? else {
            return Ok(());
        };
        let multiplier = self.multiplier(instrument);
        let gained = |(model, held): (ModelId, Quantity)| {
            let value = multiplier.value(price, held)?;
            Ok((model, value.minus(account.settled_value(model, instrument))?))
        };
        let amounts = held_by(instrument, account)
            .map(gained)
            .collect::<Result<_, MoneyError>>()?;
        self.pay_of(instrument, time, CashKind::VariationMargin, amounts);
        Ok(())
    }

    fn multiplier(&self, instrument: InstrumentId) -> Multiplier {
        self.market.instruments().get(instrument).contract.multiplier
    }

    /// Tells of amounts that come of an instrument, if there are any.
    fn pay_of(
        &mut self,
        instrument: InstrumentId,
        time: UtcNanos,
        kind: CashKind,
        amounts: Vec<(ModelId, Cash)>,
    ) {
        let currency = self.market.instruments().get(instrument).contract.currency;
        self.pay(time, (Some(instrument), currency), kind, amounts);
    }

    /// Tells of amounts in a currency, if there are any.
    fn pay(
        &mut self,
        time: UtcNanos,
        (instrument, currency): (Option<InstrumentId>, Currency),
        kind: CashKind,
        mut amounts: Vec<(ModelId, Cash)>,
    ) {
        amounts.retain(|(_, amount)| !amount.is_zero());
        if !amounts.is_empty() {
            self.events.push_back(BrokerEvent::Cash(CashEvent {
                time,
                instrument,
                kind,
                currency,
                amounts,
            }));
        }
    }

    /// Each model's position becomes whole lots by itself, and its fraction is paid at the last close.
    fn split(
        &mut self,
        (instrument, time): (InstrumentId, UtcNanos),
        ratio: SplitRatio,
        account: &dyn AccountSource,
    ) -> Result<(), MoneyError> {
        // Without a price there has been no market yet, and nobody can hold anything.
        let Some(old_price) = self.price(instrument, time)? else {
            return Ok(());
        };
        let lot = self.market.instruments().get(instrument).lot_size;
        let multiplier = self.multiplier(instrument);
        let part = |(model, held): (ModelId, Quantity)| {
            let quantity = ratio.position(held, lot)?;
            let left = multiplier.times(ratio.value(old_price, quantity)?)?;
            Ok(SplitPart {
                model,
                quantity,
                cash_in_lieu: multiplier.value(old_price, held)?.minus(left)?,
            })
        };
        let parts = held_by(instrument, account).map(part).collect::<Result<_, _>>()?;
        self.splits.push((instrument, time, ratio));
        self.events.push_back(BrokerEvent::Split(SplitEvent {
            time,
            instrument,
            ratio,
            old_price,
            parts,
        }));
        Ok(())
    }

    fn delist(
        &mut self,
        (instrument, time): (InstrumentId, UtcNanos),
        price: FinalPrice,
        account: &dyn AccountSource,
    ) -> Result<(), MoneyError> {
        let Some(last) = self.price(instrument, time)? else {
            return Ok(());
        };
        let price = match price {
            FinalPrice::LastClose => last,
            FinalPrice::PartOfLastClose(part) => Price::new(last.times(Quantity::new(part))?.decimal()),
            FinalPrice::Stated(price) => price,
        };
        let allocations: Vec<Allocation> = held_by(instrument, account)
            .map(|(model, held)| Allocation {
                model,
                quantity: -held,
            })
            .collect();
        if allocations.is_empty() {
            return Ok(());
        }
        let quantity = allocations
            .iter()
            .try_fold(Quantity::ZERO, |sum, one| sum.plus(one.quantity))?;
        self.events.push_back(BrokerEvent::Fill(Fill {
            order: OrderId::NONE,
            instrument,
            time,
            quantity,
            price,
            reference_price: price,
            fee: Cash::ZERO,
            slippage: Cash::ZERO,
            impact: Cash::ZERO,
            allocations,
        }));
        Ok(())
    }

    /// The last close by an instant, in the shares of that instant; before the first close the first open.
    fn price(&self, instrument: InstrumentId, time: UtcNanos) -> Result<Option<Price>, MoneyError> {
        let bars = self
            .market
            .get(self.market.execution_series(instrument))
            .bars
            .view();
        let closed = bars.close_time.partition_point(|close| *close <= time);
        let (at, price) = match closed.checked_sub(1) {
            Some(last) => (bars.close_time[last], bars.close[last]),
            None if bars.open_time.first().is_some_and(|open| *open <= time) => {
                (bars.open_time[0], bars.open[0])
            }
            None => return Ok(None),
        };
        let tick = self.market.instruments().get(instrument).price_tick;
        let mut price = Price::from_f64_on_tick(price, tick)?;
        for (_, _, ratio) in self
            .splits
            .iter()
            .filter(|(split, when, _)| *split == instrument && *when >= at)
        {
            price = ratio.price(price)?;
        }
        Ok(Some(price))
    }

    /// Notes an order in an instrument that nobody lends. A future need not be borrowed.
    fn note_short_sale(&mut self, order: &Approved<Order>) {
        let instrument = self.market.instruments().get(order.draft.instrument);
        let is_borrowed = instrument.contract.settlement == Settlement::InFull;
        if is_borrowed && self.model.borrow.rate(instrument) == Some(BorrowRate::NotLent) {
            self.unchecked.push(order.id);
        }
    }

    /// Ends orders that could open a short position in what nobody lends. An order for a fraction of equity counts as if
    /// nothing were held.
    fn check_short_sales(&mut self, account: &dyn AccountSource) {
        for id in std::mem::take(&mut self.unchecked) {
            let working = self.orders.working();
            let Some(order) = working.iter().find(|one| one.order.id == id) else {
                continue;
            };
            let draft = &order.order.draft;
            if draft.terms.effect == OrderEffect::Any && opens_short(working, order, account) {
                let decided = draft.decided_at;
                self.orders.end_order(id, decided, EndReason::NotShortable);
            }
        }
    }

    fn money_error(&self, instrument: InstrumentId, time: UtcNanos, source: MoneyError) -> BrokerError {
        BrokerError::Money {
            instrument: self.market.instruments().get(instrument).symbol.clone(),
            time,
            source,
        }
    }
}

impl Broker for AccountVenue<'_> {
    fn submit(&mut self, order: Approved<Order>) -> Result<(), BrokerError> {
        self.note_short_sale(&order);
        self.orders.submit(order)
    }

    fn cancel(&mut self, order: OrderId, now: UtcNanos) -> Result<(), BrokerError> {
        self.orders.cancel(order, now)
    }

    fn replace(&mut self, order: Approved<Order>) -> Result<(), BrokerError> {
        self.note_short_sale(&order);
        self.orders.replace(order)
    }

    fn next_event(
        &mut self,
        now: UtcNanos,
        account: &dyn AccountSource,
    ) -> Result<Option<BrokerEvent>, BrokerError> {
        if !self.unchecked.is_empty() {
            self.check_short_sales(account);
        }
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            let next = self.dues.get(self.next).copied();
            let Some(due) = next.filter(|due| due.is_known(now)) else {
                return self.orders.next_event(now, account);
            };
            // First everything that happened up to its instant.
            if let Some(event) = self.orders.next_event(due.time, account)? {
                return Ok(Some(event));
            }
            self.next += 1;
            self.work(due, account)?;
        }
    }

    fn working(&self) -> &[WorkingOrder] {
        self.orders.working()
    }
}

/// Models with a position in an instrument, and their quantities.
fn held_by(
    instrument: InstrumentId,
    account: &dyn AccountSource,
) -> impl Iterator<Item = (ModelId, Quantity)> + '_ {
    (0..account.models())
        .map(ModelId::from_index)
        .map(move |model| (model, account.model_position(model, instrument)))
        .filter(|(_, held)| !held.is_zero())
}

/// Whether the account could be short once an order and all sales before it have filled.
fn opens_short(working: &[WorkingOrder], order: &WorkingOrder, account: &dyn AccountSource) -> bool {
    let draft = &order.order.draft;
    match draft.size {
        OrderSize::EquityFraction(fraction) => fraction < 0.0,
        OrderSize::ClosePosition | OrderSize::EntryFill => false,
        OrderSize::Units(_) => {
            let sales = working
                .iter()
                .filter(|one| {
                    one.order.draft.instrument == draft.instrument && one.order.id <= order.order.id
                })
                .filter(|one| one.order.draft.terms.effect == OrderEffect::Any)
                .map(|one| one.remaining.iter().map(|part| part.quantity.decimal()).sum())
                .filter(rust_decimal::Decimal::is_sign_negative);
            let held = held_by(draft.instrument, account).map(|(_, held)| held.decimal());
            let own: rust_decimal::Decimal = order.remaining.iter().map(|one| one.quantity.decimal()).sum();
            let after: rust_decimal::Decimal = held.chain(sales).sum();
            own.is_sign_negative() && after.is_sign_negative() && !after.is_zero()
        }
    }
}
