//! Market data of outside parties.
//!
//! Bars come from [`Alpaca`] and [`Yahoo`] (equities) and from [`Binance`] and [`Kraken`] (crypto), macro tables from the
//! [`Treasury`], [`CboeVix`] and [`FredSurvey`]; [`bar_provider`] and [`macro_provider`] make them by name.
//!
//! Each client implements a port of [`sextant_data`] for one provider: it translates a request into pages, asks for them
//! and turns the answers into rows, both by pure functions, while one loop drives all of them. What is common to all lies
//! in one HTTP layer, set up by an [`HttpConfig`]: requests are paced, repeated where that makes sense, and kept on disk
//! once their answers can no longer change.
//!
//! It is a crate of its own because it is the only one that talks to the outside world: nothing else of the workspace
//! links an HTTP client, and results depend on what lies in the lake alone.
//!
//! # Invariants
//! * A client delivers all the rows that were asked for, or an error; never a part of them.
//! * Stamps of the rows increase and lie in the range that was asked for. An answer of another shape than the documented
//!   one is refused whole, and the error says where it differs.
//! * Answers of a provider that restates its past are never kept.
//! * Keys travel in headers only, over TLS or to this machine, and appear in no error, no `Debug` output and no file.
//! * An answer is kept only when its client understood it and it is about the past alone; a kept answer that was damaged
//!   is noticed and asked for anew.
//! * A wait asked for by a provider is kept to; one that is longer than the configuration allows is an error at once.
//!
//! # Deliberately absent
//! Writing to the lake, calendars and the checking of bars (`sextant-data` does that, for files and providers alike),
//! redirects, compressed answers, asynchronous requests, orders and accounts. What time it is, as far as rows
//! depend on it, the caller says.

mod alpaca;
mod binance;
mod cboe;
mod delimited;
mod fault;
mod fred;
mod http;
mod json;
mod kraken;
mod pages;
mod registry;
mod treasury;
mod yahoo;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod support;

pub use alpaca::{Alpaca, AlpacaFeed, AlpacaKeys};
pub use binance::Binance;
pub use cboe::CboeVix;
pub use fred::FredSurvey;
pub use http::{HttpConfig, KeptPages};
pub use kraken::Kraken;
pub use registry::{
    BAR_PROVIDERS, BarProviderInfo, MACRO_PROVIDERS, MacroProviderInfo, ProviderSettings, bar_provider,
    default_bar_provider, macro_provider,
};
pub use treasury::Treasury;
pub use yahoo::Yahoo;
