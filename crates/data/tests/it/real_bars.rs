//! Real bars through import, lake and resampling.

use std::path::Path;

use chrono::NaiveDate;
use sextant_data::{BarKey, Calendar, ImportRequest, Rule, Severity, StoredBars, resample, validate_bars};
use sextant_domain::{AssetClass, Bar, Timeframe};

use crate::support::{TestLake, key, lean, real};

const EQUITY: AssetClass = AssetClass::Equity;
const CRYPTO: AssetClass = AssetClass::Crypto;

/// Rows `date,price_factor,split_factor` of a factor file, read without the crate's help.
fn factor_rows(path: &Path) -> Vec<(NaiveDate, f64, f64)> {
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().map(|line| {
        let fields: Vec<_> = line.split(',').collect();
        let date = NaiveDate::parse_from_str(fields[0], "%Y%m%d").unwrap();
        (date, fields[1].parse().unwrap(), fields[2].parse().unwrap())
    });
    rows.collect()
}

fn prices(bar: &Bar) -> [f64; 4] {
    [bar.open, bar.high, bar.low, bar.close]
}

#[test]
fn adjusted_prices_are_raw_times_both_factors() {
    for (symbol, timeframe, rows) in [
        ("SPY", Timeframe::D1, 5_849),
        ("SPY", Timeframe::H1, 40_832 - 47),
        ("QQQ", Timeframe::D1, 3_964),
        ("AAPL", Timeframe::D1, 5_849),
    ] {
        let Some(request) = lean(symbol, timeframe) else {
            return;
        };
        let lake = TestLake::new();
        let report = lake.import(&request).unwrap();
        assert_eq!(report.bars, rows, "{symbol}");
        let stored = lake.load(&key(EQUITY, symbol, timeframe));
        let raw = stored.raw.as_ref().unwrap();
        let factors = factor_rows(request.factors.as_ref().unwrap());
        let calendar = Calendar::for_class(EQUITY);
        let mut adjusted_bars = 0;
        for (index, (bar, traded)) in stored.bars.iter().zip(raw.bars.iter()).enumerate() {
            let date = calendar.date_of(bar.open_time);
            let (_, price, split) = factors.iter().find(|(last, ..)| *last >= date).unwrap();
            assert_eq!(
                prices(&bar),
                prices(&traded).map(|value| value * price * split),
                "{symbol} {date}"
            );
            assert_eq!(bar.volume, traded.volume / split, "{symbol} {date}");
            assert_eq!(raw.adjustment_factor[index], price * split);
            adjusted_bars += usize::from(*price != 1.0 || *split != 1.0);
        }
        assert!(adjusted_bars > 3_000, "{symbol}");
    }
}

#[test]
fn raw_prices_are_those_of_the_file() {
    let Some(request) = lean("SPY", Timeframe::D1) else {
        return;
    };
    let lake = TestLake::new();
    lake.import(&request).unwrap();
    let adjusted = lake.load(&key(EQUITY, "SPY", Timeframe::D1));
    let report = lake
        .import(&ImportRequest {
            factors: None,
            ..request
        })
        .unwrap();
    assert!(report.adjustment.starts_with("none"));
    let plain = lake.load(&key(EQUITY, "SPY", Timeframe::D1));
    assert_eq!(plain.bars, adjusted.raw.unwrap().bars);
    assert_eq!(plain.raw, None);
    let first = plain.bars.bar(0);
    assert_eq!(prices(&first), [97.31, 97.53, 96.53, 97.36]);
    assert_eq!(first.open_time.to_string(), "1998-01-02T14:30:00Z");
    assert_eq!(first.close_time.to_string(), "1998-01-02T21:00:00Z");
    let last = plain.bars.bar(plain.bars.len() - 1);
    assert_eq!(
        (last.close, last.close_time.to_string().as_str()),
        (396.33, "2021-03-31T20:00:00Z")
    );
}

/// Daily and hourly SPY, adjusted.
fn spy() -> Option<(TestLake, StoredBars, BarKey)> {
    let lake = TestLake::new();
    lake.import(&lean("SPY", Timeframe::D1)?).unwrap();
    let report = lake.import(&lean("SPY", Timeframe::H1)?).unwrap();
    assert_eq!(
        (report.rows_read, report.late_rows, report.outside_session),
        (40_832, 47, 0)
    );
    let daily = lake.load(&key(EQUITY, "SPY", Timeframe::D1));
    Some((lake, daily, key(EQUITY, "SPY", Timeframe::H1)))
}

#[test]
fn daily_spy_is_hourly_spy_put_together() {
    let Some((lake, daily, hourly)) = spy() else {
        return;
    };
    let (_, report) = lake.lake.resample_bars(&hourly, Timeframe::D1).unwrap();
    let made = lake.load(&hourly.with_timeframe(Timeframe::D1));
    assert_eq!((made.bars.len(), daily.bars.len()), (5_849, 5_849));
    // The late open of 2002-09-11.
    assert_eq!(report.incomplete.len(), 1);
    assert_eq!(
        (report.incomplete[0].found, report.incomplete[0].expected),
        (5, 7)
    );
    assert!(report.forming.is_none());
    let mut late = 0;
    for (sides, other) in [
        (&made.bars, &daily.bars),
        (&made.raw.unwrap().bars, &daily.raw.unwrap().bars),
    ] {
        for (bar, expected) in sides.iter().zip(other.iter()) {
            assert_eq!(bar.open_time, expected.open_time);
            assert_eq!(
                (prices(&bar), bar.volume),
                (prices(&expected), expected.volume),
                "{}",
                bar.open_time
            );
            // With late prints the day is known later than the early close says.
            assert!(bar.close_time >= expected.close_time);
            late += usize::from(bar.close_time > expected.close_time);
        }
    }
    assert_eq!(late, 2 * 23);
}

#[test]
fn four_hour_spy_lies_within_its_sessions() {
    let Some((lake, daily, hourly)) = spy() else {
        return;
    };
    let (meta, _) = lake.lake.resample_bars(&hourly, Timeframe::H4).unwrap();
    assert_eq!(meta.rows, 2 * 5_849);
    let made = lake.load(&hourly.with_timeframe(Timeframe::H4));
    let bars: Vec<_> = made.bars.iter().collect();
    for (pair, day) in bars.chunks(2).zip(daily.bars.iter()) {
        assert_eq!(pair[0].open_time, day.open_time);
        assert_eq!(pair[0].close_time, pair[1].open_time);
        assert!(pair[1].close_time >= day.close_time);
        assert_eq!((pair[0].open, pair[1].close), (day.open, day.close));
        assert_eq!(pair[0].volume + pair[1].volume, day.volume);
    }
    let stepped = resample(&made.bars, EQUITY, Timeframe::H4, Timeframe::D1).unwrap();
    let volume: Vec<_> = stepped.bars.iter().map(|bar| bar.volume).collect();
    assert_eq!(volume, daily.bars.view().volume);
}

#[test]
fn crypto_files_are_imported_and_their_wicks_are_warnings() {
    for (file, symbol, timeframe, rows, wicks) in [
        ("btcusd_4h_coinbase", "BTC-USD", Timeframe::H4, 20_695, 0),
        ("ethusd_4h_coinbase", "ETH-USD", Timeframe::H4, 20_675, 2),
        ("ethusd_1d_coinbase", "ETH-USD", Timeframe::D1, 3_582, 3),
        ("btcusd_1d_index_2009_2026", "BTC-USD", Timeframe::D1, 5_905, 15),
        ("btcusd_1d_coinbase_lean", "BTC-USD", Timeframe::D1, 1_318, 1),
    ] {
        let Some(request) = real(&format!("crypto/{file}.csv.gz"), CRYPTO, symbol, timeframe) else {
            return;
        };
        let lake = TestLake::new();
        let report = lake.import(&request).unwrap();
        assert_eq!((report.bars, report.rows_read), (rows, rows as u64), "{file}");
        let stored = lake.load(&key(CRYPTO, symbol, timeframe));
        let found = validate_bars(stored.bars.view(), CRYPTO, timeframe);
        assert_eq!(found.count(Rule::SuspiciousWicks), wicks, "{file}");
        assert!(!found.has_errors(), "{file}: {found:?}");
        assert_eq!(Rule::SuspiciousWicks.severity(), Severity::Warning);
    }
}

#[test]
fn daily_ether_is_four_hour_ether_put_together_nearly_everywhere() {
    let Some(fine) = real(
        "crypto/ethusd_4h_coinbase.csv.gz",
        CRYPTO,
        "ETH-USD",
        Timeframe::H4,
    ) else {
        return;
    };
    let Some(coarse) = real(
        "crypto/ethusd_1d_coinbase.csv.gz",
        CRYPTO,
        "ETH-USD",
        Timeframe::D1,
    ) else {
        return;
    };
    let lake = TestLake::new();
    lake.import(&coarse).unwrap();
    let daily = lake.load(&key(CRYPTO, "ETH-USD", Timeframe::D1));
    lake.import(&fine).unwrap();
    lake.lake
        .resample_bars(&key(CRYPTO, "ETH-USD", Timeframe::H4), Timeframe::D1)
        .unwrap();
    let made = lake.load(&key(CRYPTO, "ETH-USD", Timeframe::D1));
    let mut common = 0;
    let mut equal = 0;
    for bar in made.bars.iter() {
        if let Ok(index) = daily.bars.view().open_time.binary_search(&bar.open_time) {
            common += 1;
            equal += usize::from(prices(&bar) == prices(&daily.bars.bar(index)));
        }
    }
    assert!(
        common > 3_400 && equal * 100 >= common * 95,
        "{equal} of {common} days are equal"
    );
}

#[test]
fn currency_pairs_follow_their_week() {
    let lake = TestLake::new();
    let fx = AssetClass::Fx;
    let Some(hours) = real("fx/eurusd_1h_oanda.csv.gz", fx, "EURUSD", Timeframe::H1) else {
        return;
    };
    let Some(days) = real("fx/eurusd_1d_oanda.csv.gz", fx, "EURUSD", Timeframe::D1) else {
        return;
    };
    let report = lake.import(&hours).unwrap();
    assert_eq!((report.bars, report.outside_session), (74_439, 0));
    assert_eq!(report.ignored_columns.len(), 8);
    lake.import(&days).unwrap();
    let daily = lake.load(&key(fx, "EURUSD", Timeframe::D1));
    assert_eq!(daily.bars.len(), 3_738);
    let hourly = lake.load(&key(fx, "EURUSD", Timeframe::H1));
    for to in [Timeframe::H4, Timeframe::D1] {
        let made = resample(&hourly.bars, fx, Timeframe::H1, to).unwrap();
        assert!(
            made.report.incomplete.len() * 20 < made.bars.len(),
            "{to}: {}",
            made.report.incomplete.len()
        );
        let used = 74_439 - made.report.forming.map_or(0, |window| window.found);
        assert_eq!(
            made.bars.view().close.last(),
            hourly.bars.first(used).close.last()
        );
    }
}
