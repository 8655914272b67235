//! Orders: what models ask for, and what goes to a broker.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Approved, InstrumentId, ModelId, MoneyError, OrderId, OrderRef, Price, Quantity, UtcNanos};

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

    /// The other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
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
    /// As much as the entry of its bracket has filled, to the other side. For the exits of a bracket only.
    EntryFill,
}

/// When an order trades and at which price. `P` is `f64` in what a model asks for and [`Price`], on the instrument's
/// tick, in what goes to a broker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OrderKind<P = Price> {
    /// As soon as it can, at the market's price.
    Market,
    /// At the limit or better.
    Limit {
        /// The worst price it accepts.
        limit: P,
    },
    /// A market order once the price has reached the stop: from below for a buy, from above for a sell.
    Stop {
        /// The price that triggers it.
        stop: P,
    },
    /// A limit order once the price has reached the stop.
    StopLimit {
        /// The price that triggers it.
        stop: P,
        /// The worst price it accepts then; for a buy not below the stop, for a sell not above it.
        limit: P,
    },
    /// At the open of the next session.
    MarketOnOpen,
    /// At the close of the session.
    MarketOnClose,
    /// A stop that follows the best price since the order became live, at a distance.
    TrailingStop {
        /// The distance.
        trail: Offset<P>,
        /// The price that the market must reach first: from below for a sell, from above for a buy. Until then the order
        /// neither follows nor triggers; from then on it follows the best price since. `None` follows at once, and so does an
        /// activation that has been reached when the order begins: by the price known at its decision or, for the exit of a
        /// bracket, by the market's price at which its entry filled.
        activation: Option<P>,
    },
    /// At a price that is measured from the entry's. For the exits of a bracket only.
    FromEntry(FromEntry<P>),
}

/// How far a price lies from another one; always positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Offset<P = Price> {
    /// A difference of prices.
    Distance(P),
    /// A fraction of the other price.
    Fraction(f64),
}

/// An exit whose prices are measured from what its entry paid, which is known only when the entry has filled: the average price
/// of what it has traded so far, slippage included.
///
/// A loss lies below the entry of a long position and above that of a short one, a profit on the other side. While an entry
/// fills in parts, the prices follow its average. A trailing stop that has begun goes on; one that has not begins anew with each part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FromEntry<P = Price> {
    /// A stop at a loss.
    StopLoss {
        /// The loss.
        loss: Offset<P>,
    },
    /// A limit at a profit.
    TakeProfit {
        /// The profit.
        profit: Offset<P>,
    },
    /// A trailing stop that begins at a profit.
    TrailingStop {
        /// Its distance from the best price.
        trail: Offset<P>,
        /// The profit that the market must reach first.
        profit: Offset<P>,
    },
}

impl<P: Copy> OrderKind<P> {
    /// The name in tables, such as `stop_limit`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit { .. } => "limit",
            Self::Stop { .. } => "stop",
            Self::StopLimit { .. } => "stop_limit",
            Self::MarketOnOpen => "market_on_open",
            Self::MarketOnClose => "market_on_close",
            Self::TrailingStop { .. } => "trailing_stop",
            Self::FromEntry(exit) => exit.name(),
        }
    }

    /// Whether it waits for a price, so that nobody knows whether it will ever trade.
    pub const fn is_resting(&self) -> bool {
        matches!(
            self,
            Self::Limit { .. }
                | Self::Stop { .. }
                | Self::StopLimit { .. }
                | Self::TrailingStop { .. }
                | Self::FromEntry(_)
        )
    }

    /// The same kind with its prices converted.
    ///
    /// # Errors
    /// The first error of `convert`.
    pub fn try_map<Q, E>(self, mut convert: impl FnMut(P) -> Result<Q, E>) -> Result<OrderKind<Q>, E> {
        Ok(match self {
            Self::Market => OrderKind::Market,
            Self::Limit { limit } => OrderKind::Limit {
                limit: convert(limit)?,
            },
            Self::Stop { stop } => OrderKind::Stop { stop: convert(stop)? },
            Self::StopLimit { stop, limit } => OrderKind::StopLimit {
                stop: convert(stop)?,
                limit: convert(limit)?,
            },
            Self::MarketOnOpen => OrderKind::MarketOnOpen,
            Self::MarketOnClose => OrderKind::MarketOnClose,
            Self::TrailingStop { trail, activation } => OrderKind::TrailingStop {
                trail: trail.try_map(&mut convert)?,
                activation: activation.map(convert).transpose()?,
            },
            Self::FromEntry(exit) => OrderKind::FromEntry(exit.try_map(&mut convert)?),
        })
    }
}

impl<P: Copy> Offset<P> {
    fn try_map<Q, E>(self, convert: &mut impl FnMut(P) -> Result<Q, E>) -> Result<Offset<Q>, E> {
        Ok(match self {
            Self::Distance(distance) => Offset::Distance(convert(distance)?),
            Self::Fraction(fraction) => Offset::Fraction(fraction),
        })
    }
}

impl Offset {
    /// The difference of prices that it comes to at `price`.
    pub fn of(self, price: f64) -> f64 {
        match self {
            Self::Distance(distance) => distance.to_f64(),
            Self::Fraction(fraction) => price * fraction,
        }
    }
}

impl<P: Copy> FromEntry<P> {
    /// `stop_loss`, `take_profit` or `trailing_stop_from_profit`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::StopLoss { .. } => "stop_loss",
            Self::TakeProfit { .. } => "take_profit",
            Self::TrailingStop { .. } => "trailing_stop_from_profit",
        }
    }

    /// How far from the entry's price it lies: at a loss or at a profit.
    pub const fn offset(&self) -> Offset<P> {
        match *self {
            Self::StopLoss { loss } => loss,
            Self::TakeProfit { profit } | Self::TrailingStop { profit, .. } => profit,
        }
    }

    fn try_map<Q, E>(self, convert: &mut impl FnMut(P) -> Result<Q, E>) -> Result<FromEntry<Q>, E> {
        Ok(match self {
            Self::StopLoss { loss } => FromEntry::StopLoss {
                loss: loss.try_map(convert)?,
            },
            Self::TakeProfit { profit } => FromEntry::TakeProfit {
                profit: profit.try_map(convert)?,
            },
            Self::TrailingStop { trail, profit } => FromEntry::TrailingStop {
                trail: trail.try_map(convert)?,
                profit: profit.try_map(convert)?,
            },
        })
    }
}

/// Where a price lies that is never reached.
const FARTHEST: f64 = 1e18;

impl FromEntry {
    /// The order it is once the entry has filled at `entry` on average, on the instrument's tick: a limit never at a worse price,
    /// a stop and an activation at the nearest that is one of a loss or profit at all. `side` is the exit's own.
    ///
    /// A price at or below zero, or beyond what prices can be, is never reached.
    ///
    /// # Errors
    /// [`MoneyError`] when `entry` is not a price.
    pub fn at(self, entry: f64, side: Side, tick: Decimal) -> Result<OrderKind, MoneyError> {
        let profits = match side {
            Side::Sell => 1.0,
            Side::Buy => -1.0,
        };
        let level = |offset: Offset, sign: f64| {
            let level = entry + sign * offset.of(entry);
            level.clamp(-FARTHEST, FARTHEST)
        };
        // A fraction that is less than half a tick would leave it at the entry.
        let nearest = |offset: Offset, sign: f64| {
            let nearest = Price::from_f64_on_tick(level(offset, sign), tick)?;
            match sign * (nearest.to_f64() - entry) {
                apart if apart > entry.abs() * 1e-12 => Ok(nearest),
                _ if sign > 0.0 => nearest.plus(Price::new(tick)),
                _ => nearest.minus(Price::new(tick)),
            }
        };
        Ok(match self {
            Self::StopLoss { loss } => OrderKind::Stop {
                stop: nearest(loss, -profits)?,
            },
            Self::TakeProfit { profit } => OrderKind::Limit {
                limit: Price::limit_on_tick(level(profit, profits), side, tick)?,
            },
            Self::TrailingStop { trail, profit } => OrderKind::TrailingStop {
                trail,
                activation: Some(nearest(profit, profits)?),
            },
        })
    }
}

/// How long an order stays in the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Until the end of the first trading day in which it could trade.
    Day,
    /// Until it trades or is cancelled.
    GoodTilCancelled,
    /// At its first chance; what does not trade then is cancelled.
    ImmediateOrCancel,
    /// Wholly at its first chance, or not at all.
    FillOrKill,
}

impl TimeInForce {
    /// `day`, `good_til_cancelled`, `immediate_or_cancel` or `fill_or_kill`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::GoodTilCancelled => "good_til_cancelled",
            Self::ImmediateOrCancel => "immediate_or_cancel",
            Self::FillOrKill => "fill_or_kill",
        }
    }
}

/// What an order may do to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEffect {
    /// Open, add, reduce, or change the side.
    Any,
    /// Only bring the model's position closer to zero: at a fill its quantity is cut to what the model holds.
    ReduceOnly,
}

/// How orders hang together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderLink {
    /// The entry that must fill first; the order becomes live with its first fill and ends when it ends without one.
    pub entry: Option<OrderId>,
    /// The one-cancels-other group, named by the id of its first order: a fill of one reduces the others by as much, and
    /// ends those of which nothing is left.
    pub group: Option<OrderId>,
}

/// The terms of an order beside instrument and size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderTerms {
    /// When it trades and at which price.
    pub kind: OrderKind,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// What it may do to a position.
    pub effect: OrderEffect,
    /// The orders it hangs together with.
    pub link: OrderLink,
    /// The model's own name for it, where a model asked for it.
    pub reference: Option<OrderRef>,
}

impl OrderTerms {
    /// A market order that stands alone.
    pub const MARKET: Self = Self {
        kind: OrderKind::Market,
        time_in_force: TimeInForce::GoodTilCancelled,
        effect: OrderEffect::Any,
        link: OrderLink {
            entry: None,
            group: None,
        },
        reference: None,
    };
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
    /// Equity below maintenance margin.
    MarginCall,
}

impl OrderOrigin {
    /// `target`, `request`, `end_of_run` or `margin_call`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Request => "request",
            Self::EndOfRun => "end_of_run",
            Self::MarginCall => "margin_call",
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
    /// When it trades, how long it stays, what it hangs together with.
    pub terms: OrderTerms,
}

/// An order with its id. Only a [`RiskGate`](crate::RiskGate) makes one that can be submitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Unique within the run.
    pub id: OrderId,
    /// What is to be traded, after risk.
    pub draft: OrderDraft,
}

/// An order in the market.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkingOrder {
    /// The order as it was approved.
    pub order: Approved<Order>,
    /// What is left of each model's part. For a size that is only known at the fill the quantities are zero.
    pub remaining: Vec<Allocation>,
    /// Whether it waits for its entry to fill; it cannot trade before that.
    pub is_dormant: bool,
}

impl WorkingOrder {
    /// Whether it will trade at its next chance, whatever the price.
    pub fn is_on_its_way(&self) -> bool {
        !self.is_dormant && !self.order.draft.terms.kind.is_resting()
    }
}
