//! Slippage of half the spread.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use sextant_domain::{AssetClass, Instrument, MoneyError, Price};

use super::error::{BASIS_POINTS, check};
use super::{CostError, SlippageModel, Trade, basis_points, moved_against};

/// Half the quoted spread, by asset class, with other values for single instruments.
///
/// Assumes that the prices of bars are mid prices, that the spread is the same part of the price at all times, and that the
/// quote holds for the whole quantity; what a large order moves comes on top, through
/// [`SumOfSlippage`](super::SumOfSlippage). The price is rounded against the trader at the eighth decimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadSlippage {
    by_class: [Decimal; AssetClass::ALL.len()],
    by_symbol: BTreeMap<String, Decimal>,
}

impl SpreadSlippage {
    /// Half spreads in basis points of the price, one per class.
    ///
    /// # Errors
    /// [`CostError`] for a half spread below 0 or above 1000 basis points.
    pub fn by_class(half_spread_bps: impl Fn(AssetClass) -> Decimal) -> Result<Self, CostError> {
        let by_class = AssetClass::ALL.map(half_spread_bps);
        for (class, half_spread) in AssetClass::ALL.into_iter().zip(by_class) {
            check_half_spread(class.name(), half_spread)?;
        }
        Ok(Self {
            by_class,
            by_symbol: BTreeMap::new(),
        })
    }

    /// The same with another half spread for one instrument.
    ///
    /// # Errors
    /// [`CostError`] for a half spread below 0 or above 1000 basis points.
    pub fn with(mut self, symbol: &str, half_spread_bps: Decimal) -> Result<Self, CostError> {
        check_half_spread(symbol, half_spread_bps)?;
        self.by_symbol.insert(symbol.to_owned(), half_spread_bps);
        Ok(self)
    }

    fn half_spread_bps(&self, instrument: &Instrument) -> Decimal {
        let own = self.by_symbol.get(&instrument.symbol);
        own.copied().unwrap_or(self.by_class[instrument.class.index()])
    }
}

fn check_half_spread(subject: &str, half_spread_bps: Decimal) -> Result<(), CostError> {
    check(
        subject,
        ("half_spread_bps", half_spread_bps),
        Decimal::ZERO..=Decimal::ONE_THOUSAND,
        BASIS_POINTS,
    )
}

impl SlippageModel for SpreadSlippage {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let distance = basis_points(trade.price.decimal(), self.half_spread_bps(trade.instrument))?;
        moved_against(trade, distance)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::test_support::{Sample, dec};
    use super::*;

    #[test]
    fn half_the_spread_is_paid_on_either_side() {
        let by_class = SpreadSlippage::by_class(|class| match class {
            AssetClass::Equity => dec("0.5"),
            AssetClass::Crypto | AssetClass::Fx => dec("4"),
        })
        .unwrap();
        let own = by_class.clone().with("ACME", dec("20")).unwrap();
        let other = by_class.clone().with("OTHER", dec("20")).unwrap();
        for (model, class, quantity, price) in [
            // 0.5 bp of 10.01 is 0.0005005.
            (&by_class, AssetClass::Equity, "5", "10.0105005"),
            (&by_class, AssetClass::Equity, "-5", "10.0094995"),
            (&other, AssetClass::Equity, "5", "10.0105005"),
            // 4 bp are 0.004004, 20 bp are 0.02002.
            (&by_class, AssetClass::Fx, "5", "10.014004"),
            (&own, AssetClass::Fx, "-5", "9.98998"),
        ] {
            let found = model
                .price(&Sample::of_class(class).trade(quantity, "10.01"))
                .unwrap();
            assert_eq!(found.decimal(), dec(price), "{class} {quantity}");
        }
    }

    #[test]
    fn spreads_outside_the_range_are_refused() {
        let refused = SpreadSlippage::by_class(|class| match class {
            AssetClass::Crypto => dec("-1"),
            AssetClass::Equity | AssetClass::Fx => dec("1"),
        });
        assert_eq!(
            refused.unwrap_err().to_string(),
            "crypto: half_spread_bps is -1, but must be from 0 to 1000 basis points"
        );
        let fine = SpreadSlippage::by_class(|_| dec("1")).unwrap();
        assert_eq!(
            fine.with("ACME", dec("1001")).unwrap_err().to_string(),
            "ACME: half_spread_bps is 1001, but must be from 0 to 1000 basis points"
        );
    }
}
