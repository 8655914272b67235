//! `sextant verify determinism`.

mod scratch;

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use sextant_data::Progress;
use sextant_store::{LoadedRun, RunFolders};

use self::scratch::Scratch;
use super::chain::System;
use super::rows::ProofRow;
use super::run::{count_rows, words};
use super::variants::shuffled;
use crate::args::DeterminismArgs;
use crate::pipeline::Source;

const CHECK: &str = "determinism";
const THREADS: [u8; 3] = [1, 2, 4];
const PROCESSES: usize = 2;

/// In which order universe, timeframes, macro series and files come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Given,
    Shuffled,
}

/// Runs the backtest in two processes at a time, with 1, 2 and 4 threads, in the order of the configuration and in a
/// shuffled one, and compares run ids, every row of every table, and the digest of the rows.
pub(super) fn prove(
    args: &DeterminismArgs,
    system: &System,
    progress: &dyn Progress,
) -> anyhow::Result<Vec<ProofRow>> {
    let scratch = Scratch::new(&system.config.system.paths.results)?;
    let plan = [Order::Given, Order::Shuffled].map(|order| THREADS.map(|threads| (order, threads)));
    progress.start((plan.len() * THREADS.len()) as u64, "running again");
    let mut reference = None;
    let mut proven = Vec::new();
    for (order, threads) in plan.into_iter().flatten() {
        let pair = pair_of_runs(args, system, &scratch, (order, threads))?;
        let reference = reference.get_or_insert_with(|| pair[0].clone());
        proven.push(same(reference, &pair, order, threads)?);
        progress.advance(1);
    }
    Ok(proven)
}

/// A run and the digest of its rows.
type Finished = (LoadedRun, String);

fn same(
    (reference, digest): &Finished,
    pair: &[Finished],
    order: Order,
    threads: u8,
) -> anyhow::Result<ProofRow> {
    let what = format!(
        "{} order, {threads} thread{}",
        match order {
            Order::Given => "given",
            Order::Shuffled => "shuffled",
        },
        if threads == 1 { "" } else { "s" }
    );
    let (mut values, mut complaint) = (0, None);
    for (run, other_digest) in pair {
        let differences = reference.tables.differences(&run.tables)?;
        values += count_rows(&reference.tables)?;
        let ids = [&reference.manifest, &run.manifest].map(|manifest| manifest.run_id().to_string());
        let by_digest = if ids[0] != ids[1] {
            Some(format!("run ids differ: {} and {}", ids[0], ids[1]))
        } else if digest != other_digest {
            Some(format!(
                "the digests of the rows differ: {digest} and {other_digest}"
            ))
        } else {
            None
        };
        complaint = complaint.or(differences.first().map(words)).or(by_digest);
    }
    let extent = format!("{PROCESSES} processes");
    Ok(ProofRow::compared(CHECK, (&what, &extent), values, complaint))
}

/// Two processes at the same time, each with results of its own.
fn pair_of_runs(
    args: &DeterminismArgs,
    system: &System,
    scratch: &Scratch,
    (order, threads): (Order, u8),
) -> anyhow::Result<Vec<Finished>> {
    let mut running = Vec::new();
    for process in 0..PROCESSES {
        let place = scratch.folder(&format!("{order:?}-{threads}-{process}"))?;
        let mut command = backtest(args, system, &place)?;
        command.arg("--threads").arg(threads.to_string());
        if order == Order::Shuffled {
            let data = scratch.shuffled_lake(&system.root, system.source, args.seed)?;
            set(&mut command, "paths.data", &data)?;
            for one in shuffled(&system.config, args.seed)? {
                command.arg("--set").arg(one);
            }
        }
        let child = command.spawn().context("a second process cannot be started")?;
        running.push((child, place));
    }
    running
        .into_iter()
        .map(|(child, place)| finished(child, &place))
        .collect()
}

/// The command of this very program that runs the system with results in `place`.
fn backtest(args: &DeterminismArgs, system: &System, place: &Path) -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("the program does not know where it lies")?;
    let mut command = Command::new(program);
    let config = &args.what.config;
    command.arg("backtest").arg("--config").arg(&config.config);
    for one in &config.overrides {
        command.arg("--set").arg(one);
    }
    set(&mut command, "paths.results", &place.join("results"))?;
    set(&mut command, "paths.logs", &place.join("logs"))?;
    if system.source == Source::Synthetic {
        command.arg("--synthetic");
    }
    command.args(["--set", "risk.kill_switch.file=null"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    Ok(command)
}

fn set(command: &mut Command, key: &str, folder: &Path) -> anyhow::Result<()> {
    let text = folder
        .to_str()
        .with_context(|| format!("{} is not written in UTF-8", folder.display()))?;
    command
        .arg("--set")
        .arg(format!("{key}={}", serde_json::to_string(text)?));
    Ok(())
}

fn finished(child: Child, place: &Path) -> anyhow::Result<Finished> {
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "a backtest in a second process failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let folders = RunFolders::new(place.join("results"));
    let ids = folders.ids()?;
    let [id] = ids.as_slice() else {
        bail!("{} must hold one run, but holds {}", place.display(), ids.len());
    };
    let digest = folders.open(id)?.rows_digest().to_owned();
    Ok((folders.load_run(id)?, digest))
}
