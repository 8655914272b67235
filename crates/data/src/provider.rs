//! Where bars come from when nobody hands over a file: the port that clients of outside parties implement.
//!
//! A provider says what it can deliver and delivers rows as they are; placing stamps on the calendar's grid, checking
//! every rule and writing the lake is the business of this crate, so that a bar from a provider and a bar from a file
//! pass through the same rules.

use std::fmt;

use chrono::NaiveDate;
use sextant_domain::{AssetClass, Timeframe, UtcNanos};
use thiserror::Error;

use crate::import::{PublicationRule, StampConvention};
use crate::{BarKey, Progress};

/// A source of bars. Implementations hold no state that changes results: the same request gives the same rows as long
/// as the other party has not changed them.
pub trait BarProvider: fmt::Debug + Send + Sync {
    /// Its name on the command line and in the metadata of files, such as `alpaca`.
    fn name(&self) -> &'static str;

    /// What it delivers for an asset class and timeframe.
    ///
    /// # Errors
    /// [`ProviderError::Unsupported`] with what it has.
    fn offer(&self, class: AssetClass, timeframe: Timeframe) -> Result<Offer, ProviderError>;

    /// The rows whose stamps lie in `[request.start, request.end)`, stamps strictly increasing. A symbol that exists but
    /// did not trade gives no rows. A forming bar may be among them; the caller leaves out what has not ended.
    ///
    /// # Errors
    /// When the provider does not know the symbol, refuses, cannot be reached, or answers in another shape than its
    /// documentation says. Never a part of the rows.
    fn fetch(&self, request: &BarRequest, progress: &dyn Progress) -> Result<FetchedBars, ProviderError>;
}

/// How a provider delivers bars of a class and timeframe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What the stamps of its rows mean.
    pub stamp: StampConvention,
    /// How its prices are adjusted; begins with `none` where they are those that were traded. It goes into the metadata.
    pub adjustment: String,
    /// Whether bars that were delivered may change later, as adjusted prices do at the next split or dividend. An update
    /// then compares the bars at the seam and loads everything anew when they differ.
    pub revises_history: bool,
    /// For how many seconds after its close a bar may still be corrected: late prints and corrections of trades come in,
    /// or the last trades are still being counted. A younger bar counts as forming and is left out. It is 900 for equities,
    /// where trades are reported and corrected minutes later, and 60 for crypto exchanges.
    pub settling_seconds: u32,
}

/// Which bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarRequest {
    /// The bars, by the lake's name.
    pub key: BarKey,
    /// The provider's name for the symbol, where the user gave one; otherwise the provider translates the lake's.
    pub provider_symbol: Option<String>,
    /// The first stamp wanted.
    pub start: UtcNanos,
    /// The first stamp no longer wanted.
    pub end: UtcNanos,
}

/// One row of a provider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FetchedBar {
    /// The time of the row; what it means says [`Offer::stamp`]. For session dates it is midnight UTC of the date.
    pub stamp: UtcNanos,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded quantity.
    pub volume: f64,
}

/// What a provider delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchedBars {
    /// The rows, stamps strictly increasing.
    pub rows: Vec<FetchedBar>,
    /// What was asked, for the metadata: provider, its name for the symbol, feed; no keys, no address of a test server,
    /// and nothing that changes from request to request, because bars of different sources are not put into one file.
    pub source: String,
}

/// A source of one macro table: rates, an index, a survey.
pub trait MacroProvider: fmt::Debug + Send + Sync {
    /// Its name on the command line and in the metadata of files, such as `treasury`.
    fn name(&self) -> &'static str;

    /// The lake's table that it fills, such as `yield_curve`.
    fn table(&self) -> &'static str;

    /// The rows whose dates lie from `start` to `end`, both included, dates strictly increasing.
    ///
    /// # Errors
    /// As for [`BarProvider::fetch`]. Never a part of the rows.
    fn fetch(
        &self,
        start: NaiveDate,
        end: NaiveDate,
        progress: &dyn Progress,
    ) -> Result<FetchedMacro, ProviderError>;
}

/// What a macro provider delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchedMacro {
    /// The names of the series, by which models ask for them.
    pub series: Vec<String>,
    /// A date and one value per series; NaN where the provider has none.
    pub rows: Vec<(NaiveDate, Vec<f64>)>,
    /// When the value of a date is known.
    pub publication: PublicationRule,
    /// What was asked, for the metadata.
    pub source: String,
}

/// Why a provider did not deliver.
#[derive(Debug, Error)]
pub enum ProviderError {
    /// There is no provider like this.
    #[error("there is no provider {wanted}; there is {allowed}")]
    Unknown {
        /// What was looked for: the kind and the name.
        wanted: String,
        /// The names there are.
        allowed: String,
    },
    /// It does not have such bars.
    #[error("{provider} does not deliver {wanted}; it has {allowed}")]
    Unsupported {
        /// The provider.
        provider: &'static str,
        /// What was asked for.
        wanted: String,
        /// What it delivers.
        allowed: String,
    },
    /// A key that it needs is not in the environment.
    #[error("{provider} needs the environment variable {variable}, which is not set; {help}")]
    MissingKey {
        /// The provider.
        provider: &'static str,
        /// The variable.
        variable: &'static str,
        /// How to get a key, or which provider needs none.
        help: String,
    },
    /// It refused the key.
    #[error("{provider} refused the keys it was given (status {status}): {message}")]
    Unauthorized {
        /// The provider.
        provider: &'static str,
        /// The HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// It does not know the symbol.
    #[error("{provider} does not know the symbol {symbol}: {}. {help}", message.trim_end_matches('.'))]
    UnknownSymbol {
        /// The provider.
        provider: &'static str,
        /// The symbol as it was asked for.
        symbol: String,
        /// Its words.
        message: String,
        /// How to name another one.
        help: String,
    },
    /// It does not reach back far enough.
    #[error("{provider} has {wanted} only from {earliest} on; {help}")]
    OutOfReach {
        /// The provider.
        provider: &'static str,
        /// What was asked for.
        wanted: String,
        /// The first stamp it delivers.
        earliest: UtcNanos,
        /// What to do.
        help: String,
    },
    /// It asked to slow down more often than we were ready to wait.
    #[error(
        "{provider} limits the rate of requests ({message}) and asked to wait {wait_seconds} s after {attempts} attempts; run the command again later, finished pages of the settled past are kept"
    )]
    RateLimited {
        /// The provider.
        provider: &'static str,
        /// The beginning of its words.
        message: String,
        /// How long it wants us to wait.
        wait_seconds: u64,
        /// How often it was asked.
        attempts: u32,
    },
    /// It could not be reached, or the answer broke off, after all attempts.
    #[error(
        "{provider} cannot be reached at {address} after {attempts} attempts: {problem}; run the command again, finished pages of the settled past are kept"
    )]
    Unreachable {
        /// The provider.
        provider: &'static str,
        /// Host and path, without the query and without keys.
        address: String,
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        problem: String,
    },
    /// It answered with an error.
    #[error("{provider} answered {address} with status {status}: {message}")]
    Refused {
        /// The provider.
        provider: &'static str,
        /// Host and path.
        address: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of its words.
        message: String,
    },
    /// An answer that is not what its documentation says.
    #[error(
        "{provider} answered {address} in an unknown shape: {problem}. Its interface may have changed; nothing was stored"
    )]
    Shape {
        /// The provider.
        provider: &'static str,
        /// Host and path.
        address: String,
        /// Where it differs, what was found, what was expected.
        problem: String,
    },
    /// The cache of answers cannot be read or written.
    #[error("the cache of answers: {0}")]
    Cache(String),
}
