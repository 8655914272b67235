//! Comparison with a benchmark: information ratio, tracking error, beta and alpha.

use serde::{Deserialize, Serialize};

use crate::error::{
    MetricsError, require_all_finite, require_increasing, require_positive, require_same_length,
};
use crate::numeric::{Dispersion, Z_975, co_deviation, is_negligible, sum_of};
use crate::series::{NavSeries, PeriodsPerYear};
use crate::value::{MetricValue, Reason};

/// Below this many common periods nothing is compared.
const MIN_COMMON_PERIODS: usize = 60;

/// Dated total returns of a benchmark: dividends included, one per session of the book's calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct Benchmark {
    name: String,
    times_ns: Vec<i64>,
    returns: Vec<f64>,
}

impl Benchmark {
    /// A benchmark from returns, each with the time its period closes.
    ///
    /// # Errors
    /// Different numbers of times and returns, times that do not strictly increase, a return that is not finite.
    pub fn from_returns(name: &str, times_ns: Vec<i64>, returns: Vec<f64>) -> Result<Self, MetricsError> {
        require_same_length(
            "times and returns of the benchmark",
            times_ns.len(),
            returns.len(),
        )?;
        require_increasing("benchmark return", times_ns.iter().copied())?;
        require_all_finite("benchmark return", &returns)?;
        Ok(Self {
            name: name.to_owned(),
            times_ns,
            returns,
        })
    }

    /// A benchmark from total-return levels, the first of which has no return.
    ///
    /// # Errors
    /// As [`Benchmark::from_returns`], and a level that is not above zero.
    pub fn from_levels(name: &str, times_ns: &[i64], levels: &[f64]) -> Result<Self, MetricsError> {
        require_same_length("times and levels of the benchmark", times_ns.len(), levels.len())?;
        levels
            .iter()
            .try_for_each(|&level| require_positive("benchmark level", level))?;
        require_increasing("benchmark level", times_ns.iter().copied())?;
        let returns = levels.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        Self::from_returns(name, times_ns.iter().skip(1).copied().collect(), returns)
    }

    /// What the benchmark is called.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// How the inner join went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinCounts {
    /// Periods that both have.
    pub common: usize,
    /// Periods of the book that the benchmark lacks.
    pub dropped_book: usize,
    /// Periods of the benchmark within the book's span that the book lacks.
    pub dropped_benchmark: usize,
}

/// Figures against a benchmark on the periods that both have.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchmarkComparison {
    counts: JoinCounts,
    periods: PeriodsPerYear,
    excess: Vec<f64>,
    benchmark_excess: Vec<f64>,
    active: Vec<f64>,
}

impl BenchmarkComparison {
    /// Joins the returns of a book and a benchmark on equal closing times. `risk_free` holds one rate per return.
    ///
    /// # Errors
    /// [`MetricsError::LengthMismatch`] unless there is one rate per return.
    pub fn new(
        nav: &NavSeries,
        benchmark: &Benchmark,
        risk_free: &[f64],
        periods: PeriodsPerYear,
    ) -> Result<Self, MetricsError> {
        let returns = nav.returns().as_slice();
        require_same_length("returns and risk-free rates", returns.len(), risk_free.len())?;
        let mut joined = Self {
            counts: JoinCounts {
                common: 0,
                dropped_book: 0,
                dropped_benchmark: 0,
            },
            periods,
            excess: Vec::new(),
            benchmark_excess: Vec::new(),
            active: Vec::new(),
        };
        for (index, (value, rate)) in returns.iter().zip(risk_free).enumerate() {
            if let Ok(position) = benchmark.times_ns.binary_search(&nav.marks()[index].time_ns) {
                let other = benchmark.returns[position];
                joined.excess.push(value - rate);
                joined.benchmark_excess.push(other - rate);
                joined.active.push(value - other);
            }
        }
        joined.counts = counts(nav, benchmark, joined.active.len());
        Ok(joined)
    }

    /// How many periods were common and how many dropped.
    pub const fn counts(&self) -> JoinCounts {
        self.counts
    }

    /// Mean over sample standard deviation of the active return, times √P. Undefined `too_short` below 60 common periods,
    /// `no_variance`.
    pub fn information_ratio(&self) -> MetricValue {
        let ratio = || {
            let (dispersion, sd) = self.active_dispersion()?;
            if is_negligible(sd, &self.active) {
                return Err(Reason::NoVariance);
            }
            Ok(dispersion.mean / sd * self.periods.root())
        };
        ratio().into()
    }

    /// Annual standard deviation of the active return. Undefined `too_short` below 60 common periods.
    pub fn tracking_error(&self) -> MetricValue {
        self.active_dispersion()
            .map(|(_, sd)| sd * self.periods.root())
            .into()
    }

    /// Slope of the least-squares line of excess on benchmark excess returns, ±1.96 ordinary standard errors. Undefined
    /// `too_short` below 60 common periods, `no_variance` of the benchmark.
    pub fn beta(&self) -> MetricValue {
        self.line().map_or_else(MetricValue::undefined, |line| {
            MetricValue::defined(line.slope).with_margin(Z_975 * line.slope_error)
        })
    }

    /// Intercept of that line per year (times P), ±1.96 ordinary standard errors. Undefined as [`Self::beta`].
    pub fn alpha(&self) -> MetricValue {
        let p = self.periods.get();
        self.line().map_or_else(MetricValue::undefined, |line| {
            MetricValue::defined(line.intercept * p).with_margin(Z_975 * line.intercept_error * p)
        })
    }

    fn active_dispersion(&self) -> Result<(Dispersion, f64), Reason> {
        self.long_enough()?;
        Dispersion::with_sd(&self.active)
    }

    fn long_enough(&self) -> Result<(), Reason> {
        if self.active.len() < MIN_COMMON_PERIODS {
            Err(Reason::TooShort)
        } else {
            Ok(())
        }
    }

    fn line(&self) -> Result<Line, Reason> {
        self.long_enough()?;
        let (x, y) = (&self.benchmark_excess, &self.excess);
        let (x_dispersion, _) = Dispersion::of_varying(x)?;
        let y_mean = Dispersion::with_sd(y)?.0.mean;
        let (x_mean, x_squares, n) = (x_dispersion.mean, co_deviation(x, x), x.len() as f64);
        let slope = co_deviation(x, y) / x_squares;
        let intercept = y_mean - slope * x_mean;
        let residuals: Vec<f64> = x.iter().zip(y).map(|(x, y)| y - intercept - slope * x).collect();
        let variance = sum_of(&residuals, |residual| residual * residual) / (n - 2.0);
        Ok(Line {
            slope,
            intercept,
            slope_error: (variance / x_squares).sqrt(),
            intercept_error: (variance * (1.0 / n + x_mean * x_mean / x_squares)).sqrt(),
        })
    }
}

/// A least-squares line with the ordinary standard errors of its coefficients.
struct Line {
    slope: f64,
    intercept: f64,
    slope_error: f64,
    intercept_error: f64,
}

fn counts(nav: &NavSeries, benchmark: &Benchmark, common: usize) -> JoinCounts {
    let first = benchmark
        .times_ns
        .partition_point(|&time_ns| time_ns <= nav.start_ns());
    let after_last = benchmark
        .times_ns
        .partition_point(|&time_ns| time_ns <= nav.end_ns());
    JoinCounts {
        common,
        dropped_book: nav.returns().len() - common,
        dropped_benchmark: after_last.saturating_sub(first).saturating_sub(common),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::series::NavMark;

    const P: PeriodsPerYear = PeriodsPerYear::EQUITIES;

    fn market(day: i64) -> f64 {
        ((day * 37) % 23 - 11) as f64 / 1000.0
    }

    /// A book that returns 1.5 times the market plus 0.0002 each day.
    fn book(days: i64) -> NavSeries {
        let mut nav = 100.0;
        let mark = |time_ns| {
            nav *= 1.0 + 1.5 * market(time_ns) + 0.0002;
            NavMark { time_ns, nav }
        };
        NavSeries::new(0, 100.0, (1..=days).map(mark).collect()).unwrap()
    }

    fn benchmark(days: impl Iterator<Item = i64>) -> Benchmark {
        let (times, returns) = days.map(|day| (day, market(day))).unzip();
        Benchmark::from_returns("market", times, returns).unwrap()
    }

    #[test]
    fn an_exact_line_is_found() {
        let found = BenchmarkComparison::new(&book(120), &benchmark(1..=120), &[0.0; 120], P).unwrap();
        assert!((found.beta().value().unwrap() - 1.5).abs() < 1e-12);
        assert!((found.alpha().value().unwrap() - 0.0002 * 252.0).abs() < 1e-12);
        let interval = found.beta().interval().unwrap();
        assert!(interval.upper() - interval.lower() < 1e-10);
    }

    #[test]
    fn days_that_one_side_lacks_are_dropped_and_counted() {
        let sparse = benchmark((-50..=300).filter(|day| day % 10 != 0));
        let found = BenchmarkComparison::new(&book(100), &sparse, &[0.0; 100], P).unwrap();
        assert_eq!(
            found.counts(),
            JoinCounts {
                common: 90,
                dropped_book: 10,
                dropped_benchmark: 0
            }
        );
        let finer = Benchmark::from_levels("x", &[0, 1, 2, 3], &[1.0, 2.0, 1.0, 4.0]).unwrap();
        let two_days = NavSeries::new(
            0,
            1.0,
            vec![NavMark { time_ns: 1, nav: 1.0 }, NavMark { time_ns: 3, nav: 1.0 }],
        );
        let found = BenchmarkComparison::new(&two_days.unwrap(), &finer, &[0.0; 2], P).unwrap();
        assert_eq!(
            found.counts(),
            JoinCounts {
                common: 2,
                dropped_book: 0,
                dropped_benchmark: 1
            }
        );
    }

    #[test]
    fn fewer_than_sixty_common_days_or_a_flat_benchmark_give_nothing() {
        let found = BenchmarkComparison::new(&book(100), &benchmark(1..=59), &[0.0; 100], P).unwrap();
        for value in [
            found.beta(),
            found.alpha(),
            found.information_ratio(),
            found.tracking_error(),
        ] {
            assert_eq!(value, MetricValue::undefined(Reason::TooShort));
        }
        let flat = Benchmark::from_returns("cash", (1..=100).collect(), vec![0.0; 100]).unwrap();
        let found = BenchmarkComparison::new(&book(100), &flat, &[0.0; 100], P).unwrap();
        assert_eq!(found.beta(), MetricValue::undefined(Reason::NoVariance));
        assert!(found.information_ratio().value().is_some());
        let itself = Benchmark::from_returns(
            "itself",
            (1..=100).collect(),
            book(100).returns().as_slice().to_vec(),
        );
        let found = BenchmarkComparison::new(&book(100), &itself.unwrap(), &[0.0; 100], P).unwrap();
        assert_eq!(
            found.information_ratio(),
            MetricValue::undefined(Reason::NoVariance)
        );
        assert_eq!(found.tracking_error().value(), Some(0.0));
    }

    #[test]
    fn bad_benchmarks_are_refused() {
        assert!(Benchmark::from_returns("x", vec![1, 1], vec![0.0, 0.0]).is_err());
        assert!(Benchmark::from_returns("x", vec![1], vec![f64::NAN]).is_err());
        assert!(Benchmark::from_levels("x", &[1, 2], &[1.0, 0.0]).is_err());
        assert!(Benchmark::from_levels("x", &[1, 2], &[1.0]).is_err());
    }
}
