//! Fills, and other news of a broker.

use serde::{Deserialize, Serialize};

use crate::{
    Allocation, Cash, CashEvent, InstrumentId, ModelId, MoneyError, Multiplier, OrderId, Price, Quantity,
    SplitEvent, UtcNanos,
};

/// Decimals to which a fee is divided among models; the last model takes the remainder.
const FEE_SHARE_DECIMALS: u32 = 10;

/// A trade that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The order; [`OrderId::NONE`] when none was given, as in a delisting.
    pub order: OrderId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// When it traded.
    pub time: UtcNanos,
    /// Signed quantity.
    pub quantity: Quantity,
    /// The price paid or received for a unit, slippage included.
    pub price: Price,
    /// The market price before slippage.
    pub reference_price: Price,
    /// Commission, as a positive cost in the instrument's currency.
    pub fee: Cash,
    /// What slippage cost: `(price - reference_price) x quantity x multiplier`, already contained in the price.
    pub slippage: Cash,
    /// The part of the slippage that the run's own volume caused; zero where nobody models it.
    pub impact: Cash,
    /// How the quantity is divided among models.
    pub allocations: Vec<Allocation>,
}

/// What of a fill belongs to one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillPart {
    /// The model.
    pub model: ModelId,
    /// Its signed quantity.
    pub quantity: Quantity,
    /// Its part of the commission, by traded quantity.
    pub fee: Cash,
    /// Its part of the slippage, exact.
    pub slippage: Cash,
}

impl Fill {
    /// Divides quantity, fee and slippage among the models, for an instrument with a multiplier. The parts add up to the fill
    /// to the last digit.
    ///
    /// # Errors
    /// [`MoneyError`] when a value does not fit exactly.
    pub fn parts(&self, multiplier: Multiplier) -> Result<Vec<FillPart>, MoneyError> {
        let traded = self
            .allocations
            .iter()
            .try_fold(Quantity::ZERO, |sum, one| sum.plus(one.quantity.abs()))?;
        let mut fee_left = self.fee;
        let mut parts = Vec::with_capacity(self.allocations.len());
        for (index, one) in self.allocations.iter().enumerate() {
            let last = index + 1 == self.allocations.len();
            let fee = if last || fee_left.is_zero() {
                fee_left
            } else {
                self.fee.share(one.quantity.abs(), traded, FEE_SHARE_DECIMALS)?
            };
            fee_left = fee_left.minus(fee)?;
            parts.push(self.part(*one, fee, multiplier)?);
        }
        Ok(parts)
    }

    /// One model's part, with its part of the fee.
    ///
    /// # Errors
    /// [`MoneyError`] when the slippage does not fit exactly.
    #[inline]
    pub fn part(
        &self,
        Allocation { model, quantity }: Allocation,
        fee: Cash,
        multiplier: Multiplier,
    ) -> Result<FillPart, MoneyError> {
        let slippage = self.price.minus(self.reference_price)?;
        Ok(FillPart {
            model,
            quantity,
            fee,
            slippage: multiplier.value(slippage, quantity)?,
        })
    }
}

/// Why an order has left the market without trading, or without trading the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// It was cancelled on request.
    Cancelled,
    /// Its time in force is over.
    Expired,
    /// Another order of its one-cancels-other group has filled.
    PeerFilled,
    /// The entry it belongs to has ended without a fill.
    EntryEnded,
    /// What could not trade at once, of an order that asks for that.
    NotFilled,
    /// There was nothing left to trade: a closing order of a flat position, or a size below one lot.
    NothingToTrade,
    /// The instrument has had no bar for thirty days.
    NoMarket,
    /// The instrument was split: its prices are in old shares.
    Split,
    /// The instrument left the market at a final price.
    Delisted,
    /// It could open a short position, and nobody lends the instrument.
    NotShortable,
}

impl EndReason {
    /// The name in tables, such as `peer_filled`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::PeerFilled => "peer_filled",
            Self::EntryEnded => "entry_ended",
            Self::NotFilled => "not_filled",
            Self::NothingToTrade => "nothing_to_trade",
            Self::NoMarket => "no_market",
            Self::Split => "split",
            Self::Delisted => "delisted",
            Self::NotShortable => "not_shortable",
        }
    }
}

/// An order has left the market; fills before that stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderEnd {
    /// The order.
    pub order: OrderId,
    /// When.
    pub time: UtcNanos,
    /// Why.
    pub reason: EndReason,
}

/// News of a broker, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum BrokerEvent {
    /// An order has traded, wholly or in part.
    Fill(Fill),
    /// An order has left the market.
    End(OrderEnd),
    /// Cash came or went without an order.
    Cash(CashEvent),
    /// Old shares became new ones.
    Split(SplitEvent),
}
