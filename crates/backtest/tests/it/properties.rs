//! What holds in every run: random orders on random bars, and the shipped models on markets that differ in nothing that
//! should matter.

use proptest::prelude::*;
use rust_decimal::Decimal;
use sextant_backtest::{FillConvention, IntrabarRule, Recorder};
use sextant_domain::ports::{DailyMark, Model, ResultSink};
use sextant_domain::{
    Bar, BarSeries, Fill, FromEntry, InstrumentRef, Intents, MarketData, MarketView, Offset, OrderId,
    OrderKind, OrderRequest, OrderSize, Quantity, Requirements, Side, StepRecord, TimeInForce, Timeframe,
    UtcNanos,
};
use sextant_engine::Scope;
use sextant_models::{
    CryptoMomentumModel, CryptoMomentumParameters, EquityTrendModel, EquityTrendParameters,
    IndexMeanReversionModel, IndexMeanReversionParameters,
};
use sextant_testkit::{MarketBuilder, bars, standard_market};

use crate::fixture::{Rule, Setup};

/// A bar of whole cents: the open, how far it rises and falls from there, and where between the ends it closes.
fn price_bar() -> impl Strategy<Value = [f64; 4]> {
    (8_000_i64..12_000, 0_i64..600, 0_i64..600, 0.0..=1.0_f64).prop_map(|(open, up, down, place)| {
        let close = open - down + ((up + down) as f64 * place) as i64;
        [open, open + up, open - down, close].map(|cents| cents as f64 / 100.0)
    })
}

fn kind() -> impl Strategy<Value = OrderKind<f64>> {
    let price = || (8_000_i64..12_000).prop_map(|cents| cents as f64 / 100.0);
    prop_oneof![
        2 => Just(OrderKind::Market),
        1 => Just(OrderKind::MarketOnOpen),
        1 => Just(OrderKind::MarketOnClose),
        3 => price().prop_map(|limit| OrderKind::Limit { limit }),
        3 => price().prop_map(|stop| OrderKind::Stop { stop }),
        2 => (price(), price()).prop_map(|(stop, limit)| OrderKind::StopLimit { stop, limit }),
        1 => (1_i64..400).prop_map(|cents| OrderKind::TrailingStop {
            trail: Offset::Distance(cents as f64 / 100.0),
            activation: None,
        }),
        1 => (1_i64..400, price()).prop_map(|(cents, activation)| OrderKind::TrailingStop {
            trail: Offset::Distance(cents as f64 / 100.0),
            activation: Some(activation),
        }),
    ]
}

/// The decision it belongs to, signed units, and what it waits for.
fn wish() -> impl Strategy<Value = (usize, i64, OrderKind<f64>, TimeInForce)> {
    let units = prop_oneof![-50_i64..0, 1_i64..50];
    let force = prop_oneof![Just(TimeInForce::GoodTilCancelled), Just(TimeInForce::Day)];
    (0_usize..20, units, kind(), force)
}

fn convention() -> impl Strategy<Value = (FillConvention, IntrabarRule)> {
    let rule = prop_oneof![
        Just(IntrabarRule::Pessimistic),
        Just(IntrabarRule::Optimistic),
        Just(IntrabarRule::HighFirst),
        Just(IntrabarRule::LowFirst),
        Just(IntrabarRule::NearestFirst),
    ];
    let fills = prop_oneof![
        Just(FillConvention::NextOpen),
        Just(FillConvention::NextClose),
        Just(FillConvention::SameClose)
    ];
    (fills, rule)
}

type Wish = (usize, i64, OrderKind<f64>, TimeInForce);

fn run(market: &MarketData, wishes: Vec<Wish>, setup: &Setup) -> (Quantity, Recorder) {
    let mut needs = Requirements::new();
    let acme: InstrumentRef = needs.trade("ACME");
    needs.series("ACME", Timeframe::D1);
    let mut decision = 0;
    let decide = move |_: &MarketView<'_>, out: &mut Intents| {
        for (_, units, kind, force) in wishes.iter().filter(|wish| wish.0 == decision) {
            let size = OrderSize::Units(Quantity::new((*units).into()));
            let plain = OrderRequest::market(acme, size).time_in_force(*force);
            out.order(OrderRequest { kind: *kind, ..plain });
        }
        decision += 1;
    };
    let name = "Wishes";
    let model = Rule { name, needs, decide };
    let (outcome, recorder) = setup.run(market, vec![Box::new(model)]).unwrap();
    let (id, _) = market.instruments().iter().next().unwrap();
    let held = outcome.ledger.book(Scope::Portfolio).instrument(id).quantity();
    (held, recorder)
}

/// The bar in which a fill happened: one at the open has its time, one inside the bar or at the close that of the close.
fn bar_of(market: &MarketData, fill: &Fill) -> Bar {
    let bars = &market.series()[0].bars;
    let place = bars.close_times().partition_point(|close| *close < fill.time);
    bars.iter().nth(place).unwrap()
}

fn kind_of(recorder: &Recorder, order: OrderId) -> OrderKind {
    let order = recorder.orders.iter().find(|one| one.id == order).unwrap();
    order.draft.terms.kind
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn orders_trade_inside_their_bar_and_no_better_than_their_price(
        prices in prop::collection::vec(price_bar(), 22),
        wishes in prop::collection::vec(wish(), 1..25),
        (fills, intrabar) in convention(),
    ) {
        let spans = bars::daily_sessions(bars::instant("2020-01-06"), prices.len());
        let market = MarketBuilder::new()
            .equity("ACME", Timeframe::D1)
            .bars("ACME", Timeframe::D1, bars::from_fn(&spans, |index| prices[index]))
            .build();
        let setup = Setup { fills, intrabar, ..Setup::plain("1000000") };
        let (held, recorder) = run(&market, wishes, &setup);
        for fill in &recorder.fills {
            let (bar, price) = (bar_of(&market, fill), fill.price.to_f64());
            prop_assert!((bar.low..=bar.high).contains(&price), "{fill:?} outside {bar:?}");
            let sign = if fill.quantity.is_positive() { 1.0 } else { -1.0 };
            match kind_of(&recorder, fill.order) {
                // What the price has gone through already trades at the open, everything else at the stop.
                OrderKind::Stop { stop } => {
                    let (stop, open) = (stop.to_f64(), bar.open);
                    let worst = if sign * (open - stop) > 0.0 { open } else { stop };
                    prop_assert!(sign * (price - worst) >= 0.0, "{fill:?} better than {worst} in {bar:?}");
                }
                OrderKind::Limit { limit } | OrderKind::StopLimit { limit, .. } => {
                    prop_assert!(sign * (price - limit.to_f64()) <= 0.0, "{fill:?} beyond {limit}");
                }
                _ => {}
            }
        }
        let sum: Decimal = recorder.fills.iter().map(|fill| fill.quantity.decimal()).sum();
        prop_assert_eq!(sum, held.decimal());
        for (time, point) in &recorder.equity {
            prop_assert!((point.equity - point.cash - point.net).abs() <= 1e-6, "{time}: {point:?}");
        }
    }
}

/// How a position is entered.
#[derive(Debug, Clone, Copy)]
enum Entry {
    /// Before the bar, at 100.
    Before,
    /// At its open.
    AtOpen,
    /// At a limit inside it, or better at its open.
    Limit(f64),
    /// At a stop inside it, or worse at its open.
    Stop(f64),
}

/// A position of ten shares and what may close it.
#[derive(Debug, Clone)]
struct Bracket {
    side: Side,
    entry: Entry,
    /// A trailing stop, and with it a fixed stop, a limit, both or none, in any order.
    exits: Vec<OrderKind<f64>>,
}

fn bracket() -> impl Strategy<Value = Bracket> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let price = || (9_000_i64..11_000).prop_map(|cents| cents as f64 / 100.0);
    let entry = prop_oneof![
        Just(Entry::Before),
        price().prop_map(Entry::Limit),
        price().prop_map(Entry::Stop)
    ];
    let distance = || (1_i64..900).prop_map(|cents| cents as f64 / 100.0);
    let maybe = move || prop::option::of(distance());
    let exits = (distance(), prop::option::of(price()), maybe(), maybe());
    let by_prices =
        (side.clone(), entry.clone(), exits).prop_map(|(side, entry, (trail, activation, stop, limit))| {
            // Stops lie on the losing side of the entry, limits on the other.
            let gain = if side == Side::Buy { 1.0 } else { -1.0 };
            let at = |distance: f64| {
                let price = match entry {
                    Entry::Limit(price) | Entry::Stop(price) => price,
                    Entry::Before | Entry::AtOpen => 100.0,
                };
                ((price + gain * distance) * 100.0).round() / 100.0
            };
            let trail = Offset::Distance(trail);
            let exits = [
                Some(OrderKind::TrailingStop { trail, activation }),
                stop.map(|distance| OrderKind::Stop { stop: at(-distance) }),
                limit.map(|distance| OrderKind::Limit { limit: at(distance) }),
            ];
            (side, entry, exits.into_iter().flatten().collect::<Vec<_>>())
        });
    let by_offsets =
        (side, entry, offsets(), any::<[bool; 2]>()).prop_map(|(side, entry, offsets, [stop, limit])| {
            let (loss, profit, (trail, from)) = offsets;
            let exits = [
                Some(FromEntry::TrailingStop { trail, profit: from }),
                stop.then_some(FromEntry::StopLoss { loss }),
                limit.then_some(FromEntry::TakeProfit { profit }),
            ];
            let exits = exits.into_iter().flatten().map(OrderKind::FromEntry);
            (side, entry, exits.collect::<Vec<_>>())
        });
    prop_oneof![by_prices, by_offsets]
        .prop_flat_map(|(side, entry, exits)| (Just(side), Just(entry), Just(exits).prop_shuffle()))
        .prop_map(|(side, entry, exits)| Bracket { side, entry, exits })
}

/// What the account is worth after a bar that follows two flat ones at 100.
fn after_a_bar(bar: [f64; 4], bracket: &Bracket, intrabar: IntrabarRule) -> f64 {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 3);
    let market = MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .bars(
            "ACME",
            Timeframe::D1,
            bars::from_fn(&spans, |index| if index == 2 { bar } else { [100.0; 4] }),
        )
        .build();
    let mut needs = Requirements::new();
    let acme: InstrumentRef = needs.trade("ACME");
    let ten = if bracket.side == Side::Buy { 10 } else { -10 };
    let size = OrderSize::Units(Quantity::new(ten.into()));
    let (entry, decided_at) = match bracket.entry {
        Entry::Limit(limit) => (OrderRequest::limit(acme, size, limit), 1),
        Entry::Stop(stop) => (OrderRequest::stop(acme, size, stop), 1),
        Entry::AtOpen => (OrderRequest::market(acme, size), 1),
        Entry::Before => (OrderRequest::market(acme, size), 0),
    };
    let exit = OrderRequest::market(acme, OrderSize::EntryFill);
    let kinds = bracket.exits.iter();
    let exits: Vec<_> = kinds.map(|kind| OrderRequest { kind: *kind, ..exit }).collect();
    let mut decision = 0;
    let decide = move |_: &MarketView<'_>, out: &mut Intents| {
        if decision == decided_at {
            out.bracket(entry, &exits);
        }
        decision += 1;
    };
    let name = "Bracket";
    let setup = Setup {
        intrabar,
        ..Setup::plain("10000")
    };
    let model = Rule { name, needs, decide };
    let (outcome, _) = setup.run(&market, vec![Box::new(model)]).unwrap();
    outcome.ledger.exact_equity().unwrap().to_f64()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever path the prices took within a bar, a bracket has brought no less than the pessimistic rule says and no more
    /// than the optimistic one, and in which order its exits are listed is nothing to any rule.
    #[test]
    fn the_bounds_hold_what_a_bracket_brings(bar in price_bar(), bracket in bracket()) {
        let worth = |rule| after_a_bar(bar, &bracket, rule);
        let (least, most) = (worth(IntrabarRule::Pessimistic), worth(IntrabarRule::Optimistic));
        let mut backwards = bracket.clone();
        backwards.exits.reverse();
        prop_assert_eq!(after_a_bar(bar, &backwards, IntrabarRule::Pessimistic), least);
        prop_assert_eq!(after_a_bar(bar, &backwards, IntrabarRule::Optimistic), most);
        for path in [IntrabarRule::HighFirst, IntrabarRule::LowFirst, IntrabarRule::NearestFirst] {
            let worth = worth(path);
            prop_assert_eq!(after_a_bar(bar, &backwards, path), worth);
            prop_assert!((least..=most).contains(&worth), "{worth} by {} is not in {least} to {most}", path.name());
        }
    }
}

/// Losses and profits measured from the entry: of a stop, of a limit and of a trailing stop, with its own distance.
type Offsets = (Offset<f64>, Offset<f64>, (Offset<f64>, Offset<f64>));

fn offset() -> impl Strategy<Value = Offset<f64>> {
    prop_oneof![
        (1_i64..900).prop_map(|cents| Offset::Distance(cents as f64 / 100.0)),
        (0.000_5..0.09_f64).prop_map(Offset::Fraction),
    ]
}

fn offsets() -> impl Strategy<Value = Offsets> {
    (offset(), offset(), (offset(), offset()))
}

/// The exits of a bracket by offsets from what it pays, and the same by their prices in whole cents.
fn both_ways(side: Side, paid: f64, (loss, profit, (trail, from)): Offsets) -> [Vec<OrderKind<f64>>; 2] {
    let gain = if side == Side::Buy { 1.0 } else { -1.0 };
    let cents = |offset: Offset<f64>, sign: f64| {
        let distance = match offset {
            Offset::Distance(distance) => distance,
            Offset::Fraction(fraction) => fraction * paid,
        };
        (paid + sign * distance) * 100.0
    };
    let nearest = |offset, sign| cents(offset, sign).round() / 100.0;
    let limit = match side {
        Side::Buy => (cents(profit, gain) - 1e-6).ceil() / 100.0,
        Side::Sell => (cents(profit, gain) + 1e-6).floor() / 100.0,
    };
    let measured = [
        FromEntry::StopLoss { loss },
        FromEntry::TakeProfit { profit },
        FromEntry::TrailingStop { trail, profit: from },
    ];
    let priced = [
        OrderKind::Stop {
            stop: nearest(loss, -gain),
        },
        OrderKind::Limit { limit },
        OrderKind::TrailingStop {
            trail,
            activation: Some(nearest(from, gain)),
        },
    ];
    [measured.map(OrderKind::FromEntry).to_vec(), priced.to_vec()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Where it can be known what an entry will pay, exits measured from it bring the same as exits at prices.
    #[test]
    fn exits_measured_from_the_entry_lie_at_its_price(
        bar in price_bar(),
        is_buy: bool,
        limit in (9_000_i64..11_000).prop_map(|cents| cents as f64 / 100.0),
        offsets in offsets(),
    ) {
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let open = bar[0];
        let is_passed = if is_buy { open <= limit } else { open >= limit };
        // Exits at prices must fit the limit, and not the better open that it can get.
        let (entry, paid) = if is_passed { (Entry::AtOpen, open) } else { (Entry::Limit(limit), limit) };
        let [measured, priced] = both_ways(side, paid, offsets).map(|exits| Bracket { side, entry, exits });
        for rule in [
            IntrabarRule::Pessimistic,
            IntrabarRule::Optimistic,
            IntrabarRule::HighFirst,
            IntrabarRule::LowFirst,
            IntrabarRule::NearestFirst,
        ] {
            prop_assert_eq!(after_a_bar(bar, &measured, rule), after_a_bar(bar, &priced, rule), "{}", rule.name());
        }
    }
}

/// What the models asked for and what was approved of it, by symbol and in the order of symbols.
#[derive(Debug, Default, PartialEq)]
struct Weights {
    symbols: Vec<String>,
    steps: Vec<(UtcNanos, Vec<(String, f64)>)>,
}

impl ResultSink for Weights {
    fn record(&mut self, step: &StepRecord) {
        let asked = step.intents.iter().map(|(model, instrument, weight)| {
            (format!("{model} {}", self.symbols[instrument.index()]), *weight)
        });
        let approved = step
            .targets
            .iter()
            .map(|(instrument, weight)| (self.symbols[instrument.index()].clone(), *weight));
        let mut rows: Vec<_> = asked.chain(approved).collect();
        rows.sort_by(|left, right| left.0.cmp(&right.0));
        self.steps.push((step.time, rows));
    }

    fn mark(&mut self, _mark: &DailyMark<'_>) {}
}

/// The shipped models with short periods, so that a short market makes them trade.
fn models(shares: [&str; 2], coins: [&str; 2]) -> Vec<Box<dyn Model>> {
    let names = |symbols: [&str; 2]| symbols.map(str::to_owned).to_vec();
    let trend = EquityTrendParameters {
        slow_ma_period: 20,
        momentum_lookback_days: 8,
        exit_ma_period: 8,
        max_positions: 1,
        ..EquityTrendParameters::new(names(shares))
    };
    let reversion = IndexMeanReversionParameters {
        oversold: 30.0,
        overbought: 70.0,
        bb_width: 0.5,
        ..IndexMeanReversionParameters::new(names(shares))
    };
    let crypto = CryptoMomentumParameters {
        short_lookback: 5,
        long_lookback: 10,
        rebalance_days: 3,
        ..CryptoMomentumParameters::new(names(coins))
    };
    vec![
        Box::new(EquityTrendModel::new(&trend).unwrap()),
        Box::new(IndexMeanReversionModel::new(&reversion).unwrap()),
        Box::new(CryptoMomentumModel::new(&crypto).unwrap()),
    ]
}

fn weights(market: &MarketData, models: Vec<Box<dyn Model>>) -> Weights {
    let symbols = market.instruments().iter().map(|(_, one)| one.symbol.clone());
    let mut sink = Weights {
        symbols: symbols.collect(),
        steps: Vec::new(),
    };
    let setup = Setup::plain("100000");
    setup
        .run_into(&setup.config(market), market, models, &mut sink)
        .unwrap();
    let said: usize = sink.steps.iter().map(|(_, rows)| rows.len()).sum();
    assert!(said > 20, "{said} weights in the whole run");
    sink
}

/// The market with its instruments, and their series, in another order and with other prices.
fn changed(market: &MarketData, order: &[usize], scale: f64) -> MarketData {
    let instruments: Vec<_> = market.instruments().iter().collect();
    let mut builder = MarketBuilder::new();
    for place in order {
        let (id, instrument) = instruments[*place];
        builder = builder.instrument(instrument.clone());
        for series in market.series().iter().filter(|series| series.instrument == id) {
            let bars = series.bars.iter().map(|bar| Bar {
                open: bar.open * scale,
                high: bar.high * scale,
                low: bar.low * scale,
                close: bar.close * scale,
                ..bar
            });
            let bars = BarSeries::from_bars(bars).unwrap();
            builder = builder.bars(&instrument.symbol, series.timeframe, bars);
        }
    }
    builder.build()
}

const SHARES: [&str; 2] = ["SPY", "QQQ"];
const COINS: [&str; 2] = ["BTC-USD", "ETH-USD"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// By a power of two, so that not even rounding differs.
    #[test]
    fn scaling_all_prices_leaves_weights_unchanged(seed: u64, power in -3_i32..7) {
        let market = changed(&standard_market(60, seed), &[0, 1, 2, 3], 1.0);
        let scaled = changed(&market, &[0, 1, 2, 3], 2.0_f64.powi(power));
        prop_assert_eq!(weights(&market, models(SHARES, COINS)), weights(&scaled, models(SHARES, COINS)));
    }

    #[test]
    fn permuting_symbols_permutes_weights(seed: u64, order in Just([0_usize, 1, 2, 3]).prop_shuffle()) {
        let market = standard_market(60, seed);
        let permuted = changed(&market, &order, 1.0);
        let [mut shares, mut coins] = [SHARES, COINS];
        shares.reverse();
        coins.reverse();
        let (one, other) = (weights(&market, models(SHARES, COINS)), weights(&permuted, models(shares, coins)));
        prop_assert_eq!(one.steps, other.steps);
    }
}

/// The properties above would see a fill outside of its bar.
#[test]
fn a_fill_belongs_to_the_bar_of_its_time() {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 3);
    let market = MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .bars(
            "ACME",
            Timeframe::D1,
            bars::from_fn(&spans, |index| {
                [90.0, 95.0, 85.0, 92.0].map(|price| price + index as f64)
            }),
        )
        .build();
    let wishes = vec![(0, 5, OrderKind::Market, TimeInForce::GoodTilCancelled)];
    let (held, recorder) = run(&market, wishes, &Setup::plain("1000000"));
    assert_eq!(Side::of(held), Some(Side::Buy));
    assert_eq!(bar_of(&market, &recorder.fills[0]).open, 91.0);
}
