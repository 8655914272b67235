//! When a request is tried again, after which wait, and what it says when patience ends.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use sextant_data::ProviderError;

use super::HttpConfig;

/// Why an attempt has to be repeated.
#[derive(Debug)]
pub(super) enum Setback {
    /// There was no connection, no answer in time, or only a part of one.
    BrokenOff(String),
    /// The server failed.
    ServerFailed {
        /// The HTTP status.
        status: u16,
        /// The beginning of its words.
        message: String,
    },
    /// The rate of requests is limited.
    Limited {
        /// The beginning of its words.
        message: String,
        /// The wait that was asked for.
        asked: Option<Duration>,
    },
}

/// The attempts of one request.
#[derive(Debug)]
pub(super) struct Patience<'a> {
    /// How much of it there is.
    pub(super) config: &'a HttpConfig,
    /// Who is asked.
    pub(super) provider: &'static str,
    /// Host and path.
    pub(super) address: &'a str,
    /// The whole address, which the jitter comes from.
    pub(super) url: &'a str,
    /// The attempt that is being made, from 1.
    pub(super) attempt: u32,
}

impl Patience<'_> {
    /// Counts a failed attempt and gives the wait before the next one: the wait that was asked for, at least the backoff.
    ///
    /// # Errors
    /// The error of the request when this was the last attempt, or when the wait asked for is too long.
    pub(super) fn after(&mut self, setback: Setback) -> Result<Duration, ProviderError> {
        let backoff = backoff(self.config, self.url, self.attempt);
        let wait = match &setback {
            Setback::Limited {
                asked: Some(asked), ..
            } => backoff.max(*asked),
            _ => backoff,
        };
        if wait > self.config.longest_wait || self.attempt >= self.config.attempts {
            return Err(self.end(setback, wait));
        }
        self.attempt += 1;
        Ok(wait)
    }

    fn end(&self, setback: Setback, wait: Duration) -> ProviderError {
        let (provider, attempts, address) = (self.provider, self.attempt, self.address.to_owned());
        match setback {
            Setback::BrokenOff(problem) => ProviderError::Unreachable {
                provider,
                address,
                attempts,
                problem,
            },
            Setback::ServerFailed { status, message } => {
                let message = format!(
                    "{message} (the last of {attempts} attempts; run the command again later, finished pages of the settled past are kept)"
                );
                ProviderError::Refused {
                    provider,
                    address,
                    status,
                    message,
                }
            }
            Setback::Limited { message, .. } => {
                let wait_seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                ProviderError::RateLimited {
                    provider,
                    message,
                    wait_seconds,
                    attempts,
                }
            }
        }
    }
}

/// The wait after failed attempt number `attempt` (from 1) when nobody asks for another: `first_backoff` doubled with each
/// attempt, at most `longest_wait`, and of that between half and the whole. Several requests that fail together thus come
/// back apart from each other; the share is a function of address and attempt, so that a run can be repeated.
fn backoff(config: &HttpConfig, url: &str, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let whole = config
        .first_backoff
        .saturating_mul(1 << doublings)
        .min(config.longest_wait);
    let mut hasher = blake3::Hasher::new();
    hasher.update(url.as_bytes()).update(&attempt.to_le_bytes());
    let share = f64::from(hasher.finalize().as_bytes()[0]) / 255.0;
    whole.mul_f64(0.5 + 0.5 * share).min(whole)
}

/// Reads a `Retry-After` header (RFC 9110, 10.2.3): whole seconds, or a date, which is compared with the server's own
/// clock (`date`, its `Date` header) where it sent one and with `now` otherwise. A date that has passed is no wait;
/// `None` when it is neither.
pub(super) fn retry_after(value: &str, date: Option<&str>, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only a number beyond all waits does not fit.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = http_date(value)?;
    let since = date.and_then(http_date).unwrap_or(now);
    Some((until - since).to_std().unwrap_or(Duration::ZERO))
}

/// The three forms of a date that RFC 9110, 5.6.7 has every recipient accept.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.to_utc());
    }
    let obsolete = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    obsolete
        .iter()
        .find_map(|form| Some(NaiveDateTime::parse_from_str(text, form).ok()?.and_utc()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::from_timestamp(784_111_000, 0).unwrap(); // Sun, 06 Nov 1994 08:36:40 GMT
        let server = Some("Sun, 06 Nov 1994 08:49:07 GMT");
        for (value, date, seconds) in [
            ("0", None, Some(0)),
            (" 17 ", None, Some(17)),
            ("99999999999999999999999", None, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", server, Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", server, Some(30)),
            ("Sun Nov  6 08:49:37 1994", server, Some(30)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None, Some(777)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("yesterday"), Some(777)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", server, Some(0)),
            ("soon", server, None),
            ("-5", None, None),
            ("", None, None),
        ] {
            assert_eq!(
                retry_after(value, date, now),
                seconds.map(Duration::from_secs),
                "{value:?} after {date:?}"
            );
        }
    }

    #[test]
    fn the_last_failure_is_in_the_error() {
        let config = HttpConfig {
            attempts: 0,
            ..HttpConfig::new(None)
        };
        let mut patience = Patience {
            config: &config,
            provider: "test",
            address: "host/path",
            url: "https://host/path?q",
            attempt: 1,
        };
        let error = patience
            .after(Setback::BrokenOff("reset".into()))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("test cannot be reached at host/path after 1 attempts: reset"),
            "{error}"
        );
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn a_backoff_is_at_least_half_of_the_doubled_wait_and_never_too_long(
                url in ".{0,40}", attempt in 1_u32..200, first_ms in 0_u64..10_000, longest_ms in 0_u64..1_000_000,
            ) {
                let config = HttpConfig {
                    first_backoff: Duration::from_millis(first_ms),
                    longest_wait: Duration::from_millis(longest_ms),
                    ..HttpConfig::new(None)
                };
                let whole_ms = (u128::from(first_ms) << (attempt - 1).min(31)).min(u128::from(longest_ms));
                let wait = backoff(&config, &url, attempt);
                prop_assert!(wait <= config.longest_wait);
                prop_assert!(wait.as_nanos() <= whole_ms * 1_000_000);
                prop_assert!(wait.as_nanos() + 1_000 >= whole_ms * 500_000);
                prop_assert_eq!(wait, backoff(&config, &url, attempt));
            }
        }
    }
}
