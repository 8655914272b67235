//! The ledger: exact books of the portfolio and of each model, with a floating-point mirror for the research world.

mod account_event;
mod books;
mod currencies;
#[cfg(test)]
mod currency_properties;
#[cfg(test)]
mod properties;

use std::fmt;

use sextant_domain::ports::AccountSource;
use sextant_domain::{
    Cash, CashKind, Currency, CurrencyId, EquityPoint, Fill, InstrumentId, InstrumentTable, ModelId,
    MoneyError, OrderId, Price, Quantity, Settlement, UtcNanos,
};
use thiserror::Error;

use crate::book::{Book, BookTerms};
use account_event::SplitMark;
use books::Books;
pub(crate) use currencies::Currencies;
pub use currencies::{Balance, NoFxPath};

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
/// Exact values are in the [`Book`]s, each in the currency of its instrument. The mirror (`f64` cash, units and last prices)
/// is set from them after every fill, never accumulated, so that it cannot drift. A price that is older than a split counts
/// in old shares until the next bar.
///
/// A trade in another currency leaves a balance in that currency, below zero where it is owed. Balances and positions count
/// in the account's own currency at the last rates.
#[derive(Debug, Clone)]
pub struct Ledger {
    initial: Cash,
    currencies: Currencies,
    terms: Vec<BookTerms>,
    books: Books,
    ticks: Vec<rust_decimal::Decimal>,
    prices: Vec<f64>,
    /// What a unit at a price of one is worth in the account's currency: multiplier times rate.
    factors: Vec<f64>,
    /// Price times factor.
    unit_values: Vec<f64>,
    cash: f64,
    settled: f64,
    /// Cash and settled value in the other currencies, in order.
    foreign: Vec<(f64, f64)>,
    units: Vec<f64>,
    /// Per model, and per model and other currency: `flow - fees + income`.
    model_cash: Vec<f64>,
    model_foreign: Vec<f64>,
    model_units: Vec<f64>,
    open: Vec<usize>,
    /// Prices from before a split of their instrument.
    split_marks: Vec<SplitMark>,
}

impl Ledger {
    /// Empty books with `initial` cash of the account's `currency`.
    ///
    /// # Errors
    /// [`NoFxPath`] when an instrument is quoted in a currency that no pair converts.
    pub fn new(
        initial: Cash,
        currency: Currency,
        models: usize,
        instruments: &InstrumentTable,
    ) -> Result<Self, NoFxPath> {
        let count = instruments.len();
        let currencies = Currencies::new(currency, instruments)?;
        let others = currencies.others().count();
        let terms: Vec<BookTerms> = instruments
            .iter()
            .map(|(id, instrument)| BookTerms {
                multiplier: instrument.contract.multiplier,
                currency: currencies.of(id),
                is_settled_daily: instrument.contract.settlement == Settlement::Daily,
            })
            .collect();
        let factor = |contract| currencies::first_factor(contract, currency);
        Ok(Self {
            initial,
            books: Books::new(&terms, others + 1, models),
            ticks: instruments
                .iter()
                .map(|(_, instrument)| instrument.price_tick)
                .collect(),
            prices: vec![f64::NAN; count],
            factors: instruments.iter().map(|(_, one)| factor(&one.contract)).collect(),
            unit_values: vec![f64::NAN; count],
            cash: initial.to_f64(),
            settled: 0.0,
            foreign: vec![(0.0, 0.0); others],
            units: vec![0.0; count],
            model_cash: vec![0.0; models],
            model_foreign: vec![0.0; models * others],
            model_units: vec![0.0; models * count],
            open: Vec::new(),
            split_marks: Vec::new(),
            currencies,
            terms,
        })
    }

    /// The cash the run began with.
    pub fn initial(&self) -> Cash {
        self.initial
    }

    /// The books of a scope.
    pub fn book(&self, scope: Scope) -> &Book {
        self.books.of(scope)
    }

    /// Last price of an instrument; NaN before its first bar.
    #[inline]
    pub fn price(&self, instrument: InstrumentId) -> f64 {
        self.prices[instrument.index()]
    }

    /// What one unit is worth in the account's currency at the last price: `price x multiplier x rate`; NaN before the
    /// first price or rate.
    #[inline]
    pub fn unit_value(&self, instrument: InstrumentId) -> f64 {
        self.unit_values[instrument.index()]
    }

    /// The same by instrument.
    #[inline]
    pub(crate) fn unit_values(&self) -> &[f64] {
        &self.unit_values
    }

    /// What one unit at a price of one is worth in the account's currency, by instrument; NaN before the first rate.
    #[inline]
    pub(crate) fn value_factors(&self) -> &[f64] {
        &self.factors
    }

    /// Marks an instrument to a new price.
    #[inline]
    pub fn set_price(&mut self, instrument: InstrumentId, price: f64) {
        if self.currencies.is_source(instrument) {
            self.set_rate(instrument, price);
        } else {
            self.take_price(instrument, price);
        }
        if !self.split_marks.is_empty() {
            self.forget_split(instrument);
        }
    }

    /// Marks instruments to new prices, as [`set_price`](Self::set_price) does one after another.
    #[inline]
    pub fn set_prices(&mut self, prices: impl Iterator<Item = (InstrumentId, f64)>) {
        if self.currencies.has_sources() || !self.split_marks.is_empty() {
            prices.for_each(|(instrument, price)| self.set_price(instrument, price));
        } else {
            prices.for_each(|(instrument, price)| self.take_price(instrument, price));
        }
    }

    #[inline]
    fn take_price(&mut self, instrument: InstrumentId, price: f64) {
        let index = instrument.index();
        self.prices[index] = price;
        self.unit_values[index] = price * self.factors[index];
    }

    /// Instruments with a position in any book, in order of opening.
    #[inline]
    pub fn open(&self) -> &[usize] {
        &self.open
    }

    /// Whether a new price can change what the books are worth: by a position, or by a balance in another currency.
    #[inline]
    pub(crate) fn is_exposed(&self) -> bool {
        !self.open.is_empty() || !self.foreign.is_empty()
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
        let terms = self.terms[fill.instrument.index()];
        self.books
            .post(fill, terms)
            .map_err(money)?
            .map_err(out_of_balance)?;
        self.mirror(fill.instrument);
        Ok(())
    }

    fn mirror(&mut self, instrument: InstrumentId) {
        let index = instrument.index();
        let count = self.units.len();
        self.mirror_cash();
        self.units[index] = self.books.portfolio().instrument(instrument).quantity().to_f64();
        for (model, book) in self.books.models().iter().enumerate() {
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
        let or_nan = |cash: Result<Cash, MoneyError>| cash.map_or(f64::NAN, Cash::to_f64);
        let own = self.books.portfolio().totals(CurrencyId::OWN);
        let unsettled = own.unsettled();
        self.settled = own.settled().to_f64();
        if let [only] = self.model_cash.as_mut_slice() {
            *only = or_nan(unsettled.clone());
        } else {
            for (cash, book) in self.model_cash.iter_mut().zip(self.books.models()) {
                *cash = or_nan(book.totals(CurrencyId::OWN).unsettled());
            }
        }
        let cash = unsettled.and_then(|cash| cash.plus(own.settled())?.plus(self.initial));
        self.cash = or_nan(cash);
        let others = self.foreign.len();
        for id in self.currencies.others() {
            let (place, totals) = (id.index() - 1, self.books.portfolio().totals(id));
            self.foreign[place] = (or_nan(totals.cash()), totals.settled().to_f64());
            for (model, book) in self.books.models().iter().enumerate() {
                self.model_foreign[model * others + place] = or_nan(book.totals(id).unsettled());
            }
        }
    }

    /// Exact cash in a currency, below zero where it is owed; zero in one that the account does not have.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit exactly.
    pub fn cash(&self, currency: Currency) -> Result<Cash, MoneyError> {
        match self.currencies.id(currency) {
            Some(CurrencyId::OWN) => self
                .initial
                .plus(self.books.portfolio().totals(CurrencyId::OWN).cash()?),
            Some(id) => self.books.portfolio().totals(id).cash(),
            None => Ok(Cash::ZERO),
        }
    }

    /// The last price as the ledger sees it: on the instrument's tick, or after a split to ten decimals until the next bar.
    ///
    /// # Errors
    /// [`MoneyError`] when there is no price yet.
    #[inline]
    pub fn exact_price(&self, instrument: InstrumentId) -> Result<Price, MoneyError> {
        match self.split_mark(instrument) {
            Some(mark) => mark.ratio.price(mark.old_price),
            None => self.price_on_tick(instrument),
        }
    }

    #[inline]
    fn price_on_tick(&self, instrument: InstrumentId) -> Result<Price, MoneyError> {
        Price::from_f64_on_tick(self.prices[instrument.index()], self.ticks[instrument.index()])
    }

    /// Exact profit and loss of a scope at the last prices, fees and income included, in the account's currency. What it comes
    /// to in other currencies is converted at the last rates and rounded to eight decimals; the models' add up to the
    /// portfolio's all the same.
    ///
    /// # Errors
    /// [`MoneyError`] when a value does not fit exactly.
    pub fn pnl(&self, scope: Scope) -> Result<Cash, MoneyError> {
        self.pnl_at(scope, |scope, place| self.notional_at(scope, place))
    }

    /// The same with the notional values that `value` gives by scope and by place in [`open`](Self::open).
    pub(crate) fn pnl_at(
        &self,
        scope: Scope,
        value: impl Fn(Scope, usize) -> Result<Cash, MoneyError>,
    ) -> Result<Cash, MoneyError> {
        let own = self.net_in(scope, CurrencyId::OWN, &value)?;
        let mut others = self.currencies.others();
        others.try_fold(own, |sum, id| sum.plus(self.foreign_pnl(scope, id, &value)?))
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
            let value = self.units[*index] * self.unit_values[*index];
            gross += value.abs();
            net += value;
        }
        let (cash, settled) = self.cash_and_settled();
        EquityPoint {
            equity: cash - settled + net,
            cash,
            gross,
            net,
        }
    }

    /// A model's profit and loss in the research world.
    #[inline]
    pub fn model_pnl(&self, model: ModelId) -> f64 {
        let units = self.model_units(model);
        let held = self
            .open
            .iter()
            .map(|index| units[*index] * self.unit_values[*index]);
        self.model_pnl_with(model, held.sum())
    }

    /// Profit and loss of a model whose positions are worth `held`.
    #[inline]
    pub(crate) fn model_pnl_with(&self, model: ModelId, held: f64) -> f64 {
        let own = self.model_cash[model.index()] + held;
        let others = self.foreign.len();
        if others == 0 {
            return own;
        }
        let foreign = &self.model_foreign[model.index() * others..][..others];
        let foreign = foreign.iter().zip(self.currencies.others());
        foreign.fold(own, |sum, (amount, id)| match amount {
            0.0 => sum,
            amount => sum + amount * self.currencies.rate(id),
        })
    }
}

impl AccountSource for Ledger {
    fn equity(&self) -> f64 {
        self.equity_point().equity
    }

    fn model_position(&self, model: ModelId, instrument: InstrumentId) -> Quantity {
        self.books
            .of(Scope::Model(model))
            .instrument(instrument)
            .quantity()
    }

    fn models(&self) -> usize {
        self.books.models().len()
    }

    fn value_factor(&self, instrument: InstrumentId) -> f64 {
        self.factors[instrument.index()]
    }

    fn currencies(&self) -> &[Currency] {
        self.currencies.codes()
    }

    fn cash(&self, currency: Currency) -> Result<Cash, MoneyError> {
        Self::cash(self, currency)
    }

    fn model_cash(&self, model: ModelId, currency: Currency) -> Result<Cash, MoneyError> {
        match self.currencies.id(currency) {
            Some(id) => self.books.of(Scope::Model(model)).totals(id).cash(),
            None => Ok(Cash::ZERO),
        }
    }

    fn settled_value(&self, model: ModelId, instrument: InstrumentId) -> Cash {
        self.books
            .of(Scope::Model(model))
            .instrument(instrument)
            .settled()
    }
}
