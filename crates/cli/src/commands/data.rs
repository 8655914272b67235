//! `sextant data`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use sextant_data::{
    BadRows, BarKey, FileMeta, ImportReport, ImportRequest, Lake, LakeEntry, MacroColumn, MacroImportRequest,
    PublicationRule, Severity, import_csv, import_macro_csv, locate_csv, validate_bars,
};
use sextant_domain::Timeframe;

use crate::args::{ConfigArgs, DataCommand, DataRootArgs, ImportArgs, ResampleArgs, ValidateArgs};
use crate::compose::{ensure_synthetic, synthetic_root};
use crate::config::{ConfigSource, ImportManifest, MacroEntry, load, load_file};
use crate::out::say;
use crate::progress::Bars;
use crate::table::table;

pub(super) fn run(command: DataCommand) -> anyhow::Result<ExitCode> {
    match command {
        DataCommand::Import(args) => import(&args),
        DataCommand::Resample(args) => resample(&args),
        DataCommand::Validate(args) => validate(&args),
        DataCommand::Status(args) => status(&args),
        DataCommand::Synthesize(args) => synthesize(&args),
    }
}

fn import(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let lake = Lake::new(&args.root.data);
    let bars = Bars::new();
    match (&args.manifest, &args.macro_name) {
        (Some(manifest), _) => import_many(&lake, args, &load_file(manifest)?, &bars)?,
        (None, Some(name)) => {
            let series = args.series.iter().map(|one| {
                let (series, column) = one.split_once('=').with_context(|| {
                    format!("--series {one}: write SERIES=COLUMN, such as vix=close or slope=10year - 3month")
                })?;
                Ok((series.trim().to_owned(), column.trim().to_owned()))
            });
            let series = series.collect::<anyhow::Result<_>>()?;
            import_macro(
                &lake,
                Path::new(""),
                &MacroEntry {
                    file: args.from.clone(),
                    name: name.clone(),
                    series,
                },
                &bars,
            )?;
            bars.finish();
        }
        (None, None) => {
            let report = import_csv(&lake, &single_request(args)?, &bars)?;
            bars.finish();
            print_imports(&[report]);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn single_request(args: &ImportArgs) -> anyhow::Result<ImportRequest> {
    let (Some(symbol), Some(class), Some(timeframe)) = (&args.symbol, args.asset_class, args.timeframe)
    else {
        bail!("--symbol, --asset-class and --timeframe say what the file holds; or give --manifest");
    };
    let key = BarKey::new(class, symbol, timeframe)?;
    let file = if args.from.is_dir() {
        locate_csv(&args.from, symbol, timeframe)?
    } else {
        args.from.clone()
    };
    Ok(ImportRequest {
        factors: args.factors.clone(),
        bad_rows: bad_rows(args),
        ..ImportRequest::new(file, &key)
    })
}

fn bad_rows(args: &ImportArgs) -> BadRows {
    if args.quarantine {
        BadRows::Quarantine
    } else {
        BadRows::Refuse
    }
}

fn import_many(lake: &Lake, args: &ImportArgs, manifest: &ImportManifest, bars: &Bars) -> anyhow::Result<()> {
    if !args.from.is_dir() {
        bail!(
            "--from {}: with --manifest it must be the folder that the files are relative to",
            args.from.display()
        );
    }
    let mut reports = Vec::new();
    for entry in &manifest.bars {
        let key = BarKey::new(entry.asset_class, &entry.symbol, entry.timeframe)?;
        let request = ImportRequest {
            factors: entry.factors.as_ref().map(|file| args.from.join(file)),
            bad_rows: bad_rows(args),
            ..ImportRequest::new(args.from.join(&entry.file), &key)
        };
        reports.push(import_csv(lake, &request, bars)?);
    }
    bars.finish();
    print_imports(&reports);
    for entry in &manifest.resample {
        make_coarser(
            lake,
            &BarKey::new(entry.asset_class, &entry.symbol, entry.from)?,
            entry.to,
        )?;
    }
    for entry in &manifest.macro_series {
        import_macro(lake, &args.from, entry, bars)?;
    }
    bars.finish();
    Ok(())
}

fn import_macro(lake: &Lake, from: &Path, entry: &MacroEntry, bars: &Bars) -> anyhow::Result<()> {
    let series = entry.series.iter().map(|(name, formula)| {
        let (column, minus) = match formula.split_once(" - ") {
            Some((column, minus)) => (column.trim().to_owned(), Some(minus.trim().to_owned())),
            None => (formula.trim().to_owned(), None),
        };
        MacroColumn {
            series: name.clone(),
            column,
            minus,
        }
    });
    let request = MacroImportRequest {
        path: from.join(&entry.file),
        name: entry.name.clone(),
        series: series.collect(),
        publication: PublicationRule::default(),
        source: None,
    };
    let report = import_macro_csv(lake, &request, bars)?;
    let series: Vec<String> = report
        .series
        .iter()
        .map(|(name, count)| format!("{name} ({count} values)"))
        .collect();
    say!(
        "{}: {}; {}",
        report.path.display(),
        series.join(", "),
        report.publication
    );
    Ok(())
}

fn print_imports(reports: &[ImportReport]) {
    let rows = reports.iter().map(|report| {
        let quarantined: u64 = report.quarantined.iter().map(|(_, count)| count).sum();
        vec![
            report.key.to_string(),
            report.rows_read.to_string(),
            report.bars.to_string(),
            report.first.date().to_string(),
            report.last.date().to_string(),
            report.identical_duplicates.to_string(),
            (report.outside_session + report.late_rows).to_string(),
            quarantined.to_string(),
            report.adjustment.clone(),
        ]
    });
    let headings = [
        "bars",
        "#rows read",
        "#bars",
        "first",
        "last",
        "#duplicates",
        "#off session",
        "#quarantined",
        "adjustment",
    ];
    say!("{}", table(&headings, rows));
    for report in reports {
        if let Some(file) = &report.quarantine {
            say!("{}: bad rows are in {}", report.key, file.display());
        }
        if !report.ignored_columns.is_empty() {
            say!(
                "{}: columns not read: {}",
                report.key,
                report.ignored_columns.join(", ")
            );
        }
    }
}

fn resample(args: &ResampleArgs) -> anyhow::Result<ExitCode> {
    let key = BarKey::new(args.asset_class, &args.symbol, args.from)?;
    make_coarser(&Lake::new(&args.root.data), &key, args.to)?;
    Ok(ExitCode::SUCCESS)
}

fn make_coarser(lake: &Lake, key: &BarKey, to: Timeframe) -> anyhow::Result<()> {
    let (meta, report) = lake.resample_bars(key, to)?;
    let target = key.with_timeframe(to);
    say!(
        "{}: {} bars from {} {} bars; {} from fewer bars than the calendar has{}",
        lake.bars_path(&target).display(),
        meta.rows,
        report.source_bars,
        report.from,
        report.incomplete.len(),
        if report.forming.is_some() {
            "; the last one was still forming and is left out"
        } else {
            ""
        },
    );
    Ok(())
}

/// The entries of a lake, of the synthetic one too, if it is there.
fn entries(root: &Path) -> anyhow::Result<Vec<LakeEntry>> {
    let mut entries = Lake::new(root).list()?;
    entries.extend(Lake::new(synthetic_root(root)).list()?);
    Ok(entries)
}

fn status(args: &DataRootArgs) -> anyhow::Result<ExitCode> {
    let entries = entries(&args.data)?;
    if entries.is_empty() {
        say!(
            "no data in {}; import some with `cargo xtask data import`, or make the synthetic market with \
             `cargo xtask data synthesize`",
            args.data.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let mut damaged = 0;
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| match &entry.content {
            Ok(FileMeta::Bars(meta)) => vec![
                meta.symbol.clone(),
                meta.asset_class.to_string(),
                meta.timeframe.to_string(),
                meta.rows.to_string(),
                meta.first.date().to_string(),
                meta.last.date().to_string(),
                kind(meta.synthetic),
                meta.source.clone(),
                short(&meta.digest),
            ],
            Ok(FileMeta::Macro(meta)) => vec![
                meta.series.join(", "),
                "macro".to_owned(),
                "series".to_owned(),
                meta.rows.to_string(),
                meta.first.date().to_string(),
                meta.last.date().to_string(),
                kind(meta.synthetic),
                meta.source.clone(),
                short(&meta.digest),
            ],
            Err(error) => {
                damaged += 1;
                let file = entry.path.display().to_string();
                vec![
                    file,
                    String::new(),
                    String::new(),
                    String::new(),
                    String::new(),
                    String::new(),
                    "DAMAGED".to_owned(),
                    error.to_string(),
                    String::new(),
                ]
            }
        })
        .collect();
    let headings = [
        "symbol",
        "class",
        "timeframe",
        "#rows",
        "first",
        "last",
        "kind",
        "source",
        "digest",
    ];
    say!("{}", table(&headings, rows));
    Ok(if damaged == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn kind(synthetic: bool) -> String {
    if synthetic { "synthetic" } else { "imported" }.to_owned()
}

fn short(digest: &str) -> String {
    digest.get(..12).unwrap_or(digest).to_owned()
}

fn validate(args: &ValidateArgs) -> anyhow::Result<ExitCode> {
    let lake = Lake::new(&args.root.data);
    let keys = lake.bar_keys()?;
    for symbol in &args.symbols {
        if !keys.iter().any(|key| key.symbol() == symbol) {
            let known: Vec<String> = keys.iter().map(ToString::to_string).collect();
            bail!(
                "there are no bars of {symbol} in {}; there is {}. Import them with `cargo xtask data import`",
                args.root.data.display(),
                if known.is_empty() {
                    "nothing".to_owned()
                } else {
                    known.join(", ")
                }
            );
        }
    }
    let chosen = keys
        .iter()
        .filter(|key| args.symbols.is_empty() || args.symbols.iter().any(|one| key.symbol() == one));
    let (mut rows, mut failed) = (Vec::new(), false);
    for key in chosen {
        failed |= validate_one(&lake, key, &mut rows);
    }
    if rows.is_empty() {
        say!(
            "no bars in {}; import some with `cargo xtask data import`",
            args.root.data.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    say!(
        "{}",
        table(
            &["bars", "#rows", "rule", "severity", "#count", "first places"],
            rows
        )
    );
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Adds the findings of one series; true when one of them is an error.
fn validate_one(lake: &Lake, key: &BarKey, rows: &mut Vec<Vec<String>>) -> bool {
    let stored = match lake.load_bars(key.class(), key.symbol(), key.timeframe()) {
        Ok(stored) => stored,
        Err(error) => {
            rows.push(vec![
                key.to_string(),
                String::new(),
                "readable".to_owned(),
                "error".to_owned(),
                "1".to_owned(),
                error.to_string(),
            ]);
            return true;
        }
    };
    let report = validate_bars(stored.bars.view(), key.class(), key.timeframe());
    if report.findings.is_empty() {
        rows.push(vec![
            key.to_string(),
            report.rows.to_string(),
            "all".to_owned(),
            "passed".to_owned(),
            "0".to_owned(),
            String::new(),
        ]);
    }
    for finding in &report.findings {
        let severity = match finding.rule.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let places: Vec<String> = finding.examples.iter().take(3).map(ToString::to_string).collect();
        rows.push(vec![
            key.to_string(),
            report.rows.to_string(),
            finding.rule.name().to_owned(),
            severity.to_owned(),
            finding.count.to_string(),
            places.join("\n"),
        ]);
    }
    report.has_errors()
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
