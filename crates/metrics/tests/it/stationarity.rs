//! Tests of stationarity on consumer prices, against statsmodels (`oracles/statsmodels_numbers.py`) and published numbers.

use std::collections::BTreeMap;
use std::path::Path;

use sextant_metrics::stationarity::*;

use crate::assert_relative;

#[derive(serde::Deserialize)]
struct Record {
    numbers: BTreeMap<String, f64>,
}

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles").join(file)).unwrap()
}

/// Logarithms of the consumer price index by quarter, and their changes.
fn prices() -> [(&'static str, Vec<f64>); 2] {
    let text = read("statsmodels_cpi.csv");
    let index = text.lines().skip(1).map(|line| line.parse::<f64>().unwrap());
    let levels: Vec<f64> = index.map(f64::ln).collect();
    let changes = levels.windows(2).map(|pair| pair[1] - pair[0]).collect();
    [("levels", levels), ("changes", changes)]
}

const TERMS: [AdfTerms; 3] = [AdfTerms::None, AdfTerms::Constant, AdfTerms::Trend];

#[test]
fn every_recorded_number_is_found_again() {
    let record: Record = serde_json::from_str(&read("statsmodels_numbers.json")).unwrap();
    let mut numbers = record.numbers;
    let mut check = |name: String, found: f64, tolerance: f64| {
        let wanted = numbers
            .remove(&name)
            .unwrap_or_else(|| panic!("{name} is not recorded"));
        if wanted == 0.0 {
            assert_eq!(found, 0.0, "{name}");
        } else {
            assert_relative(found, wanted, tolerance);
        }
    };
    for (series, values) in prices() {
        for terms in TERMS {
            for (name, lags) in [
                ("0", AdfLags::Fixed(0)),
                ("1", AdfLags::Fixed(1)),
                ("10", AdfLags::Fixed(10)),
                ("aic", AdfLags::Aic),
            ] {
                let name = format!("adf {series} {} {name}", terms.name());
                let test = adf(&values, terms, lags).unwrap();
                check(format!("{name} statistic"), test.statistic, 1e-9);
                check(format!("{name} p"), test.p_value, 1e-8);
                check(format!("{name} lags"), test.lags as f64, 0.0);
                check(format!("{name} observations"), test.observations as f64, 0.0);
                check(format!("{name} 1%"), test.critical_values.one_percent, 1e-14);
                check(format!("{name} 5%"), test.critical_values.five_percent, 1e-14);
                check(format!("{name} 10%"), test.critical_values.ten_percent, 1e-14);
            }
        }
        for null in [KpssNull::Level, KpssNull::Trend] {
            for (name, bandwidth) in [
                ("0", KpssBandwidth::Fixed(0)),
                ("12", KpssBandwidth::Fixed(12)),
                ("auto", KpssBandwidth::Automatic),
            ] {
                let name = format!("kpss {series} {} {name}", null.name());
                let test = kpss(&values, null, bandwidth).unwrap();
                check(format!("{name} statistic"), test.statistic, 1e-9);
                // statsmodels gives the end of the table where the statistic is beyond it.
                let (KpssPValue::Above(p) | KpssPValue::Within(p) | KpssPValue::Below(p)) = test.p_value;
                check(format!("{name} p"), p, 1e-8);
                check(format!("{name} lags"), test.lags as f64, 0.0);
            }
        }
    }
    assert!(numbers.is_empty(), "recorded, but not looked at: {numbers:?}");
}

/// Worked example M02: what the tests of `arch` expect of inflation. Its numbers without lags come from a program that
/// holds logarithms in single precision, and are compared there to four decimals.
#[test]
fn m02_inflation_as_arch_expects_it() {
    let [_, (_, inflation)] = prices();
    let test = adf(&inflation, AdfTerms::Constant, AdfLags::Aic).unwrap();
    let printed = (
        format!("{:.4}", test.statistic),
        format!("{:.6}", test.p_value),
        test.lags,
    );
    assert_eq!(printed, ("-3.0931".into(), "0.027067".into(), 2));
    assert_eq!(test.definition.as_str(), "adf@v1{terms=constant,lags=aic}");

    let four_decimals = |found: f64, published: f64| {
        assert!(
            (found - published).abs() < 0.5e-4,
            "{found}, published {published}"
        );
    };
    for (terms, lags, published) in [
        (AdfTerms::Constant, 0, -6.5688),
        (AdfTerms::None, 0, -3.88845),
        (AdfTerms::Trend, 0, -6.66705),
        (AdfTerms::Constant, 10, -2.28375),
    ] {
        four_decimals(
            adf(&inflation, terms, AdfLags::Fixed(lags)).unwrap().statistic,
            published,
        );
    }
    let around_a_line = kpss(&inflation, KpssNull::Trend, KpssBandwidth::Fixed(12)).unwrap();
    four_decimals(around_a_line.statistic, 0.235_581_902_996_454);
    assert_eq!(around_a_line.p_value, KpssPValue::Below(0.01));
}
