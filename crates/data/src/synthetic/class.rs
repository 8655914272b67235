//! The instruments of one class, driven by what they share.

use sextant_domain::AssetClass;

use super::SyntheticError;
use super::asset::{Asset, AssetPath, DayConditions};
use super::latent::{LogVolatility, Regime};
use super::parameters::{AssetParameters, ClassParameters};
use super::random::RandomStream;
use super::schedule::{Gap, TradingDay};

/// What a class goes through: its days, the regime of each, and the world factor on the grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course<'a> {
    /// Trading days.
    pub(super) days: &'a [TradingDay],
    /// Regime of each day.
    pub(super) regimes: &'a [Regime],
    /// World factor, one standard normal per step of the grid.
    pub(super) global: &'a [f64],
}

/// A simulated class.
#[derive(Debug)]
pub(super) struct ClassPath {
    /// The class.
    pub(super) class: AssetClass,
    /// Volatility of each day, a year, without the fat-tail factor.
    pub(super) vol_annual: Vec<f64>,
    /// The instruments.
    pub(super) assets: Vec<AssetPath>,
}

/// The class factor over one day: standard normals.
#[derive(Debug, Default)]
pub(super) struct DayFactor {
    /// Over the closed hours; zero where there are none.
    pub(super) gap: f64,
    /// Over each step.
    pub(super) steps: Vec<f64>,
}

impl DayFactor {
    /// The shock of the whole day, standardised.
    fn standardised(&self, day: &TradingDay) -> f64 {
        let gap_variance = day.gap.as_ref().map_or(0.0, |gap| gap.variance);
        let moves = self
            .steps
            .iter()
            .zip(&day.variances)
            .map(|(shock, variance)| shock * variance.sqrt());
        let total: f64 = self.gap * gap_variance.sqrt() + moves.sum::<f64>();
        total / (gap_variance + day.variances.iter().sum::<f64>()).sqrt()
    }
}

/// Simulates the instruments of a class over its course.
pub(super) fn simulate(
    seed: u64,
    parameters: &'static ClassParameters,
    assets: &'static [AssetParameters],
    course: Course<'_>,
) -> Result<ClassPath, SyntheticError> {
    let mut volatility = LogVolatility::new(seed, parameters);
    let mut mixing = RandomStream::new(seed, parameters.streams.mixing);
    let mut factors = FactorSource::new(seed, parameters, course.global);
    let mut running: Vec<Asset> = assets
        .iter()
        .map(|asset| Asset::new(seed, parameters, asset))
        .collect();
    let mut vol_annual = Vec::with_capacity(course.days.len());
    for (day, regime) in course.days.iter().zip(course.regimes) {
        let regime = parameters.regimes[*regime as usize];
        vol_annual.push(regime.vol_annual * volatility.factor());
        let conditions = DayConditions {
            drift_annual: regime.drift_annual,
            vol_annual: regime.vol_annual * volatility.factor() * mixing.mixing_variance().sqrt(),
        };
        let factor = factors.day(day);
        running
            .iter_mut()
            .try_for_each(|asset| asset.trade_day(day, conditions, factor))?;
        volatility.advance(factor.standardised(day));
    }
    Ok(ClassPath {
        class: parameters.class,
        vol_annual,
        assets: running.into_iter().map(Asset::into_path).collect(),
    })
}

/// Mixes the world factor with the class's own shocks.
#[derive(Debug)]
struct FactorSource<'a> {
    loading: f64,
    stream: RandomStream,
    global: &'a [f64],
    factor: DayFactor,
}

impl<'a> FactorSource<'a> {
    fn new(seed: u64, parameters: &ClassParameters, global: &'a [f64]) -> Self {
        Self {
            loading: parameters.global_loading,
            stream: RandomStream::new(seed, parameters.streams.factor),
            global,
            factor: DayFactor::default(),
        }
    }

    fn day(&mut self, day: &TradingDay) -> &DayFactor {
        let mut factor = std::mem::take(&mut self.factor);
        factor.gap = day.gap.as_ref().map_or(0.0, |gap| self.over_gap(gap));
        factor.steps.clear();
        let last_step = day.first_step + day.variances.len();
        factor
            .steps
            .extend((day.first_step..last_step).map(|step| self.mixed(self.global[step])));
        self.factor = factor;
        &self.factor
    }

    /// The world factor of the closed hours, summed and standardised, mixed with one shock of the class.
    fn over_gap(&mut self, gap: &Gap) -> f64 {
        let hours = &self.global[gap.steps.clone()];
        let count = hours.len().max(1) as f64;
        self.mixed(hours.iter().sum::<f64>() / count.sqrt())
    }

    fn mixed(&mut self, global: f64) -> f64 {
        self.loading * global + (1.0 - self.loading * self.loading).sqrt() * self.stream.normal()
    }
}
