//! The size of an order, from the wish to what was sent: every step with the value before and after it.
//!
//! Each step is computed again from the one before and must give, to the last bit or digit, what the engine had.

use anyhow::{bail, ensure};
use rust_decimal::Decimal;
use sextant_domain::{InterventionAction, OrderOrigin, OrderSize, Quantity, RegimeEstimate};
use sextant_portfolio::{ModelBudget, RegimeBudgets};

use super::trace::{OrderTrace, PartTrace};

/// One step of a size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rung {
    /// The model, or `order` for what concerns all of it.
    pub(crate) whose: String,
    /// What was done: `wish`, `budget`, the code of a rule, `lots`, ...
    pub(crate) what: String,
    /// The value before; empty where it begins.
    pub(crate) before: String,
    /// The value after.
    pub(crate) after: String,
    /// How, and why.
    pub(crate) reason: String,
}

/// What the steps of an order refer to.
pub(crate) struct LadderContext<'a> {
    /// The names of the models, by id.
    pub(crate) models: &'a [String],
    /// The configured budgets.
    pub(crate) budgets: &'a RegimeBudgets,
    /// The lot of the order's instrument.
    pub(crate) lot: Decimal,
}

/// The steps of an order's size.
///
/// # Errors
/// When a step does not give what the engine had: the record is wrong then, or this is.
pub(crate) fn ladder(trace: &OrderTrace, context: &LadderContext<'_>) -> anyhow::Result<Vec<Rung>> {
    let mut rungs = Vec::new();
    for part in &trace.parts {
        part_rungs(part, trace.regime, context, &mut rungs)?;
    }
    match trace.order.draft.origin {
        OrderOrigin::Target => require_parts(trace)?,
        OrderOrigin::Request => rungs.push(rung(
            "order",
            "request",
            String::new(),
            size_words(trace.trail.asked),
            "what the model asked for",
        )),
        OrderOrigin::EndOfRun => rungs.push(rung(
            "order",
            "end of run",
            String::new(),
            size_words(trace.trail.asked),
            "the configuration closes what is open at the end",
        )),
        OrderOrigin::MarginCall => rungs.push(rung(
            "order",
            "margin call",
            String::new(),
            size_words(trace.trail.asked),
            "equity no longer covered the maintenance margin",
        )),
    }
    order_rungs(trace, context.lot, &mut rungs)?;
    Ok(rungs)
}

fn rung(whose: &str, what: &str, before: String, after: String, reason: impl Into<String>) -> Rung {
    Rung {
        whose: whose.to_owned(),
        what: what.to_owned(),
        before,
        after,
        reason: reason.into(),
    }
}

/// From a model's wish to the units that its part of the order has.
fn part_rungs(
    part: &PartTrace,
    regime: RegimeEstimate,
    context: &LadderContext<'_>,
    rungs: &mut Vec<Rung>,
) -> anyhow::Result<()> {
    let sizing = &part.sizing;
    let Some(name) = context.models.get(sizing.model.index()) else {
        bail!("model {} is not one of the run", sizing.model)
    };
    let weight = weight_rungs(part, name, regime, context.budgets, rungs)?;
    ensure!(
        weight == sizing.approved,
        "the rules leave {weight} of {name}'s target, but {} was sized",
        sizing.approved
    );
    let target = target_units(weight, sizing.equity, sizing.unit_value, context.lot)?;
    ensure!(
        target == sizing.target,
        "{weight} of equity comes to {target} units, but {} were sized",
        sizing.target
    );
    let lots = format!(
        "{weight} x equity {} / {} for a unit, towards zero in lots of {}",
        sizing.equity, sizing.unit_value, context.lot
    );
    rungs.push(rung(name, "lots", weight_words(weight), units(target), lots));
    let rest = target.minus(sizing.held)?;
    rungs.push(rung(
        name,
        "held",
        units(target),
        units(rest),
        format!("the model has {} already", units(sizing.held)),
    ));
    let change = rest.minus(sizing.on_the_way)?;
    if !sizing.on_the_way.is_zero() {
        let reason = format!("{} are on their way", units(sizing.on_the_way));
        rungs.push(rung(name, "on the way", units(rest), units(change), reason));
    }
    ensure!(
        change == sizing.change,
        "{name} has to trade {change}, but {} were sized",
        sizing.change
    );
    Ok(())
}

/// Wish, budget and rules of the targets. Returns the weight that is left.
fn weight_rungs(
    part: &PartTrace,
    name: &str,
    regime: RegimeEstimate,
    budgets: &RegimeBudgets,
    rungs: &mut Vec<Rung>,
) -> anyhow::Result<f64> {
    let sizing = &part.sizing;
    let mut weight = sizing.proposed;
    match (sizing.wish, budgets.models.get(name)) {
        (Some(wish), Some(budget)) => {
            let when = part
                .wished_at
                .map_or("before the run began".to_owned(), |time| time.to_string());
            let given = format!("of the model's budget, given at {when}");
            rungs.push(rung(name, "wish", String::new(), weight_words(wish), given));
            let (factor, words) = budget_in(budget, regime);
            ensure!(
                factor == sizing.budget && factor * wish == weight,
                "a wish of {wish} and a budget of {factor} make {}, but {weight} was proposed",
                factor * wish
            );
            let reason = format!("x {factor} of equity: {words}");
            rungs.push(rung(
                name,
                "budget",
                weight_words(wish),
                weight_words(weight),
                reason,
            ));
        }
        (Some(_), None) => bail!("{name} has no budget"),
        (None, _) => rungs.push(rung(
            name,
            "position",
            String::new(),
            weight_words(weight),
            "no target governs it; it counts at its present weight",
        )),
    }
    for cut in &part.cuts {
        let after = scaled(sizing.proposed, cut.factor);
        let reason = cut.reasons.join("; ");
        rungs.push(rung(
            name,
            cut.rule,
            weight_words(weight),
            weight_words(after),
            reason,
        ));
        weight = after;
    }
    Ok(weight)
}

/// A contribution as the gate scales it.
fn scaled(weight: f64, factor: f64) -> f64 {
    if factor == 1.0 {
        weight
    } else if factor == 0.0 {
        0.0
    } else {
        weight * factor
    }
}

/// A model's budget in a regime, and how it comes about.
fn budget_in(budget: &ModelBudget, regime: RegimeEstimate) -> (f64, String) {
    let by = &budget.multipliers;
    let factors = [
        (
            "equity",
            regime.equity.name(),
            by.equity.map(|one| one.equity(regime.equity)),
        ),
        (
            "volatility",
            regime.volatility.name(),
            by.volatility.map(|one| one.factor(regime.volatility)),
        ),
        (
            "crypto",
            regime.crypto.name(),
            by.crypto.map(|one| one.crypto(regime.crypto)),
        ),
        (
            "macro",
            regime.macro_economy.name(),
            by.macro_economy.map(|one| one.factor(regime.macro_economy)),
        ),
    ];
    let (mut value, mut words) = (budget.budget, format!("base {}", budget.budget));
    for (dimension, label, factor) in factors {
        value *= factor.unwrap_or(1.0);
        if let Some(factor) = factor {
            words.push_str(&format!(" x {factor} ({dimension} {label})"));
        }
    }
    (value, words)
}

fn target_units(weight: f64, equity: f64, unit_value: f64, lot: Decimal) -> anyhow::Result<Quantity> {
    if weight == 0.0 {
        return Ok(Quantity::ZERO);
    }
    Ok(Quantity::from_f64_towards_zero(
        weight * equity / unit_value,
        lot,
    )?)
}

/// The parts of a target order are all of it.
fn require_parts(trace: &OrderTrace) -> anyhow::Result<()> {
    let parts = trace.parts.iter();
    let sum = parts
        .map(|part| part.sizing.change)
        .try_fold(Quantity::ZERO, |sum, change| sum.plus(change))?;
    ensure!(
        trace.trail.proposed == OrderSize::Units(sum),
        "the parts of order {} come to {sum}, but {} was proposed",
        trace.order.id,
        size_words(trace.trail.proposed)
    );
    Ok(())
}

/// From what was put before the gate to what was sent.
fn order_rungs(trace: &OrderTrace, lot: Decimal, rungs: &mut Vec<Rung>) -> anyhow::Result<()> {
    let (asked, proposed, sent) = (trace.trail.asked, trace.trail.proposed, trace.order.draft.size);
    if asked != proposed {
        let reason = format!("towards zero in lots of {lot}");
        rungs.push(rung(
            "order",
            "lots",
            size_words(asked),
            size_words(proposed),
            reason,
        ));
        require_lots(asked, proposed, lot)?;
    }
    for act in &trace.interventions {
        if act.action != InterventionAction::Status {
            let (before, after) = (weight_words(act.before), weight_words(act.after));
            rungs.push(rung("order", act.rule, before, after, act.reason.clone()));
        }
    }
    ensure!(
        proposed == sent
            || trace
                .interventions
                .iter()
                .any(|act| act.action != InterventionAction::Status),
        "order {} was made smaller without a reason",
        trace.order.id
    );
    let reason = match (proposed, sent) {
        (OrderSize::Units(before), OrderSize::Units(after)) => {
            ensure!(
                after.abs() <= before.abs() && after.is_positive() == before.is_positive(),
                "order {} grew or changed side at the gate",
                trace.order.id
            );
            let cut = before.minus(after)?;
            if cut.is_zero() {
                "as proposed".to_owned()
            } else {
                format!("the rules took {} away", units(cut))
            }
        }
        (before, after) if before == after => "as proposed; the units are known at the fill".to_owned(),
        _ => "what the rules left; the units are known at the fill".to_owned(),
    };
    rungs.push(rung(
        "order",
        "sent",
        size_words(proposed),
        size_words(sent),
        reason,
    ));
    Ok(())
}

fn require_lots(asked: OrderSize, proposed: OrderSize, lot: Decimal) -> anyhow::Result<()> {
    match (asked, proposed) {
        (OrderSize::Units(asked), OrderSize::Units(proposed)) => {
            let whole = asked.towards_zero_to_lot(lot);
            ensure!(
                whole == proposed,
                "{asked} is {whole} in whole lots, but {proposed} was proposed"
            );
            Ok(())
        }
        _ => bail!("a size without units was changed before the gate"),
    }
}

fn weight_words(weight: f64) -> String {
    weight.to_string()
}

fn units(quantity: Quantity) -> String {
    format!("{quantity} units")
}

fn size_words(size: OrderSize) -> String {
    match size {
        OrderSize::Units(quantity) => units(quantity),
        OrderSize::EquityFraction(fraction) => format!("{fraction} of the budget"),
        OrderSize::ClosePosition => "whatever is held at the fill".to_owned(),
        OrderSize::EntryFill => "as much as the entry fills".to_owned(),
    }
}
