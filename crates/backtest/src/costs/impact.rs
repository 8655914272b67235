//! Market impact by the square root of the order's size.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use sextant_domain::{BarsView, MoneyError, Price};

use super::error::{BASIS_POINTS, check};
use super::{CostError, SlippageModel, Trade, basis_points, moved_against, part};

const MODEL: &str = "square-root impact";

/// An order moves the price by `coefficient x sigma x sqrt(Q / V)` of it.
///
/// Sigma is the sample standard deviation (n - 1) of the simple returns from close to close, and V the mean volume, of the
/// last `window` execution bars before the bar of the trade; Q is what the run has traded of that bar, this trade included.
/// The length of the bars cancels out as far as returns are independent: sigma grows with its root as V grows with it.
///
/// Sources: Tóth, Lempérière, Deremble, de Lataillade, Kockelkoren, Bouchaud, "Anomalous price impact and the critical
/// nature of liquidity in financial markets", Physical Review X 1 (2011) 021006, whose coefficient Y is about one; Almgren,
/// Thum, Hauptmann, Li, "Direct estimation of equity market impact", Risk 18 (2005), who find an exponent of 3/5.
///
/// Assumes that the whole order pays the price after its impact (on the way there it would pay less: pessimistic), and that
/// the impact is gone with the next bar (optimistic for orders that trade over several bars). Where sigma or V cannot be told
/// (fewer than `window` bars since the last split, no volume, prices that do not move) the trade pays `without_history_bps`
/// instead, which must be above zero and is meant to be chosen pessimistically. The price is rounded against the trader at the
/// eighth decimal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SquareRootImpact {
    coefficient: f64,
    window: usize,
    without_history_bps: Decimal,
}

impl SquareRootImpact {
    /// The coefficient Y, the number of bars for sigma and V, and what is paid where those cannot be told.
    ///
    /// # Errors
    /// [`CostError`] for `coefficient` outside 0.01 to 10, `window` outside 3 to 100,000, or `without_history_bps` outside
    /// 0.01 to 1000 basis points.
    pub fn new(coefficient: f64, window: usize, without_history_bps: Decimal) -> Result<Self, CostError> {
        check(MODEL, ("coefficient", coefficient), 0.01..=10.0, "")?;
        check(MODEL, ("window", window), 3..=100_000, " bars")?;
        check(
            MODEL,
            ("without_history_bps", without_history_bps),
            Decimal::new(1, 2)..=Decimal::ONE_THOUSAND,
            BASIS_POINTS,
        )?;
        Ok(Self {
            coefficient,
            window,
            without_history_bps,
        })
    }

    /// The impact as a part of the price; `None` where it cannot be told.
    fn fraction(&self, trade: &Trade<'_>) -> Result<Option<f64>, MoneyError> {
        let traded = trade.traded_in_bar.plus(trade.quantity.abs())?.to_f64();
        let habits = habits(trade.history(), self.window);
        Ok(habits.map(|(sigma, volume)| self.coefficient * sigma * (traded / volume).sqrt()))
    }
}

impl SlippageModel for SquareRootImpact {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let market = trade.price.decimal();
        let distance = match self.fraction(trade)? {
            Some(fraction) => part(market, decimal_fraction(fraction)?)?,
            None => basis_points(market, self.without_history_bps)?,
        };
        moved_against(trade, distance)
    }

    fn impact(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        Ok(self.price(trade)?.minus(trade.price)?.abs())
    }
}

/// Volatility per bar and mean volume of the last bars; `None` unless there are enough of them and both are above zero.
fn habits(history: BarsView<'_>, window: usize) -> Option<(f64, f64)> {
    let first = history.len().checked_sub(window)?;
    let (closes, volumes) = (&history.close[first..], &history.volume[first..]);
    let volume = volumes.iter().sum::<f64>() / window as f64;
    let returns = || closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0);
    let count = (window - 1) as f64;
    let mean = returns().sum::<f64>() / count;
    let squares: f64 = returns().map(|one| (one - mean) * (one - mean)).sum();
    let sigma = (squares / (count - 1.0)).sqrt();
    (sigma > 0.0 && volume > 0.0).then_some((sigma, volume))
}

/// The bridge from the research world for parts of a price: the decimal with the leading digits of the number.
fn decimal_fraction(fraction: f64) -> Result<Decimal, MoneyError> {
    Decimal::from_f64(fraction).ok_or(MoneyError::NotDecimal {
        value: fraction,
        what: "a part of a price",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sextant_domain::Quantity;

    use super::super::test_support::{Sample, dec};
    use super::*;

    /// The last four closes give returns of 2, -2 and 2 per cent: mean 2/3, squared deviations 16/9, 64/9 and 16/9 of a
    /// square per cent, sum 96/9, over 2 is 48/9, whose root is 4 / sqrt(3) = 2.3094010767585 per cent. The mean volume is
    /// 10,000. The bar before those would change both.
    const BARS: [(f64, f64); 5] = [
        (500.0, 77_777.0),
        (100.0, 8_000.0),
        (102.0, 12_000.0),
        (99.96, 9_000.0),
        (101.9592, 11_000.0),
    ];

    fn model() -> SquareRootImpact {
        SquareRootImpact::new(1.0, 4, dec("50")).unwrap()
    }

    #[test]
    fn impact_by_hand() {
        let sample = Sample::with_history(&BARS);
        let half = SquareRootImpact::new(0.5, 4, dec("50")).unwrap();
        for (model, quantity, before, expected) in [
            // sqrt(400 / 10,000) = 0.2; 0.2 x 0.023094010767585 x 100 = 0.4618802153517, rounded up.
            (model(), "400", "0", "100.46188022"),
            (model(), "-400", "0", "99.53811978"),
            (model(), "100", "300", "100.46188022"),
            // Half of it is 0.23094010767585.
            (half, "400", "0", "100.23094011"),
            // sqrt(1,000,000 / 10,000) = 10: 23.094010767585.
            (model(), "1000000", "0", "123.09401077"),
            // sqrt(100,000,000 / 10,000) = 100: 230.94010767585, more than a sale can lose.
            (model(), "100000000", "0", "330.94010768"),
            (model(), "-100000000", "0", "10"),
        ] {
            let trade = Trade {
                traded_in_bar: Quantity::new(dec(before)),
                ..sample.trade(quantity, "100")
            };
            assert_eq!(
                model.price(&trade).unwrap().decimal(),
                dec(expected),
                "{quantity}"
            );
        }
    }

    #[test]
    fn what_cannot_be_told_is_never_free() {
        let silent = BARS.map(|(close, _)| (close, 0.0));
        let still = BARS.map(|(_, volume)| (100.0, volume));
        for (name, bars) in [
            ("no history", &BARS[..0]),
            ("a bar short", &BARS[..3]),
            ("no volume", &silent[..]),
            ("prices that stand", &still[..]),
        ] {
            let sample = Sample::with_history(bars);
            let price = |quantity| model().price(&sample.trade(quantity, "100")).unwrap().decimal();
            // 50 bp of 100.
            assert_eq!((price("1"), price("-1")), (dec("100.5"), dec("99.5")), "{name}");
        }
        let enough = Sample::with_history(&BARS[..4]);
        assert_ne!(
            model().price(&enough.trade("1", "100")).unwrap().decimal(),
            dec("100.5")
        );
    }

    #[test]
    fn parameters_outside_the_range_are_refused() {
        for (coefficient, window, fallback, message) in [
            (0.0, 20, "50", "coefficient is 0, but must be from 0.01 to 10"),
            (
                f64::NAN,
                20,
                "50",
                "coefficient is NaN, but must be from 0.01 to 10",
            ),
            (1.0, 2, "50", "window is 2, but must be from 3 to 100000 bars"),
            (
                1.0,
                20,
                "0",
                "without_history_bps is 0, but must be from 0.01 to 1000 basis points",
            ),
        ] {
            let refused = SquareRootImpact::new(coefficient, window, dec(fallback)).unwrap_err();
            assert_eq!(refused.to_string(), format!("square-root impact: {message}"));
        }
    }
}
