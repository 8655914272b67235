//! Bars of a span equal those of the lake, and come from no more files than needed.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sextant_data::{BarKey, RawBars, resample};
use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};

use crate::support::{TestLake, bars, cut, key, time};

const HOUR: i64 = 3_600_000_000_000;

/// From the autumn to the spring, with both changes of the clock of New York.
const SEASON: [&str; 2] = ["2019-10-28", "2020-03-13"];

fn season() -> std::ops::Range<i64> {
    time(SEASON[0]).nanos() - 90 * HOUR..time(SEASON[1]).nanos() + 90 * HOUR
}

/// Random spans over lakes that are written once, not once per span.
fn runner() -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    })
}

#[test]
fn spans_of_stored_series_equal_the_lake() {
    let lake = TestLake::new();
    let keys = [
        key(AssetClass::Crypto, "BTC-USD", Timeframe::M15),
        key(AssetClass::Equity, "SPY", Timeframe::H1),
    ];
    for key in &keys {
        lake.write(key, &bars(key.class(), key.timeframe(), SEASON));
    }
    let query = lake.query();
    let whole = keys.each_ref().map(|key| lake.load(key));
    let span = (0..2_usize, season(), 0..3_000 * HOUR);
    let mut runner = runner();
    let checked = runner.run(&span, |(series, from, length)| {
        let (from, to) = (UtcNanos::from_nanos(from), UtcNanos::from_nanos(from + length));
        let found = query.query(&keys[series], from, to).unwrap();
        prop_assert_eq!(found, cut(&whole[series], from, to));
        Ok(())
    });
    checked.unwrap();
    for (key, whole) in keys.iter().zip(&whole) {
        assert_eq!(&query.query(key, UtcNanos::MIN, UtcNanos::MAX).unwrap(), whole);
        assert!(
            query
                .query(key, time("2020-01-02"), time("2020-01-02"))
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn timeframes_that_are_not_stored_equal_the_whole_series_resampled() {
    let lake = TestLake::new();
    let sources = [
        key(AssetClass::Equity, "SPY", Timeframe::M30),
        key(AssetClass::Crypto, "BTC-USD", Timeframe::M30),
    ];
    let targets = [Timeframe::H1, Timeframe::H4, Timeframe::D1];
    for key in &sources {
        lake.write(key, &bars(key.class(), key.timeframe(), SEASON));
    }
    let query = lake.query();
    let whole = |source: &BarKey, to| {
        let made = resample(&lake.load(source), source.class(), source.timeframe(), to);
        made.unwrap().bars
    };
    let span = (0..2_usize, 0..3_usize, season(), 0..1_000 * HOUR);
    let mut runner = runner();
    let checked = runner.run(&span, |(series, target, from, length)| {
        let (from, to) = (UtcNanos::from_nanos(from), UtcNanos::from_nanos(from + length));
        let (source, target) = (&sources[series], targets[target]);
        let found = query.query(&source.with_timeframe(target), from, to).unwrap();
        prop_assert_eq!(found, cut(&whole(source, target), from, to));
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn a_window_before_a_hole_is_over_when_a_later_bar_says_so() {
    let lake = TestLake::new();
    let source = key(AssetClass::Crypto, "ETH-USD", Timeframe::M30);
    let some = bars(
        AssetClass::Crypto,
        Timeframe::M30,
        ["2020-01-01", "2020-01-02T22:00:00Z"],
    );
    let later = bars(AssetClass::Crypto, Timeframe::M30, ["2020-02-20", "2020-02-21"]);
    let daily = source.with_timeframe(Timeframe::D1);
    let january = |lake: &TestLake| {
        lake.query()
            .query(&daily, time("2020-01-01"), time("2020-01-03"))
            .unwrap()
    };
    lake.write(&source, &some);
    assert_eq!(january(&lake).len(), 1, "the second day may not be over");
    lake.write(
        &source,
        &BarSeries::from_bars(some.iter().chain(later.iter())).unwrap(),
    );
    assert_eq!(january(&lake).len(), 2);
}

#[test]
fn a_query_opens_only_the_partitions_it_needs() {
    let lake = TestLake::new();
    let key = key(AssetClass::Crypto, "BTC-USD", Timeframe::M30);
    lake.write(
        &key,
        &bars(AssetClass::Crypto, Timeframe::M30, ["2019-11-01", "2020-04-01"]),
    );
    let whole = lake.load(&key);
    let files = lake.files(&key);
    assert_eq!(files.len(), 5);
    for path in [&files[0], &files[1], &files[3]] {
        std::fs::write(path, b"damaged").unwrap();
    }
    std::fs::remove_file(&files[4]).unwrap();
    let query = lake.query();
    let january = [time("2020-01-01"), time("2020-02-01")];
    let found = query.query(&key, january[0], january[1]).unwrap();
    assert_eq!(found, cut(&whole, january[0], january[1]));

    let message = query
        .query(&key, january[0], time("2020-02-02"))
        .unwrap_err()
        .to_string();
    assert!(message.contains(&files[3].display().to_string()), "{message}");
    assert!(message.contains("cargo xtask data import"), "{message}");
    let message = query
        .query(&key, time("2020-03-02"), time("2020-03-03"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("the index of its series lists it"), "{message}");
}

#[test]
fn every_flipped_bit_that_is_sampled_is_found_before_use() {
    let lake = TestLake::new();
    let keys = [
        key(AssetClass::Crypto, "BTC-USD", Timeframe::M30),
        key(AssetClass::Crypto, "BTC-USD", Timeframe::H4),
    ];
    let query = lake.query();
    for key in keys {
        lake.write(
            &key,
            &bars(AssetClass::Crypto, key.timeframe(), ["2020-01-01", "2020-01-20"]),
        );
        let path = lake.files(&key).remove(0);
        let good = std::fs::read(&path).unwrap();
        for position in (0..good.len()).step_by(good.len() / 40) {
            let mut bad = good.clone();
            bad[position] ^= 1 << (position % 8);
            std::fs::write(&path, &bad).unwrap();
            let message = query
                .query(&key, UtcNanos::MIN, UtcNanos::MAX)
                .unwrap_err()
                .to_string();
            assert!(
                message.contains(&path.display().to_string()),
                "byte {position}: {message}"
            );
            assert!(query.sql("SELECT 1").is_err(), "byte {position}");
        }
        std::fs::write(&path, &good).unwrap();
        assert!(query.query(&key, UtcNanos::MIN, UtcNanos::MAX).is_ok());
    }
}

#[test]
fn one_query_object_sees_each_new_series() {
    let lake = TestLake::new();
    let query = lake.query();
    let all = |key: &BarKey| query.query(key, UtcNanos::MIN, UtcNanos::MAX).unwrap();
    for timeframe in [Timeframe::M30, Timeframe::H4] {
        let key = key(AssetClass::Crypto, "X", timeframe);
        let series = bars(AssetClass::Crypto, timeframe, ["2020-01-20", "2020-02-10"]);
        for volume in 0..5 {
            // Files of the same length, written in the same moment.
            let changed = series.iter().map(|bar| Bar {
                volume: f64::from(volume),
                ..bar
            });
            let changed = BarSeries::from_bars(changed).unwrap();
            lake.write(&key, &changed);
            assert_eq!(all(&key), changed);
        }
    }
}

#[test]
fn times_finer_than_a_microsecond_are_not_cut() {
    let lake = TestLake::new();
    for timeframe in [Timeframe::M1, Timeframe::H1] {
        let key = key(AssetClass::Crypto, "X", timeframe);
        let bar = |open: i64| Bar {
            open_time: UtcNanos::from_nanos(open),
            close_time: UtcNanos::from_nanos(open + 3),
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            volume: 0.0,
        };
        lake.write(
            &key,
            &BarSeries::from_bars([bar(0), bar(5), bar(1_007), bar(HOUR)]).unwrap(),
        );
        let whole = lake.load(&key);
        for (from, to) in [(0, HOUR), (1, 1_008), (5, 1_007), (1_007, i64::MAX)] {
            let (from, to) = (UtcNanos::from_nanos(from), UtcNanos::from_nanos(to));
            assert_eq!(lake.query().query(&key, from, to).unwrap(), cut(&whole, from, to));
        }
    }
}

#[test]
fn adjusted_series_give_their_adjusted_prices() {
    let lake = TestLake::new();
    let key = key(AssetClass::Equity, "SPY", Timeframe::M5);
    let adjusted = bars(AssetClass::Equity, Timeframe::M5, ["2020-01-27", "2020-02-05"]);
    let raw = RawBars {
        bars: BarSeries::from_bars(adjusted.iter().map(|bar| Bar { volume: 1.0, ..bar })).unwrap(),
        adjustment_factor: vec![0.5; adjusted.len()],
        adjustment: "by half".to_owned(),
    };
    lake.write_raw(&key, &adjusted, Some(&raw));
    assert_eq!(
        lake.query().query(&key, UtcNanos::MIN, UtcNanos::MAX).unwrap(),
        adjusted
    );
}

#[test]
fn the_source_is_the_series_that_covers_most() {
    let lake = TestLake::new();
    let fine = key(AssetClass::Crypto, "X", Timeframe::M30);
    let coarse = fine.with_timeframe(Timeframe::H1);
    lake.write(
        &coarse,
        &bars(AssetClass::Crypto, Timeframe::H1, ["2019-01-01", "2019-03-01"]),
    );
    lake.write(
        &fine,
        &bars(AssetClass::Crypto, Timeframe::M30, ["2019-02-01", "2019-06-01"]),
    );
    let daily = fine.with_timeframe(Timeframe::D1);
    let query = lake.query();
    let days = |from, to| query.query(&daily, time(from), time(to)).unwrap().len();
    assert_eq!(days("2019-01-05", "2019-01-15"), 10);
    assert_eq!(days("2019-05-05", "2019-05-15"), 10);
    // Both cover it; the coarser one is less to read.
    std::fs::write(&lake.files(&fine)[0], b"damaged").unwrap();
    assert_eq!(days("2019-02-05", "2019-02-15"), 10);
}

#[test]
fn what_cannot_be_asked_is_named() {
    let lake = TestLake::new();
    let daily = key(AssetClass::Crypto, "X", Timeframe::D1);
    let query = lake.query();
    let message = |key: &BarKey, from, to| query.query(key, time(from), time(to)).unwrap_err().to_string();
    assert!(message(&daily, "2020-01-01", "2020-01-02").contains("is not in the lake"));
    lake.write(
        &daily,
        &bars(AssetClass::Crypto, Timeframe::D1, ["2020-01-01", "2020-02-01"]),
    );
    let finer = daily.with_timeframe(Timeframe::M5);
    let told = message(&finer, "2020-01-01", "2020-01-02");
    assert!(
        told.contains("there is: X 1D (crypto)") && told.contains("data import"),
        "{told}"
    );
    let told = message(&daily, "2020-01-02", "2020-01-01");
    assert!(told.contains("before it begins"), "{told}");
}
