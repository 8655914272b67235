//! Reading configuration files: parse, override, validate, deserialise.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sextant_models::ModelsConfig;
use sextant_portfolio::RegimeBudgets;
use sextant_regime::RegimeConfig;
use sextant_risk::RiskLimits;

use super::check;
use super::schema::{problems, schema_of};
use super::system::SystemConfig;

/// Where a configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct ConfigSource {
    /// The system file.
    pub file: PathBuf,
    /// Overrides such as `capital.initial=50000` or `risk.per_asset_cap=0.3`, applied before validation.
    pub overrides: Vec<String>,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// One sentence each: file, place, value found, what is allowed.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let plural = if count == 1 { "problem" } else { "problems" };
        write!(f, "the configuration has {count} {plural}:")?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// A complete, validated configuration.
#[derive(Debug, Clone)]
pub struct ResolvedConfig {
    /// The system file.
    pub system: SystemConfig,
    /// Models and parameters.
    pub models: ModelsConfig,
    /// Budgets and regime factors.
    pub budgets: RegimeBudgets,
    /// Regime rules.
    pub regime: RegimeConfig,
    /// Risk limits.
    pub risk: RiskLimits,
}

/// The parts beside the system file, by the name under which overrides and the manifest know them.
const PARTS: [&str; 4] = ["models", "budgets", "regime", "risk"];

/// Loads, overrides and validates a configuration.
///
/// # Errors
/// [`ConfigError`] with every problem found. Files that cannot be parsed stop the checks that need them.
pub fn load(source: &ConfigSource) -> Result<ResolvedConfig, ConfigError> {
    let mut found = Vec::new();
    let overrides = parse_overrides(&source.overrides, &mut found);
    let Some(mut system) = read(&source.file, &mut found) else {
        return Err(ConfigError { problems: found });
    };
    apply(&mut system, &overrides, None, &mut found);
    let folder = source.file.parent().unwrap_or(Path::new("."));
    let include = |part: &str| {
        system
            .pointer(&format!("/include/{part}"))
            .and_then(Value::as_str)
    };
    let files: Vec<Option<PathBuf>> = PARTS
        .iter()
        .map(|part| include(part).map(|name| folder.join(name)))
        .collect();
    let mut values = Vec::new();
    for (part, file) in PARTS.iter().zip(&files) {
        let mut value = file.as_ref().and_then(|file| read(file, &mut found));
        if let Some(value) = &mut value {
            apply(value, &overrides, Some(part), &mut found);
        }
        values.push(value);
    }
    let mut parts = values.into_iter().zip(files);
    let mut next = || parts.next().and_then(|(value, file)| Some((value?, file?)));
    let system = typed::<SystemConfig>(Some((system, source.file.clone())), &mut found);
    let models = typed::<ModelsConfig>(next(), &mut found);
    let budgets = typed::<RegimeBudgets>(next(), &mut found);
    let regime = typed::<RegimeConfig>(next(), &mut found);
    let risk = typed::<RiskLimits>(next(), &mut found);
    if let (Some(system), Some(models), Some(budgets), Some(regime), Some(risk)) =
        (system, models, budgets, regime, risk)
    {
        let config = ResolvedConfig {
            system,
            models,
            budgets,
            regime,
            risk,
        };
        check::consistency(&source.file, &config, &mut found);
        if found.is_empty() {
            return Ok(in_order(config));
        }
    }
    Err(ConfigError { problems: found })
}

/// Puts the universe, the timeframes of each instrument and the macro series in order. Ids follow from it, and with them
/// the order in which numbers are added up: a file that lists the same things in another order is the same run.
fn in_order(mut config: ResolvedConfig) -> ResolvedConfig {
    let system = &mut config.system;
    system
        .universe
        .sort_by(|one, other| one.symbol.cmp(&other.symbol));
    for one in &mut system.universe {
        one.timeframes.sort_unstable();
    }
    system.macro_series.sort_unstable();
    config
}

impl ResolvedConfig {
    /// What the result depends on, as JSON: everything but folders and file names.
    pub fn identity(&self) -> Value {
        let mut system = serde_json::to_value(&self.system).expect("a configuration has a JSON form");
        if let Some(object) = system.as_object_mut() {
            object.remove("paths");
            object.remove("include");
            object.remove("synthetic");
        }
        let mut risk = serde_json::to_value(&self.risk).expect("limits have a JSON form");
        // Where the kill file is does not matter to a result; whether it was there does, and stands beside this.
        if let Some(kill) = risk.get_mut("kill_switch").and_then(Value::as_object_mut) {
            kill.remove("file");
        }
        json!({
            "system": system,
            "models": self.models,
            "budgets": self.budgets,
            "regime": self.regime,
            "risk": risk,
        })
    }
}

/// Reads one YAML file into a value; a problem is added when that fails.
fn read(file: &Path, found: &mut Vec<String>) -> Option<Value> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            found.push(format!("{}: cannot be read: {error}", file.display()));
            return None;
        }
    };
    match serde_saphyr::from_str::<Value>(&text) {
        Ok(value) => Some(value),
        Err(error) => {
            found.push(format!("{}: is not valid YAML: {error}", file.display()));
            None
        }
    }
}

/// Reads and validates one file as `T`, for files that stand alone.
///
/// # Errors
/// [`ConfigError`] with every problem found.
pub fn load_file<T: JsonSchema + DeserializeOwned>(file: &Path) -> Result<T, ConfigError> {
    let mut found = Vec::new();
    let value = read(file, &mut found).map(|value| (value, file.to_owned()));
    typed(value, &mut found).ok_or(ConfigError { problems: found })
}

/// Validates a value of a file as `T`; problems are added.
pub(super) fn typed<T: JsonSchema + DeserializeOwned>(
    input: Option<(Value, PathBuf)>,
    found: &mut Vec<String>,
) -> Option<T> {
    let (value, file) = input?;
    let before = found.len();
    found.extend(problems(&file, &schema_of::<T>(), &value));
    if found.len() > before {
        return None;
    }
    match serde_json::from_value(value) {
        Ok(config) => Some(config),
        Err(error) => {
            found.push(format!("{}: {error}", file.display()));
            None
        }
    }
}

/// `a.b=value` as path and value; the value is read as YAML.
fn parse_overrides(overrides: &[String], found: &mut Vec<String>) -> Vec<(Vec<String>, Value)> {
    let mut parsed = Vec::new();
    for text in overrides {
        let value = text.split_once('=').and_then(|(path, value)| {
            Some((
                path.split('.').map(str::to_owned).collect(),
                serde_saphyr::from_str::<Value>(value).ok()?,
            ))
        });
        match value {
            Some(value) => parsed.push(value),
            None => found.push(format!(
                "--set {text}: write it as key.key=value, such as risk.per_asset_cap=0.3"
            )),
        }
    }
    parsed
}

/// Applies the overrides that belong to a part (`None` is the system file).
fn apply(value: &mut Value, overrides: &[(Vec<String>, Value)], part: Option<&str>, found: &mut Vec<String>) {
    for (path, new) in overrides {
        let belongs_to = path
            .first()
            .map(String::as_str)
            .filter(|first| PARTS.contains(first));
        if belongs_to != part {
            continue;
        }
        let keys = if part.is_some() { &path[1..] } else { &path[..] };
        if !set(value, keys, new) {
            found.push(format!(
                "--set {}: there is no such place in the configuration",
                path.join(".")
            ));
        }
    }
}

fn set(value: &mut Value, keys: &[String], new: &Value) -> bool {
    let Some((last, parents)) = keys.split_last() else {
        return false;
    };
    let mut place = value;
    for key in parents {
        let Some(next) = child(place, key) else {
            return false;
        };
        place = next;
    }
    match place {
        Value::Object(object) => {
            object.insert(last.clone(), new.clone());
            true
        }
        list => child(list, last).map(|old| *old = new.clone()).is_some(),
    }
}

/// What stands under a key of an object, or at a place of a list, counted from 0.
fn child<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match value {
        Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?),
        other => other.get_mut(key),
    }
}
