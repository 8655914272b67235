//! The size of every order adds up, from the wish to what was sent.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use sextant_domain::{
    InstrumentId, MarketData, ModelId, OrderId, OrderOrigin, OrderSize, OrderTrail, Quantity, Sizing,
    StepRecord,
};

/// Follows a run and holds the record of each order's size against what fills say of the books.
#[derive(Default)]
pub(crate) struct SizeAudit {
    lots: Vec<Decimal>,
    held: BTreeMap<(ModelId, InstrumentId), Quantity>,
    /// Orders whose size was followed to the end.
    pub(crate) explained: usize,
}

impl SizeAudit {
    pub(crate) fn new(market: &MarketData) -> Self {
        let instruments = market.instruments().iter();
        Self {
            lots: instruments.map(|(_, instrument)| instrument.lot_size).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn step(&mut self, step: &StepRecord) {
        assert_eq!(step.trails.len(), step.orders.len(), "one trail per order");
        let first_new = step.orders.first().map(|order| order.id);
        let is_new = |order: OrderId| first_new.is_some_and(|first| order >= first);
        // What filled before the decision is in the books that it looks at; what it sent itself is not.
        self.post(step, |order| !is_new(order));
        for sizing in &step.sizings {
            self.sizing(sizing);
        }
        for (order, trail) in step.orders.iter().zip(&step.trails) {
            let lot = self.lots[order.draft.instrument.index()];
            if order.draft.origin == OrderOrigin::Target {
                let parts = step.sizings.iter();
                let sum = parts
                    .filter(|one| one.instrument == order.draft.instrument)
                    .try_fold(Quantity::ZERO, |sum, one| sum.plus(one.change));
                assert_eq!(trail.proposed, OrderSize::Units(sum.unwrap()), "{order:?}");
            }
            gate(trail, order.draft.size, lot);
            self.explained += 1;
        }
        self.post(step, is_new);
    }

    fn post(&mut self, step: &StepRecord, is_wanted: impl Fn(OrderId) -> bool) {
        for fill in step.fills.iter().filter(|fill| is_wanted(fill.order)) {
            for part in &fill.allocations {
                let held = self
                    .held
                    .entry((part.model, fill.instrument))
                    .or_insert(Quantity::ZERO);
                *held = held.plus(part.quantity).unwrap();
            }
        }
    }

    fn sizing(&self, sizing: &Sizing) {
        let held = self.held.get(&(sizing.model, sizing.instrument));
        assert_eq!(sizing.held, held.copied().unwrap_or(Quantity::ZERO), "{sizing:?}");
        if let Some(wish) = sizing.wish {
            assert_eq!(sizing.budget * wish, sizing.proposed, "{sizing:?}");
        }
        assert!(sizing.approved.abs() <= sizing.proposed.abs(), "{sizing:?}");
        assert!(sizing.approved * sizing.proposed >= 0.0, "{sizing:?}");
        let lot = self.lots[sizing.instrument.index()];
        let target = if sizing.approved == 0.0 {
            Quantity::ZERO
        } else {
            Quantity::from_f64_towards_zero(sizing.approved * sizing.equity / sizing.unit_value, lot).unwrap()
        };
        assert_eq!(sizing.target, target, "{sizing:?}");
        let change = target
            .minus(sizing.held)
            .unwrap()
            .minus(sizing.on_the_way)
            .unwrap();
        assert_eq!(sizing.change, change, "{sizing:?}");
    }
}

/// Between the request and what was sent there are whole lots and the limits, and nothing else.
fn gate(trail: &OrderTrail, sent: OrderSize, lot: Decimal) {
    match (trail.asked, trail.proposed, sent) {
        (OrderSize::Units(asked), OrderSize::Units(proposed), OrderSize::Units(sent)) => {
            assert_eq!(asked.towards_zero_to_lot(lot), proposed, "{trail:?}");
            assert!(sent.abs() <= proposed.abs(), "{trail:?} {sent}");
            assert!(
                sent.is_zero() || sent.is_positive() == proposed.is_positive(),
                "{trail:?}"
            );
            assert_eq!(
                sent == proposed,
                trail.interventions.is_empty(),
                "{trail:?} {sent}"
            );
        }
        (asked, proposed, sent) => {
            assert_eq!(asked, proposed);
            assert!(
                sent == proposed || !trail.interventions.is_empty(),
                "{trail:?} {sent:?}"
            );
        }
    }
}
