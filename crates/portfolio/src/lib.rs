//! Model budgets by regime, and the aggregation of the models' targets into portfolio weights.
//!
//! Each model has a base budget, a fraction of portfolio equity. A regime multiplies it by one factor per dimension
//! (equity, volatility, crypto, macro), and the model's targets, which are fractions of its own budget, are multiplied
//! by the result. The sum over the models is the portfolio's target weight; each model's part of it stays visible, so
//! that profit and loss can be attributed to the model that caused it.
//!
//! # Invariants
//! * Base budgets add up to at most 1, and factors are from 0 to 1: a regime can take away from a model, never give.
//! * The net weight of an instrument is the sum of the contributions, added in the order of the model ids.
//! * A model without a budget and a budget without a model are errors before the first bar, not zeros.
//!
//! # Deliberately absent
//! Limits. A model whose targets add up to more than its budget gets what it asks for here; what the portfolio may
//! hold at most is the business of the risk engine. Nor does this crate book profit and loss: the ledger does, by the
//! allocations that follow from the contributions.
//!
//! ```
//! use sextant_domain::ports::{PortfolioConstructor, PortfolioContext};
//! use sextant_domain::{InstrumentId, ModelId, RegimeEstimate, TargetWeights, UtcNanos};
//! use sextant_portfolio::BudgetedPortfolio;
//!
//! let mut portfolio = BudgetedPortfolio::single("Trend_v1", 0.5, 0.02)?;
//! portfolio.bind(&["Trend_v1"])?;
//! let context = PortfolioContext {
//!     as_of: UtcNanos::from_nanos(0),
//!     regime: RegimeEstimate::default(),
//!     model_targets: &[0.8, f64::NAN],
//!     instruments: 2,
//! };
//! let mut weights = TargetWeights::new(1, 2);
//! portfolio.targets(&context, &mut weights);
//! assert_eq!(weights.net(), [0.4, 0.0]);
//! assert!(!weights.is_managed(InstrumentId::from_index(1)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod portfolio;
#[cfg(test)]
mod properties;

pub use config::{
    BudgetError, MacroFactors, ModelBudget, RegimeBudgets, RegimeMultipliers, TrendFactors, VolatilityFactors,
};
pub use portfolio::BudgetedPortfolio;
