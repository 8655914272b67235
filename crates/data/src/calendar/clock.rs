//! New York wall-clock time and UTC.

use chrono::{NaiveDate, NaiveTime, TimeZone};
use chrono_tz::America::New_York;
use sextant_domain::UtcNanos;

/// The instant at which New York's clocks show a time; the earlier one where they show it twice. `None` where they skip
/// it, or outside the range of instants.
pub(crate) fn new_york(date: NaiveDate, time: NaiveTime) -> Option<UtcNanos> {
    let local = New_York.from_local_datetime(&date.and_time(time)).earliest()?;
    UtcNanos::from_datetime(local.to_utc())
}

/// The date in New York at an instant.
pub(super) fn new_york_date(time: UtcNanos) -> NaiveDate {
    time.datetime().with_timezone(&New_York).date_naive()
}
