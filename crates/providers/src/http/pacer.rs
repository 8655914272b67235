//! The distance between the requests of one fetcher.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Lets one request start each `pace`, from whichever thread.
#[derive(Debug)]
pub(super) struct Pacer {
    pace: Duration,
    /// When the next request may start.
    next: Mutex<Option<Instant>>,
}

impl Pacer {
    /// The first request starts at once.
    pub(super) fn new(pace: Duration) -> Self {
        Self {
            pace,
            next: Mutex::new(None),
        }
    }

    /// Returns when a request may start.
    pub(super) fn wait_turn(&self) {
        while let Err(rest) = self.try_start() {
            thread::sleep(rest);
        }
    }

    /// No request of any thread starts before `wait` has passed: the provider limits all of them together.
    pub(super) fn postpone(&self, wait: Duration) {
        let earliest = now() + wait;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(next.map_or(earliest, |planned| planned.max(earliest)));
    }

    /// Starts a request, or says how long to wait before the next try. The lock is not held while anybody waits.
    fn try_start(&self) -> Result<(), Duration> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        match *next {
            Some(turn) if turn > now => Err(turn - now),
            _ => {
                *next = Some(now + self.pace);
                Ok(())
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pace of requests is a matter of real time and enters no result"
)]
fn now() -> Instant {
    Instant::now()
}
