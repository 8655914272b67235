//! Rates between currencies, from the prices of currency pairs.

use rust_decimal::Decimal;

use crate::{Cash, Currency, InstrumentId, InstrumentTable, MoneyError, Price};

/// One pair on the way from one currency to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FxLeg {
    /// The pair.
    pub pair: InstrumentId,
    /// Whether the way goes from the currency of its prices to the other one, so that its price divides.
    pub is_inverse: bool,
}

/// The way from one currency to another over one or two currency pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FxPath {
    legs: Vec<FxLeg>,
}

/// An exact rate as a fraction of prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FxRate {
    over: Decimal,
    under: Decimal,
}

impl FxPath {
    /// The way between two different currencies: a pair of both, in either direction, or else two pairs over a third
    /// currency. Of several the first by instrument id counts. `None` when there is none.
    ///
    /// Pairs are instruments of which [`Instrument::pair`](crate::Instrument::pair) knows the currencies.
    pub fn find(instruments: &InstrumentTable, from: Currency, to: Currency) -> Option<Self> {
        let pairs: Vec<_> = instruments
            .iter()
            .filter_map(|(id, instrument)| Some((id, instrument.pair()?)))
            .collect();
        let legs_from = |from: Currency| {
            pairs.iter().filter_map(move |(pair, (base, quote))| {
                let is_inverse = *quote == from;
                let reached = if is_inverse { *base } else { *quote };
                let leg = FxLeg {
                    pair: *pair,
                    is_inverse,
                };
                (is_inverse || *base == from).then_some((leg, reached))
            })
        };
        let direct = legs_from(from).find(|(_, reached)| *reached == to);
        if let Some((leg, _)) = direct {
            return Some(Self { legs: vec![leg] });
        }
        legs_from(from).find_map(|(first, between)| {
            let (second, _) = legs_from(between).find(|(_, reached)| *reached == to)?;
            let legs = vec![first, second];
            Some(Self { legs })
        })
    }

    /// The pairs on the way.
    pub fn legs(&self) -> &[FxLeg] {
        &self.legs
    }

    /// What one unit of the first currency is worth in the last, in the research world; NaN where a price is.
    pub fn rate(&self, price: impl Fn(InstrumentId) -> f64) -> f64 {
        self.legs.iter().fold(1.0, |rate, leg| {
            if leg.is_inverse {
                rate / price(leg.pair)
            } else {
                rate * price(leg.pair)
            }
        })
    }

    /// The same as an exact fraction.
    ///
    /// # Errors
    /// The error of `price`, and [`MoneyError`] when a product of prices does not fit.
    pub fn exact_rate(
        &self,
        price: impl Fn(InstrumentId) -> Result<Price, MoneyError>,
    ) -> Result<FxRate, MoneyError> {
        let mut rate = FxRate {
            over: Decimal::ONE,
            under: Decimal::ONE,
        };
        for leg in &self.legs {
            let price = price(leg.pair)?.decimal();
            let side = if leg.is_inverse {
                &mut rate.under
            } else {
                &mut rate.over
            };
            *side = crate::money::exact_mul(*side, price)?;
        }
        Ok(rate)
    }
}

impl FxRate {
    /// An amount in the other currency, rounded to eight decimals, halves away from zero.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] when it is too large.
    pub fn convert(self, amount: Cash) -> Result<Cash, MoneyError> {
        amount.ratio(self.over, self.under)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AssetClass, Contract, Instrument, Timeframe};

    fn pair(symbol: &str, currency: Currency) -> Instrument {
        Instrument {
            symbol: symbol.to_owned(),
            class: AssetClass::Fx,
            execution: Timeframe::D1,
            price_tick: Decimal::new(1, 5),
            lot_size: Decimal::ONE,
            contract: Contract::paid_in(currency),
        }
    }

    fn table() -> InstrumentTable {
        let pairs = [
            pair("EURUSD", Currency::USD),
            pair("USD-JPY", Currency::JPY),
            pair("GBPJPY=X", Currency::JPY),
        ];
        InstrumentTable::new(pairs.to_vec()).unwrap()
    }

    #[test]
    fn rates_go_along_against_and_across() {
        let prices = ["1.25", "160", "200"].map(|text| Price::new(text.parse().unwrap()));
        let convert = |from, to, amount: i64| {
            let path = FxPath::find(&table(), from, to)?;
            let exact = path.exact_rate(|id| Ok(prices[id.index()])).unwrap();
            let cash = exact.convert(Cash::new(amount.into())).unwrap();
            let rate = path.rate(|id| prices[id.index()].to_f64());
            assert!((rate * amount as f64 - cash.to_f64()).abs() < 1e-8);
            Some((path.legs().len(), cash.decimal().normalize().to_string()))
        };
        let found = |legs, text: &str| Some((legs, text.to_owned()));
        assert_eq!(convert(Currency::EUR, Currency::USD, 100), found(1, "125"));
        assert_eq!(convert(Currency::USD, Currency::EUR, 100), found(1, "80"));
        assert_eq!(convert(Currency::JPY, Currency::USD, 1_000), found(1, "6.25"));
        // 100 pounds are 20,000 yen and 125 dollars.
        assert_eq!(convert(Currency::GBP, Currency::USD, 100), found(2, "125"));
        // Over dollars: 1,000 yen are 6.25 dollars and 5 euros.
        assert_eq!(convert(Currency::JPY, Currency::EUR, 1_000), found(2, "5"));
        // Three pairs would be needed.
        assert_eq!(convert(Currency::GBP, Currency::EUR, 1), None);
        let franc = Currency::new("CHF").unwrap();
        assert_eq!(convert(franc, Currency::USD, 1), None);
    }
}
