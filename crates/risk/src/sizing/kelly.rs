//! Sizes by expected growth.

use super::{SizingError, checked, finite, positive, unit_fraction};

/// The fraction of equity that makes capital grow fastest in the long run, or a part of it.
///
/// Full Kelly is easily twice what anybody can bear, and errors of the estimate act on it in full: hence the part and the
/// cap. J. L. Kelly, *A New Interpretation of Information Rate*, 1956; E. O. Thorp, *The Kelly Criterion in Blackjack,
/// Sports Betting, and the Stock Market*, 2006.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kelly {
    /// The part of full Kelly that is used, above 0 and up to 1; 0.5 is half Kelly.
    pub fraction_of_kelly: f64,
    /// Largest magnitude of the weight, positive.
    pub cap: f64,
}

impl Kelly {
    /// Signed weight from mean and variance of the *excess* returns of one period: `mean / variance` is the continuous
    /// approximation of full Kelly (Thorp 2006, section 7). A negative mean gives a short weight.
    ///
    /// # Errors
    /// [`SizingError`] when the mean is not finite or the variance is not positive: without variance the growth has no
    /// maximum.
    pub fn weight_from_moments(&self, mean: f64, variance: f64) -> Result<f64, SizingError> {
        let full = finite("mean", mean)? / positive("variance", variance)?;
        self.limited(full)
    }

    /// Weight from the win rate `p` and the payoff `b` (average win over average loss): full Kelly is `p - (1 - p) / b`.
    ///
    /// Where that is negative the answer is zero: the trade has no edge, and its other side has another payoff. The weight
    /// is the fraction of equity *at risk*; divide it by the loss per unit of value to get a position.
    ///
    /// # Errors
    /// [`SizingError`] when the win rate is not from 0 to 1 or the payoff is not positive.
    pub fn weight_from_odds(&self, win_rate: f64, payoff: f64) -> Result<f64, SizingError> {
        let is_rate = (0.0..=1.0).contains(&win_rate);
        checked("win_rate", win_rate, is_rate, "from 0 to 1")?;
        let full = win_rate - (1.0 - win_rate) / positive("payoff", payoff)?;
        self.limited(full.max(0.0))
    }

    fn limited(&self, full: f64) -> Result<f64, SizingError> {
        let part = unit_fraction("fraction_of_kelly", self.fraction_of_kelly)?;
        let cap = positive("cap", self.cap)?;
        Ok((part * full).clamp(-cap, cap))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HALF: Kelly = Kelly {
        fraction_of_kelly: 0.5,
        cap: 1.0,
    };
    const FULL: Kelly = Kelly {
        fraction_of_kelly: 1.0,
        cap: 10.0,
    };

    #[test]
    fn moments_by_hand() {
        // Thorp's example for the S&P 500: (0.11 - 0.06) / 0.15^2 = 2.2222.
        let thorp = FULL.weight_from_moments(0.11 - 0.06, 0.15 * 0.15).unwrap();
        assert!((thorp - 2.222_222_222).abs() < 1e-9, "{thorp}");
        assert_eq!(HALF.weight_from_moments(0.05, 0.0225), Ok(1.0));
        assert_eq!(HALF.weight_from_moments(0.01, 0.04), Ok(0.125));
        assert_eq!(HALF.weight_from_moments(-0.01, 0.04), Ok(-0.125));
        assert_eq!(HALF.weight_from_moments(-1.0, 0.04), Ok(-1.0));
        assert_eq!(HALF.weight_from_moments(0.0, 0.04), Ok(0.0));
    }

    #[test]
    fn odds_by_hand() {
        // A coin that wins 60 of 100 at even money: 0.6 - 0.4 = 0.2. At 2 to 1 and 50 of 100: 0.5 - 0.25.
        for (win_rate, payoff, expected) in [
            (0.6, 1.0, 0.2),
            (0.5, 2.0, 0.25),
            (0.5, 1.0, 0.0),
            (0.3, 1.0, 0.0),
            (1.0, 1.0, 1.0),
            (0.0, 5.0, 0.0),
        ] {
            let found = FULL.weight_from_odds(win_rate, payoff).unwrap();
            assert!((found - expected).abs() < 1e-12, "{win_rate} {payoff}: {found}");
        }
    }

    #[test]
    fn full_kelly_from_odds_is_where_the_growth_is_largest() {
        for (win_rate, payoff) in [(0.6, 1.0), (0.55, 1.5), (0.4, 3.0)] {
            let best = FULL.weight_from_odds(win_rate, payoff).unwrap();
            let growth = |f: f64| win_rate * (payoff * f).ln_1p() + (1.0 - win_rate) * (-f).ln_1p();
            assert!(growth(best) > growth(best - 1e-3), "{win_rate} {payoff}");
            assert!(growth(best) > growth(best + 1e-3), "{win_rate} {payoff}");
        }
    }

    #[test]
    fn what_is_undefined_is_an_error() {
        let with = |fraction_of_kelly, cap| Kelly {
            fraction_of_kelly,
            cap,
        };
        for (found, expected) in [
            (HALF.weight_from_moments(0.01, 0.0), "variance is 0"),
            (HALF.weight_from_moments(f64::NAN, 0.1), "mean is NaN"),
            (HALF.weight_from_odds(1.1, 1.0), "win_rate is 1.1"),
            (HALF.weight_from_odds(f64::NAN, 1.0), "win_rate is NaN"),
            (HALF.weight_from_odds(0.5, 0.0), "payoff is 0"),
            (
                with(0.0, 1.0).weight_from_moments(0.01, 0.1),
                "fraction_of_kelly is 0",
            ),
            (with(0.5, -1.0).weight_from_moments(0.01, 0.1), "cap is -1"),
        ] {
            let found = found.unwrap_err().to_string();
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
