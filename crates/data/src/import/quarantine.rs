//! Bad rows, set aside as they were.

use std::path::Path;

use super::lines::Lines;
use crate::lake::replace;
use crate::{DataError, Rule, Silent};

/// Writes the bad rows of `source` to `target`, each after its row number and rule, byte for byte. `bad` is ordered by
/// row.
pub(super) fn write(source: &Path, bad: &[(u64, Rule)], target: &Path) -> Result<(), DataError> {
    let mut lines = Lines::open(source, &Silent)?;
    let mut text = Vec::new();
    let mut bad = bad.iter().peekable();
    while let Some((row, line)) = lines.next()? {
        if row == 1 {
            text.extend(b"row,rule,");
        } else if let Some((row, rule)) = bad.next_if(|(next, _)| *next == row) {
            text.extend(format!("{row},{rule},").into_bytes());
        } else {
            continue;
        }
        text.extend(line);
        text.push(b'\n');
    }
    replace(target, &text)
}
