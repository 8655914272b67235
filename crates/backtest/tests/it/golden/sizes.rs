//! Strategies whose point is how much trades: in parts, at once or not at all, and never more than the market bears.

use sextant_domain::{MarketData, OrderRequest, OrderSize, TimeInForce, Timeframe};
use sextant_testkit::MarketBuilder;
use sextant_testkit::bars;

use super::orders::rule;
use super::{Golden, acme, units};
use crate::fixture::Setup;

#[test]
fn scaling_in_and_out() {
    let golden = Golden::new(
        "scale_in",
        "buys three parts at falling limits; sells them one by one two per cent higher, and what is left after eight days",
    );
    let model = rule(|decision, desk, view, out| {
        let close = desk.close(view);
        if decision % 20 == 2 {
            for depth in [0.0, 0.01, 0.02] {
                let part = OrderRequest::limit(desk.share, units(100), close * (1.0 - depth));
                let exit = OrderRequest::limit(desk.share, OrderSize::EntryFill, close * (1.02 - depth));
                out.bracket(part, &[exit]);
            }
        } else if decision % 20 == 10 && desk.held(view) != 0.0 {
            out.order(OrderRequest::market(desk.share, OrderSize::ClosePosition));
        }
    });
    golden.check(&acme(60, 10), model);
}

/// Daily bars around 50 with a volume of 1,000.
fn thin(count: usize) -> MarketData {
    let sessions = bars::daily_sessions(bars::instant("2020-01-06"), count);
    let prices = bars::from_fn(&sessions, |index| {
        let open = 50.0 + (index % 4) as f64;
        [open, open + 1.5, open - 1.5, open + 0.5]
    });
    MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .bars("ACME", Timeframe::D1, prices)
        .build()
}

#[test]
fn orders_in_a_thin_market() {
    let mut golden = Golden::new(
        "thin_market",
        "a tenth of a volume of 1,000 a day: what is good till cancelled works on, what is not is cut or not done at all",
    );
    golden.setup = Setup {
        participation: Some("0.1"),
        ..golden.setup
    };
    let model = rule(|decision, desk, _, out| {
        let mut send = |count, time_in_force| {
            out.order(OrderRequest::market(desk.share, units(count)).time_in_force(time_in_force));
        };
        match decision {
            0 => send(250, TimeInForce::GoodTilCancelled),
            4 => send(250, TimeInForce::ImmediateOrCancel),
            6 => send(101, TimeInForce::FillOrKill),
            7 => send(100, TimeInForce::FillOrKill),
            9 => send(150, TimeInForce::Day),
            11 => {
                out.order(OrderRequest::market(desk.share, OrderSize::ClosePosition));
            }
            _ => {}
        }
    });
    golden.check(&thin(20), model);
}
