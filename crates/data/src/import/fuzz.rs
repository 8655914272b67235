//! What fuzzers call: pure functions that read arbitrary bytes as CSV files, in memory, and check what must hold of the
//! result.
//!
//! Each returns when the bytes are refused, and panics when something that was accepted is not as it must be.

use std::fmt::Write;
use std::path::Path;

use sextant_domain::{AssetClass, Bar, Timeframe};

use super::intake::take_lines;
use super::lines::Lines;
use super::macros::read_table;
use super::{
    ImportRequest, Intake, MacroColumn, MacroImportRequest, MacroStamps, PublicationRule, StampConvention,
};
use crate::calendar::Calendar;
use crate::{BarKey, DataError};

/// A CSV or CSV.gz file of bars; the first byte chooses the asset class, the timeframe and what stamps mean. Every row is
/// accounted for, no bar breaks a rule, and bars without late rows are read again as the same when they are written.
///
/// # Panics
/// When this does not hold.
pub fn fuzz_csv_bars(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let Some(request) = bar_request(usize::from(*choice)) else {
        return;
    };
    let Ok(intake) = take(&request, bytes) else { return };
    check_rows(&intake);
    if intake.counts.late_rows == 0 {
        let again = take(&request, written(&request, &intake).as_bytes());
        let again = again.expect("bars that were read can be written and read");
        assert_eq!(again.bars, intake.bars, "the bars have changed");
        assert!(again.defects.rows.is_empty(), "{:?}", again.defects);
    }
}

/// A CSV or CSV.gz file of macro series, a close and a difference of two rates; the first byte chooses the publication
/// rule. Publication times increase, and every row and value is there.
///
/// # Panics
/// When this does not hold.
pub fn fuzz_csv_macro(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let request = macro_request(*choice);
    let read = Lines::over(&request.path, bytes).and_then(|lines| read_table(&request, lines));
    let Ok((table, counts)) = read else { return };
    let rows = table.published.len();
    assert!(
        rows > 0 && table.published.windows(2).all(|pair| pair[0] < pair[1]),
        "times do not increase"
    );
    assert_eq!(counts.rows_read, rows as u64 + counts.empty_rows, "rows are lost");
    assert_eq!(table.series.len(), request.series.len(), "series are lost");
    for (name, values) in &table.series {
        assert_eq!(values.len(), rows, "values of {name} are lost");
        assert!(
            !values.iter().any(|value| value.is_infinite()),
            "an infinite {name}"
        );
    }
}

/// One of the requests that make sense.
fn bar_request(choice: usize) -> Option<ImportRequest> {
    let (class, rest) = (
        AssetClass::ALL[choice % AssetClass::ALL.len()],
        choice / AssetClass::ALL.len(),
    );
    let (timeframe, rest) = (
        Timeframe::ALL[rest % Timeframe::ALL.len()],
        rest / Timeframe::ALL.len(),
    );
    let stamp = [
        StampConvention::BarOpen,
        StampConvention::BarEnd,
        StampConvention::SessionDate,
    ][rest % 3];
    let key = BarKey::new(class, "X", timeframe).expect("a symbol");
    let request = ImportRequest {
        stamp: Some(stamp),
        ..ImportRequest::new("fuzz.csv", &key)
    };
    request.check().is_ok().then_some(request)
}

fn take(request: &ImportRequest, bytes: &[u8]) -> Result<Intake, DataError> {
    let key = request.check()?;
    take_lines(request, &key, Lines::over(Path::new("fuzz.csv"), bytes)?)
}

fn check_rows(intake: &Intake) {
    let (counts, bad) = (intake.counts, &intake.defects);
    let kept = intake.bars.len() as u64 + counts.late_rows + counts.identical_duplicates;
    let total = kept + counts.outside_session + bad.rows.len() as u64;
    assert_eq!(counts.rows_read, total, "rows are lost");
    assert!(
        bad.rows.windows(2).all(|pair| pair[0].0 < pair[1].0),
        "bad rows are not in order"
    );
    let by_rule: u64 = bad.by_rule().iter().map(|(_, count)| count).sum();
    assert_eq!(by_rule, bad.rows.len() as u64, "bad rows are lost");
    assert!(intake.bars.iter().all(|bar| bar.defect().is_none()), "a bad bar");
}

/// The bars as a file of the same convention.
fn written(request: &ImportRequest, intake: &Intake) -> String {
    let calendar = Calendar::for_class(request.asset_class);
    let stamp = |bar: &Bar| match request.convention() {
        StampConvention::SessionDate => calendar.date_of(bar.open_time).to_string(),
        StampConvention::BarOpen => bar.open_time.to_string(),
        StampConvention::BarEnd => bar.close_time.to_string(),
    };
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    for bar in intake.bars.iter() {
        let Bar {
            open,
            high,
            low,
            close,
            volume,
            ..
        } = bar;
        let stamp = stamp(&bar);
        writeln!(text, "{stamp},{open:?},{high:?},{low:?},{close:?},{volume:?}").expect("a string takes all");
    }
    text
}

fn macro_request(choice: u8) -> MacroImportRequest {
    let close = MacroColumn {
        series: "level".to_owned(),
        column: "close".to_owned(),
        minus: None,
    };
    let slope = MacroColumn {
        series: "slope".to_owned(),
        column: "10year".to_owned(),
        minus: Some("3month".to_owned()),
    };
    MacroImportRequest {
        path: "fuzz.csv".into(),
        name: "fuzz".to_owned(),
        series: vec![close, slope],
        stamps: MacroStamps::Dates,
        publication: PublicationRule {
            delay_days: u16::from(choice >> 5),
            hour: (choice & 31) % 24,
            minute: choice % 60,
        },
        source: None,
    }
}
