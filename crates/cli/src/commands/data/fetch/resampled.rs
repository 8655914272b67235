//! Bars made from finer ones that were downloaded.

use anyhow::bail;
use sextant_data::{BarKey, BarMeta, DataError, Lake};
use sextant_domain::Timeframe;

use super::super::select::{RESAMPLED, minute, short};
use super::Done;

/// What may be in the place of the bars that are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwrite {
    /// Only bars that were made from the same finer ones.
    OwnKind,
    /// Whatever is there.
    Anything,
}

/// Of which finer bars a file says that it was made: their timeframe and their digest.
pub(super) fn made_from(meta: &BarMeta) -> Option<(Timeframe, &str)> {
    let (timeframe, rest) = meta.source.strip_prefix(RESAMPLED)?.split_once(" of digest ")?;
    let (digest, _) = rest.split_once(';')?;
    Some((timeframe.parse().ok()?, digest))
}

/// Makes bars of `to` from those of `key`, unless they were made from the very same ones before.
pub(super) fn resample(lake: &Lake, key: &BarKey, to: Timeframe, overwrite: Overwrite, done: &mut Done) {
    let target = key.with_timeframe(to);
    if let Err(error) = make(lake, (key, &target), overwrite, done) {
        done.failure(&target, format!("{error:#}"));
    }
}

fn make(
    lake: &Lake,
    (key, target): (&BarKey, &BarKey),
    overwrite: Overwrite,
    done: &mut Done,
) -> anyhow::Result<()> {
    let finer = lake.load_bars(key.class(), key.symbol(), key.timeframe())?.meta;
    let there = match lake.load_bars(target.class(), target.symbol(), target.timeframe()) {
        Ok(there) => Some(there.meta),
        Err(DataError::Missing { .. }) => None,
        Err(_) if overwrite == Overwrite::Anything => None,
        Err(error) => return Err(error.into()),
    };
    let origin = there.as_ref().and_then(made_from);
    if origin == Some((key.timeframe(), finer.digest.as_str())) {
        let meta = there.as_ref().unwrap_or(&finer);
        done.rows.push(row((target, meta), key.timeframe(), 0));
        return Ok(());
    }
    if let (Some(meta), Overwrite::OwnKind) = (&there, overwrite)
        && origin.is_none_or(|(timeframe, _)| timeframe != key.timeframe())
    {
        bail!(
            "{} holds bars of another source (`{}`); nothing was changed. To put those made from {} bars in their place: \
             cargo xtask data resample --symbol {} --asset-class {} --from {} --to {}",
            lake.bars_path(target).display(),
            meta.source,
            key.timeframe(),
            key.symbol(),
            key.class(),
            key.timeframe(),
            target.timeframe()
        );
    }
    let (meta, _) = lake.resample_bars(key, target.timeframe())?;
    let before = there.map_or(0, |meta| meta.rows);
    done.rows.push(row(
        (target, &meta),
        key.timeframe(),
        meta.rows.saturating_sub(before),
    ));
    Ok(())
}

fn row((key, meta): (&BarKey, &BarMeta), from: Timeframe, new: usize) -> Vec<String> {
    vec![
        key.to_string(),
        meta.rows.to_string(),
        format!("made from {from}"),
        new.to_string(),
        String::new(),
        String::new(),
        minute(meta.first),
        minute(meta.last),
        short(&meta.digest),
    ]
}
