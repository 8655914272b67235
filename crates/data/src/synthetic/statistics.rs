//! Statistics of the market under fixed seeds, within wide bands.
#![allow(clippy::unwrap_used)]

use chrono::NaiveDate;
use sextant_domain::{Bar, BarSeries, Timeframe};

use super::economy::{EconomyDay, Phase};
use super::latent::Regime;
use super::parameters::{BURN_IN_DAYS, EQUITY};
use super::tests::{bars, embedded, macro_series, symbols};
use super::{crypto_regimes, economy, equity_regimes};

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn covariance(one: &[f64], two: &[f64]) -> f64 {
    let (mean_one, mean_two) = (mean(one), mean(two));
    let products = one.iter().zip(two).map(|(a, b)| (a - mean_one) * (b - mean_two));
    products.sum::<f64>() / one.len() as f64
}

fn correlation(one: &[f64], two: &[f64]) -> f64 {
    covariance(one, two) / (covariance(one, one) * covariance(two, two)).sqrt()
}

fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    correlation(&values[lag..], &values[..values.len() - lag])
}

fn kurtosis(values: &[f64]) -> f64 {
    let mean = mean(values);
    let fourth = values.iter().map(|value| (value - mean).powi(4)).sum::<f64>() / values.len() as f64;
    fourth / covariance(values, values).powi(2)
}

fn log_returns(series: &BarSeries) -> Vec<f64> {
    series
        .view()
        .close
        .windows(2)
        .map(|pair| (pair[1] / pair[0]).ln())
        .collect()
}

fn absolute(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}

/// Returns of two daily series on the dates that both have; a return belongs to the date of its last close.
fn matched_returns(one: &BarSeries, two: &BarSeries) -> (Vec<f64>, Vec<f64>) {
    let dated = |series: &BarSeries| -> Vec<(NaiveDate, f64)> {
        series
            .iter()
            .skip(1)
            .map(|bar| bar.open_time.date())
            .zip(log_returns(series))
            .collect()
    };
    let (one, two) = (dated(one), dated(two));
    let find = |date: NaiveDate| {
        two.binary_search_by_key(&date, |row| row.0)
            .ok()
            .map(|index| two[index].1)
    };
    one.iter()
        .filter_map(|(date, value)| Some((*value, find(*date)?)))
        .unzip()
}

fn assert_within(what: &str, value: f64, band: std::ops::RangeInclusive<f64>) {
    assert!(
        band.contains(&value),
        "{what} is {value}, expected within {band:?}"
    );
}

#[test]
fn volatility_is_on_target_with_fat_tails_and_clusters() {
    let targets = [
        ("SPY", 0.13..=0.21),
        ("QQQ", 0.16..=0.27),
        ("BTC-USD", 0.54..=0.76),
        ("ETH-USD", 0.66..=0.96),
    ];
    for seed in [42, 7] {
        let market = embedded(seed);
        for (symbol, band) in targets.clone() {
            let returns = log_returns(bars(&market, symbol, Timeframe::D1));
            let days_per_year: f64 = if symbol.ends_with("USD") { 365.0 } else { 252.0 };
            let vol_annual = (covariance(&returns, &returns) * days_per_year).sqrt();
            assert_within(symbol, vol_annual, band);
            assert_within("kurtosis", kurtosis(&returns), 3.5..=60.0);
            for lag in 1..=5 {
                assert_within(
                    "autocorrelation of size",
                    autocorrelation(&absolute(&returns), lag),
                    0.05..=0.6,
                );
                assert_within("autocorrelation", autocorrelation(&returns, lag), -0.1..=0.1);
            }
        }
    }
}

#[test]
fn correlations_are_on_target() {
    let bands = [
        ("SPY", "QQQ", 0.85..=0.94),
        ("BTC-USD", "ETH-USD", 0.74..=0.86),
        ("SPY", "BTC-USD", 0.15..=0.36),
        ("QQQ", "ETH-USD", 0.12..=0.34),
    ];
    for seed in [42, 7] {
        let market = embedded(seed);
        for (one, two, band) in bands.clone() {
            let (left, right) = matched_returns(
                bars(&market, one, Timeframe::D1),
                bars(&market, two, Timeframe::D1),
            );
            assert!(left.len() > 2_700, "{one} {two}: {}", left.len());
            assert_within(&format!("{one} {two}"), correlation(&left, &right), band);
        }
    }
}

#[test]
fn equities_jump_overnight_and_more_over_weekends() {
    let market = embedded(42);
    let daily = bars(&market, "SPY", Timeframe::D1);
    let days: Vec<Bar> = daily.iter().collect();
    let (mut nights, mut weekends) = (Vec::new(), Vec::new());
    for pair in days.windows(2) {
        let gap = (pair[1].open / pair[0].close).ln();
        let weekend = (pair[1].open_time.date() - pair[0].open_time.date()).num_days() > 2;
        (if weekend { &mut weekends } else { &mut nights }).push(gap);
    }
    let total = covariance(&log_returns(daily), &log_returns(daily));
    assert_within(
        "share of a night",
        covariance(&nights, &nights) / total,
        0.15..=0.35,
    );
    assert_within(
        "weekend over night",
        covariance(&weekends, &weekends) / covariance(&nights, &nights),
        1.0..=1.9,
    );
}

#[test]
fn volume_clusters_and_follows_the_size_of_moves() {
    let market = embedded(42);
    for (symbol, _) in symbols(&market) {
        let daily = bars(&market, symbol, Timeframe::D1);
        let volumes: Vec<f64> = daily.view().volume[1..]
            .iter()
            .map(|volume| volume.ln())
            .collect();
        assert_within(
            symbol,
            correlation(&volumes, &absolute(&log_returns(daily))),
            0.3..=0.95,
        );
        assert_within(symbol, autocorrelation(&volumes, 1), 0.3..=0.95);
    }
}

fn embedded_economy(seed: u64) -> (Vec<EconomyDay>, Vec<Regime>) {
    let economy = economy::simulate(seed, 2_768);
    let regimes = equity_regimes(seed, &economy);
    (economy[BURN_IN_DAYS..].to_vec(), regimes)
}

#[test]
fn the_embedded_market_visits_every_regime() {
    let (economy, equity) = embedded_economy(42);
    let crypto = crypto_regimes(42, 4_018);
    for regime in [Regime::Bull, Regime::Chop, Regime::Bear, Regime::Crash] {
        for path in [&equity, &crypto] {
            let visited = path.iter().filter(|state| **state == regime).count();
            assert!(visited >= 10, "{regime:?}: {visited} days");
        }
    }
    for phase in [Phase::Expansion, Phase::Slowdown, Phase::Contraction] {
        assert!(
            economy.iter().filter(|day| day.phase == phase).count() >= 40,
            "{phase:?}"
        );
    }
}

#[test]
fn equity_regimes_last_and_their_mean_growth_is_plausible() {
    let paths: Vec<Vec<Regime>> = (0..200).map(|seed| embedded_economy(seed).1).collect();
    let all: Vec<Regime> = paths.concat();
    let days = |regime: Regime| all.iter().filter(|state| **state == regime).count() as f64;
    let spells = |regime: Regime| {
        let starts = |path: &Vec<Regime>| {
            path.windows(2)
                .filter(|pair| pair[0] != regime && pair[1] == regime)
                .count()
        };
        paths.iter().map(starts).sum::<usize>() as f64
    };
    for (regime, band) in [
        (Regime::Bull, 90.0..=260.0),
        (Regime::Chop, 45.0..=85.0),
        (Regime::Bear, 50.0..=90.0),
        (Regime::Crash, 10.0..=25.0),
    ] {
        assert_within(
            &format!("mean days of {regime:?}"),
            days(regime) / spells(regime),
            band,
        );
    }
    let growth = all
        .iter()
        .map(|state| EQUITY.regimes[*state as usize].drift_annual);
    assert_within(
        "mean log growth a year",
        growth.sum::<f64>() / all.len() as f64,
        0.07..=0.095,
    );
}

/// Mean of `value` over the days, and over the twenty days before each bear regime that begins.
fn always_and_before_bears(
    (economy, regimes): &(Vec<EconomyDay>, Vec<Regime>),
    value: fn(&EconomyDay) -> f64,
) -> (f64, Vec<f64>) {
    let values: Vec<f64> = economy.iter().map(value).collect();
    let rising = |day: usize| !matches!(regimes[day], Regime::Bear | Regime::Crash);
    let starts = (20..regimes.len()).filter(|&day| rising(day - 1) && regimes[day] == Regime::Bear);
    (
        mean(&values),
        starts.map(|start| mean(&values[start - 20..start])).collect(),
    )
}

#[test]
fn the_economy_leads_bear_markets() {
    let paths: Vec<_> = (0..60).map(embedded_economy).collect();
    let fall = |value: fn(&EconomyDay) -> f64| {
        let pairs = paths.iter().map(|path| always_and_before_bears(path, value));
        let (always, before): (Vec<f64>, Vec<Vec<f64>>) = pairs.unzip();
        assert!(before.concat().len() > 150, "{}", before.concat().len());
        mean(&before.concat()) - mean(&always)
    };
    assert_within("fall of the slope before", fall(|day| day.slope), -0.012..=-0.003);
    assert_within("fall of activity before", fall(|day| day.activity), -6.0..=-1.0);
}

#[test]
fn the_vix_tells_of_the_volatility_to_come() {
    let market = embedded(42);
    let returns = log_returns(bars(&market, "SPY", Timeframe::D1));
    let vix = macro_series(&market, "vix").values();
    let (known, realised): (Vec<f64>, Vec<f64>) = (0..returns.len() - 21)
        .map(|day| {
            let next = returns[day..day + 21]
                .iter()
                .map(|value| value * value)
                .sum::<f64>();
            (vix[day], 100.0 * (next * 12.0).sqrt())
        })
        .unzip();
    assert_within("correlation", correlation(&known, &realised), 0.4..=0.95);
    assert_within("level", mean(&known) / mean(&realised), 0.95..=1.45);
}
