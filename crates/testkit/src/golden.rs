//! Texts that are kept as files and reviewed as diffs.

use std::env;
use std::fs;
use std::path::Path;

/// The variable that, set to 1, makes golden tests write their files instead of comparing with them.
const UPDATE_VARIABLE: &str = "SEXTANT_UPDATE_GOLDENS";

/// Compares a text with a file, or writes the file when `SEXTANT_UPDATE_GOLDENS=1` asks for that.
///
/// # Panics
/// When they differ, with the first line that does and the command; when the file cannot be written.
#[track_caller]
pub fn assert_golden(path: &Path, text: &str) {
    if env::var_os(UPDATE_VARIABLE).is_some_and(|setting| setting == "1") {
        fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    // A file that is not there yet differs from line 1 on.
    let expected = fs::read_to_string(path).unwrap_or_default();
    if let Some(difference) = difference(&expected, text) {
        panic!(
            "{} differs {difference}\nif that is meant to be, run again with {UPDATE_VARIABLE}=1",
            path.display()
        );
    }
}

/// Where two texts begin to differ; `None` when they are equal.
fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let pairs = expected.lines().zip(found.lines());
    let line = pairs.take_while(|(left, right)| left == right).count();
    let at = |text: &str| text.lines().nth(line).unwrap_or("(nothing)").to_owned();
    let (file, text) = (at(expected), at(found));
    Some(format!(
        "from line {} on:\n  file  {file}\n  found {text}",
        line + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        let shown = "from line 2 on:\n  file  b\n  found c";
        assert_eq!(difference("a\nb\n", "a\nc\n").as_deref(), Some(shown));
        let shown = "from line 1 on:\n  file  (nothing)\n  found a";
        assert_eq!(difference("", "a\n").as_deref(), Some(shown));
        assert!(difference("a\nb", "a\nb\n").is_some(), "an end of line counts");
    }
}
