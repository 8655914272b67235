//! How much history a model or detector needs, from the features it asks for.

use sextant_domain::{FeatureError, Requirements, SeriesKey};

use crate::resolve::resolve;

/// The bars of one series that must have closed for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The series.
    pub series: SeriesKey,
    /// Bars until every feature of the series has a value; 1 where none is asked for.
    pub first_value: usize,
    /// Bars from which on no feature depends on where history starts: to the last bit for windowed features, to 1e-9 of
    /// its scale for recursive ones. At least `first_value`.
    pub settled: usize,
}

/// The history of every series of some requirements, in their order.
///
/// A feature of two series needs as many bars of each: its second input is read at the closes of the first. That is
/// enough where the second has no coarser bars than the first; of finer ones it needs as many more as they are finer.
/// What a model reads of the bars themselves beside the newest is not in its requirements and not counted here.
///
/// # Errors
/// [`FeatureError`] for an unknown feature or parameter, as [`resolve`].
pub fn history_needed(requirements: &Requirements) -> Result<Vec<History>, FeatureError> {
    let mut needed: Vec<History> = requirements
        .series_keys()
        .iter()
        .map(|series| History {
            series: series.clone(),
            first_value: 1,
            settled: 1,
        })
        .collect();
    for feature in requirements.features() {
        let resolved = resolve(&feature.spec)?;
        let main = feature
            .inputs
            .first()
            .map(|input| needed[input.position()].series.timeframe);
        for input in &feature.inputs {
            let one = &mut needed[input.position()];
            // A finer input has several bars to one of the main series.
            let finer = main.map_or(1, |main| (main.nanos() / one.series.timeframe.nanos()).max(1));
            let bars = |count: usize| count * usize::try_from(finer).unwrap_or(1);
            one.first_value = one.first_value.max(bars(resolved.warm_up_bars()));
            one.settled = one.settled.max(bars(resolved.settled_bars()));
        }
    }
    Ok(needed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sextant_domain::{FeatureSpec, Timeframe};

    use super::*;

    #[test]
    fn the_longest_feature_of_each_series_counts() {
        let mut requirements = Requirements::new();
        let days = requirements.series("SPY", Timeframe::D1);
        let hours = requirements.series("SPY", Timeframe::H4);
        requirements.series("QQQ", Timeframe::D1);
        requirements.feature("sma", &[("period", 200.0)], days);
        requirements.feature("sma", &[("period", 50.0)], days);
        requirements.feature("rsi", &[("period", 14.0)], hours);
        let needed = history_needed(&requirements).unwrap();
        let numbers: Vec<_> = needed.iter().map(|one| (one.first_value, one.settled)).collect();
        // The RSI has its first value with bar 15 and forgets its start in 373 more.
        assert_eq!(numbers, [(200, 200), (15, 388), (1, 1)]);
    }

    #[test]
    fn a_finer_benchmark_needs_more_bars() {
        let mut requirements = Requirements::new();
        let asset = requirements.series("AAA", Timeframe::D1);
        let benchmark = requirements.series("BBB", Timeframe::H4);
        let spec = FeatureSpec::new("beta", &[("period", 20.0)]);
        requirements.feature_of(spec, vec![asset, benchmark]);
        let needed = history_needed(&requirements).unwrap();
        assert_eq!(needed[1].first_value, 6 * needed[0].first_value);
        requirements.feature("nonsense", &[], asset);
        assert!(history_needed(&requirements).is_err());
    }
}
