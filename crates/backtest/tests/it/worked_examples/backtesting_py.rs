//! backtesting.py: Google by the day, 2004 to 2013.

use rust_decimal::Decimal;
use sextant_backtest::{Costs, EndOfRun, ExitActivation, ProportionalCosts, SlippageModel, Trade};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    FeatureRef, InstrumentRef, Intents, MarketData, MarketView, MoneyError, OrderRequest, OrderSize, Price,
    Requirements, Timeframe,
};
use sextant_engine::Scope;

use super::{daily, market, money, rows};
use crate::fixture::{Rule, Setup};

/// The peer never stakes the last ten thousandth of its cash.
const ALL_IN: f64 = 0.9999;

fn goog(count: usize) -> Option<MarketData> {
    let mut rows = rows("equities/yahoo_daily/goog_1d_backtesting_py.csv.gz")?;
    rows.truncate(count);
    Some(market(
        &[("GOOG", Timeframe::D1, daily(&rows))],
        Decimal::new(1, 2),
    ))
}

/// SMA(10) crosses SMA(30): up, close and buy all; down, close and sell all short.
struct SmaReversal {
    needs: Requirements,
    instrument: InstrumentRef,
    fast: FeatureRef,
    slow: FeatureRef,
}

impl SmaReversal {
    fn new(symbol: &str) -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade(symbol);
        let daily = needs.series(symbol, Timeframe::D1);
        let fast = needs.feature("sma", &[("period", 10.0)], daily);
        let slow = needs.feature("sma", &[("period", 30.0)], daily);
        Self {
            needs,
            instrument,
            fast,
            slow,
        }
    }
}

impl Model for SmaReversal {
    fn id(&self) -> &str {
        "SmaReversal"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let (fast, slow) = (view.feature_history(self.fast), view.feature_history(self.slow));
        let ([.., fast_before, fast], [.., slow_before, slow]) = (fast, slow) else {
            return Ok(());
        };
        let side = if fast_before < slow_before && fast > slow {
            1.0
        } else if fast_before > slow_before && fast < slow {
            -1.0
        } else {
            return Ok(());
        };
        out.order(OrderRequest::market(self.instrument, OrderSize::ClosePosition));
        out.order(OrderRequest::market(
            self.instrument,
            OrderSize::EquityFraction(ALL_IN * side),
        ));
        Ok(())
    }
}

/// backtesting.py, `test_compute_stats` (worked example B01).
#[test]
fn b01_sma_reversal_on_goog() {
    let Some(market) = goog(usize::MAX) else { return };
    // The peer closes the last trade at the open of the last bar; here that is an option.
    let setup = Setup {
        at_end: EndOfRun::CloseAtLastOpen,
        ..Setup::plain("10000")
    };
    let (outcome, recorder) = setup
        .run(&market, vec![Box::new(SmaReversal::new("GOOG"))])
        .unwrap();

    let trades = outcome.ledger.book(Scope::Portfolio).trades();
    assert_eq!(trades.len(), 66);
    assert_eq!(outcome.ledger.exact_equity().unwrap().to_string(), "51422.99");
    let equity: Vec<f64> = recorder.equity.iter().map(|(_, point)| point.equity).collect();
    let peak = equity.iter().copied().fold(f64::MIN, f64::max);
    assert!((peak - 75787.44).abs() < 1e-9, "{peak}");
    let mut highest = 10_000.0_f64;
    let drawdown = equity.iter().map(|value| {
        highest = highest.max(*value);
        value / highest - 1.0
    });
    close(100.0 * drawdown.fold(0.0, f64::min), -47.98012705007589);

    let returns: Vec<f64> = trades
        .iter()
        .map(|trade| trade.net.to_f64() / (trade.entry_price.to_f64() * trade.quantity.abs().to_f64()))
        .collect();
    let wins: Vec<f64> = returns.iter().copied().filter(|value| *value > 0.0).collect();
    close(
        100.0 * wins.len() as f64 / returns.len() as f64,
        46.96969696969697,
    );
    close(
        100.0 * returns.iter().copied().fold(f64::MIN, f64::max),
        53.59595229490424,
    );
    close(
        100.0 * returns.iter().copied().fold(f64::MAX, f64::min),
        -18.39887353835481,
    );
    // The peer's profit factor is of returns, not of money.
    let losses: f64 = returns.iter().filter(|value| **value < 0.0).sum();
    close(wins.iter().sum::<f64>() / losses.abs(), 2.167945974262033);
    let count = returns.len() as f64;
    close(100.0 * returns.iter().sum::<f64>() / count, 3.2748078066748834);
    let growth: f64 = returns.iter().map(|value| value.ln_1p()).sum();
    close(100.0 * (growth / count).exp_m1(), 2.531715975158555);
    let money: Vec<f64> = trades.iter().map(|trade| trade.net.to_f64()).collect();
    let mean = money.iter().sum::<f64>() / count;
    let variance = money.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    close(count.sqrt() * mean / variance.sqrt(), 1.0766187356697705);
}

fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs(),
        "found {found}, expected {expected}"
    );
}

/// Prices at which the entry signalled on 2012-10-17 and its stop at 720 have traded.
fn entry_and_exit(entry: impl Fn(InstrumentRef) -> OrderRequest + Send + 'static) -> Option<[String; 2]> {
    let market = goog(usize::MAX)?;
    let mut needs = Requirements::new();
    let goog = needs.trade("GOOG");
    let decide = move |view: &MarketView<'_>, out: &mut Intents| {
        if view.as_of().to_string().starts_with("2012-10-17") {
            let stop = OrderRequest::stop(goog, OrderSize::EntryFill, 720.0);
            out.bracket(entry(goog), &[stop]);
        }
    };
    let setup = Setup {
        exits: ExitActivation::NextBar,
        ..Setup::plain("10000")
    };
    let model = Rule {
        name: "Bracket",
        needs,
        decide,
    };
    let (_, recorder) = setup.run(&market, vec![Box::new(model)]).unwrap();
    assert_eq!(recorder.fills.len(), 2, "{:?}", recorder.fills);
    Some([0, 1].map(|index: usize| recorder.fills[index].price.to_string()))
}

/// `test_trade_enter_hit_sl_on_same_day`: the exits of an entry at the open can be hit on the same day, those of an entry
/// inside the day only from the next one on, here with a gap.
#[test]
fn b02_a_stop_loss_on_the_day_of_the_entry() {
    let all = OrderSize::EquityFraction(ALL_IN);
    let Some(at_open) = entry_and_exit(move |goog| OrderRequest::market(goog, all)) else {
        return;
    };
    assert_eq!(at_open, ["755.54", "720"]);
    let inside = entry_and_exit(move |goog| OrderRequest::stop(goog, all, 758.0)).unwrap();
    assert_eq!(inside, ["758", "705.58"]);
}

/// Bars of bids: who sells gets them, who buys pays a part more.
struct AskAbove(Decimal);

impl SlippageModel for AskAbove {
    fn price(&self, trade: &Trade<'_>) -> Result<Price, MoneyError> {
        let part = if trade.quantity.is_positive() {
            Decimal::ONE + self.0
        } else {
            Decimal::ONE
        };
        Ok(Price::new(trade.price.decimal() * part))
    }
}

/// `test_spread_commission`: buy all, commission of 1 % included, then close.
#[test]
fn b03_spread_and_commission() {
    let Some(market) = goog(20) else { return };
    for (spread, expected) in [
        (Decimal::new(1, 2), ["9685.31", "9749.33"]),
        (Decimal::ZERO, ["9781.28", "9846.04"]),
    ] {
        let mut needs = Requirements::new();
        let goog = needs.trade("GOOG");
        let mut decision = 0;
        let decide = move |_: &MarketView<'_>, out: &mut Intents| {
            let size = match decision {
                1 => Some(OrderSize::EquityFraction(ALL_IN / 1.01)),
                2 => Some(OrderSize::ClosePosition),
                _ => None,
            };
            size.map(|size| out.order(OrderRequest::market(goog, size)));
            decision += 1;
        };
        let model = Rule {
            name: "InAndOut",
            needs,
            decide,
        };
        let run = Setup::plain("10000").run_adjusted(&market, vec![Box::new(model)], |config| {
            let commission = ProportionalCosts {
                commission_bps: Decimal::ONE_HUNDRED,
                slippage_bps: Decimal::ZERO,
            };
            config.venue.fees = Box::new(Costs::uniform(commission).unwrap());
            config.venue.slippage = Box::new(AskAbove(spread));
        });
        let (_, recorder) = run.unwrap();
        let equity = [2, 3].map(|step: usize| money(recorder.equity[step].1.equity));
        assert_eq!(equity, expected, "spread {spread}");
    }
}
