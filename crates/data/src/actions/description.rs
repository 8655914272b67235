//! The sentence that says how a series was adjusted, and what can be told from it.

use chrono::NaiveDate;

use super::AdjustmentMode;

const SPLITS_ALONE: &str = "splits";
const BOTH: &str = "splits and dividends";
/// Stands before the digest of the factors, at the end of the sentence.
const DIGEST: &str = "; factors ";
/// How many digits of the digest are written.
const DIGITS: usize = 16;

/// Says nothing of what came after the day, not even whether anything did.
pub(super) fn describe(
    file: &str,
    (mode, as_of): (AdjustmentMode, NaiveDate),
    digest: Option<String>,
) -> String {
    let (what, formula) = match mode {
        AdjustmentMode::Splits => (SPLITS_ALONE, "raw x split factor"),
        AdjustmentMode::SplitsAndDividends => (BOTH, "raw x price factor x split factor"),
    };
    let known = match as_of {
        NaiveDate::MAX => String::new(),
        as_of => format!(", as known on {as_of}"),
    };
    let digest = digest.map_or(String::new(), |digest| format!("{DIGEST}{}", &digest[..DIGITS]));
    format!("{what} by {file}{known}: {formula}{digest}")
}

/// Whether an adjusted series knows its splits alone, so that nothing can be told of dividends.
pub fn is_for_splits_alone(adjustment: &str) -> bool {
    let rest = adjustment.strip_prefix(SPLITS_ALONE);
    rest.is_some_and(|rest| rest.starts_with(" by "))
}

/// Whether two series were adjusted by the same factors of the same dates: both sentences are the same and end with a digest
/// of the factors. Names of files prove nothing, and what was written before there were digests neither.
pub fn is_same_adjustment(one: &str, other: &str) -> bool {
    one == other && digest(one).is_some()
}

fn digest(adjustment: &str) -> Option<&str> {
    let (_, digest) = adjustment.rsplit_once(DIGEST)?;
    let is_digest = digest.len() == DIGITS && digest.bytes().all(|one| one.is_ascii_hexdigit());
    is_digest.then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(mode: AdjustmentMode, digest: Option<&str>) -> String {
        let digest = digest.map(|one| one.repeat(64));
        describe("the factor file a.csv", (mode, NaiveDate::MAX), digest)
    }

    #[test]
    fn a_sentence_says_which_factors_and_for_what() {
        let both = sentence(AdjustmentMode::SplitsAndDividends, Some("a"));
        assert_eq!(
            both,
            "splits and dividends by the factor file a.csv: raw x price factor x split factor; factors aaaaaaaaaaaaaaaa"
        );
        let splits = sentence(AdjustmentMode::Splits, Some("a"));
        assert!(is_for_splits_alone(&splits) && !is_for_splits_alone(&both));
        for (one, other, expected) in [
            (&both, both.clone(), true),
            (
                &both,
                sentence(AdjustmentMode::SplitsAndDividends, Some("b")),
                false,
            ),
            (&both, splits, false),
        ] {
            assert_eq!(is_same_adjustment(one, &other), expected, "{one} {other}");
        }
        // The same words without a digest are no proof.
        let unknown = sentence(AdjustmentMode::Splits, None);
        let qlib = "by the field factor of a Qlib folder".to_owned();
        let named = "splits by x; factors aaaaaaaaaaaaaaaa.csv: raw x split factor".to_owned();
        for words in [unknown, qlib, named] {
            assert!(!is_same_adjustment(&words, &words), "{words}");
        }
    }
}
