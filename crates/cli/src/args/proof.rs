//! Arguments of the commands that prove, compare, carry and explain runs.

use std::path::PathBuf;

use clap::Args;

use super::{ResultsArgs, RunArgs};

/// Arguments of `verify run`.
#[derive(Debug, Args)]
pub struct VerifyRunArgs {
    #[command(flatten)]
    /// The run.
    pub run: RunArgs,
    /// The lake with the bars of the run
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Also say in which keys this configuration file is not what the run was configured with
    #[arg(long)]
    pub config: Option<PathBuf>,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    #[command(flatten)]
    /// Where results are.
    pub results: ResultsArgs,
    /// The first run: its id, the first characters of it, or `latest`
    pub left: String,
    /// The second run
    pub right: String,
    /// Compare the figures of this model instead of the portfolio's
    #[arg(long, default_value = "portfolio")]
    pub scope: String,
}

/// Arguments of `verify bundle`.
#[derive(Debug, Args)]
pub struct VerifyBundleArgs {
    /// The bundle
    pub file: PathBuf,
    /// Unpack it into this empty or new folder, which stays; a temporary one is used otherwise
    #[arg(long)]
    pub into: Option<PathBuf>,
}

/// Arguments of `bundle`.
#[derive(Debug, Args)]
pub struct BundleArgs {
    #[command(flatten)]
    /// The run.
    pub run: RunArgs,
    /// The file to write, instead of `<results>/bundles/<run id>.tar.gz`
    #[arg(long)]
    pub to: Option<PathBuf>,
    /// The lake with the bars of the run
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
}

/// Arguments of `why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    #[command(flatten)]
    /// The run.
    pub run: RunArgs,
    /// The number of the order; without one the orders are listed
    pub order: Option<String>,
    /// The lake with the bars of the run
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Show everything that the model reads, not only what is about the order's instrument
    #[arg(long)]
    pub all: bool,
}
