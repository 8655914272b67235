//! What holds for every series.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// Bars of a calendar week with some left out, and prices from a seeded walk.
fn bars(class: AssetClass, timeframe: Timeframe) -> impl Strategy<Value = BarSeries> {
    let first: UtcNanos = "2021-03-10".parse().unwrap();
    let last: UtcNanos = "2021-03-18".parse().unwrap();
    let slots = Calendar::for_class(class).expected_bars(timeframe, first, last);
    proptest::collection::vec((any::<bool>(), 1.0..100.0_f64, 0.0..1.0_f64), slots.len()).prop_map(
        move |rows| {
            let kept = slots.iter().zip(rows).filter(|(_, (kept, ..))| *kept);
            let bars = kept.map(|(slot, (_, price, wick))| Bar {
                open_time: slot.open_time,
                close_time: slot.close_time,
                open: price,
                high: price * (1.0 + wick),
                low: price * (1.0 - 0.9 * wick),
                close: price * (1.0 + wick / 2.0),
                volume: (wick * 1_000.0).round(),
            });
            BarSeries::from_bars(bars).unwrap()
        },
    )
}

fn class() -> impl Strategy<Value = AssetClass> {
    proptest::sample::select(AssetClass::ALL.to_vec())
}

fn extreme(values: &[f64], pick: fn(f64, f64) -> f64) -> Option<f64> {
    values.iter().copied().reduce(pick)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_source_bar_is_in_exactly_one_window(
        (class, bars) in class().prop_flat_map(|class| (Just(class), bars(class, Timeframe::M30)))
    ) {
        let made = resample(&bars, class, Timeframe::M30, Timeframe::H4).unwrap();
        let used = bars.len() - made.report.forming.map_or(0, |window| window.found);
        let source = bars.first(used);
        let target = made.bars.view();
        prop_assert_eq!(target.volume.iter().sum::<f64>(), source.volume.iter().sum::<f64>());
        prop_assert_eq!(extreme(target.high, f64::max), extreme(source.high, f64::max));
        prop_assert_eq!(extreme(target.low, f64::min), extreme(source.low, f64::min));
        prop_assert_eq!(target.close.last(), source.close.last());
        prop_assert_eq!(target.open.first(), source.open.first());
    }

    #[test]
    fn two_steps_give_what_one_gives(
        (class, bars) in class().prop_flat_map(|class| (Just(class), bars(class, Timeframe::M30)))
    ) {
        let hours = resample(&bars, class, Timeframe::M30, Timeframe::H1).unwrap();
        let direct = resample(&bars, class, Timeframe::M30, Timeframe::H4).unwrap();
        let stepped = resample(&hours.bars, class, Timeframe::H1, Timeframe::H4).unwrap();
        // The last bars of a series can be forming in one way and over in the other; what both have is the same.
        let both = direct.bars.len().min(stepped.bars.len());
        prop_assert!(direct.bars.len().abs_diff(stepped.bars.len()) <= 1);
        for index in 0..both {
            prop_assert_eq!(direct.bars.bar(index), stepped.bars.bar(index));
        }
    }

    #[test]
    fn what_comes_later_changes_no_finished_bar(
        (class, bars) in class().prop_flat_map(|class| (Just(class), bars(class, Timeframe::M30))),
        cut in 0.0..1.0_f64,
    ) {
        let all = resample(&bars, class, Timeframe::M30, Timeframe::D1).unwrap();
        let count = (bars.len() as f64 * cut) as usize;
        let early = BarSeries::from_bars(bars.iter().take(count)).unwrap();
        let early = resample(&early, class, Timeframe::M30, Timeframe::D1).unwrap();
        for (index, bar) in early.bars.iter().enumerate() {
            prop_assert_eq!(bar, all.bars.bar(index));
        }
    }
}
