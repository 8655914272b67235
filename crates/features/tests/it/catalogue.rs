//! The readable catalogue `configs/features.yaml` equals the registry.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use serde::Deserialize;
use sextant_features::{FeatureEntry, registry};

const REWRITE: &str = "cargo test -p sextant-features --test it catalogue::rewrite -- --ignored";

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

/// Writes the catalogue anew. Run by hand after a change of the registry, and look at the difference.
#[test]
#[ignore = "rewrites configs/features.yaml"]
fn rewrite() {
    std::fs::write(path(), catalogue()).unwrap();
}

const HEADER: &str = "\
# The catalogue of features: what models and regime detectors can ask for by name.
#
# It mirrors the registry of the crate `sextant-features`, and a test keeps the two equal; nothing here is read by a run.
#
# inputs      close: the closes of one series; bars: high, low and close of one series; asset_and_benchmark: the closes
#             of two series, each asset bar with the newest benchmark bar that had closed by then (asset bars before the
#             first benchmark close are passed over and do not count for the warm-up).
# parameters  left out, they take the default; values outside min..max are refused, and fractions where kind is whole.
# warm_up     the bar, counted from 1, with which the first value comes. Earlier ones are absent.
# memory      windowed: the value depends on as many bars as the warm-up counts, to the last bit; exponential and wilder:
#             the influence of older bars shrinks per bar by the factor 1 - 2 / (period + 1) and 1 - 1 / period.
# version     counted up whenever a change alters values.

features:
";

fn catalogue() -> String {
    let mut text = HEADER.to_owned();
    for (index, entry) in registry().iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        write!(
            text,
            "{gap}  - name: {}\n    formula: {}\n",
            entry.name,
            quoted(entry.formula)
        )
        .unwrap();
        writeln!(
            text,
            "    inputs: {}\n    parameters:{}",
            entry.inputs.name(),
            parameters(entry)
        )
        .unwrap();
        writeln!(text, "    warm_up: {}", quoted(&entry.warm_up.to_string())).unwrap();
        writeln!(
            text,
            "    memory: {}\n    version: {}",
            entry.memory.name(),
            entry.version
        )
        .unwrap();
        writeln!(text, "    source: {}", quoted(entry.source)).unwrap();
    }
    text
}

fn parameters(entry: &FeatureEntry) -> String {
    if entry.parameters.is_empty() {
        return " {}".to_owned();
    }
    let lines = entry.parameters.iter().map(|one| {
        let (kind, meaning) = (one.kind.name(), quoted(one.meaning));
        let numbers = format!("default: {}, min: {}, max: {}", one.default, one.min, one.max);
        format!(
            "\n      {}: {{ {numbers}, kind: {kind}, meaning: {meaning} }}",
            one.name
        )
    });
    lines.collect()
}

fn quoted(text: &str) -> String {
    assert!(!text.contains(['"', '\\']), "`{text}` would need escapes");
    format!("\"{text}\"")
}
