//! Strategies that name weights.

use sextant_domain::ports::Model;
use sextant_domain::{Intents, MarketView, Requirements, Timeframe};

use super::{Golden, acme};
use crate::examples::buy_and_hold::BuyAndHold;
use crate::examples::futures_and_currencies::{self, HedgedShare};
use crate::examples::momentum::{self, Momentum};
use crate::examples::pairs::{self, Pairs};
use crate::examples::sixty_forty::{self, SixtyForty};
use crate::fixture::{Rule, Setup};

#[test]
fn buy_and_hold() {
    let golden = Golden::new("buy_and_hold", "all of the budget on the first day");
    golden.check(&acme(30, 7), vec![Box::new(BuyAndHold::new("ACME"))]);
}

#[test]
fn pairs_trading() {
    let golden = Golden::new(
        "pairs",
        "half in each leg beyond two deviations of the ratio, nothing within half a one",
    );
    golden.check(
        &pairs::market(100),
        vec![Box::new(Pairs::new(["COLA", "FIZZ"], 20))],
    );
}

#[test]
fn cross_sectional_momentum() {
    let golden = Golden::new(
        "momentum",
        "the best two of six over twenty days, ranked every ten",
    );
    let model = Momentum::new(&momentum::SYMBOLS, 20, 10);
    golden.check(&momentum::market(90), vec![Box::new(model)]);
}

#[test]
fn a_share_in_euros_hedged_with_a_future() {
    let golden = Golden::new(
        "hedged_share",
        "three fifths in a share in euros, against it an index future while that is below its average",
    );
    let model = HedgedShare::new("SHARE", "INDEX", 10);
    golden.check(&futures_and_currencies::market(80), vec![Box::new(model)]);
}

#[test]
fn sixty_forty_every_week() {
    let mut golden = Golden::new(
        "sixty_forty",
        "back to the weights every week, unless they are within half a per cent",
    );
    golden.setup = Setup {
        no_trade_band: 0.005,
        ..golden.setup
    };
    golden.check(
        &sixty_forty::market(60),
        vec![Box::new(SixtyForty::weekly("SHARES", "BONDS"))],
    );
}

/// A weight of one while the close is above (or below) its average.
fn side_of_average(name: &'static str, period: f64, is_trend: bool) -> Box<dyn Model> {
    let mut needs = Requirements::new();
    let acme = needs.trade("ACME");
    let daily = needs.series("ACME", Timeframe::D1);
    let average = needs.feature("sma", &[("period", period)], daily);
    let mut held = None;
    let decide = move |view: &MarketView<'_>, out: &mut Intents| {
        let (Some(close), Some(average)) = (view.bars(daily).last_close(), view.feature(average)) else {
            return;
        };
        let wanted = (close > average) == is_trend;
        if held.replace(wanted) != Some(wanted) {
            out.target(acme, if wanted { 0.9 } else { 0.0 });
        }
    };
    Box::new(Rule { name, needs, decide })
}

#[test]
fn two_models_in_one_account() {
    let golden = Golden::new(
        "two_models",
        "one model buys strength, the other weakness: what they want of each other never reaches the market",
    );
    let models = vec![
        side_of_average("Strength", 5.0, true),
        side_of_average("Weakness", 5.0, false),
    ];
    golden.check(&acme(50, 12), models);
}
