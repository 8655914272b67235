//! The commands that prove something of runs and of the configured system.

use clap::{Args, Subcommand};

use super::{ConfigArgs, VerifyBundleArgs, VerifyRunArgs};

/// Proofs. Each prints a table and fails when anything in it does.
#[derive(Debug, Subcommand)]
pub enum VerifyCommand {
    /// Compute a run again from its manifest and compare every row
    Run(VerifyRunArgs),
    /// Compute a run again from nothing but a bundle and compare every row
    Bundle(VerifyBundleArgs),
    /// Prove that nothing looks ahead: features, regime, models, portfolio, risk, orders and fills
    Lookahead(LookaheadArgs),
    /// Prove that processes, threads and the order of the configuration do not matter
    Determinism(DeterminismArgs),
    /// Prove that results follow changes of the market as they must: scaled prices, other names, a later calendar
    Metamorphic(VerifyArgs),
    /// Every proof, and the rules for the data in use, in one table
    All(LookaheadArgs),
}

/// What is verified.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    /// The configuration.
    pub config: ConfigArgs,
    /// Use the embedded synthetic market even where bars were imported
    #[arg(long)]
    pub synthetic: bool,
}

/// Arguments of `verify lookahead`.
#[derive(Debug, Clone, Args)]
pub struct LookaheadArgs {
    #[command(flatten)]
    /// What is verified.
    pub what: VerifyArgs,
    /// One model of the configuration, alone; all of them together where it is left out
    #[arg(long)]
    pub model: Option<String>,
    /// Points in time at which the future is changed, each in four ways
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub cuts: u16,
    /// Seed of the points and of the noise
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Arguments of `verify determinism`.
#[derive(Debug, Clone, Args)]
pub struct DeterminismArgs {
    #[command(flatten)]
    /// What is verified.
    pub what: VerifyArgs,
    /// Seed of the order into which universe, series and files are shuffled
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}
