//! Fields of a row, and the times and numbers in them.

use chrono::Timelike;
use sextant_domain::UtcNanos;

use crate::stamp::{date, time_of_day};

/// The fields of a row, trimmed and without quotation marks around them.
pub(super) fn split(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',').map(clean)
}

/// The first `N` fields of a row, and how many there are in all. Missing ones are empty.
pub(super) fn split_first<const N: usize>(line: &[u8]) -> ([&[u8]; N], usize) {
    let mut fields = [&[] as &[u8]; N];
    let mut count = 0;
    for field in split(line) {
        if let Some(place) = fields.get_mut(count) {
            *place = field;
        }
        count += 1;
    }
    (fields, count)
}

fn clean(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    field
        .strip_prefix(b"\"")
        .and_then(|inner| inner.strip_suffix(b"\""))
        .unwrap_or(field)
}

/// A number with a decimal point. Words such as `NaN` are numbers too; the rules on values refuse them by name.
pub(super) fn number(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// A date, or an instant in UTC or with an offset.
pub(super) fn time(field: &[u8]) -> Option<UtcNanos> {
    quick_time(field).or_else(|| std::str::from_utf8(field).ok()?.parse().ok())
}

/// `2020-12-31` and `2020-12-31T16:00:00Z`, the forms nearly every row has.
fn quick_time(field: &[u8]) -> Option<UtcNanos> {
    let seconds = match field {
        [_, _, _, _, _, _, _, _, _, _] => 0,
        [_, _, _, _, _, _, _, _, _, _, b'T', time @ .., b'Z'] => {
            time_of_day(time)?.num_seconds_from_midnight()
        }
        _ => return None,
    };
    let midnight = UtcNanos::from_date(date(&field[..10])?)?;
    midnight
        .nanos()
        .checked_add(i64::from(seconds) * 1_000_000_000)
        .map(UtcNanos::from_nanos)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        for (text, expected) in [
            ("2020-12-31", Some("2020-12-31T00:00:00Z")),
            ("2020-12-31T16:00:00Z", Some("2020-12-31T16:00:00Z")),
            ("2020-12-31 16:00:00", Some("2020-12-31T16:00:00Z")),
            ("2020-12-31T16:00:00-05:00", Some("2020-12-31T21:00:00Z")),
            ("2020-12-31T16:00:00.250Z", Some("2020-12-31T16:00:00.250Z")),
            ("1969-12-31T23:59:59Z", Some("1969-12-31T23:59:59Z")),
            ("2020-02-30", None),
            ("2020-12-31T24:00:00Z", None),
            ("2020-12-31T16:60:00Z", None),
            ("20201231", None),
            ("31.12.2020", None),
            ("2020/12/31", None),
            ("2300-01-01", None),
            ("9999-12-31T00:00:00Z", None),
            ("", None),
        ] {
            let found = time(text.as_bytes()).map(|found| found.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert_eq!(time(b"\xff\xff\xff\xff-\xff\xff-\xff\xff"), None);
    }

    #[test]
    fn numbers_are_read_as_the_standard_library_does() {
        for (text, expected) in [
            ("97.31", Some(97.31)),
            ("1e-3", Some(0.001)),
            (".5", Some(0.5)),
            ("-1", Some(-1.0)),
            ("0", Some(0.0)),
        ] {
            assert_eq!(number(text.as_bytes()), expected, "{text}");
        }
        for text in ["", "1,5", "1_000", "0x10", "1.5.2", "abc", "1 000", "1\0"] {
            assert_eq!(number(text.as_bytes()), None, "{text:?}");
        }
        assert!(number(b"NaN").unwrap().is_nan());
    }

    #[test]
    fn rows_are_split() {
        let (fields, count) = split_first::<3>(b"a, \"b\" ,c,d");
        assert_eq!((fields, count), ([b"a".as_slice(), b"b", b"c"], 4));
        assert_eq!(split_first::<2>(b""), ([b"".as_slice(), b""], 1));
    }
}
