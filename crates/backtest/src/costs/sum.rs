//! Several kinds of slippage at once.

use rust_decimal::Decimal;
use sextant_domain::{Instrument, MoneyError, Price};

use super::{CostError, SlippageModel, Trade, moved_against};

/// The distances of several models from the market's price, added up: a spread and an impact, for instance.
///
/// Assumes that each model says what it costs on its own, measured from the same price. The smallest volume limit of the
/// parts holds for all.
pub struct SumOfSlippage {
    parts: Vec<Box<dyn SlippageModel>>,
}

impl SumOfSlippage {
    /// The sum of one model or more.
    ///
    /// # Errors
    /// [`CostError`] without a model: that would be trading for nothing without saying so.
    pub fn new(parts: Vec<Box<dyn SlippageModel>>) -> Result<Self, CostError> {
        if parts.is_empty() {
            return Err(CostError::new(
                "sum of slippage",
                "parts",
                "empty",
                "a list of one model or more",
            ));
        }
        Ok(Self { parts })
    }
}

impl SlippageModel for SumOfSlippage {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let distance = self.parts.iter().try_fold(Price::ZERO, |sum, part| {
            sum.plus(part.price(trade)?.minus(trade.price)?.abs())
        })?;
        moved_against(trade, distance.decimal())
    }

    fn impact(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let mut parts = self.parts.iter();
        parts.try_fold(Price::ZERO, |sum, part| sum.plus(part.impact(trade)?))
    }

    fn volume_limit(&self, instrument: &Instrument) -> Option<Decimal> {
        self.parts
            .iter()
            .filter_map(|part| part.volume_limit(instrument))
            .min()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::test_support::{Sample, dec};
    use super::super::{SpreadSlippage, VolumeShareSlippage};
    use super::*;

    #[test]
    fn distances_add_up_and_the_smallest_limit_holds() {
        let sum = SumOfSlippage::new(vec![
            Box::new(SpreadSlippage::by_class(|_| dec("2")).unwrap()),
            Box::new(VolumeShareSlippage::new(dec("0.1"), dec("0.05")).unwrap()),
            Box::new(VolumeShareSlippage::new(dec("0.2"), dec("0.025")).unwrap()),
        ])
        .unwrap();
        let sample = Sample::equity();
        // 2 bp of 100 = 0.02; a share of 0.02 squared is 0.0004, x 0.1 x 100 = 0.004, x 0.2 x 100 = 0.008.
        let price = |quantity| sum.price(&sample.trade(quantity, "100")).unwrap().decimal();
        assert_eq!((price("200"), price("-200")), (dec("100.032"), dec("99.968")));
        assert_eq!(sum.volume_limit(&sample.instrument), Some(dec("0.025")));
        // Of these, the spread is no impact.
        let impact = sum.impact(&sample.trade("-200", "100")).unwrap();
        assert_eq!(impact.decimal(), dec("0.012"));
    }

    #[test]
    fn a_sum_of_nothing_is_refused() {
        let refused = SumOfSlippage::new(Vec::new()).err().unwrap();
        assert_eq!(
            refused.to_string(),
            "sum of slippage: parts is empty, but must be a list of one model or more"
        );
    }

    #[test]
    fn a_sale_keeps_a_tenth_of_the_price() {
        let spread =
            || -> Box<dyn SlippageModel> { Box::new(SpreadSlippage::by_class(|_| dec("1000")).unwrap()) };
        let sum = SumOfSlippage::new((0..10).map(|_| spread()).collect()).unwrap();
        let sample = Sample::equity();
        // Ten times a tenth of the price.
        let price = |quantity| sum.price(&sample.trade(quantity, "100")).unwrap().decimal();
        assert_eq!((price("1"), price("-1")), (dec("200"), dec("10")));
    }
}
