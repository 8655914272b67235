//! Published results of other engines, reproduced to the printed digit by models written against the public API.

mod backtesting_py;
mod freqtrade;
mod lean;
mod peer_statistics;
mod pyalgotrade;

use std::fs::File;

use flate2::read::GzDecoder;
use rust_decimal::{Decimal, RoundingStrategy};
use sextant_backtest::Recorder;
use sextant_domain::{
    AssetClass, Bar, BarSeries, Contract, Currency, Instrument, InstrumentId, InstrumentTable, MarketData,
    Series, Timeframe, UtcNanos,
};
use sextant_testkit::real_data_dir;

const MINUTE_NANOS: i64 = 60_000_000_000;

/// A row of a bar file, its time being what the file says.
pub(crate) struct Row {
    stamp: UtcNanos,
    /// Open, high, low, close.
    prices: [f64; 4],
    volume: f64,
    adjusted_close: Option<f64>,
}

/// The rows of a file `timestamp,open,high,low,close,volume[,adj_close]`; `None` where there are no real data.
pub(crate) fn rows(file: &str) -> Option<Vec<Row>> {
    let file = File::open(real_data_dir()?.join(file)).unwrap();
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let number = |column: usize| record[column].parse::<f64>().unwrap();
        Row {
            stamp: record[0].parse().unwrap(),
            prices: [1, 2, 3, 4].map(number),
            volume: number(5),
            adjusted_close: record.get(6).map(|text| text.parse().unwrap()),
        }
    });
    Some(rows.collect())
}

fn bar(row: &Row, [from, to]: [i64; 2]) -> Bar {
    let [open, high, low, close] = row.prices;
    let at = |minutes: i64| row.stamp.saturating_add(minutes * MINUTE_NANOS);
    Bar {
        open_time: at(from),
        close_time: at(to),
        open,
        high,
        low,
        close,
        volume: row.volume,
    }
}

/// Daily bars of rows whose stamp is the date of the session, taken to last from 14:30 to 21:00 UTC.
pub(crate) fn daily(rows: &[Row]) -> BarSeries {
    let session = [14 * 60 + 30, 21 * 60];
    BarSeries::from_bars(rows.iter().map(|row| bar(row, session))).unwrap()
}

/// A market of shares that are executed in the timeframe of their only bars.
pub(crate) fn market(shares: &[(&str, Timeframe, BarSeries)], price_tick: Decimal) -> MarketData {
    let instruments = shares.iter().map(|(symbol, execution, _)| Instrument {
        symbol: (*symbol).to_owned(),
        class: AssetClass::Equity,
        execution: *execution,
        price_tick,
        lot_size: Decimal::ONE,
        contract: Contract::paid_in(Currency::USD),
    });
    let instruments = InstrumentTable::new(instruments.collect()).unwrap();
    let series = shares
        .iter()
        .enumerate()
        .map(|(index, (_, timeframe, bars))| Series {
            instrument: InstrumentId::from_index(index),
            timeframe: *timeframe,
            bars: bars.clone(),
        });
    MarketData::new(instruments, series.collect(), Vec::new()).unwrap()
}

/// An amount as statements print it: in cents, halves away from zero.
fn cents(value: Decimal) -> String {
    let rounded = value.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    format!("{rounded:.2}")
}

/// [`cents`] of a number of the research world.
fn money(value: f64) -> String {
    format!("{value:.2}")
}

/// The largest fall of equity from its highest point so far, in percent with one decimal.
fn drawdown_percent(start: f64, recorder: &Recorder) -> String {
    let mut highest = start;
    let falls = recorder.equity.iter().map(|(_, point)| {
        highest = highest.max(point.equity);
        1.0 - point.equity / highest
    });
    format!("{:.1}", 100.0 * falls.fold(0.0, f64::max))
}
