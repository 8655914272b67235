//! The data rim of the platform: the Parquet lake, exchange calendars, import, resampling and validation.
//!
//! Everything that a run reads comes through here. Bars enter as CSV files of other parties, are checked row by row
//! against named rules and a calendar, and lie in the [`Lake`] as sealed Parquet files: one per instrument and timeframe, or one per month for bars finer than an hour.
//! From there they come back as the columns of the vocabulary crate ([`BarSeries`](sextant_domain::BarSeries)).
//!
//! # Invariants
//! * A file of the lake is loaded whole and unchanged or not at all: a seal over its bytes is compared before any of it
//!   is parsed, and a digest of its content afterwards. See [`lake`].
//! * A series of the lake is replaced by one rename, so that a reader sees the old or the new one, never a mix.
//! * No row is dropped, repaired or moved without being counted in the report of the import.
//! * A bar is available at its close time, and no bar is available before everything in it was known.
//! * What was traded is always kept: adjusted prices stand beside the raw ones.
//!
//! # Deliberately absent
//! Printing and configuration files (the composition root does both), network access, and results of runs.

pub mod actions;
pub mod calendar;
mod commands;
mod error;
pub mod import;
pub mod interop;
mod key;
pub mod lake;
mod lines;
mod progress;
mod provider;
pub mod qlib;
pub mod resample;
mod stamp;
pub mod synthetic;
mod text;
pub mod ticks;
mod twins;
pub mod universe;
pub mod update;
pub mod validate;

pub use actions::{
    ActionError, ActionKind, Adjusted, AdjustmentEngine, AdjustmentMode, CashDividend, CorporateAction,
    EventList, FactorFile, RecordedAction, SecurityHistory, SecurityId, TickerMapper, TickerSpan, ratio_of,
    recorded_actions, stitch,
};
pub use calendar::{BarSlot, Calendar, Session};
pub use error::{DataError, RefusedRows, RowDefect};
pub use import::{
    BadRows, ImportReport, ImportRequest, MacroColumn, MacroImportReport, MacroImportRequest, MacroStamps,
    PublicationRule, StampConvention, import_csv, import_macro_csv, locate_csv,
};
pub use key::BarKey;
pub use lake::{
    BarMeta, FileDefect, FileMeta, Lake, LakeEntry, MacroMeta, MacroTable, Provenance, RawBars, SeriesFile,
    SeriesFiles, StoredBars, StoredMacro, TimeGrain,
};
pub use progress::{Progress, Silent};
pub use provider::{
    BarProvider, BarRequest, FetchedBar, FetchedBars, FetchedMacro, MacroProvider, Offer, ProviderError,
};
pub use resample::{IncompleteWindow, ResampleReport, Resampled, resample};
pub use universe::{CoarseUniverse, Member, UniverseBuilder, UniverseError, UniverseFilter};
pub use update::{
    Difference, DownloadRequest, Existing, MacroUpdateReport, MacroUpdateRequest, Origin, Outcome,
    RefusedAnswer, UpdateError, UpdateReport, UpdateRequest, download, update, update_macro,
};
pub use validate::{
    Example, Finding, Rule, Severity, ValidationContext, ValidationReport, validate_bars, validate_bars_with,
    validate_csv_rows, validate_csv_rows_with,
};
