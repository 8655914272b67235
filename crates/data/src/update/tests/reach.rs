//! Providers of a limited history, and bars that are not settled.

use super::*;

/// A lake with the hours of January 2024 from the 1st to before the 20th but for those of the 3rd, none remembered as a
/// hole; and a provider that has all of them.
fn with_gap() -> (Case, Scripted) {
    let case = Case::new(AssetClass::Crypto, Timeframe::H1);
    let provider = Scripted::new(&case.key, "2024-01-01", "2024-03-01");
    for span in [
        ("2024-01-01", Some("2024-01-03")),
        ("2024-01-04", Some("2024-01-20")),
    ] {
        case.download(&provider, span, "2024-01-20").unwrap();
    }
    provider.calls();
    (case, provider)
}

fn hours(first: &str, last: &str) -> SlotRange {
    SlotRange {
        first: time(first),
        last: time(last),
    }
}

#[test]
fn a_gap_out_of_reach_is_reported_and_growth_is_fetched() {
    let (case, mut provider) = with_gap();
    provider.earliest = time("2024-01-10");
    for (now, added) in [("2024-01-21", 24), ("2024-01-22", 24), ("2024-01-22", 0)] {
        let report = case.update(&provider, now).unwrap();
        let gap = hours("2024-01-03", "2024-01-03T23:00:00Z");
        assert_eq!((report.added, report.unreachable), (added, vec![gap]));
        assert_eq!(report.holes, []);
        assert_eq!(case.names(), ["X_1H.parquet"]);
    }
    // Where the provider reaches back again, the gap is filled.
    provider.earliest = UtcNanos::MIN;
    let report = case.update(&provider, "2024-01-22").unwrap();
    assert_eq!((report.added, report.unreachable), (24, vec![]));
    assert_eq!(
        report.digest,
        case.digest_of_all(&provider, "2024-01-01", "2024-01-22")
    );
}

#[test]
fn the_part_of_a_gap_within_reach_is_filled() {
    let (case, mut provider) = with_gap();
    provider.earliest = time("2024-01-03T12:30:00Z");
    let report = case.update(&provider, "2024-01-20").unwrap();
    let rest = hours("2024-01-03", "2024-01-03T12:00:00Z");
    assert_eq!((report.added, report.unreachable), (11, vec![rest]));
}

#[test]
fn growth_that_cannot_be_compared_is_refused_where_history_is_revised() {
    let (case, mut provider) = with_gap();
    provider.earliest = time("2024-02-01");
    provider.revises_history = true;
    let before = case.files();
    let error = case.update(&provider, "2024-02-10").unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, UpdateError::StoredOutOfReach { .. }), "{message}");
    assert!(
        message.contains("2024-02-01") && message.contains("--provider scripted --replace"),
        "{message}"
    );
    assert_eq!(case.files(), before);
    // Where it is final there is a gap.
    provider.revises_history = false;
    let report = case.update(&provider, "2024-02-10").unwrap();
    let between = hours("2024-01-20", "2024-01-31T23:00:00Z");
    assert_eq!(report.added, 9 * 24);
    assert_eq!(report.unreachable.last(), Some(&between));
}

#[test]
fn a_reload_and_a_download_out_of_reach_name_the_command_that_replaces() {
    let (case, mut provider) = with_gap();
    provider.earliest = time("2024-01-10");
    provider.revises_history = true;
    for row in provider.rows.values_mut() {
        *row = super::row(row.stamp, row.close / 4.0);
    }
    let before = case.files();
    let reload = case.update(&provider, "2024-01-21").unwrap_err();
    let download = case
        .download(&provider, ("2024-01-15", None), "2024-01-21")
        .unwrap_err();
    for error in [reload, download] {
        let message = error.to_string();
        assert!(matches!(error, UpdateError::StoredOutOfReach { .. }), "{message}");
        assert!(message.contains("--replace"), "{message}");
    }
    assert_eq!(case.files(), before);
}

#[test]
fn a_bar_that_may_still_be_corrected_counts_as_forming() {
    let case = Case::new(AssetClass::Crypto, Timeframe::H1);
    let mut provider = Scripted::new(&case.key, "2024-01-01", "2024-03-01");
    provider.settling_seconds = 60;
    let report = case
        .download(&provider, ("2024-01-01", None), "2024-01-02T00:00:59.999Z")
        .unwrap();
    // The one that has just closed, and the one that has just begun.
    assert_eq!((report.bars, report.forming), (23, 2));
    provider.calls();
    let report = case.update(&provider, "2024-01-02T00:00:59.999Z").unwrap();
    assert_eq!((report.added, provider.calls()), (0, vec![]));
    let report = case.update(&provider, "2024-01-02T00:01:00Z").unwrap();
    assert_eq!((report.added, report.bars), (1, 24));
}
