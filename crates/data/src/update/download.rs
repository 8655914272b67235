//! Bars of a span, for the first time or again.

use sextant_domain::UtcNanos;

use super::answer::{Job, OpenEnded, Wanted};
use super::commit::{Meeting, commit};
use super::{UpdateError, UpdateReport};
use crate::calendar::Calendar;
use crate::import::BadRows;
use crate::lake::StoredBars;
use crate::twins::refuse_case_twin;
use crate::{BarKey, BarProvider, DataError, Lake, Progress};

/// What happens with bars that are in the lake already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and the new ones are added; where both have a bar the new one counts. Bars of another source or
    /// another adjustment are an error. From a provider that revises its history everything that is stored is loaded
    /// again too, so that old and revised prices never stand side by side.
    #[default]
    Keep,
    /// They go, whatever they are, even when their file is damaged.
    Replace,
}

/// Bars to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadRequest {
    /// The bars.
    pub key: BarKey,
    /// The provider's name for the symbol, where it is not the usual translation.
    pub provider_symbol: Option<String>,
    /// Bars that begin at this time or later; for a date midnight UTC is right.
    pub start: UtcNanos,
    /// Bars that end at this time or before; without one all that have closed.
    pub end: Option<UtcNanos>,
    /// What happens with rows that break rules.
    pub bad_rows: BadRows,
    /// What happens with bars that are there.
    pub existing: Existing,
}

/// Downloads the bars of a span into the lake. `now` is the time at which it happens: a bar that closes later, or closed
/// so shortly before that it is not settled ([`Offer::settling_seconds`](crate::Offer::settling_seconds)), is left out,
/// whatever the provider sends of it.
///
/// # Errors
/// When the lake has the symbol in another case, the provider does not deliver, rows break rules and are to be refused, no bar came, the bars in the lake are of
/// another source, or the lake cannot be written. The bars are then as they were.
pub fn download(
    lake: &Lake,
    provider: &dyn BarProvider,
    request: &DownloadRequest,
    now: UtcNanos,
    progress: &dyn Progress,
) -> Result<UpdateReport, UpdateError> {
    let key = &request.key;
    refuse_case_twin(lake, key)?;
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
    let stored = match request.existing {
        Existing::Keep => load_stored(lake, key)?,
        Existing::Replace => None,
    };
    if let Some(stored) = &stored {
        job.check_offer(stored)?;
    }
    let wanted = span(&job, request, stored.as_ref())?;
    let answer = job.fetch(&[wanted]).map_err(|error| match &stored {
        Some(_) => job.stored_out_of_reach(error),
        None => error,
    })?;
    if let Some(stored) = &stored {
        job.check_origin(stored, &answer)?;
    }
    job.refuse_bad(&answer)?;
    let meeting = match &stored {
        None => Meeting::Replace,
        Some(stored) if job.offer.revises_history => Meeting::Whole(stored, None),
        Some(stored) => Meeting::Part(stored),
    };
    commit(&job, &answer, meeting)
}

/// The bars of a key; `None` where the lake has none.
pub(super) fn load_stored(lake: &Lake, key: &BarKey) -> Result<Option<StoredBars>, DataError> {
    match lake.load_bars(key.class(), key.symbol(), key.timeframe()) {
        Err(DataError::Missing { .. }) => Ok(None),
        loaded => loaded.map(Some),
    }
}

/// The bars to ask for: those of the request, and what a revision could have changed.
fn span(
    job: &Job<'_>,
    request: &DownloadRequest,
    stored: Option<&StoredBars>,
) -> Result<Wanted, UpdateError> {
    let mut start = request.start;
    let mut end = request.end.unwrap_or(job.now);
    if let Some(StoredBars { meta, .. }) = stored.filter(|_| job.offer.revises_history) {
        start = start.min(meta.first);
        end = end.max(meta.last);
    }
    if start >= end {
        return Err(UpdateError::Data(DataError::Request {
            field: "start",
            found: format!("{start} with the end {end}"),
            allowed: "a start before the end, and before now".to_owned(),
        }));
    }
    job.check_calendar(end.min(job.now))?;
    let mut slots = job.closed_slots(start, end);
    let first = slots.next().ok_or_else(|| {
        job.empty(format!(
            "no bar of the calendar begins at {start} or later and has closed by {}",
            end.min(job.settled())
        ))
    })?;
    Ok(Wanted {
        first,
        last: slots.last().unwrap_or(first),
        open_ended: if end >= job.now {
            OpenEnded::Yes
        } else {
            OpenEnded::No
        },
    })
}
