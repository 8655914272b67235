//! The sections of the page that are tables and text.

use std::collections::BTreeMap;
use std::fmt::Write;

use sextant_store::{MetricRow, PORTFOLIO_SCOPE};

use super::ReportInput;
use super::html::{Escaped, section, table};
use crate::bill::{ALL, OPTIMISTIC, PESSIMISTIC, break_even};
use crate::figures::{bill_figures, cents, format_metric, scopes};

/// Rows shown of the long tables; the database has all of them.
const LONGEST_TABLE: usize = 1_000;

pub(super) fn header(input: &ReportInput<'_>, name: &str, badge: &str) -> String {
    let inputs = input.manifest.inputs();
    let mut cards = String::new();
    for wanted in ["total_return", "cagr", "sharpe", "max_drawdown", "bps", "trades"] {
        let row = input
            .tables
            .metrics
            .iter()
            .find(|row| row.scope == PORTFOLIO_SCOPE && row.name == wanted);
        if let Some(row) = row {
            let label = wanted.replace('_', " ");
            let _ = write!(
                cards,
                "<div class=\"card\"><b>{}</b><span>{label}</span></div>",
                Escaped(format_metric(row))
            );
        }
    }
    format!(
        "<header><h1>{}{badge}</h1><p class=\"note\">run {} &middot; {} to {} &middot; {} &middot; sextant {} \
         (code {})</p><div class=\"cards\">{cards}</div>{}</header>\n",
        Escaped(name),
        input.manifest.run_id(),
        inputs.start.date(),
        inputs.end.saturating_add(-1).date(),
        Escaped(inputs.universe.join(", ")),
        Escaped(&inputs.code.version),
        Escaped(inputs.code.digest.get(..12).unwrap_or(&inputs.code.digest)),
        bounds(input),
    )
}

/// The bounds inside bars, everything pessimistic at once, and the costs that the run bears; nothing where no bill was made.
fn bounds(input: &ReportInput<'_>) -> String {
    let line = |assumption: &str| {
        let mut rows = input.tables.assumption_bill.iter();
        rows.find(|row| row.assumption == assumption).map(bill_figures)
    };
    let (Some(low), Some(high), Some(all)) = (line(PESSIMISTIC), line(OPTIMISTIC), line(ALL)) else {
        return String::new();
    };
    let text = format!(
        "Inside bars: Sharpe {} and CAGR {} under the pessimistic rule, {} and {} under the optimistic one. Every assumption \
         pessimistic: Sharpe {}, CAGR {}. Break-even costs: {}.",
        low[0],
        low[1],
        high[0],
        high[1],
        all[0],
        all[1],
        break_even(&input.tables.cost_curve).words()
    );
    format!("<p class=\"note bounds\">{}</p>", Escaped(text))
}

pub(super) fn key_figures(input: &ReportInput<'_>) -> String {
    let scopes = scopes(&input.tables.metrics);
    let mut names: Vec<&str> = Vec::new();
    for row in &input.tables.metrics {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let cell = |scope: &str, name: &str| -> Option<&MetricRow> {
        input
            .tables
            .metrics
            .iter()
            .find(|row| row.scope == scope && row.name == name)
    };
    let rows: Vec<Vec<String>> = names
        .iter()
        .map(|name| {
            let definition = scopes
                .iter()
                .find_map(|scope| cell(scope, name))
                .map_or("", |one| &one.definition);
            let mut row = vec![format!("{}\n{definition}", name.replace('_', " "))];
            row.extend(
                scopes
                    .iter()
                    .map(|scope| cell(scope, name).map(with_interval).unwrap_or_default()),
            );
            row
        })
        .collect();
    let mut headings = vec!["figure".to_owned()];
    headings.extend(scopes.iter().map(|scope| format!("#{scope}")));
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    section(
        "Key figures",
        "Net of all costs, from daily marks. Below a figure: its 95 % interval. Below a name: its definition. Words stand where a figure is undefined.",
        &table(&headings, &rows),
    )
}

fn with_interval(row: &MetricRow) -> String {
    let value = format_metric(row);
    match (row.lower95, row.upper95) {
        (Some(low), Some(high)) => {
            let bound = |value: f64| {
                format_metric(&MetricRow {
                    value: Some(value),
                    reason: None,
                    ..row.clone()
                })
            };
            format!("{value}\n{} .. {}", bound(low), bound(high))
        }
        _ => value,
    }
}

pub(super) fn chart(id: &str, title: &str, note: &str) -> String {
    section(title, note, &format!("<div id=\"{id}\" class=\"chart\"></div>"))
}

pub(super) fn attribution(input: &ReportInput<'_>) -> String {
    let rows: Vec<Vec<String>> = input
        .tables
        .attribution
        .iter()
        .map(|row| {
            vec![
                row.model.clone(),
                row.symbol.clone(),
                cents(row.gross_pnl),
                cents(row.fees),
                cents(row.slippage),
                cents(row.income),
                cents(row.net_pnl),
            ]
        })
        .collect();
    section(
        "Attribution",
        "What each model earned and paid in each instrument. The exact values in the database add up to the \
         portfolio's profit and loss to the last digit.",
        &table(
            &[
                "model",
                "instrument",
                "#gross",
                "#fees",
                "#slippage",
                "#income",
                "#net",
            ],
            &rows,
        ),
    )
}

/// A time to the minute, UTC.
fn minute(time: sextant_domain::UtcNanos) -> String {
    time.datetime().format("%Y-%m-%d %H:%M").to_string()
}

pub(super) fn trades(input: &ReportInput<'_>) -> String {
    let of_models: Vec<_> = input
        .tables
        .trades
        .iter()
        .filter(|row| row.scope != PORTFOLIO_SCOPE)
        .collect();
    let rows: Vec<Vec<String>> = of_models
        .iter()
        .rev()
        .take(LONGEST_TABLE)
        .map(|row| {
            vec![
                row.scope.clone(),
                row.symbol.clone(),
                if row.side == sextant_domain::Side::Buy {
                    "long"
                } else {
                    "short"
                }
                .to_owned(),
                minute(row.entry_time),
                minute(row.exit_time),
                row.quantity.to_string(),
                format!("{:.4}", row.entry_price.decimal()),
                format!("{:.4}", row.exit_price.decimal()),
                cents(row.fees),
                cents(row.net_pnl),
                row.net_return
                    .map_or(String::new(), |value| format!("{:.2} %", 100.0 * value)),
            ]
        })
        .collect();
    let note = format!(
        "Closed round trips by model, matched first in, first out, newest first: {} of {}. Table `trades` has all.",
        rows.len(),
        of_models.len()
    );
    let headings = [
        "model",
        "instrument",
        "side",
        "entry",
        "exit",
        "#quantity",
        "#entry price",
        "#exit price",
        "#fees",
        "#net",
        "#return",
    ];
    section("Trades", &note, &table(&headings, &rows))
}

pub(super) fn risk_events(input: &ReportInput<'_>) -> String {
    let events = &input.tables.risk_events;
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for event in events {
        *counts.entry((&event.rule, &event.action)).or_default() += 1;
    }
    let summary: Vec<String> = counts
        .iter()
        .map(|((rule, action), count)| format!("{rule} {action}: {count}"))
        .collect();
    let rows: Vec<Vec<String>> = events
        .iter()
        .rev()
        .take(LONGEST_TABLE)
        .map(|row| {
            vec![
                minute(row.time),
                row.rule.clone(),
                row.action.clone(),
                row.symbol.clone().unwrap_or_default(),
                format!("{:.4}", row.before),
                format!("{:.4}", row.after),
                row.reason.clone(),
            ]
        })
        .collect();
    let note = match summary.as_slice() {
        [] => "No rule had to intervene.".to_owned(),
        some => format!(
            "{}. Newest first: {} of {}.",
            some.join("; "),
            rows.len(),
            events.len()
        ),
    };
    section(
        "Risk interventions",
        &note,
        &table(
            &[
                "time",
                "rule",
                "action",
                "instrument",
                "#before",
                "#after",
                "reason",
            ],
            &rows,
        ),
    )
}

/// The manifest's words on a line of the bill: the assumptions whose keys begin so.
fn assumed(input: &ReportInput<'_>, line: &str) -> String {
    let keys: &[&str] = match line {
        "fill_convention" => &["fill_convention"],
        "intrabar_rule" | "intrabar_optimistic" => &["intrabar_rule"],
        "commission" | "slippage" => &["costs_"],
        "funding" => &["funding", "not_simulated"],
        "borrow" => &["borrow", "not_simulated"],
        "survivorship" => &["survivorship"],
        "data" => &["data_", "missing_macro", "synthetic_data"],
        _ => &[],
    };
    let list = input.manifest.assumptions().iter();
    // The first key that the manifest has: what is simulated has a key of its own.
    let texts: Vec<&str> = match keys.iter().find(|key| {
        let mut list = input.manifest.assumptions().iter();
        list.any(|one| one.key.starts_with(**key))
    }) {
        Some(key) => list
            .filter(|one| one.key.starts_with(key))
            .map(|one| one.text.as_str())
            .collect(),
        None => Vec::new(),
    };
    match (texts.as_slice(), line) {
        ([], "annualisation") => "daily returns are taken to be uncorrelated".to_owned(),
        ([], "data") => "complete and right, as far as the rules of validation can tell".to_owned(),
        (texts, _) => texts.join(" "),
    }
}

pub(super) fn bill(input: &ReportInput<'_>) -> String {
    let rows: Vec<Vec<String>> = input
        .tables
        .assumption_bill
        .iter()
        .map(|row| {
            let [sharpe, cagr] = bill_figures(row);
            vec![
                row.assumption.replace('_', " "),
                assumed(input, &row.assumption),
                row.pessimistic.clone(),
                sharpe,
                cagr,
            ]
        })
        .collect();
    let note = if rows.is_empty() {
        "The configuration asks for no bill."
    } else {
        "The whole run repeated with one assumption made pessimistic at a time. What is far below the first line, the result \
         depends on."
    };
    section(
        "Assumption bill",
        note,
        &table(
            &["what", "assumed", "made pessimistic", "#Sharpe", "#CAGR"],
            &rows,
        ),
    )
}

pub(super) fn costs(input: &ReportInput<'_>) -> String {
    let note = format!(
        "The run repeated at multiples of its commission and slippage. Break-even (dashed), where nothing is left: {}.",
        break_even(&input.tables.cost_curve).words()
    );
    chart("costs", "What costs it bears", &note)
}

pub(super) fn assumptions(input: &ReportInput<'_>) -> String {
    let rows: Vec<Vec<String>> = input
        .manifest
        .assumptions()
        .iter()
        .map(|one| vec![one.key.clone(), one.text.clone()])
        .collect();
    section(
        "Assumptions",
        "What these figures take for granted.",
        &table(&["what", "assumption"], &rows),
    )
}

pub(super) fn data(input: &ReportInput<'_>) -> String {
    let rows: Vec<Vec<String>> = input
        .manifest
        .inputs()
        .data
        .iter()
        .map(|one| {
            let kind = if one.synthetic { "synthetic" } else { "imported" };
            let digest = one.digest.get(..16).unwrap_or(&one.digest).to_owned();
            vec![
                one.symbol.clone(),
                one.timeframe.clone(),
                one.class.clone(),
                kind.to_owned(),
                one.source.clone(),
                digest,
            ]
        })
        .collect();
    section(
        "Data",
        "Digests of the content; the run id depends on them.",
        &table(
            &["series", "timeframe", "class", "kind", "source", "digest"],
            &rows,
        ),
    )
}

pub(super) fn definitions(input: &ReportInput<'_>) -> String {
    let used: Vec<&str> = input
        .tables
        .metrics
        .iter()
        .map(|row| {
            row.definition
                .split_once('{')
                .map_or(row.definition.as_str(), |(name, _)| name)
        })
        .collect();
    let rows: Vec<Vec<String>> = sextant_metrics::definitions()
        .iter()
        .filter(|one| used.contains(&one.id))
        .map(|one| vec![one.id.to_owned(), one.text.to_owned(), one.source.to_owned()])
        .collect();
    section(
        "Definitions",
        "Every figure by the id in the key figures; parameters of this run stand there.",
        &table(&["definition", "meaning", "source"], &rows),
    )
}
