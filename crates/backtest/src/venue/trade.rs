//! How an order trades: its size, its price, and what that does to the orders it hangs together with.

use rust_decimal::Decimal;
use sextant_domain::ports::{AccountSource, BrokerError};
use sextant_domain::{
    Allocation, BrokerEvent, Cash, EndReason, Fill, Instrument, InstrumentId, MoneyError, OrderEffect,
    OrderId, OrderKind, OrderSize, Price, Quantity, Side, TimeInForce, UtcNanos,
};

use super::config::ExitActivation;
use super::state::{less, total};
use super::{SimulatedVenue, Stage};
use crate::costs::{Liquidity, Trade};

/// What a trade costs.
struct Costs {
    /// The price with slippage.
    price: Price,
    /// The part of the slippage that is due to the run's own volume, per unit; zero or more.
    impact: Price,
    fee: Cash,
}

/// When, at which market price, and on which side of the book.
type Terms = (UtcNanos, f64, Liquidity);

impl SimulatedVenue<'_> {
    /// Trades an order as far as its size, the position and the bar's volume let it. `at` is the bar and stage; without
    /// one the bar seen last counts and any quantity trades.
    pub(super) fn trade(
        &mut self,
        index: usize,
        terms: Terms,
        at: Option<(usize, Stage)>,
        account: &dyn AccountSource,
    ) -> Result<(), BrokerError> {
        let instrument = self.working[index].order.draft.instrument;
        self.try_trade(index, terms, at, account)
            .map_err(|source| self.money_error(instrument, terms.0, source))
    }

    fn try_trade(
        &mut self,
        index: usize,
        (time, price, liquidity): Terms,
        at: Option<(usize, Stage)>,
        account: &dyn AccountSource,
    ) -> Result<(), MoneyError> {
        let draft = &self.working[index].order.draft;
        let (id, instrument_id, terms) = (self.working[index].order.id, draft.instrument, draft.terms);
        let kind = self.states[index].kind;
        let instrument = self.market.instruments().get(instrument_id);
        self.traded_value.begin_day(instrument.class, time);
        let bars = self.bars(instrument_id);
        let bar_index = at.map_or_else(
            || {
                let seen = bars.close_time.partition_point(|close| *close <= time);
                seen.saturating_sub(1)
            },
            |(bar, _)| bar,
        );
        let market = Price::from_f64_on_tick(price, instrument.price_tick)?;
        let wanted = self.wanted(index, instrument, (market, bar_index), account)?;
        let room = at.and_then(|_| self.room(instrument_id, bar_index));
        let part = match room {
            Some(room) if total(&wanted)?.abs() > room => {
                Some(part_of(&wanted, room, instrument.lot_size)?).filter(|part| *part != wanted)
            }
            _ => None,
        };
        let left = part.as_ref().map(|part| less(&wanted, part)).transpose()?;
        let traded = part.unwrap_or(wanted);
        if traded.iter().all(|one| one.quantity.is_zero()) {
            self.end(index, time, EndReason::NothingToTrade);
            return Ok(());
        }
        if terms.time_in_force == TimeInForce::FillOrKill && left.is_some() {
            self.end(index, time, EndReason::NotFilled);
            return Ok(());
        }
        let quantity = total(&traded)?;
        let at_market = (kind, market, liquidity);
        let Costs { price, impact, fee } = self.costs(instrument_id, quantity, at_market, bar_index)?;
        self.events.push_back(BrokerEvent::Fill(Fill {
            order: id,
            instrument: instrument_id,
            time,
            quantity,
            price,
            reference_price: market,
            fee,
            slippage: instrument
                .contract
                .multiplier
                .value(price.minus(market)?, quantity)?,
            impact: instrument.contract.multiplier.value(impact, quantity.abs())?,
            allocations: traded,
        }));
        let factor = account.value_factor(instrument_id);
        let slot = &mut self.slots[instrument_id.index()];
        slot.taken = slot.taken.plus(quantity.abs())?;
        self.traded_value.add(
            instrument.class,
            price.to_f64() * factor * quantity.abs().to_f64(),
        );
        self.tell_peers(id, terms.link.group, quantity, (time, left.is_none()))?;
        self.tell_exits(
            id,
            quantity,
            (price, market),
            (bar_index, at.map(|(_, stage)| stage)),
        )?;
        let Some(index) = self.place_of(id) else {
            return Ok(());
        };
        if let Some(left) = left {
            let state = &mut self.states[index];
            state.filled = state.filled.plus(quantity)?;
            state.is_triggered |= matches!(kind, OrderKind::Stop { .. } | OrderKind::TrailingStop { .. });
            self.working[index].remaining = left;
        } else {
            self.remove(index);
        }
        Ok(())
    }

    /// What the order would trade, by model.
    fn wanted(
        &self,
        index: usize,
        instrument: &Instrument,
        (market, bar_index): (Price, usize),
        account: &dyn AccountSource,
    ) -> Result<Vec<Allocation>, MoneyError> {
        let working = &self.working[index];
        let draft = &working.order.draft;
        let held = |one: &Allocation| account.model_position(one.model, draft.instrument);
        let mut wanted = working.remaining.clone();
        let is_open = wanted.iter().all(|one| one.quantity.is_zero());
        match draft.size {
            OrderSize::ClosePosition if is_open => {
                for one in &mut wanted {
                    one.quantity = -held(one);
                }
            }
            // A ruined book has no fraction to trade.
            OrderSize::EquityFraction(_) if is_open && account.equity() <= 0.0 => {}
            OrderSize::EquityFraction(fraction) if is_open => {
                // In units of price: a contract is worth more than its price, and other currencies have their rate.
                let value =
                    fraction * draft.budget * account.equity() / account.value_factor(draft.instrument);
                // Slippage may grow with the size; a purchase pays at most that of the size it would have without.
                let most = Quantity::from_f64_towards_zero(value / market.to_f64(), instrument.lot_size)?;
                let terms = (self.states[index].kind, market, Liquidity::Taker);
                let costs = self.costs(draft.instrument, most, terms, bar_index)?;
                let units = value / costs.price.to_f64();
                let quantity = Quantity::from_f64_towards_zero(units, instrument.lot_size)?;
                for one in &mut wanted {
                    one.quantity = quantity;
                }
            }
            _ => {}
        }
        if draft.terms.effect == OrderEffect::ReduceOnly {
            for one in &mut wanted {
                one.quantity = reduction(one.quantity, held(one));
            }
        }
        Ok(wanted)
    }

    /// What a trade costs.
    fn costs(
        &self,
        id: InstrumentId,
        quantity: Quantity,
        (kind, market, liquidity): (OrderKind, Price, Liquidity),
        bar_index: usize,
    ) -> Result<Costs, MoneyError> {
        if quantity.is_zero() {
            return Ok(Costs {
                price: market,
                impact: Price::ZERO,
                fee: Cash::ZERO,
            });
        }
        let series = self.market.get(self.market.execution_series(id));
        let (instrument, slot) = (self.market.instruments().get(id), &self.slots[id.index()]);
        let trade = Trade {
            instrument,
            quantity,
            price: market,
            liquidity,
            bars: series
                .bars
                .first(bar_index + 1)
                .from(slot.in_new_shares.min(bar_index)),
            traded_in_bar: if slot.bar == bar_index {
                slot.taken
            } else {
                Quantity::ZERO
            },
            traded_value_30d: self.traded_value.before_today(instrument.class),
        };
        let slippage = &self.config.slippage;
        let (price, impact) = match liquidity {
            Liquidity::Taker => (slippage.price(&trade)?, slippage.impact(&trade)?),
            Liquidity::Maker => (market, Price::ZERO),
        };
        let price = within_limit(kind, quantity, price, market);
        let fee = self.config.fees.fee(&Trade { price, ..trade })?;
        // A limit that cuts the slippage cuts the impact last.
        let impact = impact.min(price.minus(market)?.abs());
        Ok(Costs { price, impact, fee })
    }

    /// Whether anything more can trade in a bar.
    pub(super) fn has_room(&self, instrument: InstrumentId, bar: usize) -> bool {
        self.room(instrument, bar).is_none_or(|room| !room.is_zero())
    }

    /// What all orders together can still trade in a bar; `None` without a limit.
    fn room(&self, instrument: InstrumentId, bar: usize) -> Option<Quantity> {
        let participation = self.slots[instrument.index()].participation?;
        let volume = self.bars(instrument).volume[bar];
        let lot = self.market.instruments().get(instrument).lot_size;
        let volume = Quantity::from_f64_towards_zero(volume, lot).unwrap_or(Quantity::ZERO);
        let most = Quantity::new(volume.decimal() * participation).towards_zero_to_lot(lot);
        let left = most.minus(self.slots[instrument.index()].taken).ok()?;
        Some(if left.is_positive() { left } else { Quantity::ZERO })
    }

    /// A fill of one order of a group reduces the others by as much.
    fn tell_peers(
        &mut self,
        order: OrderId,
        group: Option<OrderId>,
        quantity: Quantity,
        (time, is_complete): (UtcNanos, bool),
    ) -> Result<(), MoneyError> {
        if group.is_none() {
            return Ok(());
        }
        let is_peer = |working: &sextant_domain::WorkingOrder| {
            working.order.draft.terms.link.group == group && working.order.id != order
        };
        let mut index = 0;
        while index < self.working.len() {
            if !is_peer(&self.working[index]) {
                index += 1;
                continue;
            }
            let left = &mut self.working[index].remaining;
            let has_units = left.iter().any(|one| !one.quantity.is_zero());
            if let Some(first) = left.first_mut().filter(|_| has_units) {
                first.quantity = towards_zero_by(first.quantity, quantity.abs())?;
            }
            let is_spent = has_units && left.iter().all(|one| one.quantity.is_zero());
            if is_spent || (is_complete && !has_units) {
                self.end(index, time, EndReason::PeerFilled);
                index = 0;
            } else {
                index += 1;
            }
        }
        Ok(())
    }

    /// The exits of an entry become live with its fill, and as large as it.
    fn tell_exits(
        &mut self,
        entry: OrderId,
        quantity: Quantity,
        (price, market): (Price, Price),
        (bar, stage): (usize, Option<Stage>),
    ) -> Result<(), MoneyError> {
        let exits = (0..self.keys.len()).filter(|index| self.keys[*index].entry == Some(entry));
        for index in exits.collect::<Vec<_>>() {
            let (working, state) = (&mut self.working[index], &mut self.states[index]);
            let draft = &working.order.draft;
            let tick = self.market.instruments().get(draft.instrument).price_tick;
            state.note_entry(draft.terms.kind, (quantity, price, market), tick)?;
            let limit = state.entry_filled.abs();
            if let Some(first) = working.remaining.first_mut() {
                match working.order.draft.size {
                    OrderSize::EntryFill => first.quantity = first.quantity.minus(quantity)?,
                    OrderSize::Units(units) => {
                        let most = cut_to(units, limit);
                        first.quantity = most.minus(state.filled)?;
                    }
                    OrderSize::ClosePosition | OrderSize::EquityFraction(_) => {}
                }
            }
            if !std::mem::take(&mut working.is_dormant) {
                continue;
            }
            // Prices go by the market's; what the account paid beside it moves none.
            let price = market.to_f64();
            state.begin(price);
            (state.first_bar, state.live_inside) = match (stage, self.config.exits) {
                (Some(Stage::Open), _) => (bar, None),
                (Some(Stage::Inside(_)), ExitActivation::AtOnce) => (bar, Some((bar, price))),
                _ => (bar + 1, None),
            };
        }
        Ok(())
    }
}

/// A limit order pays no more than its limit, whatever slippage says.
fn within_limit(kind: OrderKind, quantity: Quantity, price: Price, market: Price) -> Price {
    let (OrderKind::Limit { limit } | OrderKind::StopLimit { limit, .. }) = kind else {
        return price;
    };
    match Side::of(quantity) {
        Some(Side::Buy) => price.min(limit.max(market)),
        Some(Side::Sell) => price.max(limit.min(market)),
        None => price,
    }
}

/// What an order takes from a position that it may only reduce.
fn reduction(quantity: Quantity, held: Quantity) -> Quantity {
    if quantity.is_positive() == held.is_positive() {
        return Quantity::ZERO;
    }
    cut_to(quantity, held.abs())
}

/// The quantity, cut to a magnitude.
fn cut_to(quantity: Quantity, magnitude: Quantity) -> Quantity {
    match (quantity.abs() <= magnitude, quantity.is_positive()) {
        (true, _) => quantity,
        (false, true) => magnitude,
        (false, false) => -magnitude,
    }
}

/// The quantity, brought closer to zero, but not beyond it.
fn towards_zero_by(quantity: Quantity, by: Quantity) -> Result<Quantity, MoneyError> {
    if quantity.abs() <= by {
        return Ok(Quantity::ZERO);
    }
    if quantity.is_positive() {
        quantity.minus(by)
    } else {
        quantity.plus(by)
    }
}

/// The part of an order that a smaller total leaves, in whole lots: each model's share in proportion, what rounding leaves
/// to the models in order.
fn part_of(wanted: &[Allocation], room: Quantity, lot: Decimal) -> Result<Vec<Allocation>, MoneyError> {
    let whole = total(wanted)?;
    let share = room.decimal() / whole.abs().decimal();
    let mut part: Vec<Allocation> = wanted
        .iter()
        .map(|one| Allocation {
            quantity: Quantity::new(one.quantity.decimal() * share).towards_zero_to_lot(lot),
            ..*one
        })
        .collect();
    let mut missing = cut_to(whole, room).minus(total(&part)?)?;
    for (one, most) in part.iter_mut().zip(wanted) {
        let left = most.quantity.minus(one.quantity)?;
        if missing.is_zero() || left.is_positive() != missing.is_positive() {
            continue;
        }
        let more = cut_to(missing, left.abs());
        one.quantity = one.quantity.plus(more)?;
        missing = missing.minus(more)?;
    }
    Ok(part)
}
