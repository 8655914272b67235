//! Tests of the whole market: determinism, shape, consistency, bad input.
#![allow(clippy::unwrap_used)]

use chrono::{Datelike, NaiveDate, Weekday};
use sextant_domain::{AssetClass, Bar, BarSeries, MacroSeries, Timeframe, UtcNanos};

use super::parameters::{EQUITY, EQUITY_ASSETS};
use super::*;

const MINUTE: i64 = 60 * 1_000_000_000;
/// Hash of [`golden_market`]: a change means another market, and with it other results everywhere downstream.
const GOLDEN_HASH: u64 = 0xb3c6_92b9_0e06_b705;

pub(super) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// A session of `minutes` that opens at 09:30 New York, with daylight saving from April to October.
pub(super) fn session(date: NaiveDate, minutes: i64) -> SessionTimes {
    let offset_minutes = if (4..=10).contains(&date.month()) {
        240
    } else {
        300
    };
    let open = UtcNanos::from_date(date)
        .unwrap()
        .saturating_add((570 + offset_minutes) * MINUTE);
    SessionTimes {
        date,
        open,
        noon: open.saturating_add(150 * MINUTE),
        close: open.saturating_add(minutes * MINUTE),
    }
}

/// Weekdays without three fixed holidays, with early closes at 13:00.
fn schedule(from: NaiveDate, to: NaiveDate) -> Vec<SessionTimes> {
    let closed = |date: &NaiveDate| {
        matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
            || [(1, 1), (7, 4), (12, 25)].contains(&(date.month(), date.day()))
    };
    let early = |date: NaiveDate| [(7, 3), (12, 24)].contains(&(date.month(), date.day()));
    let days = from
        .iter_days()
        .take_while(|date| *date <= to)
        .filter(|date| !closed(date));
    days.map(|date| session(date, if early(date) { 210 } else { 390 }))
        .collect()
}

fn market(seed: u64, from: NaiveDate, to: NaiveDate) -> SyntheticMarket {
    generate(&SyntheticConfig { seed, from, to }, &schedule(from, to)).unwrap()
}

pub(super) fn embedded(seed: u64) -> SyntheticMarket {
    let SyntheticConfig { from, to, .. } = SyntheticConfig::embedded(seed);
    market(seed, from, to)
}

fn golden_market() -> SyntheticMarket {
    market(42, date(2015, 2, 1), date(2015, 4, 15))
}

pub(super) fn bars<'a>(market: &'a SyntheticMarket, symbol: &str, timeframe: Timeframe) -> &'a BarSeries {
    &market
        .bars
        .iter()
        .find(|(name, _, frame, _)| *name == symbol && *frame == timeframe)
        .unwrap()
        .3
}

pub(super) fn macro_series<'a>(market: &'a SyntheticMarket, name: &str) -> &'a MacroSeries {
    market.macros.iter().find(|series| series.name() == name).unwrap()
}

pub(super) fn symbols(market: &SyntheticMarket) -> Vec<(&'static str, AssetClass)> {
    let daily = market
        .bars
        .iter()
        .filter(|(_, _, timeframe, _)| *timeframe == Timeframe::D1);
    daily.map(|(symbol, class, _, _)| (*symbol, *class)).collect()
}

/// FNV-1a, 64 bits, over the bits of everything.
fn hash(market: &SyntheticMarket) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    };
    for (symbol, class, timeframe, series) in &market.bars {
        add(symbol.as_bytes());
        add(class.name().as_bytes());
        add(timeframe.code().as_bytes());
        for bar in series.iter() {
            add(&bar.open_time.nanos().to_le_bytes());
            add(&bar.close_time.nanos().to_le_bytes());
            for value in [bar.open, bar.high, bar.low, bar.close, bar.volume] {
                add(&value.to_bits().to_le_bytes());
            }
        }
    }
    for series in &market.macros {
        add(series.name().as_bytes());
        series
            .published()
            .iter()
            .for_each(|time| add(&time.nanos().to_le_bytes()));
        series
            .values()
            .iter()
            .for_each(|value| add(&value.to_bits().to_le_bytes()));
    }
    hash
}

#[test]
fn seed_42_gives_the_golden_bits() {
    assert_eq!(
        hash(&golden_market()),
        GOLDEN_HASH,
        "found {:#018x}",
        hash(&golden_market())
    );
}

#[test]
fn the_same_seed_repeats_and_another_differs_everywhere() {
    let other = market(43, date(2015, 2, 1), date(2015, 4, 15));
    let golden = golden_market();
    assert_eq!(golden, golden_market());
    for (one, two) in golden.bars.iter().zip(&other.bars) {
        assert_eq!((one.0, one.2, one.3.len()), (two.0, two.2, two.3.len()));
        let equal = one
            .3
            .iter()
            .zip(two.3.iter())
            .filter(|(a, b)| a.close == b.close)
            .count();
        assert!(
            equal * 20 < one.3.len(),
            "{} {}: {equal} equal closes",
            one.0,
            one.2
        );
    }
    for (one, two) in golden.macros.iter().zip(&other.macros) {
        assert_ne!(one.values(), two.values(), "{}", one.name());
    }
}

#[test]
fn a_later_end_changes_nothing_before() {
    let short = market(9, date(2012, 1, 1), date(2012, 9, 30));
    let long = market(9, date(2012, 1, 1), date(2013, 3, 31));
    for (one, two) in short.bars.iter().zip(&long.bars) {
        assert!(two.3.len() > one.3.len());
        assert!(
            one.3.iter().zip(two.3.iter()).all(|(a, b)| a == b),
            "{} {}",
            one.0,
            one.2
        );
    }
    for (one, two) in short.macros.iter().zip(&long.macros) {
        assert_eq!(
            one.values(),
            &two.values()[..one.values().len()],
            "{}",
            one.name()
        );
        assert_eq!(
            one.published(),
            &two.published()[..one.published().len()],
            "{}",
            one.name()
        );
    }
}

#[test]
fn another_instrument_changes_no_other() {
    let config = SyntheticConfig {
        seed: 11,
        from: date(2014, 1, 1),
        to: date(2014, 6, 30),
    };
    let grid = Grid::new(&config).unwrap();
    let sessions = schedule(config.from, config.to);
    let economy = economy::simulate(config.seed, sessions.len());
    let course = class::Course {
        days: &schedule::session_days(&grid, &sessions),
        regimes: &equity_regimes(config.seed, &economy),
        global: &global_factor(config.seed, grid.steps()),
    };
    let both = class::simulate(config.seed, &EQUITY, &EQUITY_ASSETS, course).unwrap();
    for (index, asset) in both.assets.iter().enumerate() {
        let alone = class::simulate(config.seed, &EQUITY, &EQUITY_ASSETS[index..=index], course).unwrap();
        assert_eq!((&alone.assets[0].h4, &alone.assets[0].d1), (&asset.h4, &asset.d1));
    }
}

#[test]
fn the_order_of_series_is_fixed() {
    let found: Vec<String> = golden_market()
        .bars
        .iter()
        .map(|(symbol, class, frame, _)| format!("{symbol} {class} {frame}"))
        .collect();
    let expected = [
        "SPY equity 4H",
        "SPY equity 1D",
        "QQQ equity 4H",
        "QQQ equity 1D",
        "BTC-USD crypto 4H",
        "BTC-USD crypto 1D",
        "ETH-USD crypto 4H",
        "ETH-USD crypto 1D",
    ];
    assert_eq!(found, expected);
}

#[test]
fn session_bars_follow_the_schedule() {
    let (from, to) = (date(2014, 6, 1), date(2015, 1, 31));
    let market = market(42, from, to);
    let mut expected = Vec::new();
    for session in schedule(from, to) {
        expected.extend([(session.open, session.noon), (session.noon, session.close)]);
    }
    let times = |series: &BarSeries| -> Vec<(UtcNanos, UtcNanos)> {
        series.iter().map(|bar| (bar.open_time, bar.close_time)).collect()
    };
    let sessions: Vec<_> = schedule(from, to)
        .iter()
        .map(|session| (session.open, session.close))
        .collect();
    for symbol in ["SPY", "QQQ"] {
        assert_eq!(times(bars(&market, symbol, Timeframe::H4)), expected);
        assert_eq!(times(bars(&market, symbol, Timeframe::D1)), sessions);
    }
}

#[test]
fn a_session_that_ends_by_noon_has_one_bar() {
    let day = date(2014, 3, 3);
    let config = SyntheticConfig {
        seed: 1,
        from: day,
        to: day,
    };
    let market = generate(&config, &[session(day, 150)]).unwrap();
    assert_eq!(
        bars(&market, "SPY", Timeframe::H4),
        bars(&market, "SPY", Timeframe::D1)
    );
    assert_eq!(bars(&market, "SPY", Timeframe::H4).len(), 1);
}

#[test]
fn crypto_bars_fill_the_utc_grid() {
    let (from, to) = (date(2015, 2, 1), date(2015, 4, 15));
    let market = golden_market();
    let start = UtcNanos::from_date(from).unwrap();
    let days = (to - from).num_days() + 1;
    for symbol in ["BTC-USD", "ETH-USD"] {
        for (timeframe, count) in [(Timeframe::H4, 6 * days), (Timeframe::D1, days)] {
            let series = bars(&market, symbol, timeframe);
            assert_eq!(series.len() as i64, count);
            for (index, bar) in series.iter().enumerate() {
                assert_eq!(
                    bar.open_time,
                    start.saturating_add(index as i64 * timeframe.nanos())
                );
                assert_eq!(bar.close_time, bar.open_time.saturating_add(timeframe.nanos()));
            }
            let continuous = series.view().open[1..] == series.view().close[..series.len() - 1];
            assert!(continuous, "{symbol} {timeframe}");
        }
    }
}

/// Aggregates the 4H bars that lie in a daily bar.
pub(super) fn aggregate(h4: &BarSeries, day: &Bar) -> Bar {
    let inside: Vec<Bar> = h4
        .iter()
        .filter(|bar| bar.open_time >= day.open_time && bar.close_time <= day.close_time)
        .collect();
    Bar {
        open_time: inside[0].open_time,
        close_time: inside.last().unwrap().close_time,
        open: inside[0].open,
        high: inside
            .iter()
            .map(|bar| bar.high)
            .fold(f64::NEG_INFINITY, f64::max),
        low: inside.iter().map(|bar| bar.low).fold(f64::INFINITY, f64::min),
        close: inside.last().unwrap().close,
        volume: inside.iter().map(|bar| bar.volume).sum(),
    }
}

#[test]
fn a_daily_bar_is_the_aggregate_of_its_4h_bars() {
    let market = market(42, date(2014, 6, 1), date(2015, 1, 31));
    for (symbol, _) in symbols(&market) {
        let h4 = bars(&market, symbol, Timeframe::H4);
        for day in bars(&market, symbol, Timeframe::D1).iter() {
            assert_eq!(aggregate(h4, &day), day, "{symbol}");
        }
    }
}

#[test]
fn prices_are_cents_above_the_floor_and_volumes_are_whole() {
    for seed in 0..6 {
        let market = embedded(seed);
        for (symbol, _, timeframe, series) in &market.bars {
            let first = series.bar(0).open;
            for bar in series.iter() {
                for price in [bar.open, bar.high, bar.low, bar.close] {
                    assert_eq!(price, (price * 100.0).round() / 100.0, "{symbol} {timeframe}");
                    assert!(
                        price >= first / 51.0 && price > 0.1,
                        "{symbol} {timeframe}: {price}"
                    );
                }
                assert!(
                    bar.volume >= 1.0 && bar.volume == bar.volume.trunc(),
                    "{symbol}: {}",
                    bar.volume
                );
            }
        }
    }
}

#[test]
fn macro_values_are_plausible_and_published_on_time() {
    let SyntheticConfig { from, to, .. } = SyntheticConfig::embedded(42);
    let sessions = schedule(from, to);
    let market = embedded(42);
    let slope = macro_series(&market, "yield_curve_10y_3m");
    let vix = macro_series(&market, "vix");
    let pmi = macro_series(&market, "pmi");
    for (index, session) in sessions.iter().enumerate() {
        assert_eq!(
            slope.published()[index],
            session.close.saturating_add(120 * MINUTE)
        );
        assert_eq!(vix.published()[index], session.close.saturating_add(15 * MINUTE));
    }
    assert!(slope.values().iter().all(|value| (-0.02..0.035).contains(value)));
    assert!(vix.values().iter().all(|value| (4.0..140.0).contains(value)));
    assert!(pmi.values().iter().all(|value| (35.0..65.0).contains(value)));
    let first_of_months = sessions
        .iter()
        .enumerate()
        .filter(|(index, session)| *index == 0 || sessions[index - 1].date.month() != session.date.month());
    let expected: Vec<UtcNanos> = first_of_months
        .map(|(_, session)| {
            UtcNanos::from_date(session.date)
                .unwrap()
                .saturating_add(900 * MINUTE)
        })
        .collect();
    assert_eq!(expected.len(), 132);
    assert_eq!(pmi.published(), expected);
}

#[test]
fn a_span_that_begins_within_a_month_has_its_first_pmi_in_the_next() {
    let dates = |from, to| -> Vec<NaiveDate> {
        macro_series(&market(3, from, to), "pmi")
            .published()
            .iter()
            .map(|time| time.date())
            .collect()
    };
    assert_eq!(
        dates(date(2016, 5, 10), date(2016, 7, 20)),
        [date(2016, 6, 1), date(2016, 7, 1)]
    );
    assert!(dates(date(2016, 5, 10), date(2016, 5, 20)).is_empty());
    // 2015-05-31 is a Sunday: the first session is the first of June.
    assert_eq!(dates(date(2015, 5, 31), date(2015, 6, 20)), [date(2015, 6, 1)]);
}

#[test]
fn unusable_input_is_named() {
    let (from, to) = (date(2015, 2, 2), date(2015, 2, 6));
    let good = schedule(from, to);
    let config = SyntheticConfig { seed: 1, from, to };
    let changed = |change: fn(&mut Vec<SessionTimes>)| {
        let mut sessions = good.clone();
        change(&mut sessions);
        generate(&config, &sessions).unwrap_err()
    };
    assert!(generate(&config, &good).is_ok());
    assert_eq!(
        generate(
            &SyntheticConfig {
                from: to,
                to: from,
                ..config
            },
            &good
        ),
        Err(SyntheticError::Span { from: to, to: from })
    );
    let far = date(9_000, 1, 1);
    assert_eq!(
        generate(&SyntheticConfig { to: far, ..config }, &good),
        Err(SyntheticError::Span { from, to: far })
    );
    assert_eq!(
        generate(&config, &[]),
        Err(SyntheticError::NoSession { from, to })
    );
    assert!(matches!(
        changed(|s| s[1].close = s[1].open),
        SyntheticError::EmptySession { .. }
    ));
    assert!(matches!(
        changed(|s| s.swap(1, 2)),
        SyntheticError::SessionOrder { .. }
    ));
    assert!(matches!(
        changed(|s| s[2] = s[1]),
        SyntheticError::SessionOrder { .. }
    ));
    assert!(matches!(
        changed(|s| s[0].noon = s[0].noon.saturating_add(1)),
        SyntheticError::OffGrid { .. }
    ));
    let outside = changed(|s| s[4].close = s[4].close.saturating_add(Timeframe::D1.nanos()));
    assert!(matches!(outside, SyntheticError::OutsideSpan { .. }));
    assert!(outside.to_string().contains("2015-02-06"), "{outside}");
}
