//! The sink of a stored run: turns steps and daily marks into table rows.

use serde_json::{Map, json};
use sextant_data::Progress;
use sextant_domain::ports::{DailyMark, PositionMark, ResultSink};
use sextant_domain::{
    Cash, Contract, Fill, InstrumentId, InstrumentTable, ModelId, MoneyError, OrderDraft, RegimeDimension,
    RegimeEstimate, Side, StepRecord, UtcNanos,
};
use sextant_metrics::{ExposureMark, RebalanceRecord};
use sextant_store::{
    EquityRow, FillAllocationRow, FillRow, IntentRow, MarkRow, OrderEndRow, PORTFOLIO_SCOPE, PositionRow,
    RefusalRow, RegimeRow, RiskEventRow, RunTables, TargetRow,
};

use crate::account_rows::account_rows;
use crate::order_rows::{Size, order_row};
use crate::sleeve::Sleeve;

/// What the metrics of a scope are computed from.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Its value at the daily marks.
    pub(crate) daily: Sleeve,
    /// Its value at every step.
    pub(crate) steps: Sleeve,
    /// One record per step with fills.
    pub(crate) rebalances: Vec<RebalanceRecord>,
    /// One record per daily mark.
    pub(crate) exposures: Vec<ExposureMark>,
    /// What its own volume cost it, as far as the costs model that; contained in the slippage.
    pub(crate) impact: f64,
}

/// Collects the rows of a run.
///
/// Scope 0 is the portfolio, scope `m + 1` is model `m`. A model's equity is its base budget of the initial capital plus
/// its profit and loss; what it is measured on is its [`Sleeve`].
pub(crate) struct RunRecorder<'p> {
    progress: &'p dyn Progress,
    told: Option<usize>,
    symbols: Vec<String>,
    contracts: Vec<Contract>,
    scopes: Vec<String>,
    capital: Vec<Cash>,
    peaks: Vec<f64>,
    activity: Vec<Activity>,
    regime: Option<RegimeEstimate>,
    fills: i64,
    tables: RunTables,
    failure: Option<MoneyError>,
}

impl<'p> RunRecorder<'p> {
    /// A recorder for the given models and their sleeves' capital; `initial` is the portfolio's.
    pub(crate) fn new(
        instruments: &InstrumentTable,
        models: &[(String, Cash)],
        initial: Cash,
        progress: &'p dyn Progress,
    ) -> Self {
        let activity = |capital: &Cash| {
            let sleeve = Sleeve::new(capital.to_f64() / initial.to_f64(), initial.to_f64());
            Activity {
                daily: sleeve.clone(),
                steps: sleeve,
                rebalances: Vec::new(),
                exposures: Vec::new(),
                impact: 0.0,
            }
        };
        let scopes =
            std::iter::once(PORTFOLIO_SCOPE.to_owned()).chain(models.iter().map(|(name, _)| name.clone()));
        let capital: Vec<Cash> = std::iter::once(initial)
            .chain(models.iter().map(|(_, capital)| *capital))
            .collect();
        Self {
            symbols: instruments
                .iter()
                .map(|(_, instrument)| instrument.symbol.clone())
                .collect(),
            contracts: instruments.iter().map(|(_, one)| one.contract).collect(),
            scopes: scopes.collect(),
            peaks: capital.iter().map(|capital| capital.to_f64()).collect(),
            activity: capital.iter().map(activity).collect(),
            progress,
            told: None,
            capital,
            regime: None,
            fills: 0,
            tables: RunTables::default(),
            failure: None,
        }
    }

    /// The rows, and the activity of each scope.
    ///
    /// # Errors
    /// [`MoneyError`] when a value did not fit exactly on the way.
    pub(crate) fn finish(self) -> Result<(RunTables, Vec<Activity>), MoneyError> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok((self.tables, self.activity)),
        }
    }

    fn symbol(&self, instrument: InstrumentId) -> String {
        self.symbols[instrument.index()].clone()
    }

    fn equity_rows(&mut self, step: &StepRecord) {
        let portfolio = [step.equity.equity].into_iter();
        let sleeves = self.capital[1..]
            .iter()
            .zip(&step.model_pnl)
            .map(|(capital, pnl)| capital.to_f64() + pnl);
        let values: Vec<f64> = portfolio.chain(sleeves).collect();
        for (scope, equity) in values.into_iter().enumerate() {
            self.peaks[scope] = self.peaks[scope].max(equity);
            let of_portfolio = |value: f64| (scope == 0).then_some(value);
            self.tables.equity.push(EquityRow {
                time: step.time,
                scope: self.scopes[scope].clone(),
                equity,
                cash: of_portfolio(step.equity.cash),
                gross: of_portfolio(step.equity.gross),
                net: of_portfolio(step.equity.net),
                drawdown: if self.peaks[scope] > 0.0 {
                    equity / self.peaks[scope] - 1.0
                } else {
                    -1.0
                },
                risk_status: (scope == 0).then(|| step.status.name().to_owned()),
            });
        }
    }

    fn regime_rows(&mut self, step: &StepRecord) {
        let Some(estimate) = step.regime else { return };
        for dimension in RegimeDimension::ALL {
            let label = estimate.label(dimension);
            if self.regime.is_some_and(|before| before.label(dimension) == label) {
                continue;
            }
            let inputs: Map<_, _> = step
                .regime_inputs
                .iter()
                .filter(|input| input.dimension == dimension)
                .map(|input| (input.name.to_owned(), json!(input.value)))
                .collect();
            self.tables.regimes.push(RegimeRow {
                time: step.time,
                dimension: dimension.name().to_owned(),
                label: label.to_owned(),
                inputs: serde_json::Value::Object(inputs).to_string(),
            });
        }
        self.regime = Some(estimate);
    }

    fn wish_rows(&mut self, step: &StepRecord) {
        for (model, instrument, weight) in &step.intents {
            let (model, symbol) = (self.scopes[model.index() + 1].clone(), self.symbol(*instrument));
            self.tables.intents.push(IntentRow {
                time: step.time,
                model,
                symbol,
                weight: *weight,
            });
        }
        for (instrument, weight) in &step.targets {
            let symbol = self.symbol(*instrument);
            self.tables.targets.push(TargetRow {
                time: step.time,
                symbol,
                weight: *weight,
            });
        }
        for act in &step.interventions {
            self.tables.risk_events.push(RiskEventRow {
                time: step.time,
                rule: act.rule.to_owned(),
                action: act.action.name().to_owned(),
                symbol: act.instrument.map(|instrument| self.symbol(instrument)),
                before: act.before,
                after: act.after,
                reason: act.reason.clone(),
            });
        }
    }

    fn order_rows(&mut self, step: &StepRecord) {
        for order in &step.orders {
            let symbol = self.symbol(order.draft.instrument);
            let row = order_row(order, symbol, self.owners(&order.draft));
            self.tables.orders.push(row);
        }
        for end in &step.ended {
            self.tables.order_ends.push(OrderEndRow {
                order_id: end.order,
                time: end.time,
                reason: end.reason.name().to_owned(),
            });
        }
        for refused in &step.refused {
            let size = Size::of(&refused.draft);
            self.tables.refusals.push(RefusalRow {
                decided_at: refused.draft.decided_at,
                symbol: self.symbol(refused.draft.instrument),
                side: size.side,
                quantity: size.quantity,
                size_kind: size.kind,
                size_fraction: size.fraction,
                reference_price: refused.draft.reference_price,
                origin: refused.draft.origin.name().to_owned(),
                models: self.owners(&refused.draft),
                rule: refused.rule.to_owned(),
            });
        }
    }

    fn owners(&self, draft: &OrderDraft) -> String {
        let names: Vec<&str> = draft
            .allocations
            .iter()
            .map(|one| self.scopes[one.model.index() + 1].as_str())
            .collect();
        names.join(",")
    }

    /// The rows of a fill. A unit at a price of one was worth `factor` in the account's currency when it was posted.
    fn fill_rows(&mut self, fill: &Fill, factor: f64) -> Result<(), MoneyError> {
        self.fills += 1;
        self.tables.fills.push(FillRow {
            fill_id: self.fills,
            order_id: fill.order,
            time: fill.time,
            symbol: self.symbol(fill.instrument),
            // A crossing between models trades nothing in the market; it is booked on the buyer's side.
            side: Side::of(fill.quantity).unwrap_or(Side::Buy),
            quantity: fill.quantity,
            price: fill.price,
            reference_price: fill.reference_price,
            fee: fill.fee,
            slippage: fill.slippage,
            impact: fill.impact,
            currency: self.contracts[fill.instrument.index()].currency.code().to_owned(),
        });
        let multiplier = self.contracts[fill.instrument.index()].multiplier;
        let impact = fill.impact.to_f64() * factor / multiplier.to_f64();
        self.activity[0].impact += impact;
        for part in fill.parts(multiplier)? {
            if !fill.impact.is_zero() {
                let share = part.quantity.to_f64() / fill.quantity.to_f64();
                self.activity[scope_of(part.model)].impact += share * impact;
            }
            self.tables.fill_allocations.push(FillAllocationRow {
                fill_id: self.fills,
                order_id: fill.order,
                model: self.scopes[part.model.index() + 1].clone(),
                quantity: part.quantity,
                fee: part.fee,
                slippage: part.slippage,
            });
        }
        Ok(())
    }

    /// What each scope traded in this step, against what it manages. Several fills of one instrument count by what they
    /// come to together.
    fn rebalances(&mut self, step: &StepRecord) {
        let (scopes, instruments) = (self.scopes.len(), self.symbols.len());
        let mut net = vec![0.0; scopes * instruments];
        let mut notional = vec![0.0; scopes];
        for (fill, factor) in step.fills.iter().zip(&step.fill_factors) {
            let unit_value = fill.price.to_f64() * factor;
            let of_models = fill
                .allocations
                .iter()
                .map(|part| (scope_of(part.model), part.quantity));
            for (scope, quantity) in std::iter::once((0, fill.quantity)).chain(of_models) {
                let value = quantity.to_f64() * unit_value;
                net[scope * instruments + fill.instrument.index()] += value;
                notional[scope] += value.abs();
            }
        }
        for (scope, traded_notional) in notional.into_iter().enumerate() {
            let managed = self.activity[scope].steps.managed(step.equity.equity);
            if traded_notional > 0.0 && managed > 0.0 {
                let changed: f64 = net[scope * instruments..][..instruments]
                    .iter()
                    .map(|value| value.abs())
                    .sum();
                self.activity[scope].rebalances.push(RebalanceRecord {
                    time_ns: step.time.nanos(),
                    one_sided_turnover: 0.5 * changed / managed,
                    traded_notional,
                });
            }
        }
    }

    fn mark_rows(&mut self, mark: &DailyMark<'_>) -> Result<(), MoneyError> {
        let pnl = mark.equity.minus(self.capital[0])?;
        let values = std::iter::once(Ok((mark.equity, pnl))).chain(
            mark.model_pnl
                .iter()
                .zip(&self.capital[1..])
                .map(|(pnl, capital)| Ok((capital.plus(*pnl)?, *pnl))),
        );
        let values = values.collect::<Result<Vec<(Cash, Cash)>, MoneyError>>()?;
        for (scope, (equity, pnl)) in values.iter().enumerate() {
            let name = self.scopes[scope].clone();
            self.tables.marks.push(MarkRow {
                time: mark.time,
                scope: name,
                equity: *equity,
                pnl: *pnl,
            });
        }
        let portfolio_equity = mark.equity.to_f64();
        for (activity, (_, pnl)) in self.activity.iter_mut().zip(&values) {
            activity.daily.mark(mark.time, portfolio_equity, pnl.to_f64());
        }
        let managed: Vec<f64> = self
            .activity
            .iter()
            .map(|one| one.daily.managed(portfolio_equity))
            .collect();
        let of_portfolio = mark.positions.iter().map(|position| (0, *position));
        let of_models = mark.model_positions.iter();
        let of_models = of_models.map(|(model, position)| (scope_of(*model), *position));
        let mut exposures = vec![(0.0, 0.0); self.scopes.len()];
        for (scope, position) in of_portfolio.chain(of_models) {
            let value = self.position_row(mark.time, scope, position, managed[scope]);
            exposures[scope].0 += value.abs();
            exposures[scope].1 += value;
        }
        for (scope, (gross, net)) in exposures.into_iter().enumerate() {
            if managed[scope] > 0.0 {
                let (gross, net) = (gross / managed[scope], net / managed[scope]);
                self.activity[scope].exposures.push(ExposureMark {
                    time_ns: mark.time.nanos(),
                    gross,
                    net,
                });
            }
        }
        Ok(())
    }

    fn position_row(&mut self, time: UtcNanos, scope: usize, position: PositionMark, equity: f64) -> f64 {
        let value = position.value.to_f64();
        self.tables.positions.push(PositionRow {
            time,
            scope: self.scopes[scope].clone(),
            symbol: self.symbol(position.instrument),
            quantity: position.quantity,
            price: position.price,
            value: position.value,
            weight: (equity > 0.0).then(|| value / equity),
        });
        value
    }

    fn keep(&mut self, result: Result<(), MoneyError>) {
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
    }
}

impl ResultSink for RunRecorder<'_> {
    fn record(&mut self, step: &StepRecord) {
        self.equity_rows(step);
        let pnl = std::iter::once(step.equity.equity - self.capital[0].to_f64())
            .chain(step.model_pnl.iter().copied());
        for (activity, pnl) in self.activity.iter_mut().zip(pnl) {
            activity.steps.mark(step.time, step.equity.equity, pnl);
        }
        self.regime_rows(step);
        self.wish_rows(step);
        self.order_rows(step);
        account_rows(step, &self.symbols, &self.scopes[1..], &mut self.tables);
        for (fill, factor) in step.fills.iter().zip(&step.fill_factors) {
            let booked = self.fill_rows(fill, *factor);
            self.keep(booked);
        }
        if !step.fills.is_empty() {
            self.rebalances(step);
        }
    }

    fn mark(&mut self, mark: &DailyMark<'_>) {
        let booked = self.mark_rows(mark);
        self.keep(booked);
    }

    fn progress(&mut self, done: usize, all: usize) {
        if self.told.is_none() {
            self.progress.start(all as u64, "running");
        }
        self.progress.advance((done - self.told.unwrap_or(0)) as u64);
        self.told = Some(done);
    }
}

fn scope_of(model: ModelId) -> usize {
    model.index() + 1
}
