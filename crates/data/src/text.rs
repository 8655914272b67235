//! How found text and lists are shown in messages.

const SHOWN_CHARS: usize = 60;
const SHOWN_ITEMS: usize = 20;

/// Bytes of a file as they can stand in a message: control characters escaped, long text cut.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(4 * SHOWN_CHARS)];
    let text = String::from_utf8_lossy(head);
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARS)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().count() > SHOWN_CHARS || head.len() < bytes.len() {
        shown.push_str("...");
    }
    shown
}

/// The first items of a list, comma-separated; `nothing` for an empty one.
pub(crate) fn listed(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    match items.len() {
        0 => "nothing".to_owned(),
        count if count > SHOWN_ITEMS => {
            format!(
                "{} and {} more",
                items[..SHOWN_ITEMS].join(", "),
                count - SHOWN_ITEMS
            )
        }
        _ => items.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_text_is_made_harmless() {
        assert_eq!(shown(b"1,5\0"), "1,5\\0");
        assert_eq!(shown(b"\xff\xfe1"), "\u{fffd}\u{fffd}1");
        assert!(shown(&[b'x'; 10_000_000]).len() < 80);
        assert_eq!(listed(Vec::new()), "nothing");
        assert!(listed((0..30).map(|n| n.to_string())).ends_with("19 and 10 more"));
    }
}
