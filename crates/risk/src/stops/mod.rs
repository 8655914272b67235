//! Where to get out: levels for protective orders, for `OrderRequest::stop` and `OrderRequest::trailing_stop`.
//!
//! | stop | level of a long position | of a short position |
//! |---|---|---|
//! | [`FractionStop`] | `entry x (1 - fraction)` | `entry x (1 + fraction)` |
//! | [`AtrStop`] | `entry - multiple x ATR` | `entry + multiple x ATR` |
//! | [`ChandelierStop`] | `highest high - multiple x ATR`, never lower than before | `lowest low + multiple x ATR`, never higher |
//! | [`BreakEvenStop`] | the entry, once the best price is far enough above | the same below |
//! | [`TimeStop`] | no level: due after a number of bars | the same |
//!
//! The [`Position`] says whose level is asked for. A level is `None` while there is none: an input that is not a finite
//! number (an average true range that is warming up) or a level that would not be a positive price. It is never `NaN`.
//! Parameters are plain numbers; one that is not positive gives no level either, so that a wrong parameter can never put
//! a stop on the wrong side of the price.
//!
//! ```
//! use sextant_risk::stops::{AtrStop, Position, tighter};
//!
//! let stop = AtrStop { multiple: 2.0 };
//! assert_eq!(stop.level(Position::Long, 100.0, 1.5), Some(97.0));
//! assert_eq!(stop.level(Position::Short, 100.0, 1.5), Some(103.0));
//! assert_eq!(stop.level(Position::Long, 100.0, f64::NAN), None);
//! assert_eq!(tighter(Position::Long, Some(97.0), Some(98.5)), Some(98.5));
//! ```

mod atr;
mod break_even;
mod fraction;
mod time;

pub use atr::{AtrStop, ChandelierStop};
pub use break_even::BreakEvenStop;
pub use fraction::FractionStop;
pub use time::TimeStop;

/// The side of a position that a stop protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Bought: the stop lies below and sells.
    Long,
    /// Sold short: the stop lies above and buys.
    Short,
}

impl Position {
    /// The side of a signed quantity; `None` for zero and for what is not a number.
    pub fn of(units: f64) -> Option<Self> {
        if units > 0.0 {
            Some(Self::Long)
        } else if units < 0.0 {
            Some(Self::Short)
        } else {
            None
        }
    }

    /// The price `distance` away from `price` on the losing side.
    fn behind(self, price: f64, distance: f64) -> Option<f64> {
        let level = match self {
            Self::Long => price - distance,
            Self::Short => price + distance,
        };
        let is_usable = is_positive(price) && is_positive(distance) && is_positive(level);
        is_usable.then_some(level)
    }
}

/// Of two levels the one that gives less back: the higher for a long position, the lower for a short one. A level that is
/// absent loses; `None` when both are.
pub fn tighter(position: Position, left: Option<f64>, right: Option<f64>) -> Option<f64> {
    let of_two = |left: f64, right: f64| match position {
        Position::Long => left.max(right),
        Position::Short => left.min(right),
    };
    match (left, right) {
        (Some(left), Some(right)) => Some(of_two(left, right)),
        (one, other) => one.or(other),
    }
}

fn is_positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

#[cfg(test)]
mod properties {
    use proptest::prelude::*;

    use super::*;

    fn price() -> impl Strategy<Value = f64> {
        prop_oneof![8 => 1.0..1_000.0f64, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => -5.0..0.0f64]
    }

    fn position() -> impl Strategy<Value = Position> {
        prop_oneof![Just(Position::Long), Just(Position::Short)]
    }

    proptest! {
        #[test]
        fn a_level_is_a_price_on_the_losing_side(
            position in position(), entry in price(), atr in price(), parameter in price(),
        ) {
            for level in [
                AtrStop { multiple: parameter }.level(position, entry, atr),
                FractionStop { fraction: parameter }.level(position, entry),
                FractionStop { fraction: parameter / 1_000.0 }.level(position, entry),
                ChandelierStop { multiple: parameter }.level(position, entry, atr, None),
            ].into_iter().flatten() {
                prop_assert!(level > 0.0 && level.is_finite());
                let is_behind = match position {
                    Position::Long => level <= entry,
                    Position::Short => level >= entry,
                };
                prop_assert!(is_behind, "{level} {entry}");
            }
        }

        #[test]
        fn a_chandelier_never_gives_back(
            position in position(), path in proptest::collection::vec((price(), price()), 1..60),
        ) {
            let stop = ChandelierStop { multiple: 0.01 };
            let mut level = None;
            for (extreme, atr) in path {
                let next = stop.level(position, extreme, atr, level);
                prop_assert_eq!(tighter(position, level, next), next);
                level = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_has_the_side_of_its_units() {
        assert_eq!(Position::of(3.0), Some(Position::Long));
        assert_eq!(Position::of(-0.5), Some(Position::Short));
        assert_eq!((Position::of(0.0), Position::of(f64::NAN)), (None, None));
    }

    #[test]
    fn the_tighter_level_gives_less_back() {
        use Position::{Long, Short};
        assert_eq!(tighter(Long, Some(97.0), Some(98.0)), Some(98.0));
        assert_eq!(tighter(Short, Some(97.0), Some(98.0)), Some(97.0));
        assert_eq!(tighter(Short, None, Some(98.0)), Some(98.0));
        assert_eq!(tighter(Long, Some(1.0), None), Some(1.0));
        assert_eq!(tighter(Long, None, None), None);
    }
}
