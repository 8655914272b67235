//! What trading costs.

use rust_decimal::{Decimal, RoundingStrategy};
use sextant_domain::{AssetClass, Cash, MoneyError, Price, Quantity};
use thiserror::Error;

/// Decimals of fees and of prices after slippage. Both are rounded against the trader.
const DECIMALS: u32 = 8;

/// Commission and slippage of a market order.
pub trait CostSchedule {
    /// Commission, as a positive cost.
    ///
    /// # Errors
    /// [`MoneyError`] when the notional does not fit exactly.
    fn fee(&self, class: AssetClass, quantity: Quantity, price: Price) -> Result<Cash, MoneyError>;

    /// The price after slippage: at or above the market price when buying, at or below it when selling.
    ///
    /// # Errors
    /// [`MoneyError`] when the price does not fit.
    fn price(&self, class: AssetClass, quantity: Quantity, market: Price) -> Result<Price, MoneyError>;
}

/// Costs of one asset class in basis points (hundredths of a per cent) of the traded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProportionalCosts {
    /// Commission per side.
    pub commission_bps: Decimal,
    /// Half spread and slippage per side.
    pub slippage_bps: Decimal,
}

/// A cost that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{class}: {field} is {found}, but must be from 0 to 1000 basis points")]
pub struct CostError {
    /// The asset class.
    pub class: AssetClass,
    /// `commission_bps` or `slippage_bps`.
    pub field: &'static str,
    /// The value found.
    pub found: Decimal,
}

/// Proportional costs by asset class.
///
/// Assumes that a fill costs the same at any size, time of day and volatility: orders are taken to be small against the
/// market. Commission and slippage are rounded up to the eighth decimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Costs {
    by_class: [ProportionalCosts; AssetClass::ALL.len()],
}

impl Costs {
    /// Costs from one entry per class.
    ///
    /// # Errors
    /// [`CostError`] for a cost below 0 or above 1000 basis points.
    pub fn new(of: impl Fn(AssetClass) -> ProportionalCosts) -> Result<Self, CostError> {
        let by_class = AssetClass::ALL.map(of);
        let allowed = Decimal::ZERO..=Decimal::ONE_THOUSAND;
        for (class, costs) in AssetClass::ALL.into_iter().zip(&by_class) {
            let fields = [
                ("commission_bps", costs.commission_bps),
                ("slippage_bps", costs.slippage_bps),
            ];
            if let Some((field, found)) = fields.into_iter().find(|(_, found)| !allowed.contains(found)) {
                return Err(CostError { class, field, found });
            }
        }
        Ok(Self { by_class })
    }

    /// The same costs for every class.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn uniform(costs: ProportionalCosts) -> Result<Self, CostError> {
        Self::new(|_| costs)
    }
}

impl CostSchedule for Costs {
    fn fee(&self, class: AssetClass, quantity: Quantity, price: Price) -> Result<Cash, MoneyError> {
        let rate = self.by_class[class.index()].commission_bps;
        if rate.is_zero() {
            return Ok(Cash::ZERO);
        }
        let notional = price.times(quantity.abs())?;
        let fee = notional.decimal() * (rate / Decimal::from(10_000));
        Ok(Cash::new(fee.round_dp_with_strategy(
            DECIMALS,
            RoundingStrategy::AwayFromZero,
        )))
    }

    fn price(&self, class: AssetClass, quantity: Quantity, market: Price) -> Result<Price, MoneyError> {
        let rate = self.by_class[class.index()].slippage_bps;
        if rate.is_zero() || quantity.is_zero() {
            return Ok(market);
        }
        let distance = market.decimal() * (rate / Decimal::from(10_000));
        let distance = distance.round_dp_with_strategy(DECIMALS, RoundingStrategy::AwayFromZero);
        let distance = Price::new(distance);
        if quantity.is_positive() {
            market.plus(distance)
        } else {
            market.minus(distance)
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
    fn costs_work_against_the_trader() {
        let costs = ProportionalCosts {
            commission_bps: dec("10"),
            slippage_bps: dec("3"),
        };
        let costs = Costs::uniform(costs).unwrap();
        let market = Price::new(dec("10.01"));
        let buy = costs
            .price(AssetClass::Equity, Quantity::new(dec("5")), market)
            .unwrap();
        let sell = costs
            .price(AssetClass::Equity, Quantity::new(dec("-5")), market)
            .unwrap();
        assert_eq!(
            (buy.decimal(), sell.decimal()),
            (dec("10.013003"), dec("10.006997"))
        );
        for quantity in ["5", "-5"] {
            let fee = costs
                .fee(AssetClass::Crypto, Quantity::new(dec(quantity)), market)
                .unwrap();
            assert_eq!(fee.decimal(), dec("0.05005"));
        }
    }

    #[test]
    fn costs_outside_the_range_are_refused() {
        for bad in ["-1", "1000.1"] {
            let costs = ProportionalCosts {
                commission_bps: dec("1"),
                slippage_bps: dec(bad),
            };
            assert_eq!(Costs::uniform(costs).unwrap_err().field, "slippage_bps");
        }
    }
}
