//! From approved target weights to order drafts, in whole lots, divided by model.

use sextant_domain::{
    Allocation, InstrumentId, InstrumentTable, ModelId, MoneyError, OrderDraft, OrderOrigin, OrderSize, Quantity,
    RiskStatus, TargetWeights, UtcNanos,
};

use crate::ledger::{Ledger, Scope};

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
}

/// The orders that move positions to their targets: those that reduce a position first, then the others, each group in
/// the order of the instruments.
///
/// Each model's position is brought to `contribution x equity / last close`, rounded towards zero to whole lots. A model
/// that keeps the side of its position is left alone while the change is smaller than the no-trade band.
pub(crate) fn drafts(context: &SizingContext<'_>, targets: &TargetWeights) -> Result<Vec<OrderDraft>, MoneyError> {
    let (mut reducing, mut others) = (Vec::new(), Vec::new());
    let close_all = context.status.multiplier() == 0.0;
    for (instrument, _) in context.instruments.iter() {
        // Positions of explicit orders are the model's own business, until risk closes everything.
        if !targets.is_managed(instrument) && !close_all {
            continue;
        }
        if let Some(draft) = draft(context, targets, instrument)? {
            let position = context.ledger.units()[instrument.index()];
            let OrderSize::Units(quantity) = draft.size else { unreachable!("targets are sized in units") };
            let reduces = quantity.to_f64() * position < 0.0;
            if reduces { reducing.push(draft) } else { others.push(draft) }
        }
    }
    reducing.append(&mut others);
    Ok(reducing)
}

fn draft(
    context: &SizingContext<'_>,
    targets: &TargetWeights,
    instrument: InstrumentId,
) -> Result<Option<OrderDraft>, MoneyError> {
    let price = context.ledger.price(instrument);
    let mut allocations = Vec::new();
    let mut net = Quantity::ZERO;
    for model in (0..targets.models()).map(ModelId::from_index) {
        let change = model_change(context, targets, model, instrument, price)?;
        if !change.is_zero() {
            net = net.plus(change)?;
            allocations.push(Allocation { model, quantity: change });
        }
    }
    Ok((!allocations.is_empty()).then(|| OrderDraft {
        instrument,
        size: OrderSize::Units(net),
        allocations,
        budget: 1.0,
        reference_price: price,
        decided_at: context.now,
        origin: OrderOrigin::Target,
    }))
}

/// What one model has to trade of one instrument.
fn model_change(
    context: &SizingContext<'_>,
    targets: &TargetWeights,
    model: ModelId,
    instrument: InstrumentId,
    price: f64,
) -> Result<Quantity, MoneyError> {
    let weight = targets.contribution(model, instrument);
    let held = context.ledger.book(Scope::Model(model)).instrument(instrument).quantity();
    let on_the_way = context.pending.get(model.index() * context.instruments.len() + instrument.index());
    let present = held.plus(on_the_way.copied().unwrap_or(Quantity::ZERO))?;
    // Without a price or equity nothing can be sized; positions can still be closed.
    let sizeable = price > 0.0 && context.equity > 0.0;
    if weight == 0.0 || !sizeable {
        return Ok(if weight == 0.0 { -present } else { Quantity::ZERO });
    }
    let present_weight = present.to_f64() * price / context.equity;
    if present_weight * weight > 0.0 && (weight - present_weight).abs() < context.no_trade_band {
        return Ok(Quantity::ZERO);
    }
    let lot = context.instruments.get(instrument).lot_size;
    Quantity::from_f64_towards_zero(weight * context.equity / price, lot)?.minus(present)
}
