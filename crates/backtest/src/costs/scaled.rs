//! Costs times a number, to see what a result depends on.

use rust_decimal::Decimal;
use sextant_domain::{Cash, Instrument, MoneyError, Price};

use super::{CostError, FeeModel, SlippageModel, Trade, fee_rounded_up, moved_against, part};

/// The largest multiple; more is taken for a slip of the pen.
const LARGEST: u32 = 1_000;

/// The costs of another model times a multiple: 2 is twice as much, 0 is nothing.
///
/// Assumes that costs which grow with the size of a trade stay in proportion. A rebate is scaled like a fee. The volume limit
/// of a slippage model stays as it is.
pub struct Scaled<M> {
    model: M,
    multiple: Decimal,
}

impl<M> Scaled<M> {
    /// The model times a multiple.
    ///
    /// # Errors
    /// [`CostError`] for a multiple below 0 or above 1000.
    pub fn new(model: M, multiple: Decimal) -> Result<Self, CostError> {
        if multiple < Decimal::ZERO || multiple > Decimal::from(LARGEST) {
            return Err(CostError::new(
                "scaled costs",
                "multiple",
                multiple,
                "a number from 0 to 1000",
            ));
        }
        Ok(Self { model, multiple })
    }
}

impl<M: FeeModel> FeeModel for Scaled<M> {
    fn fee(&self, trade: &Trade<'_>) -> Result<Cash, MoneyError> {
        let fee = self.model.fee(trade)?;
        Ok(fee_rounded_up(part(fee.decimal(), self.multiple)?))
    }
}

impl<M: SlippageModel> SlippageModel for Scaled<M> {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let distance = self.model.price(trade)?.minus(trade.price)?.abs();
        moved_against(trade, part(distance.decimal(), self.multiple)?)
    }

    fn impact(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let impact = self.model.impact(trade)?;
        Ok(Price::new(part(impact.decimal(), self.multiple)?))
    }

    fn volume_limit(&self, instrument: &Instrument) -> Option<Decimal> {
        self.model.volume_limit(instrument)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::test_support::{Sample, dec};
    use super::super::{Costs, ProportionalCosts};
    use super::*;

    fn costs() -> Costs {
        Costs::uniform(ProportionalCosts {
            commission_bps: dec("10"),
            slippage_bps: dec("5"),
        })
        .unwrap()
    }

    #[test]
    fn fees_and_distances_are_multiplied() {
        let sample = Sample::equity();
        // 10 bp of 100 x 100 is 10; 5 bp of 100 is 0.05.
        for (multiple, fee, bought, sold) in [
            ("0", "0", "100", "100"),
            ("1", "10", "100.05", "99.95"),
            ("2.5", "25", "100.125", "99.875"),
        ] {
            let scaled = Scaled::new(costs(), dec(multiple)).unwrap();
            let price = |quantity| scaled.price(&sample.trade(quantity, "100")).unwrap().decimal();
            assert_eq!(
                scaled.fee(&sample.trade("100", "100")).unwrap().decimal(),
                dec(fee)
            );
            assert_eq!((price("100"), price("-100")), (dec(bought), dec(sold)));
        }
    }

    #[test]
    fn multiples_outside_their_range_are_refused() {
        for multiple in ["-0.1", "1000.1"] {
            let refused = Scaled::new(costs(), dec(multiple)).err().unwrap().to_string();
            assert!(
                refused.contains("multiple") && refused.contains(multiple),
                "{refused}"
            );
        }
    }
}
