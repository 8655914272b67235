//! What a run was computed from, and its id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use sextant_domain::UtcNanos;

use crate::StoreError;
use crate::index_rows::{Assumption, DataInput};
use crate::json;

/// The format of run folders that this version reads and writes.
pub(crate) const FORMAT_VERSION: u32 = 4;

const ID_DIGITS: usize = 16;

/// The id of a run: the first 16 hexadecimal digits of the blake3 hash of its inputs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for RunId {
    type Err = StoreError;

    /// Reads exactly 16 digits; [`RunFolders::resolve`](crate::RunFolders::resolve) takes shorter ones.
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == ID_DIGITS && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(StoreError::RunIdText {
                found: text.to_owned(),
            })
        }
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// The program that computed a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeVersion {
    /// Version of the crates.
    pub version: String,
    /// Digest of the code, so that two builds of one version can be told apart.
    pub digest: String,
}

/// Everything that a run is a function of. The run's id is a hash of this and of nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunInputs {
    /// The program.
    pub code: CodeVersion,
    /// The resolved configuration. The order of its keys does not matter.
    pub config: Value,
    /// The data series. Their order does not matter: [`Manifest::new`] sorts them.
    pub data: Vec<DataInput>,
    /// Seed of all randomness.
    pub seed: u64,
    /// First instant of the run.
    #[serde(with = "json::iso")]
    pub start: UtcNanos,
    /// Last instant of the run.
    #[serde(with = "json::iso")]
    pub end: UtcNanos,
    /// Instruments, in the order of their ids.
    pub universe: Vec<String>,
}

/// The manifest of a run: its id, what it was computed from, and under which assumptions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    run_id: RunId,
    inputs: RunInputs,
    assumptions: Vec<Assumption>,
}

impl Manifest {
    /// Sorts the data series and computes the id.
    pub fn new(mut inputs: RunInputs, assumptions: Vec<Assumption>) -> Self {
        inputs.data.sort();
        let run_id = run_id(&inputs);
        Self {
            format: FORMAT_VERSION,
            run_id,
            inputs,
            assumptions,
        }
    }

    /// The id of the run.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// What the run was computed from.
    pub fn inputs(&self) -> &RunInputs {
        &self.inputs
    }

    /// What was assumed, in order.
    pub fn assumptions(&self) -> &[Assumption] {
        &self.assumptions
    }

    /// Whether any data series is synthetic.
    pub fn is_synthetic(&self) -> bool {
        self.inputs.data.iter().any(|series| series.synthetic)
    }

    /// The canonical text of the manifest.
    pub(crate) fn text(&self) -> String {
        json::pretty(&to_value(self))
    }

    /// The id that the inputs give, to be compared with the one that is written.
    pub(crate) fn computed_id(&self) -> RunId {
        run_id(&self.inputs)
    }
}

fn run_id(inputs: &RunInputs) -> RunId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"sextant run v1\n");
    hasher.update(json::compact(&to_value(inputs)).as_bytes());
    RunId(hasher.finalize().to_hex()[..ID_DIGITS].to_owned())
}

fn to_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("structs of texts, integers and JSON values become JSON")
}

/// What is known of a run besides its result. It is no part of the id or of any digest of rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunInfo {
    /// When the run was made.
    #[serde(with = "json::iso")]
    pub created_at: UtcNanos,
    /// How long it took.
    #[serde(serialize_with = "json::finite")]
    pub duration_seconds: f64,
}

impl RunInfo {
    pub(crate) fn text(&self) -> Result<String, StoreError> {
        let value = serde_json::to_value(self).map_err(|_| StoreError::ManifestValue {
            field: "duration_seconds",
            found: self.duration_seconds.to_string(),
            allowed: "a finite number of seconds",
        })?;
        Ok(json::pretty(&value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn series(symbol: &str) -> DataInput {
        DataInput {
            symbol: symbol.to_owned(),
            timeframe: "1D".to_owned(),
            class: "equity".to_owned(),
            digest: "d".to_owned(),
            source: "file".to_owned(),
            synthetic: false,
        }
    }

    fn inputs() -> RunInputs {
        RunInputs {
            code: CodeVersion {
                version: "0.1.0".to_owned(),
                digest: "abc".to_owned(),
            },
            config: json!({"risk": {"cap": 0.1}, "capital": 100_000}),
            data: vec![series("SPY"), series("QQQ")],
            seed: u64::MAX,
            start: "2005-01-01".parse().unwrap(),
            end: "2020-12-31".parse().unwrap(),
            universe: vec!["SPY".to_owned(), "QQQ".to_owned()],
        }
    }

    #[test]
    fn the_id_does_not_depend_on_the_order_of_keys_or_series() {
        let id = Manifest::new(inputs(), Vec::new()).run_id().clone();
        assert_eq!(id.as_str().len(), 16);
        let mut shuffled = inputs();
        shuffled.data.reverse();
        shuffled.config = json!({"capital": 100_000, "risk": {"cap": 0.1}});
        assert_eq!(*Manifest::new(shuffled, Vec::new()).run_id(), id);
    }

    #[test]
    fn the_id_depends_on_every_input() {
        let changes: [fn(&mut RunInputs); 9] = [
            |inputs| inputs.code.digest.push('x'),
            |inputs| inputs.code.version.push('x'),
            |inputs| inputs.config["capital"] = json!(100_001),
            |inputs| inputs.data[0].digest.push('x'),
            |inputs| inputs.data[0].synthetic = true,
            |inputs| inputs.seed -= 1,
            |inputs| inputs.start = inputs.start.saturating_add(1),
            |inputs| inputs.end = inputs.end.saturating_add(1),
            |inputs| inputs.universe.reverse(),
        ];
        let mut ids = vec![Manifest::new(inputs(), Vec::new()).run_id().clone()];
        for change in changes {
            let mut changed = inputs();
            change(&mut changed);
            ids.push(Manifest::new(changed, Vec::new()).run_id().clone());
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), changes.len() + 1);
    }

    #[test]
    fn the_text_comes_back() {
        let assumption = Assumption {
            key: "fill".to_owned(),
            text: "next open".to_owned(),
        };
        let manifest = Manifest::new(inputs(), vec![assumption]);
        let text = manifest.text();
        assert!(text.contains("\"2005-01-01T00:00:00Z\""), "{text}");
        let back: Manifest = serde_json::from_str(&text).unwrap();
        assert_eq!(back.text(), text);
        assert_eq!(back.computed_id(), *manifest.run_id());
    }

    #[test]
    fn only_ids_are_ids() {
        assert!("0123456789abcdef".parse::<RunId>().is_ok());
        for text in [
            "",
            "0123456789abcde",
            "0123456789abcdeF",
            "../../etc/passwd",
            "0123456789abcdefa",
        ] {
            let message = text.parse::<RunId>().unwrap_err().to_string();
            assert!(message.contains("16 digits"), "{message}");
        }
    }

    #[test]
    fn a_duration_that_is_no_number_is_refused() {
        let info = RunInfo {
            created_at: "2020-01-01".parse().unwrap(),
            duration_seconds: f64::NAN,
        };
        assert!(info.text().unwrap_err().to_string().contains("duration_seconds"));
    }
}
