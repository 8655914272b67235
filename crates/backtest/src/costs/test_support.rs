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
    history: BarSeries,
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
            history: BarSeries::default(),
        }
    }

    /// A share with bars of these closes and volumes.
    pub(super) fn with_history(bars: &[(f64, f64)]) -> Self {
        let bars = bars
            .iter()
            .enumerate()
            .map(|(index, (close, volume))| bar(index, *close, *volume));
        Self {
            history: BarSeries::from_bars(bars).unwrap(),
            ..Self::equity()
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
            history: self.history.view(),
            bar: bar(self.history.len(), price.to_f64(), 10_000.0),
            traded_in_bar: Quantity::ZERO,
            traded_value_30d: 0.0,
        }
    }
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
