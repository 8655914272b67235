//! The checks on bars.

use sextant_domain::{AssetClass, BarsView, Timeframe, UtcNanos};

use super::{Example, Findings, Rule};
use crate::calendar::{BarSlot, Calendar};

/// A move by a larger part of the close before is a spike.
pub(super) const SPIKE: f64 = 0.40;
const LOW_WICK: f64 = 0.7;
const HIGH_WICK: f64 = 1.4;
/// The longest weekends have five days from one session to the next: Friday to Wednesday.
const HOLE_DAYS: i64 = 5;
/// Bars within a day end a weekend with the first bar of a session, not with its date.
const INTRADAY_HOLE_DAYS: i64 = 4;

/// Every check, over bars that may be anything.
pub(super) fn check(
    bars: BarsView<'_>,
    (class, timeframe): (AssetClass, Timeframe),
    calendar: &Calendar,
    findings: &mut Findings,
) {
    for index in 0..bars.len() {
        check_order(bars, index, findings);
        check_values(bars, index, findings);
        if class != AssetClass::Fx && bars.volume[index] == 0.0 {
            findings.add(Rule::ZeroVolume, 1, || at(bars, index, "volume 0".to_owned()));
        }
    }
    check_gaps(bars, calendar, timeframe, findings);
    check_holes(bars, calendar, timeframe, findings);
}

fn check_order(bars: BarsView<'_>, index: usize, findings: &mut Findings) {
    let Some(before) = index.checked_sub(1) else {
        return;
    };
    let (previous, time) = (bars.open_time[before], bars.open_time[index]);
    let rule = match time.cmp(&previous) {
        std::cmp::Ordering::Less => Rule::Monotonic,
        std::cmp::Ordering::Equal if values(bars, index) == values(bars, before) => Rule::IdenticalDuplicates,
        std::cmp::Ordering::Equal => Rule::Duplicates,
        std::cmp::Ordering::Greater if time < bars.close_time[before] => Rule::Overlap,
        std::cmp::Ordering::Greater => return check_spike(bars, index, findings),
    };
    findings.add(rule, 1, || at(bars, index, format!("after {previous}")));
}

fn check_spike(bars: BarsView<'_>, index: usize, findings: &mut Findings) {
    let (previous, close) = (bars.close[index - 1], bars.close[index]);
    let prices = previous > 0.0 && previous.is_finite() && close.is_finite();
    if prices && (close / previous - 1.0).abs() > SPIKE {
        findings.add(Rule::Spikes, 1, || {
            at(bars, index, format!("close {previous} -> {close}"))
        });
    }
}

fn check_values(bars: BarsView<'_>, index: usize, findings: &mut Findings) {
    let [open, high, low, close, volume] = values(bars, index);
    if let Some(rule) = broken_by([open, high, low, close, volume]) {
        findings.add(rule, 1, || {
            at(bars, index, prices([open, high, low, close, volume]))
        });
    } else if low < LOW_WICK * open.min(close) || high > HIGH_WICK * open.max(close) {
        let detail = || at(bars, index, prices([open, high, low, close, volume]));
        findings.add(Rule::SuspiciousWicks, 1, detail);
    }
}

/// The first rule that the values of one bar break taken alone.
pub(crate) fn broken_by([open, high, low, close, volume]: [f64; 5]) -> Option<Rule> {
    if [open, high, low, close, volume]
        .iter()
        .any(|value| !value.is_finite())
    {
        return Some(Rule::Nan);
    }
    if open.min(high).min(low).min(close) <= 0.0 {
        return Some(Rule::NonPositive);
    }
    if volume < 0.0 {
        return Some(Rule::NegativeVolume);
    }
    let encloses = high >= open.max(close) && low <= open.min(close);
    (!encloses).then_some(Rule::OhlcConsistency)
}

fn check_gaps(bars: BarsView<'_>, calendar: &Calendar, timeframe: Timeframe, findings: &mut Findings) {
    let (Some(first), Some(last)) = (bars.open_time.first(), bars.close_time.last()) else {
        return;
    };
    let mut index = 0;
    let mut gap: Option<(BarSlot, BarSlot, u64)> = None;
    for slot in calendar.slots(timeframe, *first, *last) {
        while index < bars.len() && bars.open_time[index] < slot.open_time {
            index += 1;
        }
        if bars.open_time.get(index) == Some(&slot.open_time) {
            report_gap(gap.take(), findings);
        } else {
            gap = Some(gap.map_or((slot, slot, 1), |(begin, _, count)| (begin, slot, count + 1)));
        }
    }
    report_gap(gap, findings);
}

fn check_holes(bars: BarsView<'_>, calendar: &Calendar, timeframe: Timeframe, findings: &mut Findings) {
    let is_hole = |before: UtcNanos, time: UtcNanos| {
        let nanos = time.nanos().saturating_sub(before.nanos());
        if timeframe != Timeframe::D1 {
            return nanos > INTRADAY_HOLE_DAYS * Timeframe::D1.nanos();
        }
        // Dates are asked for only where they can make a difference.
        nanos > (HOLE_DAYS - 1) * Timeframe::D1.nanos()
            && (calendar.date_of(time) - calendar.date_of(before)).num_days() > HOLE_DAYS
    };
    for (index, pair) in bars.open_time.windows(2).enumerate() {
        if is_hole(pair[0], pair[1]) {
            findings.add(Rule::Holes, 1, || {
                at(bars, index + 1, format!("after {}", pair[0]))
            });
        }
    }
}

fn report_gap(gap: Option<(BarSlot, BarSlot, u64)>, findings: &mut Findings) {
    let Some((first, last, count)) = gap else { return };
    findings.add(Rule::Gaps, count, || Example {
        row: None,
        time: Some(first.open_time),
        detail: format!(
            "{count} missing, the last from {} to {}",
            last.open_time, last.close_time
        ),
    });
}

fn values(bars: BarsView<'_>, index: usize) -> [f64; 5] {
    [
        bars.open[index],
        bars.high[index],
        bars.low[index],
        bars.close[index],
        bars.volume[index],
    ]
}

fn prices([open, high, low, close, volume]: [f64; 5]) -> String {
    format!("open {open}, high {high}, low {low}, close {close}, volume {volume}")
}

/// The bar at an index as an example.
pub(super) fn at(bars: BarsView<'_>, index: usize, detail: String) -> Example {
    let time: UtcNanos = bars.open_time[index];
    Example {
        row: None,
        time: Some(time),
        detail,
    }
}
