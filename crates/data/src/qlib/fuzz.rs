//! What fuzzers call: pure functions that read arbitrary bytes and check what must hold of the result.
//!
//! Each returns when the bytes are refused, and panics when something that was accepted is not as it must be. A fuzz target
//! is one line: `fuzz_target!(|data: &[u8]| sextant_data::qlib::fuzz_qlib_bin(data));`

use chrono::{Days, NaiveDate, NaiveTime};
use sextant_domain::AssetClass;

use super::text::written;
use super::{
    QlibColumn, QlibConventions, QlibFrequency, QlibSeries, QlibSessions, QlibStamp, encode_bin, parse_bin,
    parse_calendar, parse_instruments, to_bars,
};
use crate::BadRows;

/// One `.bin` file; the first two bytes are the length of its calendar. What is accepted is written again as the same
/// bytes.
///
/// # Panics
/// When it is not.
pub fn fuzz_qlib_bin(data: &[u8]) {
    let Some((steps, bytes)) = data.split_first_chunk::<2>() else {
        return;
    };
    let steps = usize::from(u16::from_le_bytes(*steps));
    match parse_bin(bytes, steps) {
        Ok(column) => {
            assert!(
                column.start + column.values.len() <= steps,
                "values beyond the calendar"
            );
            let again =
                encode_bin(column.start, &column.values).expect("a column that was read can be written");
            assert_eq!(again, bytes, "the bytes have changed");
        }
        Err(defect) => assert!(
            defect.offset() <= bytes.len() as u64,
            "a place beyond the file: {defect}"
        ),
    }
}

/// A calendar; the first byte is the frequency. What is accepted increases, and is read again as the same.
///
/// # Panics
/// When it is not.
pub fn fuzz_qlib_calendar(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let frequency = QlibFrequency::ALL[usize::from(*kind) % QlibFrequency::ALL.len()];
    let Ok(times) = parse_calendar(bytes, frequency) else {
        return;
    };
    assert!(
        times.windows(2).all(|pair| pair[0] < pair[1]),
        "times do not increase"
    );
    let lines: Vec<String> = times.iter().map(|time| written(*time)).collect();
    let again = parse_calendar(lines.join("\n").as_bytes(), frequency);
    assert_eq!(again.as_ref(), Ok(&times), "the times have changed");
}

/// A list of instruments. What is accepted cannot leave its folder, and is read again as the same.
///
/// # Panics
/// When it can, or is not.
pub fn fuzz_qlib_instruments(data: &[u8]) {
    let Ok(instruments) = parse_instruments(data) else {
        return;
    };
    let line = |instrument: &super::QlibInstrument| {
        let leaves = instrument.symbol.contains(['/', '\\', '\0']) || instrument.symbol.starts_with('.');
        assert!(!leaves && instrument.start <= instrument.end, "{instrument:?}");
        let (start, end) = (written(instrument.start), written(instrument.end));
        format!("{}\t{start}\t{end}", instrument.symbol)
    };
    let lines: Vec<String> = instruments.iter().map(line).collect();
    let again = parse_instruments(lines.join("\r\n").as_bytes());
    assert_eq!(again.as_ref(), Ok(&instruments), "the lines have changed");
}

/// Bars of six columns of arbitrary bits; the first byte chooses the conventions. Every row is accounted for.
///
/// # Panics
/// When one is not, or a bar is made of a row that breaks a rule.
pub fn fuzz_qlib_bars(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let Some(series) = series_of(bytes) else { return };
    let sessions = match kind % 4 {
        3 => QlibSessions::FixedHours {
            utc_offset_minutes: 480,
            open: NaiveTime::from_hms_opt(9, 30, 0).expect("a time of day"),
            close: NaiveTime::from_hms_opt(15, 0, 0).expect("a time of day"),
        },
        class => QlibSessions::Calendar(AssetClass::ALL[usize::from(class)]),
    };
    let conventions = QlibConventions {
        sessions,
        stamp: QlibStamp::BarOpen,
        bad_rows: BadRows::Quarantine,
    };
    let made = to_bars(&series, &conventions).expect("bad rows are set aside");
    let accounted = made.bars.len() + made.suspended + made.outside_session + made.quarantined.len();
    assert_eq!(accounted, series.len(), "rows are lost");
    assert!(made.bars.iter().all(|bar| bar.defect().is_none()), "a bad bar");
    let raw = made.raw.expect("there is a factor");
    assert_eq!(raw.bars.len(), made.bars.len(), "raw bars are lost");
}

/// Daily rows from 2019-12-28 on: six numbers of four bytes each.
fn series_of(bytes: &[u8]) -> Option<QlibSeries> {
    const FIELDS: [&str; 6] = ["open", "high", "low", "close", "volume", "factor"];
    let rows: Vec<&[u8]> = bytes.chunks_exact(4 * FIELDS.len()).take(1_000).collect();
    let first = NaiveDate::from_ymd_opt(2019, 12, 28)?;
    let times = (0..rows.len() as u64).map(|day| Some((first + Days::new(day)).and_time(NaiveTime::MIN)));
    let columns = FIELDS.iter().enumerate().map(|(index, field)| QlibColumn {
        field: (*field).to_owned(),
        start: 0,
        values: rows
            .iter()
            .map(|row| {
                let mut four = [0; 4];
                four.copy_from_slice(&row[4 * index..4 * index + 4]);
                f32::from_le_bytes(four)
            })
            .collect(),
    });
    QlibSeries::new(
        "X",
        QlibFrequency::Day,
        times.collect::<Option<_>>()?,
        columns.collect(),
    )
    .ok()
}
