//! The rows of the tables of proofs.

use std::process::ExitCode;

use crate::out::say;
use crate::table::table;

/// What a proof came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It holds.
    Pass,
    /// It does not, and why.
    Fail(String),
    /// There was nothing to prove it on, and why.
    Skip(String),
}

/// One proof.
#[derive(Debug, Clone)]
pub(super) struct ProofRow {
    /// Which command it belongs to.
    pub(super) check: &'static str,
    /// What was proven.
    pub(super) what: String,
    /// In how many ways.
    pub(super) extent: String,
    /// How many values were compared.
    pub(super) values: usize,
    /// What it came to.
    pub(super) verdict: Verdict,
}

impl ProofRow {
    /// A proof that compared values: it passes without a complaint, and is skipped where nothing was compared.
    pub(super) fn compared(
        check: &'static str,
        (what, extent): (&str, &str),
        values: usize,
        complaint: Option<String>,
    ) -> Self {
        let verdict = match complaint {
            Some(complaint) => Verdict::Fail(complaint),
            None if values == 0 => Verdict::Skip("nothing came out that could be compared".to_owned()),
            None => Verdict::Pass,
        };
        Self {
            check,
            what: what.to_owned(),
            extent: extent.to_owned(),
            values,
            verdict,
        }
    }
}

const HEADINGS: [&str; 5] = ["check", "what", "extent", "#values", "verdict"];

/// Prints the table and, below it, what failed and why something was skipped. Fails when a proof does, or when there is
/// none that passed.
pub(super) fn print(rows: &[ProofRow]) -> ExitCode {
    let cells = rows.iter().map(|row| {
        let verdict = match row.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail(_) => "FAIL",
            Verdict::Skip(_) => "skip",
        };
        vec![
            row.check.to_owned(),
            row.what.clone(),
            row.extent.clone(),
            row.values.to_string(),
            verdict.to_owned(),
        ]
    });
    say!("{}", table(&HEADINGS, cells));
    for row in rows {
        match &row.verdict {
            Verdict::Pass => {}
            Verdict::Fail(reason) => say!("FAIL {}, {}: {reason}", row.check, row.what),
            Verdict::Skip(reason) => say!("skip {}, {}: {reason}", row.check, row.what),
        }
    }
    let failed = rows.iter().any(|row| matches!(row.verdict, Verdict::Fail(_)));
    let proven = rows.iter().any(|row| row.verdict == Verdict::Pass);
    if failed || !proven {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
