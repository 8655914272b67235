//! Getting out because time is up.

/// An exit after a number of bars, whatever the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeStop {
    /// Bars after the bar of the entry; 0 is due at once.
    pub bars: u32,
}

impl TimeStop {
    /// Whether a position that has been held for `bars_held` bars after the bar of its entry is to be closed, with an order
    /// at the market's price. The same for long and short positions.
    pub const fn is_due(&self, bars_held: u32) -> bool {
        bars_held >= self.bars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_at_its_bar_and_stays_due() {
        let stop = TimeStop { bars: 5 };
        let due: Vec<bool> = (3..8).map(|held| stop.is_due(held)).collect();
        assert_eq!(due, [false, false, true, true, true]);
    }
}
