//! Dates and times of day in text, as the readers of bars and of Qlib folders share them.

use chrono::{NaiveDate, NaiveTime};

/// A date such as `2020-12-31`, ten bytes long.
pub(crate) fn date(text: &[u8]) -> Option<NaiveDate> {
    let [y, e, a, r, b'-', m, o, b'-', d, n] = *text else {
        return None;
    };
    let year = i32::try_from(digits(&[y, e, a, r])?).ok()?;
    NaiveDate::from_ymd_opt(year, digits(&[m, o])?, digits(&[d, n])?)
}

/// A time of day such as `16:00:00`, eight bytes long.
pub(crate) fn time_of_day(text: &[u8]) -> Option<NaiveTime> {
    let [h, o, b':', m, i, b':', s, e] = *text else {
        return None;
    };
    NaiveTime::from_hms_opt(digits(&[h, o])?, digits(&[m, i])?, digits(&[s, e])?)
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |value: u32, byte| {
        byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_dates_and_times_are_read() {
        for (text, expected) in [
            ("2020-12-31", Some((2020, 12, 31))),
            ("0001-01-01", Some((1, 1, 1))),
            ("2020-02-30", None),
            ("2020-00-10", None),
            ("+020-01-02", None),
            ("2020/01-02", None),
            ("2020-01/02", None),
            ("2020-1-02", None),
            ("2020-01-021", None),
            ("", None),
        ] {
            let expected = expected.and_then(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day));
            assert_eq!(date(text.as_bytes()), expected, "{text}");
        }
        for (text, expected) in [
            ("16:00:59", Some((16, 0, 59))),
            ("24:00:00", None),
            ("09:60:00", None),
            ("09:30:60", None),
            ("09-30:00", None),
            ("09:30-00", None),
            ("9:30:00", None),
        ] {
            let expected =
                expected.and_then(|(hour, minute, second)| NaiveTime::from_hms_opt(hour, minute, second));
            assert_eq!(time_of_day(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(date(b"\xff\xff\xff\xff-\xff\xff-\xff\xff"), None);
    }
}
