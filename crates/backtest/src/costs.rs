//! What trading costs.

use rust_decimal::{Decimal, RoundingStrategy};
use sextant_domain::{AssetClass, Bar, BarsView, Cash, Instrument, MoneyError, Price, Quantity};
use thiserror::Error;

/// Decimals of fees and of prices after slippage. Both are rounded against the trader.
const DECIMALS: u32 = 8;

/// Whether a trade took a price that stood there or waited for its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liquidity {
    /// It waited in the market: a limit order that was reached.
    Maker,
    /// It took what there was: market orders, stops, and limits that were through when they came.
    Taker,
}

/// A trade about to happen, for models of what it costs.
#[derive(Debug, Clone, Copy)]
pub struct Trade<'a> {
    /// What is traded.
    pub instrument: &'a Instrument,
    /// Signed quantity; never zero.
    pub quantity: Quantity,
    /// The price: for slippage that of the market, for fees the one with slippage.
    pub price: Price,
    /// Whether it took or made liquidity.
    pub liquidity: Liquidity,
    /// The execution bars that had closed before the bar of the trade; what volatility and volume may be taken from.
    pub history: BarsView<'a>,
    /// The bar of the trade. Its volume is known only when it has closed.
    pub bar: Bar,
}

/// Commission.
pub trait FeeModel {
    /// The commission of a trade, as a positive cost (negative for a rebate).
    ///
    /// # Errors
    /// [`MoneyError`] when the notional does not fit exactly.
    fn fee(&self, trade: &Trade<'_>) -> Result<Cash, MoneyError>;
}

/// What an order that takes liquidity pays beside the market's price. Makers pay none.
pub trait SlippageModel {
    /// The price after slippage: at or above the market's when buying, at or below it when selling.
    ///
    /// # Errors
    /// [`MoneyError`] when the price does not fit.
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError>;
}

/// Costs of one asset class in basis points (hundredths of a per cent) of the traded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProportionalCosts {
    /// Commission per side.
    pub commission_bps: Decimal,
    /// Half spread and slippage per side.
    pub slippage_bps: Decimal,
}

/// A cost that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{class}: {field} is {found}, but must be from 0 to 1000 basis points")]
pub struct CostError {
    /// The asset class.
    pub class: AssetClass,
    /// `commission_bps` or `slippage_bps`.
    pub field: &'static str,
    /// The value found.
    pub found: Decimal,
}

/// Proportional costs by asset class.
///
/// Assumes that a fill costs the same at any size, time of day and volatility: orders are taken to be small against the
/// market. Commission and slippage are rounded up to the eighth decimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Costs {
    by_class: [ProportionalCosts; AssetClass::ALL.len()],
}

impl Costs {
    /// Costs from one entry per class.
    ///
    /// # Errors
    /// [`CostError`] for a cost below 0 or above 1000 basis points.
    pub fn new(of: impl Fn(AssetClass) -> ProportionalCosts) -> Result<Self, CostError> {
        let by_class = AssetClass::ALL.map(of);
        let allowed = Decimal::ZERO..=Decimal::ONE_THOUSAND;
        for (class, costs) in AssetClass::ALL.into_iter().zip(&by_class) {
            let fields = [
                ("commission_bps", costs.commission_bps),
                ("slippage_bps", costs.slippage_bps),
            ];
            if let Some((field, found)) = fields.into_iter().find(|(_, found)| !allowed.contains(found)) {
                return Err(CostError { class, field, found });
            }
        }
        Ok(Self { by_class })
    }

    /// The same costs for every class.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn uniform(costs: ProportionalCosts) -> Result<Self, CostError> {
        Self::new(|_| costs)
    }
}

impl FeeModel for Costs {
    fn fee(&self, trade: &Trade<'_>) -> Result<Cash, MoneyError> {
        let rate = self.by_class[trade.instrument.class.index()].commission_bps;
        if rate.is_zero() {
            return Ok(Cash::ZERO);
        }
        let notional = trade.price.times(trade.quantity.abs())?;
        let fee = notional.decimal() * (rate / Decimal::from(10_000));
        Ok(Cash::new(fee.round_dp_with_strategy(
            DECIMALS,
            RoundingStrategy::AwayFromZero,
        )))
    }
}

impl SlippageModel for Costs {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let (market, rate) = (
            trade.price,
            self.by_class[trade.instrument.class.index()].slippage_bps,
        );
        if rate.is_zero() {
            return Ok(market);
        }
        let distance = market.decimal() * (rate / Decimal::from(10_000));
        let distance = distance.round_dp_with_strategy(DECIMALS, RoundingStrategy::AwayFromZero);
        let distance = Price::new(distance);
        if trade.quantity.is_positive() {
            market.plus(distance)
        } else {
            market.minus(distance)
        }
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::{BarSeries, Timeframe, UtcNanos};

    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn costs_work_against_the_trader() {
        let costs = ProportionalCosts {
            commission_bps: dec("10"),
            slippage_bps: dec("3"),
        };
        let costs = Costs::uniform(costs).unwrap();
        let instrument = Instrument {
            symbol: "SPY".to_owned(),
            class: AssetClass::Equity,
            execution: Timeframe::D1,
            price_tick: dec("0.01"),
            lot_size: dec("1"),
        };
        let bars = BarSeries::default();
        let bar = Bar {
            open_time: UtcNanos::MIN,
            close_time: UtcNanos::MAX,
            open: 10.01,
            high: 10.01,
            low: 10.01,
            close: 10.01,
            volume: 0.0,
        };
        let trade = |quantity| Trade {
            instrument: &instrument,
            quantity: Quantity::new(dec(quantity)),
            price: Price::new(dec("10.01")),
            liquidity: Liquidity::Taker,
            history: bars.view(),
            bar,
        };
        let price = |quantity| costs.price(&trade(quantity)).unwrap().decimal();
        assert_eq!((price("5"), price("-5")), (dec("10.013003"), dec("10.006997")));
        for quantity in ["5", "-5"] {
            assert_eq!(costs.fee(&trade(quantity)).unwrap().decimal(), dec("0.05005"));
        }
    }

    #[test]
    fn costs_outside_the_range_are_refused() {
        for bad in ["-1", "1000.1"] {
            let costs = ProportionalCosts {
                commission_bps: dec("1"),
                slippage_bps: dec(bad),
            };
            assert_eq!(Costs::uniform(costs).unwrap_err().field, "slippage_bps");
        }
    }
}
