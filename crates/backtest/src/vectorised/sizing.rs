//! From approved targets to order drafts.

use sextant_domain::ports::PortfolioContext;
use sextant_domain::{
    Allocation, InstrumentId, Intervention, InterventionAction, ModelId, MoneyError, OrderDraft, OrderOrigin,
    OrderSize, OrderTerms, Quantity, RiskGate, TargetWeights,
};
use sextant_engine::EngineError;

use super::course::Course;

/// A draft after what it adds to exposure, in cash.
pub(super) type RankedDraft = (f64, OrderDraft);

impl Course<'_> {
    /// Builds, limits and sizes targets, and sends the orders that lead to them.
    pub(super) fn trade_to_targets(&mut self, row: usize) -> Result<(), EngineError> {
        let targets = self.approved_targets(row);
        let time = self.axis.times()[row];
        let money = |source| EngineError::Money { time, source };
        let pending = self.pending().map_err(money)?;
        self.scratch.pending = pending;
        let mut drafts = std::mem::take(&mut self.scratch.drafts);
        self.drafts(&targets, row, &mut drafts).map_err(money)?;
        self.contributions.copy_from_slice(targets.contributions());
        self.scratch.targets = Some(targets);
        self.postpone_unpriced(row);
        self.given.fill(false);
        for (_, draft) in drafts.drain(..) {
            self.send(row, draft)?;
        }
        self.scratch.drafts = drafts;
        Ok(())
    }

    /// Targets after budgets, regime and risk.
    fn approved_targets(&mut self, row: usize) -> TargetWeights {
        let (models, count) = (self.book.models(), self.instruments.len());
        let mut targets = match self.scratch.targets.take() {
            Some(mut spent) => {
                spent.clear();
                spent
            }
            None => TargetWeights::new(models, count),
        };
        let context = PortfolioContext {
            as_of: self.axis.times()[row],
            regime: self.estimate,
            model_targets: &self.model_targets,
            instruments: count,
        };
        self.portfolio.targets(&context, &mut targets);
        self.add_unmanaged(row, &mut targets);
        self.scratch.proposed.clear();
        self.scratch.proposed.extend_from_slice(targets.contributions());
        let mut reasons = Vec::new();
        let approved = RiskGate.targets(&*self.risk, &self.state(row), targets, &mut reasons);
        self.logs.interventions.extend(row, reasons);
        for (instrument, _) in self.instruments.iter() {
            if approved.is_managed(instrument) {
                let net = approved.net()[instrument.index()];
                self.logs.targets.push(row, (instrument, net));
            }
        }
        approved.into_weights()
    }

    /// Positions that no target governs count against the limits at their present weight.
    fn add_unmanaged(&self, row: usize, targets: &mut TargetWeights) {
        for index in self.book.open() {
            let instrument = InstrumentId::from_index(*index);
            for model in (0..self.book.models()).map(ModelId::from_index) {
                let units = self.book.held(model, instrument);
                if !units.is_zero() && !targets.is_managed_by(model, instrument) {
                    let value = units.to_f64() * self.axis.price(instrument, row);
                    targets.add_unmanaged(model, instrument, value / self.equity);
                }
            }
        }
    }

    /// Signed quantities on the way, model by model; empty while nothing is.
    fn pending(&mut self) -> Result<Vec<Quantity>, MoneyError> {
        let mut pending = std::mem::take(&mut self.scratch.pending);
        pending.clear();
        if self.queue.waiting().is_empty() {
            return Ok(pending);
        }
        let count = self.instruments.len();
        pending.resize(self.book.models() * count, Quantity::ZERO);
        for waiting in self.queue.waiting() {
            for Allocation { model, quantity } in &self.logs.orders.items()[waiting.order].draft.allocations {
                let place = &mut pending[model.index() * count + waiting.instrument.index()];
                *place = place.plus(*quantity)?;
            }
        }
        Ok(pending)
    }

    /// The orders that move positions to their targets: the largest reduction of exposure first.
    fn drafts(
        &self,
        targets: &TargetWeights,
        row: usize,
        drafts: &mut Vec<RankedDraft>,
    ) -> Result<(), MoneyError> {
        for (instrument, _) in self.instruments.iter() {
            if !targets.is_managed(instrument) && !self.closes_all() {
                continue;
            }
            let price = self.axis.price(instrument, row);
            let (allocations, net) = self.changes(targets, instrument, price)?;
            if allocations.is_empty() {
                continue;
            }
            let draft = OrderDraft {
                instrument,
                size: OrderSize::Units(net),
                allocations,
                budget: 1.0,
                reference_price: price,
                decided_at: self.axis.times()[row],
                origin: OrderOrigin::Target,
                terms: OrderTerms::MARKET,
            };
            drafts.push((self.added_exposure(instrument, net, price)?, draft));
        }
        drafts.sort_by(|left, right| left.0.total_cmp(&right.0));
        Ok(())
    }

    /// What each model has to trade of an instrument, and the sum.
    fn changes(
        &self,
        targets: &TargetWeights,
        instrument: InstrumentId,
        price: f64,
    ) -> Result<(Vec<Allocation>, Quantity), MoneyError> {
        let (mut changes, mut net) = (Vec::new(), Quantity::ZERO);
        for model in (0..self.book.models()).map(ModelId::from_index) {
            let quantity = self.change(targets, (model, instrument), price)?;
            if !quantity.is_zero() {
                net = net.plus(quantity)?;
                changes.push(Allocation { model, quantity });
            }
        }
        Ok((changes, net))
    }

    /// What one model has to trade: `contribution x equity / price` in whole lots less what it holds and what is on its way,
    /// when it has just given the target or when what the target is worth has changed.
    fn change(
        &self,
        targets: &TargetWeights,
        (model, instrument): (ModelId, InstrumentId),
        price: f64,
    ) -> Result<Quantity, MoneyError> {
        let place = model.index() * self.instruments.len() + instrument.index();
        let weight = targets.contribution(model, instrument);
        let is_given = self.given[place];
        let is_due =
            targets.is_managed_by(model, instrument) && (is_given || self.contributions[place] != weight);
        if !self.closes_all() && !is_due {
            return Ok(Quantity::ZERO);
        }
        let on_the_way = self.scratch.pending.get(place).copied();
        let held = self.book.held(model, instrument);
        let present = held.plus(on_the_way.unwrap_or(Quantity::ZERO))?;
        if weight == 0.0 {
            return Ok(-present);
        }
        // Without a price or equity nothing can be sized; positions can still be closed.
        if !(price > 0.0 && self.equity > 0.0) {
            return Ok(Quantity::ZERO);
        }
        let present_weight = present.to_f64() * price / self.equity;
        let keeps_side = present_weight * weight > 0.0;
        let is_small = (weight - present_weight).abs() < self.portfolio.no_trade_band();
        // The band spares only what the model itself asked for, never a cut by risk, budget or regime.
        let is_free = is_given && self.scratch.proposed[place] == weight;
        if keeps_side && is_small && is_free {
            return Ok(Quantity::ZERO);
        }
        let lot = self.instruments.get(instrument).lot_size;
        Quantity::from_f64_towards_zero(weight * self.equity / price, lot)?.minus(present)
    }

    /// By how much an order changes the magnitude of the position, orders on the way counted, in cash.
    fn added_exposure(&self, instrument: InstrumentId, net: Quantity, price: f64) -> Result<f64, MoneyError> {
        let (index, count) = (instrument.index(), self.instruments.len());
        let on_the_way = self.scratch.pending.iter().skip(index).step_by(count);
        let on_the_way = on_the_way.copied().try_fold(Quantity::ZERO, Quantity::plus)?;
        let present = self.book.units()[index] + on_the_way.to_f64();
        Ok(((present + net.to_f64()).abs() - present.abs()) * price)
    }

    /// A target without a price cannot be sized. It is refused for now and stays due until there is a price.
    fn postpone_unpriced(&mut self, row: usize) {
        let count = self.instruments.len();
        for (place, contribution) in self.contributions.iter_mut().enumerate() {
            let instrument = InstrumentId::from_index(place % count);
            if *contribution == 0.0 || contribution.is_nan() || self.axis.price(instrument, row) > 0.0 {
                continue;
            }
            if self.given[place] {
                let refused = Intervention {
                    rule: "missing_price",
                    action: InterventionAction::Refuse,
                    instrument: Some(instrument),
                    before: *contribution,
                    after: 0.0,
                    reason: "there is no execution bar yet; the target waits for the first one".to_owned(),
                };
                self.logs.interventions.push(row, refused);
            }
            *contribution = f64::NAN;
        }
    }

    /// Targets whose order was not sent in full stay due.
    pub(super) fn keep_due(&mut self, draft: &OrderDraft) {
        if draft.origin == OrderOrigin::Target {
            for allocation in &draft.allocations {
                let place = allocation.model.index() * self.instruments.len() + draft.instrument.index();
                self.contributions[place] = f64::NAN;
            }
        }
    }
}
