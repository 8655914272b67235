//! Calendar months of UTC, by which fine bars are partitioned.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use sextant_domain::UtcNanos;

/// A month of UTC, written `2020-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month of an instant.
    pub(super) fn of(time: UtcNanos) -> Self {
        let date = time.date();
        Self {
            year: date.year(),
            month: date.month(),
        }
    }

    /// The two folders of the month, such as `2020` and `01`.
    pub(super) fn folders(self) -> [String; 2] {
        [format!("{:04}", self.year), format!("{:02}", self.month)]
    }

    /// The first instant of the next month; the last one there is where that lies beyond.
    fn end(self) -> UtcNanos {
        let (year, month) = if self.month == 12 {
            (self.year + 1, 1)
        } else {
            (self.year, self.month + 1)
        };
        let midnight = NaiveDate::from_ymd_opt(year, month, 1).and_then(|date| date.and_hms_opt(0, 0, 0));
        let nanos = midnight.and_then(|midnight| midnight.and_utc().timestamp_nanos_opt());
        nanos.map_or(UtcNanos::MAX, UtcNanos::from_nanos)
    }
}

/// The months of increasing times, each with the places of its times.
pub(super) fn months(times: &[UtcNanos]) -> Vec<(Month, Range<usize>)> {
    let mut months = Vec::new();
    let mut begin = 0;
    while begin < times.len() {
        let month = Month::of(times[begin]);
        let end = month.end();
        // At least one: the last representable instant is not before itself.
        let count = times[begin..].partition_point(|time| *time < end).max(1);
        months.push((month, begin..begin + count));
        begin += count;
    }
    months
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('-');
        let parsed = parts.and_then(|(year, month)| {
            let (year, month) = (year.parse().ok()?, month.parse().ok()?);
            NaiveDate::from_ymd_opt(year, month, 1).map(|_| Self { year, month })
        });
        parsed
            .filter(|month| month.to_string() == text)
            .ok_or_else(|| format!("`{text}` is no month; it must be written like 2020-01"))
    }
}

impl TryFrom<String> for Month {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn times(texts: &[&str]) -> Vec<UtcNanos> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn times_are_cut_at_midnight_of_utc() {
        let times = times(&[
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00Z",
            "2019-12-31T23:59:00Z",
            "2020-01-01T00:00:00Z",
            "2020-01-31T23:59:00Z",
            "2020-02-29T12:00:00Z",
        ]);
        let found: Vec<_> = months(&times)
            .into_iter()
            .map(|(month, range)| (month.to_string(), range))
            .collect();
        let expected = [
            ("1969-12", 0..1),
            ("1970-01", 1..2),
            ("2019-12", 2..3),
            ("2020-01", 3..5),
            ("2020-02", 5..6),
        ];
        assert_eq!(found, expected.map(|(month, range)| (month.to_owned(), range)));
        assert!(months(&[]).is_empty());
    }

    #[test]
    fn the_ends_of_time_have_months() {
        let found = months(&[UtcNanos::MIN, UtcNanos::MAX]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0.to_string(), "1677-09");
        assert_eq!(
            (found[1].0.to_string(), found[1].1.clone()),
            ("2262-04".to_owned(), 1..2)
        );
    }

    #[test]
    fn months_are_read_as_they_are_written_and_no_other_way() {
        let month: Month = "2020-01".parse().unwrap();
        assert_eq!(
            (month.to_string(), month.folders()),
            ("2020-01".to_owned(), ["2020".to_owned(), "01".to_owned()])
        );
        for bad in [
            "2020-13",
            "2020-1",
            "20-01",
            "../..",
            "2020-01-01",
            "+2020-01",
            "",
        ] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
    }
}
