//! The configuration with other names for its instruments, or in another order.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sextant_proof::SplitMix64;

use crate::config::{InstrumentConfig, ResolvedConfig};

/// The configuration with instruments under other names wherever models, regime and limits speak of them, and with every
/// list of instruments the other way round.
///
/// # Errors
/// When a part cannot be written and read back; none of the shipped ones.
pub(super) fn renamed(
    config: &ResolvedConfig,
    names: &BTreeMap<String, String>,
) -> anyhow::Result<ResolvedConfig> {
    Ok(ResolvedConfig {
        models: rewritten(&config.models, names)?,
        regime: rewritten(&config.regime, names)?,
        risk: rewritten(&config.risk, names)?,
        ..config.clone()
    })
}

fn rewritten<T: Serialize + DeserializeOwned>(
    part: &T,
    names: &BTreeMap<String, String>,
) -> anyhow::Result<T> {
    let mut value = serde_json::to_value(part)?;
    rename(&mut value, names);
    Ok(serde_json::from_value(value)?)
}

fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = names.get(text) {
                text.clone_from(new);
            }
        }
        Value::Array(items) => {
            let are_symbols = items
                .iter()
                .all(|item| item.as_str().is_some_and(|text| names.contains_key(text)));
            items.iter_mut().for_each(|item| rename(item, names));
            if are_symbols {
                items.reverse();
            }
        }
        Value::Object(fields) => {
            let renamed: Map<String, Value> = std::mem::take(fields)
                .into_iter()
                .map(|(key, mut field)| {
                    rename(&mut field, names);
                    (names.get(&key).cloned().unwrap_or(key), field)
                })
                .collect();
            *fields = renamed;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Overrides that put the universe, the timeframes of each instrument and the macro series into another order.
///
/// # Errors
/// When they cannot be written as JSON; never for a loaded configuration.
pub(super) fn shuffled(config: &ResolvedConfig, seed: u64) -> anyhow::Result<Vec<String>> {
    let mut random = SplitMix64::new(seed);
    let mut universe: Vec<InstrumentConfig> = config.system.universe.clone();
    rearrange(&mut universe, &mut random);
    for one in &mut universe {
        rearrange(&mut one.timeframes, &mut random);
    }
    let mut macros = config.system.macro_series.clone();
    rearrange(&mut macros, &mut random);
    Ok(vec![
        format!("universe={}", serde_json::to_string(&universe)?),
        format!("macro_series={}", serde_json::to_string(&macros)?),
    ])
}

/// Another order, whatever the generator says: of two things a shuffle would leave the order as it is half of the time.
fn rearrange<T>(items: &mut [T], random: &mut SplitMix64) {
    items.reverse();
    if items.len() > 2 {
        random.shuffle(&mut items[1..]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_replaced_in_lists_keys_and_fields_and_nowhere_else() {
        let names = [("SPY", "N2"), ("QQQ", "N1")];
        let names: BTreeMap<String, String> = names
            .iter()
            .map(|(old, new)| ((*old).to_owned(), (*new).to_owned()))
            .collect();
        let mut value = json!({
            "universe": ["SPY", "QQQ"],
            "symbol": "SPY",
            "SPY": 0.3,
            "words": ["SPY", "and more"],
            "series": "SPY_1D",
        });
        rename(&mut value, &names);
        let expected = json!({
            "universe": ["N1", "N2"],
            "symbol": "N2",
            "N2": 0.3,
            "words": ["N2", "and more"],
            "series": "SPY_1D",
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn another_order_is_another_order_and_loses_nothing() {
        for length in 2..8 {
            let given: Vec<usize> = (0..length).collect();
            let mut items = given.clone();
            rearrange(&mut items, &mut SplitMix64::new(length as u64));
            assert_ne!(items, given);
            items.sort_unstable();
            assert_eq!(items, given);
        }
    }
}
