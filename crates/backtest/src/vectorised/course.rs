//! From signals to holdings: from one row at which something happens to the next, with columns in between.

use std::ops::Range;

use sextant_domain::ports::{PortfolioConstructor, RiskEngine};
use sextant_domain::{
    AssetClass, InstrumentId, InstrumentTable, MarginState, MarketData, PortfolioState, Quantity,
    RegimeEstimate, RiskStatus, TargetWeights, TrailingStatistics,
};
use sextant_engine::{EngineError, Trailing};

use super::axis::Axis;
use super::book::Book;
use super::log::Logs;
use super::queue::Queue;
use super::signals::Signals;
use super::sizing::RankedDraft;
use crate::driver::{BacktestConfig, EndOfRun};
use crate::venue::traded_value::TradedValue;

/// What a course begins with.
pub(super) struct Start<'a> {
    pub(super) axis: &'a Axis<'a>,
    pub(super) config: &'a BacktestConfig,
    pub(super) market: &'a MarketData,
    pub(super) signals: &'a Signals,
    pub(super) models: usize,
    pub(super) portfolio: Box<dyn PortfolioConstructor>,
    pub(super) risk: Box<dyn RiskEngine>,
}

/// The state between the rows at which something happens.
pub(super) struct Course<'a> {
    pub(super) axis: &'a Axis<'a>,
    pub(super) config: &'a BacktestConfig,
    market: &'a MarketData,
    pub(super) instruments: &'a InstrumentTable,
    signals: &'a Signals,
    next_signal: usize,
    next_regime: usize,
    pub(super) portfolio: Box<dyn PortfolioConstructor>,
    pub(super) risk: Box<dyn RiskEngine>,
    /// What risk rules judge by beside the portfolio; `None` where none asks.
    trailing: Option<Trailing>,
    pub(super) book: Book,
    pub(super) queue: Queue,
    /// What the run traded, for fees that depend on it.
    pub(super) traded_value: TradedValue,
    classes: Vec<AssetClass>,
    pub(super) estimate: RegimeEstimate,
    pub(super) status: RiskStatus,
    /// The latest target of every model and instrument, model by model; NaN where there is none.
    pub(super) model_targets: Vec<f64>,
    /// Which of them were given in this row.
    pub(super) given: Vec<bool>,
    /// Approved contributions of the last time targets were computed; NaN before that.
    pub(super) contributions: Vec<f64>,
    /// Equity of the row in work.
    pub(super) equity: f64,
    pub(super) weights: Vec<f64>,
    pub(super) pending_weights: Vec<f64>,
    /// Instruments whose present or pending weight may differ from zero.
    pub(super) touched: Vec<usize>,
    pub(super) scratch: Scratch,
    /// Equity at the end of each row done.
    equity_column: Vec<f64>,
    pub(super) logs: Logs,
}

/// Memory reused from row to row.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) targets: Option<TargetWeights>,
    pub(super) proposed: Vec<f64>,
    pub(super) pending: Vec<Quantity>,
    pub(super) drafts: Vec<RankedDraft>,
}

/// How a row at which something happens was reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// Fills, a decision or the end are due.
    Due,
    /// The risk engine's standing has changed at it, and nothing else is due.
    StandingChanged,
}

impl<'a> Course<'a> {
    pub(super) fn new(start: Start<'a>) -> Self {
        let instruments = start.market.instruments();
        let (count, models) = (instruments.len(), start.models);
        let classes = instruments.iter().map(|(_, instrument)| instrument.class);
        Self {
            book: Book::new(start.config.initial_capital, models, count),
            queue: Queue::new(count),
            traded_value: TradedValue::default(),
            classes: classes.collect(),
            axis: start.axis,
            config: start.config,
            market: start.market,
            instruments,
            signals: start.signals,
            next_signal: 0,
            next_regime: 0,
            portfolio: start.portfolio,
            trailing: Trailing::new(start.risk.trailing_windows()),
            risk: start.risk,
            estimate: RegimeEstimate::default(),
            status: RiskStatus::Normal,
            model_targets: vec![f64::NAN; models * count],
            given: vec![false; models * count],
            contributions: vec![f64::NAN; models * count],
            equity: 0.0,
            weights: vec![0.0; count],
            pending_weights: vec![0.0; count],
            touched: Vec::new(),
            scratch: Scratch::default(),
            equity_column: Vec::with_capacity(start.axis.len()),
            logs: Logs::default(),
        }
    }

    /// Goes through all rows. Returns equity by row and what happened.
    pub(super) fn run(mut self) -> Result<(Vec<f64>, Logs), EngineError> {
        let (mut row, rows) = (0, self.axis.len());
        while row < rows {
            let due = self.next_due(row);
            if let Some(signal) = self.signals.targets.get(self.next_signal) {
                self.axis.read_ahead(signal.instrument, signal.row);
            }
            let changed = self.rest(row..due);
            let (next, arrival) = match changed {
                Some(changed) => (changed, Arrival::StandingChanged),
                None => (due, Arrival::Due),
            };
            if next < rows {
                self.act(next, arrival)?;
            }
            row = next + 1;
        }
        Ok((self.equity_column, self.logs))
    }

    /// The first row from `row` on at which something is known to happen; the number of rows when there is none.
    fn next_due(&self, row: usize) -> usize {
        let rows = self.axis.len();
        // What was on its way when everything had to be closed is closed when it arrives.
        if self.closes_all() && !self.book.open().is_empty() {
            return row;
        }
        let signal = self.signals.targets.get(self.next_signal).map(|one| one.row);
        let regime = self.signals.regimes.get(self.next_regime).map(|one| one.row);
        let end = (self.config.at_end != EndOfRun::MarkToMarket).then(|| rows - 1);
        let due = [signal, regime, end, self.queue.next_row()];
        due.into_iter().flatten().min().unwrap_or(rows).min(rows)
    }

    pub(super) fn closes_all(&self) -> bool {
        self.status.multiplier() == 0.0
    }

    /// Values rows at which holdings rest and lets risk observe them; the first at which its standing changed.
    fn rest(&mut self, rows: Range<usize>) -> Option<usize> {
        self.value_rows(rows.clone());
        let mut row = rows.start;
        while row < rows.end {
            let times = &self.axis.times()[row..rows.end];
            row += self.risk.observe_quiet(times, &self.equity_column[row..rows.end]);
            if row == rows.end {
                break;
            }
            self.equity = self.equity_column[row];
            self.weigh(row);
            if self.observe(row) {
                self.equity_column.truncate(row);
                return Some(row);
            }
            row += 1;
        }
        None
    }

    /// Appends the equity of rows: cash and the values of positions, which are added up in the order of opening.
    fn value_rows(&mut self, rows: Range<usize>) {
        let from = self.equity_column.len();
        self.equity_column.resize(from + rows.len(), 0.0);
        let values = &mut self.equity_column[from..];
        for index in self.book.open() {
            let position = (InstrumentId::from_index(*index), self.book.units()[*index]);
            self.axis.add_values(position, rows.clone(), values);
        }
        let cash = self.book.cash();
        for value in values {
            *value += cash;
        }
    }

    /// One row at which something happens: fills, standing, decisions, orders, fills at its close.
    fn act(&mut self, row: usize, arrival: Arrival) -> Result<(), EngineError> {
        let status_changed = match arrival {
            Arrival::StandingChanged => true,
            Arrival::Due => {
                self.fill_due(row)?;
                self.value(row);
                self.weigh(row);
                self.observe(row)
            }
        };
        let regime_changed = self.take_regime(row);
        let decided = self.take_signals(row);
        let closing = self.closes_all() && !self.book.open().is_empty();
        if decided || regime_changed || status_changed || closing {
            self.measure(row);
            self.trade_to_targets(row)?;
        }
        self.fill_at_once(row)?;
        if row + 1 == self.axis.len() && self.config.at_end != EndOfRun::MarkToMarket {
            self.liquidate(row)?;
        }
        self.equity_column.push(self.equity);
        Ok(())
    }

    /// Values the books at the prices of a row.
    pub(super) fn value(&mut self, row: usize) {
        let mut net = 0.0;
        for index in self.book.open() {
            net += self.book.units()[*index] * self.axis.price(InstrumentId::from_index(*index), row);
        }
        self.equity = self.book.cash() + net;
    }

    /// Brings present and pending weights up to date.
    pub(super) fn weigh(&mut self, row: usize) {
        for index in self.touched.drain(..) {
            self.weights[index] = 0.0;
            self.pending_weights[index] = 0.0;
        }
        for index in self.book.open() {
            let price = self.axis.price(InstrumentId::from_index(*index), row);
            self.weights[*index] = self.book.units()[*index] * price / self.equity;
            self.touched.push(*index);
        }
        for waiting in self.queue.waiting() {
            let draft = &self.logs.orders.items()[waiting.order].draft;
            let units: f64 = draft.allocations.iter().map(|one| one.quantity.to_f64()).sum();
            let weight = units * self.axis.price(draft.instrument, row) / self.equity;
            let index = draft.instrument.index();
            self.pending_weights[index] += if weight.is_finite() { weight } else { 0.0 };
            self.touched.push(index);
        }
    }

    pub(super) fn state(&self, row: usize) -> PortfolioState<'_> {
        PortfolioState {
            as_of: self.axis.times()[row],
            equity: self.equity,
            weights: &self.weights,
            pending: &self.pending_weights,
            classes: &self.classes,
            margin: MarginState::default(),
            statistics: match &self.trailing {
                Some(trailing) => trailing.view(),
                None => TrailingStatistics::default(),
            },
        }
    }

    /// Measures what the risk rules ask for, just before they are asked.
    fn measure(&mut self, row: usize) {
        let now = self.axis.times()[row];
        let Some(trailing) = self.trailing.as_mut().filter(|trailing| trailing.is_due(now)) else {
            return;
        };
        let mut available = vec![0; self.market.series().len()];
        for (instrument, _) in self.instruments.iter() {
            let series = self.market.execution_series(instrument);
            available[series.index()] = self.axis.closed(instrument, row);
        }
        let factors = vec![1.0; self.instruments.len()];
        trailing.measure(self.market, (&available, now), &factors);
    }

    /// Lets risk look at the portfolio; true when its standing changed.
    fn observe(&mut self, row: usize) -> bool {
        let state = PortfolioState {
            as_of: self.axis.times()[row],
            equity: self.equity,
            weights: &self.weights,
            pending: &self.pending_weights,
            classes: &self.classes,
            margin: MarginState::default(),
            statistics: TrailingStatistics::default(),
        };
        let mut reasons = Vec::new();
        let status = self.risk.observe(&state, &mut reasons);
        self.logs.interventions.extend(row, reasons);
        let changed = std::mem::replace(&mut self.status, status) != status;
        if changed {
            self.logs.status.push(row, status);
        }
        changed
    }

    /// Takes over the regime of a row; true when a label changed.
    fn take_regime(&mut self, row: usize) -> bool {
        match self.signals.regimes.get(self.next_regime) {
            Some(regime) if regime.row == row => {
                self.next_regime += 1;
                self.estimate = regime.estimate;
                regime.is_change
            }
            _ => false,
        }
    }

    /// Takes over the targets of a row; true when there are any.
    fn take_signals(&mut self, row: usize) -> bool {
        let from = self.next_signal;
        while let Some(signal) = self.signals.targets.get(self.next_signal) {
            if signal.row != row {
                break;
            }
            let place = signal.model.index() * self.classes.len() + signal.instrument.index();
            self.model_targets[place] = signal.weight;
            self.given[place] = true;
            self.next_signal += 1;
        }
        self.next_signal > from
    }
}
