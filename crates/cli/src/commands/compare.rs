//! `sextant compare`: in what two runs differ.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::bail;
use sextant_domain::UtcNanos;
use sextant_store::{LoadedRun, MetricRow, OrderRow, PORTFOLIO_SCOPE, RunFolders};

use super::runs::resolve;
use crate::args::CompareArgs;
use crate::config::differences;
use crate::figures::{format_metric, scopes};
use crate::out::say;
use crate::replay::data_changes;
use crate::table::table;

/// Two runs, side by side.
struct Pair<'a> {
    left: &'a LoadedRun,
    right: &'a LoadedRun,
}

pub(super) fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let results = &args.results.results;
    let folders = RunFolders::new(results);
    let load =
        |wanted: &str| -> anyhow::Result<LoadedRun> { Ok(folders.load_run(&resolve(results, wanted)?)?) };
    let (left, right) = (load(&args.left)?, load(&args.right)?);
    let pair = Pair {
        left: &left,
        right: &right,
    };
    pair.require_scope(&args.scope)?;
    say!(
        "A is run {}, B is run {}",
        left.manifest.run_id(),
        right.manifest.run_id()
    );
    pair.inputs();
    pair.config();
    pair.data();
    pair.orders();
    pair.equity();
    pair.metrics(&args.scope);
    pair.rows()?;
    Ok(ExitCode::SUCCESS)
}

impl Pair<'_> {
    fn require_scope(&self, scope: &str) -> anyhow::Result<()> {
        let mut known = scopes(&self.left.tables.metrics);
        for scope in scopes(&self.right.tables.metrics) {
            if !known.contains(&scope) {
                known.push(scope);
            }
        }
        if known.iter().any(|one| one == scope) {
            return Ok(());
        }
        bail!(
            "--scope {scope}: neither run has it; there are {}",
            known.join(", ")
        )
    }

    /// Code, seed, span and universe.
    fn inputs(&self) {
        let (left, right) = (self.left.manifest.inputs(), self.right.manifest.inputs());
        let pairs = [
            (
                "code version",
                left.code.version.clone(),
                right.code.version.clone(),
            ),
            ("code digest", left.code.digest.clone(), right.code.digest.clone()),
            ("seed", left.seed.to_string(), right.seed.to_string()),
            ("first step", left.start.to_string(), right.start.to_string()),
            ("last step", left.end.to_string(), right.end.to_string()),
            ("universe", left.universe.join(", "), right.universe.join(", ")),
        ];
        let differing = pairs.into_iter().filter(|(_, left, right)| left != right);
        let rows = differing.map(|(what, left, right)| vec![what.to_owned(), left, right]);
        section("code, seed, span and universe", &["what", "A", "B"], rows);
    }

    fn config(&self) {
        let (left, right) = (self.left.manifest.inputs(), self.right.manifest.inputs());
        let show = |value: Option<serde_json::Value>| value.map_or("-".to_owned(), |value| value.to_string());
        let rows = differences(&left.config, &right.config)
            .into_iter()
            .map(|one| vec![one.key, show(one.left), show(one.right)]);
        section("configuration", &["key", "A", "B"], rows);
    }

    fn data(&self) {
        let (left, right) = (self.left.manifest.inputs(), self.right.manifest.inputs());
        let rows = data_changes(&left.data, &right.data)
            .into_iter()
            .map(|change| vec![change.what, change.then, change.now]);
        section("data", &["series", "A", "B"], rows);
    }

    fn orders(&self) {
        let (left, right) = (&self.left.tables, &self.right.tables);
        let counts = [
            ("orders sent", left.orders.len(), right.orders.len()),
            ("orders refused", left.refusals.len(), right.refusals.len()),
            ("fills", left.fills.len(), right.fills.len()),
            (
                "risk interventions",
                left.risk_events.len(),
                right.risk_events.len(),
            ),
        ];
        let rows =
            counts.map(|(what, left, right)| vec![what.to_owned(), left.to_string(), right.to_string()]);
        say!("orders");
        say!("{}", table(&["what", "#A", "#B"], rows));
        let longest = left.orders.len().max(right.orders.len());
        let first = (0..longest).find(|index| left.orders.get(*index) != right.orders.get(*index));
        let Some(index) = first else {
            say!("the orders are the same, row by row");
            return;
        };
        let show = |order: Option<&OrderRow>| order.map_or("no such order".to_owned(), order_words);
        say!("the first order that differs is number {}:", index + 1);
        say!("  A: {}", show(left.orders.get(index)));
        say!("  B: {}", show(right.orders.get(index)));
    }

    /// Daily marks of the portfolio that both runs have.
    fn equity(&self) {
        let marks = |run: &LoadedRun| -> BTreeMap<UtcNanos, f64> {
            let marks = run.tables.marks.iter();
            let of_portfolio = marks.filter(|row| row.scope == PORTFOLIO_SCOPE);
            of_portfolio.map(|row| (row.time, row.equity.to_f64())).collect()
        };
        let (left, right) = (marks(self.left), marks(self.right));
        let common: Vec<(UtcNanos, f64, f64)> = left
            .iter()
            .filter_map(|(time, value)| Some((*time, *value, *right.get(time)?)))
            .collect();
        let only = |one: &BTreeMap<UtcNanos, f64>| (one.len() - common.len()).to_string();
        let mut rows = vec![vec![
            "daily marks that only one has".to_owned(),
            format!("{} (A), {} (B)", only(&left), only(&right)),
            String::new(),
        ]];
        rows.extend(equity_rows(&common));
        say!(
            "equity of the portfolio, at the {} daily marks of both",
            common.len()
        );
        say!("{}", table(&["what", "value", "when"], rows));
    }

    fn metrics(&self, scope: &str) {
        let of = |run: &'_ LoadedRun| -> Vec<MetricRow> {
            let rows = run.tables.metrics.iter();
            rows.filter(|row| row.scope == scope).cloned().collect()
        };
        let (left, right) = (of(self.left), of(self.right));
        let mut names: Vec<&str> = Vec::new();
        for row in left.iter().chain(&right) {
            if !names.contains(&row.name.as_str()) {
                names.push(&row.name);
            }
        }
        let rows = names.into_iter().map(|name| {
            let find = |rows: &'_ [MetricRow]| rows.iter().find(|row| row.name == name).cloned();
            metric_row(name, find(&left), find(&right))
        });
        say!("figures of {scope}");
        say!("{}", table(&["figure", "#A", "#B", "#B - A", "definition"], rows));
    }

    /// Every table, down to the first value.
    fn rows(&self) -> anyhow::Result<()> {
        let differing = self.left.tables.differences(&self.right.tables)?;
        let rows = differing.into_iter().map(|one| {
            let (column, left, right) = one
                .first
                .map_or(("-".to_owned(), String::new(), String::new()), |first| {
                    (format!("{} {}", first.row, first.column), first.left, first.right)
                });
            let counts = [one.rows.0, one.rows.1, one.differing].map(|count| count.to_string());
            let mut row = vec![one.table.to_owned()];
            row.extend(counts);
            row.extend([column, left, right]);
            row
        });
        let headings = [
            "table",
            "#rows A",
            "#rows B",
            "#differing",
            "first in row, column",
            "A",
            "B",
        ];
        section("tables, row by row", &headings, rows);
        Ok(())
    }
}

/// A table, or a line that says that nothing differs.
fn section(title: &str, headings: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        say!("{title}: the same");
        return;
    }
    say!("{title}");
    say!("{}", table(headings, rows));
}

fn order_words(order: &OrderRow) -> String {
    let side = order.side.map_or("trade", |side| side.name());
    let size = match (order.quantity, order.size_fraction) {
        (Some(quantity), _) => quantity.abs().to_string(),
        (None, Some(fraction)) => format!("{fraction} of the budget"),
        (None, None) => order.size_kind.name().to_owned(),
    };
    format!(
        "order {} of {}: {side} {size} {} {}, decided at a close of {}, {} of {}",
        order.order_id.index(),
        order.decided_at,
        order.symbol,
        order.kind,
        order.reference_price,
        order.origin,
        order.models
    )
}

/// First, largest and last difference.
fn equity_rows(common: &[(UtcNanos, f64, f64)]) -> Vec<Vec<String>> {
    let row = |what: &str, value: String, time: UtcNanos| vec![what.to_owned(), value, time.to_string()];
    let largest = |of: fn(f64, f64) -> f64| {
        let values = common
            .iter()
            .map(|(time, left, right)| (of(*left, *right), *time));
        values.reduce(|most, one| if one.0 > most.0 { one } else { most })
    };
    let mut rows = Vec::new();
    let first = common.iter().find(|(_, left, right)| left != right);
    let Some((time, left, right)) = first else {
        rows.push(vec!["difference".to_owned(), "none".to_owned(), String::new()]);
        return rows;
    };
    rows.push(row(
        "first difference (B - A)",
        format!("{:.2}", right - left),
        *time,
    ));
    if let Some((value, time)) = largest(|left, right| (right - left).abs()) {
        rows.push(row("largest difference, absolute", format!("{value:.2}"), time));
    }
    // Equity that is not positive has no relative difference.
    if let Some((value, time)) = largest(|left, right| {
        if left > 0.0 {
            (right / left - 1.0).abs()
        } else {
            0.0
        }
    }) {
        rows.push(row(
            "largest difference, relative",
            format!("{:.4} %", 100.0 * value),
            time,
        ));
    }
    if let Some((time, left, right)) = common.last() {
        rows.push(row("last equity of A", format!("{left:.2}"), *time));
        rows.push(row("last equity of B", format!("{right:.2}"), *time));
    }
    rows
}

fn metric_row(name: &str, left: Option<MetricRow>, right: Option<MetricRow>) -> Vec<String> {
    let show = |row: &Option<MetricRow>| row.as_ref().map_or("-".to_owned(), format_metric);
    let definitions: Vec<&str> = [&left, &right]
        .into_iter()
        .flatten()
        .map(|row| row.definition.as_str())
        .collect();
    let definition = match definitions.as_slice() {
        [left, right] if left != right => format!("A: {left}\nB: {right}"),
        [first, ..] => (*first).to_owned(),
        [] => String::new(),
    };
    let values = left
        .as_ref()
        .and_then(|row| row.value)
        .zip(right.as_ref().and_then(|row| row.value));
    let change = values
        .zip(right.as_ref())
        .map_or(String::new(), |((left, right), row)| {
            format_metric(&MetricRow {
                value: Some(right - left),
                reason: None,
                ..row.clone()
            })
        });
    vec![
        name.replace('_', " "),
        show(&left),
        show(&right),
        change,
        definition,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> UtcNanos {
        UtcNanos::from_nanos(day * 86_400_000_000_000)
    }

    #[test]
    fn the_first_and_the_largest_difference_are_told_apart() {
        let rows = equity_rows(&[
            (at(0), 100.0, 100.0),
            (at(1), 100.0, 101.0),
            (at(2), 1_000.0, 1_005.0),
        ]);
        let texts: Vec<_> = rows
            .iter()
            .map(|row| (row[1].as_str(), row[2].get(..10)))
            .collect();
        assert_eq!(
            texts,
            [
                ("1.00", Some("1970-01-02")),
                ("5.00", Some("1970-01-03")),
                ("1.0000 %", Some("1970-01-02")),
                ("1000.00", Some("1970-01-03")),
                ("1005.00", Some("1970-01-03")),
            ]
        );
        assert_eq!(equity_rows(&[(at(0), 1.0, 1.0)])[0][1], "none");
    }
}
