//! The audit record of one decision step.

use std::ops::Range;
use std::sync::Arc;

use crate::{
    CashEvent, Fill, InstrumentId, Intervention, ModelId, Order, OrderDraft, OrderEnd, OrderId, OrderSize,
    Quantity, RegimeEstimate, RegimeInput, RiskStatus, SplitEvent, UtcNanos,
};

/// Portfolio value at the end of a step in the account's currency, in the research world.
///
/// Where every position is paid in full, equity is cash plus net. A position that is settled daily has a notional value, but
/// is worth only what it has gained since its last settlement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EquityPoint {
    /// Cash plus what positions are worth at their last closes.
    pub equity: f64,
    /// Cash of all currencies at their last rates.
    pub cash: f64,
    /// Sum of absolute notional values.
    pub gross: f64,
    /// Sum of signed notional values.
    pub net: f64,
}

/// How one model's part of a target order came about: from the wish to the units to be traded.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizing {
    /// The model.
    pub model: ModelId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// The target that stands, as a fraction of the model's budget; `None` where the model has given none and its position
    /// is closed by risk.
    pub wish: Option<f64>,
    /// The model's budget in the present regime, as a fraction of portfolio equity.
    pub budget: f64,
    /// The model's contribution before risk, as a fraction of portfolio equity: the budget times the wish, or the present
    /// weight where there is no wish.
    pub proposed: f64,
    /// What risk left of it.
    pub approved: f64,
    /// Portfolio equity.
    pub equity: f64,
    /// The last close.
    pub price: f64,
    /// What one unit is worth in the account's currency: the last close, times multiplier and rate where there are any.
    pub unit_value: f64,
    /// The units that the approved contribution comes to, towards zero in whole lots.
    pub target: Quantity,
    /// The units that the model holds.
    pub held: Quantity,
    /// The units that are on their way to the model.
    pub on_the_way: Quantity,
    /// The units to be traded: `target - held - on_the_way`.
    pub change: Quantity,
}

/// The size of an order before the gate.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderTrail {
    /// The size as the model asked for it. For targets it is what was proposed.
    pub asked: OrderSize,
    /// The size that was put before the gate, in whole lots.
    pub proposed: OrderSize,
    /// The rows of [`StepRecord::interventions`] that are about this order.
    pub interventions: Range<usize>,
}

/// An order that risk refused.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedOrder {
    /// What was asked for.
    pub draft: OrderDraft,
    /// The code of the rule that refused it.
    pub rule: &'static str,
}

/// Everything that happened in one step, in the order of the step. Reused from step to step; copy what must be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// The instant.
    pub time: UtcNanos,
    /// Fills posted, in order.
    pub fills: Vec<Fill>,
    /// For each fill, what one unit at a price of one was worth in the account's currency when it was posted: multiplier times
    /// rate.
    pub fill_factors: Vec<f64>,
    /// Dividends, fees and interest posted, in order.
    pub cash_events: Vec<CashEvent>,
    /// Splits posted, in order.
    pub splits: Vec<SplitEvent>,
    /// The regime, when it differs from the step before, and at the first step of trading.
    pub regime: Option<RegimeEstimate>,
    /// The numbers it was decided on; filled only together with `regime`.
    pub regime_inputs: Vec<RegimeInput>,
    /// Targets the models asked for: model, instrument, fraction of the model's budget.
    pub intents: Vec<(ModelId, InstrumentId, f64)>,
    /// Approved net target weights of managed instruments, when targets were computed in this step.
    pub targets: Vec<(InstrumentId, f64)>,
    /// How the parts of target orders were sized, also of those that were refused; models that had nothing to trade have no
    /// entry.
    pub sizings: Vec<Sizing>,
    /// Acts of the risk rules.
    pub interventions: Vec<Intervention>,
    /// Orders sent.
    pub orders: Vec<Arc<Order>>,
    /// The size of each order before the gate, in the same order.
    pub trails: Vec<OrderTrail>,
    /// Orders refused.
    pub refused: Vec<RefusedOrder>,
    /// Orders that left the market without trading, or without trading the rest.
    pub ended: Vec<OrderEnd>,
    /// Orders whose end or change was asked for in this step.
    pub changed: Vec<OrderId>,
    /// The risk engine's standing.
    pub status: RiskStatus,
    /// Portfolio value.
    pub equity: EquityPoint,
    /// Each model's profit and loss since the start, costs included.
    pub model_pnl: Vec<f64>,
    /// Whether trading was allowed (false before the start of the run, while features warm up).
    pub trading: bool,
}

impl StepRecord {
    /// An empty record for a run with `models` models.
    pub fn new(models: usize) -> Self {
        Self {
            time: UtcNanos::MIN,
            fills: Vec::new(),
            fill_factors: Vec::new(),
            cash_events: Vec::new(),
            splits: Vec::new(),
            regime: None,
            regime_inputs: Vec::new(),
            intents: Vec::new(),
            targets: Vec::new(),
            sizings: Vec::new(),
            interventions: Vec::new(),
            orders: Vec::new(),
            trails: Vec::new(),
            refused: Vec::new(),
            ended: Vec::new(),
            changed: Vec::new(),
            status: RiskStatus::Normal,
            equity: EquityPoint::default(),
            model_pnl: vec![0.0; models],
            trading: false,
        }
    }

    /// Empties the record for the step at `time`, keeping its memory.
    #[inline]
    pub fn begin(&mut self, time: UtcNanos, trading: bool) {
        self.time = time;
        self.trading = trading;
        self.fills.clear();
        self.fill_factors.clear();
        self.cash_events.clear();
        self.splits.clear();
        self.regime = None;
        self.regime_inputs.clear();
        self.intents.clear();
        self.targets.clear();
        self.sizings.clear();
        self.interventions.clear();
        self.orders.clear();
        self.trails.clear();
        self.refused.clear();
        self.ended.clear();
        self.changed.clear();
    }
}
