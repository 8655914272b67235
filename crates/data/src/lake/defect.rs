//! What can be wrong with a file of the lake.

use sextant_domain::SeriesError;
use thiserror::Error;

/// Why a file of the lake is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileDefect {
    /// No bytes.
    #[error("it is empty")]
    Empty,
    /// Not the beginning and end of a Parquet file.
    #[error(
        "it does not begin and end like a Parquet file: it is cut short, half written, or something else"
    )]
    NotParquet,
    /// A Parquet file without a seal at the place where it should be.
    #[error("it has no valid seal: another program wrote it, or it is damaged")]
    NoSeal,
    /// A seal that does not fit the bytes.
    #[error("it is damaged: its bytes are not the ones that were written (their checksum differs)")]
    BrokenSeal,
    /// The Parquet reader cannot read it.
    #[error("the Parquet reader cannot read it: {0}")]
    Unreadable(String),
    /// Its metadata are not ours.
    #[error("its metadata cannot be used: {0}")]
    Metadata(String),
    /// Another version of the format.
    #[error("it has format version {found}, but this program reads version {known}")]
    Format {
        /// The version found.
        found: u32,
        /// The version this program reads.
        known: u32,
    },
    /// Columns that do not belong there or are missing.
    #[error("its columns are not those of the format: {0}")]
    Columns(String),
    /// Bars that cannot be a series.
    #[error("its bars are no series: {0}")]
    Bars(SeriesError),
    /// Content that is not what the metadata say.
    #[error("its content has the digest {found}, but its metadata say {stored}")]
    Digest {
        /// The digest in the metadata.
        stored: String,
        /// The digest of the content.
        found: String,
    },
    /// A text that does not end as it was written.
    #[error("it does not end with its checksum: it is cut short, or another program wrote it")]
    NoChecksum,
    /// A file that an index lists and that is not there.
    #[error("it is not there, but the index of its series lists it")]
    Vanished,
    /// A file under another name than its content's.
    #[error("it holds {found}, but its name says {expected}: it was renamed or copied")]
    OtherContent {
        /// What the name says.
        expected: String,
        /// What the metadata say.
        found: String,
    },
    /// A name that is not of the lake.
    #[error("its name is not of the form <symbol>_<timeframe>.parquet")]
    Name,
}
