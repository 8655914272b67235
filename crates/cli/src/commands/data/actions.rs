//! `sextant data adjust` and `sextant data dividends`.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::NaiveDate;
use sextant_data::actions::ReferenceDoubt;
use sextant_data::{
    Adjusted, AdjustmentEngine, AdjustmentMode, BarKey, Calendar, CashDividend, EventList, FactorFile, Lake,
    Provenance, RawBars,
};
use sextant_domain::BarSeries;

use super::select::{counted, last_session, load, session, short, traded};
use crate::args::{ActionArgs, AdjustArgs, DividendsArgs};
use crate::out::say;
use crate::table::table;

/// How many doubts are printed; a file of another share gives one for every dividend.
const SHOWN_DOUBTS: usize = 10;

/// Adjusts what was traded and writes it beside the raw bars.
pub(super) fn adjust(args: &AdjustArgs) -> anyhow::Result<ExitCode> {
    let lake = Lake::new(&args.series.root.data);
    let (key, stored) = load(&lake, &args.series)?;
    let meta = stored.meta.clone();
    let raw = traded(stored)?;
    let engine = engine(&args.actions, Calendar::for_class(key.class()))?;
    let mode = if args.splits_only {
        AdjustmentMode::Splits
    } else {
        AdjustmentMode::SplitsAndDividends
    };
    let adjusted = engine.adjusted(&raw, mode, args.as_of.unwrap_or(NaiveDate::MAX))?;
    let target = target(&key, args)?;
    if adjusted.bars.is_empty() {
        bail!(
            "{key}: there is no bar up to {}; the first is of {}",
            adjusted.as_of,
            meta.first.date()
        );
    }
    let provenance = Provenance {
        source: meta.source,
        synthetic: meta.synthetic,
    };
    let beside = RawBars {
        bars: first_bars(&raw, adjusted.bars.len())?,
        adjustment_factor: adjusted.adjustment_factor.clone(),
        adjustment: adjusted.adjustment.clone(),
    };
    let written = lake.write_bars(&target, &adjusted.bars, Some(&beside), &provenance)?;
    let headings = [
        "bars",
        "#bars",
        "#not yet known",
        "#events",
        "#first factor",
        "digest",
    ];
    let row = vec![
        target.to_string(),
        adjusted.bars.len().to_string(),
        adjusted.not_yet_known.to_string(),
        engine.events().len().to_string(),
        adjusted
            .adjustment_factor
            .first()
            .map_or(String::new(), |factor| format!("{factor:.7}")),
        short(&written.digest),
    ];
    say!("{}", table(&headings, [row]));
    say!("{}", adjusted.adjustment);
    say_doubts(&adjusted);
    Ok(ExitCode::SUCCESS)
}

/// Lists dividends between two days with the closes they are compared with.
pub(super) fn dividends(args: &DividendsArgs) -> anyhow::Result<ExitCode> {
    let lake = Lake::new(&args.series.root.data);
    let (key, stored) = load(&lake, &args.series)?;
    let calendar = Calendar::for_class(key.class());
    let from = args.from.unwrap_or_else(|| session(&calendar, stored.meta.first));
    let to = args
        .to
        .unwrap_or_else(|| last_session(&calendar, stored.meta.last));
    let engine = engine(&args.actions, calendar)?;
    let paid = engine.cash_dividends(&traded(stored)?, from, to)?;
    let headings = [
        "ex-date",
        "#amount",
        "#close before",
        "#close in the lake",
        "#yield",
    ];
    say!("{}", table(&headings, paid.iter().map(dividend_row)));
    let total: f64 = paid.iter().map(|dividend| dividend.amount).sum();
    let share = "in the shares of each day";
    say!(
        "{key}: {} from {from} to {to}, {total:.4} {share}",
        counted(paid.len(), "dividend")
    );
    Ok(ExitCode::SUCCESS)
}

fn engine(args: &ActionArgs, calendar: Calendar) -> anyhow::Result<AdjustmentEngine> {
    match (&args.factors, &args.events) {
        (Some(file), _) => {
            let factors = FactorFile::read(&format!("the factor file {}", name_of(file)), open(file)?)
                .with_context(reading(file))?;
            Ok(AdjustmentEngine::from_factors(&factors, calendar)?)
        }
        (None, Some(file)) => {
            let events = EventList::read(&format!("the events of {}", name_of(file)), open(file)?)
                .with_context(reading(file))?;
            Ok(AdjustmentEngine::from_events(events, calendar))
        }
        (None, None) => bail!("give a factor file with --factors, or a list of events with --events"),
    }
}

/// Opens a file that a command names.
pub(super) fn open(file: &Path) -> anyhow::Result<File> {
    File::open(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// The name by which a file is called in metadata, the same on every machine.
fn name_of(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn reading(file: &Path) -> impl FnOnce() -> String {
    let file = file.display().to_string();
    move || format!("{file} cannot be used")
}

fn target(key: &BarKey, args: &AdjustArgs) -> anyhow::Result<BarKey> {
    let symbol = args.into.as_deref().unwrap_or(key.symbol());
    let target = BarKey::new(key.class(), symbol, key.timeframe())?;
    if args.as_of.is_some() && target == *key {
        bail!(
            "--into {symbol}: bars after --as-of are left out, so that they need another symbol than {symbol}"
        );
    }
    Ok(target)
}

fn first_bars(bars: &BarSeries, count: usize) -> anyhow::Result<BarSeries> {
    Ok(BarSeries::from_bars(bars.iter().take(count))?)
}

fn say_doubts(adjusted: &Adjusted) {
    if adjusted.doubts.is_empty() {
        return;
    }
    let rows = adjusted.doubts.iter().take(SHOWN_DOUBTS).map(|doubt| match doubt {
        ReferenceDoubt::OtherClose {
            ex_date,
            reference_close,
            raw_close,
        } => vec![
            ex_date.to_string(),
            format!("the close before is {raw_close} in the lake and {reference_close} in the source of the event"),
        ],
        ReferenceDoubt::OldClose { ex_date, bar_date } => vec![
            ex_date.to_string(),
            format!("the last close before is of {bar_date}"),
        ],
    });
    say!(
        "{}",
        table(&["ex-date", "where the bars do not fit the events"], rows)
    );
    say!(
        "{}; a reused ticker or a hole in the bars looks like this: see `cargo xtask data resolve` and `cargo xtask data validate`",
        counted(adjusted.doubts.len(), "doubt")
    );
}

fn dividend_row(dividend: &CashDividend) -> Vec<String> {
    let close = |close: Option<f64>| close.map_or(String::new(), |close| format!("{close}"));
    let base = dividend.reference_close.or(dividend.raw_close);
    vec![
        dividend.ex_date.to_string(),
        format!("{:.6}", dividend.amount),
        close(dividend.reference_close),
        close(dividend.raw_close),
        base.map_or(String::new(), |base| {
            format!("{:.3} %", 100.0 * dividend.amount / base)
        }),
    ]
}
