//! Trades for the tests of cost models.
#![allow(clippy::unwrap_used)]

use rust_decimal::Decimal;
use sextant_domain::{
    AssetClass, Bar, BarSeries, Contract, Currency, Instrument, Price, Quantity, Timeframe, UtcNanos,
};

use super::{Liquidity, Trade};

pub(super) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// An instrument with a history, for trades of it.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) instrument: Instrument,
    /// The history, and the bar of the trade.
    bars: BarSeries,
}

impl Sample {
    /// A share without history.
    pub(super) fn equity() -> Self {
        Self::of_class(AssetClass::Equity)
    }

    pub(super) fn of_class(class: AssetClass) -> Self {
        Self {
            instrument: Instrument {
                symbol: "ACME".to_owned(),
                class,
                execution: Timeframe::D1,
                price_tick: dec("0.00000001"),
                lot_size: dec("1"),
                contract: Contract::paid_in(Currency::USD),
            },
            bars: series(&[], VOLUME),
        }
    }

    /// A share with bars of these closes and volumes.
    pub(super) fn with_history(bars: &[(f64, f64)]) -> Self {
        Self {
            bars: series(bars, VOLUME),
            ..Self::equity()
        }
    }

    /// The same with another volume in the bar of the trade.
    pub(super) fn with_volume(self, volume: f64) -> Self {
        let before = self.bars.len() - 1;
        let history: Vec<_> = self
            .bars
            .iter()
            .take(before)
            .map(|bar| (bar.close, bar.volume))
            .collect();
        Self {
            bars: series(&history, volume),
            ..self
        }
    }

    /// A taker's trade in a bar of 10,000 shares, the first of the run.
    pub(super) fn trade(&self, quantity: &str, price: &str) -> Trade<'_> {
        self.trade_of(dec(quantity), dec(price))
    }

    pub(super) fn trade_of(&self, quantity: Decimal, price: Decimal) -> Trade<'_> {
        let price = Price::new(price);
        Trade {
            instrument: &self.instrument,
            quantity: Quantity::new(quantity),
            price,
            liquidity: Liquidity::Taker,
            bars: self.bars.view(),
            traded_in_bar: Quantity::ZERO,
            traded_value_30d: 0.0,
        }
    }
}

/// The volume of the bar of the trade.
const VOLUME: f64 = 10_000.0;

/// Bars of these closes and volumes, and one of the last close (or 100) in which the trade takes place.
fn series(history: &[(f64, f64)], volume: f64) -> BarSeries {
    let price = history.last().map_or(100.0, |(close, _)| *close);
    let all = history.iter().copied().chain([(price, volume)]);
    BarSeries::from_bars(
        all.enumerate()
            .map(|(index, (close, volume))| bar(index, close, volume)),
    )
    .unwrap()
}

fn bar(index: usize, price: f64, volume: f64) -> Bar {
    let day = |index: usize| UtcNanos::MIN.saturating_add(index as i64 * 86_400_000_000_000);
    Bar {
        open_time: day(index),
        close_time: day(index + 1),
        open: price,
        high: price,
        low: price,
        close: price,
        volume,
    }
}
