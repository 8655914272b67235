//! Real bars through a folder and back.
#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::path::Path;

use chrono::NaiveDate;
use sextant_domain::{AssetClass, Bar, BarSeries, UtcNanos};
use sextant_testkit::real_data_dir as market_data;

use super::*;
use crate::Calendar;

/// The date and the numbers of each row of a daily file.
fn rows(path: &Path) -> Vec<(NaiveDate, [f64; 5])> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&std::fs::read(path).unwrap()[..])
        .read_to_string(&mut text)
        .unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let numbers: Vec<f64> = fields[1..6].iter().map(|field| field.parse().unwrap()).collect();
        (fields[0][..10].parse().unwrap(), numbers.try_into().unwrap())
    };
    text.lines().skip(1).map(row).collect()
}

/// Price factor x split factor of each date, as the factor file has them.
fn factors(path: &Path, dates: impl Iterator<Item = NaiveDate>) -> Vec<f64> {
    let text = std::fs::read_to_string(path).unwrap();
    let known: Vec<(NaiveDate, f64)> = text
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let number = |index: usize| fields[index].parse::<f64>().unwrap();
            let date = NaiveDate::parse_from_str(fields[0], "%Y%m%d").unwrap();
            (date, number(1) * number(2))
        })
        .collect();
    let factor = |date| known.iter().find(|(until, _)| *until >= date).unwrap().1;
    dates.map(factor).collect()
}

fn sessions(rows: &[(NaiveDate, [f64; 5])], factors: &[f64]) -> BarSeries {
    let calendar = Calendar::for_class(AssetClass::Equity);
    let bar = |((date, [open, high, low, close, volume]), factor): (&(NaiveDate, [f64; 5]), &f64)| {
        let session = calendar.session(*date).unwrap();
        Bar {
            open_time: session.open,
            close_time: session.close,
            open: open * factor,
            high: high * factor,
            low: low * factor,
            close: close * factor,
            volume: volume / factor,
        }
    };
    BarSeries::from_bars(rows.iter().zip(factors).map(bar)).unwrap()
}

#[test]
fn adjusted_days_go_through_a_folder_and_come_back_in_32_bits() {
    let Some(data) = market_data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("us_data");
    let conventions = QlibConventions::new(AssetClass::Equity);
    let mut sources = Vec::new();
    let mut all = Vec::new();
    for symbol in ["SPY", "AAPL", "GOOG"] {
        let name = symbol.to_lowercase();
        let rows = rows(&data.join(format!("equities/us_daily_raw_lean/{name}_1d.csv.gz")));
        let dates = rows.iter().map(|(date, _)| *date);
        let factors = factors(
            &data.join(format!("corporate_actions/lean_factor_files/{name}.csv")),
            dates,
        );
        let bars = sessions(&rows, &factors);
        all.push(from_bars(symbol, QlibFrequency::Day, (&bars, Some(&factors)), &conventions).unwrap());
        sources.push((symbol, rows, bars));
    }
    write(&path, &QlibContents::from_series(all)).unwrap();
    let qlib = QlibFolder::open(&path).unwrap();
    assert_eq!(qlib.calendar(QlibFrequency::Day).unwrap().len(), 5_849);
    let fields = ["$open", "$high", "$low", "$close", "$volume", "$factor"];
    for (symbol, rows, bars) in sources {
        let series = qlib.read_series(symbol, QlibFrequency::Day, &fields).unwrap();
        let made = to_bars(&series, &conventions).unwrap();
        let raw = made.raw.unwrap();
        assert_eq!(
            (made.bars.len(), made.suspended),
            (bars.len(), series.len() - bars.len())
        );
        let singles =
            |bar: Bar| [bar.open, bar.high, bar.low, bar.close, bar.volume].map(|value| value as f32);
        for (index, (_, traded)) in rows.iter().enumerate() {
            let (before, after) = (bars.bar(index), made.bars.bar(index));
            let times = |bar: Bar| -> [UtcNanos; 2] { [bar.open_time, bar.close_time] };
            assert_eq!(times(before), times(after));
            assert_eq!(
                singles(before).map(f32::to_bits),
                singles(after).map(f32::to_bits)
            );
            // What was traded comes back as near as 32 bits of price and of factor allow.
            for (found, expected) in [
                (raw.bars.bar(index).close, traded[3]),
                (raw.bars.bar(index).volume, traded[4]),
            ] {
                assert!(
                    (found / expected - 1.0).abs() < 2e-7,
                    "{symbol} {index}: {found} {expected}"
                );
            }
        }
    }
    let again = folder.path().join("again");
    write(&again, &qlib.contents().unwrap()).unwrap();
    assert_eq!(support::files(&again), support::files(&path));
}
