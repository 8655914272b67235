//! Market data of outside parties.
//!
//! Each client implements a port of [`sextant_data`] for one provider: it translates a request into pages, asks for them
//! and turns the answers into rows. What is common to all lies in one HTTP layer, set up by an [`HttpConfig`]: requests
//! are paced, repeated where that makes sense, and kept on disk once their answers can no longer change.
//!
//! It is a crate of its own because it is the only one that talks to the outside world: nothing else of the workspace
//! links an HTTP client, and results depend on what lies in the lake alone.
//!
//! # Invariants
//! * A client delivers all the rows that were asked for, or an error; never a part of them.
//! * Keys travel in headers only, over TLS or to this machine, and appear in no error, no `Debug` output and no file.
//! * An answer is kept only when its client understood it and it is about the past alone; a kept answer that was damaged
//!   is noticed and asked for anew.
//! * A wait asked for by a provider is kept to; one that is longer than the configuration allows is an error at once.
//!
//! # Deliberately absent
//! Writing to the lake, calendars and the checking of bars (`sextant-data` does that, for files and providers alike),
//! redirects, compressed answers, asynchronous requests, orders and accounts.

#[cfg_attr(
    not(test),
    expect(
        dead_code,
        unused_imports,
        reason = "the clients that make requests are not there yet"
    )
)]
mod http;

pub use http::HttpConfig;
