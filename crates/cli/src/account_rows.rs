//! The rows of what happens to an account without orders.

use sextant_domain::StepRecord;
use sextant_store::{CashEventRow, RunTables, SplitRow};

/// Adds the payments and splits of a step; symbols and models are by id.
pub(crate) fn account_rows(step: &StepRecord, symbols: &[String], models: &[String], tables: &mut RunTables) {
    for event in &step.cash_events {
        for (model, amount) in &event.amounts {
            tables.cash_events.push(CashEventRow {
                time: event.time,
                symbol: event.instrument.map(|one| symbols[one.index()].clone()),
                model: models[model.index()].clone(),
                kind: event.kind.name().to_owned(),
                amount: *amount,
                currency: event.currency.code().to_owned(),
            });
        }
    }
    for split in &step.splits {
        for part in &split.parts {
            tables.splits.push(SplitRow {
                time: split.time,
                symbol: symbols[split.instrument.index()].clone(),
                model: models[part.model.index()].clone(),
                new_shares: split.ratio.new_shares(),
                old_shares: split.ratio.old_shares(),
                quantity: part.quantity,
                cash_in_lieu: part.cash_in_lieu,
            });
        }
    }
}
