//! What a model sees at one instant: everything available by then, and nothing later.

use std::cell::Cell;

use crate::ports::FeatureSource;
use crate::{
    BarsView, Binding, EndReason, FeatureRef, InstrumentRef, MacroRef, MarketData, OrderRef, SeriesId,
    SeriesRef, UtcNanos,
};

/// A model's own account at the time of the decision, in the research world.
#[derive(Debug, Clone, Copy)]
pub struct AccountView<'a> {
    /// Portfolio equity.
    pub portfolio_equity: f64,
    /// The model's own profit and loss since the start, costs included.
    pub model_pnl: f64,
    /// The model's signed positions in units, by instrument id.
    pub positions: &'a [f64],
    /// What one unit is worth in the account's currency at the last price, by instrument id: `price x multiplier x rate`; NaN
    /// before the first price or rate.
    pub unit_values: &'a [f64],
    /// What became of the model's orders since its last decision, in order.
    pub notices: &'a [OrderNotice],
}

/// News of one of a model's orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderNotice {
    /// The order, by the model's name for it.
    pub order: OrderRef,
    /// When it happened.
    pub time: UtcNanos,
    /// What happened.
    pub kind: NoticeKind,
}

/// What happened to an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoticeKind {
    /// It has traded.
    Filled {
        /// Signed units.
        quantity: f64,
        /// The price, slippage included.
        price: f64,
    },
    /// It has left the market; what it has traded before was told by [`Filled`](Self::Filled).
    Ended(EndReason),
    /// It was not let through, or a change of it was not; the code of the rule.
    Refused(&'static str),
}

/// A read-only window on the market that ends at [`as_of`](Self::as_of).
///
/// All slices are oldest first and end with the newest bar, feature value or publication that was available at `as_of`.
/// There is no method that takes a time, so nothing later can be asked for.
///
/// # Panics
/// Whatever reads bars or features panics when the driver that made the view counts a bar that closes after `as_of`.
#[derive(Clone, Copy)]
pub struct MarketView<'a> {
    as_of: UtcNanos,
    market: &'a MarketData,
    available: &'a [usize],
    features: &'a dyn FeatureSource,
    binding: &'a Binding,
    account: AccountView<'a>,
    /// Set when the account is asked for, where somebody wants to know.
    asked: Option<&'a Cell<bool>>,
}

impl<'a> MarketView<'a> {
    /// A view over the first `available[s]` bars of every series `s`. Drivers make views; models receive them.
    /// A bar among them that closes after `as_of` is the driver's defect; reading it panics, because going on would be
    /// look-ahead.
    #[inline]
    pub fn new(
        as_of: UtcNanos,
        market: &'a MarketData,
        available: &'a [usize],
        features: &'a dyn FeatureSource,
        binding: &'a Binding,
    ) -> Self {
        let account = AccountView {
            portfolio_equity: 0.0,
            model_pnl: 0.0,
            positions: &[],
            unit_values: &[],
            notices: &[],
        };
        Self {
            as_of,
            market,
            available,
            features,
            binding,
            account,
            asked: None,
        }
    }

    /// The same view with the model's account.
    #[inline]
    pub fn with_account(mut self, account: AccountView<'a>) -> Self {
        self.account = account;
        self
    }

    /// The same view of an account that is empty, and that sets `asked` when somebody looks at it. For a driver that has no
    /// account yet at the time of the decision and must know whether the decision depends on it.
    #[inline]
    pub fn noting_account_use(mut self, asked: &'a Cell<bool>) -> Self {
        self.asked = Some(asked);
        self
    }

    #[inline]
    fn note_account_use(&self) {
        if let Some(asked) = self.asked {
            asked.set(true);
        }
    }

    /// How many bars of a series there are by now; none of them is from later.
    #[inline]
    fn count(&self, series: SeriesId) -> usize {
        let count = self.available[series.index()];
        if let Some(newest) = count.checked_sub(1) {
            let newest = self.market.close_times(series)[newest];
            if newest > self.as_of {
                looks_ahead(newest, self.as_of);
            }
        }
        count
    }

    /// The instant of the decision.
    #[inline]
    pub fn as_of(&self) -> UtcNanos {
        self.as_of
    }

    /// The bars of a series that have closed by now.
    #[inline]
    pub fn bars(&self, series: SeriesRef) -> BarsView<'a> {
        let id = self.binding.series[series.position()];
        self.market.get(id).bars.first(self.count(id))
    }

    /// The closes of the bars of a series that have closed by now. For models that look at nothing else of many series.
    #[inline]
    pub fn closes(&self, series: SeriesRef) -> &'a [f64] {
        let id = self.binding.series[series.position()];
        &self.market.get(id).bars.closes()[..self.count(id)]
    }

    /// Whether a bar of the series closed at this very instant.
    #[inline]
    pub fn closed_now(&self, series: SeriesRef) -> bool {
        self.bars(series).close_time.last() == Some(&self.as_of)
    }

    /// The feature's newest value; `None` while it is warming up.
    #[inline]
    pub fn feature(&self, feature: FeatureRef) -> Option<f64> {
        let (id, series) = self.binding.features[feature.position()];
        let newest = self.count(series).checked_sub(1)?;
        let value = self.features.column(id)[newest];
        (!value.is_nan()).then_some(value)
    }

    /// The feature's values, one per closed bar of its series; NaN while warming up.
    #[inline]
    pub fn feature_history(&self, feature: FeatureRef) -> &'a [f64] {
        let (id, series) = self.binding.features[feature.position()];
        &self.features.column(id)[..self.count(series)]
    }

    /// The newest published value of a macro series; `None` when there is none yet or the run has no such series.
    pub fn macro_value(&self, series: MacroRef) -> Option<f64> {
        self.macro_history(series).last().copied()
    }

    /// The values of a macro series published by now.
    pub fn macro_history(&self, series: MacroRef) -> &'a [f64] {
        match self.binding.macros[series.position()] {
            Some(index) => {
                let one = &self.market.macros()[index];
                &one.values()[..one.available(self.as_of)]
            }
            None => &[],
        }
    }

    /// When the newest value of a macro series was published.
    pub fn macro_published(&self, series: MacroRef) -> Option<UtcNanos> {
        let one = &self.market.macros()[self.binding.macros[series.position()]?];
        one.published()[..one.available(self.as_of)].last().copied()
    }

    /// The model's signed position in units.
    #[inline]
    pub fn position(&self, instrument: InstrumentRef) -> f64 {
        self.note_account_use();
        let id = self.binding.instruments[instrument.position()];
        self.account.positions.get(id.index()).copied().unwrap_or(0.0)
    }

    /// What one unit is worth in the account's currency at the last price, multiplier and rate included; NaN before the
    /// first price or rate.
    #[inline]
    pub fn unit_value(&self, instrument: InstrumentRef) -> f64 {
        self.note_account_use();
        let id = self.binding.instruments[instrument.position()];
        self.account
            .unit_values
            .get(id.index())
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// What became of the model's orders since its last decision, in order.
    pub fn notices(&self) -> &'a [OrderNotice] {
        self.note_account_use();
        self.account.notices
    }

    /// The model's account.
    pub fn account(&self) -> AccountView<'a> {
        self.note_account_use();
        self.account
    }
}

#[cold]
#[inline(never)]
fn looks_ahead(newest: UtcNanos, as_of: UtcNanos) -> ! {
    panic!("a bar that closes at {newest} was shown at {as_of}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AssetClass, Bar, BarSeries, Contract, Currency, FeatureError, FeatureId, FeatureSpec, Instrument,
        InstrumentId, InstrumentTable, Requirements, Series, Timeframe,
    };

    /// Every feature is the column of hours since 1970.
    struct Hours(Vec<f64>);

    impl FeatureSource for Hours {
        fn prepare(
            &mut self,
            _spec: &FeatureSpec,
            _inputs: &[SeriesId],
            _market: &MarketData,
        ) -> Result<FeatureId, FeatureError> {
            Ok(FeatureId::from_index(0))
        }

        fn column(&self, _id: FeatureId) -> &[f64] {
            &self.0
        }
    }

    fn hour(hours: i64) -> UtcNanos {
        UtcNanos::from_nanos(hours * Timeframe::H1.nanos())
    }

    fn two_hours() -> MarketData {
        let bars = (0..2).map(|index| Bar {
            open_time: hour(index),
            close_time: hour(index + 1),
            open: 1.0,
            high: 2.0,
            low: 1.0,
            close: (index + 1) as f64,
            volume: 1.0,
        });
        let acme = Instrument {
            symbol: "ACME".to_owned(),
            class: AssetClass::Equity,
            execution: Timeframe::H1,
            price_tick: "0.01".parse().unwrap(),
            lot_size: "1".parse().unwrap(),
            contract: Contract::paid_in(Currency::USD),
        };
        let series = Series {
            instrument: InstrumentId::from_index(0),
            timeframe: Timeframe::H1,
            bars: BarSeries::from_bars(bars).unwrap(),
        };
        MarketData::new(
            InstrumentTable::new(vec![acme]).unwrap(),
            vec![series],
            Vec::new(),
        )
        .unwrap()
    }

    #[test]
    fn what_is_read_ends_now() {
        let (market, mut features) = (two_hours(), Hours(vec![1.0, 2.0]));
        let mut needs = Requirements::new();
        let series = needs.series("ACME", Timeframe::H1);
        let feature = needs.feature("hours", &[], series);
        let binding = Binding::resolve("test", &needs, &market, &mut features).unwrap();
        let view = MarketView::new(hour(1), &market, &[1], &features, &binding);
        assert_eq!(
            (view.bars(series).close, view.closes(series)),
            (&[1.0][..], &[1.0][..])
        );
        assert_eq!(view.feature(feature), Some(1.0));

        // A driver that counts a bar too many is stopped, whatever is read.
        let wrong = MarketView::new(hour(1), &market, &[2], &features, &binding);
        let reads: [&dyn Fn(); 3] = [
            &|| {
                let _ = wrong.bars(series);
            },
            &|| {
                let _ = wrong.closes(series);
            },
            &|| {
                let _ = wrong.feature(feature);
            },
        ];
        for read in reads {
            let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
            let message = *stopped.unwrap_err().downcast::<String>().unwrap();
            assert!(message.contains("was shown at"), "{message}");
        }
    }
}
