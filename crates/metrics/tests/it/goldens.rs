//! The golden vectors of the metric definitions, to 1e-12 relative.

use sextant_metrics::*;

use crate::assert_relative;

const DAY: i64 = 86_400_000_000_000;
const R: [f64; 10] = [0.02, -0.01, 0.0, 0.03, -0.04, 0.01, 0.0, -0.02, 0.06, 0.01];
const P: PeriodsPerYear = PeriodsPerYear::EQUITIES;

fn golden(found: MetricValue, wanted: f64) {
    golden_number(found.value().unwrap(), wanted);
}

fn golden_number(found: f64, wanted: f64) {
    assert_relative(found, wanted, 1e-12);
}

fn returns() -> Returns {
    Returns::new(R.to_vec()).unwrap()
}

/// A book with the golden returns whose last mark comes `days` calendar days after funding.
fn book(days: i64) -> NavSeries {
    let mut nav = 1.0;
    let mark = |(value, index): (&f64, i64)| {
        nav *= 1.0 + value;
        NavMark {
            time_ns: if index == 10 { days * DAY } else { index * DAY },
            nav,
        }
    };
    NavSeries::new(0, 1.0, R.iter().zip(1..).map(mark).collect()).unwrap()
}

#[test]
fn returns_golden() {
    golden_number(pairwise_sum(&R) / 10.0, 0.006);
    let moments = SharpeMoments::of(&returns()).unwrap();
    golden_number(0.006 / moments.sharpe_per_period, 0.027568097504180444);
    golden(volatility(&returns(), P), 0.027568097504180444 * 252.0_f64.sqrt());
    golden(sharpe(&returns(), P), 3.4549735317746153);
    golden(sortino(&returns(), P), 6.572670690061994);
    golden_number(
        0.006 / sortino(&returns(), P).value().unwrap() * 252.0_f64.sqrt(),
        0.014491376746189439,
    );
    golden(day_win_rate(&returns()), 0.625);
    assert_ne!(
        day_win_rate(&returns()).value(),
        Some(0.5),
        "flat days must not count"
    );
    golden_number(moments.skewness, 0.3058876451607489);
    golden_number(moments.kurtosis, 2.9659382374063807);
}

#[test]
fn the_same_figures_from_marks_and_through_the_report() {
    let nav = book(14);
    golden_number(*nav.wealth().last().unwrap(), 1.0580800177043712);
    golden_number(max_drawdown(&nav).depth, -0.049792);
    let report = PerformanceReport::compute(&PerformanceInput::new(&nav, P)).unwrap();
    golden(report.get(MetricName::Sharpe).unwrap().value, 3.4549735317746153);
    golden(report.get(MetricName::Sortino).unwrap().value, 6.572670690061994);
    golden(report.get(MetricName::Psr).unwrap().value, 0.7477858917004074);
    golden(
        report.get(MetricName::TotalReturn).unwrap().value,
        0.0580800177043712,
    );
    let ranked = report.get(MetricName::Sharpe).unwrap().value;
    assert_eq!(
        (ranked.reason(), ranked.rank_value()),
        (Some(Reason::TooShort), None)
    );
}

#[test]
fn growth_golden() {
    let nav = book(14);
    golden(
        annualised_growth(1.0580800177043712, nav.calendar_days()),
        3.36184753628413,
    );
    assert_eq!(cagr(&nav), MetricValue::undefined(Reason::TooShort));
    // The definition by number of observations, which is not ours: 10 of 252 of a year of 365.25 days.
    golden(
        annualised_growth(1.0580800177043712, 365.25 * 10.0 / 252.0),
        3.1482652477239705,
    );
}

#[test]
fn probabilistic_sharpe_golden() {
    let moments = SharpeMoments::of(&returns()).unwrap();
    golden(probabilistic_sharpe(&moments, 0.0), 0.7477858917004074);
    golden(min_track_record_length(&moments, 0.0), 55.64423703057886);
}

#[test]
fn excess_kurtosis_in_place_of_raw_kurtosis_would_be_seen() {
    let moments = SharpeMoments::of(&returns()).unwrap();
    let mistaken = SharpeMoments {
        kurtosis: moments.kurtosis - 3.0,
        ..moments
    };
    golden(probabilistic_sharpe(&mistaken, 0.0), 0.7518392299442067);
    let difference = probabilistic_sharpe(&mistaken, 0.0).value().unwrap()
        - probabilistic_sharpe(&moments, 0.0).value().unwrap();
    assert!(difference > 0.004);
}

#[test]
fn sharpe_interval_from_its_standard_error() {
    let value = sharpe(&returns(), P);
    let per_period = 3.4549735317746153 / 252.0_f64.sqrt();
    let factor: f64 =
        1.0 - 0.3058876451607489 * per_period + (2.9659382374063807 - 1.0) / 4.0 * per_period * per_period;
    let standard_error = (factor / 9.0).sqrt() * 252.0_f64.sqrt();
    golden_number(
        value.interval().unwrap().lower(),
        3.4549735317746153 - 1.959963984540054 * standard_error,
    );
    golden_number(
        value.interval().unwrap().upper(),
        3.4549735317746153 + 1.959963984540054 * standard_error,
    );
}

#[test]
fn trades_golden() {
    let trades = [120.0, -50.0, 0.0, 80.0, -30.0, -30.0, 200.0, -10.0];
    let statistics = TradeStatistics::new(&trades, 0.01).unwrap();
    golden(statistics.profit_factor(), 3.3333333333333335);
    golden(statistics.win_rate(), 3.0 / 7.0);
    assert_eq!(statistics.break_even(), 1, "counting it as a loss would give 3/8");
    golden(statistics.expectancy(), 35.0);
    golden(statistics.payoff(), 4.444444444444445);
}

#[test]
fn deflated_sharpe_golden() {
    let moments = SharpeMoments {
        sharpe_per_period: 2.5 / 250.0_f64.sqrt(),
        observations: 1250,
        skewness: -3.0,
        kurtosis: 10.0,
    };
    let trials = |count: usize| TrialStatistics {
        raw_count: count,
        effective_count: count as f64,
        sharpe_variance_per_period: 0.5 / 250.0,
    };
    golden_number(
        expected_maximum_sharpe(&trials(100)).unwrap(),
        0.11317200186513214,
    );
    for (count, wanted) in [
        (100, 0.9003968344493903),
        (46, 0.9505017068755787),
        (88, 0.910153014744707),
    ] {
        golden(deflated_sharpe(&moments, &trials(count)).unwrap(), wanted);
    }
}

#[test]
fn overfitting_boundary_golden() {
    let rows = [
        [0.012, 0.003, -0.009],
        [0.021, -0.011, 0.014],
        [-0.013, 0.010, 0.022],
        [0.004, 0.019, -0.021],
        [0.008, -0.002, 0.011],
        [-0.017, 0.013, 0.002],
        [0.015, 0.009, -0.006],
        [-0.005, 0.006, 0.018],
    ];
    let column = |c: usize| Returns::new(rows.iter().map(|row| row[c]).collect()).unwrap();
    let matrix = TrialMatrix::new((0..3).map(column).collect()).unwrap();
    let result = cscv(&matrix, 4).unwrap();
    let third = 3.0_f64.ln();
    let wanted = [-third, 0.0, -third, -third, -third, 0.0];
    for (split, wanted) in result.splits.iter().zip(wanted) {
        assert!(
            (split.lambda - wanted).abs() <= 1e-12,
            "{} {wanted}",
            split.lambda
        );
    }
    assert_eq!(result.splits.len(), 6);
    assert_eq!(
        result.share_at_or_below_median(),
        1.0,
        "lambda < 0 would give two thirds"
    );
    let strictly_below = result.splits.iter().filter(|split| split.lambda < 0.0).count();
    assert_eq!(strictly_below, 4);
    assert_eq!(result.pbo().value, MetricValue::undefined(Reason::TooFewTrials));
}
