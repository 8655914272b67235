//! `checksums.json`: what every file of a run folder must hash to, and the digests of the rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json;
use crate::manifest::FORMAT_VERSION;
use crate::run_tables::run_tables;

/// The digest of the rows of one table, independent of how a file lays them out.
///
/// It depends on the order of the rows: two tables with the same rows in another order have different digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsDigest {
    /// How many rows.
    pub rows: u64,
    /// blake3 over names, types and values, as 64 hexadecimal digits.
    pub digest: String,
}

/// The content of `checksums.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checksums {
    format: u32,
    /// blake3 of the bytes of every other file.
    pub(crate) files: BTreeMap<String, String>,
    /// The digest of the rows of every table.
    pub(crate) tables: BTreeMap<String, RowsDigest>,
    /// blake3 over the digests of all tables.
    pub(crate) rows_digest: String,
    /// blake3 over everything above, so that damage to this file is not blamed on another.
    own_digest: String,
}

impl Checksums {
    pub(crate) fn new(files: BTreeMap<String, String>, tables: BTreeMap<String, RowsDigest>) -> Self {
        let rows_digest = combined(&tables);
        let mut checksums = Self {
            format: FORMAT_VERSION,
            files,
            tables,
            rows_digest,
            own_digest: String::new(),
        };
        checksums.own_digest = own_digest(&checksums.value());
        checksums
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> String {
        json::pretty(&self.value())
    }

    /// Reads the file and checks it against itself: it must be the very text that would be written again.
    ///
    /// # Errors
    /// [`ChecksumsProblem`]. A file that is whole but of another format is told from a damaged one.
    pub(crate) fn read(text: &str) -> Result<Self, ChecksumsProblem> {
        let value: Value = serde_json::from_str(text).map_err(damaged)?;
        if value["own_digest"] != own_digest(&value) {
            return Err(damaged("its content does not match its own digest"));
        }
        if json::pretty(&value) != text {
            return Err(damaged("its text is not the one that was written"));
        }
        match value["format"].as_u64() {
            Some(format) if format == u64::from(FORMAT_VERSION) => {
                serde_json::from_value(value).map_err(damaged)
            }
            other => Err(ChecksumsProblem::Format(other.unwrap_or_default())),
        }
    }

    fn value(&self) -> Value {
        serde_json::to_value(self).expect("maps of texts and integers become JSON")
    }
}

/// Why a `checksums.json` cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChecksumsProblem {
    /// What is wrong with it.
    Damaged(String),
    /// It is whole, but of this format.
    Format(u64),
}

fn damaged(problem: impl ToString) -> ChecksumsProblem {
    ChecksumsProblem::Damaged(problem.to_string())
}

/// The digest of everything but itself. This rule is the same in every format.
fn own_digest(value: &Value) -> String {
    let mut blank = value.clone();
    if let Some(entries) = blank.as_object_mut() {
        entries.insert("own_digest".to_owned(), Value::from(""));
    }
    blake3::hash(json::compact(&blank).as_bytes())
        .to_hex()
        .to_string()
}

/// The digest over the digests, in the order of the tables.
pub(crate) fn combined(tables: &BTreeMap<String, RowsDigest>) -> String {
    let mut hasher = blake3::Hasher::new();
    for table in run_tables() {
        let digest = tables.get(table.name).map_or("", |one| one.digest.as_str());
        hasher.update(format!("{} {digest}\n", table.name).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sample() -> Checksums {
        let digest = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
        let tables = run_tables().iter().map(|table| {
            (
                table.name.to_owned(),
                RowsDigest {
                    rows: 3,
                    digest: digest(table.name),
                },
            )
        });
        Checksums::new(
            BTreeMap::from([("manifest.json".to_owned(), digest("m"))]),
            tables.collect(),
        )
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let text = sample().text();
        assert_eq!(Checksums::read(&text).unwrap(), sample());
        for position in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[position] ^= 1 << bit;
                let found = String::from_utf8(bytes).is_ok_and(|damaged| Checksums::read(&damaged).is_ok());
                assert!(!found, "bit {bit} of byte {position}");
            }
            assert!(Checksums::read(&text[..position]).is_err(), "cut at {position}");
        }
    }

    #[test]
    fn another_format_is_told_from_damage() {
        let mut later = sample();
        later.format += 1;
        later.own_digest = own_digest(&later.value());
        assert_eq!(
            Checksums::read(&later.text()),
            Err(ChecksumsProblem::Format(u64::from(FORMAT_VERSION) + 1))
        );
    }

    #[test]
    fn the_combined_digest_depends_on_every_table() {
        let checksums = sample();
        for table in run_tables() {
            let mut tables = checksums.tables.clone();
            tables.get_mut(table.name).unwrap().digest.push('x');
            assert_ne!(combined(&tables), checksums.rows_digest, "{}", table.name);
        }
    }
}
