//! Currencies by their codes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

const LONGEST: usize = 5;

/// A currency by its code: three to five upper-case letters, such as `USD` (ISO 4217) or `USDT`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency {
    /// The letters, filled up with zeros.
    code: [u8; LONGEST],
}

/// A text that is no currency code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{found}` is no currency code: use three to five upper-case letters, such as USD or USDT")]
pub struct CurrencyError {
    /// The text found, cut and escaped where needed.
    pub found: String,
}

impl Currency {
    /// The US dollar.
    pub const USD: Self = Self::of_three(*b"USD");
    /// The euro.
    pub const EUR: Self = Self::of_three(*b"EUR");
    /// The pound sterling.
    pub const GBP: Self = Self::of_three(*b"GBP");
    /// The Japanese yen.
    pub const JPY: Self = Self::of_three(*b"JPY");

    const fn of_three([first, second, third]: [u8; 3]) -> Self {
        Self {
            code: [first, second, third, 0, 0],
        }
    }

    /// The currency of a code.
    ///
    /// # Errors
    /// [`CurrencyError`] when the text is not three to five upper-case letters.
    pub fn new(text: &str) -> Result<Self, CurrencyError> {
        let is_code =
            (3..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code {
            let found = text.chars().take(20).flat_map(char::escape_debug).collect();
            return Err(CurrencyError { found });
        }
        let mut code = [0; LONGEST];
        code[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { code })
    }

    /// The code.
    pub fn code(&self) -> &str {
        let length = self.code.iter().position(|byte| *byte == 0).unwrap_or(LONGEST);
        std::str::from_utf8(&self.code[..length]).expect("a code is made of ASCII letters")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_three_to_five_capital_letters() {
        for good in ["USD", "USDT", "STETH"] {
            assert_eq!(Currency::new(good).unwrap().code(), good);
        }
        assert_eq!(Currency::new("EUR"), Ok(Currency::EUR));
        for bad in ["", "US", "usd", "US1", "DOLLAR", "ÄÖ", "U D", "USD\0"] {
            assert!(Currency::new(bad).is_err(), "{bad:?}");
        }
    }
}
