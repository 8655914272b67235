//! A report with intervals has to be cheap enough to print after every run.
#![allow(clippy::disallowed_methods, reason = "this test measures time")]

use std::time::{Duration, Instant};

use sextant_metrics::*;

const DAY: i64 = 86_400_000_000_000;

#[test]
fn a_report_of_ten_years_with_a_thousand_resamples_takes_less_than_a_fifth_of_a_second() {
    let mut random = SplitMix64::new(11);
    let mut nav = 1_000_000.0;
    let mark = |day: i64| {
        nav *= 1.0004 + 0.02 * (random.next_u64() as f64 / u64::MAX as f64 - 0.5);
        NavMark {
            time_ns: day * DAY,
            nav,
        }
    };
    let nav = NavSeries::new(0, 1_000_000.0, (1..=3653).map(mark).collect()).unwrap();
    let input = PerformanceInput::new(&nav, PeriodsPerYear::CRYPTO);
    let run = |_| {
        let start = Instant::now();
        let report = PerformanceReport::compute(&input).unwrap();
        assert!(report.get(MetricName::Calmar).unwrap().value.interval().is_some());
        start.elapsed()
    };
    // The fastest of five, because the machine may be busy with something else.
    let fastest = (0..5).map(run).min().unwrap();
    eprintln!("report of 3,653 days with 1,000 resamples: {fastest:?}");
    assert!(fastest < Duration::from_millis(200), "{fastest:?}");
}

#[test]
fn overfitting_of_two_hundred_trials_in_sixteen_blocks_takes_less_than_five_seconds() {
    let mut random = SplitMix64::new(12);
    let mut column = |_| {
        let uniform = |_| random.next_u64() as f64 / u64::MAX as f64;
        Returns::new((0..2520).map(uniform).map(|u| 0.02 * u - 0.01).collect()).unwrap()
    };
    let matrix = TrialMatrix::new((0..200).map(&mut column).collect()).unwrap();
    let start = Instant::now();
    let result = cscv(&matrix, default_block_count(2520)).unwrap();
    let elapsed = start.elapsed();
    eprintln!("12,870 splits of 200 trials: {elapsed:?}");
    assert_eq!(result.splits.len(), 12_870);
    assert!(
        (0.2..0.8).contains(&result.pbo().value.value().unwrap()),
        "noise should be near one half"
    );
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}
