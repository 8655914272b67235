//! The trailing statistics that risk rules judge by: their exact definitions, and the days they are taken from.
//!
//! Both are of whole UTC days before the day of the decision, so that a figure holds for a day and uses no bar that had not
//! closed before it. A bar belongs to the day in which it ends; one that ends at midnight belongs to the day before. Nothing
//! is kept from one day to the next, so that the bits of a figure do not depend on where a run began.
//!
//! A figure that cannot be computed is `NaN`, which the rules take for unknown.

use std::collections::BTreeSet;

use sextant_domain::{BarsView, InstrumentId, MarketData, TrailingStatistics, TrailingWindows, UtcNanos};

/// Days of a year, for annualisation.
const DAYS_PER_YEAR: f64 = 365.25;

/// Closes from up to this instant are in old shares, of which one became `ratio` new ones.
#[derive(Debug, Clone, Copy)]
struct Split {
    instrument: InstrumentId,
    time: UtcNanos,
    ratio: f64,
}

/// The figures that the rules of a run ask for, measured anew on the first decision of each UTC day.
///
/// Assumes that the closes of raw prices jump at splits of the run alone: one from before its start counts as a fall of the
/// price.
#[derive(Debug)]
pub struct Trailing {
    windows: TrailingWindows,
    /// The day for which the figures below hold.
    day: Option<i64>,
    splits: Vec<Split>,
    adv: Vec<f64>,
    covariance: Vec<f64>,
}

impl Trailing {
    /// `None` where nobody asks.
    pub fn new(windows: TrailingWindows) -> Option<Self> {
        (windows != TrailingWindows::default()).then(|| Self {
            windows,
            day: None,
            splits: Vec::new(),
            adv: Vec::new(),
            covariance: Vec::new(),
        })
    }

    /// What has been measured last.
    pub fn view(&self) -> TrailingStatistics<'_> {
        TrailingStatistics {
            adv: &self.adv,
            covariance: &self.covariance,
        }
    }

    /// Notes that closes from up to an instant are in old shares.
    pub(crate) fn note_split(&mut self, instrument: InstrumentId, time: UtcNanos, ratio: f64) {
        self.splits.push(Split {
            instrument,
            time,
            ratio,
        });
    }

    /// Whether the days before that of `now` have not been measured yet.
    pub fn is_due(&self, now: UtcNanos) -> bool {
        self.day != Some(now.day_number())
    }

    /// Measures the days before that of `now`, unless that has been done. `available` is how many bars of each series have
    /// closed, `factors` what a unit of each instrument at a price of one is worth in the account's currency.
    pub fn measure(&mut self, market: &MarketData, (available, now): (&[usize], UtcNanos), factors: &[f64]) {
        let today = now.day_number();
        if self.day.replace(today) == Some(today) {
            return;
        }
        let bars: Vec<BarsView<'_>> = market
            .instruments()
            .iter()
            .map(|(id, _)| {
                let series = market.execution_series(id);
                let bars = &market.get(series).bars;
                let closed = &bars.close_times()[..available[series.index()]];
                bars.first(closed.partition_point(|close| day_of(*close) < today))
            })
            .collect();
        if let Some(days) = self.windows.adv_days {
            let values = bars.iter().zip(factors);
            self.adv = values
                .map(|(bars, factor)| average_traded_value(bars, days) * factor)
                .collect();
        }
        if let Some(days) = self.windows.covariance_days {
            self.covariance = self.covariance_of(&bars, days);
        }
    }

    /// Empty where there are fewer days than asked for.
    fn covariance_of(&self, bars: &[BarsView<'_>], days: usize) -> Vec<f64> {
        let grid = last_days(bars, days + 1);
        let (Some(first), Some(last)) = (grid.first(), grid.last()) else {
            return Vec::new();
        };
        if grid.len() <= days {
            return Vec::new();
        }
        let returns: Vec<Vec<f64>> = bars
            .iter()
            .enumerate()
            .map(|(index, bars)| self.returns(InstrumentId::from_index(index), bars, &grid))
            .collect();
        let returns: Vec<&[f64]> = returns.iter().map(Vec::as_slice).collect();
        annual_covariance(&returns, days as f64 * DAYS_PER_YEAR / (last - first) as f64)
    }

    /// Simple returns from day to day of a grid. On a day without a bar the last close stands. Not numbers where there is no
    /// close by the first day, or no bar after it.
    fn returns(&self, instrument: InstrumentId, bars: &BarsView<'_>, grid: &[i64]) -> Vec<f64> {
        let closes: Vec<f64> = grid
            .iter()
            .map(|day| {
                let known = bars.close_time.partition_point(|close| day_of(*close) <= *day);
                let last = known.checked_sub(1);
                last.map_or(f64::NAN, |last| self.in_new_shares(instrument, bars, last))
            })
            .collect();
        let newest = bars.close_time.last().map(|close| day_of(*close));
        if newest.is_none_or(|newest| newest <= grid[0]) {
            return vec![f64::NAN; grid.len() - 1];
        }
        closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect()
    }

    /// A close in the shares of the last split.
    fn in_new_shares(&self, instrument: InstrumentId, bars: &BarsView<'_>, index: usize) -> f64 {
        let later = self
            .splits
            .iter()
            .filter(|split| split.instrument == instrument && bars.close_time[index] <= split.time);
        later.fold(bars.close[index], |close, split| close / split.ratio)
    }
}

/// The UTC day in which a bar ends.
fn day_of(close: UtcNanos) -> i64 {
    close.saturating_add(-1).day_number()
}

/// The last days on which any instrument had a bar, oldest first.
fn last_days(bars: &[BarsView<'_>], count: usize) -> Vec<i64> {
    let mut days = BTreeSet::new();
    for bars in bars {
        let mut own = 0;
        let mut before = None;
        for day in bars.close_time.iter().rev().map(|close| day_of(*close)) {
            if before.replace(day) != Some(day) {
                own += 1;
                if own > count {
                    break;
                }
                days.insert(day);
            }
        }
    }
    let surplus = days.len().saturating_sub(count);
    days.into_iter().skip(surplus).collect()
}

/// Average daily traded value: the sum of close times volume over the bars of the last `days` days on which there were any,
/// divided by `days`; in the currency of the closes. `NaN` where there are fewer such days.
fn average_traded_value(bars: &BarsView<'_>, days: usize) -> f64 {
    let (mut value, mut counted, mut before) = (0.0, 0, None);
    for index in (0..bars.close_time.len()).rev() {
        let day = day_of(bars.close_time[index]);
        if before.replace(day) != Some(day) {
            if counted == days {
                break;
            }
            counted += 1;
        }
        value += bars.close[index] * bars.volume[index];
    }
    if counted == days {
        value / days as f64
    } else {
        f64::NAN
    }
}

/// Annual covariance of simple returns: the sample covariance (divisor `n - 1`) of the window times `periods_per_year`,
/// without shrinkage or weights (H. Markowitz, *Portfolio Selection*, 1952, estimates from history alike).
///
/// `returns` has one slice per instrument, all over the same periods; the answer is square, row after row. A pair is `NaN`
/// where either window has fewer than two returns or one that is not finite. With fewer periods than instruments the matrix
/// is singular: some portfolios then seem to have no risk.
fn annual_covariance(returns: &[&[f64]], periods_per_year: f64) -> Vec<f64> {
    let count = returns.len();
    let deviations: Vec<Vec<f64>> = returns.iter().map(|window| deviations(window)).collect();
    let mut covariance = vec![f64::NAN; count * count];
    for left in 0..count {
        for right in left..count {
            let products = deviations[left].iter().zip(&deviations[right]);
            let sum: f64 = products.map(|(left, right)| left * right).sum();
            let pair = sum / (deviations[left].len() as f64 - 1.0) * periods_per_year;
            covariance[left * count + right] = pair;
            covariance[right * count + left] = pair;
        }
    }
    covariance
}

/// Differences from the mean; `NaN` for fewer than two values and for any that is not finite.
fn deviations(window: &[f64]) -> Vec<f64> {
    let sum: f64 = window.iter().sum();
    if window.len() < 2 || !sum.is_finite() {
        return vec![f64::NAN; window.len()];
    }
    let mean = sum / window.len() as f64;
    window.iter().map(|value| value - mean).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sextant_domain::Timeframe;
    use sextant_testkit::{MarketBuilder, bars};

    use super::*;

    /// A share with closes 100, 110, 99, 108.9 on four days from a Monday on, 1,000 units each.
    fn market(closes: &[f64]) -> MarketData {
        let spans = bars::daily_sessions(bars::instant("2020-01-06"), closes.len());
        MarketBuilder::new()
            .equity("A", Timeframe::D1)
            .closes("A", Timeframe::D1, &spans, closes)
            .build()
    }

    fn measured(market: &MarketData, windows: TrailingWindows, day: usize) -> Trailing {
        let mut trailing = Trailing::new(windows).unwrap();
        let now = market.series()[0].bars.close_times()[day];
        trailing.measure(market, (&[day + 1], now), &[1.0]);
        trailing
    }

    const BOTH: TrailingWindows = TrailingWindows {
        adv_days: Some(2),
        covariance_days: Some(2),
    };

    #[test]
    fn whole_days_before_the_decision_count() {
        let closes = [100.0, 110.0, 99.0, 108.9];
        let market = market(&closes);
        let volume = market.series()[0].bars.view().volume[0];
        // On the third day there are two days and one return before it.
        let third = measured(&market, BOTH, 2);
        assert_eq!(third.adv, [105.0 * volume]);
        assert!(third.covariance.is_empty());
        // On the fourth, returns of 0.1 and -0.1: variance 0.02 a day, and two returns in two days.
        let fourth = measured(&market, BOTH, 3);
        assert_eq!(fourth.adv, [104.5 * volume]);
        assert!((fourth.covariance[0] - 0.02 * 365.25).abs() < 1e-12, "{fourth:?}");
    }

    /// What has not closed before the day changes nothing, whatever it is.
    #[test]
    fn the_future_and_the_day_itself_do_not_matter() {
        let known = measured(&market(&[100.0, 110.0, 99.0, 108.9, 50.0]), BOTH, 3);
        for (own, later) in [(1.0, 50.0), (1e6, 1e-2)] {
            let other = measured(&market(&[100.0, 110.0, 99.0, own, later]), BOTH, 3);
            assert_eq!((&other.adv, &other.covariance), (&known.adv, &known.covariance));
        }
        let other = measured(&market(&[100.0, 110.0, 98.0, 108.9, 50.0]), BOTH, 3);
        assert_ne!(other.covariance, known.covariance);
    }

    #[test]
    fn a_split_is_no_fall() {
        let closes = [100.0, 110.0, 24.75, 27.0];
        let market = market(&closes);
        let times = market.series()[0].bars.close_times();
        let mut trailing = Trailing::new(BOTH).unwrap();
        trailing.note_split(InstrumentId::from_index(0), times[1], 4.0);
        trailing.measure(&market, (&[4], times[3]), &[1.0]);
        assert!(
            (trailing.covariance[0] - 0.02 * 365.25).abs() < 1e-12,
            "{trailing:?}"
        );
    }

    #[test]
    fn a_day_without_a_bar_keeps_the_last_close() {
        let spans = bars::daily_sessions(bars::instant("2020-01-06"), 5);
        let some: Vec<_> = [0, 2, 3, 4].map(|index| spans[index]).to_vec();
        let market = MarketBuilder::new()
            .equity("A", Timeframe::D1)
            .closes("A", Timeframe::D1, &spans, &[100.0, 110.0, 99.0, 99.0, 99.0])
            .equity("B", Timeframe::D1)
            .closes("B", Timeframe::D1, &some, &[50.0, 55.0, 55.0, 55.0])
            .build();
        let windows = TrailingWindows {
            adv_days: None,
            covariance_days: Some(2),
        };
        let mut trailing = Trailing::new(windows).unwrap();
        trailing.measure(&market, (&[4, 3], spans[3].close_time), &[1.0; 2]);
        // A: 0.1, -0.1. B: 0, 0.1. Covariance: (0.1 x -0.05 + -0.1 x 0.05) = -0.01.
        let year = 365.25;
        for (found, expected) in trailing.covariance.iter().zip([0.02, -0.01, -0.01, 0.005]) {
            assert!((found - expected * year).abs() < 1e-12, "{trailing:?}");
        }
        assert!(trailing.adv.is_empty());
    }

    #[test]
    fn what_cannot_be_computed_is_not_a_number() {
        let known = |returns: &[&[f64]]| -> Vec<bool> {
            annual_covariance(returns, 1.0)
                .iter()
                .map(|value| value.is_finite())
                .collect()
        };
        assert_eq!(
            known(&[&[0.1, 0.2], &[0.1, f64::NAN]]),
            [true, false, false, false]
        );
        assert_eq!(known(&[&[0.1]]), [false]);
        assert_eq!(known(&[]), [false; 0]);
        // Means 0.01 and 0. Deviations 0, -0.02, 0.02 and 0.02, 0, -0.02: variances 0.0004, covariance -0.0002.
        let found = annual_covariance(&[&[0.01, -0.01, 0.03], &[0.02, 0.0, -0.02]], 252.0);
        for (found, expected) in found.iter().zip([0.1008, -0.0504, -0.0504, 0.1008]) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }

    #[test]
    fn nothing_is_measured_that_nobody_asks_for() {
        assert!(Trailing::new(TrailingWindows::default()).is_none());
    }
}
