//! The whole layer against a scripted server.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sextant_data::ProviderError;
use sextant_testkit::http::{TestResponse, TestServer};

use super::*;

const CANARY: &str = "canary-0123456789abcdef";
const GOOD: &str = "{\"good\":true}";

fn config() -> HttpConfig {
    HttpConfig {
        first_backoff: Duration::from_millis(2),
        longest_wait: Duration::from_secs(2),
        timeout: Duration::from_secs(5),
        ..HttpConfig::new(None)
    }
}

fn fetcher(config: HttpConfig) -> Fetcher {
    Fetcher::new("test", Duration::ZERO, config)
}

fn page(server: &TestServer, path: &str) -> PageRequest {
    PageRequest {
        url: server.url(path),
        headers: Vec::new(),
        finality: Finality::Final,
    }
}

/// Takes 200 for good, and tells what else came.
fn judge(answer: &Answer) -> Judgement<String> {
    let text = String::from_utf8(answer.body.clone()).unwrap();
    match answer.status {
        200 if text.contains("busy") => Judgement::TryAgain(text),
        200 => Judgement::Good(text),
        status => Judgement::Failed(ProviderError::Refused {
            provider: "test",
            address: "judged by the client".to_owned(),
            status,
            message: text,
        }),
    }
}

fn get(server: &TestServer, config: HttpConfig) -> Result<String, ProviderError> {
    fetcher(config).get(&page(server, "/v1/page?a=b"), judge)
}

#[expect(clippy::disallowed_methods, reason = "these tests measure waits")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}

#[test]
fn a_request_says_who_asks_and_wants_no_compression() {
    let server = TestServer::in_turn([TestResponse::ok(GOOD)]);
    let request = PageRequest {
        headers: vec![
            ("x-key", Secret(CANARY.into())),
            ("accept", Secret("text/csv".into())),
        ],
        ..page(&server, "/v1/page?symbols=BTC%2FUSD")
    };
    assert_eq!(fetcher(config()).get(&request, judge).unwrap(), GOOD);
    let asked = &server.requests()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/v1/page"));
    assert_eq!(asked.parameter("symbols"), Some("BTC/USD"));
    assert_eq!(
        asked.header("user-agent"),
        Some(concat!("sextant/", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(asked.header("accept-encoding"), Some("identity"));
    assert_eq!(asked.header("x-key"), Some(CANARY));
    assert_eq!(asked.header("accept"), Some("text/csv"));
}

#[test]
fn what_passes_is_tried_again() {
    for (bad, name) in [
        (TestResponse::truncated("{\"goo"), "truncated"),
        (TestResponse::closed(), "closed"),
        (TestResponse::status(500, "oops"), "500"),
        (TestResponse::status(503, "overloaded"), "503"),
        (TestResponse::status(504, ""), "504"),
        (TestResponse::status(429, "slow down"), "429"),
        (
            TestResponse::status(429, "slow down").with_header("retry-after", "0"),
            "429 with a wait of 0",
        ),
        (
            TestResponse::status(418, "banned").with_header("retry-after", "0"),
            "418",
        ),
        (
            TestResponse::truncated("{\"goo").with_header("transfer-encoding", "chunked"),
            "no proper chunks",
        ),
        (TestResponse::ok("{\"error\":\"busy\"}"), "busy by its body"),
    ] {
        let server = TestServer::in_turn([bad.clone(), bad, TestResponse::ok(GOOD)]);
        assert_eq!(get(&server, config()).unwrap(), GOOD, "{name}");
        assert_eq!(server.requests().len(), 3, "{name}");
    }
}

#[test]
fn an_answer_that_takes_too_long_is_asked_for_again() {
    let slow = TestResponse::ok(GOOD).slow(Duration::from_secs(60));
    let server = TestServer::in_turn([slow, TestResponse::ok(GOOD)]);
    let quick = HttpConfig {
        timeout: Duration::from_millis(200),
        ..config()
    };
    assert_eq!(get(&server, quick).unwrap(), GOOD);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn patience_ends_with_the_last_failure() {
    for (bad, words) in [
        (
            TestResponse::truncated("12345"),
            "127.0.0.1:PORT/v1/page after 3 attempts: the answer broke off after 5 of 6 bytes",
        ),
        (
            TestResponse::closed(),
            "after 3 attempts: the connection was closed before an answer came",
        ),
        (
            TestResponse::status(502, "<h1>\nBad Gateway</h1>"),
            "127.0.0.1:PORT/v1/page with status 502: <h1> Bad Gateway</h1> (the last of 3 attempts;",
        ),
        (
            TestResponse::status(429, "slow down"),
            "(status 429: slow down) and asked to wait 1 s after 3 attempts",
        ),
        (
            TestResponse::ok("busy"),
            "(busy) and asked to wait 1 s after 3 attempts",
        ),
    ] {
        let server = TestServer::in_turn([bad]);
        let port = server.url("").rsplit(':').next().unwrap().to_owned();
        let error = get(
            &server,
            HttpConfig {
                attempts: 3,
                ..config()
            },
        )
        .unwrap_err()
        .to_string();
        assert!(error.contains(&words.replace("PORT", &port)), "{error}");
        assert!(!error.contains("a=b"), "{error}");
        assert_eq!(server.requests().len(), 3, "{error}");
    }
}

#[test]
fn nobody_listens() {
    let server = TestServer::in_turn([TestResponse::ok(GOOD)]);
    let request = page(&server, "/v1/page");
    drop(server);
    let error = fetcher(HttpConfig {
        attempts: 2,
        ..config()
    })
    .get(&request, judge)
    .unwrap_err();
    assert!(
        matches!(error, ProviderError::Unreachable { attempts: 2, .. }),
        "{error}"
    );
}

#[test]
fn a_wait_asked_for_is_kept_to() {
    let limited = TestResponse::status(429, "").with_header("retry-after", "1");
    let server = TestServer::in_turn([limited, TestResponse::ok(GOOD)]);
    let (found, took) = timed(|| get(&server, config()));
    assert_eq!(found.unwrap(), GOOD);
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_wait_that_is_too_long_fails_at_once() {
    let date = |text: &str| {
        TestResponse::status(429, "")
            .with_header("date", "Sun, 06 Nov 1994 08:49:07 GMT")
            .with_header("retry-after", text)
    };
    let seconds = |status| TestResponse::status(status, "").with_header("retry-after", "3");
    let body = TestResponse::ok("busy").with_header("retry-after", "3");
    for (limited, expected) in [
        (seconds(429), 3),
        (seconds(418), 3),
        (seconds(503), 3),
        (body, 3),
        (date("Sun, 06 Nov 1994 08:59:07 GMT"), 600),
        (
            seconds(429).with_header("retry-after", "99999999999999999999"),
            u64::MAX,
        ),
    ] {
        let server = TestServer::in_turn([limited]);
        let error = get(&server, config()).unwrap_err();
        let ProviderError::RateLimited {
            wait_seconds,
            attempts: 1,
            ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(wait_seconds, expected);
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_date_that_has_passed_is_no_wait() {
    let past = TestResponse::status(429, "").with_header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
    let server = TestServer::in_turn([past, TestResponse::ok(GOOD)]);
    assert_eq!(get(&server, config()).unwrap(), GOOD);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_refusal_is_for_the_client_to_read_and_is_not_repeated() {
    for status in [400, 401, 403, 404, 422] {
        let server = TestServer::in_turn([TestResponse::status(status, "no such symbol")]);
        let error = get(&server, config()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("test answered judged by the client with status {status}: no such symbol")
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn redirects_are_refused() {
    let other = TestServer::in_turn([TestResponse::ok(GOOD)]);
    let target = other.url("/elsewhere?token=1");
    for status in [301, 302, 303, 307, 308] {
        let server = TestServer::in_turn([TestResponse::status(status, "").with_header("location", &target)]);
        let error = get(&server, config()).unwrap_err();
        assert!(
            matches!(&error, ProviderError::Refused { status: found, .. } if *found == status),
            "{error}"
        );
        let text = error.to_string();
        assert!(
            text.contains("it redirects to http://127.0.0.1:") && !text.contains("token"),
            "{text}"
        );
        assert_eq!(server.requests().len(), 1);
    }
    assert!(other.requests().is_empty());
}

#[test]
fn a_body_that_is_too_large_or_compressed_is_refused() {
    let large = "x".repeat(1001);
    let endless = format!("3e9\r\n{large}\r\n0\r\n\r\n");
    for (body, words) in [
        (
            TestResponse::ok(large),
            "a body of 1001 bytes, and at most 1000 bytes are accepted",
        ),
        (
            TestResponse::ok(endless).with_header("transfer-encoding", "chunked"),
            "at most 1000 bytes are accepted",
        ),
        (
            TestResponse::ok("\u{1f}").with_header("content-encoding", "gzip"),
            "with the encoding gzip, although only",
        ),
    ] {
        let server = TestServer::in_turn([body]);
        let mut fetcher = fetcher(config());
        fetcher.largest_body_bytes = 1000;
        let error = fetcher.get(&page(&server, "/v1/page"), judge).unwrap_err();
        assert!(matches!(error, ProviderError::Shape { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(server.requests().len(), 1, "{error}");
    }
    let server = TestServer::in_turn([TestResponse::ok("x".repeat(1000))]);
    let mut fetcher = fetcher(config());
    fetcher.largest_body_bytes = 1000;
    assert_eq!(
        fetcher.get(&page(&server, "/v1/page"), judge).unwrap().len(),
        1000
    );
}

#[test]
fn requests_keep_their_distance_from_all_threads() {
    let server = TestServer::in_turn([TestResponse::ok(GOOD)]);
    let pace = Duration::from_millis(30);
    let fetcher = Fetcher::new("test", pace, config());
    let request = page(&server, "/v1/page");
    let ((), took) = timed(|| {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..2).for_each(|_| assert_eq!(fetcher.get(&request, judge).unwrap(), GOOD)));
            }
        });
    });
    assert!(took >= pace * 5, "{took:?}");
    assert_eq!(server.requests().len(), 6);
}

fn cached(folder: &Path) -> HttpConfig {
    HttpConfig {
        cache: Some(folder.to_owned()),
        ..config()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder.join("test"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn a_final_answer_is_asked_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(|request| TestResponse::ok(request.parameter("a").unwrap()));
    for _ in 0..2 {
        let fetcher = fetcher(cached(folder.path()));
        assert_eq!(fetcher.get(&page(&server, "/p?a=1"), judge).unwrap(), "1");
        assert_eq!(fetcher.get(&page(&server, "/p?a=2"), judge).unwrap(), "2");
    }
    assert_eq!(server.requests().len(), 2);
    let url = server.url("/p?a=1");
    drop(server);
    let request = PageRequest {
        url: url.clone(),
        headers: vec![],
        finality: Finality::Final,
    };
    assert_eq!(
        fetcher(cached(folder.path())).get(&request, judge).unwrap(),
        "1",
        "nobody listens any more"
    );
    let name = format!("{}.answer", blake3::hash(url.as_bytes()).to_hex());
    let content = fs::read_to_string(folder.path().join("test").join(name)).unwrap();
    assert!(
        content.starts_with("{\"version\":1,\"url\":\"http://127.0.0.1:") && content.ends_with("}\n1"),
        "{content}"
    );
    assert_eq!(files(folder.path()).len(), 2, "no unfinished files");
}

#[test]
fn kept_answers_are_replaced_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::in_turn([TestResponse::ok("old"), TestResponse::ok(GOOD)]);
    let ask = |kept_pages| {
        let config = HttpConfig {
            kept_pages,
            ..cached(folder.path())
        };
        fetcher(config).get(&page(&server, "/p"), |answer| {
            Judgement::Good(String::from_utf8(answer.body.clone()).unwrap())
        })
    };
    assert_eq!(ask(KeptPages::Use).unwrap(), "old");
    assert_eq!(ask(KeptPages::Use).unwrap(), "old");
    assert_eq!(ask(KeptPages::Refresh).unwrap(), GOOD);
    assert_eq!(ask(KeptPages::Use).unwrap(), GOOD);
    assert_eq!((server.requests().len(), files(folder.path()).len()), (2, 1));
}

#[test]
fn what_may_change_or_is_not_good_is_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(|request| match request.path.as_str() {
        "/missing" => TestResponse::status(404, "none"),
        "/busy" => TestResponse::ok("busy"),
        "/echo" => TestResponse::ok(format!("{{\"key\":\"{CANARY}\"}}")),
        _ => TestResponse::ok(GOOD),
    });
    let lenient = |answer: &Answer| match judge(answer) {
        Judgement::Failed(_) => Judgement::Good("judged to be empty".to_owned()),
        other => other,
    };
    let fetcher = fetcher(HttpConfig {
        attempts: 1,
        ..cached(folder.path())
    });
    let echo = PageRequest {
        headers: vec![("x-key", Secret(CANARY.into()))],
        ..page(&server, "/echo")
    };
    for _ in 0..2 {
        let changing = PageRequest {
            finality: Finality::Changing,
            ..page(&server, "/now")
        };
        assert_eq!(fetcher.get(&changing, judge).unwrap(), GOOD);
        assert!(fetcher.get(&page(&server, "/missing"), judge).is_err());
        assert_eq!(
            fetcher.get(&page(&server, "/missing"), lenient).unwrap(),
            "judged to be empty"
        );
        assert!(fetcher.get(&page(&server, "/busy"), judge).is_err());
        assert!(fetcher.get(&echo, judge).is_ok());
    }
    assert_eq!(server.requests().len(), 10);
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_damaged_or_foreign_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::in_turn([TestResponse::ok(GOOD)]);
    let fetcher = fetcher(cached(folder.path()));
    assert_eq!(fetcher.get(&page(&server, "/p"), judge).unwrap(), GOOD);
    let file = files(folder.path()).remove(0);
    let whole = fs::read_to_string(&file).unwrap();
    let damages = [
        String::new(),
        "not ours".to_owned(),
        whole[..whole.len() - 1].to_owned(),
        format!("{whole} "),
        whole.replace("true", "tru3"),
        whole.replace("\"version\":1", "\"version\":2"),
        whole.replace("/p\"", "/q\""),
    ];
    for (round, damaged) in damages.into_iter().enumerate() {
        assert_ne!(damaged, whole);
        fs::write(&file, &damaged).unwrap();
        assert_eq!(fetcher.get(&page(&server, "/p"), judge).unwrap(), GOOD);
        assert_eq!(server.requests().len(), round + 2, "{damaged:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), whole);
    }
    let strict = |answer: &Answer| match server.requests().len() {
        8 => Judgement::TryAgain("the client of today does not take it".to_owned()),
        _ => judge(answer),
    };
    assert_eq!(fetcher.get(&page(&server, "/p"), strict).unwrap(), GOOD);
    assert_eq!(server.requests().len(), 9);
}

#[test]
fn a_cache_that_cannot_be_used_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::in_turn([TestResponse::ok(GOOD)]);
    let occupied = folder.path().join("occupied");
    fs::write(&occupied, "a file").unwrap();
    let error = get(&server, cached(&occupied)).unwrap_err();
    assert!(matches!(error, ProviderError::Cache(_)), "{error}");
    assert!(
        error
            .to_string()
            .contains(&occupied.join("test").display().to_string()),
        "{error}"
    );
    assert!(
        server.requests().is_empty(),
        "found out before anything is asked for"
    );

    // The folder disappears while the page is on its way.
    let fleeting = folder.path().join("fleeting");
    let judge_late = |answer: &Answer| {
        fs::remove_dir_all(&fleeting).unwrap();
        judge(answer)
    };
    let error = fetcher(cached(&fleeting))
        .get(&page(&server, "/p"), judge_late)
        .unwrap_err();
    assert!(matches!(error, ProviderError::Cache(_)), "{error}");
    assert!(error.to_string().contains("fleeting"), "{error}");
}

#[test]
fn a_secret_reaches_no_error_no_debug_output_and_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let echo = format!("the key {CANARY} is bad");
    let target = format!("/x/{CANARY}");
    let server = TestServer::start(move |request| {
        assert_eq!(request.header("x-key"), Some(CANARY));
        let (status, body) = match request.path.as_str() {
            "/good" => (200, GOOD.to_owned()),
            "/busy" => (200, format!("busy with {CANARY}")),
            path => (path[1..].parse().unwrap(), echo.clone()),
        };
        TestResponse::status(status, body).with_header("location", &target)
    });
    let fetcher = fetcher(HttpConfig {
        attempts: 2,
        ..cached(folder.path())
    });
    let keys = || {
        vec![
            ("x-key", Secret(CANARY.into())),
            ("authorization", Secret(format!("Bearer {CANARY}"))),
        ]
    };
    let mut outputs = vec![format!("{fetcher:?}"), format!("{:#?}", keys())];
    for path in ["/good", "/busy", "/302", "/401", "/404", "/429", "/500", "/503"] {
        let request = PageRequest {
            headers: keys(),
            ..page(&server, path)
        };
        outputs.push(format!("{request:?}"));
        match fetcher.get(&request, judge) {
            Ok(found) => outputs.push(found),
            Err(error) => outputs.push(format!("{error} {error:?}")),
        }
    }
    let unusable = Secret(format!("{CANARY}\r\nx-injected: 1"));
    let request = PageRequest {
        headers: vec![("x-key", unusable)],
        ..page(&server, "/broken")
    };
    outputs.push(fetcher.get(&request, judge).unwrap_err().to_string());
    assert!(
        outputs
            .last()
            .unwrap()
            .contains("characters that no header can have")
    );
    let request = PageRequest {
        headers: keys(),
        ..page(&server, "/gone")
    };
    drop(server);
    outputs.push(format!("{:?}", fetcher.get(&request, judge).unwrap_err()));
    let kept = files(folder.path());
    assert_eq!(kept.len(), 1);
    outputs.extend(kept.iter().map(|file| fs::read_to_string(file).unwrap()));
    assert_eq!(outputs.len(), 2 + 8 * 2 + 2 + 1);
    for output in outputs {
        assert!(!output.contains(CANARY), "{output}");
    }
}
