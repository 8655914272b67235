//! Kraken: the newest 720 bars, errors with status 200.

use std::time::Duration;

use sextant_data::{FetchedBar, ProviderError};
use sextant_domain::{AssetClass, Timeframe};
use sextant_providers::Kraken;
use sextant_testkit::http::{TestResponse, TestServer};

use crate::support::{bars, between, request, rows, settings, time};

fn body(bars: &[FetchedBar]) -> String {
    let newest = &bars[bars.len().saturating_sub(720)..];
    let text = |bar: &FetchedBar| {
        let FetchedBar {
            stamp,
            open,
            high,
            low,
            close,
            volume,
        } = bar;
        let seconds = stamp.nanos() / 1_000_000_000;
        format!(r#"[{seconds},"{open:.2}","{high:.2}","{low:.2}","{close:.2}","{open}","{volume:.8}",5]"#)
    };
    let list: Vec<String> = newest.iter().map(text).collect();
    format!(
        r#"{{"error":[],"result":{{"XXBTZUSD":[{}],"last":1}}}}"#,
        list.join(",")
    )
}

#[test]
fn the_newest_bars_arrive_and_older_ones_are_out_of_reach() {
    let all = bars(Timeframe::H4, "2025-01-01", "2025-06-15T12:00:00Z");
    assert!(all.len() > 800);
    let reach = all[all.len() - 720].stamp;
    let answer = body(&all);
    let server = TestServer::start(move |request| {
        assert_eq!(
            (request.path.as_str(), request.parameter("pair")),
            ("/0/public/OHLC", Some("XBTUSD"))
        );
        assert_eq!(request.parameter("interval"), Some("240"));
        TestResponse::ok(answer.clone())
    });
    let kraken = Kraken::new(&settings(&server, None));
    let first = reach.to_string();
    for range in [
        [first.as_str(), "2025-06-15T12:00:00Z"],
        ["2025-05-01", "2025-06-01"],
    ] {
        let request = request(AssetClass::Crypto, "BTC-USD", Timeframe::H4, range);
        assert_eq!(
            rows(&kraken, &request).unwrap(),
            between(&all, time(range[0]), time(range[1]))
        );
    }
    let early = request(
        AssetClass::Crypto,
        "BTC-USD",
        Timeframe::H4,
        ["2025-01-01", "2025-06-01"],
    );
    let error = rows(&kraken, &early).unwrap_err();
    assert!(
        matches!(error, ProviderError::OutOfReach { earliest, .. } if earliest == reach),
        "{error}"
    );
}

#[test]
fn a_busy_service_is_asked_again() {
    let all = bars(Timeframe::D1, "2025-01-01", "2025-06-15");
    let busy = |words: &str| TestResponse::ok(format!(r#"{{"error":["{words}"]}}"#));
    let server = TestServer::in_turn([busy("EService:Busy"), TestResponse::ok(body(&all))]);
    let mut settings = settings(&server, None);
    settings.http.attempts = 2;
    let request = request(
        AssetClass::Crypto,
        "BTC-USD",
        Timeframe::D1,
        ["2025-02-01", "2025-03-01"],
    );
    let expected = between(&all, time("2025-02-01"), time("2025-03-01"));
    assert_eq!(rows(&Kraken::new(&settings), &request).unwrap(), expected);
    let server = TestServer::in_turn([busy("EAPI:Rate limit exceeded")]);
    settings.base_url = Some(server.url(""));
    settings.http.longest_wait = Duration::ZERO;
    let error = rows(&Kraken::new(&settings), &request).unwrap_err();
    assert!(matches!(error, ProviderError::RateLimited { .. }), "{error}");
    let server = TestServer::in_turn([busy("EQuery:Unknown asset pair")]);
    settings.base_url = Some(server.url(""));
    let error = rows(&Kraken::new(&settings), &request).unwrap_err();
    assert!(matches!(error, ProviderError::UnknownSymbol { .. }), "{error}");
    assert_eq!(server.requests().len(), 1);
}
