//! What trading costs: commissions and slippage, each a small model with its assumptions on the type.
//!
//! A [`FeeModel`] charges money, a [`SlippageModel`] moves the price. [`Costs`] is both, in proportion to what is traded;
//! the others are chosen one by one, by class through [`ByClass`], and slippage is added up by [`SumOfSlippage`].

mod by_class;
mod error;
mod impact;
mod maker_taker;
mod per_share;
#[cfg(test)]
mod properties;
mod proportional;
mod scaled;
mod spread;
mod sum;
#[cfg(test)]
mod test_support;
mod volume_share;

use rust_decimal::{Decimal, RoundingStrategy};
use sextant_domain::{Bar, BarsView, Cash, Instrument, MoneyError, Price, Quantity};

pub use by_class::ByClass;
pub use error::CostError;
pub use impact::SquareRootImpact;
pub use maker_taker::{FeeTier, MakerTakerFee};
pub use per_share::PerShareFee;
pub use proportional::{Costs, ProportionalCosts};
pub use scaled::Scaled;
pub use spread::SpreadSlippage;
pub use sum::SumOfSlippage;
pub use volume_share::VolumeShareSlippage;

/// Decimals of fees and of prices after slippage. Both are rounded against the trader.
const DECIMALS: u32 = 8;

/// The part of the market's price below which no model lets a sale fall: a formula that says more has left the range in
/// which it means anything, and a price must stay above zero.
const LEAST_OF_A_SALE: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

/// Whether a trade took a price that stood there or waited for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liquidity {
    /// It waited in the market: a limit order that was reached.
    Maker,
    /// It took what there was: market orders, stops, and limits that were through when they came.
    Taker,
}

/// A trade about to happen, for models of what it costs.
#[derive(Debug, Clone, Copy)]
pub struct Trade<'a> {
    /// What is traded.
    pub instrument: &'a Instrument,
    /// Signed quantity; never zero.
    pub quantity: Quantity,
    /// The price: for slippage that of the market, for fees the one with slippage.
    pub price: Price,
    /// Whether it took or made liquidity.
    pub liquidity: Liquidity,
    /// The execution bars from the last split on, up to and including that of the trade; never empty.
    pub bars: BarsView<'a>,
    /// What the run had traded of the bar before, both sides together; zero or more.
    pub traded_in_bar: Quantity,
    /// The value the run traded in instruments of this class on the 30 UTC days before the day of the trade: what
    /// exchanges grade their fees by. In the research world's `f64`, because it is only compared.
    pub traded_value_30d: f64,
}

impl<'a> Trade<'a> {
    /// The bar of the trade. Its volume is known only when it has closed.
    pub fn bar(&self) -> Bar {
        self.bars.bar(self.bars.len() - 1)
    }

    /// The bars that had closed before that of the trade; what volatility and volume may be taken from.
    pub fn history(&self) -> BarsView<'a> {
        self.bars.first(self.bars.len() - 1)
    }

    /// The value traded in the instrument's currency, multiplier included; zero or more.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit exactly.
    pub fn value(&self) -> Result<Cash, MoneyError> {
        self.instrument
            .contract
            .multiplier
            .value(self.price, self.quantity.abs())
    }
}

/// Commission.
pub trait FeeModel {
    /// The commission of a trade in the instrument's currency, as a positive cost (negative for a rebate).
    ///
    /// # Errors
    /// [`MoneyError`] when the notional does not fit exactly.
    fn fee(&self, trade: &Trade<'_>) -> Result<Cash, MoneyError>;
}

/// What an order that takes liquidity pays beside the market's price. Makers pay none.
pub trait SlippageModel {
    /// The price after slippage: at or above the market's when buying, at or below it when selling.
    ///
    /// # Errors
    /// [`MoneyError`] when the price does not fit.
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError>;

    /// The part of the distance from the market's price that is due to the run's own volume; zero or more, and zero for
    /// models in which size does not matter.
    ///
    /// # Errors
    /// As [`price`](Self::price).
    fn impact(&self, _trade: &Trade<'_>) -> Result<Price, MoneyError> {
        Ok(Price::ZERO)
    }

    /// The largest part of a bar's volume for which the model holds. The venue trades no more of a bar than that; what
    /// does not fit waits for the next. `None` where any quantity may trade.
    fn volume_limit(&self, _instrument: &Instrument) -> Option<Decimal> {
        None
    }
}

impl<M: FeeModel + ?Sized> FeeModel for Box<M> {
    fn fee(&self, trade: &Trade<'_>) -> Result<Cash, MoneyError> {
        (**self).fee(trade)
    }
}

impl<M: SlippageModel + ?Sized> SlippageModel for Box<M> {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        (**self).price(trade)
    }

    fn impact(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        (**self).impact(trade)
    }

    fn volume_limit(&self, instrument: &Instrument) -> Option<Decimal> {
        (**self).volume_limit(instrument)
    }
}

/// A fee rounded up, so that a rebate becomes smaller.
fn fee_rounded_up(fee: Decimal) -> Cash {
    Cash::new(fee.round_dp_with_strategy(DECIMALS, RoundingStrategy::ToPositiveInfinity))
}

/// A part of a price or value in basis points.
fn basis_points(of: Decimal, rate_bps: Decimal) -> Result<Decimal, MoneyError> {
    part(of, rate_bps / Decimal::from(10_000))
}

/// A part of a price or value, rounded only where 28 digits do not hold it.
fn part(of: Decimal, fraction: Decimal) -> Result<Decimal, MoneyError> {
    of.checked_mul(fraction).ok_or(MoneyError::Inexact {
        left: of,
        operation: 'x',
        right: fraction,
    })
}

/// The market's price moved against the trader by a distance, which is rounded up; a sale keeps a tenth of the price.
fn moved_against(trade: &Trade<'_>, distance: Decimal) -> Result<Price, MoneyError> {
    let market = trade.price;
    let distance = distance.round_dp_with_strategy(DECIMALS, RoundingStrategy::AwayFromZero);
    if trade.quantity.is_positive() {
        return market.plus(Price::new(distance));
    }
    let least = Price::new(part(market.decimal(), LEAST_OF_A_SALE)?);
    Ok(market.minus(Price::new(distance))?.max(least))
}
