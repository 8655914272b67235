//! Properties of the whole list of rules over random limits, portfolios and proposals.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rust_decimal::Decimal;
use sextant_domain::ports::RiskEngine;
use sextant_domain::{
    AssetClass, Contract, Currency, Instrument, InstrumentId, ModelId, OrderId, OrderOrigin, OrderSize,
    Quantity, RiskGate, RiskStatus, TargetWeights, Timeframe,
};

use crate::test_support::{Book, draft, engine, factor};
use crate::{AfterHalt, ClassCaps, DrawdownLimits, KillFlag, RiskLimits, RiskRules};

/// How far over a limit an approved exposure may be: the tolerance of the rules, and rounding of the sums.
pub(crate) const SLACK: f64 = 1e-9 + 1e-12;

/// Every exposure that has a limit (each asset, each class, everything) as name, exposure, limit.
fn exposures(limits: &RiskLimits, classes: &[AssetClass], weights: &[f64]) -> Vec<(String, f64, f64)> {
    let mut rows: Vec<_> = weights
        .iter()
        .enumerate()
        .map(|(index, weight)| (format!("asset {index}"), weight.abs(), limits.per_asset_cap))
        .collect();
    for class in AssetClass::ALL {
        let members = weights.iter().zip(classes).filter(|(_, one)| **one == class);
        let sum = members.map(|(weight, _)| weight.abs()).sum();
        rows.push((
            format!("class {class}"),
            sum,
            limits.class_caps.of(class).unwrap_or(f64::INFINITY),
        ));
    }
    rows.push((
        "gross".to_owned(),
        weights.iter().map(|weight| weight.abs()).sum(),
        limits.gross_leverage,
    ));
    rows
}

fn positions(book: &Book) -> Vec<f64> {
    (0..book.weights.len())
        .map(|instrument| book.position(instrument))
        .collect()
}

fn limits() -> impl Strategy<Value = RiskLimits> {
    let cap = || proptest::option::of(0.0..1.0f64);
    (0.0..1.0f64, (cap(), cap(), cap()), 0.0..2.0f64, 0.0..=1.0f64).prop_map(
        |(per_asset_cap, (equity, crypto, fx), gross_leverage, reduced_exposure)| RiskLimits {
            per_asset_cap,
            class_caps: ClassCaps { equity, crypto, fx },
            drawdown: Some(DrawdownLimits {
                trigger: 0.15,
                reduced_exposure,
                recover_at: 0.1,
                halt: 0.2,
                after_halt: AfterHalt::StayHalted,
            }),
            ..RiskLimits::permissive(gross_leverage)
        },
    )
}

/// Weights as portfolios have them: often zero, sometimes at a round number, sometimes dust.
fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![3 => Just(0.0), 1 => Just(0.4), 1 => -1e-10..1e-10, 6 => -1.0..1.0f64]
}

fn book() -> impl Strategy<Value = Book> {
    (1usize..8).prop_flat_map(|count| {
        let column = |weight| proptest::collection::vec(weight, count);
        let pending = prop_oneof![3 => Just(0.0), 1 => weight()].boxed();
        let classes = proptest::collection::vec(proptest::sample::select(&AssetClass::ALL[..]), count);
        (column(weight().boxed()), column(pending), classes).prop_map(|(weights, pending, classes)| Book {
            pending,
            classes,
            ..Book::new(&weights)
        })
    })
}

/// Makes all positions smaller by one factor, so that no limit is exceeded.
fn bring_within_limits(book: &mut Book, limits: &RiskLimits) {
    let rows = exposures(limits, &book.classes, &positions(book));
    let excess = rows
        .iter()
        .map(|(_, exposure, limit)| exposure / limit.max(1e-9))
        .fold(1.0, f64::max);
    book.weights
        .iter_mut()
        .chain(&mut book.pending)
        .for_each(|weight| *weight /= excess);
}

/// The standings, brought about by what is observed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    Normal,
    Reduced,
    Halted,
    Ruined,
    Killed,
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        4 => Just(Standing::Normal),
        2 => Just(Standing::Reduced),
        1 => Just(Standing::Halted),
        1 => Just(Standing::Ruined),
        1 => Just(Standing::Killed)
    ]
}

fn engine_in(standing: Standing, limits: &RiskLimits, book: &mut Book) -> (RiskRules, RiskStatus) {
    let flag = KillFlag::new();
    let mut engine = RiskRules::new(limits.clone(), flag.clone()).unwrap();
    let mut reasons = Vec::new();
    engine.observe(&book.state(), &mut reasons);
    match standing {
        Standing::Normal => {}
        Standing::Reduced => book.equity *= 0.84,
        Standing::Halted => book.equity *= 0.79,
        Standing::Ruined => book.equity = -1.0,
        Standing::Killed => flag.engage("test"),
    }
    let status = engine.observe(&book.state(), &mut reasons);
    (engine, status)
}

/// Targets of two models, and positions without targets.
fn proposal(count: usize) -> impl Strategy<Value = TargetWeights> {
    let wish = || prop_oneof![1 => Just(None), 4 => weight().prop_map(Some)];
    let row = (wish(), wish(), proptest::option::weighted(0.2, weight()));
    proptest::collection::vec(row, count).prop_map(move |rows| {
        let mut targets = TargetWeights::new(2, count);
        for (index, (first, second, unmanaged)) in rows.into_iter().enumerate() {
            let id = InstrumentId::from_index(index);
            match unmanaged {
                Some(weight) => targets.add_unmanaged(ModelId::from_index(0), id, weight),
                None => [first, second].into_iter().enumerate().for_each(|(model, wish)| {
                    wish.into_iter()
                        .for_each(|wish| targets.add_target(ModelId::from_index(model), id, wish));
                }),
            }
        }
        targets
    })
}

fn target_case() -> impl Strategy<Value = (RiskLimits, Book, Standing, TargetWeights)> {
    (limits(), book(), standing()).prop_flat_map(|(limits, book, standing)| {
        let targets = proposal(book.weights.len());
        (Just(limits), Just(book), Just(standing), targets)
    })
}

fn order_case() -> impl Strategy<Value = (RiskLimits, Book, Standing, usize, f64, OrderOrigin)> {
    let origin = prop_oneof![Just(OrderOrigin::Target), Just(OrderOrigin::Request)];
    (limits(), book(), standing(), weight(), origin).prop_flat_map(
        |(limits, book, standing, weight, origin)| {
            let instrument = 0..book.weights.len();
            (
                Just(limits),
                Just(book),
                Just(standing),
                instrument,
                Just(weight),
                Just(origin),
            )
        },
    )
}

pub(crate) fn closes(status: RiskStatus) -> bool {
    matches!(status, RiskStatus::Halted | RiskStatus::Killed)
}

fn is_managed(targets: &TargetWeights, index: usize) -> bool {
    targets.is_managed(InstrumentId::from_index(index))
}

/// The sums that positions without targets take up alone.
fn unmanaged_only(targets: &TargetWeights) -> Vec<f64> {
    let net = targets.net().iter().enumerate();
    net.map(|(index, weight)| if is_managed(targets, index) { 0.0 } else { *weight })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn approved_targets_keep_every_limit(
        (limits, mut book, standing, targets) in target_case()
    ) {
        let (engine, _) = engine_in(standing, &limits, &mut book);
        let approved = RiskGate.targets(&engine, &book.state(), targets.clone(), &mut Vec::new());
        let after = exposures(&limits, &book.classes, approved.net());
        let fixed = exposures(&limits, &book.classes, &unmanaged_only(&targets));
        for ((name, exposure, limit), (_, unmanaged, _)) in after.into_iter().zip(fixed) {
            prop_assert!(exposure <= limit.max(unmanaged) + SLACK, "{name}: {exposure} over {limit}");
        }
    }

    #[test]
    fn no_target_grows_or_changes_side(
        (limits, mut book, standing, targets) in target_case()
    ) {
        let (engine, status) = engine_in(standing, &limits, &mut book);
        let approved = RiskGate.targets(&engine, &book.state(), targets.clone(), &mut Vec::new());
        for (index, (before, after)) in targets.net().iter().zip(approved.net()).enumerate() {
            let factor = if is_managed(&targets, index) { status.multiplier() } else { 1.0 };
            prop_assert!(after.abs() <= before.abs() * factor.max(0.0) * (1.0 + 1e-12));
            prop_assert!(after * before >= 0.0);
        }
    }

    #[test]
    fn a_halt_closes_everything(
        (limits, mut book, standing, targets) in target_case()
    ) {
        let (engine, status) = engine_in(standing, &limits, &mut book);
        prop_assume!(closes(status));
        let approved = RiskGate.targets(&engine, &book.state(), targets.clone(), &mut Vec::new());
        for (index, net) in approved.net().iter().enumerate() {
            let id = InstrumentId::from_index(index);
            let parts = [0, 1].map(|model| approved.contribution(ModelId::from_index(model), id));
            prop_assert!(*net == 0.0 && parts == [0.0, 0.0], "{net} {parts:?}");
        }
    }

    #[test]
    fn what_is_approved_is_approved_again(
        (limits, mut book, _, targets) in target_case()
    ) {
        let (engine, _) = engine_in(Standing::Normal, &limits, &mut book);
        let once = RiskGate.targets(&engine, &book.state(), targets.clone(), &mut Vec::new());
        let mut reasons = Vec::new();
        let twice = RiskGate.targets(&engine, &book.state(), (*once).clone(), &mut reasons);
        for (once, twice) in once.net().iter().zip(twice.net()) {
            prop_assert!((once - twice).abs() <= 1e-12, "{reasons:?}");
        }
    }

    #[test]
    fn orders_made_from_approved_targets_are_not_shaved(
        (limits, mut book, _, targets) in target_case()
    ) {
        bring_within_limits(&mut book, &limits);
        let (engine, _) = engine_in(Standing::Normal, &limits, &mut book);
        let approved = RiskGate.targets(&engine, &book.state(), targets.clone(), &mut Vec::new());
        // Positions without targets can be too large by themselves, and are not orders to be made here.
        let approved_sums = exposures(&limits, &book.classes, approved.net());
        prop_assume!(approved_sums.iter().all(|(_, exposure, limit)| *exposure <= limit + 1e-12));
        // Those that take exposure away go first, as the crate's documentation asks.
        let growth = |book: &Book, index: usize| approved.net()[index].abs() - book.position(index).abs();
        let mut order: Vec<_> = (0..book.weights.len()).collect();
        order.sort_by(|left, right| growth(&book, *left).total_cmp(&growth(&book, *right)));
        for instrument in order {
            let weight = approved.net()[instrument] - book.position(instrument);
            let verdict = book.order(&engine, instrument, weight);
            prop_assert!(factor(&verdict) == 1.0, "{instrument} {weight}: {verdict:?}");
            book.pending[instrument] += weight;
        }
    }

    #[test]
    fn approved_orders_keep_every_limit(
        (limits, mut book, standing, instrument, weight, origin) in order_case()
    ) {
        let (engine, status) = engine_in(standing, &limits, &mut book);
        let verdict = book.review_order(&engine, instrument, Some(weight), OrderSize::EquityFraction(weight), origin);
        let left = factor(&verdict);
        prop_assert!((0.0..=1.0).contains(&left));
        let position = book.position(instrument);
        let before = positions(&book);
        let mut after = before.clone();
        after[instrument] += left * weight;
        for ((name, now, limit), (_, then, _)) in exposures(&limits, &book.classes, &after)
            .into_iter()
            .zip(exposures(&limits, &book.classes, &before))
        {
            prop_assert!(now <= limit.max(then) + SLACK, "{name}: {now} over {limit}, {verdict:?}");
        }
        if closes(status) {
            prop_assert!(after[instrument].abs() <= position.abs() + SLACK);
            prop_assert!(after[instrument] * position >= -1e-15, "{position} to {}", after[instrument]);
        }
    }

    #[test]
    fn orders_towards_zero_always_pass(
        (limits, mut book, standing, instrument, _, origin) in order_case(),
        part in prop_oneof![Just(1.0), 0.001..1.0f64],
    ) {
        let (engine, _) = engine_in(standing, &limits, &mut book);
        let weight = -book.position(instrument) * part;
        prop_assume!(weight.abs() > 1e-15);
        let verdict = book.review_order(&engine, instrument, Some(weight), OrderSize::EquityFraction(weight), origin);
        prop_assert_eq!(factor(&verdict), 1.0);
        let close = book.review_order(&engine, instrument, Some(weight), OrderSize::ClosePosition, origin);
        prop_assert_eq!(factor(&close), 1.0);
    }

    #[test]
    fn an_order_is_cut_no_more_than_needed(
        (limits, mut book, _, instrument, weight, _) in order_case()
    ) {
        let (engine, _) = engine_in(Standing::Normal, &limits, &mut book);
        let verdict = book.order(&engine, instrument, weight);
        prop_assume!(factor(&verdict) < 1.0);
        let mut more = positions(&book);
        more[instrument] += factor(&verdict) * weight + 1e-6f64.copysign(weight);
        let is_over = exposures(&limits, &book.classes, &more).iter().any(|(_, now, limit)| now > limit);
        prop_assert!(is_over, "{verdict:?}");
    }

    #[test]
    fn the_gate_never_lets_more_units_through_than_the_limits(
        (limits, mut book, _, instrument, _, _) in order_case(),
        units in -200_000i64..200_000,
    ) {
        prop_assume!(units != 0);
        let (engine, _) = engine_in(Standing::Normal, &limits, &mut book);
        let spec = Instrument {
            symbol: "X".into(),
            class: book.classes[instrument],
            execution: Timeframe::D1,
            price_tick: Decimal::new(1, 2),
            lot_size: Decimal::ONE,
            contract: Contract::paid_in(Currency::USD),
        };
        let quantity = Quantity::new(Decimal::from(units));
        let mut proposed = draft(instrument, OrderSize::Units(quantity), OrderOrigin::Target);
        proposed.allocations[0].quantity = quantity;
        // A unit is a hundred-thousandth of equity.
        let weight = units as f64 * 1e-5;
        let id = OrderId::from_index(0);
        let before = positions(&book);
        let mut after = before.clone();
        if let Ok((order, _)) = RiskGate.order(&engine, &book.state(), (proposed, Some(weight)), (&spec, id)) {
            let OrderSize::Units(left) = order.draft.size else { panic!("the kind of size changed") };
            after[instrument] += left.to_f64() * 1e-5;
        }
        let later = exposures(&limits, &book.classes, &after);
        let earlier = exposures(&limits, &book.classes, &before);
        for ((name, now, limit), (_, then, _)) in later.into_iter().zip(earlier) {
            prop_assert!(now <= limit.max(then) + SLACK, "{name}: {now} over {limit}");
        }
    }
}

#[test]
fn halted_targets_stay_closed_on_bars_without_models() {
    let mut engine = engine(RiskLimits::mission_defaults());
    let mut book = Book::new(&[0.3, 0.2]);
    engine.observe(&book.state(), &mut Vec::new());
    book.equity = 75.0;
    assert_eq!(engine.observe(&book.state(), &mut Vec::new()), RiskStatus::Halted);
    let mut targets = TargetWeights::new(1, 2);
    (0..2).for_each(|index| {
        targets.add_unmanaged(
            ModelId::from_index(0),
            InstrumentId::from_index(index),
            book.weights[index],
        );
    });
    let approved = RiskGate.targets(&engine, &book.state(), targets, &mut Vec::new());
    assert_eq!(approved.net(), [0.0, 0.0]);
    for instrument in 0..2 {
        assert_eq!(
            factor(&book.order(&engine, instrument, -book.weights[instrument])),
            1.0
        );
    }
}
