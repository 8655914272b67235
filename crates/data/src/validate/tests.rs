//! Each rule on columns that break it.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::{ActionKind, CorporateAction, SecurityHistory, SecurityId, TickerSpan};

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

fn view(columns: &Columns) -> BarsView<'_> {
    let [open, high, low, close, volume] = &columns.values;
    BarsView {
        open_time: &columns.open_time,
        close_time: &columns.close_time,
        open,
        high,
        low,
        close,
        volume,
    }
}

fn report(columns: &Columns) -> ValidationReport {
    validate_bars(view(columns), AssetClass::Crypto, Timeframe::D1)
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
    let report = report(&kept(&whole, &[0, 1, 4, 5, 7, 9]));
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
    assert!(
        validate_bars(view(&columns), AssetClass::Fx, Timeframe::D1)
            .findings
            .is_empty()
    );
    assert_eq!(report(&columns).count(Rule::ZeroVolume), 1);
}

/// The days of [`days`] at these places only.
fn kept(columns: &Columns, places: &[i64]) -> Columns {
    let at = |times: &[UtcNanos]| places.iter().map(|place| times[*place as usize]).collect();
    Columns {
        open_time: at(&columns.open_time),
        close_time: at(&columns.close_time),
        values: [0, 1, 2, 3, 4].map(|field: usize| vec![columns.values[field][0]; places.len()]),
    }
}

#[test]
fn holes_are_longer_than_five_days_or_four() {
    let whole = days(30);
    let report = report(&kept(&whole, &[0, 1, 6, 12, 13]));
    assert_eq!(report.count(Rule::Holes), 1);
    let holes = report
        .findings
        .iter()
        .find(|finding| finding.rule == Rule::Holes)
        .unwrap();
    assert_eq!(
        holes.examples[0].to_string(),
        "1970-01-13T00:00:00Z: after 1970-01-07T00:00:00Z"
    );
    let columns = kept(&whole, &[0, 4, 9]);
    let hours = validate_bars(view(&columns), AssetClass::Crypto, Timeframe::H4);
    assert_eq!(hours.count(Rule::Holes), 1);
}

#[test]
fn a_ticker_without_a_history_is_suspected_by_its_looks() {
    let split = |date: &str, new_per_old| {
        let kind = ActionKind::Split { new_per_old };
        let ex_date = date.parse().unwrap();
        EventList::new("splits", [CorporateAction { ex_date, kind }]).unwrap()
    };
    let whole = days(500);
    let key = BarKey::new(AssetClass::Crypto, "X", Timeframe::D1).unwrap();
    for (place, factor, events, suspected) in [
        (1, 8.9, None, 0),
        (1, 9.0, None, 1),
        (1, 1.0 / 8.9, None, 0),
        (1, 1.0 / 9.1, None, 1),
        (1, 20.0, Some(split("1970-01-02", 0.05)), 0),
        (1, 20.0, Some(split("1970-01-02", 20.0)), 1),
        (1, 20.0, Some(split("1970-01-03", 0.05)), 1),
        (30, 2.0, None, 0),
        (31, 2.0, None, 1),
        (31, 1.4, None, 0),
        (31, 0.5, None, 1),
        (31, 0.5, Some(split("1970-01-20", 2.0)), 0),
        (365, 1.0, None, 0),
        (366, 1.0, None, 1),
        (1, f64::NAN, None, 0),
        (1, f64::INFINITY, None, 0),
        (1, 0.0, None, 0),
        (1, -20.0, None, 0),
    ] {
        let mut columns = kept(&whole, &[0, place]);
        for values in &mut columns.values[..4] {
            values[1] *= factor;
        }
        let context = ValidationContext {
            tickers: None,
            events: events.as_ref(),
        };
        let report = validate_bars_with(view(&columns), &key, context);
        assert_eq!(
            report.count(Rule::SuspectedReuse),
            suspected,
            "{place} {factor} {events:?}"
        );
        assert_eq!(report.count(Rule::ReusedTicker), 0);
    }
    // Bars in disorder are an error of their own.
    let mut columns = kept(&whole, &[0, 400]);
    columns.open_time.reverse();
    assert_eq!(report(&columns).count(Rule::SuspectedReuse), 0);
}

#[test]
fn a_known_ticker_is_judged_by_its_history_alone() {
    let security = |id: &str, first: &str, last: Option<&str>| {
        let span = TickerSpan {
            ticker: "X".to_owned(),
            first: Some(first.parse().unwrap()),
            last: last.map(|date| date.parse().unwrap()),
            exchange: None,
        };
        SecurityHistory::new(SecurityId::new(id).unwrap(), vec![span]).unwrap()
    };
    let mapper = |class, securities| TickerMapper::new(class, securities).unwrap();
    let whole = days(500);
    let columns = kept(&whole, &[0, 1, 400, 401]);
    let key = BarKey::new(AssetClass::Crypto, "x", Timeframe::D1).unwrap();
    let crypto = AssetClass::Crypto;
    let two = vec![
        security("X.1", "1970-01-01", Some("1970-01-02")),
        security("X", "1971-02-05", None),
    ];
    for (tickers, reused, suspected) in [
        (mapper(crypto, vec![security("X", "1970-01-01", None)]), 0, 0),
        (mapper(crypto, two.clone()), 1, 0),
        (mapper(crypto, vec![security("X", "1970-01-02", None)]), 1, 0),
        (mapper(crypto, Vec::new()), 0, 1),
        (mapper(AssetClass::Equity, two), 0, 1),
        // Two securities at once: nobody can say whose bars they are.
        (
            mapper(
                crypto,
                vec![
                    security("X.1", "1970-01-01", None),
                    security("X", "1970-01-02", None),
                ],
            ),
            1,
            0,
        ),
    ] {
        let context = ValidationContext {
            tickers: Some(&tickers),
            events: None,
        };
        let report = validate_bars_with(view(&columns), &key, context);
        let found = (
            report.count(Rule::ReusedTicker),
            report.count(Rule::SuspectedReuse),
        );
        assert_eq!(found, (reused, suspected), "{tickers:?}: {report:?}");
        assert_eq!(report.has_errors(), reused > 0);
    }
}
