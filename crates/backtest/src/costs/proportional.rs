//! Costs in proportion to the traded value.

use rust_decimal::{Decimal, RoundingStrategy};
use sextant_domain::{AssetClass, Cash, MoneyError, Price};

use super::error::{BASIS_POINTS, check};
use super::{CostError, DECIMALS, FeeModel, SlippageModel, Trade};

/// Costs of one asset class in basis points (hundredths of a per cent) of the traded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProportionalCosts {
    /// Commission per side.
    pub commission_bps: Decimal,
    /// Half spread and slippage per side.
    pub slippage_bps: Decimal,
}

/// Proportional costs by asset class.
///
/// Assumes that a fill costs the same at any size, time of day and volatility: orders are taken to be small against the
/// market. Commission and slippage are rounded up to the eighth decimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Costs {
    by_class: [Fractions; AssetClass::ALL.len()],
}

/// The costs of one class as parts of the traded value, divided once instead of at each fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fractions {
    commission: Decimal,
    slippage: Decimal,
}

impl From<ProportionalCosts> for Fractions {
    fn from(costs: ProportionalCosts) -> Self {
        let of = |bps: Decimal| bps / Decimal::from(10_000);
        Self {
            commission: of(costs.commission_bps),
            slippage: of(costs.slippage_bps),
        }
    }
}

impl Costs {
    /// Costs from one entry per class.
    ///
    /// # Errors
    /// [`CostError`] for a cost below 0 or above 1000 basis points.
    pub fn new(of: impl Fn(AssetClass) -> ProportionalCosts) -> Result<Self, CostError> {
        let by_class = AssetClass::ALL.map(of);
        for (class, costs) in AssetClass::ALL.into_iter().zip(&by_class) {
            for parameter in [
                ("commission_bps", costs.commission_bps),
                ("slippage_bps", costs.slippage_bps),
            ] {
                check(
                    class.name(),
                    parameter,
                    Decimal::ZERO..=Decimal::ONE_THOUSAND,
                    BASIS_POINTS,
                )?;
            }
        }
        Ok(Self {
            by_class: by_class.map(Fractions::from),
        })
    }

    /// The same costs for every class.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn uniform(costs: ProportionalCosts) -> Result<Self, CostError> {
        Self::new(|_| costs)
    }
}

impl FeeModel for Costs {
    fn fee(&self, trade: &Trade<'_>) -> Result<Cash, MoneyError> {
        let rate = self.by_class[trade.instrument.class.index()].commission;
        if rate.is_zero() {
            return Ok(Cash::ZERO);
        }
        let notional = trade.value()?;
        let fee = notional.decimal() * rate;
        Ok(Cash::new(fee.round_dp_with_strategy(
            DECIMALS,
            RoundingStrategy::AwayFromZero,
        )))
    }
}

impl SlippageModel for Costs {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let (market, rate) = (
            trade.price,
            self.by_class[trade.instrument.class.index()].slippage,
        );
        if rate.is_zero() {
            return Ok(market);
        }
        let distance = market.decimal() * rate;
        let distance = distance.round_dp_with_strategy(DECIMALS, RoundingStrategy::AwayFromZero);
        let distance = Price::new(distance);
        if trade.quantity.is_positive() {
            market.plus(distance)
        } else {
            market.minus(distance)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::test_support::{Sample, dec};
    use super::*;

    #[test]
    fn costs_work_against_the_trader() {
        let costs = ProportionalCosts {
            commission_bps: dec("10"),
            slippage_bps: dec("3"),
        };
        let costs = Costs::uniform(costs).unwrap();
        let sample = Sample::equity();
        let trade = |quantity| sample.trade(quantity, "10.01");
        let price = |quantity| costs.price(&trade(quantity)).unwrap().decimal();
        assert_eq!((price("5"), price("-5")), (dec("10.013003"), dec("10.006997")));
        for quantity in ["5", "-5"] {
            assert_eq!(costs.fee(&trade(quantity)).unwrap().decimal(), dec("0.05005"));
        }
    }

    #[test]
    fn costs_outside_the_range_are_refused() {
        for bad in ["-1", "1000.1"] {
            let costs = ProportionalCosts {
                commission_bps: dec("1"),
                slippage_bps: dec(bad),
            };
            assert_eq!(
                Costs::uniform(costs).unwrap_err().to_string(),
                format!("equity: slippage_bps is {bad}, but must be from 0 to 1000 basis points")
            );
        }
    }
}
