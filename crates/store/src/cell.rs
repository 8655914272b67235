//! One value of one column: the bridge between Rust types and the types of a column.

use rust_decimal::Decimal;
use sextant_domain::{Cash, OrderId, Price, Quantity, Side, UtcNanos};
use thiserror::Error;

use crate::schema::ColumnKind;

/// A value as a column holds it. A decimal is its digits without the point; the column knows where the point is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CellValue<'a> {
    Null,
    Text(&'a str),
    Time(i64),
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
    Decimal(i128),
}

/// Why a value cannot be stored or read.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum CellProblem {
    #[error(
        "the value is {0}; only finite numbers are stored, and a figure that is undefined is null with a reason"
    )]
    NotFinite(f64),
    #[error("{value} does not fit {}: at most {} digits before and {decimals} after the decimal point", .kind.sql(), .digits - .decimals)]
    NotDecimal {
        value: Decimal,
        kind: ColumnKind,
        digits: u8,
        decimals: u8,
    },
    #[error(
        "the time is at the end of the range; it must lie from 1677-09-22 to 2262-04-11T23:47:16.854775806Z"
    )]
    TimeAtEnd,
    #[error("{0} is too large; it must be below 2^63")]
    TooLarge(u64),
    #[error("`{found}` is not allowed; it must be one of {allowed}")]
    NotInList { found: String, allowed: String },
    #[error("it is null, but a value is required")]
    Null,
    #[error("it has another type than the column")]
    OtherType,
    #[error("it has more digits than a decimal of 28 digits can hold")]
    TooManyDigits,
}

/// 1677-09-22T00:00:00Z: DuckDB cannot print what lies on the day before.
const EARLIEST_NANOS: i64 = -106_751 * 86_400 * 1_000_000_000;

/// DuckDB takes the largest number for infinity.
const LATEST_NANOS: i64 = i64::MAX - 1;

/// A Rust type that is a column.
pub(crate) trait Cell: Sized {
    const KIND: ColumnKind;
    const NULLABLE: bool = false;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem>;

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem>;
}

/// The problem of a value that a type cannot read.
fn unreadable(value: CellValue<'_>) -> CellProblem {
    if value == CellValue::Null {
        CellProblem::Null
    } else {
        CellProblem::OtherType
    }
}

impl<T: Cell> Cell for Option<T> {
    const KIND: ColumnKind = T::KIND;
    const NULLABLE: bool = true;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        self.as_ref().map_or(Ok(CellValue::Null), Cell::to_value)
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        match value {
            CellValue::Null => Ok(None),
            present => T::from_value(present).map(Some),
        }
    }
}

impl Cell for String {
    const KIND: ColumnKind = ColumnKind::Text;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        Ok(CellValue::Text(self))
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        match value {
            CellValue::Text(text) => Ok(text.to_owned()),
            other => Err(unreadable(other)),
        }
    }
}

impl Cell for bool {
    const KIND: ColumnKind = ColumnKind::Boolean;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        Ok(CellValue::Boolean(*self))
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        match value {
            CellValue::Boolean(boolean) => Ok(boolean),
            other => Err(unreadable(other)),
        }
    }
}

impl Cell for f64 {
    const KIND: ColumnKind = ColumnKind::Float;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        if self.is_finite() {
            // Adding zero turns -0 into 0: Parquet dictionaries do not keep the two apart.
            Ok(CellValue::Float(*self + 0.0))
        } else {
            Err(CellProblem::NotFinite(*self))
        }
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        match value {
            CellValue::Float(number) if number.is_finite() => Ok(number),
            CellValue::Float(number) => Err(CellProblem::NotFinite(number)),
            other => Err(unreadable(other)),
        }
    }
}

impl Cell for u64 {
    const KIND: ColumnKind = ColumnKind::Unsigned;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        Ok(CellValue::Unsigned(*self))
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        match value {
            CellValue::Unsigned(number) => Ok(number),
            other => Err(unreadable(other)),
        }
    }
}

impl Cell for i64 {
    const KIND: ColumnKind = ColumnKind::Integer;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        Ok(CellValue::Integer(*self))
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        match value {
            CellValue::Integer(number) => Ok(number),
            other => Err(unreadable(other)),
        }
    }
}

impl Cell for OrderId {
    const KIND: ColumnKind = ColumnKind::Integer;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        let index = self.index();
        i64::try_from(index)
            .map(CellValue::Integer)
            .map_err(|_| CellProblem::TooLarge(index as u64))
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        match value {
            CellValue::Integer(number) => usize::try_from(number)
                .map(Self::from_index)
                .map_err(|_| CellProblem::OtherType),
            other => Err(unreadable(other)),
        }
    }
}

impl Cell for UtcNanos {
    const KIND: ColumnKind = ColumnKind::Time;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        let nanos = self.nanos();
        if (EARLIEST_NANOS..=LATEST_NANOS).contains(&nanos) {
            Ok(CellValue::Time(nanos))
        } else {
            Err(CellProblem::TimeAtEnd)
        }
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        match value {
            CellValue::Time(nanos) => Ok(Self::from_nanos(nanos)),
            other => Err(unreadable(other)),
        }
    }
}

impl Cell for Side {
    const KIND: ColumnKind = ColumnKind::Text;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        Ok(CellValue::Text(self.name()))
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        one_of(&[Self::Buy, Self::Sell], Self::name, value)
    }
}

/// The member of a closed list that goes by the name in a text column.
pub(crate) fn one_of<T: Copy>(
    list: &[T],
    name: impl Fn(T) -> &'static str,
    value: CellValue<'_>,
) -> Result<T, CellProblem> {
    let CellValue::Text(text) = value else {
        return Err(unreadable(value));
    };
    list.iter()
        .copied()
        .find(|member| name(*member) == text)
        .ok_or_else(|| {
            let allowed: Vec<_> = list.iter().map(|member| name(*member)).collect();
            CellProblem::NotInList {
                found: text.to_owned(),
                allowed: allowed.join(", "),
            }
        })
}

macro_rules! decimal_cell {
    ($type:ty, $digits:literal, $decimals:literal) => {
        impl Cell for $type {
            const KIND: ColumnKind = ColumnKind::Decimal {
                digits: $digits,
                decimals: $decimals,
            };

            fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
                let value = self.decimal();
                let (digits, decimals) = ($digits, $decimals);
                to_digits(value, digits, decimals)
                    .map(CellValue::Decimal)
                    .ok_or(CellProblem::NotDecimal {
                        value,
                        kind: Self::KIND,
                        digits,
                        decimals,
                    })
            }

            fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
                match value {
                    CellValue::Decimal(digits) => from_digits(digits, $decimals)
                        .map(Self::new)
                        .ok_or(CellProblem::TooManyDigits),
                    other => Err(unreadable(other)),
                }
            }
        }
    };
}

decimal_cell!(Price, 28, 8);
decimal_cell!(Quantity, 28, 8);
decimal_cell!(Cash, 38, 16);

/// The digits of a decimal with exactly `decimals` after the point; `None` when that is not exact or has too many.
fn to_digits(value: Decimal, digits: u8, decimals: u8) -> Option<i128> {
    let value = value.normalize();
    let missing = u32::from(decimals).checked_sub(value.scale())?;
    let scaled = value.mantissa().checked_mul(10_i128.checked_pow(missing)?)?;
    (scaled.unsigned_abs() < 10_u128.pow(u32::from(digits))).then_some(scaled)
}

/// The decimal of some digits, without trailing zeros; `None` when it needs more than 28 digits.
fn from_digits(mut digits: i128, decimals: u8) -> Option<Decimal> {
    let mut scale = u32::from(decimals);
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(digits, scale).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn decimals_fit_exactly_or_not_at_all() {
        for (text, digits) in [
            ("0", Some(0)),
            ("-0.00000001", Some(-1)),
            ("1.10000000000000000000", Some(110_000_000)),
            ("0.000000001", None),
            (
                "99999999999999999999.99999999",
                Some(9_999_999_999_999_999_999_999_999_999),
            ),
            ("100000000000000000000", None),
        ] {
            assert_eq!(to_digits(dec(text), 28, 8), digits, "{text}");
        }
        let message = Price::new(dec("0.123456789")).to_value().unwrap_err().to_string();
        assert!(
            message.contains("0.123456789") && message.contains("20 digits before and 8 after"),
            "{message}"
        );
        assert_eq!(
            to_digits(dec("1000000000000.0000000000000001"), 38, 16),
            Some(10_i128.pow(28) + 1)
        );
        assert_eq!(to_digits(dec("99999999999999999999999"), 38, 16), None);
    }

    #[test]
    fn what_is_not_finite_or_at_the_end_of_time_is_refused() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(matches!(bad.to_value(), Err(CellProblem::NotFinite(_))));
            assert!(matches!(Some(bad).to_value(), Err(CellProblem::NotFinite(_))));
        }
        let CellValue::Float(zero) = (-0.0_f64).to_value().unwrap() else {
            panic!("a float is a float")
        };
        assert!(zero.is_sign_positive());
        for end in [i64::MAX, i64::MIN, EARLIEST_NANOS - 1] {
            assert_eq!(UtcNanos::from_nanos(end).to_value(), Err(CellProblem::TimeAtEnd));
        }
        for text in ["1677-09-22", "2262-04-11T23:47:16.854775806Z"] {
            assert!(text.parse::<UtcNanos>().unwrap().to_value().is_ok(), "{text}");
        }
    }

    #[test]
    fn reading_checks_null_type_and_list() {
        assert_eq!(String::from_value(CellValue::Null), Err(CellProblem::Null));
        assert_eq!(<Option<String>>::from_value(CellValue::Null), Ok(None));
        assert_eq!(
            f64::from_value(CellValue::Integer(1)),
            Err(CellProblem::OtherType)
        );
        assert_eq!(Side::from_value(CellValue::Text("sell")), Ok(Side::Sell));
        let message = Side::from_value(CellValue::Text("hold")).unwrap_err().to_string();
        assert!(
            message.contains("hold") && message.contains("buy, sell"),
            "{message}"
        );
    }

    mod properties {
        use super::*;

        proptest! {
            #[test]
            fn prices_come_back(mantissa in -9_999_999_999_999_999_999_999_999_999_i128..=9_999_999_999_999_999_999_999_999_999, scale in 0_u32..=8) {
                let price = Price::new(Decimal::from_i128_with_scale(mantissa, scale));
                match price.to_value() {
                    Ok(value) => prop_assert_eq!(Price::from_value(value).unwrap(), price),
                    Err(problem) => prop_assert!(price.decimal().abs() >= dec("100000000000000000000"), "{}", problem),
                }
            }

            #[test]
            fn cash_comes_back(mantissa in any::<i64>(), high in -4_000_000_000_i64..4_000_000_000, scale in 0_u32..=16) {
                let digits = i128::from(high) * i128::from(u64::MAX) + i128::from(mantissa);
                let cash = Cash::new(Decimal::from_i128_with_scale(digits, scale));
                match cash.to_value() {
                    Ok(value) => prop_assert_eq!(Cash::from_value(value).unwrap(), cash),
                    Err(problem) => prop_assert!(cash.decimal().abs() >= dec("10000000000000000000000"), "{}", problem),
                }
            }
        }
    }
}
