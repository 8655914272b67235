//! What becomes of the rows of a provider: first downloads, updates, and macro tables.
//!
//! A row of a provider passes through the rules of a CSV import, and a bar enters the lake only when it has closed. What
//! is in the lake already is never mixed with bars of another source or another adjustment: the source in a file's
//! metadata names the provider, its name for the symbol and how it adjusts prices ([`Origin`]), and an operation that
//! does not fit is refused.
//!
//! An update asks only for what is missing: the bars after the last one, and the gaps, as [`plan`] says. With them the
//! last few bars of the lake, the seam, are asked again and compared; where the provider revises its history (adjusted
//! prices do at every split and dividend) a difference means that everything is loaded anew, otherwise it is an error.
//! Bars that the provider did not have are remembered in `<symbol>_<timeframe>.holes.json` beside the bars, so that
//! nobody asks for them again; those that it no longer reaches back to are reported and not remembered.
//!
//! # Crashes
//! Each file is replaced by one rename, in this order: bad rows set aside, bars, remembered holes. Whatever happens in
//! between, the bars are the old or the new ones; a memory of holes that is too old costs one request.

mod answer;
mod commit;
mod download;
mod error;
mod holes;
mod macros;
mod merge;
mod origin;
mod plan;
mod report;
mod revise;

pub use download::{DownloadRequest, Existing, download};
pub use error::{RefusedAnswer, UpdateError};
pub(crate) use holes::forget as forget_holes;
pub use macros::{MacroUpdateReport, MacroUpdateRequest, update_macro};
pub use merge::Difference;
pub use origin::Origin;
pub use plan::{Plan, PlannedRequest, SlotRange, plan};
pub use report::{Outcome, UpdateReport};
pub use revise::{UpdateRequest, update};

#[cfg(test)]
mod tests;
