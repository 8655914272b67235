//! UTC time in nanoseconds, and bar timeframes.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// An instant in UTC, in nanoseconds since 1970-01-01T00:00:00Z. The range is 1677-09-21 to 2262-04-11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcNanos(i64);

/// A text that is neither a date nor an instant of the supported range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "time `{text}` is not understood: write a date as 2020-12-31 or an instant as 2020-12-31T16:00:00Z, between 1677-09-22 and 2262-04-11"
)]
pub struct ParseTimeError {
    /// The text that was found.
    pub text: String,
}

impl UtcNanos {
    /// The earliest representable instant.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest representable instant.
    pub const MAX: Self = Self(i64::MAX);

    /// An instant from nanoseconds since the epoch.
    #[inline]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// An instant from whole seconds since the epoch; `None` outside the supported range.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(NANOS_PER_SECOND).map(Self)
    }

    /// Midnight UTC of a calendar date; `None` outside the supported range.
    pub fn from_date(date: NaiveDate) -> Option<Self> {
        Self::from_datetime(date.and_time(NaiveTime::MIN).and_utc())
    }

    /// An instant from chrono's type; `None` outside the supported range.
    pub fn from_datetime(datetime: DateTime<Utc>) -> Option<Self> {
        datetime.timestamp_nanos_opt().map(Self)
    }

    /// The same instant as chrono's type.
    pub fn datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }

    /// The UTC calendar date of the instant.
    pub fn date(self) -> NaiveDate {
        self.datetime().date_naive()
    }

    /// Days since the epoch, rounded towards the past.
    #[inline]
    pub const fn day_number(self) -> i64 {
        self.0.div_euclid(86_400 * NANOS_PER_SECOND)
    }

    /// The instant `nanos` later (earlier when negative), saturating at the ends of the range.
    #[inline]
    pub const fn saturating_add(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
}

impl fmt::Display for UtcNanos {
    /// ISO 8601 with `Z`; fractions of a second only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.datetime().format("%Y-%m-%dT%H:%M:%S%.fZ"))
    }
}

impl FromStr for UtcNanos {
    type Err = ParseTimeError;

    /// Reads `2020-12-31` (midnight UTC), `2020-12-31T16:00:00Z`, `2020-12-31 16:00:00`, or RFC 3339 with an offset.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = DateTime::parse_from_rfc3339(text)
            .map(|datetime| datetime.with_timezone(&Utc))
            .or_else(|_| {
                NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map(|naive| naive.and_utc())
            })
            .or_else(|_| {
                NaiveDate::parse_from_str(text, "%Y-%m-%d")
                    .map(|date| date.and_time(NaiveTime::MIN).and_utc())
            });
        parsed
            .ok()
            .and_then(Self::from_datetime)
            .ok_or_else(|| ParseTimeError {
                text: text.to_owned(),
            })
    }
}

/// The nominal length of a bar. A session bar can be shorter (an early close); its own times are what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timeframe {
    /// One minute.
    #[serde(rename = "1M")]
    M1,
    /// Five minutes.
    #[serde(rename = "5M")]
    M5,
    /// Fifteen minutes.
    #[serde(rename = "15M")]
    M15,
    /// Thirty minutes.
    #[serde(rename = "30M")]
    M30,
    /// One hour.
    #[serde(rename = "1H")]
    H1,
    /// Four hours: the platform's primary decision frequency.
    #[serde(rename = "4H")]
    H4,
    /// One session (exchange-traded) or one UTC day (round the clock).
    #[serde(rename = "1D")]
    D1,
}

impl Timeframe {
    /// Every timeframe, finest first.
    pub const ALL: [Self; 7] = [
        Self::M1,
        Self::M5,
        Self::M15,
        Self::M30,
        Self::H1,
        Self::H4,
        Self::D1,
    ];

    /// The code used in files, configs and tables: `1M`, `5M`, `15M`, `30M`, `1H`, `4H`, `1D`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::M1 => "1M",
            Self::M5 => "5M",
            Self::M15 => "15M",
            Self::M30 => "30M",
            Self::H1 => "1H",
            Self::H4 => "4H",
            Self::D1 => "1D",
        }
    }

    /// Nominal length in nanoseconds.
    pub const fn nanos(self) -> i64 {
        let minutes = match self {
            Self::M1 => 1,
            Self::M5 => 5,
            Self::M15 => 15,
            Self::M30 => 30,
            Self::H1 => 60,
            Self::H4 => 240,
            Self::D1 => 1_440,
        };
        minutes * 60 * NANOS_PER_SECOND
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Timeframe {
    type Err = String;

    /// Reads a code, in either case (`4h` and `4H` are the same). A month has no code here, so `1m` is a minute.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let upper = text.to_ascii_uppercase();
        Self::ALL
            .into_iter()
            .find(|timeframe| timeframe.code() == upper)
            .ok_or_else(|| {
                let allowed = Self::ALL.map(Self::code).join(", ");
                format!("unknown timeframe `{text}`: allowed are {allowed}")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, written) in [
            ("2020-12-31", "2020-12-31T00:00:00Z"),
            ("2020-12-31T16:00:00Z", "2020-12-31T16:00:00Z"),
            ("2020-12-31 16:00:00", "2020-12-31T16:00:00Z"),
            ("2020-12-31T16:00:00-05:00", "2020-12-31T21:00:00Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
        ] {
            assert_eq!(text.parse::<UtcNanos>().unwrap().to_string(), written);
        }
        for text in ["", "31.12.2020", "2020-13-01", "9999-01-01"] {
            let message = text.parse::<UtcNanos>().unwrap_err().to_string();
            assert!(message.contains("2262"), "{message}");
        }
    }

    #[test]
    fn day_number_rounds_to_the_past() {
        assert_eq!(UtcNanos::from_nanos(-1).day_number(), -1);
        assert_eq!(UtcNanos::from_nanos(0).day_number(), 0);
        assert_eq!("1970-01-02".parse::<UtcNanos>().unwrap().day_number(), 1);
    }

    #[test]
    fn timeframe_codes_round_trip() {
        for timeframe in Timeframe::ALL {
            assert_eq!(timeframe.code().parse::<Timeframe>(), Ok(timeframe));
        }
        assert!("7H".parse::<Timeframe>().unwrap_err().contains("4H"));
    }
}
