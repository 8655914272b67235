//! Matching fills into closed round trips, first in first out.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::error::{MetricsError, require_finite, require_positive};
use crate::series::elapsed_days;

/// A remainder of at most this share of the lot or fill it is left from is rounding noise and counts as nothing.
const QUANTITY_TOLERANCE: f64 = 1e-9;

/// An execution of one instrument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TradeFill {
    /// UTC nanoseconds.
    pub time_ns: i64,
    /// Units, positive for a purchase, negative for a sale; not zero.
    pub quantity: f64,
    /// Price per unit in base currency, above zero.
    pub price: f64,
    /// Costs in base currency, positive when paid, negative for a rebate.
    pub fee: f64,
}

/// Whether a trade gained from rising or from falling prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeSide {
    /// Bought first.
    Long,
    /// Sold first.
    Short,
}

/// A closed round trip: one entry lot, or a part of it, with the fill that closed it. Money is in base currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClosedTrade {
    /// Long or short.
    pub side: TradeSide,
    /// UTC nanoseconds of the entry fill.
    pub entry_ns: i64,
    /// UTC nanoseconds of the exit fill.
    pub exit_ns: i64,
    /// Units, above zero.
    pub quantity: f64,
    /// Price per unit at the entry.
    pub entry_price: f64,
    /// Price per unit at the exit.
    pub exit_price: f64,
    /// Entry price · quantity · multiplier.
    pub entry_notional: f64,
    /// Result before costs.
    pub gross_pnl: f64,
    /// Costs of the entry, of holding and of the exit that fall on this quantity.
    pub costs: f64,
    /// Result after costs.
    pub net_pnl: f64,
}

impl ClosedTrade {
    /// Net result over entry notional.
    pub fn return_on_entry(&self) -> f64 {
        self.net_pnl / self.entry_notional
    }

    /// Days of 24 hours from entry to exit.
    pub fn holding_days(&self) -> f64 {
        elapsed_days(self.entry_ns, self.exit_ns)
    }
}

/// Matches the fills of one instrument into round trips, oldest lot first.
///
/// A fill against the position closes lots; what is left of it opens a lot on the other side. Costs are shared by
/// quantity, and the last part of a lot or fill takes what is left, so the costs of all trades and open lots add up to
/// the costs of all fills. With whole quantities every match is exact; otherwise a remainder of 1e-9 of the lot or fill
/// counts as nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundTrips {
    multiplier: f64,
    /// All of one side; quantities above zero.
    lots: VecDeque<Lot>,
    side: TradeSide,
    last_ns: Option<i64>,
    fills: usize,
    closed: Vec<ClosedTrade>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Lot {
    time_ns: i64,
    original_quantity: f64,
    quantity: f64,
    price: f64,
    costs: f64,
}

impl Lot {
    /// Splits off the costs of `quantity`, all of them when that is all there is.
    fn take(&mut self, quantity: f64) -> f64 {
        let remaining = self.quantity - quantity;
        if remaining <= QUANTITY_TOLERANCE * self.original_quantity {
            self.quantity = 0.0;
            return std::mem::take(&mut self.costs);
        }
        let costs = self.costs * quantity / self.quantity;
        self.quantity = remaining;
        self.costs -= costs;
        costs
    }
}

impl RoundTrips {
    /// A matcher for an instrument with `multiplier` units of base currency per unit of price and quantity (1 for shares).
    ///
    /// # Errors
    /// [`MetricsError::OutOfRange`] unless the multiplier is finite and above zero.
    pub fn new(multiplier: f64) -> Result<Self, MetricsError> {
        require_positive("contract multiplier", multiplier)?;
        Ok(Self {
            multiplier,
            lots: VecDeque::new(),
            side: TradeSide::Long,
            last_ns: None,
            fills: 0,
            closed: Vec::new(),
        })
    }

    /// Takes the next fill.
    ///
    /// # Errors
    /// A number that is not finite, a quantity of zero, a price that is not above zero, or a time before the last fill's;
    /// the state is then unchanged.
    pub fn apply(&mut self, fill: &TradeFill) -> Result<(), MetricsError> {
        self.validate(fill)?;
        self.last_ns = Some(fill.time_ns);
        self.fills += 1;
        let side = if fill.quantity > 0.0 {
            TradeSide::Long
        } else {
            TradeSide::Short
        };
        let quantity = fill.quantity.abs();
        let mut incoming = Lot {
            time_ns: fill.time_ns,
            original_quantity: quantity,
            quantity,
            price: fill.price,
            costs: fill.fee,
        };
        if side != self.side {
            self.close_lots(&mut incoming);
        }
        if incoming.quantity > 0.0 {
            self.side = side;
            self.lots.push_back(incoming);
        }
        Ok(())
    }

    /// Spreads a cost of holding (funding, borrow; negative when received) over the open lots by quantity.
    ///
    /// # Errors
    /// A cost that is not finite; [`MetricsError::Empty`] when nothing is held.
    pub fn accrue_cost(&mut self, cost: f64) -> Result<(), MetricsError> {
        require_finite("cost of holding", 0, cost)?;
        let total = self.open_quantity().abs();
        if total == 0.0 {
            return Err(MetricsError::Empty {
                what: "position that a cost of holding was booked on",
            });
        }
        let mut left = cost;
        let last = self.lots.len() - 1;
        for (index, lot) in self.lots.iter_mut().enumerate() {
            let share = if index == last {
                left
            } else {
                cost * lot.quantity / total
            };
            lot.costs += share;
            left -= share;
        }
        Ok(())
    }

    /// The closed round trips so far, in order of closing.
    pub fn closed(&self) -> &[ClosedTrade] {
        &self.closed
    }

    /// The closed round trips, in order of closing.
    pub fn into_closed(self) -> Vec<ClosedTrade> {
        self.closed
    }

    /// The open quantity, negative when short, 0 when flat.
    pub fn open_quantity(&self) -> f64 {
        let quantity: f64 = self.lots.iter().map(|lot| lot.quantity).sum();
        match self.side {
            TradeSide::Long => quantity,
            TradeSide::Short => 0.0 - quantity,
        }
    }

    /// Costs already paid for what is still open.
    pub fn open_costs(&self) -> f64 {
        self.lots.iter().map(|lot| lot.costs).sum()
    }

    fn validate(&self, fill: &TradeFill) -> Result<(), MetricsError> {
        let index = self.fills;
        require_finite("quantity of a fill", index, fill.quantity)?;
        require_finite("fee of a fill", index, fill.fee)?;
        require_positive("price of a fill", fill.price)?;
        if fill.quantity == 0.0 {
            let allowed = "any number but 0";
            return Err(MetricsError::OutOfRange {
                what: "quantity of a fill",
                value: 0.0,
                allowed,
            });
        }
        if let Some(previous_ns) = self.last_ns.filter(|&last_ns| fill.time_ns < last_ns) {
            let what = "fill (equal times are allowed)";
            return Err(MetricsError::NotIncreasing {
                what,
                index,
                time_ns: fill.time_ns,
                previous_ns,
            });
        }
        Ok(())
    }

    /// Closes lots, oldest first, until the incoming fill or the position is used up.
    fn close_lots(&mut self, incoming: &mut Lot) {
        while incoming.quantity > 0.0
            && let Some(lot) = self.lots.front_mut()
        {
            let (entry, quantity) = (*lot, lot.quantity.min(incoming.quantity));
            let costs = lot.take(quantity) + incoming.take(quantity);
            if lot.quantity == 0.0 {
                self.lots.pop_front();
            }
            self.record(&entry, incoming, quantity, costs);
        }
    }

    fn record(&mut self, entry: &Lot, exit: &Lot, quantity: f64, costs: f64) {
        let gain_per_unit = match self.side {
            TradeSide::Long => exit.price - entry.price,
            TradeSide::Short => entry.price - exit.price,
        };
        let gross_pnl = gain_per_unit * quantity * self.multiplier;
        self.closed.push(ClosedTrade {
            side: self.side,
            entry_ns: entry.time_ns,
            exit_ns: exit.time_ns,
            quantity,
            entry_price: entry.price,
            exit_price: exit.price,
            entry_notional: entry.price * quantity * self.multiplier,
            gross_pnl,
            costs,
            net_pnl: gross_pnl - costs,
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use TradeSide::{Long, Short};

    fn matched(multiplier: f64, fills: &[(i64, f64, f64, f64)]) -> RoundTrips {
        let mut trips = RoundTrips::new(multiplier).unwrap();
        for &(time_ns, quantity, price, fee) in fills {
            trips
                .apply(&TradeFill {
                    time_ns,
                    quantity,
                    price,
                    fee,
                })
                .unwrap();
        }
        trips
    }

    /// Side, entry, exit, quantity, gross, costs.
    fn rows(trips: &RoundTrips) -> Vec<(TradeSide, i64, i64, f64, f64, f64)> {
        let row = |t: &ClosedTrade| (t.side, t.entry_ns, t.exit_ns, t.quantity, t.gross_pnl, t.costs);
        trips.closed().iter().map(row).collect()
    }

    #[test]
    fn long_and_short_round_trips() {
        let trips = matched(1.0, &[(1, 100.0, 10.0, 1.0), (2, -100.0, 12.0, 1.0)]);
        assert_eq!(rows(&trips), [(Long, 1, 2, 100.0, 200.0, 2.0)]);
        assert_eq!(
            (trips.closed()[0].net_pnl, trips.closed()[0].return_on_entry()),
            (198.0, 0.198)
        );
        let trips = matched(50.0, &[(1, -2.0, 10.0, 1.0), (5, 2.0, 12.0, -1.0)]);
        assert_eq!(rows(&trips), [(Short, 1, 5, 2.0, -200.0, 0.0)]);
        assert_eq!(trips.closed()[0].entry_notional, 1000.0);
        assert_eq!(trips.open_quantity(), 0.0);
    }

    #[test]
    fn partial_closes_go_first_in_first_out() {
        let fills = [
            (1, 100.0, 10.0, 4.0),
            (2, 50.0, 11.0, 2.0),
            (3, -25.0, 12.0, 1.0),
            (4, -100.0, 13.0, 4.0),
            (5, -25.0, 9.0, 1.0),
        ];
        let trips = matched(1.0, &fills);
        let wanted = [
            (Long, 1, 3, 25.0, 50.0, 2.0),
            (Long, 1, 4, 75.0, 225.0, 6.0),
            (Long, 2, 4, 25.0, 50.0, 2.0),
            (Long, 2, 5, 25.0, -50.0, 2.0),
        ];
        assert_eq!(rows(&trips), wanted);
        assert_eq!((trips.open_quantity(), trips.open_costs()), (0.0, 0.0));
    }

    #[test]
    fn a_flip_closes_and_opens() {
        let trips = matched(
            1.0,
            &[
                (1, 10.0, 100.0, 1.0),
                (2, -30.0, 110.0, 3.0),
                (3, 20.0, 105.0, 2.0),
            ],
        );
        assert_eq!(
            rows(&trips),
            [(Long, 1, 2, 10.0, 100.0, 2.0), (Short, 2, 3, 20.0, 100.0, 4.0)]
        );
        let half = matched(1.0, &[(1, 10.0, 100.0, 1.0), (2, -30.0, 110.0, 3.0)]);
        assert_eq!((half.open_quantity(), half.open_costs()), (-20.0, 2.0));
    }

    #[test]
    fn decimal_fractions_leave_no_dust() {
        let trips = matched(
            1.0,
            &[(1, 0.1, 10.0, 0.0), (2, 0.2, 10.0, 0.0), (3, -0.3, 11.0, 0.3)],
        );
        assert_eq!((trips.closed().len(), trips.open_quantity()), (2, 0.0));
        let net: f64 = trips.closed().iter().map(|trade| trade.net_pnl).sum();
        assert!(net.abs() < 1e-12);
        let trips = matched(
            1.0,
            &[(1, 0.3, 10.0, 0.0), (2, -0.1, 11.0, 0.0), (3, -0.2, 11.0, 0.0)],
        );
        assert_eq!((trips.closed().len(), trips.open_quantity()), (2, 0.0));
    }

    #[test]
    fn holding_costs_fall_on_what_is_held() {
        let mut trips = matched(1.0, &[(1, 30.0, 10.0, 0.0), (2, 10.0, 10.0, 0.0)]);
        trips.accrue_cost(4.0).unwrap();
        trips
            .apply(&TradeFill {
                time_ns: 3,
                quantity: -40.0,
                price: 10.0,
                fee: 4.0,
            })
            .unwrap();
        assert_eq!(
            rows(&trips),
            [(Long, 1, 3, 30.0, 0.0, 6.0), (Long, 2, 3, 10.0, 0.0, 2.0)]
        );
        assert!(matches!(trips.accrue_cost(1.0), Err(MetricsError::Empty { .. })));
    }

    #[test]
    fn bad_fills_are_refused_and_change_nothing() {
        let mut trips = matched(1.0, &[(10, 1.0, 10.0, 0.0)]);
        let before = trips.clone();
        let good = TradeFill {
            time_ns: 10,
            quantity: 1.0,
            price: 10.0,
            fee: 0.0,
        };
        let bad = [
            TradeFill { time_ns: 9, ..good },
            TradeFill {
                quantity: 0.0,
                ..good
            },
            TradeFill {
                quantity: f64::NAN,
                ..good
            },
            TradeFill { price: 0.0, ..good },
            TradeFill {
                price: f64::INFINITY,
                ..good
            },
            TradeFill {
                fee: f64::NAN,
                ..good
            },
        ];
        for fill in bad {
            assert!(trips.apply(&fill).is_err(), "{fill:?}");
        }
        assert_eq!(trips, before);
        trips.apply(&good).unwrap();
        assert!(RoundTrips::new(0.0).is_err());
    }
}
