//! The same market with another future, or with none.

use sextant_domain::{Bar, BarSeries, MacroSeries, MarketData, Series, UtcNanos};

use crate::SplitMix64;
use crate::bars::valid;

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
        Bar {
            open_time: bar.open_time,
            close_time: bar.close_time,
            open,
            high: other.high.max(open),
            low: other.low.min(open),
            ..other
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bars::instant;
    use crate::standard_market;

    const REPLACEMENTS: [Replacement; 3] = [
        Replacement::Noise(1),
        Replacement::TimesTen,
        Replacement::Shuffle(2),
    ];

    /// In the middle of a 4-hour bar of every series, and of every daily bar.
    fn middle() -> UtcNanos {
        instant("2018-02-07T18:00:00Z")
    }

    #[test]
    fn a_cut_keeps_what_is_known_and_nothing_else() {
        let market = standard_market(60, 1);
        let past = cut(&market, middle());
        for (before, after) in market.series().iter().zip(past.series()) {
            let known = before
                .bars
                .view()
                .close_time
                .partition_point(|time| *time <= middle());
            assert_eq!(after.bars.len(), known + 1, "the bar that is open stays");
            assert!(before.bars.iter().take(known).eq(after.bars.iter().take(known)));
            let (whole, open) = (before.bars.bar(known), after.bars.bar(known));
            assert_eq!(
                (open.open_time, open.close_time),
                (whole.open_time, whole.close_time)
            );
            assert_eq!([open.open, open.high, open.low, open.close, open.volume], {
                [whole.open, whole.open, whole.open, whole.open, 0.0]
            });
        }
        for (before, after) in market.macros().iter().zip(past.macros()) {
            assert_eq!(after.values(), &before.values()[..before.available(middle())]);
            assert!(after.published().iter().all(|time| *time <= middle()));
        }
    }

    #[test]
    fn a_bar_that_opens_at_the_cut_is_open_and_one_that_closes_there_is_whole() {
        let market = standard_market(10, 1);
        let noon = instant("2018-01-03T17:00:00Z");
        let past = cut(&market, noon).series()[0].bars.clone();
        let count = past.len();
        let whole = &market.series()[0].bars;
        assert_eq!(past.bar(count - 2), whole.bar(count - 2));
        assert_eq!(
            (past.bar(count - 1).open_time, past.bar(count - 1).close),
            (noon, whole.bar(count - 1).open)
        );
        let night = instant("2018-01-03T21:00:00Z");
        assert_eq!(
            cut(&market, night).series()[0].bars.view().close_time.last(),
            Some(&night)
        );
    }

    #[test]
    fn replacing_changes_the_whole_future_and_nothing_before() {
        let market = standard_market(60, 1);
        for replacement in REPLACEMENTS {
            let other = replace_future(&market, middle(), replacement);
            for (before, after) in market.series().iter().zip(other.series()) {
                let (before, after) = (&before.bars, &after.bars);
                let known = before.view().close_time.partition_point(|time| *time <= middle());
                assert!(
                    before.iter().take(known).eq(after.iter().take(known)),
                    "{replacement:?}"
                );
                assert_eq!(before.view().close_time, after.view().close_time);
                assert_eq!(before.view().open_time, after.view().open_time);
                assert_eq!(before.bar(known).open, after.bar(known).open, "the open is known");
                let future = known..before.len();
                let same = future
                    .clone()
                    .filter(|index| before.bar(*index) == after.bar(*index))
                    .count();
                assert!(
                    same * 5 < future.len(),
                    "{replacement:?}: {same} of {} unchanged",
                    future.len()
                );
            }
            for (before, after) in market.macros().iter().zip(other.macros()) {
                let known = before.available(middle());
                assert_eq!(before.published(), after.published());
                assert_eq!(before.values()[..known], after.values()[..known]);
            }
            let (before, after) = (&market.macros()[0], &other.macros()[0]);
            assert_ne!(before.values(), after.values(), "{replacement:?}");
        }
    }

    #[test]
    fn series_do_not_share_their_noise() {
        let market = standard_market(60, 1);
        let other = replace_future(&market, middle(), Replacement::Noise(9));
        let ratio = |series: usize| {
            let last = market.series()[series].bars.len() - 1;
            other.series()[series].bars.bar(last).open / market.series()[series].bars.bar(last).open
        };
        assert!((ratio(0) - ratio(2)).abs() > 1e-6);
    }
}
