//! The ledger: exact books of the portfolio and of each model, with a floating-point mirror for the research world.

mod account_event;
#[cfg(test)]
mod properties;

use std::fmt;

use sextant_domain::ports::AccountSource;
use sextant_domain::{
    Cash, CashKind, EquityPoint, Fill, FillPart, InstrumentId, InstrumentTable, ModelId, MoneyError, OrderId,
    Price, Quantity, UtcNanos,
};
use thiserror::Error;

use crate::book::{Book, Posting};
use account_event::SplitMark;

/// What was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A fill of an order.
    Fill(OrderId),
    /// Cash without an order.
    Cash(CashKind),
    /// A split of an instrument.
    Split(InstrumentId),
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fill(order) => write!(f, "order {order}"),
            Self::Cash(kind) => write!(f, "a {}", kind.name()),
            Self::Split(instrument) => write!(f, "the split of {instrument}"),
        }
    }
}

/// Why something could not be booked.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LedgerError {
    /// A value that the exact books cannot hold.
    #[error("{entry} at {time}: {source}")]
    Money {
        /// What was to be booked.
        entry: Entry,
        /// When it happened.
        time: UtcNanos,
        /// What is wrong.
        source: MoneyError,
    },
    /// Books that do not balance: a defect of the platform, never of the data.
    #[error(
        "the books do not balance after {entry} at {time}: {what}; this is a defect, please report the run"
    )]
    OutOfBalance {
        /// What was booked.
        entry: Entry,
        /// When it happened.
        time: UtcNanos,
        /// Which books.
        what: &'static str,
    },
}

/// Whose books: the whole portfolio or one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole portfolio.
    Portfolio,
    /// One model.
    Model(ModelId),
}

/// Cash, positions, income and profit of a run.
///
/// Exact values are in the [`Book`]s. The mirror (`f64` cash, units and last prices) is set from them after every fill,
/// never accumulated, so that it cannot drift. A price that is older than a split counts in old shares until the next bar.
#[derive(Debug, Clone)]
pub struct Ledger {
    initial: Cash,
    portfolio: Book,
    models: Vec<Book>,
    ticks: Vec<rust_decimal::Decimal>,
    prices: Vec<f64>,
    cash: f64,
    units: Vec<f64>,
    model_cash: Vec<f64>,
    model_units: Vec<f64>,
    open: Vec<usize>,
    /// Prices from before a split of their instrument.
    split_marks: Vec<SplitMark>,
}

impl Ledger {
    /// Empty books with `initial` cash.
    pub fn new(initial: Cash, models: usize, instruments: &InstrumentTable) -> Self {
        let count = instruments.len();
        Self {
            initial,
            portfolio: Book::new(count),
            models: vec![Book::new(count); models],
            ticks: instruments
                .iter()
                .map(|(_, instrument)| instrument.price_tick)
                .collect(),
            prices: vec![f64::NAN; count],
            cash: initial.to_f64(),
            units: vec![0.0; count],
            model_cash: vec![0.0; models],
            model_units: vec![0.0; models * count],
            open: Vec::new(),
            split_marks: Vec::new(),
        }
    }

    /// The cash the run began with.
    pub fn initial(&self) -> Cash {
        self.initial
    }

    /// The books of a scope.
    pub fn book(&self, scope: Scope) -> &Book {
        match scope {
            Scope::Portfolio => &self.portfolio,
            Scope::Model(model) => &self.models[model.index()],
        }
    }

    /// Last price of an instrument; NaN before its first bar.
    #[inline]
    pub fn price(&self, instrument: InstrumentId) -> f64 {
        self.prices[instrument.index()]
    }

    /// Marks an instrument to a new price.
    #[inline]
    pub(crate) fn set_price(&mut self, instrument: InstrumentId, price: f64) {
        self.prices[instrument.index()] = price;
        if !self.split_marks.is_empty() {
            self.split_marks.retain(|mark| mark.instrument != instrument);
        }
    }

    /// Instruments with a position in any book, in order of opening.
    #[inline]
    pub(crate) fn open(&self) -> &[usize] {
        &self.open
    }

    /// Signed units of the whole portfolio, by instrument.
    #[inline]
    pub(crate) fn units(&self) -> &[f64] {
        &self.units
    }

    /// Signed units of one model, by instrument.
    #[inline]
    pub fn model_units(&self, model: ModelId) -> &[f64] {
        let count = self.units.len();
        &self.model_units[model.index() * count..(model.index() + 1) * count]
    }

    /// Books a fill in the portfolio's book and, divided by its allocations, in the models' books.
    ///
    /// # Errors
    /// [`LedgerError`] when a value is not exact or the books do not balance afterwards.
    pub fn post(&mut self, fill: &Fill) -> Result<(), LedgerError> {
        let money = |source| LedgerError::Money {
            entry: Entry::Fill(fill.order),
            time: fill.time,
            source,
        };
        let out_of_balance = |what| LedgerError::OutOfBalance {
            entry: Entry::Fill(fill.order),
            time: fill.time,
            what,
        };
        let whole = Posting {
            instrument: fill.instrument,
            time: fill.time,
            quantity: fill.quantity,
            price: fill.price,
            fee: fill.fee,
            slippage: fill.slippage,
        };
        if !self.portfolio.post(whole).map_err(money)? {
            return Err(out_of_balance("portfolio"));
        }
        self.post_parts(fill, whole)
            .map_err(money)?
            .map_err(out_of_balance)?;
        self.check_sums(fill.instrument)
            .map_err(money)?
            .map_err(out_of_balance)?;
        self.mirror(fill.instrument);
        Ok(())
    }

    fn post_parts(&mut self, fill: &Fill, whole: Posting) -> Result<Result<(), &'static str>, MoneyError> {
        let mut post = |part: FillPart| {
            self.models[part.model.index()].post(Posting {
                quantity: part.quantity,
                fee: part.fee,
                slippage: part.slippage,
                ..whole
            })
        };
        let mut is_balanced = true;
        match fill.allocations.as_slice() {
            [only] => is_balanced = post(fill.part(*only, fill.fee)?)?,
            _ => {
                for part in fill.parts()? {
                    is_balanced &= post(part)?;
                }
            }
        }
        Ok(if is_balanced { Ok(()) } else { Err("model") })
    }

    /// The models' books must add up to the portfolio's, to the last unit.
    fn check_sums(&self, instrument: InstrumentId) -> Result<Result<(), &'static str>, MoneyError> {
        let (mut quantity, mut flow, mut fees) = (Quantity::ZERO, Cash::ZERO, Cash::ZERO);
        for book in &self.models {
            quantity = quantity.plus(book.instrument(instrument).quantity())?;
            flow = flow.plus(book.flow())?;
            fees = fees.plus(book.fees())?;
        }
        let portfolio = &self.portfolio;
        let agree = quantity == portfolio.instrument(instrument).quantity()
            && flow == portfolio.flow()
            && fees == portfolio.fees();
        Ok(if agree {
            Ok(())
        } else {
            Err("sum of the models against the portfolio")
        })
    }

    fn mirror(&mut self, instrument: InstrumentId) {
        let index = instrument.index();
        let count = self.units.len();
        self.mirror_cash();
        self.units[index] = self.portfolio.instrument(instrument).quantity().to_f64();
        for (model, book) in self.models.iter().enumerate() {
            self.model_units[model * count + index] = book.instrument(instrument).quantity().to_f64();
        }
        let held = self.units[index] != 0.0
            || self.model_units[index..]
                .iter()
                .step_by(count)
                .any(|units| *units != 0.0);
        let place = self.open.iter().position(|open| *open == index);
        match (held, place) {
            (true, None) => self.open.push(index),
            (false, Some(place)) => {
                self.open.remove(place);
            }
            _ => {}
        }
    }

    fn mirror_cash(&mut self) {
        self.cash = self.cash().map_or(f64::NAN, Cash::to_f64);
        for (cash, book) in self.model_cash.iter_mut().zip(&self.models) {
            *cash = book.cash().map_or(f64::NAN, Cash::to_f64);
        }
    }

    /// Exact cash.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit exactly.
    pub fn cash(&self) -> Result<Cash, MoneyError> {
        self.initial.plus(self.portfolio.cash()?)
    }

    /// The last price as the ledger sees it: on the instrument's tick, or after a split to ten decimals until the next bar.
    ///
    /// # Errors
    /// [`MoneyError`] when there is no price yet.
    pub fn exact_price(&self, instrument: InstrumentId) -> Result<Price, MoneyError> {
        match self.split_mark(instrument) {
            Some(mark) => mark.ratio.price(mark.old_price),
            None => self.price_on_tick(instrument),
        }
    }

    fn price_on_tick(&self, instrument: InstrumentId) -> Result<Price, MoneyError> {
        Price::from_f64_on_tick(self.prices[instrument.index()], self.ticks[instrument.index()])
    }

    /// Exact profit and loss of a scope at the last prices, fees and income included.
    ///
    /// # Errors
    /// [`MoneyError`] when a value does not fit exactly.
    pub fn pnl(&self, scope: Scope) -> Result<Cash, MoneyError> {
        self.pnl_at(scope, |place| {
            self.exact_price(InstrumentId::from_index(self.open[place]))
        })
    }

    /// The same at the prices that `price` gives by place in [`open`](Self::open).
    pub(crate) fn pnl_at(
        &self,
        scope: Scope,
        price: impl Fn(usize) -> Result<Price, MoneyError>,
    ) -> Result<Cash, MoneyError> {
        let book = self.book(scope);
        let mut total = book.cash()?;
        for (place, index) in self.open.iter().enumerate() {
            let instrument = InstrumentId::from_index(*index);
            let quantity = book.instrument(instrument).quantity();
            if !self.split_marks.is_empty() {
                total = total.plus(self.value(scope, instrument, quantity)?)?;
            } else if !quantity.is_zero() {
                total = total.plus(price(place)?.times(quantity)?)?;
            }
        }
        Ok(total)
    }

    /// Exact equity: initial cash plus the portfolio's profit and loss.
    ///
    /// # Errors
    /// [`MoneyError`] when a value does not fit exactly.
    pub fn exact_equity(&self) -> Result<Cash, MoneyError> {
        self.initial.plus(self.pnl(Scope::Portfolio)?)
    }

    /// Portfolio value in the research world.
    #[inline]
    pub fn equity_point(&self) -> EquityPoint {
        let (mut gross, mut net) = (0.0, 0.0);
        for index in &self.open {
            let value = self.units[*index] * self.prices[*index];
            gross += value.abs();
            net += value;
        }
        EquityPoint {
            equity: self.cash + net,
            cash: self.cash,
            gross,
            net,
        }
    }

    /// A model's profit and loss in the research world.
    #[inline]
    pub fn model_pnl(&self, model: ModelId) -> f64 {
        let units = self.model_units(model);
        self.model_cash[model.index()]
            + self
                .open
                .iter()
                .map(|index| units[*index] * self.prices[*index])
                .sum::<f64>()
    }
}

impl AccountSource for Ledger {
    fn equity(&self) -> f64 {
        self.equity_point().equity
    }

    fn model_position(&self, model: ModelId, instrument: InstrumentId) -> Quantity {
        self.models[model.index()].instrument(instrument).quantity()
    }

    fn models(&self) -> usize {
        self.models.len()
    }

    fn cash(&self) -> Result<Cash, MoneyError> {
        Self::cash(self)
    }

    fn model_cash(&self, model: ModelId) -> Result<Cash, MoneyError> {
        self.models[model.index()].cash()
    }
}
