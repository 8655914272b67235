//! What happens to an account without an order: cash paid or owed, and splits.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::money::exact_mul;
use crate::{Cash, Currency, InstrumentId, ModelId, MoneyError, Price, Quantity, UtcNanos};

/// Decimals of a value or price that a split leaves without an end, such as a third.
const ENDLESS_DECIMALS: u32 = 10;

/// Why cash came or went without an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CashKind {
    /// A dividend: who is long receives it, who is short pays it.
    Dividend,
    /// What lenders of shares ask for short positions.
    BorrowFee,
    /// The funding of a perpetual future.
    Funding,
    /// Interest on borrowed cash.
    MarginInterest,
    /// Interest on idle cash.
    CashInterest,
    /// What a position that is settled daily has gained or lost since its last settlement.
    VariationMargin,
}

impl CashKind {
    /// Every kind, in the order of their indices.
    pub const ALL: [Self; 6] = [
        Self::Dividend,
        Self::BorrowFee,
        Self::Funding,
        Self::MarginInterest,
        Self::CashInterest,
        Self::VariationMargin,
    ];

    /// The name in tables, such as `borrow_fee`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dividend => "dividend",
            Self::BorrowFee => "borrow_fee",
            Self::Funding => "funding",
            Self::MarginInterest => "margin_interest",
            Self::CashInterest => "cash_interest",
            Self::VariationMargin => "variation_margin",
        }
    }

    /// Dense index, for tables by kind.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Cash that came (positive) or went without an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashEvent {
    /// When it fell due.
    pub time: UtcNanos,
    /// The instrument it comes from; `None` for interest.
    pub instrument: Option<InstrumentId>,
    /// Why.
    pub kind: CashKind,
    /// The currency of the amounts.
    pub currency: Currency,
    /// The signed amounts by model, each model at most once; the account's amount is their sum.
    pub amounts: Vec<(ModelId, Cash)>,
}

impl CashEvent {
    /// The account's amount.
    ///
    /// # Errors
    /// [`MoneyError`] when the sum does not fit exactly.
    pub fn total(&self) -> Result<Cash, MoneyError> {
        self.amounts
            .iter()
            .try_fold(Cash::ZERO, |sum, (_, amount)| sum.plus(*amount))
    }
}

/// New shares for old ones: 4 for 1 in a split, 1 for 8 in a reverse split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitRatio {
    new: u64,
    old: u64,
}

impl SplitRatio {
    /// `new` shares for `old` ones; `None` when either is zero.
    pub const fn new(new: u32, old: u32) -> Option<Self> {
        if new == 0 || old == 0 {
            return None;
        }
        Some(Self::reduced(new as u64, old as u64))
    }

    const fn reduced(new: u64, old: u64) -> Self {
        let (mut divisor, mut rest) = (new, old);
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        Self {
            new: new / divisor,
            old: old / divisor,
        }
    }

    /// This split and a later one together; `None` when the terms outgrow 64 bits.
    pub fn then(self, later: Self) -> Option<Self> {
        let (new, old) = (self.new.checked_mul(later.new)?, self.old.checked_mul(later.old)?);
        Some(Self::reduced(new, old))
    }

    /// New shares, in lowest terms.
    pub const fn new_shares(self) -> u64 {
        self.new
    }

    /// The old shares they replace, in lowest terms.
    pub const fn old_shares(self) -> u64 {
        self.old
    }

    /// New shares per old share, for the research world.
    pub fn to_f64(self) -> f64 {
        self.new as f64 / self.old as f64
    }

    /// The whole lots that a position of old shares becomes, rounded towards zero.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when the product does not fit 28 digits.
    pub fn position(self, held: Quantity, lot: Decimal) -> Result<Quantity, MoneyError> {
        let (new, old) = (Decimal::from(self.new), Decimal::from(self.old));
        let failed = MoneyError::Inexact {
            left: held.decimal(),
            operation: 'x',
            right: new,
        };
        let shares = exact_mul(held.decimal(), new)?;
        let whole = exact_mul(old, lot)
            .ok()
            .and_then(|step| Some(shares - shares.checked_rem(step)?))
            .and_then(|multiple| multiple.checked_div(old));
        whole.map(|whole| Quantity::new(whole.normalize())).ok_or(failed)
    }

    /// What `quantity` new shares are worth at a price of the old share: exactly, or to ten decimals where the quotient has
    /// no end.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when the value does not fit 28 digits.
    pub fn value(self, old_price: Price, quantity: Quantity) -> Result<Cash, MoneyError> {
        let worth = old_price.times(quantity)?;
        self.quotient(worth.decimal()).map(Cash::new)
    }

    /// The price of the new share: exactly, or to ten decimals where it has no end.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when it does not fit 28 digits.
    pub fn price(self, old_price: Price) -> Result<Price, MoneyError> {
        self.quotient(old_price.decimal()).map(Price::new)
    }

    /// The value `x old / new`.
    fn quotient(self, value: Decimal) -> Result<Decimal, MoneyError> {
        let (new, old) = (Decimal::from(self.new), Decimal::from(self.old));
        let failed = MoneyError::Inexact {
            left: value,
            operation: 'x',
            right: old,
        };
        let product = exact_mul(value, old)?;
        let quotient = product.checked_div(new).ok_or(failed)?.normalize();
        if exact_mul(quotient, new).is_ok_and(|back| back == product) {
            return Ok(quotient);
        }
        Ok(quotient.round_dp_with_strategy(ENDLESS_DECIMALS, RoundingStrategy::MidpointAwayFromZero))
    }
}

/// What a split makes of one model's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitPart {
    /// The model.
    pub model: ModelId,
    /// Its signed quantity afterwards.
    pub quantity: Quantity,
    /// Cash for the fraction of a lot that is left over; a short position pays it.
    pub cash_in_lieu: Cash,
}

/// Old shares became new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitEvent {
    /// When it took effect.
    pub time: UtcNanos,
    /// The instrument.
    pub instrument: InstrumentId,
    /// New shares per old ones.
    pub ratio: SplitRatio,
    /// The price of the old share by which fractions were paid.
    pub old_price: Price,
    /// One part for each model with a position.
    pub parts: Vec<SplitPart>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn positions_become_whole_lots() {
        for (new, old, held, lot, expected) in [
            (4, 1, "25", "1", "100"),
            (1, 8, "100", "1", "12"),
            (1, 8, "-100", "1", "-12"),
            (3, 2, "101", "1", "151"),
            (1, 3, "10", "0.001", "3.333"),
            (1, 10, "9", "1", "0"),
        ] {
            let ratio = SplitRatio::new(new, old).unwrap();
            let after = ratio.position(Quantity::new(dec(held)), dec(lot)).unwrap();
            assert_eq!(after.decimal(), dec(expected), "{new}:{old} of {held}");
        }
    }

    #[test]
    fn values_are_exact_or_rounded_to_ten_decimals() {
        let price = Price::new(dec("619.86"));
        let seven = SplitRatio::new(7, 1).unwrap();
        let worth = |ratio: SplitRatio, units: &str| {
            let value = ratio.value(price, Quantity::new(dec(units))).unwrap();
            value.to_string()
        };
        assert_eq!(worth(seven, "700"), "61986");
        assert_eq!(worth(seven, "1"), "88.5514285714");
        assert_eq!(worth(SplitRatio::new(1, 8).unwrap(), "12"), "59506.56");
        assert_eq!(seven.price(price).unwrap().to_string(), "88.5514285714");
    }

    #[test]
    fn ratios_are_in_lowest_terms_and_compound() {
        let (two, half) = (SplitRatio::new(4, 2).unwrap(), SplitRatio::new(1, 2).unwrap());
        assert_eq!((two.new_shares(), two.old_shares()), (2, 1));
        assert_eq!(two.then(half), SplitRatio::new(1, 1));
        assert_eq!(SplitRatio::new(0, 1), None);
        let large = SplitRatio::new(u32::MAX, 1).unwrap();
        assert_eq!(large.then(large).and_then(|squared| squared.then(large)), None);
    }
}
