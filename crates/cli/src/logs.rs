//! Structured logs: one JSON object per line in `trades`, `orders`, `performance` and `errors`.

use std::path::Path;

use anyhow::Context;
use sextant_domain::Price;
use sextant_store::{MetricRow, OrderRow, RunTables, TradeRow};
use tracing::{Subscriber, error, info};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

const STREAMS: [&str; 4] = ["trades", "orders", "performance", "errors"];

/// Keeps the log files open; lines are flushed when it is dropped.
pub(crate) struct Logs {
    _guards: Vec<WorkerGuard>,
}

/// Opens `<folder>/<stream>.jsonl` for every stream; lines are appended.
///
/// # Errors
/// When the folder or a file cannot be written.
pub(crate) fn open(folder: &Path) -> anyhow::Result<Logs> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the log folder {} cannot be made", folder.display()))?;
    let mut layers = Vec::new();
    let mut guards = Vec::new();
    for stream in STREAMS {
        let (layer, guard) = layer(folder, stream)?;
        layers.push(layer);
        guards.push(guard);
    }
    tracing::subscriber::set_global_default(Registry::default().with(layers))
        .context("logs are opened once")?;
    Ok(Logs { _guards: guards })
}

type BoxedLayer<S> = Box<dyn Layer<S> + Send + Sync>;

fn layer<S>(folder: &Path, stream: &'static str) -> anyhow::Result<(BoxedLayer<S>, WorkerGuard)>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let path = folder.join(format!("{stream}.jsonl"));
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("the log {} cannot be opened for writing", path.display()))?;
    // Lossy would drop lines when the disk is slow.
    let (writer, guard) = tracing_appender::non_blocking::NonBlockingBuilder::default()
        .lossy(false)
        .finish(file);
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_level(false)
        .with_writer(writer)
        .with_filter(Targets::new().with_target(stream, tracing::Level::INFO));
    Ok((Box::new(layer), guard))
}

/// Logs what a finished run did.
pub(crate) fn run(run_id: &str, tables: &RunTables) {
    tables.orders.iter().for_each(|order| log_order(run_id, order));
    tables.trades.iter().for_each(|trade| log_trade(run_id, trade));
    tables
        .metrics
        .iter()
        .for_each(|metric| log_metric(run_id, metric));
    for end in &tables.order_ends {
        let (time, order_id) = (end.time.to_string(), end.order_id.index());
        info!(target: "orders", event = "ended", run_id, order_id, time, reason = end.reason);
    }
    for refusal in &tables.refusals {
        let (time, symbol, rule) = (refusal.decided_at.to_string(), &refusal.symbol, &refusal.rule);
        info!(target: "orders", event = "refused", run_id, time, symbol, rule, models = refusal.models);
    }
}

fn log_order(run_id: &str, order: &OrderRow) {
    let text = |price: Option<Price>| price.map(|price| price.to_string());
    let quantity = order.quantity.map(|quantity| quantity.to_string());
    info!(
        target: "orders",
        event = "sent",
        run_id,
        order_id = order.order_id.index(),
        time = order.decided_at.to_string(),
        symbol = order.symbol,
        side = order.side.map(|side| side.name()),
        quantity,
        size_kind = order.size_kind.name(),
        kind = order.kind,
        limit_price = text(order.limit_price),
        stop_price = text(order.stop_price),
        trail_distance = text(order.trail_distance),
        trail_fraction = order.trail_fraction,
        activation_price = text(order.activation_price),
        offset_distance = text(order.offset_distance),
        offset_fraction = order.offset_fraction,
        time_in_force = order.time_in_force,
        origin = order.origin,
        models = order.models,
    );
}

fn log_trade(run_id: &str, trade: &TradeRow) {
    info!(
        target: "trades",
        run_id,
        scope = trade.scope,
        symbol = trade.symbol,
        side = trade.side.name(),
        entry_time = trade.entry_time.to_string(),
        exit_time = trade.exit_time.to_string(),
        quantity = trade.quantity.to_string(),
        entry_price = trade.entry_price.to_string(),
        exit_price = trade.exit_price.to_string(),
        fees = trade.fees.to_string(),
        net_pnl = trade.net_pnl.to_string(),
    );
}

fn log_metric(run_id: &str, metric: &MetricRow) {
    info!(
        target: "performance",
        run_id,
        scope = metric.scope,
        name = metric.name,
        definition = metric.definition,
        value = metric.value,
        reason = metric.reason,
    );
}

/// Logs an error that ended a command.
pub(crate) fn failure(message: &str) {
    error!(target: "errors", message);
}
