//! The risk gate: the only place where an order becomes sendable.

use std::ops::Deref;

use crate::ports::RiskEngine;
use crate::{
    Decision, Instrument, Intervention, InterventionAction, Order, OrderDraft, OrderId, OrderReview,
    OrderSize, PortfolioState, Proposal, Quantity, TargetWeights,
};

/// Proof that a risk engine has passed a value. Only [`RiskGate`] can make one: the field is private, and there is no
/// `From`, `Default` or `Deserialize`.
///
/// A value cannot be approved by hand, and an approved one cannot be changed:
///
/// ```compile_fail,E0451
/// use sextant_domain::{Approved, TargetWeights};
/// let forged: Approved<TargetWeights> = Approved { value: TargetWeights::new(1, 1) };
/// ```
///
/// ```compile_fail,E0596
/// use sextant_domain::{Approved, InstrumentId, ModelId, TargetWeights};
/// fn change(mut approved: Approved<TargetWeights>) {
///     approved.add_target(ModelId::from_index(0), InstrumentId::from_index(0), 1.0);
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Approved<T> {
    value: T,
}

impl<T> Deref for Approved<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

/// An order that was not let through, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What was refused.
    pub draft: OrderDraft,
    /// The rules that refused it.
    pub reasons: Vec<Intervention>,
}

/// Puts proposals before a risk engine and applies its verdict.
///
/// It checks the verdict as well: a factor outside 0 to 1, or one that is not a number, refuses the whole proposal,
/// because an engine that answers nonsense is not to be trusted with any part of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RiskGate;

const GATE_RULE: &str = "risk_gate";

impl RiskGate {
    /// Reviews target weights. Weights that must go become zero; nothing grows and nothing changes side.
    pub fn targets(
        self,
        engine: &dyn RiskEngine,
        state: &PortfolioState<'_>,
        mut targets: TargetWeights,
        reasons: &mut Vec<Intervention>,
    ) -> Approved<TargetWeights> {
        let verdict = engine.review(state, &Proposal::Targets(&targets));
        reasons.extend(verdict.reasons);
        let count = targets.net().len();
        match verdict.decision {
            Decision::Keep => {}
            Decision::ShrinkTo(factors) if factors.len() == count && factors.iter().all(is_factor) => {
                for (instrument, factor) in factors.into_iter().enumerate() {
                    if factor < 1.0 {
                        targets.scale(instrument, factor);
                    }
                }
            }
            Decision::ShrinkTo(factors) => {
                reasons.push(nonsense(format!(
                    "the verdict on {count} targets was {factors:?}"
                )));
                (0..count).for_each(|instrument| targets.scale(instrument, 0.0));
            }
            Decision::Refuse => (0..count).for_each(|instrument| targets.scale(instrument, 0.0)),
        }
        Approved { value: targets }
    }

    /// Reviews one order and gives it its id. A shrunk order is rounded towards zero to the instrument's lot; what
    /// becomes nothing that way is refused.
    ///
    /// # Errors
    /// [`Refusal`] with the reasons, when the engine refuses or nothing is left.
    pub fn order(
        self,
        engine: &dyn RiskEngine,
        state: &PortfolioState<'_>,
        proposed: OrderReview<'_>,
        instrument: &Instrument,
        id: OrderId,
    ) -> Result<(Approved<Order>, Vec<Intervention>), Refusal> {
        let mut verdict = engine.review(state, &Proposal::Order(proposed));
        let draft = proposed.draft.clone();
        let factor = match verdict.decision {
            Decision::Keep => 1.0,
            Decision::ShrinkTo(factors) if factors.len() == 1 && is_factor(&factors[0]) => factors[0],
            Decision::ShrinkTo(factors) => {
                verdict
                    .reasons
                    .push(nonsense(format!("the verdict on an order was {factors:?}")));
                0.0
            }
            Decision::Refuse => 0.0,
        };
        match shrink(draft.clone(), factor, instrument) {
            Some(draft) => Ok((
                Approved {
                    value: Order { id, draft },
                },
                verdict.reasons,
            )),
            None => Err(Refusal {
                draft,
                reasons: verdict.reasons,
            }),
        }
    }
}

fn is_factor(factor: &f64) -> bool {
    (0.0..=1.0).contains(factor)
}

fn nonsense(what: String) -> Intervention {
    Intervention {
        rule: GATE_RULE,
        action: InterventionAction::Refuse,
        instrument: None,
        before: 1.0,
        after: 0.0,
        reason: format!("{what}; factors must be one per item and from 0 to 1, so everything is refused"),
    }
}

/// The draft at `factor` times its size, or `None` when nothing is left.
fn shrink(mut draft: OrderDraft, factor: f64, instrument: &Instrument) -> Option<OrderDraft> {
    if factor == 1.0 {
        return Some(draft);
    }
    if factor == 0.0 {
        return None;
    }
    match draft.size {
        OrderSize::Units(units) => {
            let smaller =
                Quantity::from_f64_towards_zero(units.to_f64() * factor, instrument.lot_size).ok()?;
            if smaller.is_zero() || smaller.abs() > units.abs() {
                return None;
            }
            shrink_allocations(&mut draft, units, smaller)?;
            draft.size = OrderSize::Units(smaller);
        }
        OrderSize::EquityFraction(fraction) => draft.size = OrderSize::EquityFraction(fraction * factor),
        // A closing order has no size to shrink yet, and closing is what risk wants.
        OrderSize::ClosePosition => {}
    }
    Some(draft)
}

/// Takes what the order lost from the allocations on the order's own side, last first, so that the sum stays equal.
fn shrink_allocations(draft: &mut OrderDraft, units: Quantity, smaller: Quantity) -> Option<()> {
    let mut excess = units.minus(smaller).ok()?;
    for allocation in draft.allocations.iter_mut().rev() {
        if allocation.quantity.is_positive() != units.is_positive() {
            continue;
        }
        let cut = if allocation.quantity.abs() < excess.abs() {
            allocation.quantity
        } else {
            excess
        };
        allocation.quantity = allocation.quantity.minus(cut).ok()?;
        excess = excess.minus(cut).ok()?;
    }
    excess.is_zero().then_some(())
}
