//! Bringing bars that are in the lake up to date.

use sextant_domain::UtcNanos;

use super::answer::{Answer, Job, OpenEnded, Wanted};
use super::commit::{Meeting, commit, find_unreachable, unchanged};
use super::download::load_stored;
use super::merge::{Merged, merge};
use super::{Difference, UpdateError, UpdateReport, holes, plan};
use crate::calendar::Calendar;
use crate::import::BadRows;
use crate::lake::StoredBars;
use crate::{BarKey, BarProvider, Lake, Progress, commands};

/// Bars to bring up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRequest {
    /// The bars, which are in the lake.
    pub key: BarKey,
    /// The provider's name for the symbol; the same as in the download.
    pub provider_symbol: Option<String>,
    /// What happens with rows that break rules.
    pub bad_rows: BadRows,
}

/// Fetches what is missing of bars that were downloaded before: those after the last one and the gaps, see
/// [`plan`]. Where nothing is missing the provider is not asked, and where nothing is new no file is touched. What is
/// missing from before the history of the provider is left out and reported ([`UpdateReport::unreachable`]).
///
/// # Errors
/// When the bars are not in the lake or of another source, the provider does not deliver or contradicts what it
/// delivered before ([`UpdateError::Differs`], unless it says that it revises its history), stored bars would have to be
/// loaded again and are out of its reach ([`UpdateError::StoredOutOfReach`]), rows break rules and are to
/// be refused, or the lake cannot be written. The bars are then as they were.
pub fn update(
    lake: &Lake,
    provider: &dyn BarProvider,
    request: &UpdateRequest,
    now: UtcNanos,
    progress: &dyn Progress,
) -> Result<UpdateReport, UpdateError> {
    let key = &request.key;
    let stored = load_stored(lake, key)?.ok_or_else(|| UpdateError::NotThere {
        wanted: key.to_string(),
        root: lake.root().to_owned(),
        command: commands::download_bars(key, provider.name()),
    })?;
    let job = Job {
        lake,
        provider,
        key,
        provider_symbol: request.provider_symbol.as_deref(),
        bad_rows: request.bad_rows,
        offer: provider.offer(key.class(), key.timeframe())?,
        calendar: Calendar::for_class(key.class()),
        now,
        progress,
    };
    let origin = job.check_offer(&stored)?;
    job.check_calendar(now)?;
    let known = holes::load(lake, key, &origin)?;
    let wanted = wanted(&job, &stored, &known);
    if wanted.is_empty() {
        return Ok(UpdateReport {
            holes: known,
            ..unchanged(&job, &stored.meta)
        });
    }
    let answer = job.fetch_reachable(&wanted)?;
    if answer.asked.is_empty() {
        return Ok(UpdateReport {
            unreachable: find_unreachable(&job, &answer, &stored.bars, &known),
            holes: known,
            ..unchanged(&job, &stored.meta)
        });
    }
    job.check_origin(&stored, &answer)?;
    let merged = merge(&stored.bars, &answer.bars);
    check_compared(&job, &stored, &answer, &merged)?;
    let differences = merged.differences;
    match differences.first.first() {
        Some(first) if job.offer.revises_history => reload(&job, &stored, &answer, *first),
        Some(first) => Err(job.differs(differences.count, *first)),
        None => {
            job.refuse_bad(&answer)?;
            commit(&job, &answer, Meeting::Part(&stored))
        }
    }
}

fn wanted(job: &Job<'_>, stored: &StoredBars, known: &[super::SlotRange]) -> Vec<Wanted> {
    let open_times = stored.bars.view().open_time;
    let plan = plan(
        job.key.class(),
        job.key.timeframe(),
        open_times,
        known,
        job.settled(),
    );
    let wanted = plan.requests.into_iter().map(|request| Wanted {
        first: request.first,
        last: request.last,
        open_ended: OpenEnded::No,
    });
    wanted.collect()
}

/// Where history is revised and the seam is out of reach, nobody knows whether new bars fit the stored ones.
fn check_compared(
    job: &Job<'_>,
    stored: &StoredBars,
    answer: &Answer,
    merged: &Merged,
) -> Result<(), UpdateError> {
    let compared = merged.only_stored < stored.bars.len();
    match answer.lost.first() {
        Some(lost) if job.offer.revises_history && merged.added > 0 && !compared => {
            Err(job.out_of_reach(lost.problem.clone()))
        }
        _ => Ok(()),
    }
}

/// Loads the whole span anew, because the provider revised a bar.
fn reload(
    job: &Job<'_>,
    stored: &StoredBars,
    seen: &Answer,
    revised: Difference,
) -> Result<UpdateReport, UpdateError> {
    let slots = || job.closed_slots(stored.meta.first, job.now);
    let (Some(first), Some(last)) = (slots().next(), slots().last()) else {
        return Err(job.empty("no bar of the calendar has closed".to_owned()));
    };
    let whole = Wanted {
        first,
        last,
        open_ended: OpenEnded::No,
    };
    let answer = job
        .fetch(&[whole])
        .map_err(|error| job.stored_out_of_reach(error))?;
    job.check_origin(stored, &answer)?;
    job.refuse_bad(&answer)?;
    let report = commit(job, &answer, Meeting::Whole(stored, Some(revised)))?;
    Ok(UpdateReport {
        requests: [seen.asked.as_slice(), answer.asked.as_slice()].concat(),
        ..report
    })
}
