//! The currencies of an account: balances in each, and what they are worth in the account's own.

use rust_decimal::Decimal;
use sextant_domain::{
    Cash, CashKind, Contract, Currency, CurrencyId, FxPath, InstrumentId, InstrumentTable, ModelId,
    MoneyError, Price, Quantity,
};
use thiserror::Error;

use super::{Ledger, Scope};

/// The step of the prices of pairs in rates. Prices off a pair's tick count in full, as they do in the research world.
const RATE_STEP: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

/// An instrument whose currency cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{symbol} is quoted in {currency}, but no currency pair of the run leads from there to the account's {account}; add \
     bars of {currency}{account} (or of {account}{currency}, or of two pairs over a third currency)"
)]
pub struct NoFxPath {
    /// The instrument.
    pub symbol: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// The account's currency.
    pub account: Currency,
}

/// The account's own currency, then the others in the order of the first instrument quoted in each.
#[derive(Debug, Clone)]
pub(crate) struct Currencies {
    codes: Vec<Currency>,
    /// The way of each other currency to the account's own.
    paths: Vec<FxPath>,
    /// What one unit of each is worth in the account's own; NaN before the first price of a pair.
    rates: Vec<f64>,
    of_instrument: Vec<CurrencyId>,
    /// Per instrument: whether a rate depends on its price; empty where every instrument is quoted in the account's own.
    sources: Vec<bool>,
    /// Per other currency: what changes of its rate have done so far, or why that could not be told.
    rate_gains: Vec<Result<Cash, MoneyError>>,
}

/// What the account had in a currency just before its rate changed, in that currency and in the account's own.
pub(super) struct BeforeRate {
    currency: CurrencyId,
    net: Result<Cash, MoneyError>,
    value: Result<Cash, MoneyError>,
}

/// What the account has in one currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Balance {
    /// The currency.
    pub currency: Currency,
    /// Cash, below zero where it is owed.
    pub cash: Cash,
    /// What positions quoted in it are worth: notional value less what daily settlement has paid.
    pub positions: Cash,
    /// What one unit is worth in the account's own currency; NaN before the first price of a pair.
    pub rate: f64,
    /// Cash and positions in the account's own currency.
    pub value: Cash,
    /// What changes of the rate have earned and lost so far on what the account had in this currency, in its own; zero for
    /// its own. The rest of the profit and loss is that of prices and payments, each at the rate of its time. Where a price
    /// and a rate change at the same instant, they do so one after the other, in the order of the series.
    pub rate_gain: Cash,
}

impl Currencies {
    pub(crate) fn new(own: Currency, instruments: &InstrumentTable) -> Result<Self, NoFxPath> {
        let mut this = Self {
            codes: vec![own],
            paths: Vec::new(),
            rates: vec![1.0],
            of_instrument: Vec::with_capacity(instruments.len()),
            sources: Vec::new(),
            rate_gains: Vec::new(),
        };
        for (_, instrument) in instruments.iter() {
            let currency = instrument.contract.currency;
            let id = match this.id(currency) {
                Some(id) => id,
                None => this.add(currency, instruments).ok_or_else(|| NoFxPath {
                    symbol: instrument.symbol.clone(),
                    currency,
                    account: own,
                })?,
            };
            this.of_instrument.push(id);
        }
        Ok(this)
    }

    fn add(&mut self, currency: Currency, instruments: &InstrumentTable) -> Option<CurrencyId> {
        let path = FxPath::find(instruments, currency, self.codes[0])?;
        self.sources.resize(instruments.len(), false);
        for leg in path.legs() {
            self.sources[leg.pair.index()] = true;
        }
        self.codes.push(currency);
        self.rates.push(f64::NAN);
        self.paths.push(path);
        self.rate_gains.push(Ok(Cash::ZERO));
        Some(CurrencyId::from_index(self.codes.len() - 1))
    }

    pub(crate) fn codes(&self) -> &[Currency] {
        &self.codes
    }

    pub(crate) fn id(&self, currency: Currency) -> Option<CurrencyId> {
        let place = self.codes.iter().position(|code| *code == currency);
        place.map(CurrencyId::from_index)
    }

    #[inline]
    pub(crate) fn of(&self, instrument: InstrumentId) -> CurrencyId {
        self.of_instrument[instrument.index()]
    }

    #[inline]
    pub(crate) fn rate(&self, currency: CurrencyId) -> f64 {
        self.rates[currency.index()]
    }

    /// The currencies beside the account's own.
    pub(crate) fn others(&self) -> impl Iterator<Item = CurrencyId> + use<> {
        (1..self.codes.len()).map(CurrencyId::from_index)
    }

    /// Whether a rate depends on the price of any instrument.
    #[inline]
    pub(super) fn has_sources(&self) -> bool {
        !self.sources.is_empty()
    }

    #[inline]
    pub(super) fn is_source(&self, instrument: InstrumentId) -> bool {
        self.sources.get(instrument.index()).copied().unwrap_or(false)
    }
}

impl Ledger {
    /// The account's own currency.
    pub fn currency(&self) -> Currency {
        self.currencies.codes()[0]
    }

    /// What the account has in each of its currencies, its own first.
    ///
    /// # Errors
    /// [`MoneyError`] when a value does not fit exactly.
    pub fn balances(&self) -> Result<Vec<Balance>, MoneyError> {
        let own = std::iter::once(CurrencyId::OWN);
        own.chain(self.currencies.others())
            .map(|id| self.balance(id))
            .collect()
    }

    fn balance(&self, id: CurrencyId) -> Result<Balance, MoneyError> {
        let currency = self.currencies.codes()[id.index()];
        let cash = self.cash(currency)?;
        let initial = if id == CurrencyId::OWN {
            self.initial
        } else {
            Cash::ZERO
        };
        let value = |scope, place| self.notional_at(scope, place);
        let net = self.net_in(Scope::Portfolio, id, &value)?.plus(initial)?;
        Ok(Balance {
            currency,
            cash,
            positions: net.minus(cash)?,
            rate: self.currencies.rate(id),
            value: self.converted(id, net)?,
            rate_gain: match id.index().checked_sub(1) {
                Some(place) => self.currencies.rate_gains[place].clone()?,
                None => Cash::ZERO,
            },
        })
    }

    /// Whether the rate of an instrument's currency is known.
    #[inline]
    pub fn has_rate(&self, instrument: InstrumentId) -> bool {
        !self.factors[instrument.index()].is_nan()
    }

    /// What one unit of an instrument's currency is worth in the account's own; NaN before the first price of a pair.
    pub fn rate(&self, instrument: InstrumentId) -> f64 {
        self.currencies.rate(self.currencies.of(instrument))
    }

    /// Fees of a scope in the account's own currency, those in others at the last rates.
    ///
    /// # Errors
    /// [`MoneyError`] when a value does not fit exactly.
    pub fn fees(&self, scope: Scope) -> Result<Cash, MoneyError> {
        let book = self.book(scope);
        self.sum_of(|id| Ok(book.totals(id).fees()))
    }

    /// Cost of slippage of a scope in the account's own currency, in others at the last rates; already contained in the
    /// prices paid.
    ///
    /// # Errors
    /// [`MoneyError`] when a value does not fit exactly.
    pub fn slippage(&self, scope: Scope) -> Result<Cash, MoneyError> {
        let book = self.book(scope);
        self.sum_of(|id| book.slippage(id))
    }

    /// Income of a kind of a scope, signed, in the account's own currency, that in others at the last rates.
    ///
    /// # Errors
    /// [`MoneyError`] when a value does not fit exactly.
    pub fn income_of(&self, scope: Scope, kind: CashKind) -> Result<Cash, MoneyError> {
        let book = self.book(scope);
        self.sum_of(|id| Ok(book.totals(id).income_of(kind)))
    }

    fn sum_of(&self, amount: impl Fn(CurrencyId) -> Result<Cash, MoneyError>) -> Result<Cash, MoneyError> {
        let own = amount(CurrencyId::OWN)?;
        let mut others = self.currencies.others();
        others.try_fold(own, |sum, id| sum.plus(self.converted(id, amount(id)?)?))
    }

    /// An amount in an instrument's currency, in the account's own at the last rate; rounded to eight decimals where the two
    /// differ.
    ///
    /// # Errors
    /// [`MoneyError`] when there is no rate yet, or the amount is too large.
    #[inline]
    pub fn in_account_currency(&self, instrument: InstrumentId, amount: Cash) -> Result<Cash, MoneyError> {
        self.converted(self.currencies.of(instrument), amount)
    }

    /// An amount of a currency in the account's own; nothing is nothing without a rate.
    #[inline]
    pub(super) fn converted(&self, currency: CurrencyId, amount: Cash) -> Result<Cash, MoneyError> {
        if currency == CurrencyId::OWN || amount.is_zero() {
            return Ok(amount);
        }
        let path = &self.currencies.paths[currency.index() - 1];
        let price = |pair: InstrumentId| Price::from_f64_on_tick(self.prices[pair.index()], RATE_STEP);
        path.exact_rate(price)?.convert(amount)
    }

    /// What a scope has gained in one currency: `flow - fees + income` plus the notional value of what it holds.
    pub(super) fn net_in(
        &self,
        scope: Scope,
        currency: CurrencyId,
        value: &impl Fn(Scope, usize) -> Result<Cash, MoneyError>,
    ) -> Result<Cash, MoneyError> {
        let open = self.open.iter().enumerate();
        let held =
            open.filter(|(_, index)| self.currencies.of(InstrumentId::from_index(**index)) == currency);
        let values = held.map(|(place, _)| value(scope, place));
        Cash::total(self.book(scope).totals(currency).unsettled()?, values)
    }

    /// The notional value of a position at its last price, by place in [`open`](Self::open).
    pub(super) fn notional_at(&self, scope: Scope, place: usize) -> Result<Cash, MoneyError> {
        let instrument = InstrumentId::from_index(self.open[place]);
        let quantity = self.book(scope).instrument(instrument).quantity();
        self.notional(scope, (instrument, quantity), self.exact_price(instrument)?)
    }

    /// The notional value of a position at a price that [`exact_price`](Self::exact_price) gave.
    #[inline]
    pub(crate) fn notional(
        &self,
        scope: Scope,
        (instrument, quantity): (InstrumentId, Quantity),
        price: Price,
    ) -> Result<Cash, MoneyError> {
        if !self.split_marks.is_empty() {
            return self.value(scope, instrument, quantity);
        }
        if quantity.is_zero() {
            return Ok(Cash::ZERO);
        }
        self.terms[instrument.index()].multiplier.value(price, quantity)
    }

    /// What a scope has gained in another currency, in the account's own.
    ///
    /// The portfolio's amount is converted as a whole. A model's is the difference between what the models up to it come to
    /// and what those before it do, so that rounding never parts the sum of the models from the portfolio.
    pub(super) fn foreign_pnl(
        &self,
        scope: Scope,
        currency: CurrencyId,
        value: &impl Fn(Scope, usize) -> Result<Cash, MoneyError>,
    ) -> Result<Cash, MoneyError> {
        let own = self.net_in(scope, currency, value)?;
        let Scope::Model(model) = scope else {
            return self.converted(currency, own);
        };
        let earlier = (0..model.index()).map(ModelId::from_index);
        let mut before = earlier.map(|earlier| self.net_in(Scope::Model(earlier), currency, value));
        let before = before.try_fold(Cash::ZERO, |sum, one| sum.plus(one?))?;
        self.converted(currency, before.plus(own)?)?
            .minus(self.converted(currency, before)?)
    }

    /// Marks a pair on which rates depend, and brings rates and the values of instruments up to date. Apart, so that other
    /// prices are marked in few steps.
    #[inline(never)]
    pub(super) fn set_rate(&mut self, pair: InstrumentId, price: f64) {
        let before = self.before_rates(pair);
        self.take_price(pair, price);
        self.refresh_rates(pair);
        before.into_iter().for_each(|one| self.add_rate_gain(one));
    }

    /// What the account has in the currencies whose rates depend on a pair.
    fn before_rates(&self, pair: InstrumentId) -> Vec<BeforeRate> {
        let value = |scope, place| self.notional_at(scope, place);
        let affected = self.currencies.others().filter(|id| {
            let legs = self.currencies.paths[id.index() - 1].legs();
            legs.iter().any(|leg| leg.pair == pair) && !self.currencies.rate(*id).is_nan()
        });
        let before = affected.map(|currency| {
            let net = self.net_in(Scope::Portfolio, currency, &value);
            let value = net.clone().and_then(|net| self.converted(currency, net));
            BeforeRate { currency, net, value }
        });
        before.collect()
    }

    fn add_rate_gain(&mut self, before: BeforeRate) {
        let place = before.currency.index() - 1;
        self.currencies.rate_gains[place] = self.rate_gain_after(before);
    }

    /// What the change of a rate has earned, with what changes before it have.
    fn rate_gain_after(&self, before: BeforeRate) -> Result<Cash, MoneyError> {
        let so_far = self.currencies.rate_gains[before.currency.index() - 1].clone()?;
        let value = self.converted(before.currency, before.net?)?;
        so_far.plus(value.minus(before.value?)?)
    }

    /// Cash and what of it was paid as variation margin, over all currencies.
    #[inline]
    pub(super) fn cash_and_settled(&self) -> (f64, f64) {
        let own = (self.cash, self.settled);
        if self.foreign.is_empty() {
            return own;
        }
        let foreign = self.foreign.iter().zip(self.currencies.others());
        foreign.fold(own, |(cash, settled), ((balance, paid), id)| {
            // Before its first rate nothing can have been traded in a currency.
            if (*balance, *paid) == (0.0, 0.0) {
                return (cash, settled);
            }
            let rate = self.currencies.rate(id);
            (cash + balance * rate, settled + paid * rate)
        })
    }

    fn refresh_rates(&mut self, pair: InstrumentId) {
        let (currencies, prices) = (&mut self.currencies, &self.prices);
        for (index, path) in currencies.paths.iter().enumerate() {
            if path.legs().iter().any(|leg| leg.pair == pair) {
                currencies.rates[index + 1] = path.rate(|pair| prices[pair.index()]);
            }
        }
        for (index, currency) in self.currencies.of_instrument.iter().enumerate() {
            if *currency != CurrencyId::OWN {
                self.factors[index] =
                    self.terms[index].multiplier.to_f64() * self.currencies.rates[currency.index()];
                self.unit_values[index] = self.prices[index] * self.factors[index];
            }
        }
    }
}

/// What a unit of an instrument at a price of one is worth at the beginning: known where no rate is needed.
pub(super) fn first_factor(contract: &Contract, own: Currency) -> f64 {
    if contract.currency == own {
        contract.multiplier.to_f64()
    } else {
        f64::NAN
    }
}
