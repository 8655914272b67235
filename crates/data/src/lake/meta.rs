//! What a file says about itself.

use serde::{Deserialize, Serialize};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use super::FileDefect;

/// The version of the file format; a file of another version is refused.
pub(super) const FORMAT: u32 = 1;

/// What a bar file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarMeta {
    /// Version of the file format.
    pub format: u32,
    /// The symbol.
    pub symbol: String,
    /// The asset class.
    pub asset_class: AssetClass,
    /// The timeframe.
    pub timeframe: Timeframe,
    /// Number of bars.
    pub rows: usize,
    /// Open time of the first bar, in nanoseconds.
    pub first: UtcNanos,
    /// Close time of the last bar, in nanoseconds.
    pub last: UtcNanos,
    /// Where the bars come from.
    pub source: String,
    /// Whether a generator made them.
    pub synthetic: bool,
    /// How prices were adjusted; begins with `none` where they are those of the source.
    pub adjustment: String,
    /// BLAKE3 of the logical content, hexadecimal. Source and wording of this record do not enter it.
    pub digest: String,
}

/// What a macro file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MacroMeta {
    /// Version of the file format.
    pub format: u32,
    /// The name of the file.
    pub name: String,
    /// The series in it.
    pub series: Vec<String>,
    /// Number of rows.
    pub rows: usize,
    /// First publication time, in nanoseconds.
    pub first: UtcNanos,
    /// Last publication time, in nanoseconds.
    pub last: UtcNanos,
    /// Where the values come from.
    pub source: String,
    /// Whether a generator made them.
    pub synthetic: bool,
    /// How publication times were found.
    pub publication: String,
    /// BLAKE3 of the logical content, hexadecimal.
    pub digest: String,
}

/// What any file of the lake says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FileMeta {
    /// A bar file.
    Bars(BarMeta),
    /// A macro file.
    Macro(MacroMeta),
}

impl BarMeta {
    /// What the series is, in words.
    pub(super) fn title(&self) -> String {
        format!("{} {} ({})", self.symbol, self.timeframe, self.asset_class)
    }
}

impl FileMeta {
    /// The digest of the content.
    pub fn digest(&self) -> &str {
        match self {
            Self::Bars(meta) => &meta.digest,
            Self::Macro(meta) => &meta.digest,
        }
    }

    /// What the file holds, in words.
    pub fn title(&self) -> String {
        match self {
            Self::Bars(meta) => meta.title(),
            Self::Macro(meta) => format!("the macro table {}", meta.name),
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and flags have a JSON form")
    }

    pub(super) fn from_json(text: &str) -> Result<Self, FileDefect> {
        check_format(text)?;
        serde_json::from_str(text).map_err(|error| FileDefect::Metadata(error.to_string()))
    }
}

/// The version is looked at first, so that a newer file is named as such and not as malformed.
pub(super) fn check_format(text: &str) -> Result<(), FileDefect> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| FileDefect::Metadata(error.to_string()))?;
    let found = value.get("format").and_then(serde_json::Value::as_u64);
    let found = found.and_then(|format| u32::try_from(format).ok());
    match found {
        None => Err(FileDefect::Metadata("the format version is missing".to_owned())),
        Some(FORMAT) => Ok(()),
        Some(found) => Err(FileDefect::Format { found, known: FORMAT }),
    }
}
