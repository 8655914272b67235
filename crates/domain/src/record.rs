//! The audit record of one decision step.

use crate::{
    CashEvent, Fill, InstrumentId, Intervention, ModelId, Order, OrderDraft, OrderEnd, OrderId,
    RegimeEstimate, RegimeInput, RiskStatus, SplitEvent, UtcNanos,
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
    /// Acts of the risk rules.
    pub interventions: Vec<Intervention>,
    /// Orders sent.
    pub orders: Vec<Order>,
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
            interventions: Vec::new(),
            orders: Vec::new(),
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
        self.interventions.clear();
        self.orders.clear();
        self.refused.clear();
        self.ended.clear();
        self.changed.clear();
    }
}
