//! Every feature there is, with all that has to be known of it to use it rightly.

use std::fmt;

use crate::kernel::Kernel;

mod entries;

/// One registered feature. `configs/features.yaml` is the readable copy of the registry; a test keeps them equal.
#[derive(Debug)]
pub struct FeatureEntry {
    /// The name models ask for.
    pub name: &'static str,
    /// The formula in plain words and symbols.
    pub formula: &'static str,
    /// What it reads.
    pub inputs: Inputs,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// The number of bars with which the first value comes.
    pub warm_up: WarmUp,
    /// How it forgets the past.
    pub memory: Memory,
    /// Recursive averages that follow one another, each by its period; of several side by side the longest counts. Empty
    /// for windowed features.
    averages: &'static [&'static [&'static str]],
    /// Counted up whenever a change alters values.
    pub version: u32,
    /// Where the formula comes from.
    pub source: &'static str,
    build: fn(&[f64]) -> Box<dyn Kernel>,
}

/// All registered features, in the order of the catalogue.
pub fn registry() -> &'static [FeatureEntry] {
    &entries::ENTRIES
}

/// What a feature reads per bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs {
    /// The closes of one series.
    Close,
    /// High, low and close of one series.
    Bars,
    /// High, low, close and volume of one series.
    BarsAndVolume,
    /// The closes of two series: the asset's, each paired with the newest close of the benchmark that was known at
    /// that time. Asset bars before the first benchmark close are passed over.
    AssetAndBenchmark,
}

impl Inputs {
    /// The name in the catalogue.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Bars => "bars",
            Self::BarsAndVolume => "bars_and_volume",
            Self::AssetAndBenchmark => "asset_and_benchmark",
        }
    }

    /// The number of series.
    pub const fn count(self) -> usize {
        match self {
            Self::Close | Self::Bars | Self::BarsAndVolume => 1,
            Self::AssetAndBenchmark => 2,
        }
    }
}

/// Which numbers a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Whole numbers.
    Whole,
    /// Any numbers.
    Real,
}

impl ParameterKind {
    /// The name in the catalogue.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Real => "real",
        }
    }
}

/// A parameter of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means, with the unit.
    pub meaning: &'static str,
    /// Which numbers it takes.
    pub kind: ParameterKind,
    /// The value where none is given.
    pub default: f64,
    /// The smallest value allowed.
    pub min: f64,
    /// The largest value allowed.
    pub max: f64,
}

impl Parameter {
    /// Whether a value is allowed.
    pub fn allows(&self, value: f64) -> bool {
        let in_range = (self.min..=self.max).contains(&value);
        in_range && (self.kind == ParameterKind::Real || value.fract() == 0.0)
    }
}

/// A warm-up: the sum of some parameters and a number of bars. Displays as `period + 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmUp {
    /// Names of parameters of which the largest counts, in front of the sum; empty where there are none.
    pub largest: &'static [&'static str],
    /// Names of the parameters to add up.
    pub parameters: &'static [&'static str],
    /// Bars on top of them, or less than them.
    pub bars: isize,
}

impl fmt::Display for WarmUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = (!self.largest.is_empty()).then(|| format!("max({})", self.largest.join(", ")));
        let parts: Vec<&str> = largest
            .as_deref()
            .into_iter()
            .chain(self.parameters.iter().copied())
            .collect();
        f.write_str(&parts.join(" + "))?;
        match (parts.is_empty(), self.bars) {
            (true, bars) => write!(f, "{bars}"),
            (false, 0) => Ok(()),
            (false, bars) => write!(f, " {} {}", if bars > 0 { '+' } else { '-' }, bars.abs()),
        }
    }
}

/// How a feature forgets the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Completely: the value depends on as many bars as the warm-up counts, and has the same bits from any start.
    Windowed,
    /// Bar by bar: the influence of older bars shrinks by the factor 1 - 2 / (period + 1), for each average by its period.
    Exponential,
    /// Bar by bar: the influence of older bars shrinks by the factor 1 - 1 / period, for each average by its period.
    Wilder,
}

impl Memory {
    /// The name in the catalogue.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Windowed => "windowed",
            Self::Exponential => "exponential",
            Self::Wilder => "wilder",
        }
    }

    /// The number of bars after the warm-up in which the influence of the start of history has shrunk to 1e-12, so
    /// that values from different starts agree to 1e-9 even where the beginnings were a hundred times apart. Zero for
    /// windowed features.
    pub fn settling_bars(self, period: f64) -> usize {
        let factor = match self {
            Self::Windowed => return 0,
            Self::Exponential => 2.0 / (period + 1.0),
            Self::Wilder => 1.0 / period,
        };
        (libm::log(1e-12) / libm::log1p(-factor)).ceil() as usize
    }
}

impl FeatureEntry {
    /// The parameter of a name, where there is one.
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    pub(crate) fn warm_up_bars(&self, values: &[f64]) -> usize {
        let parts = self.warm_up.parameters.iter();
        let sum = self.largest(self.warm_up.largest, values) as usize
            + parts.map(|name| self.value(name, values) as usize).sum::<usize>();
        sum.saturating_add_signed(self.warm_up.bars)
    }

    pub(crate) fn settling_bars(&self, values: &[f64]) -> usize {
        let averages = self.averages.iter();
        averages
            .map(|side_by_side| self.memory.settling_bars(self.largest(side_by_side, values)))
            .sum()
    }

    /// The largest of some parameters; 0 for none.
    fn largest(&self, names: &[&str], values: &[f64]) -> f64 {
        let values = names.iter().map(|name| self.value(name, values));
        values.fold(0.0, f64::max)
    }

    pub(crate) fn kernel(&self, values: &[f64]) -> Box<dyn Kernel> {
        (self.build)(values)
    }

    fn value(&self, name: &str, values: &[f64]) -> f64 {
        let place = self
            .parameters
            .iter()
            .position(|parameter| parameter.name == name);
        values[place.expect("warm-up and memory name parameters of their own entry")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_defaults_allowed() {
        for (index, entry) in registry().iter().enumerate() {
            assert!(
                registry()[..index].iter().all(|other| other.name != entry.name),
                "{}",
                entry.name
            );
            for (place, parameter) in entry.parameters.iter().enumerate() {
                let ends = [parameter.default, parameter.min, parameter.max];
                assert!(
                    ends.iter().all(|value| parameter.allows(*value)),
                    "{} {}",
                    entry.name,
                    parameter.name
                );
                assert!(
                    entry.parameters[..place]
                        .iter()
                        .all(|other| other.name != parameter.name)
                );
            }
        }
    }

    #[test]
    fn every_warm_up_and_settling_length_can_be_computed() {
        for entry in registry() {
            let defaults: Vec<_> = entry
                .parameters
                .iter()
                .map(|parameter| parameter.default)
                .collect();
            assert!(entry.warm_up_bars(&defaults) >= 1, "{}", entry.name);
            assert_eq!(
                entry.settling_bars(&defaults) == 0,
                entry.memory == Memory::Windowed,
                "{}",
                entry.name
            );
            assert_eq!(
                entry.averages.is_empty(),
                entry.memory == Memory::Windowed,
                "{}",
                entry.name
            );
        }
    }

    #[test]
    fn settling_lengths() {
        assert_eq!(Memory::Exponential.settling_bars(1.0), 0);
        assert_eq!(Memory::Exponential.settling_bars(20.0), 277);
        assert_eq!(Memory::Wilder.settling_bars(14.0), 373);
        assert_eq!(Memory::Windowed.settling_bars(200.0), 0);
    }

    #[test]
    fn warm_ups_read_as_formulas() {
        let shown = |parameters, bars| {
            let largest = &[];
            WarmUp {
                largest,
                parameters,
                bars,
            }
            .to_string()
        };
        assert_eq!(shown(&[], 2), "2");
        assert_eq!(shown(&["period"], 0), "period");
        assert_eq!(shown(&["period"], 1), "period + 1");
        assert_eq!(shown(&["period", "lookback"], 0), "period + lookback");
        assert_eq!(shown(&["period", "smooth"], -1), "period + smooth - 1");
        let (largest, parameters, bars): (&[_], &[_], _) = (&["fast", "slow"], &["signal"], -1);
        let signal = WarmUp {
            largest,
            parameters,
            bars,
        };
        assert_eq!(signal.to_string(), "max(fast, slow) + signal - 1");
    }
}
