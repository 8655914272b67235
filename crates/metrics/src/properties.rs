//! Relations that hold for every input.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use crate::series::NANOS_PER_DAY;
use crate::*;

const P: PeriodsPerYear = PeriodsPerYear::EQUITIES;

fn daily_returns(length: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(-0.2..0.2_f64, length)
}

fn returns(values: &[f64]) -> Returns {
    Returns::new(values.to_vec()).unwrap()
}

/// A book with these returns, one mark per day from 1970-01-02 on.
fn book(values: &[f64], capital: f64) -> NavSeries {
    let mut nav = capital;
    let mark = |(value, day): (&f64, i64)| {
        nav *= 1.0 + value;
        NavMark {
            time_ns: day * NANOS_PER_DAY,
            nav,
        }
    };
    NavSeries::new(0, capital, values.iter().zip(1..).map(mark).collect()).unwrap()
}

/// Equal up to a relative or absolute 1e-9, or undefined for the same reason.
fn close(left: MetricValue, right: MetricValue) -> bool {
    match (left.value(), right.value()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
        _ => left.reason() == right.reason(),
    }
}

fn ratios(values: &Returns) -> [MetricValue; 6] {
    [
        sharpe(values, P),
        sortino(values, P),
        volatility(values, P),
        value_at_risk(values, TailLevel::Percent95),
        conditional_value_at_risk(values, TailLevel::Percent95),
        day_win_rate(values),
    ]
}

fn closed_trades(fills: &[(i32, i32, i32)]) -> RoundTrips {
    let mut trips = RoundTrips::new(1.0).unwrap();
    for (&(quantity, price, fee), time_ns) in fills.iter().zip(0..) {
        let (quantity, price, fee) = (f64::from(quantity), f64::from(price), f64::from(fee));
        trips
            .apply(&TradeFill {
                time_ns,
                quantity,
                price,
                fee,
            })
            .unwrap();
    }
    trips
}

proptest! {
    #[test]
    fn sharpe_and_sortino_do_not_depend_on_the_scale(values in daily_returns(20..200), scale in 0.1..10.0_f64) {
        let scaled: Vec<f64> = values.iter().map(|value| value * scale).collect();
        prop_assert!(close(sharpe(&returns(&values), P), sharpe(&returns(&scaled), P)));
        prop_assert!(close(sortino(&returns(&values), P), sortino(&returns(&scaled), P)));
    }

    #[test]
    fn the_sharpe_ratio_of_the_opposite_is_the_opposite(values in daily_returns(2..100)) {
        let opposite: Vec<f64> = values.iter().map(|value| -value).collect();
        let (there, back) = (sharpe(&returns(&values), P), sharpe(&returns(&opposite), P));
        prop_assert!((there.value().unwrap() + back.value().unwrap()).abs() < 1e-9);
    }

    #[test]
    fn ratios_do_not_depend_on_the_order_of_days(
        (values, shuffled) in daily_returns(20..200).prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle()))
    ) {
        let (there, back) = (ratios(&returns(&values)), ratios(&returns(&shuffled)));
        prop_assert!(there.iter().zip(back).all(|(a, b)| close(*a, b)), "{there:?} {back:?}");
    }

    #[test]
    fn interval_and_value_are_consistent(values in daily_returns(2..100)) {
        for figure in ratios(&returns(&values)) {
            if let (Some(value), Some(interval)) = (figure.value(), figure.interval()) {
                prop_assert!(interval.lower() <= value && value <= interval.upper());
            }
        }
    }

    #[test]
    fn max_drawdown_is_the_worst_pair_of_peak_and_later_value(values in daily_returns(1..120)) {
        let nav = book(&values, 500.0);
        let mut wealth = vec![500.0];
        wealth.extend_from_slice(nav.wealth());
        let worst = (0..wealth.len())
            .flat_map(|i| (i..wealth.len()).map(move |j| (i, j)))
            .map(|(i, j)| wealth[j] / wealth[i] - 1.0)
            .fold(0.0, f64::min);
        let found = max_drawdown(&nav);
        prop_assert!((found.depth - worst).abs() < 1e-15);
        prop_assert!((-1.0..=0.0).contains(&found.depth));
        if let Some(episode) = found.episode {
            prop_assert!(episode.peak_ns < episode.trough_ns && episode.trough_ns <= episode.end_ns);
        } else {
            prop_assert!(found.depth == 0.0);
        }
    }

    #[test]
    fn figures_of_the_book_do_not_depend_on_its_size(values in daily_returns(100..200), scale in 0.01..100.0_f64) {
        let (small, large) = (book(&values, 1000.0), book(&values, 1000.0 * scale));
        let figures = |nav: &NavSeries| {
            [total_return(nav), cagr(nav), calmar(nav), MetricValue::defined(max_drawdown(nav).depth)]
        };
        prop_assert!(figures(&small).iter().zip(figures(&large)).all(|(a, b)| close(*a, b)));
    }

    #[test]
    fn months_and_years_compound_to_the_total_return(values in daily_returns(1..500)) {
        let nav = book(&values, 100.0);
        let total = total_return(&nav).value().unwrap() + 1.0;
        let months = monthly_returns(&nav).iter().fold(1.0, |wealth, month| wealth * (1.0 + month.value));
        let years = annual_returns(&nav).iter().fold(1.0, |wealth, year| wealth * (1.0 + year.value));
        prop_assert!((months / total - 1.0).abs() < 1e-9 && (years / total - 1.0).abs() < 1e-9);
    }

    #[test]
    fn linking_removes_any_flow(values in daily_returns(1..60), flows in daily_returns(1..60)) {
        let mut nav = 100.0;
        let (mut marks, mut external) = (Vec::new(), Vec::new());
        for ((value, flow), day) in values.iter().zip(&flows).zip(1..) {
            let amount = flow * nav;
            nav = nav * (1.0 + value) + amount;
            marks.push(NavMark { time_ns: day * NANOS_PER_DAY, nav });
            external.push(ExternalFlow { time_ns: day * NANOS_PER_DAY, amount });
        }
        let linked = NavSeries::with_external_flows(0, 100.0, marks, &external).unwrap();
        for (found, wanted) in linked.returns().as_slice().iter().zip(&values) {
            prop_assert!((found - wanted).abs() < 1e-9);
        }
    }

    #[test]
    fn the_tail_mean_is_no_smaller_than_its_edge(values in daily_returns(100..300)) {
        let returns = returns(&values);
        for level in [TailLevel::Percent95, TailLevel::Percent99] {
            let edge = value_at_risk(&returns, level).value().unwrap();
            prop_assert!(conditional_value_at_risk(&returns, level).value().unwrap() >= edge - 1e-15);
        }
    }

    #[test]
    fn not_a_number_is_an_error_wherever_it_stands(values in daily_returns(1..50), place in any::<prop::sample::Index>()) {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut spoiled = values.clone();
            let index = place.index(values.len());
            spoiled[index] = bad;
            match Returns::new(spoiled.clone()) {
                Err(MetricsError::NotFinite { index: found, .. }) => prop_assert_eq!(found, index),
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert!(TradeStatistics::new(&spoiled, 0.01).is_err());
        }
    }

    #[test]
    fn trade_figures_do_not_depend_on_the_order_of_trades(
        (pnl, shuffled) in proptest::collection::vec(-100..100_i32, 0..60)
            .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle()))
    ) {
        let statistics = |pnl: &[i32]| {
            TradeStatistics::new(&pnl.iter().map(|&pnl| f64::from(pnl) / 100.0).collect::<Vec<_>>(), 0.01).unwrap()
        };
        let (there, back) = (statistics(&pnl), statistics(&shuffled));
        prop_assert_eq!(there.wins() + there.losses() + there.break_even(), pnl.len());
        prop_assert_eq!(there.break_even(), pnl.iter().filter(|&&pnl| pnl == 0).count());
        for figure in [TradeStatistics::win_rate, TradeStatistics::profit_factor, TradeStatistics::expectancy, TradeStatistics::payoff] {
            prop_assert!(close(figure(&there), figure(&back)));
        }
    }

    #[test]
    fn round_trips_of_whole_quantities_account_for_every_unit_of_cash(
        mut fills in proptest::collection::vec((-50..50_i32, 1..1000_i32, 0..10_i32), 1..60)
            .prop_map(|fills| fills.into_iter().filter(|fill| fill.0 != 0).collect::<Vec<_>>())
    ) {
        let open: i32 = fills.iter().map(|fill| fill.0).sum();
        prop_assert_eq!(closed_trades(&fills).open_quantity(), f64::from(open));
        if open != 0 {
            fills.push((-open, 500, 3));
        }
        let cash: i64 = fills.iter().map(|fill| -i64::from(fill.0) * i64::from(fill.1)).sum();
        let fees: i64 = fills.iter().map(|fill| i64::from(fill.2)).sum();
        let trips = closed_trades(&fills);
        let gross: f64 = trips.closed().iter().map(|trade| trade.gross_pnl).sum();
        let costs: f64 = trips.closed().iter().map(|trade| trade.costs).sum();
        prop_assert_eq!(gross, cash as f64);
        prop_assert!((costs - fees as f64).abs() < 1e-9);
        prop_assert_eq!(trips.open_quantity(), 0.0);
        prop_assert!(trips.closed().iter().all(|trade| trade.quantity > 0.0 && trade.quantity.fract() == 0.0));
        prop_assert!(trips.closed().windows(2).all(|pair| pair[0].exit_ns <= pair[1].exit_ns));
        prop_assert!(trips.closed().windows(2).all(|pair| pair[0].entry_ns <= pair[1].entry_ns));
    }

    #[test]
    fn rank_correlation_ignores_monotone_changes(
        pairs in proptest::collection::vec((-100..100_i32, -100..100_i32), 2..60)
    ) {
        let (left, right): (Vec<f64>, Vec<f64>) = pairs.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).unzip();
        let stretched: Vec<f64> = left.iter().map(|x| x * x * x + 7.0).collect();
        let plain = rank_correlation(&left, &right).unwrap();
        prop_assert_eq!(plain, rank_correlation(&stretched, &right).unwrap());
        prop_assert!(close(plain, rank_correlation(&right, &left).unwrap()));
        prop_assert!(plain.value().is_none_or(|value| (-1.0..=1.0).contains(&value)));
    }

    #[test]
    fn effective_trials_lie_between_one_and_all(columns in proptest::collection::vec(daily_returns(30), 1..12)) {
        let trials: Vec<Returns> = columns.iter().map(|column| returns(column)).collect();
        let effective = effective_trials(&trials).unwrap();
        prop_assert!(effective >= 1.0 && effective <= trials.len() as f64);
        if sharpe(&trials[0], P).value().is_some() {
            let copies = vec![trials[0].clone(); columns.len()];
            prop_assert!((effective_trials(&copies).unwrap() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_deflated_ratio_never_exceeds_the_probabilistic_one(
        values in daily_returns(30..200), count in 1..500_usize, variance in 0.0..0.01_f64
    ) {
        let moments = SharpeMoments::of(&returns(&values)).unwrap();
        let trials =
            TrialStatistics { raw_count: count, effective_count: count as f64, sharpe_variance_per_period: variance };
        let deflated = deflated_sharpe(&moments, &trials).unwrap().value().unwrap();
        prop_assert!(deflated <= probabilistic_sharpe(&moments, 0.0).value().unwrap());
        prop_assert!((0.0..=1.0).contains(&deflated));
    }

    #[test]
    fn summation_is_close_to_the_exact_sum(values in proptest::collection::vec(-1_000_000..1_000_000_i64, 0..2000)) {
        let thousandths: Vec<f64> = values.iter().map(|&value| value as f64 / 1000.0).collect();
        let exact = values.iter().sum::<i64>() as f64 / 1000.0;
        prop_assert!((pairwise_sum(&thousandths) - exact).abs() < 1e-8);
        let whole: Vec<f64> = values.iter().map(|&value| value as f64).collect();
        prop_assert_eq!(pairwise_sum(&whole), values.iter().sum::<i64>() as f64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_probability_of_overfitting_does_not_depend_on_the_order_of_trials(
        (columns, shuffled) in proptest::collection::vec(daily_returns(48), 8..12)
            .prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle()))
    ) {
        let result = |columns: &[Vec<f64>]| {
            let matrix = TrialMatrix::new(columns.iter().map(|column| returns(column)).collect()).unwrap();
            cscv(&matrix, 8).unwrap()
        };
        let (there, back) = (result(&columns), result(&shuffled));
        prop_assert_eq!(there.pbo().value, back.pbo().value);
        prop_assert_eq!(there.loss_probability(), back.loss_probability());
        let lambdas = |result: &Cscv| result.splits.iter().map(|split| split.lambda).collect::<Vec<_>>();
        prop_assert_eq!(lambdas(&there), lambdas(&back));
    }

    #[test]
    fn a_report_of_any_book_is_finite_complete_and_repeatable(values in daily_returns(1..400)) {
        let nav = book(&values, 1000.0);
        let mut input = PerformanceInput::new(&nav, P);
        input.bootstrap = Some(BootstrapSettings { resamples: 40, seed: 1 });
        let report = PerformanceReport::compute(&input).unwrap();
        prop_assert_eq!(&report, &PerformanceReport::compute(&input).unwrap());
        for metric in &report.metrics {
            prop_assert!(metric.value.value().map_or(metric.value.reason().is_some(), f64::is_finite));
        }
    }
}
