//! Markets for tests, built in one expression.

use rust_decimal::Decimal;
use sextant_domain::{
    AssetClass, BarSeries, Contract, Currency, Instrument, InstrumentTable, MacroSeries, MarketData, Series,
    Timeframe, UtcNanos,
};

use crate::SplitMix64;
use crate::bars::{
    Span, Walk, aggregate, daily_sessions, half_sessions, instant, random_walk, round_the_clock,
};

/// Collects instruments, bars and macro series, and makes a market of them.
///
/// Instruments get ids in the order in which they are added, series in the order in which their bars are added.
#[derive(Debug, Clone, Default)]
pub struct MarketBuilder {
    instruments: Vec<Instrument>,
    series: Vec<(String, Timeframe, BarSeries)>,
    macros: Vec<MacroSeries>,
}

impl MarketBuilder {
    /// An empty market.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a share in US dollars: ticks of one cent, lots of one.
    pub fn equity(self, symbol: &str, execution: Timeframe) -> Self {
        self.listed(
            symbol,
            AssetClass::Equity,
            execution,
            [Decimal::new(1, 2), Decimal::ONE],
        )
    }

    /// Adds a crypto asset in US dollars: ticks of one cent, lots of 0.00001.
    pub fn crypto(self, symbol: &str, execution: Timeframe) -> Self {
        self.listed(
            symbol,
            AssetClass::Crypto,
            execution,
            [Decimal::new(1, 2), Decimal::new(1, 5)],
        )
    }

    /// Adds a currency pair priced in US dollars: ticks of 0.00001, lots of 1,000.
    pub fn fx(self, symbol: &str, execution: Timeframe) -> Self {
        self.listed(
            symbol,
            AssetClass::Fx,
            execution,
            [Decimal::new(1, 5), Decimal::new(1_000, 0)],
        )
    }

    fn listed(self, symbol: &str, class: AssetClass, execution: Timeframe, steps: [Decimal; 2]) -> Self {
        let [price_tick, lot_size] = steps;
        self.instrument(Instrument {
            symbol: symbol.to_owned(),
            class,
            execution,
            price_tick,
            lot_size,
            contract: Contract::paid_in(Currency::USD),
        })
    }

    /// Adds any instrument.
    pub fn instrument(mut self, instrument: Instrument) -> Self {
        self.instruments.push(instrument);
        self
    }

    /// Gives the instrument that was added last other terms.
    ///
    /// # Panics
    /// When none was added.
    pub fn contract(mut self, contract: Contract) -> Self {
        let last = self.instruments.last_mut();
        last.expect("terms are those of an instrument").contract = contract;
        self
    }

    /// Adds the bars of an instrument in one timeframe.
    pub fn bars(mut self, symbol: &str, timeframe: Timeframe, bars: BarSeries) -> Self {
        self.series.push((symbol.to_owned(), timeframe, bars));
        self
    }

    /// Adds bars with the given closes; see [`from_closes`](crate::bars::from_closes).
    pub fn closes(self, symbol: &str, timeframe: Timeframe, spans: &[Span], closes: &[f64]) -> Self {
        self.bars(symbol, timeframe, crate::bars::from_closes(spans, closes))
    }

    /// Adds a random walk from a price of 100 with a step of one percent.
    pub fn random(self, symbol: &str, timeframe: Timeframe, spans: &[Span], seed: u64) -> Self {
        let walk = Walk {
            start_price: 100.0,
            step: 0.01,
            seed,
        };
        self.bars(symbol, timeframe, random_walk(spans, walk))
    }

    /// Adds a macro series from pairs of publication time and value.
    ///
    /// # Panics
    /// When times do not increase or a value is not finite.
    pub fn macro_series(mut self, name: &str, values: &[(UtcNanos, f64)]) -> Self {
        let (published, values) = values.iter().copied().unzip();
        let series = MacroSeries::new(name, published, values);
        self.macros
            .push(series.unwrap_or_else(|error| panic!("test macro series must be valid: {error}")));
        self
    }

    /// The market.
    ///
    /// # Panics
    /// When bars belong to an instrument that was not added, a series is there twice, or an instrument has no bars in
    /// its execution timeframe.
    pub fn build(self) -> MarketData {
        let table = InstrumentTable::new(self.instruments)
            .unwrap_or_else(|error| panic!("test instruments must be valid: {error}"));
        let series = self.series.into_iter().map(|(symbol, timeframe, bars)| {
            let instrument = table
                .id(&symbol)
                .unwrap_or_else(|| panic!("{symbol} has bars but was not added"));
            Series {
                instrument,
                timeframe,
                bars,
            }
        });
        let series = series.collect();
        MarketData::new(table, series, self.macros)
            .unwrap_or_else(|error| panic!("test market must be valid: {error}"))
    }
}

/// A market like the platform's default one, from 2018-01-01 on: SPY and QQQ in sessions, BTC-USD and ETH-USD round the
/// clock, each with 4-hour bars (on which orders fill) and the daily bars made of them; and the macro series
/// `yield_curve_10y_3m` and `vix` (weekdays at 22:00 UTC) and `pmi` (every 30 days at 15:00 UTC).
///
/// `days` are calendar days. The same seed gives the same market.
pub fn standard_market(days: usize, seed: u64) -> MarketData {
    let start = instant("2018-01-01");
    let sessions = days.div_ceil(7) * 5;
    let stock_fine = half_sessions(start, sessions);
    let stock_days = daily_sessions(start, sessions);
    let coin_fine = round_the_clock(start, Timeframe::H4, days * 6);
    let coin_days = round_the_clock(start, Timeframe::D1, days);
    let mut random = SplitMix64::new(seed);
    let mut walk = |start_price, step| Walk {
        start_price,
        step,
        seed: random.next_u64(),
    };
    let mut market = MarketBuilder::new();
    for (symbol, shape) in [("SPY", walk(270.0, 0.007)), ("QQQ", walk(155.0, 0.010))] {
        let fine = random_walk(&stock_fine, shape);
        let coarse = aggregate(&fine, &stock_days);
        market = market
            .equity(symbol, Timeframe::H4)
            .bars(symbol, Timeframe::H4, fine);
        market = market.bars(symbol, Timeframe::D1, coarse);
    }
    for (symbol, shape) in [
        ("BTC-USD", walk(13_000.0, 0.015)),
        ("ETH-USD", walk(750.0, 0.018)),
    ] {
        let fine = random_walk(&coin_fine, shape);
        let coarse = aggregate(&fine, &coin_days);
        market = market
            .crypto(symbol, Timeframe::H4)
            .bars(symbol, Timeframe::H4, fine);
        market = market.bars(symbol, Timeframe::D1, coarse);
    }
    let evenings: Vec<_> = stock_days
        .iter()
        .map(|day| day.close_time.saturating_add(3_600_000_000_000))
        .collect();
    let months = round_the_clock(instant("2018-01-02T15:00:00Z"), Timeframe::D1, days);
    let months: Vec<_> = months.iter().step_by(30).map(|day| day.open_time).collect();
    market
        .macro_series(
            "yield_curve_10y_3m",
            &wander(&evenings, [1.0, 0.05, -1.5, 3.5], &mut random),
        )
        .macro_series("vix", &wander(&evenings, [18.0, 1.2, 9.0, 60.0], &mut random))
        .macro_series("pmi", &wander(&months, [52.0, 2.0, 38.0, 64.0], &mut random))
        .build()
}

/// Values that wander from `start` by about `step` and stay between `low` and `high`.
fn wander(times: &[UtcNanos], shape: [f64; 4], random: &mut SplitMix64) -> Vec<(UtcNanos, f64)> {
    let [start, step, low, high] = shape;
    let mut value = start;
    let walk = times.iter().map(|time| {
        value = (value + step * random.bell()).clamp(low, high);
        (*time, value)
    });
    walk.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_market_is_aligned_and_repeats() {
        let market = standard_market(60, 7);
        let spy = market.instruments().id("SPY").unwrap();
        let fine = market.get(market.execution_series(spy)).bars.clone();
        let days = &market.get(market.series_id(spy, Timeframe::D1).unwrap()).bars;
        assert_eq!(fine.len(), 2 * days.len());
        assert_eq!(fine.view().close_time.last(), days.view().close_time.last());
        assert_eq!(fine.view().last_close(), days.view().last_close());
        assert_eq!(market.macros().len(), 3);
        let again = standard_market(60, 7);
        assert!(
            again
                .series()
                .iter()
                .zip(market.series())
                .all(|(one, other)| one.bars == other.bars)
        );
        assert_eq!(again.macros(), market.macros());
        let other = standard_market(60, 8);
        assert!(
            other
                .series()
                .iter()
                .zip(market.series())
                .all(|(one, other)| one.bars != other.bars)
        );
    }

    #[test]
    #[should_panic(expected = "QQQ has bars but was not added")]
    fn bars_need_their_instrument() {
        let spans = daily_sessions(instant("2020-01-01"), 2);
        MarketBuilder::new()
            .equity("SPY", Timeframe::D1)
            .random("QQQ", Timeframe::D1, &spans, 1)
            .build();
    }
}
