//! The configuration of a run that was made before, from what its manifest keeps of it.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::load::{ConfigError, ResolvedConfig, typed};
use super::system::Paths;

/// What stands in a manifest's configuration beside the configuration itself: whether the kill file was there.
pub(crate) const KILL_FILE_PRESENT: &str = "kill_file_present";

impl ResolvedConfig {
    /// The configuration that has this [`identity`](Self::identity). What no result depends on is not in a manifest and is
    /// filled in: `paths` as given, includes without a file, and no synthetic market to be made.
    ///
    /// # Errors
    /// [`ConfigError`] when this version does not know a key or value, or would run something else than was run.
    pub fn from_identity(identity: &Value, paths: &Paths) -> Result<Self, ConfigError> {
        let mut found = Vec::new();
        let system = part(
            identity,
            "system",
            |system| fill_system(system, paths),
            &mut found,
        );
        let models = part(identity, "models", |_| (), &mut found);
        let budgets = part(identity, "budgets", |_| (), &mut found);
        let regime = part(identity, "regime", |_| (), &mut found);
        let risk = part(identity, "risk", fill_risk, &mut found);
        let (Some(system), Some(models), Some(budgets), Some(regime), Some(risk)) =
            (system, models, budgets, regime, risk)
        else {
            return Err(ConfigError { problems: found });
        };
        let config = Self {
            system,
            models,
            budgets,
            regime,
            risk,
        };
        config.require_identity(identity)?;
        Ok(config)
    }

    /// A default of this version that the one before did not have would be another run.
    fn require_identity(&self, identity: &Value) -> Result<(), ConfigError> {
        let mut wanted = identity.clone();
        if let Some(object) = wanted.as_object_mut() {
            object.remove(KILL_FILE_PRESENT);
        }
        let differing = differences(&wanted, &self.identity());
        if differing.is_empty() {
            return Ok(());
        }
        let problems = differing.into_iter().map(|one| {
            let show = |value: Option<Value>| value.map_or("nothing".to_owned(), |value| value.to_string());
            format!(
                "manifest.json: {}: the run has {}, this version makes {} of it; read the run with the version that made it",
                one.key,
                show(one.left),
                show(one.right)
            )
        });
        Err(ConfigError {
            problems: problems.collect(),
        })
    }
}

fn part<T: JsonSchema + DeserializeOwned>(
    identity: &Value,
    name: &str,
    fill: impl FnOnce(&mut Map<String, Value>),
    found: &mut Vec<String>,
) -> Option<T> {
    let mut value = identity.get(name).cloned().unwrap_or(Value::Null);
    if let Some(object) = value.as_object_mut() {
        fill(object);
    }
    typed(
        Some((value, PathBuf::from(format!("manifest.json ({name})")))),
        found,
    )
}

fn fill_system(system: &mut Map<String, Value>, paths: &Paths) {
    let file = |name: &str| Path::new("manifest.json").join(name);
    let includes = ["models", "budgets", "regime", "risk"].map(|name| (name.to_owned(), json!(file(name))));
    system.insert("paths".to_owned(), json!(paths));
    system.insert(
        "include".to_owned(),
        Value::Object(includes.into_iter().collect()),
    );
    let no_market = json!({"seed": 0, "from": "1970-01-01", "to": "1970-01-02"});
    system.insert("synthetic".to_owned(), no_market);
}

/// Whether the kill file was there is known; a replay does not look for it again.
fn fill_risk(risk: &mut Map<String, Value>) {
    if let Some(kill) = risk.get_mut("kill_switch").and_then(Value::as_object_mut) {
        kill.insert("file".to_owned(), Value::Null);
    }
}

/// A key whose value is not the same on both sides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyDifference {
    /// The path of the key, such as `system.fills.latency_bars`.
    pub(crate) key: String,
    /// The value on the left, where it is there.
    pub(crate) left: Option<Value>,
    /// The value on the right, where it is there.
    pub(crate) right: Option<Value>,
}

/// The keys in which two configurations differ, down to single values, in the order of the left and then the right.
pub(crate) fn differences(left: &Value, right: &Value) -> Vec<KeyDifference> {
    let mut found = Vec::new();
    compare(String::new(), Some(left), Some(right), &mut found);
    found
}

fn compare(key: String, left: Option<&Value>, right: Option<&Value>, found: &mut Vec<KeyDifference>) {
    match (left, right) {
        (Some(left), Some(right)) if left == right => {}
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            let only_right = right.keys().filter(|name| !left.contains_key(*name));
            for name in left.keys().chain(only_right) {
                compare(below(&key, name), left.get(name), right.get(name), found);
            }
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            for index in 0..left.len().max(right.len()) {
                compare(
                    below(&key, &index.to_string()),
                    left.get(index),
                    right.get(index),
                    found,
                );
            }
        }
        (left, right) => found.push(KeyDifference {
            key,
            left: left.cloned(),
            right: right.cloned(),
        }),
    }
}

fn below(key: &str, name: &str) -> String {
    if key.is_empty() {
        name.to_owned()
    } else {
        format!("{key}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigSource, load};

    fn shipped() -> ResolvedConfig {
        load(&ConfigSource {
            file: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/base/system.yaml"),
            overrides: Vec::new(),
        })
        .unwrap()
    }

    #[test]
    fn a_configuration_comes_back_from_its_identity() {
        let config = shipped();
        let text = config.identity().to_string();
        let identity: Value = serde_json::from_str(&text).unwrap();
        let back = ResolvedConfig::from_identity(&identity, &config.system.paths).unwrap();
        assert_eq!(back.identity(), config.identity());
        assert_eq!(back.system.paths, config.system.paths);
    }

    #[test]
    fn a_key_of_another_version_is_named() {
        let config = shipped();
        let mut identity = config.identity();
        identity["system"]["fills"]["telepathy"] = json!(true);
        let error = ResolvedConfig::from_identity(&identity, &config.system.paths).unwrap_err();
        assert!(error.to_string().contains("telepathy"), "{error}");
        let mut identity = config.identity();
        identity["budgets"].as_object_mut().unwrap().remove("models");
        assert!(ResolvedConfig::from_identity(&identity, &config.system.paths).is_err());
    }

    #[test]
    fn differences_are_found_down_to_single_values() {
        let left = json!({"a": {"b": 1, "c": [1, 2]}, "d": 4});
        let right = json!({"a": {"b": 1, "c": [1, 3, 5]}, "e": null});
        let found: Vec<_> = differences(&left, &right)
            .into_iter()
            .map(|one| (one.key, one.left, one.right))
            .collect();
        assert_eq!(
            found,
            [
                ("a.c.1".to_owned(), Some(json!(2)), Some(json!(3))),
                ("a.c.2".to_owned(), None, Some(json!(5))),
                ("d".to_owned(), Some(json!(4)), None),
                ("e".to_owned(), None, Some(Value::Null)),
            ]
        );
        assert_eq!(differences(&left, &left), []);
    }
}
