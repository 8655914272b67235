//! From a venue's decimals to whole numbers of ticks and lots.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::error::BookError;
use crate::level::{Level, Lots, Ticks};

/// The steps of prices and sizes of one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    tick: Decimal,
    lot: Decimal,
}

impl Grid {
    /// A grid of these steps, in units of the instrument's price and quantity.
    ///
    /// # Errors
    /// A step that is not above zero.
    pub fn new(tick: Decimal, lot: Decimal) -> Result<Self, BookError> {
        for (step_name, found) in [("tick", tick), ("lot", lot)] {
            if found <= Decimal::ZERO {
                return Err(BookError::Step { step_name, found });
            }
        }
        Ok(Self { tick, lot })
    }

    /// A price in ticks.
    ///
    /// # Errors
    /// A price that is no whole number of ticks, or of more than 64 bits.
    pub fn ticks(&self, price: Decimal) -> Result<Ticks, BookError> {
        let count = whole_steps(price, self.tick).and_then(|count| count.to_i64());
        count.map(Ticks::new).ok_or(BookError::OffGrid {
            what: "price",
            found: price,
            step: self.tick,
            step_name: "tick",
        })
    }

    /// A size in lots.
    ///
    /// # Errors
    /// A size that is negative, no whole number of lots, or of more than 64 bits.
    pub fn lots(&self, size: Decimal) -> Result<Lots, BookError> {
        let count = whole_steps(size, self.lot).and_then(|count| count.to_u64());
        count.map(Lots::new).ok_or(BookError::OffGrid {
            what: "size",
            found: size,
            step: self.lot,
            step_name: "lot",
        })
    }

    /// A price and a size.
    ///
    /// # Errors
    /// As [`Self::ticks`] and [`Self::lots`].
    pub fn level(&self, price: Decimal, size: Decimal) -> Result<Level, BookError> {
        Ok(Level {
            price: self.ticks(price)?,
            size: self.lots(size)?,
        })
    }

    /// The price of a number of ticks; `None` where 28 digits cannot hold it.
    pub fn price(&self, ticks: Ticks) -> Option<Decimal> {
        Decimal::from(ticks.get()).checked_mul(self.tick)
    }

    /// The size of a number of lots; `None` where 28 digits cannot hold it.
    pub fn size(&self, lots: Lots) -> Option<Decimal> {
        Decimal::from(lots.get()).checked_mul(self.lot)
    }
}

/// How many steps a value is, where that is a whole number. The remainder of decimals is exact.
fn whole_steps(value: Decimal, step: Decimal) -> Option<Decimal> {
    let is_whole = value.checked_rem(step)?.is_zero();
    is_whole.then(|| value.checked_div(step))?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn grid(tick: &str, lot: &str) -> Grid {
        Grid::new(tick.parse().unwrap(), lot.parse().unwrap()).unwrap()
    }

    #[test]
    fn decimals_become_whole_numbers_and_come_back() {
        let grid = grid("0.05", "0.001");
        for (price, ticks) in [("61.80", 1_236), ("0", 0), ("-0.05", -1), ("100.00000", 2_000)] {
            let price: Decimal = price.parse().unwrap();
            assert_eq!(grid.ticks(price).unwrap(), Ticks::new(ticks));
            assert_eq!(grid.price(Ticks::new(ticks)), Some(price));
        }
        assert_eq!(grid.lots("2.5070".parse().unwrap()).unwrap(), Lots::new(2_507));
        assert_eq!(grid.size(Lots::new(2_507)), Some("2.507".parse().unwrap()));
    }

    #[test]
    fn what_lies_between_two_steps_is_an_error_that_names_it() {
        let grid = grid("0.05", "0.001");
        let error = grid.ticks("61.81".parse().unwrap()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("price 61.81 is no whole number of 0.05"),
            "{error}"
        );
        assert!(grid.lots("0.0005".parse().unwrap()).is_err());
        assert!(grid.lots("-1".parse().unwrap()).is_err());
        assert!(grid.ticks(Decimal::MAX).is_err());
    }

    #[test]
    fn a_grid_without_steps_is_refused() {
        let one = Decimal::ONE;
        assert!(Grid::new(Decimal::ZERO, one).is_err());
        assert!(Grid::new(one, -one).is_err());
    }
}
