//! Bars that a provider was asked for and did not have, remembered beside the bars.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sextant_domain::UtcNanos;

use super::plan::{SlotRange, is_hole};
use super::{Origin, UpdateError};
use crate::calendar::BarSlot;
use crate::lake::{remove, replace};
use crate::{BarKey, DataError, Lake};

/// After this time a bar that the provider does not have will not come any more. A younger one is remembered only when
/// a later bar is there.
const SETTLED_AFTER_NANOS: i64 = 7 * 86_400 * 1_000_000_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Memory {
    /// The provider that was asked.
    provider: String,
    /// The source of the bars; with another one the memory means nothing.
    source: String,
    /// First and last open time of each run of bars.
    holes: Vec<[String; 2]>,
}

/// The file: `<symbol>_<timeframe>.holes.json` beside the bars.
pub(super) fn path_for(lake: &Lake, key: &BarKey) -> PathBuf {
    lake.bars_path(key)
        .with_file_name(format!("{}.holes.json", key.stem()))
}

/// Drops the memory, because the bars were replaced.
pub(crate) fn forget(lake: &Lake, key: &BarKey) -> Result<(), DataError> {
    remove(&path_for(lake, key))
}

/// The holes of a source, increasing; none where nothing is remembered for it.
pub(super) fn load(lake: &Lake, key: &BarKey, origin: &Origin) -> Result<Vec<SlotRange>, UpdateError> {
    let path = path_for(lake, key);
    let Some(memory) = read(&path)? else {
        return Ok(Vec::new());
    };
    if memory.source != origin.to_string() {
        return Ok(Vec::new());
    }
    let holes: Option<Vec<SlotRange>> = memory.holes.iter().map(to_range).collect();
    let ordered = |holes: &Vec<SlotRange>| {
        holes.iter().all(|hole| hole.first <= hole.last)
            && holes.windows(2).all(|pair| pair[0].last < pair[1].first)
    };
    holes.filter(ordered).ok_or_else(|| UpdateError::Memory {
        path,
        problem: "its holes are not pairs of increasing times".to_owned(),
    })
}

/// Remembers the holes of a source; with none there is no file. Nothing is written when nothing changed.
pub(super) fn store(
    lake: &Lake,
    key: &BarKey,
    origin: &Origin,
    holes: &[SlotRange],
) -> Result<(), UpdateError> {
    let path = path_for(lake, key);
    if holes.is_empty() {
        return if path.exists() { Ok(remove(&path)?) } else { Ok(()) };
    }
    let memory = Memory {
        provider: origin.provider.clone(),
        source: origin.to_string(),
        holes: holes
            .iter()
            .map(|hole| [hole.first.to_string(), hole.last.to_string()])
            .collect(),
    };
    let mut text = serde_json::to_string_pretty(&memory).expect("strings have a JSON form");
    text.push('\n');
    if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    Ok(replace(&path, text.as_bytes())?)
}

/// The bars among `slots` that are known not to exist: not in `stored` (open times, increasing), asked for now or known
/// before, and either followed by a stored bar or closed long before `now`.
pub(super) fn find(
    slots: impl Iterator<Item = BarSlot>,
    stored: &[UtcNanos],
    asked: impl Fn(UtcNanos) -> bool,
    known: &[SlotRange],
    now: UtcNanos,
) -> Vec<SlotRange> {
    let settled = now.saturating_add(-SETTLED_AFTER_NANOS);
    let last = stored.last().copied().unwrap_or(UtcNanos::MIN);
    let mut stored = stored.iter().peekable();
    let mut holes: Vec<SlotRange> = Vec::new();
    let mut continues = false;
    for slot in slots {
        let time = slot.open_time;
        while stored.next_if(|open_time| **open_time < time).is_some() {}
        let settled = time < last || slot.close_time <= settled;
        let hole = stored.peek() != Some(&&time) && settled && (asked(time) || is_hole(known, time));
        match holes.last_mut() {
            Some(run) if hole && continues => run.last = time,
            _ if hole => holes.push(SlotRange {
                first: time,
                last: time,
            }),
            _ => {}
        }
        continues = hole;
    }
    holes
}

fn read(path: &Path) -> Result<Option<Memory>, UpdateError> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(DataError::io("read", path))?,
    };
    let memory = serde_json::from_slice(&text).map_err(|error| UpdateError::Memory {
        path: path.to_owned(),
        problem: error.to_string(),
    })?;
    Ok(Some(memory))
}

fn to_range([first, last]: &[String; 2]) -> Option<SlotRange> {
    Some(SlotRange {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
    })
}
