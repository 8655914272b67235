//! Lean: adjusted prices, decisions on daily or hourly closes, and the fees of an online broker.

use rust_decimal::Decimal;
use sextant_backtest::{BacktestConfig, FillConvention, PerShareFee, Recorder, RunOutcome, SessionEnds};
use sextant_domain::{
    BarSeries, InstrumentRef, Intents, MarketData, MarketView, OrderRequest, OrderSize, Quantity,
    Requirements, SeriesRef, Timeframe, UtcNanos,
};
use sextant_risk::RiskLimits;
use sextant_testkit::real_data_dir;

use super::{Row, bar, cents, daily, drawdown_percent, market, rows};
use crate::fixture::{Rule, Setup};

const CASH: &str = "100000";

/// Half a cent a share, at least one dollar, at most half a per cent of the value.
fn fees() -> PerShareFee {
    let half_of_a_hundredth = Decimal::new(5, 3);
    PerShareFee::new(half_of_a_hundredth, Decimal::ONE, half_of_a_hundredth).unwrap()
}

/// The same fee as the model reckons with it.
fn fee(shares: f64, price: f64) -> f64 {
    (0.005 * shares).max(1.0).min(0.005 * shares * price)
}

/// The largest number of shares whose value is not above the part of equity, less a reserve of a quarter per cent and
/// the fee.
fn set_holdings(part: f64, equity: f64, price: f64) -> f64 {
    let affordable = |shares: f64| shares * price <= part * (0.9975 * equity - fee(shares, price));
    let mut shares = (part * equity / price).floor();
    while shares > 0.0 && !affordable(shares) {
        shares -= 1.0;
    }
    shares
}

fn units(shares: f64) -> OrderSize {
    OrderSize::Units(Quantity::from_f64_towards_zero(shares, Decimal::ONE).unwrap())
}

/// Rows of a raw file from one date to another, times the factors of the first row of the factor file that is not before
/// the date.
fn adjusted(file: &str, symbol: &str, from: &str, to: &str) -> Option<Vec<Row>> {
    let factors = real_data_dir()?.join(format!("corporate_actions/lean_factor_files/{symbol}.csv"));
    let text = std::fs::read_to_string(factors).unwrap();
    let factors = text.lines().map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let [price, split] = [1, 2].map(|column: usize| cells[column].parse::<f64>().unwrap());
        (cells[0].to_owned(), price * split)
    });
    let factors: Vec<(String, f64)> = factors.collect();
    let mut rows = rows(file)?;
    rows.retain(|row| {
        let date = row.stamp.date().to_string();
        date.as_str() >= from && date.as_str() <= to
    });
    for row in &mut rows {
        let date = row.stamp.date().to_string().replace('-', "");
        let (_, factor) = factors.iter().find(|(last, _)| *last >= date).unwrap();
        row.prices = row.prices.map(|price| price * factor);
    }
    Some(rows)
}

/// So fine that no adjusted price is rounded where it could be seen.
fn fine_tick() -> Decimal {
    Decimal::new(1, 8)
}

fn days(symbol: &str, from: &str, to: &str) -> Option<BarSeries> {
    let file = format!("equities/us_daily_raw_lean/{symbol}_1d.csv.gz");
    Some(daily(&adjusted(&file, symbol, from, to)?))
}

/// Hourly SPY. The bar of nine o'clock in New York begins with the session at half past.
fn spy_hours(from: &str, to: &str) -> Option<MarketData> {
    let rows = adjusted("equities/us_hourly_raw_lean/spy_1h.csv.gz", "spy", from, to)?;
    let bars = rows.iter().enumerate().map(|(index, row)| {
        let is_first = index == 0 || rows[index - 1].stamp.date() != row.stamp.date();
        bar(row, if is_first { [30, 60] } else { [0, 60] })
    });
    let bars = BarSeries::from_bars(bars).unwrap();
    Some(market(&[("SPY", Timeframe::H1, bars)], fine_tick()))
}

/// The close of the last bar of each day.
fn session_ends(market: &MarketData) -> Vec<UtcNanos> {
    let mut ends = market.series()[0].bars.close_times().to_vec();
    ends.reverse();
    ends.dedup_by_key(|time| time.day_number());
    ends.reverse();
    ends
}

struct Run {
    outcome: RunOutcome,
    recorder: Recorder,
}

impl Run {
    /// Number of orders, fees and final equity.
    fn summary(&self) -> (usize, String, String) {
        let fees: Decimal = self.recorder.fills.iter().map(|fill| fill.fee.decimal()).sum();
        let equity = self.outcome.ledger.exact_equity().unwrap();
        (self.recorder.orders.len(), cents(fees), cents(equity.decimal()))
    }

    fn prices(&self) -> Vec<f64> {
        self.recorder
            .fills
            .iter()
            .map(|fill| fill.price.to_f64())
            .collect()
    }
}

/// What a rule may look at and trade.
#[derive(Clone, Copy)]
struct Share {
    instrument: InstrumentRef,
    bars: SeriesRef,
}

impl Share {
    fn close(self, view: &MarketView<'_>) -> Option<f64> {
        view.bars(self.bars).last_close()
    }

    /// Buys a part of equity, when there is a price.
    fn set_holdings(self, part: f64, view: &MarketView<'_>, out: &mut Intents) {
        if let Some(price) = self.close(view) {
            let shares = set_holdings(part, view.account().portfolio_equity, price);
            out.order(OrderRequest::market(self.instrument, units(shares)));
        }
    }
}

fn run<F>(market: &MarketData, fills: FillConvention, mut decide: F) -> Run
where
    F: FnMut(&MarketView<'_>, &[Share], &mut Intents) + Send + 'static,
{
    let mut needs = Requirements::new();
    let shares = market.instruments().iter().map(|(_, instrument)| Share {
        instrument: needs.trade(&instrument.symbol),
        bars: needs.series(&instrument.symbol, instrument.execution),
    });
    let shares: Vec<Share> = shares.collect();
    let model = Rule {
        name: "Lean",
        needs,
        decide: move |view: &MarketView<'_>, out: &mut Intents| decide(view, &shares, out),
    };
    let setup = Setup {
        fills,
        limits: RiskLimits::permissive(10.0),
        ..Setup::plain(CASH)
    };
    let adjust = |config: &mut BacktestConfig| {
        config.venue.fees = Box::new(fees());
        config.venue.sessions = SessionEnds::new(|_| session_ends(market));
    };
    let (outcome, recorder) = setup.run_adjusted(market, vec![Box::new(model)], adjust).unwrap();
    Run { outcome, recorder }
}

/// Whether the decision falls on a date.
fn is_on(view: &MarketView<'_>, date: &str) -> bool {
    view.as_of().date().to_string() == date
}

/// `BasicTemplateDailyAlgorithm`.
#[test]
fn l01_buy_and_hold_by_the_day() {
    let Some(spy) = days("spy", "2013-10-08", "2013-10-17") else {
        return;
    };
    let market = market(&[("SPY", Timeframe::D1, spy)], fine_tick());
    let run = run(&market, FillConvention::NextOpen, |view, shares, out| {
        if view.position(shares[0].instrument) == 0.0 {
            shares[0].set_holdings(1.0, view, out);
        }
    });
    assert_eq!(run.summary(), (1, "3.49".into(), "104486.22".into()));
    assert_eq!(drawdown_percent(100_000.0, &run.recorder), "0.8");
}

/// `MarginRemainingRegressionAlgorithm`: prices of before a split of 28 for one, in today's shares.
#[test]
fn l05_two_shares_through_2008() {
    let (from, to) = ("2007-01-01", "2010-01-01");
    let Some(spy) = days("spy", from, to) else { return };
    let aapl = days("aapl", from, to).unwrap();
    let shares = [("SPY", Timeframe::D1, spy), ("AAPL", Timeframe::D1, aapl)];
    let market = market(&shares, fine_tick());
    let run = run(&market, FillConvention::NextOpen, |view, shares, out| {
        let [spy, aapl] = [shares[0], shares[1]];
        let [in_spy, in_aapl] = [spy, aapl].map(|share| view.position(share.instrument) != 0.0);
        if !in_spy && !in_aapl {
            spy.set_holdings(0.7, view, out);
        } else if !in_aapl && is_2009(view) {
            aapl.set_holdings(0.3, view, out);
        }
    });
    assert_eq!(run.summary(), (2, "45.18".into(), "119303.75".into()));
    assert_eq!(drawdown_percent(100_000.0, &run.recorder), "42.1");
}

fn is_2009(view: &MarketView<'_>) -> bool {
    view.as_of().date().to_string().starts_with("2009")
}

/// `CustomBuyingPowerModelAlgorithm`: ten times what the account could hold, bought at the close of the first hour.
#[test]
fn l10_ten_times_the_account() {
    let Some(market) = spy_hours("2013-10-01", "2013-10-31") else {
        return;
    };
    let mut is_done = false;
    let run = run(&market, FillConvention::SameClose, move |view, shares, out| {
        if std::mem::replace(&mut is_done, true) {
            return;
        }
        let price = shares[0].close(view).unwrap();
        let quantity = set_holdings(1.0, view.account().portfolio_equity, price);
        let quantity = (quantity / 100.0).floor() * 100.0 * 10.0;
        assert_eq!(quantity, 6_000.0);
        out.order(OrderRequest::market(shares[0].instrument, units(quantity)));
    });
    assert_eq!(run.summary(), (1, "30.00".into(), "138618.81".into()));
    assert_eq!(drawdown_percent(100_000.0, &run.recorder), "21.6");
}

/// Hourly SPY over the three days of the examples of order kinds.
fn three_days() -> Option<MarketData> {
    spy_hours("2021-03-01", "2021-03-03")
}

/// `MarketOnCloseOrderRegressionAlgorithm`.
#[test]
fn l11_market_on_close() {
    let Some(market) = three_days() else { return };
    let mut is_done = false;
    let run = run(&market, FillConvention::SameClose, move |view, shares, out| {
        if is_on(view, "2021-03-02") && !std::mem::replace(&mut is_done, true) {
            out.order(OrderRequest::market_on_close(shares[0].instrument, units(1.0)));
        }
    });
    assert_eq!(run.prices(), [385.278_333_44]);
    assert_eq!(run.summary(), (1, "1.00".into(), "99993.90".into()));
}

/// `MarketOnOpenOrderRegressionAlgorithm`: two orders sent before the session trade at its first price.
#[test]
fn l12_market_on_open() {
    let Some(market) = three_days() else { return };
    let run = run(&market, FillConvention::SameClose, |view, shares, out| {
        if view.as_of() == "2021-03-01T21:00:00Z".parse().unwrap() {
            for _ in 0..2 {
                out.order(OrderRequest::market_on_open(shares[0].instrument, units(1.0)));
            }
        }
    });
    assert_eq!(run.prices(), [388.597_464_32; 2]);
    assert_eq!(run.summary(), (2, "2.00".into(), "99981.16".into()));
}

/// `StopMarketOrderRegressionAlgorithm`: at noon in New York, a stop that the market is through already.
#[test]
fn l13_a_stop_that_is_through() {
    let Some(market) = three_days() else { return };
    let run = run(&market, FillConvention::SameClose, |view, shares, out| {
        if view.as_of() == "2021-03-01T17:00:00Z".parse().unwrap() {
            let stop = shares[0].close(view).unwrap() - 2.0;
            out.order(OrderRequest::stop(shares[0].instrument, units(1.0), stop));
        }
    });
    assert_eq!(run.prices(), [388.124_014_72]);
    assert_eq!(run.summary(), (1, "1.00".into(), "99991.05".into()));
}
