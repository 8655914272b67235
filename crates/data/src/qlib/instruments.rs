//! The lines of a list of instruments.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;

use super::TextDefect;
use super::names::{SYMBOL, folder_name, is_symbol};
use super::text::{lines, time};
use crate::text::shown;

/// A line of a list of instruments: a symbol and a span in which it was listed, or a member of the market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QlibInstrument {
    /// The symbol, as written.
    pub symbol: String,
    /// The first time of the span.
    pub start: NaiveDateTime,
    /// The last time of the span, included.
    pub end: NaiveDateTime,
}

/// Reads a list of instruments, in the order of its lines. A symbol may have several lines, oldest first, whose spans do
/// not overlap. Empty lines are skipped.
///
/// # Errors
/// The number of the first bad line, counted from 1, and what is wrong with it.
pub fn parse_instruments(bytes: &[u8]) -> Result<Vec<QlibInstrument>, (u64, TextDefect)> {
    let mut instruments = Vec::new();
    // By folder: the last line of each symbol.
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines(bytes) {
        let (number, line) = line?;
        let next = instrument(line).map_err(|defect| (number, defect))?;
        let earlier = last.insert(folder_name(&next.symbol), instruments.len());
        if let Some(earlier) = earlier {
            check_after(&instruments[earlier], &next).map_err(|defect| (number, defect))?;
        }
        instruments.push(next);
    }
    Ok(instruments)
}

fn instrument(line: &[u8]) -> Result<QlibInstrument, TextDefect> {
    let fields: Vec<&[u8]> = line
        .split(|byte| *byte == b'\t')
        .map(<[u8]>::trim_ascii)
        .collect();
    let [symbol, start, end] = fields[..] else {
        return Err(TextDefect::Fields {
            found: shown(line),
            count: fields.len(),
        });
    };
    let known = std::str::from_utf8(symbol)
        .ok()
        .filter(|symbol| is_symbol(symbol));
    let symbol = known.ok_or_else(|| TextDefect::Symbol {
        found: shown(symbol),
        allowed: SYMBOL,
    })?;
    let (start, end) = (time(start)?, time(end)?);
    if end < start {
        return Err(TextDefect::EndsBeforeStart { start, end });
    }
    Ok(QlibInstrument {
        symbol: symbol.to_owned(),
        start,
        end,
    })
}

fn check_after(earlier: &QlibInstrument, next: &QlibInstrument) -> Result<(), TextDefect> {
    if earlier.symbol != next.symbol {
        return Err(TextDefect::OtherCase {
            found: next.symbol.clone(),
            earlier: earlier.symbol.clone(),
        });
    }
    if next.start <= earlier.end {
        return Err(TextDefect::Overlap {
            symbol: next.symbol.clone(),
            start: next.start,
            earlier_end: earlier.end,
        });
    }
    Ok(())
}
