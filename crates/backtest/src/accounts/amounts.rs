//! The amounts of borrow fees, funding and interest.

use rust_decimal::{Decimal, RoundingStrategy};
use sextant_domain::ports::{AccountSource, BrokerError};
use sextant_domain::{
    Cash, CashKind, Currency, InstrumentId, ModelId, MoneyError, Multiplier, Price, Quantity, Settlement,
    Timeframe, UtcNanos,
};

use super::model::{BorrowRate, FundingModel, InterestModel, MissingFunding};
use super::{AccountVenue, BorrowModel, held_by};

/// Decimals of a fee, a funding payment and interest, halves away from zero.
const AMOUNT_DECIMALS: u32 = 8;
/// Days of a year for borrow fees.
const BORROW_DAYS: i64 = 365;
/// Days of a year for interest.
const INTEREST_DAYS: i64 = 360;

/// The positions in an instrument that some model is short of.
struct Short {
    instrument: InstrumentId,
    currency: Currency,
    multiplier: Multiplier,
    price: Price,
    /// Models that are short, and by how much.
    by_model: Vec<(ModelId, Quantity)>,
    /// How much the account is short; zero or more.
    net: Quantity,
}

impl Short {
    /// What a quantity is worth, in the instrument's currency.
    fn value(&self, quantity: Quantity) -> Result<Cash, MoneyError> {
        self.multiplier.value(self.price, quantity)
    }
}

/// From one charge to the next.
type Elapsed = (UtcNanos, UtcNanos);

impl AccountVenue<'_> {
    /// Charges borrow fees, and then interest on the cash before them.
    pub(super) fn charge(
        &mut self,
        elapsed: Elapsed,
        account: &dyn AccountSource,
    ) -> Result<(), BrokerError> {
        let shorts = self.shorts(elapsed.1, account)?;
        if self.model.borrow != BorrowModel::None {
            for short in &shorts {
                self.charge_borrow(short, elapsed)?;
            }
        }
        for currency in account.currencies() {
            let of_currency = || shorts.iter().filter(|short| short.currency == *currency);
            self.charge_interest(*currency, of_currency, elapsed, account)
                .map_err(|source| {
                    self.money_error_of(&format!("the {currency} balance"), elapsed.1, source)
                })?;
        }
        Ok(())
    }

    fn shorts(&self, time: UtcNanos, account: &dyn AccountSource) -> Result<Vec<Short>, BrokerError> {
        let mut shorts = Vec::new();
        let borrowed = self.market.instruments().iter();
        let borrowed = borrowed.filter(|(_, one)| one.contract.settlement == Settlement::InFull);
        for (instrument, listed) in borrowed {
            let by_model: Vec<(ModelId, Quantity)> = held_by(instrument, account)
                .filter(|(_, held)| !held.is_positive())
                .map(|(model, held)| (model, -held))
                .collect();
            if by_model.is_empty() {
                continue;
            }
            let price = self.price(instrument, time);
            let net = held_by(instrument, account).try_fold(Quantity::ZERO, |sum, (_, held)| sum.minus(held));
            let both = price.and_then(|price| Ok((price, net?)));
            let (price, net) = both.map_err(|source| self.money_error(instrument, time, source))?;
            // Whoever is short has sold at a price.
            if let Some(price) = price {
                let net = if net.is_positive() { net } else { Quantity::ZERO };
                shorts.push(Short {
                    instrument,
                    currency: listed.contract.currency,
                    multiplier: listed.contract.multiplier,
                    price,
                    by_model,
                    net,
                });
            }
        }
        Ok(shorts)
    }

    fn charge_borrow(&mut self, short: &Short, elapsed: Elapsed) -> Result<(), BrokerError> {
        if short.net.is_zero() {
            return Ok(());
        }
        let instrument = self.market.instruments().get(short.instrument);
        let Some(BorrowRate::Annual(rate)) = self.model.borrow.rate(instrument) else {
            return Err(BrokerError::NoRate {
                instrument: instrument.symbol.clone(),
                time: elapsed.1,
                what: "a borrow fee",
            });
        };
        let weights = short
            .by_model
            .iter()
            .map(|(model, units)| (*model, units.decimal()));
        let amounts = short
            .value(short.net)
            .and_then(|value| accrued(-value.decimal(), rate, elapsed, BORROW_DAYS))
            .and_then(|fee| divided(fee, &weights.collect::<Vec<_>>()))
            .map_err(|source| self.money_error(short.instrument, elapsed.1, source))?;
        self.pay_of(short.instrument, elapsed.1, CashKind::BorrowFee, amounts);
        Ok(())
    }

    /// Interest on the balance of one currency, of which `shorts` gives the net short positions.
    fn charge_interest<'s, S: Iterator<Item = &'s Short>>(
        &mut self,
        currency: Currency,
        shorts: impl Fn() -> S,
        elapsed: Elapsed,
        account: &dyn AccountSource,
    ) -> Result<(), MoneyError> {
        let mut balance = account.cash(currency)?;
        for short in shorts() {
            balance = balance.minus(short.value(short.net)?)?;
        }
        let (kind, model) = if balance < Cash::ZERO {
            (CashKind::MarginInterest, self.model.margin_interest)
        } else {
            (CashKind::CashInterest, self.model.cash_interest)
        };
        let InterestModel::Annual(rate) = model else {
            return Ok(());
        };
        let interest = accrued(balance.decimal(), rate, elapsed, INTEREST_DAYS)?;
        let weights = own_balances((currency, balance < Cash::ZERO), shorts, account)?;
        let amounts = divided(interest, &weights)?;
        self.pay(elapsed.1, (None, currency), kind, amounts);
        Ok(())
    }

    /// Pays the funding of one instant.
    pub(super) fn pay_funding(
        &mut self,
        time: UtcNanos,
        (instrument, rate): (InstrumentId, Option<Decimal>),
        account: &dyn AccountSource,
    ) -> Result<(), BrokerError> {
        let held: Vec<(ModelId, Quantity)> = held_by(instrument, account).collect();
        if held.is_empty() {
            return Ok(());
        }
        let estimate = match &self.model.funding {
            FundingModel::Rates {
                missing: MissingFunding::Pessimistic(rate),
                ..
            } => Some(*rate),
            _ => None,
        };
        let net: Decimal = held.iter().map(|(_, quantity)| quantity.decimal()).sum();
        // The estimate is paid by whichever side the account is on.
        let against = |rate: Decimal| if net < Decimal::ZERO { -rate } else { rate };
        let Some(rate) = rate.or_else(|| estimate.map(against)) else {
            return Err(BrokerError::NoRate {
                instrument: self.market.instruments().get(instrument).symbol.clone(),
                time,
                what: "funding",
            });
        };
        let price = self
            .price(instrument, time)
            .map_err(|source| self.money_error(instrument, time, source))?;
        // Whoever holds something has traded at a price.
        let Some(price) = price else {
            return Ok(());
        };
        let multiplier = self.multiplier(instrument);
        let amount = |(model, quantity): (ModelId, Quantity)| {
            let value = multiplier.value(price, quantity)?.decimal();
            Ok((model, rounded(product(-value, rate)?)))
        };
        let amounts = held
            .into_iter()
            .map(amount)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| self.money_error(instrument, time, source))?;
        self.pay_of(instrument, time, CashKind::Funding, amounts);
        Ok(())
    }

    fn money_error_of(&self, what: &str, time: UtcNanos, source: MoneyError) -> BrokerError {
        BrokerError::Money {
            instrument: what.to_owned(),
            time,
            source,
        }
    }
}

/// What a value earns at an annual rate, rounded.
fn accrued(value: Decimal, rate: Decimal, (since, until): Elapsed, days: i64) -> Result<Cash, MoneyError> {
    let elapsed = Decimal::from(until.nanos().saturating_sub(since.nanos()));
    let year = Decimal::from(days * Timeframe::D1.nanos());
    let years = elapsed / year;
    Ok(rounded(product(product(value, rate)?, years)?))
}

/// A product that will be rounded.
fn product(left: Decimal, right: Decimal) -> Result<Decimal, MoneyError> {
    left.checked_mul(right).ok_or(MoneyError::Inexact {
        left,
        operation: 'x',
        right,
    })
}

fn rounded(amount: Decimal) -> Cash {
    Cash::new(amount.round_dp_with_strategy(AMOUNT_DECIMALS, RoundingStrategy::MidpointAwayFromZero))
}

/// Divides an amount by weights, which are not negative; what rounding leaves goes to the last one.
fn divided(amount: Cash, weights: &[(ModelId, Decimal)]) -> Result<Vec<(ModelId, Cash)>, MoneyError> {
    let whole = Quantity::new(weights.iter().map(|(_, weight)| *weight).sum());
    let mut left = amount;
    let mut parts = Vec::with_capacity(weights.len());
    for (index, (model, weight)) in weights.iter().enumerate() {
        let part = if index + 1 == weights.len() {
            left
        } else {
            amount.share(Quantity::new(*weight), whole, AMOUNT_DECIMALS)?
        };
        left = left.minus(part)?;
        parts.push((*model, part));
    }
    Ok(parts)
}

/// The models by the magnitude of their own balance, as far as it has the sign of the account's; equal weights where no
/// model's has. In units of one model's part of the initial cash times the number of models, which is exact.
fn own_balances<'s, S: Iterator<Item = &'s Short>>(
    (currency, is_negative): (Currency, bool),
    shorts: impl Fn() -> S,
    account: &dyn AccountSource,
) -> Result<Vec<(ModelId, Decimal)>, MoneyError> {
    let models = (0..account.models()).map(ModelId::from_index);
    let flows = models
        .map(|model| Ok((model, account.model_cash(model, currency)?)))
        .collect::<Result<Vec<_>, MoneyError>>()?;
    let initial = flows
        .iter()
        .try_fold(account.cash(currency)?, |left, (_, flow)| left.minus(*flow))?;
    let mut weights = Vec::with_capacity(flows.len());
    for (model, flow) in &flows {
        let mut balance = *flow;
        for short in shorts() {
            for (_, units) in short.by_model.iter().filter(|(whose, _)| whose == model) {
                balance = balance.minus(short.value(*units)?)?;
            }
        }
        let scaled = product(balance.decimal(), Decimal::from(flows.len()))?;
        let own = Cash::new(scaled).plus(initial)?.decimal();
        let weight = if is_negative { -own } else { own };
        weights.push((*model, weight.max(Decimal::ZERO)));
    }
    if weights.iter().all(|(_, weight)| weight.is_zero()) {
        weights.iter_mut().for_each(|(_, weight)| *weight = Decimal::ONE);
    }
    Ok(weights)
}
