//! What the list of real files says is wrong with them is found by a rule, and what it calls clean is no error.

use sextant_data::{BadRows, ImportRequest, Rule, Silent, ValidationReport, validate_csv_rows};
use sextant_domain::{AssetClass, Timeframe};

use crate::support::{TestLake, real};

const EQUITY: AssetClass = AssetClass::Equity;
const CRYPTO: AssetClass = AssetClass::Crypto;

fn found(file: &str, class: AssetClass, timeframe: Timeframe) -> Option<ValidationReport> {
    Some(validate_csv_rows(&real(file, class, "X", timeframe)?, &Silent).unwrap())
}

#[test]
fn spikes_and_wicks_of_raw_equities_are_counted_as_listed() {
    for (symbol, spikes, wicks) in [
        ("spy", 0, 0),
        ("qqq", 2, 0),
        ("iwm", 1, 1),
        ("eem", 3, 0),
        ("aapl", 5, 3),
        ("aig", 7, 2),
        ("bac", 1, 1),
        ("ibm", 1, 0),
        ("goog", 1, 2),
        ("googl", 0, 0),
        ("uso", 4, 1),
    ] {
        let file = format!("equities/us_daily_raw_lean/{symbol}_1d.csv.gz");
        let Some(report) = found(&file, EQUITY, Timeframe::D1) else {
            return;
        };
        assert!(!report.has_errors(), "{symbol}: {report:?}");
        assert_eq!(report.count(Rule::Spikes), spikes, "{symbol}: {report:?}");
        assert_eq!(report.count(Rule::SuspiciousWicks), wicks, "{symbol}: {report:?}");
    }
}

#[test]
fn holes_are_counted_against_the_calendar() {
    let Some(spy) = found("equities/us_daily_raw_lean/spy_1d.csv.gz", EQUITY, Timeframe::D1) else {
        return;
    };
    assert!(spy.findings.is_empty(), "{spy:?}");
    // Traded under another name from December 2004 to March 2011.
    let qqq = found("equities/us_daily_raw_lean/qqq_1d.csv.gz", EQUITY, Timeframe::D1).unwrap();
    assert!((1_560..1_600).contains(&qqq.count(Rule::Gaps)), "{qqq:?}");
    let bitcoin = found("crypto/btcusd_4h_coinbase.csv.gz", CRYPTO, Timeframe::H4).unwrap();
    assert!(!bitcoin.has_errors(), "{bitcoin:?}");
    // Three holes; and a bar of 2018-04-04 that closes at 5200 between others near 7300.
    assert_eq!(
        (bitcoin.count(Rule::Gaps), bitcoin.count(Rule::Spikes)),
        (5, 1),
        "{bitcoin:?}"
    );
    let hours = found("equities/us_hourly_raw_lean/spy_1h.csv.gz", EQUITY, Timeframe::H1).unwrap();
    assert_eq!(
        (hours.count(Rule::Gaps), hours.count(Rule::LateRows)),
        (2, 47),
        "{hours:?}"
    );
}

#[test]
fn duplicates_and_disorder_are_found_where_they_are_listed() {
    for name in ["ethusdt", "btcusdt"] {
        let file = format!("crypto/{name}_1h_binance_2017_2021.csv.gz");
        let Some(report) = found(&file, CRYPTO, Timeframe::H1) else {
            return;
        };
        let twice = report.count(Rule::Duplicates) + report.count(Rule::IdenticalDuplicates);
        assert_eq!(twice, 2_649, "{name}: {report:?}");
        assert!(report.has_errors());
    }
    let sorted = found(
        "crypto/derived/btcusd_1h_coinbase_2017_2019_sorted.csv.gz",
        CRYPTO,
        Timeframe::H1,
    )
    .unwrap();
    assert!(!sorted.has_errors(), "{sorted:?}");
    let shuffled = found(
        "crypto/btcusd_1h_coinbase_2017_2019.csv.gz",
        CRYPTO,
        Timeframe::H1,
    )
    .unwrap();
    assert!(shuffled.count(Rule::Monotonic) >= 5, "{shuffled:?}");
    assert_eq!(shuffled.count(Rule::ZeroVolume), 28);
}

#[test]
fn vix_bars_that_do_not_enclose_are_found() {
    let Some(report) = found("macro/vix_1d_1990_2026.csv.gz", EQUITY, Timeframe::D1) else {
        return;
    };
    assert_eq!(report.count(Rule::OhlcConsistency), 47, "{report:?}");
}

#[test]
fn setting_bad_rows_aside_keeps_the_rest() {
    let Some(request) = real(
        "crypto/ethusdt_1h_binance_2017_2021.csv.gz",
        CRYPTO,
        "ETH-USDT",
        Timeframe::H1,
    ) else {
        return;
    };
    let lake = TestLake::new();
    assert!(lake.import(&request).is_err());
    let report = lake
        .import(&ImportRequest {
            bad_rows: BadRows::Quarantine,
            ..request
        })
        .unwrap();
    assert_eq!((report.rows_read, report.bars), (34_243, 31_594));
    let quarantined: u64 = report.quarantined.iter().map(|(_, count)| count).sum();
    assert_eq!(quarantined + report.identical_duplicates, 2_649);
    let text = std::fs::read_to_string(report.quarantine.unwrap()).unwrap();
    assert_eq!(text.lines().count() as u64, 1 + quarantined);
}
