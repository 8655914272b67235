//! The risk gate: the only place where an order becomes sendable.

use std::ops::Deref;
use std::sync::Arc;

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
/// let forged: Approved<TargetWeights> = Approved { value: TargetWeights::new(1, 1).into() };
/// ```
///
/// ```compile_fail,E0596
/// use sextant_domain::{Approved, InstrumentId, ModelId, TargetWeights};
/// fn change(mut approved: Approved<TargetWeights>) {
///     approved.add_target(ModelId::from_index(0), InstrumentId::from_index(0), 1.0);
/// }
/// ```
///
/// Clones share the value.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved<T> {
    value: Arc<T>,
}

impl<T> Approved<T> {
    fn new(value: T) -> Self {
        Self {
            value: Arc::new(value),
        }
    }

    /// The value without its approval, for the record: what is kept there cannot be sent again.
    pub fn shared(&self) -> Arc<T> {
        Arc::clone(&self.value)
    }
}

impl<T> Deref for Approved<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl Approved<TargetWeights> {
    /// The weights, without the approval.
    pub fn into_weights(self) -> TargetWeights {
        Arc::unwrap_or_clone(self.value)
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
        Approved::new(targets)
    }

    /// Reviews one order of a signed `weight` (see [`OrderReview`]) and gives it its id. A shrunk order is rounded towards
    /// zero to the instrument's lot; what becomes nothing that way is refused.
    ///
    /// # Errors
    /// [`Refusal`] with the reasons, when the engine refuses or nothing is left.
    pub fn order(
        self,
        engine: &dyn RiskEngine,
        state: &PortfolioState<'_>,
        (draft, weight): (OrderDraft, Option<f64>),
        (instrument, id): (&Instrument, OrderId),
    ) -> Result<(Approved<Order>, Vec<Intervention>), Box<Refusal>> {
        let proposed = OrderReview {
            draft: &draft,
            weight,
        };
        let mut verdict = engine.review(state, &Proposal::Order(proposed));
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
        let passed = if factor == 1.0 {
            Ok(draft)
        } else {
            shrunk(&draft, factor, instrument).ok_or(draft)
        };
        match passed {
            Ok(draft) => Ok((Approved::new(Order { id, draft }), verdict.reasons)),
            Err(draft) => Err(Box::new(Refusal {
                draft,
                reasons: verdict.reasons,
            })),
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
fn shrunk(draft: &OrderDraft, factor: f64, instrument: &Instrument) -> Option<OrderDraft> {
    if factor == 0.0 {
        return None;
    }
    let mut draft = draft.clone();
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
        OrderSize::ClosePosition | OrderSize::EntryFill => {}
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

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::{
        Allocation, AssetClass, Contract, Currency, InstrumentId, MarginState, ModelId, OrderOrigin,
        OrderTerms, RiskStatus, Timeframe, TrailingStatistics, UtcNanos, Verdict,
    };

    /// Answers every proposal with the same decision.
    struct Says(Decision);

    impl RiskEngine for Says {
        fn observe(&mut self, _state: &PortfolioState<'_>, _reasons: &mut Vec<Intervention>) -> RiskStatus {
            RiskStatus::Normal
        }

        fn review(&self, _state: &PortfolioState<'_>, _proposal: &Proposal<'_>) -> Verdict {
            Verdict {
                decision: self.0.clone(),
                reasons: Vec::new(),
            }
        }
    }

    const STATE: PortfolioState<'static> = PortfolioState {
        as_of: UtcNanos::MIN,
        equity: 1_000.0,
        weights: &[0.0, 0.0],
        pending: &[0.0, 0.0],
        classes: &[AssetClass::Equity, AssetClass::Crypto],
        margin: MarginState {
            initial: &[],
            maintenance: &[],
        },
        statistics: TrailingStatistics {
            adv: &[],
            covariance: &[],
        },
    };

    fn units(value: i64) -> Quantity {
        Quantity::new(value.into())
    }

    fn draft(parts: &[i64]) -> OrderDraft {
        let allocations = parts.iter().enumerate();
        let allocations = allocations.map(|(model, part)| Allocation {
            model: ModelId::from_index(model),
            quantity: units(*part),
        });
        OrderDraft {
            instrument: InstrumentId::from_index(0),
            size: OrderSize::Units(units(parts.iter().sum())),
            allocations: allocations.collect(),
            budget: 1.0,
            reference_price: 10.0,
            decided_at: UtcNanos::MIN,
            origin: OrderOrigin::Target,
            terms: OrderTerms::MARKET,
        }
    }

    fn order(decision: Decision, parts: &[i64]) -> Result<Order, Box<Refusal>> {
        let instrument = Instrument {
            symbol: "ACME".into(),
            class: AssetClass::Equity,
            execution: Timeframe::D1,
            price_tick: Decimal::new(1, 2),
            lot_size: Decimal::ONE,
            contract: Contract::paid_in(Currency::USD),
        };
        let proposed = (draft(parts), Some(0.1));
        let passed = RiskGate.order(
            &Says(decision),
            &STATE,
            proposed,
            (&instrument, OrderId::from_index(7)),
        );
        passed.map(|(approved, _)| (*approved).clone())
    }

    #[test]
    fn a_shrunk_order_keeps_whole_lots_and_its_parts_add_up() {
        for (parts, factor, expected) in [
            (vec![10], 0.55, vec![5]),
            (vec![6, 4], 0.5, vec![5, 0]),
            (vec![9, -3], 0.5, vec![6, -3]),
            (vec![-8, -2], 0.35, vec![-3, 0]),
        ] {
            let order = order(Decision::ShrinkTo(vec![factor]), &parts).unwrap();
            let found: Vec<Quantity> = order.draft.allocations.iter().map(|part| part.quantity).collect();
            let expected: Vec<Quantity> = expected.iter().map(|part| units(*part)).collect();
            assert_eq!(found, expected, "{parts:?} x {factor}");
            let sum = found
                .iter()
                .try_fold(Quantity::ZERO, |sum, part| sum.plus(*part))
                .unwrap();
            assert_eq!(order.draft.size, OrderSize::Units(sum));
        }
    }

    #[test]
    fn what_becomes_less_than_a_lot_is_refused() {
        assert!(order(Decision::ShrinkTo(vec![0.05]), &[10]).is_err());
        assert!(order(Decision::Refuse, &[10]).is_err());
    }

    #[test]
    fn a_verdict_that_makes_no_sense_refuses_everything() {
        for factors in [vec![], vec![1.5], vec![-0.1], vec![f64::NAN], vec![0.5, 0.5]] {
            let refusal = order(Decision::ShrinkTo(factors.clone()), &[10]).unwrap_err();
            assert_eq!(refusal.reasons.last().unwrap().rule, GATE_RULE, "{factors:?}");
            let mut targets = TargetWeights::new(1, 2);
            targets.add_target(ModelId::from_index(0), InstrumentId::from_index(0), 0.4);
            let mut reasons = Vec::new();
            let factors = [factors, vec![1.0; 3]].concat();
            let approved =
                RiskGate.targets(&Says(Decision::ShrinkTo(factors)), &STATE, targets, &mut reasons);
            assert_eq!(approved.net(), [0.0, 0.0]);
            assert_eq!(reasons[0].rule, GATE_RULE);
        }
    }

    #[test]
    fn a_refused_weight_is_gone_even_if_it_was_no_number() {
        let mut targets = TargetWeights::new(1, 2);
        targets.add_target(ModelId::from_index(0), InstrumentId::from_index(1), f64::NAN);
        let verdict = Decision::ShrinkTo(vec![1.0, 0.0]);
        let approved = RiskGate.targets(&Says(verdict), &STATE, targets, &mut Vec::new());
        assert_eq!(
            approved.contribution(ModelId::from_index(0), InstrumentId::from_index(1)),
            0.0
        );
    }
}
