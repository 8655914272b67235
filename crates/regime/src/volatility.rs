//! Low, normal or high volatility, from the VIX or from the index's own history.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::{
    FeatureRef, MacroRef, MarketView, Requirements, SeriesRef, Timeframe, VolatilityRegime,
};

use crate::config::{AGE_DAYS, Checks, FRACTION, PERIOD};
use crate::inputs::{Recorder, age_days, fresh_close, fresh_value};

const VIX_LEVEL: RangeInclusive<f64> = 0.0..=1_000.0;

/// The feature wants to know how many periods a year has; a rank does not depend on it.
const ANY_PERIODS_PER_YEAR: f64 = 252.0;

/// How the level of volatility is decided. At least one of the two inputs must be given.
///
/// Where both are, the VIX decides as long as it has a value that is not too old; otherwise the realised volatility
/// does. Which of them decided can be seen from the recorded inputs: the VIX is missing there when it did not.
///
/// `low` is below the lower threshold, `high` above the upper one, `normal` between them and at them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolatilityRegimeConfig {
    /// The VIX, where the run has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vix: Option<VixInput>,
    /// The realised volatility of an index against its own past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realised: Option<RealisedVolatilityInput>,
}

/// A published volatility index as the input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VixInput {
    /// Name of the macro series.
    #[serde(default = "default::vix_series")]
    pub series: String,
    /// What of it is compared with the thresholds.
    #[serde(default)]
    pub measure: VixMeasure,
    /// How many days ago the newest value may have been published; older, and it counts as missing.
    #[serde(default = "default::max_age_days")]
    #[schemars(range(min = *AGE_DAYS.start(), max = *AGE_DAYS.end()))]
    pub max_age_days: u32,
}

/// What of the VIX is compared with the thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum VixMeasure {
    /// Its value.
    Level {
        /// Value below which volatility is low.
        #[serde(default = "default::vix_low_below")]
        #[schemars(range(min = *VIX_LEVEL.start(), max = *VIX_LEVEL.end()))]
        low_below: f64,
        /// Value above which volatility is high.
        #[serde(default = "default::vix_high_above")]
        #[schemars(range(min = *VIX_LEVEL.start(), max = *VIX_LEVEL.end()))]
        high_above: f64,
    },
    /// Its rank among its own newest values: the fraction of them, the newest included, that are at most as high.
    Percentile {
        /// How many published values it is ranked among.
        #[serde(default = "default::lookback")]
        #[schemars(range(min = *PERIOD.start(), max = *PERIOD.end()))]
        lookback_values: u32,
        /// Rank below which volatility is low, as a fraction.
        #[serde(default = "default::rank_low_below")]
        #[schemars(range(min = *FRACTION.start(), max = *FRACTION.end()))]
        low_below: f64,
        /// Rank above which volatility is high, as a fraction.
        #[serde(default = "default::rank_high_above")]
        #[schemars(range(min = *FRACTION.start(), max = *FRACTION.end()))]
        high_above: f64,
    },
}

impl Default for VixMeasure {
    /// The level, below 15 and above 25.
    fn default() -> Self {
        Self::Level {
            low_below: default::vix_low_below(),
            high_above: default::vix_high_above(),
        }
    }
}

/// The realised volatility of an index as the input: its rank among its own past values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RealisedVolatilityInput {
    /// The index: an instrument of the run with daily bars.
    pub symbol: String,
    /// How many daily returns one volatility is computed from.
    #[serde(default = "default::period_days")]
    #[schemars(range(min = *PERIOD.start(), max = *PERIOD.end()))]
    pub period_days: u32,
    /// How many daily volatilities the newest is ranked among.
    #[serde(default = "default::lookback")]
    #[schemars(range(min = *PERIOD.start(), max = *PERIOD.end()))]
    pub lookback_days: u32,
    /// Rank below which volatility is low, as a fraction.
    #[serde(default = "default::rank_low_below")]
    #[schemars(range(min = *FRACTION.start(), max = *FRACTION.end()))]
    pub low_below: f64,
    /// Rank above which volatility is high, as a fraction.
    #[serde(default = "default::rank_high_above")]
    #[schemars(range(min = *FRACTION.start(), max = *FRACTION.end()))]
    pub high_above: f64,
    /// How many days old the newest daily bar may be; older, and it counts as missing.
    #[serde(default = "default::max_age_days")]
    #[schemars(range(min = *AGE_DAYS.start(), max = *AGE_DAYS.end()))]
    pub max_age_days: u32,
}

mod default {
    pub(super) fn vix_series() -> String {
        "vix".to_owned()
    }

    pub(super) fn vix_low_below() -> f64 {
        15.0
    }

    pub(super) fn vix_high_above() -> f64 {
        25.0
    }

    pub(super) fn lookback() -> u32 {
        252
    }

    pub(super) fn rank_low_below() -> f64 {
        0.25
    }

    pub(super) fn rank_high_above() -> f64 {
        0.75
    }

    pub(super) fn period_days() -> u32 {
        20
    }

    pub(super) fn max_age_days() -> u32 {
        10
    }
}

impl VolatilityRegimeConfig {
    /// The VIX where it is there, otherwise the realised volatility of an index; default thresholds.
    pub fn new(symbol: &str) -> Self {
        Self {
            vix: Some(VixInput::default()),
            realised: Some(RealisedVolatilityInput::new(symbol)),
        }
    }

    pub(crate) fn check(&self, checks: &mut Checks) {
        if self.vix.is_none() && self.realised.is_none() {
            checks.refuse(
                "vix",
                "missing",
                "given, or `realised`, or both; without any, leave out `volatility`",
            );
        }
        if let Some(vix) = &self.vix {
            vix.check(checks);
        }
        if let Some(realised) = &self.realised {
            realised.check(checks);
        }
    }
}

impl Default for VixInput {
    /// The level of the series `vix`.
    fn default() -> Self {
        Self {
            series: default::vix_series(),
            measure: VixMeasure::default(),
            max_age_days: default::max_age_days(),
        }
    }
}

impl VixInput {
    fn check(&self, checks: &mut Checks) {
        checks.series("vix.series", &self.series);
        let (low, high, allowed) = match self.measure {
            VixMeasure::Level {
                low_below,
                high_above,
            } => (low_below, high_above, VIX_LEVEL),
            VixMeasure::Percentile {
                lookback_values,
                low_below,
                high_above,
            } => {
                checks.range("vix.measure.lookback_values", lookback_values, PERIOD);
                (low_below, high_above, FRACTION)
            }
        };
        checks.range("vix.measure.low_below", low, allowed.clone());
        checks.range("vix.measure.high_above", high, allowed);
        checks.below(("vix.measure.low_below", low), ("high_above", high));
        checks.range("vix.max_age_days", self.max_age_days, AGE_DAYS);
    }
}

impl RealisedVolatilityInput {
    /// The default thresholds for an index.
    pub fn new(symbol: &str) -> Self {
        Self {
            symbol: symbol.to_owned(),
            period_days: default::period_days(),
            lookback_days: default::lookback(),
            low_below: default::rank_low_below(),
            high_above: default::rank_high_above(),
            max_age_days: default::max_age_days(),
        }
    }

    fn check(&self, checks: &mut Checks) {
        checks.symbol("realised.symbol", &self.symbol);
        checks.range("realised.period_days", self.period_days, PERIOD);
        checks.range("realised.lookback_days", self.lookback_days, PERIOD);
        checks.range("realised.low_below", self.low_below, FRACTION);
        checks.range("realised.high_above", self.high_above, FRACTION);
        checks.below(
            ("realised.low_below", self.low_below),
            ("high_above", self.high_above),
        );
        checks.range("realised.max_age_days", self.max_age_days, AGE_DAYS);
    }
}

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

/// The fraction of the newest `lookback` values that are at most the newest one; `None` until there are as many.
fn rank_of_newest(values: &[f64], lookback: u32) -> Option<f64> {
    let lookback = lookback as usize;
    let window = &values[values.len().checked_sub(lookback)?..];
    let newest = window.last()?;
    Some(window.iter().filter(|value| *value <= newest).count() as f64 / lookback as f64)
}

#[cfg(test)]
mod tests {
    use VolatilityRegime::{High, Low, Normal, Unknown};
    use sextant_domain::{MarketData, RegimeDimension, RegimeInput, UtcNanos};
    use sextant_testkit::bars::{daily_sessions, instant};
    use sextant_testkit::{FixedFeatures, MarketBuilder, RegimeStep, Replay};

    use super::*;
    use crate::{RegimeConfig, RuleRegimeDetector};

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
        assert_eq!(ranks, [None, None, None, Some(0.75), Some(0.25), Some(1.0)]);
    }
}
