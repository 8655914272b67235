//! Keeps the values of headers out of what others wrote: a server may repeat a key in its refusal.

use sextant_data::ProviderError;

use super::{PageRequest, Secret};

/// Parts of a header's value that are shorter than this are words such as `Bearer`, not keys.
const SHORTEST_KEY_BYTES: usize = 8;

/// How much of a provider's words an error shows.
const LONGEST_MESSAGE_CHARS: usize = 300;

/// The header values of a request.
pub(super) struct Secrets<'a>(&'a [(&'static str, Secret)]);

impl<'a> Secrets<'a> {
    /// The secrets of a request.
    pub(super) fn of(request: &'a PageRequest) -> Self {
        Self(&request.headers)
    }

    /// The beginning of a text on one line, with `***` for every secret.
    pub(super) fn words(&self, text: &str) -> String {
        let line = self.hidden(text).split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(LONGEST_MESSAGE_CHARS) {
            Some((end, _)) => format!("{} ...", &line[..end]),
            None => line,
        }
    }

    /// The text with `***` for every secret.
    pub(super) fn hidden(&self, text: &str) -> String {
        self.keys()
            .fold(text.to_owned(), |text, key| text.replace(key, "***"))
    }

    /// Whether one of the secrets stands in the bytes.
    pub(super) fn are_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        self.keys().any(|key| text.contains(key))
    }

    /// An error of a client, which may have quoted the provider.
    pub(super) fn hide_in(&self, mut error: ProviderError) -> ProviderError {
        match &mut error {
            ProviderError::Unauthorized { message, .. }
            | ProviderError::UnknownSymbol { message, .. }
            | ProviderError::RateLimited { message, .. }
            | ProviderError::Refused { message, .. }
            | ProviderError::Shape { problem: message, .. }
            | ProviderError::Unreachable { problem: message, .. } => *message = self.hidden(message),
            ProviderError::Unsupported { .. }
            | ProviderError::MissingKey { .. }
            | ProviderError::OutOfReach { .. }
            | ProviderError::Unknown { .. }
            | ProviderError::Cache(_) => {}
        }
        error
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let parts = self.0.iter().flat_map(|(_, secret)| secret.0.split_whitespace());
        parts.filter(|part| part.len() >= SHORTEST_KEY_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Finality;

    #[test]
    fn a_key_is_hidden_before_the_words_are_cut() {
        let headers = vec![("authorization", Secret("Bearer 0123456789abcdef".into()))];
        let request = PageRequest {
            url: String::new(),
            headers,
            finality: Finality::Final,
        };
        let secrets = Secrets::of(&request);
        assert_eq!(
            secrets.words(" the key\n0123456789abcdef\tis bad "),
            "the key *** is bad"
        );
        let cut = secrets.words(&format!(
            "{}0123456789abcdef",
            "x".repeat(LONGEST_MESSAGE_CHARS - 8)
        ));
        assert!(!cut.contains("0123"), "{cut}");
        assert!(secrets.words(&"y".repeat(400)).ends_with("y ..."));
        assert_eq!(secrets.words("a Bearer of news"), "a Bearer of news");
        assert!(secrets.are_in(b"{\"echo\":\"0123456789abcdef\"}") && !secrets.are_in(b"{}"));
    }
}
