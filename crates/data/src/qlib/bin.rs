//! The bytes of a `.bin` file.

use super::{BinDefect, MAX_CALENDAR_STEPS};

const WIDTH: usize = size_of::<f32>();

/// What a `.bin` file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct BinColumn {
    /// The index of the calendar line of the first value.
    pub start: usize,
    /// One value per calendar line from there on; NaN for none. At least one.
    pub values: Vec<f32>,
}

/// Reads the bytes of a `.bin` file whose calendar has `calendar_steps` lines. The bits of the values are kept.
///
/// Takes memory for the values only, and no more than four bytes for each calendar line.
///
/// # Errors
/// The first [`BinDefect`]; its [`offset`](BinDefect::offset) is the place.
pub fn parse_bin(bytes: &[u8], calendar_steps: usize) -> Result<BinColumn, BinDefect> {
    check_length(bytes.len() as u64, calendar_steps)?;
    let mut numbers = bytes.chunks_exact(WIDTH).map(single);
    let first = numbers.next().ok_or(BinDefect::Empty)?;
    let start = start_index(first, calendar_steps)?;
    let values: Vec<f32> = numbers.collect();
    if values.is_empty() {
        return Err(BinDefect::NoValues);
    }
    if values.len() > calendar_steps - start {
        return Err(BinDefect::TooManyValues {
            start,
            values: values.len(),
            steps: calendar_steps,
        });
    }
    Ok(BinColumn { start, values })
}

/// The bytes of a `.bin` file.
///
/// # Errors
/// [`BinDefect::NoValues`], or [`BinDefect::TooManyValues`] when the column ends after the longest calendar.
pub fn encode_bin(start: usize, values: &[f32]) -> Result<Vec<u8>, BinDefect> {
    if values.is_empty() {
        return Err(BinDefect::NoValues);
    }
    if start > MAX_CALENDAR_STEPS || values.len() > MAX_CALENDAR_STEPS - start {
        return Err(BinDefect::TooManyValues {
            start: start.min(MAX_CALENDAR_STEPS),
            values: values.len(),
            steps: MAX_CALENDAR_STEPS,
        });
    }
    let mut bytes = Vec::with_capacity(WIDTH * (values.len() + 1));
    bytes.extend((start as f32).to_le_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Ok(bytes)
}

/// What a length alone says, so that a file can be refused before it is read.
pub(super) fn check_length(bytes: u64, calendar_steps: usize) -> Result<(), BinDefect> {
    let width = WIDTH as u64;
    if bytes == 0 {
        return Err(BinDefect::Empty);
    }
    if !bytes.is_multiple_of(width) {
        return Err(BinDefect::Length { bytes });
    }
    let values = bytes / width - 1;
    if values > calendar_steps as u64 {
        return Err(BinDefect::LongerThanCalendar {
            values,
            steps: calendar_steps,
        });
    }
    Ok(())
}

fn single(bytes: &[u8]) -> f32 {
    let mut four = [0; WIDTH];
    four.copy_from_slice(bytes);
    f32::from_le_bytes(four)
}

fn start_index(found: f32, steps: usize) -> Result<usize, BinDefect> {
    if !found.is_finite() {
        return Err(BinDefect::StartNotFinite { found });
    }
    if found.is_sign_negative() {
        return Err(BinDefect::StartNegative { found });
    }
    if found.fract() != 0.0 {
        return Err(BinDefect::StartFractional { found });
    }
    // A number that is too large for the type becomes its largest value, which is beyond every calendar.
    let start = found as usize;
    if start >= steps {
        return Err(BinDefect::StartBeyondCalendar { found, steps });
    }
    Ok(start)
}
