//! Bad rows, set aside as they were.

use std::path::{Path, PathBuf};

use super::lines::Lines;
use crate::lake::replace;
use crate::{BarKey, DataError, Lake, Rule, Silent};

/// The file for the bad rows of a series: `<symbol>_<timeframe>.quarantine.csv` beside the bars.
pub(crate) fn path_for(lake: &Lake, key: &BarKey) -> PathBuf {
    lake.bars_path(key)
        .with_file_name(format!("{}.quarantine.csv", key.stem()))
}

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

/// Rows that came from no file, in the form of [`write`].
pub(crate) fn text_of(columns: &str, rows: impl IntoIterator<Item = (u64, Rule, String)>) -> String {
    let mut text = format!("row,rule,{columns}\n");
    for (row, rule, line) in rows {
        text.push_str(&format!("{row},{rule},{line}\n"));
    }
    text
}

/// Adds rows in the form of [`write`] to those that were set aside before; what stands there already, whatever its row
/// number was then, is not added again. A file with other columns is left out of the new one.
pub(crate) fn add_to(before: &str, text: &str) -> String {
    let (header, rows) = text.split_once('\n').unwrap_or((text, ""));
    let Some(known) = before
        .strip_prefix(header)
        .and_then(|rest| rest.strip_prefix('\n'))
    else {
        return text.to_owned();
    };
    let content = |line: &str| line.split_once(',').map(|(_, content)| content.to_owned());
    let seen: Vec<_> = known.lines().map(content).collect();
    let mut whole = before.to_owned();
    for line in rows.lines().filter(|line| !seen.contains(&content(line))) {
        whole.push_str(line);
        whole.push('\n');
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_set_aside_once() {
        let row = |number, line: &str| (number, Rule::Nan, line.to_owned());
        let first = text_of("a,b", [row(1, "x,y")]);
        assert_eq!(first, "row,rule,a,b\n1,nan,x,y\n");
        let second = text_of("a,b", [row(7, "x,y"), row(8, "z,w")]);
        let both = add_to(&first, &second);
        assert_eq!(both, "row,rule,a,b\n1,nan,x,y\n8,nan,z,w\n");
        assert_eq!(add_to(&both, &second), both);
        assert_eq!(add_to("", &second), second);
        assert_eq!(add_to("row,rule,c\n1,nan,x\n", &second), second);
    }
}
