//! What can be wrong with a requested order by itself, before risk looks at it.

use rust_decimal::Decimal;
use sextant_domain::{
    FromEntry, Instrument, MoneyError, Offset, OrderKind, OrderRequest, OrderSize, Price, Quantity, Side,
};

use super::orders::LOT_SIZE;
pub(super) use exits::check_exits;
use exits::{check_exit_side, check_offset};

mod exits;

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
        check_offset(exit, side, instrument.price_tick)?;
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

    pub(super) fn instrument() -> Instrument {
        Instrument {
            symbol: "SPY".to_owned(),
            class: AssetClass::Equity,
            execution: Timeframe::D1,
            price_tick: "0.01".parse().unwrap(),
            lot_size: Decimal::ONE,
            contract: Contract::paid_in(Currency::USD),
        }
    }

    pub(super) fn spy() -> InstrumentRef {
        Requirements::new().trade("SPY")
    }

    pub(super) fn units(text: &str) -> OrderSize {
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
