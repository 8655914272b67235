//! `sextant bundle`: one file that reproduces a run.

use std::process::ExitCode;

use anyhow::bail;
use sextant_store::RunFolders;

use super::runs::resolve;
use crate::args::BundleArgs;
use crate::bundle::pack;
use crate::out::say;
use crate::progress::Bars;
use crate::replay::Replay;

pub(super) fn run(args: &BundleArgs) -> anyhow::Result<ExitCode> {
    let results = &args.run.results.results;
    let folder = RunFolders::new(results).open(&resolve(results, &args.run.run)?)?;
    let bars = Bars::new();
    let replay = Replay::prepare(folder.manifest(), &args.data, &bars)?;
    bars.finish();
    let (data, code): (Vec<_>, Vec<_>) = replay
        .changes
        .iter()
        .partition(|change| change.what.starts_with("data"));
    if !data.is_empty() {
        let lines: Vec<_> = data
            .iter()
            .map(|change| format!("{}: {} then, {} now", change.what, change.then, change.now))
            .collect();
        bail!(
            "run {} cannot be bundled: {} no longer holds what it was computed from; run the backtest again and bundle \
             that\n  - {}",
            folder.run_id(),
            args.data.display(),
            lines.join("\n  - ")
        );
    }
    let default = || {
        results
            .join("bundles")
            .join(format!("{}.tar.gz", folder.run_id()))
    };
    let to = args.to.clone().unwrap_or_else(default);
    let bytes = pack(&folder, &args.data, &to)?;
    say!("bundle    {} ({bytes} bytes)", to.display());
    for change in code {
        say!(
            "note      {} of the run is {}, that of this program {}: the bundle is reproduced by the former",
            change.what,
            change.then,
            change.now
        );
    }
    say!("reproduce `cargo xtask verify bundle {}`", to.display());
    Ok(ExitCode::SUCCESS)
}
