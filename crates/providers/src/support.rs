//! What the tests of the clients share.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use sextant_data::{BarKey, BarRequest, FetchedBar, ProviderError};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use crate::fault::Fault;
use crate::http::{Answer, Finality, HttpConfig};
use crate::pages::Window;
use crate::{AlpacaFeed, ProviderSettings};

/// An instant from its text.
pub(crate) fn time(text: &str) -> UtcNanos {
    text.parse().unwrap()
}

/// A bar whose values follow from its close.
pub(crate) fn bar(stamp: UtcNanos, close: f64) -> FetchedBar {
    FetchedBar {
        stamp,
        open: close,
        high: close + 1.0,
        low: close - 0.5,
        close,
        volume: 100.0,
    }
}

/// Settings of a client in June 2025.
pub(crate) fn settings() -> ProviderSettings {
    ProviderSettings {
        http: HttpConfig {
            attempts: 1,
            longest_wait: Duration::ZERO,
            first_backoff: Duration::ZERO,
            timeout: Duration::from_secs(1),
            ..HttpConfig::new(None)
        },
        base_url: None,
        now: time("2025-06-15T12:00:00Z"),
        feed: AlpacaFeed::Iex,
    }
}

/// A window that is final.
pub(crate) fn window(start: &str, end: &str) -> Window {
    Window {
        start: time(start),
        end: time(end),
        finality: Finality::Final,
    }
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

/// An answer.
pub(crate) fn answer(status: u16, body: impl AsRef<[u8]>) -> Answer {
    Answer {
        status,
        body: body.as_ref().to_vec(),
    }
}

/// What is wrong with the shape of an answer.
pub(crate) fn shape<T>(result: Result<T, Fault>) -> String {
    match result.err().unwrap() {
        Fault::Shape(problem) => problem,
        other => panic!("{other:?}"),
    }
}

/// The error of an answer that is refused for good.
pub(crate) fn failed<T>(result: Result<T, Fault>) -> ProviderError {
    match result.err().unwrap() {
        Fault::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}
