//! The tables that only the database has: what a manifest says, as rows.

use serde::{Deserialize, Serialize};
use sextant_domain::UtcNanos;

use crate::row::{Row, table};
use crate::schema::Table;

table! {
    /// One row per run.
    RunRow [] in "runs" {
        /// When it was computed.
        created_at: UtcNanos,
        /// How long it took.
        duration_seconds: f64,
        /// First instant of the run.
        start_time: UtcNanos,
        /// Last instant of the run.
        end_time: UtcNanos,
        /// Seed of all randomness.
        seed: u64,
        /// Whether any of its data is synthetic: nothing of such a run says anything about a market.
        synthetic: bool,
        /// Instruments, comma-separated.
        universe: String,
        /// Version of the program.
        code_version: String,
        /// Digest of the program's code.
        code_digest: String,
        /// The resolved configuration, as JSON.
        config: String,
        /// Digest of all rows: two runs with the same digest have the same rows in the same order.
        rows_digest: String,
        /// The run folder, relative to the results folder.
        folder: String,
    }
}

table! {
    /// A data series that a run was computed from.
    DataInput [Eq, PartialOrd, Ord, Serialize, Deserialize] in "run_data" {
        /// Instrument, or the name of a macro series.
        symbol: String,
        /// Bar timeframe, such as `4H`; `series` for a macro series.
        timeframe: String,
        /// `equity`, `crypto`, `fx` or `macro`.
        class: String,
        /// Digest of its content.
        digest: String,
        /// Where it came from.
        source: String,
        /// Whether it is synthetic.
        synthetic: bool,
    }
}

table! {
    /// An assumption that a run was made under.
    Assumption [Eq, Serialize, Deserialize] in "assumptions" {
        /// Stable key, such as `fill_convention`.
        key: String,
        /// The assumption, in words.
        text: String,
    }
}

static INDEX_TABLES: &[Table] = &[RunRow::TABLE, DataInput::TABLE, Assumption::TABLE];

/// The tables that are in the database and not in a run folder; they are made from the manifests.
pub fn index_tables() -> &'static [Table] {
    INDEX_TABLES
}
