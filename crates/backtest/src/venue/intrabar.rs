//! What happened inside a bar of which only open, high, low and close are known.

use sextant_domain::{Bar, Side};

/// How the prices between a bar's open and close are thought of, where the order in which high and low came decides what
/// fills.
///
/// `Pessimistic` and `Optimistic` bound what any path could have brought to orders of one instrument: an order that was
/// in the market from the open has certainly been reached when its price lies within the bar; of what an order that became
/// live inside the bar (the exit of an entry) may have met, the pessimistic rule lets stops fill and the optimistic rule
/// lets limits fill. The other rules walk along one path and fill what it meets, in order.
///
/// A trailing stop follows the open, and then the bar. The pessimistic rule lets it fill when the price could have gone to
/// the bar's best price and back to it, and then at the worst price that a path allows: where it was at the open or will be at
/// its activation, or at the bar's worst price where that is better. The optimistic rule lets it fill only where every path
/// comes back to it, behind the bar's best price. Under both it follows no further than a limit that closes the same position.
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

/// What an order waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Trigger {
    /// The price at the limit or better.
    Limit(f64),
    /// The price at the stop or beyond.
    Stop(f64),
    /// The price at a stop that follows it.
    Trail(Trailing),
}

/// Where a trailing stop can be in a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trailing {
    /// Where it is; `None` while it waits for its activation.
    pub(super) now: Option<f64>,
    /// Where it is, or will be at its activation.
    pub(super) loosest: f64,
    /// Behind the best price of the bar.
    pub(super) tightest: f64,
}

/// An order that waits, as the rules see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Waiting {
    /// Its place in the list of working orders.
    pub(super) index: usize,
    /// Buy or sell.
    pub(super) side: Side,
    /// What it waits for.
    pub(super) trigger: Trigger,
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
        (Trigger::Stop(level), side) => (level, side == Side::Buy),
        (Trigger::Trail(trail), side) => (trail.now?, side == Side::Buy),
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
    let reached = waiting
        .iter()
        .filter_map(|one| Some((one, reach(one, pessimistic, bar)?)));
    let urgency = |one: &Waiting| {
        let is_limit = matches!(one.trigger, Trigger::Limit(_));
        // Stops that protect, then entries, then limits that take profit; the other way round when optimistic.
        let rank = match (one.is_exit, is_limit) {
            (true, false) => 0,
            (false, _) => 1,
            (true, true) => 2,
        };
        if pessimistic { rank } else { 2 - rank }
    };
    reached
        .min_by_key(|(one, _)| urgency(one))
        .map(|(one, price)| Reached {
            index: one.index,
            price,
        })
}

/// The price at which the order fills in this bar, if the bound lets it.
fn reach(one: &Waiting, pessimistic: bool, bar: &Bar) -> Option<f64> {
    match (one.trigger, one.live_from) {
        (Trigger::Limit(limit), None) => {
            let (touched, through) = match one.side {
                Side::Buy => (bar.low <= limit, bar.low < limit),
                Side::Sell => (bar.high >= limit, bar.high > limit),
            };
            (if pessimistic { through } else { touched }).then_some(limit)
        }
        (Trigger::Stop(stop), None) => {
            let touched = match one.side {
                Side::Buy => bar.high >= stop,
                Side::Sell => bar.low <= stop,
            };
            touched.then_some(stop)
        }
        // What came after the order became live is not known, but for the close.
        (Trigger::Limit(limit), Some(from)) => {
            let (already, certain, possible) = match one.side {
                Side::Buy => (from <= limit, bar.close < limit, bar.low <= limit),
                Side::Sell => (from >= limit, bar.close > limit, bar.high >= limit),
            };
            let reached = already || if pessimistic { certain } else { possible };
            reached.then_some(if already { from } else { limit })
        }
        (Trigger::Stop(stop), Some(from)) => {
            let (already, certain, possible) = match one.side {
                Side::Buy => (from >= stop, bar.close >= stop, bar.high >= stop),
                Side::Sell => (from <= stop, bar.close <= stop, bar.low <= stop),
            };
            let reached = already || if pessimistic { possible } else { certain };
            reached.then_some(if already { from } else { stop })
        }
        (Trigger::Trail(trail), live_from) => reach_trail(trail, (one.side, live_from), pessimistic, bar),
    }
}

/// The price at which a trailing stop fills in this bar, if the bound lets it.
fn reach_trail(
    trail: Trailing,
    (side, live_from): (Side, Option<f64>),
    pessimistic: bool,
    bar: &Bar,
) -> Option<f64> {
    let is_through = |price: f64, level: f64| match side {
        Side::Sell => price <= level,
        Side::Buy => price >= level,
    };
    let worst = match side {
        Side::Sell => bar.low,
        Side::Buy => bar.high,
    };
    if pessimistic {
        return is_through(worst, trail.tightest).then_some(trail.loosest.clamp(bar.low, bar.high));
    }
    let is_through_now = |price: f64| trail.now.is_some_and(|level| is_through(price, level));
    let is_certain = match live_from {
        None => is_through_now(worst) || is_through(bar.close, trail.tightest),
        // Of what came after it became live only the close is known.
        Some(_) => is_through_now(bar.close),
    };
    is_certain.then_some(trail.tightest.clamp(bar.low, bar.high))
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
            trigger,
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
            trigger: Trigger::Stop(103.0),
            is_exit: false,
            ..exit(0, Trigger::Stop(0.0))
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
