//! What the tests of corporate actions and universes share: dates, bars, and the real files.
#![allow(clippy::unwrap_used)]

mod adjusting;
mod bad_files;
mod files;
mod real_bars;
mod real_tickers;
mod stitching;
mod tickers;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use chrono::NaiveDate;
use flate2::read::MultiGzDecoder;
use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};
pub(crate) use sextant_testkit::real_data_dir as market_data;

use super::{FactorFile, SecurityHistory, SecurityId, TickerMapper, TickerSpan};
use crate::calendar::Calendar;

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn equity() -> Calendar {
    Calendar::for_class(AssetClass::Equity)
}

/// Every day is a session.
pub(crate) fn crypto() -> Calendar {
    Calendar::for_class(AssetClass::Crypto)
}

/// A span; `*` is a date that is not known, or none.
pub(crate) fn span(ticker: &str, first: &str, last: &str) -> TickerSpan {
    let known = |text: &str| (text != "*").then(|| date(text));
    TickerSpan {
        ticker: ticker.to_owned(),
        first: known(first),
        last: known(last),
        exchange: None,
    }
}

pub(crate) fn security(id: &str, spans: &[(&str, &str, &str)]) -> SecurityHistory {
    let spans = spans
        .iter()
        .map(|(ticker, first, last)| span(ticker, first, last));
    SecurityHistory::new(SecurityId::new(id).unwrap(), spans.collect()).unwrap()
}

/// One bar a session from a date on, with the given closes and a volume of 100.
pub(crate) fn bars(calendar: &Calendar, first: &str, closes: &[f64]) -> BarSeries {
    let from = date(first);
    let to = from + chrono::Days::new(3 * closes.len() as u64 + 10);
    let sessions = calendar.sessions(from, to).into_iter().zip(closes);
    BarSeries::from_bars(sessions.map(|(session, close)| Bar {
        open_time: session.open,
        close_time: session.close,
        open: *close,
        high: close * 1.25,
        low: close * 0.75,
        close: *close,
        volume: 100.0,
    }))
    .unwrap()
}

/// The text of a real file, plain or gzip.
pub(crate) fn real_text(file: &str) -> Option<String> {
    let path = market_data()?.join(file);
    let mut text = String::new();
    let source = File::open(&path).unwrap();
    if path.extension().is_some_and(|ending| ending == "gz") {
        MultiGzDecoder::new(source).read_to_string(&mut text).unwrap();
    } else {
        { source }.read_to_string(&mut text).unwrap();
    }
    Some(text)
}

/// Raw Lean bars: a day's bar is its session, an hour's bar is the clock hour.
pub(crate) fn real_bars(symbol: &str, timeframe: Timeframe) -> Option<BarSeries> {
    let file = match timeframe {
        Timeframe::H1 => format!("equities/us_hourly_raw_lean/{symbol}_1h.csv.gz"),
        _ => format!("equities/us_daily_raw_lean/{symbol}_1d.csv.gz"),
    };
    let calendar = equity();
    let text = real_text(&file)?;
    let bars = text.lines().skip(1).map(|line| {
        let (stamp, values) = line.split_once(',').unwrap();
        let stamp: UtcNanos = stamp.parse().unwrap();
        let values: Vec<f64> = values.split(',').map(|value| value.parse().unwrap()).collect();
        let (open_time, close_time) = match timeframe {
            Timeframe::H1 => (stamp, stamp.saturating_add(Timeframe::H1.nanos())),
            _ => calendar
                .session(stamp.date())
                .map(|session| (session.open, session.close))
                .unwrap(),
        };
        Bar {
            open_time,
            close_time,
            open: values[0],
            high: values[1],
            low: values[2],
            close: values[3],
            volume: values[4],
        }
    });
    Some(BarSeries::from_bars(bars.collect::<Vec<_>>()).unwrap())
}

pub(crate) fn real_factors(name: &str) -> Option<FactorFile> {
    let file = format!("{name}.csv");
    let path = market_data()?
        .join("corporate_actions/lean_factor_files")
        .join(&file);
    Some(FactorFile::read(&file, File::open(path).unwrap()).unwrap())
}

/// The names without their ending of the CSV files of a folder, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".csv").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// A mapper over every real map file.
pub(crate) fn real_mapper() -> Option<TickerMapper> {
    let folder = market_data()?.join("corporate_actions/lean_map_files");
    let read = |name: &String| {
        let file = format!("{name}.csv");
        let source = File::open(folder.join(&file)).unwrap();
        SecurityHistory::read_lean_map(SecurityId::new(name).unwrap(), &file, source).unwrap()
    };
    let securities = names(&folder).iter().map(read).collect();
    Some(TickerMapper::new(AssetClass::Equity, securities).unwrap())
}
