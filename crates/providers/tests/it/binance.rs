//! Binance: pages by time, an inclusive end, gaps.

use sextant_data::{FetchedBar, ProviderError};
use sextant_domain::{AssetClass, Timeframe};
use sextant_providers::Binance;
use sextant_testkit::http::{TestRequest, TestResponse, TestServer};

use crate::support::{Counted, bars, between, request, rows, settings, time};

fn serve(bars: &[FetchedBar], page_size: usize, request: &TestRequest) -> TestResponse {
    let number = |name: &str| -> i64 { request.parameter(name).unwrap().parse().unwrap() };
    assert_eq!(
        (request.path.as_str(), request.parameter("interval")),
        ("/api/v3/klines", Some("1h"))
    );
    if request.parameter("symbol") != Some("BTCUSDT") {
        return TestResponse::status(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#);
    }
    let (first, last) = (number("startTime") * 1_000_000, number("endTime") * 1_000_000);
    let limit = page_size.min(usize::try_from(number("limit")).unwrap());
    let text = |bar: &FetchedBar| {
        let FetchedBar {
            stamp,
            open,
            high,
            low,
            close,
            volume,
        } = bar;
        let opened = stamp.nanos() / 1_000_000;
        let closed = opened + 3_599_999;
        format!(
            r#"[{opened},"{open:.8}","{high}","{low}","{close}","{volume:.8}",{closed},"0.0",1,"0.0","0.0","0"]"#
        )
    };
    let wanted = |bar: &&FetchedBar| first <= bar.stamp.nanos() && bar.stamp.nanos() <= last;
    let page: Vec<String> = bars.iter().filter(wanted).take(limit).map(text).collect();
    TestResponse::ok(format!("[{}]", page.join(",")))
}

#[test]
fn every_bar_arrives_once_whatever_the_page_size() {
    // Ninety days of hours: more than two full pages, the last of them in the present month.
    let all = bars(Timeframe::H1, "2025-03-10", "2025-06-10");
    let range = ["2025-03-10T00:30:00Z", "2025-06-09T12:00:00Z"];
    let expected = between(&all, time(range[0]), time(range[1]));
    assert!(expected.len() > 1900);
    for page_size in [100, 999, 1000, 5000] {
        let served = all.clone();
        let server = TestServer::start(move |request| serve(&served, page_size, request));
        let binance = Binance::new(&settings(&server, None));
        let request = request(AssetClass::Crypto, "BTC-USDT", Timeframe::H1, range);
        let progress = Counted::default();
        let fetched = sextant_data::BarProvider::fetch(&binance, &request, &progress).unwrap();
        assert_eq!(fetched.rows, expected, "{page_size}");
        assert_eq!(fetched.source, "binance spot BTCUSDT 1h");
        assert_eq!(progress.total_and_done(), (91, 91));
    }
}

#[test]
fn a_market_that_is_younger_or_gone_gives_what_there_is() {
    let all = bars(Timeframe::H1, "2024-02-01", "2024-03-01");
    let served = all.clone();
    let server = TestServer::start(move |request| serve(&served, 1000, request));
    let binance = Binance::new(&settings(&server, None));
    for (range, expected) in [
        (["2017-01-01", "2025-06-15"], all.as_slice()),
        (["2017-01-01", "2018-01-01"], &[]),
        (["2025-01-01", "2025-06-15"], &[]),
    ] {
        let request = request(AssetClass::Crypto, "BTC-USDT", Timeframe::H1, range);
        assert_eq!(rows(&binance, &request).unwrap(), expected, "{range:?}");
    }
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped_even_on_another_day() {
    let all = bars(Timeframe::H1, "2025-03-01", "2025-06-14");
    let cache = tempfile::tempdir().unwrap();
    let request = request(
        AssetClass::Crypto,
        "BTC-USDT",
        Timeframe::H1,
        ["2025-03-01", "2025-06-14"],
    );
    let served = all.clone();
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let server =
        TestServer::start(
            move |request| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                4 => TestResponse::closed(),
                _ => serve(&served, 300, request),
            },
        );
    let mut settings = settings(&server, Some(cache.path().to_owned()));
    let error = rows(&Binance::new(&settings), &request).unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable { .. }), "{error}");
    assert_eq!(server.requests().len(), 5);
    settings.now = time("2025-06-20");
    // Days later and for a longer range, the pages of the months before are still the same.
    let mut later = request.clone();
    later.end = time("2025-06-20");
    assert_eq!(rows(&Binance::new(&settings), &later).unwrap(), all);
    let asked: Vec<String> = server
        .requests()
        .iter()
        .map(|request| format!("{:?}", request.query))
        .collect();
    let (before, after) = asked.split_at(5);
    assert_eq!(before[4], after[0]);
    assert!(before[..4].iter().all(|kept| !after.contains(kept)));
}

#[test]
fn an_unknown_symbol_says_how_to_map_it() {
    let server = TestServer::start(|request| serve(&[], 1, request));
    let binance = Binance::new(&settings(&server, None));
    let mut wanted = request(
        AssetClass::Crypto,
        "BTC-USD",
        Timeframe::H1,
        ["2025-05-01", "2025-05-02"],
    );
    let error = rows(&binance, &wanted).unwrap_err();
    assert!(matches!(&error, ProviderError::UnknownSymbol { symbol, .. } if symbol == "BTCUSD"));
    assert!(error.to_string().contains("--symbols BTC-USD=BTCUSDT"), "{error}");
    wanted.provider_symbol = Some("BTCUSDT".to_owned());
    assert_eq!(rows(&binance, &wanted).unwrap(), []);
}
