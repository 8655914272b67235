//! Any bars, in any span: both layouts give the same.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sextant_domain::Bar;

use super::*;
use crate::Calendar;

/// Nanoseconds of a span whose months include year ends, a leap day and both changes of the clock.
const SPAN: std::ops::Range<i64> = 1_572_000_000_000_000_000..1_605_000_000_000_000_000;

/// Bars with random holes, lengths and prices.
fn any_bars() -> impl Strategy<Value = BarSeries> {
    let step = (1_i64..40 * 24 * 3_600, 1_i64..3_600, 0.5_f64..2.0, 0.0_f64..9.0);
    (SPAN, prop::collection::vec(step, 1..40)).prop_map(|(start, steps)| {
        let mut open = start;
        let bars = steps.into_iter().map(|(pause, length, price, volume)| {
            open += pause * 1_000_000_000;
            let bar = Bar {
                open_time: UtcNanos::from_nanos(open),
                close_time: UtcNanos::from_nanos(open + length * 1_000_000_001),
                open: price,
                high: price * 1.5,
                low: price * 0.5,
                close: price,
                volume,
            };
            open += length * 1_000_000_001;
            bar
        });
        BarSeries::from_bars(bars).unwrap()
    })
}

fn raw(bars: &BarSeries) -> RawBars {
    RawBars {
        bars: bars.clone(),
        adjustment_factor: (1..=bars.len()).map(|n| 1.0 / n as f64).collect(),
        adjustment: "by number".to_owned(),
    }
}

fn provenance() -> Provenance {
    Provenance {
        source: "a test".to_owned(),
        synthetic: true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn layouts_agree_on_bars_digests_and_parts(
        bars in any_bars(),
        adjusted in any::<bool>(),
        (from, length) in (SPAN, 0_i64..100 * 24 * 3_600_000_000_000),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::new(folder.path());
        let key = BarKey::new(AssetClass::Fx, "EURUSD", Timeframe::M5).unwrap();
        let traded = adjusted.then(|| raw(&bars));
        let prepared = bars::prepare(&key.single_file(), &key, (&bars, traded.as_ref()), &provenance()).unwrap();
        let digest = prepared.meta.digest.clone();
        let meta = lake.write_bars(&key, &bars, traded.as_ref(), &provenance()).unwrap();
        prop_assert_eq!(&meta.digest, &digest);
        let stored = lake.load(&key).unwrap();
        prop_assert_eq!(&stored, &StoredBars { bars, raw: traded, meta });
        let (from, to) = (UtcNanos::from_nanos(from), UtcNanos::from_nanos(from + length));
        let part = lake.load_bars_between(&key, from, to).unwrap();
        prop_assert_eq!(part, bars::cut(&stored, from, to));
    }

    /// Minute bars of New York sessions around the changes of its clock.
    #[test]
    fn sessions_around_the_clock_changes_come_back(day in 0_i64..12, sessions in 1_usize..8) {
        let calendar = Calendar::for_class(AssetClass::Equity);
        for change in ["2019-03-08", "2019-10-31", "2020-02-27"] {
            let start: UtcNanos = change.parse().unwrap();
            let start = start.saturating_add(day * Timeframe::D1.nanos());
            let end = start.saturating_add(sessions as i64 * Timeframe::D1.nanos());
            let slots = calendar.expected_bars(Timeframe::M1, start, end);
            let bars = slots.iter().enumerate().map(|(n, slot)| Bar {
                open_time: slot.open_time,
                close_time: slot.close_time,
                open: 1.0,
                high: 2.0,
                low: 0.5,
                close: 1.0,
                volume: n as f64,
            });
            let bars = BarSeries::from_bars(bars).unwrap();
            if bars.is_empty() {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            let lake = Lake::new(folder.path());
            let key = BarKey::new(AssetClass::Equity, "SPY", Timeframe::M1).unwrap();
            lake.write_bars(&key, &bars, None, &provenance()).unwrap();
            prop_assert_eq!(lake.load(&key).unwrap().bars, bars);
        }
    }
}
