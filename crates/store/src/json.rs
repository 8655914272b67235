//! Canonical JSON: one text for one value.

use serde::{Serialize, Serializer, ser::Error};
use serde_json::{Map, Value};

/// The value with the keys of every object sorted.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(entries) => {
            let mut pairs: Vec<_> = entries
                .iter()
                .map(|(key, value)| (key.clone(), sorted(value)))
                .collect();
            pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Object(pairs.into_iter().collect::<Map<_, _>>())
        }
        plain => plain.clone(),
    }
}

/// The canonical text of a value in one line: keys sorted, no blanks. Digests are taken of this.
pub(crate) fn compact(value: &Value) -> String {
    sorted(value).to_string()
}

/// The canonical text of a value as a file: keys sorted, indented, with a newline at the end.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{:#}\n", sorted(value))
}

/// Writes times as ISO 8601 in UTC.
pub(crate) mod iso {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use sextant_domain::UtcNanos;

    pub(crate) fn serialize<S: Serializer>(time: &UtcNanos, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UtcNanos, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// Writes a number that must be finite: JSON has no other, and serde would silently make it null.
pub(crate) fn finite<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.is_finite() {
        number.serialize(serializer)
    } else {
        Err(S::Error::custom(format!("{number} is not finite")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth_and_lists_are_not() {
        let value = json!({"b": [{"z": 1, "a": 0.1}, 2], "a": null});
        assert_eq!(compact(&value), r#"{"a":null,"b":[{"a":0.1,"z":1},2]}"#);
        let text = pretty(&value);
        assert!(
            text.ends_with("}\n") && text.starts_with("{\n  \"a\": null,"),
            "{text}"
        );
        assert_eq!(pretty(&serde_json::from_str(&text).unwrap()), text);
    }
}
