//! Requests to outside parties: paced, repeated where that makes sense, kept on disk once they are final.
//!
//! | what happens | what is done |
//! |---|---|
//! | no connection, no answer in time, answer broken off | tried again after a growing wait |
//! | 429, 418, or 503 with `Retry-After` | tried again after the wait asked for, or at once an error when it is too long |
//! | other 5xx | tried again after a growing wait |
//! | 3xx | refused: a request never goes to another address than the one that was asked for |
//! | anything else | the client judges it |

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use sextant_data::ProviderError;

mod address;
mod cache;
mod fetcher;
mod pacer;
mod retry;
mod secrets;
#[cfg(test)]
mod tests;
mod transport;

pub(crate) use fetcher::Fetcher;

/// How requests are made; one for all providers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where answers that will not change are kept; `None` keeps nothing.
    pub cache: Option<PathBuf>,
    /// Whether kept answers count.
    pub kept_pages: KeptPages,
    /// How often a request is tried before it fails; zero counts as one.
    pub attempts: u32,
    /// The longest time to wait because a provider asks for it; when it asks for more, the request fails at once.
    pub longest_wait: Duration,
    /// The wait before the second attempt; doubled before each further one, with jitter.
    pub first_backoff: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// What becomes of answers that were kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeptPages {
    /// They answer, and nobody is asked.
    #[default]
    Use,
    /// Every page is asked for anew and takes the place of the kept one.
    Refresh,
}

impl HttpConfig {
    /// The usual patience: 5 attempts of at most 30 s each, waits from 500 ms on, and at most 120 s when a provider asks
    /// for it. Answers are kept below `cache`, one folder per provider, and used; `None` keeps nothing.
    pub fn new(cache: Option<PathBuf>) -> Self {
        Self {
            cache,
            kept_pages: KeptPages::Use,
            attempts: 5,
            longest_wait: Duration::from_secs(120),
            first_backoff: Duration::from_millis(500),
            timeout: Duration::from_secs(30),
        }
    }
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageRequest {
    /// The whole address with its query; never contains a key.
    pub(crate) url: String,
    /// Headers beyond the usual ones. Values may be secret: they are neither logged nor kept nor shown by `Debug`.
    pub(crate) headers: Vec<(&'static str, Secret)>,
    /// Whether the answer can be kept.
    pub(crate) finality: Finality,
}

/// A value that nobody prints.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether an answer will be the same tomorrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finality {
    /// It is about the past alone and can be kept.
    Final,
    /// It contains the present and is asked for anew each time.
    Changing,
}

/// An answer with a status that is neither a rate limit nor a server's failure: 200, or a refusal for the client to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The whole body; its length was compared with the announced one.
    pub(crate) body: Vec<u8>,
}

/// What a client says about an answer before it is kept.
#[derive(Debug)]
pub(crate) enum Judgement<T> {
    /// It is good, and this is in it.
    Good(T),
    /// The body says that the rate limit is reached, or that the service is overloaded: to be tried again.
    TryAgain(String),
    /// It is refused for good.
    Failed(ProviderError),
}
