//! Sums and sums of products over sliding windows, without rounding drift.
//!
//! A window sum that adds the newest value and subtracts the oldest one in plain `f64` keeps every rounding error it
//! ever made: it drifts, and it depends on where history starts. Here each addition is an error-free transformation
//! (Knuth's TwoSum, Dekker's TwoProduct) and the errors are summed on two further levels (the cascade of Kahan,
//! Babuska and Klein), about 159 bits in all. A sum of prices, and of squares of prices, within a
//! factor of a million of each other is exact with bits to spare, and therefore the same from every starting point.
//!
//! Sources: D. E. Knuth, The Art of Computer Programming 2, 4.2.2; T. J. Dekker, Numerische Mathematik 18 (1971);
//! A. Klein, Computing 76 (2006).

/// `a + b` as the rounded sum and its exact error.
#[inline]
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// `a * b` as the rounded product and its exact error, barring overflow and underflow.
///
/// Not by fused multiply-add, which is a library call on processors that cannot be assumed to have it.
#[inline]
pub(crate) fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let (a_high, a_low) = split(a);
    let (b_high, b_low) = split(b);
    (
        product,
        ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low,
    )
}

/// Halves of 26 bits each whose sum is `x`.
#[inline]
fn split(x: f64) -> (f64, f64) {
    const SPLITTER: f64 = 134_217_729.0; // 2^27 + 1
    let scaled = SPLITTER * x;
    let high = scaled - (scaled - x);
    (high, x - high)
}

/// A running sum whose rounding errors are kept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ExactSum {
    high: f64,
    middle: f64,
    low: f64,
}

impl ExactSum {
    /// Adds a value; the negative of an earlier one takes that one out again.
    #[inline]
    pub(crate) fn add(&mut self, x: f64) {
        let (high, error) = two_sum(self.high, x);
        let (middle, rest) = two_sum(self.middle, error);
        self.high = high;
        self.middle = middle;
        self.low += rest;
    }

    /// The sum rounded to nearest, and what the rounding left out.
    ///
    /// Both depend on the exact sum alone, not on the order of additions that led to it.
    #[inline]
    pub(crate) fn parts(&self) -> (f64, f64) {
        let (sum, rest) = two_sum(self.high, self.middle);
        if self.low == 0.0 {
            return (sum, rest);
        }
        let (rest, tail) = two_sum(rest, self.low);
        let (sum, rest) = two_sum(sum, rest);
        (sum, rest + tail)
    }

    /// The sum divided by a count, rounded to nearest but for ties; exactly `c` for `count` times `c`.
    #[inline]
    pub(crate) fn mean(&self, count: Divisor) -> f64 {
        let (sum, rest) = self.parts();
        mean_of(sum, rest, count)
    }
}

/// A count that much is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Divisor {
    pub(crate) value: f64,
    inverse: f64,
}

impl Divisor {
    /// A whole number above zero.
    pub(crate) fn new(value: f64) -> Self {
        let inverse = 1.0 / value;
        Self { value, inverse }
    }
}

/// `(sum + rest) / count`, rounded to nearest but for ties, where `sum` is the rounded sum of both.
///
/// The first quotient is off by two units in its last place at most. Its remainder is exact, so that what is added to it is off by
/// about a 2^51st of such a unit.
#[inline]
pub(crate) fn mean_of(sum: f64, rest: f64, by: Divisor) -> f64 {
    let quotient = sum * by.inverse;
    quotient + (remainder(sum, quotient, by.value) + rest) * by.inverse
}

/// `sum - quotient * count`, exact where `quotient` is near `sum / count`.
#[inline]
pub(crate) fn remainder(sum: f64, quotient: f64, count: f64) -> f64 {
    let (product, error) = two_product(quotient, count);
    (sum - product) - error
}

/// A running sum of products whose rounding errors are kept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProductSum {
    /// The sum of the rounded products.
    pub(crate) rounded: ExactSum,
    /// The sum of their errors.
    pub(crate) errors: ExactSum,
}

impl ProductSum {
    /// Adds `x * y`.
    #[inline]
    pub(crate) fn add(&mut self, x: f64, y: f64) {
        let (product, error) = two_product(x, y);
        self.rounded.add(product);
        self.errors.add(error);
    }

    /// Takes `x * y` out again.
    #[inline]
    pub(crate) fn remove(&mut self, x: f64, y: f64) {
        self.add(-x, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_leaves_no_trace() {
        let mut sum = ExactSum::default();
        let mut fresh = ExactSum::default();
        for x in [0.1, 1e17, 0.2, -1e17, 3e-9] {
            sum.add(x);
        }
        for x in [0.1, 0.2, 3e-9] {
            fresh.add(x);
        }
        assert_eq!(sum.parts(), fresh.parts());
        sum.add(1e40);
        sum.add(-1e40);
        assert_eq!(sum.parts(), fresh.parts());
    }

    #[test]
    fn the_mean_of_equal_values_is_that_value() {
        for count in 1..2_000_u32 {
            for value in [0.1, 97.31, 1.0 / 3.0, 99_999.99, 1e-9] {
                let mut sum = ExactSum::default();
                (0..count).for_each(|_| sum.add(value));
                assert_eq!(
                    sum.mean(Divisor::new(f64::from(count))),
                    value,
                    "{count} times {value}"
                );
            }
        }
    }

    #[test]
    fn a_product_and_its_error_are_exact() {
        // (2^52 + 1)^2 = 2^104 + 2^53 + 1: the last 1 does not fit beside the first term.
        let x = 4_503_599_627_370_497.0;
        let (product, error) = two_product(x, x);
        let exact = (4_503_599_627_370_497_i128).pow(2);
        assert_eq!(product as i128 + error as i128, exact);
        assert_ne!(error, 0.0);
    }
}
