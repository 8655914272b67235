//! The decision step.

use sextant_domain::ports::{
    Broker, BrokerError, DailyMark, FeatureSource, Model, ModelError, PortfolioConstructor, PortfolioContext,
    RegimeDetector, RiskEngine,
};
use sextant_domain::{
    AccountView, Allocation, AssetClass, BindError, Binding, Cash, InstrumentId, Intents, MarketData,
    MarketView, ModelId, MoneyError, OrderDraft, OrderId, OrderOrigin, OrderRequest, OrderReview, OrderSize,
    PortfolioState, Quantity, RefusedOrder, RegimeEstimate, RegimeInput, RiskGate, RiskStatus, SeriesId,
    StepRecord, TargetWeights, UtcNanos,
};
use thiserror::Error;

use crate::ledger::{Ledger, LedgerError, Scope};
use crate::sizing::{self, SizingContext};

/// Why a run cannot begin or go on.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Requirements that the data does not meet.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A model that failed, or that the portfolio constructor does not take.
    #[error("model {model} at {time}: {source}")]
    Model {
        /// The model's name.
        model: String,
        /// The instant of the decision.
        time: UtcNanos,
        /// What is wrong.
        source: ModelError,
    },
    /// Two models under one name.
    #[error("the model {0} is added twice; every model may run once")]
    DuplicateModel(String),
    /// A portfolio constructor that does not fit the models.
    #[error("portfolio: {0}")]
    Portfolio(ModelError),
    /// A weight that is not a number.
    #[error(
        "model {model} at {time}: asks for a weight of {weight} in {symbol}; weights must be finite numbers"
    )]
    Weight {
        /// The model's name.
        model: String,
        /// The instant of the decision.
        time: UtcNanos,
        /// The instrument.
        symbol: String,
        /// The weight found.
        weight: f64,
    },
    /// A broker that failed.
    #[error("broker: {0}")]
    Broker(#[from] BrokerError),
    /// Books that cannot hold a fill.
    #[error("ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// A value with no exact decimal.
    #[error("at {time}: {source}")]
    Money {
        /// When.
        time: UtcNanos,
        /// What is wrong.
        source: MoneyError,
    },
}

/// What decides: models, regime, portfolio and risk.
pub struct EngineParts {
    /// The models, in the order of their ids.
    pub models: Vec<Box<dyn Model>>,
    /// The regime detector; without one every label is `unknown`.
    pub regime: Option<Box<dyn RegimeDetector>>,
    /// Turns intents into weights.
    pub portfolio: Box<dyn PortfolioConstructor>,
    /// The limits.
    pub risk: Box<dyn RiskEngine>,
}

// A model with its requirements resolved.
struct BoundModel {
    model: Box<dyn Model>,
    binding: Binding,
}

/// Bars have closed.
#[derive(Debug, Clone, Copy)]
pub struct MarketEvent<'a> {
    /// The instant.
    pub time: UtcNanos,
    /// How many bars of each series have closed by now.
    pub available: &'a [usize],
    /// The series of which a bar closed at this instant, in order of id.
    pub closed: &'a [SeriesId],
    /// Whether trading has begun; before that only features and regimes warm up.
    pub trading: bool,
}

/// The engine of one run: books, models and the state that lies between steps.
pub struct Engine<'m> {
    market: &'m MarketData,
    features: &'m dyn FeatureSource,
    models: Vec<BoundModel>,
    regime: Option<(Box<dyn RegimeDetector>, Binding)>,
    portfolio: Box<dyn PortfolioConstructor>,
    risk: Box<dyn RiskEngine>,
    ledger: Ledger,
    classes: Vec<AssetClass>,
    /// Per series: the instrument it marks, if it is an execution series.
    marks: Vec<Option<InstrumentId>>,
    /// Per series: the models that decide when one of its bars closes.
    triggers: Vec<Vec<usize>>,
    model_targets: Vec<f64>,
    /// Approved contributions of the last time targets were computed; NaN before that.
    contributions: Vec<f64>,
    estimate: RegimeEstimate,
    status: RiskStatus,
    has_traded: bool,
    next_order: usize,
    scratch: Scratch,
}

/// Memory reused from step to step.
#[derive(Default)]
struct Scratch {
    weights: Vec<f64>,
    pending_weights: Vec<f64>,
    pending: Vec<Quantity>,
    due: Vec<bool>,
    given: Vec<bool>,
    intents: Intents,
    inputs: Vec<RegimeInput>,
    requests: Vec<(ModelId, OrderRequest)>,
}

impl<'m> Engine<'m> {
    /// Resolves every requirement, preparing features on the way.
    ///
    /// # Errors
    /// [`EngineError`] when a model is added twice, a name cannot be resolved, or the portfolio constructor does not
    /// know the models.
    pub fn bind(
        parts: EngineParts,
        market: &MarketData,
        features: &mut dyn FeatureSource,
    ) -> Result<BoundParts, EngineError> {
        let EngineParts {
            models,
            regime,
            mut portfolio,
            risk,
        } = parts;
        let names: Vec<String> = models.iter().map(|model| model.id().to_owned()).collect();
        if let Some(twice) = names
            .iter()
            .enumerate()
            .find(|(index, name)| names[..*index].contains(name))
        {
            return Err(EngineError::DuplicateModel(twice.1.clone()));
        }
        portfolio
            .bind(&names.iter().map(String::as_str).collect::<Vec<_>>())
            .map_err(EngineError::Portfolio)?;
        let models = models
            .into_iter()
            .map(|model| {
                let binding = Binding::resolve(model.id(), model.requirements(), market, features)?;
                Ok(BoundModel { model, binding })
            })
            .collect::<Result<Vec<_>, EngineError>>()?;
        let regime = regime
            .map(|detector| {
                let binding =
                    Binding::resolve("the regime detector", detector.requirements(), market, features)?;
                Ok::<_, EngineError>((detector, binding))
            })
            .transpose()?;
        Ok(BoundParts {
            models,
            regime,
            portfolio,
            risk,
        })
    }

    /// An engine with empty books.
    pub fn new(
        parts: BoundParts,
        initial: Cash,
        market: &'m MarketData,
        features: &'m dyn FeatureSource,
    ) -> Self {
        let instruments = market.instruments();
        let (count, models) = (instruments.len(), parts.models.len());
        let mut marks = vec![None; market.series().len()];
        for (id, _) in instruments.iter() {
            marks[market.execution_series(id).index()] = Some(id);
        }
        let mut triggers = vec![Vec::new(); market.series().len()];
        for (index, model) in parts.models.iter().enumerate() {
            for series in model.binding.triggers() {
                triggers[series.index()].push(index);
            }
        }
        Self {
            market,
            features,
            models: parts.models,
            regime: parts.regime,
            portfolio: parts.portfolio,
            risk: parts.risk,
            ledger: Ledger::new(initial, models, instruments),
            classes: instruments
                .iter()
                .map(|(_, instrument)| instrument.class)
                .collect(),
            marks,
            triggers,
            model_targets: vec![f64::NAN; models * count],
            contributions: vec![f64::NAN; models * count],
            estimate: RegimeEstimate::default(),
            status: RiskStatus::Normal,
            has_traded: false,
            next_order: 1,
            scratch: Scratch {
                weights: vec![0.0; count],
                pending_weights: vec![0.0; count],
                due: vec![false; models],
                given: vec![false; models * count],
                ..Scratch::default()
            },
        }
    }

    /// The books.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The names of the models, by id.
    pub fn model_names(&self) -> impl Iterator<Item = &str> {
        self.models.iter().map(|bound| bound.model.id())
    }

    /// One step: everything that follows from bars closing at one instant.
    ///
    /// # Errors
    /// [`EngineError`] when a model, the broker or the books fail; the run must stop then.
    pub fn step(
        &mut self,
        event: &MarketEvent<'_>,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        record.begin(event.time, event.trading);
        self.post_fills(event.time, broker, record)?;
        self.mark_prices(event);
        let regime_changed = self.update_regime(event, record);
        if event.trading {
            self.update_weights(broker);
            let status_changed = self.observe(event.time, record);
            let decided = self.decide(event, record)?;
            if decided || regime_changed || status_changed {
                self.trade_to_targets(event.time, broker, record)?;
            }
            self.send_requests(event.time, broker, record)?;
            if !broker.working().is_empty() {
                self.post_fills(event.time, broker, record)?;
            }
        }
        self.finish(record);
        Ok(())
    }

    fn post_fills(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        while let Some(fill) = broker.next_fill(now, &self.ledger)? {
            self.ledger.post(&fill)?;
            record.fills.push(fill);
        }
        Ok(())
    }

    fn mark_prices(&mut self, event: &MarketEvent<'_>) {
        for series in event.closed {
            if let Some(instrument) = self.marks[series.index()] {
                let bars = self.market.get(*series).bars.view();
                self.ledger
                    .set_price(instrument, bars.close[event.available[series.index()] - 1]);
            }
        }
    }

    /// Updates the regime; true when a label changed.
    fn update_regime(&mut self, event: &MarketEvent<'_>, record: &mut StepRecord) -> bool {
        self.scratch.inputs.clear();
        let before = self.estimate;
        if let Some((detector, binding)) = &mut self.regime {
            let view = MarketView::new(event.time, self.market, event.available, self.features, binding);
            self.estimate = detector.update(&view, &mut self.scratch.inputs);
        }
        let changed = self.estimate != before;
        let first = event.trading && !std::mem::replace(&mut self.has_traded, event.trading);
        if changed || first {
            record.regime = Some(self.estimate);
            record.regime_inputs.extend_from_slice(&self.scratch.inputs);
        }
        changed
    }

    /// Brings present and pending weights up to date.
    fn update_weights(&mut self, broker: &dyn Broker) {
        let equity = self.ledger.equity_point().equity;
        let scratch = &mut self.scratch;
        scratch.weights.fill(0.0);
        for index in self.ledger.open() {
            let price = self.ledger.price(InstrumentId::from_index(*index));
            scratch.weights[*index] = self.ledger.units()[*index] * price / equity;
        }
        scratch.pending_weights.fill(0.0);
        for order in broker.working() {
            let weight = draft_weight(&self.ledger, &order.draft, equity).unwrap_or(0.0);
            scratch.pending_weights[order.draft.instrument.index()] += weight;
        }
    }

    fn state(&self, now: UtcNanos) -> PortfolioState<'_> {
        PortfolioState {
            as_of: now,
            equity: self.ledger.equity_point().equity,
            weights: &self.scratch.weights,
            pending: &self.scratch.pending_weights,
            classes: &self.classes,
        }
    }

    /// Lets risk look at the portfolio; true when its standing changed.
    fn observe(&mut self, now: UtcNanos, record: &mut StepRecord) -> bool {
        let state = PortfolioState {
            as_of: now,
            equity: self.ledger.equity_point().equity,
            weights: &self.scratch.weights,
            pending: &self.scratch.pending_weights,
            classes: &self.classes,
        };
        let status = self.risk.observe(&state, &mut record.interventions);
        std::mem::replace(&mut self.status, status) != status
    }

    /// Lets every model whose bars closed decide; true when any gave targets.
    fn decide(&mut self, event: &MarketEvent<'_>, record: &mut StepRecord) -> Result<bool, EngineError> {
        self.scratch.requests.clear();
        let mut any_due = false;
        for series in event.closed {
            for model in &self.triggers[series.index()] {
                self.scratch.due[*model] = true;
                any_due = true;
            }
        }
        if !any_due {
            return Ok(false);
        }
        let mut targeted = false;
        for index in 0..self.models.len() {
            if std::mem::take(&mut self.scratch.due[index]) {
                targeted |= self.decide_one(index, event, record)?;
            }
        }
        Ok(targeted)
    }

    fn decide_one(
        &mut self,
        index: usize,
        event: &MarketEvent<'_>,
        record: &mut StepRecord,
    ) -> Result<bool, EngineError> {
        let id = ModelId::from_index(index);
        let account = AccountView {
            portfolio_equity: self.ledger.equity_point().equity,
            model_pnl: self.ledger.model_pnl(id),
            positions: self.ledger.model_units(id),
        };
        let BoundModel { model, binding } = &mut self.models[index];
        let view = MarketView::new(event.time, self.market, event.available, self.features, binding);
        let intents = &mut self.scratch.intents;
        intents.clear();
        model
            .decide(&view.with_account(account), intents)
            .map_err(|source| EngineError::Model {
                model: model.id().to_owned(),
                time: event.time,
                source,
            })?;
        let row = index * self.classes.len();
        for intent in intents.targets() {
            let instrument = binding.instrument(intent.instrument);
            if !intent.weight.is_finite() {
                let symbol = self.market.instruments().get(instrument).symbol.clone();
                let (model, time, weight) = (model.id().to_owned(), event.time, intent.weight);
                return Err(EngineError::Weight {
                    model,
                    time,
                    symbol,
                    weight,
                });
            }
            self.model_targets[row + instrument.index()] = intent.weight;
            self.scratch.given[row + instrument.index()] = true;
            record.intents.push((id, instrument, intent.weight));
        }
        self.scratch
            .requests
            .extend(intents.orders().iter().map(|order| (id, *order)));
        Ok(!intents.targets().is_empty())
    }

    /// Builds, limits and sizes targets, and sends the orders that lead to them.
    fn trade_to_targets(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let count = self.classes.len();
        let mut targets = TargetWeights::new(self.models.len(), count);
        let context = PortfolioContext {
            as_of: now,
            regime: self.estimate,
            model_targets: &self.model_targets,
            instruments: count,
        };
        self.portfolio.targets(&context, &mut targets);
        self.add_unmanaged(&mut targets);
        let state = self.state(now);
        let equity = state.equity;
        let approved = RiskGate.targets(&*self.risk, &state, targets, &mut record.interventions);
        for (instrument, _) in self.market.instruments().iter() {
            if approved.is_managed(instrument) {
                record
                    .targets
                    .push((instrument, approved.net()[instrument.index()]));
            }
        }
        self.update_pending(now, broker)?;
        let context = SizingContext {
            now,
            equity,
            no_trade_band: self.portfolio.no_trade_band(),
            ledger: &self.ledger,
            instruments: self.market.instruments(),
            pending: &self.scratch.pending,
            status: self.status,
            given: &self.scratch.given,
            before: &self.contributions,
        };
        let drafts =
            sizing::drafts(&context, &approved).map_err(|source| EngineError::Money { time: now, source })?;
        self.contributions.copy_from_slice(approved.contributions());
        self.scratch.given.fill(false);
        drafts
            .into_iter()
            .try_for_each(|draft| self.send(now, draft, broker, record))
    }

    /// Positions that no target governs count against the limits at their present weight.
    fn add_unmanaged(&self, targets: &mut TargetWeights) {
        let equity = self.ledger.equity_point().equity;
        for index in self.ledger.open() {
            let instrument = InstrumentId::from_index(*index);
            for model in (0..self.models.len()).map(ModelId::from_index) {
                let units = self.ledger.model_units(model)[*index];
                if units != 0.0 && !targets.is_managed_by(model, instrument) {
                    targets.add_unmanaged(model, instrument, units * self.ledger.price(instrument) / equity);
                }
            }
        }
    }

    /// Signed quantities on the way, per model and instrument. Empty while nothing is.
    fn update_pending(&mut self, now: UtcNanos, broker: &dyn Broker) -> Result<(), EngineError> {
        let pending = &mut self.scratch.pending;
        pending.clear();
        if broker.working().is_empty() {
            return Ok(());
        }
        let count = self.classes.len();
        pending.resize(self.models.len() * count, Quantity::ZERO);
        for order in broker.working() {
            let instrument = order.draft.instrument;
            for Allocation { model, quantity } in &order.draft.allocations {
                let quantity = match order.draft.size {
                    OrderSize::ClosePosition => -self
                        .ledger
                        .book(Scope::Model(*model))
                        .instrument(instrument)
                        .quantity(),
                    _ => *quantity,
                };
                let place = &mut pending[model.index() * count + instrument.index()];
                *place = place
                    .plus(quantity)
                    .map_err(|source| EngineError::Money { time: now, source })?;
            }
        }
        Ok(())
    }

    fn send_requests(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        for index in 0..self.scratch.requests.len() {
            let (model, request) = self.scratch.requests[index];
            let instrument = self.models[model.index()].binding.instrument(request.instrument);
            let quantity = match request.size {
                OrderSize::Units(quantity) => quantity,
                _ => Quantity::ZERO,
            };
            let draft = OrderDraft {
                instrument,
                size: request.size,
                allocations: vec![Allocation { model, quantity }],
                budget: self.portfolio.budget(model, &self.estimate),
                reference_price: self.ledger.price(instrument),
                decided_at: now,
                origin: OrderOrigin::Request,
            };
            self.send(now, draft, broker, record)?;
        }
        Ok(())
    }

    /// Puts one draft before the gate and sends what comes out.
    fn send(
        &mut self,
        now: UtcNanos,
        draft: OrderDraft,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let state = self.state(now);
        let review = OrderReview {
            draft: &draft,
            weight: draft_weight(&self.ledger, &draft, state.equity),
        };
        let instrument = self.market.instruments().get(draft.instrument);
        let id = OrderId::from_index(self.next_order);
        let equity = state.equity;
        match RiskGate.order(&*self.risk, &state, review, instrument, id) {
            Ok((order, reasons)) => {
                record.interventions.extend(reasons);
                self.next_order += 1;
                let weight = draft_weight(&self.ledger, &order.draft, equity).unwrap_or(0.0);
                self.scratch.pending_weights[order.draft.instrument.index()] += weight;
                record.orders.push((*order).clone());
                broker.submit(order)?;
            }
            Err(refusal) => {
                let rule = refusal.reasons.last().map_or("lot_size", |reason| reason.rule);
                record.interventions.extend(refusal.reasons);
                record.refused.push(RefusedOrder {
                    draft: refusal.draft,
                    rule,
                });
            }
        }
        Ok(())
    }

    fn finish(&self, record: &mut StepRecord) {
        record.status = self.status;
        record.equity = self.ledger.equity_point();
        for (index, pnl) in record.model_pnl.iter_mut().enumerate() {
            *pnl = self.ledger.model_pnl(ModelId::from_index(index));
        }
    }

    /// Hands the exact state of the books at the end of a day to `take`.
    ///
    /// # Errors
    /// [`EngineError::Money`] when a value does not fit exactly.
    pub fn daily_mark(&self, time: UtcNanos, take: impl FnOnce(&DailyMark<'_>)) -> Result<(), EngineError> {
        let money = |source| EngineError::Money { time, source };
        let equity = self.ledger.exact_equity().map_err(money)?;
        let model_pnl = (0..self.models.len())
            .map(|index| self.ledger.pnl(Scope::Model(ModelId::from_index(index))))
            .collect::<Result<Vec<_>, _>>()
            .map_err(money)?;
        let (mut positions, mut model_positions) = (Vec::new(), Vec::new());
        for index in self.ledger.open() {
            let instrument = InstrumentId::from_index(*index);
            let price = self.ledger.exact_price(instrument).map_err(money)?;
            let quantity = |scope| self.ledger.book(scope).instrument(instrument).quantity();
            positions.push((instrument, quantity(Scope::Portfolio), price));
            for model in (0..self.models.len()).map(ModelId::from_index) {
                let held = quantity(Scope::Model(model));
                if !held.is_zero() {
                    model_positions.push((model, instrument, held, price));
                }
            }
        }
        take(&DailyMark {
            time,
            equity,
            model_pnl: &model_pnl,
            positions: &positions,
            model_positions: &model_positions,
        });
        Ok(())
    }

    /// Closes every position through the gate and the broker, as part of the step that `record` holds: the end of a run,
    /// where that option is on.
    ///
    /// # Errors
    /// [`EngineError`] as for [`step`](Self::step).
    pub fn liquidate(&mut self, broker: &mut dyn Broker, record: &mut StepRecord) -> Result<(), EngineError> {
        let now = record.time;
        self.update_weights(broker);
        for index in self.ledger.open().to_vec() {
            let instrument = InstrumentId::from_index(index);
            for model in (0..self.models.len()).map(ModelId::from_index) {
                if self.ledger.model_units(model)[index] == 0.0 {
                    continue;
                }
                let draft = OrderDraft {
                    instrument,
                    size: OrderSize::ClosePosition,
                    allocations: vec![Allocation {
                        model,
                        quantity: Quantity::ZERO,
                    }],
                    budget: 1.0,
                    reference_price: self.ledger.price(instrument),
                    decided_at: now,
                    origin: OrderOrigin::EndOfRun,
                };
                self.send(now, draft, broker, record)?;
            }
        }
        self.post_fills(now, broker, record)?;
        self.finish(record);
        Ok(())
    }

    /// The books, once the run is over.
    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }
}

/// Everything that decides, resolved against a market.
pub struct BoundParts {
    models: Vec<BoundModel>,
    regime: Option<(Box<dyn RegimeDetector>, Binding)>,
    portfolio: Box<dyn PortfolioConstructor>,
    risk: Box<dyn RiskEngine>,
}

/// An order's signed weight at the last price; `None` without price or equity.
fn draft_weight(ledger: &Ledger, draft: &OrderDraft, equity: f64) -> Option<f64> {
    let price = ledger.price(draft.instrument);
    let known = price > 0.0 && equity > 0.0;
    let units = |quantity: Quantity| quantity.to_f64() * price / equity;
    known.then(|| match draft.size {
        OrderSize::Units(quantity) => units(quantity),
        OrderSize::EquityFraction(fraction) => fraction * draft.budget,
        OrderSize::ClosePosition => draft
            .allocations
            .iter()
            .map(|one| {
                -units(
                    ledger
                        .book(Scope::Model(one.model))
                        .instrument(draft.instrument)
                        .quantity(),
                )
            })
            .sum(),
    })
}
