//! `sextant data download` and `sextant data update`.

mod download;
mod macros;
mod resampled;
mod update;

use std::process::ExitCode;

use anyhow::bail;
use sextant_data::update::{Outcome, SlotRange, UpdateReport};
use sextant_data::{BadRows, Calendar};
use sextant_domain::{Timeframe, UtcNanos};
use sextant_providers::{BAR_PROVIDERS, HttpConfig, KeptPages, MACRO_PROVIDERS, ProviderSettings};

use super::select::{counted, last_session, listed, minute, session, short};
use crate::args::{DataRootArgs, DownloadArgs, ProviderArgs, UpdateArgs};
use crate::clock;
use crate::out::say;
use crate::table::table;

/// Where answers that will not change are kept, below the lake.
const CACHE: &str = ".cache";
const HEADINGS: [&str; 9] = [
    "data",
    "#rows",
    "asked for",
    "#new",
    "#changed",
    "#forming",
    "first",
    "last",
    "digest",
];

/// Downloads bars or macro tables.
pub(super) fn download(args: &DownloadArgs) -> anyhow::Result<ExitCode> {
    let mut settings = settings(&args.root, &args.provider);
    if args.replace {
        settings.http.kept_pages = KeptPages::Refresh;
    }
    let mut done = Done::default();
    match &args.macros {
        Some(tables) => {
            check_provider(&args.provider, &MACRO_PROVIDERS.map(|info| info.name))?;
            macros::download(args, tables, &settings, &mut done)?;
        }
        None => download::download(args, &settings, &mut done)?,
    }
    done.print()
}

/// Brings downloaded bars and macro tables up to date.
pub(super) fn update(args: &UpdateArgs) -> anyhow::Result<ExitCode> {
    let settings = settings(&args.root, &args.provider);
    let mut done = Done::default();
    let everything = args.symbols.is_empty() && args.asset_class.is_none() && args.timeframes.is_empty();
    let of_bars = BAR_PROVIDERS.iter().map(|info| info.name);
    let of_macros = MACRO_PROVIDERS.iter().map(|info| info.name);
    let known: Vec<&str> = match (&args.macros, everything) {
        (Some(_), _) => of_macros.collect(),
        (None, true) => of_bars.chain(of_macros).collect(),
        (None, false) => of_bars.collect(),
    };
    check_provider(&args.provider, &known)?;
    if args.macros.is_none() {
        update::update(args, &settings, &mut done)?;
    }
    if let Some(tables) = args.macros.as_deref().or(everything.then_some(&[])) {
        macros::update(args, tables, &settings, &mut done)?;
    }
    if done.is_empty() {
        say!(
            "nothing in {} was downloaded, so there is nothing to update; download some with `cargo xtask data download`",
            args.root.data.display()
        );
    }
    done.print()
}

/// What was done, and what failed.
#[derive(Default)]
struct Done {
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    failures: Vec<String>,
}

impl Done {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.failures.is_empty() && self.notes.is_empty()
    }

    fn note(&mut self, what: impl std::fmt::Display, note: &str) {
        self.notes.push(format!("{what}: {note}"));
    }

    fn failure(&mut self, what: impl std::fmt::Display, error: impl std::fmt::Display) {
        self.failures.push(format!("  {what}: {error:#}"));
    }

    /// Adds the row and the notes of a download or an update.
    fn bars(&mut self, report: &UpdateReport) {
        let [first, last] = span(report);
        self.rows.push(vec![
            report.key.to_string(),
            report.bars.to_string(),
            asked(report),
            report.added.to_string(),
            report.changed.to_string(),
            report.forming.to_string(),
            first,
            last,
            short(&report.digest),
        ]);
        let key = &report.key;
        if report.outcome == Outcome::Unchanged {
            self.note(key, "nothing new, the file is as it was");
        }
        if let Some(revised) = &report.reloaded {
            self.note(
                key,
                &format!("the provider revised its history, so that all of it was loaded anew; {revised}"),
            );
        }
        if report.removed > 0 {
            self.note(
                key,
                &format!(
                    "{} that the provider does not have any more are gone",
                    counted(report.removed, "bar")
                ),
            );
        }
        if report.outside_session > 0 {
            self.note(
                key,
                &format!("{} rows outside the session are left out", report.outside_session),
            );
        }
        if let Some(file) = &report.quarantine {
            let count: u64 = report.quarantined.iter().map(|(_, count)| count).sum();
            self.note(key, &format!("{count} bad rows are in {}", file.display()));
        }
        if let [first, ..] = report.holes.as_slice() {
            let holes = counted(report.holes.len(), "gap");
            let begin = minute(first.first);
            self.note(key, &format!("{holes} that the provider does not fill, the first from {begin} on; they are not asked for again"));
        }
        if let [first, ..] = report.unreachable.as_slice() {
            let gaps = counted(report.unreachable.len(), "gap");
            let begin = minute(first.first);
            self.note(
                key,
                &format!("{gaps} that the provider no longer reaches back to, the first from {begin} on"),
            );
        }
    }

    /// Prints the table, the notes, and what failed, if anything did.
    fn print(self) -> anyhow::Result<ExitCode> {
        let total = self.rows.len() + self.failures.len();
        if !self.rows.is_empty() {
            say!("{}", table(&HEADINGS, self.rows));
        }
        for note in &self.notes {
            say!("{note}");
        }
        if !self.failures.is_empty() {
            bail!(
                "{} of {total} failed:\n{}",
                self.failures.len(),
                self.failures.join("\n")
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Refuses a provider that has nothing of what is wanted.
fn check_provider(args: &ProviderArgs, known: &[&str]) -> anyhow::Result<()> {
    match args.provider.as_deref() {
        Some(name) if !known.contains(&name) => bail!(
            "--provider {name}: there is no such provider of these data; there is {}",
            listed(known)
        ),
        _ => Ok(()),
    }
}

fn settings(root: &DataRootArgs, args: &ProviderArgs) -> ProviderSettings {
    let mut settings = ProviderSettings::new(HttpConfig::new(Some(root.data.join(CACHE))), clock::now());
    settings.base_url = args.base_url.clone();
    settings.feed = args.feed.unwrap_or_default();
    settings
}

fn bad_rows(args: &ProviderArgs) -> BadRows {
    if args.quarantine {
        BadRows::Quarantine
    } else {
        BadRows::Refuse
    }
}

/// First and last bar: dates for daily bars, times for others.
fn span(report: &UpdateReport) -> [String; 2] {
    let calendar = Calendar::for_class(report.key.class());
    match report.key.timeframe() {
        Timeframe::D1 => [
            session(&calendar, report.first).to_string(),
            last_session(&calendar, report.last).to_string(),
        ],
        _ => [minute(report.first), minute(report.last)],
    }
}

/// The span of what was asked for.
fn asked(report: &UpdateReport) -> String {
    let calendar = Calendar::for_class(report.key.class());
    let date = |time: UtcNanos| calendar.date_of(time);
    match report.requests.as_slice() {
        [] => "nothing".to_owned(),
        [SlotRange { first, last }] => format!("{} to {}", date(*first), date(*last)),
        [SlotRange { first, .. }, .., SlotRange { last, .. }] => {
            format!(
                "{} spans, {} to {}",
                report.requests.len(),
                date(*first),
                date(*last)
            )
        }
    }
}
