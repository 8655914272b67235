//! Every order of the default system, from the data to the fills.

use std::path::Path;

use sextant_data::{Progress, Silent};
use sextant_domain::{
    Allocation, InstrumentId, Intervention, InterventionAction, ModelId, Order, OrderDraft, OrderId,
    OrderOrigin, OrderSize, OrderTerms, OrderTrail, Quantity, RegimeEstimate, RiskStatus, UtcNanos,
};

use super::*;
use crate::config::{ConfigSource, ResolvedConfig, load};
use crate::pipeline::{Source, compute, ensure_synthetic, load_market, manifest, synthetic_root};
use crate::replay::Replay;

fn shipped(overrides: &[&str]) -> ResolvedConfig {
    load(&ConfigSource {
        file: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/base/system.yaml"),
        overrides: overrides.iter().map(|one| (*one).to_owned()).collect(),
    })
    .unwrap()
}

/// The orders of a run on the synthetic market: each is found, its size adds up, and its fills are accounted for.
fn assert_every_order_is_explained(overrides: &[&str]) -> usize {
    let progress: &dyn Progress = &Silent;
    let config = shipped(overrides);
    let folder = tempfile::tempdir().unwrap();
    ensure_synthetic(folder.path(), &config.system.synthetic, progress).unwrap();
    let root = synthetic_root(folder.path());
    let market = load_market(&config.system, &root, Source::Synthetic, progress).unwrap();
    let computed = compute(&config, &market, None, progress).unwrap();
    let manifest = manifest(&config, &market, None, &computed.outcome);
    let replay = Replay::prepare(&manifest, folder.path(), progress).unwrap();
    assert_eq!(replay.changes, []);

    let mut traced = trace(&replay, &computed.tables, None, progress).unwrap();
    let orders = &computed.tables.orders;
    let ids: Vec<OrderId> = traced.orders.iter().map(|trace| trace.order.id).collect();
    assert_eq!(ids, orders.iter().map(|row| row.order_id).collect::<Vec<_>>());
    let models = replay.config.models.build().unwrap();
    let names: Vec<String> = models.iter().map(|model| model.id().to_owned()).collect();
    for (trace, row) in traced.orders.iter().zip(orders) {
        let instruments = replay.market.data.instruments();
        let instrument = instruments.get(trace.order.draft.instrument);
        let context = LadderContext {
            models: &names,
            budgets: &replay.config.budgets,
            lot: instrument.lot_size,
        };
        let rungs = ladder(trace, &context).unwrap();
        let sent = row
            .quantity
            .map_or("whatever is held at the fill".to_owned(), |quantity| {
                format!("{quantity} units")
            });
        assert_eq!(rungs.last().unwrap().after, sent, "{rungs:?}");
        assert_accounted(&outcome(&computed.tables, row, instrument.contract.multiplier).unwrap());
        for part in trace.parts.iter().filter(|part| part.sizing.wish.is_some()) {
            let model = &models[part.sizing.model.index()];
            let mut witness = Witness {
                market: &replay.market,
                features: &mut traced.features,
            };
            let as_of = part.wished_at.unwrap();
            let of = (model.id(), model.requirements());
            let evidence = Evidence::of(of, as_of, Some(&row.symbol), &mut witness).unwrap();
            assert!(!evidence.features.is_empty() && !evidence.bars.is_empty());
            assert!(evidence.bars.iter().all(|bar| bar.rows.span.1 <= as_of));
        }
    }
    orders.len()
}

/// What was traded is what was closed, what was opened and closed later, and what is still open.
fn assert_accounted(outcome: &Outcome) {
    fn sum(mut quantities: impl Iterator<Item = Quantity>) -> Quantity {
        quantities
            .try_fold(Quantity::ZERO, |sum, one| sum.plus(one.abs()))
            .unwrap()
    }
    let traded = sum(outcome.parts.iter().map(|part| part.quantity));
    let trips = outcome.opened.iter().chain(&outcome.closed);
    let matched = sum(trips.map(|trade| trade.quantity));
    let open = sum(outcome.still_open.iter().map(|rest| rest.quantity));
    assert_eq!(traded, matched.plus(open).unwrap(), "{outcome:?}");
    assert!(outcome.untold.is_empty(), "{outcome:?}");
}

#[test]
fn every_order_of_the_default_system_is_explained() {
    let orders = assert_every_order_is_explained(&[]);
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn orders_that_tight_limits_cut_are_explained() {
    let tight = [
        "risk.per_asset_cap=0.07",
        "risk.gross_leverage=0.2",
        "risk.drawdown.trigger=0.004",
        "risk.drawdown.recover_at=0.002",
        "risk.drawdown.halt=0.02",
        "fills.at_end=close_at_last_close",
        "period.start=2015-01-01",
    ];
    assert!(assert_every_order_is_explained(&tight) > 100);
}

/// A request for 10.7 units of a share that risk has made half of.
fn request(asked: OrderSize, proposed: OrderSize, sent: OrderSize) -> OrderTrace {
    let cut = Intervention {
        rule: "per_asset_cap",
        action: InterventionAction::Shrink,
        instrument: None,
        before: 0.4,
        after: 0.2,
        reason: "over the cap".to_owned(),
    };
    OrderTrace {
        order: Order {
            id: OrderId::from_index(1),
            draft: OrderDraft {
                instrument: InstrumentId::from_index(0),
                size: sent,
                allocations: vec![Allocation {
                    model: ModelId::from_index(0),
                    quantity: Quantity::ZERO,
                }],
                budget: 1.0,
                reference_price: 10.0,
                decided_at: UtcNanos::MIN,
                origin: OrderOrigin::Request,
                terms: OrderTerms::MARKET,
            },
        },
        trail: OrderTrail {
            asked,
            proposed,
            interventions: 0..1,
        },
        interventions: vec![cut],
        parts: Vec::new(),
        regime: RegimeEstimate::default(),
        status: RiskStatus::Normal,
    }
}

fn units(text: &str) -> OrderSize {
    OrderSize::Units(Quantity::new(text.parse().unwrap()))
}

fn steps(trace: &OrderTrace) -> anyhow::Result<Vec<String>> {
    let config = shipped(&[]);
    let context = LadderContext {
        models: &["Model".to_owned()],
        budgets: &config.budgets,
        lot: rust_decimal::Decimal::ONE,
    };
    let rungs = ladder(trace, &context)?;
    Ok(rungs
        .into_iter()
        .map(|rung| format!("{}: {} -> {}", rung.what, rung.before, rung.after))
        .collect())
}

#[test]
fn a_request_goes_from_lots_to_limits() {
    let found = steps(&request(units("10.7"), units("10"), units("5"))).unwrap();
    assert_eq!(
        found,
        [
            "request:  -> 10.7 units",
            "lots: 10.7 units -> 10 units",
            "per_asset_cap: 0.4 -> 0.2",
            "sent: 10 units -> 5 units",
        ]
    );
    let fraction = OrderSize::EquityFraction(0.5);
    let found = steps(&request(fraction, fraction, OrderSize::EquityFraction(0.25))).unwrap();
    assert_eq!(
        found.last().unwrap(),
        "sent: 0.5 of the budget -> 0.25 of the budget"
    );
}

#[test]
fn a_trail_that_does_not_add_up_is_refused() {
    let mut status_alone = request(units("10"), units("10"), units("5"));
    // Another status of risk takes nothing away by itself.
    status_alone.interventions[0].action = InterventionAction::Status;
    for bad in [
        request(units("10.7"), units("11"), units("5")),
        request(units("10"), units("10"), units("11")),
        request(units("10"), units("10"), units("-5")),
        OrderTrace {
            interventions: Vec::new(),
            ..request(units("10"), units("10"), units("5"))
        },
        status_alone,
    ] {
        assert!(steps(&bad).is_err(), "{bad:?}");
    }
}
