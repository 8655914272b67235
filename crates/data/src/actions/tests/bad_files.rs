//! Files that are refused with file, row, column, value and what is allowed.
#![allow(clippy::unwrap_used)]

use crate::actions::{
    ActionError, EventList, FactorFile, SecurityHistory, SecurityId, read_listings, read_renames,
};

type Reader = fn(&[u8]) -> Option<ActionError>;

const EVENTS: Reader = |text| EventList::read("in.csv", text).err();
const FACTORS: Reader = |text| FactorFile::read("in.csv", text).err();
const MAP: Reader = |text| {
    let id = SecurityId::new("x").unwrap();
    SecurityHistory::read_lean_map(id, "in.csv", text).err()
};
const LISTINGS: Reader = |text| read_listings("in.csv", text).err();
const RENAMES: Reader = |text| read_renames("in.csv", text).err();

#[test]
fn each_bad_file_names_the_place_the_value_and_what_is_allowed() {
    let events = "ex_date,kind,value,reference_close\n";
    let long = format!("{events}{}\n", "9".repeat(70_000));
    let listings = "security,ticker,first_date,last_date,delisted\n";
    let renames = "date,asset_class,old,new,new_per_old\n";
    let cases: &[(Reader, &str, String, &str)] = &[
        (
            EVENTS,
            "empty",
            String::new(),
            "it is empty; it must have the header ex_date,kind",
        ),
        (
            EVENTS,
            "no header",
            "2020-01-02,split,4\n".into(),
            "row 1, header: found `2020-01-02,split,4`; allowed: ex_date",
        ),
        (
            EVENTS,
            "short header",
            "ex_date,kind\n".into(),
            "row 1, header: found `ex_date,kind`",
        ),
        (
            EVENTS,
            "few fields",
            format!("{events}2020-01-02,split\n"),
            "row 2, row: found `2020-01-02,split`; allowed: 3 to 4 fields",
        ),
        (
            EVENTS,
            "many fields",
            format!("{events}2020-01-02,split,4,,\n"),
            "row 2, row: found",
        ),
        (
            EVENTS,
            "date",
            format!("{events}2020-1-2,split,4\n"),
            "row 2, ex_date: found `2020-1-2`; allowed: a date such as",
        ),
        (
            EVENTS,
            "no such day",
            format!("{events}2020-02-30,split,4\n"),
            "row 2, ex_date: found `2020-02-30`",
        ),
        (
            EVENTS,
            "kind",
            format!("{events}2020-01-02,Split,4\n"),
            "row 2, kind: found `Split`; allowed: split or dividend",
        ),
        (
            EVENTS,
            "zero ratio",
            format!("{events}2020-01-02,split,0\n"),
            "row 2, value: found `0`; allowed: a finite number above zero",
        ),
        (
            EVENTS,
            "negative ratio",
            format!("{events}2020-01-02,split,-4\n"),
            "row 2, value: found `-4`",
        ),
        (
            EVENTS,
            "NaN",
            format!("{events}2020-01-02,split,nan\n"),
            "row 2, value: found `nan`",
        ),
        (
            EVENTS,
            "infinity",
            format!("{events}2020-01-02,dividend,inf\n"),
            "row 2, value: found `inf`",
        ),
        (
            EVENTS,
            "decimal comma",
            format!("{events}2020-01-02,dividend,0,50\n"),
            "row 2, value: found `0`",
        ),
        (
            EVENTS,
            "NUL",
            format!("{events}2020-01-02,split,4\0\n"),
            "row 2, value: found `4\\0`",
        ),
        (
            EVENTS,
            "split with close",
            format!("{events}2020-01-02,split,4,9\n"),
            "row 2, reference_close: found `9`; allowed: nothing for a split",
        ),
        (
            EVENTS,
            "above the close",
            format!("{events}\n2020-01-02,dividend,9,9\n"),
            "row 3, value: found `9`; allowed: less than 9, the close before the ex-date 2020-01-02",
        ),
        (
            EVENTS,
            "out of order",
            format!("{events}2020-01-03,split,4\n2020-01-02,split,4\n"),
            "row 3, ex_date: found `2020-01-02`; allowed: 2020-01-03, the ex-date of the event before, or later",
        ),
        (
            EVENTS,
            "two splits",
            format!("{events}2020-01-03,split,4\n2020-01-03,split,4\n"),
            "row 3, ex_date: found `2020-01-03`; allowed: no event after the split",
        ),
        (
            EVENTS,
            "dividend after split",
            format!("{events}2020-01-03,split,4\n2020-01-03,dividend,1\n"),
            "dividends come first",
        ),
        (EVENTS, "long row", long, "row 2: it is longer than 65536 bytes"),
        (
            FACTORS,
            "empty",
            String::new(),
            "it is empty; it must have rows date,price_factor",
        ),
        (
            FACTORS,
            "header",
            "date,price_factor,split_factor,reference_close\n".into(),
            "row 1, date: found `date`; allowed: a date such as 20201231",
        ),
        (
            FACTORS,
            "three fields",
            "20200102,1,1\n".into(),
            "row 1, row: found `20200102,1,1`; allowed: 4 fields",
        ),
        (
            FACTORS,
            "zero factor",
            "20200101,1,1,1\n20200102,0,1,1\n".into(),
            "row 2, price_factor: found `0`",
        ),
        (
            FACTORS,
            "negative split",
            "20200101,1,-2,1\n".into(),
            "row 1, split_factor: found `-2`",
        ),
        (
            FACTORS,
            "negative close",
            "20200101,1,1,-2\n".into(),
            "row 1, reference_close: found `-2`; allowed: a finite number, zero or above",
        ),
        (
            FACTORS,
            "same date",
            "20200102,1,1,1\n20200102,1,1,1\n".into(),
            "row 2, date: found `20200102`; allowed: a date after 2020-01-02",
        ),
        (
            FACTORS,
            "falling factor",
            "20200101,1,1,1\n20200102,0.9,1,1\n20501231,1,1,0\n".into(),
            "row 2, price_factor: found `0.9`; allowed: at least 1, that of the row before",
        ),
        (
            FACTORS,
            "cut short",
            "20200101,0.9,1,9\n20200102,0.95,1,9\n".into(),
            "row 2, price_factor: found `0.95`; allowed: 1 in the last row",
        ),
        (
            FACTORS,
            "cut short before a split",
            "20200101,1,0.25,9\n".into(),
            "row 1, split_factor: found `0.25`; allowed: 1 in the last row",
        ),
        (
            FACTORS,
            "no close",
            "20200101,0.9,1,0\n20501231,1,1,0\n".into(),
            "row 1, reference_close: found `0`; allowed: a close above zero",
        ),
        (
            MAP,
            "empty",
            String::new(),
            "at least two rows last_date,ticker,exchange, of which it has 0",
        ),
        (MAP, "one row", "20200101,x\n".into(), "of which it has 1"),
        (
            MAP,
            "path",
            "20200101,../x\n".into(),
            "row 1, ticker: found `../x`; allowed: 1 to 32 letters",
        ),
        (MAP, "no ticker", "20200101,\n".into(), "row 1, ticker: found ``"),
        (
            MAP,
            "back in time",
            "20200102,x\n20200101,x\n".into(),
            "row 2, last_date: found `20200101`; allowed: a date after 2020-01-02",
        ),
        (
            MAP,
            "same day, other ticker",
            "20200102,x\n20200102,y\n".into(),
            "row 2, last_date: found `20200102`",
        ),
        (
            MAP,
            "same day again",
            "20200102,x\n20200103,x\n20200103,x\n".into(),
            "row 3, last_date: found `20200103`",
        ),
        (
            LISTINGS,
            "flag",
            format!("{listings}A,A,2020-01-01,,no\n"),
            "row 2, delisted: found `no`; allowed: false or true",
        ),
        (
            LISTINGS,
            "delisted when",
            format!("{listings}A,A,2020-01-01,,true\n"),
            "row 2, last_date: found ``; allowed: the last date of a delisted",
        ),
        (
            LISTINGS,
            "ends, not delisted",
            format!("{listings}A,A,2020-01-01,2020-01-02,false\n"),
            "in.csv: A: it ends on 2020-01-02 and is not delisted",
        ),
        (
            LISTINGS,
            "after the end",
            format!("{listings}A,A,2020-01-01,2020-01-02,true\nA,B,2020-01-03,,false\n"),
            "row 3, security: found `A`; allowed: no row after",
        ),
        (
            LISTINGS,
            "overlap",
            format!("{listings}A,A,2020-01-01,2020-01-02,false\nA,B,2020-01-02,,false\n"),
            "A from 2020-01-01 to 2020-01-02, then B from 2020-01-02 on: the first must end before",
        ),
        (
            LISTINGS,
            "gone in between",
            format!("{listings}A,A,2020-01-01,,false\nA,B,2020-01-02,,false\n"),
            "the first must end before the second begins",
        ),
        (
            LISTINGS,
            "backwards",
            format!("{listings}A,A,2020-01-03,2020-01-02,true\n"),
            "it ends before it begins",
        ),
        (
            LISTINGS,
            "id",
            format!("{listings}A..B,A,2020-01-01,,false\n"),
            "row 2, security: found `A..B`; allowed: 1 to 64 letters",
        ),
        (
            RENAMES,
            "class",
            format!("{renames}2020-01-01,bond,A,B,1\n"),
            "row 2, asset_class: found `bond`; allowed: equity or crypto or fx",
        ),
        (
            RENAMES,
            "same ticker",
            format!("{renames}2020-01-01,equity,A,a,1\n"),
            "row 2, new: found `a`; allowed: another ticker",
        ),
        (
            RENAMES,
            "back in time",
            format!("{renames}2020-01-02,equity,A,B,1\n2020-01-01,equity,C,D,1\n"),
            "row 3, date: found `2020-01-01`; allowed: 2020-01-02",
        ),
        (
            RENAMES,
            "ratio",
            format!("{renames}2020-01-02,equity,A,B,0\n"),
            "row 2, new_per_old: found `0`",
        ),
    ];
    for (reader, name, text, expected) in cases {
        let message = reader(text.as_bytes()).unwrap().to_string();
        assert!(
            message.contains("in.csv") || message.contains("tickers of A"),
            "{name}: {message}"
        );
        assert!(message.contains(expected), "{name}: {message}");
    }
    assert!(
        FACTORS(b"20200101,1,1,1\n\xff\xfe,1,1,1\n")
            .unwrap()
            .to_string()
            .contains("row 2, date")
    );
}
