//! Updates: growth, gaps, the seam, and what does not exist.

use super::*;

fn hourly() -> Case {
    Case::new(AssetClass::Crypto, Timeframe::H1)
}

#[test]
fn bars_must_be_there() {
    let case = hourly();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-01-10");
    let error = case.update(&provider, "2024-01-05").unwrap_err();
    assert!(matches!(error, UpdateError::NotThere { .. }));
    assert!(
        error
            .to_string()
            .contains("data download --symbols X --asset-class"),
        "{error}"
    );
    assert_eq!(provider.calls(), [""; 0]);
}

#[test]
fn growth_is_fetched_from_the_seam_on() {
    let case = hourly();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-01-10");
    case.download(&provider, ("2024-01-01", None), "2024-01-02")
        .unwrap();
    provider.calls();
    let report = case.update(&provider, "2024-01-03T00:30:00Z").unwrap();
    assert_eq!(provider.calls(), ["2024-01-01T21:00:00Z/2024-01-03T00:00:00Z"]);
    assert_eq!((report.added, report.bars, report.rows_read), (24, 48, 27));
    assert_eq!((report.outcome, report.reloaded), (Outcome::Written, None));
    assert_eq!(
        report.digest,
        case.digest_of_all(&provider, "2024-01-01", "2024-01-03T00:30:00Z")
    );
}

#[test]
fn an_update_without_news_asks_nothing_and_touches_nothing() {
    let case = hourly();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-01-10");
    case.download(&provider, ("2024-01-01", None), "2024-01-02")
        .unwrap();
    provider.calls();
    let before = case.files();
    for now in ["2024-01-02", "2024-01-02T00:59:59.999Z", "2023-06-01"] {
        let report = case.update(&provider, now).unwrap();
        assert_eq!((report.outcome, report.bars), (Outcome::Unchanged, 24));
        assert_eq!(provider.calls(), [""; 0]);
    }
    // The bar has closed, but the provider does not have it yet: it is asked for again next time.
    let late = Scripted::new(&case.key, "2024-01-01", "2024-01-02");
    for _ in 0..2 {
        let report = case.update(&late, "2024-01-02T01:00:00Z").unwrap();
        assert_eq!((report.outcome, report.holes.len()), (Outcome::Unchanged, 0));
        assert_eq!(late.calls(), ["2024-01-01T21:00:00Z/2024-01-02T01:00:00Z"]);
    }
    assert_eq!(case.files(), before);
    assert_eq!(case.update(&provider, "2024-01-02T01:00:00Z").unwrap().added, 1);
}

#[test]
fn gaps_are_filled() {
    let case = hourly();
    let whole = Scripted::new(&case.key, "2024-01-01", "2024-03-01");
    for span in [
        ("2024-01-01", Some("2024-01-02")),
        ("2024-01-03", Some("2024-01-04")),
        ("2024-02-01", Some("2024-02-03")),
    ] {
        case.download(&whole, span, "2024-02-03").unwrap();
    }
    whole.calls();
    let report = case.update(&whole, "2024-02-03").unwrap();
    // The seam is near enough to be asked for together with the gaps.
    assert_eq!(whole.calls(), ["2024-01-02T00:00:00Z/2024-02-03T00:00:00Z"]);
    assert_eq!(
        report.digest,
        case.digest_of_all(&whole, "2024-01-01", "2024-02-03")
    );
    assert_eq!(report.added, 24 + 28 * 24);
}

#[test]
fn holes_are_remembered_until_the_bars_are_replaced() {
    let case = hourly();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-01-20")
        .without("2024-01-02T05:00:00Z", "2024-01-02T08:00:00Z");
    // A gap that no download saw: it is asked for once.
    for span in [
        ("2024-01-01", Some("2024-01-02T05:00:00Z")),
        ("2024-01-02T08:00:00Z", Some("2024-01-05")),
    ] {
        case.download(&provider, span, "2024-01-05").unwrap();
    }
    provider.calls();
    let hole = SlotRange {
        first: time("2024-01-02T05:00:00Z"),
        last: time("2024-01-02T07:00:00Z"),
    };
    let report = case.update(&provider, "2024-01-05").unwrap();
    assert_eq!((report.outcome, report.holes), (Outcome::Unchanged, vec![hole]));
    assert_eq!(provider.calls(), ["2024-01-02T05:00:00Z/2024-01-05T00:00:00Z"]);
    let text = std::fs::read_to_string(case.lake.root().join("crypto/X_1H.holes.json")).unwrap();
    assert!(
        text.contains("\"provider\": \"scripted\"") && text.contains("2024-01-02T07:00:00Z"),
        "{text}"
    );

    let before = case.files();
    let report = case.update(&provider, "2024-01-05").unwrap();
    assert_eq!((provider.calls(), report.holes), (vec![], vec![hole]));
    assert_eq!(case.files(), before);
    // Growth asks beside the hole and keeps the memory.
    let report = case.update(&provider, "2024-01-06").unwrap();
    assert_eq!(provider.calls(), ["2024-01-04T21:00:00Z/2024-01-06T00:00:00Z"]);
    assert_eq!((report.added, report.holes), (24, vec![hole]));

    let request = DownloadRequest {
        existing: Existing::Replace,
        ..case.request("2024-01-03", None)
    };
    let report = download(&case.lake, &provider, &request, time("2024-01-06"), &Silent).unwrap();
    assert_eq!(report.holes, []);
    assert_eq!(case.names(), ["X_1H.parquet"]);
}

#[test]
fn a_memory_that_is_damaged_is_named_and_one_of_another_source_is_passed_over() {
    let case = hourly();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-01-20").without("2024-01-02", "2024-01-03");
    case.download(&provider, ("2024-01-01", None), "2024-01-05")
        .unwrap();
    let path = case.lake.root().join("crypto/X_1H.holes.json");
    let good = std::fs::read_to_string(&path).unwrap();
    let reversed = good.replace("2024-01-02T00:00:00Z", "2024-01-09");
    for damaged in [
        "",
        "{",
        "[]",
        "{\"holes\": []}",
        &good.replace("2024-01-02T", "x"),
        &reversed,
    ] {
        std::fs::write(&path, damaged).unwrap();
        let message = case.update(&provider, "2024-01-06").unwrap_err().to_string();
        assert!(
            message.contains("X_1H.holes.json") && message.contains("Remove the file"),
            "{message}"
        );
    }
    std::fs::write(&path, good.replace("scripted: X", "scripted: Y")).unwrap();
    provider.calls();
    case.update(&provider, "2024-01-05").unwrap();
    assert_eq!(provider.calls(), ["2024-01-02T00:00:00Z/2024-01-05T00:00:00Z"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), good);
}

#[test]
fn a_symbol_that_is_gone_costs_little() {
    let case = hourly();
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-01-10");
    case.download(&provider, ("2024-01-01", None), "2024-01-10")
        .unwrap();
    provider.calls();
    let report = case.update(&provider, "2024-03-01").unwrap();
    assert_eq!(provider.calls(), ["2024-01-09T21:00:00Z/2024-03-01T00:00:00Z"]);
    let gone = SlotRange {
        first: time("2024-01-10"),
        last: time("2024-02-22T23:00:00Z"),
    };
    assert_eq!(
        (report.outcome, report.holes.as_slice()),
        (Outcome::Unchanged, [gone].as_slice())
    );
    let before = case.files();
    case.update(&provider, "2024-03-01").unwrap();
    assert_eq!(
        provider.calls(),
        [
            "2024-01-09T21:00:00Z/2024-01-10T00:00:00Z",
            "2024-02-23T00:00:00Z/2024-03-01T00:00:00Z"
        ]
    );
    assert_eq!(case.files(), before);
}

#[test]
fn a_revised_seam_loads_everything_anew() {
    let case = hourly();
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-01-20");
    provider.revises_history = true;
    case.download(&provider, ("2024-01-01", None), "2024-01-05")
        .unwrap();
    provider.calls();
    for row in provider.rows.values_mut() {
        *row = super::row(row.stamp, row.close / 4.0);
    }
    provider.rows.remove(&time("2024-01-02T03:00:00Z"));
    let report = case.update(&provider, "2024-01-06").unwrap();
    assert_eq!(
        provider.calls(),
        [
            "2024-01-04T21:00:00Z/2024-01-06T00:00:00Z",
            "2024-01-01T00:00:00Z/2024-01-06T00:00:00Z"
        ]
    );
    let why = report.reloaded.unwrap();
    assert_eq!(why.stored.open_time, time("2024-01-04T21:00:00Z"));
    assert_eq!(why.stored.close, why.fetched.close * 4.0);
    assert_eq!(
        (report.added, report.changed, report.removed, report.bars),
        (24, 95, 1, 119)
    );
    assert_eq!((report.requests.len(), report.holes.len()), (2, 1));
    assert_eq!(
        report.digest,
        case.digest_of_all(&provider, "2024-01-01", "2024-01-06")
    );
}

#[test]
fn a_gap_is_not_filled_with_bars_of_another_adjustment() {
    let case = hourly();
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-01-20");
    let missing = time("2024-01-02T03:00:00Z");
    let row_of_gap = provider.rows.remove(&missing).unwrap();
    case.download(&provider, ("2024-01-01", None), "2024-01-20")
        .unwrap();
    std::fs::remove_file(case.lake.root().join("crypto/X_1H.holes.json")).unwrap();
    // The history is revised, the gap can be filled now, and no bar has closed since.
    provider.revises_history = true;
    provider.rows.insert(missing, row_of_gap);
    for row in provider.rows.values_mut() {
        *row = super::row(row.stamp, row.close / 4.0);
    }
    let report = case.update(&provider, "2024-01-20").unwrap();
    assert_eq!(
        report.reloaded.unwrap().stored.open_time,
        time("2024-01-19T21:00:00Z")
    );
    assert_eq!(
        report.digest,
        case.digest_of_all(&provider, "2024-01-01", "2024-01-20")
    );
}

#[test]
fn a_difference_at_the_seam_is_an_error_where_history_is_final() {
    let case = hourly();
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-01-20");
    case.download(&provider, ("2024-01-01", None), "2024-01-05")
        .unwrap();
    let before = case.files();
    provider.set_close("2024-01-04T22:00:00Z", 77.5);
    let error = case.update(&provider, "2024-01-06").unwrap_err();
    let message = error.to_string();
    assert!(
        matches!(error, UpdateError::Differs { count: 1, .. }),
        "{message}"
    );
    let was = case.stored().bars.bar(94).close;
    for part in [
        "2024-01-04T22:00:00Z",
        "close 77.5",
        &format!("close {was}"),
        "Nothing was changed",
        "--replace",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(case.files(), before);
    // Before the seam nobody looks.
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-01-20");
    provider.set_close("2024-01-04T20:00:00Z", 77.5);
    assert_eq!(case.update(&provider, "2024-01-06").unwrap().added, 24);
}

#[test]
fn bad_rows_of_updates_are_added_to_those_before() {
    let case = hourly();
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-01-20");
    provider.set_close("2024-01-01T05:00:00Z", -5.0);
    let request = DownloadRequest {
        bad_rows: BadRows::Quarantine,
        ..case.request("2024-01-01", None)
    };
    download(&case.lake, &provider, &request, time("2024-01-02"), &Silent).unwrap();
    provider.set_close("2024-01-02T05:00:00Z", -5.0);
    let before = case.files();
    assert!(matches!(
        case.update(&provider, "2024-01-03"),
        Err(UpdateError::Rows(_))
    ));
    assert_eq!(case.files(), before);
    let report = case
        .update_with(&provider, "2024-01-03", BadRows::Quarantine)
        .unwrap();
    let text = std::fs::read_to_string(report.quarantine.unwrap()).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .map(|line| line.split(",9").next().unwrap_or_default())
        .collect();
    assert_eq!(rows.len(), 3, "{text}");
    assert!(
        rows[1].starts_with("6,non_positive,2024-01-01T05")
            && rows[2].starts_with("9,non_positive,2024-01-02T05"),
        "{text}"
    );
    // Both bars are holes now; the next update asks for neither and is not stopped by them.
    assert_eq!((report.bars, report.holes.len()), (46, 2));
    provider.calls();
    assert_eq!(case.update(&provider, "2024-01-04").unwrap().added, 24);
    assert_eq!(provider.calls(), ["2024-01-02T21:00:00Z/2024-01-04T00:00:00Z"]);
}

/// Clocks change on 2024-03-10 and 2024-11-03; 2024-11-29 has an early close.
#[test]
fn hourly_equities_over_clock_changes_and_early_closes() {
    for stamp in [StampConvention::BarOpen, StampConvention::BarEnd] {
        for (start, nows) in [
            (
                "2024-03-07",
                [
                    "2024-03-08T19:10:00Z",
                    "2024-03-09",
                    "2024-03-11T15:00:00Z",
                    "2024-03-13",
                ],
            ),
            (
                "2024-10-31",
                [
                    "2024-11-01T18:30:00Z",
                    "2024-11-02",
                    "2024-11-04T15:30:00Z",
                    "2024-11-06",
                ],
            ),
            (
                "2024-11-27",
                [
                    "2024-11-27T20:59:00Z",
                    "2024-11-29T17:30:00Z",
                    "2024-11-29T18:00:00Z",
                    "2024-12-03",
                ],
            ),
        ] {
            let case = Case::new(AssetClass::Equity, Timeframe::H1);
            let mut provider = Scripted::new(&case.key, start, "2024-12-20");
            provider.stamp = stamp;
            let calendar = Calendar::for_class(AssetClass::Equity);
            if stamp == StampConvention::BarEnd {
                let ends = calendar.expected_bars(Timeframe::H1, time(start), time("2024-12-20"));
                provider.rows = ends
                    .iter()
                    .map(|slot| (slot.close_time, row(slot.close_time, 50.0)))
                    .collect();
            }
            // Trades outside of the session belong to no bar, on whatever day they come.
            for stamp in [
                "2024-03-11T12:00:00Z",
                "2024-11-29T19:00:00Z",
                "2024-11-29T20:00:00Z",
            ] {
                provider.rows.insert(time(stamp), row(time(stamp), 900.0));
            }
            case.download(&provider, (start, None), nows[0]).unwrap();
            for now in nows {
                let report = case.update(&provider, now).unwrap();
                let expected = calendar.expected_bars(Timeframe::H1, time(start), time(now));
                assert_eq!(report.bars, expected.len(), "{stamp:?} {now}");
                assert_eq!(
                    report.last,
                    expected.last().unwrap().close_time,
                    "{stamp:?} {now}"
                );
                assert_eq!(
                    report.digest,
                    case.digest_of_all(&provider, start, now),
                    "{stamp:?} {now}"
                );
                let before = case.files();
                assert_eq!(case.update(&provider, now).unwrap().outcome, Outcome::Unchanged);
                assert_eq!(provider.calls(), [""; 0], "{stamp:?} {now}");
                assert_eq!(case.files(), before);
            }
            assert!(case.stored().bars.iter().all(|bar| bar.close < 900.0));
        }
    }
}
