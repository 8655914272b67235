//! Moving a stop to the entry once a trade has earned its risk.

use super::{Position, is_positive, tighter};

/// Moves a stop to the entry once the best price has earned a multiple of the initial risk (the distance of the first stop
/// from the entry).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakEvenStop {
    /// The profit at which the stop moves, in multiples of the initial risk; positive. 1 is a profit as large as the loss
    /// that was accepted.
    pub trigger_r: f64,
    /// How far on the winning side of the entry the stop goes, as a fraction of the entry, for fees: zero or positive.
    pub offset: f64,
}

impl BreakEvenStop {
    /// The level to protect at. `initial` is the first stop, `best` the highest high since the entry of a long position,
    /// the lowest low of a short one.
    ///
    /// The initial stop while the trigger is not reached, or `best` or a parameter is no usable number. `None` when entry
    /// or initial stop are no prices or the stop is on the winning side: there is no initial risk then. The level is never
    /// looser than the initial one, and never beyond `best`.
    pub fn level(&self, position: Position, entry: f64, initial: f64, best: f64) -> Option<f64> {
        let sign = match position {
            Position::Long => 1.0,
            Position::Short => -1.0,
        };
        let risk = sign * (entry - initial);
        if !is_positive(entry) || !is_positive(initial) || !is_positive(risk) {
            return None;
        }
        let is_reached = is_positive(self.trigger_r) && sign * (best - entry) >= self.trigger_r * risk;
        let moved = entry * (1.0 + sign * self.offset);
        let is_usable =
            is_reached && self.offset >= 0.0 && is_positive(moved) && sign * (best - moved) >= 0.0;
        tighter(position, Some(initial), is_usable.then_some(moved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONE_R: BreakEvenStop = BreakEvenStop {
        trigger_r: 1.0,
        offset: 0.0,
    };

    #[test]
    fn the_stop_moves_when_the_trade_has_earned_its_risk() {
        for (position, initial, best, expected) in [
            (Position::Long, 95.0, 104.9, 95.0),
            (Position::Long, 95.0, 105.0, 100.0),
            (Position::Short, 105.0, 95.5, 105.0),
            (Position::Short, 105.0, 95.0, 100.0),
            (Position::Long, 95.0, f64::NAN, 95.0),
        ] {
            assert_eq!(
                AT_ONE_R.level(position, 100.0, initial, best),
                Some(expected),
                "{best}"
            );
        }
    }

    #[test]
    fn the_offset_pays_the_fees() {
        let stop = BreakEvenStop {
            trigger_r: 2.0,
            offset: 0.0625,
        };
        assert_eq!(stop.level(Position::Long, 64.0, 60.0, 72.0), Some(68.0));
        assert_eq!(stop.level(Position::Short, 64.0, 68.0, 56.0), Some(60.0));
        let beyond = BreakEvenStop {
            trigger_r: 1.0,
            offset: 0.5,
        };
        assert_eq!(beyond.level(Position::Long, 64.0, 60.0, 70.0), Some(60.0));
    }

    #[test]
    fn without_initial_risk_there_is_no_level() {
        assert_eq!(AT_ONE_R.level(Position::Long, 100.0, 101.0, 110.0), None);
        assert_eq!(AT_ONE_R.level(Position::Short, 100.0, 100.0, 90.0), None);
        assert_eq!(AT_ONE_R.level(Position::Long, f64::NAN, 95.0, 110.0), None);
    }
}
