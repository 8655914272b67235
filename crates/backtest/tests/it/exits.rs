//! Ways out of a position: tables of a few bars whose exit follows from them by hand.
//!
//! Bar 0 is flat at 200 and closes with the wish to enter; bars are an hour long. Unless a table says otherwise the entry
//! fills at 200, the open of bar 1, and the pessimistic rule holds inside bars.

use std::sync::{Arc, Mutex};

use sextant_backtest::{ExitActivation, IntrabarRule};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    InstrumentRef, Intents, MarketView, NoticeKind, Offset, OrderChange, OrderKind, OrderRef, OrderRequest,
    OrderSize, Quantity, Requirements, Timeframe,
};
use sextant_engine::Scope;
use sextant_risk::stops::{FractionStop, Position};
use sextant_risk::targets::{ProfitStep, ProfitTable};
use sextant_testkit::{MarketBuilder, bars};

use crate::fixture::Setup;

mod from_entry;
mod tables;

const ENTRY: f64 = 200.0;
const UNITS: i64 = 10;

/// What closed a position.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Exit {
    Stop,
    Trail,
    Profit,
    Signal,
}

/// A table: what is asked for, what the bars are, and what has to come of it.
#[derive(Debug, Clone)]
struct Table {
    name: &'static str,
    position: Position,
    rule: IntrabarRule,
    exits: ExitActivation,
    /// The price of an entry that waits; without one it is a market order.
    entry_limit: Option<f64>,
    /// The loss to accept, as a fraction of the entry.
    stop: Option<f64>,
    /// The fraction of a trailing stop, and the price from which on it follows.
    trail: Option<(f64, Option<f64>)>,
    /// The profit that is enough, by full hours since the entry.
    profits: Vec<(u32, f64)>,
    /// The bar at whose close the rule wants out.
    signal: Option<usize>,
    /// Bar 1 and those after it.
    bars: Vec<[f64; 4]>,
    /// How, in which bar and at which price the position is left; `None` when it is still held at the end.
    left: Option<(Exit, usize, f64)>,
    /// Whether the stop is the last of the exits instead of the first.
    is_reversed: bool,
}

fn long(name: &'static str) -> Table {
    Table {
        name,
        position: Position::Long,
        rule: IntrabarRule::Pessimistic,
        exits: ExitActivation::AtOnce,
        entry_limit: None,
        stop: None,
        trail: None,
        profits: Vec::new(),
        signal: None,
        bars: Vec::new(),
        left: None,
        is_reversed: false,
    }
}

fn short(name: &'static str) -> Table {
    Table {
        position: Position::Short,
        ..long(name)
    }
}

impl Table {
    fn rule(self, rule: IntrabarRule) -> Self {
        Self { rule, ..self }
    }

    fn exits_from_the_next_bar(self) -> Self {
        let exits = ExitActivation::NextBar;
        Self { exits, ..self }
    }

    fn entry_limit(self, limit: f64) -> Self {
        let entry_limit = Some(limit);
        Self { entry_limit, ..self }
    }

    fn stop(self, fraction: f64) -> Self {
        let stop = Some(fraction);
        Self { stop, ..self }
    }

    fn trail(self, fraction: f64) -> Self {
        let trail = Some((fraction, None));
        Self { trail, ..self }
    }

    fn trail_from(self, fraction: f64, activation: f64) -> Self {
        let trail = Some((fraction, Some(activation)));
        Self { trail, ..self }
    }

    fn profits(self, profits: &[(u32, f64)]) -> Self {
        let profits = profits.to_vec();
        Self { profits, ..self }
    }

    fn signal(self, bar: usize) -> Self {
        let signal = Some(bar);
        Self { signal, ..self }
    }

    fn bars(self, bars: &[[f64; 4]]) -> Self {
        let bars = bars.to_vec();
        Self { bars, ..self }
    }

    fn left_by(self, exit: Exit, bar: usize, price: f64) -> Self {
        let left = Some((exit, bar, price));
        Self { left, ..self }
    }

    /// The orders that are to close a position entered at a price, and by which of them it is left.
    fn ways_out(&self, entry: f64, held_hours: u32) -> Vec<(Exit, OrderKind<f64>)> {
        let stop = self.stop.map(|fraction| {
            let stop = FractionStop { fraction }.level(self.position, entry).unwrap();
            (Exit::Stop, OrderKind::Stop { stop })
        });
        let trail = self.trail.map(|(fraction, activation)| {
            let trail = Offset::Fraction(fraction);
            (Exit::Trail, OrderKind::TrailingStop { trail, activation })
        });
        let profit = (!self.profits.is_empty()).then(|| {
            let steps = self.profits.iter().map(|&(hours, fraction)| ProfitStep {
                after_minutes: 60 * hours,
                fraction,
            });
            let table = ProfitTable::new(steps.collect(), 0.0).unwrap();
            let limit = table.level(self.position, entry, 60 * held_hours).unwrap();
            (Exit::Profit, OrderKind::Limit { limit })
        });
        let mut ways: Vec<_> = stop.into_iter().chain(trail).chain(profit).collect();
        if self.is_reversed {
            ways.reverse();
        }
        ways
    }

    fn entry_size(&self) -> OrderSize {
        let units = match self.position {
            Position::Long => UNITS,
            Position::Short => -UNITS,
        };
        OrderSize::Units(Quantity::new(units.into()))
    }
}

/// A position and the orders that are to close it.
struct Held {
    entry: OrderRef,
    exits: Vec<(Exit, OrderRef)>,
    /// The bar and the price of the entry, once it has filled.
    filled: Option<(usize, f64)>,
}

/// Enters at the close of bar 0 and leaves as its table says.
struct Trader {
    needs: Requirements,
    share: InstrumentRef,
    table: Table,
    bar: usize,
    held: Option<Held>,
    left: Arc<Mutex<Vec<(Exit, usize, f64)>>>,
}

impl Trader {
    fn hear(&mut self, view: &MarketView<'_>) {
        for notice in view.notices() {
            let NoticeKind::Filled { price, .. } = notice.kind else {
                continue;
            };
            let held = self.held.as_mut().expect("only the entry and its exits trade");
            if notice.order == held.entry {
                held.filled = Some((self.bar, price));
                continue;
            }
            let exit = held.exits.iter().find(|exit| exit.1 == notice.order);
            let reason = exit.expect("only exits are left").0;
            self.left.lock().unwrap().push((reason, self.bar, price));
            self.held = None;
        }
    }

    fn enter(&mut self, out: &mut Intents) {
        let size = self.table.entry_size();
        let (request, price) = match self.table.entry_limit {
            Some(limit) => (OrderRequest::limit(self.share, size, limit), limit),
            None => (OrderRequest::market(self.share, size), ENTRY),
        };
        let ways = self.table.ways_out(price, 0);
        let exits = ways.iter().map(|(_, kind)| OrderRequest {
            kind: *kind,
            ..OrderRequest::market(self.share, OrderSize::EntryFill)
        });
        let (entry, exits) = out.bracket(request, &exits.collect::<Vec<_>>());
        let exits = ways.iter().map(|way| way.0).zip(exits).collect();
        self.held = Some(Held {
            entry,
            exits,
            filled: None,
        });
    }

    fn leave(&mut self, out: &mut Intents) {
        let Some(held) = &mut self.held else { return };
        held.exits.drain(..).for_each(|(_, order)| out.cancel(order));
        let order = out.order(OrderRequest::market(self.share, OrderSize::ClosePosition));
        held.exits.push((Exit::Signal, order));
    }

    /// Asks for the profit that is due in the bar that opens now.
    fn follow(&self, out: &mut Intents) {
        let Some(held) = &self.held else { return };
        let Some((since, price)) = held.filled else { return };
        let hours = u32::try_from(self.bar + 1 - since).unwrap();
        for (exit, kind) in self.table.ways_out(price, hours) {
            let order = held.exits.iter().find(|one| one.0 == exit);
            if let (Exit::Profit, Some((_, order))) = (exit, order) {
                let kind = Some(kind);
                out.modify(*order, OrderChange { size: None, kind });
            }
        }
    }
}

impl Model for Trader {
    fn id(&self) -> &str {
        "Trader"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        self.hear(view);
        match self.bar {
            0 => self.enter(out),
            bar if Some(bar) == self.table.signal => self.leave(out),
            _ => self.follow(out),
        }
        self.bar += 1;
        Ok(())
    }
}

/// Checks a table; in which order exits are listed must not matter.
fn check(table: Table) {
    let reversed = Table {
        is_reversed: true,
        ..table.clone()
    };
    check_as_listed(table);
    check_as_listed(reversed);
}

fn check_as_listed(table: Table) {
    let spans = bars::round_the_clock(bars::instant("2024-03-04"), Timeframe::H1, table.bars.len() + 1);
    let prices = |index: usize| index.checked_sub(1).map_or([ENTRY; 4], |index| table.bars[index]);
    let market = MarketBuilder::new()
        .crypto("COIN", Timeframe::H1)
        .bars("COIN", Timeframe::H1, bars::from_fn(&spans, prices))
        .build();
    let mut needs = Requirements::new();
    let share = needs.trade("COIN");
    let left = Arc::new(Mutex::new(Vec::new()));
    let trader = Trader {
        needs,
        share,
        table: table.clone(),
        bar: 0,
        held: None,
        left: Arc::clone(&left),
    };
    let setup = Setup {
        intrabar: table.rule,
        exits: table.exits,
        ..Setup::plain("100000")
    };
    let (outcome, _) = setup.run(&market, vec![Box::new(trader)]).unwrap();
    let expected: Vec<_> = table.left.into_iter().collect();
    assert_eq!(*left.lock().unwrap(), expected, "{}", table.name);
    let (id, _) = market.instruments().iter().next().unwrap();
    let held = outcome.ledger.book(Scope::Portfolio).instrument(id).quantity();
    let kept = match (table.left, table.position) {
        (Some(_), _) => 0,
        (None, Position::Long) => UNITS,
        (None, Position::Short) => -UNITS,
    };
    assert_eq!(held, Quantity::new(kept.into()), "{}", table.name);
    let trades = outcome.ledger.book(Scope::Portfolio).trades();
    let earned: Vec<f64> = trades.iter().map(|trade| trade.net.to_f64()).collect();
    let sign = if table.position == Position::Long {
        1.0
    } else {
        -1.0
    };
    let entry = table.entry_limit.unwrap_or(ENTRY);
    let due = expected
        .iter()
        .map(|(_, _, price)| sign * (price - entry) * UNITS as f64);
    for (earned, due) in earned.iter().zip(due) {
        assert!(
            (earned - due).abs() < 1e-6,
            "{}: {earned} instead of {due}",
            table.name
        );
    }
    assert_eq!(earned.len(), expected.len(), "{}", table.name);
}
