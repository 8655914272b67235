//! Exits measured from what their entry paid; the prices are worked out by hand.

use sextant_backtest::{ExitActivation, FillConvention, IntrabarRule, Recorder};
use sextant_domain::{
    Bar, BarSeries, FromEntry, InstrumentRef, Intents, MarketView, Offset, OrderChange, OrderKind, OrderRef,
    OrderRequest, OrderSize, Quantity, Requirements, Timeframe,
};
use sextant_testkit::{MarketBuilder, bars};

use crate::fixture::{Rule, Setup};

mod parts;

const FILL: OrderSize = OrderSize::EntryFill;

/// What is asked for at the close of bar 0, and later.
struct Plan {
    units: i64,
    entry: OrderKind<f64>,
    exits: fn(InstrumentRef) -> Vec<OrderRequest>,
    /// What the entry or the first exit becomes at the close of a bar.
    change: Option<(usize, Which, OrderKind<f64>)>,
    /// Units that trade in a bar.
    volume: f64,
    setup: Setup,
}

#[derive(Clone, Copy)]
enum Which {
    Entry,
    Exit,
}

fn buys(exits: fn(InstrumentRef) -> Vec<OrderRequest>) -> Plan {
    Plan {
        units: 10,
        entry: OrderKind::Market,
        exits,
        change: None,
        volume: 1e6,
        setup: Setup::plain("100000"),
    }
}

fn sells(exits: fn(InstrumentRef) -> Vec<OrderRequest>) -> Plan {
    let units = -10;
    Plan { units, ..buys(exits) }
}

fn run(plan: Plan, prices: &[[f64; 4]]) -> Recorder {
    let spans = bars::round_the_clock(bars::instant("2024-03-04"), Timeframe::H1, prices.len());
    let all = bars::from_fn(&spans, |index| prices[index]);
    let volume = plan.volume;
    let all = BarSeries::from_bars(all.iter().map(|bar| Bar { volume, ..bar })).unwrap();
    let market = MarketBuilder::new()
        .crypto("COIN", Timeframe::H1)
        .bars("COIN", Timeframe::H1, all)
        .build();
    let mut needs = Requirements::new();
    let coin = needs.trade("COIN");
    let (mut bar, mut orders) = (0, None);
    let decide = move |_: &MarketView<'_>, out: &mut Intents| {
        if bar == 0 {
            let size = OrderSize::Units(Quantity::new(plan.units.into()));
            let kind = plan.entry;
            let entry = OrderRequest {
                kind,
                ..OrderRequest::market(coin, size)
            };
            let (entry, exits) = out.bracket(entry, &(plan.exits)(coin));
            orders = Some((entry, exits[0]));
        }
        if let (Some((_, which, kind)), Some((entry, exit))) =
            (plan.change.filter(|change| change.0 == bar), orders)
        {
            let order = match which {
                Which::Entry => entry,
                Which::Exit => exit,
            };
            let kind = Some(kind);
            out.modify(order, OrderChange { size: None, kind });
        }
        bar += 1;
    };
    let name = "Bracket";
    let model = Rule { name, needs, decide };
    plan.setup.run(&market, vec![Box::new(model)]).unwrap().1
}

/// Signed units and price of every fill.
fn fills(plan: Plan, prices: &[[f64; 4]]) -> Vec<(f64, f64)> {
    let recorder = run(plan, prices);
    let fills = recorder.fills.iter();
    fills
        .map(|fill| (fill.quantity.to_f64(), fill.price.to_f64()))
        .collect()
}

/// It closes at 200, opens at 180 and falls to 160 an hour later.
const GAP: [[f64; 4]; 3] = [
    [200.0; 4],
    [180.0, 185.0, 175.0, 178.0],
    [178.0, 179.0, 160.0, 170.0],
];

#[test]
fn a_stop_loss_lies_below_what_was_paid_and_not_below_the_close_of_the_decision() {
    let fraction = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.05))];
    assert_eq!(fills(buys(fraction), &GAP), [(10.0, 180.0), (-10.0, 171.0)]);
    let distance = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Distance(12.5))];
    assert_eq!(fills(buys(distance), &GAP), [(10.0, 180.0), (-10.0, 167.5)]);
}

#[test]
fn what_was_paid_includes_slippage() {
    let exits = |coin| vec![OrderRequest::take_profit(coin, FILL, Offset::Fraction(0.01))];
    let plan = Plan {
        setup: Setup {
            slippage_bps: "100",
            ..Setup::plain("100000")
        },
        ..buys(exits)
    };
    // 200 and a hundredth is 202, and a hundredth more 204.02. A limit pays no slippage.
    let rise = [
        [200.0; 4],
        [200.0, 203.0, 199.0, 203.0],
        [203.0, 204.5, 203.0, 204.0],
    ];
    assert_eq!(fills(plan, &rise), [(10.0, 202.0), (-10.0, 204.02)]);
}

#[test]
fn a_short_position_loses_above_its_entry_and_gains_below() {
    let exits = |coin| {
        vec![
            OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.05)),
            OrderRequest::take_profit(coin, FILL, Offset::Fraction(0.10)),
        ]
    };
    assert_eq!(fills(sells(exits), &GAP), [(-10.0, 180.0), (10.0, 162.0)]);
    let rise = [[200.0; 4], [220.0; 4], [225.0, 240.0, 224.0, 238.0]];
    assert_eq!(fills(sells(exits), &rise), [(-10.0, 220.0), (10.0, 231.0)]);
}

#[test]
fn an_entry_at_a_better_price_than_its_limit_moves_its_exits_along() {
    let exits = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.05))];
    let plan = Plan {
        entry: OrderKind::Limit { limit: 190.0 },
        ..buys(exits)
    };
    assert_eq!(fills(plan, &GAP), [(10.0, 180.0), (-10.0, 171.0)]);
}

#[test]
fn the_bar_of_the_entry_can_reach_an_exit_that_its_better_price_brought_near() {
    let exits = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.01))];
    let plan = Plan {
        entry: OrderKind::Limit { limit: 80.0 },
        ..sells(exits)
    };
    let prices = [[100.0; 4], [100.0, 110.0, 99.0, 100.0]];
    assert_eq!(fills(plan, &prices), [(-10.0, 100.0), (10.0, 101.0)]);
}

#[test]
fn an_entry_whose_limit_is_moved_through_the_market_has_its_exits_where_it_fills() {
    let exits = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.03))];
    let plan = Plan {
        entry: OrderKind::Limit { limit: 84.0 },
        change: Some((1, Which::Entry, OrderKind::Limit { limit: 104.0 })),
        ..buys(exits)
    };
    let prices = [
        [100.0; 4],
        [100.0, 110.0, 99.0, 100.0],
        [98.0, 105.0, 90.0, 102.0],
    ];
    assert_eq!(fills(plan, &prices), [(10.0, 98.0), (-10.0, 95.06)]);
}

#[test]
fn a_trailing_stop_begins_at_a_profit() {
    let exits = |coin| {
        let (trail, profit) = (Offset::Distance(5.0), Offset::Fraction(0.1));
        vec![OrderRequest::trailing_stop_from_profit(coin, FILL, trail, profit)]
    };
    // It begins at 198. The highest price before the fall is 204.
    let rise = [
        [200.0; 4],
        [180.0, 197.0, 170.0, 197.0],
        [197.0, 204.0, 196.0, 204.0],
        [204.0, 204.0, 195.0, 196.0],
    ];
    let by_the_high = |exits| Plan {
        setup: Setup {
            intrabar: IntrabarRule::LowFirst,
            ..Setup::plain("100000")
        },
        ..buys(exits)
    };
    assert_eq!(fills(by_the_high(exits), &rise), [(10.0, 180.0), (-10.0, 199.0)]);
    // Never as far as 198: it does nothing.
    let low = [
        [200.0; 4],
        [180.0, 197.0, 170.0, 197.0],
        [197.0, 197.9, 150.0, 160.0],
    ];
    assert_eq!(fills(by_the_high(exits), &low), [(10.0, 180.0)]);
}

#[test]
fn every_convention_measures_from_the_price_that_was_paid() {
    let exits = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.1))];
    let prices = [
        [100.0; 4],
        [110.0, 121.0, 109.0, 120.0],
        [120.0, 131.0, 119.0, 130.0],
        [130.0, 130.0, 85.0, 90.0],
    ];
    // The bar of an entry at a close is over: its exits come with the next one.
    for (fills_at, latency_bars, paid, stop) in [
        (FillConvention::NextOpen, 0, 110.0, 99.0),
        (FillConvention::NextOpen, 1, 120.0, 108.0),
        (FillConvention::NextClose, 0, 120.0, 108.0),
        (FillConvention::SameClose, 0, 100.0, 90.0),
        (FillConvention::NextTypical, 0, 116.67, 105.0),
    ] {
        let plan = Plan {
            setup: Setup {
                fills: fills_at,
                latency_bars,
                ..Setup::plain("100000")
            },
            ..buys(exits)
        };
        assert_eq!(
            fills(plan, &prices),
            [(10.0, paid), (-10.0, stop)],
            "{}",
            fills_at.name()
        );
    }
}

#[test]
fn exits_from_the_next_bar_on_leave_the_bar_of_the_entry_alone() {
    let exits = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.01))];
    let prices = [
        [100.0; 4],
        [100.0, 101.0, 90.0, 94.0],
        [94.0, 95.0, 93.5, 94.0],
        [94.0; 4],
    ];
    for (activation, expected) in [
        (ExitActivation::AtOnce, [(10.0, 95.0), (-10.0, 94.05)]),
        (ExitActivation::NextBar, [(10.0, 95.0), (-10.0, 94.0)]),
    ] {
        let plan = Plan {
            entry: OrderKind::Limit { limit: 95.0 },
            setup: Setup {
                exits: activation,
                ..Setup::plain("100000")
            },
            ..buys(exits)
        };
        assert_eq!(fills(plan, &prices), expected, "{activation:?}");
    }
}

#[test]
fn an_offset_of_less_than_half_a_tick_is_one_tick() {
    let exits = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.01))];
    // A hundredth of 35 cents.
    let prices = [[0.35; 4], [0.35; 4], [0.35, 0.36, 0.33, 0.34]];
    assert_eq!(fills(buys(exits), &prices), [(10.0, 0.35), (-10.0, 0.34)]);
}

#[test]
fn an_offset_beyond_all_prices_is_never_reached() {
    let exits = |coin| vec![OrderRequest::take_profit(coin, FILL, Offset::Fraction(f64::MAX))];
    assert_eq!(fills(buys(exits), &GAP), [(10.0, 180.0)]);
    let exits = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Distance(500.0))];
    assert_eq!(fills(buys(exits), &GAP), [(10.0, 180.0)]);
}

#[test]
fn prices_lie_on_the_tick_and_a_limit_never_on_the_worse_side() {
    // A third of a percent of 100.01: 99.676... and 100.343...
    let exits = |coin| {
        let third = Offset::Fraction(1.0 / 300.0);
        vec![
            OrderRequest::stop_loss(coin, FILL, third),
            OrderRequest::take_profit(coin, FILL, third),
        ]
    };
    let entry = [100.01; 4];
    let falls = [entry, entry, [100.0, 100.0, 99.0, 99.0]];
    assert_eq!(fills(buys(exits), &falls)[1], (-10.0, 99.68));
    let rises = [entry, entry, [100.1, 101.0, 100.0, 101.0]];
    assert_eq!(fills(buys(exits), &rises)[1], (-10.0, 100.35));
    assert_eq!(fills(sells(exits), &falls)[1], (10.0, 99.67));
}

#[test]
fn an_exit_can_be_changed_before_and_after_its_entry_has_filled() {
    let exits = |coin| vec![OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.2))];
    let OrderRequest { kind: tighter, .. } = {
        let coin = Requirements::new().trade("COIN");
        OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.05))
    };
    for (bar, kind, price) in [
        (0, tighter, 171.0),
        (1, tighter, 171.0),
        (1, OrderKind::Stop { stop: 165.0 }, 165.0),
    ] {
        let plan = Plan {
            change: Some((bar, Which::Exit, kind)),
            ..buys(exits)
        };
        assert_eq!(
            fills(plan, &GAP),
            [(10.0, 180.0), (-10.0, price)],
            "{bar} {kind:?}"
        );
    }
}

/// The codes of what is refused when `ask` is done at the close of bar 0 and `change` at that of bar 1.
fn refusals(
    ask: impl Fn(InstrumentRef, &mut Intents) -> OrderRef + Send + 'static,
    change: Option<OrderKind<f64>>,
) -> Vec<&'static str> {
    let spans = bars::round_the_clock(bars::instant("2024-03-04"), Timeframe::H1, 3);
    let market = MarketBuilder::new()
        .crypto("COIN", Timeframe::H1)
        .bars("COIN", Timeframe::H1, bars::from_fn(&spans, |_| [100.0; 4]))
        .build();
    let mut needs = Requirements::new();
    let coin = needs.trade("COIN");
    let (mut bar, mut order) = (0, None);
    let decide = move |_: &MarketView<'_>, out: &mut Intents| {
        match (bar, order) {
            (0, _) => order = Some(ask(coin, out)),
            (1, Some(order)) if change.is_some() => {
                let change = OrderChange {
                    size: None,
                    kind: change,
                };
                out.modify(order, change);
            }
            _ => {}
        }
        bar += 1;
    };
    let name = "Asking";
    let model = Rule { name, needs, decide };
    let (_, recorder) = Setup::plain("100000")
        .run(&market, vec![Box::new(model)])
        .unwrap();
    recorder.interventions.iter().map(|(_, act)| act.rule).collect()
}

#[test]
fn only_the_exits_of_a_bracket_can_be_measured_from_its_entry() {
    let ten = OrderSize::Units(Quantity::new(10.into()));
    let loss = |coin, size| OrderRequest::stop_loss(coin, size, Offset::Fraction(0.1));
    let refused = "price_without_entry";
    assert_eq!(
        refusals(move |coin, out| out.order(loss(coin, ten)), None),
        [refused]
    );
    let entry = move |coin, out: &mut Intents| out.bracket(loss(coin, ten), &[loss(coin, FILL)]).0;
    assert_eq!(refusals(entry, None), [refused; 2]);
    let group = move |coin, out: &mut Intents| out.one_cancels_other(&[loss(coin, ten), loss(coin, ten)])[0];
    assert_eq!(refusals(group, None), [refused; 2]);
    let kind = loss(Requirements::new().trade("COIN"), ten).kind;
    let waits = move |coin, out: &mut Intents| out.order(OrderRequest::limit(coin, ten, 90.0));
    assert_eq!(refusals(waits, Some(kind)), [refused]);
}

#[test]
fn a_change_of_an_exit_is_held_against_its_side() {
    let ten = OrderSize::Units(Quantity::new(10.into()));
    let bracket = move |coin, out: &mut Intents| {
        let loss = OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.1));
        out.bracket(OrderRequest::market(coin, ten), &[loss]).1[0]
    };
    let loss = |loss| {
        OrderKind::FromEntry(FromEntry::StopLoss {
            loss: Offset::Fraction(loss),
        })
    };
    assert_eq!(refusals(bracket, Some(loss(1.5))), ["offset_out_of_range"]);
    assert_eq!(refusals(bracket, Some(loss(0.5))), [""; 0]);
    let crossed = OrderKind::StopLimit {
        stop: 90.0,
        limit: 91.0,
    };
    assert_eq!(refusals(bracket, Some(crossed)), ["limit_beyond_stop"]);
}
