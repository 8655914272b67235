//! The charts, as Plotly figures.

use std::collections::BTreeMap;

use chrono::Datelike;
use serde_json::{Value, json};
use sextant_domain::{RegimeDimension, UtcNanos};
use sextant_store::{PORTFOLIO_SCOPE, RegimeRow};

use super::ReportInput;
use crate::bill::{BreakEven, break_even};

const COLOURS: [&str; 6] = ["#1f5fa8", "#c8553d", "#3c8d5a", "#8a5aa8", "#b8860b", "#4a6572"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Every figure by the id of its element, as one JSON object that is safe inside a script element.
pub(super) fn figures(input: &ReportInput<'_>) -> String {
    let figures = json!({
        "equity": equity(input),
        "regimes": regimes(input),
        "monthly": monthly(input),
        "models": models(input),
        "exposure": exposure(input),
        "costs": costs(input),
    });
    figures.to_string().replace("</", "<\\/")
}

/// CAGR and Sharpe ratio by what trading costs.
fn costs(input: &ReportInput<'_>) -> Value {
    let rows = &input.tables.cost_curve;
    let costs: Vec<Option<f64>> = rows.iter().map(|row| row.cost_bps).collect();
    let text: Vec<String> = rows
        .iter()
        .map(|row| format!("{} times the configured costs", row.multiple))
        .collect();
    let cagr: Vec<Option<f64>> = rows
        .iter()
        .map(|row| row.cagr.map(|value| 100.0 * value))
        .collect();
    let sharpe: Vec<Option<f64>> = rows.iter().map(|row| row.sharpe).collect();
    let mut shapes = vec![json!({
        "type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0,
        "line": {"color": "#5c6b7a", "width": 1},
    })];
    if let BreakEven::At { cost_bps, .. } = break_even(rows) {
        shapes.push(json!({
            "type": "line", "xref": "x", "yref": "paper", "x0": cost_bps, "x1": cost_bps, "y0": 0, "y1": 1,
            "line": {"color": COLOURS[1], "width": 1.5, "dash": "dash"},
        }));
    }
    json!({
        "data": [
            {"x": costs, "y": cagr, "text": text, "name": "CAGR %", "type": "scatter", "mode": "lines+markers",
             "line": {"color": COLOURS[0], "width": 1.6}, "hovertemplate": "%{y:.2f} % (%{text})"},
            {"x": costs, "y": sharpe, "name": "Sharpe ratio", "type": "scatter", "mode": "lines+markers", "yaxis": "y2",
             "line": {"color": COLOURS[2], "width": 1.6}, "hovertemplate": "%{y:.2f}"},
        ],
        "layout": layout(json!({
            "shapes": shapes,
            "xaxis": {"title": {"text": "costs, bp of the traded value"}, "gridcolor": "#eef1f5", "rangemode": "tozero"},
            "yaxis": {"title": {"text": "CAGR %"}, "gridcolor": "#eef1f5"},
            "yaxis2": {"title": {"text": "Sharpe ratio"}, "overlaying": "y", "side": "right", "showgrid": false,
                       "zeroline": false},
            "margin": {"l": 64, "r": 64, "t": 16, "b": 48},
        })),
    })
}

fn layout(extra: Value) -> Value {
    let mut layout = json!({
        "margin": {"l": 64, "r": 24, "t": 16, "b": 40},
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#1b2430"},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.08},
        "xaxis": {"gridcolor": "#eef1f5"},
        "yaxis": {"gridcolor": "#eef1f5"},
    });
    if let (Some(base), Value::Object(extra)) = (layout.as_object_mut(), extra) {
        base.extend(extra);
    }
    layout
}

fn day(time: UtcNanos) -> String {
    time.to_string()
}

/// Exact marks of a scope: times and values.
fn marks(input: &ReportInput<'_>, scope: &str) -> (Vec<String>, Vec<f64>, Vec<f64>) {
    let rows: Vec<_> = input
        .tables
        .marks
        .iter()
        .filter(|row| row.scope == scope)
        .collect();
    let times = rows.iter().map(|row| day(row.time)).collect();
    let equity = rows.iter().map(|row| row.equity.to_f64()).collect();
    let pnl = rows.iter().map(|row| row.pnl.to_f64()).collect();
    (times, equity, pnl)
}

fn equity(input: &ReportInput<'_>) -> Value {
    let (times, equity, pnl) = marks(input, PORTFOLIO_SCOPE);
    let initial = equity
        .first()
        .zip(pnl.first())
        .map_or(0.0, |(equity, pnl)| equity - pnl);
    let mut peak = initial;
    let drawdown: Vec<f64> = equity
        .iter()
        .map(|value| {
            peak = peak.max(*value);
            100.0 * (value / peak - 1.0)
        })
        .collect();
    let end = input.manifest.inputs().end;
    let bands: Vec<Value> = spans(&input.tables.regimes, RegimeDimension::Equity, end)
        .into_iter()
        .filter(|(_, _, label)| label != "unknown")
        .map(|(from, to, label)| {
            json!({
                "type": "rect", "xref": "x", "yref": "paper", "x0": day(from), "x1": day(to), "y0": 0, "y1": 1,
                "fillcolor": label_colour(&label), "opacity": 0.16, "line": {"width": 0}, "layer": "below",
            })
        })
        .collect();
    json!({
        "data": [
            {"x": times, "y": equity, "name": "equity", "type": "scatter", "mode": "lines",
             "line": {"color": COLOURS[0], "width": 1.6}, "hovertemplate": "%{y:,.2f}"},
            {"x": times, "y": drawdown, "name": "drawdown", "type": "scatter", "mode": "lines", "yaxis": "y2",
             "fill": "tozeroy", "line": {"color": COLOURS[1], "width": 1}, "hovertemplate": "%{y:.2f} %"},
        ],
        "layout": layout(json!({
            "shapes": bands,
            "yaxis": {"domain": [0.36, 1.0], "gridcolor": "#eef1f5", "title": {"text": "equity"}},
            "yaxis2": {"domain": [0.0, 0.3], "gridcolor": "#eef1f5", "title": {"text": "drawdown %"}},
        })),
    })
}

/// Stretches of one label of one dimension.
fn spans(rows: &[RegimeRow], dimension: RegimeDimension, end: UtcNanos) -> Vec<(UtcNanos, UtcNanos, String)> {
    let rows: Vec<&RegimeRow> = rows
        .iter()
        .filter(|row| row.dimension == dimension.name())
        .collect();
    let ends = rows.iter().skip(1).map(|row| row.time).chain([end]);
    rows.iter()
        .zip(ends)
        .map(|(row, to)| (row.time, to, row.label.clone()))
        .collect()
}

fn label_colour(label: &str) -> &'static str {
    match label {
        "bull" | "expansion" | "low" => "#3c8d5a",
        "neutral" | "slowdown" | "normal" => "#d9b44a",
        "bear" | "contraction" | "high" => "#c8553d",
        _ => "#b6bfc9",
    }
}

fn regimes(input: &ReportInput<'_>) -> Value {
    let end = input.manifest.inputs().end;
    let mut data = Vec::new();
    let mut shapes = Vec::new();
    for (row, dimension) in RegimeDimension::ALL.into_iter().enumerate() {
        let spans = spans(&input.tables.regimes, dimension, end);
        for (from, to, label) in &spans {
            shapes.push(json!({
                "type": "rect", "xref": "x", "yref": "y", "x0": day(*from), "x1": day(*to),
                "y0": row as f64 - 0.4, "y1": row as f64 + 0.4, "fillcolor": label_colour(label), "opacity": 0.75,
                "line": {"width": 0}, "layer": "below",
            }));
        }
        let times: Vec<String> = spans.iter().map(|(from, _, _)| day(*from)).collect();
        let labels: Vec<&String> = spans.iter().map(|(_, _, label)| label).collect();
        data.push(json!({
            "x": times, "y": vec![row; times.len()], "text": labels, "name": dimension.name(), "type": "scatter",
            "mode": "markers", "marker": {"size": 8, "color": "#1b2430", "opacity": 0},
            "hovertemplate": "%{text} from %{x}", "showlegend": false,
        }));
    }
    let names: Vec<&str> = RegimeDimension::ALL
        .iter()
        .map(|dimension| dimension.name())
        .collect();
    json!({
        "data": data,
        "layout": layout(json!({
            "shapes": shapes,
            "hovermode": "closest",
            "yaxis": {"tickvals": [0, 1, 2, 3], "ticktext": names, "range": [-0.6, 3.6], "showgrid": false, "zeroline": false},
            "xaxis": {"range": [day(input.manifest.inputs().start), day(end)], "gridcolor": "#eef1f5"},
        })),
    })
}

fn monthly(input: &ReportInput<'_>) -> Value {
    let rows: Vec<_> = input
        .tables
        .marks
        .iter()
        .filter(|row| row.scope == PORTFOLIO_SCOPE)
        .collect();
    let mut last_of_month: BTreeMap<(i32, u32), f64> = BTreeMap::new();
    for row in &rows {
        let date = row.time.saturating_add(-1).date();
        last_of_month.insert((date.year(), date.month()), row.equity.to_f64());
    }
    let mut before = rows
        .first()
        .map_or(0.0, |row| row.equity.to_f64() - row.pnl.to_f64());
    let mut returns: BTreeMap<i32, [Option<f64>; 12]> = BTreeMap::new();
    for ((year, month), equity) in last_of_month {
        returns.entry(year).or_default()[month as usize - 1] = Some(100.0 * (equity / before - 1.0));
        before = equity;
    }
    let years: Vec<String> = returns.keys().map(i32::to_string).collect();
    let cells: Vec<_> = returns.values().collect();
    let text: Vec<Vec<String>> = cells
        .iter()
        .map(|year| {
            year.iter()
                .map(|value| value.map_or(String::new(), |value| format!("{value:.1}")))
                .collect()
        })
        .collect();
    json!({
        "data": [{
            "type": "heatmap", "x": MONTHS, "y": years, "z": cells, "text": text, "texttemplate": "%{text}",
            "hovertemplate": "%{y} %{x}: %{z:.2f} %<extra></extra>", "zmid": 0, "xgap": 2, "ygap": 2,
            "colorscale": [[0, "#c8553d"], [0.5, "#ffffff"], [1, "#3c8d5a"]], "colorbar": {"title": {"text": "%"}},
        }],
        "layout": layout(json!({"hovermode": "closest", "yaxis": {"type": "category", "autorange": "reversed"}})),
    })
}

/// Scopes other than the portfolio, in the order of their first mark.
fn model_scopes<'a>(input: &ReportInput<'a>) -> Vec<&'a str> {
    let mut scopes: Vec<&str> = Vec::new();
    for row in &input.tables.marks {
        if row.scope != PORTFOLIO_SCOPE && !scopes.contains(&row.scope.as_str()) {
            scopes.push(&row.scope);
        }
    }
    scopes
}

fn models(input: &ReportInput<'_>) -> Value {
    let data: Vec<Value> = model_scopes(input)
        .into_iter()
        .zip(COLOURS.iter().cycle())
        .map(|(scope, colour)| {
            let (times, _, pnl) = marks(input, scope);
            json!({"x": times, "y": pnl, "name": scope, "type": "scatter", "mode": "lines",
                   "line": {"color": colour, "width": 1.5}, "hovertemplate": "%{y:,.2f}"})
        })
        .collect();
    json!({"data": data, "layout": layout(json!({}))})
}

fn exposure(input: &ReportInput<'_>) -> Value {
    let equity: BTreeMap<UtcNanos, f64> = input
        .tables
        .marks
        .iter()
        .filter(|row| row.scope == PORTFOLIO_SCOPE)
        .map(|row| (row.time, row.equity.to_f64()))
        .collect();
    let data: Vec<Value> = model_scopes(input)
        .into_iter()
        .zip(COLOURS.iter().cycle())
        .map(|(scope, colour)| {
            let mut gross: BTreeMap<UtcNanos, f64> = equity.keys().map(|time| (*time, 0.0)).collect();
            for row in input.tables.positions.iter().filter(|row| row.scope == scope) {
                *gross.entry(row.time).or_default() += row.value.to_f64().abs();
            }
            let times: Vec<String> = gross.keys().map(|time| day(*time)).collect();
            let share = |(time, value): (&UtcNanos, &f64)| equity.get(time).map(|equity| 100.0 * value / equity);
            let shares: Vec<Option<f64>> = gross.iter().map(share).collect();
            json!({"x": times, "y": shares, "name": scope, "type": "scatter", "mode": "lines", "stackgroup": "one",
                   "line": {"color": colour, "width": 0.5}, "hovertemplate": "%{y:.1f} %"})
        })
        .collect();
    json!({"data": data, "layout": layout(json!({"yaxis": {"title": {"text": "% of equity"}, "gridcolor": "#eef1f5"}}))})
}
