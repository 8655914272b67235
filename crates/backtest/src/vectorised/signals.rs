//! What models and regime say, gathered once, before anything is traded.

use std::cell::Cell;
use std::ops::Range;

use sextant_domain::ports::{FeatureSource, Model, RegimeDetector};
use sextant_domain::{
    Binding, ColumnTargets, ColumnView, InstrumentId, Intents, MarketData, MarketView, ModelId,
    RegimeEstimate, RegimeInput, UtcNanos,
};
use sextant_engine::{BoundModel, EngineError};

use super::Obstacle;
use super::axis::Axis;
use super::expressible::USE_EVENTS;
use crate::timeline::Timeline;

/// One target of one model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Signal {
    pub(super) row: usize,
    pub(super) model: ModelId,
    pub(super) instrument: InstrumentId,
    /// Signed fraction of the model's budget.
    pub(super) weight: f64,
}

/// The regime from a row on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RegimeRow {
    pub(super) row: usize,
    pub(super) estimate: RegimeEstimate,
    /// Whether a label differs from the step before; the first row is there in any case.
    pub(super) is_change: bool,
    pub(super) inputs: Vec<RegimeInput>,
}

/// Everything that is decided without looking at the account, by row.
#[derive(Debug, Default)]
pub(super) struct Signals {
    pub(super) targets: Vec<Signal>,
    pub(super) regimes: Vec<RegimeRow>,
    /// Models that need more than columns.
    pub(super) obstacles: Vec<Obstacle>,
}

/// What decides without an account, resolved against a market.
pub(super) struct Deciders {
    pub(super) models: Vec<BoundModel>,
    pub(super) regime: Option<(Box<dyn RegimeDetector>, Binding)>,
}

/// Asks every model and the regime detector at each of their steps, as the event engine does, but with an account that may
/// not be looked at.
///
/// The very same `decide` is called on the very same views, so that there is no second formula of a signal. A model that asks
/// for its account or for orders becomes an obstacle, and is not asked again. A model that offers its rule
/// [by columns](sextant_domain::ports::SignalColumns) is asked once for all rows, where one bar of each of its series closes
/// at each instant.
///
/// # Errors
/// [`EngineError`] when a model fails or asks for a weight that is not a number.
pub(super) fn gather(
    deciders: Deciders,
    market: &MarketData,
    features: &dyn FeatureSource,
    axis: &Axis<'_>,
    (start, end): (UtcNanos, UtcNanos),
) -> Result<Signals, EngineError> {
    let mut gatherer = Gatherer::new(deciders, market, features);
    gatherer.take_columns(axis)?;
    if gatherer.is_done() {
        // The first row has its regime in any case.
        if let Some(first) = axis.times().first() {
            gatherer.regime(*first, &[], Some(0));
        }
        return Ok(gatherer.signals);
    }
    let mut timeline = Timeline::new(market, end);
    let mut row = 0;
    while let Some(now) = timeline.advance() {
        let trading = now > start;
        gatherer.regime(now, timeline.available(), trading.then_some(row));
        if trading {
            gatherer.decide(now, &timeline, row)?;
            row += 1;
        }
    }
    // Columns came first; within a row models speak in the order of their ids.
    gatherer.signals.targets.sort_by_key(|one| (one.row, one.model));
    Ok(gatherer.signals)
}

struct Gatherer<'a> {
    market: &'a MarketData,
    features: &'a dyn FeatureSource,
    models: Vec<Asked>,
    regime: Option<(Box<dyn RegimeDetector>, Binding)>,
    /// Per series: the models that decide when one of its bars closes.
    triggers: Vec<Vec<usize>>,
    due: Vec<bool>,
    estimate: RegimeEstimate,
    inputs: Vec<RegimeInput>,
    intents: Intents,
    signals: Signals,
}

struct Asked {
    model: Box<dyn Model>,
    binding: Binding,
    is_out: bool,
}

impl<'a> Gatherer<'a> {
    fn new(deciders: Deciders, market: &'a MarketData, features: &'a dyn FeatureSource) -> Self {
        let mut triggers = vec![Vec::new(); market.series().len()];
        for (index, bound) in deciders.models.iter().enumerate() {
            for series in bound.binding.triggers() {
                triggers[series.index()].push(index);
            }
        }
        let models = deciders.models.into_iter().map(|bound| Asked {
            model: bound.model,
            binding: bound.binding,
            is_out: false,
        });
        let models: Vec<_> = models.collect();
        Self {
            market,
            features,
            regime: deciders.regime,
            triggers,
            due: vec![false; models.len()],
            models,
            estimate: RegimeEstimate::default(),
            inputs: Vec::new(),
            intents: Intents::default(),
            signals: Signals::default(),
        }
    }

    /// Takes the targets of models that offer columns and whose series all have the axis as their calendar.
    fn take_columns(&mut self, axis: &Axis<'_>) -> Result<(), EngineError> {
        let decisions = axis.warm_up()..axis.warm_up() + axis.len();
        for index in 0..self.models.len() {
            let binding = &self.models[index].binding;
            let mut series = binding.series().iter().chain(binding.triggers());
            let is_aligned = series.all(|id| axis.is_calendar_of(*id));
            if !is_aligned || binding.triggers().is_empty() {
                continue;
            }
            if let Some(targets) = self.columns_of(index, decisions.clone()) {
                self.models[index].is_out = true;
                self.keep(index, &targets, axis)?;
            }
        }
        Ok(())
    }

    fn columns_of(&self, index: usize, decisions: Range<usize>) -> Option<ColumnTargets> {
        let Asked { model, binding, .. } = &self.models[index];
        let rule = model.by_columns()?;
        let mut targets = ColumnTargets::default();
        let view = ColumnView::new(self.market, self.features, binding, decisions);
        rule.signals(&view, &mut targets);
        Some(targets)
    }

    fn keep(&mut self, index: usize, targets: &ColumnTargets, axis: &Axis<'_>) -> Result<(), EngineError> {
        let Asked { model, binding, .. } = &self.models[index];
        let decisions = axis.warm_up()..axis.warm_up() + axis.len();
        for (bar, instrument, weight) in targets.targets() {
            assert!(
                decisions.contains(bar),
                "model {} gives a target at bar {bar}, outside {decisions:?}",
                model.id()
            );
            let signal = Signal {
                row: bar - axis.warm_up(),
                model: ModelId::from_index(index),
                instrument: binding.instrument(*instrument),
                weight: *weight,
            };
            if !weight.is_finite() {
                let time = axis.times()[signal.row];
                return Err(not_a_number(model.id(), time, &signal, self.market));
            }
            self.signals.targets.push(signal);
        }
        Ok(())
    }

    /// Whether nobody is left to be asked bar by bar.
    fn is_done(&self) -> bool {
        let has_order = self.signals.targets.is_sorted_by_key(|one| (one.row, one.model));
        self.regime.is_none() && has_order && self.models.iter().all(|asked| asked.is_out)
    }

    /// Updates the regime; without a row the run has not begun.
    fn regime(&mut self, now: UtcNanos, available: &[usize], row: Option<usize>) {
        let before = self.estimate;
        if let Some((detector, binding)) = &mut self.regime {
            self.inputs.clear();
            let view = MarketView::new(now, self.market, available, self.features, binding);
            self.estimate = detector.update(&view, &mut self.inputs);
        }
        let is_change = self.estimate != before;
        if let Some(row) = row.filter(|row| is_change || *row == 0) {
            self.signals.regimes.push(RegimeRow {
                row,
                estimate: self.estimate,
                is_change,
                inputs: self.inputs.clone(),
            });
        }
    }

    fn decide(&mut self, now: UtcNanos, timeline: &Timeline<'_>, row: usize) -> Result<(), EngineError> {
        let mut any_due = false;
        for series in timeline.closed() {
            for model in &self.triggers[series.index()] {
                self.due[*model] = true;
                any_due = true;
            }
        }
        if !any_due {
            return Ok(());
        }
        for index in 0..self.models.len() {
            if std::mem::take(&mut self.due[index]) && !self.models[index].is_out {
                self.ask(index, (now, row), timeline.available())?;
            }
        }
        Ok(())
    }

    fn ask(
        &mut self,
        index: usize,
        (now, row): (UtcNanos, usize),
        available: &[usize],
    ) -> Result<(), EngineError> {
        let Asked {
            model,
            binding,
            is_out,
        } = &mut self.models[index];
        let looked = Cell::new(false);
        let view = MarketView::new(now, self.market, available, self.features, binding);
        self.intents.begin(0);
        let decided = model.decide(&view.noting_account_use(&looked), &mut self.intents);
        if let Some(obstacle) = obstacle(model.id(), now, looked.get(), &self.intents) {
            *is_out = true;
            self.signals.obstacles.push(obstacle);
            return Ok(());
        }
        decided.map_err(|source| EngineError::Model {
            model: model.id().to_owned(),
            time: now,
            source,
        })?;
        for intent in self.intents.targets() {
            let signal = Signal {
                row,
                model: ModelId::from_index(index),
                instrument: binding.instrument(intent.instrument),
                weight: intent.weight,
            };
            if !signal.weight.is_finite() {
                return Err(not_a_number(model.id(), now, &signal, self.market));
            }
            self.signals.targets.push(signal);
        }
        Ok(())
    }
}

/// What of a decision needs more than columns.
fn obstacle(model: &str, now: UtcNanos, has_looked: bool, intents: &Intents) -> Option<Obstacle> {
    if has_looked {
        return Some(Obstacle {
            what: format!("model {model} looks at its account (position, profit or news of orders) at {now}"),
            why: "its signal depends on its fills, and columns of signals are made before anything is traded",
            advice: USE_EVENTS,
        });
    }
    (!intents.commands().is_empty()).then(|| Obstacle {
        what: format!("model {model} asks for an order at {now}"),
        why: "orders that wait for a price or hang together have no column; only target weights do",
        advice: "give targets instead, or use the event engine (`--engine event`)",
    })
}

fn not_a_number(model: &str, time: UtcNanos, signal: &Signal, market: &MarketData) -> EngineError {
    EngineError::Weight {
        model: model.to_owned(),
        time,
        symbol: market.instruments().get(signal.instrument).symbol.clone(),
        weight: signal.weight,
    }
}
