//! `sextant data diff`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use sextant_data::{BarKey, FileMeta, Lake, StoredBars};
use sextant_domain::{BarSeries, UtcNanos};

use super::select::{fits, minute};
use crate::args::{DiffArgs, FilterArgs};
use crate::out::say;
use crate::table::table;

const SERIES_HEADINGS: [&str; 7] = [
    "series", "", "#rows A", "#rows B", "#only A", "#only B", "#changed",
];
const PLACE_HEADINGS: [&str; 5] = ["series", "opens (UTC)", "column", "#A", "#B"];

/// How many folders above a bar file, an index and a partition the lake is.
const FOLDERS_ABOVE: [usize; 3] = [2, 3, 5];

/// Compares two files or two lakes bit by bit; fails when anything differs.
pub(super) fn run(args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let compared = match (args.a.is_dir(), args.b.is_dir()) {
        (true, true) => lakes(&Lake::new(&args.a), &Lake::new(&args.b), &args.filter)?,
        (false, false) => vec![files(args)?],
        _ => bail!(
            "{} and {}: give two lakes, or two Parquet files of lakes",
            args.a.display(),
            args.b.display()
        ),
    };
    if compared.is_empty() {
        bail!(
            "neither {} nor {} has such data: nothing was compared",
            args.a.display(),
            args.b.display()
        );
    }
    say!("{}", table(&SERIES_HEADINGS, compared.iter().map(Compared::row)));
    let places: Vec<Vec<String>> = compared.iter().flat_map(|one| one.places(args.limit)).collect();
    if !places.is_empty() {
        say!("{}", table(&PLACE_HEADINGS, places));
    }
    for one in &compared {
        let more = one.differences.count().saturating_sub(args.limit);
        if more > 0 {
            say!("{}: {more} more places; --limit prints more", one.title);
        }
    }
    Ok(if compared.iter().all(Compared::is_same) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Columns by time.
struct Sheet {
    times: Vec<UtcNanos>,
    columns: Vec<(&'static str, Vec<f64>)>,
}

/// Two sheets beside each other.
struct Compared {
    title: String,
    /// Of A and of B; `None` where it has nothing of the kind.
    rows: [Option<usize>; 2],
    differences: Differences,
}

/// What is not the same.
#[derive(Debug, Default, PartialEq)]
struct Differences {
    /// Times that only A has.
    only_a: Vec<UtcNanos>,
    /// Times that only B has.
    only_b: Vec<UtcNanos>,
    /// Values at times that both have.
    changed: Vec<Change>,
    /// Columns that only one of them has.
    columns: Vec<&'static str>,
}

/// A value that is not the same.
#[derive(Debug, PartialEq)]
struct Change {
    time: UtcNanos,
    column: &'static str,
    a: f64,
    b: f64,
}

fn files(args: &DiffArgs) -> anyhow::Result<Compared> {
    if args.filter.symbols.len() + args.filter.timeframes.len() > 0 || args.filter.asset_class.is_some() {
        bail!("--symbols, --asset-class and --timeframes choose bars of two lakes; these are two files");
    }
    let (key_a, a) = file(&args.a)?;
    let (key_b, b) = file(&args.b)?;
    let title = if key_a == key_b {
        key_a.to_string()
    } else {
        format!("{key_a} and {key_b}")
    };
    Ok(Compared::new(title, Some(Sheet::of(&a)), Some(Sheet::of(&b))))
}

/// The bars of a file of a lake, whose folder and name say what it holds: of an index those of all its partitions.
fn file(path: &Path) -> anyhow::Result<(BarKey, StoredBars)> {
    let full = path
        .canonicalize()
        .with_context(|| format!("{} cannot be read", path.display()))?;
    for root in FOLDERS_ABOVE
        .iter()
        .filter_map(|count| full.ancestors().nth(*count))
    {
        let lake = Lake::new(root);
        for key in lake.bar_keys()? {
            if let Some(stored) = stored_in(&lake, &key, &full)? {
                return Ok((key, stored));
            }
        }
    }
    bail!(
        "{} is not a bar file of a lake; those are called like equities/SPY_1D.parquet below its folder, or \
         equities/SPY/1M.json, which lists the files of each month",
        path.display()
    )
}

/// What a file holds of a series; `None` where it is none of its files.
fn stored_in(lake: &Lake, key: &BarKey, full: &Path) -> anyhow::Result<Option<StoredBars>> {
    let (class, symbol, timeframe) = (key.class(), key.symbol(), key.timeframe());
    let index = lake.bars_path(key);
    if index == full {
        return Ok(Some(lake.load_bars(class, symbol, timeframe)?));
    }
    if !key.is_partitioned() || !index.parent().is_some_and(|folder| full.starts_with(folder)) {
        return Ok(None);
    }
    let files = lake.series_files(key)?.files;
    match files.into_iter().find(|file| file.path == full) {
        None => Ok(None),
        Some(part) => Ok(Some(lake.load_bars_between(key, part.first, part.last)?)),
    }
}

fn lakes(a: &Lake, b: &Lake, filter: &FilterArgs) -> anyhow::Result<Vec<Compared>> {
    let (keys_a, keys_b) = (a.bar_keys()?, b.bar_keys()?);
    let keys: BTreeSet<&BarKey> = keys_a
        .iter()
        .chain(&keys_b)
        .filter(|key| fits(key, filter))
        .collect();
    let mut compared = Vec::new();
    for key in keys {
        let sheet = |lake: &Lake, keys: &[BarKey]| {
            let load = || lake.load_bars(key.class(), key.symbol(), key.timeframe());
            keys.contains(key).then(load).transpose()
        };
        let (a, b) = (sheet(a, &keys_a)?, sheet(b, &keys_b)?);
        let (a, b) = (a.as_ref().map(Sheet::of), b.as_ref().map(Sheet::of));
        compared.push(Compared::new(key.to_string(), a, b));
    }
    let everything =
        filter.symbols.is_empty() && filter.asset_class.is_none() && filter.timeframes.is_empty();
    if everything {
        compared.extend(macro_series(a, b)?);
    }
    Ok(compared)
}

/// The macro series of two lakes.
fn macro_series(a: &Lake, b: &Lake) -> anyhow::Result<Vec<Compared>> {
    let (names_a, names_b) = (macro_names(a)?, macro_names(b)?);
    let mut compared = Vec::new();
    for name in names_a.union(&names_b) {
        let sheet = |lake: &Lake, names: &BTreeSet<String>| -> anyhow::Result<Option<Sheet>> {
            if !names.contains(name) {
                return Ok(None);
            }
            let series = lake.load_macro(name)?.series;
            let (times, values) = (series.published().to_vec(), series.values().to_vec());
            let columns = vec![("value", values)];
            Ok(Some(Sheet { times, columns }))
        };
        let (a, b) = (sheet(a, &names_a)?, sheet(b, &names_b)?);
        compared.push(Compared::new(format!("{name} (macro)"), a, b));
    }
    Ok(compared)
}

fn macro_names(lake: &Lake) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in lake.list()? {
        if let FileMeta::Macro(meta) = entry.content? {
            names.extend(meta.series);
        }
    }
    Ok(names)
}

impl Sheet {
    fn of(stored: &StoredBars) -> Self {
        let mut sheet = Self {
            times: stored.bars.view().open_time.to_vec(),
            columns: Vec::new(),
        };
        sheet.add(&stored.bars, ["open", "high", "low", "close", "volume"]);
        let seconds = stored
            .bars
            .iter()
            .map(|bar| (bar.close_time.nanos() - bar.open_time.nanos()) as f64 / 1e9);
        sheet.columns.push(("length in seconds", seconds.collect()));
        if let Some(raw) = &stored.raw {
            sheet.add(
                &raw.bars,
                ["raw_open", "raw_high", "raw_low", "raw_close", "raw_volume"],
            );
            sheet
                .columns
                .push(("adjustment_factor", raw.adjustment_factor.clone()));
        }
        sheet
    }

    fn column(&self, name: &str) -> Option<&[f64]> {
        let found = self.columns.iter().find(|(known, _)| *known == name);
        found.map(|(_, values)| values.as_slice())
    }

    /// The columns that another sheet does not have.
    fn without(&self, other: &Self) -> impl Iterator<Item = &'static str> {
        let mine = self.columns.iter().map(|(name, _)| *name);
        mine.filter(|name| other.column(name).is_none())
    }

    fn add(&mut self, bars: &BarSeries, names: [&'static str; 5]) {
        let view = bars.view();
        let columns = [view.open, view.high, view.low, view.close, view.volume];
        self.columns
            .extend(names.into_iter().zip(columns.map(<[f64]>::to_vec)));
    }
}

impl Compared {
    /// Of what at least one of the two has.
    fn new(title: String, a: Option<Sheet>, b: Option<Sheet>) -> Self {
        let rows = [&a, &b].map(|sheet| sheet.as_ref().map(|sheet| sheet.times.len()));
        let differences = a
            .zip(b)
            .map(|(a, b)| Differences::between(&a, &b))
            .unwrap_or_default();
        Self {
            title,
            rows,
            differences,
        }
    }

    fn is_same(&self) -> bool {
        self.rows.iter().all(Option::is_some) && self.differences == Differences::default()
    }

    fn row(&self) -> Vec<String> {
        let Differences {
            only_a,
            only_b,
            changed,
            columns,
        } = &self.differences;
        let state = match self.rows {
            [_, None] => "only in A".to_owned(),
            [None, _] => "only in B".to_owned(),
            _ if self.is_same() => "same".to_owned(),
            _ if columns.is_empty() => "differs".to_owned(),
            _ => format!("differs; not in both: {}", columns.join(", ")),
        };
        let rows = self
            .rows
            .map(|rows| rows.map_or(String::new(), |rows| rows.to_string()));
        let [rows_a, rows_b] = rows;
        let counts = [only_a.len(), only_b.len(), changed.len()].map(|count| count.to_string());
        let [only_a, only_b, changed] = counts;
        vec![self.title.clone(), state, rows_a, rows_b, only_a, only_b, changed]
    }

    /// The first places, by time.
    fn places(&self, limit: usize) -> Vec<Vec<String>> {
        let Differences {
            only_a,
            only_b,
            changed,
            ..
        } = &self.differences;
        let row = |time: UtcNanos, column: &str, [a, b]: [String; 2]| {
            (
                time,
                vec![self.title.clone(), minute(time), column.to_owned(), a, b],
            )
        };
        let there = || "there".to_owned();
        let only_a = only_a
            .iter()
            .map(|time| row(*time, "whole bar", [there(), String::new()]));
        let only_b = only_b
            .iter()
            .map(|time| row(*time, "whole bar", [String::new(), there()]));
        let changed = changed.iter().map(|change| {
            let values = [change.a, change.b].map(|value| value.to_string());
            row(change.time, change.column, values)
        });
        let mut places: Vec<_> = only_a.chain(only_b).chain(changed).collect();
        places.sort_by_key(|(time, _)| *time);
        places.into_iter().take(limit).map(|(_, row)| row).collect()
    }
}

impl Differences {
    fn count(&self) -> usize {
        self.only_a.len() + self.only_b.len() + self.changed.len()
    }

    /// Goes through both in the order of their times; columns are compared where both have them.
    fn between(a: &Sheet, b: &Sheet) -> Self {
        let mut found = Self {
            columns: a.without(b).chain(b.without(a)).collect(),
            ..Self::default()
        };
        let (mut row_a, mut row_b) = (0, 0);
        loop {
            match (a.times.get(row_a), b.times.get(row_b)) {
                (None, None) => return found,
                (Some(time_a), Some(time_b)) if time_a == time_b => {
                    found.compare((a, row_a), (b, row_b));
                    row_a += 1;
                    row_b += 1;
                }
                (Some(time), other) if other.is_none_or(|other| time < other) => {
                    found.only_a.push(*time);
                    row_a += 1;
                }
                (_, other) => {
                    found.only_b.extend(other);
                    row_b += 1;
                }
            }
        }
    }

    fn compare(&mut self, (a, row_a): (&Sheet, usize), (b, row_b): (&Sheet, usize)) {
        for (column, values) in &a.columns {
            let Some(others) = b.column(column) else { continue };
            let (value_a, value_b) = (values[row_a], others[row_b]);
            if value_a.to_bits() != value_b.to_bits() {
                self.changed.push(Change {
                    time: a.times[row_a],
                    column,
                    a: value_a,
                    b: value_b,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(rows: &[(i64, f64)]) -> Sheet {
        Sheet {
            times: rows.iter().map(|(time, _)| UtcNanos::from_nanos(*time)).collect(),
            columns: vec![("close", rows.iter().map(|(_, value)| *value).collect())],
        }
    }

    fn nanos(times: &[UtcNanos]) -> Vec<i64> {
        times.iter().map(|time| time.nanos()).collect()
    }

    #[test]
    fn every_kind_of_difference_is_found_at_its_time() {
        let a = sheet(&[(1, 1.0), (2, 2.0), (4, 4.0), (5, 0.0), (7, 7.0)]);
        let b = sheet(&[(2, 2.0), (3, 3.0), (4, 4.5), (5, -0.0), (6, 6.0)]);
        let found = Differences::between(&a, &b);
        assert_eq!(nanos(&found.only_a), [1, 7]);
        assert_eq!(nanos(&found.only_b), [3, 6]);
        let changed: Vec<_> = found
            .changed
            .iter()
            .map(|one| (one.time.nanos(), one.a, one.b))
            .collect();
        assert_eq!(changed, [(4, 4.0, 4.5), (5, 0.0, -0.0)]);
        assert_eq!(found.count(), 6);
    }

    #[test]
    fn nothing_differs_from_itself() {
        let rows = [(1, 1.0), (2, f64::NAN)];
        assert_eq!(
            Differences::between(&sheet(&rows), &sheet(&rows)),
            Differences::default()
        );
        assert_eq!(
            Differences::between(&sheet(&[]), &sheet(&[])),
            Differences::default()
        );
    }

    #[test]
    fn columns_of_one_alone_are_named() {
        let mut b = sheet(&[(1, 1.0)]);
        b.columns.push(("raw_close", vec![2.0]));
        let found = Differences::between(&sheet(&[(1, 1.0)]), &b);
        assert_eq!(
            (found.columns.as_slice(), found.count()),
            (["raw_close"].as_slice(), 0)
        );
    }
}
