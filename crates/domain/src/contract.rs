//! The terms on which an instrument is traded: its currency, what a unit stands for, how it is paid and secured.

use rust_decimal::Decimal;
use thiserror::Error;

use crate::money::exact_mul;
use crate::{Cash, Currency, MoneyError, Price, Quantity};

/// Decimals of a multiplier.
const MULTIPLIER_DECIMALS: u32 = 8;

/// What is wrong with the terms of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContractError {
    /// A multiplier that the exact ledger cannot work with.
    #[error("the multiplier is {0}, but must be positive with at most 8 decimals")]
    Multiplier(Decimal),
    /// Margin that is not above zero, a maintenance above the initial one, or a fraction above one.
    #[error(
        "the margin is {initial} initial and {maintenance} maintenance, but both must be above zero, maintenance at \
         most initial{most}"
    )]
    Margin {
        /// Initial margin found.
        initial: Decimal,
        /// Maintenance margin found.
        maintenance: Decimal,
        /// The upper bound, in words, where there is one.
        most: &'static str,
    },
}

/// How many times its price one unit of an instrument is worth: 50 for a future on an index at 50 a point, 1 for a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multiplier {
    /// `None` for one, which most instruments have and which costs no product.
    factor: Option<Decimal>,
}

impl Multiplier {
    /// A unit is worth its price.
    pub const ONE: Self = Self { factor: None };

    /// A multiplier.
    ///
    /// # Errors
    /// [`ContractError::Multiplier`] when it is not positive or has more than 8 decimals.
    pub fn new(factor: Decimal) -> Result<Self, ContractError> {
        let factor = factor.normalize();
        if factor <= Decimal::ZERO || factor.scale() > MULTIPLIER_DECIMALS {
            return Err(ContractError::Multiplier(factor));
        }
        Ok(Self {
            factor: (factor != Decimal::ONE).then_some(factor),
        })
    }

    /// The factor.
    pub fn decimal(self) -> Decimal {
        self.factor.unwrap_or(Decimal::ONE)
    }

    /// The nearest `f64`.
    pub fn to_f64(self) -> f64 {
        Quantity::new(self.decimal()).to_f64()
    }

    /// What `quantity` units are worth at a price, exactly: `price x quantity x multiplier`.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when the product does not fit 28 digits.
    #[inline]
    pub fn value(self, price: Price, quantity: Quantity) -> Result<Cash, MoneyError> {
        self.times(price.times(quantity)?)
    }

    /// An amount per unit of price, multiplied exactly.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when the product does not fit 28 digits.
    #[inline]
    pub fn times(self, amount: Cash) -> Result<Cash, MoneyError> {
        match self.factor {
            None => Ok(amount),
            Some(factor) => exact_mul(amount.decimal(), factor).map(Cash::new),
        }
    }
}

/// How a position is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// In full with the trade: a purchase costs its value, and the position is worth its value.
    InFull,
    /// A future that is settled daily: a trade costs its fee alone, gains and losses since the last settlement are paid in
    /// cash at each daily mark (variation margin), and the position itself is worth nothing just after.
    Daily,
}

impl Settlement {
    /// `in_full` or `daily`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InFull => "in_full",
            Self::Daily => "daily",
        }
    }
}

/// What equity has to secure a position, long or short.
///
/// Initial margin must be there before an order that opens or adds; maintenance margin for as long as the position is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Margin {
    /// Nothing beyond what limits ask.
    None,
    /// Fractions of the position's notional value.
    OfNotional {
        /// Before a position is opened or grown.
        initial: Decimal,
        /// While it is held.
        maintenance: Decimal,
    },
    /// Amounts per unit, in the instrument's currency, as exchanges state them for a contract.
    PerUnit {
        /// Before a position is opened or grown.
        initial: Cash,
        /// While it is held.
        maintenance: Cash,
    },
}

/// Initial and maintenance margin as fractions of notional value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarginFractions {
    /// Before a position is opened or grown.
    pub initial: f64,
    /// While it is held.
    pub maintenance: f64,
}

impl Margin {
    /// Checks the amounts.
    ///
    /// # Errors
    /// [`ContractError::Margin`].
    pub fn validate(self) -> Result<(), ContractError> {
        let (initial, maintenance, is_below_cap, most) = match self {
            Self::None => return Ok(()),
            Self::OfNotional { initial, maintenance } => (
                initial,
                maintenance,
                initial <= Decimal::ONE,
                ", and initial at most 1",
            ),
            Self::PerUnit { initial, maintenance } => (initial.decimal(), maintenance.decimal(), true, ""),
        };
        if maintenance > Decimal::ZERO && maintenance <= initial && is_below_cap {
            return Ok(());
        }
        Err(ContractError::Margin {
            initial,
            maintenance,
            most,
        })
    }

    /// The requirement in parts of notional, for a unit worth `unit_value` in the instrument's currency; infinite or NaN
    /// where an amount per unit meets no value.
    pub fn fractions(self, unit_value: f64) -> MarginFractions {
        match self {
            Self::None => MarginFractions {
                initial: 0.0,
                maintenance: 0.0,
            },
            Self::OfNotional { initial, maintenance } => MarginFractions {
                initial: Quantity::new(initial).to_f64(),
                maintenance: Quantity::new(maintenance).to_f64(),
            },
            Self::PerUnit { initial, maintenance } => MarginFractions {
                initial: initial.to_f64() / unit_value,
                maintenance: maintenance.to_f64() / unit_value,
            },
        }
    }
}

/// The terms of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract {
    /// The currency of its prices, fees and payments.
    pub currency: Currency,
    /// How many times its price a unit is worth.
    pub multiplier: Multiplier,
    /// How a position is paid.
    pub settlement: Settlement,
    /// What secures a position.
    pub margin: Margin,
}

impl Contract {
    /// Units worth their price in a currency, paid in full, without margin: shares, funds, coins and currency pairs.
    pub const fn paid_in(currency: Currency) -> Self {
        Self {
            currency,
            multiplier: Multiplier::ONE,
            settlement: Settlement::InFull,
            margin: Margin::None,
        }
    }

    /// A future: a multiplier, settled daily, with margin.
    pub const fn future(currency: Currency, multiplier: Multiplier, margin: Margin) -> Self {
        Self {
            currency,
            multiplier,
            settlement: Settlement::Daily,
            margin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn values_are_exact_and_one_is_one_however_it_is_written() {
        let (price, quantity) = (Price::new(dec("4321.25")), Quantity::new(dec("-3")));
        let fifty = Multiplier::new(dec("50")).unwrap();
        assert_eq!(fifty.value(price, quantity).unwrap().decimal(), dec("-648187.50"));
        assert_eq!(Multiplier::new(dec("1.000")).unwrap(), Multiplier::ONE);
        assert_eq!(Multiplier::ONE.value(price, quantity), price.times(quantity));
        for bad in ["0", "-1", "0.000000001"] {
            assert!(Multiplier::new(dec(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn margin_that_makes_no_sense_is_refused() {
        let of = |initial, maintenance| Margin::OfNotional {
            initial: dec(initial),
            maintenance: dec(maintenance),
        };
        assert!(of("0.1", "0.08").validate().is_ok());
        for (initial, maintenance) in [("0.1", "0.2"), ("0", "0"), ("0.5", "-0.1"), ("1.1", "0.5")] {
            assert!(of(initial, maintenance).validate().is_err());
        }
        let per_unit = Margin::PerUnit {
            initial: Cash::new(dec("12000")),
            maintenance: Cash::new(dec("11000")),
        };
        per_unit.validate().unwrap();
        assert_eq!(per_unit.fractions(200_000.0).initial, 0.06);
        assert_eq!(of("0.1", "0.08").fractions(f64::NAN).maintenance, 0.08);
    }
}
