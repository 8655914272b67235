//! Commission by the share.

use rust_decimal::Decimal;
use sextant_domain::{Cash, MoneyError};

use super::error::check;
use super::{CostError, FeeModel, Trade, fee_rounded_up, part};

const MODEL: &str = "fee per share";

/// A commission for each share (or contract: for each unit of quantity), with a minimum for each fill and a cap in parts of the traded value.
///
/// The fee is `min(maximum_fraction_of_value x value, max(minimum, per_share x shares))`: the price list of Interactive
/// Brokers for US shares (fixed pricing), which Lean follows with 0.005, 1 and 0.5 %. As on that list, the cap holds even
/// where it lies below the minimum; Lean's code leaves the minimum standing there, which matters for trades of less than
/// `minimum / maximum_fraction_of_value`.
///
/// Assumes that the minimum is charged for each fill, so an order that fills in parts pays it more than once (brokers
/// charge it once for the order of a day: pessimistic), and that makers and takers pay alike. The fee is rounded up to the
/// eighth decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerShareFee {
    per_share: Decimal,
    minimum: Decimal,
    maximum_fraction_of_value: Decimal,
}

impl PerShareFee {
    /// Money per share, the least money per fill, and the largest part of the traded value (0.005 is half a per cent).
    ///
    /// # Errors
    /// [`CostError`] for `per_share` outside 0 to 1000, `minimum` outside 0 to 1,000,000, or
    /// `maximum_fraction_of_value` outside 0.000001 to 1.
    pub fn new(
        per_share: Decimal,
        minimum: Decimal,
        maximum_fraction_of_value: Decimal,
    ) -> Result<Self, CostError> {
        let (most, least_cap) = (Decimal::from(1_000_000), Decimal::new(1, 6));
        check(
            MODEL,
            ("per_share", per_share),
            Decimal::ZERO..=Decimal::ONE_THOUSAND,
            "",
        )?;
        check(MODEL, ("minimum", minimum), Decimal::ZERO..=most, "")?;
        check(
            MODEL,
            ("maximum_fraction_of_value", maximum_fraction_of_value),
            least_cap..=Decimal::ONE,
            "",
        )?;
        Ok(Self {
            per_share,
            minimum,
            maximum_fraction_of_value,
        })
    }
}

impl FeeModel for PerShareFee {
    fn fee(&self, trade: &Trade<'_>) -> Result<Cash, MoneyError> {
        let shares = trade.quantity.abs();
        let value = trade.value()?;
        let cap = part(value.decimal(), self.maximum_fraction_of_value)?;
        let fee = part(shares.decimal(), self.per_share)?.max(self.minimum).min(cap);
        Ok(fee_rounded_up(fee))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::test_support::{Sample, dec};
    use super::*;

    fn lean() -> PerShareFee {
        PerShareFee::new(dec("0.005"), dec("1"), dec("0.005")).unwrap()
    }

    #[test]
    fn fees_of_the_price_list() {
        for (quantity, price, expected) in [
            // 697 x 0.005.
            ("697", "143.37", "3.485"),
            ("-697", "143.37", "3.485"),
            // 0.50 by the share: the minimum.
            ("100", "100", "1"),
            // 5 by the share, but half a per cent of 500 is 2.5.
            ("1000", "0.5", "2.5"),
            // The minimum, but half a per cent of 100 is 0.5.
            ("1", "100", "0.5"),
            // Half a per cent of 0.00000123 is 0.00000000615.
            ("1", "0.00000123", "0.00000001"),
        ] {
            let fee = lean().fee(&Sample::equity().trade(quantity, price)).unwrap();
            assert_eq!(fee.decimal(), dec(expected), "{quantity} at {price}");
        }
    }

    /// Lean's `BasicTemplateDailyAlgorithm` (worked example L01): one order, fees of 3.49 in print.
    ///
    /// SPY closed at 165.48 on 2013-10-08; with the price factor 0.8646266 that is 143.078...
    /// The largest q with q x price <= 0.9975 x 100,000 - 0.005 x q is 99,750 / 143.083... = 697.1..., so 697 shares, and
    /// 697 x 0.005 = 3.485. It filled at the next open, 165.82 x 0.8646266 = 143.372382812.
    #[test]
    fn l01_fee_of_the_first_order() {
        let close = dec("165.48") * dec("0.8646266");
        let shares = (dec("99750") / (close + dec("0.005"))).floor();
        assert_eq!(shares, dec("697"));
        let fee = lean()
            .fee(&Sample::equity().trade(&shares.to_string(), "143.372382812"))
            .unwrap();
        let printed = fee
            .decimal()
            .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        assert_eq!(printed, dec("3.49"));
    }

    #[test]
    fn parameters_outside_the_range_are_refused() {
        for (parameters, message) in [
            (
                ["-0.1", "1", "0.01"],
                "fee per share: per_share is -0.1, but must be from 0 to 1000",
            ),
            (
                ["0.1", "-1", "0.01"],
                "fee per share: minimum is -1, but must be from 0 to 1000000",
            ),
            (
                ["0.1", "1", "0"],
                "fee per share: maximum_fraction_of_value is 0, but must be from 0.000001 to 1",
            ),
            (
                ["0.1", "1", "1.01"],
                "fee per share: maximum_fraction_of_value is 1.01, but must be from 0.000001 to 1",
            ),
        ] {
            let [per_share, minimum, cap] = parameters.map(dec);
            assert_eq!(
                PerShareFee::new(per_share, minimum, cap).unwrap_err().to_string(),
                message
            );
        }
    }
}
