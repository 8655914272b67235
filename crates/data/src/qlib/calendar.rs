//! The lines of a calendar.

use chrono::{NaiveDateTime, NaiveTime};

use super::text::{BadLine, lines, time};
use super::{MAX_CALENDAR_STEPS, QlibFrequency, TextDefect};
use crate::text::shown;

/// Reads a calendar. The times are wall-clock times without a zone, strictly increasing; those of a daily calendar are
/// midnights. Empty lines are skipped, as Qlib does.
///
/// # Errors
/// The number of the first bad line, counted from 1, and what is wrong with it.
pub fn parse_calendar(
    bytes: &[u8],
    frequency: QlibFrequency,
) -> Result<Vec<NaiveDateTime>, (u64, TextDefect)> {
    let mut times: Vec<NaiveDateTime> = Vec::new();
    for line in lines(bytes) {
        let (number, line) = line?;
        let next = time(line).map_err(|defect| (number, defect))?;
        check_next(&times, next, (number, line), frequency)?;
        times.push(next);
    }
    if times.is_empty() {
        return Err((1, TextDefect::NoTimes));
    }
    Ok(times)
}

fn check_next(
    times: &[NaiveDateTime],
    next: NaiveDateTime,
    (number, line): (u64, &[u8]),
    frequency: QlibFrequency,
) -> Result<(), BadLine> {
    if frequency == QlibFrequency::Day && next.time() != NaiveTime::MIN {
        return Err((number, TextDefect::NotADate { found: shown(line) }));
    }
    if times.len() == MAX_CALENDAR_STEPS {
        return Err((number, TextDefect::TooManyTimes));
    }
    match times.last() {
        Some(before) if next == *before => Err((number, TextDefect::Repeated { found: next })),
        Some(before) if next < *before => Err((
            number,
            TextDefect::Unsorted {
                found: next,
                before: *before,
            },
        )),
        _ => Ok(()),
    }
}
