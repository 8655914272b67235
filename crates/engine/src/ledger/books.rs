//! The exact books of a run: the portfolio's, and each model's part of it.

use sextant_domain::{Cash, CurrencyId, Fill, FillPart, InstrumentId, ModelId, MoneyError, Quantity};

use super::Scope;
use crate::book::{Book, BookTerms, Posting};

/// What an amount that does not fit says, or which books do not balance.
pub(super) type Posted = Result<Result<(), &'static str>, MoneyError>;

/// The book of the portfolio and those of the models, which add up to it.
///
/// The book of a single model *is* the portfolio's: whatever is posted is wholly its own, and posting it twice would compare
/// two runs of one computation.
#[derive(Debug, Clone)]
pub(super) struct Books {
    portfolio: Book,
    /// Empty for a single model.
    models: Vec<Book>,
    is_single: bool,
}

impl Books {
    pub(super) fn new(terms: &[BookTerms], currencies: usize, models: usize) -> Self {
        let is_single = models == 1;
        let book = Book::new(terms, currencies);
        Self {
            models: vec![book.clone(); if is_single { 0 } else { models }],
            portfolio: book,
            is_single,
        }
    }

    pub(super) fn of(&self, scope: Scope) -> &Book {
        match scope {
            Scope::Portfolio => &self.portfolio,
            Scope::Model(model) => &self.models()[model.index()],
        }
    }

    #[inline]
    pub(super) fn portfolio(&self) -> &Book {
        &self.portfolio
    }

    pub(super) fn portfolio_mut(&mut self) -> &mut Book {
        &mut self.portfolio
    }

    /// The books of the models, by id.
    #[inline]
    pub(super) fn models(&self) -> &[Book] {
        if self.is_single {
            std::slice::from_ref(&self.portfolio)
        } else {
            &self.models
        }
    }

    /// The book of a model where it is one of its own; `None` for a single model.
    ///
    /// # Panics
    /// When there is no such model.
    pub(super) fn own_book_mut(&mut self, model: ModelId) -> Option<&mut Book> {
        if self.is_single {
            assert_eq!(model.index(), 0, "a ledger of one model has no book of another");
            return None;
        }
        Some(&mut self.models[model.index()])
    }

    /// Books a trade in all books that it belongs to.
    pub(super) fn post(&mut self, fill: &Fill, terms: BookTerms) -> Posted {
        let whole = Posting {
            instrument: fill.instrument,
            time: fill.time,
            quantity: fill.quantity,
            price: fill.price,
            fee: fill.fee,
            slippage: fill.slippage,
        };
        if !self.portfolio.post(whole)? {
            return Ok(Err("portfolio"));
        }
        if !self.post_parts(fill, (whole, terms))? {
            return Ok(Err("model"));
        }
        if terms.is_settled_daily {
            self.settle_trade(fill)?;
        }
        self.check_sums(fill.instrument, terms.currency)
    }

    /// Books each model's part; false when it is out of balance.
    fn post_parts(&mut self, fill: &Fill, (whole, terms): (Posting, BookTerms)) -> Result<bool, MoneyError> {
        if self.is_single {
            let mut sum = Quantity::ZERO;
            let mut is_own = true;
            for part in &fill.allocations {
                sum = sum.plus(part.quantity)?;
                is_own &= part.model.index() == 0;
            }
            return Ok(is_own && sum == fill.quantity);
        }
        let mut post = |part: FillPart| {
            self.models[part.model.index()].post(Posting {
                quantity: part.quantity,
                fee: part.fee,
                slippage: part.slippage,
                ..whole
            })
        };
        match fill.allocations.as_slice() {
            [only] => post(fill.part(*only, fill.fee, terms.multiplier)?),
            _ => {
                let mut is_balanced = true;
                for part in fill.parts(terms.multiplier)? {
                    is_balanced &= post(part)?;
                }
                Ok(is_balanced)
            }
        }
    }

    /// Counts a trade of a position that is settled daily as settled. The portfolio's is the sum of the models', which also
    /// hold positions against one another.
    fn settle_trade(&mut self, fill: &Fill) -> Result<(), MoneyError> {
        if self.is_single {
            return self
                .portfolio
                .settle_trade(fill.instrument, fill.price, fill.quantity);
        }
        for one in &fill.allocations {
            self.models[one.model.index()].settle_trade(fill.instrument, fill.price, one.quantity)?;
        }
        let mut settled = self
            .models
            .iter()
            .map(|book| book.instrument(fill.instrument).settled());
        let settled = settled.try_fold(Cash::ZERO, Cash::plus)?;
        self.portfolio.set_settled(fill.instrument, settled)?;
        Ok(())
    }

    /// The models' books must add up to the portfolio's.
    pub(super) fn check_sums(&self, instrument: InstrumentId, currency: CurrencyId) -> Posted {
        if self.is_single {
            return Ok(Ok(()));
        }
        let (mut quantity, mut flow, mut fees) = (Quantity::ZERO, Cash::ZERO, Cash::ZERO);
        for book in &self.models {
            let totals = book.totals(currency);
            quantity = quantity.plus(book.instrument(instrument).quantity())?;
            flow = flow.plus(totals.flow())?;
            fees = fees.plus(totals.fees())?;
        }
        let portfolio = self.portfolio.totals(currency);
        let agree = quantity == self.portfolio.instrument(instrument).quantity()
            && flow == portfolio.flow()
            && fees == portfolio.fees();
        Ok(if agree {
            Ok(())
        } else {
            Err("sum of the models against the portfolio")
        })
    }
}
