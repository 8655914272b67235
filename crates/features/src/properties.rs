//! Properties of sums, moments and operators on random input, against exact integer arithmetic and brute force.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sextant_domain::{Bar, UtcNanos};

use crate::moments::Moments;
use crate::window::RankWindow;
use crate::{
    BollingerBand, Correlation, Drawdown, Momentum, Operator, PricePair, RollingHigh, RollingLow, RollingMax,
    RollingMin, Rsi, Sma, VolatilityPercentile,
};

/// Prices as whole multiples of 2^-20 below 2^16 = 65,536, so that integers can check them exactly.
fn units(count: usize) -> impl Strategy<Value = Vec<i64>> {
    let anywhere = prop::collection::vec(1_i64..1 << 36, 2..count);
    let near_a_level = (
        1_i64 << 34..1 << 36,
        prop::collection::vec(0_i64..1_000, 2..count),
    )
        .prop_map(|(level, steps)| steps.into_iter().map(|step| level + step).collect());
    prop_oneof![anywhere, near_a_level]
}

fn prices(units: &[i64]) -> Vec<f64> {
    units
        .iter()
        .map(|unit| *unit as f64 / f64::from(1 << 20))
        .collect()
}

fn column<O: Operator>(mut operator: O, inputs: impl IntoIterator<Item = O::Input>) -> Vec<Option<f64>> {
    inputs.into_iter().map(|input| operator.update(input)).collect()
}

/// Every full window with its value.
fn by_window<'a>(
    values: &'a [f64],
    period: usize,
    out: &'a [Option<f64>],
) -> impl Iterator<Item = (&'a [f64], Option<f64>)> {
    values
        .windows(period)
        .zip(out[(period - 1).min(out.len())..].iter().copied())
}

fn flat_bar(high: f64, low: f64) -> Bar {
    let (open_time, close_time) = (UtcNanos::from_nanos(0), UtcNanos::from_nanos(1));
    Bar {
        open_time,
        close_time,
        open: low,
        high,
        low,
        close: high,
        volume: 0.0,
    }
}

proptest! {
    /// The sum is the exact integer sum, rounded once; the mean is within one rounding of it.
    #[test]
    fn sma_is_the_exact_mean(units in units(200), period in 1_usize..30) {
        let closes = prices(&units);
        let out = column(Sma::new(period), closes.iter().copied());
        for (window, value) in units.windows(period).zip(&out[(period - 1).min(out.len())..]) {
            let sum: i64 = window.iter().sum();
            let exact = sum as f64 / f64::from(1 << 20) / period as f64;
            prop_assert!((value.unwrap() - exact).abs() <= f64::EPSILON * exact);
            if sum % period as i64 == 0 {
                prop_assert_eq!(value.unwrap(), (sum / period as i64) as f64 / f64::from(1 << 20));
            }
        }
    }

    /// A column taken at once has the bits of one taken value by value, whatever the values, and goes on like it.
    #[test]
    fn sma_of_a_column_is_that_of_its_values(
        inputs in prop_oneof![
            prop::collection::vec(1.0..2.0_f64, 0..3_000),
            prop::collection::vec(-1e3..1e3_f64, 0..3_000),
            units(3_000).prop_map(|units| prices(&units)),
            prop::collection::vec(prop_oneof![Just(0.0), 1e-9..1e9_f64, Just(1e300), Just(1e-300)], 0..300),
        ],
        period in prop_oneof![1_usize..300, 1_usize..4],
        cut in 0_usize..40,
    ) {
        let (first, then) = inputs.split_at(inputs.len() - cut.min(inputs.len()));
        let mut sma = Sma::new(period);
        let mut at_once = Vec::new();
        sma.update_all(first, &mut at_once);
        sma.update_all(then, &mut at_once);
        let one_by_one = column(Sma::new(period), inputs.iter().copied());
        let bits = |value: f64| value.to_bits();
        prop_assert_eq!(
            at_once.into_iter().map(bits).collect::<Vec<_>>(),
            one_by_one.into_iter().map(|value| bits(value.unwrap_or(f64::NAN))).collect::<Vec<_>>()
        );
    }

    /// The sum of squared deviations equals the integer one to a few units in the last place, however much cancels.
    #[test]
    fn spread_equals_integer_arithmetic(units in units(200), period in 2_usize..30) {
        let mut moments = Moments::new(period);
        for (index, price) in prices(&units).into_iter().enumerate() {
            moments.push(price);
            let Some(spread) = moments.spread() else { continue };
            let window = units[index + 1 - period..=index].iter().map(|unit| i128::from(*unit));
            let (sum, squares) = window.fold((0, 0), |(sum, squares), unit| (sum + unit, squares + unit * unit));
            let count = period as i128;
            let exact = (count * squares - sum * sum) as f64 / period as f64 / 2.0_f64.powi(40);
            let found = spread.squared_deviations;
            prop_assert!((found - exact).abs() <= 4.0 * f64::EPSILON * exact, "{} is not {}", found, exact);
        }
    }

    #[test]
    fn extremes_equal_brute_force(units in units(200), period in 1_usize..30) {
        let closes = prices(&units);
        let max = |window: &[f64]| window.iter().copied().fold(f64::MIN, f64::max);
        let min = |window: &[f64]| window.iter().copied().fold(f64::MAX, f64::min);
        for (window, value) in by_window(&closes, period, &column(RollingMax::new(period), closes.iter().copied())) {
            prop_assert_eq!(value, Some(max(window)));
        }
        for (window, value) in by_window(&closes, period, &column(RollingMin::new(period), closes.iter().copied())) {
            prop_assert_eq!(value, Some(min(window)));
        }
        let highs = column(RollingHigh::new(period), closes.iter().map(|high| flat_bar(*high, high / 2.0)));
        for (window, value) in by_window(&closes, period, &highs) {
            prop_assert_eq!(value, Some(max(window)));
        }
        let lows = column(RollingLow::new(period), closes.iter().map(|low| flat_bar(low * 2.0, *low)));
        for (window, value) in by_window(&closes, period, &lows) {
            prop_assert_eq!(value, Some(min(window)));
        }
    }

    #[test]
    fn ranks_equal_brute_force(values in prop::collection::vec(0_u8..12, 2..200), lookback in 2_usize..30) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let mut ranks = RankWindow::new(lookback);
        let out: Vec<_> = values.iter().map(|value| ranks.push(*value)).collect();
        for (window, value) in by_window(&values, lookback, &out) {
            let newest = window[lookback - 1];
            let below = window.iter().filter(|other| **other < newest).count() as f64;
            let equal = window.iter().filter(|other| **other == newest).count() as f64 - 1.0;
            prop_assert_eq!(value, Some((below + 0.5 * equal) / (lookback as f64 - 1.0)));
        }
    }

    #[test]
    fn values_stay_in_their_ranges(units in units(200), period in 2_usize..20) {
        let closes = prices(&units);
        let all = || closes.iter().copied();
        let within = |out: Vec<Option<f64>>, low: f64, high: f64| {
            out.into_iter().flatten().all(|value| (low..=high).contains(&value))
        };
        prop_assert!(within(column(Rsi::new(period), all()), 0.0, 100.0));
        prop_assert!(within(column(Drawdown::new(period), all()), -1.0, 0.0));
        prop_assert!(within(column(VolatilityPercentile::new(period, 5), all()), 0.0, 1.0));
        let pairs = closes.iter().zip(closes.iter().rev());
        let pairs = pairs.map(|(asset, benchmark)| PricePair { asset: *asset, benchmark: *benchmark });
        prop_assert!(within(column(Correlation::new(period), pairs), -1.0, 1.0));
    }

    #[test]
    fn bands_enclose_the_mean(units in units(100), period in 2_usize..20, width in 0.0_f64..4.0) {
        let closes = prices(&units);
        let band = |shift| column(BollingerBand::new(period, shift), closes.iter().copied());
        let middle = column(Sma::new(period), closes.iter().copied());
        for ((lower, middle), upper) in band(-width).into_iter().zip(middle).zip(band(width)) {
            prop_assert!(lower <= middle && middle <= upper);
        }
        prop_assert_eq!(band(0.0), column(Sma::new(period), closes.iter().copied()));
    }

    /// Prices in another unit: averages scale with it, ratios do not change at all.
    #[test]
    fn a_power_of_two_scales_exactly(units in units(100), period in 2_usize..20, power in -30_i32..30) {
        let (closes, scale) = (prices(&units), 2.0_f64.powi(power));
        let scaled = || closes.iter().map(|close| close * scale);
        let plain = column(BollingerBand::new(period, 2.0), closes.iter().copied());
        let expected: Vec<_> = plain.into_iter().map(|value| value.map(|value| value * scale)).collect();
        prop_assert_eq!(column(BollingerBand::new(period, 2.0), scaled()), expected);
        prop_assert_eq!(column(Rsi::new(period), scaled()), column(Rsi::new(period), closes.iter().copied()));
        prop_assert_eq!(column(Momentum::new(period), scaled()), column(Momentum::new(period), closes.iter().copied()));
    }
}
