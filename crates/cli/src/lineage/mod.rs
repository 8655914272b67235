//! Lineage: why an order was sent and what became of it.
//!
//! Nothing of this is stored. A run is a function of its manifest, so that it is computed again with somebody watching, held
//! against the stored rows, and asked. What a watched run sees of a step, the engine writes into every
//! [`StepRecord`](sextant_domain::StepRecord) anyway.

mod evidence;
mod ladder;
mod outcome;
mod trace;

#[cfg(test)]
mod tests;

pub(crate) use evidence::{Evidence, RowsEvidence, Witness};
pub(crate) use ladder::{LadderContext, Rung, ladder};
pub(crate) use outcome::{Outcome, outcome};
pub(crate) use trace::{OrderTrace, trace};
