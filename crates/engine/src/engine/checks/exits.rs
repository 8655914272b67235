//! The exits of a bracket, held against their entry and one another.

use rust_decimal::Decimal;
use sextant_domain::{FromEntry, Instrument, Offset, OrderKind, OrderRequest, OrderSize, Price, Side};

use super::{Checked, Fault, check_kind, check_size, fault, side_of};

/// Checks the exits of a bracket against its entry and one another.
pub(in crate::engine) fn check_exits(
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

pub(super) fn check_exit_side(size: OrderSize, exit_side: Side) -> Result<(), Fault> {
    if side_of(size).is_none_or(|side| side == exit_side) {
        return Ok(());
    }
    let entry_side = exit_side.opposite().name();
    let words = format!("an exit of a {entry_side} entry must be on the other side");
    Err(fault("exits_do_not_match", words))
}

/// A loss or profit has to be positive, and one that lies below the entry must leave something of its price.
pub(super) fn check_offset(exit: FromEntry<f64>, side: Option<Side>, tick: Decimal) -> Result<(), Fault> {
    let fraction = match exit.offset() {
        Offset::Fraction(fraction) => fraction,
        Offset::Distance(distance) if is_a_tick(distance, tick) => return Ok(()),
        Offset::Distance(distance) => {
            let words = format!(
                "a {} is {distance} away from the entry's price; it must be one tick of {tick} or more",
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

/// Whether a distance is one at all on the grid of prices.
fn is_a_tick(distance: f64, tick: Decimal) -> bool {
    Price::from_f64_on_tick(distance, tick).is_ok_and(|distance| distance >= Price::new(tick))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::check;
    use super::super::tests::{instrument, spy, units};
    use super::*;

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
                "offset_out_of_range",
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
}
