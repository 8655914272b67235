//! One attempt: a request goes out, and a complete answer comes in or does not.

use std::io::{self, Read};
use std::time::Duration;

use ureq::http::header::{CONTENT_ENCODING, DATE, HeaderName, LOCATION, RETRY_AFTER};
use ureq::http::{HeaderMap, HeaderValue};
use ureq::{Agent, Body};

use super::Secret;
use super::address::{Address, Place};

/// What every request says about itself, unless its client says something else.
const USER_AGENT: &str = concat!("sextant/", env!("CARGO_PKG_VERSION"));

/// Sends requests; connections to the same host are used again.
#[derive(Debug)]
pub(super) struct Transport {
    agent: Agent,
    timeout: Duration,
}

/// An answer whose status and headers arrived.
#[derive(Debug)]
pub(super) struct Reply {
    /// The HTTP status.
    pub(super) status: u16,
    /// The whole body, or why there is none.
    pub(super) body: Result<Vec<u8>, Failure>,
    headers: HeaderMap,
}

/// Why there is no complete answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The network, or a server that went away; another attempt may be better.
    BrokenOff(String),
    /// Another attempt would fail in the same way: the request cannot be sent, or the other side is not trusted.
    Hopeless(String),
    /// An answer that is too large, or compressed although that was not asked for.
    Unfit(String),
}

impl Transport {
    /// A transport whose attempts take at most `timeout` each, from looking up the name to the last byte.
    pub(super) fn new(timeout: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(timeout))
            .user_agent(USER_AGENT)
            .accept_encoding("identity")
            .build();
        Self {
            agent: config.new_agent(),
            timeout,
        }
    }

    /// Asks once. A body of more than `largest_bytes` is not read to its end.
    ///
    /// # Errors
    /// When not even a status arrived; a failure within the body is part of the [`Reply`].
    pub(super) fn ask(
        &self,
        address: &Address,
        headers: &[(&'static str, Secret)],
        largest_bytes: u64,
    ) -> Result<Reply, Failure> {
        let mut request = self.agent.get(address.uri.clone());
        if address.place == Place::Loopback {
            // A proxy would be another machine.
            request = request.config().proxy(None).build();
        }
        for (name, secret) in headers {
            request = request.header(*name, header_value(name, secret)?);
        }
        let (head, body) = request.call().map_err(|error| self.failure(error))?.into_parts();
        let body = fitting(&head.headers).and_then(|()| self.read(body, largest_bytes));
        Ok(Reply {
            status: head.status.as_u16(),
            body,
            headers: head.headers,
        })
    }

    fn read(&self, body: Body, largest_bytes: u64) -> Result<Vec<u8>, Failure> {
        let announced_bytes = body.content_length();
        let too_large =
            |what: String| Failure::Unfit(format!("{what}, and at most {largest_bytes} bytes are accepted"));
        if let Some(announced) = announced_bytes.filter(|announced| *announced > largest_bytes) {
            return Err(too_large(format!("a body of {announced} bytes")));
        }
        let mut bytes = Vec::new();
        let read = body.into_reader().take(largest_bytes + 1).read_to_end(&mut bytes);
        let found_bytes = bytes.len() as u64;
        if found_bytes > largest_bytes {
            return Err(too_large("a body that goes on and on".to_owned()));
        }
        match (read, announced_bytes) {
            (Ok(_), None) => Ok(bytes),
            (Ok(_), Some(announced)) if announced == found_bytes => Ok(bytes),
            (Err(error), _) if error.kind() != io::ErrorKind::UnexpectedEof => {
                Err(self.failure(error.into()))
            }
            (_, Some(announced)) => Err(Failure::BrokenOff(format!(
                "the answer broke off after {found_bytes} of {announced} bytes"
            ))),
            (_, None) => Err(Failure::BrokenOff(format!(
                "the answer broke off after {found_bytes} bytes"
            ))),
        }
    }

    fn failure(&self, error: ureq::Error) -> Failure {
        use ureq::Error;
        match error {
            Error::Timeout(_) => Failure::BrokenOff(format!(
                "no complete answer within {} s",
                self.timeout.as_secs_f64()
            )),
            Error::HostNotFound => Failure::BrokenOff("no machine is known by this name".to_owned()),
            Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Failure::BrokenOff("the connection was closed before an answer came".to_owned())
            }
            Error::Io(error) => Failure::BrokenOff(error.to_string()),
            error @ (Error::ConnectionFailed | Error::Protocol(_) | Error::BodyStalled) => {
                Failure::BrokenOff(error.to_string())
            }
            error => Failure::Hopeless(error.to_string()),
        }
    }
}

impl Reply {
    /// The value of `Retry-After`.
    pub(super) fn retry_after(&self) -> Option<&str> {
        self.text(&RETRY_AFTER)
    }

    /// The server's clock.
    pub(super) fn date(&self) -> Option<&str> {
        self.text(&DATE)
    }

    /// Where it redirects to, without the query.
    pub(super) fn location(&self) -> Option<&str> {
        self.text(&LOCATION)
            .and_then(|location| location.split(['?', '#']).next())
    }

    fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn header_value(name: &str, secret: &Secret) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(&secret.0).map_err(|_| {
        Failure::Hopeless(format!(
            "the value for the header {name} has characters that no header can have; check the key"
        ))
    })?;
    // The client library writes it to no log.
    value.set_sensitive(true);
    Ok(value)
}

/// Whether the body is what it is: no compression was asked for, and none can be undone here.
fn fitting(headers: &HeaderMap) -> Result<(), Failure> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(()),
        Some(encoding) => {
            let found = String::from_utf8_lossy(encoding).into_owned();
            Err(Failure::Unfit(format!(
                "a body with the encoding {found}, although only identity was asked for"
            )))
        }
    }
}
