//! What a download or an update did.

use std::path::PathBuf;

use sextant_domain::UtcNanos;

use super::{Difference, SlotRange};
use crate::{BarKey, Rule};

/// Whether the bars in the lake are other ones now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The file of the bars was not touched.
    Unchanged,
    /// The file was written.
    Written,
}

/// What a download or an update did.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateReport {
    /// The bars.
    pub key: BarKey,
    /// Their file.
    pub path: PathBuf,
    /// Whether it was written.
    pub outcome: Outcome,
    /// What the provider was asked for, in this order; the whole span comes last when everything was loaded anew.
    pub requests: Vec<SlotRange>,
    /// Rows of the answers, without those that a reload made obsolete.
    pub rows_read: u64,
    /// Rows that stood in the answers before, value for value.
    pub identical_duplicates: u64,
    /// Rows outside the session, left out.
    pub outside_session: u64,
    /// Rows of bars that had not closed, left out.
    pub forming: u64,
    /// Bars that were not in the lake.
    pub added: usize,
    /// Bars that were in the lake and that the provider does not have any more; only when everything was loaded anew.
    pub removed: usize,
    /// Bars that were in the lake with other values.
    pub changed: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
    /// The bar for which everything was loaded anew: the provider revised its history.
    pub reloaded: Option<Difference>,
    /// Missing bars that the provider is known not to have; they are not asked for again.
    pub holes: Vec<SlotRange>,
    /// Missing bars that lie before what the provider has by now. They are not remembered: the
    /// next update tries them again.
    pub unreachable: Vec<SlotRange>,
    /// Bad rows set aside, by rule.
    pub quarantined: Vec<(Rule, u64)>,
    /// The file with the bad rows, where this operation set any aside.
    pub quarantine: Option<PathBuf>,
    /// Bars in the lake now.
    pub bars: usize,
    /// Open time of the first bar.
    pub first: UtcNanos,
    /// Close time of the last bar.
    pub last: UtcNanos,
    /// The source in the metadata.
    pub source: String,
    /// How the provider adjusts prices.
    pub adjustment: String,
    /// The digest of the content.
    pub digest: String,
}
