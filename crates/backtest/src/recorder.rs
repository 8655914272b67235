//! Sinks: one that keeps what most users look at, and one that keeps nothing.

use std::sync::Arc;

use sextant_domain::ports::{DailyMark, ResultSink};
use sextant_domain::{CashEvent, EquityPoint, Fill, Intervention, Order, SplitEvent, StepRecord, UtcNanos};

/// Keeps equity by step, orders, fills, what happened without orders, and risk interventions in memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorder {
    /// Portfolio value at each step.
    pub equity: Vec<(UtcNanos, EquityPoint)>,
    /// Orders sent.
    pub orders: Vec<Arc<Order>>,
    /// Fills.
    pub fills: Vec<Fill>,
    /// Dividends, fees and interest.
    pub cash_events: Vec<CashEvent>,
    /// Splits.
    pub splits: Vec<SplitEvent>,
    /// Acts of the risk rules.
    pub interventions: Vec<(UtcNanos, Intervention)>,
}

impl ResultSink for Recorder {
    fn record(&mut self, step: &StepRecord) {
        self.equity.push((step.time, step.equity));
        self.orders.extend_from_slice(&step.orders);
        self.fills.extend_from_slice(&step.fills);
        self.cash_events.extend_from_slice(&step.cash_events);
        self.splits.extend_from_slice(&step.splits);
        self.interventions
            .extend(step.interventions.iter().map(|one| (step.time, one.clone())));
    }

    fn mark(&mut self, _mark: &DailyMark<'_>) {}
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullSink;

impl ResultSink for NullSink {
    fn record(&mut self, _step: &StepRecord) {}

    fn mark(&mut self, _mark: &DailyMark<'_>) {}
}
