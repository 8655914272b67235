//! What happened inside a bar of which only open, high, low and close are known.

use sextant_domain::{Bar, OrderId, Side};

/// How the prices between a bar's open and close are thought of, where the order in which high and low came decides what
/// fills.
///
/// `Pessimistic` and `Optimistic` bound what any path could have brought to a position and the orders of one group that close
/// it: no path leaves it worth less by the close of the bar than the one, none worth more than the other. An order that was in
/// the market from the open has certainly been reached when its price lies within the bar; of what an order that became live
/// inside the bar (the exit of an entry) may have met, the pessimistic rule lets stops fill and the optimistic rule lets limits
/// fill. The other rules walk along one path and fill what it meets, in order.
///
/// A trailing stop follows the open, and then the bar, but no further than a limit that closes the same position. So it has a
/// range: from where it is, or will be at its activation, to where it hangs behind the bar's best price; a fixed stop is where it
/// is. Of the stops of a group together the bounds say:
/// - Pessimistic: where some stop is in the market and within the bar, the position is left at the one of these that the price
///   meets first. Otherwise a trailing stop fills when the price could have gone to the bar's best price and back to it, at the
///   worst price of its range within the bar. When that became live inside the bar, the best price may have come before it, so
///   it fills only at a price that is no better than the close.
/// - Optimistic: where some stop has certainly been met, the position is left at the best price of any stop's range within the
///   bar. A stop from the open has been met when it lies within the bar or the close is beyond its range; of one that became live
///   inside the bar only the second is known.
///
/// Which of several orders comes first is told by their prices, never by the order in which they are listed. What several
/// positions and groups bring together, what an order brings in later bars, and what follows an entry by a trailing stop, is not
/// bounded. Bounds are those of prices, before costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntrabarRule {
    /// Of a stop and a limit within the bar the stop counts. A limit fills only when the market trades through it, not
    /// when it is touched.
    Pessimistic,
    /// Of a stop and a limit within the bar the limit counts; a touched limit fills.
    Optimistic,
    /// Open, high, low, close.
    HighFirst,
    /// Open, low, high, close.
    LowFirst,
    /// The extreme nearer to the open comes first.
    NearestFirst,
}

impl IntrabarRule {
    /// The name in configurations and reports, such as `pessimistic`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pessimistic => "pessimistic",
            Self::Optimistic => "optimistic",
            Self::HighFirst => "high_first",
            Self::LowFirst => "low_first",
            Self::NearestFirst => "nearest_first",
        }
    }

    /// The turning points after the open; `None` for the rules that do not walk.
    fn path(self, bar: &Bar) -> Option<[f64; 3]> {
        let high_first = [bar.high, bar.low, bar.close];
        let low_first = [bar.low, bar.high, bar.close];
        match self {
            Self::Pessimistic | Self::Optimistic => None,
            Self::HighFirst => Some(high_first),
            Self::LowFirst => Some(low_first),
            Self::NearestFirst if bar.high - bar.open < bar.open - bar.low => Some(high_first),
            Self::NearestFirst => Some(low_first),
        }
    }
}

/// Where the walk through a bar stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Walk {
    leg: usize,
    price: f64,
}

impl Walk {
    /// At the open.
    pub(super) fn begin(bar: &Bar) -> Self {
        Self {
            leg: 0,
            price: bar.open,
        }
    }
}

/// What an order waits for; the stop is a price, or where it can be in a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Trigger<S = f64> {
    /// The price at the limit or better.
    Limit(f64),
    /// The price at the stop or beyond.
    Stop(S),
}

/// Where a stop can be in a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StopRange {
    /// Where it is; `None` while it waits for its activation.
    pub(super) now: Option<f64>,
    /// Where it is, or will be at its activation.
    pub(super) loosest: f64,
    /// Behind the best price of the bar.
    pub(super) tightest: f64,
}

impl StopRange {
    /// A stop that does not follow.
    pub(super) const fn fixed(stop: f64) -> Self {
        Self {
            now: Some(stop),
            loosest: stop,
            tightest: stop,
        }
    }
}

/// An order that waits, as the rules see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Waiting {
    /// Its place in the list of working orders.
    pub(super) index: usize,
    /// Buy or sell.
    pub(super) side: Side,
    /// What it waits for.
    pub(super) trigger: Trigger<StopRange>,
    /// Those with which it shares a position.
    pub(super) group: Option<OrderId>,
    /// Whether it can only reduce a position.
    pub(super) is_exit: bool,
    /// The price at which it became live inside this bar; `None` when it was live from the open.
    pub(super) live_from: Option<f64>,
}

/// An order that is reached, and the price at which.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reached {
    pub(super) index: usize,
    pub(super) price: f64,
}

/// One step through a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    /// An order is reached.
    Reached(Reached),
    /// The path turns at a price; trailing stops follow it.
    Turn(f64),
    /// Nothing more is reached.
    Over,
}

/// The next step through the rest of the bar.
pub(super) fn next_step(rule: IntrabarRule, bar: &Bar, walk: &mut Walk, waiting: &[Waiting]) -> Step {
    match rule.path(bar) {
        Some(path) => along(path, walk, waiting),
        None => bounded(rule == IntrabarRule::Pessimistic, bar, waiting).map_or(Step::Over, Step::Reached),
    }
}

/// Walks on until an order is reached or the path turns.
fn along(path: [f64; 3], walk: &mut Walk, waiting: &[Waiting]) -> Step {
    let Some(end) = path.get(walk.leg).copied() else {
        return Step::Over;
    };
    let met = waiting
        .iter()
        .filter_map(|one| Some((one, meeting(one, walk.price, end)?)))
        .min_by(|left, right| {
            let distance = |price: f64| (price - walk.price).abs();
            distance(left.1).total_cmp(&distance(right.1))
        });
    if let Some((one, price)) = met {
        walk.price = price;
        return Step::Reached(Reached {
            index: one.index,
            price,
        });
    }
    walk.price = end;
    walk.leg += 1;
    Step::Turn(end)
}

/// Where a price that goes from `from` to `to` meets what the order waits for.
fn meeting(one: &Waiting, from: f64, to: f64) -> Option<f64> {
    let (level, rising) = match (one.trigger, one.side) {
        (Trigger::Limit(level), side) => (level, side == Side::Sell),
        (Trigger::Stop(range), side) => (range.now?, side == Side::Buy),
    };
    let is_through = if rising { from >= level } else { from <= level };
    if is_through {
        return Some(from);
    }
    let is_met = if rising { to >= level } else { to <= level };
    is_met.then_some(level)
}

/// The most urgent order that is reached, by the rule of the bound.
fn bounded(pessimistic: bool, bar: &Bar, waiting: &[Waiting]) -> Option<Reached> {
    let reached = waiting.iter().filter_map(|one| {
        let reached = match one.trigger {
            Trigger::Limit(limit) => Reached {
                index: one.index,
                price: reach_limit(one, limit, pessimistic, bar)?,
            },
            Trigger::Stop(_) => reach_stops(one, pessimistic, bar, waiting)?,
        };
        Some((
            urgency(one, pessimistic),
            (reached.price - start(one, bar)).abs(),
            reached,
        ))
    });
    // Of the equally urgent the price comes by the nearest first.
    let first = reached.min_by(|left, right| left.0.cmp(&right.0).then(left.1.total_cmp(&right.1)));
    first.map(|(_, _, reached)| reached)
}

/// Stops that protect, entries at stops, entries at limits, then limits that take profit; the other way round when optimistic.
fn urgency(one: &Waiting, pessimistic: bool) -> u8 {
    let rank = match (one.is_exit, one.trigger) {
        (true, Trigger::Stop(_)) => 0,
        (false, Trigger::Stop(_)) => 1,
        (false, Trigger::Limit(_)) => 2,
        (true, Trigger::Limit(_)) => 3,
    };
    if pessimistic { rank } else { 3 - rank }
}

/// The price from which on the order is live.
fn start(one: &Waiting, bar: &Bar) -> f64 {
    one.live_from.unwrap_or(bar.open)
}

/// The price at which a limit fills in this bar, if the bound lets it.
fn reach_limit(one: &Waiting, limit: f64, pessimistic: bool, bar: &Bar) -> Option<f64> {
    let Some(from) = one.live_from else {
        let (touched, through) = match one.side {
            Side::Buy => (bar.low <= limit, bar.low < limit),
            Side::Sell => (bar.high >= limit, bar.high > limit),
        };
        return (if pessimistic { through } else { touched }).then_some(limit);
    };
    // What came after the order became live is not known, but for the close.
    let (already, certain, possible) = match one.side {
        Side::Buy => (from <= limit, bar.close < limit, bar.low <= limit),
        Side::Sell => (from >= limit, bar.close > limit, bar.high >= limit),
    };
    let reached = already || if pessimistic { certain } else { possible };
    reached.then_some(if already { from } else { limit })
}

/// A price as a stop on this side sees it: it is met from above, and the more the better for whoever holds it. The same turns it
/// back.
const fn seen_from(side: Side, price: f64) -> f64 {
    match side {
        Side::Sell => price,
        Side::Buy => -price,
    }
}

/// A stop and where it can be, in prices as its side sees them.
struct Seen {
    index: usize,
    range: StopRange,
    live_from: Option<f64>,
}

impl Seen {
    fn new(one: &Waiting) -> Option<Self> {
        let Trigger::Stop(range) = one.trigger else {
            return None;
        };
        let seen = |price| seen_from(one.side, price);
        let range = StopRange {
            now: range.now.map(seen),
            loosest: seen(range.loosest),
            tightest: seen(range.tightest),
        };
        let live_from = one.live_from.map(seen);
        let met_at_once = live_from.filter(|from| range.now.is_some_and(|now| *from <= now));
        Some(Self {
            index: one.index,
            range: met_at_once.map_or(range, StopRange::fixed),
            live_from,
        })
    }
}

/// Which stop fills of those that share a position with `one`, and at which price, if the bound lets any.
fn reach_stops(one: &Waiting, pessimistic: bool, bar: &Bar, waiting: &[Waiting]) -> Option<Reached> {
    let is_peer = |other: &&Waiting| {
        let is_same_group = other.index == one.index || (one.group.is_some() && other.group == one.group);
        is_same_group && other.side == one.side && other.is_exit == one.is_exit
    };
    let stops = || waiting.iter().filter(is_peer).filter_map(Seen::new);
    let (high, low) = (seen_from(one.side, bar.high), seen_from(one.side, bar.low));
    let (best, worst, close) = (high.max(low), high.min(low), seen_from(one.side, bar.close));
    let reached = if pessimistic {
        let present = stops().filter_map(|stop| Some((stop.index, stop.range.now?)));
        let met_first = present
            .filter(|(_, now)| worst <= *now)
            .max_by(|left, right| left.1.total_cmp(&right.1));
        met_first.or_else(|| {
            let possible = stops().filter(|stop| worst <= stop.range.tightest);
            let is_live_inside = one.live_from.is_some();
            possible
                .map(|stop| (stop.index, stop.range.loosest.clamp(worst, best)))
                .min_by(|left, right| left.1.total_cmp(&right.1))
                .filter(|(_, price)| !is_live_inside || *price <= close)
        })
    } else {
        let is_certain = |stop: Seen| {
            let is_met = |now: f64| stop.live_from.map_or(worst <= now, |from| from <= now);
            close <= stop.range.tightest || stop.range.now.is_some_and(is_met)
        };
        let possible = stops().filter(|stop| worst <= stop.range.tightest);
        let best_of_all = possible
            .map(|stop| (stop.index, stop.range.tightest))
            .max_by(|left, right| left.1.total_cmp(&right.1));
        best_of_all.filter(|_| stops().any(is_certain))
    };
    reached.map(|(index, price)| Reached {
        index,
        price: seen_from(one.side, price.clamp(worst, best)),
    })
}

#[cfg(test)]
mod tests {
    use sextant_domain::UtcNanos;

    use super::*;

    fn bar(open: f64, high: f64, low: f64, close: f64) -> Bar {
        Bar {
            open_time: UtcNanos::from_nanos(0),
            close_time: UtcNanos::from_nanos(1),
            open,
            high,
            low,
            close,
            volume: 1.0,
        }
    }

    fn exit(index: usize, trigger: Trigger) -> Waiting {
        Waiting {
            index,
            side: Side::Sell,
            trigger: match trigger {
                Trigger::Limit(limit) => Trigger::Limit(limit),
                Trigger::Stop(stop) => Trigger::Stop(StopRange::fixed(stop)),
            },
            group: Some(OrderId::from_index(0)),
            is_exit: true,
            live_from: None,
        }
    }

    fn next(rule: IntrabarRule, bar: &Bar, walk: &mut Walk, waiting: &[Waiting]) -> Option<(usize, f64)> {
        loop {
            match next_step(rule, bar, walk, waiting) {
                Step::Reached(one) => return Some((one.index, one.price)),
                Step::Turn(_) => {}
                Step::Over => return None,
            }
        }
    }

    fn first(rule: IntrabarRule, bar: &Bar, waiting: &[Waiting]) -> Option<(usize, f64)> {
        next(rule, bar, &mut Walk::begin(bar), waiting)
    }

    #[test]
    fn a_stop_and_a_limit_within_one_bar_are_told_apart_by_the_rule() {
        let orders = [exit(0, Trigger::Stop(95.0)), exit(1, Trigger::Limit(105.0))];
        let wide = bar(100.0, 106.0, 94.0, 101.0);
        for (rule, expected) in [
            (IntrabarRule::Pessimistic, (0, 95.0)),
            (IntrabarRule::Optimistic, (1, 105.0)),
            (IntrabarRule::HighFirst, (1, 105.0)),
            (IntrabarRule::LowFirst, (0, 95.0)),
            // High and low are equally far: the low comes first.
            (IntrabarRule::NearestFirst, (0, 95.0)),
        ] {
            assert_eq!(first(rule, &wide, &orders), Some(expected), "{}", rule.name());
        }
        let near_high = bar(103.0, 106.0, 94.0, 101.0);
        assert_eq!(
            first(IntrabarRule::NearestFirst, &near_high, &orders),
            Some((1, 105.0))
        );
    }

    #[test]
    fn a_touched_limit_fills_only_when_optimistic() {
        let orders = [exit(0, Trigger::Limit(105.0))];
        let touched = bar(100.0, 105.0, 99.0, 101.0);
        assert_eq!(first(IntrabarRule::Pessimistic, &touched, &orders), None);
        assert_eq!(
            first(IntrabarRule::Optimistic, &touched, &orders),
            Some((0, 105.0))
        );
        assert_eq!(
            first(IntrabarRule::HighFirst, &touched, &orders),
            Some((0, 105.0))
        );
    }

    #[test]
    fn of_two_limits_the_price_comes_by_the_nearer_first() {
        let (far, near) = (exit(0, Trigger::Limit(112.0)), exit(1, Trigger::Limit(110.0)));
        let wide = bar(100.0, 115.0, 99.0, 101.0);
        for rule in [
            IntrabarRule::Pessimistic,
            IntrabarRule::Optimistic,
            IntrabarRule::HighFirst,
            IntrabarRule::LowFirst,
        ] {
            for orders in [[far, near], [near, far]] {
                assert_eq!(first(rule, &wide, &orders), Some((1, 110.0)), "{}", rule.name());
            }
        }
    }

    #[test]
    fn a_stop_and_a_limit_to_enter_are_told_apart_by_the_rule() {
        let entry = |index, trigger| Waiting {
            side: Side::Buy,
            is_exit: false,
            ..exit(index, trigger)
        };
        let (stop, limit) = (entry(0, Trigger::Stop(103.0)), entry(1, Trigger::Limit(99.0)));
        let wide = bar(100.0, 106.0, 94.0, 101.0);
        for orders in [[stop, limit], [limit, stop]] {
            assert_eq!(first(IntrabarRule::Pessimistic, &wide, &orders), Some((0, 103.0)));
            assert_eq!(first(IntrabarRule::Optimistic, &wide, &orders), Some((1, 99.0)));
        }
    }

    #[test]
    fn exits_that_became_live_inside_the_bar_meet_what_the_bound_allows() {
        let live = |trigger| Waiting {
            live_from: Some(100.0),
            ..exit(0, trigger)
        };
        let stop = [live(Trigger::Stop(95.0))];
        let limit = [live(Trigger::Limit(105.0))];
        let wide = bar(98.0, 106.0, 94.0, 101.0);
        assert_eq!(first(IntrabarRule::Pessimistic, &wide, &stop), Some((0, 95.0)));
        assert_eq!(first(IntrabarRule::Optimistic, &wide, &stop), None);
        assert_eq!(first(IntrabarRule::Pessimistic, &wide, &limit), None);
        assert_eq!(first(IntrabarRule::Optimistic, &wide, &limit), Some((0, 105.0)));
        // A close beyond the price is certain for both.
        let falls = bar(98.0, 106.0, 90.0, 92.0);
        assert_eq!(first(IntrabarRule::Optimistic, &falls, &stop), Some((0, 95.0)));
        let rises = bar(98.0, 110.0, 94.0, 108.0);
        assert_eq!(first(IntrabarRule::Pessimistic, &rises, &limit), Some((0, 105.0)));
    }

    #[test]
    fn a_walk_goes_on_where_it_stood() {
        let buy = Waiting {
            side: Side::Buy,
            is_exit: false,
            ..exit(0, Trigger::Stop(103.0))
        };
        let wide = bar(100.0, 106.0, 94.0, 101.0);
        let mut walk = Walk::begin(&wide);
        assert_eq!(
            next(IntrabarRule::HighFirst, &wide, &mut walk, &[buy]),
            Some((0, 103.0))
        );
        // Its exits become live at 103 on the way up: the limit comes before the stop.
        let exits = [exit(1, Trigger::Stop(95.0)), exit(2, Trigger::Limit(105.0))];
        assert_eq!(
            next(IntrabarRule::HighFirst, &wide, &mut walk, &exits),
            Some((2, 105.0))
        );
        assert_eq!(
            next(IntrabarRule::HighFirst, &wide, &mut walk, &exits[..1]),
            Some((1, 95.0))
        );
        assert_eq!(next(IntrabarRule::HighFirst, &wide, &mut walk, &[]), None);
    }
}
