//! Vocabulary and ports of the Sextant trading platform.
//!
//! Everything that two engine crates have to agree on lives here: dense ids, UTC time and timeframes, bars in columns,
//! exact money, target weights, orders and fills, the read-only [`MarketView`] a model decides on, and the small
//! object-safe traits ("ports") in [`ports`] that engine crates implement and drivers call.
//!
//! # Invariants
//! * No IO, no clock, no threads, no randomness: every type is a value and every function is pure.
//! * Two number worlds. The *ledger world* ([`Price`], [`Quantity`], [`Cash`]) is exact decimals; the *research world*
//!   (bars, features, weights) is `f64` in columns. They meet only in the named functions of [`money`].
//! * A [`MarketView`] cannot be asked for anything that was not yet available at its `as_of`.
//! * An [`Approved`] value can only be made by the [`RiskGate`]: an order that no risk engine has seen cannot be sent.
//!
//! # Deliberately absent
//! Indicators, models, rules and storage formats. They belong to the crates that implement the ports.

mod account_event;
mod bars;
mod columns;
mod contract;
mod currency;
mod feature;
mod fill;
mod fx;
mod gate;
mod id;
mod instrument;
mod intent;
mod market;
pub mod money;
mod order;
pub mod ports;
mod record;
mod regime;
mod requirements;
mod risk;
mod short;
mod time;
mod view;
mod weights;

pub use account_event::{CashEvent, CashKind, SplitEvent, SplitPart, SplitRatio};
pub use bars::{Bar, BarDefect, BarSeries, BarsView, SeriesError};
pub use columns::{ColumnTargets, ColumnView};
pub use contract::{Contract, ContractError, Margin, MarginFractions, Multiplier, Settlement};
pub use currency::{Currency, CurrencyError};
pub use feature::{FeatureError, FeatureSpec};
pub use fill::{BrokerEvent, EndReason, Fill, FillPart, OrderEnd};
pub use fx::{FxLeg, FxPath, FxRate};
pub use gate::{Approved, Refusal, RiskGate};
pub use id::{CurrencyId, FeatureId, InstrumentId, ModelId, OrderId, SeriesId};
pub use instrument::{AssetClass, Instrument, InstrumentError, InstrumentTable};
pub use intent::{Intents, OrderChange, OrderCommand, OrderRef, OrderRequest, OrderRole, TargetIntent};
pub use market::{MacroError, MacroSeries, MarketData, MarketError, Series};
pub use money::{Cash, MoneyError, Price, Quantity};
pub use order::{
    Allocation, FromEntry, Offset, Order, OrderDraft, OrderEffect, OrderKind, OrderLink, OrderOrigin,
    OrderSize, OrderTerms, Side, TimeInForce, WorkingOrder,
};
pub use record::{EquityPoint, OrderTrail, RefusedOrder, Sizing, StepRecord};
pub use regime::{
    CryptoRegime, EquityRegime, MacroRegime, RegimeDimension, RegimeEstimate, RegimeInput, VolatilityRegime,
};
pub use requirements::{
    BindError, Binding, FeatureRef, FeatureRequirement, InstrumentRef, MacroRef, Requirements, SeriesKey,
    SeriesRef,
};
pub use risk::{
    Decision, Intervention, InterventionAction, MarginState, OrderReview, PortfolioState, Proposal,
    RiskStatus, TrailingStatistics, TrailingWindows, Verdict,
};
pub use time::{ParseTimeError, Timeframe, UtcNanos};
pub use view::{AccountView, MarketView, NoticeKind, OrderNotice};
pub use weights::TargetWeights;
