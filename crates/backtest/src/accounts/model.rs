//! What happens to an account without orders, as assumptions.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use sextant_domain::{AssetClass, Currency, Instrument, Price, Settlement, SplitRatio, UtcNanos};
use sextant_engine::MarginCall;
use thiserror::Error;

/// Why the assumptions about an account do not fit the run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccountModelError {
    /// Nobody says whether a share pays dividends or splits.
    #[error(
        "{symbol}: its corporate actions are not covered; list them, cover the symbol if it has none, or use adjusted prices without corporate actions"
    )]
    NotCovered {
        /// The symbol.
        symbol: String,
    },
    /// A rate or amount below zero.
    #[error("{what} is {found}; it must not be below zero")]
    Negative {
        /// Which one.
        what: String,
        /// The value found.
        found: Decimal,
    },
    /// Funding rates that are not in order of time, or no positive interval.
    #[error("the funding of {symbol} {problem}")]
    Funding {
        /// The symbol.
        symbol: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A corporate action of a future.
    #[error(
        "{symbol} is settled daily and has no dividends or splits, but one is listed; take it out of the list"
    )]
    OfFuture {
        /// The symbol.
        symbol: String,
    },
    /// Charges by the day without days.
    #[error(
        "borrow fees, interest and variation margin are paid at daily marks, but the run has none; give it daily marks"
    )]
    NoMarks,
}

/// Dividends, splits and delistings.
#[derive(Debug, Clone, PartialEq)]
pub enum CorporateActions {
    /// None: prices are adjusted, so that dividends and splits are in them already, and no instrument is delisted.
    InPrices,
    /// Prices are raw, and this is what happened beside them.
    Listed {
        /// The symbols whose actions are known. Every share of the run must be among them; a future has none.
        covered: BTreeSet<String>,
        /// The actions, in any order; those of symbols outside the run are left out.
        due: Vec<CorporateActionDue>,
    },
}

/// A corporate action with the instant at which it takes effect.
///
/// The instant lies after the last trade under the old terms and at or before the first one under the new terms, such as
/// the open of the session of the ex-date. It becomes known with the first step after it.
#[derive(Debug, Clone, PartialEq)]
pub struct CorporateActionDue {
    /// The instrument.
    pub symbol: String,
    /// When it takes effect.
    pub time: UtcNanos,
    /// What happens.
    pub action: AccountAction,
}

/// What a corporate action does to who holds the instrument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AccountAction {
    /// Cash per share, in the instrument's currency, for who holds it just before; a short pays it. Assumes that it is paid on the ex-date, without tax, and
    /// per share before a split of the same instant.
    Dividend {
        /// Cash per share.
        per_share: Price,
    },
    /// Old shares become new ones. Fractions of a lot are paid in cash at the last close.
    Split(SplitRatio),
    /// Positions are closed at a final price without costs, and orders end.
    Delisting(FinalPrice),
}

/// What a delisted share is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FinalPrice {
    /// Its last close. Assumes that one could still sell there: optimistic after a bankruptcy, right after most mergers.
    LastClose,
    /// A part of its last close, such as 0.7: the mean delisting return of shares dropped for bad performance is about
    /// -30 % (Shumway, The Delisting Bias in CRSP Data, Journal of Finance 52, 1997).
    PartOfLastClose(Decimal),
    /// A stated price.
    Stated(Price),
}

/// What it costs to be short.
///
/// Positions that are settled daily borrow nothing. The fee is market value of the account's net short position x annual rate x elapsed time / 365 days, charged at each
/// daily mark on what is short then, for the time since the mark before. Models that are short against other models of
/// the account borrow nothing; the fee is divided among the short models by quantity.
#[derive(Debug, Clone, PartialEq)]
pub enum BorrowModel {
    /// Nothing: reports must say that borrow is left out.
    None,
    /// Known rates; a short position without one stops the run.
    Required(BorrowRates),
    /// Known rates, and an estimate for every other instrument.
    Pessimistic {
        /// Known rates.
        rates: BorrowRates,
        /// The annual rate where none is known, as a fraction.
        annual: Decimal,
    },
}

/// Annual borrow rates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BorrowRates {
    /// By symbol.
    pub by_symbol: BTreeMap<String, BorrowRate>,
    /// By asset class, for symbols that are not listed.
    pub by_class: BTreeMap<AssetClass, BorrowRate>,
}

/// What the lender asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BorrowRate {
    /// A fraction of market value a year.
    Annual(Decimal),
    /// Nobody lends it: orders that could open a short position end with the reason `not_shortable`.
    NotLent,
}

/// The funding of perpetual futures.
///
/// At each instant, a position pays signed quantity x last close x multiplier x rate: with a positive rate, long pays short.
#[derive(Debug, Clone, PartialEq)]
pub enum FundingModel {
    /// Nothing: the run holds no perpetual futures, or reports must say that funding is left out.
    None,
    /// Rates of the symbols that are perpetual futures.
    Rates {
        /// By symbol, in order of time.
        by_symbol: BTreeMap<String, Vec<FundingRate>>,
        /// The time between two instants of funding, in nanoseconds. Where the next rate is more than one and a half
        /// intervals away, one is missing.
        interval_nanos: i64,
        /// What a position pays where a rate is missing.
        missing: MissingFunding,
    },
}

/// The rate of one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundingRate {
    /// When it is paid.
    pub time: UtcNanos,
    /// Fraction of the position's value; negative when short pays long.
    pub rate: Decimal,
}

/// What a position pays where a funding rate is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingFunding {
    /// The run stops and names the instrument and the instant.
    Stop,
    /// The account pays this fraction of the position's value, long or short.
    Pessimistic(Decimal),
}

/// Interest on cash, charged at each daily mark for the time since the mark before, actual/360.
///
/// Each currency of the account has its own balance and pays or earns in that currency, at the same rate. The balance is cash less the market value of net short positions: the proceeds of short sales lie with the lender, earn
/// nothing and pay for nothing. It is that of the mark, for the whole time since the mark before. Each model is taken to own
/// an equal part of the initial cash; interest is divided among those whose own balance has its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterestModel {
    /// None.
    None,
    /// A constant annual rate, as a fraction.
    Annual(Decimal),
}

/// What happens to an account without orders. There is no `Default`: what is left out is left out by name.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountModel {
    /// The currency of the account: that of its cash at the start, of equity, weights and limits.
    pub currency: Currency,
    /// What happens when equity is below the maintenance margin of the positions; nothing where no instrument asks for
    /// margin.
    pub margin_call: MarginCall,
    /// Dividends, splits and delistings.
    pub corporate_actions: CorporateActions,
    /// What it costs to be short.
    pub borrow: BorrowModel,
    /// What perpetual futures cost or pay.
    pub funding: FundingModel,
    /// What borrowed cash costs.
    pub margin_interest: InterestModel,
    /// What idle cash earns.
    pub cash_interest: InterestModel,
}

impl AccountModel {
    /// Trades alone, in US dollars: adjusted prices, and neither borrow, funding nor interest. A margin call closes all
    /// positions that need margin.
    pub fn trades_only() -> Self {
        Self {
            currency: Currency::USD,
            margin_call: MarginCall::CloseAll,
            corporate_actions: CorporateActions::InPrices,
            borrow: BorrowModel::None,
            funding: FundingModel::None,
            margin_interest: InterestModel::None,
            cash_interest: InterestModel::None,
        }
    }

    /// Whether nothing happens without an order.
    pub fn is_trades_only(&self) -> bool {
        let bare = Self {
            currency: self.currency,
            margin_call: self.margin_call,
            ..Self::trades_only()
        };
        *self == bare
    }

    /// Checks the assumptions against the instruments of a run.
    ///
    /// # Errors
    /// The first [`AccountModelError`] found.
    pub(super) fn validate<'i>(
        &self,
        instruments: impl Iterator<Item = &'i Instrument>,
    ) -> Result<(), AccountModelError> {
        if let CorporateActions::Listed { covered, due } = &self.corporate_actions {
            for instrument in instruments {
                if instrument.contract.settlement == Settlement::Daily {
                    self.corporate_actions.refuse_of_future(&instrument.symbol)?;
                    continue;
                }
                if instrument.class == AssetClass::Equity && !covered.contains(&instrument.symbol) {
                    let symbol = instrument.symbol.clone();
                    return Err(AccountModelError::NotCovered { symbol });
                }
            }
            due.iter().try_for_each(CorporateActionDue::validate)?;
        }
        self.borrow.validate()?;
        self.funding.validate()?;
        let interest = [("margin", self.margin_interest), ("cash", self.cash_interest)];
        interest.into_iter().try_for_each(|(what, model)| match model {
            InterestModel::None => Ok(()),
            InterestModel::Annual(rate) => not_negative(|| format!("the annual {what} interest"), rate),
        })
    }

    /// Whether anything is charged by the day.
    pub(super) fn charges_by_day(&self) -> bool {
        self.borrow != BorrowModel::None
            || [self.margin_interest, self.cash_interest] != [InterestModel::None; 2]
    }
}

fn not_negative(what: impl Fn() -> String, found: Decimal) -> Result<(), AccountModelError> {
    if found < Decimal::ZERO {
        return Err(AccountModelError::Negative { what: what(), found });
    }
    Ok(())
}

impl CorporateActions {
    /// `in_prices` or `listed`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InPrices => "in_prices",
            Self::Listed { .. } => "listed",
        }
    }
}

impl CorporateActions {
    fn refuse_of_future(&self, future: &str) -> Result<(), AccountModelError> {
        let Self::Listed { due, .. } = self else {
            return Ok(());
        };
        let is_bad = |one: &CorporateActionDue| {
            one.symbol == future && !matches!(one.action, AccountAction::Delisting(_))
        };
        if due.iter().any(is_bad) {
            let symbol = future.to_owned();
            return Err(AccountModelError::OfFuture { symbol });
        }
        Ok(())
    }
}

impl CorporateActionDue {
    fn validate(&self) -> Result<(), AccountModelError> {
        let Self { symbol, time, action } = self;
        match action {
            AccountAction::Dividend { per_share } => not_negative(
                || format!("the dividend of {symbol} at {time}"),
                per_share.decimal(),
            ),
            AccountAction::Delisting(FinalPrice::Stated(price)) => not_negative(
                || format!("the final price of {symbol} at {time}"),
                price.decimal(),
            ),
            AccountAction::Delisting(FinalPrice::PartOfLastClose(part)) => not_negative(
                || format!("the part of the last close that {symbol} at {time} is worth"),
                *part,
            ),
            AccountAction::Split(_) | AccountAction::Delisting(FinalPrice::LastClose) => Ok(()),
        }
    }
}

impl BorrowModel {
    /// `no_borrow_fee`, `required` or `pessimistic`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "no_borrow_fee",
            Self::Required(_) => "required",
            Self::Pessimistic { .. } => "pessimistic",
        }
    }

    /// What the lender of an instrument asks; `None` where nobody has said.
    pub(super) fn rate(&self, instrument: &Instrument) -> Option<BorrowRate> {
        match self {
            Self::None => Some(BorrowRate::Annual(Decimal::ZERO)),
            Self::Required(rates) => rates.of(instrument),
            Self::Pessimistic { rates, annual } => {
                Some(rates.of(instrument).unwrap_or(BorrowRate::Annual(*annual)))
            }
        }
    }

    fn validate(&self) -> Result<(), AccountModelError> {
        let (rates, estimate) = match self {
            Self::None => return Ok(()),
            Self::Required(rates) => (rates, Decimal::ZERO),
            Self::Pessimistic { rates, annual } => (rates, *annual),
        };
        not_negative(|| "the estimated borrow rate".to_owned(), estimate)?;
        let by_symbol = rates
            .by_symbol
            .iter()
            .map(|(symbol, rate)| (symbol.clone(), rate));
        let by_class = rates
            .by_class
            .iter()
            .map(|(class, rate)| (class.to_string(), rate));
        by_symbol
            .chain(by_class)
            .try_for_each(|(whose, rate)| match rate {
                BorrowRate::NotLent => Ok(()),
                BorrowRate::Annual(rate) => not_negative(|| format!("the borrow rate of {whose}"), *rate),
            })
    }
}

impl BorrowRates {
    fn of(&self, instrument: &Instrument) -> Option<BorrowRate> {
        let by_symbol = self.by_symbol.get(&instrument.symbol);
        by_symbol
            .or_else(|| self.by_class.get(&instrument.class))
            .copied()
    }
}

impl FundingModel {
    /// `no_funding` or `rates`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "no_funding",
            Self::Rates { .. } => "rates",
        }
    }

    fn validate(&self) -> Result<(), AccountModelError> {
        let Self::Rates {
            by_symbol,
            interval_nanos,
            missing,
        } = self
        else {
            return Ok(());
        };
        if let MissingFunding::Pessimistic(rate) = missing {
            not_negative(|| "the estimated funding rate".to_owned(), *rate)?;
        }
        for (symbol, rates) in by_symbol {
            let problem = if *interval_nanos <= 0 {
                "has an interval that is not above zero"
            } else if !rates.is_sorted_by(|left, right| left.time < right.time) {
                "is not in strictly increasing order of time"
            } else {
                continue;
            };
            let symbol = symbol.clone();
            return Err(AccountModelError::Funding { symbol, problem });
        }
        Ok(())
    }
}

impl InterestModel {
    /// `no_interest` or `annual`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "no_interest",
            Self::Annual(_) => "annual",
        }
    }
}
