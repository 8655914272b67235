//! Posting what happens to an account without an order.

use sextant_domain::{
    Cash, CashEvent, CashKind, InstrumentId, ModelId, MoneyError, Price, Quantity, SplitEvent, SplitRatio,
    UtcNanos,
};

use super::{Entry, Ledger, LedgerError, Scope};
use crate::book::SplitPosting;

/// A last price from before a split of its instrument.
///
/// The price of the new share can be without an end; the value of a position is exact all the same when it is taken from
/// the price of the old share.
#[derive(Debug, Clone, Copy)]
pub(super) struct SplitMark {
    pub(super) instrument: InstrumentId,
    pub(super) old_price: Price,
    pub(super) ratio: SplitRatio,
}

/// Where an error happened.
#[derive(Clone, Copy)]
struct Place {
    entry: Entry,
    time: UtcNanos,
}

impl Place {
    fn money(self, source: MoneyError) -> LedgerError {
        let Self { entry, time } = self;
        LedgerError::Money { entry, time, source }
    }

    fn out_of_balance(self, what: &'static str) -> LedgerError {
        let Self { entry, time } = self;
        LedgerError::OutOfBalance { entry, time, what }
    }
}

impl Ledger {
    /// Books cash that came or went without an order.
    ///
    /// # Errors
    /// [`LedgerError`] when a value is not exact or the books do not balance afterwards.
    pub fn post_cash(&mut self, event: &CashEvent) -> Result<(), LedgerError> {
        let place = Place {
            entry: Entry::Cash(event.kind),
            time: event.time,
        };
        self.try_post_cash(event)
            .map_err(|source| place.money(source))?
            .map_err(|what| place.out_of_balance(what))
    }

    fn try_post_cash(&mut self, event: &CashEvent) -> Result<Result<(), &'static str>, MoneyError> {
        let Some(currency) = self.currencies.id(event.currency) else {
            return Ok(Err("a currency that the account does not have"));
        };
        let is_daily = |id: InstrumentId| self.terms[id.index()].is_settled_daily;
        let settled = match (event.kind, event.instrument) {
            (CashKind::VariationMargin, Some(instrument)) if is_daily(instrument) => Some(instrument),
            (CashKind::VariationMargin, _) => {
                return Ok(Err("variation margin without a daily settled position"));
            }
            _ => None,
        };
        let post = |book: &mut crate::Book, amount| match settled {
            Some(instrument) => book.post_variation(instrument, amount),
            None => book.post_income(event.kind, (event.instrument, currency), amount),
        };
        post(self.books.portfolio_mut(), event.total()?)?;
        for (model, amount) in &event.amounts {
            if let Some(book) = self.books.own_book_mut(*model) {
                post(book, *amount)?;
            }
        }
        let of_kind = |book: &crate::Book| book.totals(currency).income_of(event.kind);
        let mut models = self.books.models().iter();
        let models = models.try_fold(Cash::ZERO, |sum, book| sum.plus(of_kind(book)))?;
        let agrees = models == of_kind(self.books.portfolio());
        self.mirror_cash();
        Ok(if agrees {
            Ok(())
        } else {
            Err("income of the models against the portfolio")
        })
    }

    /// Books a split, and counts the last price in old shares until the next bar. Equity is what it was when fractions were
    /// paid at the last price.
    ///
    /// # Errors
    /// [`LedgerError`] when a value is not exact or the books do not balance afterwards.
    pub fn post_split(&mut self, event: &SplitEvent) -> Result<(), LedgerError> {
        let place = Place {
            entry: Entry::Split(event.instrument),
            time: event.time,
        };
        let money = |source| place.money(source);
        if !self.split_books(event).map_err(money)? {
            return Err(place.out_of_balance("split position"));
        }
        self.books
            .check_sums(event.instrument, self.currencies.of(event.instrument))
            .map_err(money)?
            .map_err(|what| place.out_of_balance(what))?;
        self.split_mark_of(event).map_err(money)?;
        self.mirror(event.instrument);
        Ok(())
    }

    fn split_books(&mut self, event: &SplitEvent) -> Result<bool, MoneyError> {
        let (mut quantity, mut cash_in_lieu, mut is_balanced) = (Quantity::ZERO, Cash::ZERO, true);
        let posting = |quantity, cash_in_lieu| SplitPosting {
            instrument: event.instrument,
            time: event.time,
            old_price: event.old_price,
            quantity,
            cash_in_lieu,
        };
        for part in &event.parts {
            quantity = quantity.plus(part.quantity)?;
            cash_in_lieu = cash_in_lieu.plus(part.cash_in_lieu)?;
            if let Some(book) = self.books.own_book_mut(part.model) {
                is_balanced &= book.post_split(posting(part.quantity, part.cash_in_lieu))?;
            }
        }
        let portfolio = self.books.portfolio_mut();
        Ok(portfolio.post_split(posting(quantity, cash_in_lieu))? && is_balanced)
    }

    fn split_mark_of(&mut self, event: &SplitEvent) -> Result<(), MoneyError> {
        let index = event.instrument.index();
        if self.prices[index].is_nan() {
            return Ok(());
        }
        let before = self.split_mark(event.instrument).copied();
        let mark = match before {
            Some(SplitMark { old_price, ratio, .. }) => {
                let both = ratio.then(event.ratio).ok_or(MoneyError::Inexact {
                    left: ratio.new_shares().into(),
                    operation: 'x',
                    right: event.ratio.new_shares().into(),
                })?;
                (old_price, both)
            }
            None => (self.price_on_tick(event.instrument)?, event.ratio),
        };
        self.prices[index] /= event.ratio.to_f64();
        self.unit_values[index] = self.prices[index] * self.factors[index];
        self.split_marks
            .retain(|mark| mark.instrument != event.instrument);
        self.split_marks.push(SplitMark {
            instrument: event.instrument,
            old_price: mark.0,
            ratio: mark.1,
        });
        Ok(())
    }

    /// A new price counts in new shares.
    #[inline(never)]
    pub(super) fn forget_split(&mut self, instrument: InstrumentId) {
        self.split_marks.retain(|mark| mark.instrument != instrument);
    }

    pub(super) fn split_mark(&self, instrument: InstrumentId) -> Option<&SplitMark> {
        self.split_marks.iter().find(|mark| mark.instrument == instrument)
    }

    /// The value of a position at the last price. Between a split and the next bar the portfolio's is the sum of the models',
    /// each of which may be rounded.
    pub(super) fn value(
        &self,
        scope: Scope,
        instrument: InstrumentId,
        quantity: Quantity,
    ) -> Result<Cash, MoneyError> {
        let multiplier = self.terms[instrument.index()].multiplier;
        let Some(mark) = self.split_mark(instrument) else {
            return multiplier.value(self.price_on_tick(instrument)?, quantity);
        };
        let Scope::Portfolio = scope else {
            return multiplier.times(mark.ratio.value(mark.old_price, quantity)?);
        };
        (0..self.books.models().len()).try_fold(Cash::ZERO, |sum, model| {
            let held = self.book(Scope::Model(ModelId::from_index(model)));
            let value = mark
                .ratio
                .value(mark.old_price, held.instrument(instrument).quantity())?;
            sum.plus(multiplier.times(value)?)
        })
    }
}
