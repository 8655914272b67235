//! Means of every window of a column at once, equal to those of a running [`ExactSum`](crate::exact::ExactSum) to the last
//! bit.
//!
//! The values of a short stretch of prices are whole multiples of one power of two. Cut in two halves of few digits, their
//! sums over windows are exact in `f64`. That takes a fraction of the work of error-free transformations, and several windows
//! can be worked at a time.

use crate::exact::{Divisor, mean_of, two_sum};

/// Windows that are worked together: enough to make the beginning of each block cheap, few enough to stay in the fastest
/// cache.
const BLOCK: usize = 512;
/// Comparisons that are made side by side.
const LANES: usize = 8;
/// The digits of low parts, rounding included.
const LOW_DIGITS: u64 = 26;
/// Sums of so many low parts fit the 53 digits of `f64`.
const MOST_VALUES: usize = 1 << 26;
/// Sums of high parts are kept below this, in units of their last digit.
const LARGEST_SUM: f64 = (1_u64 << 50) as f64;

/// Appends the mean of every window of `period` values, NaN for the values before the first full one. False, and nothing
/// appended, when there is no full window or the sums might not be exact.
pub(crate) fn append_means(values: &[f64], period: usize, out: &mut Vec<f64>) -> bool {
    if values.len() < period {
        return false;
    }
    let before = out.len();
    let mut means = WindowMeans::new(period);
    out.resize(before + period - 1, f64::NAN);
    let is_done = blocks(values, period, |block| means.append(block, out));
    if !is_done {
        out.truncate(before);
    }
    is_done
}

/// Hands `take` blocks of values whose windows, one after another, are all windows of `period` values, as long as it says
/// true. Returns whether it always did.
fn blocks(values: &[f64], period: usize, mut take: impl FnMut(&[f64]) -> bool) -> bool {
    let overlap = period - 1;
    let step = BLOCK.max(2 * period);
    let mut starts = (0..values.len() - overlap).step_by(step);
    starts.all(|from| take(&values[from..values.len().min(from + step + overlap)]))
}

/// The work on one block, with memory for the next.
struct WindowMeans {
    period: usize,
    divisor: Divisor,
    highs: Vec<f64>,
    lows: Vec<f64>,
    high_sums: Vec<f64>,
    low_sums: Vec<f64>,
}

impl WindowMeans {
    fn new(period: usize) -> Self {
        Self {
            period,
            divisor: Divisor::new(period as f64),
            highs: Vec::new(),
            lows: Vec::new(),
            high_sums: Vec::new(),
            low_sums: Vec::new(),
        }
    }

    /// Appends the mean of every window of a block; false when the sums might not be exact.
    fn append(&mut self, block: &[f64], out: &mut Vec<f64>) -> bool {
        let Some(splitter) = splitter(block, self.period) else {
            return false;
        };
        refill(
            &mut self.highs,
            block.iter().map(|value| (value + splitter) - splitter),
        );
        let both = block.iter().zip(&self.highs);
        refill(&mut self.lows, both.map(|(value, high)| value - high));
        self.add_up();
        let sums = self.high_sums.iter().zip(&self.low_sums);
        let divisor = self.divisor;
        out.extend(sums.map(|(high, low)| {
            let (sum, rest) = two_sum(*high, *low);
            mean_of(sum, rest, divisor)
        }));
        true
    }

    /// The sums of every window.
    fn add_up(&mut self) {
        let period = self.period;
        let changes = |column: &[f64], sums: &mut Vec<f64>| {
            let first: f64 = column[..period].iter().sum();
            let pairs = column[period..].iter().zip(column);
            refill(
                sums,
                std::iter::once(first).chain(pairs.map(|(newest, oldest)| newest - oldest)),
            );
        };
        changes(&self.highs, &mut self.high_sums);
        changes(&self.lows, &mut self.low_sums);
        // Both chains of additions at once: each waits for itself alone.
        let (mut high, mut low) = (0.0, 0.0);
        for (high_sum, low_sum) in self.high_sums.iter_mut().zip(&mut self.low_sums) {
            high += *high_sum;
            low += *low_sum;
            (*high_sum, *low_sum) = (high, low);
        }
    }
}

fn refill<T>(column: &mut Vec<T>, values: impl Iterator<Item = T>) {
    column.clear();
    column.extend(values);
}

/// What cuts every value in two when it is added and taken away again: a high part that is a whole multiple of some power of
/// two, and a low part of at most 26 digits. Sums of `count` high or low parts are exact in `f64`.
///
/// `None` when a sum might leave the range, and where a value is zero, infinite, or so far from 1 that its digits might leave that
/// of `f64`. NaN is no input of an [`Operator`](crate::Operator).
fn splitter(values: &[f64], count: usize) -> Option<f64> {
    let (least, most) = sizes(values);
    if !(1e-100..1e100).contains(&least) || count > MOST_VALUES {
        return None;
    }
    // The last of the 53 digits of the smallest value; larger ones end there or before.
    let exponent = least.to_bits() >> 52;
    let high_unit = f64::from_bits((exponent - 52 + LOW_DIGITS) << 52);
    // Nothing of a value is lost when its high part has less than 51 digits, and nothing of a sum with less than 53.
    let digits = |size: f64| size / high_unit;
    (digits(most * count as f64) < LARGEST_SUM).then_some(1.5 * 2.0_f64.powi(52) * high_unit)
}

/// The smallest and the largest magnitude.
fn sizes(values: &[f64]) -> (f64, f64) {
    // In lanes, because each comparison waits for the one before it.
    let (mut least, mut most) = ([f64::INFINITY; LANES], [0.0_f64; LANES]);
    let mut take = |lane: usize, value: f64| {
        let size = value.abs();
        least[lane] = if size < least[lane] { size } else { least[lane] };
        most[lane] = if size > most[lane] { size } else { most[lane] };
    };
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        chunk
            .iter()
            .enumerate()
            .for_each(|(lane, value)| take(lane, *value));
    }
    rest.iter().for_each(|value| take(0, *value));
    let least = least.into_iter().fold(f64::INFINITY, f64::min);
    (least, most.into_iter().fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_cut_without_a_rest() {
        let splitter = splitter(&[1.0, -1.5], 20).unwrap();
        let unit = 2.0_f64.powi(-26);
        for value in [1.0 + f64::EPSILON, -1.5 + f64::EPSILON, 100.0 / 3.0, 12_345.678_9] {
            let high = (value + splitter) - splitter;
            let low = value - high;
            assert_eq!(high % unit, 0.0, "{value}");
            assert!(low.abs() <= unit / 2.0, "{value}");
            assert_eq!(two_sum(high, low), (value, 0.0));
        }
    }

    #[test]
    fn values_that_cannot_be_cut_are_refused() {
        for refused in [
            &[0.0, 1.0][..],
            &[1.0, 1e9],
            &[f64::INFINITY, 1.0],
            &[f64::NAN],
            &[1e-300],
            &[],
        ] {
            assert_eq!(splitter(refused, 20), None, "{refused:?}");
        }
        assert_eq!(splitter(&[1.0], MOST_VALUES + 1), None);
    }

    #[test]
    fn blocks_have_every_window_once() {
        let values: Vec<f64> = (0..2_000).map(f64::from).collect();
        for period in [1, 2, 60, 700, 2_000] {
            let mut windows = Vec::new();
            let is_done = blocks(&values, period, |block| {
                windows.extend(block.windows(period).map(|window| window[0]));
                true
            });
            assert!(is_done);
            assert_eq!(windows, values[..=values.len() - period], "{period}");
        }
    }
}
