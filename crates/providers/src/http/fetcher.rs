//! Makes the requests of one provider.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sextant_data::ProviderError;

use super::address::Address;
use super::cache::Cache;
use super::pacer::Pacer;
use super::retry::{Patience, Setback, retry_after};
use super::secrets::Secrets;
use super::transport::{Failure, Reply, Transport};
use super::{Answer, Finality, HttpConfig, Judgement, KeptPages, PageRequest};

/// The largest body that is read: far more than any page, far less than the memory of any machine.
const LARGEST_BODY_BYTES: u64 = 64 << 20;

/// Makes the requests of one provider.
pub(crate) struct Fetcher {
    provider: &'static str,
    config: HttpConfig,
    cache: Option<Cache>,
    pacer: Pacer,
    transport: Transport,
    pub(super) largest_body_bytes: u64,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the transport: a proxy of the environment may have a password.
        f.debug_struct("Fetcher")
            .field("provider", &self.provider)
            .field("config", &self.config)
            .field("pacer", &self.pacer)
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A fetcher for a provider that allows one request each `pace`.
    pub(crate) fn new(provider: &'static str, pace: Duration, config: HttpConfig) -> Self {
        Self {
            provider,
            cache: config
                .cache
                .as_ref()
                .map(|folder| Cache::new(folder.join(provider))),
            pacer: Pacer::new(pace),
            transport: Transport::new(config.timeout),
            largest_body_bytes: LARGEST_BODY_BYTES,
            config,
        }
    }

    /// Asks for a page, from the cache where it lies there and may be used, and has the answer judged; only a good one with status 200 of
    /// a final request is kept. A kept answer that the client no longer takes for good is asked for anew.
    ///
    /// # Errors
    /// * [`ProviderError::Unsupported`] when the address is not one that may be asked.
    /// * [`ProviderError::Unreachable`], [`ProviderError::RateLimited`], or [`ProviderError::Refused`] for a server's
    ///   failure, when all attempts were in vain or the wait asked for is too long; `Refused` also for a redirect.
    /// * [`ProviderError::Shape`] when the body is too large, or compressed.
    /// * [`ProviderError::Cache`] when the folder of the cache cannot be used.
    /// * Whatever the client judges to be failed.
    pub(crate) fn get<T>(
        &self,
        request: &PageRequest,
        judge: impl Fn(&Answer) -> Judgement<T>,
    ) -> Result<T, ProviderError> {
        let address = Address::of(self.provider, request)?;
        if let Some(found) = self.kept(request, &judge)? {
            return Ok(found);
        }
        let page = Page {
            request,
            address: &address,
            secrets: Secrets::of(request),
        };
        let mut patience = Patience {
            config: &self.config,
            provider: self.provider,
            address: &address.shown,
            url: &request.url,
            attempt: 1,
        };
        loop {
            self.pacer.wait_turn();
            match self.attempt(&page, &judge, patience.attempt) {
                Ok(found) => return Ok(found),
                Err(Trouble::Final(error)) => return Err(page.secrets.hide_in(error)),
                Err(Trouble::Passing(setback)) => self.pacer.postpone(patience.after(setback)?),
            }
        }
    }

    fn kept<T>(
        &self,
        request: &PageRequest,
        judge: impl Fn(&Answer) -> Judgement<T>,
    ) -> Result<Option<T>, ProviderError> {
        let Some(cache) = self.cache_for(request) else {
            return Ok(None);
        };
        cache.prepare()?;
        if self.config.kept_pages == KeptPages::Refresh {
            return Ok(None);
        }
        let Some(body) = cache.read(&request.url)? else {
            return Ok(None);
        };
        match judge(&Answer { status: 200, body }) {
            Judgement::Good(found) => Ok(Some(found)),
            Judgement::TryAgain(_) | Judgement::Failed(_) => Ok(None),
        }
    }

    fn attempt<T>(
        &self,
        page: &Page<'_>,
        judge: impl Fn(&Answer) -> Judgement<T>,
        attempt: u32,
    ) -> Result<T, Trouble> {
        let failed = |failure| self.trouble(page, failure, attempt);
        let reply = self
            .transport
            .ask(page.address, &page.request.headers, self.largest_body_bytes)
            .map_err(failed)?;
        if let Some(trouble) = self.refusal(page, &reply) {
            return Err(trouble);
        }
        let asked = wait_asked_for(&reply);
        let answer = Answer {
            status: reply.status,
            body: reply.body.map_err(failed)?,
        };
        match judge(&answer) {
            Judgement::Good(found) => {
                self.keep(page, &answer).map_err(Trouble::Final)?;
                Ok(found)
            }
            Judgement::TryAgain(words) => Err(Trouble::Passing(Setback::Limited {
                message: page.secrets.words(&words),
                asked,
            })),
            Judgement::Failed(error) => Err(Trouble::Final(error)),
        }
    }

    /// What the status alone decides. Of a refusal the words are read as far as they came.
    fn refusal(&self, page: &Page<'_>, reply: &Reply) -> Option<Trouble> {
        let status = reply.status;
        let asked = wait_asked_for(reply);
        let words = || {
            page.secrets.words(&String::from_utf8_lossy(
                reply.body.as_deref().unwrap_or_default(),
            ))
        };
        let limited = || Setback::Limited {
            message: format!("status {status}: {}", words()),
            asked,
        };
        match status {
            300..=399 => {
                let target = page
                    .secrets
                    .words(reply.location().unwrap_or("an unknown address"));
                Some(Trouble::Final(ProviderError::Refused {
                    provider: self.provider,
                    address: page.address.shown.clone(),
                    status,
                    message: format!("it redirects to {target}, and redirects are not followed"),
                }))
            }
            429 | 418 => Some(Trouble::Passing(limited())),
            503 if asked.is_some() => Some(Trouble::Passing(limited())),
            500..=599 => Some(Trouble::Passing(Setback::ServerFailed {
                status,
                message: words(),
            })),
            _ => None,
        }
    }

    fn trouble(&self, page: &Page<'_>, failure: Failure, attempts: u32) -> Trouble {
        let (provider, address) = (self.provider, page.address.shown.clone());
        match failure {
            Failure::BrokenOff(problem) => Trouble::Passing(Setback::BrokenOff(page.secrets.words(&problem))),
            Failure::Hopeless(problem) => Trouble::Final(ProviderError::Unreachable {
                provider,
                address,
                attempts,
                problem,
            }),
            Failure::Unfit(problem) => Trouble::Final(ProviderError::Shape {
                provider,
                address,
                problem,
            }),
        }
    }

    fn keep(&self, page: &Page<'_>, answer: &Answer) -> Result<(), ProviderError> {
        match self.cache_for(page.request) {
            // A page that repeats a key is asked for each time rather than laid on the disk.
            Some(cache) if answer.status == 200 && !page.secrets.are_in(&answer.body) => {
                cache.write(&page.request.url, &answer.body)
            }
            _ => Ok(()),
        }
    }

    fn cache_for(&self, request: &PageRequest) -> Option<&Cache> {
        self.cache
            .as_ref()
            .filter(|_| request.finality == Finality::Final)
    }
}

/// A request with what is known about it.
struct Page<'a> {
    request: &'a PageRequest,
    address: &'a Address,
    secrets: Secrets<'a>,
}

/// Why an attempt brought nothing.
enum Trouble {
    /// Another attempt may.
    Passing(Setback),
    /// No other attempt will.
    Final(ProviderError),
}

fn wait_asked_for(reply: &Reply) -> Option<Duration> {
    retry_after(reply.retry_after()?, reply.date(), now())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a server wants us to wait enters no result"
)]
fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}
