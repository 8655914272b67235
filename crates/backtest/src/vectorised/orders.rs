//! From drafts to orders that the gate has passed, and from orders to fills.

use sextant_domain::ports::BrokerError;
use sextant_domain::{
    Allocation, Cash, EndReason, Fill, InstrumentId, ModelId, MoneyError, OrderDraft, OrderEnd, OrderId,
    OrderOrigin, OrderSize, OrderTerms, Price, Quantity, RefusedOrder, RiskGate, UtcNanos,
};
use sextant_engine::EngineError;

use super::course::Course;
use super::queue::Waiting;
use crate::costs::{Liquidity, Trade};
use crate::driver::EndOfRun;

/// The code under which an order that comes to less than a lot is refused.
const LOT_SIZE: &str = "lot_size";

/// A trade about to happen.
struct Deal {
    instrument: InstrumentId,
    time: UtcNanos,
    /// The place of the bar.
    bar: usize,
    /// The market's price.
    price: f64,
    traded_in_bar: Quantity,
    allocations: Vec<Allocation>,
}

impl Course<'_> {
    /// Puts one draft before the gate and sends what comes out. Returns its place among the orders.
    pub(super) fn send(&mut self, row: usize, draft: OrderDraft) -> Result<Option<usize>, EngineError> {
        let (weight, size) = (self.weight_of(&draft, row), draft.size);
        let id = OrderId::from_index(self.logs.orders.items().len() + 1);
        let instrument = self.instruments.get(draft.instrument);
        let passed = RiskGate.order(&*self.risk, &self.state(row), (draft, weight), (instrument, id));
        let (order, reasons) = match passed {
            Ok(passed) => passed,
            Err(refusal) => {
                let refusal = *refusal;
                let rule = refusal.reasons.last().map_or(LOT_SIZE, |reason| reason.rule);
                self.keep_due(&refusal.draft);
                self.logs.interventions.extend(row, refusal.reasons);
                let draft = refusal.draft;
                self.logs.refused.push(row, RefusedOrder { draft, rule });
                return Ok(None);
            }
        };
        self.logs.interventions.extend(row, reasons);
        let mut added = weight;
        if order.draft.size != size {
            self.keep_due(&order.draft);
            added = self.weight_of(&order.draft, row);
        }
        let (index, place) = (order.draft.instrument.index(), self.logs.orders.items().len());
        self.pending_weights[index] += added.unwrap_or(0.0);
        self.touched.push(index);
        if order.draft.origin == OrderOrigin::Target {
            let terms = (self.config.venue.fills, self.config.venue.latency_bars);
            self.queue
                .add((place, order.draft.instrument), row, terms, self.axis);
        }
        self.logs.orders.push(row, order);
        Ok(Some(place))
    }

    /// An order's signed weight at the last price; `None` without price or equity.
    fn weight_of(&self, draft: &OrderDraft, row: usize) -> Option<f64> {
        let (price, equity) = (self.axis.price(draft.instrument, row), self.equity);
        let known = price > 0.0 && equity != 0.0 && equity.is_finite();
        let weight = |quantity: Quantity| quantity.to_f64() * price / equity;
        known.then(|| match draft.size {
            OrderSize::Units(quantity) => weight(quantity),
            _ => draft
                .allocations
                .iter()
                .map(|one| -weight(self.book.held(one.model, draft.instrument)))
                .sum(),
        })
    }

    /// Books what a row knows of earlier orders.
    pub(super) fn fill_due(&mut self, row: usize) -> Result<(), EngineError> {
        for waiting in self.queue.take_due(row) {
            self.settle(row, waiting)?;
        }
        Ok(())
    }

    /// Books the fills at the close on which their orders were decided.
    pub(super) fn fill_at_once(&mut self, row: usize) -> Result<(), EngineError> {
        if self.queue.next_row() == Some(row) {
            for waiting in self.queue.take_at_once(row) {
                self.settle(row, waiting)?;
            }
            self.value(row);
        }
        Ok(())
    }

    fn settle(&mut self, row: usize, waiting: Waiting) -> Result<(), EngineError> {
        let order = &self.logs.orders.items()[waiting.order];
        let Some(bar) = waiting.bar else {
            let end = OrderEnd {
                order: order.id,
                time: self.axis.times()[row],
                reason: EndReason::NoMarket,
            };
            self.logs.ended.push(row, end);
            return Ok(());
        };
        let bars = self.axis.bars(waiting.instrument).view();
        // A trade at the very close of the decision has nothing before it in its bar.
        let is_at_once =
            self.config.venue.fills.takes_the_bar_seen() && order.draft.decided_at == waiting.time;
        let traded_in_bar = if is_at_once {
            Quantity::ZERO
        } else {
            self.queue.traded_in(waiting.instrument, bar)
        };
        let deal = Deal {
            instrument: waiting.instrument,
            time: waiting.time,
            bar,
            price: self.config.venue.fills.price(bars, bar),
            traded_in_bar,
            allocations: order.draft.allocations.clone(),
        };
        let (id, instrument) = (order.id, waiting.instrument);
        let quantity = self.deal(row, id, deal)?;
        if !is_at_once {
            let in_all = traded_in_bar.plus(quantity.abs());
            let in_all = in_all.map_err(|source| self.money(instrument, waiting.time, source))?;
            self.queue.note_traded(instrument, bar, in_all);
        }
        Ok(())
    }

    /// Trades, and books the fill. Returns the quantity.
    fn deal(&mut self, row: usize, order: OrderId, deal: Deal) -> Result<Quantity, EngineError> {
        let (instrument, time) = (deal.instrument, deal.time);
        let fill = self.fill(order, deal);
        let fill = fill.map_err(|source| self.money(instrument, time, source))?;
        let booked = self.book.post(&fill);
        booked.map_err(|source| self.money(instrument, time, source))?;
        let quantity = fill.quantity;
        self.logs.fills.push(row, fill);
        Ok(quantity)
    }

    fn fill(&mut self, order: OrderId, deal: Deal) -> Result<Fill, MoneyError> {
        let instrument = self.instruments.get(deal.instrument);
        self.traded_value.begin_day(instrument.class, deal.time);
        let market = Price::from_f64_on_tick(deal.price, instrument.price_tick)?;
        let mut parts = deal.allocations.iter();
        let quantity = parts.try_fold(Quantity::ZERO, |sum, one| sum.plus(one.quantity))?;
        let trade = Trade {
            instrument,
            quantity,
            price: market,
            liquidity: Liquidity::Taker,
            bars: self.axis.bars(deal.instrument).first(deal.bar + 1),
            traded_in_bar: deal.traded_in_bar,
            traded_value_30d: self.traded_value.before_today(instrument.class),
        };
        let (price, impact, fee) = self.costs(&trade)?;
        let value = price.to_f64() * quantity.abs().to_f64();
        self.traded_value.add(instrument.class, value);
        Ok(Fill {
            order,
            instrument: deal.instrument,
            time: deal.time,
            quantity,
            price,
            reference_price: market,
            fee,
            slippage: price.minus(market)?.times(quantity)?,
            impact: impact.times(quantity.abs())?,
            allocations: deal.allocations,
        })
    }

    /// The price with slippage, the run's own part of it per unit, and the fee. What models only move between each other
    /// costs nothing.
    fn costs(&self, trade: &Trade<'_>) -> Result<(Price, Price, Cash), MoneyError> {
        if trade.quantity.is_zero() {
            return Ok((trade.price, Price::ZERO, Cash::ZERO));
        }
        let slippage = &self.config.venue.slippage;
        let (price, impact) = (slippage.price(trade)?, slippage.impact(trade)?);
        let fee = self.config.venue.fees.fee(&Trade { price, ..*trade })?;
        Ok((price, impact.min(price.minus(trade.price)?.abs()), fee))
    }

    /// Closes every position at the last bar, where that option is on.
    pub(super) fn liquidate(&mut self, row: usize) -> Result<(), EngineError> {
        self.weigh(row);
        let mut closing = Vec::new();
        for index in self.book.open().to_vec() {
            let instrument = InstrumentId::from_index(index);
            closing.extend(self.send(row, self.closing_draft(instrument, row))?);
        }
        for place in closing {
            let order = &self.logs.orders.items()[place];
            let (id, instrument) = (order.id, order.draft.instrument);
            let mut allocations = order.draft.allocations.clone();
            for one in &mut allocations {
                one.quantity = -self.book.held(one.model, instrument);
            }
            let bar = self.axis.closed(instrument, row) - 1;
            let values = self.axis.bars(instrument).bar(bar);
            let price = match self.config.at_end {
                EndOfRun::CloseAtLastOpen => values.open,
                _ => values.close,
            };
            let deal = Deal {
                instrument,
                time: self.axis.times()[row],
                bar,
                price,
                traded_in_bar: Quantity::ZERO,
                allocations,
            };
            self.deal(row, id, deal)?;
        }
        self.value(row);
        Ok(())
    }

    /// One order for all models, so that opposite positions cross without costs.
    fn closing_draft(&self, instrument: InstrumentId, row: usize) -> OrderDraft {
        let models = (0..self.book.models()).map(ModelId::from_index);
        let holders = models.filter(|model| !self.book.held(*model, instrument).is_zero());
        OrderDraft {
            instrument,
            size: OrderSize::ClosePosition,
            allocations: holders
                .map(|model| Allocation {
                    model,
                    quantity: Quantity::ZERO,
                })
                .collect(),
            budget: 1.0,
            reference_price: self.axis.price(instrument, row),
            decided_at: self.axis.times()[row],
            origin: OrderOrigin::EndOfRun,
            terms: OrderTerms::MARKET,
        }
    }

    fn money(&self, instrument: InstrumentId, time: UtcNanos, source: MoneyError) -> EngineError {
        EngineError::Broker(BrokerError::Money {
            instrument: self.instruments.get(instrument).symbol.clone(),
            time,
            source,
        })
    }
}
