//! `sextant data status`.

use std::process::ExitCode;

use sextant_data::{BarMeta, Calendar, FileMeta, Lake, LakeEntry, MacroMeta, Origin};
use sextant_domain::{AssetClass, Timeframe};
use sextant_providers::MACRO_PROVIDERS;

use super::select::{last_session, minute, session, short, shortened};
use crate::args::{FilterArgs, SelectArgs};
use crate::compose::synthetic_root;
use crate::out::say;
use crate::table::table;

const HEADINGS: [&str; 10] = [
    "symbol",
    "class",
    "timeframe",
    "first",
    "last",
    "#rows",
    "#gaps",
    "kind",
    "source",
    "digest",
];
/// More of a source would make the table wider than a screen.
const SOURCE_CHARS: usize = 72;
/// Bars of a folder of other hours than those of the calendar, of which nobody can say how many there should be.
const OFF_CALENDAR: &str = "off calendar";

/// Lists every file of the lake, of the synthetic one too, if it is there; fails when one must not be used.
pub(super) fn run(args: &SelectArgs) -> anyhow::Result<ExitCode> {
    let root = &args.root.data;
    let mut entries = Lake::new(root).list()?;
    entries.extend(Lake::new(synthetic_root(root)).list()?);
    if entries.is_empty() {
        say!(
            "no data in {}; import some with `cargo xtask data import`, or make the synthetic market with \
             `cargo xtask data synthesize`",
            root.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let mut listed: Vec<&LakeEntry> = entries
        .iter()
        .filter(|entry| is_wanted(entry, &args.filter))
        .collect();
    listed.sort_by_key(|entry| place(entry));
    let rows = listed.iter().map(|entry| match &entry.content {
        Ok(FileMeta::Bars(meta)) => bars_row(meta),
        Ok(FileMeta::Macro(meta)) => macro_row(meta),
        Err(error) => damaged_row(entry, &error.to_string()),
    });
    say!("{}", table(&HEADINGS, rows));
    Ok(if listed.iter().all(|entry| entry.content.is_ok()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Bars by class, symbol and timeframe, then the rest as it was found.
fn place(entry: &LakeEntry) -> (bool, Option<(AssetClass, String, Timeframe, bool)>) {
    match &entry.content {
        Ok(FileMeta::Bars(meta)) => {
            let symbol = meta.symbol.clone();
            (
                false,
                Some((meta.asset_class, symbol, meta.timeframe, meta.synthetic)),
            )
        }
        _ => (true, None),
    }
}

/// A damaged file is always listed: nobody can say what is in it.
fn is_wanted(entry: &LakeEntry, filter: &FilterArgs) -> bool {
    let FilterArgs {
        symbols,
        asset_class,
        timeframes,
    } = filter;
    match &entry.content {
        Ok(FileMeta::Bars(meta)) => {
            (symbols.is_empty() || symbols.contains(&meta.symbol))
                && asset_class.is_none_or(|class| class == meta.asset_class)
                && (timeframes.is_empty() || timeframes.contains(&meta.timeframe))
        }
        Ok(FileMeta::Macro(_)) => symbols.is_empty() && asset_class.is_none() && timeframes.is_empty(),
        Err(_) => true,
    }
}

fn bars_row(meta: &BarMeta) -> Vec<String> {
    let calendar = &Calendar::for_class(meta.asset_class);
    let span = match meta.timeframe {
        Timeframe::D1 => [
            session(calendar, meta.first).to_string(),
            last_session(calendar, meta.last).to_string(),
        ],
        _ => [minute(meta.first), minute(meta.last)],
    };
    let [first, last] = span;
    vec![
        meta.symbol.clone(),
        meta.asset_class.to_string(),
        meta.timeframe.to_string(),
        first,
        last,
        meta.rows.to_string(),
        gaps(meta, calendar),
        kind(meta.synthetic, &meta.source),
        source(&meta.source),
        short(&meta.digest),
    ]
}

fn macro_row(meta: &MacroMeta) -> Vec<String> {
    vec![
        meta.series.join(", "),
        "macro".to_owned(),
        "series".to_owned(),
        meta.first.date().to_string(),
        meta.last.date().to_string(),
        meta.rows.to_string(),
        String::new(),
        kind(meta.synthetic, &meta.source),
        source(&meta.source),
        short(&meta.digest),
    ]
}

fn damaged_row(entry: &LakeEntry, error: &str) -> Vec<String> {
    let mut row = vec![String::new(); HEADINGS.len()];
    row[0] = entry.path.display().to_string();
    row[7] = "DAMAGED".to_owned();
    row[8] = error.to_owned();
    row
}

/// The bars the calendar has between the first and the last, less those there are. Every import puts bars on the grid of
/// the calendar, so that the count needs no look at the bars.
fn gaps(meta: &BarMeta, calendar: &Calendar) -> String {
    let expected = calendar.expected_bars(meta.timeframe, meta.first, meta.last);
    let (begin, end) = (expected.first(), expected.last());
    let on_grid = begin.is_some_and(|slot| slot.open_time == meta.first)
        && end.is_some_and(|slot| slot.close_time == meta.last);
    if on_grid {
        expected.len().saturating_sub(meta.rows).to_string()
    } else {
        OFF_CALENDAR.to_owned()
    }
}

/// The begin of a source; `data show` prints the whole of it.
fn source(source: &str) -> String {
    let source = shortened(source);
    match source.char_indices().nth(SOURCE_CHARS) {
        Some((end, _)) => format!("{}...", &source[..end]),
        None => source,
    }
}

fn kind(synthetic: bool, source: &str) -> String {
    let of_provider = |name: &str| {
        source
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(": "))
    };
    let downloaded =
        Origin::parse(source).is_some() || MACRO_PROVIDERS.iter().any(|info| of_provider(info.name));
    match (synthetic, downloaded) {
        (true, _) => "synthetic",
        (false, true) => "downloaded",
        (false, false) if source.starts_with("resampled from ") => "resampled",
        (false, false) if source.starts_with("stitched from ") => "stitched",
        (false, false) => "imported",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn long_sources_are_cut() {
        assert_eq!(source("CSV file spy.csv"), "CSV file spy.csv");
        let cut = source(&"ä".repeat(100));
        assert_eq!(cut, format!("{}...", "ä".repeat(SOURCE_CHARS)));
    }

    #[test]
    fn gaps_are_what_the_calendar_has_more() {
        let calendar = Calendar::for_class(AssetClass::Equity);
        // Friday, then Tuesday: Monday is missing.
        let day = |date: &str| calendar.session(date.parse().unwrap()).unwrap();
        let mut meta = BarMeta {
            format: 1,
            symbol: "SPY".to_owned(),
            asset_class: AssetClass::Equity,
            timeframe: Timeframe::D1,
            rows: 2,
            first: day("2020-01-03").open,
            last: day("2020-01-07").close,
            source: String::new(),
            synthetic: false,
            adjustment: String::new(),
            digest: String::new(),
        };
        assert_eq!(gaps(&meta, &calendar), "1");
        meta.first = meta.first.saturating_add(1);
        assert_eq!(gaps(&meta, &calendar), OFF_CALENDAR);
    }
}
