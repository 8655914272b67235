//! What a model reads and says when it states its rule over whole columns instead of bar by bar.

use std::ops::Range;

use crate::ports::FeatureSource;
use crate::{BarsView, Binding, FeatureRef, InstrumentRef, MarketData, SeriesRef};

/// All bars and features of a model whose series share one calendar: index `i` is bar `i` of each of them.
///
/// Unlike a [`MarketView`](crate::MarketView) it ends with the run and not with the present, so that the rule must see to it
/// itself that what it says at bar `i` uses nothing from after bar `i`. That it does is proved by comparison with
/// [`Model::decide`](crate::ports::Model::decide), which cannot look ahead.
#[derive(Clone, Copy)]
pub struct ColumnView<'a> {
    market: &'a MarketData,
    features: &'a dyn FeatureSource,
    binding: &'a Binding,
    first: usize,
    bars: usize,
}

impl<'a> ColumnView<'a> {
    /// The first `decisions.end` bars of every series; the model decides at those of `decisions`. Engines make column views,
    /// models receive them.
    ///
    /// # Panics
    /// When the series of the binding differ in their first `decisions.end` close times, or one is shorter.
    pub fn new(
        market: &'a MarketData,
        features: &'a dyn FeatureSource,
        binding: &'a Binding,
        decisions: Range<usize>,
    ) -> Self {
        let times = |id: &crate::SeriesId| &market.get(*id).bars.close_times()[..decisions.end];
        let mut all = binding.series().iter().chain(binding.triggers()).map(times);
        if let Some(calendar) = all.next() {
            assert!(
                all.all(|other| std::ptr::eq(other, calendar) || other == calendar),
                "columns need one calendar for all series of a model"
            );
        }
        Self {
            market,
            features,
            binding,
            first: decisions.start,
            bars: decisions.end,
        }
    }

    /// The bars at whose closes the model decides.
    pub fn decisions(&self) -> Range<usize> {
        self.first..self.bars
    }

    /// Every bar of a series up to the end of the run.
    pub fn bars(&self, series: SeriesRef) -> BarsView<'a> {
        self.market
            .get(self.binding.series()[series.position()])
            .bars
            .first(self.bars)
    }

    /// A feature's values, one per bar; NaN while warming up.
    pub fn feature(&self, feature: FeatureRef) -> &'a [f64] {
        let (id, _) = self.binding.features[feature.position()];
        &self.features.column(id)[..self.bars]
    }
}

/// The targets of a model over its columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnTargets {
    targets: Vec<(usize, InstrumentRef, f64)>,
}

impl ColumnTargets {
    /// Asks at the close of a bar for a weight, a signed fraction of the model's own budget, as
    /// [`Intents::target`](crate::Intents::target) does. Bars must come in order, and be among the
    /// [`decisions`](ColumnView::decisions) of the view: an engine panics at others.
    #[inline]
    pub fn target(&mut self, bar: usize, instrument: InstrumentRef, weight: f64) {
        self.targets.push((bar, instrument, weight));
    }

    /// What was asked for: bar, instrument, weight, in order.
    pub fn targets(&self) -> &[(usize, InstrumentRef, f64)] {
        &self.targets
    }
}
