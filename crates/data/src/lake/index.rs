//! The index of a partitioned series: one small JSON file that says what the series is and which files hold it.
//!
//! ```text
//! {
//!   "kind": "bars_index",
//!   "format": 1,
//!   "bars": { what a bar file says about itself, for the whole series },
//!   "partitions": [ { "month": "2020-01", "rows": 8190, "first": ..., "last": ..., "digest": "..." }, ... ],
//!   "checksum": "BLAKE3 of every byte before this hexadecimal number"
//! }
//! ```
//!
//! The checksum stands at the very end and covers what is before it byte by byte; what follows it is fixed. So any cut or
//! flipped bit is found before the text is parsed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sextant_domain::UtcNanos;

use super::month::Month;
use super::{BarMeta, FileDefect, meta};
use crate::BarKey;

const KIND: &str = "bars_index";
const BEFORE_CHECKSUM: &str = ",\n  \"checksum\": \"";
const AFTER_CHECKSUM: &str = "\"\n}\n";
const HASH_DIGITS: usize = 64;

/// How many digits of the digest stand in the name of a partition.
const NAME_DIGITS: usize = 16;

/// What a partitioned series is, and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    /// The whole series.
    pub(super) bars: BarMeta,
    /// Its partitions, oldest first.
    pub(super) partitions: Vec<Entry>,
}

/// One partition: the bars that open in one month of UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) month: Month,
    pub(super) rows: usize,
    /// Open time of its first bar, in nanoseconds.
    pub(super) first: UtcNanos,
    /// Close time of its last bar, in nanoseconds.
    pub(super) last: UtcNanos,
    /// BLAKE3 of its logical content, hexadecimal.
    pub(super) digest: String,
}

#[derive(Serialize)]
struct Body<'a> {
    kind: &'a str,
    format: u32,
    bars: &'a BarMeta,
    partitions: &'a [Entry],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parsed {
    kind: String,
    #[serde(rename = "format")]
    _format: u32,
    bars: BarMeta,
    partitions: Vec<Entry>,
    #[serde(rename = "checksum")]
    _checksum: String,
}

impl Index {
    /// The text of the file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let body = Body {
            kind: KIND,
            format: meta::FORMAT,
            bars: &self.bars,
            partitions: &self.partitions,
        };
        let mut text =
            serde_json::to_string_pretty(&body).expect("strings, numbers and flags have a JSON form");
        text.truncate(text.len() - "\n}".len());
        text.push_str(BEFORE_CHECKSUM);
        let checksum = blake3::hash(text.as_bytes()).to_hex();
        text.push_str(&checksum);
        text.push_str(AFTER_CHECKSUM);
        text.into_bytes()
    }

    /// Checks and reads the text of the index of `key`.
    pub(super) fn from_bytes(bytes: &[u8], key: &BarKey) -> Result<Self, FileDefect> {
        check(bytes)?;
        let text = std::str::from_utf8(bytes).map_err(metadata)?;
        meta::check_format(text)?;
        let parsed: Parsed = serde_json::from_str(text).map_err(metadata)?;
        let found = parsed.bars.title();
        if parsed.kind != KIND || found != key.to_string() {
            return Err(FileDefect::OtherContent {
                expected: key.to_string(),
                found,
            });
        }
        let index = Self {
            bars: parsed.bars,
            partitions: parsed.partitions,
        };
        match index.contradiction() {
            None => Ok(index),
            Some(problem) => Err(FileDefect::Metadata(problem)),
        }
    }

    /// The partitions with bars that may open in `[from, to)`.
    pub(super) fn overlapping(&self, from: UtcNanos, to: UtcNanos) -> impl Iterator<Item = &Entry> {
        let overlaps = move |entry: &&Entry| entry.first < to && entry.last > from;
        self.partitions.iter().filter(overlaps)
    }

    /// What an index with a right checksum may still have wrong, when it was not written here.
    fn contradiction(&self) -> Option<String> {
        let (Some(first), Some(last)) = (self.partitions.first(), self.partitions.last()) else {
            return Some("it lists no partitions".to_owned());
        };
        let rows: usize = self.partitions.iter().map(|entry| entry.rows).sum();
        let months_increase = self
            .partitions
            .windows(2)
            .all(|pair| pair[0].month < pair[1].month);
        let span = (self.bars.rows, self.bars.first, self.bars.last);
        if (rows, first.first, last.last) != span || !months_increase {
            return Some("its partitions do not add up to the series".to_owned());
        }
        let bad = self.partitions.iter().find(|entry| !is_hash(&entry.digest));
        bad.map(|entry| format!("the digest of the partition {} is malformed", entry.month))
    }
}

impl Entry {
    /// Its place below the folder of the symbol.
    pub(super) fn relative_path(&self, key: &BarKey) -> PathBuf {
        let [year, month] = self.month.folders();
        let name = format!("{}{}.parquet", name_prefix(key), &self.digest[..NAME_DIGITS]);
        [year, month, name].iter().collect()
    }
}

/// How the names of the partitions of a series begin.
pub(super) fn name_prefix(key: &BarKey) -> String {
    format!("{}-", key.timeframe())
}

fn metadata(error: impl ToString) -> FileDefect {
    FileDefect::Metadata(error.to_string())
}

fn is_hash(text: &str) -> bool {
    text.len() == HASH_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Compares the checksum with the bytes.
fn check(bytes: &[u8]) -> Result<(), FileDefect> {
    if bytes.is_empty() {
        return Err(FileDefect::Empty);
    }
    let front = bytes.strip_suffix(AFTER_CHECKSUM.as_bytes());
    let parts = front.and_then(|front| front.split_at_checked(front.len().checked_sub(HASH_DIGITS)?));
    let (text, checksum) = parts
        .filter(|(text, _)| text.ends_with(BEFORE_CHECKSUM.as_bytes()))
        .ok_or(FileDefect::NoChecksum)?;
    if blake3::hash(text).to_hex().as_bytes() == checksum {
        Ok(())
    } else {
        Err(FileDefect::BrokenSeal)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sextant_domain::{AssetClass, Timeframe};

    use super::*;

    fn key() -> BarKey {
        BarKey::new(AssetClass::Crypto, "BTC-USD", Timeframe::M1).unwrap()
    }

    fn entry(month: &str, span: (i64, i64), digit: &str) -> Entry {
        Entry {
            month: month.parse().unwrap(),
            rows: 2,
            first: UtcNanos::from_nanos(span.0),
            last: UtcNanos::from_nanos(span.1),
            digest: digit.repeat(HASH_DIGITS),
        }
    }

    fn index() -> Index {
        Index {
            bars: BarMeta {
                format: meta::FORMAT,
                symbol: "BTC-USD".to_owned(),
                asset_class: AssetClass::Crypto,
                timeframe: Timeframe::M1,
                rows: 4,
                first: UtcNanos::from_nanos(10),
                last: UtcNanos::from_nanos(90),
                source: "a \"test\"\nof two lines".to_owned(),
                synthetic: false,
                adjustment: "none".to_owned(),
                digest: "ab".repeat(32),
            },
            partitions: vec![entry("1970-01", (10, 40), "1"), entry("1970-02", (50, 90), "2")],
        }
    }

    #[test]
    fn an_index_comes_back_and_is_json() {
        let bytes = index().to_bytes();
        assert_eq!(Index::from_bytes(&bytes, &key()), Ok(index()));
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["partitions"][1]["month"], "1970-02");
        let path = index().partitions[0].relative_path(&key());
        assert_eq!(path, PathBuf::from("1970/01/1M-1111111111111111.parquet"));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_of_an_index_is_found() {
        let good = index().to_bytes();
        for position in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[position] ^= 1 << bit;
                assert!(
                    Index::from_bytes(&bad, &key()).is_err(),
                    "byte {position}, bit {bit}"
                );
            }
            assert!(
                Index::from_bytes(&good[..position], &key()).is_err(),
                "cut to {position}"
            );
        }
        for more in [
            [good.as_slice(), b"\n"].concat(),
            [good.as_slice(), &good].concat(),
        ] {
            assert!(Index::from_bytes(&more, &key()).is_err());
        }
    }

    #[test]
    fn an_index_of_something_else_is_refused() {
        let changed = |change: fn(&mut Index)| {
            let mut index = index();
            change(&mut index);
            Index::from_bytes(&index.to_bytes(), &key())
                .unwrap_err()
                .to_string()
        };
        let cases = [
            (
                changed(|index| index.bars.symbol = "ETH".to_owned()),
                "it holds ETH 1M",
            ),
            (changed(|index| index.bars.rows = 5), "add up"),
            (changed(|index| index.partitions.swap(0, 1)), "add up"),
            (
                changed(|index| index.partitions[1].digest = "../../x".to_owned()),
                "malformed",
            ),
            (changed(|index| index.partitions.clear()), "lists no partitions"),
            (
                changed(|index| index.bars.last = UtcNanos::from_nanos(91)),
                "add up",
            ),
        ];
        for (message, part) in cases {
            assert!(message.contains(part), "{message}");
        }
        let text = String::from_utf8(index().to_bytes()).unwrap();
        let newer = text.replacen("\"format\": 1", "\"format\": 2", 1);
        let front = newer.strip_suffix(AFTER_CHECKSUM).unwrap();
        let front = &front[..front.len() - HASH_DIGITS];
        let resealed = format!(
            "{front}{}{AFTER_CHECKSUM}",
            blake3::hash(front.as_bytes()).to_hex()
        );
        let defect = Index::from_bytes(resealed.as_bytes(), &key());
        assert_eq!(defect, Err(FileDefect::Format { found: 2, known: 1 }));
    }

    #[test]
    fn only_partitions_that_overlap_are_chosen() {
        let index = index();
        let chosen = |from, to| {
            let (from, to) = (UtcNanos::from_nanos(from), UtcNanos::from_nanos(to));
            index
                .overlapping(from, to)
                .map(|entry| entry.first.nanos())
                .collect::<Vec<_>>()
        };
        assert_eq!(chosen(0, 100), [10, 50]);
        assert_eq!(chosen(40, 50), [0_i64; 0]);
        assert_eq!(chosen(39, 50), [10]);
        assert_eq!(chosen(40, 51), [50]);
        assert_eq!(chosen(90, 100), [0_i64; 0]);
    }
}
