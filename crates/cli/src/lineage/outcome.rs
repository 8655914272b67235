//! What became of an order: fills, round trips, what is still open.

use std::collections::VecDeque;

use sextant_domain::{Cash, MoneyError, Multiplier, OrderId, Price, Quantity};
use sextant_store::{
    FillAllocationRow, FillRow, OrderEndRow, OrderRow, PORTFOLIO_SCOPE, RunTables, TradeRow,
};

/// What became of an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    /// Its fills, in order.
    pub(crate) fills: Vec<FillRow>,
    /// The parts of the fills, by model.
    pub(crate) parts: Vec<FillAllocationRow>,
    /// How it left the market where it did not trade, or not all of it.
    pub(crate) ends: Vec<OrderEndRow>,
    /// Round trips that its fills opened, by model.
    pub(crate) opened: Vec<TradeRow>,
    /// Round trips that its fills closed, by model.
    pub(crate) closed: Vec<TradeRow>,
    /// Units that its fills opened and that were open at the end of the run.
    pub(crate) still_open: Vec<OpenRest>,
    /// Models whose round trips do not follow from the fills alone, such as over a split: theirs are not told apart by order.
    pub(crate) untold: Vec<String>,
}

/// What of an order's opening part was never closed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OpenRest {
    /// The model.
    pub(crate) model: String,
    /// Signed units.
    pub(crate) quantity: Quantity,
    /// The last price of the run; `None` where no position was marked.
    pub(crate) price: Option<Price>,
    /// `(last price - fill price) x units x multiplier`, in the instrument's currency and before fees.
    pub(crate) gross_pnl: Option<Cash>,
}

/// Units that one fill bought or sold and that are open.
struct Lot {
    order: OrderId,
    quantity: Quantity,
    price: Price,
}

/// The orders at both ends of a round trip.
struct Trip {
    entry: OrderId,
    exit: OrderId,
    quantity: Quantity,
}

/// Collects what the stored rows know of an order. Round trips are matched first in, first out, as the books do, and must be
/// those of the table. `multiplier` is that of the order's instrument.
///
/// # Errors
/// When a value does not fit exactly.
pub(crate) fn outcome(
    tables: &RunTables,
    order: &OrderRow,
    multiplier: Multiplier,
) -> Result<Outcome, MoneyError> {
    let id = order.order_id;
    let mut outcome = Outcome {
        fills: rows(&tables.fills, |row| row.order_id == id),
        parts: rows(&tables.fill_allocations, |row| row.order_id == id),
        ends: rows(&tables.order_ends, |row| row.order_id == id),
        opened: Vec::new(),
        closed: Vec::new(),
        still_open: Vec::new(),
        untold: Vec::new(),
    };
    let mut models: Vec<String> = outcome.parts.iter().map(|part| part.model.clone()).collect();
    models.sort();
    models.dedup();
    for model in models {
        let (trips, open) = matched(tables, &model, &order.symbol)?;
        let trades = rows(&tables.trades, |row| {
            row.scope == model && row.symbol == order.symbol
        });
        // A split changes units and prices of what is open, which the fills do not tell.
        let is_split = tables
            .splits
            .iter()
            .any(|row| row.model == model && row.symbol == order.symbol);
        let is_told = !is_split
            && trips.len() == trades.len()
            && trips
                .iter()
                .zip(&trades)
                .all(|(trip, trade)| trip.quantity == trade.quantity);
        if !is_told {
            outcome.untold.push(model);
            continue;
        }
        for (trip, trade) in trips.iter().zip(trades) {
            if trip.entry == id {
                outcome.opened.push(trade);
            } else if trip.exit == id {
                outcome.closed.push(trade);
            }
        }
        let price = last_price(tables, &order.symbol);
        for lot in open.into_iter().filter(|lot| lot.order == id) {
            outcome.still_open.push(rest((&model, multiplier), lot, price)?);
        }
    }
    Ok(outcome)
}

fn rows<T: Clone>(all: &[T], is_wanted: impl Fn(&T) -> bool) -> Vec<T> {
    all.iter().filter(|row| is_wanted(row)).cloned().collect()
}

/// The round trips of a model in an instrument, in the order of their closing, and the lots that stay open.
fn matched(tables: &RunTables, model: &str, symbol: &str) -> Result<(Vec<Trip>, VecDeque<Lot>), MoneyError> {
    let (mut trips, mut open) = (Vec::new(), VecDeque::<Lot>::new());
    let mut fills = tables.fills.iter().peekable();
    for part in tables.fill_allocations.iter().filter(|part| part.model == model) {
        // Both tables are in the order of posting.
        while fills.next_if(|fill| fill.fill_id < part.fill_id).is_some() {}
        let Some(fill) = fills.peek().filter(|fill| fill.fill_id == part.fill_id) else {
            continue;
        };
        if fill.symbol != symbol {
            continue;
        }
        let mut left = part.quantity;
        while let Some(lot) = open.front_mut() {
            if left.is_zero() || lot.quantity.is_positive() == left.is_positive() {
                break;
            }
            let closes_all = lot.quantity.abs() <= left.abs();
            let closed = if closes_all { lot.quantity } else { -left };
            trips.push(Trip {
                entry: lot.order,
                exit: part.order_id,
                quantity: closed.abs(),
            });
            left = left.plus(closed)?;
            lot.quantity = lot.quantity.minus(closed)?;
            if closes_all {
                open.pop_front();
            }
        }
        if !left.is_zero() {
            open.push_back(Lot {
                order: part.order_id,
                quantity: left,
                price: fill.price,
            });
        }
    }
    Ok((trips, open))
}

/// The price at which the run marked an instrument at its end.
fn last_price(tables: &RunTables, symbol: &str) -> Option<Price> {
    let end = tables.marks.last()?.time;
    let mut marks = tables.positions.iter().rev();
    marks
        .find(|row| row.scope == PORTFOLIO_SCOPE && row.symbol == symbol)
        .filter(|row| row.time == end)
        .map(|row| row.price)
}

fn rest(
    (model, multiplier): (&str, Multiplier),
    lot: Lot,
    price: Option<Price>,
) -> Result<OpenRest, MoneyError> {
    let worth = |price: Price| multiplier.value(price.minus(lot.price)?, lot.quantity);
    Ok(OpenRest {
        model: model.to_owned(),
        quantity: lot.quantity,
        price,
        gross_pnl: price.map(worth).transpose()?,
    })
}
