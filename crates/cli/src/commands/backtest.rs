//! `sextant backtest`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use sextant_data::{Lake, Progress};
use sextant_store::{
    Manifest, MetricRow, RunFolder, RunFolders, RunInfo, RunTables, Store, StoreError, WriteOutcome,
};

use crate::args::BacktestArgs;
use crate::bill::break_even;
use crate::clock::{Stopwatch, now};
use crate::config::{ConfigSource, ResolvedConfig, load};
use crate::figures::{bill_figures, format_metric, scopes};
use crate::logs;
use crate::out::say;
use crate::pipeline::{
    KILL_FILE, Source, compute_all, ensure_synthetic, kill_reason, load_market, manifest, synthetic_root,
};
use crate::progress::Bars;
use crate::report::{ReportInput, SYNTHETIC_LABEL, write_report};
use crate::table::table;

/// Holds the id of the run made last.
pub(crate) const LATEST_FILE: &str = "latest";

/// The rows of the printed table, by metric name.
const PRINTED: [&str; 15] = [
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "win_rate",
    "profit_factor",
    "trades",
    "turnover",
    "gross_exposure",
    "cost_total",
    "cost_nav",
    "bps",
];

pub(super) fn run(args: &BacktestArgs) -> anyhow::Result<ExitCode> {
    let config = load(&config_source(args))?;
    prepare_results(&config.system.paths.results)?;
    let _logs = logs::open(&config.system.paths.logs)?;
    run_logged(args, &config).inspect_err(|error| logs::failure(&format!("{error:#}")))
}

fn run_logged(args: &BacktestArgs, config: &ResolvedConfig) -> anyhow::Result<ExitCode> {
    let watch = Stopwatch::start();
    let paths = &config.system.paths;
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build_global()
            .context("threads")?;
    }
    let bars = Bars::new();
    let asked = args.synthetic.then_some(Source::Synthetic);
    let (root, source) = choose_market(asked, config, &bars)?;
    let market = load_market(&config.system, &root, source, &bars)?;
    for end in market.ends.iter().chain(&market.joins) {
        bars.finish();
        eprintln!("warning: {end}");
    }
    let loading_seconds = watch.seconds();
    let kill = kill_reason(config);
    let engaged = config
        .risk
        .kill_switch
        .engaged
        .then(|| "it is engaged in the configuration".to_owned());
    if let Some(reason) = kill.clone().or(engaged) {
        eprintln!("warning: the kill switch is on ({reason}): nothing will be traded");
    }
    let kill = kill.map(|_| KILL_FILE);
    let computed = compute_all(config, &market, kill, &bars)?;
    let running_seconds = watch.seconds() - loading_seconds;
    let manifest = manifest(config, &market, kill, &computed.outcome);
    let info = RunInfo {
        created_at: now(),
        duration_seconds: watch.seconds(),
    };
    bars.start(1, "writing results");
    let written = RunFolders::new(&paths.results).write(&manifest, &info, &computed.tables)?;
    remember_latest(&paths.results, manifest.run_id().as_str())?;
    let indexed = index(&paths.results, &written.folder);
    let input = ReportInput {
        manifest: &manifest,
        tables: &computed.tables,
    };
    let page = write_report(&paths.results, &input)?;
    logs::run(manifest.run_id().as_str(), &computed.tables);
    bars.finish();
    print_summary(&manifest, &computed.tables);
    print_bill(&computed.tables);
    say!(
        "run       {} ({})",
        manifest.run_id(),
        outcome_words(&written.outcome)
    );
    say!("folder    {}", written.folder.path().display());
    say!("report    {}", page.display());
    say!(
        "{} steps; loading {loading_seconds:.2} s, computing {running_seconds:.2} s, in all {:.2} s",
        computed.outcome.steps,
        watch.seconds()
    );
    let database = Store::database_path(&paths.results);
    match indexed {
        Ok(0) => say!("database  {}", database.display()),
        Ok(missing) => say!(
            "database  {} (without {missing} older runs; `cargo xtask store rebuild` adds them)",
            database.display()
        ),
        Err(error) => {
            let message = "the run is complete in its folder, but is not in the database";
            let advice = "`cargo xtask store rebuild` adds it";
            return Err(anyhow::Error::from(error).context(format!("{message}; {advice}")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn config_source(args: &BacktestArgs) -> ConfigSource {
    let mut overrides = args.config.overrides.clone();
    overrides.extend(args.start.map(|date| format!("period.start={date}")));
    overrides.extend(args.end.map(|date| format!("period.end={date}")));
    let engine = args.engine.and_then(|engine| engine.to_possible_value());
    overrides.extend(engine.map(|engine| format!("engine={}", engine.get_name())));
    ConfigSource {
        file: args.config.config.clone(),
        overrides,
    }
}

/// Finds out before a long run, not after it, whether its results can be written.
fn prepare_results(results: &Path) -> anyhow::Result<()> {
    let probe = results.join(format!(".probe-{}", std::process::id()));
    let advice = || {
        format!(
            "results cannot be written to {}; make the folder writable, or choose another with `--set paths.results=...`",
            results.display()
        )
    };
    std::fs::create_dir_all(results).with_context(advice)?;
    std::fs::write(&probe, b"").with_context(advice)?;
    std::fs::remove_file(&probe).with_context(advice)
}

/// Puts the run into the database. Returns how many older runs are not in it.
fn index(results: &Path, folder: &RunFolder) -> Result<usize, StoreError> {
    let mut store = Store::open(results)?;
    store.index_run(folder)?;
    let unindexed = store.gap()?.unindexed.len();
    store.close()?;
    Ok(unindexed)
}

/// Keeps the id of the run made last, for `latest`.
fn remember_latest(results: &Path, run_id: &str) -> anyhow::Result<()> {
    let file = results.join(LATEST_FILE);
    let unfinished = results.join(format!(".{LATEST_FILE}-{}", std::process::id()));
    let failed = || format!("{} cannot be written", file.display());
    std::fs::write(&unfinished, run_id).with_context(failed)?;
    std::fs::rename(&unfinished, &file).with_context(failed)
}

/// Imported bars where there are any, the synthetic market otherwise or where it is asked for.
pub(super) fn choose_market(
    asked: Option<Source>,
    config: &ResolvedConfig,
    bars: &Bars,
) -> anyhow::Result<(PathBuf, Source)> {
    let data = &config.system.paths.data;
    if asked != Some(Source::Synthetic) && !Lake::new(data).bar_keys()?.is_empty() {
        return Ok((data.clone(), Source::Imported));
    }
    if ensure_synthetic(data, &config.system.synthetic, bars)? {
        bars.finish();
        let root = synthetic_root(data);
        eprintln!(
            "no imported bars in use: made the embedded synthetic market in {}",
            root.display()
        );
    }
    Ok((synthetic_root(data), Source::Synthetic))
}

/// Prints the key figures of every scope.
pub(super) fn print_summary(manifest: &Manifest, tables: &RunTables) {
    let inputs = manifest.inputs();
    let name = inputs
        .config
        .pointer("/system/name")
        .and_then(|name| name.as_str())
        .unwrap_or("run");
    let label = if manifest.is_synthetic() {
        format!("  [{SYNTHETIC_LABEL}]")
    } else {
        String::new()
    };
    say!(
        "{name}: {} from {} to {}{label}",
        inputs.universe.join(", "),
        inputs.start.date(),
        inputs.end.saturating_add(-1).date()
    );
    say!("{}", figures_table(&tables.metrics, manifest.is_synthetic()));
}

/// What the run is worth when its assumptions are made pessimistic; nothing where no bill was made.
pub(super) fn print_bill(tables: &RunTables) {
    if tables.assumption_bill.is_empty() {
        return;
    }
    let rows = tables.assumption_bill.iter().map(|row| {
        let [sharpe, cagr] = bill_figures(row);
        vec![
            row.assumption.replace('_', " "),
            sharpe,
            cagr,
            row.pessimistic.clone(),
        ]
    });
    say!(
        "{}",
        table(&["assumption", "#sharpe", "#cagr", "made pessimistic"], rows)
    );
    say!("break-even costs: {}", break_even(&tables.cost_curve).words());
}

fn figures_table(metrics: &[MetricRow], synthetic: bool) -> comfy_table::Table {
    let scopes = scopes(metrics);
    let first = if synthetic { "figure (synthetic)" } else { "figure" };
    let mut headings = vec![first.to_owned()];
    headings.extend(scopes.iter().map(|scope| format!("#{scope}")));
    headings.push("definition".to_owned());
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let rows = PRINTED.iter().map(|name| {
        let of = |scope: &String| {
            metrics
                .iter()
                .find(|row| row.scope == *scope && row.name == *name)
        };
        let mut row = vec![name.replace('_', " ")];
        row.extend(
            scopes
                .iter()
                .map(|scope| of(scope).map(format_metric).unwrap_or_default()),
        );
        row.push(
            scopes
                .first()
                .and_then(of)
                .map_or(String::new(), |one| one.definition.clone()),
        );
        row
    });
    table(&headings, rows)
}

fn outcome_words(outcome: &WriteOutcome) -> String {
    match outcome {
        WriteOutcome::New => "new".to_owned(),
        WriteOutcome::AlreadyThere => "reproduced: the same rows as before".to_owned(),
        WriteOutcome::ReplacedDamaged(what) => format!("replaced a damaged folder: {what}"),
    }
}
