//! Stops a number of average true ranges away.

use super::{Position, is_positive, tighter};

/// A stop a multiple of the average true range behind the entry.
///
/// J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978 (average true range).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtrStop {
    /// Average true ranges, positive.
    pub multiple: f64,
}

impl AtrStop {
    /// The level for an entry at `entry`. `None` while `atr` is warming up (`NaN`), when an input is not a positive
    /// number, or a long position would have to fall to zero.
    pub fn level(&self, position: Position, entry: f64, atr: f64) -> Option<f64> {
        position.behind(entry, self.distance(atr)?)
    }

    /// The distance in price, for a trailing stop of the venue (`Offset::Distance`). `None` while `atr` is warming up.
    pub fn distance(&self, atr: f64) -> Option<f64> {
        let distance = self.multiple * atr;
        (is_positive(self.multiple) && is_positive(distance)).then_some(distance)
    }
}

/// The chandelier exit: a multiple of the average true range behind the best price since the entry, and never looser than
/// before.
///
/// C. LeBeau; described in A. Elder, *Come Into My Trading Room*, 2002, with 3 ranges of 22 days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChandelierStop {
    /// Average true ranges, positive.
    pub multiple: f64,
}

impl ChandelierStop {
    /// The level after a bar. `extreme` is the highest high since the entry of a long position, the lowest low of a short
    /// one; `before` is the level after the bar before, `None` at the first.
    ///
    /// While `atr` is warming up (`NaN`), or an input is not a positive number, the level stays where it was.
    pub fn level(&self, position: Position, extreme: f64, atr: f64, before: Option<f64>) -> Option<f64> {
        let range = AtrStop {
            multiple: self.multiple,
        };
        tighter(position, before, range.level(position, extreme, atr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ranges_behind_the_entry() {
        let stop = AtrStop { multiple: 2.0 };
        assert_eq!(stop.level(Position::Long, 100.0, 1.25), Some(97.5));
        assert_eq!(stop.level(Position::Short, 100.0, 1.25), Some(102.5));
        assert_eq!(stop.distance(1.25), Some(2.5));
    }

    #[test]
    fn there_is_no_level_while_the_range_warms_up() {
        let stop = AtrStop { multiple: 2.0 };
        for atr in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            assert_eq!(stop.level(Position::Long, 100.0, atr), None, "{atr}");
            assert_eq!(stop.level(Position::Short, 100.0, atr), None, "{atr}");
            assert_eq!(stop.distance(atr), None, "{atr}");
        }
        assert_eq!(stop.level(Position::Long, 100.0, 50.0), None, "zero is no price");
        let wrong = AtrStop { multiple: -2.0 };
        assert_eq!(
            (wrong.distance(-1.0), wrong.level(Position::Long, 100.0, -1.0)),
            (None, None)
        );
    }

    #[test]
    fn a_chandelier_follows_the_highest_high_and_only_upwards() {
        let stop = ChandelierStop { multiple: 3.0 };
        // The highs so far, the range, and 3 ranges below; the wider range of the fourth bar does not lower it.
        let bars = [
            (100.0, f64::NAN, None),
            (104.0, 2.0, Some(98.0)),
            (110.0, 2.0, Some(104.0)),
            (111.0, 4.0, Some(104.0)),
            (111.0, f64::NAN, Some(104.0)),
            (118.0, 4.0, Some(106.0)),
        ];
        let mut level = None;
        for (highest, atr, expected) in bars {
            level = stop.level(Position::Long, highest, atr, level);
            assert_eq!(level, expected, "{highest} {atr}");
        }
    }

    #[test]
    fn a_chandelier_of_a_short_position_only_falls() {
        let stop = ChandelierStop { multiple: 3.0 };
        let first = stop.level(Position::Short, 90.0, 2.0, None);
        let wider = stop.level(Position::Short, 89.0, 4.0, first);
        let lower = stop.level(Position::Short, 80.0, 2.0, wider);
        assert_eq!((first, wider, lower), (Some(96.0), Some(96.0), Some(86.0)));
    }
}
