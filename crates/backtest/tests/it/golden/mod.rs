//! Whole strategies on invented markets, down to the last order: what they sent, what filled and what ended, compared
//! byte for byte with `tests/golden/<name>.txt`.
//!
//! The files change only when `SEXTANT_UPDATE_GOLDENS=1` is set, and the change is reviewed as a diff.

mod journal;
mod orders;
mod sizes;
mod weights;

use std::path::Path;

use sextant_domain::ports::Model;
use sextant_domain::{MarketData, OrderSize, Quantity, Timeframe};
use sextant_testkit::MarketBuilder;
use sextant_testkit::bars::{self, Walk};

use crate::fixture::Setup;
use journal::Journal;

/// Compares a text with its file, or writes the file when that is asked for.
pub(crate) fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.txt"));
    sextant_testkit::assert_golden(&path, text);
}

/// A strategy of the golden list.
struct Golden {
    name: &'static str,
    /// What it does, in one line.
    about: &'static str,
    setup: Setup,
}

impl Golden {
    /// With ten basis points of commission and five of slippage.
    fn new(name: &'static str, about: &'static str) -> Self {
        let setup = Setup {
            commission_bps: "10",
            slippage_bps: "5",
            ..Setup::plain("100000")
        };
        Self { name, about, setup }
    }

    fn check(self, market: &MarketData, models: Vec<Box<dyn Model>>) {
        let mut journal = Journal::new(market);
        let config = self.setup.config(market);
        let outcome = self
            .setup
            .run_into(&config, market, models, &mut journal)
            .unwrap();
        let equity = outcome.ledger.exact_equity().unwrap();
        let head = format!("{}\n{}", self.name, self.about);
        assert_golden(self.name, &journal.text(&head, equity));
    }
}

/// Daily bars of one share, a random walk from 100 with a step of one percent.
fn acme(count: usize, seed: u64) -> MarketData {
    let sessions = bars::daily_sessions(bars::instant("2020-01-06"), count);
    let walk = Walk {
        start_price: 100.0,
        step: 0.01,
        seed,
    };
    MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .bars("ACME", Timeframe::D1, bars::random_walk(&sessions, walk))
        .build()
}

fn units(count: i64) -> OrderSize {
    OrderSize::Units(Quantity::new(count.into()))
}
