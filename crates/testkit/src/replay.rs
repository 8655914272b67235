//! Runs a model or a regime detector over a market, bar close by bar close, without portfolio, risk or orders.

use sextant_domain::ports::{FeatureSource, Model, RegimeDetector};
use sextant_domain::{
    Binding, Intents, MarketData, MarketView, OrderCommand, RegimeEstimate, RegimeInput, Requirements,
    SeriesId, UtcNanos,
};

/// What a model asked for at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// When.
    pub time: UtcNanos,
    /// Symbol and target weight, in the order in which the model gave them.
    pub targets: Vec<(String, f64)>,
    /// Explicit orders.
    pub orders: Vec<OrderCommand>,
}

/// What a regime detector said at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct RegimeStep {
    /// When.
    pub time: UtcNanos,
    /// The labels.
    pub estimate: RegimeEstimate,
    /// The numbers they were decided on.
    pub inputs: Vec<RegimeInput>,
}

/// A market with a feature source, ready to be replayed.
///
/// Steps are the close times of all bars of the market, each once, oldest first. A model is asked at every step at which
/// one of its triggers has closed, a detector at every step. The account of a model is empty: it is as if its orders
/// were never filled.
pub struct Replay<'a> {
    market: &'a MarketData,
    features: &'a mut dyn FeatureSource,
    start: UtcNanos,
}

impl<'a> Replay<'a> {
    /// A replay from the first bar on.
    pub fn new(market: &'a MarketData, features: &'a mut dyn FeatureSource) -> Self {
        Self {
            market,
            features,
            start: UtcNanos::MIN,
        }
    }

    /// The same with the first step at or after `start`; earlier bars are history.
    pub fn starting(self, start: UtcNanos) -> Self {
        Self { start, ..self }
    }

    /// Every decision of a model that asked for something.
    ///
    /// # Panics
    /// When its requirements are not met or it fails.
    pub fn decisions(&mut self, model: &mut dyn Model) -> Vec<Decision> {
        let binding = self.bind(model.id(), model.requirements());
        let symbols = model.requirements().instruments().to_vec();
        let (mut decisions, mut out) = (Vec::new(), Intents::default());
        self.each_step(&binding, |view, closed| {
            if !binding.triggers().iter().any(|trigger| closed.contains(trigger)) {
                return;
            }
            out.begin(out.requests());
            model
                .decide(view, &mut out)
                .unwrap_or_else(|error| panic!("the model failed: {error}"));
            if !out.is_empty() {
                decisions.push(decision(view.as_of(), &out, &symbols));
            }
        });
        decisions
    }

    /// Every estimate of a regime detector.
    ///
    /// # Panics
    /// When its requirements are not met.
    pub fn regimes(&mut self, detector: &mut dyn RegimeDetector) -> Vec<RegimeStep> {
        let binding = self.bind("regime", detector.requirements());
        let mut steps = Vec::new();
        self.each_step(&binding, |view, _| {
            let mut inputs = Vec::new();
            let estimate = detector.update(view, &mut inputs);
            steps.push(RegimeStep {
                time: view.as_of(),
                estimate,
                inputs,
            });
        });
        steps
    }

    fn bind(&mut self, owner: &str, requirements: &Requirements) -> Binding {
        Binding::resolve(owner, requirements, self.market, self.features)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Calls `act` with the view and the series whose bars closed, at every step from the start on.
    fn each_step(&self, binding: &Binding, mut act: impl FnMut(&MarketView<'_>, &[SeriesId])) {
        let mut available = vec![0; self.market.series().len()];
        let mut closed = Vec::new();
        for time in close_times(self.market) {
            closed.clear();
            for (index, series) in self.market.series().iter().enumerate() {
                let known = series
                    .bars
                    .view()
                    .close_time
                    .partition_point(|close| *close <= time);
                if known > available[index] {
                    available[index] = known;
                    closed.push(SeriesId::from_index(index));
                }
            }
            if time >= self.start {
                act(
                    &MarketView::new(time, self.market, &available, &*self.features, binding),
                    &closed,
                );
            }
        }
    }
}

fn decision(time: UtcNanos, out: &Intents, symbols: &[String]) -> Decision {
    let targets = out
        .targets()
        .iter()
        .map(|one| (symbols[one.instrument.position()].clone(), one.weight));
    Decision {
        time,
        targets: targets.collect(),
        orders: out.commands().to_vec(),
    }
}

fn close_times(market: &MarketData) -> Vec<UtcNanos> {
    let mut times: Vec<_> = market
        .series()
        .iter()
        .flat_map(|series| series.bars.view().close_time)
        .copied()
        .collect();
    times.sort_unstable();
    times.dedup();
    times
}

#[cfg(test)]
mod tests {
    use sextant_domain::ports::ModelError;
    use sextant_domain::{FeatureRef, InstrumentRef, SeriesRef, Timeframe};

    use super::*;
    use crate::bars::{daily_sessions, half_sessions, instant};
    use crate::{FormulaFeatures, MarketBuilder};

    /// Wants the daily mean as a weight whenever it is asked and the daily bar is new.
    struct MeanModel {
        requirements: Requirements,
        instrument: InstrumentRef,
        days: SeriesRef,
        mean: FeatureRef,
    }

    impl MeanModel {
        fn new() -> Self {
            let mut requirements = Requirements::new();
            let instrument = requirements.trade("SPY");
            let days = requirements.series("SPY", Timeframe::D1);
            let mean = requirements.feature("sma", &[("period", 2.0)], days);
            Self {
                requirements,
                instrument,
                days,
                mean,
            }
        }
    }

    impl Model for MeanModel {
        fn id(&self) -> &str {
            "mean"
        }

        fn requirements(&self) -> &Requirements {
            &self.requirements
        }

        fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
            if let Some(mean) = view.feature(self.mean).filter(|_| view.closed_now(self.days)) {
                out.target(self.instrument, mean);
            }
            Ok(())
        }
    }

    fn market() -> MarketData {
        let start = instant("2020-01-06");
        MarketBuilder::new()
            .equity("SPY", Timeframe::H4)
            .closes(
                "SPY",
                Timeframe::H4,
                &half_sessions(start, 3),
                &[1.0, 1.0, 1.0, 2.0, 2.0, 4.0],
            )
            .closes("SPY", Timeframe::D1, &daily_sessions(start, 3), &[1.0, 2.0, 4.0])
            .build()
    }

    #[test]
    fn a_model_sees_daily_values_from_the_session_close_on() {
        let market = market();
        let mut features = FormulaFeatures::reference();
        let decisions = Replay::new(&market, &mut features).decisions(&mut MeanModel::new());
        let found: Vec<_> = decisions
            .iter()
            .map(|one| (one.time.to_string(), one.targets[0].1))
            .collect();
        let expected = [
            ("2020-01-07T21:00:00Z".to_owned(), 1.5),
            ("2020-01-08T21:00:00Z".to_owned(), 3.0),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_start_leaves_out_earlier_steps_but_keeps_their_history() {
        let market = market();
        let mut features = FormulaFeatures::reference();
        let mut replay = Replay::new(&market, &mut features).starting(instant("2020-01-08"));
        let decisions = replay.decisions(&mut MeanModel::new());
        assert_eq!(decisions.len(), 1);
        assert_eq!(decisions[0].targets, [("SPY".to_owned(), 3.0)]);
    }
}
