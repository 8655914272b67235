//! Rules by name, and reports of what breaks them.
//!
//! [`validate_bars`] looks at bars as they are in memory or in the lake; [`validate_csv_rows`] looks at a CSV file as an
//! import would, without writing anything, and finds the rows that never become bars too.

mod bars;
mod rules;

use std::fmt;

use sextant_domain::{AssetClass, BarsView, Timeframe, UtcNanos};

pub(crate) use bars::broken_by;
pub use rules::{Rule, Severity};

use crate::import::{Intake, take_in};
use crate::{DataError, ImportRequest, Progress};

/// How many examples a finding keeps.
const EXAMPLES: usize = 5;

/// What a validation found.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationReport {
    /// Number of bars or rows looked at.
    pub rows: usize,
    /// One finding per broken rule, in the order of [`Rule::ALL`].
    pub findings: Vec<Finding>,
}

/// A rule that is broken.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// How often it is broken: bars or rows; for gaps the number of missing bars.
    pub count: u64,
    /// The first places.
    pub examples: Vec<Example>,
}

/// A place where a rule is broken.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The row of the CSV file, where there is one.
    pub row: Option<u64>,
    /// The open time of the bar, where it has one.
    pub time: Option<UtcNanos>,
    /// The values.
    pub detail: String,
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}, ")?;
        }
        if let Some(time) = self.time {
            write!(f, "{time}: ")?;
        }
        f.write_str(&self.detail)
    }
}

impl ValidationReport {
    /// Whether an error is among the findings; warnings are not errors.
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.rule.severity() == Severity::Error)
    }

    /// How often a rule is broken.
    pub fn count(&self, rule: Rule) -> u64 {
        self.findings
            .iter()
            .find(|finding| finding.rule == rule)
            .map_or(0, |finding| finding.count)
    }
}

/// Findings while they are collected.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, rule: Rule, amount: u64, example: impl FnOnce() -> Example) {
        let index = self
            .0
            .iter()
            .position(|finding| finding.rule == rule)
            .unwrap_or_else(|| {
                self.0.push(Finding {
                    rule,
                    count: 0,
                    examples: Vec::new(),
                });
                self.0.len() - 1
            });
        let finding = &mut self.0[index];
        finding.count += amount;
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(example());
        }
    }

    fn add_count(&mut self, rule: Rule, count: u64) {
        if count > 0 {
            self.0.push(Finding {
                rule,
                count,
                examples: Vec::new(),
            });
        }
    }

    fn into_report(mut self, rows: usize) -> ValidationReport {
        self.0.sort_by_key(|finding| finding.rule);
        ValidationReport {
            rows,
            findings: self.0,
        }
    }
}

/// Checks bars against every rule that bars can break. The columns may hold anything, NaN and disorder included; no bars
/// break no rule. Gaps are looked for between the first and the last bar.
pub fn validate_bars(bars: BarsView<'_>, class: AssetClass, timeframe: Timeframe) -> ValidationReport {
    let mut findings = Findings::default();
    bars::check(bars, class, timeframe, &mut findings);
    findings.into_report(bars.len())
}

/// Checks a CSV file as an import of the same request would read it; nothing is written.
///
/// # Errors
/// When the file cannot be read as rows at all, or the request contradicts itself. Bad rows are findings, not errors.
pub fn validate_csv_rows(
    request: &ImportRequest,
    progress: &dyn Progress,
) -> Result<ValidationReport, DataError> {
    let Intake {
        bars,
        defects,
        counts,
        ..
    } = take_in(request, progress)?;
    let mut findings = Findings::default();
    for (rule, count) in defects.by_rule() {
        findings.add_count(rule, count);
    }
    for finding in &mut findings.0 {
        let examples = defects.first_of(finding.rule).take(EXAMPLES);
        finding.examples = examples.map(|defect| example_of(&defect)).collect();
    }
    findings.add_count(Rule::IdenticalDuplicates, counts.identical_duplicates);
    findings.add_count(Rule::OutsideSession, counts.outside_session);
    findings.add_count(Rule::LateRows, counts.late_rows);
    bars::check(bars.view(), request.asset_class, request.timeframe, &mut findings);
    Ok(findings.into_report(usize::try_from(counts.rows_read).unwrap_or(usize::MAX)))
}

fn example_of(defect: &crate::RowDefect) -> Example {
    let detail = format!(
        "{}: found `{}`; allowed: {}",
        defect.column, defect.value, defect.allowed
    );
    Example {
        row: Some(defect.row),
        time: None,
        detail,
    }
}

#[cfg(test)]
mod tests;
