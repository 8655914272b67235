//! Rows and files of bars.

use sextant_domain::{AssetClass, Timeframe};

use super::{CRYPTO, Case, D1, EQUITY, HEADER, Input, gzip};

const FX: AssetClass = AssetClass::Fx;

pub(super) const ROWS: &[Case] = &[
    row(
        "thousands separators in quotes",
        b"2020-01-02,\"1,002\",\"1,003\",\"1,001\",\"1,002\",10",
        "syntax",
        &["row 3, row: found", "allowed: 6 fields"],
    ),
    row(
        "thousands separators by blanks",
        b"2020-01-02,1 002,1 003,1 001,1 002,10",
        "syntax",
        &["row 3, open: found `1 002`", "a number with a decimal point"],
    ),
    row(
        "an unclosed quotation mark",
        b"2020-01-02,\"2,3,1,2,10",
        "syntax",
        &["row 3, open: found `\\\"2`"],
    ),
    row(
        "a quotation mark within a number",
        b"2020-01-02,2,3,1,2\",10",
        "syntax",
        &["row 3, close: found `2\\\"`"],
    ),
    row(
        "a date as a spreadsheet counts it",
        b"43832,2,3,1,2,10",
        "syntax",
        &["row 3, timestamp: found `43832`", "2020-12-31"],
    ),
    row(
        "a date as a spreadsheet writes it",
        b"02-Jan-20,2,3,1,2,10",
        "syntax",
        &["row 3, timestamp: found `02-Jan-20`"],
    ),
    row(
        "a second header",
        b"timestamp,open,high,low,close,volume",
        "syntax",
        &["row 3, timestamp: found `timestamp`"],
    ),
    row(
        "bytes that are no UTF-8",
        b"2020-01-02,2,3,1,2\xff\xfe,10",
        "syntax",
        &["row 3, close: found `2\u{fffd}\u{fffd}`"],
    ),
    row(
        "digits of another script",
        "2020-01-02,\u{ff12},3,1,2,10".as_bytes(),
        "syntax",
        &["row 3, open: found `\u{ff12}`"],
    ),
    row(
        "tabs for commas",
        b"2020-01-02\t2\t3\t1\t2\t10",
        "syntax",
        &["row 3, row: found", "allowed: 6 fields"],
    ),
    row(
        "more fields than the header",
        b"2020-01-02,2,3,1,2,10,7",
        "syntax",
        &["row 3, row: found `2020-01-02,2,3,1,2,10,7`"],
    ),
    row(
        "a currency sign",
        b"2020-01-02,$2,3,1,2,10",
        "syntax",
        &["row 3, open: found `$2`"],
    ),
    row(
        "a hexadecimal number",
        b"2020-01-02,0x2,3,1,2,10",
        "syntax",
        &["row 3, open: found `0x2`"],
    ),
    row(
        "a year before the first instant",
        b"1600-01-01,2,3,1,2,10",
        "syntax",
        &["row 3, timestamp: found `1600-01-01`"],
    ),
    row(
        "a year after the last instant",
        b"2262-04-12,2,3,1,2,10",
        "syntax",
        &["row 3, timestamp: found `2262-04-12`"],
    ),
    row(
        "a year of five digits",
        b"12020-01-02,2,3,1,2,10",
        "syntax",
        &["row 3, timestamp: found `12020-01-02`"],
    ),
    row(
        "a leap day of a common year",
        b"2021-02-29,2,3,1,2,10",
        "syntax",
        &["row 3, timestamp: found `2021-02-29`"],
    ),
    row(
        "a local time that the clock leaves out",
        b"2020-03-08T02:30:00[America/New_York],2,3,1,2,10",
        "syntax",
        &[
            "row 3, timestamp: found `2020-03-08T02:30:00[America/New_York]`",
            "a UTC time",
        ],
    ),
    row(
        "a number beyond every float",
        b"2020-01-02,2,1e400,1,2,10",
        "nan",
        &["row 3, high: found `1e400`", "a finite number"],
    ),
    row(
        "a negative infinity",
        b"2020-01-02,2,3,-inf,2,10",
        "nan",
        &["row 3, low: found `-inf`"],
    ),
    row(
        "a volume that is no number",
        b"2020-01-02,2,3,1,2,nan",
        "nan",
        &["row 3, volume: found `nan`"],
    ),
    row(
        "a price of minus zero",
        b"2020-01-02,2,3,-0,2,10",
        "non_positive",
        &["row 3, low: found `-0`", "a number above zero"],
    ),
    row(
        "a price too small for a float",
        b"2020-01-02,2,3,1e-400,2,10",
        "non_positive",
        &["row 3, low: found `1e-400`"],
    ),
    row(
        "a high below the low",
        b"2020-01-02,2,1,3,2,10",
        "ohlc_consistency",
        &["row 3, high: found `1`", "at least open and close, 2"],
    ),
    row(
        "a conflicting duplicate",
        b"2020-01-01,2,3,1,2,11",
        "duplicates",
        &["row 3, timestamp: found `2020-01-01`", "one row for each time"],
    ),
    row(
        "a row of an earlier time",
        b"2019-12-31,2,3,1,2,10",
        "monotonic",
        &["row 3, timestamp: found `2019-12-31`", "2020-01-01T00:00:00Z"],
    ),
    at(
        Timeframe::M5,
        "a minute between five",
        b"2020-01-02T00:03:00Z,2,3,1,2,10",
        "stamp_grid",
        &[
            "row 3, timestamp: found `2020-01-02T00:03:00Z`",
            "5M bar of the grid",
        ],
    ),
    at(
        Timeframe::M1,
        "half a second",
        b"2020-01-02T00:03:00.500Z,2,3,1,2,10",
        "stamp_grid",
        &["row 3, timestamp", "1M bar"],
    ),
    of(
        EQUITY,
        "shares on a Saturday",
        b"2020-01-04,2,3,1,2,10",
        "not_a_session",
        &[
            "row 3, timestamp: found `2020-01-04`",
            "a trading day of the calendar",
        ],
    ),
    of(
        EQUITY,
        "shares on a holiday",
        b"2020-01-20,2,3,1,2,10",
        "not_a_session",
        &["row 3, timestamp: found `2020-01-20`"],
    ),
    of(
        FX,
        "currencies on a Saturday",
        b"2020-01-04,2,3,1,2,10",
        "not_a_session",
        &["row 3, timestamp: found `2020-01-04`"],
    ),
    of(
        EQUITY,
        "a session of 2200",
        b"2200-01-02,2,3,1,2,10",
        "calendar_range",
        &["row 3, timestamp: found `2200-01-02`", "1970-01-01 to"],
    ),
    of(
        EQUITY,
        "an instant for the date of a session",
        b"2020-01-03T14:30:00Z,2,3,1,2,10",
        "stamp_grid",
        &[
            "row 3, timestamp: found `2020-01-03T14:30:00Z`",
            "the date of a session",
        ],
    ),
];

pub(super) const FILES: &[Case] = &[
    file(
        "gzip of something else",
        || gzip(&[b"garbage ".as_slice(); 100].concat()),
        "header",
        &["in.csv: row 1: the header is `garbage", HEADER],
    ),
    file(
        "gzip of one endless row",
        || gzip(&[HEADER.as_bytes(), b"\n", &vec![b'7'; 50_000_000]].concat()),
        "line",
        &["in.csv: row 2: it is longer than 65536 bytes"],
    ),
    file(
        "gzip of fifty million blank rows",
        || gzip(&[HEADER.as_bytes(), &vec![b'\n'; 50_000_000]].concat()),
        "nothing",
        &["in.csv: there is nothing to import: of 0 rows"],
    ),
    file(
        "gzip cut within its header",
        || gzip(HEADER.as_bytes())[..6].to_vec(),
        "line",
        &["in.csv: row 1: the file cannot be read on"],
    ),
    file(
        "gzip without its checksum",
        || {
            let all = gzip(format!("{HEADER}\n2020-01-01,2,3,1,2,10\n").as_bytes());
            all[..all.len() - 8].to_vec()
        },
        "line",
        &[
            "in.csv: row 3: the file cannot be read on",
            "cut short or damaged",
        ],
    ),
    file(
        "a zip archive",
        || b"PK\x03\x04\x14\0\0\0".to_vec(),
        "header",
        &["in.csv: row 1: the header is `PK\\u{3}\\u{4}"],
    ),
    file(
        "a web page",
        || b"<!DOCTYPE html>\n<html><body>Too many requests</body></html>\n".to_vec(),
        "header",
        &["row 1: the header is `<!DOCTYPE html>`", HEADER],
    ),
    file(
        "a JSON answer",
        || b"{\"error\": \"rate limit\"}".to_vec(),
        "header",
        &["row 1: the header is `{\\\"error\\\": \\\"rate limit\\\"}`"],
    ),
    file(
        "a header in capitals",
        || b"Timestamp,Open,High,Low,Close,Volume\n2020-01-01,2,3,1,2,10\n".to_vec(),
        "header",
        &["row 1: the header is `Timestamp,Open,High,Low,Close,Volume`"],
    ),
    file(
        "a header without an end of line",
        || HEADER.as_bytes().to_vec(),
        "nothing",
        &["of 0 rows"],
    ),
    file(
        "two byte order marks",
        || [b"\xef\xbb\xbf\xef\xbb\xbf".as_slice(), HEADER.as_bytes()].concat(),
        "header",
        &["row 1: the header is"],
    ),
    of_file(
        EQUITY,
        "years before the calendar",
        || format!("{HEADER}\n1900-01-02,2,3,1,2,10\n1969-12-31,2,3,1,2,10\n").into_bytes(),
        "calendar_range",
        &[
            "row 2, timestamp: found `1900-01-02`",
            "row 3, timestamp: found `1969-12-31`",
            "1970-01-01 to",
        ],
    ),
];

const fn row(
    name: &'static str,
    row: &'static [u8],
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        input: Input::Row(CRYPTO, D1, row),
        kind,
        says,
    }
}

const fn of(
    class: AssetClass,
    name: &'static str,
    row: &'static [u8],
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        input: Input::Row(class, D1, row),
        kind,
        says,
    }
}

const fn at(
    timeframe: Timeframe,
    name: &'static str,
    row: &'static [u8],
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        input: Input::Row(CRYPTO, timeframe, row),
        kind,
        says,
    }
}

const fn file(
    name: &'static str,
    bytes: fn() -> Vec<u8>,
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    of_file(CRYPTO, name, bytes, kind, says)
}

const fn of_file(
    class: AssetClass,
    name: &'static str,
    bytes: fn() -> Vec<u8>,
    kind: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        input: Input::File(class, bytes),
        kind,
        says,
    }
}
