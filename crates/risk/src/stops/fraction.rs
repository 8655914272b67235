//! A stop a fixed fraction of the entry away.

use super::Position;

/// A stop that allows a loss of a fixed fraction of the entry price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FractionStop {
    /// The fraction, positive; for a long position below 1. 0.08 is a loss of 8 %.
    pub fraction: f64,
}

impl FractionStop {
    /// The level for an entry at `entry`. `None` when the entry or the fraction is not a positive number, or a long
    /// position would have to fall to zero.
    pub fn level(&self, position: Position, entry: f64) -> Option<f64> {
        position.behind(entry, self.fraction * entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eighth_on_both_sides() {
        let stop = FractionStop { fraction: 0.125 };
        assert_eq!(stop.level(Position::Long, 64.0), Some(56.0));
        assert_eq!(stop.level(Position::Short, 64.0), Some(72.0));
    }

    #[test]
    fn no_level_without_a_price() {
        for (fraction, entry) in [
            (0.1, f64::NAN),
            (0.1, 0.0),
            (1.0, 50.0),
            (-0.1, 50.0),
            (f64::NAN, 50.0),
        ] {
            assert_eq!(
                FractionStop { fraction }.level(Position::Long, entry),
                None,
                "{fraction} {entry}"
            );
        }
        // A short position can lose more than its entry.
        assert_eq!(
            FractionStop { fraction: 1.0 }.level(Position::Short, 50.0),
            Some(100.0)
        );
    }
}
