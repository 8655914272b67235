//! Commission by who waited, graded by what was traded before.

use rust_decimal::Decimal;
use sextant_domain::{Cash, MoneyError};

use super::error::{BASIS_POINTS, check};
use super::{CostError, FeeModel, Liquidity, Trade, basis_points, fee_rounded_up};

const MODEL: &str = "maker and taker fee";

/// One line of a price list: the rates from a traded value on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeeTier {
    /// The value traded on the 30 days before from which the line counts, in the account's currency.
    pub from_value_30d: f64,
    /// Rate of trades that waited in the market, in basis points of their value; below zero it is a rebate.
    pub maker_bps: Decimal,
    /// Rate of trades that took what there was, in basis points of their value.
    pub taker_bps: Decimal,
}

/// Commission in proportion to the traded value, at rates for makers and takers that depend on the value traded before: the
/// price lists of crypto exchanges.
///
/// The value is that of [`Trade::traded_value_30d`]: whole UTC days before the day of the trade, all instruments of the
/// class together, as exchanges count it that grade once a day.
///
/// Assumes that the account traded nothing before the run began, so a run begins in the first tier (pessimistic for an
/// account that did, where rates fall with value), and that instruments of a class trade on one exchange. Fees are rounded up and rebates down, to the eighth decimal.
#[derive(Debug, Clone, PartialEq)]
pub struct MakerTakerFee {
    tiers: Vec<FeeTier>,
}

impl MakerTakerFee {
    /// A price list, lowest value first; the first line begins at 0.
    ///
    /// # Errors
    /// [`CostError`] for no tier, a first tier that does not begin at 0, values that do not rise, `maker_bps` outside
    /// -1000 to 1000, or `taker_bps` outside 0 to 1000.
    pub fn new(tiers: Vec<FeeTier>) -> Result<Self, CostError> {
        if tiers.is_empty() {
            return Err(CostError::new(
                MODEL,
                "tiers",
                "empty",
                "a list of one tier or more",
            ));
        }
        let mut before: Option<f64> = None;
        for (index, tier) in tiers.iter().enumerate() {
            check_tier(&format!("{MODEL}, tier {}", index + 1), tier, before)?;
            before = Some(tier.from_value_30d);
        }
        Ok(Self { tiers })
    }

    /// The same rates at any traded value.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn flat(maker_bps: Decimal, taker_bps: Decimal) -> Result<Self, CostError> {
        Self::new(vec![FeeTier {
            from_value_30d: 0.0,
            maker_bps,
            taker_bps,
        }])
    }

    fn tier(&self, traded_value: f64) -> &FeeTier {
        let reached = self
            .tiers
            .partition_point(|tier| tier.from_value_30d <= traded_value);
        &self.tiers[reached.saturating_sub(1)]
    }
}

fn check_tier(subject: &str, tier: &FeeTier, before: Option<f64>) -> Result<(), CostError> {
    let (zero, most) = (Decimal::ZERO, Decimal::ONE_THOUSAND);
    let value = tier.from_value_30d;
    let wrong = |allowed: &str| Err(CostError::new(subject, "from_value_30d", value, allowed));
    match before {
        None if value != 0.0 => return wrong("0 in the first tier"),
        Some(before) if !(value > before && value.is_finite()) => {
            return wrong(&format!("finite and above {before}, that of the tier before"));
        }
        _ => {}
    }
    check(subject, ("maker_bps", tier.maker_bps), -most..=most, BASIS_POINTS)?;
    check(subject, ("taker_bps", tier.taker_bps), zero..=most, BASIS_POINTS)
}

impl FeeModel for MakerTakerFee {
    fn fee(&self, trade: &Trade<'_>) -> Result<Cash, MoneyError> {
        let tier = self.tier(trade.traded_value_30d);
        let rate = match trade.liquidity {
            Liquidity::Maker => tier.maker_bps,
            Liquidity::Taker => tier.taker_bps,
        };
        let value = trade.value()?;
        Ok(fee_rounded_up(basis_points(value.decimal(), rate)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::test_support::{Sample, dec};
    use super::*;

    fn tier(from_value_30d: f64, maker: &str, taker: &str) -> FeeTier {
        FeeTier {
            from_value_30d,
            maker_bps: dec(maker),
            taker_bps: dec(taker),
        }
    }

    #[test]
    fn fees_by_liquidity_and_tier() {
        let list = MakerTakerFee::new(vec![
            tier(0.0, "2", "5"),
            tier(1e6, "0", "4"),
            tier(1e7, "-0.5", "3"),
        ])
        .unwrap();
        let sample = Sample::equity();
        for (liquidity, traded, quantity, price, expected) in [
            // 2 and 5 bp of 3 x 33,333.33 = 99,999.99.
            (Liquidity::Maker, 0.0, "3", "33333.33", "19.999998"),
            (Liquidity::Taker, 0.0, "-3", "33333.33", "49.999995"),
            (Liquidity::Taker, 999_999.99, "3", "33333.33", "49.999995"),
            (Liquidity::Maker, 1e6, "3", "33333.33", "0"),
            (Liquidity::Taker, 1e6, "3", "33333.33", "39.999996"),
            (Liquidity::Maker, 5e7, "3", "33333.33", "-4.9999995"),
            // -0.5 bp of 0.00123 is -0.0000000615: a rebate is rounded down; 3 bp are 0.000000369.
            (Liquidity::Maker, 5e7, "1", "0.00123", "-0.00000006"),
            (Liquidity::Taker, 5e7, "1", "0.00123", "0.00000037"),
        ] {
            let trade = Trade {
                liquidity,
                traded_value_30d: traded,
                ..sample.trade(quantity, price)
            };
            assert_eq!(
                list.fee(&trade).unwrap().decimal(),
                dec(expected),
                "{liquidity:?} {traded}"
            );
        }
    }

    #[test]
    fn price_lists_that_make_no_sense_are_refused() {
        for (tiers, message) in [
            (
                vec![],
                "maker and taker fee: tiers is empty, but must be a list of one tier or more",
            ),
            (
                vec![tier(1.0, "1", "1")],
                "maker and taker fee, tier 1: from_value_30d is 1, but must be 0 in the first tier",
            ),
            (
                vec![tier(0.0, "1", "1"), tier(f64::NAN, "1", "1")],
                "maker and taker fee, tier 2: from_value_30d is NaN, but must be finite and above 0, that of the tier before",
            ),
            (
                vec![tier(0.0, "1", "1"), tier(5.0, "1", "1"), tier(5.0, "1", "1")],
                "maker and taker fee, tier 3: from_value_30d is 5, but must be finite and above 5, that of the tier before",
            ),
            (
                vec![tier(0.0, "-1001", "1")],
                "maker and taker fee, tier 1: maker_bps is -1001, but must be from -1000 to 1000 basis points",
            ),
            (
                vec![tier(0.0, "1", "-1")],
                "maker and taker fee, tier 1: taker_bps is -1, but must be from 0 to 1000 basis points",
            ),
        ] {
            assert_eq!(MakerTakerFee::new(tiers).unwrap_err().to_string(), message);
        }
    }
}
