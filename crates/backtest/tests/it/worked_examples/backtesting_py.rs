//! backtesting.py: Google by the day, 2004 to 2013.

use rust_decimal::Decimal;
use sextant_backtest::{Costs, EndOfRun, ExitActivation, ProportionalCosts, SlippageModel, Trade};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    BarsView, FeatureRef, InstrumentRef, Intents, MarketData, MarketView, MoneyError, OrderRequest,
    OrderSize, Price, Requirements, Timeframe, UtcNanos,
};
use sextant_engine::{ClosedTrade, Scope};

use super::peer_statistics::{EquityCurve, TradeList};
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

    let bars = market.series()[0].bars.view();
    assert_eq!(recorder.equity.len(), bars.len(), "one step a bar");
    let equity = recorder.equity.iter().map(|(_, point)| point.equity).collect();
    let first_day = bars.close_time[0].day_number();
    let days = bars.close_time.iter().map(|time| time.day_number() - first_day);
    check_curve(&EquityCurve::new(equity, days.collect()), bars.close);
    check_trades(trades);
    close(100.0 * exposure(trades, &bars), 96.74115456238361);
}

fn check_curve(curve: &EquityCurve, prices: &[f64]) {
    close(curve.peak(), 75787.44);
    close(100.0 * curve.total_return(), 414.2299);
    close(100.0 * curve.annual_return(), 21.191099249053224);
    close(100.0 * curve.annual_volatility(), 36.49716090702389);
    close(100.0 * curve.cagr(), 21.160245705962623);
    close(curve.sharpe(), 0.5806232244485349);
    close(curve.sortino(), 1.0853434352488662);
    close(curve.calmar(), 0.44166409202994605);
    close(100.0 * curve.max_drawdown(), -47.98012705007589);
    close(100.0 * curve.mean_drawdown(), -5.925851581948801);
    assert_eq!(curve.drawdown_days(), [584, 41]);
    // Held from the first close with both averages on.
    let held = prices[prices.len() - 1] / prices[29] - 1.0;
    close(100.0 * held, 522.0601851851852);
    close(curve.beta(prices), 0.03803390709192);
    let alpha = curve.total_return() - curve.beta(prices) * held;
    close(100.0 * alpha, 394.3739114202746);
}

fn check_trades(trades: &[ClosedTrade]) {
    let money = trades.iter().map(|trade| trade.net.to_f64());
    let returns = trades
        .iter()
        .map(|trade| trade.net.to_f64() / (trade.entry_price.to_f64() * trade.quantity.abs().to_f64()));
    let list = TradeList::new(money.collect(), returns.collect());
    close(100.0 * list.win_rate(), 46.96969696969697);
    let [best, worst] = list.best_and_worst();
    close(100.0 * best, 53.59595229490424);
    close(100.0 * worst, -18.39887353835481);
    close(100.0 * list.mean_growth(), 2.531715975158555);
    close(list.profit_factor(), 2.167945974262033);
    close(100.0 * list.expectancy(), 3.2748078066748834);
    close(list.system_quality(), 1.0766187356697705);
    close(list.kelly(), 0.1518705127029717);
}

/// The part of the bars in which there was a position: those of entries and exits count, and all between.
fn exposure(trades: &[ClosedTrade], bars: &BarsView<'_>) -> f64 {
    let place = |time: UtcNanos| bars.open_time.partition_point(|open| *open <= time) - 1;
    let mut held = vec![false; bars.len()];
    for trade in trades {
        held[place(trade.entry_time)..=place(trade.exit_time)].fill(true);
    }
    held.iter().filter(|is_held| **is_held).count() as f64 / held.len() as f64
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
