//! Sums that do not lose what they add.

/// A sum with the rounding error of every step carried beside it (A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur
/// Summation endlicher Summen", 1974). Ten times 0.1 is 1 and not a little less, which decides where a volume bar ends.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sum {
    rounded: f64,
    error: f64,
}

impl Sum {
    /// The sum with one more number.
    #[inline]
    pub(super) fn plus(self, number: f64) -> Self {
        let rounded = self.rounded + number;
        let lost = if self.rounded.abs() >= number.abs() {
            (self.rounded - rounded) + number
        } else {
            (number - rounded) + self.rounded
        };
        Self {
            rounded,
            error: self.error + lost,
        }
    }

    /// The sum as one number.
    #[inline]
    pub(super) fn total(self) -> f64 {
        self.rounded + self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_add_up() {
        let sum = |numbers: &[f64]| {
            numbers
                .iter()
                .fold(Sum::default(), |sum, number| sum.plus(*number))
        };
        assert_eq!(sum(&[0.1; 10]).total(), 1.0);
        assert!([0.1; 10].iter().sum::<f64>() < 1.0);
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]).total(), 2.0);
        assert_eq!(sum(&[]).total(), 0.0);
        assert!(!sum(&[f64::MAX, f64::MAX]).total().is_finite());
    }
}
