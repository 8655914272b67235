//! Result store: run folders, which are the truth, and the DuckDB index over them.
//!
//! A run is written as a folder `results/runs/<run id>/`: a manifest, one Parquet file per table, and the checksums of
//! all of them. `results/sextant.db` holds the same rows of all runs in one DuckDB file, so that anybody with a stock
//! DuckDB client can query them; it is an index and can be made again from the folders at any time.
//!
//! * [`RunFolders`] writes, lists, verifies and loads run folders. It needs no database.
//! * [`Store`] is the database: it indexes verified folders and lists the runs.
//! * [`rebuild`] makes the database again from the folders.
//! * [`RunTables`] are the rows, as plain structs; [`run_tables`] and [`index_tables`] describe them. They are held
//!   against each other by [`RunTables::digests`] and [`RunTables::differences`].
//!
//! # Invariants
//! * The id of a run is a hash of what it was computed from: code, config, data, seed, span and universe. The wall
//!   clock is not part of it.
//! * A run folder is complete or not there: it is written under a temporary name, flushed and renamed. The rows of a
//!   run enter the database in one transaction.
//! * A run folder is used only after every byte of it has been compared with its checksums.
//! * The same run computed twice must give the same rows, compared by [`RowsDigest`]; if it does not, the second one is
//!   an error and the first one stays. The digest depends on the order of the rows, because the order in which things
//!   happened is part of a result.
//! * Prices, quantities and cash are stored as exact decimals, times as nanoseconds in UTC. A number that is not
//!   finite is refused by table, column and row; negative zero is stored as zero.
//! * One process writes the database, and while it does so nobody else has it open; the folders can always be read.
//!
//! # Deliberately absent
//! Market data, the computing of metrics, logs and reports. Nothing here reads a clock: the caller says when a run
//! was made.

mod cell;
mod checksums;
mod codec;
mod database;
mod difference;
mod error;
mod files;
mod folder;
mod index;
mod index_rows;
mod json;
mod lock;
mod manifest;
mod parquet;
mod rebuild;
mod replace;
mod row;
mod rows;
mod run_tables;
mod schema;
mod size_kind;
mod spec;
mod store;
mod writer;

pub use checksums::RowsDigest;
pub use difference::{TableDifference, TableDigests, ValueDifference};
pub use error::StoreError;
pub use folder::{LoadedRun, RunFolder, RunFolders, WriteOutcome, WrittenRun};
pub use index_rows::{Assumption, DataInput, RunRow, index_tables};
pub use manifest::{CodeVersion, Manifest, RunId, RunInfo, RunInputs};
pub use rebuild::{RebuildReport, RebuildStep, rebuild};
pub use rows::{
    AttributionRow, BillRow, CashEventRow, CostCurveRow, EquityRow, FillAllocationRow, FillRow, IntentRow,
    MarkRow, MetricRow, OrderEndRow, OrderRow, PORTFOLIO_SCOPE, PositionRow, RefusalRow, RegimeRow,
    RiskEventRow, SplitRow, TargetRow, TradeRow,
};
pub use run_tables::{RunTables, run_tables};
pub use schema::{Column, ColumnKind, Table};
pub use size_kind::SizeKind;
pub use spec::tables_markdown;
pub use store::{IndexGap, IndexOutcome, RunSummary, Store};
