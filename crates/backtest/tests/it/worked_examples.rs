//! Published results of other engines, reproduced by models written against the public API.

use std::io::Read;
use std::path::Path;

use rust_decimal::Decimal;
use sextant_backtest::EndOfRun;
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    AssetClass, Bar, BarSeries, FeatureRef, Instrument, InstrumentId, InstrumentRef, InstrumentTable,
    Intents, MarketData, MarketView, OrderRequest, OrderSize, Requirements, Series, Timeframe, UtcNanos,
};
use sextant_engine::Scope;
use sextant_testkit::real_data_dir;

use crate::fixture::Setup;

/// Daily bars of a CSV.gz file: `timestamp,open,high,low,close,volume`, the stamp being the date of the session.
pub(crate) fn daily_bars(path: &Path) -> BarSeries {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let bars = reader.records().map(|record| {
        let record = record.unwrap();
        let number = |column: usize| record[column].parse::<f64>().unwrap();
        let date: UtcNanos = record[0].parse().unwrap();
        let hours = |count: i64| date.saturating_add(count * 3_600_000_000_000);
        Bar {
            open_time: hours(14),
            close_time: hours(21),
            open: number(1),
            high: number(2),
            low: number(3),
            close: number(4),
            volume: number(5),
        }
    });
    BarSeries::from_bars(bars).unwrap()
}

pub(crate) fn market(symbol: &str, bars: BarSeries) -> MarketData {
    let instrument = Instrument {
        symbol: symbol.to_owned(),
        class: AssetClass::Equity,
        execution: Timeframe::D1,
        price_tick: Decimal::new(1, 2),
        lot_size: Decimal::ONE,
    };
    let instruments = InstrumentTable::new(vec![instrument]).unwrap();
    let series = Series {
        instrument: InstrumentId::from_index(0),
        timeframe: Timeframe::D1,
        bars,
    };
    MarketData::new(instruments, vec![series], Vec::new()).unwrap()
}

/// SMA(10) crosses SMA(30): up, close and buy all; down, close and sell all short.
struct SmaReversal {
    needs: Requirements,
    instrument: InstrumentRef,
    fast: FeatureRef,
    slow: FeatureRef,
}

impl SmaReversal {
    fn new(symbol: &str) -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade(symbol);
        let daily = needs.series(symbol, Timeframe::D1);
        let fast = needs.feature("sma", &[("period", 10.0)], daily);
        let slow = needs.feature("sma", &[("period", 30.0)], daily);
        Self {
            needs,
            instrument,
            fast,
            slow,
        }
    }
}

impl Model for SmaReversal {
    fn id(&self) -> &str {
        "SmaReversal"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let (fast, slow) = (view.feature_history(self.fast), view.feature_history(self.slow));
        let ([.., fast_before, fast], [.., slow_before, slow]) = (fast, slow) else {
            return Ok(());
        };
        let side = if fast_before < slow_before && fast > slow {
            1.0
        } else if fast_before > slow_before && fast < slow {
            -1.0
        } else {
            return Ok(());
        };
        out.order(OrderRequest::market(self.instrument, OrderSize::ClosePosition));
        out.order(OrderRequest::market(
            self.instrument,
            OrderSize::EquityFraction(0.9999 * side),
        ));
        Ok(())
    }
}

/// backtesting.py, `test_compute_stats` (worked example B01).
#[test]
fn b01_sma_reversal_on_goog() {
    let Some(data) = real_data_dir() else { return };
    let market = market(
        "GOOG",
        daily_bars(&data.join("equities/yahoo_daily/goog_1d_backtesting_py.csv.gz")),
    );
    // The peer closes the last trade at the open of the last bar; here that is an option.
    let setup = Setup {
        at_end: EndOfRun::CloseAtLastOpen,
        ..Setup::plain("10000")
    };
    let (outcome, recorder) = setup
        .run(&market, vec![Box::new(SmaReversal::new("GOOG"))])
        .unwrap();

    let trades = outcome.ledger.book(Scope::Portfolio).trades();
    assert_eq!(trades.len(), 66);
    assert_eq!(outcome.ledger.exact_equity().unwrap().to_string(), "51422.99");
    let equity: Vec<f64> = recorder.equity.iter().map(|(_, point)| point.equity).collect();
    let peak = equity.iter().copied().fold(f64::MIN, f64::max);
    assert!((peak - 75787.44).abs() < 1e-9, "{peak}");
    let mut highest = 10_000.0_f64;
    let drawdown = equity.iter().map(|value| {
        highest = highest.max(*value);
        value / highest - 1.0
    });
    close(100.0 * drawdown.fold(0.0, f64::min), -47.98012705007589);

    let returns: Vec<f64> = trades
        .iter()
        .map(|trade| trade.net.to_f64() / (trade.entry_price.to_f64() * trade.quantity.abs().to_f64()))
        .collect();
    let wins: Vec<f64> = returns.iter().copied().filter(|value| *value > 0.0).collect();
    close(
        100.0 * wins.len() as f64 / returns.len() as f64,
        46.96969696969697,
    );
    close(
        100.0 * returns.iter().copied().fold(f64::MIN, f64::max),
        53.59595229490424,
    );
    close(
        100.0 * returns.iter().copied().fold(f64::MAX, f64::min),
        -18.39887353835481,
    );
    // The peer's profit factor is of returns, not of money.
    let losses: f64 = returns.iter().filter(|value| **value < 0.0).sum();
    close(wins.iter().sum::<f64>() / losses.abs(), 2.167945974262033);
}

fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs(),
        "found {found}, expected {expected}"
    );
}
