//! The arguments of `data query`.

use clap::{Args, ValueEnum};

use super::DataRootArgs;

/// Arguments of `data query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// One SELECT; the view `bars` holds every bar, and `macro.<table>` each macro table
    pub sql: String,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: ResultFormat,
    /// The most rows a result may have; more are an error, not a cut
    #[arg(long, default_value_t = 100_000)]
    pub max_rows: usize,
    /// Memory of the query in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1_024)]
    pub memory_limit: u32,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ResultFormat {
    /// A table for people
    #[default]
    Table,
    /// Comma-separated values with a header
    Csv,
}
