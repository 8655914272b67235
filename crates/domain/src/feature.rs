//! Features by name: what a model asks for and what can go wrong.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

/// A feature as a model asks for it: a registered name and its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSpec {
    /// The registered name, such as `sma`.
    pub name: String,
    /// Parameter values by name, such as `period = 200`. Parameters left out take the registry's default.
    pub parameters: BTreeMap<String, f64>,
}

impl FeatureSpec {
    /// A spec from a name and parameter pairs.
    pub fn new(name: &str, parameters: &[(&str, f64)]) -> Self {
        let parameters = parameters
            .iter()
            .map(|(key, value)| ((*key).to_owned(), *value))
            .collect();
        Self {
            name: name.to_owned(),
            parameters,
        }
    }
}

impl fmt::Display for FeatureSpec {
    /// `sma(period=200)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (index, (key, value)) in self.parameters.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{key}={value}")?;
        }
        f.write_str(")")
    }
}

/// Why a feature cannot be had.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FeatureError {
    /// A name that is not registered.
    #[error("unknown feature `{name}`: registered are {known}")]
    UnknownName {
        /// The name asked for.
        name: String,
        /// The registered names, comma-separated.
        known: String,
    },
    /// A parameter that the feature does not have.
    #[error("feature `{name}` has no parameter `{parameter}`: it has {known}")]
    UnknownParameter {
        /// The feature.
        name: String,
        /// The parameter asked for.
        parameter: String,
        /// Its parameters, comma-separated.
        known: String,
    },
    /// A parameter value that is not allowed.
    #[error("feature `{name}`: {parameter} = {value} is not allowed; it must be {allowed}")]
    BadParameter {
        /// The feature.
        name: String,
        /// The parameter.
        parameter: String,
        /// The value found.
        value: f64,
        /// What is allowed.
        allowed: String,
    },
    /// The wrong number of input series.
    #[error("feature `{name}` takes {expected} input series, but was given {found}")]
    Inputs {
        /// The feature.
        name: String,
        /// How many it takes.
        expected: usize,
        /// How many were given.
        found: usize,
    },
}
