//! Indicators from the spread of a window.

use crate::Operator;
use crate::moments::Moments;
use crate::window::RankWindow;

/// A Bollinger band: the mean of the last `period` closes, shifted by a multiple of their population standard
/// deviation. First value with close `period`.
///
/// Source: J. Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib `BBANDS` with a simple moving average.
#[derive(Debug, Clone)]
pub struct BollingerBand {
    moments: Moments,
    shift: f64,
}

impl BollingerBand {
    /// The band `shift` standard deviations above the mean (below it when negative).
    ///
    /// # Panics
    /// When `period` is below 2.
    pub fn new(period: usize, shift: f64) -> Self {
        Self {
            moments: Moments::new(period),
            shift,
        }
    }
}

impl Operator for BollingerBand {
    type Input = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        self.moments.push(close);
        let spread = self.moments.spread()?;
        Some(spread.mean + self.shift * spread.population_std())
    }
}

/// How many population standard deviations the close lies above the mean of the last `period` closes. Undefined
/// (`None`) where all of them are equal. First value with close `period`.
#[derive(Debug, Clone)]
pub struct ZScore {
    moments: Moments,
}

impl ZScore {
    /// A score over `period` closes.
    ///
    /// # Panics
    /// When `period` is below 2.
    pub fn new(period: usize) -> Self {
        Self {
            moments: Moments::new(period),
        }
    }
}

impl Operator for ZScore {
    type Input = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        self.moments.push(close);
        let spread = self.moments.spread()?;
        (spread.squared_deviations > 0.0).then(|| (close - spread.mean) / spread.population_std())
    }
}

/// Realised volatility: the sample standard deviation of the last `period` log returns of the close, annualised by
/// the square root of the number of bars in a year. Zero where the close grew at a constant rate. First value with
/// close `period + 1`.
#[derive(Debug, Clone)]
pub struct RealisedVolatility {
    moments: Moments,
    last: Option<f64>,
    annualisation: f64,
}

impl RealisedVolatility {
    /// A volatility over `period` returns of bars of which a year has `periods_per_year`.
    ///
    /// # Panics
    /// When `period` is below 2.
    pub fn new(period: usize, periods_per_year: f64) -> Self {
        Self {
            moments: Moments::new(period),
            last: None,
            annualisation: periods_per_year.sqrt(),
        }
    }
}

impl Operator for RealisedVolatility {
    type Input = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        let last = self.last.replace(close)?;
        self.moments.push(libm::log(close / last));
        Some(self.moments.spread()?.sample_std() * self.annualisation)
    }
}

/// Where the newest realised volatility stands among its last `lookback` values: the share of the others that lie
/// below it, equal ones counting half, from 0 (the lowest) to 1 (the highest). First value with close
/// `period + lookback`.
///
/// A step finds places by bisection and moves at most `lookback` numbers in memory.
#[derive(Debug, Clone)]
pub struct VolatilityPercentile {
    volatility: RealisedVolatility,
    ranks: RankWindow,
}

impl VolatilityPercentile {
    /// The rank of the volatility over `period` returns among its last `lookback` values.
    ///
    /// # Panics
    /// When `period` or `lookback` is below 2.
    pub fn new(period: usize, lookback: usize) -> Self {
        // Annualisation would not change the order.
        Self {
            volatility: RealisedVolatility::new(period, 1.0),
            ranks: RankWindow::new(lookback),
        }
    }
}

impl Operator for VolatilityPercentile {
    type Input = f64;

    #[inline]
    fn update(&mut self, close: f64) -> Option<f64> {
        self.ranks.push(self.volatility.update(close)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn last(mut operator: impl Operator<Input = f64>, closes: &[f64]) -> Option<f64> {
        closes
            .iter()
            .map(|close| operator.update(*close))
            .last()
            .flatten()
    }

    #[test]
    fn bands_and_score_by_hand() {
        let closes = [9.0, 1.0, 3.0];
        assert_eq!(last(BollingerBand::new(2, 2.0), &closes), Some(4.0));
        assert_eq!(last(BollingerBand::new(2, 0.0), &closes), Some(2.0));
        assert_eq!(last(BollingerBand::new(2, -2.0), &closes), Some(0.0));
        assert_eq!(last(ZScore::new(2), &closes), Some(1.0));
    }

    #[test]
    fn volatility_by_hand() {
        // Log returns of +ln 2 and -ln 2: their sample standard deviation is ln 2 * sqrt 2.
        let found = last(RealisedVolatility::new(2, 8.0), &[1.0, 2.0, 1.0]).unwrap();
        assert!((found - 4.0 * std::f64::consts::LN_2).abs() < 1e-15);
    }

    #[test]
    fn constant_closes_have_bands_but_no_score() {
        let closes = [97.31; 30];
        assert_eq!(last(BollingerBand::new(20, 2.0), &closes), Some(97.31));
        assert_eq!(last(ZScore::new(20), &closes), None);
        assert_eq!(last(RealisedVolatility::new(20, 252.0), &closes), Some(0.0));
        assert_eq!(last(VolatilityPercentile::new(10, 5), &closes), Some(0.5));
    }

    #[test]
    fn a_score_returns_with_the_first_move() {
        let mut closes = [97.31; 30];
        closes[29] = 97.32;
        assert!(last(ZScore::new(20), &closes).unwrap() > 4.0);
    }

    #[test]
    fn a_rising_volatility_ranks_highest() {
        let closes: Vec<f64> = (0..40)
            .map(|i| if i % 2 == 0 { 100.0 } else { 100.0 + f64::from(i) })
            .collect();
        assert_eq!(last(VolatilityPercentile::new(4, 10), &closes), Some(1.0));
        let calmer: Vec<f64> = closes.into_iter().rev().collect();
        assert_eq!(last(VolatilityPercentile::new(4, 10), &calmer), Some(0.0));
    }
}
