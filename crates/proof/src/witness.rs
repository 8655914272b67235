//! The trace of a run: everything decided in each step, and the state it was decided in.

use std::collections::BTreeMap;

use sextant_domain::ports::{DailyMark, ResultSink};
use sextant_domain::{
    Fill, FromEntry, InstrumentId, InstrumentTable, ModelId, Offset, Order, OrderDraft, OrderId, OrderKind,
    OrderSize, Price, RiskStatus, StepRecord, UtcNanos,
};

use crate::fills::OrderStory;
use crate::trace::{Observed, Stage, Trace, TrackName, Unit};

/// What a witness has seen.
#[derive(Debug, Clone, Default)]
pub struct Testimony {
    /// Every value.
    pub trace: Trace,
    /// Every order that was sent.
    pub orders: BTreeMap<OrderId, OrderStory>,
}

/// A sink that writes down everything, by the names of instruments and models instead of their numbers, so that runs
/// with another order of either can be compared.
pub struct Witness {
    testimony: Testimony,
    symbols: Vec<String>,
    models: Vec<String>,
    daily_marks: Vec<UtcNanos>,
    status: Option<RiskStatus>,
    places: BTreeMap<Key, usize>,
}

/// A quantity before it has its words: looked up for every value.
type Key = (Stage, &'static str, Option<ModelId>, Option<InstrumentId>);

impl Witness {
    /// A witness of a run with these instruments and models, in the order of their ids.
    ///
    /// Marks at other times than `daily_marks` are left out: the end of the data is the end of the run, whose last mark
    /// is no decision.
    pub fn new(instruments: &InstrumentTable, models: &[String], daily_marks: &[UtcNanos]) -> Self {
        let symbols = instruments.iter().map(|(_, one)| one.symbol.clone());
        Self {
            testimony: Testimony::default(),
            symbols: symbols.collect(),
            models: models.to_vec(),
            daily_marks: daily_marks.to_vec(),
            status: None,
            places: BTreeMap::new(),
        }
    }

    /// What it has seen.
    pub fn finish(self) -> Testimony {
        self.testimony
    }

    fn see(&mut self, key: Key, unit: Unit, time: UtcNanos, observed: impl Into<Observed>) {
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                let place = self.testimony.trace.place(self.name(key, unit));
                self.places.insert(key, place);
                place
            }
        };
        self.testimony.trace.record_at(place, time, observed.into());
    }

    fn name(&self, (stage, quantity, model, instrument): Key, unit: Unit) -> TrackName {
        let quantity = match model {
            Some(model) => format!("{quantity} of {}", self.models[model.index()]),
            None => quantity.to_owned(),
        };
        let name = TrackName::new(stage, quantity, unit);
        match instrument {
            Some(instrument) => name.of(&self.symbols[instrument.index()]),
            None => name,
        }
    }

    fn decided(&mut self, step: &StepRecord) {
        let time = step.time;
        for (model, instrument, weight) in &step.intents {
            let key = (Stage::Intent, "weight", Some(*model), Some(*instrument));
            self.see(key, Unit::Plain, time, *weight);
        }
        for (instrument, weight) in &step.targets {
            let key = (Stage::Weight, "weight", None, Some(*instrument));
            self.see(key, Unit::Plain, time, *weight);
        }
        for act in &step.interventions {
            let words = format!("{} {}", act.rule, act.action.name());
            self.see(
                (Stage::Risk, "rule", None, act.instrument),
                Unit::Plain,
                time,
                words,
            );
            let numbers = format!("{:?} to {:?}: {}", act.before, act.after, act.reason);
            self.see(
                (Stage::Risk, "reason", None, act.instrument),
                Unit::Words,
                time,
                numbers,
            );
        }
        if self.status.replace(step.status) != Some(step.status) {
            let words = Observed::debug(&step.status);
            self.see((Stage::Risk, "standing", None, None), Unit::Plain, time, words);
        }
    }

    fn sent(&mut self, time: UtcNanos, order: &Order) {
        let story = OrderStory {
            symbol: self.symbols[order.draft.instrument.index()].clone(),
            sent: time,
            is_market: matches!(order.draft.terms.kind, OrderKind::Market),
            first_fill: None,
        };
        self.testimony.orders.insert(order.id, story);
        let number = Observed::debug(&(order.id, order.draft.terms.link, order.draft.terms.reference));
        self.see(
            (Stage::Order, "number", None, Some(order.draft.instrument)),
            Unit::Words,
            time,
            number,
        );
        self.draft(time, &order.draft, "sent");
    }

    fn draft(&mut self, time: UtcNanos, draft: &OrderDraft, what: &str) {
        let of = |quantity| (Stage::Order, quantity, None, Some(draft.instrument));
        let terms = &draft.terms;
        let words = [
            what,
            terms.kind.name(),
            terms.time_in_force.name(),
            draft.origin.name(),
        ];
        let words = format!("{} {:?}", words.join(" "), terms.effect);
        self.see(of("terms"), Unit::Plain, time, words);
        match draft.size {
            OrderSize::Units(units) => self.see(of("units"), Unit::Units, time, units.decimal()),
            other => self.see(of("size"), Unit::Plain, time, Observed::debug(&other)),
        }
        self.see(of("decided at"), Unit::Plain, time, draft.decided_at);
        self.see(of("budget"), Unit::Plain, time, draft.budget);
        self.see(of("reference price"), Unit::Price, time, draft.reference_price);
        for (unit, level) in levels(terms.kind) {
            self.see(of(level_name(unit)), unit, time, level);
        }
        for part in &draft.allocations {
            let key = (Stage::Order, "units", Some(part.model), Some(draft.instrument));
            self.see(key, Unit::Units, time, part.quantity.decimal());
        }
    }

    fn filled(&mut self, time: UtcNanos, fill: &Fill) {
        if let Some(story) = self.testimony.orders.get_mut(&fill.order) {
            story.first_fill.get_or_insert((time, fill.reference_price));
        }
        let of = |quantity| (Stage::Fill, quantity, None, Some(fill.instrument));
        self.see(of("time"), Unit::Plain, time, fill.time);
        self.see(of("units"), Unit::Units, time, fill.quantity.decimal());
        self.see(of("price"), Unit::Price, time, fill.price.decimal());
        self.see(
            of("market price"),
            Unit::Price,
            time,
            fill.reference_price.decimal(),
        );
        self.see(of("fee"), Unit::Money, time, fill.fee.decimal());
        self.see(of("slippage"), Unit::Money, time, fill.slippage.decimal());
        self.see(of("impact"), Unit::Money, time, fill.impact.decimal());
        for part in &fill.allocations {
            let key = (Stage::Fill, "units", Some(part.model), Some(fill.instrument));
            self.see(key, Unit::Units, time, part.quantity.decimal());
        }
    }

    fn account(&mut self, step: &StepRecord) {
        let (time, point) = (step.time, step.equity);
        let values = [
            ("equity", point.equity),
            ("cash", point.cash),
            ("gross exposure", point.gross),
            ("net exposure", point.net),
        ];
        for (quantity, value) in values {
            self.see((Stage::Account, quantity, None, None), Unit::Money, time, value);
        }
        for (index, pnl) in step.model_pnl.iter().enumerate() {
            let key = (Stage::Account, "profit", Some(ModelId::from_index(index)), None);
            self.see(key, Unit::Money, time, *pnl);
        }
        for event in &step.cash_events {
            let key = (Stage::Account, "currency of cash", None, event.instrument);
            self.see(key, Unit::Plain, time, event.currency.code());
            for (model, amount) in &event.amounts {
                let key = (Stage::Account, event.kind.name(), Some(*model), event.instrument);
                self.see(key, Unit::Money, time, amount.decimal());
            }
        }
        for split in &step.splits {
            let words = Observed::debug(split);
            self.see(
                (Stage::Account, "split", None, Some(split.instrument)),
                Unit::Words,
                time,
                words,
            );
        }
    }
}

/// The prices that an order names itself, and the fractions of others.
fn levels(kind: OrderKind) -> Vec<(Unit, Observed)> {
    match kind {
        OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose => vec![],
        OrderKind::Limit { limit } => vec![level(limit)],
        OrderKind::Stop { stop } => vec![level(stop)],
        OrderKind::StopLimit { stop, limit } => vec![level(stop), level(limit)],
        OrderKind::TrailingStop { trail, activation } => std::iter::once(offset(trail))
            .chain(activation.map(level))
            .collect(),
        OrderKind::FromEntry(exit @ FromEntry::TrailingStop { trail, .. }) => {
            vec![offset(trail), offset(exit.offset())]
        }
        OrderKind::FromEntry(exit) => vec![offset(exit.offset())],
    }
}

fn level(price: Price) -> (Unit, Observed) {
    (Unit::Price, price.decimal().into())
}

fn offset(offset: Offset) -> (Unit, Observed) {
    match offset {
        Offset::Distance(distance) => level(distance),
        Offset::Fraction(fraction) => (Unit::Plain, fraction.into()),
    }
}

const fn level_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Price => "own price",
        _ => "own fraction",
    }
}

impl ResultSink for Witness {
    fn record(&mut self, step: &StepRecord) {
        self.decided(step);
        for order in &step.orders {
            self.sent(step.time, order);
        }
        for refused in &step.refused {
            let words = format!("refused by {}", refused.rule);
            self.draft(step.time, &refused.draft, &words);
        }
        for end in &step.ended {
            let words = format!("{} at {}: {}", end.order.index(), end.time, end.reason.name());
            self.see((Stage::Order, "end", None, None), Unit::Words, step.time, words);
        }
        for order in &step.changed {
            let words = Observed::debug(order);
            self.see(
                (Stage::Order, "change", None, None),
                Unit::Words,
                step.time,
                words,
            );
        }
        for fill in &step.fills {
            self.filled(step.time, fill);
        }
        for (fill, factor) in step.fills.iter().zip(&step.fill_factors) {
            let key = (
                Stage::Fill,
                "value of one unit at a price of one",
                None,
                Some(fill.instrument),
            );
            self.see(key, Unit::Words, step.time, *factor);
        }
        self.account(step);
    }

    fn mark(&mut self, mark: &DailyMark<'_>) {
        if self.daily_marks.binary_search(&mark.time).is_err() {
            return;
        }
        let time = mark.time;
        self.see(
            (Stage::Account, "mark", None, None),
            Unit::Money,
            time,
            mark.equity.decimal(),
        );
        for one in mark.positions {
            let of = |what| (Stage::Account, what, None, Some(one.instrument));
            self.see(of("marked units"), Unit::Units, time, one.quantity.decimal());
            self.see(of("marked price"), Unit::Price, time, one.price.decimal());
            self.see(of("marked value"), Unit::Money, time, one.value.decimal());
        }
        for (model, one) in mark.model_positions {
            let key = (Stage::Account, "marked units", Some(*model), Some(one.instrument));
            self.see(key, Unit::Units, time, one.quantity.decimal());
        }
    }
}
