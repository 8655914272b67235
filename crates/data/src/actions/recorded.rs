//! The corporate actions that an adjusted series of the lake carries in itself.

use sextant_domain::UtcNanos;

use super::{ActionError, ActionKind, is_for_splits_alone};
use crate::lake::{RawBars, StoredBars};

/// Factors that differ by less than this part of them are the same: they are written with seven decimals and divided.
const SAME_FACTOR: f64 = 1e-9;
/// How far a ratio of small whole numbers may be from the ratio of two split factors, as a part of it.
const RATIO_TOLERANCE: f64 = 5e-5;
/// The most old shares of a split.
const MOST_OLD_SHARES: u32 = 1_000;
/// A dividend of this part of the close is more likely a split that the volumes do not show.
const LARGEST_DIVIDEND: f64 = 0.5;

/// A corporate action between two bars of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordedAction {
    /// The open of the first bar that traded without it.
    pub time: UtcNanos,
    /// What happened. A dividend is per share before a split of the same time, with the raw close before it as reference.
    pub kind: ActionKind,
}

/// The dividends and splits by which a stored series was adjusted, oldest first, read back from what stands beside each bar:
/// the raw price, the adjusted one, and both volumes.
///
/// Volumes are divided by the split factor alone, so raw / adjusted volume is the split factor, and the rest of the
/// adjustment is the price factor. Where the split factor changes from one bar to the next, the ratio is the one of the
/// smallest whole numbers that fit; where the price factor changes, the dividend is close before x (1 - earlier / later). The
/// close is that of the series, so that amounts are right to about 1e-7 x close / price factor where the bars end with the
/// session. A bar without volume has the split factor of the bar after it, and the
/// dividends of a hole in the bars are one, of the close before it.
///
/// # Errors
/// When the series has no raw bars beside it or was adjusted for splits alone, so that nobody knows its dividends, or a step
/// of the factors is neither a dividend nor a split.
pub fn recorded_actions(stored: &StoredBars) -> Result<Vec<RecordedAction>, ActionError> {
    let name = format!("{} {}", stored.meta.symbol, stored.meta.timeframe);
    let raw = with_dividends(&name, stored)?;
    let splits = split_factors(stored, raw);
    let mut actions = Vec::new();
    for index in 1..splits.len() {
        let step = Step::new(&name, (raw, &splits), index);
        actions.extend(step.dividend()?);
        actions.extend(step.split()?);
    }
    Ok(actions)
}

fn with_dividends<'s>(name: &str, stored: &'s StoredBars) -> Result<&'s RawBars, ActionError> {
    let conflict = |detail: String| ActionError::Conflict {
        what: format!("the corporate actions of {name}"),
        detail,
    };
    let raw = stored.raw.as_ref().ok_or_else(|| {
        conflict(format!(
            "the lake has no raw bars beside it ({}); import it with its factor file, or adjust it with `data adjust`",
            stored.meta.adjustment
        ))
    })?;
    if is_for_splits_alone(&raw.adjustment) {
        return Err(conflict(format!(
            "it was adjusted for splits alone ({}), which does not say what dividends were paid; adjust it for both",
            raw.adjustment
        )));
    }
    Ok(raw)
}

/// Raw / adjusted volume; of bars without volume that of the next bar with one.
fn split_factors(stored: &StoredBars, raw: &RawBars) -> Vec<f64> {
    let (adjusted, traded) = (stored.bars.view().volume, raw.bars.view().volume);
    let mut factors = vec![1.0; adjusted.len()];
    let mut known = 1.0;
    for index in (0..factors.len()).rev() {
        if adjusted[index] > 0.0 && traded[index] > 0.0 {
            known = traded[index] / adjusted[index];
        }
        factors[index] = known;
    }
    factors
}

/// From one bar to the next.
struct Step<'s> {
    name: &'s str,
    time: UtcNanos,
    /// The raw close before.
    close: f64,
    /// The factor of the later bar over that of the earlier one.
    split: f64,
    price: f64,
}

impl<'s> Step<'s> {
    fn new(name: &'s str, (raw, splits): (&RawBars, &[f64]), index: usize) -> Self {
        let view = raw.bars.view();
        let (before, after) = (splits[index - 1], splits[index]);
        let price = |at: usize| raw.adjustment_factor[at] / splits[at];
        Self {
            name,
            time: view.open_time[index],
            close: view.close[index - 1],
            split: after / before,
            price: price(index) / price(index - 1),
        }
    }

    fn recorded(&self, kind: ActionKind) -> RecordedAction {
        RecordedAction {
            time: self.time,
            kind,
        }
    }

    fn refused(&self, problem: &str) -> ActionError {
        ActionError::Conflict {
            what: format!("the factors of {} at {}", self.name, self.time),
            detail: format!(
                "{problem} (split factor x {}, price factor x {}); import or adjust the series again",
                self.split, self.price
            ),
        }
    }

    fn dividend(&self) -> Result<Option<RecordedAction>, ActionError> {
        if (self.price - 1.0).abs() < SAME_FACTOR {
            return Ok(None);
        }
        let amount = self.close * (1.0 - 1.0 / self.price);
        if amount < 0.0 || amount > LARGEST_DIVIDEND * self.close {
            return Err(self.refused("a step that is neither a dividend below half the close nor a split"));
        }
        Ok(Some(self.recorded(ActionKind::CashDividend {
            amount,
            reference_close: Some(self.close),
        })))
    }

    fn split(&self) -> Result<Option<RecordedAction>, ActionError> {
        if (self.split - 1.0).abs() < SAME_FACTOR {
            return Ok(None);
        }
        let (new, old) =
            ratio_of(self.split).ok_or_else(|| self.refused("a split that is no ratio of shares"))?;
        Ok(Some(self.recorded(ActionKind::Split {
            new_per_old: f64::from(new) / f64::from(old),
        })))
    }
}

/// New and old shares: the smallest whole numbers whose ratio is this one, as far as factors of seven decimals can tell;
/// `None` where there are none.
pub fn ratio_of(new_per_old: f64) -> Option<(u32, u32)> {
    (1..=MOST_OLD_SHARES).find_map(|old| {
        let new = (new_per_old * f64::from(old)).round();
        let fits = (new / f64::from(old) / new_per_old - 1.0).abs() < RATIO_TOLERANCE;
        (fits && (1.0..=f64::from(u32::MAX)).contains(&new)).then_some((new as u32, old))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ratios_are_those_of_the_smallest_whole_numbers() {
        for (found, expected) in [
            (6.99999, Some((7, 1))),
            (2.0000001, Some((2, 1))),
            (0.125, Some((1, 8))),
            (1.5, Some((3, 2))),
            (1.05, Some((21, 20))),
            (1e-9, None),
        ] {
            assert_eq!(ratio_of(found), expected, "{found}");
        }
    }
}
