//! What can be wrong with a requested order by itself, before risk looks at it.

use rust_decimal::Decimal;
use sextant_domain::{
    FromEntry, Instrument, MoneyError, Offset, OrderKind, OrderRequest, OrderSize, Price, Quantity, Side,
};

use super::orders::LOT_SIZE;

/// Why a request is refused: a stable code, and the values in words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) words: String,
}

fn fault(code: &'static str, words: impl Into<String>) -> Fault {
    Fault {
        code,
        words: words.into(),
    }
}

/// A request whose size and prices are those of the instrument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Checked {
    pub(super) size: OrderSize,
    pub(super) kind: OrderKind,
}

/// Checks a request that stands alone, is an entry, or is one of a group.
pub(super) fn check(request: &OrderRequest, instrument: &Instrument) -> Result<Checked, Fault> {
    check_terms(request.size, request.kind, instrument)
}

/// Checks size and prices of an order without an entry.
fn check_terms(size: OrderSize, kind: OrderKind<f64>, instrument: &Instrument) -> Result<Checked, Fault> {
    if size == OrderSize::EntryFill {
        return Err(fault(
            "size_without_entry",
            "the size of an entry's fill is for the exits of a bracket only",
        ));
    }
    if let OrderKind::FromEntry(exit) = kind {
        let words = format!("a {} is for the exits of a bracket only", exit.name());
        return Err(fault("price_without_entry", words));
    }
    let size = check_size(size, instrument)?;
    let kind = check_kind(kind, side_of(size), instrument)?;
    Ok(Checked { size, kind })
}

/// Checks new size and prices of a working order; `exit_side` is that of the exit of a bracket.
pub(super) fn check_change(
    size: OrderSize,
    kind: OrderKind<f64>,
    exit_side: Option<Side>,
    instrument: &Instrument,
) -> Result<Checked, Fault> {
    let Some(side) = exit_side else {
        return check_terms(size, kind, instrument);
    };
    let size = check_size(size, instrument)?;
    check_exit_side(size, side)?;
    let kind = check_kind(kind, Some(side), instrument)?;
    Ok(Checked { size, kind })
}

/// Checks the exits of a bracket against its entry and one another.
pub(super) fn check_exits(
    entry: Checked,
    exits: &[OrderRequest],
    instrument: &Instrument,
) -> Result<Vec<Checked>, Fault> {
    let Some(side) = side_of(entry.size) else {
        return Err(fault(
            "exits_do_not_match",
            "an entry that closes a position cannot have exits",
        ));
    };
    let checked = exits
        .iter()
        .map(|exit| check_exit(entry, side, exit, instrument))
        .collect::<Result<Vec<_>, _>>()?;
    check_prices(entry, side, &checked)?;
    Ok(checked)
}

/// Whether an order of this size buys or sells; `None` when that depends on the position.
pub(super) fn side_of(size: OrderSize) -> Option<Side> {
    match size {
        OrderSize::Units(quantity) => Side::of(quantity),
        OrderSize::EquityFraction(fraction) if fraction > 0.0 => Some(Side::Buy),
        OrderSize::EquityFraction(_) => Some(Side::Sell),
        OrderSize::ClosePosition | OrderSize::EntryFill => None,
    }
}

fn check_size(size: OrderSize, instrument: &Instrument) -> Result<OrderSize, Fault> {
    match size {
        OrderSize::Units(quantity) if quantity.is_zero() => Err(fault("zero_size", "the size is zero")),
        OrderSize::Units(quantity) => {
            let whole = quantity.towards_zero_to_lot(instrument.lot_size);
            if whole.is_zero() {
                let lot = instrument.lot_size;
                return Err(fault(
                    LOT_SIZE,
                    format!("{quantity} is less than one lot of {lot}"),
                ));
            }
            Ok(OrderSize::Units(whole))
        }
        OrderSize::EquityFraction(fraction) if !fraction.is_finite() => {
            Err(fault("not_a_number", format!("the size is {fraction} of equity")))
        }
        OrderSize::EquityFraction(0.0) => Err(fault("zero_size", "the size is zero")),
        other => Ok(other),
    }
}

fn check_kind(kind: OrderKind<f64>, side: Option<Side>, instrument: &Instrument) -> Result<OrderKind, Fault> {
    if let OrderKind::TrailingStop { trail, .. }
    | OrderKind::FromEntry(FromEntry::TrailingStop { trail, .. }) = kind
    {
        check_trail(trail)?;
    }
    if let OrderKind::FromEntry(exit) = kind {
        check_offset(exit, side)?;
    }
    if let (OrderKind::StopLimit { stop, limit }, Some(side)) = (kind, side) {
        let beyond = match side {
            Side::Buy => limit < stop,
            Side::Sell => limit > stop,
        };
        if beyond {
            let (name, allowed) = match side {
                Side::Buy => ("buy", "at or above"),
                Side::Sell => ("sell", "at or below"),
            };
            let words = format!("the limit of a {name} is {limit}; it must be {allowed} the stop of {stop}");
            return Err(fault("limit_beyond_stop", words));
        }
    }
    let is_limit = matches!(kind, OrderKind::Limit { .. });
    kind.try_map(|price| on_tick(price, side.filter(|_| is_limit), instrument.price_tick))
}

fn check_trail(trail: Offset<f64>) -> Result<(), Fault> {
    match trail {
        Offset::Fraction(fraction) if !(fraction > 0.0 && fraction < 1.0) => {
            let words = format!("the trail is {fraction} of the price; it must be between 0 and 1");
            Err(fault("trail_out_of_range", words))
        }
        _ => Ok(()),
    }
}

/// A loss or profit has to be positive, and one that lies below the entry must leave something of its price.
fn check_offset(exit: FromEntry<f64>, side: Option<Side>) -> Result<(), Fault> {
    let fraction = match exit.offset() {
        Offset::Fraction(fraction) => fraction,
        Offset::Distance(distance) if distance > 0.0 && distance.is_finite() => return Ok(()),
        Offset::Distance(distance) => {
            let words = format!(
                "a {} is {distance} away from the entry's price; it must be above 0 and finite",
                exit.name()
            );
            return Err(fault("offset_out_of_range", words));
        }
    };
    let is_below = matches!(
        (exit, side),
        (FromEntry::StopLoss { .. }, Some(Side::Sell))
            | (
                FromEntry::TakeProfit { .. } | FromEntry::TrailingStop { .. },
                Some(Side::Buy)
            )
    );
    let most = if is_below { 1.0 } else { f64::INFINITY };
    if fraction > 0.0 && fraction < most {
        return Ok(());
    }
    let allowed = if is_below {
        "between 0 and 1"
    } else {
        "above 0 and finite"
    };
    let words = format!(
        "a {} is {fraction} of the entry's price away; it must be {allowed}",
        exit.name()
    );
    Err(fault("offset_out_of_range", words))
}

/// The price on the grid: for a limit never a worse one, otherwise the nearest.
fn on_tick(price: f64, limit_of: Option<Side>, tick: Decimal) -> Result<Price, Fault> {
    let not_a_number = |error: MoneyError| fault("not_a_number", error.to_string());
    let moved = match limit_of {
        Some(side) => Price::limit_on_tick(price, side, tick),
        None => Price::from_f64_on_tick(price, tick),
    };
    let moved = moved.map_err(not_a_number)?;
    if moved <= Price::new(Decimal::ZERO) {
        return Err(fault(
            "price_not_positive",
            format!("a price is {price}; it must be above zero"),
        ));
    }
    Ok(moved)
}

fn check_exit(
    entry: Checked,
    entry_side: Side,
    exit: &OrderRequest,
    instrument: &Instrument,
) -> Result<Checked, Fault> {
    let size = check_size(exit.size, instrument)?;
    let exit_side = entry_side.opposite();
    check_exit_side(size, exit_side)?;
    match (size, entry.size) {
        (OrderSize::Units(exit), OrderSize::Units(entry)) if exit.abs() > entry.abs() => {
            let words = format!("the exit trades {exit}, but its entry only {entry}");
            return Err(fault("exit_larger_than_entry", words));
        }
        (OrderSize::EquityFraction(exit), OrderSize::EquityFraction(entry)) if exit.abs() > entry.abs() => {
            let words = format!("the exit trades {exit} of equity, but its entry only {entry}");
            return Err(fault("exit_larger_than_entry", words));
        }
        (OrderSize::EquityFraction(_), OrderSize::Units(_))
        | (OrderSize::Units(_), OrderSize::EquityFraction(_)) => {
            let words =
                "entry and exit are sized in different units, so that nobody can tell which is larger";
            return Err(fault("exits_do_not_match", words));
        }
        _ => {}
    }
    let kind = check_kind(exit.kind, Some(exit_side), instrument)?;
    Ok(Checked { size, kind })
}

fn check_exit_side(size: OrderSize, exit_side: Side) -> Result<(), Fault> {
    if side_of(size).is_none_or(|side| side == exit_side) {
        return Ok(());
    }
    let entry_side = exit_side.opposite().name();
    let words = format!("an exit of a {entry_side} entry must be on the other side");
    Err(fault("exits_do_not_match", words))
}

/// Stops must lie on the losing side and limits on the winning side, of the entry's price where it has one and of one
/// another.
fn check_prices(entry: Checked, side: Side, exits: &[Checked]) -> Result<(), Fault> {
    let reference = entry_price(entry.kind);
    let stops = exits.iter().filter_map(|exit| stop_of(exit.kind));
    let limits = exits.iter().filter_map(|exit| limit_of(exit.kind));
    let ahead = |left: Price, right: Price| match side {
        Side::Buy => left > right,
        Side::Sell => left < right,
    };
    let wrong = |what: &str, price: Price, than: &str, other: Price| {
        let words = format!(
            "the {what} at {price} of a {} entry lies on the wrong side of the {than} at {other}",
            side.name()
        );
        Err(fault("exits_do_not_match", words))
    };
    for limit in limits.clone() {
        if let Some(entry) = reference.filter(|entry| !ahead(limit, *entry)) {
            return wrong("limit", limit, "entry", entry);
        }
    }
    for stop in stops {
        if let Some(entry) = reference.filter(|entry| !ahead(*entry, stop)) {
            return wrong("stop", stop, "entry", entry);
        }
        if let Some(limit) = limits.clone().find(|limit| !ahead(*limit, stop)) {
            return wrong("stop", stop, "limit", limit);
        }
    }
    Ok(())
}

fn entry_price(kind: OrderKind) -> Option<Price> {
    match kind {
        OrderKind::Limit { limit } => Some(limit),
        OrderKind::Stop { stop } | OrderKind::StopLimit { stop, .. } => Some(stop),
        _ => None,
    }
}

fn stop_of(kind: OrderKind) -> Option<Price> {
    match kind {
        OrderKind::Stop { stop } | OrderKind::StopLimit { stop, .. } => Some(stop),
        _ => None,
    }
}

fn limit_of(kind: OrderKind) -> Option<Price> {
    match kind {
        OrderKind::Limit { limit } => Some(limit),
        _ => None,
    }
}

/// The signed quantity of a size in units; zero for sizes that are only known at the fill.
pub(super) fn units_of(size: OrderSize) -> Quantity {
    match size {
        OrderSize::Units(quantity) => quantity,
        _ => Quantity::ZERO,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sextant_domain::{AssetClass, Contract, Currency, InstrumentRef, Requirements, Timeframe};

    use super::*;

    fn instrument() -> Instrument {
        Instrument {
            symbol: "SPY".to_owned(),
            class: AssetClass::Equity,
            execution: Timeframe::D1,
            price_tick: "0.01".parse().unwrap(),
            lot_size: Decimal::ONE,
            contract: Contract::paid_in(Currency::USD),
        }
    }

    fn spy() -> InstrumentRef {
        Requirements::new().trade("SPY")
    }

    fn units(text: &str) -> OrderSize {
        OrderSize::Units(Quantity::new(text.parse().unwrap()))
    }

    fn code(request: OrderRequest) -> &'static str {
        check(&request, &instrument()).map_or_else(|fault| fault.code, |_| "good")
    }

    #[test]
    fn requests_are_refused_by_code() {
        let (spy, ten) = (spy(), units("10"));
        for (request, expected) in [
            (OrderRequest::market(spy, ten), "good"),
            (OrderRequest::market(spy, units("0")), "zero_size"),
            (OrderRequest::market(spy, units("0.5")), "lot_size"),
            (
                OrderRequest::market(spy, OrderSize::EquityFraction(f64::NAN)),
                "not_a_number",
            ),
            (
                OrderRequest::market(spy, OrderSize::EquityFraction(0.0)),
                "zero_size",
            ),
            (
                OrderRequest::market(spy, OrderSize::EntryFill),
                "size_without_entry",
            ),
            (OrderRequest::limit(spy, ten, f64::INFINITY), "not_a_number"),
            (OrderRequest::limit(spy, ten, -1.0), "price_not_positive"),
            (OrderRequest::stop(spy, ten, 0.001), "price_not_positive"),
            (
                OrderRequest::stop_limit(spy, ten, 100.0, 99.0),
                "limit_beyond_stop",
            ),
            (OrderRequest::stop_limit(spy, ten, 100.0, 100.0), "good"),
            (
                OrderRequest::stop_limit(spy, units("-10"), 100.0, 101.0),
                "limit_beyond_stop",
            ),
            (
                OrderRequest::trailing_stop(spy, ten, Offset::Fraction(1.0)),
                "trail_out_of_range",
            ),
            (
                OrderRequest::trailing_stop(spy, ten, Offset::Distance(f64::NAN)),
                "not_a_number",
            ),
            (
                OrderRequest::trailing_stop_from(spy, ten, Offset::Fraction(0.1), 90.0),
                "good",
            ),
            (
                OrderRequest::trailing_stop_from(spy, ten, Offset::Fraction(0.1), f64::NAN),
                "not_a_number",
            ),
            (
                OrderRequest::trailing_stop_from(spy, ten, Offset::Fraction(0.1), 0.0),
                "price_not_positive",
            ),
            (
                OrderRequest::stop_loss(spy, ten, Offset::Fraction(0.1)),
                "price_without_entry",
            ),
        ] {
            assert_eq!(code(request), expected, "{request:?}");
        }
    }

    #[test]
    fn exits_are_held_against_their_entry() {
        let (spy, ten, sell) = (spy(), units("10"), units("-10"));
        let limit = |size, price| OrderRequest::limit(spy, size, price);
        let stop = |size, price| OrderRequest::stop(spy, size, price);
        let fill = OrderSize::EntryFill;
        let loss = |loss| OrderRequest::stop_loss(spy, fill, Offset::Fraction(loss));
        let profit = |profit| OrderRequest::take_profit(spy, fill, Offset::Fraction(profit));
        let trail = |trail, profit| {
            let (trail, profit) = (Offset::Fraction(trail), Offset::Fraction(profit));
            OrderRequest::trailing_stop_from_profit(spy, fill, trail, profit)
        };
        for (entry, exits, expected) in [
            (
                limit(ten, 100.0),
                vec![limit(sell, 110.0), stop(sell, 95.0)],
                "good",
            ),
            (
                limit(ten, 100.0),
                vec![limit(OrderSize::EntryFill, 110.0)],
                "good",
            ),
            (limit(ten, 100.0), vec![limit(ten, 110.0)], "exits_do_not_match"),
            (
                limit(ten, 100.0),
                vec![limit(units("-11"), 110.0)],
                "exit_larger_than_entry",
            ),
            (limit(ten, 100.0), vec![limit(sell, 99.0)], "exits_do_not_match"),
            (limit(ten, 100.0), vec![stop(sell, 101.0)], "exits_do_not_match"),
            (
                OrderRequest::market(spy, ten),
                vec![stop(sell, 95.0), limit(sell, 94.0)],
                "exits_do_not_match",
            ),
            (
                limit(sell, 100.0),
                vec![limit(ten, 90.0), stop(ten, 105.0)],
                "good",
            ),
            (limit(sell, 100.0), vec![stop(ten, 90.0)], "exits_do_not_match"),
            (
                limit(ten, 100.0),
                vec![loss(0.02), profit(2.0), trail(0.01, 0.5)],
                "good",
            ),
            (limit(ten, 100.0), vec![loss(1.0)], "offset_out_of_range"),
            (limit(ten, 100.0), vec![loss(0.0)], "offset_out_of_range"),
            (
                limit(ten, 100.0),
                vec![profit(f64::INFINITY)],
                "offset_out_of_range",
            ),
            (
                limit(ten, 100.0),
                vec![trail(0.01, f64::NAN)],
                "offset_out_of_range",
            ),
            (limit(ten, 100.0), vec![trail(1.0, 0.1)], "trail_out_of_range"),
            (limit(sell, 100.0), vec![loss(1.5), profit(0.5)], "good"),
            (limit(sell, 100.0), vec![profit(1.0)], "offset_out_of_range"),
            (
                limit(ten, 100.0),
                vec![OrderRequest::stop_loss(spy, fill, Offset::Distance(0.001))],
                "price_not_positive",
            ),
            (
                limit(sell, 100.0),
                vec![limit(OrderSize::EquityFraction(0.1), 90.0)],
                "exits_do_not_match",
            ),
            (
                OrderRequest::market(spy, OrderSize::ClosePosition),
                vec![stop(sell, 95.0)],
                "exits_do_not_match",
            ),
        ] {
            let entry = check(&entry, &instrument()).unwrap();
            let found = check_exits(entry, &exits, &instrument());
            assert_eq!(
                found.map_or_else(|fault| fault.code, |_| "good"),
                expected,
                "{exits:?}"
            );
        }
    }

    #[test]
    fn a_limit_is_never_made_worse_by_the_tick() {
        let limit = |size, price| match check(&OrderRequest::limit(spy(), size, price), &instrument())
            .unwrap()
            .kind
        {
            OrderKind::Limit { limit } => limit.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(limit(units("10"), 100.019), "100.01");
        assert_eq!(limit(units("-10"), 100.011), "100.02");
        assert_eq!(limit(units("10"), 0.1 + 0.2), "0.3");
        assert_eq!(limit(units("-10"), 0.1 + 0.2), "0.3");
    }
}
