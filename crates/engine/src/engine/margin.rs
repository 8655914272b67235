//! Margin: what positions have to be secured with, and what happens when equity no longer does.

use sextant_domain::ports::Broker;
use sextant_domain::{
    Allocation, Contract, InstrumentId, InstrumentTable, Intervention, InterventionAction, Margin,
    MarginState, ModelId, MoneyError, OrderDraft, OrderEffect, OrderOrigin, OrderSize, OrderTerms, Quantity,
    Side, StepRecord, UtcNanos,
};

use super::Engine;
use crate::error::EngineError;
use crate::ledger::{Ledger, Scope};

const RULE: &str = "maintenance_margin";

/// What happens when equity is below the maintenance margin of the positions at a mark.
///
/// The orders go through the gate and the broker like any other, at the broker's next chance; until they have ended there is
/// no second call. Orders that wait for a price are cancelled in what needs margin, except those that only reduce a position
/// that stays open. What needs no margin is left alone, its positions and its orders. Models may open again as far as initial
/// margin lets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarginCall {
    /// Every position that needs margin is closed, as retail brokers do.
    CloseAll,
    /// Every position that needs margin is cut by the same factor, to whole lots, so that at the last prices equity covers
    /// initial margin again. Without equity left everything is closed.
    ReduceToInitial,
}

impl MarginCall {
    /// `close_all` or `reduce_to_initial`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CloseAll => "close_all",
            Self::ReduceToInitial => "reduce_to_initial",
        }
    }
}

/// The requirements of a run with margin, as fractions of notional at the last prices.
pub(super) struct MarginTable {
    contracts: Vec<Contract>,
    call: MarginCall,
    initial: Vec<f64>,
    maintenance: Vec<f64>,
}

/// Initial and maintenance margin of positions, in parts of equity.
struct Needed {
    initial: f64,
    maintenance: f64,
}

impl MarginTable {
    /// The table of instruments; `None` where none of them asks for margin.
    pub(super) fn new(instruments: &InstrumentTable, call: MarginCall) -> Option<Self> {
        let contracts: Vec<Contract> = instruments.iter().map(|(_, one)| one.contract).collect();
        let has_margin = contracts.iter().any(|one| one.margin != Margin::None);
        has_margin.then(|| Self {
            initial: vec![0.0; contracts.len()],
            maintenance: vec![0.0; contracts.len()],
            contracts,
            call,
        })
    }

    pub(super) fn state(&self) -> MarginState<'_> {
        MarginState {
            initial: &self.initial,
            maintenance: &self.maintenance,
        }
    }

    /// Amounts per unit are other fractions at other prices.
    fn refresh(&mut self, ledger: &Ledger) {
        for (index, contract) in self.contracts.iter().enumerate() {
            let price = ledger.price(InstrumentId::from_index(index));
            let of = contract.margin.fractions(price * contract.multiplier.to_f64());
            (self.initial[index], self.maintenance[index]) = (of.initial, of.maintenance);
        }
    }

    fn needed(&self, open: &[usize], weights: &[f64]) -> Needed {
        let sum = |fractions: &[f64]| -> f64 {
            let with_margin = open.iter().filter(|index| fractions[**index] != 0.0);
            with_margin
                .map(|index| weights[*index].abs() * fractions[*index])
                .sum()
        };
        Needed {
            initial: sum(&self.initial),
            maintenance: sum(&self.maintenance),
        }
    }
}

impl Engine<'_> {
    /// Compares equity with the maintenance margin of the positions, and calls where it is not enough.
    #[inline(never)]
    pub(super) fn check_margin(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let Some(margin) = &mut self.margin else {
            return Ok(());
        };
        margin.refresh(&self.ledger);
        let needed = margin.needed(self.ledger.open(), &self.scratch.weights);
        let equity = self.point.equity;
        let is_secured = equity > 0.0 && needed.maintenance <= 1.0;
        // Weights have lost their meaning without equity; whether anything needs margin has not.
        if is_secured || needed.maintenance == 0.0 {
            return Ok(());
        }
        let mut working = broker.working().iter();
        if working.any(|one| one.order.draft.origin == OrderOrigin::MarginCall) {
            return Ok(());
        }
        let call = margin.call;
        let kept = match call {
            MarginCall::ReduceToInitial if equity > 0.0 => (1.0 / needed.initial).min(1.0),
            _ => 0.0,
        };
        // Orders on their way may do all that is needed.
        if self.cuts(now, kept, broker)?.is_empty() {
            return Ok(());
        }
        record.interventions.push(Intervention {
            rule: RULE,
            action: InterventionAction::Shrink,
            instrument: None,
            before: needed.maintenance,
            after: needed.maintenance * kept,
            reason: format!(
                "equity {equity:.2} is below the maintenance margin {:.2}: {}, positions x {kept:.6}",
                (needed.maintenance * equity).abs(),
                call.name()
            ),
        });
        let (instruments, closes_all) = (self.market.instruments(), kept == 0.0);
        self.cancel_resting(now, broker, record, |draft| {
            instruments.get(draft.instrument).contract.margin != Margin::None
                && (closes_all || draft.terms.effect != OrderEffect::ReduceOnly)
        })?;
        // What has been cancelled no longer reduces anything.
        for draft in self.cuts(now, kept, broker)? {
            self.send(now, draft, broker, record)?;
        }
        self.update_weights(broker.working(), None);
        Ok(())
    }

    /// The orders that bring every position that needs margin to a part of itself.
    fn cuts(
        &mut self,
        now: UtcNanos,
        kept: f64,
        broker: &dyn Broker,
    ) -> Result<Vec<OrderDraft>, EngineError> {
        self.update_pending(now, broker)?;
        let mut drafts = Vec::new();
        for index in self.ledger.open() {
            let instrument = InstrumentId::from_index(*index);
            if self.market.instruments().get(instrument).contract.margin == Margin::None {
                continue;
            }
            let draft = self
                .cut_draft(now, instrument, kept)
                .map_err(|source| EngineError::Money { time: now, source })?;
            if !draft.allocations.is_empty() {
                drafts.push(draft);
            }
        }
        Ok(drafts)
    }

    /// One order for all models: what is left of each position is whole lots, rounded towards zero.
    fn cut_draft(
        &self,
        now: UtcNanos,
        instrument: InstrumentId,
        kept: f64,
    ) -> Result<OrderDraft, MoneyError> {
        let lot = self.market.instruments().get(instrument).lot_size;
        let (mut allocations, mut net) = (Vec::new(), Quantity::ZERO);
        for model in (0..self.models.len()).map(ModelId::from_index) {
            let held = self
                .ledger
                .book(Scope::Model(model))
                .instrument(instrument)
                .quantity();
            let place = model.index() * self.classes.len() + instrument.index();
            let on_the_way = self.scratch.pending.get(place).copied().unwrap_or(Quantity::ZERO);
            let left = Quantity::from_f64_towards_zero(held.to_f64() * kept, lot)?;
            let quantity = reduction(held.plus(on_the_way)?, held, left)?;
            if !quantity.is_zero() {
                net = net.plus(quantity)?;
                allocations.push(Allocation { model, quantity });
            }
        }
        Ok(OrderDraft {
            instrument,
            size: OrderSize::Units(net),
            allocations,
            budget: 1.0,
            reference_price: self.ledger.price(instrument),
            decided_at: now,
            origin: OrderOrigin::MarginCall,
            terms: OrderTerms::MARKET,
        })
    }
}

/// What brings a position, orders on the way included, down to what is to be left of what is held; nothing where those
/// orders do so already.
fn reduction(present: Quantity, held: Quantity, left: Quantity) -> Result<Quantity, MoneyError> {
    let keeps_side = Side::of(present) == Side::of(held);
    if present.is_zero() || !keeps_side || present.abs() <= left.abs() {
        return Ok(Quantity::ZERO);
    }
    left.minus(present)
}
