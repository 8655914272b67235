//! Exact books: positions as FIFO lots, cash flows, fees, income and closed round trips.

mod account_event;

use std::collections::VecDeque;

use sextant_domain::{
    Cash, CashKind, CurrencyId, InstrumentId, MoneyError, Multiplier, Price, Quantity, UtcNanos,
};

pub(crate) use account_event::SplitPosting;

/// Decimals to which a fee is divided when one fill opens or closes several lots; remainders stay with the last part.
const FEE_SHARE_DECIMALS: u32 = 10;
/// Decimals to which the cost of a split lot is divided; the remainder stays with the lot.
const COST_SHARE_DECIMALS: u32 = 10;

/// A round trip that has been closed, matched first in, first out.
///
/// Amounts are in the instrument's currency. After a split, quantity and prices are those of the shares that were sold, an entry price that has no end is rounded to
/// ten decimals, and `gross` is still exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedTrade {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Signed quantity: positive was long.
    pub quantity: Quantity,
    /// When the lot was opened.
    pub entry_time: UtcNanos,
    /// When it was closed.
    pub exit_time: UtcNanos,
    /// Price it was opened at.
    pub entry_price: Price,
    /// Price it was closed at.
    pub exit_price: Price,
    /// What the quantity was sold for less what it cost.
    pub gross: Cash,
    /// Fees of entry and exit that fall on this quantity.
    pub fees: Cash,
    /// `gross - fees`.
    pub net: Cash,
}

/// One signed trade to be booked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posting {
    pub(crate) instrument: InstrumentId,
    pub(crate) time: UtcNanos,
    pub(crate) quantity: Quantity,
    pub(crate) price: Price,
    pub(crate) fee: Cash,
    pub(crate) slippage: Cash,
}

#[derive(Debug, Clone, Copy)]
struct Lot {
    quantity: Quantity,
    price: Price,
    /// What the lot cost, signed like its quantity: exact even where a split leaves the price without an end.
    cost: Cash,
    time: UtcNanos,
    fee: Cash,
    is_split: bool,
}

impl Lot {
    /// What a part of the lot cost.
    fn cost_of(&self, part: Quantity, multiplier: Multiplier) -> Result<Cash, MoneyError> {
        if part == self.quantity {
            Ok(self.cost)
        } else if self.is_split {
            self.cost.share(part, self.quantity, COST_SHARE_DECIMALS)
        } else {
            multiplier.value(self.price, part)
        }
    }
}

/// What a book has to know of an instrument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BookTerms {
    pub(crate) multiplier: Multiplier,
    pub(crate) currency: CurrencyId,
    pub(crate) is_settled_daily: bool,
}

/// The exact state of one instrument in one book, in the instrument's currency.
#[derive(Debug, Clone)]
pub struct InstrumentBook {
    terms: BookTerms,
    quantity: Quantity,
    lots: VecDeque<Lot>,
    flow: Cash,
    realised: Cash,
    fees: Cash,
    slippage: Cash,
    income: Cash,
    settled: Cash,
}

impl InstrumentBook {
    fn new(terms: BookTerms) -> Self {
        Self {
            terms,
            quantity: Quantity::ZERO,
            lots: VecDeque::new(),
            flow: Cash::ZERO,
            realised: Cash::ZERO,
            fees: Cash::ZERO,
            slippage: Cash::ZERO,
            income: Cash::ZERO,
            settled: Cash::ZERO,
        }
    }

    /// Signed position.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// Fees paid so far.
    pub fn fees(&self) -> Cash {
        self.fees
    }

    /// Cost of slippage so far; already contained in the prices paid.
    pub fn slippage(&self) -> Cash {
        self.slippage
    }

    /// What sales came to less what purchases did, before fees. Where positions are paid in full this is cash.
    pub fn flow(&self) -> Cash {
        self.flow
    }

    /// Dividends received less those paid, borrow fees and funding so far.
    pub fn income(&self) -> Cash {
        self.income
    }

    /// The value up to which daily settlement has paid; zero where positions are paid in full. The position is worth its
    /// notional value less this.
    pub fn settled(&self) -> Cash {
        self.settled
    }

    /// Profit and loss at a price, fees and income included: `flow + quantity x price x multiplier - fees + income`.
    ///
    /// # Errors
    /// [`MoneyError`] when the value does not fit exactly.
    pub fn pnl(&self, price: Price) -> Result<Cash, MoneyError> {
        self.flow
            .plus(self.terms.multiplier.value(price, self.quantity)?)?
            .minus(self.fees)?
            .plus(self.income)
    }

    /// Whether the cash flow equals the realised profit less what the open lots cost.
    fn is_balanced(&self) -> Result<bool, MoneyError> {
        let mut expected = self.realised;
        let mut quantity = Quantity::ZERO;
        for lot in &self.lots {
            expected = expected.minus(lot.cost)?;
            quantity = quantity.plus(lot.quantity)?;
        }
        Ok(expected == self.flow && quantity == self.quantity)
    }
}

/// The sums of a book over all instruments of one currency.
#[derive(Debug, Clone, Default)]
pub struct CurrencyTotals {
    flow: Cash,
    fees: Cash,
    income: Cash,
    income_by_kind: [Cash; CashKind::ALL.len()],
    settled: Cash,
}

impl CurrencyTotals {
    /// What sales came to less what purchases did, before fees.
    pub fn flow(&self) -> Cash {
        self.flow
    }

    /// Fees paid.
    pub fn fees(&self) -> Cash {
        self.fees
    }

    /// Income of all kinds so far: dividends and interest received less those paid, borrow fees and funding. Variation margin
    /// is not income: it pays out what positions have gained.
    pub fn income(&self) -> Cash {
        self.income
    }

    /// What was paid of a kind so far, signed.
    pub fn income_of(&self, kind: CashKind) -> Cash {
        self.income_by_kind[kind.index()]
    }

    /// What trades, fees, income and daily settlement have done to the cash: `flow - fees + income + settled`.
    ///
    /// # Errors
    /// [`MoneyError`] when the sum does not fit exactly.
    pub fn cash(&self) -> Result<Cash, MoneyError> {
        self.unsettled()?.plus(self.settled)
    }

    /// `flow - fees + income`: with the notional value of all positions it gives profit and loss, however they are paid.
    pub(crate) fn unsettled(&self) -> Result<Cash, MoneyError> {
        self.flow.minus(self.fees)?.plus(self.income)
    }

    pub(crate) fn settled(&self) -> Cash {
        self.settled
    }
}

/// The books of one scope: the whole portfolio, or one model.
#[derive(Debug, Clone)]
pub struct Book {
    instruments: Vec<InstrumentBook>,
    totals: Vec<CurrencyTotals>,
    trades: Vec<ClosedTrade>,
}

impl Book {
    pub(crate) fn new(terms: &[BookTerms], currencies: usize) -> Self {
        Self {
            instruments: terms.iter().copied().map(InstrumentBook::new).collect(),
            totals: vec![CurrencyTotals::default(); currencies],
            trades: Vec::new(),
        }
    }

    /// One instrument's state.
    pub fn instrument(&self, id: InstrumentId) -> &InstrumentBook {
        &self.instruments[id.index()]
    }

    /// The sums in one currency.
    ///
    /// # Panics
    /// When the account has no such currency.
    #[inline]
    pub fn totals(&self, currency: CurrencyId) -> &CurrencyTotals {
        &self.totals[currency.index()]
    }

    /// Cost of slippage over the instruments of a currency; already contained in the prices paid.
    ///
    /// # Errors
    /// [`MoneyError`] when the sum does not fit exactly.
    pub fn slippage(&self, currency: CurrencyId) -> Result<Cash, MoneyError> {
        self.instruments
            .iter()
            .filter(|one| one.terms.currency == currency)
            .try_fold(Cash::ZERO, |sum, one| sum.plus(one.slippage))
    }

    /// Round trips closed so far, in order of closing.
    pub fn trades(&self) -> &[ClosedTrade] {
        &self.trades
    }

    /// Books one trade. Returns whether the instrument's book balances afterwards.
    pub(crate) fn post(&mut self, posting: Posting) -> Result<bool, MoneyError> {
        let book = &mut self.instruments[posting.instrument.index()];
        let paid = book.terms.multiplier.value(posting.price, posting.quantity)?;
        let totals = &mut self.totals[book.terms.currency.index()];
        totals.flow = totals.flow.minus(paid)?;
        totals.fees = totals.fees.plus(posting.fee)?;
        book.flow = book.flow.minus(paid)?;
        book.fees = book.fees.plus(posting.fee)?;
        book.slippage = book.slippage.plus(posting.slippage)?;
        book.quantity = book.quantity.plus(posting.quantity)?;
        match_lots(book, posting, &mut self.trades)?;
        book.is_balanced()
    }
}

/// Closes lots of the other side first in, first out, and opens a lot with what is left.
fn match_lots(
    book: &mut InstrumentBook,
    posting: Posting,
    trades: &mut Vec<ClosedTrade>,
) -> Result<(), MoneyError> {
    let multiplier = book.terms.multiplier;
    let mut left = posting.quantity;
    let mut fee_left = posting.fee;
    while !left.is_zero() {
        let Some(lot) = book
            .lots
            .front_mut()
            .filter(|lot| lot.quantity.is_positive() != left.is_positive())
        else {
            break;
        };
        let whole_lot = lot.quantity.abs() <= left.abs();
        let closed = if whole_lot { lot.quantity } else { -left };
        let entry_fee = part_of_fee(lot.fee, closed, lot.quantity)?;
        let exit_fee = part_of_fee(fee_left, closed, left)?;
        let cost = lot.cost_of(closed, multiplier)?;
        let gross = multiplier.value(posting.price, closed)?.minus(cost)?;
        let fees = entry_fee.plus(exit_fee)?;
        trades.push(ClosedTrade {
            instrument: posting.instrument,
            quantity: closed,
            entry_time: lot.time,
            exit_time: posting.time,
            entry_price: lot.price,
            exit_price: posting.price,
            gross,
            fees,
            net: gross.minus(fees)?,
        });
        book.realised = book.realised.plus(gross)?;
        left = left.plus(closed)?;
        fee_left = fee_left.minus(exit_fee)?;
        if whole_lot {
            book.lots.pop_front();
        } else {
            lot.quantity = lot.quantity.minus(closed)?;
            lot.cost = lot.cost.minus(cost)?;
            lot.fee = lot.fee.minus(entry_fee)?;
        }
    }
    if !left.is_zero() {
        book.lots.push_back(Lot {
            quantity: left,
            price: posting.price,
            cost: multiplier.value(posting.price, left)?,
            time: posting.time,
            fee: fee_left,
            is_split: false,
        });
    }
    Ok(())
}

/// The part of a fee that falls on `part` of `whole`; all of it when the part is the whole.
fn part_of_fee(fee: Cash, part: Quantity, whole: Quantity) -> Result<Cash, MoneyError> {
    if fee.is_zero() || part.abs() == whole.abs() {
        return Ok(fee);
    }
    fee.share(part.abs(), whole.abs(), FEE_SHARE_DECIMALS)
}

/// A share in the account's own currency.
#[cfg(test)]
const SHARE: BookTerms = BookTerms {
    multiplier: Multiplier::ONE,
    currency: CurrencyId::OWN,
    is_settled_daily: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn share() -> Book {
        Book::new(&[SHARE], 1)
    }

    fn posting(quantity: i64, price: i64, fee: &str) -> Posting {
        Posting {
            instrument: InstrumentId::from_index(0),
            time: UtcNanos::from_nanos(1),
            quantity: Quantity::new(quantity.into()),
            price: Price::new(price.into()),
            fee: Cash::new(fee.parse().unwrap()),
            slippage: Cash::ZERO,
        }
    }

    #[test]
    fn a_flip_closes_lots_first_in_first_out_and_opens_the_rest() {
        let mut book = share();
        for (quantity, price, fee) in [(10, 100, "1"), (5, 110, "1"), (-20, 120, "4")] {
            assert!(book.post(posting(quantity, price, fee)).unwrap());
        }
        let gross: Vec<_> = book
            .trades()
            .iter()
            .map(|trade| trade.gross.to_string())
            .collect();
        let fees: Vec<_> = book.trades().iter().map(|trade| trade.fees.to_string()).collect();
        assert_eq!(gross, ["200", "50"]);
        assert_eq!(fees, ["3", "2"]);
        let instrument = book.instrument(InstrumentId::from_index(0));
        assert_eq!(instrument.quantity(), Quantity::new((-5).into()));
        // 250 realised, 5 short at 120 marked at 118 gives 10, fees 6.
        assert_eq!(
            instrument.pnl(Price::new(118.into())).unwrap(),
            Cash::new(254.into())
        );
    }

    #[test]
    fn fee_parts_add_up_to_the_fee() {
        let mut book = share();
        for (quantity, price, fee) in [(3, 100, "1"), (-1, 100, "0"), (-1, 100, "0"), (-1, 100, "0")] {
            book.post(posting(quantity, price, fee)).unwrap();
        }
        let total = book
            .trades()
            .iter()
            .try_fold(Cash::ZERO, |sum, trade| sum.plus(trade.fees))
            .unwrap();
        assert_eq!(total, Cash::new(1.into()));
        assert_eq!(book.trades().len(), 3);
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn books_balance_after_every_fill(
                fills in prop::collection::vec(((-50i64..50).prop_filter("a fill trades something", |units| *units != 0), 1i64..10_000, 0u32..500), 1..60),
                mark in 1i64..10_000,
            ) {
                let mut book = share();
                for (quantity, cents, fee) in fills {
                    let mut one = posting(quantity, 1, "0");
                    one.price = Price::new(rust_decimal::Decimal::new(cents, 2));
                    one.fee = Cash::new(rust_decimal::Decimal::new(fee.into(), 2));
                    prop_assert!(book.post(one).unwrap());
                }
                // Cash plus position equals closed round trips plus open lots, to the last unit.
                let id = InstrumentId::from_index(0);
                let mark = Price::new(rust_decimal::Decimal::new(mark, 2));
                let closed = book.trades().iter().try_fold(Cash::ZERO, |sum, trade| sum.plus(trade.net)).unwrap();
                let open = book.instruments[0].lots.iter().try_fold(Cash::ZERO, |sum, lot| {
                    sum.plus(mark.times(lot.quantity)?.minus(lot.cost)?)?.minus(lot.fee)
                });
                prop_assert_eq!(book.instrument(id).pnl(mark).unwrap(), closed.plus(open.unwrap()).unwrap());
            }
        }
    }
}
