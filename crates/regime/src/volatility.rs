//! Low, normal or high volatility, from the VIX or from the index's own history.

use sextant_domain::{
    FeatureRef, MacroRef, MarketView, Requirements, SeriesRef, Timeframe, VolatilityRegime,
};

use crate::inputs::{Recorder, age_days, fresh_close, fresh_value};
use crate::volatility_config::{RealisedVolatilityInput, VixMeasure, VolatilityRegimeConfig};

/// The feature wants to know how many periods a year has; a rank does not depend on it.
const ANY_PERIODS_PER_YEAR: f64 = 252.0;

/// The rules, bound to what they read.
#[derive(Debug)]
pub(crate) struct VolatilityRule {
    vix: Option<VixRule>,
    realised: Option<RealisedRule>,
}

#[derive(Debug)]
struct VixRule {
    series: MacroRef,
    measure: VixMeasure,
    max_age_days: u32,
}

#[derive(Debug)]
struct RealisedRule {
    daily: SeriesRef,
    rank: FeatureRef,
    low_below: f64,
    high_above: f64,
    max_age_days: u32,
}

impl VolatilityRule {
    pub(crate) fn new(config: &VolatilityRegimeConfig, requirements: &mut Requirements) -> Self {
        Self {
            vix: config.vix.as_ref().map(|input| VixRule {
                series: requirements.macro_series(&input.series),
                measure: input.measure,
                max_age_days: input.max_age_days,
            }),
            realised: config
                .realised
                .as_ref()
                .map(|input| RealisedRule::new(input, requirements)),
        }
    }

    /// The label; `Unknown` when no input has a value. Every input is read and recorded, whichever decides.
    pub(crate) fn label(&self, view: &MarketView<'_>, mut recorder: Recorder<'_>) -> VolatilityRegime {
        let by_vix = self.vix.as_ref().and_then(|rule| rule.label(view, &mut recorder));
        let by_rank = self
            .realised
            .as_ref()
            .and_then(|rule| rule.label(view, &mut recorder));
        by_vix.or(by_rank).unwrap_or(VolatilityRegime::Unknown)
    }
}

impl VixRule {
    fn label(&self, view: &MarketView<'_>, recorder: &mut Recorder<'_>) -> Option<VolatilityRegime> {
        let value = recorder.note("vix", fresh_value(view, self.series, self.max_age_days));
        recorder.note("vix_age_days", age_days(view, self.series));
        match self.measure {
            VixMeasure::Level {
                low_below,
                high_above,
            } => Some(zone(value?, low_below, high_above)),
            VixMeasure::Percentile {
                lookback_values,
                low_below,
                high_above,
            } => {
                let rank =
                    value.and_then(|_| rank_of_newest(view.macro_history(self.series), lookback_values));
                recorder.note("vix_percentile", rank);
                Some(zone(rank?, low_below, high_above))
            }
        }
    }
}

impl RealisedRule {
    fn new(input: &RealisedVolatilityInput, requirements: &mut Requirements) -> Self {
        let daily = requirements.series(&input.symbol, Timeframe::D1);
        let parameters = [
            ("period", f64::from(input.period_days)),
            ("lookback", f64::from(input.lookback_days)),
            ("periods_per_year", ANY_PERIODS_PER_YEAR),
        ];
        Self {
            daily,
            rank: requirements.feature("volatility_percentile", &parameters, daily),
            low_below: input.low_below,
            high_above: input.high_above,
            max_age_days: input.max_age_days,
        }
    }

    fn label(&self, view: &MarketView<'_>, recorder: &mut Recorder<'_>) -> Option<VolatilityRegime> {
        let rank = fresh_close(view, self.daily, self.max_age_days).and_then(|_| view.feature(self.rank));
        let rank = recorder.note("realised_volatility_percentile", rank)?;
        Some(zone(rank, self.low_below, self.high_above))
    }
}

fn zone(value: f64, low_below: f64, high_above: f64) -> VolatilityRegime {
    if value < low_below {
        VolatilityRegime::Low
    } else if value > high_above {
        VolatilityRegime::High
    } else {
        VolatilityRegime::Normal
    }
}

/// Where the newest value stands among the `lookback - 1` before it: the fraction of them that are below it, equal ones
/// counting half. `None` until there are `lookback` values.
fn rank_of_newest(values: &[f64], lookback: u32) -> Option<f64> {
    let window = &values[values.len().checked_sub(lookback as usize)?..];
    let (newest, others) = window.split_last()?;
    let below = others.iter().filter(|value| *value < newest).count() as f64;
    let equal = others.iter().filter(|value| *value == newest).count() as f64;
    Some((below + 0.5 * equal) / others.len() as f64)
}

#[cfg(test)]
mod tests {
    use VolatilityRegime::{High, Low, Normal, Unknown};
    use sextant_domain::{MarketData, RegimeDimension, RegimeInput, UtcNanos};
    use sextant_testkit::bars::{daily_sessions, instant};
    use sextant_testkit::{FixedFeatures, MarketBuilder, RegimeStep, Replay};

    use super::*;
    use crate::{RegimeConfig, RuleRegimeDetector, VixInput};

    const RANK: &str = "volatility_percentile(lookback=252, period=20, periods_per_year=252)";

    /// Sessions from Monday 2020-01-06 on that close at 21:00, and a VIX published as given.
    fn market(days: usize, vix: Option<&[(&str, f64)]>) -> MarketData {
        let spans = daily_sessions(instant("2020-01-06"), days);
        let market =
            MarketBuilder::new()
                .equity("SPY", Timeframe::D1)
                .random("SPY", Timeframe::D1, &spans, 1);
        let times = |values: &[(&str, f64)]| -> Vec<(UtcNanos, f64)> {
            values
                .iter()
                .map(|(time, value)| (instant(time), *value))
                .collect()
        };
        match vix {
            Some(values) => market.macro_series("vix", &times(values)).build(),
            None => market.build(),
        }
    }

    fn steps(config: VolatilityRegimeConfig, market: &MarketData, ranks: &[f64]) -> Vec<RegimeStep> {
        let config = RegimeConfig {
            volatility: Some(config),
            ..RegimeConfig::default()
        };
        let mut features = FixedFeatures::new().with("SPY", Timeframe::D1, RANK, ranks.to_vec());
        let mut detector = RuleRegimeDetector::new(&config).unwrap();
        Replay::new(market, &mut features).regimes(&mut detector)
    }

    fn labels(steps: &[RegimeStep]) -> Vec<VolatilityRegime> {
        steps.iter().map(|step| step.estimate.volatility).collect()
    }

    fn vix_only(measure: VixMeasure) -> VolatilityRegimeConfig {
        VolatilityRegimeConfig {
            vix: Some(VixInput {
                measure,
                ..VixInput::default()
            }),
            realised: None,
        }
    }

    fn rank_only() -> VolatilityRegimeConfig {
        VolatilityRegimeConfig {
            vix: None,
            realised: Some(RealisedVolatilityInput::new("SPY")),
        }
    }

    #[test]
    fn the_rank_of_realised_volatility_has_two_thresholds() {
        let ranks = [f64::NAN, 0.0, 0.24, 0.25, 0.5, 0.75, 0.76, 1.0];
        let found = steps(rank_only(), &market(ranks.len(), None), &ranks);
        assert_eq!(
            labels(&found),
            [Unknown, Low, Low, Normal, Normal, Normal, High, High]
        );
        let input = |value| RegimeInput {
            dimension: RegimeDimension::Volatility,
            name: "realised_volatility_percentile",
            value,
        };
        assert_eq!(found[0].inputs, [input(None)]);
        assert_eq!(found[2].inputs, [input(Some(0.24))]);
    }

    #[test]
    fn the_level_of_the_vix_has_two_thresholds() {
        let published = [
            ("2020-01-06T20:00:00Z", 14.9),
            ("2020-01-07T20:00:00Z", 15.0),
            ("2020-01-08T20:00:00Z", 25.0),
            ("2020-01-09T20:00:00Z", 25.1),
        ];
        let found = steps(
            vix_only(VixMeasure::default()),
            &market(4, Some(&published)),
            &[0.5; 4],
        );
        assert_eq!(labels(&found), [Low, Normal, Normal, High]);
    }

    /// A value published after the session's close decides at the next close.
    #[test]
    fn a_value_counts_from_its_publication_on() {
        let published = [
            ("2020-01-06T21:00:00Z", 10.0),
            ("2020-01-07T21:00:00.000000001Z", 40.0),
            ("2020-01-08T21:30:00Z", 20.0),
        ];
        let found = steps(
            vix_only(VixMeasure::default()),
            &market(4, Some(&published)),
            &[0.5; 4],
        );
        assert_eq!(labels(&found), [Low, Low, High, Normal]);
    }

    #[test]
    fn the_vix_goes_first_where_it_is_present_and_fresh() {
        let both = VolatilityRegimeConfig::new("SPY");
        let ranks = [0.9; 10];
        assert_eq!(
            labels(&steps(both.clone(), &market(1, None), &ranks[..1])),
            [High],
            "no such series"
        );
        let late = market(10, Some(&[("2020-01-07T20:00:00Z", 10.0)]));
        let found = labels(&steps(both.clone(), &late, &ranks));
        // Not published on Monday; then there; from Friday 2020-01-17 at 21:00 more than ten days old.
        assert_eq!(found, [High, Low, Low, Low, Low, Low, Low, Low, Low, High]);
        let alone = labels(&steps(vix_only(VixMeasure::default()), &late, &ranks));
        assert_eq!((alone[0], alone[8], alone[9]), (Unknown, Low, Unknown));
    }

    #[test]
    fn a_value_that_is_too_old_is_recorded_as_missing_with_its_age() {
        let late = market(10, Some(&[("2020-01-07T21:00:00Z", 10.0)]));
        let found = steps(vix_only(VixMeasure::default()), &late, &[0.5; 10]);
        let last = found.last().unwrap();
        assert_eq!(last.estimate.volatility, Low, "ten days to the nanosecond");
        assert_eq!((last.inputs[0].name, last.inputs[0].value), ("vix", Some(10.0)));
        assert_eq!(
            (last.inputs[1].name, last.inputs[1].value),
            ("vix_age_days", Some(10.0))
        );
        let earlier = market(10, Some(&[("2020-01-07T20:59:00Z", 10.0)]));
        let last = steps(vix_only(VixMeasure::default()), &earlier, &[0.5; 10])
            .pop()
            .unwrap();
        assert_eq!((last.estimate.volatility, last.inputs[0].value), (Unknown, None));
        assert!(last.inputs[1].value.is_some_and(|age| age > 10.0));
    }

    #[test]
    fn the_rank_of_the_vix_needs_its_lookback() {
        let measure = VixMeasure::Percentile {
            lookback_values: 4,
            low_below: 0.3,
            high_above: 0.8,
        };
        let published = [
            ("2020-01-06T20:00:00Z", 20.0),
            ("2020-01-07T20:00:00Z", 30.0),
            ("2020-01-08T20:00:00Z", 40.0),
            ("2020-01-09T20:00:00Z", 35.0),
            ("2020-01-10T20:00:00Z", 10.0),
            ("2020-01-13T20:00:00Z", 50.0),
        ];
        let found = steps(vix_only(measure), &market(6, Some(&published)), &[0.5; 6]);
        assert_eq!(labels(&found), [Unknown, Unknown, Unknown, Normal, Low, High]);
        let ranks: Vec<_> = found.iter().map(|step| step.inputs[2].value).collect();
        assert_eq!(ranks, [None, None, None, Some(2.0 / 3.0), Some(0.0), Some(1.0)]);
    }

    #[test]
    fn equal_values_count_half() {
        let rows: [(&[f64], u32, Option<f64>); 6] = [
            (&[], 2, None),
            (&[1.0], 2, None),
            (&[1.0, 1.0], 2, Some(0.5)),
            (&[9.0, 1.0, 2.0], 2, Some(1.0)),
            (&[3.0, 1.0, 2.0, 2.0, 2.0], 5, Some(0.5)),
            (&[3.0, 1.0, 2.0, 2.0, 1.0], 5, Some(0.125)),
        ];
        for (values, lookback, expected) in rows {
            assert_eq!(rank_of_newest(values, lookback), expected, "{values:?}");
        }
    }
}
