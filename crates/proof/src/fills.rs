//! Fills at prices that were known when their orders were decided.
//!
//! Such a fill does not depend on the future, so that no change of the future finds it: it depends too little on it. Two
//! rules find it. An order must not fill in the step that decided it; and what a market order trades at must change when
//! every price after its decision does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sextant_domain::{OrderId, Price, UtcNanos};

/// The life of an order, as far as these rules need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderStory {
    /// The instrument.
    pub symbol: String,
    /// The step that sent it.
    pub sent: UtcNanos,
    /// Whether it trades at the market's price, whatever that is.
    pub is_market: bool,
    /// The step at which the first fill was told, and the market price of it.
    pub first_fill: Option<(UtcNanos, Price)>,
}

/// A fill at a price that was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillFault {
    /// The order.
    pub order: OrderId,
    /// The instrument.
    pub symbol: String,
    /// When it was decided.
    pub decided: UtcNanos,
    /// The price it filled at, before slippage.
    pub price: Price,
    /// The rule that it breaks, in words.
    pub rule: &'static str,
}

impl fmt::Display for FillFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "order {} in {}, decided at {}, filled at {}: {}",
            self.order.index(),
            self.symbol,
            self.decided,
            self.price,
            self.rule
        )
    }
}

const IN_ITS_STEP: &str = "it filled in the very step that decided it, at a price that was known by then";
const UNMOVED: &str = "that price stays the same when every price after the decision is ten times as high";

type Stories = BTreeMap<OrderId, OrderStory>;

fn fault(order: OrderId, story: &OrderStory, price: Price, rule: &'static str) -> FillFault {
    FillFault {
        order,
        symbol: story.symbol.clone(),
        decided: story.sent,
        price,
        rule,
    }
}

/// Orders that filled in the step that decided them.
pub fn premature_fills(stories: &Stories) -> Vec<FillFault> {
    let filled = stories.iter().filter_map(|(order, story)| {
        let (told, price) = story.first_fill?;
        (told <= story.sent).then(|| fault(*order, story, price, IN_ITS_STEP))
    });
    filled.collect()
}

/// The instants at which market orders were decided that filled later: where [`stale_fills`] can look.
pub fn responses(stories: &Stories) -> Vec<UtcNanos> {
    let later = stories
        .values()
        .filter(|story| story.is_market && story.first_fill.is_some_and(|(told, _)| told > story.sent));
    let instants: BTreeSet<_> = later.map(|story| story.sent).collect();
    instants.into_iter().collect()
}

/// Market orders decided at `t` whose first fill has the same price although every price after `t` was raised.
///
/// `raised` are the orders of a run over the market of [`raise_what_follows`](crate::raise_what_follows). Orders that one
/// of the runs does not have, or that did not fill in both, say nothing. Returns how many were compared, and the faults.
pub fn stale_fills(stories: &Stories, raised: &Stories, t: UtcNanos) -> (usize, Vec<FillFault>) {
    let at_t = stories
        .iter()
        .filter(|(_, story)| story.sent == t && story.is_market);
    let pairs = at_t.filter_map(|(order, story)| {
        let other = raised
            .get(order)
            .filter(|other| (other.sent, &other.symbol) == (t, &story.symbol))?;
        Some((*order, story, story.first_fill?.1, other.first_fill?.1))
    });
    let pairs: Vec<_> = pairs.collect();
    let unmoved = pairs.iter().filter(|(.., price, other)| price == other);
    let faults = unmoved.map(|(order, story, price, _)| fault(*order, story, *price, UNMOVED));
    (pairs.len(), faults.collect())
}
