//! Conventions of stamps, and files that are found by symbol.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::Silent;

struct Case {
    folder: tempfile::TempDir,
    lake: Lake,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::new(folder.path().join("data"));
        Self { folder, lake }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn request(&self, class: AssetClass, timeframe: Timeframe, stamps: &[&str]) -> ImportRequest {
        let rows: String = stamps
            .iter()
            .map(|stamp| format!("{stamp},2,3,1,2,10\n"))
            .collect();
        let path = self.file("in.csv", &format!("timestamp,open,high,low,close,volume\n{rows}"));
        ImportRequest::new(path, &BarKey::new(class, "X", timeframe).unwrap())
    }

    fn spans(&self, request: &ImportRequest) -> Result<Vec<String>, String> {
        import_csv(&self.lake, request, &Silent).map_err(|error| error.to_string())?;
        let stored = self
            .lake
            .load_bars(request.asset_class, "X", request.timeframe)
            .unwrap();
        Ok(stored
            .bars
            .iter()
            .map(|bar| format!("{}/{}", bar.open_time, bar.close_time))
            .collect())
    }
}

#[test]
fn stamps_become_times() {
    use AssetClass::{Crypto, Equity, Fx};
    use StampConvention::{BarEnd, BarOpen};
    let case = Case::new();
    for (class, timeframe, convention, stamp, expected) in [
        (
            Equity,
            Timeframe::D1,
            None,
            "2020-11-27",
            "2020-11-27T14:30:00Z/2020-11-27T18:00:00Z",
        ),
        (
            Equity,
            Timeframe::D1,
            None,
            "2020-07-02T00:00:00Z",
            "2020-07-02T13:30:00Z/2020-07-02T20:00:00Z",
        ),
        (
            Equity,
            Timeframe::D1,
            Some(BarOpen),
            "2020-07-02T13:30:00Z",
            "2020-07-02T13:30:00Z/2020-07-02T20:00:00Z",
        ),
        (
            Equity,
            Timeframe::D1,
            Some(BarEnd),
            "2020-07-02T20:00:00Z",
            "2020-07-02T13:30:00Z/2020-07-02T20:00:00Z",
        ),
        (
            Equity,
            Timeframe::H1,
            None,
            "2020-01-02T14:00:00Z",
            "2020-01-02T14:30:00Z/2020-01-02T15:00:00Z",
        ),
        (
            Equity,
            Timeframe::H1,
            None,
            "2020-01-02T14:30:00Z",
            "2020-01-02T14:30:00Z/2020-01-02T15:00:00Z",
        ),
        (
            Equity,
            Timeframe::H1,
            None,
            "2020-07-02T19:00:00Z",
            "2020-07-02T19:00:00Z/2020-07-02T20:00:00Z",
        ),
        (
            Equity,
            Timeframe::H1,
            Some(BarEnd),
            "2020-01-02T15:00:00Z",
            "2020-01-02T14:30:00Z/2020-01-02T15:00:00Z",
        ),
        (
            Equity,
            Timeframe::H4,
            None,
            "2020-11-27T17:00:00Z",
            "2020-11-27T17:00:00Z/2020-11-27T18:00:00Z",
        ),
        (
            Equity,
            Timeframe::M1,
            Some(BarEnd),
            "2020-01-02T14:31:00Z",
            "2020-01-02T14:30:00Z/2020-01-02T14:31:00Z",
        ),
        (
            Crypto,
            Timeframe::H4,
            None,
            "2020-01-02T20:00:00Z",
            "2020-01-02T20:00:00Z/2020-01-03T00:00:00Z",
        ),
        (
            Crypto,
            Timeframe::D1,
            None,
            "2020-01-02",
            "2020-01-02T00:00:00Z/2020-01-03T00:00:00Z",
        ),
        (
            Fx,
            Timeframe::H1,
            None,
            "2021-01-10T22:00:00Z",
            "2021-01-10T22:00:00Z/2021-01-10T23:00:00Z",
        ),
        (
            Fx,
            Timeframe::D1,
            None,
            "2021-01-10",
            "2021-01-10T00:00:00Z/2021-01-11T00:00:00Z",
        ),
    ] {
        let request = ImportRequest {
            stamp: convention,
            ..case.request(class, timeframe, &[stamp])
        };
        assert_eq!(
            case.spans(&request).as_deref(),
            Ok([expected.to_owned()].as_slice()),
            "{class} {timeframe} {stamp}"
        );
    }
}

#[test]
fn stamps_that_fit_no_bar_are_named_by_rule() {
    use AssetClass::{Crypto, Equity, Fx};
    let case = Case::new();
    for (class, timeframe, stamp, rule) in [
        (Equity, Timeframe::D1, "2020-12-25", Rule::NotASession),
        (Equity, Timeframe::D1, "2020-12-26", Rule::NotASession),
        (Equity, Timeframe::D1, "2020-12-24T21:00:00Z", Rule::StampGrid),
        (Equity, Timeframe::D1, "1969-12-31", Rule::CalendarRange),
        (Equity, Timeframe::H1, "2020-01-02T15:10:00Z", Rule::StampGrid),
        (Equity, Timeframe::H1, "2020-01-04T15:00:00Z", Rule::NotASession),
        (Crypto, Timeframe::H4, "2020-01-02T03:00:00Z", Rule::StampGrid),
        (Crypto, Timeframe::D1, "2020-01-02T05:00:00Z", Rule::StampGrid),
        (Fx, Timeframe::H1, "2021-07-17T12:00:00Z", Rule::NotASession),
    ] {
        let message = case.spans(&case.request(class, timeframe, &[stamp])).unwrap_err();
        assert!(
            message.contains(&format!("row 2, timestamp: found `{stamp}`")),
            "{message}"
        );
        assert!(message.contains(&format!("({rule})")), "{stamp}: {message}");
    }
}

#[test]
fn two_stamps_of_one_bar_overlap() {
    let case = Case::new();
    let stamps = ["2020-01-02T14:00:00Z", "2020-01-02T14:30:00Z"];
    let message = case
        .spans(&case.request(AssetClass::Equity, Timeframe::H1, &stamps))
        .unwrap_err();
    assert!(
        message.contains("row 3") && message.contains("(overlap)"),
        "{message}"
    );
}

#[test]
fn late_prints_join_the_last_bar_and_delay_it() {
    let case = Case::new();
    let stamps = [
        "2003-12-24T16:00:00Z",
        "2003-12-24T17:00:00Z",
        "2003-12-24T18:00:00Z",
        "2003-12-24T19:00:00Z",
    ];
    let request = case.request(AssetClass::Equity, Timeframe::H1, &stamps);
    let report = import_csv(&case.lake, &request, &Silent).unwrap();
    assert_eq!((report.bars, report.late_rows, report.outside_session), (2, 2, 0));
    let last = case
        .lake
        .load_bars(AssetClass::Equity, "X", Timeframe::H1)
        .unwrap()
        .bars
        .bar(1);
    assert_eq!(
        (last.volume, last.close_time.to_string().as_str()),
        (30.0, "2003-12-24T20:00:00Z")
    );
}

#[test]
fn extended_hours_are_left_out_and_counted() {
    let case = Case::new();
    let stamps = [
        "2003-12-24T12:00:00Z",
        "2003-12-24T17:00:00Z",
        "2003-12-24T18:00:00Z",
        "2003-12-24T22:00:00Z",
    ];
    let request = case.request(AssetClass::Equity, Timeframe::H1, &stamps);
    let report = import_csv(&case.lake, &request, &Silent).unwrap();
    assert_eq!((report.bars, report.late_rows, report.outside_session), (1, 0, 3));
    assert_eq!(report.rows_read, 4);
}

#[test]
fn requests_that_contradict_themselves_are_refused() {
    let case = Case::new();
    let request = case.request(AssetClass::Crypto, Timeframe::D1, &["2020-01-02"]);
    let labels = ImportRequest {
        stamp: Some(StampConvention::SessionDate),
        ..request.clone()
    };
    assert!(case.spans(&labels).unwrap_err().contains("stamp"));
    let factors = ImportRequest {
        factors: Some("x.csv".into()),
        ..request.clone()
    };
    assert!(case.spans(&factors).unwrap_err().contains("factors"));
    let symbol = ImportRequest {
        symbol: "../X".to_owned(),
        ..request.clone()
    };
    assert!(case.spans(&symbol).unwrap_err().contains("../X"));
    let missing = ImportRequest {
        path: case.folder.path().join("nowhere.csv"),
        ..request
    };
    assert!(case.spans(&missing).unwrap_err().contains("nowhere.csv"));
}

#[test]
fn factors_hold_up_to_their_date() {
    let case = Case::new();
    let stamps = ["2020-01-02", "2020-01-03", "2020-01-06"];
    let request = case.request(AssetClass::Equity, Timeframe::D1, &stamps);
    let factors = case.file(
        "x_factors.csv",
        "20200102,0.5,0.25,8\n20200103,0.8,0.5,4\n20501231,1,1,0",
    );
    let request = ImportRequest {
        factors: Some(factors),
        ..request
    };
    let report = import_csv(&case.lake, &request, &Silent).unwrap();
    assert!(
        report.adjustment.contains("x_factors.csv"),
        "{}",
        report.adjustment
    );
    let stored = case
        .lake
        .load_bars(AssetClass::Equity, "X", Timeframe::D1)
        .unwrap();
    let view = stored.bars.view();
    assert_eq!(view.close, [0.25, 0.8, 2.0]);
    assert_eq!(view.volume, [40.0, 20.0, 10.0]);
    let raw = stored.raw.unwrap();
    assert_eq!(raw.adjustment_factor, [0.125, 0.4, 1.0]);
    assert_eq!(
        (raw.bars.view().close, raw.bars.view().volume),
        ([2.0; 3].as_slice(), [10.0; 3].as_slice())
    );
}

#[test]
fn bad_factor_files_name_row_and_column() {
    let case = Case::new();
    let request = case.request(AssetClass::Equity, Timeframe::D1, &["2020-01-02"]);
    for (text, expected) in [
        ("", "it is empty; it must have rows date,price_factor"),
        ("20200102,0.5,1\n", "row 1, row: found `20200102,0.5,1`"),
        (
            "date,price_factor,split_factor,reference_close\n",
            "row 1, date: found `date`",
        ),
        (
            "20200101,1,1,1\n20200102,0,1,1\n",
            "row 2, price_factor: found `0`",
        ),
        (
            "20200101,1,1,1\n20200102,1,nan,1\n",
            "row 2, split_factor: found `nan`",
        ),
        (
            "20200102,1,1,1\n20200102,1,1,1\n",
            "row 2, date: found `20200102`",
        ),
        (
            "20191231,1,1,1\n",
            "no row covers the session 2020-01-02; the last row is 2019-12-31",
        ),
    ] {
        let factors = Some(case.file("factors.csv", text));
        let message = case
            .spans(&ImportRequest {
                factors,
                ..request.clone()
            })
            .unwrap_err();
        assert!(
            message.contains("factors.csv") && message.contains(expected),
            "{text:?}: {message}"
        );
    }
}

#[test]
fn files_are_found_by_symbol() {
    let case = Case::new();
    for name in [
        "spy_1d.csv.gz",
        "spy_1d_other.csv",
        "btcusd_4h_a.csv",
        "eth_4h_a.csv",
        "eth_4h_b.csv",
        "notes.txt",
    ] {
        case.file(name, "");
    }
    let folder = case.folder.path();
    let found = |symbol, timeframe| {
        let path = locate_csv(folder, symbol, timeframe).map_err(|error| error.to_string())?;
        Ok::<_, String>(path.file_name().unwrap().to_string_lossy().into_owned())
    };
    assert_eq!(found("SPY", Timeframe::D1).as_deref(), Ok("spy_1d.csv.gz"));
    assert_eq!(found("BTC-USD", Timeframe::H4).as_deref(), Ok("btcusd_4h_a.csv"));
    let several = found("ETH", Timeframe::H4).unwrap_err();
    assert!(
        several.contains("eth_4h_a.csv") && several.contains("eth_4h_b.csv"),
        "{several}"
    );
    let none = found("QQQ", Timeframe::D1).unwrap_err();
    assert!(
        none.contains("qqq_1d.csv") && none.contains("spy_1d.csv.gz"),
        "{none}"
    );
    assert!(locate_csv(&folder.join("nowhere"), "SPY", Timeframe::D1).is_err());
}

#[test]
fn requests_are_read_strictly() {
    let text = r#"{"path": "a.csv", "symbol": "SPY", "asset_class": "equity", "timeframe": "1D", "bad_rows": "quarantine"}"#;
    let request: ImportRequest = serde_json::from_str(text).unwrap();
    assert_eq!(
        (request.bad_rows, request.convention()),
        (BadRows::Quarantine, StampConvention::SessionDate)
    );
    let unknown = text.replace("bad_rows", "bad_row");
    assert!(
        serde_json::from_str::<ImportRequest>(&unknown)
            .unwrap_err()
            .to_string()
            .contains("bad_row")
    );
}

mod macros {
    use super::*;

    fn import(case: &Case, request: &MacroImportRequest) -> Result<MacroImportReport, String> {
        import_macro_csv(&case.lake, request, &Silent).map_err(|error| error.to_string())
    }

    #[test]
    fn a_slope_is_known_in_the_evening() {
        let case = Case::new();
        let text = "timestamp,1month,3month,10year\n2020-01-02T00:00:00Z,,1.5,1.75\n2020-01-03,,,\n2020-07-06,1,2,1.5\n";
        let report = import(
            &case,
            &MacroImportRequest::yield_curve(case.file("curve.csv", text)),
        )
        .unwrap();
        assert_eq!((report.rows_read, report.rows, report.empty_rows), (3, 2, 1));
        assert_eq!(report.ignored_columns, ["1month"]);
        let stored = case.lake.load_macro("yield_curve_10y_3m").unwrap();
        assert_eq!(stored.series.values(), [0.25, -0.5]);
        let published: Vec<_> = stored
            .series
            .published()
            .iter()
            .map(UtcNanos::to_string)
            .collect();
        assert_eq!(published, ["2020-01-02T23:00:00Z", "2020-07-06T22:00:00Z"]);
        assert!(
            stored.meta.publication.starts_with("18:00 New York"),
            "{}",
            stored.meta.publication
        );
    }

    #[test]
    fn instants_are_publication_times() {
        let case = Case::new();
        let rows = "timestamp,open,high,low,close,volume\n2021-11-18T00:00:00Z,1,1,1,0.5,0\n2021-11-18T08:00:00Z,1,1,1,-0.25,0\n";
        let request = MacroImportRequest {
            stamps: MacroStamps::Instants,
            ..MacroImportRequest::vix(case.file("funding.csv", rows))
        };
        import(&case, &request).unwrap();
        let stored = case.lake.load_macro("vix").unwrap();
        let times: Vec<_> = stored
            .series
            .published()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(times, ["2021-11-18T00:00:00Z", "2021-11-18T08:00:00Z"]);
        assert_eq!(stored.series.values(), [0.5, -0.25]);
        assert_eq!(stored.meta.publication, "at the time of the row");
        let request = MacroImportRequest {
            path: case.file("words.csv", "timestamp,close\nyesterday,1\n"),
            ..request
        };
        let message = import(&case, &request).unwrap_err();
        assert!(
            message.contains("yesterday") && message.contains("an instant in UTC"),
            "{message}"
        );
    }

    #[test]
    fn a_delay_is_configured() {
        let case = Case::new();
        let path = case.file(
            "vix.csv",
            "timestamp,open,high,low,close,volume\n2020-01-31,1,1,1,17.5,0\n",
        );
        let publication = PublicationRule {
            delay_days: 3,
            hour: 8,
            minute: 30,
        };
        import(
            &case,
            &MacroImportRequest {
                publication,
                ..MacroImportRequest::vix(path.clone())
            },
        )
        .unwrap();
        let stored = case.lake.load_macro("vix").unwrap();
        assert_eq!(stored.series.published()[0].to_string(), "2020-02-03T13:30:00Z");
        let publication = PublicationRule {
            hour: 24,
            ..publication
        };
        let message = import(
            &case,
            &MacroImportRequest {
                publication,
                ..MacroImportRequest::vix(path)
            },
        )
        .unwrap_err();
        assert!(message.contains("hour 24"), "{message}");
    }

    #[test]
    fn bad_files_name_row_and_column() {
        let case = Case::new();
        for (text, expected) in [
            ("", "the file is empty"),
            ("date,close\n", "row 1: the header is `date,close`"),
            ("timestamp,price\n", "have the column `close`"),
            ("timestamp,close\n", "0 rows, none with a value"),
            ("timestamp,close\n2020-01-02,\n", "1 rows, none with a value"),
            (
                "timestamp,close\n2020-01-02,1,2\n",
                "row 2, row: found `2020-01-02,1,2`",
            ),
            (
                "timestamp,close\n2020-01-02,1\n2020-01-03,x\n",
                "row 3, close: found `x`",
            ),
            ("timestamp,close\n2020-01-02,inf\n", "row 2, close: found `inf`"),
            (
                "timestamp,close\n2020-13-02,1\n",
                "row 2, timestamp: found `2020-13-02`",
            ),
            (
                "timestamp,close\n2020-01-02T12:00:00Z,1\n",
                "row 2, timestamp: found `2020-01-02T12:00:00Z`",
            ),
            (
                "timestamp,close\n2020-01-02,1\n2020-01-02,1\n",
                "row 3, timestamp: found `2020-01-02`",
            ),
        ] {
            let message = import(&case, &MacroImportRequest::vix(case.file("vix.csv", text))).unwrap_err();
            assert!(
                message.contains("vix.csv") && message.contains(expected),
                "{text:?}: {message}"
            );
        }
        assert!(!case.lake.root().exists());
    }
}
