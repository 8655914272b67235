//! What every registered feature must hold. A new entry is tested without a line here.

use sextant_domain::{Bar, BarSeries, FeatureSpec, MarketData, SeriesId, Timeframe};
use sextant_features::{FeatureEntry, LiveFeature, Memory, registry, resolve};
use sextant_testkit::bars::{daily_sessions, half_sessions, instant};
use sextant_testkit::{MarketBuilder, Observed, Output, assert_causal, check_look_ahead, cut_points};

use crate::support::{Terrain, bits, column, first_inputs, specs, two_series, walk};

/// Every feature with three sets of parameters, and its inputs.
fn cases() -> impl Iterator<Item = (&'static FeatureEntry, FeatureSpec, Vec<SeriesId>)> {
    registry()
        .iter()
        .flat_map(|entry| specs(entry).map(|spec| (entry, spec, first_inputs(entry))))
}

/// 4-hour bars of an asset and daily bars of a benchmark that starts a month later and skips some days.
fn uneven_market(sessions: usize) -> MarketData {
    let start = instant("2018-01-01");
    let days: Vec<_> = daily_sessions(start, sessions).into_iter().skip(21).collect();
    let days: Vec<_> = days
        .into_iter()
        .enumerate()
        .filter(|(day, _)| day % 7 != 3)
        .map(|(_, span)| span)
        .collect();
    MarketBuilder::new()
        .equity("AAA", Timeframe::H4)
        .equity("BBB", Timeframe::D1)
        .random("AAA", Timeframe::H4, &half_sessions(start, sessions), 1)
        .random("BBB", Timeframe::D1, &days, 2)
        .build()
}

fn tail(bars: &BarSeries, from: usize) -> BarSeries {
    BarSeries::from_bars(bars.iter().skip(from)).unwrap()
}

#[test]
fn the_first_value_comes_exactly_with_the_stated_bar() {
    for (entry, spec, inputs) in cases() {
        let warm_up = resolve(&spec).unwrap().warm_up_bars();
        let bars = |count, seed| walk(Terrain::Wide, count, seed);
        let values = column(
            &two_series(bars(warm_up + 300, 1), bars(warm_up + 300, 2)),
            &spec,
            &inputs,
        );
        let first = values.iter().position(|value| !value.is_nan());
        assert_eq!(
            first.map(|index| index + 1),
            Some(warm_up),
            "{spec}: {}",
            entry.warm_up
        );
        assert!(
            values[warm_up - 1..].iter().all(|value| value.is_finite()),
            "{spec}"
        );
        let short = column(
            &two_series(bars(warm_up - 1, 1), bars(warm_up - 1, 2)),
            &spec,
            &inputs,
        );
        assert!(short.iter().all(|value| value.is_nan()), "{spec}");
    }
}

/// The same with a hole of two months in the asset, after which every feature begins afresh.
fn market_with_a_hole() -> MarketData {
    let start = instant("2018-01-01");
    let sessions = half_sessions(start, 900);
    let spans = [&sessions[..800], &sessions[890..]].concat();
    MarketBuilder::new()
        .equity("AAA", Timeframe::H4)
        .equity("BBB", Timeframe::D1)
        .random("AAA", Timeframe::H4, &spans, 3)
        .random("BBB", Timeframe::D1, &daily_sessions(start, 900), 4)
        .build()
}

#[test]
fn batch_equals_stream_bit_for_bit() {
    for market in [uneven_market(400), market_with_a_hole()] {
        stream_through(&market);
    }
}

fn stream_through(market: &MarketData) {
    for (_, spec, inputs) in cases() {
        let mut live = LiveFeature::new(&spec).unwrap();
        let mut streamed = Vec::new();
        for (input, bar) in in_order_of_feeding(market, inputs.len()) {
            let value = live.update(input, &bar).unwrap();
            if input == 0 {
                streamed.push(value.unwrap_or(f64::NAN));
            }
        }
        let column = column(market, &spec, &inputs);
        assert!(column.iter().any(|value| !value.is_nan()), "{spec}");
        assert_eq!(bits(&column), bits(&streamed), "{spec}");
    }
}

/// By close time; at the same instant the benchmark (input 1) before the asset (input 0).
fn in_order_of_feeding(market: &MarketData, inputs: usize) -> Vec<(usize, Bar)> {
    let of_input = |input: usize| market.series()[input].bars.iter().map(move |bar| (input, bar));
    let mut feed: Vec<_> = (0..inputs).flat_map(of_input).collect();
    feed.sort_by_key(|(input, bar)| (bar.close_time, std::cmp::Reverse(*input)));
    feed
}

fn outputs(market: &MarketData, values: Vec<f64>) -> Vec<Output> {
    let times = market.series()[0].bars.view().close_time.to_vec();
    times
        .into_iter()
        .zip(values.into_iter().map(Observed::from))
        .collect()
}

#[test]
fn no_feature_looks_ahead() {
    let market = uneven_market(220);
    let points = cut_points(&market, 50, 7);
    for (_, spec, inputs) in cases() {
        assert_causal(&market, &points, |market| {
            outputs(market, column(market, &spec, &inputs))
        });
    }
}

/// The proof above would find a feature that leaks: a registered one, read one bar early.
#[test]
fn a_leaking_feature_is_caught() {
    let market = uneven_market(220);
    let points = cut_points(&market, 50, 7);
    for (_, spec, inputs) in cases() {
        let report = check_look_ahead(&market, &points, |market| {
            let mut early = column(market, &spec, &inputs);
            early.rotate_left(1);
            outputs(market, early)
        });
        let constant = spec.name == "drawdown" && spec.parameters.get("period") == Some(&1.0);
        assert!(constant || !report.is_causal(), "{spec}");
    }
}

#[test]
fn windowed_features_do_not_depend_on_where_history_starts() {
    for terrain in [Terrain::Wide, Terrain::HighAndFlat] {
        let (asset, benchmark) = (walk(terrain, 100_000, 3), walk(terrain, 100_000, 4));
        let whole = two_series(asset.clone(), benchmark.clone());
        let starts = [1, 777, 50_000, 99_000];
        let late = starts.map(|start| (start, two_series(tail(&asset, start), tail(&benchmark, start))));
        for (_, spec, inputs) in cases().filter(|(entry, ..)| entry.memory == Memory::Windowed) {
            let expected = column(&whole, &spec, &inputs);
            for (start, market) in &late {
                let values = column(market, &spec, &inputs);
                let warm = resolve(&spec).unwrap().warm_up_bars() - 1;
                assert_eq!(
                    bits(&values[warm..]),
                    bits(&expected[start + warm..]),
                    "{spec} from bar {start}"
                );
            }
        }
    }
}

/// After the stated number of bars values agree to 1e-9, and not already after half of it (a quarter for a chain).
#[test]
fn recursive_features_forget_their_start_at_the_stated_rate() {
    let start = 3_000;
    for terrain in [Terrain::Wide, Terrain::HighAndFlat] {
        let (asset, benchmark) = (walk(terrain, 6_000, 5), walk(terrain, 6_000, 6));
        let whole = two_series(asset.clone(), benchmark.clone());
        let late = two_series(tail(&asset, start), tail(&benchmark, start));
        for (entry, spec, inputs) in cases().filter(|(entry, ..)| entry.memory != Memory::Windowed) {
            let (feature, values) = (resolve(&spec).unwrap(), column(&late, &spec, &inputs));
            let expected = &column(&whole, &spec, &inputs)[start..];
            let differs = |index: &usize| {
                let scale = match entry.name {
                    "rsi" | "plus_di" | "minus_di" | "adx" => 100.0,
                    "macd" | "macd_signal" => asset.view().close[start + *index],
                    _ => expected[*index],
                };
                (values[*index] - expected[*index]).abs() > 1e-9 * scale
            };
            let last = (feature.warm_up_bars() - 1..values.len()).rev().find(differs);
            let agreed = last.map_or(0, |index| index + 2);
            assert!(
                agreed <= feature.settled_bars(),
                "{spec}: {agreed} bars, stated {}",
                feature.settled_bars()
            );
            // From the flat terrain's starts, which differ by less than 1e-6, it is reached earlier.
            // For averages that follow one another the sum of their lengths is stated, which is more than it takes.
            let is_chain = matches!(entry.name, "macd_signal" | "adx");
            let part = if is_chain { 4 } else { 2 };
            if matches!(terrain, Terrain::Wide) && feature.values()[0] > 5.0 {
                assert!(
                    part * agreed > feature.settled_bars(),
                    "{spec}: {agreed} bars, stated {}",
                    feature.settled_bars()
                );
            }
        }
    }
}

#[test]
fn empty_and_single_bar_series() {
    for (_, spec, inputs) in cases() {
        let warm_up = resolve(&spec).unwrap().warm_up_bars();
        for count in [0, 1] {
            let market = two_series(walk(Terrain::Wide, count, 1), walk(Terrain::Wide, count, 2));
            let values = column(&market, &spec, &inputs);
            assert_eq!(values.len(), count, "{spec}");
            assert!(
                values.iter().all(|value| value.is_nan() == (warm_up > 1)),
                "{spec}"
            );
        }
    }
}

/// What a price that never moves gives, feature by feature; `None` is undefined.
#[test]
fn constant_prices() {
    let expected = |name: &str| match name {
        "sma" | "ema" | "bollinger_upper" | "bollinger_middle" | "bollinger_lower" | "rolling_max"
        | "rolling_min" | "rolling_high" | "rolling_low" => Some(97.31),
        "rsi"
        | "momentum"
        | "roc"
        | "realised_volatility"
        | "drawdown"
        | "true_range"
        | "atr"
        | "macd"
        | "macd_signal"
        | "adx"
        | "obv" => Some(0.0),
        "volatility_percentile" => Some(0.5),
        "zscore" | "beta" | "correlation" | "plus_di" | "minus_di" | "stochastic_k" | "stochastic_d"
        | "williams_r" | "mfi" => None,
        other => panic!("say what {other} gives for constant prices"),
    };
    let flat = || sextant_testkit::bars::from_closes(&crate::support::minutes(600), &[97.31; 600]);
    let market = two_series(flat(), flat());
    for (entry, spec, inputs) in cases() {
        let warm = resolve(&spec).unwrap().warm_up_bars() - 1;
        let values = &column(&market, &spec, &inputs)[warm..];
        let value = expected(entry.name).unwrap_or(f64::NAN);
        assert!(
            values.iter().all(|found| found.to_bits() == value.to_bits()),
            "{spec}: {:?}",
            &values[..3]
        );
    }
}
