//! Orders and fills.

use serde::{Deserialize, Serialize};

use crate::{Cash, InstrumentId, InstrumentRef, ModelId, MoneyError, OrderId, Price, Quantity, UtcNanos};

/// Decimals to which a fee is divided among models; the last model takes the remainder.
const FEE_SHARE_DECIMALS: u32 = 10;

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Increases the position.
    Buy,
    /// Decreases the position.
    Sell,
}

impl Side {
    /// `buy` or `sell`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }

    /// The side of a signed quantity; `None` for zero.
    pub fn of(quantity: Quantity) -> Option<Self> {
        match (quantity.is_zero(), quantity.is_positive()) {
            (true, _) => None,
            (false, true) => Some(Self::Buy),
            (false, false) => Some(Self::Sell),
        }
    }
}

/// How much to trade. Signs follow the position: positive buys, negative sells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OrderSize {
    /// A signed number of units, rounded towards zero to the lot.
    Units(Quantity),
    /// A signed fraction of the model's budget of portfolio equity, turned into whole lots at the fill price.
    EquityFraction(f64),
    /// Whatever the model holds of the instrument when the order fills; nothing when it is flat by then.
    ClosePosition,
}

/// An explicit market order that a model asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderRequest {
    /// The instrument, by the model's own reference.
    pub instrument: InstrumentRef,
    /// How much.
    pub size: OrderSize,
}

/// Why an order exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderOrigin {
    /// The difference between target weights and present positions.
    Target,
    /// A model's explicit request.
    Request,
    /// The liquidation at the end of a backtest, where that option is on.
    EndOfRun,
}

impl OrderOrigin {
    /// `target`, `request` or `end_of_run`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Request => "request",
            Self::EndOfRun => "end_of_run",
        }
    }
}

/// The part of an order or fill that belongs to one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The model.
    pub model: ModelId,
    /// Its signed quantity. The quantities of an order add up to the order's; models can cross internally.
    pub quantity: Quantity,
}

/// An order before risk has seen it.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderDraft {
    /// The instrument.
    pub instrument: InstrumentId,
    /// How much.
    pub size: OrderSize,
    /// Whose it is. For [`OrderSize::Units`] the quantities add up to the size; for the sizes that are only known at
    /// the fill it holds one entry, whose quantity is zero.
    pub allocations: Vec<Allocation>,
    /// Fraction of portfolio equity that [`OrderSize::EquityFraction`] refers to (the model's budget).
    pub budget: f64,
    /// The close on which it was decided.
    pub reference_price: f64,
    /// When it was decided.
    pub decided_at: UtcNanos,
    /// Why it exists.
    pub origin: OrderOrigin,
}

/// An order with its id. Only a [`RiskGate`](crate::RiskGate) makes one that can be submitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Unique within the run.
    pub id: OrderId,
    /// What is to be traded, after risk.
    pub draft: OrderDraft,
}

/// A trade that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The order.
    pub order: OrderId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// When it traded.
    pub time: UtcNanos,
    /// Signed quantity.
    pub quantity: Quantity,
    /// The price paid or received, slippage included.
    pub price: Price,
    /// The market price before slippage.
    pub reference_price: Price,
    /// Commission, as a positive cost.
    pub fee: Cash,
    /// What slippage cost: `(price - reference_price) x quantity`, already contained in the price.
    pub slippage: Cash,
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
    /// Divides quantity, fee and slippage among the models. The parts add up to the fill to the last digit.
    ///
    /// # Errors
    /// [`MoneyError`] when a value does not fit exactly.
    pub fn parts(&self) -> Result<Vec<FillPart>, MoneyError> {
        let per_unit = self.price.minus(self.reference_price)?;
        let traded = self
            .allocations
            .iter()
            .try_fold(Quantity::ZERO, |sum, one| sum.plus(one.quantity.abs()))?;
        let mut fee_left = self.fee;
        let mut parts = Vec::with_capacity(self.allocations.len());
        for (index, Allocation { model, quantity }) in self.allocations.iter().copied().enumerate() {
            let last = index + 1 == self.allocations.len();
            let fee = if last || fee_left.is_zero() {
                fee_left
            } else {
                self.fee.share(quantity.abs(), traded, FEE_SHARE_DECIMALS)?
            };
            fee_left = fee_left.minus(fee)?;
            parts.push(FillPart {
                model,
                quantity,
                fee,
                slippage: per_unit.times(quantity)?,
            });
        }
        Ok(parts)
    }
}
