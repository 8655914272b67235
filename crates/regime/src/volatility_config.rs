//! The inputs and thresholds of the volatility level.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{AGE_DAYS, Checks, FRACTION, PERIOD};

const VIX_LEVEL: RangeInclusive<f64> = 0.0..=1_000.0;

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
    /// Its rank among its own past: the fraction of the values before it, within the lookback, that are below it, equal
    /// ones counting half; 0 is the lowest, 1 the highest.
    Percentile {
        /// How many published values are ranked against each other, the newest included.
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
    /// How many daily volatilities are ranked against each other, the newest included.
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
