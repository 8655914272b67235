//! From targets to orders.

use sextant_domain::ports::{Broker, PortfolioContext};
use sextant_domain::{
    Allocation, InstrumentId, Intervention, InterventionAction, ModelId, OrderDraft, OrderOrigin, OrderSize,
    Quantity, RiskGate, StepRecord, TargetWeights, UtcNanos,
};

use super::Engine;
use super::orders::MISSING_RATE;
use crate::error::EngineError;
use crate::ledger::Scope;
use crate::sizing::{self, SizingContext};

impl Engine<'_> {
    /// Builds, limits and sizes targets, and sends the orders that lead to them. Few steps need it; apart from the step it
    /// does not slow the others down.
    #[inline(never)]
    pub(super) fn trade_to_targets(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let count = self.classes.len();
        let mut targets = match self.scratch.targets.take() {
            Some(mut spent) => {
                spent.clear();
                spent
            }
            None => TargetWeights::new(self.models.len(), count),
        };
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
        let mut drafts = std::mem::take(&mut self.scratch.drafts);
        sizing::drafts(&context, &approved, &mut drafts)
            .map_err(|source| EngineError::Money { time: now, source })?;
        self.contributions.copy_from_slice(approved.contributions());
        self.scratch.targets = Some(approved.into_weights());
        self.postpone_unpriced(record);
        self.scratch.given.fill(false);
        for (_, draft) in drafts.drain(..) {
            self.send(now, draft, broker, record)?;
        }
        self.scratch.drafts = drafts;
        Ok(())
    }

    /// A target without a price cannot be sized. It is refused for now and stays due until there is a price.
    fn postpone_unpriced(&mut self, record: &mut StepRecord) {
        let count = self.classes.len();
        for (place, contribution) in self.contributions.iter_mut().enumerate() {
            let instrument = InstrumentId::from_index(place % count);
            if *contribution == 0.0 || contribution.is_nan() || self.ledger.unit_value(instrument) > 0.0 {
                continue;
            }
            if self.scratch.given[place] {
                let (rule, reason) = if self.ledger.price(instrument).is_nan() {
                    (
                        "missing_price",
                        "there is no execution bar yet; the target waits for the first one",
                    )
                } else {
                    (
                        MISSING_RATE,
                        "its currency has no rate yet; the target waits for the first one",
                    )
                };
                record.interventions.push(Intervention {
                    rule,
                    action: InterventionAction::Refuse,
                    instrument: Some(instrument),
                    before: *contribution,
                    after: 0.0,
                    reason: reason.to_owned(),
                });
            }
            *contribution = f64::NAN;
        }
    }

    /// Targets whose order was not sent in full stay due.
    pub(super) fn keep_due(&mut self, draft: &OrderDraft) {
        if draft.origin == OrderOrigin::Target {
            for allocation in &draft.allocations {
                let place = allocation.model.index() * self.classes.len() + draft.instrument.index();
                self.contributions[place] = f64::NAN;
            }
        }
    }

    /// Positions that no target governs count against the limits at their present weight.
    fn add_unmanaged(&self, targets: &mut TargetWeights) {
        let equity = self.point.equity;
        for index in self.ledger.open() {
            let instrument = InstrumentId::from_index(*index);
            for model in (0..self.models.len()).map(ModelId::from_index) {
                let units = self.ledger.model_units(model)[*index];
                if units != 0.0 && !targets.is_managed_by(model, instrument) {
                    targets.add_unmanaged(
                        model,
                        instrument,
                        units * self.ledger.unit_value(instrument) / equity,
                    );
                }
            }
        }
    }

    /// Signed quantities on the way, per model and instrument. Empty while nothing is.
    pub(super) fn update_pending(&mut self, now: UtcNanos, broker: &dyn Broker) -> Result<(), EngineError> {
        let pending = &mut self.scratch.pending;
        pending.clear();
        if broker.working().is_empty() {
            return Ok(());
        }
        let count = self.classes.len();
        pending.resize(self.models.len() * count, Quantity::ZERO);
        for working in broker.working().iter().filter(|one| one.is_on_its_way()) {
            let draft = &working.order.draft;
            let instrument = draft.instrument;
            for Allocation { model, quantity } in &working.remaining {
                let quantity = match draft.size {
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
}
