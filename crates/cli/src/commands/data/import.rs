//! `sextant data import` of CSV files, and `sextant data resample`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use sextant_data::{
    BadRows, BarKey, ImportReport, ImportRequest, Lake, MacroColumn, MacroImportRequest, PublicationRule,
    import_csv, import_macro_csv, locate_csv,
};
use sextant_domain::Timeframe;

use super::qlib;
use crate::args::{ImportArgs, ResampleArgs};
use crate::config::{ImportManifest, MacroEntry, StampsConfig, load_file};
use crate::out::say;
use crate::progress::Bars;
use crate::table::table;

pub(super) fn import(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &args.qlib.qlib {
        return qlib::import(folder, args);
    }
    let from = args.from.as_deref();
    let from = from.context("--from names the file to import; or give a folder with --qlib")?;
    let lake = Lake::new(&args.root.data);
    let bars = Bars::new();
    match (&args.manifest, &args.macro_name) {
        (Some(manifest), _) => import_many(&lake, (from, args), &load_file(manifest)?, &bars)?,
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
                    file: from.to_owned(),
                    name: name.clone(),
                    series,
                    stamps: StampsConfig::Dates,
                    delay_days: args.delay_days,
                },
                &bars,
            )?;
            bars.finish();
        }
        (None, None) => {
            let report = import_csv(&lake, &single_request(from, args)?, &bars)?;
            bars.finish();
            print_imports(&[report]);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn single_request(from: &Path, args: &ImportArgs) -> anyhow::Result<ImportRequest> {
    let (Some(symbol), Some(class), Some(timeframe)) = (&args.symbol, args.asset_class, args.timeframe)
    else {
        bail!("--symbol, --asset-class and --timeframe say what the file holds; or give --manifest");
    };
    let key = BarKey::new(class, symbol, timeframe)?;
    let file = if from.is_dir() {
        locate_csv(from, symbol, timeframe)?
    } else {
        from.to_owned()
    };
    Ok(ImportRequest {
        factors: args.factors.clone(),
        bad_rows: bad_rows(args),
        ..ImportRequest::new(file, &key)
    })
}

pub(super) fn bad_rows(args: &ImportArgs) -> BadRows {
    if args.quarantine {
        BadRows::Quarantine
    } else {
        BadRows::Refuse
    }
}

fn import_many(
    lake: &Lake,
    (from, args): (&Path, &ImportArgs),
    manifest: &ImportManifest,
    bars: &Bars,
) -> anyhow::Result<()> {
    if !from.is_dir() {
        bail!(
            "--from {}: with --manifest it must be the folder that the files are relative to",
            from.display()
        );
    }
    let mut reports = Vec::new();
    for entry in &manifest.bars {
        let key = BarKey::new(entry.asset_class, &entry.symbol, entry.timeframe)?;
        let request = ImportRequest {
            factors: entry.factors.as_ref().map(|file| from.join(file)),
            bad_rows: bad_rows(args),
            ..ImportRequest::new(from.join(&entry.file), &key)
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
        import_macro(lake, from, entry, bars)?;
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
        stamps: entry.stamps.into(),
        publication: PublicationRule {
            delay_days: entry.delay_days,
            ..PublicationRule::default()
        },
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

pub(super) fn resample(args: &ResampleArgs) -> anyhow::Result<ExitCode> {
    let key = BarKey::new(args.asset_class, &args.symbol, args.from)?;
    make_coarser(&Lake::new(&args.root.data), &key, args.to)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn make_coarser(lake: &Lake, key: &BarKey, to: Timeframe) -> anyhow::Result<()> {
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
