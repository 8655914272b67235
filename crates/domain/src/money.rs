//! Exact money: price, quantity and cash as decimals in newtypes, and the named bridges to and from `f64`.
//!
//! Sums and products of ledger values are exact: an operation that cannot be exact in 28 digits is an error, not a
//! rounding. Rounding happens only in functions that say so.

use std::fmt;
use std::ops::Neg;

use rust_decimal::prelude::FromPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Side;
use crate::short::{self, nearest_step, short_step, to_f64, trimmed};

/// Why an exact operation failed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum MoneyError {
    /// The exact result does not fit 28 digits.
    #[error("{left} {operation} {right} has no exact result in 28 digits")]
    Inexact {
        /// Left operand.
        left: Decimal,
        /// `+`, `-`, `x` or `/`.
        operation: char,
        /// Right operand.
        right: Decimal,
    },
    /// A number of the research world that has no decimal value.
    #[error("{value} cannot become {what}: it must be a finite number of magnitude below 7.9e28")]
    NotDecimal {
        /// The number found.
        value: f64,
        /// What it was to become.
        what: &'static str,
    },
}

#[inline]
fn exact_add(left: Decimal, right: Decimal) -> Result<Decimal, MoneyError> {
    match short::sum(left, right) {
        Some(sum) => Ok(sum),
        None => add_by_decimals(left, right),
    }
}

#[cold]
#[inline(never)]
pub(crate) fn add_by_decimals(left: Decimal, right: Decimal) -> Result<Decimal, MoneyError> {
    // A zero of more decimals than the other side would make the sum look as if it had lost some.
    if left.is_zero() {
        return Ok(right);
    }
    if right.is_zero() {
        return Ok(left);
    }
    match left.checked_add(right) {
        Some(sum) if sum.is_zero() || sum.scale() >= left.scale().max(right.scale()) => Ok(sum),
        _ => Err(inexact(left, '+', right)),
    }
}

#[inline]
pub(crate) fn exact_mul(left: Decimal, right: Decimal) -> Result<Decimal, MoneyError> {
    match short::product(left, right) {
        Some(product) => Ok(product),
        None => mul_by_decimals(left, right),
    }
}

#[cold]
#[inline(never)]
pub(crate) fn mul_by_decimals(left: Decimal, right: Decimal) -> Result<Decimal, MoneyError> {
    match left.checked_mul(right) {
        Some(product) if product.is_zero() || product.scale() == left.scale() + right.scale() => Ok(product),
        _ => Err(inexact(left, 'x', right)),
    }
}

#[cold]
fn inexact(left: Decimal, operation: char, right: Decimal) -> MoneyError {
    MoneyError::Inexact {
        left,
        operation,
        right,
    }
}

fn round_to_step(value: Decimal, step: Decimal, strategy: RoundingStrategy) -> Option<Decimal> {
    let steps = value.checked_div(step)?.round_dp_with_strategy(0, strategy);
    steps.checked_mul(step).map(|rounded| rounded.normalize())
}

/// Decimals of an amount that was converted from another currency.
const CONVERTED_DECIMALS: u32 = 8;

macro_rules! ledger_number {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Decimal);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// Wraps a decimal.
            #[inline]
            pub const fn new(value: Decimal) -> Self {
                Self(value)
            }

            /// The decimal inside.
            #[inline]
            pub const fn decimal(self) -> Decimal {
                self.0
            }

            /// Whether it is zero.
            #[inline]
            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }

            /// The magnitude.
            #[inline]
            pub fn abs(self) -> Self {
                Self(self.0.abs())
            }

            /// The nearest `f64`: the bridge from the ledger to the research world.
            #[inline]
            pub fn to_f64(self) -> f64 {
                to_f64(self.0)
            }

            /// The exact sum.
            ///
            /// # Errors
            /// [`MoneyError::Inexact`] when it does not fit 28 digits.
            #[inline]
            pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
                exact_add(self.0, other.0).map(Self)
            }

            /// The exact difference.
            ///
            /// # Errors
            /// [`MoneyError::Inexact`] when it does not fit 28 digits.
            #[inline]
            pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
                exact_add(self.0, -other.0).map(Self)
            }
        }

        impl Neg for $name {
            type Output = Self;

            #[inline]
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.normalize(), f)
            }
        }
    };
}

ledger_number!(
    /// A price per unit, in the instrument's currency.
    Price, "a price"
);
ledger_number!(
    /// A signed number of units; negative is short or sold.
    Quantity, "a quantity"
);
ledger_number!(
    /// A signed amount of money, in the currency that its owner says.
    Cash, "an amount of cash"
);

fn decimal_of(value: f64, what: &'static str) -> Result<Decimal, MoneyError> {
    Decimal::from_f64(value).ok_or(MoneyError::NotDecimal { value, what })
}

impl Price {
    /// The price on the tick grid nearest to `value`, halves away from zero: the bridge for market prices.
    ///
    /// # Errors
    /// [`MoneyError::NotDecimal`] when `value` is not finite or too large.
    pub fn from_f64_on_tick(value: f64, tick: Decimal) -> Result<Self, MoneyError> {
        match nearest_step(value, tick) {
            Some(nearest) => Ok(Self(nearest)),
            None => Self::on_tick_by_decimals(value, tick),
        }
    }

    /// The price on the grid that is no worse for an order on `side`: at or below `value` for a buy, at or above it for a sell.
    /// What lies off the grid by no more than 1e-12 of the value counts as on it.
    ///
    /// # Errors
    /// As for [`from_f64_on_tick`](Self::from_f64_on_tick), and [`MoneyError::Inexact`].
    pub fn limit_on_tick(value: f64, side: Side, tick: Decimal) -> Result<Self, MoneyError> {
        let nearest = Self::from_f64_on_tick(value, tick)?;
        let (off, noise) = (nearest.to_f64() - value, value.abs() * 1e-12);
        match side {
            Side::Buy if off > noise => nearest.minus(Self::new(tick)),
            Side::Sell if off < -noise => nearest.plus(Self::new(tick)),
            _ => Ok(nearest),
        }
    }

    fn on_tick_by_decimals(value: f64, tick: Decimal) -> Result<Self, MoneyError> {
        let decimal = decimal_of(value, "a price")?;
        // Most market prices lie on the grid already; the remainder is cheaper than the division.
        if (decimal % tick).is_zero() {
            return Ok(Self(decimal));
        }
        round_to_step(decimal, tick, RoundingStrategy::MidpointAwayFromZero)
            .map(Self)
            .ok_or(MoneyError::NotDecimal {
                value,
                what: "a price",
            })
    }

    /// What `quantity` units cost at this price, exactly.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when the product does not fit 28 digits.
    #[inline]
    pub fn times(self, quantity: Quantity) -> Result<Cash, MoneyError> {
        exact_mul(self.0, quantity.0).map(Cash)
    }
}

impl Quantity {
    /// The whole number of lots in `value`, rounded towards zero, so that an order is never larger than what was asked.
    ///
    /// A value within 1e-9 lots of a whole number counts as that number: the research world's rounding noise must not
    /// cost a lot.
    ///
    /// # Errors
    /// [`MoneyError::NotDecimal`] when `value` is not finite or too large.
    pub fn from_f64_towards_zero(value: f64, lot: Decimal) -> Result<Self, MoneyError> {
        let lots = value / to_f64(lot);
        let nearest = lots.round();
        let whole = if (lots - nearest).abs() <= 1e-9 * nearest.abs().max(1.0) {
            nearest
        } else {
            lots.trunc()
        };
        match short_step(lot) {
            // The product is below 1e18, and whole numbers below 1e15 are exact.
            Some((mantissa, scale)) if whole.abs() < 1e15 => {
                Ok(Self(trimmed(whole as i64 * mantissa, scale)))
            }
            _ => Self::of_lots_by_decimals(whole, lot),
        }
    }

    fn of_lots_by_decimals(whole: f64, lot: Decimal) -> Result<Self, MoneyError> {
        let what = "a quantity";
        let units = decimal_of(whole, what)?.checked_mul(lot);
        units
            .map(|units| Self(units.normalize()))
            .ok_or(MoneyError::NotDecimal { value: whole, what })
    }

    /// The largest whole number of lots not above this magnitude, sign kept.
    pub fn towards_zero_to_lot(self, lot: Decimal) -> Self {
        let rounded = round_to_step(self.0, lot, RoundingStrategy::ToZero);
        Self(rounded.expect("dividing by a positive lot of at most 8 decimals fits"))
    }

    /// Whether it buys (positive).
    #[inline]
    pub fn is_positive(self) -> bool {
        self.0.is_sign_positive() && !self.0.is_zero()
    }
}

impl Cash {
    /// The exact sum of an amount and others, as [`plus`](Self::plus) one after another gives it, in fewer steps.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when it does not fit 28 digits, and the first error among the amounts.
    #[inline]
    pub fn total(
        first: Self,
        others: impl IntoIterator<Item = Result<Self, MoneyError>>,
    ) -> Result<Self, MoneyError> {
        let mut total = short::Total::of(first.0);
        for amount in others {
            let amount = amount?;
            if total.add(amount.0).is_none() {
                total = short::Total::of(exact_add(total.value(), amount.0)?);
            }
        }
        Ok(Self(total.value()))
    }

    /// The amount nearest to `value` with `decimals` decimals, halves away from zero.
    ///
    /// # Errors
    /// [`MoneyError::NotDecimal`] when `value` is not finite or too large.
    pub fn from_f64_rounded(value: f64, decimals: u32) -> Result<Self, MoneyError> {
        let decimal = decimal_of(value, "an amount of cash")?;
        Ok(Self(decimal.round_dp_with_strategy(
            decimals,
            RoundingStrategy::MidpointAwayFromZero,
        )))
    }

    /// The amount `x over / under`, rounded to eight decimals, halves away from zero: a conversion between currencies.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when it is too large, or `under` is zero.
    pub(crate) fn ratio(self, over: Decimal, under: Decimal) -> Result<Self, MoneyError> {
        let product = self.0.checked_mul(over);
        let quotient = product.and_then(|product| product.checked_div(under));
        let quotient = quotient.ok_or_else(|| inexact(self.0, 'x', over))?;
        let strategy = RoundingStrategy::MidpointAwayFromZero;
        Ok(Self(
            quotient.round_dp_with_strategy(CONVERTED_DECIMALS, strategy),
        ))
    }

    /// The part `numerator / denominator` of this amount, rounded to `decimals` decimals, halves away from zero. The
    /// caller keeps the remainder, so that parts add up to the whole.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when the product does not fit, or `denominator` is zero.
    pub fn share(
        self,
        numerator: Quantity,
        denominator: Quantity,
        decimals: u32,
    ) -> Result<Self, MoneyError> {
        let failed = MoneyError::Inexact {
            left: self.0,
            operation: 'x',
            right: numerator.0,
        };
        let part = self
            .0
            .checked_mul(numerator.0)
            .and_then(|product| product.checked_div(denominator.0));
        let part = part.ok_or(failed)?;
        Ok(Self(part.round_dp_with_strategy(
            decimals,
            RoundingStrategy::MidpointAwayFromZero,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn products_are_exact_or_an_error() {
        let price = Price::new(dec("12345.67890123"));
        let cost = price.times(Quantity::new(dec("98765.43210987"))).unwrap();
        assert_eq!(cost.decimal(), dec("1219326311.3696860222381401"));
        let huge = Price::new(dec("1234567890123456.7890123"));
        assert!(matches!(
            huge.times(Quantity::new(dec("1.123456789"))),
            Err(MoneyError::Inexact { .. })
        ));
        assert!(Cash::new(Decimal::MAX).plus(Cash::new(dec("0.1"))).is_err());
        assert_eq!(
            Cash::new(dec("0.00000"))
                .plus(Cash::new(dec("8.1")))
                .unwrap()
                .decimal(),
            dec("8.1")
        );
        assert_eq!(
            Cash::new(dec("8.1"))
                .minus(Cash::new(dec("0.00000")))
                .unwrap()
                .decimal(),
            dec("8.1")
        );
    }

    #[test]
    fn prices_round_to_the_tick() {
        for (value, tick, expected) in [
            (100.126, "0.01", "100.13"),
            (100.125, "0.25", "100.25"),
            (0.1 + 0.2, "0.00000001", "0.3"),
        ] {
            assert_eq!(
                Price::from_f64_on_tick(value, dec(tick)).unwrap().decimal(),
                dec(expected)
            );
        }
        for bad in [f64::NAN, f64::INFINITY, 1e300] {
            assert!(Price::from_f64_on_tick(bad, dec("0.01")).is_err());
        }
    }

    #[test]
    fn quantities_round_towards_zero_but_forgive_float_noise() {
        for (value, lot, expected) in [
            (10.9, "1", "10"),
            (-10.9, "1", "-10"),
            (0.3 / 0.1 * 1.0, "1", "3"),
            (2.999_999_999_99, "1", "3"),
            (0.123_456_789, "0.001", "0.123"),
        ] {
            assert_eq!(
                Quantity::from_f64_towards_zero(value, dec(lot))
                    .unwrap()
                    .decimal(),
                dec(expected),
                "{value}"
            );
        }
    }

    #[test]
    fn shares_leave_a_remainder_to_the_caller() {
        let fee = Cash::new(dec("1.00"));
        let third = fee
            .share(Quantity::new(dec("1")), Quantity::new(dec("3")), 8)
            .unwrap();
        assert_eq!(third.decimal(), dec("0.33333333"));
        assert!(fee.share(Quantity::new(dec("1")), Quantity::ZERO, 8).is_err());
    }

    mod properties {
        use proptest::prelude::*;
        use rust_decimal::prelude::ToPrimitive;

        use super::*;

        /// Steps with the digits that instruments have, and some that they do not.
        fn steps() -> impl Strategy<Value = Decimal> {
            let mantissas = prop::sample::select(vec![1i64, 2, 5, 25, 125, 1_000, 12_345]);
            (mantissas, 0u32..12).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
        }

        /// Values on a grid, near the middle between two steps, and anywhere.
        fn values() -> impl Strategy<Value = f64> {
            let cents = (-2_000_000_000i64..2_000_000_000).prop_map(|cents| cents as f64 / 100.0);
            let halves = (0i64..20_000_000, -3i64..=3).prop_map(|(cents, ulps)| {
                let half = (cents as f64 + 0.5) / 100.0;
                f64::from_bits((half.to_bits() as i64 + ulps) as u64)
            });
            prop_oneof![cents, halves, -1e12f64..1e12, 0.0f64..1e-3, 1.0f64..1e4]
        }

        proptest! {
            #[test]
            fn the_short_way_to_a_tick_gives_the_same_digits(value in values(), tick in steps()) {
                let (short, long) = (Price::from_f64_on_tick(value, tick), Price::on_tick_by_decimals(value, tick));
                let digits = |price: Result<Price, _>| price.map(|price| price.decimal().serialize());
                prop_assert_eq!(digits(short), digits(long));
            }

            #[test]
            fn the_short_way_to_lots_gives_the_same_digits(whole in -1_000_000_000_000_000i64..1_000_000_000_000_000, lot in steps()) {
                let value = whole as f64 * to_f64(lot);
                let lots = value / lot.to_f64().unwrap();
                let nearest = lots.round();
                let whole = if (lots - nearest).abs() <= 1e-9 * nearest.abs().max(1.0) { nearest } else { lots.trunc() };
                let (short, long) = (Quantity::from_f64_towards_zero(value, lot), Quantity::of_lots_by_decimals(whole, lot));
                let digits = |quantity: Result<Quantity, _>| quantity.map(|quantity| quantity.decimal().serialize());
                prop_assert_eq!(digits(short).ok(), digits(long).ok());
            }

            #[test]
            fn the_short_way_to_f64_gives_the_same_bits(mantissa in any::<i64>(), digits in 0u32..19, scale in 0u32..15) {
                let value = Decimal::new(mantissa / 10i64.pow(digits), scale);
                prop_assert_eq!(to_f64(value).to_bits(), value.to_f64().unwrap().to_bits());
            }

            #[test]
            fn a_total_is_the_sum_of_one_after_another(
                amounts in prop::collection::vec((any::<i64>(), 0u32..19, 0u32..12), 1..20),
                huge in prop::option::of((0..20usize, 0u32..28)),
            ) {
                let mut amounts: Vec<Cash> = amounts
                    .into_iter()
                    .map(|(mantissa, digits, scale)| Cash::new(Decimal::new(mantissa / 10i64.pow(digits), scale)))
                    .collect();
                if let Some((place, scale)) = huge {
                    let mut huge = Decimal::MAX;
                    huge.set_scale(scale).unwrap();
                    let place = place.min(amounts.len());
                    amounts.insert(place, Cash::new(huge));
                }
                let by_one = amounts[1..].iter().try_fold(amounts[0], |sum, one| sum.plus(*one));
                let total = Cash::total(amounts[0], amounts[1..].iter().copied().map(Ok));
                let digits = |cash: Cash| cash.decimal().serialize();
                // Where a sum on the way does not fit, the whole may.
                if let Ok(by_one) = by_one {
                    prop_assert_eq!(total.map(digits), Ok(digits(by_one)));
                }
            }

            #[test]
            fn tick_rounding_is_within_half_a_tick(value in 0.01f64..1e6, exponent in 0u32..6) {
                let tick = Decimal::new(1, exponent);
                let price = Price::from_f64_on_tick(value, tick).unwrap();
                prop_assert!((price.to_f64() - value).abs() <= 0.5 * tick.to_f64().unwrap() * (1.0 + 1e-9));
                prop_assert!((price.decimal() % tick).is_zero());
            }

            #[test]
            fn lots_never_exceed_what_was_asked(value in -1e6f64..1e6, exponent in 0u32..8) {
                let lot = Decimal::new(1, exponent);
                let quantity = Quantity::from_f64_towards_zero(value, lot).unwrap().to_f64();
                prop_assert!(quantity.abs() <= value.abs() * (1.0 + 1e-9) + 1e-9);
            }
        }
    }
}
