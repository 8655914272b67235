//! Reading inputs, with their age, and putting them on record.

use sextant_domain::{MacroRef, MarketView, RegimeDimension, RegimeInput, SeriesRef, Timeframe, UtcNanos};

/// Records the inputs of one dimension.
pub(crate) struct Recorder<'a> {
    dimension: RegimeDimension,
    inputs: &'a mut Vec<RegimeInput>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(dimension: RegimeDimension, inputs: &'a mut Vec<RegimeInput>) -> Self {
        Self { dimension, inputs }
    }

    /// Records a number, missing or not, and hands it on.
    pub(crate) fn note(&mut self, name: &'static str, value: Option<f64>) -> Option<f64> {
        self.inputs.push(RegimeInput {
            dimension: self.dimension,
            name,
            value,
        });
        value
    }
}

/// The newest close of a series; `None` when there is none or it is older than `max_age_days`.
pub(crate) fn fresh_close(view: &MarketView<'_>, series: SeriesRef, max_age_days: u32) -> Option<f64> {
    let bars = view.bars(series);
    let newest = *bars.close_time.last()?;
    is_fresh(view.as_of(), newest, max_age_days).then(|| bars.last_close())?
}

/// The newest published value of a macro series; `None` when there is none or it was published more than
/// `max_age_days` ago.
pub(crate) fn fresh_value(view: &MarketView<'_>, series: MacroRef, max_age_days: u32) -> Option<f64> {
    let published = view.macro_published(series)?;
    is_fresh(view.as_of(), published, max_age_days).then(|| view.macro_value(series))?
}

/// Days since the newest value of a macro series was published; `None` when there is none.
pub(crate) fn age_days(view: &MarketView<'_>, series: MacroRef) -> Option<f64> {
    let age_nanos = view.as_of().nanos() - view.macro_published(series)?.nanos();
    Some(age_nanos as f64 / Timeframe::D1.nanos() as f64)
}

fn is_fresh(as_of: UtcNanos, since: UtcNanos, max_age_days: u32) -> bool {
    as_of.nanos().saturating_sub(since.nanos()) <= i64::from(max_age_days) * Timeframe::D1.nanos()
}
