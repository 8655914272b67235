//! The command line.

mod data;
mod fetch;
mod proof;
mod query;
mod verify;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};

use crate::config::EngineConfig;

pub use data::*;
pub use fetch::*;
pub use proof::*;
pub use query::*;
pub use verify::*;

/// Sextant: backtests, data and results of a quantitative trading platform.
#[derive(Debug, Parser)]
#[command(name = "sextant", version, about, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a backtest and print its key figures; on the embedded synthetic market where no bars were imported
    Backtest(BacktestArgs),
    /// Bring, check, compare, adjust and list market data
    #[command(subcommand)]
    Data(Box<DataCommand>),
    /// List the models there are, and how a configuration runs them
    ListModels(ConfigArgs),
    /// List the runs there are, newest first
    Runs(ResultsArgs),
    /// Show one run: key figures, risk interventions, attribution
    Show(RunArgs),
    /// Write the HTML report of a run and say where it lies
    Report(RunArgs),
    /// Say why an order was sent, from the data to the size, and what it earned
    Why(WhyArgs),
    /// Say in what two runs differ: configuration, data, code, orders, equity, figures
    Compare(CompareArgs),
    /// Put a run and everything that reproduces it into one file
    Bundle(BundleArgs),
    /// Prove what a result claims, and that the configured system does not look ahead and repeats itself
    #[command(subcommand)]
    Verify(VerifyCommand),
    /// Maintain the result database
    #[command(subcommand)]
    Store(StoreCommand),
    /// Check a configuration, or print the reference of every key
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// The configuration of a command.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// The system configuration
    #[arg(long, default_value = "configs/base/system.yaml")]
    pub config: PathBuf,
    /// Override one value, such as `--set capital.initial=50000` or `--set risk.per_asset_cap=0.3`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// Arguments of `backtest`.
#[derive(Debug, Args)]
pub struct BacktestArgs {
    #[command(flatten)]
    /// The configuration.
    pub config: ConfigArgs,
    /// First day of trading (UTC), instead of the configuration's
    #[arg(long)]
    pub start: Option<NaiveDate>,
    /// Last day of trading (UTC), instead of the configuration's
    #[arg(long)]
    pub end: Option<NaiveDate>,
    /// Which engine computes the run, instead of the configuration's: event, step by step, or vectorised, by columns
    #[arg(long, value_enum)]
    pub engine: Option<EngineConfig>,
    /// Use the embedded synthetic market even where bars were imported
    #[arg(long)]
    pub synthetic: bool,
    /// Threads for loading data; results do not depend on it
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub threads: Option<u8>,
}

/// Where results are.
#[derive(Debug, Clone, Args)]
pub struct ResultsArgs {
    /// Run folders and the result database
    #[arg(long, default_value = "results")]
    pub results: PathBuf,
}

/// One run.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    /// Where results are.
    pub results: ResultsArgs,
    /// The run id, or its first characters; `latest` is the newest
    pub run: String,
}

/// Commands on the result database.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Rebuild the database from the run folders
    Rebuild(ResultsArgs),
}

/// Commands on configurations.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a configuration and every file it includes
    Check(ConfigArgs),
    /// Print the reference of every configuration key as Markdown
    Reference,
}
