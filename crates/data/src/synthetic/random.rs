//! Random streams with the same bits on every platform.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::parameters::MIXING_CAP;

/// Number of the stream of the factor that all instruments share. Numbers are never used twice nor changed: a changed
/// number is another market.
pub(super) const GLOBAL_FACTOR: u64 = 1;
/// Stream of the phases of the economy.
pub(super) const ECONOMY_PHASE: u64 = 2;
/// Stream of the yield-curve slope.
pub(super) const YIELD_CURVE: u64 = 3;
/// Stream of economic activity.
pub(super) const ACTIVITY: u64 = 4;
/// Stream of the survey error of the PMI.
pub(super) const PMI_SURVEY: u64 = 5;
/// Stream of the noise of the VIX.
pub(super) const VIX_NOISE: u64 = 6;

/// Marks the seeds of this module, so that other users of the same seed draw other numbers.
const SEED_TAG: &[u8; 24] = b"sextant synthetic market";

/// One stream of random numbers: ChaCha with eight rounds, keyed by the seed, with its own stream number.
#[derive(Debug, Clone)]
pub(super) struct RandomStream {
    generator: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl RandomStream {
    /// The stream of a number under a seed, from its beginning.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..].copy_from_slice(SEED_TAG);
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(number);
        Self {
            generator,
            spare_normal: None,
        }
    }

    /// A uniform number, strictly between 0 and 1: the middle of one of 2^52 equal cells.
    pub(super) fn uniform(&mut self) -> f64 {
        const CELL: f64 = 1.0 / (1_u64 << 52) as f64;
        ((self.generator.next_u64() >> 12) as f64 + 0.5) * CELL
    }

    /// A standard normal number (Box and Muller 1958, the trigonometric form; the second of a pair is kept).
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        let radius = (-2.0 * libm::log(self.uniform())).sqrt();
        let (sine, cosine) = libm::sincos(TAU * self.uniform());
        self.spare_normal = Some(radius * sine);
        radius * cosine
    }

    /// The variance of one day relative to its mean, `4 / X` with `X` chi-squared with six degrees of freedom, cut at
    /// [`MIXING_CAP`]. `X` is minus twice the logarithm of a product of three uniform numbers.
    pub(super) fn mixing_variance(&mut self) -> f64 {
        let product = self.uniform() * self.uniform() * self.uniform();
        (-2.0 / libm::log(product)).min(MIXING_CAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn moment(values: &[f64], power: i32) -> f64 {
        values.iter().map(|value| value.powi(power)).sum::<f64>() / values.len() as f64
    }

    #[test]
    fn normals_have_the_moments_of_the_normal_distribution() {
        let mut stream = RandomStream::new(7, 1_000);
        let draws: Vec<f64> = (0..200_000).map(|_| stream.normal()).collect();
        assert!(mean(&draws).abs() < 0.01);
        assert!((moment(&draws, 2) - 1.0).abs() < 0.015);
        assert!(moment(&draws, 3).abs() < 0.03);
        assert!((moment(&draws, 4) - 3.0).abs() < 0.1);
        let within = draws.iter().filter(|draw| draw.abs() < 1.959_964).count() as f64 / 200_000.0;
        assert!((within - 0.95).abs() < 0.002, "{within}");
    }

    #[test]
    fn mixing_gives_a_student_t_with_six_degrees_of_freedom() {
        let mut stream = RandomStream::new(7, 1_001);
        let variances: Vec<f64> = (0..200_000).map(|_| stream.mixing_variance()).collect();
        assert!((mean(&variances) - 1.0).abs() < 0.02, "{}", mean(&variances));
        let draws: Vec<f64> = variances
            .iter()
            .map(|variance| variance.sqrt() * stream.normal())
            .collect();
        // The 97.5 % point of Student's t with six degrees of freedom is 2.4469; over its deviation sqrt(6/4): 1.9979.
        let within = draws.iter().filter(|draw| draw.abs() < 1.997_9).count() as f64 / 200_000.0;
        assert!((within - 0.95).abs() < 0.002, "{within}");
        assert!(moment(&draws, 4) > 4.5);
    }

    #[test]
    fn streams_are_independent_of_each_other_and_repeat() {
        let first = |seed, number| RandomStream::new(seed, number).uniform();
        assert_eq!(first(1, 1), first(1, 1));
        assert_ne!(first(1, 1), first(1, 2));
        assert_ne!(first(1, 1), first(2, 1));
        let (mut one, mut two) = (RandomStream::new(3, 1), RandomStream::new(3, 2));
        let products: Vec<f64> = (0..100_000).map(|_| one.normal() * two.normal()).collect();
        assert!(mean(&products).abs() < 0.015);
    }
}
