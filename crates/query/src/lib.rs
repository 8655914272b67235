//! DuckDB queries over the lake.
//!
//! [`LakeQuery::query`] gives the bars of a span as the engine reads them, from no more files than it needs, resampled
//! where a timeframe is not stored. [`LakeQuery::sql`] runs a researcher's SELECT over everything in the lake.
//!
//! # Invariants
//! * A file is handed to DuckDB only after its seal was compared with its bytes. A damaged one is an error that names it
//!   and the command that repairs it, never a wrong number.
//! * Bars of a query equal those of [`Lake::load_bars`](sextant_data::Lake::load_bars), cut to the span, bit for bit.
//! * SQL can read the verified files and nothing else, and can write nowhere: DuckDB's access to files is closed but for
//!   those, its configuration is locked, and only one SELECT is let through.
//! * DuckDB keeps within its memory limit; it loads no extension and opens no connection.
//!
//! # Deliberately absent
//! A copy of the bars in a database: the lake's files are the only truth. Results of runs are in `sextant-store`.

mod bars;
mod engine;
mod error;
mod options;
mod sql;
mod table;

pub use bars::LakeQuery;
pub use error::QueryError;
pub use options::LakeQueryOptions;
pub use sql::SqlSession;
pub use table::{Cell, SqlTable};
