//! A scripted HTTP server on the loopback interface, for tests of clients and of whole commands.
//!
//! A closure decides every answer, including those that no proper server gives: a body that breaks off, a connection
//! that is closed without a word, an answer that takes its time. Whatever was asked is recorded. Each connection serves
//! one request; a test that needs an address where nobody listens takes that of a server that was dropped.
//!
//! ```
//! use sextant_testkit::http::{TestResponse, TestServer};
//!
//! let server = TestServer::start(|request| match request.path.as_str() {
//!     "/v1/time" => TestResponse::ok("{\"now\":0}"),
//!     _ => TestResponse::status(404, "no such page"),
//! });
//! assert!(server.url("/v1/time").starts_with("http://127.0.0.1:"));
//! assert!(server.requests().is_empty());
//! ```

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a server does not read further than.
const LARGEST_REQUEST_BYTES: u64 = 1 << 20;

/// How long a client may be silent in the middle of its request.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);

/// A slow answer looks this often whether the server was dropped.
const TICK: Duration = Duration::from_millis(5);

/// A server at `127.0.0.1`, on a port of its own, until it is dropped.
///
/// A panic in the closure, such as a failed assertion about the request, closes the connection and fails the test when
/// the server is dropped.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRequest {
    /// Such as `GET`.
    pub method: String,
    /// The path, without the query, not decoded.
    pub path: String,
    /// The decoded pairs of the query, in order. A name without `=` has an empty value.
    pub query: Vec<(String, String)>,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty where none was announced.
    pub body: Vec<u8>,
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delivery: Delivery,
    delay: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Whole,
    Truncated,
    Closed,
}

struct Shared {
    routes: Box<dyn Fn(&TestRequest) -> TestResponse + Send + Sync>,
    requests: Mutex<Vec<TestRequest>>,
    stopped: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

impl TestServer {
    /// A server whose answers the closure decides. It is called from several threads when several requests come at once.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub fn start(routes: impl Fn(&TestRequest) -> TestResponse + Send + Sync + 'static) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            routes: Box::new(routes),
            requests: Mutex::new(Vec::new()),
            stopped: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let accepting = Some(thread::spawn(move || accept(&listener, &for_thread)));
        Self {
            address,
            shared,
            accepting,
        }
    }

    /// A server that gives these answers in turn, whatever is asked, and the last of them from then on.
    ///
    /// # Panics
    /// When there are none.
    pub fn in_turn(responses: impl IntoIterator<Item = TestResponse>) -> Self {
        let responses: Vec<_> = responses.into_iter().collect();
        assert!(!responses.is_empty(), "a server needs an answer to give");
        let given = Mutex::new(0);
        Self::start(move |_| {
            let mut given = lock(&given);
            let response = responses[(*given).min(responses.len() - 1)].clone();
            *given += 1;
            response
        })
    }

    /// The address of a path, which begins with `/` and may have a query.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far, in the order in which they arrived.
    pub fn requests(&self) -> Vec<TestRequest> {
        lock(&self.shared.requests).clone()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        let ended = self.accepting.take().map(JoinHandle::join);
        if let Some(Err(panicked)) = ended
            && !thread::panicking()
        {
            panic::resume_unwind(panicked);
        }
    }
}

impl TestRequest {
    /// The first value of a name in the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// The first value of a header, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }
}

impl TestResponse {
    /// Status 200 with a body: JSON when it begins like JSON, CSV otherwise.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// Any status with a body.
    pub fn status(code: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
        let kind = if json { "application/json" } else { "text/csv" };
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Self {
            status: code,
            headers,
            body,
            delivery: Delivery::Whole,
            delay: Duration::ZERO,
        }
    }

    /// Status 200 that announces one byte more than the body has, and then closes the connection.
    pub fn truncated(body: impl Into<Vec<u8>>) -> Self {
        Self {
            delivery: Delivery::Truncated,
            ..Self::ok(body)
        }
    }

    /// The connection is closed without an answer.
    pub fn closed() -> Self {
        Self {
            delivery: Delivery::Closed,
            ..Self::ok("")
        }
    }

    /// With a header, in place of one of the same name. `content-length` replaces the length that is announced.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same after a while.
    pub fn slow(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn head(&self) -> String {
        let announced = self.body.len() + usize::from(self.delivery == Delivery::Truncated);
        let mut head = format!("HTTP/1.1 {} Scripted\r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if first(&self.headers, "content-length").is_none() {
            head.push_str(&format!("content-length: {announced}\r\n"));
        }
        head + "\r\n"
    }
}

/// Serves one connection after the other, each in its own thread, until the server is stopped.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut serving: Vec<JoinHandle<()>> = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        let shared = Arc::clone(shared);
        serving.push(thread::spawn(move || {
            // A client that went away is part of what is tested.
            let _ = serve(stream, &shared);
        }));
    }
    let ended: Vec<_> = serving.into_iter().map(JoinHandle::join).collect();
    if let Some(Err(panicked)) = ended.into_iter().find(Result::is_err) {
        panic::resume_unwind(panicked);
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(LONGEST_SILENCE))?;
    let request = read_request(&mut stream)?;
    lock(&shared.requests).push(request.clone());
    let response = (shared.routes)(&request);
    pause(response.delay, shared);
    if response.delivery != Delivery::Closed {
        stream.write_all(response.head().as_bytes())?;
        stream.write_all(&response.body)?;
    }
    stream.shutdown(Shutdown::Both)
}

fn pause(delay: Duration, shared: &Shared) {
    let mut rest = delay;
    while !rest.is_zero() && !shared.stopped.load(Ordering::SeqCst) {
        let step = rest.min(TICK);
        thread::sleep(step);
        rest -= step;
    }
}

fn read_request(stream: &mut TcpStream) -> io::Result<TestRequest> {
    let mut reader = BufReader::new(stream.take(LARGEST_REQUEST_BYTES));
    let first_line = read_line(&mut reader)?;
    let mut words = first_line.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no request line"));
    };
    let mut headers = Vec::new();
    loop {
        let line = read_line(&mut reader)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = first(&headers, "content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(TestRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: pairs(query),
        headers,
        body,
    })
}

/// A line without its end.
fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let split = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(split)
        .collect()
}

/// Undoes the percent-encoding of a form; `+` is a space. What is no encoding stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let code = code.filter(|two| two.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match (byte, code.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(encoded)) => {
                bytes.push(encoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(if byte == b'+' { b' ' } else { byte });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.as_str())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn exchange(server: &TestServer, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn requests_are_decoded_recorded_and_answered() {
        let server = TestServer::start(|request| {
            TestResponse::ok(format!(
                "{{\"of\":\"{}\"}}",
                request.parameter("symbols").unwrap_or("none")
            ))
            .with_header("Retry-After", "3")
        });
        let request = "POST /v1/a%20b?symbols=BTC%2FUSD&end=a+b&flag&bad=%zz HTTP/1.1\r\nX-Key: k \r\nContent-Length: 3\r\n\r\nabc";
        let answer = exchange(&server, request);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(
            answer.contains("content-type: application/json\r\nretry-after: 3\r\n"),
            "{answer}"
        );
        assert!(
            answer.ends_with("content-length: 16\r\n\r\n{\"of\":\"BTC/USD\"}"),
            "{answer}"
        );
        let recorded = server.requests();
        assert_eq!(recorded.len(), 1);
        let pairs = [
            ("symbols", "BTC/USD"),
            ("end", "a b"),
            ("flag", ""),
            ("bad", "%zz"),
        ];
        assert_eq!(
            recorded[0].query,
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(
            (recorded[0].method.as_str(), recorded[0].path.as_str()),
            ("POST", "/v1/a%20b")
        );
        assert_eq!(
            (recorded[0].header("x-key"), recorded[0].body.as_slice()),
            (Some("k"), b"abc".as_slice())
        );
    }

    #[test]
    fn broken_answers_are_broken() {
        let server = TestServer::in_turn([
            TestResponse::truncated("a,b"),
            TestResponse::closed(),
            TestResponse::status(404, ""),
        ]);
        let truncated = exchange(&server, "GET / HTTP/1.1\r\n\r\n");
        assert!(
            truncated.contains("text/csv") && truncated.ends_with("content-length: 4\r\n\r\na,b"),
            "{truncated}"
        );
        assert_eq!(exchange(&server, "GET / HTTP/1.1\r\n\r\n"), "");
        for _ in 0..2 {
            assert!(exchange(&server, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        }
        assert_eq!(server.requests().len(), 4);
    }

    #[test]
    fn a_dropped_server_is_gone_even_in_the_middle_of_a_slow_answer() {
        let server = TestServer::start(|_| TestResponse::ok("late").slow(Duration::from_secs(3600)));
        let address = server.address;
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        while server.requests().is_empty() {
            thread::sleep(TICK);
        }
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    #[should_panic(expected = "wrong path /b")]
    fn a_failed_assertion_in_the_closure_fails_the_test() {
        let server = TestServer::start(|request| panic!("wrong path {}", request.path));
        let _ = exchange(&server, "GET /b HTTP/1.1\r\n\r\n");
    }
}
