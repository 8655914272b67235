//! From approved target weights to order drafts, in whole lots, divided by model.

use sextant_domain::ports::PortfolioConstructor;
use sextant_domain::{
    Allocation, InstrumentId, InstrumentTable, ModelId, MoneyError, OrderDraft, OrderOrigin, OrderSize,
    OrderTerms, Quantity, RegimeEstimate, RiskStatus, Sizing, TargetWeights, UtcNanos,
};

use crate::ledger::{Ledger, Scope};

/// A draft after what it adds to exposure, in cash.
pub(crate) type RankedDraft = (f64, OrderDraft);

/// What sizing looks at beside the targets.
pub(crate) struct SizingContext<'a> {
    pub(crate) now: UtcNanos,
    pub(crate) equity: f64,
    pub(crate) no_trade_band: f64,
    pub(crate) ledger: &'a Ledger,
    pub(crate) instruments: &'a InstrumentTable,
    /// Signed quantities on the way, per model and instrument (model by model).
    pub(crate) pending: &'a [Quantity],
    pub(crate) status: RiskStatus,
    /// What tells the models' budgets, for the record.
    pub(crate) portfolio: &'a dyn PortfolioConstructor,
    pub(crate) regime: &'a RegimeEstimate,
    /// The targets that stand, model by model; NaN where there is none.
    pub(crate) wishes: &'a [f64],
    /// Which targets were given in this step, model by model.
    pub(crate) given: &'a [bool],
    /// The contributions before risk limited them, model by model.
    pub(crate) proposed: &'a [f64],
    /// The contributions of the last time, model by model; NaN where there was none.
    pub(crate) before: &'a [f64],
}

/// Puts into `drafts` the orders that move positions to their targets, sorted by what they add to exposure: the largest reduction first, so
/// that an increase finds the room that reductions make; equal ones in the order of the instruments.
///
/// A model's position is brought to `contribution x equity / (last close x multiplier x rate)`, rounded towards zero to whole lots, when the
/// model has just given the target or when its contribution changed (by budget, regime or risk); otherwise it drifts. A
/// model that keeps the side of its position is left alone while a change that it asked for itself is smaller than the
/// no-trade band; cuts by risk, budget or regime are never spared. How each part came about goes into `sizings`.
pub(crate) fn drafts(
    context: &SizingContext<'_>,
    targets: &TargetWeights,
    drafts: &mut Vec<RankedDraft>,
    sizings: &mut Vec<Sizing>,
) -> Result<(), MoneyError> {
    drafts.clear();
    for (instrument, _) in context.instruments.iter() {
        if !targets.is_managed(instrument) && !context.closes_all() {
            continue;
        }
        if let Some(draft) = draft(context, targets, instrument, sizings)? {
            drafts.push((added_exposure(context, &draft)?, draft));
        }
    }
    // Sorts the keys alone: a draft is large to move.
    drafts.sort_by_cached_key(|(added, _)| total_order(*added));
    Ok(())
}

/// An integer in the order of `f64::total_cmp`.
fn total_order(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    // The magnitude of negative numbers grows the other way.
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// By how much an order changes the magnitude of its instrument's position, orders on the way counted, in cash.
fn added_exposure(context: &SizingContext<'_>, draft: &OrderDraft) -> Result<f64, MoneyError> {
    let (instrument, count) = (draft.instrument.index(), context.instruments.len());
    let mut on_the_way = context.pending.iter().skip(instrument).step_by(count);
    let on_the_way = on_the_way.try_fold(Quantity::ZERO, |sum, one| sum.plus(*one))?;
    let present = context.ledger.units()[instrument] + on_the_way.to_f64();
    let traded = draft
        .allocations
        .iter()
        .try_fold(Quantity::ZERO, |sum, one| sum.plus(one.quantity))?;
    let unit_value = context.ledger.unit_value(draft.instrument);
    Ok(((present + traded.to_f64()).abs() - present.abs()) * unit_value)
}

fn draft(
    context: &SizingContext<'_>,
    targets: &TargetWeights,
    instrument: InstrumentId,
    sizings: &mut Vec<Sizing>,
) -> Result<Option<OrderDraft>, MoneyError> {
    let price = context.ledger.price(instrument);
    let mut allocations = Vec::new();
    let mut net = Quantity::ZERO;
    for model in (0..targets.models()).map(ModelId::from_index) {
        let Some(units) = model_units(context, targets, model, instrument)? else {
            continue;
        };
        let quantity = units.change()?;
        if !quantity.is_zero() {
            net = net.plus(quantity)?;
            allocations.push(Allocation { model, quantity });
            sizings.push(context.sizing(targets, (model, instrument), &units, quantity));
        }
    }
    Ok((!allocations.is_empty()).then_some(OrderDraft {
        instrument,
        size: OrderSize::Units(net),
        allocations,
        budget: 1.0,
        reference_price: price,
        decided_at: context.now,
        origin: OrderOrigin::Target,
        terms: OrderTerms::MARKET,
    }))
}

impl SizingContext<'_> {
    /// Positions of explicit orders are the model's own business, until risk closes everything.
    fn closes_all(&self) -> bool {
        self.status.multiplier() == 0.0
    }

    /// The record of one part.
    fn sizing(
        &self,
        targets: &TargetWeights,
        (model, instrument): (ModelId, InstrumentId),
        units: &Units,
        change: Quantity,
    ) -> Sizing {
        let place = model.index() * self.instruments.len() + instrument.index();
        Sizing {
            model,
            instrument,
            wish: Some(self.wishes[place]).filter(|wish| !wish.is_nan()),
            budget: self.portfolio.budget(model, self.regime),
            proposed: self.proposed[place],
            approved: targets.contribution(model, instrument),
            equity: self.equity,
            price: self.ledger.price(instrument),
            unit_value: self.ledger.unit_value(instrument),
            target: units.target,
            held: units.held,
            on_the_way: units.on_the_way,
            change,
        }
    }
}

/// What a model is to have of an instrument, has, and is about to have.
struct Units {
    target: Quantity,
    held: Quantity,
    on_the_way: Quantity,
}

impl Units {
    fn present(&self) -> Result<Quantity, MoneyError> {
        self.held.plus(self.on_the_way)
    }

    fn change(&self) -> Result<Quantity, MoneyError> {
        self.target.minus(self.present()?)
    }
}

/// Whether a model's position is to be brought to its target now.
fn is_due(
    context: &SizingContext<'_>,
    targets: &TargetWeights,
    model: ModelId,
    instrument: InstrumentId,
) -> bool {
    let place = model.index() * context.instruments.len() + instrument.index();
    let changed = context.before[place] != targets.contribution(model, instrument);
    targets.is_managed_by(model, instrument) && (changed || context.given[place])
}

/// Whether the no-trade band may spare a change: only what the model itself asked for, never a cut by risk, budget or
/// regime.
fn is_free(context: &SizingContext<'_>, model: ModelId, instrument: InstrumentId, weight: f64) -> bool {
    let place = model.index() * context.instruments.len() + instrument.index();
    context.given[place] && context.proposed[place] == weight
}

/// What one model is to have of one instrument; `None` where it is left alone.
fn model_units(
    context: &SizingContext<'_>,
    targets: &TargetWeights,
    model: ModelId,
    instrument: InstrumentId,
) -> Result<Option<Units>, MoneyError> {
    if !context.closes_all() && !is_due(context, targets, model, instrument) {
        return Ok(None);
    }
    let weight = targets.contribution(model, instrument);
    let held = context
        .ledger
        .book(Scope::Model(model))
        .instrument(instrument)
        .quantity();
    let on_the_way = context
        .pending
        .get(model.index() * context.instruments.len() + instrument.index());
    let mut units = Units {
        target: Quantity::ZERO,
        held,
        on_the_way: on_the_way.copied().unwrap_or(Quantity::ZERO),
    };
    // Without a price, rate or equity nothing can be sized; positions can still be closed.
    let unit_value = context.ledger.unit_value(instrument);
    let sizeable = unit_value > 0.0 && context.equity > 0.0;
    if weight == 0.0 || !sizeable {
        return Ok((weight == 0.0).then_some(units));
    }
    let present_weight = units.present()?.to_f64() * unit_value / context.equity;
    let keeps_side = present_weight * weight > 0.0;
    let small = (weight - present_weight).abs() < context.no_trade_band;
    if keeps_side && small && is_free(context, model, instrument, weight) {
        return Ok(None);
    }
    let lot = context.instruments.get(instrument).lot_size;
    units.target = Quantity::from_f64_towards_zero(weight * context.equity / unit_value, lot)?;
    Ok(Some(units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_total_cmp() {
        let values = [
            f64::NEG_INFINITY,
            -2.5,
            -1e-300,
            -0.0,
            0.0,
            1e-300,
            2.5,
            f64::INFINITY,
            f64::NAN,
        ];
        for left in values {
            for right in values {
                let order = total_order(left).cmp(&total_order(right));
                assert_eq!(order, left.total_cmp(&right), "{left} {right}");
            }
        }
    }
}
