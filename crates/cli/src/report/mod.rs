//! The HTML report of a run: one file, no network, everything read from the run folder.

mod charts;
mod html;
mod sections;

use std::path::{Path, PathBuf};

use anyhow::Context;
use sextant_store::{Manifest, RunTables};

use html::Escaped;

/// The label that marks everything made from synthetic data.
pub const SYNTHETIC_LABEL: &str = "SYNTHETIC DATA";

const STYLE: &str = include_str!("style.css");

/// A run as the report needs it.
#[derive(Clone, Copy)]
pub struct ReportInput<'a> {
    /// What the run was computed from.
    pub manifest: &'a Manifest,
    /// Its rows.
    pub tables: &'a RunTables,
}

/// The page.
pub fn render(input: &ReportInput<'_>) -> String {
    let manifest = input.manifest;
    let name = manifest
        .inputs()
        .config
        .pointer("/system/name")
        .and_then(|name| name.as_str())
        .unwrap_or("run");
    let title = format!("{name} {}", manifest.run_id());
    let badge = if manifest.is_synthetic() {
        format!("<span class=\"badge\">{SYNTHETIC_LABEL}: says nothing about any market</span>")
    } else {
        String::new()
    };
    let figures = charts::figures(input);
    let body = [
        sections::header(input, name, &badge),
        sections::key_figures(input),
        sections::chart(
            "equity",
            "Equity and drawdown",
            "Daily marks, net of costs. Bands: equity regime (green bull, yellow neutral, red bear).",
        ),
        sections::chart(
            "regimes",
            "Regimes",
            "One row per dimension; grey is unknown (an input is missing).",
        ),
        sections::chart(
            "monthly",
            "Monthly returns",
            "Portfolio, per cent, from daily marks (UTC months).",
        ),
        sections::chart(
            "models",
            "Profit and loss by model",
            "Since the start, costs included; adds up to the portfolio.",
        ),
        sections::chart(
            "exposure",
            "Exposure by model",
            "Gross position value over portfolio equity, daily.",
        ),
        sections::attribution(input),
        sections::trades(input),
        sections::risk_events(input),
        sections::bill(input),
        sections::costs(input),
        sections::assumptions(input),
        sections::data(input),
        sections::definitions(input),
    ]
    .concat();
    let script = plotly_source();
    let title = Escaped(&title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n{script}\n</head>\n<body>\n{body}\n<script>\nconst figures = {figures};\n\
         for (const [id, figure] of Object.entries(figures)) {{\n  Plotly.newPlot(id, figure.data, figure.layout, \
         {{responsive: true, displaylogo: false}});\n}}\n</script>\n</body>\n</html>\n"
    )
}

/// The plotting library as a script element. The crate's second script, for formulas, is not needed.
fn plotly_source() -> String {
    let both = plotly::Plot::offline_js_sources();
    let end = both
        .find("</script>")
        .map_or(both.len(), |at| at + "</script>".len());
    both[..end].to_owned()
}

/// Writes the page of a run to `<results>/reports/<run id>.html` and returns its path.
///
/// # Errors
/// When the file cannot be written.
pub fn write_report(results: &Path, input: &ReportInput<'_>) -> anyhow::Result<PathBuf> {
    let folder = results.join("reports");
    let page = folder.join(format!("{}.html", input.manifest.run_id()));
    let unfinished = folder.join(format!(
        ".{}-{}.html",
        input.manifest.run_id(),
        std::process::id()
    ));
    let failed = || format!("the report {} cannot be written", page.display());
    std::fs::create_dir_all(&folder).with_context(failed)?;
    std::fs::write(&unfinished, render(input)).with_context(failed)?;
    std::fs::rename(&unfinished, &page).with_context(failed)?;
    Ok(page)
}
