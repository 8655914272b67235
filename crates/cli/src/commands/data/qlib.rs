//! `sextant data import --qlib` and `sextant data export --qlib`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use sextant_data::qlib::{
    QlibConventions, QlibFolder, QlibFrequency, QlibImportRequest, QlibImported, QlibOutcome, QlibSessions,
    QlibStamp, export_qlib, import_qlib,
};
use sextant_data::{BarKey, Lake};
use sextant_domain::Timeframe;

use super::import::bad_rows;
use super::select::{chosen, listed, short};
use crate::args::{ExportArgs, ImportArgs, Stamps};
use crate::out::say;
use crate::progress::Bars;
use crate::table::table;

/// Imports a folder; fails when a symbol could not be imported, after all others were.
pub(super) fn import(folder: &Path, args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let lake = Lake::new(&args.root.data);
    let bars = Bars::new();
    let report = import_qlib(&lake, &request(folder, args)?, &bars)?;
    bars.finish();
    let done = report
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.result.as_ref().ok());
    let headings = [
        "bars",
        "#bars",
        "#suspended",
        "#off session",
        "#quarantined",
        "digest",
    ];
    say!("{}", table(&headings, done.map(imported_row)));
    for imported in report
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.result.as_ref().ok())
    {
        if let Some(file) = &imported.quarantine {
            say!("{}: bad rows are in {}", imported.key, file.display());
        }
    }
    if !report.unread_calendars.is_empty() {
        say!("calendars not read: {}", listed(&report.unread_calendars));
    }
    check_failures(&report.outcomes)
}

/// Writes a folder of the chosen bars, those that Qlib has no frequency for left out.
pub(super) fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let chosen = chosen(&args.select)?;
    let possible = |key: &BarKey| QlibFrequency::from_timeframe(key.timeframe()).is_some();
    let (keys, left_out): (Vec<BarKey>, Vec<BarKey>) = chosen.into_iter().partition(possible);
    let lake = Lake::new(&args.select.root.data);
    if keys.is_empty() {
        bail!(
            "there is nothing to write: Qlib has {} bars, and {} has {} of those chosen",
            listed(&QlibFrequency::ALL.map(QlibFrequency::timeframe)),
            lake.root().display(),
            listed(&left_out)
        );
    }
    export_qlib(&lake, &keys, &args.qlib)?;
    let mut rows = Vec::new();
    for key in &keys {
        rows.push(exported_row(&QlibFolder::open(&args.qlib)?, key)?);
    }
    say!(
        "{}",
        table(&["bars", "frequency", "first", "last", "fields"], rows)
    );
    if !left_out.is_empty() {
        say!(
            "left out, because Qlib has no such frequency: {}",
            listed(&left_out)
        );
    }
    say!("{}", args.qlib.display());
    Ok(ExitCode::SUCCESS)
}

fn request(folder: &Path, args: &ImportArgs) -> anyhow::Result<QlibImportRequest> {
    let class = args
        .asset_class
        .context("--asset-class says what the folder holds: equity, crypto or fx")?;
    let mut conventions = QlibConventions::new(class);
    conventions.bad_rows = bad_rows(args);
    conventions.stamp = match args.qlib.stamps {
        Stamps::Open => QlibStamp::BarOpen,
        Stamps::End => QlibStamp::BarEnd,
    };
    if let Some(hours) = args.qlib.hours {
        conventions.sessions = QlibSessions::FixedHours {
            utc_offset_minutes: hours.utc_offset_minutes,
            open: hours.open,
            close: hours.close,
        };
    }
    let frequencies = args.qlib.timeframes.iter().map(|timeframe| frequency(*timeframe));
    Ok(QlibImportRequest {
        conventions,
        frequencies: frequencies.collect::<anyhow::Result<_>>()?,
        symbols: args.qlib.symbols.clone(),
        ..QlibImportRequest::new(folder, class)
    })
}

fn frequency(timeframe: Timeframe) -> anyhow::Result<QlibFrequency> {
    QlibFrequency::from_timeframe(timeframe).with_context(|| {
        let allowed = listed(&QlibFrequency::ALL.map(QlibFrequency::timeframe));
        format!("--timeframes {timeframe}: Qlib folders have {allowed}")
    })
}

fn imported_row(imported: &QlibImported) -> Vec<String> {
    let quarantined: u64 = imported.quarantined.iter().map(|(_, count)| count).sum();
    vec![
        imported.key.to_string(),
        imported.bars.to_string(),
        imported.suspended.to_string(),
        imported.outside_session.to_string(),
        quarantined.to_string(),
        short(&imported.digest),
    ]
}

/// What stands in the folder that was written, read back from it.
fn exported_row(folder: &QlibFolder, key: &BarKey) -> anyhow::Result<Vec<String>> {
    let frequency = frequency(key.timeframe())?;
    let series = folder.read_bar_fields(key.symbol(), frequency)?;
    let times = series.times();
    let time = |time: Option<&chrono::NaiveDateTime>| match (time, frequency) {
        (None, _) => String::new(),
        (Some(time), QlibFrequency::Day) => time.date().to_string(),
        (Some(time), _) => time.format("%Y-%m-%d %H:%M").to_string(),
    };
    Ok(vec![
        key.to_string(),
        frequency.to_string(),
        time(times.first()),
        time(times.last()),
        folder.fields(key.symbol(), frequency)?.join(", "),
    ])
}

/// Names what could not be imported, if anything.
fn check_failures(outcomes: &[QlibOutcome]) -> anyhow::Result<ExitCode> {
    let failed = outcomes.iter().filter_map(|outcome| {
        let error = outcome.result.as_ref().err()?;
        Some(format!("  {} ({}): {error}", outcome.symbol, outcome.frequency))
    });
    let failed: Vec<String> = failed.collect();
    if !failed.is_empty() {
        bail!(
            "{} of {} were not imported:\n{}",
            failed.len(),
            outcomes.len(),
            failed.join("\n")
        );
    }
    Ok(ExitCode::SUCCESS)
}
