//! First downloads, and downloads beside what is there.

use super::*;
use crate::{Provenance, Rule};

fn daily() -> Case {
    Case::new(AssetClass::Equity, Timeframe::D1)
}

fn hourly() -> Case {
    Case::new(AssetClass::Crypto, Timeframe::H1)
}

#[test]
fn a_first_download_fills_the_lake_and_says_where_from() {
    let case = daily();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
    let report = case
        .download(&provider, ("2024-01-01", None), "2024-02-01")
        .unwrap();
    assert_eq!(provider.calls(), ["2024-01-02T00:00:00Z/2024-02-01T00:00:00Z"]);
    assert_eq!(
        (report.outcome, report.added, report.bars),
        (Outcome::Written, 21, 21)
    );
    assert_eq!((report.rows_read, report.forming, report.changed), (21, 0, 0));
    let stored = case.stored();
    assert_eq!(stored.meta.source, "scripted: X [prices: none: as traded]");
    assert_eq!(Origin::parse(&stored.meta.source).unwrap().provider, "scripted");
    assert_eq!((stored.meta.digest, report.holes), (report.digest, vec![]));
    assert_eq!(stored.bars.bar(0).open_time, time("2024-01-02T14:30:00Z"));
    assert_eq!(stored.bars.bar(0).close_time, time("2024-01-02T21:00:00Z"));
    assert_eq!(case.names(), ["X_1D.parquet"]);
}

#[test]
fn a_forming_bar_never_reaches_the_lake() {
    for (class, timeframe, now, last) in [
        (
            AssetClass::Equity,
            Timeframe::D1,
            "2024-01-10T20:59:59Z",
            "2024-01-09T21:00:00Z",
        ),
        (
            AssetClass::Crypto,
            Timeframe::H1,
            "2024-01-10T20:59:59Z",
            "2024-01-10T20:00:00Z",
        ),
        (
            AssetClass::Equity,
            Timeframe::H1,
            "2024-01-10T14:59:59Z",
            "2024-01-09T21:00:00Z",
        ),
    ] {
        let case = Case::new(class, timeframe);
        let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
        // A bar in the making may hold anything.
        for (stamp, row) in &mut provider.rows {
            if *stamp >= time("2024-01-10") && *stamp > time(last).saturating_add(-1) {
                row.close = f64::NAN;
            }
        }
        let report = case.download(&provider, ("2024-01-01", None), now).unwrap();
        assert_eq!(
            (report.forming, report.last),
            (1, time(last)),
            "{class} {timeframe}"
        );
        assert_eq!(case.stored().meta.last, time(last));
    }
}

#[test]
fn a_span_is_kept_to() {
    let case = hourly();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
    let span = ("2024-01-02T06:00:00Z", Some("2024-01-02T12:30:00Z"));
    let report = case.download(&provider, span, "2024-01-20").unwrap();
    assert_eq!(provider.calls(), ["2024-01-02T06:00:00Z/2024-01-02T12:00:00Z"]);
    assert_eq!((report.bars, report.last), (6, time("2024-01-02T12:00:00Z")));
}

#[test]
fn what_is_outside_of_the_span_stays_and_inside_new_bars_win() {
    let case = hourly();
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-01-03");
    case.download(&provider, ("2024-01-01", None), "2024-01-02")
        .unwrap();
    provider.set_close("2024-01-01T20:00:00Z", 50.0);
    provider.set_close("2024-01-01T03:00:00Z", 60.0);
    let gone = provider.rows.remove(&time("2024-01-01T22:00:00Z")).unwrap();
    let report = case
        .download(&provider, ("2024-01-01T12:00:00Z", None), "2024-01-03")
        .unwrap();
    assert_eq!(
        (report.bars, report.added, report.changed, report.removed),
        (48, 24, 1, 0)
    );
    assert_eq!(report.differences[0].fetched.close, 50.0);
    let stored = case.stored().bars;
    assert_eq!((stored.bar(20).close, stored.bar(22).close), (50.0, gone.close));
    assert!(stored.bar(3).close != 60.0);
}

#[test]
fn a_download_of_nothing_new_touches_nothing() {
    for revises_history in [false, true] {
        let case = hourly();
        let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-01-03");
        provider.revises_history = revises_history;
        case.download(&provider, ("2024-01-01", None), "2024-01-03")
            .unwrap();
        let before = case.files();
        let report = case
            .download(&provider, ("2024-01-02", None), "2024-01-03")
            .unwrap();
        assert_eq!((report.outcome, report.bars), (Outcome::Unchanged, 48));
        assert_eq!(case.files(), before);
    }
}

#[test]
fn a_provider_that_revises_is_asked_for_everything_that_is_stored() {
    let case = hourly();
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
    provider.revises_history = true;
    case.download(&provider, ("2024-01-02", Some("2024-01-05")), "2024-01-20")
        .unwrap();
    provider.calls();
    // A split: every price is half of what it was.
    for row in provider.rows.values_mut() {
        *row = super::row(row.stamp, row.close / 2.0);
    }
    let report = case
        .download(&provider, ("2024-01-04", Some("2024-01-06")), "2024-01-20")
        .unwrap();
    assert_eq!(provider.calls(), ["2024-01-02T00:00:00Z/2024-01-06T00:00:00Z"]);
    assert_eq!((report.bars, report.added, report.changed), (96, 24, 72));
    assert!(case.stored().bars.iter().all(|bar| bar.close < 60.0));

    // It lost the beginning of what it had revised: the old prices must not stand beside the new ones.
    for row in provider.rows.values_mut() {
        *row = super::row(row.stamp, row.close / 2.0);
    }
    let provider = provider.without("2024-01-02", "2024-01-03");
    let before = case.files();
    let error = case
        .download(&provider, ("2024-01-04", None), "2024-01-20")
        .unwrap_err();
    let message = error.to_string();
    assert!(
        matches!(error, UpdateError::LostHistory { count: 24, .. }),
        "{message}"
    );
    assert!(
        message.contains("--replace") && message.contains("2024-01-03"),
        "{message}"
    );
    assert_eq!(case.files(), before);
}

#[test]
fn bars_of_another_source_are_refused_and_replaced_on_request() {
    let case = daily();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
    let span = ("2024-01-01", None);
    let bars = {
        case.download(&provider, span, "2024-01-20").unwrap();
        case.stored().bars
    };
    let store = |source: &str, synthetic: bool, raw: bool| {
        let raw = raw.then(|| crate::RawBars {
            bars: bars.clone(),
            adjustment_factor: vec![1.0; bars.len()],
            adjustment: "splits by the factor file x.csv".to_owned(),
        });
        let provenance = Provenance {
            source: source.to_owned(),
            synthetic,
        };
        case.lake
            .write_bars(&case.key, &bars, raw.as_ref(), &provenance)
            .unwrap();
    };
    let own = "scripted: X [prices: none: as traded]";
    for (source, synthetic, raw, there) in [
        ("CSV file x_1d.csv", false, false, "CSV file x_1d.csv"),
        ("CSV file x_1d.csv", false, true, "factor file x.csv"),
        (own, true, false, "generator"),
        (own, false, true, "factor file x.csv"),
        ("other: X [prices: none: as traded]", false, false, "other: X"),
        ("scripted: X [prices: splits]", false, false, "splits"),
        (
            "scripted: Y [prices: none: as traded]",
            false,
            false,
            "scripted: Y",
        ),
    ] {
        store(source, synthetic, raw);
        let before = case.files();
        for error in [
            case.download(&provider, span, "2024-01-20").unwrap_err(),
            case.update(&provider, "2024-01-20")
                .map(|_| ())
                .err()
                .unwrap_or_else(|| {
                    // Nothing was asked, so that the provider's words about the source are not known yet.
                    case.update(&provider, "2024-01-28").unwrap_err()
                }),
        ] {
            let message = error.to_string();
            assert!(
                matches!(error, UpdateError::OtherSource { .. }),
                "{source}: {message}"
            );
            assert!(
                message.contains(there) && message.contains("--replace"),
                "{source}: {message}"
            );
            assert!(message.contains("X_1D.parquet"), "{source}: {message}");
        }
        assert_eq!(case.files(), before);
    }
    let request = DownloadRequest {
        existing: Existing::Replace,
        ..case.request("2024-01-08", None)
    };
    let report = download(&case.lake, &provider, &request, time("2024-01-20"), &Silent).unwrap();
    assert_eq!((report.bars, report.added, report.source.as_str()), (9, 9, own));
}

#[test]
fn a_damaged_file_is_refused_and_replaced_on_request() {
    let case = daily();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
    let good = case
        .download(&provider, ("2024-01-01", None), "2024-01-20")
        .unwrap();
    std::fs::write(&good.path, b"PAR1 half").unwrap();
    assert!(
        case.download(&provider, ("2024-01-01", None), "2024-01-20")
            .is_err()
    );
    assert!(case.update(&provider, "2024-01-20").is_err());
    let request = DownloadRequest {
        existing: Existing::Replace,
        ..case.request("2024-01-01", None)
    };
    let again = download(&case.lake, &provider, &request, time("2024-01-20"), &Silent).unwrap();
    assert_eq!(again.digest, good.digest);
}

#[test]
fn bad_rows_are_refused_by_name_or_set_aside() {
    let case = hourly();
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-01-02");
    let bad = |stamp: &str, close: f64| FetchedBar {
        close,
        ..row(time(stamp), 100.0)
    };
    for row in [
        bad("2024-01-01T02:00:00Z", f64::NAN),
        bad("2024-01-01T05:00:00Z", 900.0),
        bad("2024-01-01T05:10:00Z", 100.0),
    ] {
        provider.rows.insert(row.stamp, row);
    }
    let error = case
        .download(&provider, ("2024-01-01", None), "2024-01-02")
        .unwrap_err();
    let message = error.to_string();
    let UpdateError::Rows(refused) = error else {
        panic!("{message}")
    };
    assert_eq!(
        refused.by_rule,
        [(Rule::Nan, 1), (Rule::OhlcConsistency, 1), (Rule::StampGrid, 1)]
    );
    assert_eq!(
        refused.first.iter().map(|defect| defect.row).collect::<Vec<_>>(),
        [3, 6, 7]
    );
    for part in [
        "row 3, close at 2024-01-01T02:00:00Z: found `NaN`",
        "X_1H.quarantine.csv",
        "--quarantine",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(case.names().is_empty());

    let request = DownloadRequest {
        bad_rows: BadRows::Quarantine,
        ..case.request("2024-01-01", None)
    };
    let report = download(&case.lake, &provider, &request, time("2024-01-02"), &Silent).unwrap();
    assert_eq!((report.bars, report.quarantined), (22, refused.by_rule));
    let text = std::fs::read_to_string(report.quarantine.unwrap()).unwrap();
    assert_eq!(
        text,
        "row,rule,timestamp,open,high,low,close,volume\n\
         3,nan,2024-01-01T02:00:00Z,99.75,101,99,NaN,1100\n\
         6,ohlc_consistency,2024-01-01T05:00:00Z,99.75,101,99,900,1100\n\
         7,stamp_grid,2024-01-01T05:10:00Z,99.75,101,99,100,1100\n"
    );
    // The two bars that are missing for it are not asked for again, and setting them aside again adds nothing.
    assert_eq!(report.holes.len(), 2);
    let before = case.files();
    download(&case.lake, &provider, &request, time("2024-01-02"), &Silent).unwrap();
    assert_eq!(case.files(), before);

    // A replacement without bad rows has no file of them.
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-01-02");
    let request = DownloadRequest {
        existing: Existing::Replace,
        ..case.request("2024-01-01", None)
    };
    download(&case.lake, &provider, &request, time("2024-01-02"), &Silent).unwrap();
    assert_eq!(case.names(), ["X_1H.parquet"]);
}

#[test]
fn an_empty_answer_changes_nothing() {
    let case = daily();
    let nothing = Scripted::new(&case.key, "2023-01-01", "2023-01-02");
    let error = case
        .download(&nothing, ("2024-01-01", None), "2024-02-01")
        .unwrap_err();
    assert!(matches!(error, UpdateError::Empty { .. }), "{error}");
    assert!(case.names().is_empty());

    let provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
    case.download(&provider, ("2024-01-01", None), "2024-01-20")
        .unwrap();
    let before = case.files();
    let report = case
        .download(&nothing, ("2024-01-01", None), "2024-01-20")
        .unwrap();
    assert_eq!(report.outcome, Outcome::Unchanged);
    assert_eq!(case.files(), before);
}

#[test]
fn requests_that_make_no_sense_are_refused_before_anyone_is_asked() {
    let case = daily();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
    for (span, now, part) in [
        (("2024-02-01", None), "2024-01-20", "before now"),
        (("2024-01-05", Some("2024-01-04")), "2024-01-20", "before the end"),
        (
            ("2024-01-06", Some("2024-01-08")),
            "2024-01-20",
            "no bar of the calendar",
        ),
        (("2024-01-06", None), "2031-01-20", "2030-12-31"),
    ] {
        let message = case.download(&provider, span, now).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(provider.calls(), [""; 0]);
}

#[test]
fn a_symbol_that_is_there_in_another_case_is_refused_before_anyone_is_asked() {
    let case = hourly();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
    case.download(&provider, ("2024-01-01", None), "2024-01-20")
        .unwrap();
    provider.calls();
    let request = DownloadRequest {
        key: BarKey::new(AssetClass::Crypto, "x", Timeframe::H1).unwrap(),
        ..case.request("2024-01-01", None)
    };
    let error = download(&case.lake, &provider, &request, time("2024-01-20"), &Silent).unwrap_err();
    assert!(error.to_string().contains("upper and lower case"), "{error}");
    assert_eq!(provider.calls(), [""; 0]);
}

#[test]
fn a_provider_that_breaks_its_promises_is_caught() {
    let case = hourly();
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-02-01");
    provider.stray = vec![row(time("2023-12-31T23:00:00Z"), 100.0)];
    let error = case
        .download(&provider, ("2024-01-01", None), "2024-01-20")
        .unwrap_err();
    assert!(error.to_string().contains("2023-12-31T23:00:00Z"), "{error}");
    provider.stray = vec![row(time("2024-01-02T12:00:00Z"), 7.0)];
    let error = case
        .download(&provider, ("2024-01-01", None), "2024-01-20")
        .unwrap_err();
    assert!(error.to_string().contains("duplicates"), "{error}");
    assert!(case.names().is_empty());
}

#[test]
fn an_import_drops_the_memory_of_holes() {
    let case = hourly();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-01-10").without("2024-01-02", "2024-01-03");
    case.download(&provider, ("2024-01-01", None), "2024-01-10")
        .unwrap();
    assert_eq!(case.names(), ["X_1H.holes.json", "X_1H.parquet"]);
    let csv = case.lake.root().join("in.csv");
    std::fs::write(
        &csv,
        "timestamp,open,high,low,close,volume\n2024-01-01T00:00:00Z,2,3,1,2,10\n",
    )
    .unwrap();
    crate::import_csv(&case.lake, &crate::ImportRequest::new(&csv, &case.key), &Silent).unwrap();
    assert_eq!(case.names(), ["X_1H.parquet", "in.csv"]);
}
