//! The result of a run by columns, and how it is told step by step.

use sextant_domain::ports::{AccountSource, DailyMark, PositionMark, ResultSink};
use sextant_domain::{
    Approved, Cash, Fill, InstrumentId, MarketData, ModelId, MoneyError, Order, RiskStatus, StepRecord,
    UtcNanos,
};
use sextant_engine::{EngineError, Ledger, Scope};

use super::VectorisedError;
use super::axis::Axis;
use super::log::{Logs, Reader};
use super::signals::Signals;
use crate::driver::{BacktestConfig, RunOutcome, funded};

/// By how much columns and books may differ, as a part of equity.
const TOLERANCE: f64 = 1e-9;

/// A run by columns: one row per step of trading.
pub struct Evaluation<'m> {
    pub(super) market: &'m MarketData,
    pub(super) config: &'m BacktestConfig,
    pub(super) axis: Axis<'m>,
    pub(super) models: Vec<String>,
    pub(super) signals: Signals,
    pub(super) equity: Vec<f64>,
    pub(super) logs: Logs,
}

impl Evaluation<'_> {
    /// The instant of each row, strictly increasing; never empty.
    pub fn times(&self) -> &[UtcNanos] {
        self.axis.times()
    }

    /// Portfolio equity at the end of each row, in the account's currency.
    pub fn equity(&self) -> &[f64] {
        &self.equity
    }

    /// Every order, in the order of sending.
    pub fn orders(&self) -> &[Approved<Order>] {
        self.logs.orders.items()
    }

    /// Every fill, in the order in which it was known.
    pub fn fills(&self) -> &[Fill] {
        self.logs.fills.items()
    }

    /// Tells the run to a sink, row by row, with the daily marks in between.
    ///
    /// The books that the sink hears of are made by posting the fills to a [`Ledger`]; at every row its equity is held
    /// against the column. How orders were sized (`sizings` and `trails` of a record) is left out: the event engine tells it,
    /// and decides the same.
    ///
    /// # Errors
    /// [`VectorisedError::Disagreement`] when they differ by more than 1e-9 of equity; otherwise when a value does not fit
    /// exactly.
    pub fn tell(&self, sink: &mut dyn ResultSink) -> Result<RunOutcome, VectorisedError> {
        let mut teller = Teller::new(self)?;
        let rows = self.axis.len();
        for (row, now) in self.times().iter().enumerate() {
            teller.mark_before(*now, sink)?;
            teller.fill_record(row)?;
            sink.record(&teller.record);
            if (row + 1) % 1024 == 0 {
                sink.progress(row + 1, rows);
            }
        }
        let (first, last) = (self.times()[0], self.times()[rows - 1]);
        teller.mark_before(last, sink)?;
        teller.mark(last, sink)?;
        sink.progress(rows, rows);
        Ok(RunOutcome {
            funded: funded(self.market, self.config),
            ledger: teller.ledger,
            models: self.models.clone(),
            marks: teller.marks,
            span: (first, last),
            steps: rows,
        })
    }
}

/// Goes through an evaluation row by row.
struct Teller<'a> {
    run: &'a Evaluation<'a>,
    ledger: Ledger,
    record: StepRecord,
    next_signal: usize,
    next_regime: usize,
    readers: Readers<'a>,
    status: RiskStatus,
    due: &'a [UtcNanos],
    marks: Vec<(UtcNanos, Cash)>,
}

struct Readers<'a> {
    orders: Reader<'a, Approved<Order>>,
    fills: Reader<'a, Fill>,
    ended: Reader<'a, sextant_domain::OrderEnd>,
    refused: Reader<'a, sextant_domain::RefusedOrder>,
    interventions: Reader<'a, sextant_domain::Intervention>,
    targets: Reader<'a, (InstrumentId, f64)>,
    status: Reader<'a, RiskStatus>,
}

impl<'a> Teller<'a> {
    fn new(run: &'a Evaluation<'a>) -> Result<Self, EngineError> {
        let (config, logs) = (run.config, &run.logs);
        let begin = funded(run.market, config);
        let begin = config.daily_marks.partition_point(|time| *time <= begin);
        let instruments = run.market.instruments();
        let (cash, currency) = (config.initial_capital, config.account.currency);
        Ok(Self {
            run,
            ledger: Ledger::new(cash, currency, run.models.len(), instruments)?,
            record: StepRecord::new(run.models.len()),
            next_signal: 0,
            next_regime: 0,
            readers: Readers {
                orders: logs.orders.reader(),
                fills: logs.fills.reader(),
                ended: logs.ended.reader(),
                refused: logs.refused.reader(),
                interventions: logs.interventions.reader(),
                targets: logs.targets.reader(),
                status: logs.status.reader(),
            },
            status: RiskStatus::Normal,
            due: &config.daily_marks[begin..],
            marks: Vec::new(),
        })
    }

    /// Takes the marks that fall before a row: the books as the row before left them.
    fn mark_before(&mut self, now: UtcNanos, sink: &mut dyn ResultSink) -> Result<(), VectorisedError> {
        while let [time, rest @ ..] = self.due
            && *time < now
        {
            self.due = rest;
            self.mark(*time, sink)?;
        }
        Ok(())
    }

    fn mark(&mut self, time: UtcNanos, sink: &mut dyn ResultSink) -> Result<(), VectorisedError> {
        let marked = mark(&self.ledger, time, sink);
        let equity = marked.map_err(|source| EngineError::Money { time, source })?;
        self.marks.push((time, equity));
        Ok(())
    }

    /// Fills the record with what happened in a row.
    fn fill_record(&mut self, row: usize) -> Result<(), VectorisedError> {
        let now = self.run.axis.times()[row];
        self.record.begin(now, true);
        self.post(row)?;
        self.tell_decisions(row);
        let (readers, record) = (&mut self.readers, &mut self.record);
        record.targets.extend_from_slice(readers.targets.take(row));
        record
            .interventions
            .extend_from_slice(readers.interventions.take(row));
        record
            .orders
            .extend(readers.orders.take(row).iter().map(Approved::shared));
        record.refused.extend_from_slice(readers.refused.take(row));
        record.ended.extend_from_slice(readers.ended.take(row));
        self.status = readers.status.take(row).last().copied().unwrap_or(self.status);
        record.status = self.status;
        self.tell_values(row, now)
    }

    /// Posts fills and marks instruments to the closes of a row.
    fn post(&mut self, row: usize) -> Result<(), VectorisedError> {
        for fill in self.readers.fills.take(row) {
            self.ledger.post(fill)?;
            let factor = self.ledger.value_factor(fill.instrument);
            self.record.fill_factors.push(factor);
            self.record.fills.push(fill.clone());
        }
        let instruments = self.run.market.instruments().iter();
        let prices = instruments.map(|(instrument, _)| (instrument, self.run.axis.price(instrument, row)));
        self.ledger.set_prices(prices);
        Ok(())
    }

    /// Regime and intents of a row.
    fn tell_decisions(&mut self, row: usize) {
        let signals = &self.run.signals;
        if let Some(regime) = signals.regimes.get(self.next_regime).filter(|one| one.row == row) {
            self.next_regime += 1;
            self.record.regime = Some(regime.estimate);
            self.record.regime_inputs.extend_from_slice(&regime.inputs);
        }
        let intents = signals.targets[self.next_signal..]
            .iter()
            .take_while(|one| one.row == row);
        let before = self.record.intents.len();
        self.record
            .intents
            .extend(intents.map(|one| (one.model, one.instrument, one.weight)));
        self.next_signal += self.record.intents.len() - before;
    }

    /// Values of a row, held against the column.
    fn tell_values(&mut self, row: usize, time: UtcNanos) -> Result<(), VectorisedError> {
        let (point, columns) = (self.ledger.equity_point(), self.run.equity[row]);
        if (point.equity - columns).abs() > TOLERANCE * point.equity.abs().max(1.0) {
            let books = point.equity;
            return Err(VectorisedError::Disagreement { time, columns, books });
        }
        self.record.equity = point;
        for (index, pnl) in self.record.model_pnl.iter_mut().enumerate() {
            *pnl = self.ledger.model_pnl(ModelId::from_index(index));
        }
        Ok(())
    }
}

/// Hands the exact state of the books to a sink and returns equity.
fn mark(ledger: &Ledger, time: UtcNanos, sink: &mut dyn ResultSink) -> Result<Cash, MoneyError> {
    let (mut positions, mut model_positions) = (Vec::new(), Vec::new());
    let models = || (0..AccountSource::models(ledger)).map(ModelId::from_index);
    for index in ledger.open() {
        let instrument = InstrumentId::from_index(*index);
        positions.push(position(ledger, Scope::Portfolio, instrument)?);
        for model in models() {
            let held = position(ledger, Scope::Model(model), instrument)?;
            if !held.quantity.is_zero() {
                model_positions.push((model, held));
            }
        }
    }
    let model_pnl = models().map(|model| ledger.pnl(Scope::Model(model)));
    let model_pnl = model_pnl.collect::<Result<Vec<_>, _>>()?;
    let equity = ledger.exact_equity()?;
    sink.mark(&DailyMark {
        time,
        equity,
        model_pnl: &model_pnl,
        positions: &positions,
        model_positions: &model_positions,
    });
    Ok(equity)
}

fn position(ledger: &Ledger, scope: Scope, instrument: InstrumentId) -> Result<PositionMark, MoneyError> {
    let quantity = ledger.book(scope).instrument(instrument).quantity();
    let price = ledger.exact_price(instrument)?;
    Ok(PositionMark {
        instrument,
        quantity,
        price,
        value: price.times(quantity)?,
    })
}
