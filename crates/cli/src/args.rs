//! The command line.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};
use sextant_domain::{AssetClass, Timeframe};

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
    /// Import, resample, validate and list market data
    #[command(subcommand)]
    Data(DataCommand),
    /// List the models there are, and how a configuration runs them
    ListModels(ConfigArgs),
    /// List the runs there are, newest first
    Runs(ResultsArgs),
    /// Show one run: key figures, risk interventions, attribution
    Show(RunArgs),
    /// Write the HTML report of a run and say where it lies
    Report(RunArgs),
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
    /// Use the embedded synthetic market even where bars were imported
    #[arg(long)]
    pub synthetic: bool,
    /// Threads for loading data; results do not depend on it
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub threads: Option<u8>,
}

/// Commands on market data.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Import bars from CSV or CSV.gz files into the Parquet lake
    Import(ImportArgs),
    /// Make coarser bars from finer ones, such as 4H from 1H
    Resample(ResampleArgs),
    /// Check stored bars against every data rule; fails when a rule of severity error is broken
    Validate(ValidateArgs),
    /// List what is stored: symbol, timeframe, span, rows, source, digest
    Status(DataRootArgs),
    /// Create the embedded synthetic market
    Synthesize(ConfigArgs),
}

/// Where the data are.
#[derive(Debug, Clone, Args)]
pub struct DataRootArgs {
    /// The Parquet lake
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
}

/// Arguments of `data import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// A CSV or CSV.gz file, or, with --manifest, the folder its files are relative to
    #[arg(long)]
    pub from: PathBuf,
    /// A YAML list of files to import at once
    #[arg(long, conflicts_with_all = ["symbol", "asset_class", "timeframe", "factors", "macro_name"])]
    pub manifest: Option<PathBuf>,
    /// Import a macro file under this name instead of bars; --series says what is in it
    #[arg(long = "macro", value_name = "NAME", requires = "series", conflicts_with_all = ["symbol", "asset_class", "timeframe", "factors", "quarantine"])]
    pub macro_name: Option<String>,
    /// A series of a macro file: `vix=close`, or a difference: `yield_curve_10y_3m=10year - 3month`; may be repeated
    #[arg(long, value_name = "SERIES=COLUMN", requires = "macro_name")]
    pub series: Vec<String>,
    /// The symbol to store the bars under
    #[arg(long, required_unless_present_any = ["manifest", "macro_name"])]
    pub symbol: Option<String>,
    /// equity, crypto or fx
    #[arg(long, required_unless_present_any = ["manifest", "macro_name"])]
    pub asset_class: Option<AssetClass>,
    /// The timeframe of the file: 1M, 5M, 15M, 30M, 1H, 4H or 1D
    #[arg(long, required_unless_present_any = ["manifest", "macro_name"])]
    pub timeframe: Option<Timeframe>,
    /// A file of adjustment factors: date,price_factor,split_factor,reference_close
    #[arg(long)]
    pub factors: Option<PathBuf>,
    /// Put bad rows into a quarantine file beside the bars instead of refusing the import
    #[arg(long)]
    pub quarantine: bool,
}

/// Arguments of `data resample`.
#[derive(Debug, Args)]
pub struct ResampleArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// The symbol
    #[arg(long)]
    pub symbol: String,
    /// equity, crypto or fx
    #[arg(long)]
    pub asset_class: AssetClass,
    /// The finer timeframe, already stored
    #[arg(long)]
    pub from: Timeframe,
    /// The coarser timeframe to make
    #[arg(long)]
    pub to: Timeframe,
}

/// Arguments of `data validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    /// The lake.
    pub root: DataRootArgs,
    /// Symbols to check; all when left out
    #[arg(long, num_args = 1..)]
    pub symbols: Vec<String>,
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
