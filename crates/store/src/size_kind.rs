//! How orders are sized, as a cell of a table.

use crate::cell::{Cell, CellProblem, CellValue, one_of};
use crate::schema::ColumnKind;

/// How the size of an order was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeKind {
    /// A signed number of units.
    Units,
    /// A fraction of the model's budget of portfolio equity, turned into units at the fill.
    EquityFraction,
    /// Whatever the model holds when the order fills.
    ClosePosition,
    /// As much as the entry of its bracket fills.
    EntryFill,
}

impl SizeKind {
    /// `units`, `equity_fraction`, `close_position` or `entry_fill`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Units => "units",
            Self::EquityFraction => "equity_fraction",
            Self::ClosePosition => "close_position",
            Self::EntryFill => "entry_fill",
        }
    }
}

impl Cell for SizeKind {
    const KIND: ColumnKind = ColumnKind::Text;

    fn to_value(&self) -> Result<CellValue<'_>, CellProblem> {
        Ok(CellValue::Text(self.name()))
    }

    fn from_value(value: CellValue<'_>) -> Result<Self, CellProblem> {
        one_of(
            &[
                Self::Units,
                Self::EquityFraction,
                Self::ClosePosition,
                Self::EntryFill,
            ],
            Self::name,
            value,
        )
    }
}
