//! The vectorised twin of the event engine: the same run by columns.
//!
//! The event engine is the specification of a backtest; this engine is a second, independent way to the same result, and the
//! faster one where few things happen on many bars. It goes in two passes:
//!
//! 1. **Signals.** Every model and the regime detector is asked at each of its steps, with a view that has no account, and
//!    what they say is kept as sparse columns. The very same [`Model::decide`](sextant_domain::ports::Model::decide) is
//!    called, so that there is no second formula of a signal. A model may offer its rule
//!    [by columns](sextant_domain::ports::SignalColumns) as well, for speed; tests hold it against `decide`.
//! 2. **Holdings.** From one row at which something happens (a signal, a fill, a change of regime or of the risk engine's
//!    standing) to the next. There targets are built, limited, sized and traded by the same ports as in the event engine; in
//!    between holdings rest, and equity is a column: `cash + sum of units x closes`.
//!
//! # What it expresses
//! Any number of models that give targets without looking at their account; budgets, regimes and the no-trade band; every
//! risk rule, drawdown stages and kill switch included, because risk observes the column of equity; every fill convention
//! with latency, every cost model without a volume limit, and every end of a run. What it does not express it refuses with a
//! list of [`Obstacle`]s: models that look at their account or ask for orders, limits by a bar's volume, what happens to
//! an account without orders, and instruments in another currency, with a multiplier, settled daily or with margin.
//!
//! # Exactness
//! Cash, quantities, prices and fees are the ledger's exact decimals and pass the same named rounding functions, because an
//! order's size hangs on the last bit of equity: `weight x equity / price` is cut to whole lots, and a value within 1e-9 of
//! a whole number of lots counts as that number. Equity is summed in the ledger's order of opening. So orders and fills
//! equal those of the event engine, and equity does to the last bit on all that the tests run; what is promised is 1e-9.
//! [`run`] posts every fill to a ledger of the event engine's kind as well and stops when the two disagree.

mod axis;
mod book;
mod course;
mod error;
mod evaluation;
mod expressible;
mod log;
mod orders;
mod queue;
mod signals;
mod sizing;

use sextant_domain::MarketData;
use sextant_domain::ports::{FeatureSource, ResultSink};
use sextant_engine::{Engine, EngineParts};

pub use error::{Obstacle, VectorisedError};
pub use evaluation::Evaluation;

use crate::driver::{BacktestConfig, RunOutcome, check, no_bars};
use axis::Axis;
use course::{Course, Start};
use signals::Deciders;

/// Computes a run by columns.
///
/// # Errors
/// [`VectorisedError::NotExpressible`] with everything that has no columns; otherwise as the event engine.
pub fn evaluate<'m>(
    market: &'m MarketData,
    features: &mut dyn FeatureSource,
    parts: EngineParts,
    config: &'m BacktestConfig,
) -> Result<Evaluation<'m>, VectorisedError> {
    check(config)?;
    let mut obstacles = expressible::obstacles(market, config);
    let parts = Engine::bind(parts, market, features)?;
    let axis = Axis::new(market, config.start, config.end);
    if axis.len() == 0 {
        return Err(no_bars(market, config).into());
    }
    let models: Vec<String> = parts.models.iter().map(|one| one.model.id().to_owned()).collect();
    let deciders = Deciders {
        models: parts.models,
        regime: parts.regime,
    };
    let signals = signals::gather(deciders, market, features, &axis, (config.start, config.end))?;
    obstacles.extend_from_slice(&signals.obstacles);
    if !obstacles.is_empty() {
        return Err(VectorisedError::NotExpressible(obstacles));
    }
    let course = Course::new(Start {
        axis: &axis,
        config,
        market,
        signals: &signals,
        models: models.len(),
        portfolio: parts.portfolio,
        risk: parts.risk,
    });
    let (equity, logs) = course.run()?;
    Ok(Evaluation {
        market,
        config,
        axis,
        models,
        signals,
        equity,
        logs,
    })
}

/// Computes a run by columns and tells it to a sink step by step, as the event engine does.
///
/// # Errors
/// As for [`evaluate`], and [`VectorisedError::Disagreement`] when columns and books differ.
pub fn run(
    market: &MarketData,
    features: &mut dyn FeatureSource,
    parts: EngineParts,
    config: &BacktestConfig,
    sink: &mut dyn ResultSink,
) -> Result<RunOutcome, VectorisedError> {
    evaluate(market, features, parts, config)?.tell(sink)
}
