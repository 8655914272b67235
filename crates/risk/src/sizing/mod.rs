//! How much to buy or sell: position sizers that a model calls with what it knows.
//!
//! | sizer | answers | from |
//! |---|---|---|
//! | [`FixedShares`] | units | a number of units |
//! | [`PercentOfEquity`] | units | a fraction of equity, a cash buffer and the fee |
//! | [`FixedFractional`] | units | the loss that is accepted when the stop is hit |
//! | [`AtrSizing`] | units | the same, with the stop a multiple of the average true range away |
//! | [`Kelly`] | weight | mean and variance of returns, or win rate and payoff |
//! | [`VolatilityTarget`] | weight | realised volatility |
//!
//! Units are signed (positive buys) and always rounded towards zero to whole lots, so that nothing is larger than what
//! was asked; what is less than one lot becomes zero. Weights are signed fractions of equity. An input that is not a
//! number or is out of range is a [`SizingError`] that names it: a size is never `NaN`, and never a guess.
//!
//! Prices and ranges are per unit in the account's currency: multiply by `view.unit_value(i) / close` where there is a
//! multiplier or a rate.
//!
//! A sizer knows no limits: the risk rules still judge every order and target that is made from its answer.
//!
//! ```
//! use sextant_domain::Side;
//! use sextant_risk::sizing::{AtrSizing, SizingError, VolatilityTarget};
//!
//! // 1 % of 100 000 at risk, the stop 2.5 ATR away: 1000 / (2.5 x 1.6) = 250 shares.
//! let sizer = AtrSizing { risk_fraction: 0.01, atr_multiple: 2.5 };
//! let units = sizer.units(Side::Buy, 100_000.0, 1.6, 1.into())?;
//! assert_eq!(units.to_f64(), 250.0);
//!
//! let weight = VolatilityTarget { annual_target: 0.10, cap: 1.0 }.weight(0.16)?;
//! assert_eq!(weight, 0.625);
//! # Ok::<(), SizingError>(())
//! ```

mod at_risk;
mod kelly;
mod shares;
mod volatility;

pub use at_risk::{AtrSizing, FixedFractional};
pub use kelly::Kelly;
use rust_decimal::Decimal;
use sextant_domain::{MoneyError, Quantity, Side};
pub use shares::{FixedShares, PercentOfEquity};
use thiserror::Error;
pub use volatility::VolatilityTarget;

/// Why there is no size.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SizingError {
    /// A parameter or an input out of range.
    #[error("{field} is {value}, but must be {allowed}: no size without it")]
    Input {
        /// The parameter or input.
        field: &'static str,
        /// The value found.
        value: f64,
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// A lot that cannot be counted in.
    #[error("lot is {0}, but must be a positive number of units")]
    Lot(Decimal),
    /// A size with no exact decimal value.
    #[error("the size has no exact value: {0}")]
    Money(#[from] MoneyError),
}

fn positive(field: &'static str, value: f64) -> Result<f64, SizingError> {
    checked(
        field,
        value,
        value > 0.0 && value.is_finite(),
        "a positive number",
    )
}

fn unit_fraction(field: &'static str, value: f64) -> Result<f64, SizingError> {
    let allowed = "a fraction above 0 and up to 1";
    checked(field, value, value > 0.0 && value <= 1.0, allowed)
}

fn finite(field: &'static str, value: f64) -> Result<f64, SizingError> {
    checked(field, value, value.is_finite(), "a finite number")
}

fn checked(
    field: &'static str,
    value: f64,
    is_allowed: bool,
    allowed: &'static str,
) -> Result<f64, SizingError> {
    if is_allowed {
        Ok(value)
    } else {
        Err(SizingError::Input {
            field,
            value,
            allowed,
        })
    }
}

fn checked_lot(lot: Decimal) -> Result<Decimal, SizingError> {
    if lot > Decimal::ZERO {
        Ok(lot)
    } else {
        Err(SizingError::Lot(lot))
    }
}

/// Whole lots of a magnitude, on a side.
fn signed_lots(side: Side, magnitude: f64, lot: Decimal) -> Result<Quantity, SizingError> {
    let units = Quantity::from_f64_towards_zero(magnitude, checked_lot(lot)?)?;
    Ok(match side {
        Side::Buy => units,
        Side::Sell => -units,
    })
}
