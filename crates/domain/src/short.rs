//! Arithmetic of decimals whose mantissas fit 64 bits: nearly all that occur, in a fraction of the time of the general case.
//! What it gives has the same digits, scale and sign as `rust_decimal`'s own.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Powers of ten that fit `i64`, by exponent.
const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = 10 * powers[exponent - 1];
        exponent += 1;
    }
    powers
};

/// The mantissa, where its magnitude is below 2^63.
#[inline]
fn mantissa(value: Decimal) -> Option<i64> {
    let parts = value.unpack();
    if parts.hi | parts.mid >> 31 != 0 {
        return None;
    }
    let magnitude = joined(parts.lo, parts.mid) as i64;
    Some(if parts.negative { -magnitude } else { magnitude })
}

#[inline]
fn joined(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The exact sum on the larger of both scales, or the other side of a zero as it is; `None` when something does not fit.
#[inline]
pub(crate) fn sum(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (a, b) = (mantissa(left)?, mantissa(right)?);
    if a == 0 {
        return Some(right);
    }
    if b == 0 {
        return Some(left);
    }
    let (of_left, of_right) = (left.scale(), right.scale());
    let sum = if of_left == of_right {
        a.checked_add(b)?
    } else if of_left < of_right {
        a.checked_mul(*POWERS.get((of_right - of_left) as usize)?)?
            .checked_add(b)?
    } else {
        b.checked_mul(*POWERS.get((of_left - of_right) as usize)?)?
            .checked_add(a)?
    };
    Some(of_parts(sum, of_left.max(of_right)))
}

/// A running exact sum of many values, in fewer steps than adding one after the other with [`sum`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Total {
    mantissa: i128,
    scale: u32,
}

impl Total {
    #[inline]
    pub(crate) fn of(value: Decimal) -> Self {
        Self {
            mantissa: value.mantissa(),
            scale: value.scale(),
        }
    }

    /// Adds a value of 64 bits; `None`, and nothing changed, for a longer one and when the sum does not fit a decimal.
    #[inline]
    pub(crate) fn add(&mut self, value: Decimal) -> Option<()> {
        let (added, scale) = (i128::from(mantissa(value)?), value.scale());
        if added == 0 {
            return Some(());
        }
        if self.mantissa == 0 {
            (self.mantissa, self.scale) = (added, scale);
            return Some(());
        }
        let sum = if scale == self.scale {
            self.mantissa.checked_add(added)?
        } else if scale < self.scale {
            // Below 2^63 times 10^18, which fits 128 bits.
            let aligned = added * i128::from(*POWERS.get((self.scale - scale) as usize)?);
            self.mantissa.checked_add(aligned)?
        } else {
            let power = *POWERS.get((scale - self.scale) as usize)?;
            self.mantissa.checked_mul(power.into())?.checked_add(added)?
        };
        // The mantissa of a decimal has 96 bits.
        if sum.unsigned_abs() >> 96 != 0 {
            return None;
        }
        (self.mantissa, self.scale) = (sum, self.scale.max(scale));
        Some(())
    }

    #[inline]
    pub(crate) fn value(self) -> Decimal {
        Decimal::from_i128_with_scale(self.mantissa, self.scale)
    }
}

/// The exact product; `None` when something does not fit.
#[inline]
pub(crate) fn product(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (left, right) = (left.unpack(), right.unpack());
    if left.hi | right.hi != 0 {
        return None;
    }
    let size = u128::from(joined(left.lo, left.mid)) * u128::from(joined(right.lo, right.mid));
    if size == 0 {
        return Some(Decimal::ZERO);
    }
    let scale = left.scale + right.scale;
    if size >> 96 != 0 || scale > Decimal::MAX_SCALE {
        return None;
    }
    Some(Decimal::from_parts(
        size as u32,
        (size >> 32) as u32,
        (size >> 64) as u32,
        left.negative != right.negative,
        scale,
    ))
}

/// Powers of ten that are exact in `f64`, by exponent.
const POWERS_OF_TEN: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// A step (tick or lot) of few digits as mantissa and scale; `None` for others, which take the way through decimals.
#[inline]
pub(crate) fn short_step(step: Decimal) -> Option<(i64, u32)> {
    let (mantissa, scale) = (mantissa(step)?, step.scale());
    let is_short = (1..=1_000).contains(&mantissa) && (scale as usize) < POWERS_OF_TEN.len();
    is_short.then_some((mantissa, scale))
}

/// `mantissa / 10^scale` without trailing zeros.
#[inline]
pub(crate) fn trimmed(mut mantissa: i64, mut scale: u32) -> Decimal {
    if mantissa == 0 {
        return Decimal::ZERO;
    }
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    of_parts(mantissa, scale)
}

/// `mantissa / 10^scale`.
#[inline]
fn of_parts(mantissa: i64, scale: u32) -> Decimal {
    let size = mantissa.unsigned_abs();
    Decimal::from_parts(size as u32, (size >> 32) as u32, 0, mantissa < 0, scale)
}

/// The nearest multiple of a step, where `f64` arithmetic proves it; `None` where only decimals can tell.
///
/// Values of up to 1e9 steps are off by less than 2e-6 steps after the conversion to a decimal of 15 digits and the
/// arithmetic here together, so that whatever is further than 1e-5 from half a step rounds the same way in both.
#[inline]
pub(crate) fn nearest_step(value: f64, step: Decimal) -> Option<Decimal> {
    let (mantissa, scale) = short_step(step)?;
    let steps = match mantissa {
        1 => value * POWERS_OF_TEN[scale as usize],
        _ => value * POWERS_OF_TEN[scale as usize] / mantissa as f64,
    };
    if !(steps > 0.0 && steps < 1e9) {
        return None;
    }
    let whole = steps as i64;
    let rest = steps - whole as f64;
    let is_certain = (rest - 0.5).abs() > 1e-5;
    is_certain.then(|| trimmed((whole + i64::from(rest > 0.5)) * mantissa, scale))
}

/// The nearest `f64` of a decimal: `Decimal::to_f64`, with its arithmetic in 64 bits where they suffice.
#[inline]
pub(crate) fn to_f64(value: Decimal) -> f64 {
    let (Some(mantissa), Some(power)) = (mantissa(value), POWERS_OF_TEN.get(value.scale() as usize)) else {
        return long_to_f64(value);
    };
    let magnitude = mantissa.unsigned_abs();
    if magnitude < 1 << 50 {
        // Below this the steps that follow come back to the mantissa itself before they divide.
        return mantissa as f64 / power;
    }
    let whole = magnitude / *power as u64;
    let fraction = magnitude - whole * *power as u64;
    let mut nearest = whole as f64;
    if fraction != 0 {
        let sum = nearest + fraction as f64 / power;
        nearest = (sum * power).round() / power;
    }
    if mantissa < 0 { -nearest } else { nearest }
}

#[cold]
#[inline(never)]
fn long_to_f64(value: Decimal) -> f64 {
    value.to_f64().expect("a decimal has a nearest f64")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::{add_by_decimals, mul_by_decimals};

    fn decimals() -> impl Strategy<Value = Decimal> {
        let mantissas = prop_oneof![
            Just(0_i128),
            -1_000..1_000_i128,
            any::<i64>().prop_map(i128::from),
            -(1_i128 << 95)..1_i128 << 95,
        ];
        (mantissas, 0_u32..=28).prop_map(|(mantissa, scale)| Decimal::from_i128_with_scale(mantissa, scale))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_short_way_gives_the_same_digits(left in decimals(), right in decimals()) {
            for right in [right, -right, -left] {
                if let Some(short) = sum(left, right) {
                    prop_assert_eq!(Ok(short.serialize()), add_by_decimals(left, right).map(|sum| sum.serialize()));
                }
            }
            if let Some(short) = product(left, right) {
                prop_assert_eq!(
                    Ok(short.serialize()),
                    mul_by_decimals(left, right).map(|product| product.serialize())
                );
            }
        }

        #[test]
        fn amounts_of_everyday_take_the_short_way(cents in any::<i32>(), lots in any::<i32>(), scale in 0_u32..9) {
            let (price, quantity) = (Decimal::new(cents.into(), 2), Decimal::new(lots.into(), scale));
            prop_assert!(product(price, quantity).is_some());
            prop_assert!(sum(price, quantity).is_some());
        }
    }
}
