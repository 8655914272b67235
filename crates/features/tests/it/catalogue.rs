//! The readable catalogue `configs/features.yaml` equals the registry.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use sextant_features::{FeatureEntry, registry};

const REWRITE: &str = "cargo run --package sextant-features --example catalogue > configs/features.yaml";

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    features: Vec<Entry>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    formula: String,
    inputs: String,
    parameters: BTreeMap<String, Parameter>,
    warm_up: String,
    memory: String,
    version: u32,
    source: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameter {
    default: f64,
    min: f64,
    max: f64,
    kind: String,
    meaning: String,
}

impl From<&FeatureEntry> for Entry {
    fn from(entry: &FeatureEntry) -> Self {
        let parameters = entry.parameters.iter().map(|one| {
            let (kind, meaning) = (one.kind.name().to_owned(), one.meaning.to_owned());
            let parameter = Parameter {
                default: one.default,
                min: one.min,
                max: one.max,
                kind,
                meaning,
            };
            (one.name.to_owned(), parameter)
        });
        Self {
            name: entry.name.to_owned(),
            formula: entry.formula.to_owned(),
            inputs: entry.inputs.name().to_owned(),
            parameters: parameters.collect(),
            warm_up: entry.warm_up.to_string(),
            memory: entry.memory.name().to_owned(),
            version: entry.version,
            source: entry.source.to_owned(),
        }
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../configs/features.yaml")
}

#[test]
fn the_catalogue_equals_the_registry() {
    let text = std::fs::read_to_string(path()).unwrap();
    let catalogue: Catalogue = serde_saphyr::from_str(&text).unwrap();
    for (written, entry) in catalogue.features.iter().zip(registry()) {
        assert_eq!(*written, Entry::from(entry), "to write the file anew: {REWRITE}");
    }
    assert_eq!(
        catalogue.features.len(),
        registry().len(),
        "to write the file anew: {REWRITE}"
    );
}
