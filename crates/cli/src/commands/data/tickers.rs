//! `sextant data resolve`, and where securities and their tickers come from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::NaiveDate;
use sextant_data::actions::{known_renames, read_listings, read_renames};
use sextant_data::{ActionKind, CorporateAction, SecurityHistory, SecurityId, TickerMapper, TickerSpan};
use sextant_domain::AssetClass;

use super::actions::open;
use crate::args::{ListingArgs, ResolveArgs};
use crate::out::say;
use crate::table::table;

const SPAN_HEADINGS: [&str; 5] = ["security", "ticker", "first", "last", "exchange"];

/// Prints the security that a ticker stood for, every ticker it had, and who else had the ticker.
pub(super) fn resolve(args: &ResolveArgs) -> anyhow::Result<ExitCode> {
    let mapper = mapper(args.asset_class, &args.listings)?;
    let ResolveArgs { ticker, date, .. } = args;
    let hint = || hint(args.asset_class, &args.listings);
    let security = mapper.resolve(ticker, *date).with_context(hint)?;
    let history = mapper.security(security)?;
    say!(
        "{} on {date} is the security {security} ({})",
        ticker.to_ascii_uppercase(),
        mapper.class()
    );
    say!("{}", table(&SPAN_HEADINGS, span_rows(history, |_| true)));
    for rename in history.redenominations() {
        say!("{}", redenomination(rename));
    }
    if let Some(last) = history.delisted_after() {
        say!("it was delisted after {last}");
    }
    let is_it = |span: &TickerSpan| span.ticker.eq_ignore_ascii_case(ticker);
    let others = mapper.securities().iter().filter(|other| other.id() != security);
    let rows: Vec<_> = others.flat_map(|other| span_rows(other, is_it)).collect();
    if !rows.is_empty() {
        say!(
            "the ticker stood for other securities on other days:\n{}",
            table(&SPAN_HEADINGS, rows)
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The securities of the lists that options name, with renames applied.
///
/// # Errors
/// When a list cannot be read, or they contradict each other.
pub(super) fn mapper(class: AssetClass, args: &ListingArgs) -> anyhow::Result<TickerMapper> {
    let mut securities = Vec::new();
    if let Some(folder) = &args.maps {
        securities.extend(read_maps(folder)?);
    }
    if let Some(file) = &args.listings {
        securities.extend(read_listings(&file.display().to_string(), open(file)?)?);
    }
    let renames = match &args.renames {
        Some(file) => read_renames(&file.display().to_string(), open(file)?)?,
        None => known_renames(),
    };
    Ok(TickerMapper::new(class, securities)?.with_renames(&renames)?)
}

/// A rename with another number of units, in words.
pub(super) fn redenomination(action: &CorporateAction) -> String {
    let units = match action.kind {
        ActionKind::Split { new_per_old } => new_per_old,
        ActionKind::CashDividend { .. } => 1.0,
    };
    format!("on {} each old unit became {units} new ones", action.ex_date)
}

fn read_maps(folder: &Path) -> anyhow::Result<Vec<SecurityHistory>> {
    let mut files: Vec<PathBuf> = Vec::new();
    let entries = fs::read_dir(folder)
        .with_context(|| format!("--maps {}: the folder cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if id_of(&path).is_some() {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!(
            "--maps {}: there are no map files (such as spy.csv)",
            folder.display()
        );
    }
    files.sort();
    let read = |path: &PathBuf| {
        let id = SecurityId::new(&id_of(path).unwrap_or_default())?;
        Ok(SecurityHistory::read_lean_map(
            id,
            &path.display().to_string(),
            open(path)?,
        )?)
    };
    files.iter().map(read).collect()
}

/// The name of the security that a map file is about.
fn id_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let id = name
        .strip_suffix(".csv")
        .or_else(|| name.strip_suffix(".csv.gz"))?;
    Some(id.to_owned())
}

/// Where else the ticker could stand.
fn hint(class: AssetClass, args: &ListingArgs) -> String {
    if args.maps.is_none() && args.listings.is_none() {
        return format!(
            "only the built-in renames of {class} are known: give --maps or --listings, or another --asset-class"
        );
    }
    format!("among the {class} securities of the lists given")
}

fn span_rows(history: &SecurityHistory, wanted: impl Fn(&TickerSpan) -> bool) -> Vec<Vec<String>> {
    let date =
        |date: Option<NaiveDate>, missing: &str| date.map_or(missing.to_owned(), |date| date.to_string());
    let spans = history.spans().iter().filter(|span| wanted(span));
    let rows = spans.map(|span| {
        vec![
            history.id().to_string(),
            span.ticker.clone(),
            date(span.first, "not known"),
            date(span.last, "in use"),
            span.exchange.clone().unwrap_or_default(),
        ]
    });
    rows.collect()
}
