//! Each rule on columns that break it.
#![allow(clippy::unwrap_used)]

use super::*;

struct Columns {
    open_time: Vec<UtcNanos>,
    close_time: Vec<UtcNanos>,
    values: [Vec<f64>; 5],
}

/// Days of a round-the-clock market with close 100 and volume 1.
fn days(count: i64) -> Columns {
    let day = |n: i64| UtcNanos::from_nanos(n * Timeframe::D1.nanos());
    let column = |value: f64| vec![value; count as usize];
    Columns {
        open_time: (0..count).map(day).collect(),
        close_time: (1..=count).map(day).collect(),
        values: [
            column(100.0),
            column(101.0),
            column(99.0),
            column(100.0),
            column(1.0),
        ],
    }
}

fn report(columns: &Columns) -> ValidationReport {
    let [open, high, low, close, volume] = &columns.values;
    let (open_time, close_time) = (columns.open_time.as_slice(), columns.close_time.as_slice());
    let view = BarsView {
        open_time,
        close_time,
        open,
        high,
        low,
        close,
        volume,
    };
    validate_bars(view, AssetClass::Crypto, Timeframe::D1)
}

#[test]
fn clean_bars_break_no_rule() {
    for count in [0, 1, 10] {
        let report = report(&days(count));
        assert_eq!((report.rows, report.findings.len()), (count as usize, 0));
    }
}

#[test]
fn each_rule_finds_its_bar() {
    const OPEN: usize = 0;
    const HIGH: usize = 1;
    const LOW: usize = 2;
    const CLOSE: usize = 3;
    const VOLUME: usize = 4;
    for (column, value, rule) in [
        (OPEN, f64::NAN, Rule::Nan),
        (CLOSE, f64::INFINITY, Rule::Nan),
        (VOLUME, f64::NAN, Rule::Nan),
        (LOW, 0.0, Rule::NonPositive),
        (OPEN, -1.0, Rule::NonPositive),
        (VOLUME, -1.0, Rule::NegativeVolume),
        (HIGH, 99.5, Rule::OhlcConsistency),
        (LOW, 100.5, Rule::OhlcConsistency),
        (LOW, 69.9, Rule::SuspiciousWicks),
        (HIGH, 140.1, Rule::SuspiciousWicks),
        (VOLUME, 0.0, Rule::ZeroVolume),
    ] {
        let mut columns = days(9);
        columns.values[column][4] = value;
        let report = report(&columns);
        assert_eq!(report.count(rule), 1, "{rule} {value}");
        assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
        assert_eq!(report.findings[0].examples[0].time, Some(columns.open_time[4]));
        assert_eq!(report.has_errors(), rule.severity() == Severity::Error);
    }
}

#[test]
fn limits_themselves_are_allowed() {
    let mut columns = days(3);
    columns.values[2][1] = 0.7 * 100.0;
    columns.values[1][1] = 1.4 * 100.0;
    columns.values[3][2] = 140.0;
    columns.values[1][2] = 140.0;
    assert!(
        report(&columns).findings.is_empty(),
        "{:?}",
        report(&columns).findings
    );
}

#[test]
fn a_spike_is_seen_on_its_way_up_and_down() {
    let mut columns = days(5);
    for column in &mut columns.values[..4] {
        column[2] *= 2.0;
    }
    let report = report(&columns);
    assert_eq!(report.count(Rule::Spikes), 2);
    assert_eq!(
        report.findings[0].examples[0].to_string(),
        "1970-01-03T00:00:00Z: close 100 -> 200"
    );
}

#[test]
fn disorder_and_duplicates_are_told_apart() {
    let mut columns = days(6);
    columns.open_time[2] = columns.open_time[1];
    columns.open_time[4] = columns.open_time[3];
    columns.values[3][4] = 100.5;
    columns.open_time[5] = columns.open_time[0];
    let found = report(&columns);
    assert_eq!(found.count(Rule::IdenticalDuplicates), 1);
    assert_eq!(found.count(Rule::Duplicates), 1);
    assert_eq!(found.count(Rule::Monotonic), 1);
    let mut columns = days(3);
    columns.close_time[0] = columns.close_time[0].saturating_add(1);
    assert_eq!(report(&columns).count(Rule::Overlap), 1);
}

#[test]
fn gaps_are_counted_in_bars_and_listed_in_runs() {
    let whole = days(10);
    let keep = |columns: &Columns, kept: &[usize]| Columns {
        open_time: kept.iter().map(|index| columns.open_time[*index]).collect(),
        close_time: kept.iter().map(|index| columns.close_time[*index]).collect(),
        values: [0, 1, 2, 3, 4]
            .map(|field: usize| kept.iter().map(|index| columns.values[field][*index]).collect()),
    };
    let report = report(&keep(&whole, &[0, 1, 4, 5, 7, 9]));
    assert_eq!(report.count(Rule::Gaps), 4);
    let gaps = &report.findings[0];
    assert_eq!(gaps.examples.len(), 3);
    assert_eq!(
        gaps.examples[0].to_string(),
        "1970-01-03T00:00:00Z: 2 missing, the last from 1970-01-04T00:00:00Z to 1970-01-05T00:00:00Z"
    );
}

#[test]
fn currency_pairs_need_no_volume() {
    let mut columns = days(1);
    columns.values[4][0] = 0.0;
    let [open, high, low, close, volume] = &columns.values;
    let (open_time, close_time) = (columns.open_time.as_slice(), columns.close_time.as_slice());
    let view = BarsView {
        open_time,
        close_time,
        open,
        high,
        low,
        close,
        volume,
    };
    assert!(
        validate_bars(view, AssetClass::Fx, Timeframe::D1)
            .findings
            .is_empty()
    );
    assert_eq!(
        validate_bars(view, AssetClass::Crypto, Timeframe::D1).count(Rule::ZeroVolume),
        1
    );
}
