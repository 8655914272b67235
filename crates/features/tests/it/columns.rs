//! Columns as a feature source.

use sextant_domain::ports::FeatureSource;
use sextant_domain::{BarSeries, FeatureError, FeatureSpec, MarketData, SeriesId, Timeframe};
use sextant_features::{FeatureColumns, LiveFeature};
use sextant_testkit::MarketBuilder;
use sextant_testkit::bars::{Span, from_fn, instant, round_the_clock};

use crate::support::{Terrain, bits, column, two_series, walk};

fn market() -> MarketData {
    two_series(walk(Terrain::Wide, 50, 1), walk(Terrain::Wide, 50, 2))
}

fn ids(positions: &[usize]) -> Vec<SeriesId> {
    positions
        .iter()
        .map(|position| SeriesId::from_index(*position))
        .collect()
}

#[test]
fn equal_features_share_a_column() {
    let (market, mut columns) = (market(), FeatureColumns::new());
    let mut prepare = |name: &str, parameters: &[(&str, f64)], inputs: &[usize]| {
        columns
            .prepare(&FeatureSpec::new(name, parameters), &ids(inputs), &market)
            .unwrap()
    };
    let first = prepare("sma", &[("period", 20.0)], &[0]);
    assert_eq!(prepare("sma", &[("period", 20.0)], &[0]), first);
    assert_eq!(prepare("sma", &[], &[0]), first, "20 is the default");
    let others = [
        prepare("sma", &[("period", 21.0)], &[0]),
        prepare("sma", &[], &[1]),
        prepare("ema", &[], &[0]),
        prepare("beta", &[("period", 20.0)], &[0, 1]),
        prepare("beta", &[("period", 20.0)], &[1, 0]),
    ];
    let places: Vec<_> = others.iter().map(|id| id.index()).collect();
    assert_eq!((first.index(), places), (0, vec![1, 2, 3, 4, 5]));
}

#[test]
fn a_wrong_request_is_named_and_leaves_nothing_behind() {
    let (market, mut columns) = (market(), FeatureColumns::new());
    let mut prepare = |name: &str, parameters: &[(&str, f64)], inputs: &[usize]| {
        columns.prepare(&FeatureSpec::new(name, parameters), &ids(inputs), &market)
    };
    let one = FeatureError::Inputs {
        name: "beta".into(),
        expected: 2,
        found: 1,
    };
    assert_eq!(prepare("beta", &[], &[0]), Err(one));
    let none = FeatureError::Inputs {
        name: "sma".into(),
        expected: 1,
        found: 0,
    };
    assert_eq!(prepare("sma", &[], &[]), Err(none));
    assert!(matches!(
        prepare("sma", &[], &[0, 1]),
        Err(FeatureError::Inputs {
            expected: 1,
            found: 2,
            ..
        })
    ));
    assert!(matches!(
        prepare("vwap", &[], &[0]),
        Err(FeatureError::UnknownName { .. })
    ));
    assert!(matches!(
        prepare("sma", &[("n", 2.0)], &[0]),
        Err(FeatureError::UnknownParameter { .. })
    ));
    assert!(matches!(
        prepare("sma", &[("period", 0.0)], &[0]),
        Err(FeatureError::BadParameter { .. })
    ));
    assert_eq!(prepare("sma", &[], &[0]).map(|id| id.index()), Ok(0));
}

/// Each asset bar is paired with the newest benchmark bar that had closed by then: hand-made times, where the benchmark
/// starts late, closes once at the very instant of the asset and once a nanosecond after it.
#[test]
fn a_benchmark_counts_from_its_close_on() {
    let assets = round_the_clock(instant("2020-01-01"), Timeframe::H4, 6);
    let close = |index: usize, nanos: i64| assets[index].close_time.saturating_add(nanos);
    let span = |open_time, close_time| Span {
        open_time,
        close_time,
    };
    let benchmarks = [
        span(close(0, 0), close(1, 0)),
        span(close(1, 0), close(2, 1)),
        span(close(2, 1), close(4, -5)),
        span(close(4, -5), close(4, -1)),
        span(close(4, 0), close(5, 0)),
    ];
    let market = MarketBuilder::new()
        .crypto("AAA", Timeframe::H4)
        .crypto("BBB", Timeframe::H4)
        .closes("AAA", Timeframe::H4, &assets, &[1.0, 2.0, 3.0, 5.0, 4.0, 6.0])
        .closes("BBB", Timeframe::H4, &benchmarks, &[10.0, 20.0, 99.0, 30.0, 15.0])
        .build();
    // Pairs from the second bar on: (2, 10), (3, 10), (5, 20), (4, 30), (6, 15).
    // Returns: (1/2, 0), (2/3, 1), (-1/5, 1/2), (1/2, -1/2).
    let beta = |a: [f64; 2], b: [f64; 2]| (a[1] - a[0]) / (b[1] - b[0]);
    let third = 2.0 / 3.0;
    let expected = [
        beta([0.5, third], [0.0, 1.0]),
        beta([third, -0.2], [1.0, 0.5]),
        beta([-0.2, 0.5], [0.5, -0.5]),
    ];
    let values = column(
        &market,
        &FeatureSpec::new("beta", &[("period", 2.0)]),
        &ids(&[0, 1]),
    );
    assert!(values[..3].iter().all(|value| value.is_nan()));
    for (found, expected) in values[3..].iter().zip(expected) {
        assert!((found - expected).abs() < 1e-14, "{values:?}");
    }
}

#[test]
#[should_panic(expected = "another number of bars")]
fn a_column_of_another_market_is_not_handed_out() {
    let mut columns = FeatureColumns::new();
    let spec = FeatureSpec::new("sma", &[]);
    columns.prepare(&spec, &ids(&[0]), &market()).unwrap();
    let shorter = two_series(walk(Terrain::Wide, 40, 1), walk(Terrain::Wide, 40, 2));
    drop(columns.prepare(&spec, &ids(&[0]), &shorter));
}

/// After a hole of years a feature begins afresh: nothing from before the hole is in its windows.
#[test]
fn a_hole_of_more_than_thirty_days_begins_afresh() {
    let before = round_the_clock(instant("2015-01-01"), Timeframe::D1, 40);
    let after = round_the_clock(instant("2018-01-01"), Timeframe::D1, 40);
    let spans: Vec<Span> = before.iter().chain(&after).copied().collect();
    let bars = from_fn(&spans, |index| [100.0 + index as f64; 4]);
    let later = BarSeries::from_bars(bars.iter().skip(40)).unwrap();
    let build = |bars| {
        MarketBuilder::new()
            .crypto("AAA", Timeframe::D1)
            .bars("AAA", Timeframe::D1, bars)
            .build()
    };
    let (whole, fresh) = (build(bars), build(later));
    for name in ["sma", "ema", "momentum", "rsi", "atr", "realised_volatility"] {
        let spec = FeatureSpec::new(name, &[]);
        let inputs = [SeriesId::from_index(0)];
        let (with_hole, alone) = (column(&whole, &spec, &inputs), column(&fresh, &spec, &inputs));
        assert_eq!(bits(&with_hole[40..]), bits(&alone), "{name}");
        assert!(with_hole[40].is_nan() && !with_hole[39].is_nan(), "{name}");
        let mut live = LiveFeature::new(&spec).unwrap();
        let bars = &whole.series()[0].bars;
        let streamed: Vec<f64> = bars
            .iter()
            .map(|bar| live.update(0, &bar).unwrap().unwrap_or(f64::NAN))
            .collect();
        assert_eq!(bits(&with_hole), bits(&streamed), "{name}");
    }
}
