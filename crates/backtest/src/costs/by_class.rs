//! A model for each asset class.

use rust_decimal::Decimal;
use sextant_domain::{AssetClass, Cash, Instrument, MoneyError, Price};

use super::{FeeModel, SlippageModel, Trade};

/// One model for each asset class; of one type, or of several behind `Box<dyn FeeModel>` or `Box<dyn SlippageModel>`.
///
/// Assumes that instruments of a class trade on the same terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByClass<M> {
    by_class: [M; AssetClass::ALL.len()],
}

impl<M> ByClass<M> {
    /// Models from a function that gives one for each class.
    pub fn new(of: impl FnMut(AssetClass) -> M) -> Self {
        Self {
            by_class: AssetClass::ALL.map(of),
        }
    }

    /// The model of a class.
    pub fn of(&self, class: AssetClass) -> &M {
        &self.by_class[class.index()]
    }
}

impl<M: FeeModel> FeeModel for ByClass<M> {
    fn fee(&self, trade: &Trade<'_>) -> Result<Cash, MoneyError> {
        self.of(trade.instrument.class).fee(trade)
    }
}

impl<M: SlippageModel> SlippageModel for ByClass<M> {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        self.of(trade.instrument.class).price(trade)
    }

    fn impact(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        self.of(trade.instrument.class).impact(trade)
    }

    fn volume_limit(&self, instrument: &Instrument) -> Option<Decimal> {
        self.of(instrument.class).volume_limit(instrument)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::test_support::{Sample, dec};
    use super::super::{Costs, PerShareFee, ProportionalCosts, SpreadSlippage, VolumeShareSlippage};
    use super::*;

    #[test]
    fn each_class_pays_by_its_own_model() {
        let fees = ByClass::new(|class| -> Box<dyn FeeModel> {
            match class {
                AssetClass::Equity => {
                    Box::new(PerShareFee::new(dec("0.005"), dec("1"), dec("0.005")).unwrap())
                }
                AssetClass::Crypto | AssetClass::Fx => {
                    let costs = ProportionalCosts {
                        commission_bps: dec("10"),
                        slippage_bps: dec("0"),
                    };
                    Box::new(Costs::uniform(costs).unwrap())
                }
            }
        });
        // 1000 shares x 0.005 = 5; 10 bp of 1000 x 100 = 100.
        for (class, fee) in [(AssetClass::Equity, "5"), (AssetClass::Crypto, "100")] {
            let sample = Sample::of_class(class);
            assert_eq!(
                fees.fee(&sample.trade("1000", "100")).unwrap().decimal(),
                dec(fee)
            );
        }
    }

    #[test]
    fn only_the_class_with_a_volume_limit_has_one() {
        let slippage = ByClass::new(|class| -> Box<dyn SlippageModel> {
            match class {
                AssetClass::Equity => Box::new(VolumeShareSlippage::new(dec("0.1"), dec("0.025")).unwrap()),
                AssetClass::Crypto | AssetClass::Fx => {
                    Box::new(SpreadSlippage::by_class(|_| dec("2")).unwrap())
                }
            }
        });
        for (class, price, limit) in [
            (AssetClass::Equity, "100.004", Some("0.025")),
            (AssetClass::Crypto, "100.02", None),
        ] {
            let sample = Sample::of_class(class);
            // 200 of 10,000 shares: 0.1 x 0.02 x 0.02 x 100 = 0.004; 2 bp of 100 = 0.02.
            assert_eq!(
                slippage.price(&sample.trade("200", "100")).unwrap().decimal(),
                dec(price)
            );
            assert_eq!(slippage.volume_limit(&sample.instrument), limit.map(dec));
        }
    }
}
