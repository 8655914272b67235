//! How the outside world turns the kill switch.

use std::sync::{Arc, OnceLock};

/// Something that can ask for everything to be closed.
///
/// It is asked once per step until it says yes; the answer then stands for the rest of the run. It must answer at
/// once: whoever watches a file or listens to an operator does so elsewhere and only leaves the result here.
pub trait KillSignal: Send {
    /// The reason in words when the switch is on; `None`, without allocating, while it is off.
    fn engaged(&self) -> Option<String>;
}

/// A kill switch that is turned by calling [`engage`](Self::engage), from any thread. Clones share the switch.
///
/// There is no way to turn it off again: that takes a person and a new run.
#[derive(Debug, Clone, Default)]
pub struct KillFlag {
    reason: Arc<OnceLock<String>>,
}

impl KillFlag {
    /// A switch that is off.
    pub fn new() -> Self {
        Self::default()
    }

    /// Turns it on. The first reason given is kept.
    pub fn engage(&self, reason: impl Into<String>) {
        self.reason.get_or_init(|| reason.into());
    }
}

impl KillSignal for KillFlag {
    #[inline]
    fn engaged(&self) -> Option<String> {
        self.reason.get().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_switch_and_the_first_reason_stays() {
        let flag = KillFlag::new();
        let watcher = flag.clone();
        assert_eq!(flag.engaged(), None);
        watcher.engage("operator");
        watcher.engage("again");
        assert_eq!(flag.engaged().as_deref(), Some("operator"));
    }
}
