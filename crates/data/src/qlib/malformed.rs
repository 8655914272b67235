//! Folders that are not as they must be: each gives its named error with the file and the place.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use super::support::{DAYS, bin, put, small};
use super::*;

const CLOSE: &str = "features/aapl/close.day.bin";
const ALL: &str = "instruments/all.txt";
const DAY: &str = "calendars/day.txt";

/// What a user would do with a folder: everything that reads.
fn read_all(root: &Path) -> Result<(), QlibError> {
    let qlib = QlibFolder::open(root)?;
    for frequency in qlib.frequencies() {
        for instrument in qlib.instruments(frequency)? {
            qlib.read_series(
                &instrument.symbol,
                frequency,
                &["open", "high", "low", "close", "volume"],
            )?;
        }
    }
    qlib.contents().map(drop)
}

/// A folder that is damaged in one place, and what the message must say.
struct Case {
    name: &'static str,
    damage: fn(&Path),
    says: &'static [&'static str],
}

fn remove(root: &Path, name: &str) {
    let path = root.join(name);
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

const BINS: &[Case] = &[
    Case {
        name: "an empty field",
        damage: |root| put(root, CLOSE, []),
        says: &["close.day.bin: byte 0", "empty"],
    },
    Case {
        name: "a field cut within a number",
        damage: |root| put(root, CLOSE, &bin(1.0, &[1.0; 4])[..18]),
        says: &["close.day.bin: byte 16", "18 bytes", "cut short"],
    },
    Case {
        name: "a start index alone",
        damage: |root| put(root, CLOSE, bin(1.0, &[])),
        says: &["close.day.bin: byte 4", "no value"],
    },
    Case {
        name: "a negative start index",
        damage: |root| put(root, CLOSE, bin(-1.0, &[1.0])),
        says: &["byte 0", "-1", "negative"],
    },
    Case {
        name: "minus zero as start index",
        damage: |root| put(root, CLOSE, bin(-0.0, &[1.0])),
        says: &["byte 0", "-0", "negative"],
    },
    Case {
        name: "a fractional start index",
        damage: |root| put(root, CLOSE, bin(1.5, &[1.0])),
        says: &["byte 0", "1.5", "whole number"],
    },
    Case {
        name: "NaN as start index",
        damage: |root| put(root, CLOSE, bin(f32::NAN, &[1.0])),
        says: &["byte 0", "NaN"],
    },
    Case {
        name: "an infinite start index",
        damage: |root| put(root, CLOSE, bin(f32::INFINITY, &[1.0])),
        says: &["byte 0", "inf"],
    },
    Case {
        name: "a start index after the calendar",
        damage: |root| put(root, CLOSE, bin(5.0, &[1.0])),
        says: &["byte 0", "start index is 5", "5 lines"],
    },
    Case {
        name: "a start index beyond every integer",
        damage: |root| put(root, CLOSE, bin(3e38, &[1.0])),
        says: &["byte 0", "5 lines"],
    },
    Case {
        name: "a big-endian start index",
        damage: |root| {
            put(
                root,
                CLOSE,
                [1.0_f32.to_be_bytes(), 1.0_f32.to_le_bytes()].concat(),
            )
        },
        says: &["byte 0", "whole number"],
    },
    Case {
        name: "a value after the calendar",
        damage: |root| put(root, CLOSE, bin(2.0, &[1.0; 4])),
        says: &["byte 16", "line 2", "4 values", "5 lines"],
    },
    Case {
        name: "more values than the calendar has lines",
        damage: |root| put(root, CLOSE, bin(0.0, &[1.0; 6])),
        says: &["byte 24", "6 values", "5 lines"],
    },
    Case {
        name: "a sparse file of a terabyte",
        damage: |root| {
            let file = fs::File::create(root.join(CLOSE)).unwrap();
            file.set_len(1 << 40).unwrap();
        },
        says: &["byte 24", "274877906943 values"],
    },
    Case {
        name: "a missing field",
        damage: |root| remove(root, CLOSE),
        says: &["close.day.bin is missing", "high.day.bin"],
    },
    Case {
        name: "a folder in the place of a field",
        damage: |root| {
            remove(root, CLOSE);
            fs::create_dir(root.join(CLOSE)).unwrap();
        },
        says: &["close.day.bin", "not a regular file"],
    },
];

const TEXTS: &[Case] = &[
    Case {
        name: "an empty calendar",
        damage: |root| put(root, DAY, "\n\n"),
        says: &["day.txt: line 1", "no time"],
    },
    Case {
        name: "a calendar that goes back",
        damage: |root| {
            put(
                root,
                DAY,
                "2020-01-02\n2020-01-06\n2020-01-03\n2020-01-07\n2020-01-08\n",
            )
        },
        says: &["day.txt: line 3", "2020-01-03 00:00:00 after 2020-01-06"],
    },
    Case {
        name: "a day twice",
        damage: |root| put(root, DAY, "2020-01-02\n\n2020-01-02 00:00:00\n"),
        says: &["day.txt: line 3", "once"],
    },
    Case {
        name: "a date that is none",
        damage: |root| put(root, DAY, "2020-01-02\n2020-02-30\n"),
        says: &["day.txt: line 2", "2020-02-30"],
    },
    Case {
        name: "another form of date",
        damage: |root| put(root, DAY, "01/02/2020\n"),
        says: &["day.txt: line 1", "01/02/2020", "2020-01-02"],
    },
    Case {
        name: "a time of day in a daily calendar",
        damage: |root| put(root, DAY, "2020-01-02 09:30:00\n"),
        says: &["day.txt: line 1", "09:30:00", "dates only"],
    },
    Case {
        name: "a calendar that is no text",
        damage: |root| put(root, DAY, [0xff, 0xfe, 0, 0xff]),
        says: &["day.txt: line 1", "\\0"],
    },
    Case {
        name: "one endless line",
        damage: |root| put(root, DAY, vec![b'2'; 10_000_000]),
        says: &["day.txt: line 1", "10000000 bytes"],
    },
    Case {
        name: "a sparse calendar of a terabyte",
        damage: |root| {
            let file = fs::File::create(root.join(DAY)).unwrap();
            file.set_len(1 << 40).unwrap();
        },
        says: &["day.txt", "1099511627776 bytes", "allowed"],
    },
    Case {
        name: "an instrument with two fields",
        damage: |root| put(root, ALL, "AAPL\t2020-01-03\n"),
        says: &["all.txt: line 1", "2 fields", "tabs"],
    },
    Case {
        name: "commas for tabs",
        damage: |root| put(root, ALL, "AAPL,2020-01-03,2020-01-08\n"),
        says: &["all.txt: line 1", "1 fields"],
    },
    Case {
        name: "a fourth field",
        damage: |root| put(root, ALL, "AAPL\t2020-01-03\t2020-01-08\t1.5\n"),
        says: &["all.txt: line 1", "4 fields"],
    },
    Case {
        name: "a symbol that leaves its folder",
        damage: |root| {
            put(
                root,
                ALL,
                "AAPL\t2020-01-03\t2020-01-08\n../aapl\t2020-01-03\t2020-01-08\n",
            )
        },
        says: &["all.txt: line 2", "../aapl", "allowed"],
    },
    Case {
        name: "an absolute path as symbol",
        damage: |root| put(root, ALL, "/etc/passwd\t2020-01-03\t2020-01-08\n"),
        says: &["all.txt: line 1", "/etc/passwd"],
    },
    Case {
        name: "no symbol",
        damage: |root| put(root, ALL, "x\n\t2020-01-03\t2020-01-08\n"),
        says: &["all.txt: line 1"],
    },
    Case {
        name: "a span that ends before it begins",
        damage: |root| put(root, ALL, "AAPL\t2020-01-08\t2020-01-03\n"),
        says: &["all.txt: line 1", "before it begins"],
    },
    Case {
        name: "a span without a date",
        damage: |root| put(root, ALL, "AAPL\tNaT\t2020-01-03\n"),
        says: &["all.txt: line 1", "NaT"],
    },
    Case {
        name: "overlapping spans",
        damage: |root| {
            put(
                root,
                ALL,
                "AAPL\t2020-01-03\t2020-01-07\nAAPL\t2020-01-06\t2020-01-08\n",
            )
        },
        says: &["all.txt: line 2", "AAPL", "2020-01-07"],
    },
    Case {
        name: "two spellings of a symbol",
        damage: |root| {
            put(
                root,
                ALL,
                "AAPL\t2020-01-03\t2020-01-07\naapl\t2020-01-08\t2020-01-08\n",
            )
        },
        says: &["all.txt: line 2", "aapl", "AAPL"],
    },
];

const FOLDERS: &[Case] = &[
    Case {
        name: "no calendars",
        damage: |root| remove(root, "calendars"),
        says: &["calendars is missing", "features, instruments"],
    },
    Case {
        name: "no features",
        damage: |root| remove(root, "features"),
        says: &["features is missing"],
    },
    Case {
        name: "no list of all instruments",
        damage: |root| remove(root, ALL),
        says: &["all.txt is missing", "sp500.txt"],
    },
    Case {
        name: "no calendar of a known frequency",
        damage: |root| {
            remove(root, DAY);
            put(root, "calendars/60min.txt", DAYS);
        },
        says: &["day, 5min, 1min", "60min.txt"],
    },
    Case {
        name: "a file in the place of the features",
        damage: |root| {
            remove(root, "features");
            put(root, "features", "");
        },
        says: &["features", "read the folder"],
    },
    Case {
        name: "a folder in the place of a calendar",
        damage: |root| {
            remove(root, DAY);
            fs::create_dir(root.join(DAY)).unwrap();
        },
        says: &["day.txt", "not a regular file"],
    },
    Case {
        name: "two folders for a symbol",
        damage: |root| put(root, "features/AAPL/close.day.bin", bin(0.0, &[1.0])),
        says: &["AAPL", "two folders", "aapl"],
    },
    Case {
        name: "a field that cannot be one",
        damage: |root| put(root, "features/aapl/a b.day.bin", bin(0.0, &[1.0])),
        says: &["field", "a b"],
    },
    Case {
        name: "nothing at all",
        damage: |root| {
            for name in ["calendars", "features", "instruments"] {
                remove(root, name);
            }
        },
        says: &["calendars is missing", "There is: nothing"],
    },
];

#[test]
fn each_defect_is_named_with_its_place() {
    for case in BINS.iter().chain(TEXTS).chain(FOLDERS) {
        let folder = tempfile::tempdir().unwrap();
        small(folder.path());
        read_all(folder.path()).unwrap();
        (case.damage)(folder.path());
        let message = match read_all(folder.path()) {
            Ok(()) => panic!("{}: nothing was found", case.name),
            Err(error) => error.to_string(),
        };
        for words in case.says {
            assert!(
                message.contains(words),
                "{}: `{words}` is not in: {message}",
                case.name
            );
        }
    }
}

#[test]
fn what_was_asked_for_is_named() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let qlib = QlibFolder::open(folder.path()).unwrap();
    let day = QlibFrequency::Day;
    for (refused, says) in [
        (qlib.read_series("NONE", day, &["close"]), "none is missing"),
        (qlib.read_series("../aapl", day, &["close"]), "symbol `../aapl`"),
        (qlib.read_series("aapl/../../x", day, &["close"]), "symbol"),
        (qlib.read_series("..", day, &["close"]), "symbol `..`"),
        (
            qlib.read_series("AAPL", day, &["../^gspc/close"]),
            "field `../^gspc/close`",
        ),
        (
            qlib.read_series("AAPL", day, &["vwap"]),
            "vwap.day.bin is missing",
        ),
        (qlib.read_series("AAPL", day, &["close", "$close"]), "twice"),
        (qlib.read_series("AAPL", day, &[]), "no field"),
        (
            qlib.read_series("AAPL", QlibFrequency::Minute, &["close"]),
            "1min; there is: day",
        ),
    ] {
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(says), "{message}");
    }
    for (refused, says) in [
        (qlib.market("../all"), "market `../all`"),
        (qlib.market("csi300"), "csi300.txt is missing"),
        (
            qlib.instruments(QlibFrequency::FiveMinutes),
            "5min; there is: day",
        ),
    ] {
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(says), "{message}");
    }
    let nowhere = QlibFolder::open(folder.path().join("nowhere"))
        .unwrap_err()
        .to_string();
    assert!(nowhere.contains("is missing"), "{nowhere}");
}
