//! Macro tables of providers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{NaiveDate, TimeDelta};
use sextant_domain::UtcNanos;

use super::{Existing, Outcome, UpdateError};
use crate::lake::MacroMeta;
use crate::{
    DataError, FetchedMacro, Lake, MacroProvider, MacroTable, Progress, Provenance, PublicationRule, commands,
};

/// How many days before the last stored value are asked again, to be compared.
const SEAM_DAYS: i64 = 10;

/// A macro table to download or to bring up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacroUpdateRequest {
    /// The first date; where the table is in the lake and stays, not later than shortly before its end.
    pub from: NaiveDate,
    /// What happens with a table that is there.
    pub existing: Existing,
}

/// What an update of a macro table did.
#[derive(Debug, Clone, PartialEq)]
pub struct MacroUpdateReport {
    /// The table.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Whether it was written.
    pub outcome: Outcome,
    /// First and last date asked for.
    pub asked: (NaiveDate, NaiveDate),
    /// Rows of the answer.
    pub rows_read: usize,
    /// Rows without any value, left out.
    pub empty_rows: usize,
    /// Rows that are published later than now, left out.
    pub unpublished: usize,
    /// Rows that were not in the lake.
    pub added: usize,
    /// Rows that were in the lake with other values; those of the provider count.
    pub changed: usize,
    /// Rows in the lake now.
    pub rows: usize,
    /// First publication time.
    pub first: UtcNanos,
    /// Last publication time.
    pub last: UtcNanos,
    /// The source in the metadata.
    pub source: String,
    /// The digest of the content.
    pub digest: String,
}

type Rows = BTreeMap<UtcNanos, Vec<f64>>;

/// Brings a macro table up to date, or downloads it: asks for the dates from `request.from` on, or from shortly
/// before the last stored one where that is earlier, takes what is published at `now`, and merges it by publication time. Where both have a value the provider's counts; a value is
/// never replaced by none. Where nothing is new no file is touched.
///
/// # Errors
/// When the provider does not deliver or breaks its promises, the table in the lake is of another source, has other
/// series or another publication rule, no row came, or the lake cannot be written. The table is then as it was.
pub fn update_macro(
    lake: &Lake,
    provider: &dyn MacroProvider,
    request: &MacroUpdateRequest,
    now: UtcNanos,
    progress: &dyn Progress,
) -> Result<MacroUpdateReport, UpdateError> {
    let stored = match request.existing {
        Existing::Keep => lake.load_macro_table(provider.table())?,
        Existing::Replace => None,
    };
    let job = Job {
        lake,
        provider,
        path: lake.macro_path(provider.table())?,
        now,
    };
    if let Some((_, meta)) = &stored {
        job.check_provider(meta)?;
    }
    let from = stored.as_ref().map_or(request.from, |(_, meta)| {
        request.from.min(seam(meta, request.from))
    });
    let to = now.date();
    if from > to {
        return Err(UpdateError::Data(DataError::Request {
            field: "from",
            found: from.to_string(),
            allowed: format!("a date up to {to}"),
        }));
    }
    let fetched = provider.fetch(from, to, progress)?;
    let answer = job.take(&fetched, (from, to))?;
    job.commit(stored, answer)
}

/// The first date to ask for again: shortly before the date of the last row, which may be long before it was published.
fn seam(meta: &MacroMeta, from: NaiveDate) -> NaiveDate {
    let delay = PublicationRule::from_words(&meta.publication).map_or(0, |rule| i64::from(rule.delay_days));
    let days = TimeDelta::days(SEAM_DAYS + delay);
    meta.last.date().checked_sub_signed(days).unwrap_or(from)
}

struct Job<'a> {
    lake: &'a Lake,
    provider: &'a dyn MacroProvider,
    path: PathBuf,
    now: UtcNanos,
}

struct Answer {
    series: Vec<String>,
    rows: Rows,
    source: String,
    publication: String,
    asked: (NaiveDate, NaiveDate),
    rows_read: usize,
    empty_rows: usize,
    unpublished: usize,
}

impl Job<'_> {
    /// Checks the rows and finds their publication times.
    fn take(&self, fetched: &FetchedMacro, asked: (NaiveDate, NaiveDate)) -> Result<Answer, UpdateError> {
        let rule = fetched.publication;
        let mut answer = Answer {
            series: fetched.series.clone(),
            rows: Rows::new(),
            source: source(self.provider.name(), &fetched.source),
            publication: rule.words(),
            asked,
            rows_read: fetched.rows.len(),
            empty_rows: 0,
            unpublished: 0,
        };
        let mut before = None;
        for (date, values) in &fetched.rows {
            self.check_row((*date, values), fetched.series.len(), before, asked)?;
            before = Some(*date);
            let published = self.published(rule, *date)?;
            if values.iter().all(|value| value.is_nan()) {
                answer.empty_rows += 1;
            } else if published > self.now {
                answer.unpublished += 1;
            } else {
                answer.rows.insert(published, values.clone());
            }
        }
        Ok(answer)
    }

    fn check_row(
        &self,
        (date, values): (NaiveDate, &[f64]),
        width: usize,
        before: Option<NaiveDate>,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Result<(), UpdateError> {
        if values.len() != width {
            return Err(self.broken(format!(
                "the row of {date} has {} values for {width} series",
                values.len()
            )));
        }
        if let Some(before) = before.filter(|before| *before >= date) {
            return Err(self.broken(format!("the row of {date} comes after the one of {before}")));
        }
        if date < from || date > to {
            return Err(self.broken(format!(
                "it was asked for {from} to {to} and sent a row of {date}"
            )));
        }
        match values.iter().find(|value| value.is_infinite()) {
            Some(value) => Err(self.broken(format!(
                "the row of {date} has the value {value}; allowed are finite numbers, and NaN for none"
            ))),
            None => Ok(()),
        }
    }

    fn published(&self, rule: PublicationRule, date: NaiveDate) -> Result<UtcNanos, UpdateError> {
        rule.published(date)?
            .ok_or_else(|| self.broken(format!("the row of {date} is outside the range of times")))
    }

    fn commit(
        &self,
        stored: Option<(MacroTable, MacroMeta)>,
        answer: Answer,
    ) -> Result<MacroUpdateReport, UpdateError> {
        if let Some((table, meta)) = &stored {
            self.check_fits(table, meta, &answer)?;
        }
        let before = stored
            .as_ref()
            .map_or_else(Rows::new, |(table, _)| to_rows(table));
        let (rows, added, changed) = merge(before, answer.rows);
        if rows.is_empty() {
            return Err(UpdateError::Empty {
                what: self.what(),
                provider: self.provider.name().to_owned(),
                detail: format!(
                    "of {} rows {} have no value and {} are not published yet",
                    answer.rows_read, answer.empty_rows, answer.unpublished
                ),
            });
        }
        let (meta, outcome) = match stored {
            Some((_, meta)) if added + changed == 0 => (meta, Outcome::Unchanged),
            _ => {
                let provenance = Provenance {
                    source: answer.source,
                    synthetic: false,
                };
                let table = to_table(answer.series, rows, answer.publication);
                let meta = self
                    .lake
                    .write_macro(self.provider.table(), &table, &provenance)?;
                (meta, Outcome::Written)
            }
        };
        Ok(MacroUpdateReport {
            name: meta.name,
            path: self.path.clone(),
            outcome,
            asked: answer.asked,
            rows_read: answer.rows_read,
            empty_rows: answer.empty_rows,
            unpublished: answer.unpublished,
            added,
            changed,
            rows: meta.rows,
            first: meta.first,
            last: meta.last,
            source: meta.source,
            digest: meta.digest,
        })
    }

    fn check_provider(&self, meta: &MacroMeta) -> Result<(), UpdateError> {
        let prefix = format!("{}: ", self.provider.name());
        if meta.source.starts_with(&prefix) && !meta.synthetic {
            return Ok(());
        }
        Err(self.other_source(meta, format!("the table of {}", self.provider.name())))
    }

    fn check_fits(&self, table: &MacroTable, meta: &MacroMeta, answer: &Answer) -> Result<(), UpdateError> {
        let parts = [
            ("source", meta.source.clone(), answer.source.clone()),
            ("series", meta.series.join(", "), answer.series.join(", ")),
            (
                "publication rule",
                table.publication.clone(),
                answer.publication.clone(),
            ),
        ];
        match parts.into_iter().find(|(_, there, wanted)| there != wanted) {
            None => Ok(()),
            Some((part, there, wanted)) => Err(UpdateError::OtherSource {
                path: self.path.clone(),
                there: format!("a table with the {part} `{there}`"),
                wanted: format!("a table with the {part} `{wanted}`"),
                command: self.replace_command(),
            }),
        }
    }

    fn other_source(&self, meta: &MacroMeta, wanted: String) -> UpdateError {
        let made = if meta.synthetic {
            "made by a generator"
        } else {
            "from"
        };
        UpdateError::OtherSource {
            path: self.path.clone(),
            there: format!("a table {made} `{}`", meta.source),
            wanted,
            command: self.replace_command(),
        }
    }

    fn replace_command(&self) -> String {
        let download = commands::download_macro(self.provider.table(), self.provider.name());
        format!("{download} --replace")
    }

    fn what(&self) -> String {
        format!("the macro table {}", self.provider.table())
    }

    fn broken(&self, problem: String) -> UpdateError {
        UpdateError::Answer {
            what: self.what(),
            provider: self.provider.name().to_owned(),
            problem,
        }
    }
}

/// The source in the metadata: `<provider>: <what was asked>`.
fn source(provider: &str, asked: &str) -> String {
    let bare = asked
        .strip_prefix(provider)
        .and_then(|rest| rest.strip_prefix(':'))
        .unwrap_or(asked);
    format!("{provider}: {}", bare.trim())
}

fn to_rows(table: &MacroTable) -> Rows {
    let row = |index: usize| table.series.iter().map(|(_, values)| values[index]).collect();
    let rows = table.published.iter().enumerate();
    rows.map(|(index, published)| (*published, row(index))).collect()
}

fn to_table(series: Vec<String>, rows: Rows, publication: String) -> MacroTable {
    let column = |index: usize| rows.values().map(|values| values[index]).collect();
    let series = series
        .into_iter()
        .enumerate()
        .map(|(index, name)| (name, column(index)))
        .collect();
    MacroTable {
        series,
        published: rows.into_keys().collect(),
        publication,
    }
}

/// All rows, the number of new ones and the number of changed ones.
fn merge(mut rows: Rows, fetched: Rows) -> (Rows, usize, usize) {
    let (mut added, mut changed) = (0, 0);
    for (published, values) in fetched {
        let Some(there) = rows.get_mut(&published) else {
            rows.insert(published, values);
            added += 1;
            continue;
        };
        let mut differs = false;
        for (old, new) in there.iter_mut().zip(values) {
            if !new.is_nan() && *old != new {
                *old = new;
                differs = true;
            }
        }
        changed += usize::from(differs);
    }
    (rows, added, changed)
}
