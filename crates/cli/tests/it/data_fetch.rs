//! `data download` and `data update`, against servers that follow the documents of the providers.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::NaiveDate;
use sextant_testkit::http::{TestRequest, TestResponse, TestServer};

use crate::lake::{import_daily, row, rows};
use crate::workspace::{Outcome, Place};

const DAY_MILLISECONDS: i64 = 86_400_000;
const ROWS_A_PAGE: usize = 100;

fn milliseconds(date: &str) -> i64 {
    let date: NaiveDate = date.parse().unwrap();
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()
}

/// Daily bars of Binance from a day on, so many; of BTCUSDT alone.
fn binance(first: &str, days: usize, request: &TestRequest) -> TestResponse {
    assert_eq!(
        (request.path.as_str(), request.parameter("interval")),
        ("/api/v3/klines", Some("1d"))
    );
    if request.parameter("symbol") != Some("BTCUSDT") {
        return TestResponse::status(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#);
    }
    let number = |name: &str| -> i64 { request.parameter(name).unwrap().parse().unwrap() };
    let (from, to) = (number("startTime"), number("endTime"));
    let begin = milliseconds(first);
    let bars = (0..days).map(|day| begin + DAY_MILLISECONDS * i64::try_from(day).unwrap());
    let text = |open: i64| {
        let close = 40_000 + (open - begin) / DAY_MILLISECONDS;
        let (high, low, last) = (close + 10, close - 10, open + DAY_MILLISECONDS - 1);
        format!(
            r#"[{open},"{close}.00","{high}.00","{low}.00","{close}.00","5.5",{last},"0.0",1,"0.0","0.0","0"]"#
        )
    };
    let wanted: Vec<String> = bars
        .filter(|open| (from..=to).contains(open))
        .take(ROWS_A_PAGE)
        .map(text)
        .collect();
    TestResponse::ok(format!("[{}]", wanted.join(",")))
}

fn run(place: &Place, server: &TestServer, command: &str) -> Outcome {
    let base_url = server.url("/");
    let mut arguments: Vec<&str> = command.split(' ').collect();
    arguments.extend(["--base-url", &base_url]);
    place.run(&arguments)
}

const DOWNLOAD: &str =
    "data download --symbols BTC-USD=BTCUSDT --asset-class crypto --start 2024-01-05 --end 2024-01-08";

#[test]
fn an_update_brings_what_is_new_and_leaves_the_rest_alone() {
    let server = TestServer::start(|request| binance("2024-01-01", 10, request));
    let place = Place::new();
    let printed = run(&place, &server, DOWNLOAD).printed();
    let bars = row(&printed, &["BTC-USD 1D (crypto)"]);
    assert_eq!(
        bars[1..8],
        [
            "4",
            "2024-01-05 to 2024-01-08",
            "4",
            "0",
            "0",
            "2024-01-05",
            "2024-01-08"
        ]
    );

    let file = place.path("data/crypto/BTC-USD_1D.parquet");
    let before = std::fs::read(&file).unwrap();
    let again = run(&place, &server, DOWNLOAD).printed();
    assert_eq!(row(&again, &["BTC-USD 1D (crypto)"])[3..5], ["0", "0"]);
    assert!(again.contains("the file is as it was"), "{again}");
    assert_eq!(std::fs::read(&file).unwrap(), before);

    // The update knows the provider and its name for the symbol from the file.
    let printed = run(&place, &server, "data update --asset-class crypto").printed();
    assert_eq!(row(&printed, &["BTC-USD 1D (crypto)"])[3..5], ["2", "0"]);
    let before = std::fs::read(&file).unwrap();
    run(&place, &server, "data update").printed();
    assert_eq!(std::fs::read(&file).unwrap(), before);
    place.run(&["data", "validate"]).printed();
    let status = place.run(&["data", "status"]).printed();
    let bars = row(&status, &["BTC-USD"]);
    assert_eq!(bars[5..8], ["6", "0", "downloaded"]);
    assert!(bars[8].starts_with("binance: "), "{status}");
}

#[test]
fn one_symbol_that_fails_stops_no_other() {
    let server = TestServer::start(|request| binance("2024-01-01", 10, request));
    let place = Place::new();
    let command = DOWNLOAD.replace("--symbols", "--symbols DOGE-USD=NOPE");
    let outcome = run(&place, &server, &command);
    assert_eq!(row(&outcome.stdout, &["BTC-USD 1D (crypto)"])[1], "4");
    outcome.fails_with(&[
        "1 of 2 failed",
        "DOGE-USD 1D (crypto)",
        "NOPE",
        "Invalid symbol",
        "--symbols BTC-USD=BTCUSDT",
    ]);
}

#[test]
fn a_rate_limit_is_waited_out() {
    let calls = AtomicUsize::new(0);
    let server = TestServer::start(move |request| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => TestResponse::status(429, "{}").with_header("retry-after", "1"),
        _ => binance("2024-01-01", 10, request),
    });
    let printed = run(&Place::new(), &server, DOWNLOAD).printed();
    assert_eq!(row(&printed, &["BTC-USD 1D (crypto)"])[1], "4");
    assert_eq!(server.requests()[0], server.requests()[1]);
}

#[test]
fn a_rate_limit_that_asks_for_too_long_says_to_come_back() {
    let server = TestServer::in_turn([TestResponse::status(429, "{}").with_header("retry-after", "86400")]);
    let place = Place::new();
    run(&place, &server, DOWNLOAD).fails_with(&[
        "1 of 1 failed",
        "limits the rate",
        "run the command again later",
    ]);
    assert_eq!(server.requests().len(), 1);
    assert!(!place.path("data/crypto").exists());
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let calls = AtomicUsize::new(0);
    let server = TestServer::start(move |request| match calls.fetch_add(1, Ordering::SeqCst) {
        3 => TestResponse::status(400, r#"{"code":-1000,"msg":"An unknown error occurred."}"#),
        _ => binance("2023-01-01", 600, request),
    });
    let place = Place::new();
    let command = DOWNLOAD.replace("2024-01-05", "2023-01-01");
    run(&place, &server, &command).fails_with(&["An unknown error occurred"]);
    assert!(!place.path("data/crypto/BTC-USD_1D.parquet").exists());
    assert_eq!(server.requests().len(), 4);
    let printed = run(&place, &server, &command).printed();
    assert_eq!(row(&printed, &["BTC-USD 1D (crypto)"])[1], "373");
    let asked = server.requests();
    let (before, after) = asked.split_at(4);
    assert_eq!(before[3], after[0]);
    assert!(before[..3].iter().all(|kept| !after.contains(kept)));
}

#[test]
fn what_came_from_elsewhere_is_not_mixed_with_a_download() {
    let server = TestServer::start(|request| binance("2024-01-01", 10, request));
    let place = Place::new();
    import_daily(
        &place,
        ("BTC-USD", "crypto"),
        &[("2024-01-02", 1.0), ("2024-01-03", 2.0)],
    );
    let file = place.path("data/crypto/BTC-USD_1D.parquet");
    let before = std::fs::read(&file).unwrap();
    run(&place, &server, DOWNLOAD).fails_with(&["CSV file daily.csv", "--replace"]);
    let named = run(&place, &server, "data update --symbols BTC-USD");
    named.fails_with(&[
        "BTC-USD 1D (crypto)",
        "not downloaded",
        "data download",
        "--replace",
    ]);
    let all = run(&place, &server, "data update").printed();
    assert!(all.contains("left as they are: BTC-USD 1D (crypto)"), "{all}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let printed = run(&place, &server, &format!("{DOWNLOAD} --replace")).printed();
    assert_eq!(row(&printed, &["BTC-USD 1D (crypto)"])[1], "4");
    let empty = run(&Place::new(), &server, "data update").printed();
    assert!(empty.contains("nothing in data was downloaded"), "{empty}");
}

const KEY: &str = "an-id-that-nobody-may-see";
const SECRET: &str = "a-secret-that-nobody-may-see";

/// Thirteen bars on each of so many days of January 2024, the half hours of New York's session; for the right keys.
fn alpaca(days: u32, request: &TestRequest) -> TestResponse {
    if request.header("apca-api-secret-key") != Some(SECRET) {
        return TestResponse::status(403, r#"{"message":"forbidden."}"#);
    }
    assert_eq!(
        (request.path.as_str(), request.parameter("timeframe")),
        ("/v2/stocks/SPY/bars", Some("30Min"))
    );
    let time = |name: &str| -> sextant_domain::UtcNanos { request.parameter(name).unwrap().parse().unwrap() };
    let (from, to) = (time("start"), time("end"));
    let stamps = (0..days).flat_map(|day| {
        let halves = 29..=41;
        halves.map(move |half| format!("2024-01-{:02}T{}:{:02}:00Z", day + 2, half / 2, half % 2 * 30))
    });
    let within = |stamp: &String| (from..=to).contains(&stamp.parse().unwrap());
    let text = |stamp: String| {
        format!(r#"{{"t":"{stamp}","o":470,"h":472,"l":469,"c":471,"v":100,"n":1,"vw":470.5}}"#)
    };
    let bars: Vec<String> = stamps.filter(within).map(text).collect();
    let list = if bars.is_empty() {
        "null".to_owned()
    } else {
        format!("[{}]", bars.join(","))
    };
    TestResponse::ok(format!(
        r#"{{"bars":{list},"next_page_token":null,"symbol":"SPY"}}"#
    ))
}

fn with_keys(place: &Place, server: &TestServer, command: &str) -> Outcome {
    let base_url = server.url("/");
    let mut arguments: Vec<&str> = command.split(' ').collect();
    arguments.extend(["--base-url", &base_url]);
    place.run_with(
        &[("APCA_API_KEY_ID", KEY), ("APCA_API_SECRET_KEY", SECRET)],
        &arguments,
    )
}

const FOUR_HOURS: &str = "data download --symbols SPY --asset-class equity --timeframes 4H --start 2024-01-02 --end 2024-01-03 --provider alpaca";

#[test]
fn a_timeframe_that_is_not_offered_is_made_from_a_finer_one() {
    let server = TestServer::start(|request| alpaca(3, request));
    let place = Place::new();
    let printed = with_keys(&place, &server, FOUR_HOURS).printed();
    assert_eq!(row(&printed, &["SPY 30M (equity)"])[1], "26");
    assert_eq!(
        row(&printed, &["SPY 4H (equity)"])[1..4],
        ["4", "made from 30M", "4"]
    );
    assert!(
        printed.contains("alpaca does not have them; they are made from 30M bars"),
        "{printed}"
    );
    let (fine, coarse) = (
        place.path("data/equities/SPY/30M.json"),
        place.path("data/equities/SPY_4H.parquet"),
    );
    let before = [&fine, &coarse].map(|file| std::fs::read(file).unwrap());
    with_keys(&place, &server, FOUR_HOURS).printed();
    assert_eq!([&fine, &coarse].map(|file| std::fs::read(file).unwrap()), before);
    let updated = with_keys(&place, &server, "data update --asset-class equity").printed();
    assert_eq!(row(&updated, &["SPY 30M (equity)"])[3], "13");
    assert_eq!(
        row(&updated, &["SPY 4H (equity)"])[1..4],
        ["6", "made from 30M", "2"]
    );
    place.run(&["data", "validate"]).printed();
}

#[test]
fn an_update_of_made_bars_updates_those_they_are_made_from() {
    let server = TestServer::start(|request| alpaca(3, request));
    let place = Place::new();
    with_keys(&place, &server, FOUR_HOURS).printed();
    let kraken = "data update --timeframes 4H --provider kraken";
    let left = with_keys(&place, &server, kraken).printed();
    assert!(
        left.contains("left as they are: SPY 4H (equity) from alpaca"),
        "{left}"
    );
    let updated = with_keys(&place, &server, "data update --symbols SPY --timeframes 4H").printed();
    assert_eq!(row(&updated, &["SPY 30M (equity)"])[3], "13");
    assert_eq!(
        row(&updated, &["SPY 4H (equity)"])[1..4],
        ["6", "made from 30M", "2"]
    );
}

#[test]
fn an_update_says_what_its_provider_leaves_out() {
    let server = TestServer::start(|request| binance("2024-01-01", 10, request));
    let place = Place::new();
    run(&place, &server, DOWNLOAD).printed();
    let asked = server.requests().len();
    let all = "data update --provider yaho";
    run(&place, &server, all).fails_with(&["--provider yaho", "binance", "treasury"]);
    run(&place, &server, "data update --macro --provider binance")
        .fails_with(&["binance", "there is treasury"]);
    run(
        &place,
        &server,
        "data download --macro --provider yaho --start 2024-01-01",
    )
    .fails_with(&["yaho", "cboe"]);
    run(
        &place,
        &server,
        "data update --asset-class crypto --provider cboe",
    )
    .fails_with(&["cboe", "there is yahoo"]);
    let left = run(&place, &server, "data update --provider kraken").printed();
    assert!(
        left.contains("left as they are: BTC-USD 1D (crypto) from binance"),
        "{left}"
    );
    run(&place, &server, "data update --symbols BTC-USD --provider kraken")
        .fails_with(&["BTC-USD 1D (crypto)", "--provider binance"]);
    assert_eq!(server.requests().len(), asked);
    let printed = run(
        &place,
        &server,
        "data update --symbols BTC-USD --provider binance",
    )
    .printed();
    assert_eq!(row(&printed, &["BTC-USD 1D (crypto)"])[3], "2");
}

#[test]
fn the_feed_of_alpaca_can_be_chosen() {
    let server = TestServer::start(|request| alpaca(3, request));
    let place = Place::new();
    with_keys(&place, &server, &format!("{FOUR_HOURS} --feed sip")).printed();
    let status = place.run(&["data", "status"]).printed();
    assert!(
        row(&status, &["SPY", "equity", "30M"])[8].contains("feed sip"),
        "{status}"
    );
    with_keys(&place, &server, "data update").printed();
    let feeds: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.parameter("feed").map(str::to_owned))
        .collect();
    assert!(
        feeds.iter().all(|feed| feed.as_deref() == Some("sip")),
        "{feeds:?}"
    );
    with_keys(&place, &server, "data update --symbols SPY --feed iex")
        .fails_with(&["feed sip", "SPY 30M (equity)"]);
    with_keys(&place, &server, &format!("{FOUR_HOURS} --feed otc")).fails_with(&["otc", "iex, sip"]);
}

#[test]
fn bars_of_another_source_are_not_replaced_by_resampled_ones() {
    let server = TestServer::start(|request| alpaca(2, request));
    let place = Place::new();
    place.write(
        "4h.csv",
        "timestamp,open,high,low,close,volume\n2024-01-02T14:30:00Z,10,11,9,10,1\n",
    );
    let import = "data import --from 4h.csv --symbol SPY --asset-class equity --timeframe 4H";
    place.run(&import.split(' ').collect::<Vec<_>>()).printed();
    with_keys(&place, &server, FOUR_HOURS).fails_with(&[
        "1 of 2 failed",
        "SPY 4H",
        "CSV file 4h.csv",
        "data resample",
    ]);
    with_keys(&place, &server, &format!("{FOUR_HOURS} --replace")).printed();
}

#[test]
fn keys_are_needed_and_stay_secret() {
    let server = TestServer::start(|request| alpaca(2, request));
    let place = Place::new();
    run(&place, &server, FOUR_HOURS).fails_with(&["APCA_API_KEY_ID", "not set"]);
    assert!(server.requests().is_empty());
    let wrong = [
        ("APCA_API_KEY_ID", KEY),
        ("APCA_API_SECRET_KEY", "another-secret"),
    ];
    let base_url = server.url("/");
    let arguments = format!("{FOUR_HOURS} --base-url {base_url}");
    let refused = place.run_with(&wrong, &arguments.split(' ').collect::<Vec<_>>());
    assert!(
        !refused.stderr.contains("another-secret") && !refused.stderr.contains(KEY),
        "{}",
        refused.stderr
    );
    refused.fails_with(&["refused the keys", "403"]);
    let good = with_keys(&place, &server, FOUR_HOURS);
    for text in [&good.stdout, &good.stderr] {
        assert!(!text.contains(SECRET) && !text.contains(KEY), "{text}");
    }
    good.printed();
    let files = files_below(&place.path("data"));
    assert!(
        files.iter().any(|file| file.to_string_lossy().contains(".cache")),
        "{files:?}"
    );
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for secret in [KEY, SECRET, "another-secret"] {
            let holds = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!holds, "{} holds {secret}", file.display());
        }
    }
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

fn vix(request: &TestRequest) -> TestResponse {
    assert_eq!(
        request.path,
        "/api/global/us_indices/daily_prices/VIX_History.csv"
    );
    TestResponse::ok("DATE,OPEN,HIGH,LOW,CLOSE\n01/02/2024,13.1,13.9,13.0,13.20\n01/03/2024,13,14,13,14.04\n")
}

#[test]
fn macro_tables_are_downloaded_and_updated() {
    let server = TestServer::start(vix);
    let place = Place::new();
    run(&place, &server, "data update --macro vix").fails_with(&[
        "vix",
        "not in the lake",
        "data download --macro vix",
    ]);
    let printed = run(&place, &server, "data download --macro vix --start 2024-01-01").printed();
    assert_eq!(row(&printed, &["vix (macro)"])[1], "2");
    let file = place.path("data/macro/vix.parquet");
    let before = std::fs::read(&file).unwrap();
    let printed = run(&place, &server, "data update --macro").printed();
    assert!(printed.contains("vix: nothing new"), "{printed}");
    assert_eq!(rows(&printed).len(), 2, "{printed}");
    run(&place, &server, "data update").printed();
    assert_eq!(std::fs::read(&file).unwrap(), before);
    run(&place, &server, "data download --macro cpi --start 2024-01-01").fails_with(&[
        "cpi",
        "yield_curve (treasury)",
        "pmi (fred)",
    ]);
    run(
        &place,
        &server,
        "data download --macro vix --provider fred --start 2024-01-01",
    )
    .fails_with(&["vix", "fred"]);
}

#[test]
fn requests_that_make_no_sense_say_what_does() {
    let place = Place::new();
    let run = |command: &str| place.run(&command.split(' ').collect::<Vec<_>>());
    run("data download --symbols SPY --asset-class equity").fails_with(&["--start"]);
    run("data download --symbols SPY --start 2024-01-01").fails_with(&["--asset-class"]);
    run("data download --asset-class equity --start 2024-01-01").fails_with(&["--symbols"]);
    run("data download --symbols A= --asset-class equity --start 2024-01-01")
        .fails_with(&["A=", "BTC-USD=BTCUSDT"]);
    run("data download --symbols SPY --asset-class equity --start 2024-01-01 --provider bloomberg")
        .fails_with(&["bloomberg", "yahoo", "alpaca"]);
    run("data download --symbols EURUSD --asset-class fx --start 2024-01-01")
        .fails_with(&["fx", "data import"]);
    run("data download --symbols SPY --asset-class equity --start 2024-02-01 --end 2024-01-01")
        .fails_with(&["2024-02-01", "before"]);
    run("data download --symbols SPY --asset-class equity --start 2024-01-01 --provider binance")
        .fails_with(&["binance", "crypto"]);
    run("data download --symbols SPY --macro vix --start 2024-01-01").fails_with(&["--macro", "--symbols"]);
}
