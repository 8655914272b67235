//! From targets and requests to orders that the gate has passed.

use sextant_domain::ports::{Broker, PortfolioContext};
use sextant_domain::{
    Allocation, InstrumentId, Intervention, InterventionAction, ModelId, OrderDraft, OrderId, OrderOrigin,
    OrderReview, OrderSize, Quantity, RefusedOrder, RiskGate, StepRecord, TargetWeights, UtcNanos,
};

use super::Engine;
use crate::error::EngineError;
use crate::ledger::{Ledger, Scope};
use crate::sizing::{self, SizingContext};

/// The code under which an order that comes to less than a lot is refused.
const LOT_SIZE: &str = "lot_size";

impl Engine<'_> {
    /// Builds, limits and sizes targets, and sends the orders that lead to them.
    pub(super) fn trade_to_targets(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let count = self.classes.len();
        let mut targets = TargetWeights::new(self.models.len(), count);
        let context = PortfolioContext {
            as_of: now,
            regime: self.estimate,
            model_targets: &self.model_targets,
            instruments: count,
        };
        self.portfolio.targets(&context, &mut targets);
        self.add_unmanaged(&mut targets);
        self.scratch.proposed.clear();
        self.scratch.proposed.extend_from_slice(targets.contributions());
        let state = self.state(now);
        let equity = state.equity;
        let approved = RiskGate.targets(&*self.risk, &state, targets, &mut record.interventions);
        for (instrument, _) in self.market.instruments().iter() {
            if approved.is_managed(instrument) {
                record
                    .targets
                    .push((instrument, approved.net()[instrument.index()]));
            }
        }
        self.update_pending(now, broker)?;
        let context = SizingContext {
            now,
            equity,
            no_trade_band: self.portfolio.no_trade_band(),
            ledger: &self.ledger,
            instruments: self.market.instruments(),
            pending: &self.scratch.pending,
            status: self.status,
            given: &self.scratch.given,
            before: &self.contributions,
            proposed: &self.scratch.proposed,
        };
        let drafts =
            sizing::drafts(&context, &approved).map_err(|source| EngineError::Money { time: now, source })?;
        self.contributions.copy_from_slice(approved.contributions());
        self.postpone_unpriced(record);
        self.scratch.given.fill(false);
        drafts
            .into_iter()
            .try_for_each(|draft| self.send(now, draft, broker, record))
    }

    /// A target without a price cannot be sized. It is refused for now and stays due until there is a price.
    fn postpone_unpriced(&mut self, record: &mut StepRecord) {
        let count = self.classes.len();
        for (place, contribution) in self.contributions.iter_mut().enumerate() {
            let instrument = InstrumentId::from_index(place % count);
            if *contribution == 0.0 || contribution.is_nan() || self.ledger.price(instrument) > 0.0 {
                continue;
            }
            if self.scratch.given[place] {
                record.interventions.push(Intervention {
                    rule: "missing_price",
                    action: InterventionAction::Refuse,
                    instrument: Some(instrument),
                    before: *contribution,
                    after: 0.0,
                    reason: "there is no execution bar yet; the target waits for the first one".to_owned(),
                });
            }
            *contribution = f64::NAN;
        }
    }

    /// Targets whose order was not sent in full stay due.
    fn keep_due(&mut self, draft: &OrderDraft) {
        if draft.origin == OrderOrigin::Target {
            for allocation in &draft.allocations {
                let place = allocation.model.index() * self.classes.len() + draft.instrument.index();
                self.contributions[place] = f64::NAN;
            }
        }
    }

    /// Positions that no target governs count against the limits at their present weight.
    fn add_unmanaged(&self, targets: &mut TargetWeights) {
        let equity = self.ledger.equity_point().equity;
        for index in self.ledger.open() {
            let instrument = InstrumentId::from_index(*index);
            for model in (0..self.models.len()).map(ModelId::from_index) {
                let units = self.ledger.model_units(model)[*index];
                if units != 0.0 && !targets.is_managed_by(model, instrument) {
                    targets.add_unmanaged(model, instrument, units * self.ledger.price(instrument) / equity);
                }
            }
        }
    }

    /// Signed quantities on the way, per model and instrument. Empty while nothing is.
    fn update_pending(&mut self, now: UtcNanos, broker: &dyn Broker) -> Result<(), EngineError> {
        let pending = &mut self.scratch.pending;
        pending.clear();
        if broker.working().is_empty() {
            return Ok(());
        }
        let count = self.classes.len();
        pending.resize(self.models.len() * count, Quantity::ZERO);
        for order in broker.working() {
            let instrument = order.draft.instrument;
            for Allocation { model, quantity } in &order.draft.allocations {
                let quantity = match order.draft.size {
                    OrderSize::ClosePosition => -self
                        .ledger
                        .book(Scope::Model(*model))
                        .instrument(instrument)
                        .quantity(),
                    _ => *quantity,
                };
                let place = &mut pending[model.index() * count + instrument.index()];
                *place = place
                    .plus(quantity)
                    .map_err(|source| EngineError::Money { time: now, source })?;
            }
        }
        Ok(())
    }

    pub(super) fn send_requests(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        for index in 0..self.scratch.requests.len() {
            let (model, request) = self.scratch.requests[index];
            let instrument = self.models[model.index()].binding.instrument(request.instrument);
            let lot = self.market.instruments().get(instrument).lot_size;
            let (size, quantity) = match request.size {
                OrderSize::Units(quantity) => {
                    let whole = quantity.towards_zero_to_lot(lot);
                    (OrderSize::Units(whole), whole)
                }
                other => (other, Quantity::ZERO),
            };
            let draft = OrderDraft {
                instrument,
                size,
                allocations: vec![Allocation { model, quantity }],
                budget: self.portfolio.budget(model, &self.estimate),
                reference_price: self.ledger.price(instrument),
                decided_at: now,
                origin: OrderOrigin::Request,
            };
            if size == OrderSize::Units(Quantity::ZERO) {
                record.refused.push(RefusedOrder {
                    draft,
                    rule: LOT_SIZE,
                });
                continue;
            }
            self.send(now, draft, broker, record)?;
        }
        Ok(())
    }

    /// Puts one draft before the gate and sends what comes out.
    fn send(
        &mut self,
        now: UtcNanos,
        draft: OrderDraft,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let state = self.state(now);
        let review = OrderReview {
            draft: &draft,
            weight: draft_weight(&self.ledger, &draft, state.equity),
        };
        let instrument = self.market.instruments().get(draft.instrument);
        let id = OrderId::from_index(self.next_order);
        let equity = state.equity;
        match RiskGate.order(&*self.risk, &state, review, instrument, id) {
            Ok((order, reasons)) => {
                record.interventions.extend(reasons);
                self.next_order += 1;
                if order.draft.size != draft.size {
                    self.keep_due(&order.draft);
                }
                let weight = draft_weight(&self.ledger, &order.draft, equity).unwrap_or(0.0);
                self.scratch.pending_weights[order.draft.instrument.index()] += weight;
                record.orders.push((*order).clone());
                broker.submit(order)?;
            }
            Err(refusal) => {
                let rule = refusal.reasons.last().map_or(LOT_SIZE, |reason| reason.rule);
                self.keep_due(&refusal.draft);
                record.interventions.extend(refusal.reasons);
                record.refused.push(RefusedOrder {
                    draft: refusal.draft,
                    rule,
                });
            }
        }
        Ok(())
    }
    /// Closes every position through the gate and the broker, as part of the step that `record` holds: the end of a run,
    /// where that option is on.
    ///
    /// # Errors
    /// [`EngineError`] as for [`step`](Self::step).
    pub fn liquidate(&mut self, broker: &mut dyn Broker, record: &mut StepRecord) -> Result<(), EngineError> {
        let now = record.time;
        self.update_weights(broker);
        for index in self.ledger.open().to_vec() {
            let instrument = InstrumentId::from_index(index);
            let holders = (0..self.models.len()).map(ModelId::from_index);
            let holders = holders.filter(|model| self.ledger.model_units(*model)[index] != 0.0);
            let draft = OrderDraft {
                instrument,
                size: OrderSize::ClosePosition,
                // One order for all models, so that opposite positions cross without costs.
                allocations: holders
                    .map(|model| Allocation {
                        model,
                        quantity: Quantity::ZERO,
                    })
                    .collect(),
                budget: 1.0,
                reference_price: self.ledger.price(instrument),
                decided_at: now,
                origin: OrderOrigin::EndOfRun,
            };
            self.send(now, draft, broker, record)?;
        }
        self.post_fills(now, broker, record)?;
        self.finish(record);
        Ok(())
    }
}

/// An order's signed weight at the last price; `None` without price or equity. With negative equity all weights change
/// sign together, so that what reduces a position still does.
pub(super) fn draft_weight(ledger: &Ledger, draft: &OrderDraft, equity: f64) -> Option<f64> {
    let price = ledger.price(draft.instrument);
    let known = price > 0.0 && equity != 0.0 && equity.is_finite();
    let units = |quantity: Quantity| quantity.to_f64() * price / equity;
    known.then(|| match draft.size {
        OrderSize::Units(quantity) => units(quantity),
        OrderSize::EquityFraction(fraction) => fraction * draft.budget,
        OrderSize::ClosePosition => draft
            .allocations
            .iter()
            .map(|one| {
                -units(
                    ledger
                        .book(Scope::Model(one.model))
                        .instrument(draft.instrument)
                        .quantity(),
                )
            })
            .sum(),
    })
}
