//! Why an answer gives no rows.

use sextant_data::ProviderError;

use crate::http::Judgement;

const SHOWN_CHARS: usize = 160;

/// Why an answer gives no rows; still without the address, which the one who asked knows.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is not what the documentation says: where, what was found, what was expected.
    Shape(String),
    /// The party is overloaded or limits the rate of requests.
    TryAgain(String),
    /// The party refuses.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The party's words.
        message: String,
    },
    /// Something that has its own error.
    Failed(ProviderError),
}

impl Fault {
    /// The error of a fault that is not worth another attempt.
    pub(crate) fn judgement<T>(self, provider: &'static str, url: &str) -> Judgement<T> {
        let address = address_of(url);
        match self {
            Self::TryAgain(words) => Judgement::TryAgain(words),
            Self::Failed(error) => Judgement::Failed(error),
            Self::Shape(problem) => Judgement::Failed(ProviderError::Shape {
                provider,
                address,
                problem,
            }),
            Self::Refused { status, message } => Judgement::Failed(ProviderError::Refused {
                provider,
                address,
                status,
                message,
            }),
        }
    }
}

/// Host and path of a URL.
fn address_of(url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path_end = after_scheme.find('?').unwrap_or(after_scheme.len());
    after_scheme[..path_end].to_owned()
}

/// The beginning of a body as it can stand in a message: control characters escaped, long text cut.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let head = &body[..body.len().min(4 * SHOWN_CHARS)];
    let text = String::from_utf8_lossy(head);
    let text = text.trim();
    let mut shown: String = text.chars().take(SHOWN_CHARS).flat_map(harmless).collect();
    if text.chars().count() > SHOWN_CHARS || head.len() < body.len() {
        shown.push_str("...");
    }
    shown
}

/// Quotation marks stay as they are: found text is often JSON.
fn harmless(letter: char) -> impl Iterator<Item = char> {
    let kept = matches!(letter, '"' | '\'').then_some(letter);
    let escaped = kept.is_none().then(|| letter.escape_debug());
    kept.into_iter().chain(escaped.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_shown_without_their_query() {
        for (url, address) in [
            ("https://a.example/b/c?d=e", "a.example/b/c"),
            ("http://127.0.0.1:80/b", "127.0.0.1:80/b"),
            ("no scheme", "no scheme"),
        ] {
            assert_eq!(address_of(url), address);
        }
    }

    #[test]
    fn bodies_are_made_harmless_and_short() {
        assert_eq!(excerpt(b" <html>\n\0</html> "), "<html>\\n\\0</html>");
        assert_eq!(excerpt(b"\xff\"'"), "\u{fffd}\"'");
        assert!(excerpt(&[b'x'; 100_000]).ends_with("xxx..."));
        assert!(excerpt(&[b'x'; 100_000]).len() < 200);
    }

    #[test]
    fn faults_become_errors_that_name_provider_and_address() {
        let shape: Judgement<()> = Fault::Shape("x".to_owned()).judgement("yahoo", "https://a.example/b?c=d");
        let Judgement::Failed(error) = shape else {
            panic!("{shape:?}")
        };
        assert!(
            error
                .to_string()
                .starts_with("yahoo answered a.example/b in an unknown shape: x."),
            "{error}"
        );
        let again: Judgement<()> =
            Fault::TryAgain("busy".to_owned()).judgement("kraken", "https://a.example/b");
        assert!(matches!(again, Judgement::TryAgain(words) if words == "busy"));
    }
}
