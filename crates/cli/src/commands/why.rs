//! `sextant why`: from an order back to the data, and on to what it earned.

use std::process::ExitCode;

use anyhow::{Context, bail};
use sextant_domain::ports::Model;
use sextant_domain::{RegimeDimension, UtcNanos};
use sextant_store::{LoadedRun, OrderRow, RunFolders};

use super::runs::resolve;
use crate::args::WhyArgs;
use crate::figures::cents;
use crate::lineage::{
    Evidence, LadderContext, OrderTrace, Outcome, RowsEvidence, Rung, Witness, ladder, outcome, trace,
};
use crate::out::say;
use crate::progress::Bars;
use crate::replay::Replay;
use crate::table::table;

/// Orders shown where none is asked for.
const LISTED: usize = 50;

pub(super) fn run(args: &WhyArgs) -> anyhow::Result<ExitCode> {
    let results = &args.run.results.results;
    let stored = RunFolders::new(results).load_run(&resolve(results, &args.run.run)?)?;
    match &args.order {
        None => list(&stored),
        Some(order) => explain(&stored, find(&stored, order)?, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The orders of a run, newest last.
fn list(stored: &LoadedRun) {
    let orders = &stored.tables.orders;
    let first = orders.len().saturating_sub(LISTED);
    let rows = orders[first..].iter().map(|order| {
        vec![
            order.order_id.index().to_string(),
            order.decided_at.to_string(),
            order.symbol.clone(),
            size_words(order),
            order.kind.clone(),
            order.origin.clone(),
            order.models.clone(),
        ]
    });
    let headings = [
        "#order",
        "decided",
        "instrument",
        "#size",
        "kind",
        "origin",
        "models",
    ];
    say!("{}", table(&headings, rows));
    say!(
        "{} of {} orders; `cargo xtask why {} <order>` explains one",
        orders.len() - first,
        orders.len(),
        stored.manifest.run_id()
    );
}

fn size_words(order: &OrderRow) -> String {
    match (order.quantity, order.size_fraction) {
        (Some(quantity), _) => quantity.to_string(),
        (None, Some(fraction)) => format!("{fraction} of the budget"),
        (None, None) => order.size_kind.name().to_owned(),
    }
}

/// The order that was asked for.
fn find<'a>(stored: &'a LoadedRun, asked: &str) -> anyhow::Result<&'a OrderRow> {
    let orders = &stored.tables.orders;
    let run = stored.manifest.run_id();
    let (Some(first), Some(last)) = (orders.first(), orders.last()) else {
        bail!("run {run} sent no order")
    };
    let digits = asked.trim().trim_start_matches(['O', 'o', '#']);
    let Ok(number) = digits.parse::<usize>() else {
        bail!(
            "`{asked}` is no order: write its number, from {} to {}; `cargo xtask why {run}` lists them",
            first.order_id.index(),
            last.order_id.index()
        )
    };
    let found = orders.iter().find(|order| order.order_id.index() == number);
    found.with_context(|| {
        let mut nearest: Vec<usize> = orders.iter().map(|order| order.order_id.index()).collect();
        nearest.sort_by_key(|id| id.abs_diff(number));
        let nearest: Vec<_> = nearest.iter().take(3).map(usize::to_string).collect();
        format!(
            "run {run} has no order {number}; the nearest are {}; `cargo xtask why {run}` lists them",
            nearest.join(", ")
        )
    })
}

fn explain(stored: &LoadedRun, order: &OrderRow, args: &WhyArgs) -> anyhow::Result<()> {
    let bars = Bars::new();
    let replay = Replay::prepare(&stored.manifest, &args.data, &bars)?;
    let mut traced = trace(&replay, &stored.tables, Some(order.order_id), &bars)?;
    bars.finish();
    for change in &replay.changes {
        say!(
            "note: {} was {}, is {} now; the decisions are the same",
            change.what,
            change.then,
            change.now
        );
    }
    let trace = traced.orders.pop().context("the order was not sent again")?;
    let models = replay.config.models.build()?;
    headline(stored, order);
    let symbol = (!args.all).then_some(order.symbol.as_str());
    for (model, times) in decisions(&models, &trace) {
        for time in times {
            let mut witness = Witness {
                market: &replay.market,
                features: &mut traced.features,
            };
            let needs = model.requirements();
            let evidence = Evidence::of((model.id(), needs), time, symbol, &mut witness)?;
            print_evidence(model, &evidence);
        }
    }
    print_regime(stored, order, &trace);
    let names: Vec<String> = models.iter().map(|model| model.id().to_owned()).collect();
    let instruments = replay.market.data.instruments();
    let instrument = instruments.get(trace.order.draft.instrument);
    let rungs = ladder(
        &trace,
        &LadderContext {
            models: &names,
            budgets: &replay.config.budgets,
            lot: instrument.lot_size,
        },
    )?;
    print_ladder(&rungs);
    print_outcome(&outcome(&stored.tables, order, instrument.contract.multiplier)?);
    Ok(())
}

fn headline(stored: &LoadedRun, order: &OrderRow) {
    say!(
        "order {} of run {}: {} {} {}, decided {} at a close of {} ({})",
        order.order_id.index(),
        stored.manifest.run_id(),
        order.kind,
        size_words(order),
        order.symbol,
        order.decided_at,
        order.reference_price,
        order.origin
    );
}

/// The models of an order and when each decided on it: where its target was given, or where the order was asked for.
fn decisions<'a>(models: &'a [Box<dyn Model>], trace: &OrderTrace) -> Vec<(&'a dyn Model, Vec<UtcNanos>)> {
    let decided = trace.order.draft.decided_at;
    let mut found: Vec<(&dyn Model, Vec<UtcNanos>)> = Vec::new();
    if trace.parts.is_empty() {
        for part in &trace.order.draft.allocations {
            found.extend(
                models
                    .get(part.model.index())
                    .map(|model| (&**model, vec![decided])),
            );
        }
    }
    for part in &trace.parts {
        let times = part.wished_at.into_iter().collect();
        found.extend(
            models
                .get(part.sizing.model.index())
                .map(|model| (&**model, times)),
        );
    }
    found
}

fn rows_words(rows: &RowsEvidence) -> String {
    let RowsEvidence {
        series,
        series_digest,
        span,
        count,
        digest,
    } = rows;
    format!(
        "{series}: {count} rows that close {} to {}, blake3 {digest} (series {series_digest})",
        span.0, span.1
    )
}

fn print_evidence(model: &dyn Model, evidence: &Evidence) {
    say!("data and features of {} at {}", model.id(), evidence.as_of);
    let bars = evidence.bars.iter().map(|bar| {
        let [open, high, low, close, volume] = bar.values.map(|value| value.to_string());
        let mut row = vec![bar.rows.series.clone(), bar.rows.span.1.to_string()];
        row.extend([open, high, low, close, volume]);
        row.extend([bar.rows.digest.clone(), bar.rows.series_digest.clone()]);
        row
    });
    let headings = [
        "newest bar",
        "closed",
        "#open",
        "#high",
        "#low",
        "#close",
        "#volume",
        "row",
        "series",
    ];
    say!("{}", table(&headings, bars));
    let features = evidence.features.iter().map(|feature| {
        let rows: Vec<_> = feature.rows.iter().map(rows_words).collect();
        let value = feature
            .value
            .map_or("warming up".to_owned(), |value| value.to_string());
        vec![feature.name.clone(), value, rows.join("\n")]
    });
    say!("{}", table(&["feature", "#value", "computed from"], features));
    if !evidence.macros.is_empty() {
        let macros = evidence.macros.iter().map(|(name, value)| {
            vec![
                name.clone(),
                value.map_or("not there".to_owned(), |value| value.to_string()),
            ]
        });
        say!("{}", table(&["macro series", "#newest value"], macros));
    }
}

fn print_regime(stored: &LoadedRun, order: &OrderRow, trace: &OrderTrace) {
    let rows = RegimeDimension::ALL.into_iter().map(|dimension| {
        let mut known = stored.tables.regimes.iter();
        let row = known.rfind(|row| row.dimension == dimension.name() && row.time <= order.decided_at);
        let (since, inputs) = row.map_or((String::new(), String::new()), |row| {
            (row.time.to_string(), row.inputs.clone())
        });
        vec![
            dimension.name().to_owned(),
            trace.regime.label(dimension).to_owned(),
            since,
            inputs,
        ]
    });
    say!("regime; risk stands at {}", trace.status.name());
    say!("{}", table(&["dimension", "label", "since", "inputs then"], rows));
}

fn print_ladder(rungs: &[Rung]) {
    say!("size, step by step");
    let rows = rungs.iter().map(|rung| {
        vec![
            rung.whose.clone(),
            rung.what.clone(),
            rung.before.clone(),
            rung.after.clone(),
            rung.reason.clone(),
        ]
    });
    say!("{}", table(&["whose", "step", "#before", "#after", "why"], rows));
}

fn print_outcome(outcome: &Outcome) {
    say!("fills");
    let fills = outcome.fills.iter().map(|fill| {
        let parts: Vec<_> = outcome
            .parts
            .iter()
            .filter(|part| part.fill_id == fill.fill_id)
            .map(|part| format!("{}: {}", part.model, part.quantity))
            .collect();
        vec![
            fill.time.to_string(),
            fill.quantity.to_string(),
            fill.price.to_string(),
            fill.reference_price.to_string(),
            cents(fill.fee),
            cents(fill.slippage),
            parts.join("\n"),
        ]
    });
    let headings = [
        "time",
        "#quantity",
        "#price",
        "#before slippage",
        "#fee",
        "#slippage",
        "by model",
    ];
    say!("{}", table(&headings, fills));
    for end in &outcome.ends {
        say!("left the market {}: {}", end.time, end.reason.replace('_', " "));
    }
    let trips = [("opened", &outcome.opened), ("closed", &outcome.closed)];
    let trips = trips.into_iter().flat_map(|(what, trades)| {
        trades.iter().map(move |trade| {
            vec![
                what.to_owned(),
                trade.scope.clone(),
                trade.quantity.to_string(),
                format!("{} at {}", trade.entry_time, trade.entry_price),
                format!("{} at {}", trade.exit_time, trade.exit_price),
                cents(trade.net_pnl),
            ]
        })
    });
    let open = outcome.still_open.iter().map(|rest| {
        vec![
            "still open".to_owned(),
            rest.model.clone(),
            rest.quantity.to_string(),
            String::new(),
            rest.price
                .map_or("not marked".to_owned(), |price| format!("marked at {price}")),
            rest.gross_pnl.map_or("unknown".to_owned(), cents),
        ]
    });
    for model in &outcome.untold {
        say!(
            "the round trips of {model} do not follow from its fills alone (a split?); the table `trades` has them"
        );
    }
    say!(
        "profit and loss (round trips first in, first out, net of fees; what is still open before fees and in the \
         instrument's currency)"
    );
    let headings = ["this order", "model", "#units", "entry", "exit", "#profit"];
    say!("{}", table(&headings, trips.chain(open)));
}
