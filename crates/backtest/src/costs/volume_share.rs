//! Slippage by the share of a bar's volume.

use rust_decimal::Decimal;
use sextant_domain::{Instrument, MoneyError, Price, Quantity};

use super::error::check;
use super::{CostError, SlippageModel, Trade, moved_against, part};

const MODEL: &str = "slippage by volume share";

/// Slippage that grows with the square of what is traded of a bar: `price_impact x share^2` of the price, where the share is
/// what the run has traded of the bar, this trade included, over the bar's volume.
///
/// This is `VolumeShareSlippage` of zipline, whose own values are 0.1 and 0.025. As there, no more than `volume_limit` of a
/// bar's volume trades (the venue asks for it; what does not fit waits), and in a bar without volume nothing does.
///
/// Assumes that the impact is gone with the next bar, and that the whole volume of the bar stood there: a trade at the open
/// pays for what is traded later in the bar, which nobody knew then. Trades that must happen whatever the volume (the
/// liquidation at the end of a run) pay as at the limit, which is optimistic for large positions. The price is rounded
/// against the trader at the eighth decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeShareSlippage {
    price_impact: Decimal,
    volume_limit: Decimal,
}

impl VolumeShareSlippage {
    /// The part of the price that trading a whole bar would cost, and the largest part of a bar that may trade.
    ///
    /// # Errors
    /// [`CostError`] for `price_impact` outside 0 to 10 or `volume_limit` outside 0.000001 to 1.
    pub fn new(price_impact: Decimal, volume_limit: Decimal) -> Result<Self, CostError> {
        check(
            MODEL,
            ("price_impact", price_impact),
            Decimal::ZERO..=Decimal::TEN,
            "",
        )?;
        check(
            MODEL,
            ("volume_limit", volume_limit),
            Decimal::new(1, 6)..=Decimal::ONE,
            "",
        )?;
        Ok(Self {
            price_impact,
            volume_limit,
        })
    }

    /// The share of the bar, at most the limit; the limit where the bar has no whole lot of volume.
    fn share(&self, trade: &Trade<'_>) -> Result<Decimal, MoneyError> {
        let volume = Quantity::from_f64_towards_zero(trade.bar().volume, trade.instrument.lot_size)?;
        let traded = trade.traded_in_bar.plus(trade.quantity.abs())?;
        let share = traded.decimal().checked_div(volume.decimal());
        Ok(share.map_or(self.volume_limit, |share| share.min(self.volume_limit)))
    }
}

impl SlippageModel for VolumeShareSlippage {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let share = self.share(trade)?;
        let fraction = part(part(share, share)?, self.price_impact)?;
        moved_against(trade, part(trade.price.decimal(), fraction)?)
    }

    fn impact(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        Ok(self.price(trade)?.minus(trade.price)?.abs())
    }

    fn volume_limit(&self, _instrument: &Instrument) -> Option<Decimal> {
        Some(self.volume_limit)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::test_support::{Sample, dec};
    use super::*;

    #[test]
    fn prices_of_shares_of_a_bar() {
        let model = VolumeShareSlippage::new(dec("0.1"), dec("0.025")).unwrap();
        let sample = Sample::equity();
        for (quantity, before, volume, expected) in [
            // 200 of 10,000: 0.02^2 x 0.1 = 0.00004 of 100.
            ("200", "0", 10_000.0, "100.004"),
            ("-200", "0", 10_000.0, "99.996"),
            // 50 before: 0.025^2 x 0.1 = 0.0000625.
            ("200", "50", 10_000.0, "100.00625"),
            // Above the limit, and without volume: as at the limit.
            ("5000", "0", 10_000.0, "100.00625"),
            ("-1", "0", 0.0, "99.99375"),
            ("1", "0", 0.5, "100.00625"),
            // 1 of 10,000: 0.0001^2 x 0.1 x 100 = 0.0000001.
            ("1", "0", 10_000.0, "100.0000001"),
            // 1 of 1,000,000,000: less than the eighth decimal, rounded up.
            ("1", "0", 1e9, "100.00000001"),
        ] {
            let sample = Sample::equity().with_volume(volume);
            let trade = Trade {
                traded_in_bar: Quantity::new(dec(before)),
                ..sample.trade(quantity, "100")
            };
            assert_eq!(
                model.price(&trade).unwrap().decimal(),
                dec(expected),
                "{quantity} of {volume} after {before}"
            );
        }
        assert_eq!(model.volume_limit(&sample.instrument), Some(dec("0.025")));
    }

    #[test]
    fn parameters_outside_the_range_are_refused() {
        for (impact, limit, message) in [
            ("-0.1", "0.1", "price_impact is -0.1, but must be from 0 to 10"),
            ("0.1", "0", "volume_limit is 0, but must be from 0.000001 to 1"),
            (
                "0.1",
                "1.5",
                "volume_limit is 1.5, but must be from 0.000001 to 1",
            ),
        ] {
            let refused = VolumeShareSlippage::new(dec(impact), dec(limit)).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("slippage by volume share: {message}")
            );
        }
    }
}
