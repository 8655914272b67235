//! Target weights of the whole portfolio, with each model's contribution.

use crate::{InstrumentId, ModelId};

/// Signed fractions of portfolio equity per instrument, divided by model.
///
/// Dense: a row per model, a column per instrument. `net` is always the sum of the contributions. A model *manages* an
/// instrument when it has given it a target, and an instrument is managed when some model manages it; other positions
/// belong to explicit orders and are shown here at their present weight so that limits can count them.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetWeights {
    instruments: usize,
    contributions: Vec<f64>,
    net: Vec<f64>,
    managed: Vec<bool>,
    managed_by: Vec<bool>,
}

impl TargetWeights {
    /// All zero and unmanaged.
    pub fn new(models: usize, instruments: usize) -> Self {
        Self {
            instruments,
            contributions: vec![0.0; models * instruments],
            net: vec![0.0; instruments],
            managed: vec![false; instruments],
            managed_by: vec![false; models * instruments],
        }
    }

    /// Makes all zero and unmanaged again, keeping the memory.
    pub fn clear(&mut self) {
        self.contributions.fill(0.0);
        self.net.fill(0.0);
        self.managed.fill(false);
        self.managed_by.fill(false);
    }

    /// Adds one model's target; the instrument becomes managed.
    pub fn add_target(&mut self, model: ModelId, instrument: InstrumentId, weight: f64) {
        self.add(model, instrument, weight);
        self.managed[instrument.index()] = true;
        self.managed_by[model.index() * self.instruments + instrument.index()] = true;
    }

    /// Adds a position that no target governs.
    pub fn add_unmanaged(&mut self, model: ModelId, instrument: InstrumentId, weight: f64) {
        self.add(model, instrument, weight);
    }

    fn add(&mut self, model: ModelId, instrument: InstrumentId, weight: f64) {
        self.contributions[model.index() * self.instruments + instrument.index()] += weight;
        self.net[instrument.index()] += weight;
    }

    /// Net weight per instrument.
    #[inline]
    pub fn net(&self) -> &[f64] {
        &self.net
    }

    /// Whether targets govern the instrument.
    #[inline]
    pub fn is_managed(&self, instrument: InstrumentId) -> bool {
        self.managed[instrument.index()]
    }

    /// Whether a target of this model governs its position in the instrument.
    #[inline]
    pub fn is_managed_by(&self, model: ModelId, instrument: InstrumentId) -> bool {
        self.managed_by[model.index() * self.instruments + instrument.index()]
    }

    /// Every model's part in every instrument, model by model.
    #[inline]
    pub fn contributions(&self) -> &[f64] {
        &self.contributions
    }

    /// One model's part.
    #[inline]
    pub fn contribution(&self, model: ModelId, instrument: InstrumentId) -> f64 {
        self.contributions[model.index() * self.instruments + instrument.index()]
    }

    /// The number of models.
    pub fn models(&self) -> usize {
        self.contributions
            .len()
            .checked_div(self.instruments)
            .unwrap_or(0)
    }

    /// Multiplies every contribution of an instrument. The gate calls it with factors from 0 to 1.
    pub(crate) fn scale(&mut self, instrument: usize, factor: f64) {
        // Zero times NaN is NaN, but a weight that must go is gone whatever it was.
        let scaled = |weight: f64| if factor == 0.0 { 0.0 } else { weight * factor };
        self.net[instrument] = scaled(self.net[instrument]);
        for row in self.contributions.chunks_exact_mut(self.instruments) {
            row[instrument] = scaled(row[instrument]);
        }
    }
}
