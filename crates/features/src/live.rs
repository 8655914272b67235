//! Features fed bar by bar, for paper and live trading.

use std::fmt;
use std::slice::from_ref;

use sextant_domain::{Bar, BarDefect, BarsView, FeatureError, FeatureSpec, UtcNanos};
use thiserror::Error;

use crate::kernel::{Kernel, Rows, begins_afresh};
use crate::resolve::{ResolvedFeature, resolve};

/// A feature that takes bars as they close and gives the values that [`FeatureColumns`](crate::FeatureColumns) would
/// have, bit for bit.
pub struct LiveFeature {
    feature: ResolvedFeature,
    kernel: Box<dyn Kernel>,
    benchmark: f64,
    newest: Option<Turn>,
    /// Close of the newest bar of the main input.
    closed: Option<UtcNanos>,
    value: Vec<f64>,
}

/// A bar's place in the order of feeding: by close time, and at the same instant the main input last.
type Turn = (UtcNanos, std::cmp::Reverse<usize>);

/// Why a bar was not taken; the feature is then unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FeedError {
    /// An input that the feature does not have.
    #[error("feature `{name}` has inputs 0 to {}, but was given a bar for input {input}", .inputs - 1)]
    UnknownInput {
        /// The feature.
        name: &'static str,
        /// The input asked for.
        input: usize,
        /// How many there are.
        inputs: usize,
    },
    /// A bar that is not a bar.
    #[error("feature `{name}`, input {input}: the bar that closes at {close_time} is refused: {defect}")]
    Defective {
        /// The feature.
        name: &'static str,
        /// The input.
        input: usize,
        /// The bar's close time.
        close_time: UtcNanos,
        /// What is wrong with it.
        defect: BarDefect,
    },
    /// A bar that comes too late.
    #[error(
        "feature `{name}`, input {input}: the bar that closes at {close_time} comes after one that closes at {newest}; \
         feed bars in order of close time, once each, and at the same instant the benchmark before the asset"
    )]
    OutOfOrder {
        /// The feature.
        name: &'static str,
        /// The input.
        input: usize,
        /// The bar's close time.
        close_time: UtcNanos,
        /// The newest close time taken so far.
        newest: UtcNanos,
    },
}

impl LiveFeature {
    /// A feature that has seen no bar.
    ///
    /// # Errors
    /// [`FeatureError`] for unknown names and parameters, as [`resolve`].
    pub fn new(spec: &FeatureSpec) -> Result<Self, FeatureError> {
        let feature = resolve(spec)?;
        let kernel = feature.kernel();
        Ok(Self {
            feature,
            kernel,
            benchmark: f64::NAN,
            newest: None,
            closed: None,
            value: Vec::with_capacity(1),
        })
    }

    /// What is computed.
    pub fn feature(&self) -> &ResolvedFeature {
        &self.feature
    }

    /// Takes a bar of an input (0 is the main one) and gives the newest value after it: `None` while warming up, where
    /// undefined, and after bars of other inputs, which only count at the next bar of the main one.
    ///
    /// # Errors
    /// [`FeedError`] for a defective bar, one out of order, or an input that does not exist.
    pub fn update(&mut self, input: usize, bar: &Bar) -> Result<Option<f64>, FeedError> {
        self.newest = Some(self.turn(input, bar)?);
        if input > 0 {
            self.benchmark = bar.close;
            return Ok(None);
        }
        if self
            .closed
            .is_some_and(|closed| begins_afresh(closed, bar.open_time))
        {
            self.kernel = self.feature.kernel();
        }
        self.closed = Some(bar.close_time);
        self.value.clear();
        let benchmark = from_ref(&self.benchmark);
        self.kernel.fold(
            Rows {
                bars: view_of(bar),
                benchmark,
            },
            &mut self.value,
        );
        Ok(self.value.last().copied().filter(|value| !value.is_nan()))
    }

    fn turn(&self, input: usize, bar: &Bar) -> Result<Turn, FeedError> {
        let (name, inputs, close_time) = (
            self.feature.entry().name,
            self.feature.entry().inputs.count(),
            bar.close_time,
        );
        if input >= inputs {
            return Err(FeedError::UnknownInput { name, input, inputs });
        }
        if let Some(defect) = bar.defect() {
            return Err(FeedError::Defective {
                name,
                input,
                close_time,
                defect,
            });
        }
        let turn = (close_time, std::cmp::Reverse(input));
        match self.newest {
            Some(last) if turn <= last => Err(FeedError::OutOfOrder {
                name,
                input,
                close_time,
                newest: last.0,
            }),
            _ => Ok(turn),
        }
    }
}

impl fmt::Debug for LiveFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveFeature")
            .field("feature", &self.feature)
            .field("newest", &self.newest)
            .finish()
    }
}

fn view_of(bar: &Bar) -> BarsView<'_> {
    BarsView {
        open_time: from_ref(&bar.open_time),
        close_time: from_ref(&bar.close_time),
        open: from_ref(&bar.open),
        high: from_ref(&bar.high),
        low: from_ref(&bar.low),
        close: from_ref(&bar.close),
        volume: from_ref(&bar.volume),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn bar(close_time: i64, close: f64) -> Bar {
        let (open_time, close_time) = (
            UtcNanos::from_nanos(close_time - 1),
            UtcNanos::from_nanos(close_time),
        );
        Bar {
            open_time,
            close_time,
            open: close,
            high: close,
            low: close,
            close,
            volume: 0.0,
        }
    }

    #[test]
    fn a_refused_bar_changes_nothing() {
        let mut sma = LiveFeature::new(&FeatureSpec::new("sma", &[("period", 2.0)])).unwrap();
        assert_eq!(sma.update(0, &bar(10, 1.0)), Ok(None));
        assert!(matches!(
            sma.update(0, &bar(10, 9.0)),
            Err(FeedError::OutOfOrder { .. })
        ));
        assert!(matches!(
            sma.update(0, &bar(20, f64::NAN)),
            Err(FeedError::Defective { .. })
        ));
        assert!(matches!(
            sma.update(1, &bar(20, 9.0)),
            Err(FeedError::UnknownInput { inputs: 1, .. })
        ));
        assert_eq!(sma.update(0, &bar(20, 3.0)), Ok(Some(2.0)));
    }

    #[test]
    fn the_benchmark_comes_first_at_the_same_instant() {
        let mut beta = LiveFeature::new(&FeatureSpec::new("beta", &[("period", 2.0)])).unwrap();
        for (time, asset, benchmark) in [(10, 4.0, 4.0), (20, 8.0, 6.0)] {
            assert_eq!(beta.update(1, &bar(time, benchmark)), Ok(None));
            assert_eq!(beta.update(0, &bar(time, asset)), Ok(None));
        }
        assert_eq!(beta.update(1, &bar(30, 3.0)), Ok(None));
        assert_eq!(beta.update(0, &bar(30, 6.0)), Ok(Some(1.25)));
        let late = beta.update(1, &bar(30, 3.0)).unwrap_err();
        assert!(late.to_string().contains("benchmark before the asset"), "{late}");
    }
}
