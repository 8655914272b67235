//! Lines of text, and the times in them.

use chrono::{NaiveDateTime, NaiveTime};

use super::TextDefect;
use crate::stamp::{date, time_of_day};
use crate::text::shown;

/// No line of a calendar or a list of instruments comes near this.
const LONGEST_LINE_BYTES: usize = 512;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line that is not as it should be: its number, counted from 1, and why.
pub(super) type BadLine = (u64, TextDefect);

/// The lines with something in them, trimmed, with their numbers. A byte order mark is skipped; lines end with LF or CRLF.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Result<(u64, &[u8]), BadLine>> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    (1..)
        .zip(bytes.split(|byte| *byte == b'\n'))
        .map(|(number, line)| (number, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| {
            if line.len() <= LONGEST_LINE_BYTES {
                return Ok((number, line));
            }
            let defect = TextDefect::TooLong {
                bytes: line.len(),
                allowed: LONGEST_LINE_BYTES,
            };
            Err((number, defect))
        })
}

/// A date, which stands for its midnight, or a date and a time of day.
pub(super) fn time(text: &[u8]) -> Result<NaiveDateTime, TextDefect> {
    let parsed = match text {
        [_, _, _, _, _, _, _, _, _, _] => date(text).map(|date| date.and_time(NaiveTime::MIN)),
        [_, _, _, _, _, _, _, _, _, _, b' ' | b'T', time @ ..] => {
            date(&text[..10]).and_then(|date| Some(date.and_time(time_of_day(time)?)))
        }
        _ => None,
    };
    parsed.ok_or_else(|| TextDefect::NotATime { found: shown(text) })
}

/// The shortest text that [`time`] reads as this time.
pub(super) fn written(time: NaiveDateTime) -> String {
    if time.time() == NaiveTime::MIN {
        return time.format("%Y-%m-%d").to_string();
    }
    written_in_full(time)
}

/// The text of a time with its time of day.
pub(super) fn written_in_full(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Whether [`time`] can read what [`written`] makes of a time: whole seconds, and a year of four digits.
pub(super) fn is_writable(found: NaiveDateTime) -> bool {
    time(written(found).as_bytes()) == Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_are_dates_or_whole_seconds() {
        for (text, expected) in [
            ("2020-01-02", Some("2020-01-02")),
            ("2020-01-02 00:00:00", Some("2020-01-02")),
            ("2020-01-02 09:30:00", Some("2020-01-02 09:30:00")),
            ("2020-01-02T09:30:01", Some("2020-01-02 09:30:01")),
            ("2020-02-30", None),
            ("2020-01-02 24:00:00", None),
            ("2020-01-02 09:60:00", None),
            ("2020-01-02 09:30", None),
            ("2020/01/02", None),
            ("2020-01/02", None),
            ("2020/01-02", None),
            ("2020-01-02 09-30:00", None),
            ("2020-01-02 09:30-00", None),
            ("2020-01-02_09:30:00", None),
            ("20200102", None),
            ("2020-01-02Z", None),
            ("+020-01-02", None),
            ("", None),
        ] {
            let found = time(text.as_bytes()).ok().map(written);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert!(time(b"\xff\xff\xff\xff-\xff\xff-\xff\xff").is_err());
        assert!(!is_writable(NaiveDateTime::MAX) && !is_writable(NaiveDateTime::MIN));
    }

    #[test]
    fn lines_are_numbered_as_in_an_editor() {
        let found: Vec<_> = lines(b"\xef\xbb\xbfa\r\n\n  b  \nc")
            .map(Result::unwrap)
            .collect();
        assert_eq!(found, [(1, b"a".as_slice()), (3, b"b"), (4, b"c")]);
        let long = [b"x\n".as_slice(), &[b'y'; 513]].concat();
        assert!(matches!(
            lines(&long).nth(1),
            Some(Err((2, TextDefect::TooLong { bytes: 513, .. })))
        ));
    }
}
