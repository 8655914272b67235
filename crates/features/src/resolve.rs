//! From a feature asked for to a feature that can be computed.

use sextant_domain::{FeatureError, FeatureSpec};

use crate::kernel::Kernel;
use crate::registry::{FeatureEntry, Parameter, ParameterKind, registry};

/// A registered feature with a checked value for each of its parameters.
#[derive(Debug, Clone)]
pub struct ResolvedFeature {
    entry: &'static FeatureEntry,
    values: Vec<f64>,
}

/// Finds a feature in the registry, checks its parameters and fills in defaults.
///
/// # Errors
/// [`FeatureError`] for a name or parameter that is not registered, and for a value outside its range.
pub fn resolve(spec: &FeatureSpec) -> Result<ResolvedFeature, FeatureError> {
    let entry = registry()
        .iter()
        .find(|entry| entry.name == spec.name)
        .ok_or_else(|| unknown_name(&spec.name))?;
    if let Some(unknown) = spec
        .parameters
        .keys()
        .find(|name| entry.parameter(name).is_none())
    {
        return Err(unknown_parameter(entry, unknown));
    }
    let values = entry.parameters.iter().map(|parameter| {
        let value = spec
            .parameters
            .get(parameter.name)
            .copied()
            .unwrap_or(parameter.default);
        // Adding zero makes a negative zero equal, in bits, to zero.
        if parameter.allows(value) {
            Ok(value + 0.0)
        } else {
            Err(bad_parameter(entry, parameter, value))
        }
    });
    Ok(ResolvedFeature {
        entry,
        values: values.collect::<Result<_, _>>()?,
    })
}

impl ResolvedFeature {
    /// What the registry says of it.
    pub fn entry(&self) -> &'static FeatureEntry {
        self.entry
    }

    /// Parameter values in the order of the entry's parameters.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The number of bars with which the first value comes: bar `warm_up_bars` (counted from 1) has one.
    pub fn warm_up_bars(&self) -> usize {
        self.entry.warm_up_bars(&self.values)
    }

    /// The number of bars from the start of history after which a value no longer depends on it, to the last bit for
    /// windowed features and to 1e-9 of its scale (100 for an RSI) for recursive ones: the warm-up plus
    /// [`Memory::settling_bars`](crate::Memory::settling_bars).
    pub fn settled_bars(&self) -> usize {
        self.warm_up_bars() + self.entry.settling_bars(&self.values)
    }

    /// A fresh operator.
    pub(crate) fn kernel(&self) -> Box<dyn Kernel> {
        self.entry.kernel(&self.values)
    }
}

fn unknown_name(name: &str) -> FeatureError {
    let known: Vec<_> = registry().iter().map(|entry| entry.name).collect();
    FeatureError::UnknownName {
        name: name.to_owned(),
        known: known.join(", "),
    }
}

fn unknown_parameter(entry: &FeatureEntry, parameter: &str) -> FeatureError {
    let known: Vec<_> = entry.parameters.iter().map(|parameter| parameter.name).collect();
    let known = if known.is_empty() {
        "no parameters".to_owned()
    } else {
        known.join(", ")
    };
    FeatureError::UnknownParameter {
        name: entry.name.to_owned(),
        parameter: parameter.to_owned(),
        known,
    }
}

fn bad_parameter(entry: &FeatureEntry, parameter: &Parameter, value: f64) -> FeatureError {
    let kind = match parameter.kind {
        ParameterKind::Whole => "a whole number",
        ParameterKind::Real => "a number",
    };
    FeatureError::BadParameter {
        name: entry.name.to_owned(),
        parameter: parameter.name.to_owned(),
        value,
        allowed: format!("{kind} from {} to {}", parameter.min, parameter.max),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn error(name: &str, parameters: &[(&str, f64)]) -> String {
        resolve(&FeatureSpec::new(name, parameters))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn defaults_fill_in_what_is_left_out() {
        let feature = resolve(&FeatureSpec::new("bollinger_upper", &[("period", 10.0)])).unwrap();
        assert_eq!(
            (feature.entry().name, feature.values()),
            ("bollinger_upper", [10.0, 2.0].as_slice())
        );
        assert_eq!(feature.warm_up_bars(), 10);
    }

    #[test]
    fn messages_say_what_is_known_and_allowed() {
        let text = error("smma", &[]);
        assert!(
            text.contains("`smma`") && text.contains("sma, ema, rsi"),
            "{text}"
        );
        let text = error("bollinger_upper", &[("length", 3.0)]);
        assert!(
            text.contains("`length`") && text.contains("it has period, width"),
            "{text}"
        );
        assert!(error("true_range", &[("period", 3.0)]).contains("it has no parameters"));
        let text = error("sma", &[("period", 2.5)]);
        assert!(
            text.contains("period = 2.5") && text.contains("a whole number from 1 to 100000"),
            "{text}"
        );
        assert!(error("bollinger_upper", &[("width", -0.5)]).contains("a number from 0 to 100"));
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        for value in [0.0, -1.0, 100_001.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(
                error("sma", &[("period", value)]).contains("not allowed"),
                "{value}"
            );
        }
        for name in [
            "rsi",
            "bollinger_upper",
            "zscore",
            "realised_volatility",
            "beta",
            "correlation",
        ] {
            assert!(error(name, &[("period", 1.0)]).contains("from 2 to"), "{name}");
        }
    }
}
