//! The decision step.

use sextant_domain::ports::Broker;
use sextant_domain::{AccountView, InstrumentId, MarketView, ModelId, PortfolioState, StepRecord, UtcNanos};

use super::orders::draft_weight;
use super::{BoundModel, Engine, MarketEvent};
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
        self.post_fills(event.time, broker, record)?;
        self.mark_prices(event);
        let regime_changed = self.update_regime(event, record);
        if event.trading {
            self.update_weights(broker);
            let status_changed = self.observe(event.time, record);
            let decided = self.decide(event, record)?;
            // What was on its way when everything had to be closed is closed when it arrives.
            let closing = self.status.multiplier() == 0.0 && !self.ledger.open().is_empty();
            if decided || regime_changed || status_changed || closing {
                self.trade_to_targets(event.time, broker, record)?;
            }
            self.send_requests(event.time, broker, record)?;
            if !broker.working().is_empty() {
                self.post_fills(event.time, broker, record)?;
            }
        }
        self.finish(record);
        Ok(())
    }

    pub(super) fn post_fills(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        while let Some(fill) = broker.next_fill(now, &self.ledger)? {
            self.ledger.post(&fill)?;
            record.fills.push(fill);
        }
        Ok(())
    }

    fn mark_prices(&mut self, event: &MarketEvent<'_>) {
        for series in event.closed {
            if let Some(instrument) = self.marks[series.index()] {
                let closes = self.market.get(*series).bars.closes();
                self.ledger
                    .set_price(instrument, closes[event.available[series.index()] - 1]);
            }
        }
    }

    /// Updates the regime; true when a label changed.
    fn update_regime(&mut self, event: &MarketEvent<'_>, record: &mut StepRecord) -> bool {
        self.scratch.inputs.clear();
        let before = self.estimate;
        if let Some((detector, binding)) = &mut self.regime {
            let view = MarketView::new(event.time, self.market, event.available, self.features, binding);
            self.estimate = detector.update(&view, &mut self.scratch.inputs);
        }
        let changed = self.estimate != before;
        let first = event.trading && !std::mem::replace(&mut self.has_traded, event.trading);
        if changed || first {
            record.regime = Some(self.estimate);
            record.regime_inputs.extend_from_slice(&self.scratch.inputs);
        }
        changed
    }

    /// Brings present and pending weights up to date.
    pub(super) fn update_weights(&mut self, broker: &dyn Broker) {
        let equity = self.ledger.equity_point().equity;
        let scratch = &mut self.scratch;
        scratch.weights.fill(0.0);
        for index in self.ledger.open() {
            let price = self.ledger.price(InstrumentId::from_index(*index));
            scratch.weights[*index] = self.ledger.units()[*index] * price / equity;
        }
        scratch.pending_weights.fill(0.0);
        for order in broker.working() {
            let weight = draft_weight(&self.ledger, &order.draft, equity).unwrap_or(0.0);
            scratch.pending_weights[order.draft.instrument.index()] += weight;
        }
    }

    pub(super) fn state(&self, now: UtcNanos) -> PortfolioState<'_> {
        PortfolioState {
            as_of: now,
            equity: self.ledger.equity_point().equity,
            weights: &self.scratch.weights,
            pending: &self.scratch.pending_weights,
            classes: &self.classes,
        }
    }

    /// Lets risk look at the portfolio; true when its standing changed.
    fn observe(&mut self, now: UtcNanos, record: &mut StepRecord) -> bool {
        let state = PortfolioState {
            as_of: now,
            equity: self.ledger.equity_point().equity,
            weights: &self.scratch.weights,
            pending: &self.scratch.pending_weights,
            classes: &self.classes,
        };
        let status = self.risk.observe(&state, &mut record.interventions);
        std::mem::replace(&mut self.status, status) != status
    }

    /// Lets every model whose bars closed decide; true when any gave targets.
    fn decide(&mut self, event: &MarketEvent<'_>, record: &mut StepRecord) -> Result<bool, EngineError> {
        self.scratch.requests.clear();
        let mut any_due = false;
        for series in event.closed {
            for model in &self.triggers[series.index()] {
                self.scratch.due[*model] = true;
                any_due = true;
            }
        }
        if !any_due {
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

    fn decide_one(
        &mut self,
        index: usize,
        event: &MarketEvent<'_>,
        record: &mut StepRecord,
    ) -> Result<bool, EngineError> {
        let id = ModelId::from_index(index);
        let account = AccountView {
            portfolio_equity: self.ledger.equity_point().equity,
            model_pnl: self.ledger.model_pnl(id),
            positions: self.ledger.model_units(id),
        };
        let BoundModel { model, binding } = &mut self.models[index];
        let view = MarketView::new(event.time, self.market, event.available, self.features, binding);
        let intents = &mut self.scratch.intents;
        intents.clear();
        model
            .decide(&view.with_account(account), intents)
            .map_err(|source| EngineError::Model {
                model: model.id().to_owned(),
                time: event.time,
                source,
            })?;
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
            .requests
            .extend(intents.orders().iter().map(|order| (id, *order)));
        Ok(!intents.targets().is_empty())
    }
    pub(super) fn finish(&self, record: &mut StepRecord) {
        record.status = self.status;
        record.equity = self.ledger.equity_point();
        for (index, pnl) in record.model_pnl.iter_mut().enumerate() {
            *pnl = self.ledger.model_pnl(ModelId::from_index(index));
        }
    }
}
