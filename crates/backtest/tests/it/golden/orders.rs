//! Strategies that name orders: prices to wait for and moments to trade at.

use sextant_domain::ports::Model;
use sextant_domain::{
    InstrumentRef, Intents, MarketView, NoticeKind, Offset, OrderChange, OrderKind, OrderRef, OrderRequest,
    OrderSize, Requirements, SeriesRef, TimeInForce, Timeframe,
};

use super::{Golden, acme, units};
use crate::examples::sma_cross_stop::SmaCrossStop;
use crate::fixture::Rule;

/// What a rule in one share works with.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) share: InstrumentRef,
    pub(super) daily: SeriesRef,
}

impl Desk {
    pub(super) fn held(self, view: &MarketView<'_>) -> f64 {
        view.position(self.share)
    }

    pub(super) fn close(self, view: &MarketView<'_>) -> f64 {
        view.bars(self.daily).last_close().unwrap()
    }

    /// Highest high and lowest low of the last bars; `None` while there are fewer.
    fn range(self, view: &MarketView<'_>, count: usize) -> Option<(f64, f64)> {
        let bars = view.bars(self.daily);
        let from = bars.len().checked_sub(count)?;
        let highest = bars.high[from..].iter().copied().fold(f64::MIN, f64::max);
        let lowest = bars.low[from..].iter().copied().fold(f64::MAX, f64::min);
        Some((highest, lowest))
    }
}

/// A model in ACME from a function; it counts the decisions from zero.
pub(super) fn rule(
    mut decide: impl FnMut(usize, Desk, &MarketView<'_>, &mut Intents) + Send + 'static,
) -> Vec<Box<dyn Model>> {
    let mut needs = Requirements::new();
    let share = needs.trade("ACME");
    let daily = needs.series("ACME", Timeframe::D1);
    let mut decision = 0;
    let decide = move |view: &MarketView<'_>, out: &mut Intents| {
        decide(decision, Desk { share, daily }, view, out);
        decision += 1;
    };
    vec![Box::new(Rule {
        name: "Rule",
        needs,
        decide,
    })]
}

#[test]
fn sma_cross_with_a_stop() {
    let golden = Golden::new(
        "sma_cross_stop",
        "averages of 5 and 15 days, a stop two per cent below what was paid",
    );
    golden.check(
        &acme(80, 10),
        vec![Box::new(SmaCrossStop::new("ACME", [5, 15], 0.02))],
    );
}

#[test]
fn breakout_with_a_bracket() {
    let golden = Golden::new(
        "breakout_bracket",
        "near the high of ten days a stop entry at it, good for the day, with a stop below and a limit above it",
    );
    let model = rule(|_, desk, view, out| {
        let Some((high, _)) = desk.range(view, 10).filter(|_| desk.held(view) == 0.0) else {
            return;
        };
        if desk.close(view) < 0.985 * high {
            return;
        }
        let entry = OrderRequest::stop(desk.share, OrderSize::EquityFraction(0.5), high);
        let exits = [
            OrderRequest::stop(desk.share, OrderSize::EntryFill, high * 0.98),
            OrderRequest::limit(desk.share, OrderSize::EntryFill, high * 1.03),
        ];
        out.bracket(entry.time_in_force(TimeInForce::Day), &exits);
    });
    golden.check(&acme(50, 5), model);
}

#[test]
fn a_straddle_of_alternatives() {
    let golden = Golden::new(
        "oco_straddle",
        "every tenth day a buy stop above and a sell stop below the range of six days, closed after five",
    );
    let mut waiting: Vec<OrderRef> = Vec::new();
    let model = rule(move |decision, desk, view, out| match decision % 10 {
        5 => {
            let Some((high, low)) = desk.range(view, 6) else {
                return;
            };
            waiting = out.one_cancels_other(&[
                OrderRequest::stop(desk.share, units(200), high),
                OrderRequest::stop(desk.share, units(-200), low),
            ]);
        }
        0 => {
            if desk.held(view) == 0.0 {
                waiting.drain(..).for_each(|order| out.cancel(order));
            } else {
                out.order(OrderRequest::market(desk.share, OrderSize::ClosePosition));
            }
        }
        _ => {}
    });
    golden.check(&acme(60, 4), model);
}

#[test]
fn trailing_stop() {
    let golden = Golden::new(
        "trailing_stop",
        "buys after a rise of one per cent, and lets a stop follow three per cent below the best price",
    );
    let model = rule(|_, desk, view, out| {
        let [.., before, last] = view.bars(desk.daily).close else {
            return;
        };
        if desk.held(view) == 0.0 && last / before > 1.01 {
            let entry = OrderRequest::market(desk.share, OrderSize::EquityFraction(0.9));
            let trail = Offset::Fraction(0.03);
            out.bracket(
                entry,
                &[OrderRequest::trailing_stop(
                    desk.share,
                    OrderSize::EntryFill,
                    trail,
                )],
            );
        }
    });
    golden.check(&acme(80, 5), model);
}

#[test]
fn mean_reversion_with_limits_for_a_day() {
    let golden = Golden::new(
        "limit_reversion",
        "a limit one per cent below the close to buy, one above to sell, each good for the day",
    );
    let model = rule(|_, desk, view, out| {
        let close = desk.close(view);
        let request = if desk.held(view) == 0.0 {
            OrderRequest::limit(desk.share, units(300), close * 0.99)
        } else {
            OrderRequest::limit(desk.share, OrderSize::ClosePosition, close * 1.01)
        };
        out.order(request.time_in_force(TimeInForce::Day));
    });
    golden.check(&acme(25, 6), model);
}

#[test]
fn overnight() {
    let golden = Golden::new(
        "overnight",
        "buys at the close and sells at the next open, but not over the weekend",
    );
    let model = rule(|decision, desk, _, out| {
        // The close of the bar to come is bought, and the open after it sold: both are asked for a day ahead.
        if decision % 5 != 3 {
            out.order(OrderRequest::market_on_close(desk.share, units(100)));
        }
        out.order(OrderRequest::market_on_open(desk.share, OrderSize::ClosePosition));
    });
    golden.check(&acme(12, 8), model);
}

#[test]
fn a_stop_that_is_moved() {
    let golden = Golden::new(
        "moved_stop",
        "holds above a stop that is moved up to the low of five days, and buys again ten days after it was hit",
    );
    let mut stop: Option<(OrderRef, f64)> = None;
    let mut out_since = 0;
    let model = rule(move |decision, desk, view, out| {
        for notice in view.notices() {
            let is_stop = stop.is_some_and(|(order, _)| order == notice.order);
            if is_stop && matches!(notice.kind, NoticeKind::Filled { .. }) {
                (stop, out_since) = (None, decision);
            }
        }
        let Some((_, low)) = desk.range(view, 5) else {
            return;
        };
        match stop {
            Some((order, level)) if low > level => {
                let kind = Some(OrderKind::Stop { stop: low });
                out.modify(order, OrderChange { size: None, kind });
                stop = Some((order, low));
            }
            None if decision >= out_since + 10 => {
                let entry = OrderRequest::market(desk.share, OrderSize::EquityFraction(0.8));
                let exit = OrderRequest::stop(desk.share, OrderSize::EntryFill, low);
                let (_, exits) = out.bracket(entry, &[exit]);
                stop = Some((exits[0], low));
            }
            _ => {}
        }
    });
    golden.check(&acme(80, 9), model);
}
