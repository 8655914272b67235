//! The wall clock, for what people want to know of a run: when it was made and how long it took.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sextant_domain::UtcNanos;

/// Now. Never part of a result.
#[expect(
    clippy::disallowed_methods,
    reason = "run info says when a run was made; no result depends on it"
)]
pub(crate) fn now() -> UtcNanos {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    UtcNanos::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Measures how long something takes.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "durations are shown to people; no result depends on them"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
