//! A run as text that a person can check.

use std::fmt::Write;

use sextant_domain::ports::{DailyMark, ResultSink};
use sextant_domain::{
    Allocation, Cash, Fill, FromEntry, InstrumentId, MarketData, Offset, Order, OrderEffect, OrderKind,
    OrderOrigin, OrderSize, Price, StepRecord,
};

use crate::lineage::SizeAudit;

/// Writes down orders, fills and ends, in the order in which the steps tell of them, and audits the sizes.
pub(super) struct Journal {
    symbols: Vec<String>,
    /// The orders alone, which the digest is of.
    orders: String,
    lines: String,
    counts: [usize; 2],
    audit: SizeAudit,
}

impl Journal {
    pub(super) fn new(market: &MarketData) -> Self {
        let symbols = market.instruments().iter().map(|(_, one)| one.symbol.clone());
        Self {
            symbols: symbols.collect(),
            orders: String::new(),
            lines: String::new(),
            counts: [0; 2],
            audit: SizeAudit::new(market),
        }
    }

    /// The whole journal below a heading.
    pub(super) fn text(&self, head: &str, equity: Cash) -> String {
        let [orders, fills] = self.counts;
        assert_eq!(self.audit.explained, orders, "the size of every order adds up");
        let digest = blake3::hash(self.orders.as_bytes());
        format!(
            "{head}\n{orders} orders, {fills} fills, final equity {equity}\norder list {digest}\n\n{}",
            self.lines
        )
    }

    fn symbol(&self, instrument: InstrumentId) -> &str {
        &self.symbols[instrument.index()]
    }

    fn order(&mut self, order: &Order) {
        let draft = &order.draft;
        let terms = &draft.terms;
        let mut line = format!(
            "{} order {} {} {}",
            draft.decided_at,
            order.id,
            self.symbol(draft.instrument),
            kind(terms.kind),
        );
        write!(line, " {} {}", size(draft.size), terms.time_in_force.name()).unwrap();
        if terms.effect == OrderEffect::ReduceOnly {
            line.push_str(" reduce_only");
        }
        if let Some(entry) = terms.link.entry {
            write!(line, " after {entry}").unwrap();
        }
        if let Some(group) = terms.link.group {
            write!(line, " group {group}").unwrap();
        }
        if draft.origin == OrderOrigin::Target {
            write!(line, " {}", parts(&draft.allocations)).unwrap();
        }
        line.push('\n');
        self.orders.push_str(&line);
        self.lines.push_str(&line);
        self.counts[0] += 1;
    }

    fn fill(&mut self, fill: &Fill) {
        let line = format!(
            "{} fill  {} {} {} at {} fee {} {}\n",
            fill.time,
            fill.order,
            self.symbol(fill.instrument),
            fill.quantity,
            fill.price,
            fill.fee,
            parts(&fill.allocations)
        );
        self.lines.push_str(&line);
        self.counts[1] += 1;
    }
}

impl ResultSink for Journal {
    fn record(&mut self, step: &StepRecord) {
        self.audit.step(step);
        step.fills.iter().for_each(|fill| self.fill(fill));
        for end in &step.ended {
            writeln!(
                self.lines,
                "{} end   {} {}",
                end.time,
                end.order,
                end.reason.name()
            )
            .unwrap();
        }
        for refused in &step.refused {
            let symbol = self.symbol(refused.draft.instrument).to_owned();
            writeln!(self.lines, "{} refused {symbol} {}", step.time, refused.rule).unwrap();
        }
        for order in &step.changed {
            writeln!(self.lines, "{} change {order}", step.time).unwrap();
        }
        step.orders.iter().for_each(|order| self.order(order));
    }

    fn mark(&mut self, _mark: &DailyMark<'_>) {}
}

fn kind(kind: OrderKind) -> String {
    let name = kind.name();
    match kind {
        OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose => name.to_owned(),
        OrderKind::Limit { limit } => format!("{name} {limit}"),
        OrderKind::Stop { stop } => format!("{name} {stop}"),
        OrderKind::StopLimit { stop, limit } => format!("{name} {stop} {limit}"),
        OrderKind::TrailingStop { trail, activation } => {
            format!("{name} by {}{}", offset(trail), from(activation))
        }
        OrderKind::FromEntry(exit @ FromEntry::TrailingStop { trail, .. }) => {
            format!("{name} by {} at {}", offset(trail), offset(exit.offset()))
        }
        OrderKind::FromEntry(exit) => format!("{name} at {}", offset(exit.offset())),
    }
}

fn offset(offset: Offset) -> String {
    match offset {
        Offset::Distance(distance) => distance.to_string(),
        Offset::Fraction(fraction) => format!("{} %", 100.0 * fraction),
    }
}

/// From which price on a trailing stop follows; nothing when it does so at once.
fn from(activation: Option<Price>) -> String {
    activation.map_or_else(String::new, |price| format!(" from {price}"))
}

fn size(size: OrderSize) -> String {
    match size {
        OrderSize::Units(units) => units.to_string(),
        OrderSize::EquityFraction(fraction) => format!("{} % of equity", 100.0 * fraction),
        OrderSize::ClosePosition => "close".to_owned(),
        OrderSize::EntryFill => "entry_fill".to_owned(),
    }
}

/// The quantities of the models.
fn parts(allocations: &[Allocation]) -> String {
    let parts = allocations
        .iter()
        .map(|one| format!("{}:{}", one.model, one.quantity));
    format!("[{}]", parts.collect::<Vec<_>>().join(" "))
}
