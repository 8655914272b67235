//! What is traded: instruments and the dense table of a run.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Contract, ContractError, Currency, InstrumentId, Settlement, Timeframe};

/// How much of a text that is no symbol stands in messages.
const SHOWN_CHARS: usize = 60;

/// The classes for which limits, calendars and costs are configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetClass {
    /// Shares and funds traded in exchange sessions.
    Equity,
    /// Crypto assets traded round the clock.
    Crypto,
    /// Currency pairs traded from Sunday to Friday evening, New York time.
    Fx,
}

impl AssetClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Equity, Self::Crypto, Self::Fx];

    /// The name used in configs and tables: `equity`, `crypto`, `fx`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equity => "equity",
            Self::Crypto => "crypto",
            Self::Fx => "fx",
        }
    }

    /// Dense index, for tables by class.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for AssetClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for AssetClass {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.name() == text)
            .ok_or_else(|| {
                format!(
                    "unknown asset class `{text}`: allowed are {}",
                    Self::ALL.map(Self::name).join(", ")
                )
            })
    }
}

/// One tradable instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// The name it goes by, such as `SPY` or `BTC-USD`.
    pub symbol: String,
    /// Its class.
    pub class: AssetClass,
    /// The timeframe whose bars fill its orders and trigger decisions on it.
    pub execution: Timeframe,
    /// The smallest price step; prices enter the ledger rounded to it. Must be positive, at most 8 decimals.
    pub price_tick: Decimal,
    /// The smallest quantity step; orders are rounded towards zero to it. Must be positive, at most 8 decimals.
    pub lot_size: Decimal,
    /// Its currency, what a unit stands for, how it is paid and secured.
    pub contract: Contract,
}

/// What is wrong with an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InstrumentError {
    /// A tick or lot that the exact ledger cannot work with.
    #[error("instrument {symbol}: {field} is {found}, but must be positive with at most 8 decimals")]
    Step {
        /// The instrument.
        symbol: String,
        /// `price_tick` or `lot_size`.
        field: &'static str,
        /// The value found.
        found: Decimal,
    },
    /// A symbol that is empty or has characters that do not belong in one (they also become file names).
    #[error(
        "symbol `{symbol}` is not allowed: use 1 to 32 letters, digits, `-`, `.`, `_`, `=`, starting with a letter or digit"
    )]
    Symbol {
        /// The text found, cut and escaped where needed.
        symbol: String,
    },
    /// Terms that make no sense.
    #[error("instrument {symbol}: {source}")]
    Contract {
        /// The instrument.
        symbol: String,
        /// What is wrong.
        source: ContractError,
    },
    /// The same symbol twice.
    #[error("instrument {symbol} is listed twice; every symbol may appear once")]
    Duplicate {
        /// The symbol.
        symbol: String,
    },
}

impl Instrument {
    /// Checks the symbol, the steps and the terms.
    ///
    /// # Errors
    /// [`InstrumentError::Symbol`], [`InstrumentError::Step`] or [`InstrumentError::Contract`].
    pub fn validate(&self) -> Result<(), InstrumentError> {
        validate_symbol(&self.symbol)?;
        for (field, found) in [("price_tick", self.price_tick), ("lot_size", self.lot_size)] {
            if found <= Decimal::ZERO || found.normalize().scale() > 8 {
                return Err(InstrumentError::Step {
                    symbol: self.symbol.clone(),
                    field,
                    found,
                });
            }
        }
        self.contract
            .margin
            .validate()
            .map_err(|source| InstrumentError::Contract {
                symbol: self.symbol.clone(),
                source,
            })
    }

    /// The currencies of a pair whose price is a rate: one unit of the first is worth the price in the second.
    ///
    /// A pair is an instrument of class `fx` or `crypto`, paid in full with a multiplier of one, whose symbol is the code of
    /// the first currency followed by that of its prices, as in `EURUSD`, `EUR-USD`, `EUR_USD` or `EURUSD=X`. `None` for any
    /// other instrument.
    pub fn pair(&self) -> Option<(Currency, Currency)> {
        let is_rate = matches!(self.class, AssetClass::Fx | AssetClass::Crypto)
            && self.contract.settlement == Settlement::InFull
            && self.contract.multiplier == crate::Multiplier::ONE;
        let name = self.symbol.strip_suffix("=X").unwrap_or(&self.symbol);
        let base = name.strip_suffix(self.contract.currency.code())?;
        let base = Currency::new(base.strip_suffix(['-', '_', '.']).unwrap_or(base)).ok()?;
        (is_rate && base != self.contract.currency).then_some((base, self.contract.currency))
    }

    /// Checks a symbol alone, before it becomes part of a file name.
    ///
    /// # Errors
    /// [`InstrumentError::Symbol`] when it is empty, too long, or could leave its folder (`../x`).
    pub fn validate_symbol(symbol: &str) -> Result<(), InstrumentError> {
        validate_symbol(symbol)
    }
}

fn validate_symbol(symbol: &str) -> Result<(), InstrumentError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '=');
    let starts_well = symbol.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts_well && symbol.len() <= 32 && symbol.chars().all(allowed) && !symbol.contains("..") {
        return Ok(());
    }
    // The text may be anything, and goes into messages: control characters are escaped, and nothing long is repeated.
    let shown = symbol.chars().take(SHOWN_CHARS).flat_map(char::escape_debug);
    Err(InstrumentError::Symbol {
        symbol: shown.collect(),
    })
}

/// The instruments of a run; an [`InstrumentId`] is an index into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstrumentTable {
    rows: Vec<Instrument>,
}

impl InstrumentTable {
    /// Checks every instrument and makes the table; the order given is the order of the ids.
    ///
    /// # Errors
    /// The first [`InstrumentError`] found.
    pub fn new(rows: Vec<Instrument>) -> Result<Self, InstrumentError> {
        for (index, instrument) in rows.iter().enumerate() {
            instrument.validate()?;
            if rows[..index]
                .iter()
                .any(|earlier| earlier.symbol == instrument.symbol)
            {
                return Err(InstrumentError::Duplicate {
                    symbol: instrument.symbol.clone(),
                });
            }
        }
        Ok(Self { rows })
    }

    /// The number of instruments.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The instrument behind an id.
    ///
    /// # Panics
    /// When the id is not of this table.
    #[inline]
    pub fn get(&self, id: InstrumentId) -> &Instrument {
        &self.rows[id.index()]
    }

    /// The id of a symbol, where it is listed.
    pub fn id(&self, symbol: &str) -> Option<InstrumentId> {
        self.rows
            .iter()
            .position(|row| row.symbol == symbol)
            .map(InstrumentId::from_index)
    }

    /// All instruments with their ids, in order.
    pub fn iter(&self) -> impl Iterator<Item = (InstrumentId, &Instrument)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(index, row)| (InstrumentId::from_index(index), row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_cannot_leave_their_folder() {
        for bad in [
            "",
            "../x",
            "a/b",
            "a\\b",
            "..",
            ".SPY",
            "A..B",
            "SP Y",
            "S\u{0}",
            &"X".repeat(33),
        ] {
            assert!(Instrument::validate_symbol(bad).is_err(), "{bad:?}");
        }
        for good in ["SPY", "BTC-USD", "BRK.B", "EURUSD=X", "600000_SH", "aapl"] {
            assert!(Instrument::validate_symbol(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn table_refuses_duplicates_and_bad_steps() {
        let spy = Instrument {
            symbol: "SPY".into(),
            class: AssetClass::Equity,
            execution: Timeframe::D1,
            price_tick: Decimal::new(1, 2),
            lot_size: Decimal::ONE,
            contract: Contract::paid_in(Currency::USD),
        };
        let twice = InstrumentTable::new(vec![spy.clone(), spy.clone()]);
        assert_eq!(twice, Err(InstrumentError::Duplicate { symbol: "SPY".into() }));
        let zero = Instrument {
            lot_size: Decimal::ZERO,
            ..spy.clone()
        };
        assert!(matches!(
            InstrumentTable::new(vec![zero]),
            Err(InstrumentError::Step {
                field: "lot_size",
                ..
            })
        ));
        let table = InstrumentTable::new(vec![spy]).unwrap();
        assert_eq!(table.id("SPY"), Some(InstrumentId::from_index(0)));
        assert_eq!(table.id("spy"), None);
    }
}
