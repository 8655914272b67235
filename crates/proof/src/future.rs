//! The same market with another future, or with none.

use sextant_domain::{Bar, BarSeries, MacroSeries, MarketData, Series, UtcNanos};

use crate::SplitMix64;

/// What takes the place of everything after a point in time. Times stay as they are; values change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// Unrelated random prices, volumes and macro values from a seed.
    Noise(u64),
    /// Prices, volumes and macro values ten times as large.
    TimesTen,
    /// The same bars and macro values in another order, from a seed.
    Shuffle(u64),
}

impl Replacement {
    /// The name in tables: `noise`, `times ten` or `shuffle`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noise(_) => "noise",
            Self::TimesTen => "times ten",
            Self::Shuffle(_) => "shuffle",
        }
    }
}

/// The market as it is known at `t`, and nothing more.
///
/// Bars that have closed by `t` stay. A bar that is open at `t` (`open_time <= t < close_time`) stays with its times and
/// its open, which is known, but flattened to that open and without volume; no view shows it before its close. Macro
/// values published by `t` stay. Everything else is gone; instruments and series keep their ids.
pub fn cut(market: &MarketData, t: UtcNanos) -> MarketData {
    let bars = |bars: &BarSeries, _| {
        let known = bars.iter().filter(|bar| bar.open_time <= t);
        valid(known.map(|bar| if bar.close_time <= t { bar } else { flattened(bar) }))
    };
    let macros = |series: &MacroSeries, _| {
        let count = series.available(t);
        remade(
            series,
            series.published()[..count].to_vec(),
            series.values()[..count].to_vec(),
        )
    };
    rebuilt(market, bars, macros)
}

/// The market with everything that is not known at `t` replaced.
///
/// A bar that is open at `t` keeps its times and its open; its other prices and its volume are replaced. Every bar stays
/// valid, and everything known at `t` stays bit for bit.
pub fn replace_future(market: &MarketData, t: UtcNanos, replacement: Replacement) -> MarketData {
    rebuilt(
        market,
        |bars, salt| replaced_bars(bars, t, replacement, salt),
        |series, salt| replaced_values(series, t, replacement, salt),
    )
}

/// The market with everything that follows `t` ten times as high, the opens of bars that begin at `t` included.
///
/// Unlike in [`replace_future`] the price at which a bar opens at `t` is not taken for known: an order decided at `t`
/// cannot trade before `t`, so whatever it trades at must change. A bar that is open at `t` keeps its open.
pub fn raise_what_follows(market: &MarketData, t: UtcNanos) -> MarketData {
    let bars = |bars: &BarSeries, _| {
        valid(bars.iter().map(|bar| {
            let raised = ten_times(&bar);
            match (bar.close_time <= t, bar.open_time < t) {
                (true, _) => bar,
                (false, true) => with_open(raised, bar.open),
                (false, false) => raised,
            }
        }))
    };
    let macros = |series: &MacroSeries, _| replaced_values(series, t, Replacement::TimesTen, 0);
    rebuilt(market, bars, macros)
}

/// The bar with another open, and a range that still encloses it.
fn with_open(bar: Bar, open: f64) -> Bar {
    Bar {
        open,
        high: bar.high.max(open),
        low: bar.low.min(open),
        ..bar
    }
}

fn valid(bars: impl Iterator<Item = Bar>) -> BarSeries {
    BarSeries::from_bars(bars).unwrap_or_else(|error| panic!("changed bars stay valid: {error}"))
}

fn flattened(bar: Bar) -> Bar {
    Bar {
        high: bar.open,
        low: bar.open,
        close: bar.open,
        volume: 0.0,
        ..bar
    }
}

fn replaced_bars(bars: &BarSeries, t: UtcNanos, replacement: Replacement, salt: u64) -> BarSeries {
    let known = bars.view().close_time.partition_point(|time| *time <= t);
    let future: Vec<Bar> = (known..bars.len()).map(|index| bars.bar(index)).collect();
    let others = match replacement {
        Replacement::Noise(seed) => noise(&future, &mut SplitMix64::new(seed ^ salt)),
        Replacement::TimesTen => future.iter().map(ten_times).collect(),
        Replacement::Shuffle(seed) => shuffled(&future, &mut SplitMix64::new(seed ^ salt)),
    };
    let changed = future.iter().zip(others).map(|(bar, other)| {
        let open = if bar.open_time <= t { bar.open } else { other.open };
        let placed = Bar {
            open_time: bar.open_time,
            close_time: bar.close_time,
            ..other
        };
        with_open(placed, open)
    });
    valid(bars.iter().take(known).chain(changed))
}

/// Prices from a fifth to five times those of the bar they replace, open and close independent of each other.
fn noise(future: &[Bar], random: &mut SplitMix64) -> Vec<Bar> {
    let noisy = future.iter().map(|bar| {
        let open = bar.open * random.between(0.2, 5.0);
        let close = bar.open * random.between(0.2, 5.0);
        Bar {
            open,
            high: open.max(close) * random.between(1.0, 1.5),
            low: open.min(close) * random.between(0.5, 1.0),
            close,
            volume: random.between(0.0, 1e6),
            ..*bar
        }
    });
    noisy.collect()
}

fn ten_times(bar: &Bar) -> Bar {
    Bar {
        open: bar.open * 10.0,
        high: bar.high * 10.0,
        low: bar.low * 10.0,
        close: bar.close * 10.0,
        volume: bar.volume * 10.0,
        ..*bar
    }
}

fn shuffled<T: Clone>(future: &[T], random: &mut SplitMix64) -> Vec<T> {
    let mut items = future.to_vec();
    random.shuffle(&mut items);
    items
}

fn replaced_values(series: &MacroSeries, t: UtcNanos, replacement: Replacement, salt: u64) -> MacroSeries {
    let (known, future) = series.values().split_at(series.available(t));
    let changed = match replacement {
        Replacement::Noise(seed) => {
            let mut random = SplitMix64::new(seed ^ salt);
            future
                .iter()
                .map(|value| value + (1.0 + value.abs()) * random.between(-3.0, 3.0))
                .collect()
        }
        Replacement::TimesTen => future.iter().map(|value| value * 10.0).collect(),
        Replacement::Shuffle(seed) => shuffled(future, &mut SplitMix64::new(seed ^ salt)),
    };
    remade(series, series.published().to_vec(), [known, &changed].concat())
}

fn remade(series: &MacroSeries, published: Vec<UtcNanos>, values: Vec<f64>) -> MacroSeries {
    MacroSeries::new(series.name(), published, values)
        .unwrap_or_else(|error| panic!("a changed macro series stays valid: {error}"))
}

/// The market with every series changed. Each call is given its own salt, so that no two series get the same noise.
fn rebuilt(
    market: &MarketData,
    bars: impl Fn(&BarSeries, u64) -> BarSeries,
    macros: impl Fn(&MacroSeries, u64) -> MacroSeries,
) -> MarketData {
    let mut salts = 1_u64..;
    let mut salt = || salts.next().expect("a market has fewer than 2^64 series") << 32;
    let series = market.series().iter().map(|one| Series {
        instrument: one.instrument,
        timeframe: one.timeframe,
        bars: bars(&one.bars, salt()),
    });
    let series = series.collect();
    let macros = market.macros().iter().map(|one| macros(one, salt())).collect();
    MarketData::new(market.instruments().clone(), series, macros)
        .unwrap_or_else(|error| panic!("a changed market stays valid: {error}"))
}
