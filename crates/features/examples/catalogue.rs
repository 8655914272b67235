//! Prints the readable catalogue of features: `cargo run --package sextant-features --example catalogue`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::fmt::Write;

use sextant_features::{FeatureEntry, registry};

fn main() {
    print!("{}", catalogue());
}

const HEADER: &str = "\
# The catalogue of features: what models and regime detectors can ask for by name.
#
# It mirrors the registry of the crate `sextant-features`, and a test keeps the two equal; nothing here is read by a run.
#
# inputs      close: the closes of one series; bars: high, low and close of one series; bars_and_volume: those and the
#             volume; asset_and_benchmark: the closes of two series, each asset bar with the newest benchmark bar that had
#             closed by then (asset bars before the first benchmark close are passed over and do not count for the warm-up).
# parameters  left out, they take the default; values outside min..max are refused, and fractions where kind is whole.
# warm_up     the bar, counted from 1, with which the first value comes. Earlier ones are absent.
# memory      windowed: the value depends on as many bars as the warm-up counts, to the last bit; exponential and wilder:
#             the influence of older bars shrinks per bar by the factor 1 - 2 / (period + 1) and 1 - 1 / period, by the
#             period of each average that the formula has.
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
        .expect("writing to a text");
        writeln!(
            text,
            "    inputs: {}\n    parameters:{}",
            entry.inputs.name(),
            parameters(entry)
        )
        .expect("writing to a text");
        writeln!(text, "    warm_up: {}", quoted(&entry.warm_up.to_string())).expect("writing to a text");
        writeln!(
            text,
            "    memory: {}\n    version: {}",
            entry.memory.name(),
            entry.version
        )
        .expect("writing to a text");
        writeln!(text, "    source: {}", quoted(entry.source)).expect("writing to a text");
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
