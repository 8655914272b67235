//! The decision step.

use sextant_domain::ports::{AccountSource, Broker};
use sextant_domain::{
    AccountView, BrokerEvent, InstrumentId, MarginState, MarketView, ModelId, NoticeKind, OrderEffect,
    OrderId, OrderNotice, PortfolioState, SeriesId, StepRecord, TrailingStatistics, UtcNanos, WorkingOrder,
};

use super::margin::MarginTable;
use super::orders::working_weight;
use super::{BoundModel, Engine, MarketEvent, Scratch};
use crate::error::EngineError;

impl Engine<'_> {
    /// One step: everything that follows from bars closing at one instant.
    ///
    /// # Errors
    /// [`EngineError`] when a model, the broker or the books fail; the run must stop then.
    pub fn step(
        &mut self,
        event: &MarketEvent<'_>,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        record.begin(event.time, event.trading);
        let (was_idle, first_new) = (broker.is_idle(), self.next_order);
        if !was_idle {
            self.post_events(event.time, broker, record)?;
        }
        self.mark_prices(event);
        if self.ledger.is_exposed() {
            self.value_books();
        }
        let regime_changed = self.update_regime(event, record);
        if !event.trading {
            self.finish(record);
            return Ok(());
        }
        let working = if was_idle { &[] } else { broker.working() };
        self.update_weights(working, None);
        if self.margin.is_some() {
            self.check_margin(event.time, broker, record)?;
        }
        let status_changed = self.observe(event.time, record);
        let closes_all = self.status.multiplier() == 0.0;
        if closes_all && !broker.working().is_empty() {
            self.cancel_resting(event.time, broker, record, |_| true)?;
        }
        let decided = self.decide(event, record)?;
        // What was on its way when everything had to be closed is closed when it arrives.
        let closing = closes_all && !self.ledger.open().is_empty();
        if decided || regime_changed || status_changed || closing {
            self.measure(event);
            self.trade_to_targets(event.time, broker, record)?;
        }
        if !self.scratch.commands.is_empty() {
            self.measure(event);
            self.carry_out(event.time, broker, record)?;
        }
        // A broker that was idle and got no order has nothing to tell.
        let may_have_news = !was_idle || self.next_order != first_new;
        if may_have_news && !broker.working().is_empty() {
            self.post_events(event.time, broker, record)?;
        }
        self.finish(record);
        Ok(())
    }

    /// Measures what the risk rules ask for, just before they are asked.
    fn measure(&mut self, event: &MarketEvent<'_>) {
        if let Some(trailing) = &mut self.trailing {
            let now = (event.available, event.time);
            trailing.measure(self.market, now, self.ledger.value_factors());
        }
    }

    /// Values the books at the last prices: once after prices have changed and once after fills, so that nobody need do it
    /// again in between.
    fn value_books(&mut self) {
        self.point = self.ledger.equity_point();
        if let [only] = self.model_pnl.as_mut_slice() {
            // All positions are its own.
            *only = self.ledger.model_pnl_with(ModelId::from_index(0), self.point.net);
            return;
        }
        for (index, pnl) in self.model_pnl.iter_mut().enumerate() {
            *pnl = self.ledger.model_pnl(ModelId::from_index(index));
        }
    }

    /// Posts what the broker has to tell.
    pub(super) fn post_events(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let posted =
            |record: &StepRecord| record.fills.len() + record.cash_events.len() + record.splits.len();
        let before = posted(record);
        while let Some(event) = broker.next_event(now, &self.ledger)? {
            match event {
                BrokerEvent::Fill(fill) => {
                    self.ledger.post(&fill)?;
                    let kind = NoticeKind::Filled {
                        quantity: fill.quantity.to_f64(),
                        price: fill.price.to_f64(),
                    };
                    self.notify(fill.order, fill.time, kind);
                    record
                        .fill_factors
                        .push(self.ledger.value_factor(fill.instrument));
                    record.fills.push(fill);
                }
                BrokerEvent::End(end) => {
                    self.notify(end.order, end.time, NoticeKind::Ended(end.reason));
                    record.ended.push(end);
                }
                BrokerEvent::Cash(cash) => {
                    self.ledger.post_cash(&cash)?;
                    record.cash_events.push(cash);
                }
                BrokerEvent::Split(split) => {
                    self.ledger.post_split(&split)?;
                    if let Some(trailing) = &mut self.trailing {
                        trailing.note_split(split.instrument, split.time, split.ratio.to_f64());
                    }
                    record.splits.push(split);
                }
            }
        }
        if posted(record) > before {
            self.value_books();
        }
        Ok(())
    }

    /// Keeps news of an order for its model's next decision.
    fn notify(&mut self, order: OrderId, time: UtcNanos, kind: NoticeKind) {
        // The first order has the number 1.
        let owner = order
            .index()
            .checked_sub(1)
            .and_then(|index| self.owners.get(index));
        if let Some((model, order)) = owner.copied().flatten() {
            self.notices[model.index()].push(OrderNotice { order, time, kind });
        }
    }

    fn mark_prices(&mut self, event: &MarketEvent<'_>) {
        let closes = event.closed.iter().filter_map(|series| {
            let (instrument, closes) = self.marks[series.index()]?;
            Some((instrument, closes[event.available[series.index()] - 1]))
        });
        self.ledger.set_prices(closes);
    }

    /// Updates the regime; true when a label changed.
    fn update_regime(&mut self, event: &MarketEvent<'_>, record: &mut StepRecord) -> bool {
        let first = event.trading && !std::mem::replace(&mut self.has_traded, event.trading);
        let mut changed = false;
        if let Some((detector, binding)) = &mut self.regime {
            self.scratch.inputs.clear();
            let view = MarketView::new(event.time, self.market, event.available, self.features, binding);
            let estimate = detector.update(&view, &mut self.scratch.inputs);
            changed = std::mem::replace(&mut self.estimate, estimate) != estimate;
        }
        if changed || first {
            record.regime = Some(self.estimate);
            record.regime_inputs.extend_from_slice(&self.scratch.inputs);
        }
        changed
    }

    /// Brings present and pending weights up to date, leaving out one working order where it is about to be replaced.
    #[inline]
    pub(super) fn update_weights(&mut self, working: &[WorkingOrder], without: Option<OrderId>) {
        let are_zero = self.scratch.touched.is_empty() && self.ledger.open().is_empty();
        if !are_zero || !working.is_empty() {
            self.weigh(working, without);
        }
    }

    /// Present and pending weights anew.
    ///
    /// Of orders that wait for a price nobody knows which will trade: the worse side of an instrument's counts, and those
    /// that only reduce positions do not count.
    fn weigh(&mut self, working: &[WorkingOrder], without: Option<OrderId>) {
        let equity = self.point.equity;
        let scratch = &mut self.scratch;
        for index in &scratch.touched {
            scratch.weights[*index] = 0.0;
            scratch.pending_weights[*index] = 0.0;
        }
        scratch.touched.clear();
        for index in self.ledger.open() {
            let unit_value = self.ledger.unit_value(InstrumentId::from_index(*index));
            scratch.weights[*index] = self.ledger.units()[*index] * unit_value / equity;
            scratch.touched.push(*index);
        }
        if working.is_empty() {
            return;
        }
        scratch.resting.clear();
        for working in working {
            let (draft, index) = (&working.order.draft, working.order.draft.instrument.index());
            if without == Some(working.order.id) {
                continue;
            }
            let weight = working_weight(&self.ledger, working, equity);
            scratch.touched.push(index);
            if working.is_on_its_way() {
                scratch.pending_weights[index] += weight;
            } else if draft.terms.effect == OrderEffect::Any {
                scratch.resting.push((index, weight));
            }
        }
        if !scratch.resting.is_empty() {
            add_worse_side(scratch);
        }
    }

    pub(super) fn state(&self, now: UtcNanos) -> PortfolioState<'_> {
        PortfolioState {
            as_of: now,
            equity: self.point.equity,
            weights: &self.scratch.weights,
            pending: &self.scratch.pending_weights,
            classes: &self.classes,
            margin: self
                .margin
                .as_ref()
                .map_or_else(MarginState::default, MarginTable::state),
            statistics: match &self.trailing {
                Some(trailing) => trailing.view(),
                None => TrailingStatistics::default(),
            },
        }
    }

    /// Lets risk look at the portfolio; true when its standing changed.
    fn observe(&mut self, now: UtcNanos, record: &mut StepRecord) -> bool {
        let state = PortfolioState {
            as_of: now,
            equity: self.point.equity,
            weights: &self.scratch.weights,
            pending: &self.scratch.pending_weights,
            classes: &self.classes,
            margin: self
                .margin
                .as_ref()
                .map_or_else(MarginState::default, MarginTable::state),
            statistics: TrailingStatistics::default(),
        };
        let status = self.risk.observe(&state, &mut record.interventions);
        std::mem::replace(&mut self.status, status) != status
    }

    /// Lets every model whose bars closed decide; true when any gave targets.
    fn decide(&mut self, event: &MarketEvent<'_>, record: &mut StepRecord) -> Result<bool, EngineError> {
        self.scratch.commands.clear();
        if !self.note_due(event.closed) {
            return Ok(false);
        }
        let mut targeted = false;
        for index in 0..self.models.len() {
            if std::mem::take(&mut self.scratch.due[index]) {
                targeted |= self.decide_one(index, event, record)?;
            }
        }
        Ok(targeted)
    }

    /// Marks the models that decide when a bar of one of these series closes; true when there are any.
    fn note_due(&mut self, closed: &[SeriesId]) -> bool {
        let mut due = 0;
        for series in closed {
            for model in &self.triggers[series.index()] {
                due += usize::from(!std::mem::replace(&mut self.scratch.due[*model], true));
            }
            if due == self.models.len() {
                break;
            }
        }
        due > 0
    }

    fn decide_one(
        &mut self,
        index: usize,
        event: &MarketEvent<'_>,
        record: &mut StepRecord,
    ) -> Result<bool, EngineError> {
        let id = ModelId::from_index(index);
        let account = AccountView {
            portfolio_equity: self.point.equity,
            model_pnl: self.model_pnl[index],
            positions: self.ledger.model_units(id),
            unit_values: self.ledger.unit_values(),
            notices: &self.notices[index],
        };
        let BoundModel { model, binding } = &mut self.models[index];
        let view = MarketView::new(event.time, self.market, event.available, self.features, binding);
        let intents = &mut self.scratch.intents;
        intents.begin(self.requests[index].len());
        model
            .decide(&view.with_account(account), intents)
            .map_err(|source| EngineError::Model {
                model: model.id().to_owned(),
                time: event.time,
                source,
            })?;
        self.notices[index].clear();
        let row = index * self.classes.len();
        for intent in intents.targets() {
            let instrument = binding.instrument(intent.instrument);
            if !intent.weight.is_finite() {
                let symbol = self.market.instruments().get(instrument).symbol.clone();
                let (model, time, weight) = (model.id().to_owned(), event.time, intent.weight);
                return Err(EngineError::Weight {
                    model,
                    time,
                    symbol,
                    weight,
                });
            }
            self.model_targets[row + instrument.index()] = intent.weight;
            self.scratch.given[row + instrument.index()] = true;
            record.intents.push((id, instrument, intent.weight));
        }
        self.scratch
            .commands
            .extend(intents.commands().iter().map(|command| (id, *command)));
        Ok(!intents.targets().is_empty())
    }

    pub(super) fn finish(&self, record: &mut StepRecord) {
        record.status = self.status;
        record.equity = self.point;
        match (record.model_pnl.as_mut_slice(), self.model_pnl.as_slice()) {
            // A copy of many is a call.
            ([to], [only]) => *to = *only,
            (to, all) => to.copy_from_slice(all),
        }
    }
}

/// Adds the resting orders of each instrument to what is pending: the buys or the sells, whichever leads further from
/// flat.
fn add_worse_side(scratch: &mut Scratch) {
    scratch.resting.sort_by_key(|(index, _)| *index);
    for group in scratch.resting.chunk_by(|left, right| left.0 == right.0) {
        let index = group[0].0;
        let present = scratch.weights[index] + scratch.pending_weights[index];
        let buys: f64 = group.iter().map(|(_, weight)| weight.max(0.0)).sum();
        let sells: f64 = group.iter().map(|(_, weight)| weight.min(0.0)).sum();
        let worse = if (present + buys).abs() >= (present + sells).abs() {
            buys
        } else {
            sells
        };
        if (present + worse).abs() > present.abs() {
            scratch.pending_weights[index] += worse;
        }
    }
}
