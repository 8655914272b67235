//! Means of every window of a column at once, equal to those of a running [`ExactSum`](crate::exact::ExactSum) to the last
//! bit.
//!
//! The values of a short stretch of prices are whole multiples of one power of two, small enough that the sums of windows
//! are exact in 64-bit integers. That takes a fraction of the work of error-free transformations, and the divisions can be
//! done several at a time.

use crate::exact::mean_of;

/// Windows that are worked together: enough to make the beginning of each block cheap, few enough to stay in the fastest
/// cache.
const BLOCK: usize = 512;
/// Sums are kept below this, so that no intermediate value overflows.
const LARGEST_SUM: f64 = (1_u64 << 62) as f64;

/// Appends the mean of every window of `period` values, NaN for the values before the first full one. False, and nothing
/// appended, when there is no full window or integers cannot hold the sums.
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
    wholes: Vec<i64>,
    sums: Vec<i64>,
    rounded: Vec<f64>,
    rests: Vec<f64>,
}

impl WindowMeans {
    fn new(period: usize) -> Self {
        Self {
            period,
            wholes: Vec::new(),
            sums: Vec::new(),
            rounded: Vec::new(),
            rests: Vec::new(),
        }
    }

    /// Appends the mean of every window of a block; false when integers cannot hold the sums.
    fn append(&mut self, block: &[f64], out: &mut Vec<f64>) -> bool {
        let Some((unit, per_unit)) = common_unit(block, self.period) else {
            return false;
        };
        self.add_up(block, per_unit);
        refill(&mut self.rounded, self.sums.iter().map(|sum| *sum as f64));
        let both = self.sums.iter().zip(&self.rounded);
        refill(
            &mut self.rests,
            both.map(|(sum, rounded)| (sum - *rounded as i64) as f64),
        );
        let count = self.period as f64;
        let parts = self.rounded.iter().zip(&self.rests);
        out.extend(parts.map(|(sum, rest)| mean_of(*sum, *rest, count) * unit));
        true
    }

    /// The sum of every window, in units.
    fn add_up(&mut self, block: &[f64], per_unit: f64) {
        refill(
            &mut self.wholes,
            block.iter().map(|value| (value * per_unit) as i64),
        );
        let (before, newest) = self.wholes.split_at(self.period - 1);
        let mut left: i64 = before.iter().sum();
        let sums = newest.iter().zip(&self.wholes).map(|(newest, oldest)| {
            let sum = left + newest;
            left = sum - oldest;
            sum
        });
        refill(&mut self.sums, sums);
    }
}

fn refill<T>(column: &mut Vec<T>, values: impl Iterator<Item = T>) {
    column.clear();
    column.extend(values);
}

/// A power of two of which every value is a whole multiple, and its inverse. `None` when the sum of `count` values might
/// leave the range, and where a value is zero, not finite, or so far from 1 that its digits might leave that of `f64`.
fn common_unit(values: &[f64], count: usize) -> Option<(f64, f64)> {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for value in values {
        let size = value.abs();
        least = if size < least { size } else { least };
        most = if size > most { size } else { most };
    }
    if !(1e-100..1e100).contains(&least) {
        return None;
    }
    // The last of the 53 digits of the smallest value; larger ones end there or before.
    let exponent = least.to_bits() >> 52;
    let unit = f64::from_bits((exponent - 52) << 52);
    let per_unit = 1.0 / unit;
    (most * per_unit * count as f64 <= LARGEST_SUM).then_some((unit, per_unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_the_last_digit_of_the_smallest_value() {
        let unit = 2.0_f64.powi(-52);
        assert_eq!(common_unit(&[1.0, -1.5], 20), Some((unit, 1.0 / unit)));
        for refused in [
            &[0.0, 1.0][..],
            &[1.0, 1e9],
            &[f64::INFINITY, 1.0],
            &[1e-300],
            &[],
        ] {
            assert_eq!(common_unit(refused, 20), None, "{refused:?}");
        }
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
