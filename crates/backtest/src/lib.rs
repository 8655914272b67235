//! History driver and simulated venue of the Sextant trading platform.
//!
//! [`run`] replays market data through the decision step of `sextant-engine`: bars become visible when they close,
//! orders go to a [`SimulatedVenue`] that fills them by a stated convention with stated costs, and every step goes to a
//! [`ResultSink`](sextant_domain::ports::ResultSink). A run is a function of its arguments and nothing else.
//!
//! # Invariants
//! * Time is availability: a step at `t` sees bars that closed at or before `t`, and the venue uses no price from after
//!   the instant at which it says an order filled.
//! * Nothing fills on a bar that is not there.
//! * Costs, capital and the fill convention have no defaults, and what an account leaves out (dividends, borrow, funding,
//!   interest) is left out by name.
//!
//! # Deliberately absent
//! Taxes, and conversions of foreign balances that no trade of a currency pair makes.

mod accounts;
mod costs;
mod driver;
mod recorder;
mod timeline;
pub mod vectorised;
mod venue;

pub use accounts::{
    AccountAction, AccountModel, AccountModelError, AccountVenue, BorrowModel, BorrowRate, BorrowRates,
    CorporateActionDue, CorporateActions, FinalPrice, FundingModel, FundingRate, InterestModel,
    MissingFunding,
};
pub use costs::{
    ByClass, CostError, Costs, FeeModel, FeeTier, Liquidity, MakerTakerFee, PerShareFee, ProportionalCosts,
    Scaled, SlippageModel, SpreadSlippage, SquareRootImpact, SumOfSlippage, Trade, VolumeShareSlippage,
};
pub use driver::{BacktestConfig, BacktestError, EndOfRun, RunOutcome, run};
pub use recorder::{NullSink, Recorder};
pub use sextant_engine::MarginCall;
pub use timeline::Timeline;
pub use venue::{ExitActivation, FillConvention, IntrabarRule, SessionEnds, SimulatedVenue, VenueConfig};
