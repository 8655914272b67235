//! Fills, costs and books: small runs whose every number is known by hand.

use sextant_backtest::{EndOfRun, FillConvention};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    InstrumentRef, Intents, MarketView, ModelId, OrderRequest, OrderSize, Quantity, Requirements, Timeframe,
};
use sextant_engine::Scope;
use sextant_risk::RiskLimits;
use sextant_testkit::{MarketBuilder, bars, standard_market};

use crate::fixture::Setup;

/// Emits a fixed target at chosen decisions, counted from zero.
pub(crate) struct Script {
    name: &'static str,
    needs: Requirements,
    instrument: InstrumentRef,
    steps: Vec<(usize, Wish)>,
    decision: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum Wish {
    Target(f64),
    Order(OrderSize),
}

impl Script {
    pub(crate) fn new(name: &'static str, symbol: &str, steps: &[(usize, Wish)]) -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade(symbol);
        Self {
            name,
            needs,
            instrument,
            steps: steps.to_vec(),
            decision: 0,
        }
    }
}

impl Model for Script {
    fn id(&self) -> &str {
        self.name
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, _view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        for (_, wish) in self.steps.iter().filter(|(at, _)| *at == self.decision) {
            match wish {
                Wish::Target(weight) => out.target(self.instrument, *weight),
                Wish::Order(size) => {
                    out.order(OrderRequest::market(self.instrument, *size));
                }
            }
        }
        self.decision += 1;
        Ok(())
    }
}

/// Four daily bars: open, high, low, close.
fn four_days() -> sextant_domain::MarketData {
    let prices = [
        [100.0, 101.0, 99.0, 100.0],
        [110.0, 112.0, 109.0, 111.0],
        [120.0, 125.0, 118.0, 124.0],
        [130.0, 131.0, 126.0, 127.0],
    ];
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 4);
    MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .bars(
            "ACME",
            Timeframe::D1,
            bars::from_fn(&spans, |index| prices[index]),
        )
        .build()
}

#[test]
fn orders_fill_at_the_next_open_with_costs() {
    let market = four_days();
    let setup = Setup {
        commission_bps: "10",
        slippage_bps: "50",
        ..Setup::plain("1000")
    };
    let wishes = [
        (0, Wish::Order(OrderSize::Units(Quantity::new(5.into())))),
        (1, Wish::Order(OrderSize::ClosePosition)),
    ];
    let (outcome, recorder) = setup
        .run(&market, vec![Box::new(Script::new("script", "ACME", &wishes))])
        .unwrap();
    let fills: Vec<_> = recorder
        .fills
        .iter()
        .map(|fill| {
            (
                fill.time.to_string(),
                fill.quantity.to_string(),
                fill.price.to_string(),
                fill.fee.to_string(),
            )
        })
        .collect();
    // 110 + 50 bp = 110.55, fee 10 bp of 552.75; 120 - 50 bp = 119.40, fee 10 bp of 597.
    let view = market.series()[0].bars.view();
    assert_eq!(
        fills[0],
        (
            view.open_time[1].to_string(),
            "5".into(),
            "110.55".into(),
            "0.55275".into()
        )
    );
    assert_eq!(
        fills[1],
        (
            view.open_time[2].to_string(),
            "-5".into(),
            "119.4".into(),
            "0.597".into()
        )
    );
    // 1000 - 552.75 - 0.55275 + 597 - 0.597
    assert_eq!(outcome.ledger.exact_equity().unwrap().to_string(), "1043.10025");
    let equity: Vec<f64> = recorder.equity.iter().map(|(_, point)| point.equity).collect();
    // After the first fill: cash 446.69725 and 5 shares at the close of 111.
    assert_eq!(equity[1], 446.69725 + 555.0);
}

#[test]
fn same_close_fills_in_the_step_of_the_decision() {
    let setup = Setup {
        fills: FillConvention::SameClose,
        ..Setup::plain("1000")
    };
    let wishes = [(0, Wish::Order(OrderSize::Units(Quantity::new(5.into()))))];
    let market = four_days();
    let (_, recorder) = setup
        .run(&market, vec![Box::new(Script::new("script", "ACME", &wishes))])
        .unwrap();
    let view = market.series()[0].bars.view();
    assert_eq!(recorder.fills[0].time, view.close_time[0]);
    assert_eq!(recorder.fills[0].price.to_string(), "100");
    assert_eq!(recorder.equity[1].1.equity, 1000.0 + 5.0 * 11.0);
}

#[test]
fn ends_of_a_run_differ_by_name() {
    let wishes = [(0, Wish::Target(1.0))];
    let market = four_days();
    // 1000 of equity at a close of 100 buys 10 at the open of 110; the last bar opens at 130 and closes at 127.
    for (at_end, equity, trades) in [
        (EndOfRun::MarkToMarket, "1170", 0),
        (EndOfRun::CloseAtLastClose, "1170", 1),
        (EndOfRun::CloseAtLastOpen, "1200", 1),
    ] {
        let setup = Setup {
            at_end,
            ..Setup::plain("1000")
        };
        let (outcome, recorder) = setup
            .run(&market, vec![Box::new(Script::new("script", "ACME", &wishes))])
            .unwrap();
        assert_eq!(
            outcome.ledger.exact_equity().unwrap().to_string(),
            equity,
            "{}",
            at_end.name()
        );
        assert_eq!(outcome.ledger.book(Scope::Portfolio).trades().len(), trades);
        assert_eq!(recorder.equity.len(), 4, "one row per step");
        assert_eq!(recorder.equity[3].1.equity.to_string(), equity);
    }
}

#[test]
fn models_cross_internally_and_their_books_add_up() {
    let market = four_days();
    let one = Script::new("one", "ACME", &[(0, Wish::Target(1.0)), (1, Wish::Target(0.0))]);
    let two = Script::new("two", "ACME", &[(1, Wish::Target(0.5)), (2, Wish::Target(0.0))]);
    let setup = Setup {
        commission_bps: "10",
        slippage_bps: "10",
        ..Setup::plain("10000")
    };
    let (outcome, recorder) = setup.run(&market, vec![Box::new(one), Box::new(two)]).unwrap();
    // The second fill nets the exit of the first model against the entry of the second.
    let crossing = &recorder.fills[1];
    assert_eq!(crossing.allocations.len(), 2);
    let sum = crossing
        .allocations
        .iter()
        .try_fold(Quantity::ZERO, |sum, part| sum.plus(part.quantity))
        .unwrap();
    assert_eq!(sum, crossing.quantity);
    assert!(crossing.quantity.abs() < crossing.allocations[0].quantity.abs());
    let ledger = &outcome.ledger;
    let models = (0..2).map(|model| ledger.pnl(Scope::Model(ModelId::from_index(model))).unwrap());
    let sum = models.reduce(|left, right| left.plus(right).unwrap()).unwrap();
    assert_eq!(sum, ledger.pnl(Scope::Portfolio).unwrap());
    assert_eq!(outcome.marks.last().unwrap().1, ledger.exact_equity().unwrap());
}

#[test]
fn a_halt_closes_positions_on_a_bar_without_targets() {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 8);
    let closes = [100.0, 100.0, 100.0, 70.0, 70.0, 70.0, 70.0, 70.0];
    let market = MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .closes("ACME", Timeframe::D1, &spans, &closes)
        .build();
    let limits = RiskLimits {
        per_asset_cap: 1.0,
        ..RiskLimits::mission_defaults()
    };
    let setup = Setup {
        limits,
        ..Setup::plain("1000")
    };
    let script = Script::new("script", "ACME", &[(0, Wish::Target(1.0))]);
    let (outcome, recorder) = setup.run(&market, vec![Box::new(script)]).unwrap();
    assert_eq!(recorder.fills.len(), 2, "{:?}", recorder.fills);
    assert!(
        recorder
            .interventions
            .iter()
            .any(|(_, act)| act.rule == "drawdown")
    );
    let book = outcome.ledger.book(Scope::Portfolio);
    assert!(
        book.instrument(sextant_domain::InstrumentId::from_index(0))
            .quantity()
            .is_zero()
    );
}

#[test]
fn requests_are_whole_lots() {
    let half = Quantity::new("0.5".parse().unwrap());
    let odd = Quantity::new("-3.7".parse().unwrap());
    let wishes = [
        (0, Wish::Order(OrderSize::Units(half))),
        (1, Wish::Order(OrderSize::Units(odd))),
    ];
    let (_, recorder) = Setup::plain("1000")
        .run(
            &four_days(),
            vec![Box::new(Script::new("script", "ACME", &wishes))],
        )
        .unwrap();
    assert_eq!(recorder.orders.len(), 1);
    assert_eq!(recorder.fills[0].quantity.to_string(), "-3");
}

#[test]
fn a_target_waits_for_the_first_bar_of_its_instrument() {
    let early = bars::daily_sessions(bars::instant("2020-01-06"), 6);
    let late = bars::daily_sessions(bars::instant("2020-01-08"), 4);
    let market = MarketBuilder::new()
        .equity("OLD", Timeframe::D1)
        .closes("OLD", Timeframe::D1, &early, &[100.0; 6])
        .equity("NEW", Timeframe::D1)
        .closes("NEW", Timeframe::D1, &late, &[50.0; 4])
        .build();
    let mut needs = Requirements::new();
    let (old, new) = (needs.trade("OLD"), needs.trade("NEW"));
    let model = Both {
        needs,
        instruments: [old, new],
        decision: 0,
    };
    let (_, recorder) = Setup::plain("1000").run(&market, vec![Box::new(model)]).unwrap();
    assert!(
        recorder
            .interventions
            .iter()
            .any(|(_, act)| act.rule == "missing_price")
    );
    let bought: Vec<usize> = recorder
        .fills
        .iter()
        .map(|fill| fill.instrument.index())
        .collect();
    assert_eq!(bought, [0, 1], "{:?}", recorder.fills);
}

/// Wants both instruments at its first decision, and one of them again later.
struct Both {
    needs: Requirements,
    instruments: [InstrumentRef; 2],
    decision: usize,
}

impl Model for Both {
    fn id(&self) -> &str {
        "both"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, _view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        match self.decision {
            0 => self
                .instruments
                .iter()
                .for_each(|instrument| out.target(*instrument, 0.4)),
            3 => out.target(self.instruments[0], 0.4),
            _ => {}
        }
        self.decision += 1;
        Ok(())
    }
}

#[test]
fn an_instrument_that_left_the_market_has_no_orders_on_the_way() {
    let long = bars::daily_sessions(bars::instant("2020-01-06"), 6);
    let short = &long[..3];
    let market = MarketBuilder::new()
        .equity("GONE", Timeframe::D1)
        .closes("GONE", Timeframe::D1, short, &[100.0; 3])
        .equity("STAYS", Timeframe::D1)
        .closes("STAYS", Timeframe::D1, &long, &[100.0; 6])
        .build();
    let script = Script::new(
        "script",
        "GONE",
        &[(0, Wish::Target(1.0)), (2, Wish::Target(0.0))],
    );
    let (outcome, recorder) = Setup::plain("1000").run(&market, vec![Box::new(script)]).unwrap();
    assert_eq!((recorder.orders.len(), recorder.fills.len()), (2, 1));
    assert_eq!(outcome.ledger.exact_equity().unwrap().to_string(), "1000");
}

#[test]
fn risk_cuts_are_not_spared_by_the_no_trade_band() {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 8);
    let closes = [100.0, 100.0, 100.0, 84.0, 84.0, 84.0, 84.0, 84.0];
    let market = MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .closes("ACME", Timeframe::D1, &spans, &closes)
        .build();
    let limits = RiskLimits {
        per_asset_cap: 1.0,
        ..RiskLimits::mission_defaults()
    };
    let setup = Setup {
        limits,
        no_trade_band: 0.9,
        ..Setup::plain("1000")
    };
    let script = Script::new("script", "ACME", &[(0, Wish::Target(1.0))]);
    let (_, recorder) = setup.run(&market, vec![Box::new(script)]).unwrap();
    // A drawdown of 16 % halves the position although the band would spare a change of 0.9.
    assert_eq!(recorder.fills.len(), 2, "{:?}", recorder.fills);
}

#[test]
fn days_before_the_first_bar_are_not_marked() {
    let market = four_days();
    let script = Script::new("script", "ACME", &[(0, Wish::Target(0.5))]);
    let (outcome, _) = Setup::plain("1000").run(&market, vec![Box::new(script)]).unwrap();
    assert_eq!(outcome.funded, market.series()[0].bars.view().open_time[0]);
    assert_eq!(outcome.marks.len(), 4);
}

#[test]
fn a_weight_that_is_no_number_stops_the_run_with_its_place() {
    let script = Script::new("script", "ACME", &[(1, Wish::Target(f64::NAN))]);
    let error = Setup::plain("1000")
        .run(&four_days(), vec![Box::new(script)])
        .unwrap_err()
        .to_string();
    for part in ["script", "2020-01-07", "ACME", "NaN"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_same_run_twice_gives_the_same_rows() {
    let market = standard_market(120, 3);
    let run = || {
        let symbol = &market
            .instruments()
            .get(sextant_domain::InstrumentId::from_index(0))
            .symbol;
        let script = Script::new(
            "script",
            symbol,
            &[(3, Wish::Target(0.7)), (40, Wish::Target(-0.3))],
        );
        let setup = Setup {
            commission_bps: "3",
            slippage_bps: "4",
            ..Setup::plain("100000")
        };
        setup.run(&market, vec![Box::new(script)]).unwrap()
    };
    let ((first, first_rows), (second, second_rows)) = (run(), run());
    assert_eq!(first_rows, second_rows);
    assert_eq!(first.marks, second.marks);
}

/// The second order asks for half of equity and fills on a day that doubles between its open and its close.
#[test]
fn a_fill_is_sized_before_the_closes_of_its_bar_are_marked() {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 4);
    let jump = [[100.0; 4], [100.0; 4], [100.0, 200.0, 100.0, 200.0], [200.0; 4]];
    let market = MarketBuilder::new()
        .equity("JUMPS", Timeframe::D1)
        .bars("JUMPS", Timeframe::D1, bars::from_fn(&spans, |index| jump[index]))
        .build();
    let wishes = [
        (0, Wish::Order(OrderSize::Units(Quantity::new(5.into())))),
        (1, Wish::Order(OrderSize::EquityFraction(0.5))),
    ];
    let (_, recorder) = Setup::plain("1000")
        .run(&market, vec![Box::new(Script::new("script", "JUMPS", &wishes))])
        .unwrap();
    // Equity at the open is 1,000; marked at the close of the same bar it would be 1,500.
    assert_eq!(recorder.fills[1].quantity.to_string(), "5");
}
