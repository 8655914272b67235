//! `sextant data validate`.

use std::process::ExitCode;

use serde_json::{Value, json};
use sextant_data::{
    BarKey, DataError, Lake, Severity, TickerMapper, ValidationContext, ValidationReport, validate_bars_with,
};
use sextant_domain::AssetClass;

use super::select::chosen;
use super::tickers::mapper;
use crate::args::{ListingArgs, ValidateArgs};
use crate::out::say;
use crate::table::table;

const HEADINGS: [&str; 6] = ["bars", "#rows", "rule", "severity", "#count", "first places"];

/// What became of one series.
struct Checked {
    key: BarKey,
    result: Result<ValidationReport, DataError>,
}

/// Checks the chosen bars; fails when a rule of severity error is broken or a file must not be used.
pub(super) fn run(args: &ValidateArgs) -> anyhow::Result<ExitCode> {
    let lake = Lake::new(&args.select.root.data);
    let tickers = tickers(args)?;
    let checked: Vec<Checked> = chosen(&args.select)?
        .into_iter()
        .map(|key| check(&lake, key, &tickers))
        .collect();
    if args.json {
        let series: Vec<Value> = checked.iter().map(as_json).collect();
        say!(
            "{:#}",
            json!({"failed": checked.iter().any(Checked::failed), "series": series})
        );
    } else if checked.is_empty() {
        say!(
            "no bars in {}; import some with `cargo xtask data import`",
            lake.root().display()
        );
    } else {
        say!("{}", table(&HEADINGS, checked.iter().flat_map(rows)));
    }
    Ok(if checked.iter().any(Checked::failed) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

impl Checked {
    fn failed(&self) -> bool {
        self.result.as_ref().map_or(true, ValidationReport::has_errors)
    }
}

/// The securities that the options list, by class: map files and listings are about equities, renames about all classes.
fn tickers(args: &ValidateArgs) -> anyhow::Result<Vec<TickerMapper>> {
    let listings = &args.listings;
    let renames = ListingArgs {
        renames: listings.renames.clone(),
        ..ListingArgs::default()
    };
    let equities = listings.maps.is_some() || listings.listings.is_some();
    let lists = AssetClass::ALL.into_iter().filter_map(|class| match class {
        AssetClass::Equity if equities => Some((class, listings)),
        _ => renames.renames.is_some().then_some((class, &renames)),
    });
    lists.map(|(class, lists)| mapper(class, lists)).collect()
}

fn check(lake: &Lake, key: BarKey, tickers: &[TickerMapper]) -> Checked {
    let context = ValidationContext {
        tickers: tickers.iter().find(|tickers| tickers.class() == key.class()),
        events: None,
    };
    let stored = lake.load_bars(key.class(), key.symbol(), key.timeframe());
    let result = stored.map(|stored| validate_bars_with(stored.bars.view(), &key, context));
    Checked { key, result }
}

fn rows(checked: &Checked) -> Vec<Vec<String>> {
    let row = |rows: String, [rule, severity]: [&str; 2], count: u64, places: String| {
        let (rule, severity) = (rule.to_owned(), severity.to_owned());
        vec![
            checked.key.to_string(),
            rows,
            rule,
            severity,
            count.to_string(),
            places,
        ]
    };
    let report = match &checked.result {
        Ok(report) => report,
        Err(error) => return vec![row(String::new(), ["readable", "error"], 1, error.to_string())],
    };
    let count = report.rows.to_string();
    if report.findings.is_empty() {
        return vec![row(count, ["all", "passed"], 0, String::new())];
    }
    let findings = report.findings.iter().map(|finding| {
        let places: Vec<String> = finding.examples.iter().take(3).map(ToString::to_string).collect();
        let words = [finding.rule.name(), name(finding.rule.severity())];
        row(count.clone(), words, finding.count, places.join("\n"))
    });
    findings.collect()
}

fn as_json(checked: &Checked) -> Value {
    let key = &checked.key;
    let mut series = json!({
        "symbol": key.symbol(),
        "asset_class": key.class(),
        "timeframe": key.timeframe(),
        "failed": checked.failed(),
    });
    match &checked.result {
        Err(error) => series["error"] = json!(error.to_string()),
        Ok(report) => {
            series["rows"] = json!(report.rows);
            let findings = report.findings.iter().map(|finding| {
                let examples = finding.examples.iter().map(|example| {
                    json!({"row": example.row, "time": example.time.map(|time| time.to_string()), "detail": example.detail})
                });
                json!({
                    "rule": finding.rule.name(),
                    "severity": name(finding.rule.severity()),
                    "count": finding.count,
                    "examples": examples.collect::<Vec<_>>(),
                })
            });
            series["findings"] = json!(findings.collect::<Vec<_>>());
        }
    }
    series
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
