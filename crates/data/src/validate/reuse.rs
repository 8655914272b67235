//! Whether the bars of a ticker belong to one security.

use sextant_domain::{BarsView, Timeframe, UtcNanos};

use super::bars::{SPIKE, at};
use super::{Example, Findings, Rule, ValidationContext};
use crate::actions::{ActionKind, Attribution, EventList, TickerMapper};
use crate::calendar::Calendar;

/// A ticker that is away for longer than this was given up by whoever had it.
const ABSENCE_DAYS: i64 = 365;
/// Longer than any halt that a share usually comes back from.
const HOLE_DAYS: i64 = 30;
/// Ten, less what a price moves in a day: two securities under one ticker are often a power of ten apart, and no usual
/// split is that large.
const JUMP: f64 = 9.0;

/// The bars in order, by the history of the ticker or, where there is none, by how they look.
pub(super) fn check(
    bars: BarsView<'_>,
    ticker: &str,
    context: ValidationContext<'_>,
    calendar: &Calendar,
    findings: &mut Findings,
) {
    if !bars.open_time.is_sorted() {
        return;
    }
    match context.tickers.filter(|tickers| tickers.knows(ticker)) {
        Some(tickers) => check_history(bars, (ticker, tickers), calendar, findings),
        None => check_looks(bars, context.events, calendar, findings),
    }
}

fn check_history(
    bars: BarsView<'_>,
    (ticker, tickers): (&str, &TickerMapper),
    calendar: &Calendar,
    findings: &mut Findings,
) {
    let parts = match tickers.attribute_times(ticker, bars.open_time, calendar) {
        Ok(parts) => parts,
        Err(error) => {
            return findings.add(Rule::ReusedTicker, 1, || Example {
                row: None,
                time: None,
                detail: error.to_string(),
            });
        }
    };
    for pair in parts
        .windows(2)
        .filter(|pair| pair[0].security != pair[1].security)
    {
        findings.add(Rule::ReusedTicker, 1, || {
            let detail = format!("from {} to {}", named(&pair[0]), named(&pair[1]));
            at(bars, pair[1].begin, detail)
        });
    }
}

fn named(part: &Attribution) -> String {
    let security = part.security.as_ref();
    let name = security.map_or("no known security".to_owned(), ToString::to_string);
    format!("{name} ({} to {})", part.first_date, part.last_date)
}

fn check_looks(bars: BarsView<'_>, events: Option<&EventList>, calendar: &Calendar, findings: &mut Findings) {
    for index in 1..bars.len() {
        let times = [bars.open_time[index - 1], bars.open_time[index]];
        let closes = [bars.close[index - 1], bars.close[index]];
        let days = times[1].nanos().saturating_sub(times[0].nanos()) / Timeframe::D1.nanos();
        // Nearly no bar is a reason to look for splits.
        if !looks_strange(days, closes[1] / closes[0]) {
            continue;
        }
        let new_per_old = split_between(events, calendar, times);
        if looks_strange(days, closes[1] * new_per_old / closes[0]) {
            let [before, close] = closes;
            findings.add(Rule::SuspectedReuse, 1, || {
                let detail = format!("{days} days after {}, close {before} -> {close}", times[0]);
                at(bars, index, detail)
            });
        }
    }
}

/// Whether a bar so many days after another, with a close that is a multiple of the other's, may be another security's.
/// A multiple that is no number above zero says nothing.
fn looks_strange(days: i64, multiple: f64) -> bool {
    let is_multiple = multiple.is_finite() && multiple > 0.0;
    let moved = is_multiple && (multiple - 1.0).abs() > SPIKE;
    let jumped = is_multiple && !(1.0 / JUMP..JUMP).contains(&multiple);
    days > ABSENCE_DAYS || (days > HOLE_DAYS && moved) || jumped
}

/// New shares for one old one by the splits after one bar and not after another.
fn split_between(events: Option<&EventList>, calendar: &Calendar, times: [UtcNanos; 2]) -> f64 {
    let [before, date] = times.map(|time| calendar.date_of(time));
    let actions = events.into_iter().flat_map(EventList::actions);
    let between = actions.filter(|action| before < action.ex_date && action.ex_date <= date);
    let ratios = between.map(|action| match action.kind {
        ActionKind::Split { new_per_old } => new_per_old,
        ActionKind::CashDividend { .. } => 1.0,
    });
    ratios.product()
}
