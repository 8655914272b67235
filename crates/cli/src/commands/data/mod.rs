//! `sextant data`.

mod actions;
mod diff;
mod fetch;
mod import;
mod qlib;
mod query;
mod select;
mod show;
mod status;
mod stitch;
mod tickers;
mod universe;
mod validate;

use std::process::ExitCode;

use anyhow::Context;

use crate::args::{ConfigArgs, DataCommand};
use crate::compose::{ensure_synthetic, synthetic_root};
use crate::config::{ConfigSource, load};
use crate::out::say;
use crate::progress::Bars;

pub(super) fn run(command: DataCommand) -> anyhow::Result<ExitCode> {
    match command {
        DataCommand::Download(args) => fetch::download(&args),
        DataCommand::Update(args) => fetch::update(&args),
        DataCommand::Import(args) => import::import(&args),
        DataCommand::Export(args) => qlib::export(&args),
        DataCommand::Resample(args) => import::resample(&args),
        DataCommand::Validate(args) => validate::run(&args),
        DataCommand::Status(args) => status::run(&args),
        DataCommand::Show(args) => show::run(&args),
        DataCommand::Query(args) => query::run(&args),
        DataCommand::Diff(args) => diff::run(&args),
        DataCommand::Adjust(args) => actions::adjust(&args),
        DataCommand::Dividends(args) => actions::dividends(&args),
        DataCommand::Stitch(args) => stitch::run(&args),
        DataCommand::Resolve(args) => tickers::resolve(&args),
        DataCommand::Universe(args) => universe::run(&args),
        DataCommand::Synthesize(args) => synthesize(&args),
    }
}

fn synthesize(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let config = load(&ConfigSource {
        file: args.config.clone(),
        overrides: args.overrides.clone(),
    })?;
    let bars = Bars::new();
    let data = &config.system.paths.data;
    let made = ensure_synthetic(data, &config.system.synthetic, &bars).context("synthetic market")?;
    bars.finish();
    let root = synthetic_root(data);
    say!(
        "synthetic market {} in {}",
        if made { "made" } else { "there already" },
        root.display()
    );
    Ok(ExitCode::SUCCESS)
}
