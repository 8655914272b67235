//! The rows of orders: their size, and the prices of their kind.

use sextant_domain::{FromEntry, Offset, Order, OrderDraft, OrderKind, OrderSize, Price, Quantity, Side};
use sextant_store::{OrderRow, SizeKind};

/// The row of an order that was sent; `models` are the ids of those it belongs to.
pub(crate) fn order_row(order: &Order, symbol: String, models: String) -> OrderRow {
    let (size, terms) = (Size::of(&order.draft), &order.draft.terms);
    let levels = Levels::of(terms.kind);
    OrderRow {
        order_id: order.id,
        decided_at: order.draft.decided_at,
        symbol,
        side: size.side,
        quantity: size.quantity,
        size_kind: size.kind,
        size_fraction: size.fraction,
        kind: terms.kind.name().to_owned(),
        limit_price: levels.limit,
        stop_price: levels.stop,
        trail_distance: distance(levels.trail),
        trail_fraction: fraction(levels.trail),
        activation_price: levels.activation,
        offset_distance: distance(levels.offset),
        offset_fraction: fraction(levels.offset),
        time_in_force: terms.time_in_force.name().to_owned(),
        entry_order_id: terms.link.entry,
        oco_group: terms.link.group,
        reference_price: order.draft.reference_price,
        origin: order.draft.origin.name().to_owned(),
        models,
    }
}

/// The prices of a kind, where it has them.
#[derive(Default)]
struct Levels {
    limit: Option<Price>,
    stop: Option<Price>,
    trail: Option<Offset>,
    activation: Option<Price>,
    offset: Option<Offset>,
}

impl Levels {
    fn of(kind: OrderKind) -> Self {
        let none = Self::default();
        match kind {
            OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose => none,
            OrderKind::Limit { limit } => Self {
                limit: Some(limit),
                ..none
            },
            OrderKind::Stop { stop } => Self {
                stop: Some(stop),
                ..none
            },
            OrderKind::StopLimit { stop, limit } => Self {
                limit: Some(limit),
                stop: Some(stop),
                ..none
            },
            OrderKind::TrailingStop { trail, activation } => Self {
                trail: Some(trail),
                activation,
                ..none
            },
            OrderKind::FromEntry(exit) => Self {
                trail: match exit {
                    FromEntry::TrailingStop { trail, .. } => Some(trail),
                    FromEntry::StopLoss { .. } | FromEntry::TakeProfit { .. } => None,
                },
                offset: Some(exit.offset()),
                ..none
            },
        }
    }
}

fn distance(offset: Option<Offset>) -> Option<Price> {
    match offset? {
        Offset::Distance(distance) => Some(distance),
        Offset::Fraction(_) => None,
    }
}

fn fraction(offset: Option<Offset>) -> Option<f64> {
    match offset? {
        Offset::Distance(_) => None,
        Offset::Fraction(fraction) => Some(fraction),
    }
}

/// The size of an order as the tables have it.
pub(crate) struct Size {
    pub(crate) side: Option<Side>,
    pub(crate) quantity: Option<Quantity>,
    pub(crate) kind: SizeKind,
    pub(crate) fraction: Option<f64>,
}

impl Size {
    pub(crate) fn of(draft: &OrderDraft) -> Self {
        match draft.size {
            OrderSize::Units(quantity) => Self {
                side: Side::of(quantity),
                quantity: Some(quantity),
                kind: SizeKind::Units,
                fraction: None,
            },
            OrderSize::EquityFraction(fraction) => {
                let side = if fraction > 0.0 { Side::Buy } else { Side::Sell };
                Self {
                    side: Some(side),
                    quantity: None,
                    kind: SizeKind::EquityFraction,
                    fraction: Some(fraction),
                }
            }
            OrderSize::ClosePosition => Self {
                side: None,
                quantity: None,
                kind: SizeKind::ClosePosition,
                fraction: None,
            },
            OrderSize::EntryFill => Self {
                side: None,
                quantity: None,
                kind: SizeKind::EntryFill,
                fraction: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn price(text: &str) -> Price {
        Price::new(text.parse().unwrap())
    }

    /// Limit, stop, trail (distance and fraction), activation, offset (distance and fraction).
    type Row = (
        Option<Price>,
        Option<Price>,
        (Option<Price>, Option<f64>),
        Option<Price>,
        (Option<Price>, Option<f64>),
    );

    fn row(kind: OrderKind) -> Row {
        let levels = Levels::of(kind);
        let both = |offset| (distance(offset), fraction(offset));
        (
            levels.limit,
            levels.stop,
            both(levels.trail),
            levels.activation,
            both(levels.offset),
        )
    }

    #[test]
    fn every_kind_fills_its_own_columns() {
        let (one, two) = (price("1"), price("2"));
        let (by_one, by_half) = (Offset::Distance(one), Offset::Fraction(0.5));
        let none = (None, None);
        for (kind, expected) in [
            (OrderKind::Market, (None, None, none, None, none)),
            (
                OrderKind::Limit { limit: one },
                (Some(one), None, none, None, none),
            ),
            (OrderKind::Stop { stop: one }, (None, Some(one), none, None, none)),
            (
                OrderKind::StopLimit {
                    stop: one,
                    limit: two,
                },
                (Some(two), Some(one), none, None, none),
            ),
            (
                OrderKind::TrailingStop {
                    trail: by_half,
                    activation: Some(two),
                },
                (None, None, (None, Some(0.5)), Some(two), none),
            ),
            (
                OrderKind::FromEntry(FromEntry::StopLoss { loss: by_one }),
                (None, None, none, None, (Some(one), None)),
            ),
            (
                OrderKind::FromEntry(FromEntry::TakeProfit { profit: by_half }),
                (None, None, none, None, (None, Some(0.5))),
            ),
            (
                OrderKind::FromEntry(FromEntry::TrailingStop {
                    trail: by_one,
                    profit: by_half,
                }),
                (None, None, (Some(one), None), None, (None, Some(0.5))),
            ),
        ] {
            assert_eq!(row(kind), expected, "{kind:?}");
        }
    }
}
