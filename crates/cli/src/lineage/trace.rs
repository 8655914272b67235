//! A run that is computed again with somebody watching.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::bail;
use sextant_data::Progress;
use sextant_domain::ports::{DailyMark, ResultSink, RiskEngine};
use sextant_domain::{
    InstrumentId, Intervention, InterventionAction, ModelId, Order, OrderId, OrderOrigin, OrderTrail,
    PortfolioState, Proposal, RegimeEstimate, RiskStatus, Sizing, StepRecord, TrailingWindows, UtcNanos,
    Verdict,
};
use sextant_features::FeatureColumns;
use sextant_risk::{KillFlag, RiskRules, RuleStep};
use sextant_store::RunTables;

use crate::compose::{account_model, backtest_config, engine_parts, rules_of, sleeves};
use crate::config::EngineConfig;
use crate::recorder::RunRecorder;
use crate::replay::Replay;

/// What the engine did for one order.
#[derive(Debug, Clone)]
pub(crate) struct OrderTrace {
    /// The order as it was sent.
    pub(crate) order: Order,
    /// Its size before the gate.
    pub(crate) trail: OrderTrail,
    /// What the order rules had to say.
    pub(crate) interventions: Vec<Intervention>,
    /// For a target order, the part of each model.
    pub(crate) parts: Vec<PartTrace>,
    /// The regime.
    pub(crate) regime: RegimeEstimate,
    /// The standing of the risk engine.
    pub(crate) status: RiskStatus,
}

/// What the engine did for one model's part of an order.
#[derive(Debug, Clone)]
pub(crate) struct PartTrace {
    /// From the wish to units.
    pub(crate) sizing: Sizing,
    /// When the model gave the target; targets stand until they are replaced.
    pub(crate) wished_at: Option<UtcNanos>,
    /// The rules that made it smaller, in order.
    pub(crate) cuts: Vec<RuleCut>,
}

/// What a rule left of an instrument's targets.
#[derive(Debug, Clone)]
pub(crate) struct RuleCut {
    /// The rule.
    pub(crate) rule: &'static str,
    /// What it and those before it left, from 0 to 1.
    pub(crate) factor: f64,
    /// Why, in words.
    pub(crate) reasons: Vec<String>,
}

/// A watched run.
pub(crate) struct TracedRun {
    /// The orders that were asked for, in the order of sending.
    pub(crate) orders: Vec<OrderTrace>,
    /// The columns of every feature of the run.
    pub(crate) features: FeatureColumns,
}

/// Computes a run again and keeps what it did for one order, or for every order where `wanted` is `None`. The decisions
/// must be those of the stored rows.
///
/// # Errors
/// When the run fails, or decides otherwise than what is stored.
pub(crate) fn trace(
    replay: &Replay,
    stored: &RunTables,
    wanted: Option<OrderId>,
    progress: &dyn Progress,
) -> anyhow::Result<TracedRun> {
    let config = &replay.config;
    let account = account_model(&config.system, &replay.market)?;
    let (run, _) = backtest_config(&config.system, account)?;
    let instruments = replay.market.data.instruments();
    let sleeves = sleeves(config)?;
    let steps = Arc::new(Mutex::new(Vec::new()));
    let mut parts = engine_parts(config, instruments, replay.kill_flag())?;
    parts.risk = Box::new(WatchedRules {
        rules: rules_of(config, instruments, replay.kill_flag())?,
        steps: Arc::clone(&steps),
    });
    let mut sink = Watcher {
        recorder: RunRecorder::new(instruments, &sleeves, run.initial_capital, progress),
        steps,
        wanted,
        wishes: BTreeMap::new(),
        regime: RegimeEstimate::default(),
        orders: Vec::new(),
    };
    let mut features = FeatureColumns::new();
    sextant_backtest::run(&replay.market.data, &mut features, parts, &run, &mut sink)?;
    let (tables, _) = sink.recorder.finish()?;
    require_same(stored, tables, config.system.engine)?;
    Ok(TracedRun {
        orders: sink.orders,
        features,
    })
}

/// What a run decided and traded; figures follow from it. The vectorised engine sends the same orders, and what it does not
/// promise to the last bit is left out.
fn decisions(tables: RunTables, engine: EngineConfig) -> RunTables {
    let traded = RunTables {
        orders: tables.orders,
        order_ends: tables.order_ends,
        fills: tables.fills,
        fill_allocations: tables.fill_allocations,
        ..RunTables::default()
    };
    match engine {
        EngineConfig::Vectorised => traded,
        EngineConfig::Event => RunTables {
            intents: tables.intents,
            targets: tables.targets,
            risk_events: tables.risk_events,
            regimes: tables.regimes,
            refusals: tables.refusals,
            cash_events: tables.cash_events,
            splits: tables.splits,
            equity: tables.equity,
            ..traded
        },
    }
}

fn require_same(stored: &RunTables, again: RunTables, engine: EngineConfig) -> anyhow::Result<()> {
    let differing = decisions(stored.clone(), engine).differences(&decisions(again, engine))?;
    let Some(first) = differing.first() else {
        return Ok(());
    };
    let row = first.first.as_ref().map_or(String::new(), |first| {
        format!(
            " (first in row {}, column {}: {} stored, {} now)",
            first.row, first.column, first.left, first.right
        )
    });
    bail!(
        "the run cannot be explained, because it decides otherwise when it is computed again: table {}{row}; `cargo xtask \
         verify run` says what has changed",
        first.table
    )
}

/// The rules of a run, and what each of them left of the targets reviewed last.
struct WatchedRules {
    rules: RiskRules,
    steps: Arc<Mutex<Vec<RuleStep>>>,
}

impl RiskEngine for WatchedRules {
    fn observe(&mut self, state: &PortfolioState<'_>, reasons: &mut Vec<Intervention>) -> RiskStatus {
        self.rules.observe(state, reasons)
    }

    fn review(&self, state: &PortfolioState<'_>, proposal: &Proposal<'_>) -> Verdict {
        if let (Proposal::Targets(targets), Ok(mut steps)) = (proposal, self.steps.lock()) {
            *steps = self.rules.target_steps(state, targets);
        }
        self.rules.review(state, proposal)
    }

    fn trailing_windows(&self) -> TrailingWindows {
        self.rules.trailing_windows()
    }
}

/// Records the run as it is stored, and keeps what is asked for beside that.
struct Watcher<'p> {
    recorder: RunRecorder<'p>,
    steps: Arc<Mutex<Vec<RuleStep>>>,
    wanted: Option<OrderId>,
    wishes: BTreeMap<(ModelId, InstrumentId), UtcNanos>,
    regime: RegimeEstimate,
    orders: Vec<OrderTrace>,
}

impl Watcher<'_> {
    fn keep(&mut self, step: &StepRecord) {
        let steps = self.steps.lock().map(|steps| steps.clone()).unwrap_or_default();
        // What the rules said about the targets stands before what they said about the first order.
        let of_targets = step
            .trails
            .first()
            .map_or(step.interventions.len(), |trail| trail.interventions.start);
        for (order, trail) in step.orders.iter().zip(&step.trails) {
            if self.wanted.is_some_and(|wanted| wanted != order.id) {
                continue;
            }
            let sizings = step
                .sizings
                .iter()
                .filter(|one| one.instrument == order.draft.instrument);
            let is_target = order.draft.origin == OrderOrigin::Target;
            let parts = sizings.filter(|_| is_target).map(|sizing| PartTrace {
                sizing: sizing.clone(),
                wished_at: self.wishes.get(&(sizing.model, sizing.instrument)).copied(),
                cuts: cuts(&steps, sizing.instrument, &step.interventions[..of_targets]),
            });
            self.orders.push(OrderTrace {
                parts: parts.collect(),
                order: (**order).clone(),
                trail: trail.clone(),
                interventions: step.interventions[trail.interventions.clone()].to_vec(),
                regime: self.regime,
                status: step.status,
            });
        }
    }
}

/// The rules that changed what is left of an instrument.
fn cuts(steps: &[RuleStep], instrument: InstrumentId, reasons: &[Intervention]) -> Vec<RuleCut> {
    let mut before = 1.0;
    let mut found = Vec::new();
    for step in steps {
        let factor = step.factors[instrument.index()];
        if factor != before {
            let about = |reason: &&Intervention| {
                reason.rule == step.rule
                    && reason.action != InterventionAction::Status
                    && reason.instrument.is_none_or(|one| one == instrument)
            };
            found.push(RuleCut {
                rule: step.rule,
                factor,
                reasons: reasons
                    .iter()
                    .filter(about)
                    .map(|reason| reason.reason.clone())
                    .collect(),
            });
        }
        before = factor;
    }
    found
}

impl ResultSink for Watcher<'_> {
    fn record(&mut self, step: &StepRecord) {
        self.recorder.record(step);
        self.regime = step.regime.unwrap_or(self.regime);
        for (model, instrument, _) in &step.intents {
            self.wishes.insert((*model, *instrument), step.time);
        }
        if !step.orders.is_empty() {
            self.keep(step);
        }
    }

    fn mark(&mut self, mark: &DailyMark<'_>) {
        self.recorder.mark(mark);
    }

    fn progress(&mut self, done: usize, all: usize) {
        self.recorder.progress(done, all);
    }
}

impl Replay {
    /// The kill switch as it was when the run began.
    fn kill_flag(&self) -> KillFlag {
        let flag = KillFlag::new();
        if let Some(reason) = self.kill() {
            flag.engage(reason);
        }
        flag
    }
}
