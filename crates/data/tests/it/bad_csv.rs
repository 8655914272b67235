//! Files that are not what they should be; each has its error, with the row.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use sextant_data::{BadRows, DataError, ImportRequest, Rule, Silent, import_csv, validate_csv_rows};
use sextant_domain::{AssetClass, Timeframe};

use crate::support::{TestLake, key};

const HEADER: &str = "timestamp,open,high,low,close,volume";
const GOOD: &str = "2020-01-01,2,3,1,2,10";

fn request(lake: &TestLake, name: &str, bytes: &[u8]) -> ImportRequest {
    let path = lake.folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    ImportRequest::new(path, &key(AssetClass::Crypto, "X", Timeframe::D1))
}

fn after_good(row: &str) -> Vec<u8> {
    format!("{HEADER}\n{GOOD}\n{row}\n2020-01-05,2,3,1,2,10\n").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn each_bad_row_has_its_rule_and_row_number() {
    let long = format!("2020-01-02,2,3,1,2,{}", "9".repeat(400));
    let rows: &[(&str, &str, &str)] = &[
        (
            "too few fields",
            "2020-01-02,2,3,1,2",
            "row 3, row: found `2020-01-02,2,3,1,2`; allowed: 6 fields",
        ),
        (
            "decimal comma",
            "2020-01-02,2,5,3,0,1,0,2,0,10",
            "row 3, row: found",
        ),
        (
            "semicolons",
            "2020-01-02;2;3;1;2;10",
            "row 3, row: found `2020-01-02;2;3;1;2;10`",
        ),
        (
            "word for a number",
            "2020-01-02,two,3,1,2,10",
            "row 3, open: found `two`",
        ),
        ("empty cell", "2020-01-02,2,3,,2,10", "row 3, low: found ``"),
        (
            "thousands separator",
            "2020-01-02,2,3,1,2,1_000",
            "row 3, volume: found `1_000`",
        ),
        (
            "NUL byte",
            "2020-01-02,2,3,1,2\0,10",
            "row 3, close: found `2\\0`",
        ),
        (
            "no date",
            "yesterday,2,3,1,2,10",
            "row 3, timestamp: found `yesterday`",
        ),
        (
            "no such day",
            "2020-02-30,2,3,1,2,10",
            "row 3, timestamp: found `2020-02-30`",
        ),
        (
            "after the end of time",
            "2300-01-01,2,3,1,2,10",
            "row 3, timestamp: found `2300-01-01`",
        ),
        (
            "American date",
            "01/02/2020,2,3,1,2,10",
            "row 3, timestamp: found `01/02/2020`",
        ),
        (
            "quoted decimal comma",
            "2020-01-02,\"2,5\",3,1,2,10",
            "row 3, row: found",
        ),
    ];
    let semantic: &[(&str, &str, Rule, &str)] = &[
        (
            "NaN",
            "2020-01-02,2,NaN,1,2,10",
            Rule::Nan,
            "row 3, high: found `NaN`",
        ),
        (
            "infinity",
            "2020-01-02,2,3,1,inf,10",
            Rule::Nan,
            "row 3, close: found `inf`",
        ),
        (
            "number beyond range",
            &long,
            Rule::Nan,
            "row 3, volume: found `999",
        ),
        (
            "zero price",
            "2020-01-02,2,3,0,2,10",
            Rule::NonPositive,
            "row 3, low: found `0`",
        ),
        (
            "negative price",
            "2020-01-02,-2,3,1,2,10",
            Rule::NonPositive,
            "row 3, open: found `-2`",
        ),
        (
            "negative volume",
            "2020-01-02,2,3,1,2,-10",
            Rule::NegativeVolume,
            "row 3, volume: found `-10`",
        ),
        (
            "high below low",
            "2020-01-02,2,1,3,2,10",
            Rule::OhlcConsistency,
            "row 3, high: found `1`",
        ),
        (
            "high below close",
            "2020-01-02,2,2.5,1,2.6,10",
            Rule::OhlcConsistency,
            "at least open and close, 2.6",
        ),
        (
            "low above open",
            "2020-01-02,2,3,2.1,2.5,10",
            Rule::OhlcConsistency,
            "at most open and close, 2",
        ),
        (
            "conflicting duplicate",
            "2020-01-01,2,3,1,2.5,10",
            Rule::Duplicates,
            "row 3, timestamp: found `2020-01-01`",
        ),
        (
            "back in time",
            "2019-12-31,2,3,1,2,10",
            Rule::Monotonic,
            "row 3, timestamp: found `2019-12-31`",
        ),
        (
            "off the grid",
            "2020-01-02T01:00:00Z,2,3,1,2,10",
            Rule::StampGrid,
            "row 3, timestamp: found `2020-01-02T01",
        ),
    ];
    let lake = TestLake::new();
    let syntax = rows
        .iter()
        .map(|(name, row, expected)| (*name, *row, Rule::Syntax, *expected));
    for (name, row, rule, expected) in syntax.chain(semantic.iter().copied()) {
        let request = request(&lake, "in.csv", &after_good(row));
        let error = lake.import(&request).unwrap_err();
        let message = error.to_string();
        let DataError::Rows(refused) = error else {
            panic!("{name}: {message}")
        };
        assert_eq!(
            (refused.total, refused.by_rule),
            (1, vec![(rule, 1)]),
            "{name}: {message}"
        );
        assert!(
            message.contains("in.csv") && message.contains(expected),
            "{name}: {message}"
        );

        let report = lake
            .import(&ImportRequest {
                bad_rows: BadRows::Quarantine,
                ..request.clone()
            })
            .unwrap();
        assert_eq!((report.bars, report.quarantined), (2, vec![(rule, 1)]), "{name}");
        let set_aside = std::fs::read(report.quarantine.unwrap()).unwrap();
        assert_eq!(
            set_aside,
            format!("row,rule,{HEADER}\n3,{rule},{row}\n").into_bytes(),
            "{name}"
        );

        let found = validate_csv_rows(&request, &Silent).unwrap();
        assert!(found.has_errors() && found.count(rule) == 1, "{name}: {found:?}");
        assert_eq!(found.findings[0].examples[0].row, Some(3), "{name}");
    }
}

#[test]
fn what_is_no_table_of_rows_is_refused_as_a_whole() {
    let lake = TestLake::new();
    let clean = after_good("2020-01-02,2,3,1,2,10");
    let zipped = gzip(&clean.repeat(200));
    let huge = [HEADER.as_bytes(), b"\n", &vec![b'7'; 10_000_000], b"\n"].concat();
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("empty file", Vec::new(), "the file is empty"),
        (
            "byte order mark alone",
            b"\xef\xbb\xbf".to_vec(),
            "row 1: the header is ``",
        ),
        ("header alone", format!("{HEADER}\n").into_bytes(), "of 0 rows"),
        (
            "blank rows",
            format!("{HEADER}\n\n\r\n  \n").into_bytes(),
            "of 0 rows",
        ),
        (
            "no header",
            format!("{GOOD}\n").into_bytes(),
            "row 1: the header is `2020-01-01,2,3,1,2,10`",
        ),
        (
            "wrong order",
            b"timestamp,open,low,high,close,volume\n".to_vec(),
            "timestamp,open,high,low,close,volume",
        ),
        (
            "column missing",
            b"timestamp,open,high,low,close\n".to_vec(),
            "row 1: the header",
        ),
        (
            "semicolon header",
            HEADER.replace(',', ";").into_bytes(),
            "comma-separated",
        ),
        (
            "another file",
            b"PAR1\0\0\0\0PAR1".to_vec(),
            "row 1: the header is `PAR1\\0",
        ),
        ("UTF-16", b"\xff\xfet\0i\0m\0e\0".to_vec(), "row 1: the header"),
        (
            "ten megabytes in a row",
            huge,
            "row 2: it is longer than 65536 bytes",
        ),
        (
            "gzip cut short",
            zipped[..zipped.len() / 2].to_vec(),
            "it is cut short or damaged",
        ),
        ("gzip of nothing", gzip(b""), "the file is empty"),
        (
            "damaged gzip",
            [b"\x1f\x8b\x08\0".as_slice(), &[7; 40]].concat(),
            "row 1: the file cannot be read on",
        ),
    ];
    for (name, bytes, expected) in cases {
        let request = request(&lake, "in.csv", bytes);
        let message = lake.import(&request).unwrap_err().to_string();
        assert!(
            message.contains("in.csv") && message.contains(expected),
            "{name}: {message}"
        );
        assert!(message.len() < 2_000, "{name}: {}", message.len());
    }
    assert!(lake.lake.list().unwrap().is_empty());
}

#[test]
fn harmless_differences_are_accepted() {
    let lake = TestLake::new();
    let plain = after_good("2020-01-02,2,3,1,2,10");
    let text = String::from_utf8(plain.clone()).unwrap();
    let reference = lake.import(&request(&lake, "in.csv", &plain)).unwrap().digest;
    let variants: &[(&str, Vec<u8>)] = &[
        ("byte order mark", [b"\xef\xbb\xbf".as_slice(), &plain].concat()),
        ("CRLF", text.replace('\n', "\r\n").into_bytes()),
        ("gzip", gzip(&plain)),
        (
            "two gzip members",
            [gzip(&plain[..40]), gzip(&plain[40..])].concat(),
        ),
        ("no line end at the end", text.trim_end().as_bytes().to_vec()),
        ("blank rows", text.replace('\n', "\n\n").into_bytes()),
        (
            "quoted fields",
            text.replace("2020-01-02,2,3", "\"2020-01-02\",\"2\", 3 ")
                .into_bytes(),
        ),
        (
            "other forms of time",
            text.replace("2020-01-02", "2020-01-02T00:00:00Z").into_bytes(),
        ),
        (
            "identical duplicate",
            text.replace(GOOD, &format!("{GOOD}\n{GOOD}")).into_bytes(),
        ),
    ];
    for (name, bytes) in variants {
        let report = lake.import(&request(&lake, "in.csv", bytes)).unwrap();
        assert_eq!(report.digest, reference, "{name}");
        let repeated = u64::from(*name == "identical duplicate");
        assert_eq!(
            (report.identical_duplicates, report.rows_read),
            (repeated, 3 + repeated),
            "{name}"
        );
    }
}

#[test]
fn extra_columns_are_named_and_not_read() {
    let lake = TestLake::new();
    let text = format!("{HEADER},bid,ask\n{GOOD},x,y\n");
    let report = lake.import(&request(&lake, "in.csv", text.as_bytes())).unwrap();
    assert_eq!(report.ignored_columns, ["bid", "ask"]);
}

#[test]
fn a_refusal_lists_the_first_rows_and_counts_all() {
    let lake = TestLake::new();
    let rows: String = (0..500)
        .map(|n| format!("2020-01-02,2,{},1,2,10\n", if n % 2 == 0 { "x" } else { "nan" }))
        .collect();
    let message = lake
        .import(&request(&lake, "in.csv", format!("{HEADER}\n{rows}").as_bytes()))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("500 rows break rules (syntax 250, nan 250)"),
        "{message}"
    );
    assert!(
        message.contains("row 2, high") && message.contains("row 11, high"),
        "{message}"
    );
    assert!(
        message.contains("and 490 more") && message.contains("quarantine.csv: --quarantine"),
        "{message}"
    );
    assert_eq!(message.matches("found `").count(), 10);
}

#[test]
fn a_clean_import_removes_an_old_quarantine() {
    let lake = TestLake::new();
    let quarantine = |request| ImportRequest {
        bad_rows: BadRows::Quarantine,
        ..request
    };
    let bad = quarantine(request(&lake, "in.csv", &after_good("2020-01-02,0,3,1,2,10")));
    let path = lake.import(&bad).unwrap().quarantine.unwrap();
    assert!(path.ends_with("crypto/X_1D.quarantine.csv") && path.is_file());
    lake.import(&quarantine(request(
        &lake,
        "in.csv",
        &after_good("2020-01-02,2,3,1,2,10"),
    )))
    .unwrap();
    assert!(!path.exists());
    let only_bad = format!("{HEADER}\n2020-01-02,0,3,1,2,10\n");
    let message = lake
        .import(&quarantine(request(&lake, "in.csv", only_bad.as_bytes())))
        .unwrap_err()
        .to_string();
    assert!(message.contains("of 1 rows, 1 break rules"), "{message}");
}

#[test]
fn a_failed_import_leaves_the_bars_there_were() {
    let lake = TestLake::new();
    let digest = lake
        .import(&request(&lake, "in.csv", &after_good("2020-01-02,2,3,1,2,10")))
        .unwrap()
        .digest;
    assert!(
        lake.import(&request(&lake, "in.csv", &after_good("2020-01-02,0,3,1,2,10")))
            .is_err()
    );
    let stored = lake.load(&key(AssetClass::Crypto, "X", Timeframe::D1));
    assert_eq!(stored.meta.digest, digest);
}

#[test]
fn a_lake_that_cannot_be_written_is_named() {
    let lake = TestLake::new();
    let request = request(&lake, "in.csv", &after_good("2020-01-02,2,3,1,2,10"));
    std::fs::write(
        lake.folder.path().join("data"),
        b"a file in the place of the folder",
    )
    .unwrap();
    let message = import_csv(&lake.lake, &request, &Silent).unwrap_err().to_string();
    assert!(message.contains("data"), "{message}");
}
