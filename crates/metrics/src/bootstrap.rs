//! 95 % intervals by the stationary bootstrap.

use crate::definition::DefinitionId;
use crate::drawdown::calmar_ratio;
use crate::error::{MetricsError, require_same_length};
use crate::growth::{growth_rate, has_annual_rate};
use crate::ratios::{MIN_RANKED_OBSERVATIONS, sharpe_per_period};
use crate::series::{PeriodsPerYear, Returns};
use crate::value::Interval95;

/// Share of resamples in which a figure may be undefined before its interval is.
const MAX_UNDEFINED_SHARE: f64 = 0.025;

/// The generator SplitMix64: the n-th output mixes `seed + n · 0x9E3779B97F4A7C15`, so it is a function of seed and
/// counter alone.
///
/// Period 2⁶⁴, passes BigCrush; not for secrets. Source: Steele, Lea & Flood (2014), *Fast Splittable Pseudorandom Number
/// Generators*, mixing constants of Stafford's variant 13.
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator that starts from a seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 uniformly distributed bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` − 1, by the high half of a product (bias below bound/2⁶⁴).
    const fn below(&mut self, bound: usize) -> usize {
        ((self.next_u64() as u128 * bound as u128) >> 64) as usize
    }
}

/// How many resamples, from which seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootstrapSettings {
    /// Number of resamples; 40 at least, so that 2.5 % is one of them.
    pub resamples: usize,
    /// Seed of [`SplitMix64`].
    pub seed: u64,
}

impl BootstrapSettings {
    /// One thousand resamples from the seed 20140714.
    pub const STANDARD: Self = Self {
        resamples: 1_000,
        seed: 20_140_714,
    };

    /// The id of the interval method for a series of `observations` returns.
    pub fn definition(&self, observations: usize) -> DefinitionId {
        DefinitionId::custom("stationary_bootstrap@v1")
            .with("B", self.resamples)
            .with("mean_block", format!("{:.2}", mean_block_length(observations)))
            .with("seed", self.seed)
    }
}

/// Percentile intervals of the figures; `None` where there are too few observations or the figure is undefined in more
/// than 2.5 % of the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BootstrapIntervals {
    /// Annual Sharpe ratio.
    pub sharpe: Option<Interval95>,
    /// Compound annual growth rate, a fraction.
    pub cagr: Option<Interval95>,
    /// Maximum drawdown, a negative fraction.
    pub max_drawdown: Option<Interval95>,
    /// CAGR over |maximum drawdown|.
    pub calmar: Option<Interval95>,
}

/// The mean block length of the stationary bootstrap: max(5, n^{1/3}).
pub fn mean_block_length(observations: usize) -> f64 {
    libm::cbrt(observations as f64).max(5.0)
}

/// Intervals from resampled series of returns: blocks of geometric length, mean [`mean_block_length`], start anywhere and
/// wrap around, so serial dependence is kept. The ends are the 2.5 % and 97.5 % order statistics, rounded outwards.
///
/// `returns` compound to growth and drawdown over `calendar_days`, `excess` gives the Sharpe ratio; both are resampled at
/// the same periods. No interval below 20 observations; none for growth below 90 days. Source: Politis & Romano (1994),
/// *The Stationary Bootstrap*.
///
/// # Errors
/// Series of different lengths, or fewer than 40 resamples.
pub fn bootstrap_intervals(
    returns: &Returns,
    excess: &Returns,
    periods: PeriodsPerYear,
    calendar_days: f64,
    settings: BootstrapSettings,
) -> Result<BootstrapIntervals, MetricsError> {
    require_same_length("returns and excess returns", returns.len(), excess.len())?;
    if settings.resamples < 40 {
        let (value, allowed) = (settings.resamples as f64, "40 or more");
        return Err(MetricsError::OutOfRange {
            what: "number of bootstrap resamples",
            value,
            allowed,
        });
    }
    if returns.len() < MIN_RANKED_OBSERVATIONS {
        return Ok(BootstrapIntervals::default());
    }
    let mut sampler = BlockSampler::new(returns.len(), settings.seed);
    let mut figures = Figures::default();
    let mut excess_sample = vec![0.0; excess.len()];
    for _ in 0..settings.resamples {
        let path = sampler.resample(returns.as_slice(), excess.as_slice(), &mut excess_sample);
        let growth = growth_rate(path.wealth, calendar_days)
            .ok()
            .filter(|_| has_annual_rate(calendar_days));
        figures
            .sharpe
            .extend(sharpe_per_period(&excess_sample).map(|sharpe| sharpe * periods.root()));
        figures.cagr.extend(growth);
        figures.max_drawdown.push(path.depth);
        figures
            .calmar
            .extend(growth.and_then(|growth| calmar_ratio(growth, path.depth)));
    }
    Ok(figures.intervals(settings.resamples))
}

/// The figures of all resamples in which they are defined.
#[derive(Default)]
struct Figures {
    sharpe: Vec<f64>,
    cagr: Vec<f64>,
    max_drawdown: Vec<f64>,
    calmar: Vec<f64>,
}

impl Figures {
    fn intervals(self, resamples: usize) -> BootstrapIntervals {
        BootstrapIntervals {
            sharpe: percentile_interval(self.sharpe, resamples),
            cagr: percentile_interval(self.cagr, resamples),
            max_drawdown: percentile_interval(self.max_drawdown, resamples),
            calmar: percentile_interval(self.calmar, resamples),
        }
    }
}

/// Where a resampled path ended and how deep it fell, starting from 1.
struct Path {
    wealth: f64,
    depth: f64,
}

/// Draws periods in blocks.
struct BlockSampler {
    random: SplitMix64,
    length: usize,
    /// A new block begins when the next 64 bits are below this.
    jump_below: u64,
}

impl BlockSampler {
    fn new(length: usize, seed: u64) -> Self {
        let jump_below = (u64::MAX as f64 / mean_block_length(length)) as u64;
        Self {
            random: SplitMix64::new(seed),
            length,
            jump_below,
        }
    }

    /// Walks one resample: compounds the returns and writes the excess returns of the same periods into `excess_sample`.
    fn resample(&mut self, returns: &[f64], excess: &[f64], excess_sample: &mut [f64]) -> Path {
        let (mut wealth, mut peak, mut lowest_ratio) = (1.0_f64, 1.0_f64, 1.0_f64);
        let mut position = self.random.below(self.length);
        for slot in excess_sample {
            *slot = excess[position];
            wealth *= 1.0 + returns[position];
            peak = peak.max(wealth);
            lowest_ratio = lowest_ratio.min(wealth / peak);
            position = self.next_position(position);
        }
        Path {
            wealth,
            depth: lowest_ratio - 1.0,
        }
    }

    fn next_position(&mut self, position: usize) -> usize {
        if self.random.next_u64() < self.jump_below {
            self.random.below(self.length)
        } else if position + 1 == self.length {
            0
        } else {
            position + 1
        }
    }
}

fn percentile_interval(mut values: Vec<f64>, resamples: usize) -> Option<Interval95> {
    let undefined = (resamples - values.len()) as f64;
    if undefined > MAX_UNDEFINED_SHARE * resamples as f64 || values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let last = (values.len() - 1) as f64;
    let (lower, upper) = ((last * 0.025).floor() as usize, (last * 0.975).ceil() as usize);
    Interval95::new(values[lower], values[upper])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Sum of twelve uniforms minus six: mean 0, variance 1.
    fn noise(count: usize, seed: u64) -> Vec<f64> {
        let mut random = SplitMix64::new(seed);
        let uniform = |random: &mut SplitMix64| random.next_u64() as f64 / u64::MAX as f64;
        (0..count)
            .map(|_| (0..12).map(|_| uniform(&mut random)).sum::<f64>() - 6.0)
            .collect()
    }

    fn intervals(values: &[f64], seed: u64) -> BootstrapIntervals {
        let returns = Returns::new(values.to_vec()).unwrap();
        let settings = BootstrapSettings {
            resamples: 1000,
            seed,
        };
        let days = values.len() as f64 * 365.25 / 252.0;
        bootstrap_intervals(&returns, &returns, PeriodsPerYear::EQUITIES, days, settings).unwrap()
    }

    #[test]
    fn generator_equals_the_published_sequence() {
        let mut random = SplitMix64::new(1_234_567);
        let wanted = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!([(); 5].map(|()| random.next_u64()), wanted);
    }

    #[test]
    fn blocks_have_the_mean_length_and_reach_every_period() {
        let mut sampler = BlockSampler::new(1000, 7);
        let (mut jumps, mut position) = (0, 0);
        let mut seen = vec![false; 1000];
        for _ in 0..200_000 {
            let next = sampler.next_position(position);
            jumps += usize::from(next != (position + 1) % 1000);
            seen[next] = true;
            position = next;
        }
        let mean_length = 200_000.0 / jumps as f64;
        assert!((mean_length - 10.0).abs() < 0.3, "{mean_length}");
        assert!(seen.iter().all(|&seen| seen));
        assert_eq!((mean_block_length(10), mean_block_length(8000)), (5.0, 20.0));
    }

    #[test]
    fn interval_of_the_sharpe_ratio_has_the_width_theory_gives() {
        let values: Vec<f64> = noise(2520, 3).iter().map(|z| 0.0005 + 0.01 * z).collect();
        let found = intervals(&values, 1).sharpe.unwrap();
        let wanted = 2.0 * 1.96 * (252.0 / 2520.0_f64).sqrt();
        assert!(
            ((found.upper() - found.lower()) / wanted - 1.0).abs() < 0.15,
            "{found:?} against {wanted}"
        );
    }

    #[test]
    fn equal_seeds_give_equal_intervals_and_other_seeds_do_not() {
        let values: Vec<f64> = noise(300, 5).iter().map(|z| 0.01 * z).collect();
        assert_eq!(intervals(&values, 1), intervals(&values, 1));
        assert_ne!(intervals(&values, 1), intervals(&values, 2));
    }

    #[test]
    fn undefined_figures_have_no_interval() {
        let rising = intervals(&[0.001; 300], 1);
        assert_eq!((rising.sharpe, rising.calmar), (None, None));
        assert!(rising.cagr.is_some());
        assert_eq!(rising.max_drawdown, Interval95::new(0.0, 0.0));
        assert_eq!(intervals(&[0.01; 19], 1), BootstrapIntervals::default());
        let short = intervals(&noise(40, 1).iter().map(|z| 0.01 * z).collect::<Vec<_>>(), 1);
        assert!(short.cagr.is_none() && short.sharpe.is_some());
    }

    #[test]
    fn bad_settings_are_refused() {
        let returns = Returns::new(vec![0.0; 30]).unwrap();
        let other = Returns::new(vec![0.0; 29]).unwrap();
        let few = BootstrapSettings {
            resamples: 39,
            seed: 1,
        };
        let p = PeriodsPerYear::EQUITIES;
        assert!(bootstrap_intervals(&returns, &returns, p, 100.0, few).is_err());
        assert!(bootstrap_intervals(&returns, &other, p, 100.0, BootstrapSettings::STANDARD).is_err());
    }
}
