//! What drives prices without being seen: regimes and stochastic volatility.

use super::parameters::{BURN_IN_DAYS, ClassParameters};
use super::random::RandomStream;

/// State of a class; the index into its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Regime {
    /// Rising and calm.
    Bull,
    /// Going nowhere.
    Chop,
    /// Falling, restless.
    Bear,
    /// A short collapse.
    Crash,
}

impl Regime {
    const ALL: [Self; 4] = [Self::Bull, Self::Chop, Self::Bear, Self::Crash];
}

/// The regime of each day, the burn-in left out. `matrices` gives one transition matrix per day, burn-in included.
pub(super) fn regime_path<'a>(
    mut stream: RandomStream,
    matrices: impl Iterator<Item = &'a [[f64; 4]; 4]>,
) -> Vec<Regime> {
    let mut state = Regime::Bull;
    let path = matrices.map(|matrix| {
        state = Regime::ALL[next_state(&matrix[state as usize], stream.uniform())];
        state
    });
    path.skip(BURN_IN_DAYS).collect()
}

/// The state that a uniform number falls on, given the probabilities of the states.
pub(super) fn next_state(probabilities: &[f64], uniform: f64) -> usize {
    let mut cumulated = 0.0;
    let fallen_on = probabilities.iter().position(|probability| {
        cumulated += probability;
        uniform < cumulated
    });
    // Rounding can leave the sum a hair below one; what lies beyond belongs to the last state that can be reached.
    fallen_on
        .or_else(|| probabilities.iter().rposition(|probability| *probability > 0.0))
        .unwrap_or(0)
}

/// Logarithm of the volatility relative to the regime's, a first-order autoregression.
#[derive(Debug)]
pub(super) struct LogVolatility {
    parameters: &'static ClassParameters,
    stream: RandomStream,
    level: f64,
}

impl LogVolatility {
    /// Begins at a draw from the stationary distribution.
    pub(super) fn new(seed: u64, parameters: &'static ClassParameters) -> Self {
        let mut stream = RandomStream::new(seed, parameters.streams.volatility);
        let level = parameters.log_vol_sd * stream.normal();
        Self {
            parameters,
            stream,
            level,
        }
    }

    /// Factor on the regime's volatility; its square has mean one.
    pub(super) fn factor(&self) -> f64 {
        libm::exp(self.level - self.parameters.log_vol_sd * self.parameters.log_vol_sd)
    }

    /// Goes to the next day, given the standardised class shock of the day that ended.
    pub(super) fn advance(&mut self, class_shock: f64) {
        let ClassParameters {
            log_vol_sd,
            log_vol_persistence,
            leverage,
            ..
        } = *self.parameters;
        let innovation = leverage * class_shock + (1.0 - leverage * leverage).sqrt() * self.stream.normal();
        let scale = log_vol_sd * (1.0 - log_vol_persistence * log_vol_persistence).sqrt();
        self.level = log_vol_persistence * self.level + scale * innovation;
    }
}

#[cfg(test)]
mod tests {
    use super::super::parameters::{CRYPTO, EQUITY};
    use super::*;

    #[test]
    fn a_uniform_number_falls_on_the_right_state() {
        let cases = [(0.05, 0), (0.1, 1), (0.59, 1), (0.61, 3), (0.999_999, 3)];
        for (uniform, state) in cases {
            assert_eq!(next_state(&[0.1, 0.5, 0.0, 0.4], uniform), state, "{uniform}");
        }
        assert_eq!(next_state(&[0.5, 0.499, 0.0], 0.999_9), 1);
    }

    #[test]
    fn log_volatility_is_stationary_persistent_and_answers_to_falls() {
        for parameters in [&EQUITY, &CRYPTO] {
            let mut shocks = RandomStream::new(5, 1_002);
            let mut volatility = LogVolatility::new(5, parameters);
            let (mut squares, mut answer) = (0.0, 0.0);
            for _ in 0..200_000 {
                squares += volatility.factor() * volatility.factor();
                let (shock, before) = (shocks.normal(), volatility.level);
                volatility.advance(shock);
                answer += shock * (volatility.level - before);
            }
            assert!((squares / 200_000.0 - 1.0).abs() < 0.1, "{}", squares / 200_000.0);
            let persistence = parameters.log_vol_persistence;
            let expected =
                parameters.leverage * parameters.log_vol_sd * (1.0 - persistence * persistence).sqrt();
            assert!(
                (answer / 200_000.0 - expected).abs() < 0.003,
                "{} {expected}",
                answer / 200_000.0
            );
        }
    }
}
