//! PyAlgoTrade: moving averages of Oracle with limit orders for a day, and a share held for six years.

use rust_decimal::Decimal;
use sextant_backtest::{
    BacktestConfig, EndOfRun, FeeModel, FillConvention, IntrabarRule, Recorder, RunOutcome, SessionEnds,
    Trade,
};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    Cash, FeatureRef, InstrumentRef, Intents, MarketData, MarketView, MoneyError, NoticeKind, OrderRef,
    OrderRequest, OrderSize, Quantity, Requirements, SeriesRef, TimeInForce, Timeframe,
};
use sextant_metrics::{PeriodsPerYear, Returns, sharpe};

use super::{cents, daily, market, rows};
use crate::fixture::{Rule, Setup};

/// How the crossing orders are priced.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pricing {
    Market,
    /// In the middle of the bar of the signal, for a day.
    MiddleForADay,
}

/// A position of the peer: an entry, and the exit once it is asked for.
#[derive(Debug, Clone, Copy)]
struct Position {
    side: i64,
    entry: OrderRef,
    exit: Option<OrderRef>,
}

/// Long ten shares above, short ten below. An entry that is cancelled is forgotten; an exit that is cancelled is sent
/// again at the market.
struct SmaCross {
    needs: Requirements,
    instrument: InstrumentRef,
    bars: SeriesRef,
    fast: FeatureRef,
    slow: FeatureRef,
    pricing: Pricing,
    positions: Vec<Position>,
}

impl SmaCross {
    fn new(pricing: Pricing) -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade("ORCL");
        let bars = needs.series("ORCL", Timeframe::D1);
        let fast = needs.feature("sma", &[("period", 10.0)], bars);
        let slow = needs.feature("sma", &[("period", 25.0)], bars);
        Self {
            needs,
            instrument,
            bars,
            fast,
            slow,
            pricing,
            positions: Vec::new(),
        }
    }

    fn request(&self, side: i64, view: &MarketView<'_>) -> OrderRequest {
        let size = OrderSize::Units(Quantity::new(Decimal::from(10 * side)));
        if self.pricing == Pricing::Market {
            return OrderRequest::market(self.instrument, size);
        }
        let bars = view.bars(self.bars);
        let last = bars.len() - 1;
        let middle = bars.low[last] + (bars.high[last] - bars.low[last]) / 2.0;
        // Rounded as the peer does: by the exact value of the binary number.
        let limit = format!("{middle:.2}").parse().unwrap();
        OrderRequest::limit(self.instrument, size, limit).time_in_force(TimeInForce::Day)
    }

    fn hear(&mut self, view: &MarketView<'_>, out: &mut Intents) {
        for notice in view.notices() {
            let order = notice.order;
            let is_end = matches!(notice.kind, NoticeKind::Ended(_));
            assert!(
                !matches!(notice.kind, NoticeKind::Refused(_)),
                "{notice:?} must not be refused"
            );
            self.positions.retain(|one| {
                !(if is_end {
                    one.entry == order
                } else {
                    one.exit == Some(order)
                })
            });
            for one in self.positions.iter_mut().filter(|one| one.exit == Some(order)) {
                let size = OrderSize::Units(Quantity::new(Decimal::from(-10 * one.side)));
                one.exit = Some(out.order(OrderRequest::market(self.instrument, size)));
            }
        }
    }
}

impl Model for SmaCross {
    fn id(&self) -> &str {
        "SmaCross"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        self.hear(view, out);
        let (fast, slow) = (view.feature_history(self.fast), view.feature_history(self.slow));
        let ([.., fast_before, fast], [.., slow_before, slow]) = (fast, slow) else {
            return Ok(());
        };
        // Nothing compares with the NaN of an average that is warming up.
        let side = if fast_before <= slow_before && fast > slow {
            1
        } else if fast_before >= slow_before && fast < slow {
            -1
        } else {
            return Ok(());
        };
        let request = self.request(side, view);
        for one in self.positions.iter_mut().filter(|one| one.side == -side) {
            one.exit = Some(out.order(request));
        }
        let entry = out.order(request);
        self.positions.push(Position {
            side,
            entry,
            exit: None,
        });
        Ok(())
    }
}

fn cross(market: &MarketData, pricing: Pricing) -> (RunOutcome, Recorder) {
    let setup = Setup {
        // A limit that is touched fills.
        intrabar: IntrabarRule::Optimistic,
        ..Setup::plain("1000")
    };
    let ends = market.series()[0].bars.close_times();
    let adjust = |config: &mut BacktestConfig| config.venue.sessions = SessionEnds::new(|_| ends.to_vec());
    let models: Vec<Box<dyn Model>> = vec![Box::new(SmaCross::new(pricing))];
    setup.run_adjusted(market, models, adjust).unwrap()
}

/// `smacrossover_strategy_test`: `testWithLimitOrder`, and its twin with market orders.
#[test]
fn p03_a_cross_of_averages_with_limit_orders() {
    let Some(rows) = rows("equities/yahoo_daily/orcl_1d_2001_pyalgotrade.csv.gz") else {
        return;
    };
    let market = market(&[("ORCL", Timeframe::D1, daily(&rows))], Decimal::new(1, 2));
    for (pricing, fills, equity) in [
        (Pricing::Market, 19, "977.30"),
        (Pricing::MiddleForADay, 16, "1032.70"),
    ] {
        let (outcome, recorder) = cross(&market, pricing);
        assert_eq!(recorder.fills.len(), fills, "{pricing:?}");
        let found = outcome.ledger.exact_equity().unwrap();
        assert_eq!(cents(found.decimal()), equity, "{pricing:?}");
    }
}

/// The same amount for every order.
struct PerOrder(Decimal);

impl FeeModel for PerOrder {
    fn fee(&self, _trade: &Trade<'_>) -> Result<Cash, MoneyError> {
        Ok(Cash::new(self.0))
    }
}

/// Sharpe ratios of one share held from the first close to the last, a year and a day, against 4 % a year.
fn hold_one(market: &MarketData, cash: &'static str, commission: Decimal) -> [f64; 2] {
    let mut needs = Requirements::new();
    let ige = needs.trade("IGE");
    let mut is_done = false;
    let decide = move |_: &MarketView<'_>, out: &mut Intents| {
        if !std::mem::replace(&mut is_done, true) {
            let one = OrderSize::Units(Quantity::new(Decimal::ONE));
            out.order(OrderRequest::market(ige, one));
        }
    };
    let setup = Setup {
        fills: FillConvention::SameClose,
        at_end: EndOfRun::CloseAtLastClose,
        ..Setup::plain(cash)
    };
    let model = Rule {
        name: "Hold",
        needs,
        decide,
    };
    let adjust = |config: &mut BacktestConfig| config.venue.fees = Box::new(PerOrder(commission));
    let (_, recorder) = setup.run_adjusted(market, vec![Box::new(model)], adjust).unwrap();
    assert_eq!(recorder.fills.len(), 2);
    let mut before: f64 = cash.parse().unwrap();
    let returns = recorder.equity.iter().map(|(_, point)| {
        let change = point.equity / before - 1.0;
        before = point.equity;
        change
    });
    let returns: Vec<f64> = returns.collect();
    let rates = vec![0.04 / 252.0; returns.len()];
    let excess = Returns::new(returns).unwrap().minus(&rates).unwrap();
    [252.0, 1.0].map(|periods| {
        sharpe(&excess, PeriodsPerYear::new(periods).unwrap())
            .value()
            .unwrap()
    })
}

/// `sharpe_analyzer_test`: `testIGE_Broker` and `testIGE_BrokerWithCommission`, on adjusted closes.
#[test]
fn p04_the_sharpe_ratio_of_a_share_held() {
    let Some(mut rows) = rows("equities/yahoo_daily/ige_1d_2001_2007_pyalgotrade.csv.gz") else {
        return;
    };
    for row in &mut rows {
        // Only closes matter to the example, and no other price is published in adjusted form.
        row.prices = [row.adjusted_close.unwrap(); 4];
    }
    let market = market(&[("IGE", Timeframe::D1, daily(&rows))], Decimal::new(1, 2));
    let [annual, by_day] = hold_one(&market, "42.09", Decimal::ZERO);
    assert_eq!(
        (format!("{annual:.4}"), format!("{by_day:.4}")),
        ("0.7889".into(), "0.0497".into())
    );
    let [annual, _] = hold_one(&market, "42.59", Decimal::new(5, 1));
    assert_eq!(format!("{annual:.6}"), "0.776443");
}
