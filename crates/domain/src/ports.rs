//! The ports: small object-safe traits between engine crates and drivers.

use thiserror::Error;

use crate::{
    Approved, BrokerEvent, ColumnTargets, ColumnView, Currency, FeatureError, FeatureId, FeatureSpec,
    InstrumentId, Intents, Intervention, MarketData, MarketView, ModelId, MoneyError, Order, OrderId,
    PortfolioState, Price, Proposal, RegimeEstimate, RegimeInput, Requirements, RiskStatus, SeriesId,
    StepRecord, TargetWeights, TrailingWindows, UtcNanos, Verdict, WorkingOrder,
};

/// A model that cannot decide. The run stops with it: going on without a model would be another strategy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ModelError {
    /// What is wrong, where, and what to do.
    pub message: String,
}

/// A trading model.
///
/// `decide` is called at each close of a bar that the requirements name as a trigger, never before the start of the
/// run. It must depend on nothing but the view and what it kept from earlier views: no clock, no randomness without a
/// seed from its parameters, no IO.
pub trait Model: Send {
    /// The stable name under which it is configured and recorded, such as `EquityTrendModel_v1`.
    fn id(&self) -> &str;

    /// What it will look at. Called once, before the first bar.
    fn requirements(&self) -> &Requirements;

    /// Puts targets or orders into `out`, which comes empty.
    ///
    /// # Errors
    /// [`ModelError`] when it cannot decide for a reason that more data will not cure.
    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError>;

    /// The same rule over whole columns, where the model offers one; `None` without an override.
    fn by_columns(&self) -> Option<&dyn SignalColumns> {
        None
    }
}

/// The rule of a model over whole columns, for speed in an engine that computes by columns. Only for models that give
/// targets without looking at their account. The shipped models offer none and are asked bar by bar.
///
/// It must give at each bar the very targets that [`Model::decide`] gives at its close, from a fresh model on; `decide`
/// remains the rule, and `assert_columns_decide` of the test kit compares the two.
pub trait SignalColumns {
    /// Puts the targets of all decisions into `out`, which comes empty.
    fn signals(&self, columns: &ColumnView<'_>, out: &mut ColumnTargets);
}

/// Names the regime of the present. Filtered, never smoothed: an estimate is never revised.
pub trait RegimeDetector: Send {
    /// What it will look at.
    fn requirements(&self) -> &Requirements;

    /// The estimate at the view's time. `inputs` comes empty and receives the numbers decided on.
    fn update(&mut self, view: &MarketView<'_>, inputs: &mut Vec<RegimeInput>) -> RegimeEstimate;
}

/// The values of features, by bar. Columns in a backtest, the same streaming operators live.
pub trait FeatureSource {
    /// Makes sure the feature is computed and returns its id; the same spec and inputs give the same id.
    ///
    /// # Errors
    /// [`FeatureError`] for unknown names, parameters or the wrong number of inputs.
    fn prepare(
        &mut self,
        spec: &FeatureSpec,
        inputs: &[SeriesId],
        market: &MarketData,
    ) -> Result<FeatureId, FeatureError>;

    /// One value per bar of the feature's first input series, NaN while warming up. The value at index `i` uses no bar
    /// that closes after bar `i`.
    fn column(&self, id: FeatureId) -> &[f64];
}

/// What a portfolio constructor looks at.
#[derive(Debug, Clone, Copy)]
pub struct PortfolioContext<'a> {
    /// Now.
    pub as_of: UtcNanos,
    /// The regime.
    pub regime: RegimeEstimate,
    /// The latest target of every model and instrument, model by model, as fractions of the model's budget; NaN where
    /// the model has given none.
    pub model_targets: &'a [f64],
    /// The number of instruments (the row length of `model_targets`).
    pub instruments: usize,
}

/// Turns the models' wishes into portfolio weights.
pub trait PortfolioConstructor: Send {
    /// Takes the models of the run, in the order of their ids, before the first bar.
    ///
    /// # Errors
    /// [`ModelError`] when a model has no budget here, or a budget has no model.
    fn bind(&mut self, models: &[&str]) -> Result<(), ModelError>;

    /// The fraction of portfolio equity that a model may use in a regime.
    fn budget(&self, model: ModelId, regime: &RegimeEstimate) -> f64;

    /// Adds every model's contribution to `out`, which comes all zero.
    fn targets(&self, context: &PortfolioContext<'_>, out: &mut TargetWeights);

    /// The smallest change of an instrument's net weight that is worth a trade when nothing else asks for one.
    fn no_trade_band(&self) -> f64;
}

/// Limits that are not negotiable.
pub trait RiskEngine: Send {
    /// Looks at the portfolio once per step, before anything is proposed, and returns the standing. Changes of standing
    /// are reported in `reasons`.
    fn observe(&mut self, state: &PortfolioState<'_>, reasons: &mut Vec<Intervention>) -> RiskStatus;

    /// Observes steps in a row in which nothing but time and equity moves, as far as none of them changes the standing, and
    /// returns how many that were; the state is then as if [`observe`](Self::observe) had been called at each. For drivers
    /// that have the equity of many steps at once. The default says 0: each step is to be observed by itself. An engine
    /// that looks at weights in `observe` must not override it.
    fn observe_quiet(&mut self, _times: &[UtcNanos], _equity: &[f64]) -> usize {
        0
    }

    /// Judges a proposal. A missing price or equity means refusal.
    fn review(&self, state: &PortfolioState<'_>, proposal: &Proposal<'_>) -> Verdict;

    /// The trailing figures that its rules judge by, asked once before the first bar. Without an override nobody asks for
    /// any, and none are measured.
    fn trailing_windows(&self) -> TrailingWindows {
        TrailingWindows::default()
    }
}

/// What a broker needs to know of the account to size and fill an order.
pub trait AccountSource {
    /// Portfolio equity at the last prices.
    fn equity(&self) -> f64;

    /// A model's exact position.
    fn model_position(&self, model: ModelId, instrument: InstrumentId) -> crate::Quantity;

    /// The number of models.
    fn models(&self) -> usize;

    /// What one unit at a price of one is worth in the account's currency: `multiplier x rate`, one for a share in that
    /// currency. NaN before the first rate.
    fn value_factor(&self, instrument: InstrumentId) -> f64;

    /// The currencies of the account: its own first, then those in which instruments are quoted.
    fn currencies(&self) -> &[Currency];

    /// The account's exact cash in a currency; zero in one that it does not have.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit exactly.
    fn cash(&self, currency: Currency) -> Result<crate::Cash, MoneyError>;

    /// What a model's trades, fees and income have done to the cash in a currency since the start; the initial cash is no
    /// model's.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit exactly.
    fn model_cash(&self, model: ModelId, currency: Currency) -> Result<crate::Cash, MoneyError>;

    /// The value of a model's position up to which daily settlement has paid, in the instrument's currency: what it was
    /// worth at its last settlement, trades since then at their own prices.
    fn settled_value(&self, model: ModelId, instrument: InstrumentId) -> crate::Cash;
}

/// A broker that failed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum BrokerError {
    /// A price or quantity that the ledger cannot take.
    #[error("{instrument} at {time}: {source}")]
    Money {
        /// The instrument's symbol.
        instrument: String,
        /// When.
        time: UtcNanos,
        /// What is wrong.
        source: MoneyError,
    },
    /// A cost of holding a position that nobody has stated.
    #[error(
        "{instrument} at {time}: the position owes {what}, but there is no rate; give one, choose a pessimistic estimate, or name it as left out"
    )]
    NoRate {
        /// The instrument's symbol.
        instrument: String,
        /// When.
        time: UtcNanos,
        /// What is owed, such as `a borrow fee`.
        what: &'static str,
    },
}

/// Where orders go.
pub trait Broker {
    /// Takes an approved order; nothing else can be sent.
    ///
    /// This compiles:
    ///
    /// ```
    /// use sextant_domain::{Approved, Order, ports::Broker};
    /// fn send(broker: &mut dyn Broker, order: Approved<Order>) {
    ///     broker.submit(order).unwrap();
    /// }
    /// ```
    ///
    /// The same with an order that no gate has approved does not:
    ///
    /// ```compile_fail,E0308
    /// use sextant_domain::{Approved, Order, ports::Broker};
    /// fn send(broker: &mut dyn Broker, order: Order) {
    ///     broker.submit(order).unwrap();
    /// }
    /// ```
    ///
    /// # Errors
    /// [`BrokerError`] when the order cannot be taken.
    fn submit(&mut self, order: Approved<Order>) -> Result<(), BrokerError>;

    /// Ends a working order as soon as possible; what has filled stands. The end comes as an event. An order that has
    /// ended already is left alone.
    ///
    /// # Errors
    /// [`BrokerError`] when the request cannot be taken.
    fn cancel(&mut self, order: OrderId, now: UtcNanos) -> Result<(), BrokerError>;

    /// Changes a working order into an approved one with the same id; what has filled counts towards the new size. An
    /// order that has ended already is left alone.
    ///
    /// # Errors
    /// [`BrokerError`] when the request cannot be taken.
    fn replace(&mut self, order: Approved<Order>) -> Result<(), BrokerError>;

    /// The next thing that has happened by `now`, or `None`. Called until it returns `None`; each fill is posted before
    /// the next call, so that `account` is up to date.
    ///
    /// # Errors
    /// [`BrokerError`] when an order cannot be filled for a reason other than the market.
    fn next_event(
        &mut self,
        now: UtcNanos,
        account: &dyn AccountSource,
    ) -> Result<Option<BrokerEvent>, BrokerError>;

    /// Orders sent that have not ended, oldest first.
    fn working(&self) -> &[WorkingOrder];

    /// Whether no order is working and no event is untold, so that nothing can happen until an order is sent. A broker
    /// that cannot tell without being asked for its events says `false`, as the default does.
    fn is_idle(&self) -> bool {
        false
    }
}

/// Receives every step.
pub trait ResultSink {
    /// One step has ended. The record is reused; copy what is to be kept.
    fn record(&mut self, step: &StepRecord);

    /// A daily mark: the exact value of the whole portfolio and of each model's profit and loss.
    fn mark(&mut self, mark: &DailyMark<'_>);

    /// Told now and then how many of the steps are done. Does nothing unless overridden.
    fn progress(&mut self, _done: usize, _all: usize) {}
}

/// The exact state of the books at the end of a trading day.
#[derive(Debug, Clone, Copy)]
pub struct DailyMark<'a> {
    /// The end of the day: the session close, or midnight UTC where anything trades round the clock.
    pub time: UtcNanos,
    /// Portfolio equity.
    pub equity: crate::Cash,
    /// Each model's profit and loss since the start, costs included; they add up to the portfolio's.
    pub model_pnl: &'a [crate::Cash],
    /// Open positions of the portfolio.
    pub positions: &'a [PositionMark],
    /// Open positions of the models; those of an instrument add up to the portfolio's.
    pub model_positions: &'a [(ModelId, PositionMark)],
}

/// A position at the end of a trading day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionMark {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Signed quantity.
    pub quantity: crate::Quantity,
    /// The last price, in the instrument's currency.
    pub price: Price,
    /// Notional value in the account's currency: `price x quantity x multiplier`, converted at the last rate where the
    /// instrument is quoted in another one.
    pub value: crate::Cash,
}
