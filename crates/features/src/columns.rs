//! Features as columns over the bars of a backtest.

use std::collections::BTreeMap;

use sextant_domain::ports::FeatureSource;
use sextant_domain::{BarsView, FeatureError, FeatureId, FeatureSpec, MarketData, SeriesId};

use crate::kernel::{Rows, stretches};
use crate::registry::Inputs;
use crate::resolve::{ResolvedFeature, resolve};

/// Feature columns of one market, computed when asked for and kept.
///
/// A column has one value per bar of the feature's first input, NaN while warming up or undefined. It is the fold of
/// the streaming operator over those bars, begun afresh after a hole of more than thirty days. All calls of [`prepare`](FeatureSource::prepare) must pass the same market;
/// another market needs columns of its own.
#[derive(Debug, Clone, Default)]
pub struct FeatureColumns {
    columns: Vec<Vec<f64>>,
    ids: BTreeMap<Key, FeatureId>,
    /// Per series that was asked for: the edges of its stretches without a hole.
    stretches: BTreeMap<SeriesId, Vec<usize>>,
}

/// Registered name, bits of every parameter, inputs.
type Key = (&'static str, Vec<u64>, Vec<SeriesId>);

impl FeatureColumns {
    /// No columns yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl FeatureSource for FeatureColumns {
    /// Computes the column, unless an equal one is there already; left-out parameters equal their defaults.
    ///
    /// # Panics
    /// When an input is not a series of the market, or a column of another market is found.
    fn prepare(
        &mut self,
        spec: &FeatureSpec,
        inputs: &[SeriesId],
        market: &MarketData,
    ) -> Result<FeatureId, FeatureError> {
        let feature = resolve(spec)?;
        let expected = feature.entry().inputs.count();
        if inputs.len() != expected {
            return Err(FeatureError::Inputs {
                name: spec.name.clone(),
                expected,
                found: inputs.len(),
            });
        }
        let bits = feature.values().iter().map(|value| value.to_bits()).collect();
        let key = (feature.entry().name, bits, inputs.to_vec());
        if let Some(id) = self.ids.get(&key) {
            let (found, bars) = (self.column(*id).len(), market.get(inputs[0]).bars.len());
            assert_eq!(
                found, bars,
                "{spec} was prepared on a market with another number of bars"
            );
            return Ok(*id);
        }
        let id = FeatureId::from_index(self.columns.len());
        let bars = market.get(inputs[0]).bars.view();
        let edges = self.stretches.entry(inputs[0]).or_insert_with(|| stretches(bars));
        assert_eq!(
            edges.last(),
            Some(&bars.len()),
            "{spec} was asked for on a market with another number of bars"
        );
        self.columns.push(compute(&feature, inputs, market, edges));
        self.ids.insert(key, id);
        Ok(id)
    }

    /// # Panics
    /// When the id was not handed out by [`prepare`](FeatureSource::prepare) of this source.
    #[inline]
    fn column(&self, id: FeatureId) -> &[f64] {
        &self.columns[id.index()]
    }
}

fn compute(feature: &ResolvedFeature, inputs: &[SeriesId], market: &MarketData, edges: &[usize]) -> Vec<f64> {
    let bars = market.get(inputs[0]).bars.view();
    let benchmark = match feature.entry().inputs {
        Inputs::Close | Inputs::Bars | Inputs::BarsAndVolume => Vec::new(),
        Inputs::AssetAndBenchmark => closes_as_of(bars, market.get(inputs[1]).bars.view()),
    };
    let mut column = Vec::with_capacity(bars.len());
    let rows = Rows {
        bars,
        benchmark: &benchmark,
    };
    for stretch in rows.parts(edges) {
        feature.kernel().fold(stretch, &mut column);
    }
    column
}

/// For each bar the newest close of `other` that was known when the bar closed; NaN where there was none.
fn closes_as_of(bars: BarsView<'_>, other: BarsView<'_>) -> Vec<f64> {
    let mut known = 0;
    let closes = bars.close_time.iter().map(|now| {
        known += other.close_time[known..]
            .iter()
            .take_while(|time| *time <= now)
            .count();
        other.close[..known].last().copied().unwrap_or(f64::NAN)
    });
    closes.collect()
}
