//! Probability of backtest overfitting by combinatorially symmetric cross-validation.

use crate::definition::{DefinitionId, Metric, MetricName};
use crate::error::{MetricsError, require_same_length};
use crate::numeric::{Dispersion, co_deviation, is_negligible, pairwise_sum, sum_of};
use crate::series::Returns;
use crate::value::{MetricValue, Reason};

const MIN_TRIALS: usize = 8;
/// Sharpe ratios that agree to this many parts count as equal, so that rounding noise never picks the winner.
const TIE_RESOLUTION: f64 = 1e12;

/// Returns of trials on the same periods: one column per trial, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialMatrix {
    columns: Vec<Returns>,
}

impl TrialMatrix {
    /// A matrix of at least one column.
    ///
    /// # Errors
    /// No column, or columns of different lengths.
    pub fn new(columns: Vec<Returns>) -> Result<Self, MetricsError> {
        let first = columns
            .first()
            .ok_or(MetricsError::Empty { what: "trial matrix" })?;
        let rows = first.len();
        columns
            .iter()
            .try_for_each(|column| require_same_length("returns of two trials", rows, column.len()))?;
        Ok(Self { columns })
    }

    /// Number of periods.
    pub fn row_count(&self) -> usize {
        self.columns.first().map_or(0, Returns::len)
    }

    /// Number of trials.
    pub fn trial_count(&self) -> usize {
        self.columns.len()
    }
}

/// One split into two halves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CscvSplit {
    /// Column of the trial with the highest in-sample Sharpe ratio.
    pub selected: usize,
    /// Its per-period Sharpe ratio in sample; `None` when no trial varies there.
    pub in_sample_sharpe: Option<f64>,
    /// Its per-period Sharpe ratio out of sample; `None` when it does not vary there.
    pub out_of_sample_sharpe: Option<f64>,
    /// Its mean return out of sample.
    pub out_of_sample_mean: f64,
    /// ln(ω/(1 − ω)) with ω = out-of-sample mid-rank / (N + 1); 0 is the median.
    pub lambda: f64,
}

/// A bin of the distribution of λ, closed below and open above except the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistogramBin {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// How many splits.
    pub count: usize,
}

/// The result of [`cscv`].
#[derive(Debug, Clone, PartialEq)]
pub struct Cscv {
    /// All splits, in lexicographic order of the in-sample blocks.
    pub splits: Vec<CscvSplit>,
    /// Number of blocks, S.
    pub blocks: usize,
    /// Number of trials, N.
    pub trials: usize,
    /// Oldest rows left out so that all blocks have the same length.
    pub rows_dropped: usize,
    /// Trials that never vary.
    pub constant_trials: usize,
}

/// The number of blocks for a number of days: 16 from 480 days on (blocks of at least 30 days), 10 from 300, else 8.
pub const fn default_block_count(days: usize) -> usize {
    match days {
        480.. => 16,
        300.. => 10,
        _ => 8,
    }
}

/// Combinatorially symmetric cross-validation with the Sharpe ratio (divisor n − 1) as the measure.
///
/// Time is cut into `blocks` contiguous blocks of equal length; each choice of half of them is the sample, the rest is out
/// of it. The trial that is best in sample is looked up in the out-of-sample ranking by its mid-rank. Sharpe ratios are
/// compared after rounding to 1e-12, the lowest column wins ties in sample, a Sharpe ratio without variance ranks last.
/// The work is C(S, S/2)·N·S. Source: Bailey, Borwein, López de Prado & Zhu (2017), *The Probability of Backtest
/// Overfitting*.
///
/// # Errors
/// [`MetricsError::OutOfRange`] unless `blocks` is even, 2 to 20, and there are two rows per block.
pub fn cscv(matrix: &TrialMatrix, blocks: usize) -> Result<Cscv, MetricsError> {
    let rows = matrix.row_count();
    if !blocks.is_multiple_of(2) || !(2..=20).contains(&blocks) || rows / blocks < 2 {
        let allowed = "an even number from 2 to 20 with at least two periods per block";
        return Err(MetricsError::OutOfRange {
            what: "number of blocks",
            value: blocks as f64,
            allowed,
        });
    }
    let columns: Vec<ColumnBlocks> = matrix
        .columns
        .iter()
        .map(|column| ColumnBlocks::new(column.as_slice(), blocks))
        .collect();
    Ok(Cscv {
        splits: half_combinations(blocks)
            .iter()
            .map(|in_sample| evaluate(&columns, in_sample))
            .collect(),
        blocks,
        trials: matrix.trial_count(),
        rows_dropped: rows % blocks,
        constant_trials: matrix
            .columns
            .iter()
            .filter(|column| is_constant(column.as_slice()))
            .count(),
    })
}

impl Cscv {
    /// The probability of backtest overfitting, P(λ ≤ 0), as a figure with its definition id.
    ///
    /// Undefined `too_few_trials` below eight trials and `no_variance` when a trial never varies.
    pub fn pbo(&self) -> Metric {
        let value = if self.trials < MIN_TRIALS {
            MetricValue::undefined(Reason::TooFewTrials)
        } else if self.constant_trials > 0 {
            MetricValue::undefined(Reason::NoVariance)
        } else {
            MetricValue::defined(self.share_at_or_below_median())
        };
        let definition = DefinitionId::of(MetricName::Pbo)
            .with("S", self.blocks)
            .with("N", self.trials);
        Metric {
            name: MetricName::Pbo,
            value,
            definition: definition.with("measure", "sharpe@v1"),
        }
    }

    /// The share of splits with λ ≤ 0, whatever the number of trials.
    pub fn share_at_or_below_median(&self) -> f64 {
        self.share(|split| split.lambda <= 0.0)
    }

    /// The share of splits in which the selected trial loses out of sample.
    pub fn loss_probability(&self) -> f64 {
        self.share(|split| split.out_of_sample_mean < 0.0)
    }

    /// Slope of the least-squares line of out-of-sample on in-sample Sharpe ratios of the selected trials; negative when
    /// a better backtest means a worse result. Undefined `no_variance`.
    pub fn slope(&self) -> MetricValue {
        let pairs = self
            .splits
            .iter()
            .filter_map(|split| split.in_sample_sharpe.zip(split.out_of_sample_sharpe));
        let (inside, outside): (Vec<f64>, Vec<f64>) = pairs.unzip();
        let slope = Dispersion::of_varying(&inside);
        slope
            .map(|_| co_deviation(&inside, &outside) / co_deviation(&inside, &inside))
            .into()
    }

    /// The distribution of λ in `bin_count` bins of equal width over its range; one bin when all are equal.
    pub fn lambda_histogram(&self, bin_count: usize) -> Vec<HistogramBin> {
        let lambdas = || self.splits.iter().map(|split| split.lambda);
        let (lowest, highest) = (
            lambdas().fold(f64::INFINITY, f64::min),
            lambdas().fold(f64::NEG_INFINITY, f64::max),
        );
        let bin_count = if lowest == highest { 1 } else { bin_count.max(1) };
        let width = (highest - lowest) / bin_count as f64;
        let edge = |bin: usize| {
            if bin == bin_count {
                highest
            } else {
                lowest + width * bin as f64
            }
        };
        let bin = |bin| HistogramBin {
            lower: edge(bin),
            upper: edge(bin + 1),
            count: 0,
        };
        let mut bins: Vec<HistogramBin> = (0..bin_count).map(bin).collect();
        for lambda in lambdas() {
            let index = bins.partition_point(|bin| bin.lower <= lambda).saturating_sub(1);
            bins[index].count += 1;
        }
        bins
    }

    fn share(&self, condition: impl Fn(&CscvSplit) -> bool) -> f64 {
        self.splits.iter().filter(|split| condition(split)).count() as f64 / self.splits.len() as f64
    }
}

/// Mean and sum of squared deviations per block, from which those of any union of blocks follow.
struct ColumnBlocks {
    means: Vec<f64>,
    sums_of_squares: Vec<f64>,
    block_length: f64,
    scale: f64,
}

impl ColumnBlocks {
    fn new(values: &[f64], blocks: usize) -> Self {
        let length = values.len() / blocks;
        let kept = &values[values.len() % blocks..];
        let (means, sums_of_squares) = kept.chunks_exact(length).map(mean_and_squares).unzip();
        let scale = values.iter().fold(1.0_f64, |scale, value| scale.max(value.abs()));
        Self {
            means,
            sums_of_squares,
            block_length: length as f64,
            scale,
        }
    }

    /// Mean and rounded Sharpe ratio over some blocks, pooled as in Chan, Golub & LeVeque (1983).
    fn pooled(&self, blocks: &[usize]) -> (f64, Option<f64>) {
        let count = blocks.len() as f64;
        let mean = blocks.iter().map(|&block| self.means[block]).sum::<f64>() / count;
        let within: f64 = blocks.iter().map(|&block| self.sums_of_squares[block]).sum();
        let between: f64 = blocks
            .iter()
            .map(|&block| (self.means[block] - mean) * (self.means[block] - mean))
            .sum();
        let squares = within + self.block_length * between;
        let sd = (squares / (count * self.block_length - 1.0)).sqrt();
        let varies = !is_negligible(sd, &[self.scale]);
        (
            mean,
            varies.then(|| (mean / sd * TIE_RESOLUTION).round() / TIE_RESOLUTION),
        )
    }
}

fn mean_and_squares(values: &[f64]) -> (f64, f64) {
    let mean = pairwise_sum(values) / values.len() as f64;
    (mean, sum_of(values, |value| (value - mean) * (value - mean)))
}

fn is_constant(values: &[f64]) -> bool {
    crate::ratios::sharpe_per_period(values).is_none()
}

/// All ways to take half of the blocks, in lexicographic order.
fn half_combinations(blocks: usize) -> Vec<Vec<usize>> {
    let half = blocks / 2;
    let mut chosen: Vec<usize> = (0..half).collect();
    let mut all = vec![chosen.clone()];
    while let Some(position) = (0..half)
        .rev()
        .find(|&position| chosen[position] < blocks - half + position)
    {
        chosen[position] += 1;
        for later in position + 1..half {
            chosen[later] = chosen[later - 1] + 1;
        }
        all.push(chosen.clone());
    }
    all
}

fn evaluate(columns: &[ColumnBlocks], in_sample: &[usize]) -> CscvSplit {
    let block_count = 2 * in_sample.len();
    let out_of_sample: Vec<usize> = (0..block_count)
        .filter(|block| !in_sample.contains(block))
        .collect();
    let (selected, in_sample_sharpe) = best(columns, in_sample);
    let (out_of_sample_mean, out_of_sample_sharpe) = columns[selected].pooled(&out_of_sample);
    let own = rankable(out_of_sample_sharpe);
    let all: Vec<f64> = columns
        .iter()
        .map(|column| rankable(column.pooled(&out_of_sample).1))
        .collect();
    let below = all.iter().filter(|&&other| other < own).count() as f64;
    let equal = all.iter().filter(|&&other| other == own).count() as f64;
    let rank = below + (equal + 1.0) / 2.0;
    let lambda = libm::log(rank / (columns.len() as f64 + 1.0 - rank));
    CscvSplit {
        selected,
        in_sample_sharpe,
        out_of_sample_sharpe,
        out_of_sample_mean,
        lambda,
    }
}

/// The column with the highest Sharpe ratio, the lowest one among equals.
fn best(columns: &[ColumnBlocks], blocks: &[usize]) -> (usize, Option<f64>) {
    let mut best = (0, columns[0].pooled(blocks).1);
    for (index, column) in columns.iter().enumerate().skip(1) {
        let sharpe = column.pooled(blocks).1;
        if rankable(sharpe) > rankable(best.1) {
            best = (index, sharpe);
        }
    }
    best
}

/// An undefined Sharpe ratio ranks below every defined one.
fn rankable(sharpe: Option<f64>) -> f64 {
    sharpe.unwrap_or(f64::NEG_INFINITY)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn matrix(columns: usize, rows: usize, value: impl Fn(usize, usize) -> f64) -> TrialMatrix {
        let column = |c| Returns::new((0..rows).map(|r| value(c, r)).collect()).unwrap();
        TrialMatrix::new((0..columns).map(column).collect()).unwrap()
    }

    /// A fixed zigzag without trend.
    fn zigzag(column: usize, row: usize) -> f64 {
        ((column * 31 + row * 17 + row * row * 7 * (column + 1)) % 41) as f64 / 1000.0 - 0.02
    }

    #[test]
    fn combinations_are_lexicographic() {
        assert_eq!(
            half_combinations(4),
            [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
        );
        assert_eq!(half_combinations(16).len(), 12_870);
    }

    #[test]
    fn a_trial_that_is_always_best_is_not_overfitted() {
        let skilled = matrix(10, 160, |c, r| zigzag(c, r) + if c == 3 { 0.05 } else { 0.0 });
        let result = cscv(&skilled, 8).unwrap();
        assert!(
            result
                .splits
                .iter()
                .all(|split| split.selected == 3 && split.lambda > 0.0)
        );
        assert_eq!(
            (result.pbo().value.value(), result.loss_probability()),
            (Some(0.0), 0.0)
        );
        assert_eq!(
            result.pbo().definition.as_str(),
            "pbo@v1{S=8,N=10,measure=sharpe@v1}"
        );
    }

    #[test]
    fn identical_trials_sit_at_the_median_whatever_the_noise() {
        let same = matrix(9, 80, |_, r| zigzag(1, r));
        let result = cscv(&same, 8).unwrap();
        assert!(
            result
                .splits
                .iter()
                .all(|split| split.lambda == 0.0 && split.selected == 0)
        );
        assert_eq!(result.pbo().value.value(), Some(1.0));
        assert_eq!(result.lambda_histogram(10).len(), 1);
    }

    #[test]
    fn pooled_sharpe_equals_the_direct_one() {
        let values: Vec<f64> = (0..83).map(|row| zigzag(2, row)).collect();
        let blocks = ColumnBlocks::new(&values, 8);
        let direct: Vec<f64> = [0, 2, 5, 7]
            .iter()
            .flat_map(|&b| values[3 + b * 10..13 + b * 10].to_vec())
            .collect();
        let wanted = crate::ratios::sharpe_per_period(&direct).unwrap();
        assert!((blocks.pooled(&[0, 2, 5, 7]).1.unwrap() - wanted).abs() < 2e-12);
    }

    #[test]
    fn guards() {
        let few = cscv(&matrix(7, 80, zigzag), 8).unwrap();
        assert_eq!(few.pbo().value, MetricValue::undefined(Reason::TooFewTrials));
        let flat = cscv(&matrix(9, 85, |c, r| if c == 4 { 0.0 } else { zigzag(c, r) }), 8).unwrap();
        assert_eq!(flat.pbo().value, MetricValue::undefined(Reason::NoVariance));
        assert_eq!((flat.rows_dropped, flat.constant_trials), (5, 1));
        for blocks in [0, 1, 3, 7, 22, 42] {
            assert!(cscv(&matrix(9, 80, zigzag), blocks).is_err(), "{blocks}");
        }
        assert!(cscv(&matrix(9, 15, zigzag), 8).is_err());
        assert!(TrialMatrix::new(vec![]).is_err());
        let ragged = vec![
            Returns::new(vec![0.0]).unwrap(),
            Returns::new(vec![0.0, 0.1]).unwrap(),
        ];
        assert!(TrialMatrix::new(ragged).is_err());
    }

    #[test]
    fn histogram_counts_every_split_once() {
        let result = cscv(&matrix(12, 160, zigzag), 8).unwrap();
        let bins = result.lambda_histogram(6);
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), 70);
        assert!(bins.windows(2).all(|pair| pair[0].upper == pair[1].lower));
        assert!(result.slope().value().is_some());
    }

    #[test]
    fn block_counts() {
        let counts = [479, 480, 300, 299, 10].map(default_block_count);
        assert_eq!(counts, [10, 16, 10, 8, 8]);
    }
}
