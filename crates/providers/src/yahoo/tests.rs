//! Yahoo's shapes, and everything that is none of them.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::support::{answer, bar, failed, request, settings, shape, time, window};
use serde_json::{Value, json};

fn read_as(timeframe: Timeframe, status: u16, body: &str) -> Result<Page, Fault> {
    let yahoo = Yahoo::new(&settings());
    let request = request(AssetClass::Equity, "SPY", timeframe, ["2025-06-01", "2025-06-10"]);
    let pages = Bars::new(&yahoo.party, &request).unwrap();
    pages.read(&window("2025-06-01", "2025-06-10"), &answer(status, body))
}

fn read(status: u16, body: &str) -> Result<Page, Fault> {
    read_as(Timeframe::D1, status, body)
}

fn chart(interval: &str, times: &[&str]) -> Value {
    let rows = times.len();
    let times: Vec<i64> = times.iter().map(|text| seconds_floor(time(text))).collect();
    json!({"chart": {"error": null, "result": [{
        "meta": {"currency": "USD", "symbol": "SPY", "exchangeTimezoneName": "America/New_York",
                 "gmtoffset": -14400, "dataGranularity": interval, "range": ""},
        "timestamp": times,
        "events": {"dividends": {}},
        "indicators": {
            "quote": [{"open": vec![10.0; rows], "high": vec![11.0; rows], "low": vec![9.5; rows],
                       "close": vec![10.0; rows], "volume": vec![100; rows]}],
            "adjclose": [{"adjclose": vec![9.9; rows]}],
        },
    }]}})
}

fn result(chart: &mut Value) -> &mut Value {
    &mut chart["chart"]["result"][0]
}

#[test]
fn the_address_has_a_margin_for_daily_bars() {
    let yahoo = Yahoo::new(&settings());
    let daily = request(
        AssetClass::Equity,
        "BRK.B",
        Timeframe::D1,
        ["2025-06-01", "2025-06-10"],
    );
    let url = |request: &BarRequest| {
        let pages = Bars::new(&yahoo.party, request).unwrap();
        pages.request(&window("2025-06-01", "2025-06-10"), None).url
    };
    assert_eq!(
        url(&daily),
        "https://query1.finance.yahoo.com/v8/finance/chart/BRK-B?period1=1748649600&period2=1749600000\
         &interval=1d&events=div,splits&includeAdjustedClose=true"
    );
    let mut own = request(
        AssetClass::Equity,
        "VIX",
        Timeframe::M5,
        ["2025-06-01", "2025-06-10"],
    );
    own.provider_symbol = Some("^VIX".to_owned());
    assert!(url(&own).contains("/chart/%5EVIX?period1=1748736000&period2=1749513600&interval=5m"));
    assert_eq!(
        (party_symbol("BMW.DE"), party_symbol("SPY")),
        ("BMW.DE".to_owned(), "SPY".to_owned())
    );
}

#[test]
fn daily_rows_get_the_date_of_their_session() {
    let body = chart("1d", &["2025-01-02T14:30:00Z", "2025-06-03T13:30:00Z"]);
    let page = read(200, &body.to_string()).unwrap();
    assert_eq!(
        page.rows,
        [bar(time("2025-01-02"), 10.0), bar(time("2025-06-03"), 10.0)]
    );
    let mut tokyo = chart("1d", &["2025-06-03T00:00:00Z"]);
    result(&mut tokyo)["meta"]["exchangeTimezoneName"] = json!("Australia/Sydney");
    result(&mut tokyo)["timestamp"] = json!([seconds_floor(time("2025-01-02T23:00:00Z"))]);
    assert_eq!(
        read(200, &tokyo.to_string()).unwrap().rows[0].stamp,
        time("2025-01-03")
    );
}

#[test]
fn intraday_rows_keep_their_time() {
    let body = chart("5m", &["2025-06-03T13:30:00Z", "2025-06-03T13:35:00Z"]);
    let page = read_as(Timeframe::M5, 200, &body.to_string()).unwrap();
    assert_eq!(page.rows[1], bar(time("2025-06-03T13:35:00Z"), 10.0));
    assert_eq!(page.next, None);
}

#[test]
fn the_latest_quote_is_no_bar() {
    let intraday = chart("5m", &["2025-06-03T13:30:00Z", "2025-06-03T13:33:21Z"]);
    let page = read_as(Timeframe::M5, 200, &intraday.to_string()).unwrap();
    assert_eq!(page.rows, [bar(time("2025-06-03T13:30:00Z"), 10.0)]);
    let daily = chart("1d", &["2025-06-03T13:30:00Z", "2025-06-03T18:01:02Z"]);
    assert_eq!(
        read(200, &daily.to_string()).unwrap().rows,
        [bar(time("2025-06-03"), 10.0)]
    );
}

#[test]
fn rows_without_trades_are_left_out() {
    for volume in [json!(null), json!(0)] {
        let mut body = chart("1d", &["2025-06-03T13:30:00Z", "2025-06-04T13:30:00Z"]);
        let quote = &mut result(&mut body)["indicators"]["quote"][0];
        for name in ["open", "high", "low", "close"] {
            quote[name][0] = json!(null);
        }
        quote["volume"][0] = volume;
        assert_eq!(
            read(200, &body.to_string()).unwrap().rows,
            [bar(time("2025-06-04"), 10.0)]
        );
        result(&mut body)["indicators"]["quote"][0]["open"][0] = json!(10.0);
        let found = shape(read(200, &body.to_string()));
        assert!(found.contains("all values of row 0 or none"), "{found}");
    }
}

#[test]
fn a_range_without_rows_is_empty() {
    let mut body = chart("1d", &[]);
    result(&mut body).as_object_mut().unwrap().remove("timestamp");
    let found = shape(read(200, &body.to_string()));
    assert!(
        found.contains("no columns where there is no field `timestamp`"),
        "{found}"
    );
    result(&mut body)["indicators"]["quote"] = json!([{}]);
    assert_eq!(read(200, &body.to_string()).unwrap(), nothing());
    let none = r#"{"chart":{"result":null,"error":{"code":"Bad Request","description":
        "Data doesn't exist for startDate = 1748649600, endTime = 1748736000"}}}"#;
    assert_eq!(read(400, none).unwrap(), nothing());
}

#[test]
fn other_shapes_are_refused() {
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut body = chart("1d", &["2025-06-03T13:30:00Z"]);
        change(&mut body);
        shape(read(200, &body.to_string()))
    };
    let at = "chart.result[0]";
    let quote =
        |body: &mut Value, name: &str, value: Value| result(body)["indicators"]["quote"][0][name] = value;
    for (found, problem) in [
        (
            changed(&|b| quote(b, "open", json!(["10.0"]))),
            format!("{at}.indicators.quote[0].open[0] is `\"10.0\"`; expected a number"),
        ),
        (
            changed(&|b| quote(b, "open", json!([]))),
            format!(
                "{at}.indicators.quote[0].open is an array of 0 items; expected one item for each of the 1 times"
            ),
        ),
        (
            changed(&|b| quote(b, "volume", json!(null))),
            format!("{at}.indicators.quote[0].volume is `null`; expected an array"),
        ),
        (
            changed(&|b| result(b)["timestamp"] = json!(["2025"])),
            format!("{at}.timestamp[0] is `\"2025\"`; expected a whole number"),
        ),
        (
            changed(&|b| result(b)["timestamp"] = json!([i64::MAX])),
            format!("{at}.timestamp[0] is `9223372036854775807`; expected seconds since 1970"),
        ),
        (
            changed(&|b| result(b)["meta"]["exchangeTimezoneName"] = json!("Mars")),
            format!("{at}.meta.exchangeTimezoneName is `\"Mars\"`; expected the name of a time zone"),
        ),
        (
            changed(&|b| result(b)["meta"]["dataGranularity"] = json!("1mo")),
            format!("{at}.meta.dataGranularity is `\"1mo\"`; expected the interval asked for, 1d"),
        ),
        (
            changed(&|b| result(b)["meta"]["symbol"] = json!("QQQ")),
            format!("{at}.meta.symbol is `\"QQQ\"`; expected the symbol asked for, SPY"),
        ),
        (
            changed(&|b| b["chart"]["result"] = json!([])),
            "chart.result is an array of 0 items; expected an array of 1 items".to_owned(),
        ),
        (
            changed(&|b| b["chart"]["result"] = json!(null)),
            "chart.result is `null`; expected an array".to_owned(),
        ),
        (shape(read(200, "{}")), "the body has no field `chart`".to_owned()),
        (shape(read(200, "<html>")), "the body is not JSON".to_owned()),
        (
            shape(read(200, r#"{"chart":{"result":["#)),
            "the body is not JSON".to_owned(),
        ),
    ] {
        assert!(found.starts_with(&problem), "{found}");
    }
}

#[test]
fn refusals_have_their_own_errors() {
    let gone = r#"{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}"#;
    for (status, body) in [(404, gone), (200, gone), (404, "<html>"), (404, "{}")] {
        let error = failed(read(status, body));
        assert!(
            matches!(&error, ProviderError::UnknownSymbol { symbol, .. } if symbol == "SPY"),
            "{error}"
        );
    }
    let late = r#"{"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"1m data not available"}}}"#;
    for (status, body, words) in [
        (422, late, "1m data not available"),
        (403, "Forbidden", "Forbidden"),
        (401, "{}", "{}"),
    ] {
        let Err(Fault::Refused {
            status: found,
            message,
        }) = read(status, body)
        else {
            panic!("{body}")
        };
        assert_eq!((found, message.as_str()), (status, words));
    }
}

#[test]
fn what_lies_before_the_history_is_refused_without_asking() {
    let yahoo = Yahoo::new(&settings());
    for (timeframe, earliest) in [
        (Timeframe::M1, "2025-05-17T00:00:00Z"),
        (Timeframe::M5, "2025-04-17T00:00:00Z"),
        (Timeframe::M30, "2025-04-17T00:00:00Z"),
    ] {
        let mut request = request(AssetClass::Equity, "SPY", timeframe, [earliest, "2025-06-10"]);
        yahoo.check_reach(&request).unwrap();
        request.start = request.start.saturating_add(-1);
        let error = yahoo.check_reach(&request).unwrap_err().to_string();
        assert!(error.contains(earliest), "{error}");
    }
    let daily = request(
        AssetClass::Equity,
        "SPY",
        Timeframe::D1,
        ["1950-01-01", "2025-06-10"],
    );
    yahoo.check_reach(&daily).unwrap();
}

#[test]
fn the_offer_says_that_history_is_restated() {
    let yahoo = Yahoo::new(&settings());
    let offer = yahoo.offer(AssetClass::Equity, Timeframe::D1).unwrap();
    assert!(offer.revises_history && offer.adjustment.starts_with("splits"));
    assert_eq!(offer.stamp, StampConvention::SessionDate);
    assert_eq!(
        yahoo.offer(AssetClass::Equity, Timeframe::M30).unwrap().stamp,
        StampConvention::BarOpen
    );
    for timeframe in [Timeframe::H1, Timeframe::H4] {
        let error = yahoo
            .offer(AssetClass::Equity, timeframe)
            .unwrap_err()
            .to_string();
        assert!(error.contains("load 30M and resample"), "{error}");
    }
    assert!(yahoo.offer(AssetClass::Crypto, Timeframe::D1).is_err());
}
