//! Properties of the rules that are off unless the limits state them, over random limits, portfolios and proposals.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sextant_domain::{InstrumentId, ModelId, RiskGate, TargetWeights};

use crate::properties::SLACK;
use crate::test_support::{Book, factor, table, targets};
use crate::{
    AdvLimit, GroupCap, KillFlag, MinimumTrade, RiskLimits, RiskRules, TurnoverLimit, UnknownVolume,
    VolatilityCap,
};

/// How far over its cap a volatility may be: it is the root of a difference.
const VOLATILITY_SLACK: f64 = 1e-7;
/// Symbols of the instruments, as many as there are.
pub(crate) const SYMBOLS: [&str; 7] = ["A", "B", "C", "D", "E", "F", "G"];

/// Where returns come from: one row of loadings on common factors per instrument. The covariance is the loadings times
/// their transpose; the volatility of a portfolio can be had without it.
#[derive(Debug, Clone)]
pub(crate) struct Loadings(pub(crate) Vec<Vec<f64>>);

impl Loadings {
    pub(crate) fn covariance(&self) -> Vec<f64> {
        let product =
            |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(one, other)| one * other).sum();
        let rows = self.0.iter();
        rows.flat_map(|left| self.0.iter().map(move |right| product(left, right)))
            .collect()
    }

    pub(crate) fn volatility(&self, weights: &[f64]) -> f64 {
        let factors = 0..self.0.first().map_or(0, Vec::len);
        let exposure = |k: usize| {
            weights
                .iter()
                .zip(&self.0)
                .map(|(weight, row)| weight * row[k])
                .sum::<f64>()
        };
        factors.map(|k| exposure(k).powi(2)).sum::<f64>().sqrt()
    }
}

pub(crate) fn engine_of(limits: &RiskLimits, instruments: usize) -> RiskRules {
    RiskRules::for_instruments(limits.clone(), KillFlag::new(), &table(&SYMBOLS[..instruments])).unwrap()
}

/// Which of the optional limits an approved order breaks, if any. `book` is the portfolio before the order, `weight` what
/// was let through of it.
pub(crate) fn broken(
    limits: &RiskLimits,
    loadings: &Loadings,
    book: &Book,
    (instrument, weight): (usize, f64),
) -> Option<String> {
    let position = book.position(instrument);
    let is_opposite = weight * position < 0.0;
    let reducing = if is_opposite {
        weight.abs().min(position.abs())
    } else {
        0.0
    };
    if weight.abs() - reducing <= SLACK {
        return None;
    }
    let mut after: Vec<f64> = (0..book.weights.len())
        .map(|index| book.position(index))
        .collect();
    let before = after.clone();
    after[instrument] += weight;
    let mut crossing = before.clone();
    crossing[instrument] = if is_opposite { 0.0 } else { position };
    broken_exposure(limits, &before, &after)
        .or_else(|| {
            let cap = limits.volatility_cap?.annual.max(loadings.volatility(&crossing));
            let found = loadings.volatility(&after);
            (found > cap + VOLATILITY_SLACK).then(|| format!("volatility {found} over {cap}"))
        })
        .or_else(|| broken_trade(limits, book, instrument, weight.abs()))
}

fn broken_exposure(limits: &RiskLimits, before: &[f64], after: &[f64]) -> Option<String> {
    limits.group_caps.iter().find_map(|(name, group)| {
        let sum = |weights: &[f64]| -> f64 {
            let members = weights.iter().zip(SYMBOLS);
            members
                .filter(|(_, symbol)| group.symbols.iter().any(|one| one == symbol))
                .map(|(weight, _)| weight.abs())
                .sum()
        };
        let (before, after) = (sum(before), sum(after));
        (after > group.cap.max(before) + SLACK).then(|| format!("group {name} {after}, was {before}"))
    })
}

/// Whether a trade that adds is too large for the market or the rebalance, or too small to be sent.
fn broken_trade(limits: &RiskLimits, book: &Book, instrument: usize, size: f64) -> Option<String> {
    let in_instrument = book.pending[instrument].abs() + size;
    let largest = largest_trade(limits, book, instrument);
    let total = book.pending.iter().map(|weight| weight.abs()).sum::<f64>() + size;
    let turnover = limits
        .turnover_limit
        .map_or(f64::INFINITY, |limit| limit.per_rebalance);
    let least = limits.minimum_trade.map_or(0.0, |minimum| minimum.notional);
    if in_instrument > largest + SLACK {
        Some(format!("trade {in_instrument} over {largest} of volume"))
    } else if total > turnover + SLACK {
        Some(format!("turnover {total} over {turnover}"))
    } else if size * book.equity < least * (1.0 - 1e-8) {
        Some(format!("trade of {} under {least}", size * book.equity))
    } else {
        None
    }
}

fn largest_trade(limits: &RiskLimits, book: &Book, instrument: usize) -> f64 {
    let Some(limit) = limits.adv_limit else {
        return f64::INFINITY;
    };
    match (book.adv[instrument], limit.unknown) {
        (adv, _) if !adv.is_nan() => limit.fraction * adv / book.equity,
        (_, UnknownVolume::Refuse) => 0.0,
        (_, UnknownVolume::CutTo { weight }) => weight,
    }
}

fn limits(count: usize) -> impl Strategy<Value = RiskLimits> {
    use proptest::option::of;
    let unknown = prop_oneof![
        Just(UnknownVolume::Refuse),
        (0.0..0.2f64).prop_map(|weight| UnknownVolume::CutTo { weight })
    ];
    let adv = (0.0..0.5f64, unknown).prop_map(|(fraction, unknown)| AdvLimit {
        fraction,
        window_days: 20,
        unknown,
    });
    let members = proptest::sample::subsequence(SYMBOLS[..count].to_vec(), 1..=count);
    let group = (0.0..1.0f64, members).prop_map(|(cap, symbols)| GroupCap {
        cap,
        symbols: symbols.into_iter().map(str::to_owned).collect(),
    });
    let groups = proptest::collection::btree_map("[a-z]{3}", group, 0..3);
    let volatility = (0.0..0.5f64).prop_map(|annual| VolatilityCap {
        annual,
        window_days: 60,
    });
    let turnover = (0.0..2.0f64).prop_map(|per_rebalance| TurnoverLimit { per_rebalance });
    let minimum = (0.0..20.0f64).prop_map(|notional| MinimumTrade { notional });
    (groups, of(volatility), of(adv), of(turnover), of(minimum)).prop_map(
        |(group_caps, volatility_cap, adv_limit, turnover_limit, minimum_trade)| RiskLimits {
            group_caps,
            volatility_cap,
            adv_limit,
            turnover_limit,
            minimum_trade,
            ..RiskLimits::permissive(5.0)
        },
    )
}

/// Weights as portfolios have them: often zero, sometimes dust.
fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![3 => Just(0.0), 1 => -1e-10..1e-10, 6 => -1.0..1.0f64]
}

fn case() -> impl Strategy<Value = (RiskLimits, Loadings, Book, Vec<f64>)> {
    (1usize..=SYMBOLS.len()).prop_flat_map(|count| {
        let column = |weight| proptest::collection::vec(weight, count);
        let pending = prop_oneof![3 => Just(0.0), 1 => weight()].boxed();
        let adv = prop_oneof![1 => Just(f64::NAN), 4 => 0.0..500.0f64].boxed();
        let row = proptest::collection::vec(-0.3..0.3f64, 3);
        let loadings = proptest::collection::vec(row, count).prop_map(Loadings);
        let columns = (
            column(weight().boxed()),
            column(pending),
            column(adv),
            column(weight().boxed()),
        );
        (limits(count), loadings, columns).prop_map(|(limits, loadings, (weights, pending, adv, wanted))| {
            let book = Book {
                pending,
                adv,
                covariance: loadings.covariance(),
                ..Book::new(&weights)
            };
            (limits, loadings, book, wanted)
        })
    })
}

fn approved(engine: &RiskRules, book: &Book, targets: TargetWeights) -> Vec<f64> {
    RiskGate
        .targets(engine, &book.state(), targets, &mut Vec::new())
        .net()
        .to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_target_grows_or_changes_side((limits, _, book, wanted) in case()) {
        let left = approved(&engine_of(&limits, wanted.len()), &book, targets(&wanted));
        for (left, wanted) in left.iter().zip(&wanted) {
            prop_assert!(left.abs() <= wanted.abs() && left * wanted >= 0.0, "{wanted} to {left}");
        }
    }

    #[test]
    fn trades_to_approved_targets_keep_the_limits_on_trades((limits, _, book, wanted) in case()) {
        let left = approved(&engine_of(&limits, wanted.len()), &book, targets(&wanted));
        let mut total: f64 = book.pending.iter().map(|weight| weight.abs()).sum();
        let mut reduced = total;
        for (instrument, left) in left.iter().enumerate() {
            let position = book.position(instrument);
            let trade = (left - position).abs();
            let kept = if left * position > 0.0 { position.abs().min(left.abs()) } else { 0.0 };
            let is_reducing = left.abs() - kept <= SLACK;
            total += trade;
            reduced += position.abs() - kept;
            let only_trade = RiskLimits { turnover_limit: None, ..limits.clone() };
            let problem = broken_trade(&only_trade, &book, instrument, trade);
            prop_assert!(is_reducing || problem.is_none(), "{instrument}: {problem:?}");
        }
        let limit = limits.turnover_limit.map_or(f64::INFINITY, |limit| limit.per_rebalance);
        prop_assert!(total <= limit.max(reduced) + 7.0 * SLACK, "{total} over {limit}, {reduced} reduced");
    }

    #[test]
    fn targets_within_the_positions_are_left_alone_by_limits_on_trades(
        (limits, _, book, parts) in case()
    ) {
        let on_trades = RiskLimits { group_caps: Default::default(), volatility_cap: None, ..limits };
        let wanted: Vec<f64> = parts.iter().enumerate().map(|(index, part)| book.position(index) * part.abs()).collect();
        let left = approved(&engine_of(&on_trades, wanted.len()), &book, targets(&wanted));
        prop_assume!(wanted.iter().map(|weight| weight.abs()).sum::<f64>() < 5.0);
        prop_assume!(wanted.iter().all(|weight| weight.abs() < 5.0));
        prop_assert_eq!(left, wanted);
    }

    #[test]
    fn approved_targets_keep_the_volatility((limits, loadings, book, wanted) in case(), annual in 0.0..0.5f64) {
        let only_volatility = RiskLimits {
            volatility_cap: Some(VolatilityCap { annual, window_days: 60 }),
            ..RiskLimits::permissive(limits.gross_leverage)
        };
        let left = approved(&engine_of(&only_volatility, wanted.len()), &book, targets(&wanted));
        let found = loadings.volatility(&left);
        prop_assert!(found <= annual + VOLATILITY_SLACK, "{found} over {annual}");
        // And no smaller than the cap asks, where no other limit cuts.
        if wanted.iter().map(|weight| weight.abs()).sum::<f64>() <= limits.gross_leverage {
            let before = loadings.volatility(&wanted);
            prop_assert!((found - annual.min(before)).abs() <= VOLATILITY_SLACK, "{found} of {before}");
        }
    }

    #[test]
    fn approved_orders_keep_every_optional_limit(
        (limits, loadings, book, wanted) in case(), instrument in any::<prop::sample::Index>(),
    ) {
        let instrument = instrument.index(wanted.len());
        let verdict = book.order(&engine_of(&limits, wanted.len()), instrument, wanted[instrument]);
        let left = factor(&verdict);
        prop_assert!((0.0..=1.0).contains(&left));
        let problem = broken(&limits, &loadings, &book, (instrument, left * wanted[instrument]));
        prop_assert!(problem.is_none(), "{problem:?}: {verdict:?}");
    }

    #[test]
    fn orders_towards_zero_always_pass(
        (limits, _, mut book, wanted) in case(), part in prop_oneof![Just(1.0), 0.001..1.0f64],
        is_measured in any::<bool>(),
    ) {
        if !is_measured {
            book.covariance.clear();
            book.adv.clear();
        }
        let engine = engine_of(&limits, wanted.len());
        for instrument in 0..wanted.len() {
            let weight = -book.position(instrument) * part;
            prop_assert_eq!(factor(&book.order(&engine, instrument, weight)), 1.0);
        }
    }

    #[test]
    fn without_measurements_nothing_is_added((limits, _, mut book, wanted) in case()) {
        book.covariance.clear();
        let limits = RiskLimits { volatility_cap: Some(VolatilityCap { annual: 10.0, window_days: 60 }), ..limits };
        let mut proposal = TargetWeights::new(1, wanted.len());
        for (index, weight) in wanted.iter().enumerate() {
            proposal.add_target(ModelId::from_index(0), InstrumentId::from_index(index), *weight);
        }
        for (instrument, left) in approved(&engine_of(&limits, wanted.len()), &book, proposal).iter().enumerate() {
            prop_assert!(left.abs() <= book.position(instrument).abs() + SLACK);
        }
    }
}
