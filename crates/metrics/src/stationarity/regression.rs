//! Least squares by Householder reflections (Golub & Van Loan, *Matrix Computations*, 2013, section 5.2).

use crate::numeric::sum_of;
use crate::value::Reason;

/// A column whose part that is new against those before it is below this share of its length says nothing new.
const RANK_FLOOR: f64 = 1e-10;

/// A regression in coordinates in which the columns are triangular: the first columns explain the first coordinates of
/// the response, and the squares of the others are what is left.
pub(super) struct Triangular {
    /// The response in the new coordinates.
    response: Vec<f64>,
    /// Whether the diagonal of the triangle is negative, by column.
    is_flipped: Vec<bool>,
}

impl Triangular {
    /// Turns columns and response, each of one length.
    ///
    /// `too_short` when there are not more rows than columns, `no_variance` when a column is a combination of those
    /// before it.
    pub(super) fn new(mut columns: Vec<Vec<f64>>, mut response: Vec<f64>) -> Result<Self, Reason> {
        if response.len() <= columns.len() {
            return Err(Reason::TooShort);
        }
        let mut is_flipped = Vec::with_capacity(columns.len());
        for place in 0..columns.len() {
            let (reflector, diagonal) = reflector(&columns[place], place)?;
            for column in &mut columns[place + 1..] {
                reflect(&reflector, &mut column[place..]);
            }
            reflect(&reflector, &mut response[place..]);
            is_flipped.push(diagonal < 0.0);
        }
        Ok(Self { response, is_flipped })
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.response.len()
    }

    /// The sum of squared residuals of the regression on the first `count` columns.
    pub(super) fn squared_residuals(&self, count: usize) -> f64 {
        sum_of(&self.response[count..], |value| value * value)
    }

    /// The t-statistic of the last column's coefficient; `no_variance` when nothing is left to explain.
    pub(super) fn last_t(&self) -> Result<f64, Reason> {
        let count = self.is_flipped.len();
        let left = self.squared_residuals(count);
        let total = self.squared_residuals(0);
        if left <= RANK_FLOOR * RANK_FLOOR * total {
            return Err(Reason::NoVariance);
        }
        let deviation = (left / (self.rows() - count) as f64).sqrt();
        let along = self.response[count - 1];
        Ok(if self.is_flipped[count - 1] { -along } else { along } / deviation)
    }
}

/// The reflector that turns the part of a column from `place` on into its first axis, and the length it has there.
fn reflector(column: &[f64], place: usize) -> Result<(Vec<f64>, f64), Reason> {
    let square = |value: &f64| value * value;
    let mut axis = column[place..].to_vec();
    let length = sum_of(&axis, square).sqrt();
    if length <= RANK_FLOOR * sum_of(column, square).sqrt() {
        return Err(Reason::NoVariance);
    }
    let diagonal = if axis[0] > 0.0 { -length } else { length };
    axis[0] -= diagonal;
    Ok((axis, diagonal))
}

/// Reflects a vector at the plane across `axis`.
fn reflect(axis: &[f64], vector: &mut [f64]) {
    let products: Vec<f64> = axis.iter().zip(&*vector).map(|(x, y)| x * y).collect();
    let scale = 2.0 * sum_of(&products, |value| *value) / sum_of(axis, |value| value * value);
    for (value, part) in vector.iter_mut().zip(axis) {
        *value -= scale * part;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// y over a constant and x, where y = 1 + 2x + e with e = (1, -1, -1, 1): the residuals are e.
    #[test]
    fn a_line_by_hand() {
        let x = vec![0.0, 1.0, 2.0, 3.0];
        let y = vec![2.0, 2.0, 4.0, 8.0];
        let line = Triangular::new(vec![vec![1.0; 4], x], y).unwrap();
        assert!((line.squared_residuals(2) - 4.0).abs() < 1e-12);
        // The mean alone leaves 24 = 88 - 4 * 4^2.
        assert!((line.squared_residuals(1) - 24.0).abs() < 1e-12);
        // The slope is 2, its variance 4 / 2 / 5.
        assert!((line.last_t().unwrap() - 2.0 / 0.4_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_told_apart_has_no_regression() {
        let x = vec![1.0, 2.0, 3.0, 4.0];
        let twice = x.iter().map(|value| 2.0 * value).collect();
        let found = Triangular::new(vec![x.clone(), twice], vec![1.0, 0.0, 1.0, 0.0]);
        assert_eq!(found.err(), Some(Reason::NoVariance));
        let exact = Triangular::new(vec![x.clone()], x.clone()).unwrap();
        assert_eq!(exact.last_t(), Err(Reason::NoVariance));
        let short = Triangular::new(vec![vec![1.0, 2.0], vec![1.0, 1.0]], vec![1.0, 3.0]);
        assert_eq!(short.err(), Some(Reason::TooShort));
    }
}
