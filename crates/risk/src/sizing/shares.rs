//! Sizes in units and in fractions of equity.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sextant_domain::{Quantity, Side};

use super::{SizingError, checked, checked_lot, finite, positive, signed_lots};

/// The same number of units every time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedShares {
    /// Units, positive.
    pub units: f64,
}

impl FixedShares {
    /// Signed units, rounded towards zero to the lot.
    ///
    /// # Errors
    /// [`SizingError`] when the units or the lot are not positive.
    pub fn units(&self, side: Side, lot: Decimal) -> Result<Quantity, SizingError> {
        signed_lots(side, positive("units", self.units)?, lot)
    }
}

/// A fraction of equity in whole lots, with some cash held back.
///
/// The size is the largest whole number of lots `q` with `q x price <= |fraction| x ((1 - cash_buffer) x equity - fee(q))`,
/// on the side of the fraction. This is the form of `SetHoldings` in QuantConnect Lean, whose buffer is 0.0025; with no
/// buffer and no fee it is the plain percentage of equity.
///
/// Prices are per unit in the account's currency: multiply by `view.unit_value(i) / close` where there is a multiplier or a
/// rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PercentOfEquity {
    /// Signed fraction of equity; negative sells short. Zero gives zero units.
    pub fraction: f64,
    /// The fraction of equity that is not invested: from 0 to below 1.
    pub cash_buffer: f64,
}

impl PercentOfEquity {
    /// Signed units for `equity` at `price`; `fee` gives the fee, in the currency of the equity, of a trade of that many
    /// units (a magnitude). Where no lot can be afforded, and where the fee takes everything, the answer is zero.
    ///
    /// The answer always satisfies the inequality. It is the largest that does as long as a larger trade never costs a
    /// smaller fee.
    ///
    /// # Errors
    /// [`SizingError`] when equity, price or lot are not positive, the fraction is not finite, the buffer is out of range,
    /// or a fee is negative or not a number.
    pub fn units(
        &self,
        equity: f64,
        price: f64,
        lot: Decimal,
        fee: impl Fn(f64) -> f64,
    ) -> Result<Quantity, SizingError> {
        let fraction = finite("fraction", self.fraction)?;
        let buffer = self.cash_buffer;
        checked(
            "cash_buffer",
            buffer,
            (0.0..1.0).contains(&buffer),
            "from 0 to below 1",
        )?;
        let (equity, price) = (positive("equity", equity)?, positive("price", price)?);
        let lot_units = lot_units(lot)?;
        let investable = (1.0 - buffer) * equity;
        let fits = |lots: f64| -> Result<bool, SizingError> {
            let units = lots * lot_units;
            let fee = fee(units);
            checked(
                "fee",
                fee,
                fee >= 0.0 && fee.is_finite(),
                "zero or a positive number",
            )?;
            Ok(units * price <= fraction.abs() * (investable - fee))
        };
        // One lot more than fits without a fee, so that rounding of the quotient cannot cost a lot.
        let without_fee = fraction.abs() * investable / (price * lot_units);
        let lots = largest_that_fits((without_fee + 1.0).trunc(), fits)?;
        let side = if fraction < 0.0 { Side::Sell } else { Side::Buy };
        signed_lots(side, lots * lot_units, lot)
    }
}

fn lot_units(lot: Decimal) -> Result<f64, SizingError> {
    Ok(checked_lot(lot)?.to_f64().expect("a decimal has a nearest f64"))
}

/// The largest whole number up to `most` that fits, by bisection; zero when none does.
fn largest_that_fits(most: f64, fits: impl Fn(f64) -> Result<bool, SizingError>) -> Result<f64, SizingError> {
    let (mut low, mut high) = (0.0, most + 1.0);
    // `low` fits or is zero; `high` does not.
    loop {
        let middle = ((low + high) / 2.0_f64).trunc();
        if middle <= low || middle >= high {
            return Ok(low);
        }
        if fits(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ALL: PercentOfEquity = PercentOfEquity {
        fraction: 1.0,
        cash_buffer: 0.0025,
    };

    /// Per share with a minimum and a cap: max($1, $0.005 x shares), at most 0.5 % of the trade.
    fn per_share(price: f64) -> impl Fn(f64) -> f64 {
        move |units| (0.005 * units).max(1.0).min(0.005 * units * price)
    }

    fn units(sizer: PercentOfEquity, equity: f64, price: f64, lot: &str) -> f64 {
        let lot = lot.parse().unwrap();
        sizer.units(equity, price, lot, |_| 0.0).unwrap().to_f64()
    }

    #[test]
    fn fixed_shares_are_whole_lots_on_their_side() {
        for (units, lot, side, expected) in [
            (10.9, "1", Side::Buy, 10.0),
            (10.9, "1", Side::Sell, -10.0),
            (250.0, "100", Side::Buy, 200.0),
            (0.5, "1", Side::Sell, 0.0),
        ] {
            let found = FixedShares { units }.units(side, lot.parse().unwrap()).unwrap();
            assert_eq!(found.to_f64(), expected, "{units} in lots of {lot}");
        }
    }

    #[test]
    fn percent_of_equity_counts_lots_by_hand() {
        let half = PercentOfEquity {
            fraction: 0.5,
            cash_buffer: 0.0,
        };
        let short = PercentOfEquity {
            fraction: -0.5,
            cash_buffer: 0.02,
        };
        // 50 000 / 300 = 166.67; 0.5 x 98 000 / 300 = 163.33.
        assert_eq!(units(half, 100_000.0, 300.0, "1"), 166.0);
        assert_eq!(units(short, 100_000.0, 300.0, "1"), -163.0);
        assert_eq!(units(half, 100_000.0, 300.0, "100"), 100.0);
        assert_eq!(units(half, 100_000.0, 30_000.0, "0.0001"), 1.6666);
        assert_eq!(units(half, 100.0, 300.0, "1"), 0.0);
        // Exactly affordable is affordable.
        assert_eq!(units(half, 60_000.0, 300.0, "1"), 100.0);
        let none = PercentOfEquity {
            fraction: 0.0,
            ..half
        };
        assert_eq!(units(none, 100_000.0, 300.0, "1"), 0.0);
    }

    #[test]
    fn the_fee_takes_its_lots() {
        // 99 750 - 3.49 covers 698 shares at 142.9 (99 744.2) but not 699 (99 887.1).
        let found = ALL
            .units(100_000.0, 142.9, Decimal::ONE, per_share(142.9))
            .unwrap();
        assert_eq!(found.to_f64(), 698.0);
        // 9 975 buys 99 at 100 and leaves 75; a fee of 100 costs one share more: 9 875 / 100 = 98.75.
        let flat = ALL.units(10_000.0, 100.0, Decimal::ONE, |_| 100.0).unwrap();
        assert_eq!(flat.to_f64(), 98.0);
        let ruinous = ALL.units(10_000.0, 100.0, Decimal::ONE, |_| 20_000.0).unwrap();
        assert!(ruinous.is_zero());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let lot = Decimal::ONE;
        let message = |result: Result<Quantity, SizingError>| result.unwrap_err().to_string();
        let free = |_: f64| 0.0;
        for (found, expected) in [
            (ALL.units(f64::NAN, 1.0, lot, free), "equity is NaN"),
            (ALL.units(0.0, 1.0, lot, free), "equity is 0"),
            (ALL.units(1.0, -2.0, lot, free), "price is -2"),
            (ALL.units(1e3, 1.0, lot, |_| f64::NAN), "fee is NaN"),
            (ALL.units(1e3, 1.0, lot, |_| -1.0), "fee is -1"),
            (ALL.units(1e3, 1.0, Decimal::ZERO, free), "lot is 0"),
            (
                PercentOfEquity {
                    cash_buffer: 1.0,
                    ..ALL
                }
                .units(1e3, 1.0, lot, free),
                "cash_buffer is 1",
            ),
            (
                PercentOfEquity {
                    fraction: f64::INFINITY,
                    ..ALL
                }
                .units(1e3, 1.0, lot, free),
                "fraction is inf",
            ),
            (FixedShares { units: -1.0 }.units(Side::Buy, lot), "units is -1"),
        ] {
            let found = message(found);
            assert!(found.starts_with(expected), "{found}");
        }
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn it_is_the_largest_whole_number_of_lots_that_fits(
                fraction in -1.5..1.5f64, buffer in 0.0..0.1f64, equity in 1e3..1e6f64, price in 0.5..900.0f64,
            ) {
                let sizer = PercentOfEquity { fraction, cash_buffer: buffer };
                let units = sizer.units(equity, price, Decimal::ONE, per_share(price)).unwrap().to_f64();
                prop_assert!(units == 0.0 || units.signum() == fraction.signum());
                let fits = |q: f64| q * price <= fraction.abs() * ((1.0 - buffer) * equity - per_share(price)(q));
                prop_assert!(units == 0.0 || fits(units.abs()), "{units}");
                prop_assert!(!fits(units.abs() + 1.0), "{units}");
            }
        }
    }
}
