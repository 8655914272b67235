//! Looking over the shoulder of features and of the regime.

use std::sync::{Arc, Mutex, PoisonError};

use sextant_domain::ports::{FeatureSource, RegimeDetector};
use sextant_domain::{
    FeatureError, FeatureId, FeatureSpec, MarketData, MarketView, RegimeDimension, RegimeEstimate,
    RegimeInput, Requirements, SeriesId, UtcNanos,
};

use crate::trace::{Observed, Stage, Trace, TrackName, Unit};

/// A feature source that remembers what was asked of it.
#[derive(Debug, Clone, Default)]
pub struct WatchedFeatures<F> {
    inner: F,
    asked: Vec<(FeatureId, FeatureSpec, Vec<SeriesId>)>,
}

impl<F: FeatureSource> WatchedFeatures<F> {
    /// Watches a source.
    pub fn new(inner: F) -> Self {
        Self {
            inner,
            asked: Vec::new(),
        }
    }

    /// Adds every column that was asked for to a trace: one value per bar of its first input, at the close of the bar.
    pub fn testify(&self, market: &MarketData, trace: &mut Trace) {
        for (id, spec, inputs) in &self.asked {
            let Some((first, others)) = inputs.split_first() else {
                continue;
            };
            let main = market.get(*first);
            let mut quantity = format!("{spec} on {}", main.timeframe);
            for other in others {
                quantity.push_str(&format!(" with {}", series_name(market, *other)));
            }
            let symbol = &market.instruments().get(main.instrument).symbol;
            let name = TrackName::new(Stage::Feature, quantity, Unit::Words).of(symbol);
            let times = main.bars.close_times().iter().copied();
            let values = self.inner.column(*id).iter().copied().map(Observed::from);
            trace.extend(name, times.zip(values));
        }
    }
}

fn series_name(market: &MarketData, id: SeriesId) -> String {
    let series = market.get(id);
    let symbol = &market.instruments().get(series.instrument).symbol;
    format!("{symbol} {}", series.timeframe)
}

impl<F: FeatureSource> FeatureSource for WatchedFeatures<F> {
    fn prepare(
        &mut self,
        spec: &FeatureSpec,
        inputs: &[SeriesId],
        market: &MarketData,
    ) -> Result<FeatureId, FeatureError> {
        let id = self.inner.prepare(spec, inputs, market)?;
        if !self.asked.iter().any(|(known, ..)| *known == id) {
            self.asked.push((id, spec.clone(), inputs.to_vec()));
        }
        Ok(id)
    }

    #[inline]
    fn column(&self, id: FeatureId) -> &[f64] {
        self.inner.column(id)
    }
}

/// What a watched detector has said.
#[derive(Debug, Clone, Default)]
pub struct RegimeLog(Arc<Mutex<Vec<Said>>>);

/// When, the labels, and the numbers behind them.
type Said = (UtcNanos, RegimeEstimate, Vec<RegimeInput>);

impl RegimeLog {
    /// Adds every estimate and the numbers behind it to a trace.
    pub fn testify(&self, trace: &mut Trace) {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (time, estimate, inputs) in said.iter() {
            for dimension in RegimeDimension::ALL {
                let name = TrackName::new(Stage::Regime, dimension.name(), Unit::Plain);
                trace.record(name, *time, estimate.label(dimension));
            }
            for input in inputs {
                let quantity = format!("{} {}", input.dimension.name(), input.name);
                trace.record(
                    TrackName::new(Stage::Regime, quantity, Unit::Words),
                    *time,
                    input.value,
                );
            }
        }
    }
}

struct WatchedRegime {
    inner: Box<dyn RegimeDetector>,
    log: RegimeLog,
}

/// The detector with a log of every estimate, also of those that change no label.
pub fn watch_regime(inner: Box<dyn RegimeDetector>) -> (Box<dyn RegimeDetector>, RegimeLog) {
    let log = RegimeLog::default();
    let watched = WatchedRegime {
        inner,
        log: log.clone(),
    };
    (Box::new(watched), log)
}

impl RegimeDetector for WatchedRegime {
    fn requirements(&self) -> &Requirements {
        self.inner.requirements()
    }

    fn update(&mut self, view: &MarketView<'_>, inputs: &mut Vec<RegimeInput>) -> RegimeEstimate {
        let estimate = self.inner.update(view, inputs);
        let mut said = self.log.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.push((view.as_of(), estimate, inputs.clone()));
        estimate
    }
}
