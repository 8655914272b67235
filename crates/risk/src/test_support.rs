//! Builders for the tests of this crate.
#![allow(clippy::unwrap_used)]

use rust_decimal::Decimal;
use sextant_domain::ports::RiskEngine;
use sextant_domain::{
    Allocation, AssetClass, Contract, Currency, Decision, Instrument, InstrumentId, InstrumentTable,
    MarginState, ModelId, OrderDraft, OrderOrigin, OrderReview, OrderSize, OrderTerms, PortfolioState,
    Proposal, Quantity, TargetWeights, Timeframe, TrailingStatistics, UtcNanos, Verdict,
};

use crate::{KillFlag, RiskLimits, RiskRules};

/// An engine whose kill switch nobody turns.
pub(crate) fn engine(limits: RiskLimits) -> RiskRules {
    RiskRules::new(limits, KillFlag::new()).unwrap()
}

/// A portfolio state that owns its columns.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    pub(crate) as_of: UtcNanos,
    pub(crate) equity: f64,
    pub(crate) weights: Vec<f64>,
    pub(crate) pending: Vec<f64>,
    pub(crate) classes: Vec<AssetClass>,
    /// Average daily traded value per instrument; empty when it was not measured.
    pub(crate) adv: Vec<f64>,
    /// Annual covariance, row after row; empty when it was not measured.
    pub(crate) covariance: Vec<f64>,
    /// Initial margin per instrument as a fraction of notional; empty when none has any.
    pub(crate) initial_margin: Vec<f64>,
}

impl Book {
    /// Equities with these present weights, nothing pending.
    pub(crate) fn new(weights: &[f64]) -> Self {
        Self {
            as_of: UtcNanos::from_nanos(0),
            equity: 100.0,
            weights: weights.to_vec(),
            pending: vec![0.0; weights.len()],
            classes: vec![AssetClass::Equity; weights.len()],
            adv: Vec::new(),
            covariance: Vec::new(),
            initial_margin: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> PortfolioState<'_> {
        PortfolioState {
            as_of: self.as_of,
            equity: self.equity,
            weights: &self.weights,
            pending: &self.pending,
            classes: &self.classes,
            margin: MarginState {
                initial: &self.initial_margin,
                maintenance: &[],
            },
            statistics: TrailingStatistics {
                adv: &self.adv,
                covariance: &self.covariance,
            },
        }
    }

    /// Present plus pending weight.
    pub(crate) fn position(&self, instrument: usize) -> f64 {
        self.weights[instrument] + self.pending[instrument]
    }

    pub(crate) fn review_targets(&self, engine: &RiskRules, targets: &TargetWeights) -> Verdict {
        engine.review(&self.state(), &Proposal::Targets(targets))
    }

    /// Reviews an order from targets.
    pub(crate) fn order(&self, engine: &RiskRules, instrument: usize, weight: f64) -> Verdict {
        self.review_order(
            engine,
            instrument,
            Some(weight),
            OrderSize::EquityFraction(weight),
            OrderOrigin::Target,
        )
    }

    pub(crate) fn review_order(
        &self,
        engine: &RiskRules,
        instrument: usize,
        weight: Option<f64>,
        size: OrderSize,
        origin: OrderOrigin,
    ) -> Verdict {
        let draft = draft(instrument, size, origin);
        engine.review(
            &self.state(),
            &Proposal::Order(OrderReview {
                draft: &draft,
                weight,
            }),
        )
    }
}

pub(crate) fn draft(instrument: usize, size: OrderSize, origin: OrderOrigin) -> OrderDraft {
    OrderDraft {
        instrument: InstrumentId::from_index(instrument),
        size,
        allocations: vec![Allocation {
            model: ModelId::from_index(0),
            quantity: Quantity::ZERO,
        }],
        budget: 1.0,
        reference_price: 1.0,
        decided_at: UtcNanos::from_nanos(0),
        origin,
        terms: OrderTerms::MARKET,
    }
}

/// Instruments of these symbols.
pub(crate) fn table(symbols: &[&str]) -> InstrumentTable {
    let instrument = |symbol: &&str| Instrument {
        symbol: (*symbol).to_owned(),
        class: AssetClass::Equity,
        execution: Timeframe::D1,
        price_tick: Decimal::new(1, 2),
        lot_size: Decimal::ONE,
        contract: Contract::paid_in(Currency::USD),
    };
    InstrumentTable::new(symbols.iter().map(instrument).collect()).unwrap()
}

/// Targets of one model for every instrument.
pub(crate) fn targets(weights: &[f64]) -> TargetWeights {
    targets_with_unmanaged(weights, &vec![false; weights.len()])
}

/// Targets of one model, and positions without targets where `is_unmanaged`.
pub(crate) fn targets_with_unmanaged(weights: &[f64], is_unmanaged: &[bool]) -> TargetWeights {
    let mut targets = TargetWeights::new(1, weights.len());
    let model = ModelId::from_index(0);
    for (index, (weight, is_unmanaged)) in weights.iter().zip(is_unmanaged).enumerate() {
        let id = InstrumentId::from_index(index);
        if *is_unmanaged {
            targets.add_unmanaged(model, id, *weight);
        } else {
            targets.add_target(model, id, *weight);
        }
    }
    targets
}

/// What a verdict leaves of an order.
pub(crate) fn factor(verdict: &Verdict) -> f64 {
    match &verdict.decision {
        Decision::Keep => 1.0,
        Decision::ShrinkTo(factors) => {
            assert_eq!(factors.len(), 1, "one factor per order");
            factors[0]
        }
        Decision::Refuse => 0.0,
    }
}

/// Asserts what a verdict leaves of an order, and that it is silent exactly when it leaves everything.
#[track_caller]
pub(crate) fn assert_factor(verdict: &Verdict, expected: f64) {
    assert!(
        (factor(verdict) - expected).abs() < 1e-9,
        "{verdict:?}, expected {expected}"
    );
    assert_eq!(
        verdict.decision == Decision::Keep,
        verdict.reasons.is_empty(),
        "{verdict:?}"
    );
}
