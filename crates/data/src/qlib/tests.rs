//! Reading and writing folders.
#![allow(clippy::unwrap_used)]

use std::fs;

use super::support::{bin, bits, files, put, small, time};
use super::*;

const OHLCV: [&str; 5] = ["$open", "$high", "$low", "$close", "$volume"];

#[test]
fn a_folder_tells_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    put(folder.path(), "calendars/60min.txt", "whatever");
    let qlib = QlibFolder::open(folder.path()).unwrap();
    assert_eq!(qlib.frequencies(), [QlibFrequency::Day]);
    assert_eq!(qlib.unread_calendars(), ["60min.txt", "day_future.txt"]);
    assert_eq!(qlib.calendar(QlibFrequency::Day).unwrap().len(), 5);
    assert_eq!(qlib.markets().unwrap(), ["all", "sp500"]);
    assert_eq!(qlib.market("sp500").unwrap()[1].end, time("2099-12-31"));
    let symbols: Vec<_> = qlib
        .instruments(QlibFrequency::Day)
        .unwrap()
        .into_iter()
        .map(|instrument| (instrument.symbol, instrument.start))
        .collect();
    assert_eq!(
        symbols,
        [
            ("AAPL".to_owned(), time("2020-01-03")),
            ("^GSPC".to_owned(), time("2020-01-02"))
        ]
    );
    assert_eq!(
        qlib.fields("AAPL", QlibFrequency::Day).unwrap(),
        ["close", "factor", "high", "low", "open", "volume"]
    );
}

#[test]
fn a_series_begins_where_its_files_say() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    put(folder.path(), "features/aapl/pe.day.bin", bin(3.0, &[17.0]));
    let qlib = QlibFolder::open(folder.path()).unwrap();
    let series = qlib
        .read_series("aapl", QlibFrequency::Day, &["$Close", "pe"])
        .unwrap();
    assert_eq!((series.first_step(), series.len()), (1, 4));
    assert_eq!(series.times()[0], time("2020-01-03"));
    let close = series.column("close").unwrap();
    assert_eq!((close.at(0), close.at(3)), (1.25, 1.5));
    assert!(close.at(1).is_nan() && close.at(4).is_nan());
    let pe = series.column("$PE").unwrap();
    assert_eq!((pe.start, pe.at(2)), (2, 17.0));
    assert!(pe.at(1).is_nan() && pe.at(3).is_nan());
}

#[test]
fn instruments_without_the_frequency_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    put(folder.path(), "calendars/5min.txt", "2020-01-02 09:30:00\n");
    put(folder.path(), "features/aapl/close.5min.bin", bin(0.0, &[1.0]));
    put(
        folder.path(),
        "instruments/all.txt",
        "AAPL\t2020-01-03\t2020-01-08\nNONE\t2020-01-03\t2020-01-08\n^GSPC\t2020-01-03\t2020-01-08\n",
    );
    let qlib = QlibFolder::open(folder.path()).unwrap();
    assert_eq!(
        qlib.frequencies(),
        [QlibFrequency::Day, QlibFrequency::FiveMinutes]
    );
    let symbols = |frequency| -> Vec<String> {
        let found = qlib.instruments(frequency).unwrap();
        found.into_iter().map(|instrument| instrument.symbol).collect()
    };
    assert_eq!(symbols(QlibFrequency::Day), ["AAPL", "^GSPC"]);
    assert_eq!(symbols(QlibFrequency::FiveMinutes), ["AAPL"]);
}

#[test]
fn folders_in_upper_case_and_with_a_prefix_are_found() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    put(folder.path(), "features/SH600000/close.day.bin", bin(0.0, &[7.0]));
    put(
        folder.path(),
        "features/_qlib_con/close.day.bin",
        bin(0.0, &[8.0]),
    );
    let qlib = QlibFolder::open(folder.path()).unwrap();
    for (symbol, close) in [("SH600000", 7.0), ("CON", 8.0)] {
        let series = qlib.read_series(symbol, QlibFrequency::Day, &["close"]).unwrap();
        assert_eq!(series.columns()[0].values, [close]);
    }
}

#[test]
fn a_folder_is_written_as_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("deep/second"));
    small(&first);
    put(
        &first,
        "calendars/1min.txt",
        "2020-01-02 09:30:00\n2020-01-02 09:31:00\n2020-01-03 00:00:00\n",
    );
    put(&first, "features/aapl/close.1min.bin", bin(1.0, &[1.0]));
    // Bits that arithmetic would not keep: another NaN, a signalling one, the smallest number, minus zero.
    let odd = [0xffc1_2345, 0x7f80_0001, 1, 0x8000_0000].map(f32::from_bits);
    put(&first, "features/aapl/odd.day.bin", bin(0.0, &odd));
    let contents = QlibFolder::open(&first).unwrap().contents().unwrap();
    write(&second, &contents).unwrap();
    let mut expected = files(&first);
    expected.remove("calendars/day_future.txt");
    assert_eq!(files(&second), expected);
    assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
}

#[test]
fn lists_have_times_of_day_in_every_line_or_in_none() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    small(&first);
    let lines =
        "AAPL\t2020-01-03 00:00:00\t2020-01-08 09:30:00\n^GSPC\t2020-01-02 00:00:00\t2020-01-08 00:00:00\n";
    put(&first, "instruments/all.txt", lines);
    write(&second, &QlibFolder::open(&first).unwrap().contents().unwrap()).unwrap();
    for market in ["instruments/all.txt", "instruments/sp500.txt"] {
        assert_eq!(files(&second)[market], files(&first)[market]);
    }
}

#[test]
fn a_folder_of_series_alone_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let series = |symbol: &str, days: &[&str]| {
        let column = QlibColumn {
            field: "$close".to_owned(),
            start: 0,
            values: (1..=days.len()).map(|value| value as f32).collect(),
        };
        let times = days.iter().map(|day| time(day)).collect();
        QlibSeries::new(symbol, QlibFrequency::Day, times, vec![column]).unwrap()
    };
    let spy = series("SPY", &["2020-01-02", "2020-01-06"]);
    let contents = QlibContents::from_series(vec![spy, series("QQQ", &["2020-01-03"])]);
    write(&path, &contents).unwrap();
    let qlib = QlibFolder::open(&path).unwrap();
    let days = ["2020-01-02", "2020-01-03", "2020-01-06"].map(time);
    assert_eq!(qlib.calendar(QlibFrequency::Day).unwrap(), days);
    // The day between the two rows of SPY is in the calendar because of QQQ: no value there.
    let spy = qlib.read_series("SPY", QlibFrequency::Day, &["close"]).unwrap();
    assert_eq!(spy.len(), 3);
    assert_eq!(bits(&spy).1[0].2, [1.0_f32, f32::NAN, 2.0].map(f32::to_bits));
    assert_eq!(
        fs::read_to_string(path.join("instruments/all.txt")).unwrap(),
        "QQQ\t2020-01-03\t2020-01-03\nSPY\t2020-01-02\t2020-01-06\n"
    );
}

#[test]
fn a_writer_never_touches_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    small(folder.path());
    let before = files(folder.path());
    let contents = QlibFolder::open(folder.path()).unwrap().contents().unwrap();
    assert!(matches!(
        write(folder.path(), &contents),
        Err(QlibError::Taken { .. })
    ));
    let file = folder.path().join("calendars/day.txt");
    assert!(matches!(write(&file, &contents), Err(QlibError::Taken { .. })));
    assert_eq!(files(folder.path()), before);

    let empty = tempfile::tempdir().unwrap();
    let place = empty.path().join("place");
    fs::create_dir(&place).unwrap();
    write(&place, &contents).unwrap();
    assert_eq!(
        QlibFolder::open(&place).unwrap().contents().unwrap().series.len(),
        2
    );
}

#[test]
fn an_unfinished_folder_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let writer = QlibWriter::create(&path).unwrap();
    assert!(matches!(writer.finish(), Err(QlibError::Missing { .. })));
    let mut writer = QlibWriter::create(&path).unwrap();
    let day = QlibCalendar {
        frequency: QlibFrequency::Day,
        times: vec![time("2020-01-02")],
    };
    writer.calendar(&day).unwrap();
    assert!(matches!(writer.calendar(&day), Err(QlibError::Twice { .. })));
    let column = QlibColumn {
        field: "close".to_owned(),
        start: 0,
        values: vec![1.0],
    };
    let series = |symbol, frequency, day| {
        QlibSeries::new(symbol, frequency, vec![time(day)], vec![column.clone()]).unwrap()
    };
    writer
        .series(&series("A", QlibFrequency::Day, "2020-01-02"))
        .unwrap();
    for (refused, expected) in [
        (
            series("a", QlibFrequency::Day, "2020-01-02"),
            "was written already",
        ),
        (
            series("B", QlibFrequency::Day, "2020-01-03"),
            "not in the calendar",
        ),
        (
            series("B", QlibFrequency::Minute, "2020-01-02"),
            "no calendar of the frequency",
        ),
    ] {
        let message = writer.series(&refused).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    drop(writer);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = QlibWriter::create(folder.path().join("new")).unwrap();
    let half_second = time("2020-01-02 09:30:00") + chrono::TimeDelta::milliseconds(500);
    for (frequency, times) in [
        (QlibFrequency::Minute, vec![half_second]),
        (QlibFrequency::Day, vec![time("2020-01-02 09:30:00")]),
        (QlibFrequency::Day, vec![time("2020-01-03"), time("2020-01-02")]),
        (QlibFrequency::Day, vec![chrono::NaiveDateTime::MAX]),
        (QlibFrequency::Day, Vec::new()),
    ] {
        let refused = writer.calendar(&QlibCalendar { frequency, times });
        assert!(matches!(refused, Err(QlibError::Line { .. })), "{refused:?}");
    }
    let market = |name: &str, symbol: &str, start, end| QlibMarket {
        name: name.to_owned(),
        instruments: vec![QlibInstrument {
            symbol: symbol.to_owned(),
            start,
            end,
        }],
    };
    let day = time("2020-01-02");
    for (market, expected) in [
        (market("../all", "A", day, day), "not allowed"),
        (market("all", "../A", day, day), "the symbol"),
        (market("all", "A\tB", day, day), "fields"),
        (market("all", "A", day, time("2020-01-01")), "before it begins"),
        (market("all", "A", day, half_second), "allowed: a date"),
    ] {
        let message = writer.market(&market).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn series_that_are_none_are_refused() {
    let column = |field: &str, start, count| QlibColumn {
        field: field.to_owned(),
        start,
        values: vec![1.0; count],
    };
    let days = || vec![time("2020-01-02"), time("2020-01-03")];
    let twice = || vec![time("2020-01-02"), time("2020-01-02")];
    for (symbol, times, columns, expected) in [
        ("A", days(), Vec::new(), "no field"),
        ("A", days(), vec![column("x", 1, 2)], "2 values from row 1"),
        ("A", days(), vec![column("x", usize::MAX, 2)], "values from row"),
        ("A", days(), vec![column("x", 0, 0)], "0 values"),
        (
            "A",
            days(),
            vec![column("x", 0, 1), column("$X", 0, 1)],
            "there twice",
        ),
        ("A", twice(), vec![column("x", 0, 1)], "not after the one before"),
        ("../A", days(), vec![column("x", 0, 1)], "symbol"),
        ("A", days(), vec![column("../x", 0, 1)], "field"),
    ] {
        let refused = QlibSeries::new(symbol, QlibFrequency::Day, times, columns);
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn frequencies_have_timeframes() {
    for frequency in QlibFrequency::ALL {
        assert_eq!(QlibFrequency::from_name(frequency.name()), Some(frequency));
        assert_eq!(
            QlibFrequency::from_timeframe(frequency.timeframe()),
            Some(frequency)
        );
    }
    assert_eq!(QlibFrequency::from_name("60min"), None);
    assert_eq!(QlibFrequency::from_timeframe(sextant_domain::Timeframe::H4), None);
    assert_eq!(OHLCV.map(|field| names::field_name(field).unwrap())[4], "volume");
}
