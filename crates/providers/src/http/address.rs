//! The address of a request: which ones are allowed, and what of them is shown.

use std::net::IpAddr;

use sextant_data::ProviderError;
use ureq::http::Uri;

use super::PageRequest;

/// An address that may be asked.
#[derive(Debug)]
pub(super) struct Address {
    /// The whole address.
    pub(super) uri: Uri,
    /// Host, port where one is given, and path: what errors show.
    pub(super) shown: String,
    /// Whether the host is this machine.
    pub(super) place: Place,
}

/// Where a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// This machine, over the loopback interface.
    Loopback,
    /// Anywhere else.
    Foreign,
}

impl Address {
    /// Reads the address of a request.
    ///
    /// # Errors
    /// [`ProviderError::Unsupported`] when it is not an address, is neither http nor https, carries a user name, or would
    /// take headers that may hold keys over plain http to another machine.
    pub(super) fn of(provider: &'static str, request: &PageRequest) -> Result<Self, ProviderError> {
        let refuse = |wanted: String, allowed: &str| ProviderError::Unsupported {
            provider,
            wanted,
            allowed: allowed.into(),
        };
        let uri: Uri = request.url.parse().map_err(|problem| {
            refuse(
                format!("pages of something that is no address ({problem})"),
                SCHEMES,
            )
        })?;
        let (Some(scheme), Some(authority), Some(host)) = (uri.scheme_str(), uri.authority(), uri.host())
        else {
            return Err(refuse(
                "pages of an address without scheme or host".into(),
                SCHEMES,
            ));
        };
        if authority.as_str().contains('@') {
            return Err(refuse(
                format!("pages of an address with a user name, at {host}"),
                "addresses without one",
            ));
        }
        let shown = format!("{authority}{}", uri.path());
        let place = place_of(host);
        match scheme {
            "https" => {}
            "http" if request.headers.is_empty() || place == Place::Loopback => {}
            "http" => {
                return Err(refuse(
                    format!("pages that need keys over plain http, at {shown}"),
                    KEYS,
                ));
            }
            other => return Err(refuse(format!("pages over {other}, at {shown}"), SCHEMES)),
        }
        Ok(Self { shown, place, uri })
    }
}

const SCHEMES: &str = "addresses that begin with https:// or http://";
const KEYS: &str = "addresses that begin with https://; plain http with keys goes to this machine only";

fn place_of(host: &str) -> Place {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback =
        bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if loopback { Place::Loopback } else { Place::Foreign }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::http::{Finality, Secret};

    fn request(url: &str, headers: Vec<(&'static str, Secret)>) -> PageRequest {
        PageRequest {
            url: url.to_owned(),
            headers,
            finality: Finality::Final,
        }
    }

    fn key() -> Vec<(&'static str, Secret)> {
        vec![("x-key", Secret("canary-of-the-address".into()))]
    }

    #[test]
    fn the_query_is_not_shown() {
        let address = Address::of(
            "test",
            &request("https://host.example/v1/bars?symbols=A#x", vec![]),
        )
        .unwrap();
        assert_eq!(address.shown, "host.example/v1/bars");
        assert_eq!(address.place, Place::Foreign);
    }

    #[test]
    fn other_schemes_user_names_and_nonsense_are_refused() {
        for (url, words) in [
            ("ftp://host.example/x", "pages over ftp, at host.example/x"),
            ("file:///etc/passwd", "no address"),
            ("/v1/bars", "without scheme or host"),
            (
                "https://user:pass@host.example/",
                "with a user name, at host.example",
            ),
            ("https://host.example/a b", "no address"),
            ("", "no address"),
        ] {
            let error = Address::of("test", &request(url, vec![]))
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{url:?}: {error}");
        }
    }

    #[test]
    fn keys_never_go_over_plain_http_to_another_machine() {
        for url in [
            "http://host.example/x",
            "http://localhost.example/x",
            "http://10.0.0.1/x",
            "http://[2001:db8::1]/x",
        ] {
            let error = Address::of("test", &request(url, key())).unwrap_err().to_string();
            assert!(error.contains("over plain http"), "{error}");
            assert!(
                Address::of("test", &request(url, vec![])).is_ok(),
                "{url} without keys"
            );
        }
        for url in [
            "http://127.0.0.1:80/x",
            "http://localhost/x",
            "http://[::1]:9/x",
            "https://host.example/x",
        ] {
            assert!(Address::of("test", &request(url, key())).is_ok(), "{url}");
        }
    }
}
