//! What income and splits do to a book.

use std::collections::VecDeque;

use rust_decimal::{Decimal, RoundingStrategy};
use sextant_domain::{
    Cash, CashKind, CurrencyId, InstrumentId, MoneyError, Multiplier, Price, Quantity, Side, UtcNanos,
};

use super::{Book, COST_SHARE_DECIMALS, ClosedTrade, InstrumentBook, Lot};

/// Decimals of a lot's quantity after a split that leaves it without an end; the last lot takes the remainder.
const LOT_DECIMALS: u32 = 8;
/// Decimals of a lot's price after a split.
const PRICE_DECIMALS: u32 = 10;

/// A split to be booked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SplitPosting {
    pub(crate) instrument: InstrumentId,
    pub(crate) time: UtcNanos,
    /// The price of the old share.
    pub(crate) old_price: Price,
    /// The position afterwards.
    pub(crate) quantity: Quantity,
    /// Cash for fractions.
    pub(crate) cash_in_lieu: Cash,
}

impl Book {
    /// Books income in a currency.
    pub(crate) fn post_income(
        &mut self,
        kind: CashKind,
        (instrument, currency): (Option<InstrumentId>, CurrencyId),
        amount: Cash,
    ) -> Result<(), MoneyError> {
        let totals = &mut self.totals[currency.index()];
        let of_kind = &mut totals.income_by_kind[kind.index()];
        *of_kind = of_kind.plus(amount)?;
        totals.income = totals.income.plus(amount)?;
        if let Some(instrument) = instrument {
            let book = &mut self.instruments[instrument.index()];
            book.income = book.income.plus(amount)?;
        }
        Ok(())
    }

    /// Books variation margin: cash that is no income, because the position is worth as much less from then on.
    pub(crate) fn post_variation(
        &mut self,
        instrument: InstrumentId,
        amount: Cash,
    ) -> Result<(), MoneyError> {
        let settled = self.instruments[instrument.index()].settled.plus(amount)?;
        let currency = self.set_settled(instrument, settled)?;
        let of_kind = &mut self.totals[currency.index()].income_by_kind[CashKind::VariationMargin.index()];
        *of_kind = of_kind.plus(amount)?;
        Ok(())
    }

    /// A trade of a position that is settled daily costs nothing: what it came to counts as settled. A position that is
    /// closed is settled at the prices of its trades.
    pub(crate) fn settle_trade(
        &mut self,
        instrument: InstrumentId,
        price: Price,
        quantity: Quantity,
    ) -> Result<(), MoneyError> {
        let book = &self.instruments[instrument.index()];
        let settled = if book.quantity.is_zero() {
            Cash::ZERO
        } else {
            book.settled.plus(book.terms.multiplier.value(price, quantity)?)?
        };
        self.set_settled(instrument, settled)?;
        Ok(())
    }

    /// Sets what has been settled of an instrument; returns its currency.
    pub(crate) fn set_settled(
        &mut self,
        instrument: InstrumentId,
        settled: Cash,
    ) -> Result<CurrencyId, MoneyError> {
        let book = &mut self.instruments[instrument.index()];
        let before = std::mem::replace(&mut book.settled, settled);
        let totals = &mut self.totals[book.terms.currency.index()];
        totals.settled = totals.settled.minus(before)?.plus(settled)?;
        Ok(book.terms.currency)
    }

    /// Books a split. Returns whether the instrument's book balances afterwards.
    ///
    /// The cash for fractions counts as cost returned, divided among the lots; it is realised with them. Where no share of
    /// the position is left, or models' fractions turn the sum of their positions, the old lots close at the old price, in old
    /// shares.
    pub(crate) fn post_split(&mut self, posting: SplitPosting) -> Result<bool, MoneyError> {
        let book = &mut self.instruments[posting.instrument.index()];
        let totals = &mut self.totals[book.terms.currency.index()];
        totals.flow = totals.flow.plus(posting.cash_in_lieu)?;
        book.flow = book.flow.plus(posting.cash_in_lieu)?;
        let before = std::mem::replace(&mut book.quantity, posting.quantity);
        let side = Side::of(before);
        if side.is_some() && side == Side::of(posting.quantity) {
            book.lots = converted(book, before, posting)?;
        } else {
            reopen(book, posting, &mut self.trades)?;
        }
        book.is_balanced()
    }
}

/// The lots in new shares: quantities in proportion and adding up to the new position, costs less the cash for fractions.
fn converted(
    book: &InstrumentBook,
    before: Quantity,
    posting: SplitPosting,
) -> Result<VecDeque<Lot>, MoneyError> {
    let (lots, multiplier) = (&book.lots, book.terms.multiplier);
    let mut out: VecDeque<Lot> = VecDeque::with_capacity(lots.len());
    let (mut seen, mut given, mut cash_left) = (Quantity::ZERO, Quantity::ZERO, posting.cash_in_lieu);
    // A lot too small for the decimals becomes part of the next one.
    let (mut cost, mut fee) = (Cash::ZERO, Cash::ZERO);
    for (index, lot) in lots.iter().enumerate() {
        seen = seen.plus(lot.quantity)?;
        let is_last = index + 1 == lots.len();
        let until = if is_last {
            posting.quantity
        } else {
            part_of(posting.quantity, seen, before)?
        };
        let quantity = until.minus(given)?;
        given = until;
        let returned = if is_last {
            cash_left
        } else {
            posting
                .cash_in_lieu
                .share(quantity, posting.quantity, COST_SHARE_DECIMALS)?
        };
        cash_left = cash_left.minus(returned)?;
        cost = cost.plus(lot.cost)?.minus(returned)?;
        fee = fee.plus(lot.fee)?;
        if !quantity.is_zero() {
            out.push_back(Lot {
                fee: std::mem::take(&mut fee),
                ..split_lot((quantity, multiplier), std::mem::take(&mut cost), lot.time)?
            });
        }
    }
    if let Some(last) = out.back_mut() {
        (last.cost, last.fee) = (last.cost.plus(cost)?, last.fee.plus(fee)?);
    }
    Ok(out)
}

/// Closes every lot at the old price and opens the new position, which costs what is left of the proceeds.
fn reopen(
    book: &mut InstrumentBook,
    posting: SplitPosting,
    trades: &mut Vec<ClosedTrade>,
) -> Result<(), MoneyError> {
    let (first, multiplier) = (trades.len(), book.terms.multiplier);
    let mut proceeds = Cash::ZERO;
    for lot in std::mem::take(&mut book.lots) {
        let received = multiplier.value(posting.old_price, lot.quantity)?;
        let gross = received.minus(lot.cost)?;
        proceeds = proceeds.plus(received)?;
        book.realised = book.realised.plus(gross)?;
        trades.push(ClosedTrade {
            instrument: posting.instrument,
            quantity: lot.quantity,
            entry_time: lot.time,
            exit_time: posting.time,
            entry_price: lot.price,
            exit_price: posting.old_price,
            gross,
            fees: lot.fee,
            net: gross.minus(lot.fee)?,
        });
    }
    let cost = proceeds.minus(posting.cash_in_lieu)?;
    if !posting.quantity.is_zero() {
        book.lots
            .push_back(split_lot((posting.quantity, multiplier), cost, posting.time)?);
        return Ok(());
    }
    // What was paid beside the old price, which is rounding unless the broker says otherwise.
    book.realised = book.realised.minus(cost)?;
    if let Some(last) = trades[first..].last_mut() {
        (last.gross, last.net) = (last.gross.minus(cost)?, last.net.minus(cost)?);
    }
    Ok(())
}

/// A lot without fee.
fn split_lot(
    (quantity, multiplier): (Quantity, Multiplier),
    cost: Cash,
    time: UtcNanos,
) -> Result<Lot, MoneyError> {
    let units = multiplier.times(Cash::new(quantity.decimal()))?;
    let price = quotient(cost.decimal(), units.decimal(), PRICE_DECIMALS)?;
    Ok(Lot {
        quantity,
        price: Price::new(price),
        cost,
        time,
        fee: Cash::ZERO,
        is_split: true,
    })
}

/// The part `numerator / denominator` of a quantity, rounded.
fn part_of(quantity: Quantity, numerator: Quantity, denominator: Quantity) -> Result<Quantity, MoneyError> {
    let inexact = MoneyError::Inexact {
        left: quantity.decimal(),
        operation: 'x',
        right: numerator.decimal(),
    };
    let product = quantity.decimal().checked_mul(numerator.decimal());
    quotient(product.ok_or(inexact)?, denominator.decimal(), LOT_DECIMALS).map(Quantity::new)
}

fn quotient(value: Decimal, divisor: Decimal, decimals: u32) -> Result<Decimal, MoneyError> {
    let inexact = MoneyError::Inexact {
        left: value,
        operation: '/',
        right: divisor,
    };
    let quotient = value.checked_div(divisor).ok_or(inexact)?;
    Ok(quotient
        .round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
        .normalize())
}

#[cfg(test)]
mod tests {
    use super::super::{Posting, SHARE};
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn bought(trades: &[(i64, &str, &str)]) -> Book {
        let mut book = Book::new(&[SHARE], 1);
        for (index, (quantity, price, fee)) in trades.iter().enumerate() {
            let posting = Posting {
                instrument: InstrumentId::from_index(0),
                time: UtcNanos::from_nanos(index as i64),
                quantity: Quantity::new((*quantity).into()),
                price: Price::new(dec(price)),
                fee: Cash::new(dec(fee)),
                slippage: Cash::ZERO,
            };
            assert!(book.post(posting).unwrap());
        }
        book
    }

    fn split(quantity: &str, cash: &str, old_price: &str) -> SplitPosting {
        SplitPosting {
            instrument: InstrumentId::from_index(0),
            time: UtcNanos::from_nanos(100),
            old_price: Price::new(dec(old_price)),
            quantity: Quantity::new(dec(quantity)),
            cash_in_lieu: Cash::new(dec(cash)),
        }
    }

    fn sell(book: &mut Book, quantity: &str, price: &str) {
        let posting = Posting {
            instrument: InstrumentId::from_index(0),
            time: UtcNanos::from_nanos(200),
            quantity: Quantity::new(dec(quantity)),
            price: Price::new(dec(price)),
            fee: Cash::ZERO,
            slippage: Cash::ZERO,
        };
        assert!(book.post(posting).unwrap());
    }

    #[test]
    fn trades_after_a_split_are_in_new_shares_and_exact() {
        let mut book = bought(&[(10, "100", "1"), (20, "130", "2")]);
        assert!(book.post_split(split("90", "0", "150")).unwrap());
        sell(&mut book, "-40", "60");
        let rows: Vec<_> = book
            .trades()
            .iter()
            .map(|trade| {
                let text = [
                    trade.quantity.to_string(),
                    trade.entry_price.to_string(),
                    trade.exit_price.to_string(),
                    trade.gross.to_string(),
                    trade.fees.to_string(),
                ];
                text.join(" ")
            })
            .collect();
        // 30 new shares cost 1,000; 10 of 60 that cost 2,600 cost 433.33...
        assert_eq!(
            rows,
            [
                "30 33.3333333333 60 800 1",
                "10 43.3333333333 60 166.6666666667 0.3333333333"
            ]
        );
        sell(&mut book, "-50", "60");
        let gross = book
            .trades()
            .iter()
            .try_fold(Cash::ZERO, |sum, one| sum.plus(one.gross))
            .unwrap();
        assert_eq!(gross.to_string(), "1800");
    }

    #[test]
    fn fractions_return_cost_and_a_lost_position_closes() {
        // One for three: 10 and 21 become 3.33 and 7; the third of a share pays 40.
        let mut book = bought(&[(10, "100", "0"), (21, "110", "0")]);
        assert!(book.post_split(split("10", "120", "120")).unwrap());
        sell(&mut book, "-10", "360");
        let gross = book
            .trades()
            .iter()
            .try_fold(Cash::ZERO, |sum, one| sum.plus(one.gross))
            .unwrap();
        // 3,600 + 120 - 1,000 - 2,310
        assert_eq!(gross.to_string(), "410");
        let mut small = bought(&[(9, "100", "1")]);
        assert!(small.post_split(split("0", "1080", "120")).unwrap());
        let trade = small.trades()[0];
        assert_eq!(
            (
                trade.quantity.to_string(),
                trade.gross.to_string(),
                trade.net.to_string()
            ),
            ("9".into(), "180".into(), "179".into())
        );
        let id = InstrumentId::from_index(0);
        assert_eq!(
            small
                .instrument(id)
                .pnl(Price::new(dec("1")))
                .unwrap()
                .to_string(),
            "179"
        );
    }

    #[test]
    fn a_sum_of_models_that_a_split_opens_or_turns_balances() {
        let mut flat = Book::new(&[SHARE], 1);
        assert!(flat.post_split(split("1", "-100", "100")).unwrap());
        assert_eq!(flat.instruments[0].lots[0].price.to_string(), "100");
        let mut turned = bought(&[(-1, "90", "0")]);
        assert!(turned.post_split(split("1", "-300", "100")).unwrap());
        // The short closes at 100 with a loss of 10; the new share costs the other 200.
        assert_eq!(turned.trades()[0].gross.to_string(), "-10");
        assert_eq!(turned.instruments[0].lots[0].cost.to_string(), "200");
    }
}
