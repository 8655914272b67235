//! What risk rules look at and what they answer.

use crate::{AssetClass, InstrumentId, OrderDraft, TargetWeights, UtcNanos};

/// The portfolio as risk sees it, in the research world.
#[derive(Debug, Clone, Copy)]
pub struct PortfolioState<'a> {
    /// Now.
    pub as_of: UtcNanos,
    /// Cash plus what positions are worth at their last closes.
    pub equity: f64,
    /// Signed present weight per instrument: notional value in the account's currency over equity.
    pub weights: &'a [f64],
    /// Signed weight per instrument of orders sent but not filled yet.
    pub pending: &'a [f64],
    /// Asset class per instrument.
    pub classes: &'a [AssetClass],
    /// What equity has to secure.
    pub margin: MarginState<'a>,
    /// What trailing bars say about the instruments, as far as it was measured.
    pub statistics: TrailingStatistics<'a>,
}

/// Margin requirements per instrument as fractions of notional value; empty where no instrument has any. One that is not
/// a number is not known, and rules must refuse what would add to the position.
#[derive(Debug, Clone, Copy, Default)]
pub struct MarginState<'a> {
    /// What an order that opens or adds needs.
    pub initial: &'a [f64],
    /// What a position needs for as long as it is held.
    pub maintenance: &'a [f64],
}

/// Figures of the bars that were available by now, for rules that ask for them. An empty slice is a figure that was not
/// measured; `NaN` is one that is not known. A rule that needs either must refuse.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrailingStatistics<'a> {
    /// Average daily traded value per instrument, in account currency.
    pub adv: &'a [f64],
    /// Covariance of the instruments' simple returns, annualised: one row of columns per instrument, row after row.
    pub covariance: &'a [f64],
}

/// Over how many days a risk engine wants the [`TrailingStatistics`]; `None` for a figure that none of its rules asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrailingWindows {
    /// Days of the average daily traded value.
    pub adv_days: Option<usize>,
    /// Daily returns of the covariance.
    pub covariance_days: Option<usize>,
}

/// The standing of the risk engine, kept from bar to bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RiskStatus {
    /// No restriction beyond the limits.
    Normal,
    /// All exposure is multiplied by a factor below one.
    Reduced {
        /// The factor.
        multiplier: f64,
    },
    /// Everything is closed; nothing new is opened.
    Halted,
    /// The kill switch is on: everything is closed; nothing new is opened until a person turns it off.
    Killed,
}

impl RiskStatus {
    /// The factor on all exposure: 1, the reduction, or 0.
    #[inline]
    pub fn multiplier(self) -> f64 {
        match self {
            Self::Normal => 1.0,
            Self::Reduced { multiplier } => multiplier,
            Self::Halted | Self::Killed => 0.0,
        }
    }

    /// `normal`, `reduced`, `halted` or `killed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Reduced { .. } => "reduced",
            Self::Halted => "halted",
            Self::Killed => "killed",
        }
    }
}

/// An order with what risk needs to judge it.
#[derive(Debug, Clone, Copy)]
pub struct OrderReview<'a> {
    /// The order.
    pub draft: &'a OrderDraft,
    /// Its signed weight: worth over equity, at the reference price. `None` when price or equity is missing, in which
    /// case rules must refuse.
    pub weight: Option<f64>,
}

/// What is put before a risk engine.
#[derive(Debug, Clone, Copy)]
pub enum Proposal<'a> {
    /// The target weights of the whole portfolio.
    Targets(&'a TargetWeights),
    /// One order.
    Order(OrderReview<'a>),
}

/// What a risk engine decides. Factors are from 0 to 1: risk can only make things smaller.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// As proposed.
    Keep,
    /// For targets, one factor per instrument; for an order, one factor.
    ShrinkTo(Vec<f64>),
    /// Not at all.
    Refuse,
}

/// What a rule did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterventionAction {
    /// Made smaller.
    Shrink,
    /// Refused.
    Refuse,
    /// Changed the standing of the engine (reduced, halted, resumed).
    Status,
}

impl InterventionAction {
    /// `shrink`, `refuse` or `status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shrink => "shrink",
            Self::Refuse => "refuse",
            Self::Status => "status",
        }
    }
}

/// One act of one rule: a row of the risk table.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervention {
    /// The rule's stable code, such as `per_asset_cap`.
    pub rule: &'static str,
    /// What it did.
    pub action: InterventionAction,
    /// The instrument, where one is concerned.
    pub instrument: Option<InstrumentId>,
    /// The value before (a weight, an exposure or a drawdown, as the rule says).
    pub before: f64,
    /// The value after.
    pub after: f64,
    /// Why, in words.
    pub reason: String,
}

/// The answer of a risk engine: data, applied only by the [`RiskGate`](crate::RiskGate).
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What is to happen.
    pub decision: Decision,
    /// Every act that led to it.
    pub reasons: Vec<Intervention>,
}

impl Verdict {
    /// As proposed, without a word. Allocates nothing.
    pub const fn keep() -> Self {
        Self {
            decision: Decision::Keep,
            reasons: Vec::new(),
        }
    }
}
