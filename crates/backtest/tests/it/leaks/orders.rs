//! Leaks in orders and fills.

use sextant_backtest::{FillConvention, SimulatedVenue};
use sextant_domain::ports::{AccountSource, Broker, BrokerError};
use sextant_domain::{Approved, BrokerEvent, MarketData, Order, OrderId, Timeframe, UtcNanos, WorkingOrder};
use sextant_proof::{Stage, TrackName, Unit};
use sextant_testkit::MarketBuilder;
use sextant_testkit::bars::{daily_sessions, instant};

use super::chain::{Script, Scripted, Stopped, at_closes, settings, spy, through_the_chain, with_broker};
use super::{Leak, Run};

pub(super) fn leaks() -> Vec<Leak> {
    vec![
        Leak {
            name: "fill at the close of the signal",
            planted: filled(FillConvention::SameClose),
            honest: filled(FillConvention::NextOpen),
        },
        Leak {
            name: "fill at the close of the signal, told a step later",
            planted: told_later(FillConvention::SameClose),
            honest: told_later(FillConvention::NextOpen),
        },
        Leak {
            name: "stop below the low of the next bar",
            planted: stopped(1),
            honest: stopped(0),
        },
    ]
}

/// In and out of SPY with every second bar.
fn in_and_out(market: &MarketData) -> Script {
    at_closes(market, |index| Some(f64::from(u8::from(index % 2 == 0))))
}

fn filled(fills: FillConvention) -> Run {
    Box::new(move |market| {
        let model = Box::new(Scripted::new(in_and_out(market)));
        through_the_chain(market, model, None, fills)
    })
}

fn stopped(ahead: usize) -> Run {
    Box::new(move |market| {
        let bars = spy(market);
        let stops = bars.close_time.iter().enumerate().map(|(index, time)| {
            let low = bars.low[(index + ahead).min(bars.len() - 1)];
            (*time, "SPY", low * 0.999)
        });
        let model = Box::new(Stopped::new(stops.collect()));
        through_the_chain(market, model, None, FillConvention::NextOpen)
    })
}

fn told_later(fills: FillConvention) -> Run {
    Box::new(move |market| {
        with_broker(market, in_and_out(market), &settings(fills), |venue| LateNews {
            venue,
            untold: Vec::new(),
        })
    })
}

/// A venue whose news come a step late, so that a fill at a known price does not look like one.
struct LateNews<'m> {
    venue: SimulatedVenue<'m>,
    untold: Vec<(UtcNanos, BrokerEvent)>,
}

impl Broker for LateNews<'_> {
    fn submit(&mut self, order: Approved<Order>) -> Result<(), BrokerError> {
        self.venue.submit(order)
    }

    fn cancel(&mut self, order: OrderId, now: UtcNanos) -> Result<(), BrokerError> {
        self.venue.cancel(order, now)
    }

    fn replace(&mut self, order: Approved<Order>) -> Result<(), BrokerError> {
        self.venue.replace(order)
    }

    fn next_event(
        &mut self,
        now: UtcNanos,
        account: &dyn AccountSource,
    ) -> Result<Option<BrokerEvent>, BrokerError> {
        while let Some(event) = self.venue.next_event(now, account)? {
            self.untold.push((now, event));
        }
        let due = self.untold.first().is_some_and(|(time, _)| *time < now);
        Ok(due.then(|| self.untold.remove(0).1))
    }

    fn working(&self) -> &[WorkingOrder] {
        self.venue.working()
    }
}

/// Nobody knows on the last day of an instrument that it is the last one.
#[test]
fn an_order_waits_thirty_days_for_a_bar() {
    let start = instant("2020-01-06");
    let market = MarketBuilder::new()
        .equity("SPY", Timeframe::D1)
        .equity("QQQ", Timeframe::D1)
        .random("SPY", Timeframe::D1, &daily_sessions(start, 5), 1)
        .random("QQQ", Timeframe::D1, &daily_sessions(start, 60), 2)
        .build();
    let last = market.series()[0].bars.close_times()[4];
    let model = Box::new(Scripted::new(vec![(last, "SPY", 0.5)]));
    let testimony = through_the_chain(&market, model, None, FillConvention::NextOpen);
    let name = TrackName::new(Stage::Order, "end", Unit::Words);
    let (ended, words) = &testimony.trace.track(&name).unwrap().samples[0];
    assert!(words.to_string().ends_with("no_market"), "{words}");
    let waited = (ended.nanos() - last.nanos()) / Timeframe::D1.nanos();
    assert_eq!(waited, 31, "the first close of QQQ after thirty days");
}
