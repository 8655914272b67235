//! Numbers recorded from empyrical, numpy and scipy by `oracles/empyrical_numbers.py`.

use std::collections::BTreeMap;
use std::path::Path;

use sextant_metrics::*;

use crate::assert_relative;

const DAY: i64 = 86_400_000_000_000;
const P: PeriodsPerYear = PeriodsPerYear::EQUITIES;

#[derive(serde::Deserialize)]
struct Record {
    numbers: BTreeMap<String, f64>,
}

/// The recorded series and numbers, each number to be looked at once.
struct Oracle {
    book: Vec<f64>,
    market: Vec<f64>,
    numbers: BTreeMap<String, f64>,
}

impl Oracle {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles");
        let read = |file| std::fs::read_to_string(folder.join(file)).unwrap();
        let record: Record = serde_json::from_str(&read("empyrical_numbers.json")).unwrap();
        let parse = |line: &str| {
            let (book, market) = line.split_once(',').unwrap();
            (book.parse::<f64>().unwrap(), market.parse::<f64>().unwrap())
        };
        let (book, market) = read("empyrical_series.csv").lines().skip(1).map(parse).unzip();
        Self {
            book,
            market,
            numbers: record.numbers,
        }
    }

    fn nav(&self) -> NavSeries {
        let mut nav = 1.0;
        let mark = |(value, day): (&f64, i64)| {
            nav *= 1.0 + value;
            NavMark {
                time_ns: day * DAY,
                nav,
            }
        };
        NavSeries::new(0, 1.0, self.book.iter().zip(1..).map(mark).collect()).unwrap()
    }

    fn benchmark(&self) -> Benchmark {
        let times = (1..=self.market.len() as i64).map(|day| day * DAY).collect();
        Benchmark::from_returns("market", times, self.market.clone()).unwrap()
    }

    #[track_caller]
    fn check(&mut self, name: &str, found: f64) {
        let wanted = self
            .numbers
            .remove(name)
            .unwrap_or_else(|| panic!("{name} is not recorded"));
        assert_relative(found, wanted, 1e-9);
    }

    #[track_caller]
    fn check_value(&mut self, name: &str, found: MetricValue) {
        self.check(name, found.value().unwrap());
    }
}

fn report(nav: &NavSeries, benchmark: &Benchmark, annual_rate: f64) -> PerformanceReport {
    let input = PerformanceInput {
        risk_free: RiskFree::Constant { annual_rate },
        minimum_acceptable_annual: annual_rate,
        benchmark: Some(benchmark),
        trials: Some(TrialStatistics {
            raw_count: 57,
            effective_count: 57.0,
            sharpe_variance_per_period: 0.0004,
        }),
        ..PerformanceInput::new(nav, P)
    };
    PerformanceReport::compute(&input).unwrap()
}

/// Half the width of a 95 % interval in standard errors.
fn standard_error(value: MetricValue) -> f64 {
    let interval = value.interval().unwrap();
    (interval.upper() - interval.lower()) / (2.0 * 1.959_963_984_540_054)
}

fn geometric(alpha_annual: f64) -> f64 {
    (1.0 + alpha_annual / 252.0).powi(252) - 1.0
}

#[test]
fn every_recorded_number_is_found_again() {
    let mut oracle = Oracle::read();
    assert_eq!((oracle.book.len(), oracle.market.len()), (1000, 1000));
    check_report(&mut oracle);
    check_risk_free(&mut oracle);
    check_selection(&mut oracle);
    check_information(&mut oracle);
    assert!(
        oracle.numbers.is_empty(),
        "recorded but not checked: {:?}",
        oracle.numbers
    );
}

fn check_report(oracle: &mut Oracle) {
    let (nav, benchmark) = (oracle.nav(), oracle.benchmark());
    let report = report(&nav, &benchmark, 0.0);
    let by_name = [
        ("total_return", MetricName::TotalReturn),
        ("sharpe", MetricName::Sharpe),
        ("sharpe_lo_adjusted", MetricName::SharpeLoAdjusted),
        ("sortino", MetricName::Sortino),
        ("volatility", MetricName::Volatility),
        ("max_drawdown", MetricName::MaxDrawdown),
        ("beta", MetricName::Beta),
        ("tracking_error", MetricName::TrackingError),
        ("var_95", MetricName::Var95),
        ("var_99", MetricName::Var99),
        ("cvar_95", MetricName::Cvar95),
        ("cvar_99", MetricName::Cvar99),
        ("skewness", MetricName::Skewness),
        ("kurtosis", MetricName::Kurtosis),
        ("psr_0", MetricName::Psr),
        ("min_track_record_length", MetricName::MinTrackRecordLength),
        ("dsr_57_trials_variance_0004", MetricName::Dsr),
    ];
    for (name, metric) in by_name {
        oracle.check(name, report.value(metric).unwrap());
    }
    let value = |name| report.get(name).unwrap().value;
    let by_observations = annualised_growth(*nav.wealth().last().unwrap(), 1000.0 / 252.0 * 365.25)
        .value()
        .unwrap();
    oracle.check("annual_return_by_observations", by_observations);
    oracle.check(
        "calmar_by_observations",
        by_observations / max_drawdown(&nav).depth.abs(),
    );
    oracle.check(
        "information_ratio_daily",
        report.value(MetricName::InformationRatio).unwrap() / 252.0_f64.sqrt(),
    );
    oracle.check(
        "alpha_geometric",
        geometric(report.value(MetricName::Alpha).unwrap()),
    );
    oracle.check("beta_stderr", standard_error(value(MetricName::Beta)));
    oracle.check("alpha_stderr_annual", standard_error(value(MetricName::Alpha)));
}

fn check_risk_free(oracle: &mut Oracle) {
    let report = report(&oracle.nav(), &oracle.benchmark(), 0.04);
    oracle.check("sharpe_rf_4_percent", report.value(MetricName::Sharpe).unwrap());
    oracle.check(
        "sortino_mar_4_percent",
        report.value(MetricName::Sortino).unwrap(),
    );
    oracle.check("beta_rf_4_percent", report.value(MetricName::Beta).unwrap());
    oracle.check(
        "alpha_geometric_rf_4_percent",
        geometric(report.value(MetricName::Alpha).unwrap()),
    );
}

fn check_selection(oracle: &mut Oracle) {
    let moments = SharpeMoments::of(&Returns::new(oracle.book.clone()).unwrap()).unwrap();
    oracle.check_value(
        "psr_annual_half",
        probabilistic_sharpe(&moments, 0.5 / 252.0_f64.sqrt()),
    );
    let columns: Vec<Returns> = oracle
        .book
        .chunks(100)
        .map(|chunk| Returns::new(chunk.to_vec()).unwrap())
        .collect();
    oracle.check("effective_trials", effective_trials(&columns).unwrap());
    let result = cscv(&TrialMatrix::new(columns).unwrap(), 8).unwrap();
    assert_eq!((result.splits.len(), result.rows_dropped), (70, 4));
    oracle.check_value("pbo", result.pbo().value);
    let lambdas: Vec<f64> = result.splits.iter().map(|split| split.lambda).collect();
    oracle.check("pbo_mean_lambda", pairwise_sum(&lambdas) / 70.0);
    oracle.check_value("pbo_slope", result.slope());
    oracle.check("pbo_loss_probability", result.loss_probability());
}

fn check_information(oracle: &mut Oracle) {
    let rounded: Vec<f64> = oracle
        .market
        .iter()
        .map(|value| (value * 100.0).round_ties_even() / 100.0)
        .collect();
    let book = oracle.book.clone();
    let sections: Vec<CrossSection<'_>> = book
        .chunks(50)
        .zip(rounded.chunks(50))
        .zip(0..)
        .map(|((scores, outcomes), time_ns)| CrossSection {
            time_ns,
            scores,
            outcomes,
        })
        .collect();
    let found = |lags| information_coefficient(&sections, lags).unwrap();
    oracle.check("ic_first_date", found(0).by_date[0].1);
    oracle.check_value("ic_mean", found(0).mean.value);
    oracle.check_value("ic_t_0", found(0).t_statistic.value);
    oracle.check_value("ic_t_3", found(3).t_statistic.value);
}
