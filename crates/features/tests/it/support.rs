//! Markets and features that several tests need.

use sextant_domain::ports::FeatureSource;
use sextant_domain::{BarSeries, FeatureSpec, MarketData, SeriesId, Timeframe};
use sextant_features::{FeatureColumns, FeatureEntry, Parameter, ParameterKind};
use sextant_testkit::bars::{Span, from_fn, instant, round_the_clock};
use sextant_testkit::{MarketBuilder, SplitMix64};

/// The feature with default parameters, with the smallest ones allowed, and with small odd ones.
pub(crate) fn specs(entry: &FeatureEntry) -> [FeatureSpec; 3] {
    let small = |parameter: &Parameter| match parameter.kind {
        ParameterKind::Whole => parameter.min + 5.0,
        ParameterKind::Real => parameter.min + 0.5,
    };
    [
        FeatureSpec::new(entry.name, &[]),
        spec_with(entry, |parameter| parameter.min),
        spec_with(entry, small),
    ]
}

fn spec_with(entry: &FeatureEntry, value: impl Fn(&Parameter) -> f64) -> FeatureSpec {
    let parameters: Vec<_> = entry
        .parameters
        .iter()
        .map(|parameter| (parameter.name, value(parameter)))
        .collect();
    FeatureSpec::new(entry.name, &parameters)
}

/// The first series of the market, and the second one where the feature takes two.
pub(crate) fn first_inputs(entry: &FeatureEntry) -> Vec<SeriesId> {
    (0..entry.inputs.count()).map(SeriesId::from_index).collect()
}

pub(crate) fn column(market: &MarketData, spec: &FeatureSpec, inputs: &[SeriesId]) -> Vec<f64> {
    let mut columns = FeatureColumns::new();
    let id = columns.prepare(spec, inputs, market).unwrap();
    columns.column(id).to_vec()
}

pub(crate) fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// An asset and a benchmark, in this order, on the same daily bars.
pub(crate) fn two_series(asset: BarSeries, benchmark: BarSeries) -> MarketData {
    MarketBuilder::new()
        .equity("AAA", Timeframe::D1)
        .equity("BBB", Timeframe::D1)
        .bars("AAA", Timeframe::D1, asset)
        .bars("BBB", Timeframe::D1, benchmark)
        .build()
}

/// Where a walk stays.
#[derive(Clone, Copy)]
pub(crate) enum Terrain {
    /// Prices from 0.5 to 100,000, moving by two percent a bar.
    Wide,
    /// Prices near 100,000 in whole cents, moving by about a cent a bar: almost everything cancels in a variance.
    HighAndFlat,
}

/// A random walk over days from 1970 on.
pub(crate) fn walk(terrain: Terrain, count: usize, seed: u64) -> BarSeries {
    let mut random = SplitMix64::new(seed);
    let mut close = match terrain {
        Terrain::Wide => 300.0,
        Terrain::HighAndFlat => 99_000.0,
    };
    from_fn(&minutes(count), |_| {
        let open = close;
        close = step(terrain, open, random.bell());
        let wick = 1.0 + 0.01 * random.uniform();
        [open, open.max(close) * wick, open.min(close) / wick, close]
    })
}

fn step(terrain: Terrain, from: f64, shock: f64) -> f64 {
    match terrain {
        Terrain::Wide => {
            let to = from * (1.0 + 0.02 * shock);
            if (0.5..1e5).contains(&to) { to } else { from }
        }
        Terrain::HighAndFlat => ((from + 0.02 * shock) * 100.0).round() / 100.0,
    }
}

pub(crate) fn minutes(count: usize) -> Vec<Span> {
    round_the_clock(instant("2020-01-01"), Timeframe::M1, count)
}
