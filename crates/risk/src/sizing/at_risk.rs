//! Sizes by the loss that is accepted when the stop is hit.

use rust_decimal::Decimal;
use sextant_domain::{Quantity, Side};

use super::{SizingError, checked, positive, signed_lots, unit_fraction};

/// Fixed fractional sizing: each trade risks the same fraction of equity.
///
/// Units = `risk_fraction x equity / |entry - stop|`, which is what the stop loses when it fills at its level (gaps,
/// slippage and fees come on top). R. Vince, *Portfolio Management Formulas*, 1990.
///
/// Prices are per unit in the account's currency: multiply by `view.unit_value(i) / close` where there is a multiplier or a
/// rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedFractional {
    /// The fraction of equity at risk: above 0 and up to 1.
    pub risk_fraction: f64,
}

impl FixedFractional {
    /// Signed units for an entry at `entry` with the stop at `stop`: a stop below the entry belongs to a long position,
    /// one above it to a short position.
    ///
    /// # Errors
    /// [`SizingError`] when an input is not positive or the stop lies at the entry.
    pub fn units(&self, equity: f64, entry: f64, stop: f64, lot: Decimal) -> Result<Quantity, SizingError> {
        let (entry, stop) = (positive("entry", entry)?, positive("stop", stop)?);
        checked("stop", stop, stop != entry, "another price than the entry")?;
        let side = if stop < entry { Side::Buy } else { Side::Sell };
        let risk = unit_fraction("risk_fraction", self.risk_fraction)? * positive("equity", equity)?;
        signed_lots(side, risk / (entry - stop).abs(), lot)
    }
}

/// Fixed fractional sizing with the stop a multiple of the average true range away.
///
/// Units = `risk_fraction x equity / (atr_multiple x ATR)`. J. W. Wilder, *New Concepts in Technical Trading Systems*,
/// 1978 (average true range); C. Faith, *Way of the Turtle*, 2007 (sizing by it).
///
/// The range is per unit in the account's currency: multiply by `view.unit_value(i) / close` where there is a multiplier or
/// a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtrSizing {
    /// The fraction of equity at risk: above 0 and up to 1.
    pub risk_fraction: f64,
    /// The distance of the stop in average true ranges, positive.
    pub atr_multiple: f64,
}

impl AtrSizing {
    /// Signed units. An `atr` that is not a number, as it is while it warms up, is an error: there is no size yet.
    ///
    /// # Errors
    /// [`SizingError`] when an input is not positive.
    pub fn units(&self, side: Side, equity: f64, atr: f64, lot: Decimal) -> Result<Quantity, SizingError> {
        let risk = unit_fraction("risk_fraction", self.risk_fraction)? * positive("equity", equity)?;
        let distance = positive("atr_multiple", self.atr_multiple)? * positive("atr", atr)?;
        signed_lots(side, risk / distance, lot)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_stop_loses_the_fraction() {
        let two_percent = FixedFractional { risk_fraction: 0.02 };
        for (entry, stop, expected) in [
            // 1 000 at risk over 2.50 a share.
            (50.0, 47.5, 400.0),
            (50.0, 52.5, -400.0),
            // 1 000 / 3 = 333.33.
            (50.0, 47.0, 333.0),
        ] {
            let units = two_percent.units(50_000.0, entry, stop, Decimal::ONE).unwrap();
            assert_eq!(units.to_f64(), expected, "{entry} {stop}");
        }
    }

    #[test]
    fn a_wide_range_makes_a_small_position() {
        let sizer = AtrSizing {
            risk_fraction: 0.01,
            atr_multiple: 2.0,
        };
        // 1 000 / (2 x 1.25) = 400; 1 000 / (2 x 3) = 166.67; in bitcoin 1 000 / 2 400 = 0.41667.
        let units = |side, atr, lot: &str| {
            let lot = lot.parse().unwrap();
            sizer.units(side, 100_000.0, atr, lot).unwrap().to_f64()
        };
        assert_eq!(units(Side::Buy, 1.25, "1"), 400.0);
        assert_eq!(units(Side::Sell, 3.0, "1"), -166.0);
        assert_eq!(units(Side::Buy, 1_200.0, "0.0001"), 0.4166);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let fractional = |risk_fraction| FixedFractional { risk_fraction };
        let by_atr = AtrSizing {
            risk_fraction: 0.01,
            atr_multiple: 2.0,
        };
        let lot = Decimal::ONE;
        for (found, expected) in [
            (fractional(0.01).units(1e5, 50.0, 50.0, lot), "stop is 50"),
            (fractional(0.01).units(1e5, 50.0, f64::NAN, lot), "stop is NaN"),
            (fractional(0.0).units(1e5, 50.0, 49.0, lot), "risk_fraction is 0"),
            (
                fractional(1.5).units(1e5, 50.0, 49.0, lot),
                "risk_fraction is 1.5",
            ),
            (by_atr.units(Side::Buy, 1e5, f64::NAN, lot), "atr is NaN"),
            (by_atr.units(Side::Buy, 1e5, 0.0, lot), "atr is 0"),
            (by_atr.units(Side::Buy, -1.0, 1.0, lot), "equity is -1"),
        ] {
            let found = found.unwrap_err().to_string();
            assert!(found.starts_with(expected), "{found}");
        }
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn the_loss_at_the_stop_is_never_over_the_fraction(
                risk_fraction in 0.001..0.2f64, equity in 1e3..1e6f64, entry in 1.0..500.0f64, stop in 1.0..500.0f64,
            ) {
                prop_assume!((entry - stop).abs() > 0.01);
                let sizer = FixedFractional { risk_fraction };
                let units = sizer.units(equity, entry, stop, Decimal::ONE).unwrap().to_f64();
                let loss = units * (entry - stop);
                prop_assert!(loss >= 0.0);
                prop_assert!(loss <= risk_fraction * equity * (1.0 + 1e-8));
                prop_assert!(loss + (entry - stop).abs() > risk_fraction * equity * (1.0 - 1e-8));
            }
        }
    }
}
