//! Names that become parts of paths.

use super::QlibError;

pub(super) const SYMBOL: &str = "1 to 64 letters, digits, `-`, `.`, `_`, `=`, `^`, `&`, `+` of ASCII, not beginning with `.` or `_qlib_`, without `..`";
const FIELD: &str = "1 to 64 letters, digits, `_`, `-` of ASCII, after an optional `$`";
const LONGEST: usize = 64;
const PREFIX: &str = "_qlib_";

/// Whether a symbol can be a folder below `features` and cannot leave it.
pub(super) fn is_symbol(symbol: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._=^&+".contains(c);
    (1..=LONGEST).contains(&symbol.len())
        && symbol.chars().all(allowed)
        && !symbol.starts_with('.')
        && !symbol.contains("..")
        && !symbol.to_ascii_lowercase().starts_with(PREFIX)
}

/// Checks a symbol before it becomes part of a path.
pub(super) fn check_symbol(symbol: &str) -> Result<(), QlibError> {
    checked(is_symbol(symbol), "symbol", symbol, SYMBOL)
}

/// The folder of a checked symbol.
pub(super) fn folder_name(symbol: &str) -> String {
    let name = symbol.to_ascii_lowercase();
    if is_reserved(&name) {
        return format!("{PREFIX}{name}");
    }
    name
}

/// Names that are devices on some systems, and that Qlib therefore writes with a prefix.
fn is_reserved(name: &str) -> bool {
    let numbered = |name: &str| {
        let digit = name.strip_prefix("com").or_else(|| name.strip_prefix("lpt"));
        digit.is_some_and(|digit| matches!(digit.as_bytes(), [b'0'..=b'9']))
    };
    matches!(name, "con" | "prn" | "aux" | "nul") || numbered(name)
}

/// The name of a field in file names: without `$`, in lower case.
pub(super) fn field_name(field: &str) -> Result<String, QlibError> {
    let name = field.strip_prefix('$').unwrap_or(field);
    checked(is_plain(name), "field", field, FIELD)?;
    Ok(name.to_ascii_lowercase())
}

/// Checks the name of a market before it becomes part of a path.
pub(super) fn check_market(market: &str) -> Result<(), QlibError> {
    checked(is_plain(market) && !is_reserved(market), "market", market, FIELD)
}

fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (1..=LONGEST).contains(&name.len()) && name.chars().all(allowed)
}

fn checked(good: bool, what: &'static str, found: &str, allowed: &'static str) -> Result<(), QlibError> {
    if good {
        return Ok(());
    }
    Err(QlibError::Name {
        what,
        found: crate::text::shown(found.as_bytes()),
        allowed,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn symbols_stay_in_their_folder() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "/etc",
            ".hidden",
            "A..B",
            "a b",
            "a\0",
            "a\n",
            "c:x",
            "\u{e9}",
            "_qlib_con",
            &"X".repeat(65),
        ] {
            assert!(check_symbol(bad).is_err(), "{bad:?}");
        }
        for good in ["SH600000", "AAPL", "^gspc", "BRK.B", "BTC-USD", "EURUSD=X", "a"] {
            assert!(check_symbol(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn reserved_names_get_a_prefix() {
        for (symbol, folder) in [
            ("AAPL", "aapl"),
            ("CON", "_qlib_con"),
            ("Prn", "_qlib_prn"),
            ("COM1", "_qlib_com1"),
            ("lpt0", "_qlib_lpt0"),
            ("COM", "com"),
            ("COM10", "com10"),
            ("CONN", "conn"),
        ] {
            assert_eq!(folder_name(symbol), folder);
        }
    }

    #[test]
    fn fields_lose_their_dollar() {
        assert_eq!(field_name("$Close").unwrap(), "close");
        assert_eq!(field_name("vwap_2").unwrap(), "vwap_2");
        for bad in ["", "$", "$$x", "a.b", "../a", "a/b", "a b"] {
            assert!(field_name(bad).is_err(), "{bad:?}");
        }
        assert!(check_market("csi300").is_ok());
        assert!(check_market("../all").is_err() && check_market("").is_err());
    }
}
