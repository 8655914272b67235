//! Yahoo: ranges of limited length, rows beyond the range, nulls, and nothing kept.

use sextant_data::{FetchedBar, ProviderError};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};
use sextant_providers::Yahoo;
use sextant_testkit::http::{TestRequest, TestResponse, TestServer};

use crate::support::{bars, between, request, rows, settings, time};

const DAY_SECONDS: i64 = 86_400;

/// The interface over bars by their own time. Every intraday bar is followed by a row without trades.
fn serve(bars: &[FetchedBar], request: &TestRequest) -> TestResponse {
    let number = |name: &str| -> i64 { request.parameter(name).unwrap().parse().unwrap() };
    let interval = request.parameter("interval").unwrap();
    if request.path != "/v8/finance/chart/SPY" {
        let error = r#"{"code":"Not Found","description":"No data found, symbol may be delisted"}"#;
        return TestResponse::status(404, format!(r#"{{"chart":{{"result":null,"error":{error}}}}}"#));
    }
    let (first, end) = (number("period1"), number("period2"));
    if interval == "1m" && end - first > 7 * DAY_SECONDS {
        let error = r#"{"code":"Unprocessable Entity","description":"Only 7 days worth of 1m are allowed"}"#;
        return TestResponse::status(422, format!(r#"{{"chart":{{"result":null,"error":{error}}}}}"#));
    }
    // It adds the row at the end of the range.
    let seconds = |bar: &FetchedBar| bar.stamp.nanos() / 1_000_000_000;
    let wanted = |bar: &&FetchedBar| (first..=end).contains(&seconds(bar));
    let page: Vec<&FetchedBar> = bars.iter().filter(wanted).collect();
    let meta = format!(
        r#"{{"symbol":"SPY","exchangeTimezoneName":"America/New_York","gmtoffset":-14400,"dataGranularity":"{interval}"}}"#
    );
    if page.is_empty() {
        let result = format!(r#"{{"meta":{meta},"indicators":{{"quote":[{{}}],"adjclose":[{{}}]}}}}"#);
        return TestResponse::ok(format!(r#"{{"chart":{{"result":[{result}],"error":null}}}}"#));
    }
    let with_empty = interval != "1d";
    let times: Vec<String> = page
        .iter()
        .flat_map(|bar| [Some(seconds(bar)), with_empty.then(|| seconds(bar) + 30)])
        .flatten()
        .map(|time| time.to_string())
        .collect();
    let column = |value: fn(&FetchedBar) -> f64| -> String {
        let after = if with_empty { ",null" } else { "" };
        let values: Vec<String> = page.iter().map(|bar| format!("{}{after}", value(bar))).collect();
        values.join(",")
    };
    let quote = format!(
        r#"{{"open":[{}],"high":[{}],"low":[{}],"close":[{}],"volume":[{}]}}"#,
        column(|bar| bar.open),
        column(|bar| bar.high),
        column(|bar| bar.low),
        column(|bar| bar.close),
        column(|bar| bar.volume),
    );
    let times = times.join(",");
    let result = format!(r#"{{"meta":{meta},"timestamp":[{times}],"indicators":{{"quote":[{quote}]}}}}"#);
    TestResponse::ok(format!(r#"{{"chart":{{"result":[{result}],"error":null}}}}"#))
}

#[test]
fn minutes_come_in_ranges_of_seven_days() {
    let all = bars(Timeframe::M1, "2025-05-20", "2025-06-05");
    let served = all.clone();
    let server = TestServer::start(move |request| serve(&served, request));
    let cache = tempfile::tempdir().unwrap();
    let yahoo = Yahoo::new(&settings(&server, Some(cache.path().to_owned())));
    let range = ["2025-05-18T00:00:30Z", "2025-06-08"];
    let wanted = request(AssetClass::Equity, "SPY", Timeframe::M1, range);
    assert_eq!(rows(&yahoo, &wanted).unwrap(), all);
    assert_eq!(server.requests().len(), 3);
    // A split would restate the rows, so they are asked for each time.
    assert_eq!(rows(&yahoo, &wanted).unwrap(), all);
    assert_eq!(server.requests().len(), 6);
    let early = request(
        AssetClass::Equity,
        "SPY",
        Timeframe::M1,
        ["2025-05-01", "2025-06-01"],
    );
    let error = rows(&yahoo, &early).unwrap_err();
    assert!(matches!(error, ProviderError::OutOfReach { .. }), "{error}");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn days_are_labels_and_lie_in_the_range() {
    let labels = bars(Timeframe::D1, "2024-01-01", "2024-12-01");
    let opened = |bar: &FetchedBar| FetchedBar {
        // 09:30 or 10:30 in New York, as the clocks go.
        stamp: bar
            .stamp
            .saturating_add(UtcNanos::from_seconds(14 * 3600 + 1800).unwrap().nanos()),
        ..*bar
    };
    let served: Vec<FetchedBar> = labels.iter().map(opened).collect();
    let server = TestServer::start(move |request| serve(&served, request));
    let yahoo = Yahoo::new(&settings(&server, None));
    for range in [
        ["2024-02-01", "2024-11-20"],
        ["2023-01-01", "2025-06-15"],
        ["2020-01-01", "2021-01-01"],
    ] {
        let wanted = request(AssetClass::Equity, "SPY", Timeframe::D1, range);
        assert_eq!(
            rows(&yahoo, &wanted).unwrap(),
            between(&labels, time(range[0]), time(range[1]))
        );
    }
    let unknown = request(
        AssetClass::Equity,
        "NOPE",
        Timeframe::M5,
        ["2025-06-01", "2025-06-02"],
    );
    let error = rows(&yahoo, &unknown).unwrap_err();
    assert!(
        matches!(&error, ProviderError::UnknownSymbol { symbol, .. } if symbol == "NOPE"),
        "{error}"
    );
}
