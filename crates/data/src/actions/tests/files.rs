//! Files that are read, and what becomes of their rows.
#![allow(clippy::unwrap_used)]

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{date, equity, span};
use crate::actions::{
    ActionKind, CorporateAction, EventList, FactorFile, SecurityHistory, SecurityId, TickerSpan,
    known_renames, read_listings,
};

#[test]
fn files_are_read_with_marks_line_ends_and_blank_lines() {
    let text = "\u{feff}ex_date,kind,value\r\n\r\n2020-01-02, dividend ,0.5\r\n  \n2020-01-02,split,4";
    let expected = [
        CorporateAction {
            ex_date: date("2020-01-02"),
            kind: ActionKind::CashDividend {
                amount: 0.5,
                reference_close: None,
            },
        },
        CorporateAction {
            ex_date: date("2020-01-02"),
            kind: ActionKind::Split { new_per_old: 4.0 },
        },
    ];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let gzip = encoder.finish().unwrap();
    for source in [text.as_bytes(), &gzip] {
        let list = EventList::read("in.csv", source).unwrap();
        assert_eq!(list.actions().collect::<Vec<_>>(), expected);
    }
    let cut = EventList::read("in.csv", &gzip[..gzip.len() - 9])
        .unwrap_err()
        .to_string();
    assert!(
        cut.contains("in.csv: row") && cut.contains("cut short or damaged"),
        "{cut}"
    );
}

#[test]
fn a_source_that_fails_is_named() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("no such disk"))
        }
    }
    let message = FactorFile::read("spy.csv", Broken).unwrap_err().to_string();
    assert_eq!(message, "cannot read spy.csv: no such disk");
}

#[test]
fn events_in_memory_are_checked_too() {
    let event = |ex_date: &str, kind| CorporateAction {
        ex_date: date(ex_date),
        kind,
    };
    let split = |new_per_old| ActionKind::Split { new_per_old };
    let dividend = |amount, reference_close| ActionKind::CashDividend {
        amount,
        reference_close,
    };
    for (second, expected) in [
        (
            event("2019-12-31", split(2.0)),
            "my events: row 2, ex_date: found `2019-12-31`",
        ),
        (
            event("2020-01-03", split(f64::NAN)),
            "my events: row 2, value: found `NaN`",
        ),
        (
            event("2020-01-03", dividend(-1.0, None)),
            "my events: row 2, value: found `-1`",
        ),
        (
            event("2020-01-03", dividend(1.0, Some(0.0))),
            "my events: row 2, reference_close: found `0`",
        ),
        (event("2020-01-03", dividend(2.0, Some(1.5))), "less than 1.5"),
    ] {
        let actions = [event("2020-01-02", split(2.0)), second];
        let message = EventList::new("my events", actions).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn factors_become_events_at_the_session_after_their_row() {
    // A Friday before a holiday on Monday, with a dividend and a split; and a row in which nothing changes.
    let text = "20200102,0.5,0.25,1\n20200117,0.5,0.25,8\n20200303,0.8,0.5,10\n20501231,1,1,0";
    let factors = FactorFile::read("x.csv", text.as_bytes()).unwrap();
    let found = factors.events(&equity()).unwrap();
    let dates: Vec<_> = found.iter().map(|event| event.ex_date.to_string()).collect();
    assert_eq!(dates, ["2020-01-21", "2020-01-21", "2020-03-04", "2020-03-04"]);
    let kinds: Vec<_> = found.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds[0],
        ActionKind::CashDividend {
            amount: 8.0 * (1.0 - 0.5 / 0.8),
            reference_close: Some(8.0)
        }
    );
    assert_eq!(
        (kinds[1], kinds[3]),
        (
            ActionKind::Split { new_per_old: 2.0 },
            ActionKind::Split { new_per_old: 2.0 }
        )
    );
    assert_eq!(factors.on(date("2020-01-18")).unwrap().price_factor, 0.8);
    assert_eq!(factors.on(date("2051-01-01")), None);
    let far = FactorFile::read("x.csv", "20450101,0.5,1,8\n20501231,1,1,0".as_bytes()).unwrap();
    let message = far.events(&equity()).unwrap_err().to_string();
    assert!(
        message.contains("x.csv: row 1, date: found `2045-01-01`; allowed: a date of the calendar of 1970"),
        "{message}"
    );
}

#[test]
fn map_rows_become_spans() {
    for (text, expected) in [
        ("20200102,x,N\n20501231,x,Q\n", vec![span("X", "2020-01-02", "*")]),
        (
            "20200102,x\n20200102,x\n",
            vec![span("X", "2020-01-02", "2020-01-02")],
        ),
        (
            "20200102,x\n20200105,x\n20200110,y\n20501231,x\n",
            vec![
                span("X", "2020-01-02", "2020-01-05"),
                span("Y", "2020-01-06", "2020-01-10"),
                span("X", "2020-01-11", "*"),
            ],
        ),
        (
            "20200102,x\n20200105,y\n",
            vec![
                span("X", "2020-01-02", "2020-01-02"),
                span("Y", "2020-01-03", "2020-01-05"),
            ],
        ),
    ] {
        let id = SecurityId::new("x").unwrap();
        let read = SecurityHistory::read_lean_map(id, "x.csv", text.as_bytes()).unwrap();
        let exchange = |found: &TickerSpan| found.exchange.clone();
        assert_eq!(read.spans().len(), expected.len(), "{text}");
        for (found, expected) in read.spans().iter().zip(expected) {
            let expected = TickerSpan {
                exchange: exchange(found),
                ..expected
            };
            assert_eq!(found, &expected, "{text}");
        }
    }
    let id = SecurityId::new("x").unwrap();
    let read =
        SecurityHistory::read_lean_map(id, "x.csv", "20200102,x,N\n20501231,x,Q\n".as_bytes()).unwrap();
    assert_eq!(read.spans()[0].exchange.as_deref(), Some("Q"));
}

#[test]
fn listings_are_read_in_any_order_of_securities() {
    let text = "security,ticker,first_date,last_date,delisted\nWM,wmi,,2009-08-04,false\nWM.1,WM,1998-12-09,2008-09-26,true\n\
                WM,WM,2009-08-05,,false\n";
    let histories = read_listings("in.csv", text.as_bytes()).unwrap();
    let words: Vec<_> = histories
        .iter()
        .map(|history| format!("{}: {}", history.id(), history.describe()))
        .collect();
    assert_eq!(
        words,
        [
            "WM: WMI to 2009-08-04, WM from 2009-08-05 on",
            "WM.1: WM from 1998-12-09 to 2008-09-26"
        ]
    );
}

#[test]
fn the_list_of_renames_in_the_repository_is_read() {
    let renames = known_renames();
    assert!(renames.is_sorted_by_key(|rename| rename.date));
    let found = |old: &str, new: &str| {
        let rename = renames
            .iter()
            .find(|rename| (rename.old.as_str(), rename.new.as_str()) == (old, new));
        rename.map(|rename| (rename.date.to_string(), rename.new_per_old))
    };
    for (old, new, on, ratio) in [
        ("GOOG", "GOOGL", "2014-04-03", 1.0),
        ("WMI", "WM", "2009-08-05", 1.0),
        ("QQQ", "QQQQ", "2004-12-01", 1.0),
        ("QQQQ", "QQQ", "2011-03-23", 1.0),
        ("LEND", "AAVE", "2020-10-03", 0.01),
        ("MATIC", "POL", "2024-09-04", 1.0),
    ] {
        assert_eq!(found(old, new), Some((on.to_owned(), ratio)), "{old}");
    }
}
