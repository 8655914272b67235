//! `sextant runs`, `show`, `report` and `store`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use sextant_store::{LoadedRun, RebuildStep, RunFolders, RunId, Store, rebuild};

use super::backtest::{LATEST_FILE, print_bill, print_summary};
use crate::args::{ResultsArgs, RunArgs, StoreCommand};
use crate::figures::{cents, format_metric};
use crate::out::say;
use crate::progress::Bars;
use crate::report::{ReportInput, write_report};
use crate::table::table;
use sextant_data::Progress;

pub(super) fn list(args: &ResultsArgs) -> anyhow::Result<ExitCode> {
    let nothing =
        RunFolders::new(&args.results).ids()?.is_empty() && !Store::database_path(&args.results).exists();
    if nothing {
        say!(
            "no runs in {}; `cargo xtask backtest` makes one",
            args.results.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let store = Store::open_read_only(&args.results)?;
    let runs = store.runs()?;
    let rows = runs.iter().map(|summary| {
        let figure = |name: &str| summary.figure(name).map(format_metric).unwrap_or_default();
        vec![
            summary.run_id.to_string(),
            summary
                .run
                .created_at
                .datetime()
                .format("%Y-%m-%d %H:%M")
                .to_string(),
            if summary.run.synthetic {
                "synthetic"
            } else {
                "imported"
            }
            .to_owned(),
            format!(
                "{} to {}",
                summary.run.start_time.date(),
                summary.run.end_time.saturating_add(-1).date()
            ),
            figure("total_return"),
            figure("sharpe"),
            figure("max_drawdown"),
            figure("trades"),
            figure("bps"),
        ]
    });
    let headings = [
        "run",
        "made (UTC)",
        "data",
        "period",
        "#total return",
        "#sharpe",
        "#max drawdown",
        "#trades",
        "#bps",
    ];
    say!("{}", table(&headings, rows));
    let gap = store.gap()?;
    if !gap.unindexed.is_empty() || !gap.without_folder.is_empty() {
        say!(
            "{} runs have a folder but are not in the database, {} are in the database without a folder: \
             `cargo xtask store rebuild` brings both together",
            gap.unindexed.len(),
            gap.without_folder.len()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The run that was asked for; `latest` is the one made last.
pub(crate) fn resolve(results: &Path, wanted: &str) -> anyhow::Result<RunId> {
    let folders = RunFolders::new(results);
    if wanted != "latest" {
        return Ok(folders.resolve(wanted)?);
    }
    let latest = std::fs::read_to_string(results.join(LATEST_FILE));
    let advice = || {
        format!(
            "no run was made in {} yet; `cargo xtask backtest` makes one",
            results.display()
        )
    };
    Ok(folders.resolve(&latest.with_context(advice)?)?)
}

fn load(args: &RunArgs) -> anyhow::Result<LoadedRun> {
    let results = &args.results.results;
    let run = resolve(results, &args.run)?;
    Ok(RunFolders::new(results).load_run(&run)?)
}

pub(super) fn show(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let run = load(args)?;
    print_summary(&run.manifest, &run.tables);
    let attribution = run.tables.attribution.iter().map(|row| {
        vec![
            row.model.clone(),
            row.symbol.clone(),
            cents(row.gross_pnl),
            cents(row.fees),
            cents(row.slippage),
            cents(row.income),
            cents(row.net_pnl),
        ]
    });
    say!("attribution");
    say!(
        "{}",
        table(
            &[
                "model",
                "instrument",
                "#gross",
                "#fees",
                "#slippage",
                "#income",
                "#net"
            ],
            attribution
        )
    );
    print_risk(&run);
    print_bill(&run.tables);
    let assumptions = run.manifest.assumptions().iter();
    let rows = assumptions.map(|one| vec![one.key.clone(), one.text.clone()]);
    say!("assumptions");
    say!("{}", table(&["what", "assumption"], rows));
    say!("run     {}", run.manifest.run_id());
    say!("folder  {}", run.path.display());
    Ok(ExitCode::SUCCESS)
}

/// Interventions by rule and action, with the first and the last of each.
fn print_risk(run: &LoadedRun) {
    let mut rows: Vec<(String, String, usize, String, String)> = Vec::new();
    for event in &run.tables.risk_events {
        let time = event.time.to_string();
        match rows
            .iter_mut()
            .find(|row| row.0 == event.rule && row.1 == event.action)
        {
            Some(row) => {
                row.2 += 1;
                row.4 = time;
            }
            None => rows.push((event.rule.clone(), event.action.clone(), 1, time.clone(), time)),
        }
    }
    if rows.is_empty() {
        say!("no risk rule had to intervene");
        return;
    }
    say!("risk interventions");
    let rows = rows
        .into_iter()
        .map(|(rule, action, count, first, last)| vec![rule, action, count.to_string(), first, last]);
    say!("{}", table(&["rule", "action", "#count", "first", "last"], rows));
}

pub(super) fn report(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let run = load(args)?;
    let input = ReportInput {
        manifest: &run.manifest,
        tables: &run.tables,
    };
    say!("{}", write_report(&args.results.results, &input)?.display());
    Ok(ExitCode::SUCCESS)
}

pub(super) fn store(command: &StoreCommand) -> anyhow::Result<ExitCode> {
    let StoreCommand::Rebuild(args) = command;
    let bars = Bars::new();
    let mut begun = false;
    let report = rebuild(&args.results, &mut |step: RebuildStep<'_>| {
        if !std::mem::replace(&mut begun, true) {
            bars.start(step.total as u64, "indexing runs");
        }
        bars.advance(1);
    })?;
    bars.finish();
    say!(
        "{} runs in {}",
        report.indexed.len(),
        Store::database_path(&args.results).display()
    );
    for (run, problem) in &report.left_out {
        say!("left out {run}: {problem}");
    }
    Ok(if report.left_out.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
