//! Alpaca: pages by token, an inclusive end, keys in headers.

use chrono::TimeDelta;
use chrono_tz::America::New_York;
use sextant_data::{FetchedBar, ProviderError};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};
use sextant_providers::{Alpaca, AlpacaKeys};
use sextant_testkit::http::{TestRequest, TestResponse, TestServer};

use crate::support::{bars, between, request, rows, settings, time};

fn keys() -> AlpacaKeys {
    AlpacaKeys {
        key_id: "an-id".to_owned(),
        secret_key: "a-secret-for-tests".to_owned(),
    }
}

/// The interface over bars by their own time. A token names the time of the row before the page.
fn serve(bars: &[FetchedBar], page_size: usize, request: &TestRequest) -> TestResponse {
    if request.header("apca-api-secret-key") != Some("a-secret-for-tests") {
        return TestResponse::status(403, r#"{"message":"forbidden."}"#);
    }
    let parameter = |name: &str| request.parameter(name).unwrap().to_owned();
    assert_eq!(request.path, "/v2/stocks/SPY/bars");
    assert_eq!(
        parameter("adjustment") + &parameter("feed") + &parameter("sort"),
        "rawiexasc"
    );
    let (first, last) = (time(&parameter("start")), time(&parameter("end")));
    let after = match request.parameter("page_token") {
        None => UtcNanos::MIN,
        Some(token) => UtcNanos::from_nanos(token.strip_prefix("SPY|R=+").unwrap().parse().unwrap()),
    };
    let limit = page_size.min(parameter("limit").parse().unwrap());
    let wanted = |bar: &&FetchedBar| first <= bar.stamp && bar.stamp <= last && after < bar.stamp;
    let found: Vec<&FetchedBar> = bars.iter().filter(wanted).take(limit + 1).collect();
    let page = &found[..found.len().min(limit)];
    let token = if found.len() > limit {
        format!("\"SPY|R=+{}\"", page[limit - 1].stamp.nanos())
    } else {
        "null".to_owned()
    };
    let text = |bar: &&FetchedBar| {
        let FetchedBar {
            stamp,
            open,
            high,
            low,
            close,
            volume,
        } = bar;
        format!(
            r#"{{"t":"{stamp}","o":{open},"h":{high},"l":{low},"c":{close},"v":{volume},"n":1,"vw":{open}}}"#
        )
    };
    let list = match page {
        [] => "null".to_owned(),
        page => format!("[{}]", page.iter().map(text).collect::<Vec<_>>().join(",")),
    };
    TestResponse::ok(format!(
        r#"{{"bars":{list},"next_page_token":{token},"symbol":"SPY"}}"#
    ))
}

#[test]
fn every_bar_arrives_once_whatever_the_page_size() {
    let all = bars(Timeframe::M30, "2025-05-30", "2025-06-03");
    let range = ["2025-05-30T05:00:00Z", "2025-06-02T10:00:00Z"];
    let expected = between(&all, time(range[0]), time(range[1]));
    for page_size in [17, expected.len(), 10_000] {
        let served = all.clone();
        let server = TestServer::start(move |request| serve(&served, page_size, request));
        let alpaca = Alpaca::new(&settings(&server, None), keys());
        let request = request(AssetClass::Equity, "SPY", Timeframe::M30, range);
        assert_eq!(rows(&alpaca, &request).unwrap(), expected, "{page_size}");
    }
}

#[test]
fn daily_bars_carry_the_date_of_their_session() {
    // Two months around the change of the clocks; labels at midnight UTC, times at midnight in New York.
    let labels = bars(Timeframe::D1, "2024-10-01", "2024-12-01");
    let at_midnight = |bar: &FetchedBar| {
        let local = bar
            .stamp
            .date()
            .and_hms_opt(0, 0, 0)
            .unwrap()
            .and_local_timezone(New_York);
        FetchedBar {
            stamp: UtcNanos::from_datetime(local.unwrap().to_utc()).unwrap(),
            ..*bar
        }
    };
    let served: Vec<FetchedBar> = labels.iter().map(at_midnight).collect();
    let server = TestServer::start(move |request| serve(&served, 30, request));
    let alpaca = Alpaca::new(&settings(&server, None), keys());
    for range in [
        ["2024-10-05", "2024-11-20"],
        ["2024-10-05T03:00:00Z", "2024-11-20T01:00:00Z"],
    ] {
        let request = request(AssetClass::Equity, "SPY", Timeframe::D1, range);
        assert_eq!(
            rows(&alpaca, &request).unwrap(),
            between(&labels, time(range[0]), time(range[1]))
        );
    }
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let all = bars(Timeframe::M5, "2025-05-01", "2025-05-02");
    let cache = tempfile::tempdir().unwrap();
    let request = request(
        AssetClass::Equity,
        "SPY",
        Timeframe::M5,
        ["2025-05-01", "2025-06-15"],
    );
    let served = all.clone();
    // The third page breaks off; the pages before it were kept.
    let third = format!("SPY|R=+{}", all[199].stamp.nanos());
    let broken = std::sync::atomic::AtomicBool::new(true);
    let server = TestServer::start(move |request| {
        let is_third = request.parameter("page_token") == Some(&third);
        if is_third && broken.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return TestResponse::truncated(r#"{"bars":[{"t":"#);
        }
        serve(&served, 100, request)
    });
    let alpaca = Alpaca::new(&settings(&server, Some(cache.path().to_owned())), keys());
    let error = rows(&alpaca, &request).unwrap_err();
    assert!(
        matches!(error, ProviderError::Unreachable { attempts: 1, .. }),
        "{error}"
    );
    assert_eq!(server.requests().len(), 3);
    assert_eq!(rows(&alpaca, &request).unwrap(), all);
    // The third page again, and the present month, which is never kept.
    assert_eq!(server.requests().len(), 5);
    assert_eq!(rows(&alpaca, &request).unwrap(), all);
    assert_eq!(server.requests().len(), 6);
    assert!(
        server.requests()[5]
            .parameter("start")
            .unwrap()
            .starts_with("2025-06-01")
    );
}

#[test]
fn wrong_keys_and_changed_shapes_are_errors_without_keys_in_them() {
    let server = TestServer::start(|request| serve(&[], 1, request));
    let wrong = AlpacaKeys {
        secret_key: "another-secret".to_owned(),
        ..keys()
    };
    let request = request(
        AssetClass::Equity,
        "SPY",
        Timeframe::M5,
        ["2025-05-01", "2025-05-02"],
    );
    let error = rows(&Alpaca::new(&settings(&server, None), wrong), &request).unwrap_err();
    assert!(
        matches!(error, ProviderError::Unauthorized { status: 403, .. }),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("another-secret"));
    let changed = TestServer::in_turn([TestResponse::ok(r#"{"data":[],"cursor":null}"#)]);
    let error = rows(&Alpaca::new(&settings(&changed, None), keys()), &request)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/v2/stocks/SPY/bars in an unknown shape: the body has no field `symbol`"),
        "{error}"
    );
    let same = r#"{"bars":null,"next_page_token":"again","symbol":"SPY"}"#;
    let circular = TestServer::in_turn([TestResponse::ok(same)]);
    let error = rows(&Alpaca::new(&settings(&circular, None), keys()), &request)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("leads to the next page `again`, which was read already"),
        "{error}"
    );
    assert_eq!(circular.requests().len(), 2);
}

#[test]
fn a_range_without_length_asks_nobody() {
    let server = TestServer::in_turn([TestResponse::status(500, "")]);
    let alpaca = Alpaca::new(&settings(&server, None), keys());
    let end = (time("2025-05-01").datetime() - TimeDelta::days(1)).to_rfc3339();
    for end in ["2025-05-01", &end] {
        let request = request(AssetClass::Equity, "SPY", Timeframe::M5, ["2025-05-01", end]);
        assert_eq!(rows(&alpaca, &request).unwrap(), []);
    }
    assert!(server.requests().is_empty());
}
