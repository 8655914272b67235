//! From what models ask of the broker to orders, cancellations and changes.

use sextant_domain::ports::Broker;
use sextant_domain::{
    Allocation, InstrumentId, Intervention, InterventionAction, ModelId, NoticeKind, OrderChange,
    OrderCommand, OrderDraft, OrderEffect, OrderId, OrderKind, OrderLink, OrderNotice, OrderOrigin, OrderRef,
    OrderRequest, OrderRole, OrderTerms, RefusedOrder, RiskGate, Side, StepRecord, UtcNanos,
};

use super::Engine;
use super::checks::{Checked, Fault, check, check_change, check_exits, side_of, units_of};
use super::orders::draft_weight;
use crate::error::EngineError;

const UNKNOWN_INSTRUMENT: &str = "unknown_instrument";
const ENTRY_REFUSED: &str = "entry_refused";
const UNKNOWN_ORDER: &str = "unknown_order";

/// A request with everything that its draft needs.
struct Wanted {
    model: ModelId,
    reference: OrderRef,
    request: OrderRequest,
    instrument: InstrumentId,
    checked: Checked,
    link: OrderLink,
}

impl Engine<'_> {
    /// Carries out what the models of this step asked of the broker, in order. Apart from the step, as few steps need it.
    #[inline(never)]
    pub(super) fn carry_out(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let commands = std::mem::take(&mut self.scratch.commands);
        let mut rest = commands.as_slice();
        while let [(model, command), after @ ..] = rest {
            let taken = match *command {
                OrderCommand::Cancel(order) => {
                    self.cancel(now, (*model, order), broker, record)?;
                    0
                }
                OrderCommand::Modify(order, change) => {
                    self.modify(now, (*model, order), change, broker, record)?;
                    0
                }
                OrderCommand::Submit {
                    reference,
                    request,
                    role,
                } => {
                    let followers = followers(reference, role, after);
                    let group = std::iter::once((reference, request)).chain(followers);
                    let group: Vec<_> = group.collect();
                    self.submit_group(now, (*model, role), &group, broker, record)?;
                    group.len() - 1
                }
            };
            rest = &after[taken..];
        }
        self.scratch.commands = commands;
        Ok(())
    }

    /// Submits one order, a bracket or a group of alternatives: all that are well-formed and pass risk, or none where one
    /// is malformed.
    fn submit_group(
        &mut self,
        now: UtcNanos,
        (model, role): (ModelId, OrderRole),
        group: &[(OrderRef, OrderRequest)],
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let checked = match self.check_group(model, role, group) {
            Ok(checked) => checked,
            Err(fault) => {
                for (reference, request) in group {
                    self.refuse(now, (model, *reference), request, &fault, record);
                    self.requests[model.index()].push(None);
                }
                return Ok(());
            }
        };
        let entry_side = checked.first().and_then(|entry| side_of(entry.size));
        let (mut entry, mut peers) = (None, None);
        for (index, ((reference, request), checked)) in group.iter().zip(checked).enumerate() {
            let is_exit = matches!(role, OrderRole::Entry) && index > 0;
            let in_group = is_exit || matches!(role, OrderRole::OneOf { .. });
            let wanted = Wanted {
                model,
                reference: *reference,
                request: *request,
                instrument: self.models[model.index()].binding.instrument(request.instrument),
                checked,
                link: OrderLink {
                    entry: entry.filter(|_| is_exit),
                    group: in_group.then(|| peers.unwrap_or(OrderId::from_index(self.next_order))),
                },
            };
            let sent = if is_exit && entry.is_none() {
                let fault = Fault {
                    code: ENTRY_REFUSED,
                    words: "the entry of its bracket was not let through".to_owned(),
                };
                self.refuse(now, (model, *reference), request, &fault, record);
                None
            } else {
                let draft = self.draft_of(now, &wanted);
                let sent = self.send(now, draft, broker, record)?;
                if let (Some(_), Some(trail)) = (sent, record.trails.last_mut()) {
                    trail.asked = request.size;
                }
                sent
            };
            self.requests[model.index()].push(sent);
            if let (Some(order), true, Some(side)) = (sent, is_exit, entry_side) {
                self.exit_sides.push((order, side.opposite()));
            }
            if index == 0 {
                entry = sent;
            }
            if in_group {
                peers = peers.or(sent);
            }
        }
        Ok(())
    }

    fn check_group(
        &self,
        model: ModelId,
        role: OrderRole,
        group: &[(OrderRef, OrderRequest)],
    ) -> Result<Vec<Checked>, Fault> {
        let binding = &self.models[model.index()].binding;
        for (_, request) in group {
            if request.instrument.position() >= binding.instruments().len() {
                let words = format!(
                    "instrument reference {} is not one of the {} that the model asked to trade",
                    request.instrument.position(),
                    binding.instruments().len()
                );
                return Err(Fault {
                    code: UNKNOWN_INSTRUMENT,
                    words,
                });
            }
        }
        let instrument = |request: &OrderRequest| {
            self.market
                .instruments()
                .get(binding.instrument(request.instrument))
        };
        let exits: Vec<OrderRequest> = group[1..].iter().map(|(_, request)| *request).collect();
        let first = &group[0].1;
        if !matches!(role, OrderRole::Entry) {
            return group
                .iter()
                .map(|(_, request)| check(request, instrument(request)))
                .collect();
        }
        if exits.iter().any(|exit| exit.instrument != first.instrument) {
            return Err(Fault {
                code: "exits_do_not_match",
                words: "an exit is in another instrument than its entry".to_owned(),
            });
        }
        let entry = check(first, instrument(first))?;
        let mut checked = vec![entry];
        checked.extend(check_exits(entry, &exits, instrument(first))?);
        Ok(checked)
    }

    fn draft_of(&self, now: UtcNanos, wanted: &Wanted) -> OrderDraft {
        OrderDraft {
            instrument: wanted.instrument,
            size: wanted.checked.size,
            allocations: vec![Allocation {
                model: wanted.model,
                quantity: units_of(wanted.checked.size),
            }],
            budget: self.portfolio.budget(wanted.model, &self.estimate),
            reference_price: self.ledger.price(wanted.instrument),
            decided_at: now,
            origin: OrderOrigin::Request,
            terms: OrderTerms {
                kind: wanted.checked.kind,
                time_in_force: wanted.request.time_in_force,
                effect: wanted.request.effect,
                link: wanted.link,
                reference: Some(wanted.reference),
            },
        }
    }

    /// Records a request that does not become an order, and tells the model.
    fn refuse(
        &mut self,
        now: UtcNanos,
        (model, reference): (ModelId, OrderRef),
        request: &OrderRequest,
        fault: &Fault,
        record: &mut StepRecord,
    ) {
        let traded = self.models[model.index()].binding.instruments();
        let instrument = traded.get(request.instrument.position()).copied();
        record.interventions.push(Intervention {
            rule: fault.code,
            action: InterventionAction::Refuse,
            instrument,
            before: 0.0,
            after: 0.0,
            reason: format!("request {}: {}", reference.index(), fault.words),
        });
        self.notices[model.index()].push(OrderNotice {
            order: reference,
            time: now,
            kind: NoticeKind::Refused(fault.code),
        });
        let Some(instrument) = instrument else { return };
        record.refused.push(RefusedOrder {
            draft: OrderDraft {
                instrument,
                size: request.size,
                allocations: vec![Allocation {
                    model,
                    quantity: units_of(request.size),
                }],
                budget: self.portfolio.budget(model, &self.estimate),
                reference_price: self.ledger.price(instrument),
                decided_at: now,
                origin: OrderOrigin::Request,
                terms: OrderTerms {
                    reference: Some(reference),
                    ..OrderTerms::MARKET
                },
            },
            rule: fault.code,
        });
    }

    fn cancel(
        &mut self,
        now: UtcNanos,
        (model, reference): (ModelId, OrderRef),
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        if let Some(order) = self.order_of(now, (model, reference), record) {
            record.changed.push(order);
            broker.cancel(order, now)?;
        }
        Ok(())
    }

    /// The order of a reference; a reference that the model was never given is refused.
    fn order_of(
        &mut self,
        now: UtcNanos,
        (model, reference): (ModelId, OrderRef),
        record: &mut StepRecord,
    ) -> Option<OrderId> {
        let known = self.requests[model.index()].get(reference.index());
        if known.is_none() {
            let made = self.requests[model.index()].len();
            record.interventions.push(Intervention {
                rule: UNKNOWN_ORDER,
                action: InterventionAction::Refuse,
                instrument: None,
                before: 0.0,
                after: 0.0,
                reason: format!(
                    "request {} does not exist; the model has made {made} requests",
                    reference.index()
                ),
            });
            self.notices[model.index()].push(OrderNotice {
                order: reference,
                time: now,
                kind: NoticeKind::Refused(UNKNOWN_ORDER),
            });
        }
        known.copied().flatten()
    }

    fn modify(
        &mut self,
        now: UtcNanos,
        (model, reference): (ModelId, OrderRef),
        change: OrderChange,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
    ) -> Result<(), EngineError> {
        let Some(order) = self.order_of(now, (model, reference), record) else {
            return Ok(());
        };
        let working = broker.working().iter().find(|working| working.order.id == order);
        let Some(draft) = working.map(|working| working.order.draft.clone()) else {
            return Ok(());
        };
        let changed = match self.changed(now, (order, &draft), change) {
            Ok(changed) => changed,
            Err(fault) => {
                self.refuse_change(now, &draft, (fault.code, fault.words), record);
                return Ok(());
            }
        };
        self.update_weights(broker.working(), Some(order));
        let state = self.state(now);
        let weight = draft_weight(&self.ledger, &changed, state.equity);
        let instrument = self.market.instruments().get(changed.instrument);
        match RiskGate.order(&*self.risk, &state, (changed, weight), (instrument, order)) {
            Ok((approved, reasons)) => {
                record.interventions.extend(reasons);
                record.changed.push(order);
                broker.replace(approved)?;
            }
            Err(refusal) => {
                let code = refusal
                    .reasons
                    .last()
                    .map_or(super::orders::LOT_SIZE, |reason| reason.rule);
                record.interventions.extend(refusal.reasons);
                self.note_refusal(&draft, code, now);
            }
        }
        self.update_weights(broker.working(), None);
        Ok(())
    }

    /// The draft of a working order with what is to be different about it.
    fn changed(
        &self,
        now: UtcNanos,
        (order, draft): (OrderId, &OrderDraft),
        change: OrderChange,
    ) -> Result<OrderDraft, Fault> {
        let instrument = self.market.instruments().get(draft.instrument);
        let same = draft
            .terms
            .kind
            .try_map(|price| Ok::<_, std::convert::Infallible>(price.to_f64()));
        let Ok(same): Result<OrderKind<f64>, _> = same;
        let (size, kind) = (change.size.unwrap_or(draft.size), change.kind.unwrap_or(same));
        let checked = check_change(size, kind, self.exit_side(order), instrument)?;
        let mut changed = draft.clone();
        changed.decided_at = now;
        changed.reference_price = self.ledger.price(draft.instrument);
        changed.size = checked.size;
        changed.allocations[0].quantity = units_of(checked.size);
        changed.terms.kind = checked.kind;
        Ok(changed)
    }

    /// The side on which an order trades, if it is the exit of a bracket.
    fn exit_side(&self, order: OrderId) -> Option<Side> {
        let place = self
            .exit_sides
            .binary_search_by_key(&order, |(exit, _)| *exit)
            .ok()?;
        Some(self.exit_sides[place].1)
    }

    fn refuse_change(
        &mut self,
        now: UtcNanos,
        draft: &OrderDraft,
        (code, words): (&'static str, String),
        record: &mut StepRecord,
    ) {
        record.interventions.push(Intervention {
            rule: code,
            action: InterventionAction::Refuse,
            instrument: Some(draft.instrument),
            before: 0.0,
            after: 0.0,
            reason: format!("a change of a working order: {words}; the order stays as it was"),
        });
        self.note_refusal(draft, code, now);
    }

    /// Ends the orders that wait for a price or an entry, as far as they are meant: when positions have to be closed, nothing
    /// may open or trade beside the orders that close.
    #[inline(never)]
    pub(super) fn cancel_resting(
        &mut self,
        now: UtcNanos,
        broker: &mut dyn Broker,
        record: &mut StepRecord,
        is_meant: impl Fn(&OrderDraft) -> bool,
    ) -> Result<(), EngineError> {
        let resting: Vec<OrderId> = broker
            .working()
            .iter()
            .filter(|working| {
                !working.is_on_its_way() || working.order.draft.terms.effect == OrderEffect::ReduceOnly
            })
            .filter(|working| is_meant(&working.order.draft))
            .map(|working| working.order.id)
            .collect();
        for order in resting {
            record.changed.push(order);
            broker.cancel(order, now)?;
        }
        Ok(())
    }
}

/// The commands that belong together with the one before them: the exits of an entry, the others of a group.
fn followers(
    reference: OrderRef,
    role: OrderRole,
    after: &[(ModelId, OrderCommand)],
) -> impl Iterator<Item = (OrderRef, OrderRequest)> + '_ {
    after.iter().map_while(move |(_, command)| match *command {
        OrderCommand::Submit {
            reference: next,
            request,
            role: follower,
        } => {
            let belongs = match (role, follower) {
                (OrderRole::Entry, OrderRole::Exit { entry }) => entry == reference,
                (OrderRole::OneOf { first }, OrderRole::OneOf { first: other }) => first == other,
                _ => false,
            };
            belongs.then_some((next, request))
        }
        _ => None,
    })
}
