//! Bringing the result into the lake, in an order in which every stop between two steps is harmless.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sextant_domain::{BarSeries, UtcNanos};

use super::answer::{Answer, Job};
use super::holes;
use super::merge::{Differences, merge};
use super::plan::is_hole;
use super::{Difference, Outcome, SlotRange, UpdateError, UpdateReport};
use crate::import::{COLUMNS, add_to, quarantine_path, text_of};
use crate::lake::{BarMeta, StoredBars, remove, replace};
use crate::{DataError, Provenance};

/// How an answer meets what is in the lake.
pub(super) enum Meeting<'a> {
    /// It stands in the place of whatever there was.
    Replace,
    /// It is the whole history of a provider that revises it: with the first difference no stored bar survives. The bar
    /// is the one that made us ask for all of it.
    Whole(&'a StoredBars, Option<Difference>),
    /// It is a part of the history; stored bars without a new one stay.
    Part(&'a StoredBars),
}

/// The bars that are to be in the lake.
struct Next<'a> {
    stored: Option<&'a StoredBars>,
    bars: BarSeries,
    added: usize,
    removed: usize,
    differences: Differences,
    reloaded: Option<Difference>,
}

/// Merges an answer with the lake and writes what changed. Bad rows have been refused before, where they are to be.
pub(super) fn commit(
    job: &Job<'_>,
    answer: &Answer,
    meeting: Meeting<'_>,
) -> Result<UpdateReport, UpdateError> {
    let known = match &meeting {
        Meeting::Part(_) => holes::load(job.lake, job.key, &answer.origin)?,
        Meeting::Replace | Meeting::Whole(..) => Vec::new(),
    };
    let next = next(job, answer, meeting)?;
    let quarantine = set_aside(job, answer, &next)?;
    let (meta, outcome) = write(job, answer, &next)?;
    let holes = find_holes(job, answer, &next.bars, &known);
    let unreachable = find_unreachable(job, answer, &next.bars, &known);
    holes::store(job.lake, job.key, &answer.origin, &holes)?;
    Ok(UpdateReport {
        key: job.key.clone(),
        path: job.lake.bars_path(job.key),
        outcome,
        requests: answer.asked.clone(),
        rows_read: answer.counts.rows_read,
        identical_duplicates: answer.counts.identical_duplicates,
        outside_session: answer.counts.outside_session,
        forming: answer.counts.forming,
        added: next.added,
        removed: next.removed,
        changed: next.differences.count,
        differences: next.differences.first,
        reloaded: next.reloaded,
        holes,
        unreachable,
        quarantined: answer.defects.by_rule(),
        quarantine,
        adjustment: job.offer.adjustment.clone(),
        ..unchanged(job, &meta)
    })
}

/// The report of an operation that asked for nothing.
pub(super) fn unchanged(job: &Job<'_>, meta: &BarMeta) -> UpdateReport {
    UpdateReport {
        key: job.key.clone(),
        path: job.lake.bars_path(job.key),
        outcome: Outcome::Unchanged,
        requests: Vec::new(),
        rows_read: 0,
        identical_duplicates: 0,
        outside_session: 0,
        forming: 0,
        added: 0,
        removed: 0,
        changed: 0,
        differences: Vec::new(),
        reloaded: None,
        holes: Vec::new(),
        unreachable: Vec::new(),
        quarantined: Vec::new(),
        quarantine: None,
        bars: meta.rows,
        first: meta.first,
        last: meta.last,
        source: meta.source.clone(),
        adjustment: job.offer.adjustment.clone(),
        digest: meta.digest.clone(),
    }
}

fn next<'a>(job: &Job<'_>, answer: &Answer, meeting: Meeting<'a>) -> Result<Next<'a>, UpdateError> {
    let nothing = BarSeries::default();
    let (stored, reloaded, may_be_part) = match meeting {
        Meeting::Replace => (None, None, true),
        Meeting::Whole(stored, reloaded) => (Some(stored), reloaded, false),
        Meeting::Part(stored) => (Some(stored), None, true),
    };
    let before = stored.map_or(&nothing, |stored| &stored.bars);
    let merged = merge(before, &answer.bars);
    // Where bars were compared and none was revised, the others are not either.
    let compared = merged.only_stored < before.len();
    let part = may_be_part || (compared && merged.differences.count == 0);
    if merged.bars.is_empty() || (!part && answer.bars.is_empty()) {
        return Err(job.empty(answer.summary()));
    }
    let bars = if part {
        BarSeries::from_bars(merged.bars).map_err(DataError::series(job.key))?
    } else {
        check_reach(job, answer, before)?;
        answer.bars.clone()
    };
    Ok(Next {
        stored,
        bars,
        added: merged.added,
        removed: if part { 0 } else { merged.only_stored },
        differences: merged.differences,
        reloaded,
    })
}

/// A revised history must reach back as far as the one it replaces.
fn check_reach(job: &Job<'_>, answer: &Answer, stored: &BarSeries) -> Result<(), UpdateError> {
    let Some(earliest) = answer.bars.view().open_time.first() else {
        return Ok(());
    };
    let count = stored.view().open_time.partition_point(|time| time < earliest);
    if count == 0 {
        return Ok(());
    }
    Err(UpdateError::LostHistory {
        what: job.key.to_string(),
        provider: job.provider.name().to_owned(),
        earliest: *earliest,
        count,
        command: job.replace_command(),
    })
}

/// Bad rows are safe before the bars without them appear. Where the bars are a continuation, so is the file.
fn set_aside(job: &Job<'_>, answer: &Answer, next: &Next<'_>) -> Result<Option<PathBuf>, UpdateError> {
    let path = quarantine_path(job.lake, job.key);
    if answer.defects.rows.is_empty() {
        return Ok(None);
    }
    let text = text_of(&COLUMNS.join(","), answer.bad_lines());
    let before = match next.stored {
        Some(_) => read_or_nothing(&path)?,
        None => String::new(),
    };
    let text = add_to(&before, &text);
    if text != before {
        replace(&path, text.as_bytes())?;
    }
    Ok(Some(path))
}

fn read_or_nothing(path: &Path) -> Result<String, DataError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => {
            let bytes = read.map_err(DataError::io("read", path))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}

fn write(job: &Job<'_>, answer: &Answer, next: &Next<'_>) -> Result<(BarMeta, Outcome), UpdateError> {
    if let Some(stored) = next.stored.filter(|stored| stored.bars == next.bars) {
        return Ok((stored.meta.clone(), Outcome::Unchanged));
    }
    let provenance = Provenance {
        source: answer.origin.to_string(),
        synthetic: false,
    };
    let meta = job.lake.write_bars(job.key, &next.bars, None, &provenance)?;
    // Bad rows of what was replaced go after it; those of this answer were written before.
    if next.stored.is_none() && answer.defects.rows.is_empty() {
        remove(&quarantine_path(job.lake, job.key))?;
    }
    Ok((meta, Outcome::Written))
}

fn find_holes(job: &Job<'_>, answer: &Answer, bars: &BarSeries, known: &[SlotRange]) -> Vec<SlotRange> {
    let open_times: &[UtcNanos] = bars.view().open_time;
    let Some(first) = open_times.first() else {
        return Vec::new();
    };
    let asked = |time| answer.asked.iter().any(|range| range.contains(time));
    holes::find(
        job.closed_slots(*first, job.now),
        open_times,
        asked,
        known,
        job.now,
    )
}

/// The missing bars that were lost because the provider does not reach back to them, without the known holes.
pub(super) fn find_unreachable(
    job: &Job<'_>,
    answer: &Answer,
    bars: &BarSeries,
    known: &[SlotRange],
) -> Vec<SlotRange> {
    let open_times: &[UtcNanos] = bars.view().open_time;
    let (Some(first), false) = (open_times.first(), answer.lost.is_empty()) else {
        return Vec::new();
    };
    let is_lost = |time| answer.lost.iter().any(|lost| lost.range.contains(time)) && !is_hole(known, time);
    let slots = job.closed_slots(*first, job.now);
    holes::find(slots, open_times, is_lost, &[], job.now)
}
