//! From drafts to orders that the gate has passed.

use sextant_domain::ports::Broker;
use sextant_domain::{
    Allocation, InstrumentId, Intervention, InterventionAction, ModelId, NoticeKind, OrderDraft, OrderEffect,
    OrderId, OrderNotice, OrderOrigin, OrderRef, OrderSize, OrderTerms, OrderTrail, Quantity, RefusedOrder,
    RiskGate, StepRecord, UtcNanos, WorkingOrder,
};

use super::Engine;
use crate::error::EngineError;
use crate::ledger::{Ledger, Scope};

/// The code under which an order that comes to less than a lot is refused.
pub(super) const LOT_SIZE: &str = "lot_size";
/// The code under which an order is refused whose currency has no rate yet.
pub(super) const MISSING_RATE: &str = "missing_rate";

impl Engine<'_> {
    /// Puts one draft before the gate and sends what comes out.
    pub(super) fn send(
        &mut self,
        now: UtcNanos,
        draft: OrderDraft,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<Option<OrderId>, EngineError> {
        if !self.ledger.has_rate(draft.instrument) {
            self.refuse_without_rate(now, draft, record);
            return Ok(None);
        }
        let state = self.state(now);
        let instrument = self.market.instruments().get(draft.instrument);
        let id = OrderId::from_index(self.next_order);
        let (equity, size) = (state.equity, draft.size);
        let weight = draft_weight(&self.ledger, &draft, equity);
        match RiskGate.order(&*self.risk, &state, (draft, weight), (instrument, id)) {
            Ok((order, reasons)) => {
                let first = record.interventions.len();
                record.interventions.extend(reasons);
                record.trails.push(OrderTrail {
                    asked: size,
                    proposed: size,
                    interventions: first..record.interventions.len(),
                });
                self.next_order += 1;
                self.owners.push(owner_of(&order.draft));
                let mut weight = weight;
                if order.draft.size != size {
                    self.keep_due(&order.draft);
                    weight = draft_weight(&self.ledger, &order.draft, equity);
                }
                let instrument = order.draft.instrument.index();
                self.scratch.pending_weights[instrument] += weight.unwrap_or(0.0);
                self.scratch.touched.push(instrument);
                record.orders.push(order.shared());
                broker.submit(order)?;
                Ok(Some(id))
            }
            Err(refusal) => {
                let refusal = *refusal;
                let rule = refusal.reasons.last().map_or(LOT_SIZE, |reason| reason.rule);
                self.keep_due(&refusal.draft);
                record.interventions.extend(refusal.reasons);
                self.note_refusal(&refusal.draft, rule, now);
                record.refused.push(RefusedOrder {
                    draft: refusal.draft,
                    rule,
                });
                Ok(None)
            }
        }
    }

    /// An order in a currency whose rate is not known yet is refused: nobody can say what it is worth.
    fn refuse_without_rate(&mut self, now: UtcNanos, draft: OrderDraft, record: &mut StepRecord) {
        let currency = self.market.instruments().get(draft.instrument).contract.currency;
        record.interventions.push(Intervention {
            rule: MISSING_RATE,
            action: InterventionAction::Refuse,
            instrument: Some(draft.instrument),
            before: 0.0,
            after: 0.0,
            reason: format!(
                "there is no rate from {currency} to {} yet; the currency pair has had no bar",
                self.ledger.currency()
            ),
        });
        self.keep_due(&draft);
        self.note_refusal(&draft, MISSING_RATE, now);
        record.refused.push(RefusedOrder {
            draft,
            rule: MISSING_RATE,
        });
    }

    /// Tells the model whose order was not let through.
    pub(super) fn note_refusal(&mut self, draft: &OrderDraft, rule: &'static str, now: UtcNanos) {
        if let Some((model, order)) = owner_of(draft) {
            self.notices[model.index()].push(OrderNotice {
                order,
                time: now,
                kind: NoticeKind::Refused(rule),
            });
        }
    }

    /// Closes every position through the gate and the broker, as part of the step that `record` holds: the end of a run,
    /// where that option is on.
    ///
    /// # Errors
    /// [`EngineError`] as for [`step`](Self::step).
    pub fn liquidate(&mut self, broker: &mut dyn Broker, record: &mut StepRecord) -> Result<(), EngineError> {
        let now = record.time;
        self.cancel_resting(now, broker, record, |_| true)?;
        self.post_events(now, broker, record)?;
        self.update_weights(broker.working(), None);
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
                terms: OrderTerms::MARKET,
            };
            self.send(now, draft, broker, record)?;
        }
        self.post_events(now, broker, record)?;
        self.finish(record);
        Ok(())
    }
}

/// An order's signed weight at the last price; `None` without price, rate or equity. With negative equity all weights change
/// sign together, so that what reduces a position still does.
pub(super) fn draft_weight(ledger: &Ledger, draft: &OrderDraft, equity: f64) -> Option<f64> {
    let unit_value = ledger.unit_value(draft.instrument);
    let known = unit_value > 0.0 && equity != 0.0 && equity.is_finite();
    let units = |quantity: Quantity| quantity.to_f64() * unit_value / equity;
    let held = |model| {
        ledger
            .book(Scope::Model(model))
            .instrument(draft.instrument)
            .quantity()
    };
    known.then(|| match draft.size {
        // It trades at the most what the model holds by then; before its entry has filled that is nothing.
        _ if draft.terms.effect == OrderEffect::ReduceOnly => draft
            .allocations
            .iter()
            .map(|one| reduction(units(one.quantity), units(held(one.model)), draft.size))
            .sum(),
        OrderSize::EntryFill => 0.0,
        OrderSize::Units(quantity) => units(quantity),
        OrderSize::EquityFraction(fraction) => fraction * draft.budget,
        OrderSize::ClosePosition => draft.allocations.iter().map(|one| -units(held(one.model))).sum(),
    })
}

/// The signed weight of what is left of a working order; zero without price or equity.
pub(super) fn working_weight(ledger: &Ledger, working: &WorkingOrder, equity: f64) -> f64 {
    let draft = &working.order.draft;
    if !matches!(draft.size, OrderSize::Units(_)) || draft.terms.effect == OrderEffect::ReduceOnly {
        return draft_weight(ledger, draft, equity).unwrap_or(0.0);
    }
    let units: f64 = working.remaining.iter().map(|one| one.quantity.to_f64()).sum();
    let weight = units * ledger.unit_value(draft.instrument) / equity;
    if weight.is_finite() { weight } else { 0.0 }
}

/// What a reduce-only order of a weight takes from a held weight.
fn reduction(weight: f64, held: f64, size: OrderSize) -> f64 {
    match size {
        OrderSize::Units(_) if weight * held >= 0.0 => 0.0,
        OrderSize::Units(_) => weight.clamp(-held.abs(), held.abs()),
        _ => -held,
    }
}

/// The model that asked for the order, and its name for it.
fn owner_of(draft: &OrderDraft) -> Option<(ModelId, OrderRef)> {
    Some((draft.allocations.first()?.model, draft.terms.reference?))
}
