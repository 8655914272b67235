//! The rules.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How serious it is to break a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The data cannot be right; an import refuses the row.
    Error,
    /// The data may be right and should be looked at.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

macro_rules! rules {
    ($($variant:ident, $name:literal, $severity:ident, $meaning:literal;)*) => {
        /// A rule for rows or bars.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $(#[doc = $meaning] $variant,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// How serious it is to break it.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),* }
            }

            /// What it says.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }
        }
    };
}

rules! {
    Syntax, "syntax", Error, "Each row has a time and five numbers, written with a decimal point, in UTF-8.";
    Monotonic, "monotonic", Error, "Times increase from row to row.";
    Duplicates, "duplicates", Error, "No two rows have the same time and different values.";
    IdenticalDuplicates, "identical_duplicates", Warning, "No row stands in the file twice; an import keeps one.";
    Overlap, "overlap", Error, "No bar begins before the one before it has ended.";
    Nan, "nan", Error, "Prices and volumes are finite numbers.";
    NonPositive, "non_positive", Error, "Prices are above zero.";
    NegativeVolume, "negative_volume", Error, "Volumes are not negative.";
    OhlcConsistency, "ohlc_consistency", Error, "High and low enclose open and close.";
    StampGrid, "stamp_grid", Error, "Times lie on the grid of the timeframe.";
    NotASession, "not_a_session", Error, "The date is a trading day of the calendar.";
    CalendarRange, "calendar_range", Error, "The date is within the years the calendar knows.";
    OutsideSession, "outside_session", Warning, "Rows lie within the session; an import leaves others out.";
    LateRows, "late_rows", Warning, "No trades come after an early close; an import adds them to the last bar.";
    Gaps, "gaps", Warning, "Every bar of the calendar is there.";
    Spikes, "spikes", Warning, "A close differs from the one before by 40 % at the most.";
    SuspiciousWicks, "suspicious_wicks", Warning,
        "A low is at least 0.7 times the lower, a high at most 1.4 times the higher of open and close.";
    ZeroVolume, "zero_volume", Warning, "Volumes are above zero (not asked of currency pairs).";
    Holes, "holes", Warning,
        "From one bar to the next are at most five days, and four where bars are shorter than a day.";
    ReusedTicker, "reused_ticker", Error, "All bars of a ticker belong to one security.";
    SuspectedReuse, "suspected_reuse", Warning,
        "Where a ticker's history is not known, no hole and jump looks like another security.";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_unique_and_those_of_configs() {
        for (index, rule) in Rule::ALL.iter().enumerate() {
            assert!(
                Rule::ALL[..index]
                    .iter()
                    .all(|earlier| earlier.name() != rule.name() && earlier < rule)
            );
            assert_eq!(serde_json::to_string(rule).unwrap(), format!("\"{rule}\""));
        }
    }
}
