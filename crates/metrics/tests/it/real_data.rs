//! A published result on real prices; skipped where the market data is absent.
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use std::io::Read;
use std::path::PathBuf;

use sextant_metrics::*;

const DAY: i64 = 86_400_000_000_000;

/// The text of a compressed file of the market data folder; `None` where the folder is absent.
fn market_data(file: &str) -> Option<String> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder =
        std::env::var_os("SEXTANT_MARKET_DATA").map_or(PathBuf::from("../shared/market-data"), PathBuf::from);
    let path = workspace.join(folder).join(file);
    let required = std::env::var("SEXTANT_REQUIRE_MARKET_DATA").is_ok_and(|value| value == "1");
    match std::fs::File::open(&path) {
        Ok(opened) => {
            let mut text = String::new();
            flate2::read::GzDecoder::new(opened)
                .read_to_string(&mut text)
                .unwrap();
            Some(text)
        }
        Err(error) if required => panic!(
            "market data is required but {} cannot be read: {error}",
            path.display()
        ),
        Err(_) => {
            eprintln!("skipped: no market data, set SEXTANT_MARKET_DATA to the folder that holds {file}");
            None
        }
    }
}

/// One share of IGE bought on 2001-11-26 and held to 2007-11-14 (Chan 2008, *Quantitative Trading*, example 3.4): annual
/// Sharpe ratio 0.7893 from the returns of the adjusted closes and a risk-free rate of 4 %/252 a day.
#[test]
fn sharpe_ratio_of_the_textbook_example() {
    let Some(text) = market_data("equities/yahoo_daily/ige_1d_2001_2007_pyalgotrade.csv.gz") else {
        return;
    };
    let column = text
        .lines()
        .next()
        .unwrap()
        .split(',')
        .position(|name| name == "adj_close")
        .unwrap();
    let closes: Vec<f64> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(column).unwrap().parse().unwrap())
        .collect();
    assert_eq!((closes[0], closes[closes.len() - 1]), (42.09, 127.64));
    let marks = closes[1..]
        .iter()
        .zip(1..)
        .map(|(&nav, day)| NavMark {
            time_ns: day * DAY,
            nav,
        })
        .collect();
    let nav = NavSeries::new(0, closes[0], marks).unwrap();
    let input = PerformanceInput {
        risk_free: RiskFree::Constant {
            annual_rate: (1.0_f64 + 0.04 / 252.0).powi(252) - 1.0,
        },
        ..PerformanceInput::new(&nav, PeriodsPerYear::EQUITIES)
    };
    let report = PerformanceReport::compute(&input).unwrap();
    let sharpe = report.value(MetricName::Sharpe).unwrap();
    assert!((sharpe - 0.7893).abs() < 5e-5, "{sharpe}");
    // With a first day without return, as another published run of the example counts it.
    let excess: Vec<f64> = std::iter::once(0.0)
        .chain(nav.returns().as_slice().iter().copied())
        .map(|r| r - 0.04 / 252.0)
        .collect();
    let moments = SharpeMoments::of(&Returns::new(excess).unwrap()).unwrap();
    assert!((moments.sharpe_per_period - 0.0497).abs() < 5e-5);
    assert!((moments.annualised(PeriodsPerYear::EQUITIES).value().unwrap() - 0.7889).abs() < 5e-5);
}
