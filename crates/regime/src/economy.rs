//! Expansion, slowdown or contraction, from the purchasing managers' index and the slope of the yield curve.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::{MacroRef, MacroRegime, MarketView, Requirements};

use crate::config::{AGE_DAYS, Checks};
use crate::inputs::{Recorder, age_days, fresh_value};

const SLOPE: RangeInclusive<f64> = -20.0..=20.0;
const INDEX: RangeInclusive<f64> = 0.0..=100.0;

/// How the state of the economy is decided. At least one of the two inputs must be given.
///
/// The PMI says where the economy is; an inverted yield curve, which runs ahead of it, takes the label one step down:
///
/// | PMI | curve not inverted | curve inverted | curve missing |
/// |---|---|---|---|
/// | at least `expansion_from` | expansion | slowdown | expansion |
/// | between | slowdown | contraction | slowdown |
/// | below `contraction_below` | contraction | contraction | contraction |
/// | missing | expansion | slowdown | unknown |
///
/// Where an input that is `required` is missing or too old, the label is `unknown` whatever the other one says. Values
/// count from their publication on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MacroRegimeConfig {
    /// The slope of the yield curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yield_curve: Option<YieldCurveInput>,
    /// The purchasing managers' index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pmi: Option<PmiInput>,
}

/// The slope of the yield curve as an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct YieldCurveInput {
    /// Name of the macro series.
    #[serde(default = "default::yield_curve_series")]
    pub series: String,
    /// Slope, in the unit of the series (percentage points), below which the curve is inverted.
    #[serde(default = "default::inverted_below")]
    #[schemars(range(min = *SLOPE.start(), max = *SLOPE.end()))]
    pub inverted_below: f64,
    /// How many days ago the newest value may have been published; older, and it counts as missing.
    #[serde(default = "default::yield_curve_max_age_days")]
    #[schemars(range(min = *AGE_DAYS.start(), max = *AGE_DAYS.end()))]
    pub max_age_days: u32,
    /// Whether the label is `unknown` without it. Otherwise the other input decides alone then.
    #[serde(default = "default::required")]
    pub required: bool,
}

/// The purchasing managers' index (PMI) as an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PmiInput {
    /// Name of the macro series.
    #[serde(default = "default::pmi_series")]
    pub series: String,
    /// PMI from which on the economy expands.
    #[serde(default = "default::expansion_from")]
    #[schemars(range(min = *INDEX.start(), max = *INDEX.end()))]
    pub expansion_from: f64,
    /// PMI below which it contracts. At most `expansion_from`.
    #[serde(default = "default::contraction_below")]
    #[schemars(range(min = *INDEX.start(), max = *INDEX.end()))]
    pub contraction_below: f64,
    /// How many days ago the newest value may have been published; older, and it counts as missing.
    #[serde(default = "default::pmi_max_age_days")]
    #[schemars(range(min = *AGE_DAYS.start(), max = *AGE_DAYS.end()))]
    pub max_age_days: u32,
    /// Whether the label is `unknown` without it. Otherwise the other input decides alone then.
    #[serde(default = "default::required")]
    pub required: bool,
}

mod default {
    pub(super) fn yield_curve_series() -> String {
        "yield_curve_10y_3m".to_owned()
    }

    pub(super) fn inverted_below() -> f64 {
        0.0
    }

    pub(super) fn yield_curve_max_age_days() -> u32 {
        10
    }

    pub(super) fn pmi_series() -> String {
        "pmi".to_owned()
    }

    pub(super) fn expansion_from() -> f64 {
        50.0
    }

    pub(super) fn contraction_below() -> f64 {
        45.0
    }

    pub(super) fn pmi_max_age_days() -> u32 {
        45
    }

    pub(super) fn required() -> bool {
        true
    }
}

impl Default for MacroRegimeConfig {
    /// Both inputs with default thresholds, both required.
    fn default() -> Self {
        Self {
            yield_curve: Some(YieldCurveInput::default()),
            pmi: Some(PmiInput::default()),
        }
    }
}

impl Default for YieldCurveInput {
    /// The ten-year less the three-month yield, inverted below zero.
    fn default() -> Self {
        Self {
            series: default::yield_curve_series(),
            inverted_below: default::inverted_below(),
            max_age_days: default::yield_curve_max_age_days(),
            required: default::required(),
        }
    }
}

impl Default for PmiInput {
    /// Expansion from 50 on, contraction below 45.
    fn default() -> Self {
        Self {
            series: default::pmi_series(),
            expansion_from: default::expansion_from(),
            contraction_below: default::contraction_below(),
            max_age_days: default::pmi_max_age_days(),
            required: default::required(),
        }
    }
}

impl MacroRegimeConfig {
    pub(crate) fn check(&self, checks: &mut Checks) {
        if self.yield_curve.is_none() && self.pmi.is_none() {
            checks.refuse(
                "yield_curve",
                "missing",
                "given, or `pmi`, or both; without any, leave out `macro`",
            );
        }
        if let Some(curve) = &self.yield_curve {
            checks.series("yield_curve.series", &curve.series);
            checks.range("yield_curve.inverted_below", curve.inverted_below, SLOPE);
            checks.range("yield_curve.max_age_days", curve.max_age_days, AGE_DAYS);
        }
        if let Some(pmi) = &self.pmi {
            checks.series("pmi.series", &pmi.series);
            checks.range("pmi.expansion_from", pmi.expansion_from, INDEX);
            checks.range("pmi.contraction_below", pmi.contraction_below, INDEX);
            checks.at_most(
                ("pmi.contraction_below", pmi.contraction_below),
                ("expansion_from", pmi.expansion_from),
            );
            checks.range("pmi.max_age_days", pmi.max_age_days, AGE_DAYS);
        }
    }
}

/// The rule, bound to what it reads.
#[derive(Debug)]
pub(crate) struct EconomyRule {
    curve: Option<(MacroRef, YieldCurveInput)>,
    pmi: Option<(MacroRef, PmiInput)>,
}

impl EconomyRule {
    pub(crate) fn new(config: &MacroRegimeConfig, requirements: &mut Requirements) -> Self {
        let curve = config.yield_curve.clone();
        let curve = curve.map(|input| (requirements.macro_series(&input.series), input));
        let pmi = config
            .pmi
            .clone()
            .map(|input| (requirements.macro_series(&input.series), input));
        Self { curve, pmi }
    }

    pub(crate) fn label(&self, view: &MarketView<'_>, mut recorder: Recorder<'_>) -> MacroRegime {
        let slope = self.curve.as_ref().and_then(|(series, input)| {
            recorder.note("yield_curve_age_days", age_days(view, *series));
            recorder.note(
                "yield_curve_slope",
                fresh_value(view, *series, input.max_age_days),
            )
        });
        let pmi = self.pmi.as_ref().and_then(|(series, input)| {
            recorder.note("pmi_age_days", age_days(view, *series));
            recorder.note("pmi", fresh_value(view, *series, input.max_age_days))
        });
        self.decide(slope, pmi)
    }

    fn decide(&self, slope: Option<f64>, pmi: Option<f64>) -> MacroRegime {
        let curve_lacks = slope.is_none() && self.curve.as_ref().is_some_and(|(_, input)| input.required);
        let pmi_lacks = pmi.is_none() && self.pmi.as_ref().is_some_and(|(_, input)| input.required);
        if curve_lacks || pmi_lacks || (slope.is_none() && pmi.is_none()) {
            return MacroRegime::Unknown;
        }
        let inverted = slope
            .zip(self.curve.as_ref())
            .is_some_and(|(slope, (_, input))| slope < input.inverted_below);
        let present = pmi
            .zip(self.pmi.as_ref())
            .map(|(pmi, (_, input))| input.present(pmi));
        let present = present.unwrap_or(MacroRegime::Expansion);
        if inverted { one_step_down(present) } else { present }
    }
}

impl PmiInput {
    fn present(&self, pmi: f64) -> MacroRegime {
        if pmi >= self.expansion_from {
            MacroRegime::Expansion
        } else if pmi < self.contraction_below {
            MacroRegime::Contraction
        } else {
            MacroRegime::Slowdown
        }
    }
}

fn one_step_down(present: MacroRegime) -> MacroRegime {
    match present {
        MacroRegime::Expansion => MacroRegime::Slowdown,
        MacroRegime::Slowdown | MacroRegime::Contraction => MacroRegime::Contraction,
        MacroRegime::Unknown => MacroRegime::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use MacroRegime::{Contraction, Expansion, Slowdown, Unknown};
    use sextant_domain::{MarketData, RegimeDimension, RegimeInput, Timeframe};
    use sextant_testkit::bars::{daily_sessions, instant};
    use sextant_testkit::{FixedFeatures, MarketBuilder, RegimeStep, Replay};

    use super::*;
    use crate::{RegimeConfig, RuleRegimeDetector};

    type Published<'a> = &'a [(&'a str, f64)];

    /// Sessions from Monday 2020-01-06 on that close at 21:00. A macro series without values is not in the market.
    fn market(days: usize, curve: Published<'_>, pmi: Published<'_>) -> MarketData {
        let spans = daily_sessions(instant("2020-01-06"), days);
        let mut market =
            MarketBuilder::new()
                .equity("SPY", Timeframe::D1)
                .random("SPY", Timeframe::D1, &spans, 1);
        for (name, values) in [("yield_curve_10y_3m", curve), ("pmi", pmi)] {
            if !values.is_empty() {
                let values: Vec<_> = values
                    .iter()
                    .map(|(time, value)| (instant(time), *value))
                    .collect();
                market = market.macro_series(name, &values);
            }
        }
        market.build()
    }

    fn steps(config: MacroRegimeConfig, market: &MarketData) -> Vec<RegimeStep> {
        let config = RegimeConfig {
            macro_economy: Some(config),
            ..RegimeConfig::default()
        };
        let mut detector = RuleRegimeDetector::new(&config).unwrap();
        Replay::new(market, &mut FixedFeatures::new()).regimes(&mut detector)
    }

    fn labels(config: MacroRegimeConfig, market: &MarketData) -> Vec<MacroRegime> {
        steps(config, market)
            .iter()
            .map(|step| step.estimate.macro_economy)
            .collect()
    }

    /// The label when both were published in the morning; NaN stands for a series that is not there.
    fn label(config: MacroRegimeConfig, slope: f64, pmi: f64) -> MacroRegime {
        let morning = "2020-01-06T13:00:00Z";
        let (slope, pmi) = ([(morning, slope)], [(morning, pmi)]);
        let curve: Published<'_> = if slope[0].1.is_nan() { &[] } else { &slope };
        let pmi: Published<'_> = if pmi[0].1.is_nan() { &[] } else { &pmi };
        labels(config, &market(1, curve, pmi))[0]
    }

    /// Neither input is required.
    fn lenient() -> MacroRegimeConfig {
        MacroRegimeConfig {
            yield_curve: Some(YieldCurveInput {
                required: false,
                ..YieldCurveInput::default()
            }),
            pmi: Some(PmiInput {
                required: false,
                ..PmiInput::default()
            }),
        }
    }

    #[test]
    fn the_label_follows_the_table() {
        let (up, inverted, none) = (1.5, -0.2, f64::NAN);
        let rows = [
            (55.0, up, Expansion),
            (55.0, inverted, Slowdown),
            (55.0, none, Expansion),
            (47.0, up, Slowdown),
            (47.0, inverted, Contraction),
            (47.0, none, Slowdown),
            (40.0, up, Contraction),
            (40.0, inverted, Contraction),
            (40.0, none, Contraction),
            (none, up, Expansion),
            (none, inverted, Slowdown),
            (none, none, Unknown),
            (50.0, 0.0, Expansion),
            (49.9, 0.0, Slowdown),
            (45.0, 0.0, Slowdown),
            (44.9, 0.0, Contraction),
        ];
        for (pmi, slope, expected) in rows {
            assert_eq!(label(lenient(), slope, pmi), expected, "PMI {pmi}, slope {slope}");
        }
    }

    #[test]
    fn without_a_required_input_nothing_is_said() {
        let none = f64::NAN;
        let curve_required = MacroRegimeConfig {
            yield_curve: Some(YieldCurveInput::default()),
            pmi: lenient().pmi,
        };
        let pmi_required = MacroRegimeConfig {
            yield_curve: lenient().yield_curve,
            pmi: Some(PmiInput::default()),
        };
        let rows = [
            (MacroRegimeConfig::default(), 1.0, 55.0, Expansion),
            (MacroRegimeConfig::default(), none, 55.0, Unknown),
            (MacroRegimeConfig::default(), 1.0, none, Unknown),
            (curve_required.clone(), 1.0, none, Expansion),
            (curve_required, none, 55.0, Unknown),
            (pmi_required.clone(), none, 55.0, Expansion),
            (pmi_required, 1.0, none, Unknown),
        ];
        for (config, slope, pmi, expected) in rows {
            let found = label(config.clone(), slope, pmi);
            assert_eq!(found, expected, "slope {slope}, PMI {pmi}, {config:?}");
        }
    }

    #[test]
    fn one_input_alone_may_be_configured() {
        let curve_alone = MacroRegimeConfig {
            pmi: None,
            ..MacroRegimeConfig::default()
        };
        let pmi_alone = MacroRegimeConfig {
            yield_curve: None,
            ..MacroRegimeConfig::default()
        };
        assert_eq!(
            label(curve_alone, -0.5, 40.0),
            Slowdown,
            "the PMI is not looked at"
        );
        assert_eq!(
            label(pmi_alone, -0.5, 55.0),
            Expansion,
            "the curve is not looked at"
        );
    }

    /// The PMI of December comes out on Tuesday at 15:00, and the curve of a day one hour after its session.
    #[test]
    fn values_count_in_order_of_their_publication() {
        let curve = [
            ("2020-01-03T22:00:00Z", 1.0),
            ("2020-01-07T22:00:00Z", -0.5),
            ("2020-01-09T22:00:00Z", 0.5),
        ];
        let pmi = [("2019-12-02T15:00:00Z", 55.0), ("2020-01-09T15:00:00Z", 47.0)];
        let found = labels(MacroRegimeConfig::default(), &market(5, &curve, &pmi));
        assert_eq!(found, [Expansion, Expansion, Slowdown, Contraction, Slowdown]);
    }

    #[test]
    fn a_value_that_is_too_old_counts_as_missing() {
        let curve = [("2020-01-06T20:00:00Z", 1.0), ("2020-01-16T20:00:00Z", 1.0)];
        let pmi = [("2019-11-30T21:00:00Z", 55.0), ("2020-01-17T21:00:00Z", 47.0)];
        let found = steps(MacroRegimeConfig::default(), &market(10, &curve, &pmi));
        let labels: Vec<_> = found.iter().map(|step| step.estimate.macro_economy).collect();
        // The PMI is 45 days old on Tuesday 2020-01-14 at 21:00, and too old from then on until the next one.
        assert_eq!(labels[..7], [Expansion; 7]);
        assert_eq!(labels[7..], [Unknown, Unknown, Slowdown]);
        let input = |name, value| RegimeInput {
            dimension: RegimeDimension::Macro,
            name,
            value,
        };
        let expected = [
            input("yield_curve_age_days", Some(9.0 + 1.0 / 24.0)),
            input("yield_curve_slope", Some(1.0)),
            input("pmi_age_days", Some(46.0)),
            input("pmi", None),
        ];
        assert_eq!(found[7].inputs, expected);
    }

    #[test]
    fn what_was_never_published_is_recorded_as_missing() {
        let found = steps(MacroRegimeConfig::default(), &market(1, &[], &[]));
        assert_eq!(found[0].inputs.len(), 4);
        assert!(found[0].inputs.iter().all(|input| input.value.is_none()));
    }
}
