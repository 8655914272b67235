//! Markets that servers serve, and settings of clients that ask them.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use sextant_data::{BarKey, BarProvider, BarRequest, FetchedBar, Progress, ProviderError, Silent};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};
use sextant_providers::{AlpacaFeed, HttpConfig, ProviderSettings};
use sextant_testkit::SplitMix64;
use sextant_testkit::http::TestServer;

/// What time it is in all tests.
pub(crate) const NOW: &str = "2025-06-15T12:00:00Z";

/// An instant from its text.
pub(crate) fn time(text: &str) -> UtcNanos {
    text.parse().unwrap()
}

/// Settings for a server; one attempt for each request.
pub(crate) fn settings(server: &TestServer, cache: Option<PathBuf>) -> ProviderSettings {
    ProviderSettings {
        http: HttpConfig {
            attempts: 1,
            longest_wait: Duration::from_secs(1),
            first_backoff: Duration::from_millis(1),
            timeout: Duration::from_secs(20),
            ..HttpConfig::new(cache)
        },
        base_url: Some(server.url("/")),
        now: time(NOW),
        feed: AlpacaFeed::Iex,
    }
}

/// A bar of random prices with two decimals and a random volume.
fn random_bar(stamp: UtcNanos, random: &mut SplitMix64) -> FetchedBar {
    let mut price = |low: f64, high: f64| (random.between(low, high) * 100.0).round() / 100.0;
    FetchedBar {
        stamp,
        open: price(100.0, 110.0),
        high: price(120.0, 130.0),
        low: price(80.0, 90.0),
        close: price(100.0, 110.0),
        volume: price(0.0, 10_000.0),
    }
}

/// Bars at the times of the grid from one instant to another, every tenth or so missing.
pub(crate) fn bars(timeframe: Timeframe, start: &str, end: &str) -> Vec<FetchedBar> {
    let mut random = SplitMix64::new(7);
    let mut bars = Vec::new();
    let mut stamp = time(start);
    while stamp < time(end) {
        if random.index(10) > 0 {
            bars.push(random_bar(stamp, &mut random));
        }
        stamp = stamp.saturating_add(timeframe.nanos());
    }
    bars
}

/// Those of a range.
pub(crate) fn between(bars: &[FetchedBar], start: UtcNanos, end: UtcNanos) -> Vec<FetchedBar> {
    let within = |bar: &&FetchedBar| start <= bar.stamp && bar.stamp < end;
    bars.iter().filter(within).copied().collect()
}

/// A request for bars.
pub(crate) fn request(class: AssetClass, symbol: &str, timeframe: Timeframe, range: [&str; 2]) -> BarRequest {
    BarRequest {
        key: BarKey::new(class, symbol, timeframe).unwrap(),
        provider_symbol: None,
        start: time(range[0]),
        end: time(range[1]),
    }
}

/// The rows of a request.
pub(crate) fn rows(
    provider: &dyn BarProvider,
    request: &BarRequest,
) -> Result<Vec<FetchedBar>, ProviderError> {
    provider.fetch(request, &Silent).map(|fetched| fetched.rows)
}

/// Adds progress up.
#[derive(Default)]
pub(crate) struct Counted(Mutex<(u64, u64)>);

impl Counted {
    /// The total that was announced, and what was done.
    pub(crate) fn total_and_done(&self) -> (u64, u64) {
        *self.0.lock().unwrap()
    }
}

impl Progress for Counted {
    fn start(&self, total: u64, _what: &str) {
        *self.0.lock().unwrap() = (total, 0);
    }

    fn advance(&self, amount: u64) {
        self.0.lock().unwrap().1 += amount;
    }
}
