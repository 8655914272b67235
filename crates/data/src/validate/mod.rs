//! Rules by name, and reports of what breaks them.
//!
//! [`validate_bars`] looks at bars as they are in memory or in the lake; [`validate_csv_rows`] looks at a CSV file as an
//! import would, without writing anything, and finds the rows that never become bars too. With the history of a ticker
//! ([`ValidationContext`]) both tell whether its bars belong to one security.

mod bars;
mod reuse;
mod rules;

use std::fmt;

use sextant_domain::{AssetClass, BarsView, Timeframe, UtcNanos};

pub(crate) use bars::broken_by;
pub use rules::{Rule, Severity};

use crate::calendar::Calendar;
use crate::import::{Intake, take_in};
use crate::{BarKey, DataError, EventList, ImportRequest, Progress, TickerMapper};

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
    /// How often it is broken: bars or rows; for gaps the number of missing bars, for reused tickers that of the changes
    /// from one security to another.
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

/// What is known of a ticker beside its bars.
#[derive(Debug, Clone, Copy, Default)]
pub struct ValidationContext<'a> {
    /// Which securities had the ticker, and when. Where it knows nobody with the ticker, or is of another asset class, the
    /// bars are looked at as without it.
    pub tickers: Option<&'a TickerMapper>,
    /// The splits of the security, which make a jump of its price what it should be. They are looked at only where nobody
    /// is known with the ticker.
    pub events: Option<&'a EventList>,
}

/// Checks bars against every rule that bars can break. The columns may hold anything, NaN and disorder included; no bars
/// break no rule. Gaps are looked for between the first and the last bar. Nothing is known of the ticker; see
/// [`validate_bars_with`].
pub fn validate_bars(bars: BarsView<'_>, class: AssetClass, timeframe: Timeframe) -> ValidationReport {
    let mut findings = Findings::default();
    check(
        bars,
        (class, timeframe),
        ("", ValidationContext::default()),
        &mut findings,
    );
    findings.into_report(bars.len())
}

/// Checks bars as [`validate_bars`] does, and whether they belong to one security.
///
/// With the history of the ticker, each bar that belongs to another security than the bar before, or to none that is
/// known, breaks [`Rule::ReusedTicker`]. Without one, [`Rule::SuspectedReuse`] names the bars
///
/// * more than 365 days after the one before, or
/// * more than 30 days after it with a close that differs from the one before by more than 40 %, or
/// * with a close at least 9 times the one before, or a ninth of it (ten, less what a price moves in a day): no usual
///   split is that large.
///
/// A split among the events whose ex-date lies between the two bars is taken out of the move first. Bars whose times do
/// not increase are not looked at for reuse.
pub fn validate_bars_with(
    bars: BarsView<'_>,
    key: &BarKey,
    context: ValidationContext<'_>,
) -> ValidationReport {
    let mut findings = Findings::default();
    check(
        bars,
        (key.class(), key.timeframe()),
        (key.symbol(), context),
        &mut findings,
    );
    findings.into_report(bars.len())
}

/// Checks a CSV file as an import of the same request would read it; nothing is written, and nothing is known of the
/// ticker.
///
/// # Errors
/// When the file cannot be read as rows at all, or the request contradicts itself. Bad rows are findings, not errors.
pub fn validate_csv_rows(
    request: &ImportRequest,
    progress: &dyn Progress,
) -> Result<ValidationReport, DataError> {
    validate_csv_rows_with(request, ValidationContext::default(), progress)
}

/// Checks a CSV file as [`validate_csv_rows`] does, and whether its bars belong to one security; see
/// [`validate_bars_with`].
///
/// # Errors
/// When the file cannot be read as rows at all, or the request contradicts itself. Bad rows are findings, not errors.
pub fn validate_csv_rows_with(
    request: &ImportRequest,
    context: ValidationContext<'_>,
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
    check(
        bars.view(),
        (request.asset_class, request.timeframe),
        (&request.symbol, context),
        &mut findings,
    );
    Ok(findings.into_report(usize::try_from(counts.rows_read).unwrap_or(usize::MAX)))
}

fn check(
    bars: BarsView<'_>,
    (class, timeframe): (AssetClass, Timeframe),
    (ticker, context): (&str, ValidationContext<'_>),
    findings: &mut Findings,
) {
    let calendar = Calendar::for_class(class);
    bars::check(bars, (class, timeframe), &calendar, findings);
    let tickers = context.tickers.filter(|tickers| tickers.class() == class);
    let context = ValidationContext { tickers, ..context };
    reuse::check(bars, ticker, context, &calendar, findings);
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
