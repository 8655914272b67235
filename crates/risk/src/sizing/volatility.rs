//! Sizes by realised volatility.

use super::{SizingError, positive};

/// The weight at which a position has the volatility that is wanted: `annual_target / volatility`, at most the cap.
///
/// A. Moreira and T. Muir, *Volatility-Managed Portfolios*, Journal of Finance, 2017, treat the form with the variance; the
/// one with the volatility, used here, is that of T. J. Moskowitz, Y. H. Ooi and L. H. Pedersen, *Time Series Momentum*,
/// Journal of Financial Economics, 2012.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolatilityTarget {
    /// Annual volatility that is wanted, as a fraction; positive.
    pub annual_target: f64,
    /// Largest weight, positive: a quiet market must not make a position without bounds.
    pub cap: f64,
}

impl VolatilityTarget {
    /// Weight magnitude from the realised annual volatility of the instrument's returns; multiply it by the sign of the
    /// signal. A volatility that is not a number, as it is while it warms up, is an error.
    ///
    /// # Errors
    /// [`SizingError`] when an input is not positive.
    pub fn weight(&self, volatility_annual: f64) -> Result<f64, SizingError> {
        let target = positive("annual_target", self.annual_target)?;
        let weight = target / positive("volatility_annual", volatility_annual)?;
        Ok(weight.min(positive("cap", self.cap)?))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_volatility_is_half_the_weight() {
        let sizer = VolatilityTarget {
            annual_target: 0.1,
            cap: 2.0,
        };
        for (volatility, expected) in [(0.2, 0.5), (0.4, 0.25), (0.05, 2.0), (0.001, 2.0)] {
            assert_eq!(sizer.weight(volatility), Ok(expected), "{volatility}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let sizer = |annual_target, cap| VolatilityTarget { annual_target, cap };
        for (found, expected) in [
            (sizer(0.1, 1.0).weight(0.0), "volatility_annual is 0"),
            (sizer(0.1, 1.0).weight(f64::NAN), "volatility_annual is NaN"),
            (sizer(-0.1, 1.0).weight(0.2), "annual_target is -0.1"),
            (sizer(0.1, f64::INFINITY).weight(0.2), "cap is inf"),
        ] {
            let found = found.unwrap_err().to_string();
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
