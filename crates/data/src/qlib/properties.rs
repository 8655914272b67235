//! What holds for every folder, however broken.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::support::{bin, bits, files, put, small, time};
use super::*;

/// A text or file with some bytes replaced, put in or taken out.
fn broken(clean: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![
        any::<u8>(),
        proptest::sample::select(b"\t\n\r\0-: 0129AaN./\xef\xff\x7f\x80".to_vec())
    ];
    let edit = (0..clean.len(), bytes, 0..3_u8);
    proptest::collection::vec(edit, 0..12).prop_map(move |edits| {
        let mut text = clean.clone();
        for (position, byte, kind) in edits {
            let position = position.min(text.len().saturating_sub(1));
            match kind {
                0 if !text.is_empty() => text[position] = byte,
                1 => text.insert(position, byte),
                _ if text.len() > 1 => drop(text.remove(position)),
                _ => {}
            }
        }
        text
    })
}

fn anything(clean: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => broken(clean),
        1 => proptest::collection::vec(any::<u8>(), 0..200),
    ]
}

/// Columns of arbitrary bits over some of the rows.
fn columns(rows: usize) -> impl Strategy<Value = Vec<QlibColumn>> {
    let column = (0..rows, proptest::collection::vec(any::<u32>(), 1..=rows));
    proptest::collection::vec(column, 1..5).prop_map(move |columns| {
        let column = |(index, (start, bits)): (usize, (usize, Vec<u32>))| QlibColumn {
            field: format!("f{index}"),
            start,
            values: bits.into_iter().take(rows - start).map(f32::from_bits).collect(),
        };
        columns.into_iter().enumerate().map(column).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_in_any_file_give_a_result_or_a_named_place(
        which in 0..4_usize,
        text in anything(support::DAYS.as_bytes().to_vec()),
        list in anything(b"AAPL\t2020-01-03\t2020-01-08\n^GSPC\t2020-01-02\t2020-01-08\n".to_vec()),
        field in anything(bin(1.0, &[1.0, f32::NAN, 2.0, 3.0])),
    ) {
        let folder = tempfile::tempdir().unwrap();
        small(folder.path());
        let (name, bytes) = match which {
            0 => ("calendars/day.txt", text),
            1 => ("instruments/all.txt", list),
            2 => ("instruments/sp500.txt", list),
            _ => ("features/aapl/close.day.bin", field),
        };
        put(folder.path(), name, &bytes);
        match QlibFolder::open(folder.path()).and_then(|qlib| qlib.contents()) {
            Ok(contents) => {
                let steps = contents.calendars[0].times.len();
                for series in contents.series {
                    prop_assert!(series.first_step() + series.len() <= steps);
                    prop_assert!(series.columns().iter().all(|column| column.end() <= series.len()));
                }
            }
            Err(error) => {
                let message = error.to_string();
                prop_assert!(!message.is_empty() && message.len() < 2_000, "{}", message);
            }
        }
    }
}

proptest! {
    #[test]
    fn fuzz_entries_take_anything(data in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzz_qlib_bin(&data);
        fuzz_qlib_calendar(&data);
        fuzz_qlib_instruments(&data);
        fuzz_qlib_bars(&data);
    }

    #[test]
    fn fuzz_entries_take_what_is_nearly_right(
        days in broken([b"\x00", support::DAYS.as_bytes()].concat()),
        list in broken(b"AAPL\t2020-01-03\t2020-01-08\nAAPL\t2020-01-09\t2020-01-10\n".to_vec()),
        field in broken([vec![5, 0], bin(1.0, &[1.0, f32::NAN, 2.0, 3.0])].concat()),
        rows in broken([vec![1], bin(2.0, &[3.0, 1.0, 2.5, 10.0, 0.5].repeat(5))].concat()),
    ) {
        fuzz_qlib_calendar(&days);
        fuzz_qlib_instruments(&list);
        fuzz_qlib_bin(&field);
        fuzz_qlib_bars(&rows);
    }
}

proptest! {
    // Each case brings files to the disk, which may be slow.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_bit_comes_back(columns in (1..20_usize).prop_flat_map(columns), late in 0..3_usize) {
        let calendar: Vec<_> = (1..=28).map(|day| time(&format!("2021-02-{day:02}"))).collect();
        let rows = columns.iter().map(QlibColumn::end).max().unwrap();
        let first = columns.iter().map(|column| column.start).min().unwrap();
        let times = calendar[late..late + rows].to_vec();
        let series = QlibSeries::new("X", QlibFrequency::Day, times, columns).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let contents = QlibContents {
            calendars: vec![QlibCalendar { frequency: QlibFrequency::Day, times: calendar }],
            ..QlibContents::from_series(vec![series.clone()])
        };
        write(&path, &contents).unwrap();
        let qlib = QlibFolder::open(&path).unwrap();
        let fields = qlib.fields("X", QlibFrequency::Day).unwrap();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let read = qlib.read_series("X", QlibFrequency::Day, &fields).unwrap();
        prop_assert_eq!(read.first_step(), late + first);
        let (times, columns) = bits(&series);
        let (found_times, found_columns) = bits(&read);
        // Rows before every first value are not in any file.
        prop_assert_eq!(&found_times[..], &times[first..]);
        let moved: Vec<_> = columns
            .into_iter()
            .map(|(field, start, values)| (field, start - first, values))
            .collect();
        prop_assert_eq!(found_columns, moved);

        let second = folder.path().join("second");
        write(&second, &qlib.contents().unwrap()).unwrap();
        prop_assert_eq!(files(&second), files(&path));
    }
}
